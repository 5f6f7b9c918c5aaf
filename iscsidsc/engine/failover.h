/*
 * Which portal of its target a session uses, and when it goes to another one (docs/data-path.md).
 * After a loss the next one is tried (session_portals.h). A session that is not at the portal that
 * is preferred goes back to it: it is looked at from time to time, and when it answers the session
 * moves. Somebody may also send a session to a portal, which it prefers from then on.
 */
#ifndef ENGINE_FAILOVER_H
#define ENGINE_FAILOVER_H

#include "discovery/connector.h"
#include "engine/configuration.h"
#include "engine/portal_order.h"

struct engine;
struct engine_call;
struct engine_session;

enum move_stage {
    MOVE_NONE,
    MOVE_DRAINING,   /* commands under way end first, others wait */
    MOVE_CONNECTING, /* the login to the other portal is under way, others wait */
    MOVE_WAITING,    /* the connection was lost: the portal is the first that is tried */
};

/* Of a session: its move to another portal. */
struct portal_move {
    enum move_stage stage;
    struct portal_address to;
    bool forced; /* commands that do not end are lost */
    uint64_t until;
    struct os_timer timer;
    void (*done)(struct engine_session *session, enum status status);
    struct engine_call *call;     /* who waits for it, or NULL, */
    struct portal_address before; /* and what the session preferred before */
};

/* Of a session. */
struct failover {
    struct portal_preference preference;
    struct os_timer timer; /* the next look at a better portal */
    struct connector *probe;
    struct portal_address probed;
    unsigned looks;
    unsigned failures; /* of moves, one after the other */
};

/* --- failback.c --- */

void failover_init(struct engine_session *session);
/* What the file prefers. */
void failover_preference(const struct scoped_parameters *parameters, struct portal_preference *out);
/* Nobody has named a portal for it: iscsi.conf says where it goes, and whether it stays there. */
void failover_follow(struct engine_session *session);
/* It has a connection. */
void failover_connected(struct engine_session *session);
/* It is being logged out. */
void failover_end(struct engine_session *session);

/* --- portal_move.c --- */

void portal_move_init(struct engine_session *session);
/*
 * To another portal, without losing a command: those under way end first, and when they do not the
 * move is given up, unless it is `forced`. `done` is called once, never from inside: OK, or why it
 * is where it was, or somewhere else. SESSION_BUSY: it moves already, is being logged out, or has
 * several connections; NO_MEMORY.
 */
enum status portal_move_start(struct engine_session *session, const struct portal_address *to,
                              bool forced,
                              void (*done)(struct engine_session *session, enum status status));
/* Commands have to wait. */
bool portal_move_holds(const struct engine_session *session);
/* A command has ended. */
void portal_move_look(struct engine_session *session);
/* The session has lost its connections. */
void portal_move_lost(struct engine_session *session);
/* The login for its sake has ended, or the session has a connection again. */
void portal_move_tried(struct engine_session *session, enum status status);
/* The session is being logged out. */
void portal_move_end(struct engine_session *session);

/* --- switch_portal.c --- */

/*
 * The session goes to that portal ("1.2.3.4" or "1.2.3.4:3260"), and prefers it as long as it is
 * there, unless it could not. With OK the call, unless NULL, is finished when it has, or has failed
 * to; else at once: SESSION_NOT_FOUND (`session` NULL), INVALID_ADDRESS, NO_PORTAL: none of its
 * target's, SESSION_BUSY, NO_MEMORY.
 */
enum status portal_switch(struct engine_session *session, const char *address,
                          struct engine_call *call);
/* The same for the session whose units are at that SCSI bus and target id; nobody waits for it. */
enum status portal_switch_at(struct engine *engine, uint32_t bus, uint32_t target,
                             const char *address);

#endif
