#include "os/timers.h"
#include "os/memory.h"

struct os_timer_entry {
    uint64_t due;
    uint64_t order;
    struct os_timer *timer;
};

static bool before(const struct os_timer_entry *a, const struct os_timer_entry *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void place(struct os_timers *timers, size_t slot, struct os_timer_entry entry)
{
    timers->heap[slot] = entry;
    entry.timer->slot = slot;
}

static void sift_up(struct os_timers *timers, size_t slot, struct os_timer_entry entry)
{
    while (slot > 0) {
        size_t parent = (slot - 1) / 2;
        if (!before(&entry, &timers->heap[parent]))
            break;
        place(timers, slot, timers->heap[parent]);
        slot = parent;
    }
    place(timers, slot, entry);
}

static void sift_down(struct os_timers *timers, size_t slot, struct os_timer_entry entry)
{
    for (;;) {
        size_t child = 2 * slot + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count && before(&timers->heap[child + 1], &timers->heap[child]))
            child++;
        if (!before(&timers->heap[child], &entry))
            break;
        place(timers, slot, timers->heap[child]);
        slot = child;
    }
    place(timers, slot, entry);
}

/* Puts an entry where another was; it may be earlier or later than that one. */
static void settle(struct os_timers *timers, size_t slot, struct os_timer_entry entry)
{
    if (slot > 0 && before(&entry, &timers->heap[(slot - 1) / 2]))
        sift_up(timers, slot, entry);
    else
        sift_down(timers, slot, entry);
}

static bool make_room(struct os_timers *timers)
{
    if (timers->count < timers->room)
        return true;
    size_t room = timers->room > 0 ? timers->room * 2 : 16;
    struct os_timer_entry *heap = os_grow(timers->heap, room * sizeof *heap);
    if (heap == NULL)
        return false;
    timers->heap = heap;
    timers->room = room;
    return true;
}

bool os_timer_set(struct os_loop *loop, struct os_timer *timer, uint64_t due)
{
    struct os_timers *timers = os_loop_timers(loop);
    /* While timers fire, one that is set for the past sorts behind all that this round still fires.
     */
    struct os_timer_entry entry = {
        .due = due > timers->round ? due : timers->round,
        .timer = timer,
    };
    if (timer->loop == NULL && !make_room(timers))
        return false;
    entry.order = timers->next_order++;
    timer->due = due;
    if (timer->loop != NULL) {
        settle(timers, timer->slot, entry);
        return true;
    }
    timer->loop = loop;
    sift_up(timers, timers->count++, entry);
    return true;
}

static void take_out(struct os_timers *timers, struct os_timer *timer)
{
    size_t slot = timer->slot;
    struct os_timer_entry last = timers->heap[--timers->count];
    timer->loop = NULL;
    if (slot < timers->count)
        settle(timers, slot, last);
}

void os_timer_clear(struct os_timer *timer)
{
    if (timer->loop != NULL)
        take_out(os_loop_timers(timer->loop), timer);
}

uint64_t os_timers_next(const struct os_timers *timers)
{
    return timers->count > 0 ? timers->heap[0].due : OS_NEVER;
}

void os_timers_fire(struct os_timers *timers, uint64_t now)
{
    uint64_t first_new = timers->next_order;
    timers->round = now;
    while (timers->count > 0 && timers->heap[0].due <= now && timers->heap[0].order < first_new) {
        struct os_timer *timer = timers->heap[0].timer;
        take_out(timers, timer);
        timer->fire(timer);
    }
    timers->round = 0;
}

void os_timers_free(struct os_timers *timers)
{
    for (size_t i = 0; i < timers->count; i++)
        timers->heap[i].timer->loop = NULL;
    os_free(timers->heap);
    *timers = (struct os_timers){0};
}
