/* Asking a discovery portal what targets it knows, into the catalogue. */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include "engine/model.h"

/* Who waits for a portal's answer; embedded by its user. Take it out with
 * list_remove(&waiter->link) to wait no more: the discovery goes on for the catalogue's sake. */
struct probe;

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

/* Who follows a portal; embedded by its user, who sets all but `probe`. */
struct probe_follower {
    struct probe *probe; /* NULL: there is no discovery */
    bool stays;          /* the discovery session stays after the answer */
    /* An answer has come; other than OK: none has, or the session that stayed is lost. `probe`
     * tells whether it stays. */
    void (*told)(struct probe_follower *follower, enum status status);
    /* The target says that something is another now. */
    void (*changed)(struct probe_follower *follower);
};

/* Asks the portal. Other than OK: it could not even be asked, `told` is not called. */
enum status probe_follow(struct engine *engine, const struct discovery_portal *entry,
                         struct probe_follower *follower);
/* Asks once more in the session that stays. False: an answer is still to come. */
bool probe_ask(struct probe_follower *follower);
/* Nothing is told any more; a session that stays logs out. Harmless when there is no discovery. */
void probe_leave(struct probe_follower *follower);
/* None is still saying goodbye. */
bool probes_left(const struct engine *engine);

/* The engine stops: nobody is told. */
void probes_drop(struct engine *engine);

#endif
