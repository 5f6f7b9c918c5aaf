/*
 * A session with its connections, each from the address of a portal to its end: they connect, log
 * in, follow redirects, log out. Everything runs on the loop's thread.
 */
#ifndef DISCOVERY_CONTACT_H
#define DISCOVERY_CONTACT_H

#include "discovery/link.h"

struct contact;            /* the session */
struct contact_connection; /* one of its connections */

#define CONTACT_HOPS_MAX  8u
#define CONTACT_FIRST_CID 1u /* Windows counts the connections of a session from 1 */

/* Of a connection. Never called from inside another function of this file or of the core: the
 * contact may be closed. */
struct contact_events {
    /*
     * The login's result, once. OK: full feature phase. Else CONNECT_*, NAME_UNRESOLVED,
     * REDIRECT_LOOP, a status of the login, or CONNECT_FAILED when the peer closed the connection
     * before the login had finished.
     */
    void (*ready)(void *context, enum status status);
    /* The connection is over, once, only after ready(OK). OK: logged out. */
    void (*over)(void *context, enum status status);
    /* The target told by an asynchronous message (a SCSI event, or its vendor's) that something of
     * what it has is another now. Several may be told as one. May be NULL. */
    void (*changed)(void *context);
};

/* Borrowed for the call, but for what is said otherwise. */
struct contact_settings {
    /* Of the session, or of this connection's login alone (contact_join; lives until ready(); NULL:
     * those of the session). */
    const struct session_settings *session;
    const struct portal_address *portal;
    const struct os_address *source; /* NULL: any */
    uint32_t connect_timeout;        /* milliseconds */
    uint32_t buffers;                /* bytes of the socket's; 0: the system's */
    bool credentials_stay;           /* no login with CHAP follows a redirect */
};

/* --- the session --- */

/* With its first connection, which these events are of. NULL: out of memory. `events` must outlive
 * the contact. */
struct contact *contact_open(struct link_base *base, const struct contact_settings *settings,
                             uint16_t cid, const struct contact_events *events, void *context);
/* Another connection of a session that is logged in. NULL: out of memory. */
struct contact_connection *contact_join(struct contact *contact,
                                        const struct contact_settings *settings, uint16_t cid,
                                        const struct contact_events *events, void *context);
/* Drops the connections that there still are, completes tasks with CANCELLED; no event comes any
 * more. */
void contact_close(struct contact *contact);

/* Logs the session out over one of its connections, whose over() tells the answer. NULL: none of
 * them is up any more. */
struct contact_connection *contact_logout(struct contact *contact);
/* Does any connection carry commands? */
bool contact_usable(const struct contact *contact);
/* See link_hold: of all connections. */
void contact_hold(struct contact *contact);
void contact_release(struct contact *contact);
/* What was put into the core from outside is sent soon, without waiting for more of it. */
void contact_send_soon(struct contact *contact);

/* Of the latest try, while the first connection is being made. */
struct session *contact_session(const struct contact *contact);
/* The first connection that is still there. */
struct contact_connection *contact_first(const struct contact *contact);

/* --- a connection --- */

/* Drops it and lets go of it. No event comes any more. */
void contact_leave(struct contact_connection *connection);
/* Takes it for dead: over() tells `status`. Harmless when it is over. */
void contact_drop(struct contact_connection *connection, enum status status);
/* Logs it alone out. False: it does not carry commands any more. */
bool contact_part(struct contact_connection *connection);
/* After the login. Does it carry commands? */
bool contact_carries(const struct contact_connection *connection);

/* NULL until the TCP connection stands. */
struct connection *contact_connection(const struct contact_connection *connection);
/* The portal that answered, redirects followed: valid until ready() returns. */
const struct portal_address *contact_portal(const struct contact_connection *connection);
bool contact_local_address(const struct contact_connection *connection, struct os_address *out);
/* See connection_time2wait and link_heard. */
uint32_t contact_time2wait(const struct contact_connection *connection);
uint64_t contact_heard(const struct contact_connection *connection);

#endif
