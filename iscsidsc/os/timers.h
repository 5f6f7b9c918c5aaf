/* The loop's timers: a binary heap, earliest first; equal times in the order they were set. */
#ifndef OS_TIMERS_H
#define OS_TIMERS_H

#include "os/loop.h"

struct os_timers {
    struct os_timer_entry *heap;
    size_t count;
    size_t room;
    uint64_t next_order;
    uint64_t round; /* the time of the round that fires now, 0 between rounds */
};

/* OS_NEVER when none is set. */
uint64_t os_timers_next(const struct os_timers *timers);
/* Fires what is due at `now`, but nothing that is set meanwhile. */
void os_timers_fire(struct os_timers *timers, uint64_t now);
/* Unsets them all. */
void os_timers_free(struct os_timers *timers);

/* The loop's own timers, for os_timer_set and os_timer_clear. */
struct os_timers *os_loop_timers(struct os_loop *loop);

#endif
