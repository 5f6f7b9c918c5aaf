/*
 * A session with one connection, from the address of a portal to its end: connects, logs in,
 * follows redirects, logs out. Everything runs on the loop's thread.
 */
#ifndef DISCOVERY_CONTACT_H
#define DISCOVERY_CONTACT_H

#include "discovery/link.h"

struct contact;

#define CONTACT_HOPS_MAX 8u

/* Never called from inside another function of this file or of the core: the contact may be closed.
 */
struct contact_events {
    /*
     * The login's result, once. OK: full feature phase. Else CONNECT_*, NAME_UNRESOLVED,
     * REDIRECT_LOOP, a status of the login, or CONNECT_FAILED when the peer closed the connection
     * before the login had finished.
     */
    void (*ready)(void *context, enum status status);
    /* The connection is over, once, only after ready(OK). OK: logged out. */
    void (*over)(void *context, enum status status);
};

/* Borrowed for the call. */
struct contact_settings {
    const struct session_settings *session;
    const struct portal_address *portal;
    const struct os_address *source; /* NULL: any */
    uint32_t connect_timeout;        /* milliseconds */
};

/* NULL: out of memory. `events` must outlive the contact. */
struct contact *contact_open(struct link_base *base, const struct contact_settings *settings,
                             const struct contact_events *events, void *context);
/* Drops the connection when there is still one, completes tasks with CANCELLED; no event comes any
 * more. */
void contact_close(struct contact *contact);

/* Harmless when the connection is over or logging out already. */
void contact_logout(struct contact *contact);
/* Takes the connection for dead: over() tells `status`. Harmless when it is over. */
void contact_drop(struct contact *contact, enum status status);
/* After the login. Does it carry commands? */
bool contact_usable(const struct contact *contact);
/* See connection_time2wait and link_heard. */
uint32_t contact_time2wait(const struct contact *contact);
uint64_t contact_heard(const struct contact *contact);
/* See link_hold. Harmless when the connection is over. */
void contact_hold(struct contact *contact);
void contact_release(struct contact *contact);

/* Of the latest try; NULL while the first connection is being made. */
struct session *contact_session(const struct contact *contact);
struct connection *contact_connection(const struct contact *contact);
/* The portal that answered, redirects followed: valid until ready() returns. */
const struct portal_address *contact_portal(const struct contact *contact);
bool contact_local_address(const struct contact *contact, struct os_address *out);

#endif
