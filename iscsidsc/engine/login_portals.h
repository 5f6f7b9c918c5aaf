/* Where a login may go. */
#ifndef ENGINE_LOGIN_PORTALS_H
#define ENGINE_LOGIN_PORTALS_H

#include "engine/login_defaults.h"

/*
 * In the order in which they are to be tried. One that is given is taken as it is: a host name may
 * well stand for one of the target's addresses; others follow it only if the login may hop. Then
 * those that the user described, and if he described none those that anybody found. `target` NULL:
 * nobody found it. NO_PORTAL.
 */
enum status login_portals(const struct known_target *target, const struct portal *given, bool hops,
                          const struct login_defaults *defaults, struct os_arena *arena,
                          struct portal_address **out, size_t *count);

#endif
