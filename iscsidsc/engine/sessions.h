/*
 * The sessions: those that callers see, and those whose login is still under way. A session's
 * struct lives from the start of its login to the end of its connection.
 */
#ifndef ENGINE_SESSIONS_H
#define ENGINE_SESSIONS_H

#include "discovery/contact.h"
#include "engine/model.h"

enum engine_session_state {
    ENGINE_SESSION_LOGIN, /* not to be seen yet */
    ENGINE_SESSION_LIVE,
    ENGINE_SESSION_LOGOUT,
};

struct login_call;

struct engine_session {
    struct list link;
    struct list by_id; /* once callers see it */
    struct engine *engine;
    enum engine_session_state state;
    bool informational;
    uint8_t isid[PDU_ISID_LENGTH];
    struct unique_id id;         /* given when the login is done */
    struct unique_id connection; /* the same */
    char *target;                /* normalised name */
    char *address;               /* of the portal, as it was spelt */
    uint16_t socket;
    struct os_address local;
    bool has_local;
    struct contact *contact;    /* NULL between two tries of a login */
    struct list commands;       /* struct command of scsi.c */
    struct login_call *login;   /* in state LOGIN */
    struct engine_call *logout; /* in state LOGOUT: who waits, or NULL */
};

/* The ISID of ours with this qualifier. */
void engine_session_isid(uint16_t qualifier, uint8_t out[PDU_ISID_LENGTH]);

/* A session in state LOGIN with an ISID that no other session to the target has. NULL: out of
 * memory. */
struct engine_session *engine_session_new(struct engine *engine, const char *target);
/* Drops the connection when there is one. Nobody may wait for the session any more. */
void engine_session_remove(struct engine_session *session);

/* Is there a session to the target, or a login under way? */
bool engine_session_exists(const struct engine *engine, const char *target);
/* One that callers see. `id` may be NULL. */
struct engine_session *engine_session_find(struct engine *engine, const struct unique_id *id);

/* The login is done: gives the ids. False: out of memory. */
bool engine_session_went_live(struct engine_session *session, const struct portal_address *portal);

/* What a session's contact tells. */
extern const struct contact_events engine_session_events;

/* The engine stops: log out all / let go of all. */
void engine_sessions_logout(struct engine *engine);
void engine_sessions_drop(struct engine *engine);

/* Of login.c, logout.c and scsi.c. */
void engine_login_ready(struct login_call *login, enum status status);
void engine_logout_over(struct engine_session *session, enum status status);
void engine_commands_over(struct engine_session *session);

#endif
