/* Sessions for each path to a target: Multipath of iscsi.conf. A path is a portal, or a portal
 * group, within which a session may go from one portal to the other. */
#ifndef ENGINE_MULTIPATH_H
#define ENGINE_MULTIPATH_H

#include "engine/sessions.h"

/*
 * The paths to the target, the preferred one first: a portal for each session that there should be.
 * In mode MULTIPATH_PORTAL_GROUP it is any of its group. None in mode MULTIPATH_NO. The array is in
 * the arena. NO_MEMORY.
 */
enum status multipath_portals(const struct known_target *target,
                              const struct scoped_parameters *parameters, struct os_arena *arena,
                              struct portal_address **out, size_t *count);
/* The portal for the nth try to log in by a path: those of its group in turn, or always the one. */
void multipath_turn(const struct known_target *target, const struct scoped_parameters *parameters,
                    const struct portal_address *path, unsigned tries, struct portal_address *out);

/* Do both stand for one path? */
bool multipath_same(enum multipath_mode mode, const struct portal_address *a,
                    const struct portal_address *b);
/* Does the session, which has been connected, use the path? */
bool multipath_uses(const struct engine_session *session, enum multipath_mode mode,
                    const struct portal_address *path);

#endif
