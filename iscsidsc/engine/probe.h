/* Asking a discovery portal what targets it knows, into the catalogue. */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include "engine/model.h"

/* Who waits for a portal's answer; embedded by its user. Take it out with
 * list_remove(&waiter->link) to wait no more: the discovery goes on for the catalogue's sake. */
struct probe_waiter {
    struct list link;
    void (*done)(struct probe_waiter *waiter, enum status status);
};

/* Asks a portal, with its options. `waiter` NULL: for the catalogue's sake alone. Other than OK: it
 * could not even be asked, `done` is not called. */
enum status probe_start(struct engine *engine, const struct discovery_portal *entry,
                        struct probe_waiter *waiter);

/* Waits for a discovery under way. False: there is none, or only one that has been running for
 * `most` milliseconds. */
bool probe_join(struct engine *engine, const struct mechanism *mechanism, uint64_t most,
                struct probe_waiter *waiter);

/* The engine stops: nobody is told. */
void probes_drop(struct engine *engine);

#endif
