/* Bound devices: those that a service's start waits for. */
#ifndef ENGINE_BOUND_DEVICES_H
#define ENGINE_BOUND_DEVICES_H

#include "engine/units.h"

/* Does the service log in to the target by itself, and show its units? */
bool bound_target_persists(const struct persistent_login_list *logins, const char *target);

/* Is the unit there, for a caller to use? */
bool bound_is_present(const struct engine *engine, const struct bound_device *device);

#endif
