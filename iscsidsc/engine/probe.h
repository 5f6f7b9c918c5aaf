/* Asking discovery portals what targets they know, into the catalogue. */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include "engine/model.h"

/* Who waits for a portal's answer; embedded by its user. Take it out with
 * list_remove(&waiter->link) to wait no more: the discovery goes on for the catalogue's sake. */
struct probe_waiter {
    struct list link;
    void (*done)(struct probe_waiter *waiter, enum status status);
};

/* Asks a portal, with its options. Other than OK: it could not even be asked, `done` is not called.
 */
enum status probe_start(struct engine *engine, const struct discovery_portal *entry,
                        struct probe_waiter *waiter);

/* The engine stops: nobody is told. */
void probes_drop(struct engine *engine);

/* --- all listed portals, in parallel --- */

enum exploration_mode {
    EXPLORE_NEW,        /* those that this engine has not asked yet */
    EXPLORE_UNANSWERED, /* those that have not answered when they were asked last */
    EXPLORE_ALL,
};

struct exploration;

typedef void explored(void *context, enum status status);

/*
 * Asks listed portals, and waits for those being asked. OK with *out NULL: there was nothing to do.
 * OK with *out: `done` will be called, the exploration is gone then. Its status is always OK with
 * EXPLORE_NEW, the first failure with EXPLORE_UNANSWERED, and that only when no portal answered
 * with EXPLORE_ALL.
 */
enum status exploration_start(struct engine *engine, enum exploration_mode mode, explored *done,
                              void *context, struct exploration **out);
/* `done` will not be called. NULL does nothing. */
void exploration_cancel(struct exploration *exploration);

#endif
