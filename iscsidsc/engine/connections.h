/*
 * The connections of a session. The first one, which logged in with the session, is its leading
 * connection. One that is lost while others live gets a successor with the same number (CID); when
 * all are lost the leading one makes the session anew, and the others follow.
 */
#ifndef ENGINE_CONNECTIONS_H
#define ENGINE_CONNECTIONS_H

#include "engine/options.h"
#include "engine/sessions.h"

enum engine_connection_state {
    ENGINE_CONNECTION_LOGIN, /* not to be seen yet */
    ENGINE_CONNECTION_LIVE,
    ENGINE_CONNECTION_LOST,    /* another one is being made */
    ENGINE_CONNECTION_LEAVING, /* on its way out */
};

struct attempt;
struct reconnect;

/* What recovery.c knows of a connection. */
struct recovery {
    struct os_timer timer; /* the next try; in state LIVE: the connection is to be dropped */
    struct reconnect *running;
    uint64_t connected; /* when the connection was made */
    uint64_t earliest;  /* for the next one: Time2Wait */
    unsigned tries;     /* since it was last of use */
    unsigned failures;  /* of those, one after the other */
    bool useful;        /* a command has ended on it */
};

struct engine_connection {
    struct list link;
    struct engine_session *session;
    enum engine_connection_state state;
    uint16_t cid;
    struct unique_id id; /* given when the login is done, and kept */
    char *address;       /* of the portal, as it was spelt */
    uint16_t socket;
    bool one_portal;          /* it is not to be made anew at another one */
    bool fell_silent;         /* it was lost without a word: its portal may be out of reach */
    struct os_address source; /* where to connect from */
    bool has_source;
    struct os_address local;
    bool has_local;
    struct option_settings *own; /* of its login; NULL: it logs in as the session did */
    /* NULL in state LOGIN. In state LOST the lost one: tasks may still belong to it. */
    struct contact_connection *contact;
    struct attempt *attempt; /* the connection being made, or NULL */
    struct recovery recovery;
    struct addition *adding; /* while it is added to its session, which this ends: */
    void (*login_ended)(struct engine_connection *connection, enum status status);
    struct engine_call *removal; /* in state LEAVING: who waits, or NULL */
};

#define ENGINE_CONNECTION(node) LIST_OWNER(node, struct engine_connection, link)

/* In state LOGIN, last in its session. NULL: out of memory. */
struct engine_connection *engine_connection_new(struct engine_session *session, uint16_t cid);
/* Drops it when it stands. The session stays, even without any. */
void engine_connection_free(struct engine_connection *connection);

/* NULL when the session has none. */
struct engine_connection *engine_leading(const struct engine_session *session);
/* One that callers see. `id` may be NULL. */
struct engine_connection *engine_connection_find(struct engine_session *session,
                                                 const struct unique_id *id);
/* The one that carries the task; NULL: none (any more). */
struct engine_connection *engine_connection_of(const struct engine_session *session,
                                               const struct task *task);
/* Those in state LIVE. */
size_t engine_connections_live(const struct engine_session *session);
/* All, whatever their state. */
size_t engine_connections_count(const struct engine_session *session);
/* The lowest number that none has; 0: there is none. */
uint16_t engine_connections_free_cid(const struct engine_session *session);

/* The attempt is done: takes what it made. False: out of memory, and the attempt still has it. */
bool engine_connection_took(struct engine_connection *connection);

/* Where it is, or was last: once it has been connected. */
void engine_connection_portal(const struct engine_connection *connection,
                              struct portal_address *out);

/* What a connection's contact tells. */
extern const struct contact_events engine_connection_events;

/* Of remove_connection.c: it has left. */
void engine_removal_over(struct engine_connection *connection);

#endif
