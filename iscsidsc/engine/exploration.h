/* Asking all portals and iSNS servers in parallel what targets they know. */
#ifndef ENGINE_EXPLORATION_H
#define ENGINE_EXPLORATION_H

#include "engine/model.h"

enum exploration_mode {
    EXPLORE_NEW,        /* those that this engine has not asked yet */
    EXPLORE_SOON,       /* the same, but none is waited for longer than five seconds */
    EXPLORE_UNANSWERED, /* those that have not answered when they were asked last */
    EXPLORE_ALL,
    EXPLORE_ISNS, /* all iSNS servers, but no portals */
};

struct exploration;

typedef void explored(void *context, enum status status);

/*
 * Brings the static targets up to date, asks listed portals and iSNS servers, and waits for those
 * being asked (with EXPLORE_UNANSWERED only for portals). OK with *out NULL: there was nothing to
 * do. OK with *out: `done` will be called, the exploration is gone then. Its status is always OK
 * with EXPLORE_NEW and EXPLORE_SOON, the first failure with EXPLORE_UNANSWERED, and that only when
 * nobody answered otherwise.
 */
enum status exploration_start(struct engine *engine, enum exploration_mode mode, explored *done,
                              void *context, struct exploration **out);
/* `done` will not be called. NULL does nothing. */
void exploration_cancel(struct exploration *exploration);

#endif
