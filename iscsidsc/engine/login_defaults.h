/* What a login takes where its request says nothing: from the static target of that name, else from
 * the discovery portal that found the target. */
#ifndef ENGINE_LOGIN_DEFAULTS_H
#define ENGINE_LOGIN_DEFAULTS_H

#include "engine/model.h"

struct login_defaults {
    const struct login_options *options; /* NULL: the driver's */
    const struct mapping *mapping;       /* NULL: none */
    struct portal_list portals;          /* those to log in to; empty: all that are known */
};

/* Options of which none is specified and no flag is set are as good as none. */
bool login_options_given(const struct login_options *options);

/* `target` may be NULL: it has not been found by anybody. What is found is in the arena, passwords
 * too. Statuses of the store. */
enum status login_defaults(struct engine *engine, const struct request_login *request,
                           const struct known_target *target, struct os_arena *arena,
                           struct login_defaults *out);

#endif
