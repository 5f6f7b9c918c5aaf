/* Mechanisms by the names that callers see. */
#ifndef ENGINE_MECHANISM_H
#define ENGINE_MECHANISM_H

#include "engine/model.h"

/* The mechanism of a discovery portal. */
struct mechanism_key mechanism_of_portal(const struct discovery_portal *entry);

/* Whose parameters count for a discovery session with it. */
struct configuration_subject subject_of_portal(const struct discovery_portal *entry);
/* The same for a login to a target that was found there. `portal`: that is to be used, or NULL. */
struct configuration_subject subject_of_target(const struct engine *engine, const char *target,
                                               const struct portal_address *portal);

/*
 * "SendTargets:*192.0.2.1 0003260 Root\ISCSIPRT\0000_0 " (with the blank at the end),
 * "iSNS:192.0.2.2" (with the port, unless it is the usual one) or "Static:*". NULL: out of memory.
 * Discovery portals that differ only in their initiator or its port share a name.
 */
const char *mechanism_name(const struct mechanism *mechanism, struct os_arena *arena);
/* Without case; blanks at the end do not count. */
bool mechanism_names_equal(const char *left, const char *right);

#endif
