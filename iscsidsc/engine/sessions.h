/*
 * The sessions: those that callers see, and those whose login is still under way. A session lives
 * from the start of its login until it is logged out. One that loses its connection gets another.
 */
#ifndef ENGINE_SESSIONS_H
#define ENGINE_SESSIONS_H

#include "discovery/contact.h"
#include "engine/model.h"

enum engine_session_state {
    ENGINE_SESSION_LOGIN, /* not to be seen yet */
    ENGINE_SESSION_LIVE,
    ENGINE_SESSION_RECONNECT, /* the connection is lost, another one is being made */
    ENGINE_SESSION_LOGOUT,
};

struct attempt;
struct reconnect;

/* What recovery.c knows of a session. */
struct recovery {
    struct os_timer timer; /* the next try; in state LIVE: the connection is to be dropped */
    struct reconnect *running;
    uint64_t connected;  /* when the connection was made */
    uint64_t hold_until; /* commands that have no connection wait until then */
    unsigned tries;      /* since a connection was last of use */
    unsigned failures;   /* of those, one after the other */
    bool useful;         /* a command has ended on this connection */
};

struct engine_session {
    struct list link;
    struct list by_id; /* once callers see it */
    struct engine *engine;
    enum engine_session_state state;
    bool informational;
    bool restored; /* a service made it when it started */
    uint8_t isid[PDU_ISID_LENGTH];
    struct unique_id id;         /* given when the login is done */
    struct unique_id connection; /* the same */
    char *target;                /* normalised name */
    char *address;               /* of the portal, as it was spelt */
    uint16_t socket;
    bool one_portal;               /* it is not to be connected to another one */
    struct portal_address *others; /* see session_portals.h */
    size_t other_count;
    struct os_address source; /* where to connect from */
    bool has_source;
    struct os_address local;
    bool has_local;
    /* NULL in state LOGIN. In state RECONNECT the lost one: what was negotiated on it still counts.
     */
    struct contact *contact;
    struct attempt *attempt; /* the connection being made in states LOGIN and RECONNECT, or NULL */
    struct recovery recovery;
    struct list commands;       /* struct command of scsi.c */
    struct engine_call *logout; /* in state LOGOUT: who waits, or NULL */
};

/* The ISID of ours with this qualifier. */
void engine_session_isid(uint16_t qualifier, uint8_t out[PDU_ISID_LENGTH]);

/* A session in state LOGIN with an ISID that no other session to the target has: the first one free
 * from `qualifier` on. NULL: out of memory. */
struct engine_session *engine_session_new(struct engine *engine, const char *target,
                                          uint16_t qualifier);
/* Drops the connection when there is one. Nobody may wait for the session any more. */
void engine_session_remove(struct engine_session *session);

/* Is there a session to the target, or a login under way? */
bool engine_session_exists(const struct engine *engine, const char *target);
/* One that callers see. `id` may be NULL. */
struct engine_session *engine_session_find(struct engine *engine, const struct unique_id *id);

/* The attempt is done: takes its contact and gives the ids. False: out of memory. */
bool engine_session_went_live(struct engine_session *session);
/* The same for a session that was live before: it keeps its id. */
bool engine_session_came_back(struct engine_session *session);

/* What a session's contact tells. */
extern const struct contact_events engine_session_events;

/* The engine stops: log out all / let go of all. */
void engine_sessions_logout(struct engine *engine);
void engine_sessions_drop(struct engine *engine);

/* Of logout.c and scsi.c. */
void engine_logout_over(struct engine_session *session, enum status status);
/* The session is gone / has lost its connection / has another one. */
void engine_commands_over(struct engine_session *session);
void engine_commands_hold(struct engine_session *session);
void engine_commands_resume(struct engine_session *session);

#endif
