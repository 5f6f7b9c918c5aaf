/* The RADIUS servers and the secret that is shared with them, as they are stored. */
#ifndef ENGINE_RADIUS_H
#define ENGINE_RADIUS_H

#include "engine/model.h"
#include "protocol/radius.h"

/* Windows' rule for the shared secret. */
enum { RADIUS_SECRET_LEAST = 22, RADIUS_SECRET_MOST = 26 };

/* Holds a secret: to be wiped. */
struct radius_configuration {
    struct portal_address *servers; /* in the order of the list; in the arena */
    size_t count;
    uint8_t secret[RADIUS_SECRET_MOST];
    size_t secret_length;
};

/* RADIUS_NOT_CONFIGURED: there is no server, or no secret. Else statuses of the store. */
enum status radius_configuration(struct engine *engine, struct os_arena *arena,
                                 struct radius_configuration *out);
/* Is there one? */
enum status radius_check(struct engine *engine);

#endif
