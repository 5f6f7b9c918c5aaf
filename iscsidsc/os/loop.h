/*
 * The event loop: one thread runs it and everything registered with it. Only os_loop_post,
 * os_loop_stop and os_loop_is_current may be called from other threads.
 * epoll on Linux, WSAPoll on Windows.
 */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include "os/list.h"
#include "os/socket.h"
#include "os/thread.h"

struct os_loop;

/* NULL when out of memory or descriptors. */
struct os_loop *os_loop_new(void);
/* Runs until os_loop_stop. */
void os_loop_run(struct os_loop *loop);
void os_loop_stop(struct os_loop *loop);
/* After os_loop_run returned. Posted jobs that have not run yet are run first, on this thread.
 * Watches and timers still set are forgotten; lookups must have been cancelled or answered. */
void os_loop_free(struct os_loop *loop);
bool os_loop_is_current(const struct os_loop *loop);

/* --- sockets --- */
enum { OS_READABLE = 1, OS_WRITABLE = 2 };

/* Embedded by its user, who keeps it alive while it is registered. Errors and hang-ups are
 * delivered as whatever was asked for, so that the next receive or send reports them. */
struct os_watch {
    os_socket socket;
    unsigned events;
    void (*ready)(struct os_watch *watch, unsigned events);
    struct os_loop *loop; /* NULL when not registered */
    size_t slot;          /* the loop's */
};

/* `socket` and `ready` set by the caller, one watch for a socket. False: out of memory or
 * descriptors. */
bool os_watch_start(struct os_loop *loop, struct os_watch *watch, unsigned events);
void os_watch_events(struct os_watch *watch, unsigned events);
/* Safe inside any callback, also for a watch whose event is still to be delivered in this round.
 * Harmless when not registered. Does not close the socket. */
void os_watch_stop(struct os_watch *watch);

/* --- timers --- */
/* Zero-initialised by its user, with `fire` set. One shot. */
struct os_timer {
    uint64_t due;
    void (*fire)(struct os_timer *timer);
    struct os_loop *loop; /* NULL when not set */
    size_t slot;          /* the loop's */
};
/* Sets or moves; a `due` in the past fires in the next round. False: out of memory. */
bool os_timer_set(struct os_loop *loop, struct os_timer *timer, uint64_t due);
void os_timer_clear(struct os_timer *timer);

/*
 * On the loop's thread: an event will come within so few microseconds that going to sleep and being
 * woken would take longer. The next wait begins awake, and leaves the processor to whoever wants it
 * meanwhile; timers that become due then are so much late.
 */
void os_loop_expect(struct os_loop *loop, unsigned microseconds);

/* On the loop's thread: the events of one wait have the same number, never 0. */
uint64_t os_loop_round(const struct os_loop *loop);

/* --- work from other threads --- */
struct os_job {
    void (*run)(struct os_job *job);
    struct os_job *next; /* the loop's */
};
/* Runs the job on the loop's thread, in the order posted. From any thread, allocates nothing. */
void os_loop_post(struct os_loop *loop, struct os_job *job);

/*
 * --- callers that wait ---
 * A thread that needs something done on the loop's thread and waits for it would cost two
 * switches between threads. So it may run the loop itself meanwhile: whoever waits takes a turn,
 * and the thread in os_loop_run stands by and takes over when nobody has waited for a moment. At
 * any time at most one thread runs the loop, and that one is "the loop's thread".
 */
struct os_loop_waiter {
    struct os_condition *condition; /* made by os_loop_waiter_init */
    struct list link;
    bool finished;
    bool listed; /* waits for its turn */
    bool chosen; /* shall run the loop from now on */
};
/* False: out of memory. A waiter can be used again after os_loop_call has returned. */
bool os_loop_waiter_init(struct os_loop_waiter *waiter);
void os_loop_waiter_clear(struct os_loop_waiter *waiter);
/* Posts the job and returns after os_loop_finish(loop, waiter). Not on the loop's thread. */
void os_loop_call(struct os_loop *loop, struct os_job *job, struct os_loop_waiter *waiter);
/* On the loop's thread. The waiter must not be touched afterwards. */
void os_loop_finish(struct os_loop *loop, struct os_loop_waiter *waiter);

/* --- names --- */
#define OS_RESOLVE_MAX 16u
struct os_resolve;
typedef void os_resolved(void *context, enum status status, const struct os_address *addresses,
                         size_t count);
/*
 * Looks `host` up without blocking the loop: literals answer in the next round, names are looked up
 * on a helper thread. `done` is called once on the loop's thread: STATUS_OK with 1..16 addresses,
 * STATUS_NAME_UNRESOLVED or STATUS_NO_MEMORY. NULL: out of memory or threads, `done` is not called.
 * The handle is good until `done` returns.
 */
struct os_resolve *os_resolve(struct os_loop *loop, const char *host, uint16_t port,
                              os_resolved *done, void *context);
/* `done` will not be called. The lookup may go on in the background by itself. */
void os_resolve_cancel(struct os_resolve *resolve);

#endif
