#include "os/loop.h"
#include "os/memory.h"
#include "os/poller.h"
#include "os/resolve.h"
#include "os/timers.h"

#include <limits.h>
#include <stdatomic.h>

enum { READY_BATCH = 256, SLOTS_FIRST = 16 };
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
    loop->mutex = os_mutex_new();
    loop->poller = loop->mutex != NULL ? os_poller_new() : NULL;
    if (loop->poller == NULL) {
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

void os_loop_post(struct os_loop *loop, struct os_job *job)
{
    job->next = NULL;
    os_mutex_lock(loop->mutex);
    *loop->jobs_end = job;
    loop->jobs_end = &job->next;
    bool wake = loop->asleep;
    loop->asleep = false;
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
    os_mutex_unlock(loop->mutex);
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

/* False when the loop is to stop. */
static bool prepare_wait(struct os_loop *loop, int *milliseconds)
{
    *milliseconds = wait_time(loop);
    os_mutex_lock(loop->mutex);
    bool stopping = loop->stopping;
    loop->stopping = false;
    if (loop->jobs != NULL)
        *milliseconds = 0;
    loop->asleep = !stopping && *milliseconds != 0;
    os_mutex_unlock(loop->mutex);
    return !stopping;
}

void os_loop_run(struct os_loop *loop)
{
    int milliseconds;
    atomic_store(&loop->thread, os_thread_id());
    while (prepare_wait(loop, &milliseconds)) {
        size_t count = os_poller_wait(loop->poller, milliseconds, loop->ready, READY_BATCH);
        struct os_job *jobs = take_jobs(loop);
        deliver(loop, count);
        run_jobs(jobs);
        if (os_timers_next(&loop->timers) != OS_NEVER)
            os_timers_fire(&loop->timers, os_now());
    }
    atomic_store(&loop->thread, 0);
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
    os_mutex_free(loop->mutex);
    os_free(loop->slots);
    os_free(loop);
}
