/* A session's connection being made: the portals are tried one after the other. */
#ifndef ENGINE_ATTEMPT_H
#define ENGINE_ATTEMPT_H

#include "engine/sessions.h"

/* Embedded by its user, who fills in the first part; all it points to lives until the end. */
struct attempt {
    struct engine_session *session;
    const struct session_settings *settings;
    struct portal_address *portals; /* to try, in this order: one or more */
    size_t count;
    uint32_t connect_timeout; /* milliseconds for each portal */
    /* Once, maybe from inside attempt_start. OK: the session is to take the contact. Else what says
     * most of why no portal worked. */
    void (*done)(struct attempt *attempt, enum status status);

    struct contact *contact;
    size_t next;
    enum status failure;
};

void attempt_start(struct attempt *attempt);
/* Also while it runs: `done` will not be called. Harmless when it was never started. */
void attempt_end(struct attempt *attempt);

/* After the success. */
const struct portal_address *attempt_portal(const struct attempt *attempt);
struct contact *attempt_take(struct attempt *attempt);

/* The contact's news. */
void attempt_ready(struct attempt *attempt, enum status status);

void attempt_set_portal(struct portal_address *out, const char *host, uint16_t port);

#endif
