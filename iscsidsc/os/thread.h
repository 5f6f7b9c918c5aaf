/* Threads, locks and time. */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct os_mutex;
struct os_condition;
struct os_thread;

/* NULL when out of memory. */
struct os_mutex *os_mutex_new(void);
void os_mutex_free(struct os_mutex *mutex);
void os_mutex_lock(struct os_mutex *mutex);
void os_mutex_unlock(struct os_mutex *mutex);

/* A lock for globals: zero-initialised, never freed, so that it is there when memory is not. */
struct os_lock {
    uintptr_t native[6];
};
void os_lock_take(struct os_lock *lock);
void os_lock_release(struct os_lock *lock);

struct os_condition *os_condition_new(void);
void os_condition_free(struct os_condition *condition);
void os_condition_wait(struct os_condition *condition, struct os_mutex *mutex);
/* False when `due` (os_now time) passed first. */
bool os_condition_wait_until(struct os_condition *condition, struct os_mutex *mutex, uint64_t due);
void os_condition_signal(struct os_condition *condition);
void os_condition_broadcast(struct os_condition *condition);

/* NULL when it could not be started. On Linux the thread takes no signals: they stay with the
 * program's own threads. */
struct os_thread *os_thread_start(void (*run)(void *argument), void *argument);
void os_thread_join(struct os_thread *thread);
bool os_thread_is_current(const struct os_thread *thread);
/* A thread that nobody joins. False when it could not be started. */
bool os_thread_start_detached(void (*run)(void *argument), void *argument);
/* Tells the calling thread from every other one alive; never 0. */
uintptr_t os_thread_id(void);
void os_thread_yield(void);

/* A thread that holds something others wait for must not be cancelled; restore what was returned.
 */
int os_thread_cancel_off(void);
void os_thread_cancel_restore(int state);

/* Runs `init` exactly once; every caller returns after it has. `init` may use another os_once. */
struct os_once {
    void *state; /* zero-initialised */
};
void os_once(struct os_once *once, void (*init)(void));

/* Monotonic milliseconds. Never wall-clock time. */
uint64_t os_now(void);
/* Monotonic microseconds, for statistics and benchmarks. */
uint64_t os_now_us(void);
/* Microseconds that the calling thread has had of a processor; 0: that cannot be told so finely. */
uint64_t os_thread_time_us(void);
#define OS_NEVER UINT64_MAX
/* Of the wall clock, for people to read: milliseconds since 1970, UTC. */
uint64_t os_time(void);

/* Keeps the library that holds this code loaded until the process ends: a thread runs in it. */
void os_pin_library(void);

#endif
