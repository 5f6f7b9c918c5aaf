#include "os/thread.h"
#include "os/memory.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct os_mutex {
    pthread_mutex_t native;
};

struct os_condition {
    pthread_cond_t native;
};

struct os_thread {
    void (*run)(void *argument);
    void *argument;
    pthread_t native;
    atomic_uintptr_t id; /* set by the thread itself */
};

struct os_mutex *os_mutex_new(void)
{
    struct os_mutex *mutex = os_alloc(sizeof *mutex);
    if (mutex != NULL && pthread_mutex_init(&mutex->native, NULL) != 0) {
        os_free(mutex);
        return NULL;
    }
    return mutex;
}

void os_mutex_free(struct os_mutex *mutex)
{
    if (mutex == NULL)
        return;
    pthread_mutex_destroy(&mutex->native);
    os_free(mutex);
}

/* A mutex that cannot be locked is a bug that must not go on unnoticed. */
static void must(int error)
{
    if (error != 0)
        abort();
}

void os_mutex_lock(struct os_mutex *mutex)
{
    must(pthread_mutex_lock(&mutex->native));
}

void os_mutex_unlock(struct os_mutex *mutex)
{
    must(pthread_mutex_unlock(&mutex->native));
}

/* An all-zero pthread_mutex_t is what PTHREAD_MUTEX_INITIALIZER gives on Linux. */
static pthread_mutex_t *native_lock(struct os_lock *lock)
{
    _Static_assert(sizeof(pthread_mutex_t) <= sizeof lock->native, "an os_lock holds a mutex");
    return (pthread_mutex_t *)(void *)lock->native;
}

void os_lock_take(struct os_lock *lock)
{
    must(pthread_mutex_lock(native_lock(lock)));
}

void os_lock_release(struct os_lock *lock)
{
    must(pthread_mutex_unlock(native_lock(lock)));
}

struct os_condition *os_condition_new(void)
{
    struct os_condition *condition = os_alloc(sizeof *condition);
    if (condition == NULL)
        return NULL;
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error == 0) {
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        error = pthread_cond_init(&condition->native, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    if (error != 0) {
        os_free(condition);
        return NULL;
    }
    return condition;
}

void os_condition_free(struct os_condition *condition)
{
    if (condition == NULL)
        return;
    pthread_cond_destroy(&condition->native);
    os_free(condition);
}

void os_condition_wait(struct os_condition *condition, struct os_mutex *mutex)
{
    must(pthread_cond_wait(&condition->native, &mutex->native));
}

bool os_condition_wait_until(struct os_condition *condition, struct os_mutex *mutex, uint64_t due)
{
    if (due == OS_NEVER) {
        os_condition_wait(condition, mutex);
        return true;
    }
    struct timespec until = {.tv_sec = (time_t)(due / 1000),
                             .tv_nsec = (long)(due % 1000) * 1000000L};
    int error = pthread_cond_timedwait(&condition->native, &mutex->native, &until);
    if (error == ETIMEDOUT)
        return false;
    must(error);
    return true;
}

void os_condition_signal(struct os_condition *condition)
{
    pthread_cond_signal(&condition->native);
}

void os_condition_broadcast(struct os_condition *condition)
{
    pthread_cond_broadcast(&condition->native);
}

uintptr_t os_thread_id(void)
{
    return (uintptr_t)pthread_self();
}

void os_thread_yield(void)
{
    sched_yield();
}

static void *thread_main(void *argument)
{
    struct os_thread *thread = argument;
    atomic_store(&thread->id, os_thread_id());
    thread->run(thread->argument);
    return NULL;
}

static void *detached_main(void *argument)
{
    struct os_thread *thread = argument;
    thread->run(thread->argument);
    os_free(thread);
    return NULL;
}

/* The program's signals are for its own threads; faults stay with the thread that made them. */
static void block_signals(sigset_t *before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

static struct os_thread *thread_create(void *(*start)(void *), void (*run)(void *), void *argument,
                                       const pthread_attr_t *attributes)
{
    struct os_thread *thread = os_alloc(sizeof *thread);
    if (thread == NULL)
        return NULL;
    thread->run = run;
    thread->argument = argument;
    sigset_t before;
    pthread_t native;
    block_signals(&before);
    int error = pthread_create(&native, attributes, start, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        os_free(thread);
        return NULL;
    }
    if (attributes == NULL) /* a detached one may have freed it already */
        thread->native = native;
    return thread;
}

struct os_thread *os_thread_start(void (*run)(void *argument), void *argument)
{
    return thread_create(thread_main, run, argument, NULL);
}

bool os_thread_start_detached(void (*run)(void *argument), void *argument)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool started = thread_create(detached_main, run, argument, &attributes) != NULL;
    pthread_attr_destroy(&attributes);
    return started;
}

void os_thread_join(struct os_thread *thread)
{
    if (thread == NULL)
        return;
    must(pthread_join(thread->native, NULL));
    os_free(thread);
}

bool os_thread_is_current(const struct os_thread *thread)
{
    return atomic_load(&thread->id) == os_thread_id();
}

/* --- once --- */

enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };

static pthread_mutex_t once_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t once_done = PTHREAD_COND_INITIALIZER;

static void once_set(struct os_once *once, uintptr_t state)
{
    __atomic_store_n(&once->state, (void *)state, __ATOMIC_RELEASE);
}

static uintptr_t once_get(struct os_once *once)
{
    return (uintptr_t)__atomic_load_n(&once->state, __ATOMIC_ACQUIRE);
}

void os_once(struct os_once *once, void (*init)(void))
{
    if (once_get(once) == ONCE_DONE)
        return;
    pthread_mutex_lock(&once_mutex);
    while (once_get(once) == ONCE_RUNNING)
        pthread_cond_wait(&once_done, &once_mutex);
    bool mine = once_get(once) == ONCE_NEW;
    if (mine)
        once_set(once, ONCE_RUNNING);
    pthread_mutex_unlock(&once_mutex);
    if (!mine)
        return;
    init(); /* without the lock: it may come back here for another once */
    pthread_mutex_lock(&once_mutex);
    once_set(once, ONCE_DONE);
    pthread_cond_broadcast(&once_done);
    pthread_mutex_unlock(&once_mutex);
}

/* --- time --- */

uint64_t os_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t os_now(void)
{
    return os_now_us() / 1000u;
}

uint64_t os_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t os_thread_time_us(void)
{
    struct timespec used;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000u + (uint64_t)used.tv_nsec / 1000u;
}

/* dlclose of a library with running threads is the program's bug on Linux, where nothing unloads
 * a library behind its back. */
void os_pin_library(void)
{
}

int os_thread_cancel_off(void)
{
    int state = PTHREAD_CANCEL_ENABLE;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return state;
}

void os_thread_cancel_restore(int state)
{
    pthread_setcancelstate(state, NULL);
}
