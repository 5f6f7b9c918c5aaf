/* A connection being made, alone in a new session or in one that there is: the portals are tried
 * one after the other. */
#ifndef ENGINE_ATTEMPT_H
#define ENGINE_ATTEMPT_H

#include "engine/connections.h"

/* Embedded by its user, who fills in the first part; all it points to lives until the end. */
struct attempt {
    struct engine_connection *connection;
    bool joins;                              /* the session that there is, else it makes one */
    const struct session_settings *settings; /* of the session to be made, or of the login */
    /* Sets them anew for the portal that is tried next; NULL: they are the same for all. */
    enum status (*choose)(struct attempt *attempt, const struct portal_address *portal);
    struct portal_address *portals; /* to try, in this order: one or more */
    size_t count;
    uint32_t connect_timeout; /* milliseconds for each portal */
    /* Once, maybe from inside attempt_start. OK: the connection is to take what was made. Else what
     * says most of why no portal worked. */
    void (*done)(struct attempt *attempt, enum status status);

    struct contact *contact; /* made here, unless it joins */
    struct contact_connection *made;
    size_t next;
    enum status failure;
};

void attempt_start(struct attempt *attempt);
/* Also while it runs: `done` will not be called. Harmless when it was never started. */
void attempt_end(struct attempt *attempt);

/* After the success. */
const struct portal_address *attempt_portal(const struct attempt *attempt);
/* The session that was made; NULL when it joined one. Before attempt_take. */
struct contact *attempt_session(const struct attempt *attempt);
struct contact_connection *attempt_take(struct attempt *attempt);

/* The contact's news. */
void attempt_ready(struct attempt *attempt, enum status status);

void attempt_set_portal(struct portal_address *out, const char *host, uint16_t port);

#endif
