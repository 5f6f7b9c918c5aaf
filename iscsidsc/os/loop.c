#include "os/loop.h"
#include "os/memory.h"
#include "os/poller.h"
#include "os/resolve.h"
#include "os/timers.h"

#include <limits.h>
#include <stdatomic.h>

enum { READY_BATCH = 256, SLOTS_FIRST = 16 };
/* After a caller ran the loop, the keeper gives the next one this many milliseconds to come. */
enum { KEEPER_PATIENCE = 2 };

/* Which kind of thread runs the loop. */
enum runner { NOBODY, KEEPER /* in os_loop_run */, CALLER /* in os_loop_call */ };
#define NO_SLOT UINT32_MAX

struct slot {
    struct os_watch *watch; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};

struct os_loop {
    struct os_poller *poller;
    struct os_timers timers;

    struct slot *slots;
    uint32_t slot_count;
    uint32_t first_free;
    struct os_ready ready[READY_BATCH];

    struct os_mutex *mutex; /* for what follows */
    struct os_job *jobs;
    struct os_job **jobs_end;
    bool asleep; /* waiting, or about to: whoever clears it wakes the poller */
    bool stopping;
    enum runner runner;
    struct list waiters;         /* callers that wait for their end or their turn */
    struct os_condition *keeper; /* os_loop_run stands by */
    uint64_t quiet_until;        /* the keeper does not take over before */
    bool unpolled;               /* the last round had jobs and asked no socket; the runner's */
    unsigned expected;           /* microseconds of os_loop_expect; the runner's */
    uint64_t round;              /* waits until now; the runner's */

    atomic_uint wakers;      /* threads between the mutex and the end of the wake-up */
    atomic_uintptr_t thread; /* that runs it, 0 when none does */
};

struct os_loop *os_loop_new(void)
{
    struct os_loop *loop = os_alloc(sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->first_free = NO_SLOT;
    loop->jobs_end = &loop->jobs;
    list_init(&loop->waiters);
    loop->mutex = os_mutex_new();
    loop->keeper = os_condition_new();
    loop->poller = loop->mutex != NULL && loop->keeper != NULL ? os_poller_new() : NULL;
    if (loop->poller == NULL) {
        os_condition_free(loop->keeper);
        os_mutex_free(loop->mutex);
        os_free(loop);
        return NULL;
    }
    return loop;
}

bool os_loop_is_current(const struct os_loop *loop)
{
    return atomic_load(&loop->thread) == os_thread_id();
}

struct os_timers *os_loop_timers(struct os_loop *loop)
{
    return &loop->timers;
}

/* --- watches --- */

static bool more_slots(struct os_loop *loop)
{
    if (loop->slot_count >= UINT32_MAX / 4)
        return false;
    uint32_t count = loop->slot_count > 0 ? loop->slot_count * 2 : SLOTS_FIRST;
    struct slot *slots = os_grow(loop->slots, count * sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = loop->slot_count; i < count; i++)
        slots[i] = (struct slot){.next_free = i + 1 < count ? i + 1 : NO_SLOT};
    loop->first_free = loop->slot_count;
    loop->slots = slots;
    loop->slot_count = count;
    return true;
}

static struct os_token token_of(const struct os_watch *watch)
{
    const struct slot *slot = &watch->loop->slots[watch->slot];
    return (struct os_token){(uint32_t)watch->slot, slot->generation};
}

bool os_watch_start(struct os_loop *loop, struct os_watch *watch, unsigned events)
{
    if (loop->first_free == NO_SLOT && !more_slots(loop))
        return false;
    uint32_t index = loop->first_free;
    struct slot *slot = &loop->slots[index];
    struct os_token token = {index, slot->generation};
    if (!os_poller_add(loop->poller, watch->socket, token, events))
        return false;
    loop->first_free = slot->next_free;
    slot->watch = watch;
    watch->events = events;
    watch->loop = loop;
    watch->slot = index;
    return true;
}

void os_watch_events(struct os_watch *watch, unsigned events)
{
    if (watch->loop == NULL || watch->events == events)
        return;
    watch->events = events;
    os_poller_change(watch->loop->poller, watch->socket, token_of(watch), events);
}

void os_watch_stop(struct os_watch *watch)
{
    struct os_loop *loop = watch->loop;
    if (loop == NULL)
        return;
    struct slot *slot = &loop->slots[watch->slot];
    os_poller_remove(loop->poller, watch->socket, token_of(watch));
    slot->watch = NULL;
    slot->generation++; /* events already collected for it find nobody */
    slot->next_free = loop->first_free;
    loop->first_free = (uint32_t)watch->slot;
    watch->loop = NULL;
}

static void deliver(struct os_loop *loop, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct os_ready *ready = &loop->ready[i];
        const struct slot *slot = &loop->slots[ready->token.slot];
        if (slot->watch == NULL || slot->generation != ready->token.generation)
            continue;
        unsigned events = ready->events & slot->watch->events;
        if (events != 0)
            slot->watch->ready(slot->watch, events);
    }
}

