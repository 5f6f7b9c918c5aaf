/*
 * Asks the RADIUS servers on the list about CHAP secrets that this machine has not. One inquiry
 * goes to one server after the other until one of them answers or RadiusTimeout is over.
 */
#ifndef ENGINE_RADIUS_CLIENT_H
#define ENGINE_RADIUS_CLIENT_H

#include "discovery/authority.h"

/* Part of struct engine. */
struct radius_client {
    struct chap_authority authority;
    /* The server that answered last is asked first, so that those before it on the list that are
     * down do not delay every login; for a while: then the order of the list counts again. */
    struct portal_address alive;
    uint64_t alive_until; /* 0: none */
};

void radius_client_init(struct radius_client *client);

#endif
