/*
 * What was done to the things that all workers share, and whether some order of it all explains
 * what each call gave: only what lies wholly before or after something else is surely ordered.
 */
#include "parallel.h"

#include <stdatomic.h>

enum { EVENTS = 1 << 17 };

struct past {
    enum event_kind kind;
    uint64_t start;
    uint64_t end;
    uint64_t value;
};

static struct past events[EVENTS];
static atomic_size_t event_count;
static _Atomic uint64_t clock_ticks = 1;

uint64_t history_now(void)
{
    return atomic_fetch_add(&clock_ticks, 1);
}

void history_add(enum event_kind kind, uint64_t start, uint64_t value)
{
    size_t at = atomic_fetch_add(&event_count, 1);
    if (at < EVENTS)
        events[at] = (struct past){kind, start, history_now(), value};
}

static size_t recorded(void)
{
    size_t count = atomic_load(&event_count);
    return count < EVENTS ? count : EVENTS;
}

static bool before(const struct past *a, const struct past *b)
{
    return a->end < b->start;
}

/* Was there, surely, another write between that write and the read? */
static bool overwritten(const struct past *write, const struct past *read)
{
    for (size_t i = 0; i < recorded(); i++) {
        if (events[i].kind == NODE_NAME_SET && events[i].value != write->value &&
            before(write, &events[i]) && before(&events[i], read))
            return true;
    }
    return false;
}

static bool explained(const struct past *read)
{
    for (size_t i = 0; i < recorded(); i++) {
        if (events[i].kind == NODE_NAME_SET && events[i].value == read->value &&
            !before(read, &events[i]) && !overwritten(&events[i], read))
            return true;
    }
    return false;
}

/* Is there one of that kind which may have taken place between the two? */
static bool may_lie_between(enum event_kind kind, const struct past *a, const struct past *b)
{
    for (size_t i = 0; i < recorded(); i++) {
        if (events[i].kind == kind && events[i].end > a->start && events[i].start < b->end)
            return true;
    }
    return false;
}

static const char *check_shared(const struct past *event)
{
    for (size_t i = 0; i < recorded(); i++) {
        if (event->kind == SHARED_REMOVED && events[i].kind == SHARED_REMOVED &&
            before(&events[i], event) && !may_lie_between(SHARED_ADDED, &events[i], event))
            return "the shared portal was removed twice and not added between";
        if (event->kind == SHARED_MISSED && events[i].kind == SHARED_ADDED &&
            before(&events[i], event) && !may_lie_between(SHARED_REMOVED, &events[i], event))
            return "the shared portal was added, and a removal did not find it";
    }
    return NULL;
}

const char *history_check(void)
{
    for (size_t i = 0; i < recorded(); i++) {
        const char *problem = check_shared(&events[i]);
        if (problem != NULL)
            return problem;
        if (events[i].kind == NODE_NAME_READ && !explained(&events[i]))
            return "a node name was read that had been replaced, or was never set";
    }
    return NULL;
}