/* --- jobs --- */

/* With the mutex held. True: the poller is to be woken, once the mutex is free. */
static bool add_job(struct os_loop *loop, struct os_job *job)
{
    job->next = NULL;
    *loop->jobs_end = job;
    loop->jobs_end = &job->next;
    bool wake = loop->asleep;
    loop->asleep = false;
    return wake;
}

void os_loop_post(struct os_loop *loop, struct os_job *job)
{
    os_mutex_lock(loop->mutex);
    bool wake = add_job(loop, job);
    if (wake)
        atomic_fetch_add(&loop->wakers, 1);
    os_mutex_unlock(loop->mutex);
    if (wake) {
        os_poller_wake(loop->poller);
        atomic_fetch_sub(&loop->wakers, 1);
    }
}

void os_loop_stop(struct os_loop *loop)
{
    os_mutex_lock(loop->mutex);
    loop->stopping = true;
    loop->asleep = false;
    atomic_fetch_add(&loop->wakers, 1);
    os_condition_signal(loop->keeper);
    os_mutex_unlock(loop->mutex);
    if (!os_loop_is_current(loop))
        os_poller_wake(loop->poller);
    atomic_fetch_sub(&loop->wakers, 1);
}

static struct os_job *take_jobs(struct os_loop *loop)
{
    os_mutex_lock(loop->mutex);
    struct os_job *jobs = loop->jobs;
    loop->jobs = NULL;
    loop->jobs_end = &loop->jobs;
    loop->asleep = false;
    os_mutex_unlock(loop->mutex);
    return jobs;
}

static void run_jobs(struct os_job *job)
{
    while (job != NULL) {
        struct os_job *next = job->next; /* the job may free itself or be posted again */
        job->run(job);
        job = next;
    }
}

/* --- running --- */

static int wait_time(struct os_loop *loop)
{
    uint64_t due = os_timers_next(&loop->timers);
    if (due == OS_NEVER)
        return -1;
    uint64_t now = os_now();
    if (due <= now)
        return 0;
    return due - now < INT_MAX ? (int)(due - now) : INT_MAX;
}

static void run_timers(struct os_loop *loop)
{
    if (os_timers_next(&loop->timers) != OS_NEVER)
        os_timers_fire(&loop->timers, os_now());
}

/* Jobs that wait are run before any socket is asked, which saves a system call for each call of a
 * caller; but only every other round, for sockets must not wait for ever. */
static bool run_waiting_jobs(struct os_loop *loop)
{
    if (loop->unpolled)
        return false;
    struct os_job *jobs = take_jobs(loop);
    loop->unpolled = jobs != NULL;
    run_jobs(jobs);
    return jobs != NULL;
}

/* How long the poller may wait. */
static int prepare_wait(struct os_loop *loop)
{
    int milliseconds = wait_time(loop);
    os_mutex_lock(loop->mutex);
    if (loop->jobs != NULL || loop->stopping)
        milliseconds = 0;
    loop->asleep = milliseconds != 0;
    os_mutex_unlock(loop->mutex);
    return milliseconds;
}

void os_loop_expect(struct os_loop *loop, unsigned microseconds)
{
    loop->expected = microseconds;
}

uint64_t os_loop_round(const struct os_loop *loop)
{
    return loop->round;
}

static bool has_work(struct os_loop *loop)
{
    os_mutex_lock(loop->mutex);
    bool work = loop->jobs != NULL || loop->stopping;
    os_mutex_unlock(loop->mutex);
    return work;
}

/* Nobody need wake a loop that is awake. It yields because the one that will send what is expected
 * may have no other processor. */
static size_t wait_awake(struct os_loop *loop)
{
    uint64_t end = os_now_us() + loop->expected;
    size_t count = 0;
    while (count == 0 && !has_work(loop) && os_now_us() < end) {
        os_thread_yield();
        count = os_poller_wait(loop->poller, 0, loop->ready, READY_BATCH);
    }
    return count;
}

static size_t wait_for_events(struct os_loop *loop)
{
    size_t count = loop->expected > 0 ? wait_awake(loop) : 0;
    loop->expected = 0;
    if (count > 0)
        return count;
    return os_poller_wait(loop->poller, prepare_wait(loop), loop->ready, READY_BATCH);
}

/* One round. Only the runner's thread comes here. */
static void turn(struct os_loop *loop)
{
    if (!run_waiting_jobs(loop)) {
        size_t count = wait_for_events(loop);
        loop->round++;
        struct os_job *jobs = take_jobs(loop);
        loop->unpolled = false;
        deliver(loop, count);
        run_jobs(jobs);
    }
    run_timers(loop);
}

