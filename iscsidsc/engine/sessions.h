/*
 * The sessions: those that callers see, and those whose login is still under way. A session lives
 * from the start of its login until it is logged out. One that loses its connections gets others.
 */
#ifndef ENGINE_SESSIONS_H
#define ENGINE_SESSIONS_H

#include "discovery/contact.h"
#include "engine/failover.h"
#include "engine/model.h"

enum engine_session_state {
    ENGINE_SESSION_LOGIN, /* not to be seen yet */
    ENGINE_SESSION_LIVE,
    ENGINE_SESSION_RECONNECT, /* all connections are lost, another one is being made */
    ENGINE_SESSION_LOGOUT,
};

struct units;

struct engine_session {
    struct list link;
    struct list by_id; /* once callers see it */
    struct list by_target;
    struct engine *engine;
    enum engine_session_state state;
    bool informational;
    bool restored;  /* a service made it when it started */
    bool automatic; /* because iscsi.conf has the target found */
    uint8_t isid[PDU_ISID_LENGTH];
    uint64_t since;                      /* when it was connected, or lost (os_time) */
    struct unique_id id;                 /* given when the login is done */
    char *target;                        /* normalised name */
    struct scoped_parameters parameters; /* as they were at the login, without passwords */
    struct portal_address *portals;      /* see session_portals.h */
    size_t portal_count;
    struct failover failover;
    struct portal_move move;
    /* NULL in state LOGIN. In state RECONNECT the lost one: what was negotiated on it still counts.
     */
    struct contact *contact;
    struct list connections;             /* struct engine_connection, the leading one first */
    uint64_t connection_gone;            /* when the latest one was; 0: none */
    uint64_t hold_until;                 /* commands that have no connection wait until then */
    struct os_timer continuation;        /* see continuation.h */
    bool refused;                        /* the target does not let it go on where it left */
    struct units *units;                 /* see units.h; NULL: informational */
    struct list ios;                     /* struct io: bound to it, or under way on it */
    struct engine_call *logout;          /* in state LOGOUT: who waits, or NULL */
    struct contact_connection *farewell; /* the same: where the target was told */
};

/* The ISID of ours with this qualifier. */
void engine_session_isid(uint16_t qualifier, uint8_t out[PDU_ISID_LENGTH]);

/* A session in state LOGIN, its leading connection too, with an ISID that no other session to the
 * target has: the first one free from `qualifier` on. NULL: out of memory. */
struct engine_session *engine_session_new(struct engine *engine, const char *target,
                                          uint16_t qualifier);
/* Drops the connections that there are. Nobody may wait for the session's login any more. */
void engine_session_remove(struct engine_session *session);

/* Does a connection of it carry commands now? */
bool engine_session_usable(const struct engine_session *session);
/* Is there a session to the target, or a login under way? */
bool engine_session_exists(const struct engine *engine, const char *target);
/* Where the sessions to the target are among others, by `by_target`. */
const struct list *engine_sessions_near(const struct engine *engine, const char *target);
/* One that callers see. `id` may be NULL. */
struct engine_session *engine_session_find(struct engine *engine, const struct unique_id *id);

/* The leading connection's attempt is done: takes what it made and gives the ids. False: out of
 * memory. */
bool engine_session_went_live(struct engine_session *session);
/* The same for a session that was live before: it keeps its id. */
bool engine_session_came_back(struct engine_session *session);
/* The same when the target has kept the session: only the connection is new. */
bool engine_session_went_on(struct engine_session *session);
/* Milliseconds that commands wait for a session that is lost; very long where it is for ever. */
uint64_t engine_session_hold_time(const struct engine_session *session);
/* The last connection of a live session is over. */
void engine_session_lost(struct engine_session *session);
/* How long the target wants to be left alone before the session is made anew, in milliseconds. */
uint32_t engine_session_time2wait(const struct engine_session *session);

/* From now on it is only logged out. False: there is nobody to tell, it can be removed. */
bool engine_session_say_farewell(struct engine_session *session);

/* The engine stops: log out all / let go of all. */
void engine_sessions_logout(struct engine *engine);
void engine_sessions_drop(struct engine *engine);

/* Of logout.c: the farewell was answered. */
void engine_session_logged_out(struct engine_session *session, enum status status);

#endif