/* The mutex is held, here and in what follows, where nothing else is said. */
static void hand_over(struct os_loop *loop)
{
    struct list *first = list_first(&loop->waiters);
    loop->runner = first != NULL ? CALLER : NOBODY;
    if (first == NULL)
        return;
    struct os_loop_waiter *waiter = LIST_OWNER(first, struct os_loop_waiter, link);
    list_remove(first);
    waiter->listed = false;
    waiter->chosen = true;
    os_condition_signal(waiter->condition);
}

static void become_runner(struct os_loop *loop, enum runner runner)
{
    loop->runner = runner;
    os_mutex_unlock(loop->mutex);
    atomic_store(&loop->thread, os_thread_id());
}

static void end_running(struct os_loop *loop)
{
    atomic_store(&loop->thread, 0);
    os_mutex_lock(loop->mutex);
    hand_over(loop);
}

static bool keeper_may_run(const struct os_loop *loop)
{
    return loop->runner == NOBODY &&
           (loop->quiet_until == 0 || loop->stopping || os_now() >= loop->quiet_until);
}

void os_loop_run(struct os_loop *loop)
{
    os_mutex_lock(loop->mutex);
    while (!loop->stopping || loop->runner != NOBODY) {
        if (keeper_may_run(loop)) {
            loop->quiet_until = 0;
            become_runner(loop, KEEPER);
            turn(loop);
            end_running(loop);
        } else {
            os_condition_wait_until(loop->keeper, loop->mutex, os_now() + KEEPER_PATIENCE);
        }
    }
    loop->stopping = false;
    os_mutex_unlock(loop->mutex);
}

/* --- callers that wait --- */

bool os_loop_waiter_init(struct os_loop_waiter *waiter)
{
    *waiter = (struct os_loop_waiter){.condition = os_condition_new()};
    list_init(&waiter->link);
    return waiter->condition != NULL;
}

void os_loop_waiter_clear(struct os_loop_waiter *waiter)
{
    os_condition_free(waiter->condition);
}

void os_loop_finish(struct os_loop *loop, struct os_loop_waiter *waiter)
{
    os_mutex_lock(loop->mutex);
    waiter->finished = true;
    if (waiter->listed)
        os_condition_signal(waiter->condition);
    os_mutex_unlock(loop->mutex);
}

/* True: it is this thread's turn to run the loop. False: the waiter has finished. */
static bool wait_for_turn(struct os_loop *loop, struct os_loop_waiter *waiter)
{
    if (loop->runner == NOBODY)
        return true;
    waiter->listed = true;
    list_append(&loop->waiters, &waiter->link);
    while (!waiter->finished && !waiter->chosen)
        os_condition_wait(waiter->condition, loop->mutex);
    if (waiter->chosen)
        return true;
    waiter->listed = false;
    list_remove(&waiter->link);
    return false;
}

void os_loop_call(struct os_loop *loop, struct os_job *job, struct os_loop_waiter *waiter)
{
    int cancel = os_thread_cancel_off();
    atomic_fetch_add(&loop->wakers, 1);
    waiter->finished = waiter->chosen = waiter->listed = false;
    os_mutex_lock(loop->mutex);
    if (add_job(loop, job))
        os_poller_wake(loop->poller);
    if (wait_for_turn(loop, waiter)) {
        become_runner(loop, CALLER);
        while (!waiter->finished)
            turn(loop);
        end_running(loop);
        loop->quiet_until = os_now() + KEEPER_PATIENCE;
    }
    os_mutex_unlock(loop->mutex);
    atomic_fetch_sub(&loop->wakers, 1);
    os_thread_cancel_restore(cancel);
}

/* Jobs may start lookups and post more jobs: until there is neither. */
static void finish_jobs(struct os_loop *loop)
{
    for (;;) {
        os_resolve_forget(loop);
        struct os_job *jobs = take_jobs(loop);
        if (jobs == NULL)
            return;
        run_jobs(jobs);
    }
}

void os_loop_free(struct os_loop *loop)
{
    if (loop == NULL)
        return;
    atomic_store(&loop->thread, os_thread_id());
    finish_jobs(loop);
    /* A thread whose job has just run may still be on its way out of os_loop_post. */
    while (atomic_load(&loop->wakers) > 0)
        os_thread_yield();
    os_timers_free(&loop->timers);
    for (uint32_t i = 0; i < loop->slot_count; i++) {
        if (loop->slots[i].watch != NULL)
            loop->slots[i].watch->loop = NULL;
    }
    os_poller_free(loop->poller);
    os_condition_free(loop->keeper);
    os_mutex_free(loop->mutex);
    os_free(loop->slots);
    os_free(loop);
}
