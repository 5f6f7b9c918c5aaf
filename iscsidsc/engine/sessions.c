#include "engine/sessions.h"
#include "engine/attempt.h"
#include "engine/automatic_logins.h"
#include "engine/connections.h"
#include "engine/continuation.h"
#include "engine/events.h"
#include "engine/io.h"
#include "engine/recovery.h"
#include "engine/session_portals.h"
#include "engine/statistics.h"
#include "engine/units.h"
#include "os/memory.h"

#include <string.h>

#define SESSION(node) LIST_OWNER(node, struct engine_session, link)
#define NEAR(node)    LIST_OWNER(node, struct engine_session, by_target)

/* AdapterSpecific of Windows' sessions: the type bits and enterprise number of an ISID, and a
 * counter. */
#define SESSION_ID_PREFIX (UINT64_C(0x40000137) << 32)

enum { ISID_QUALIFIERS = 0x10000 };
#define HOLD_FOREVER (UINT64_MAX / 4) /* milliseconds: a time can be added to it */

/* --- making and removing --- */

/* Ids are numbered one by one: their low bits spread them evenly. */
static struct list *bucket_of(struct engine *engine, uint64_t specific)
{
    return &engine->sessions_by_id[specific % SESSION_BUCKETS];
}

static size_t target_bucket(const char *target)
{
    return catalogue_hash(target) % SESSION_BUCKETS;
}

const struct list *engine_sessions_near(const struct engine *engine, const char *target)
{
    return &engine->sessions_by_target[target_bucket(target)];
}

static uint16_t qualifier_of(const uint8_t isid[PDU_ISID_LENGTH])
{
    return get_be16(isid + 4);
}

void engine_session_isid(uint16_t qualifier, uint8_t out[PDU_ISID_LENGTH])
{
    static const uint8_t enterprise[] = {0x40, 0x00, 0x01, 0x37}; /* type EN, Microsoft's number */
    memcpy(out, enterprise, sizeof enterprise);
    put_be16(out + 4, qualifier);
}

/*
 * The first free one: in a service the same session has the same ISID after a restart, and with it
 * its reservations. Those that the service is still to make keep theirs.
 */
static bool choose_isid(const struct engine *engine, const char *target, uint16_t first,
                        uint8_t isid[PDU_ISID_LENGTH])
{
    uint8_t taken[ISID_QUALIFIERS / 8] = {0};
    uint32_t steps = 0;
    uint16_t chosen = first;
    LIST_EACH(node, engine_sessions_near(engine, target))
    {
        uint16_t qualifier = qualifier_of(NEAR(node)->isid);
        if (name_equal(NEAR(node)->target, target))
            taken[qualifier / 8] |= (uint8_t)(1u << qualifier % 8);
    }
    while (steps < ISID_QUALIFIERS && (taken[chosen / 8] >> chosen % 8 & 1) != 0)
        chosen = (uint16_t)(first + ++steps);
    engine_session_isid(chosen, isid);
    return steps < ISID_QUALIFIERS;
}

static void release(struct engine_session *session)
{
    session_portals_forget(session);
    os_free(session->target);
    os_free(session);
}

struct engine_session *engine_session_new(struct engine *engine, const char *target,
                                          uint16_t qualifier)
{
    struct engine_session *session = os_alloc(sizeof *session);
    if (session == NULL)
        return NULL;
    session->engine = engine;
    list_init(&session->link);
    list_init(&session->by_id);
    list_init(&session->by_target);
    list_init(&session->connections);
    list_init(&session->ios);
    continuation_init(session);
    failover_init(session);
    portal_move_init(session);
    session->target = os_copy_text(target);
    if (session->target == NULL || !choose_isid(engine, target, qualifier, session->isid) ||
        engine_connection_new(session, CONTACT_FIRST_CID) == NULL) {
        release(session);
        return NULL;
    }
    list_append(&engine->sessions, &session->link);
    list_append(&engine->sessions_by_target[target_bucket(target)], &session->by_target);
    return session;
}

/* Nobody adds or removes a connection any more, and none that is lost is made anew, but for one
 * that has begun before the loss. */
static void settle_connections(struct engine_session *session, enum status status)
{
    LIST_EACH_SAFE(node, &session->connections)
    {
        struct engine_connection *connection = ENGINE_CONNECTION(node);
        bool moves = session->state == ENGINE_SESSION_RECONNECT && recovery_moving(connection);
        if (!moves)
            recovery_end(connection);
        if (connection->login_ended != NULL) {
            connection->login_ended(connection, status);
        } else if (connection->state == ENGINE_CONNECTION_LEAVING) {
            engine_removal_over(connection);
            engine_connection_free(connection);
        }
    }
}

void engine_session_remove(struct engine_session *session)
{
    struct engine *engine = session->engine;
    struct list *first;
    bool seen = !list_empty(&session->by_id);
    list_remove(&session->link);
    list_remove(&session->by_id);
    list_remove(&session->by_target);
    if (seen) {
        events_session(session, EVENT_SESSION_REMOVED);
        automatic_login_over(session);
    }
    session->state = ENGINE_SESSION_LOGOUT; /* commands that end now are not tried again */
    continuation_end(session);
    failover_end(session);
    units_end(session);
    settle_connections(session, STATUS_SESSION_NOT_FOUND);
    statistics_keep_session(session);
    while ((first = list_first(&session->connections)) != NULL)
        engine_connection_free(ENGINE_CONNECTION(first));
    contact_close(session->contact);
    engine_ios_over(session);
    release(session);
    engine_drained(engine);
}

/* --- coming and going --- */

/* What is left of the lost session ends. False: out of memory, and the attempt still has its
 * contact. */
static bool take_contact(struct engine_session *session)
{
    struct engine_connection *leading = engine_leading(session);
    struct contact *contact = attempt_session(leading->attempt);
    if (!engine_connection_took(leading))
        return false;
    LIST_EACH(node, &session->connections)
    {
        struct engine_connection *connection = ENGINE_CONNECTION(node);
        if (connection == leading)
            continue;
        statistics_keep_connection(connection);
        contact_leave(connection->contact);
        connection->contact = NULL;
    }
    statistics_keep_session(session);
    continuation_end(session);
    contact_close(session->contact);
    session->contact = contact;
    session->state = ENGINE_SESSION_LIVE;
    session->since = os_time();
    if (portal_move_holds(session))
        session->move.stage = MOVE_WAITING; /* to be told of */
    session_portals_remember(session);
    failover_connected(session);
    return true;
}

bool engine_session_went_live(struct engine_session *session)
{
    struct engine *engine = session->engine;
    if (!take_contact(session))
        return false;
    session->id = (struct unique_id){engine->adapter, SESSION_ID_PREFIX | ++engine->last_session};
    list_append(bucket_of(engine, session->id.specific), &session->by_id);
    /* The list is in the order of the logins' ends. */
    list_remove(&session->link);
    list_append(&engine->sessions, &session->link);
    events_session(session, EVENT_SESSION_ADDED);
    units_renew(session);
    return true;
}

/* The additional connections follow the leading one, as far as the target still allows. */
static void follow(struct engine_session *session)
{
    size_t most = session_values(contact_session(session->contact))->max_connections;
    size_t count = 0;
    LIST_EACH_SAFE(node, &session->connections)
    {
        struct engine_connection *connection = ENGINE_CONNECTION(node);
        if (++count > most)
            engine_connection_free(connection);
        else if (connection->state == ENGINE_CONNECTION_LOST)
            recovery_begin(connection);
    }
}

bool engine_session_came_back(struct engine_session *session)
{
    if (!take_contact(session))
        return false;
    events_session(session, EVENT_SESSION_CONNECTED);
    units_doubt(session); /* from now on: who waits has not waited in vain so far */
    follow(session);
    engine_ios_resume(session);
    units_renew(session);
    return true;
}

bool engine_session_went_on(struct engine_session *session)
{
    if (!engine_connection_took(engine_leading(session)))
        return false;
    continuation_end(session);
    session->state = ENGINE_SESSION_LIVE;
    session->since = os_time();
    failover_connected(session);
    events_session(session, EVENT_SESSION_CONNECTED);
    follow(session);
    engine_ios_resume(session);
    units_renew(session);
    return true;
}

uint32_t engine_session_time2wait(const struct engine_session *session)
{
    uint32_t most = 0;
    LIST_EACH(node, &session->connections)
    {
        const struct engine_connection *connection = ENGINE_CONNECTION(node);
        uint32_t wait =
            connection->contact != NULL ? contact_time2wait(connection->contact) * 1000 : 0;
        most = wait > most ? wait : most;
    }
    return most;
}

uint64_t engine_session_hold_time(const struct engine_session *session)
{
    uint32_t seconds = session->parameters.conn_fail_timeout;
    return seconds == TIMEOUT_INFINITE ? HOLD_FOREVER : seconds * UINT64_C(1000);
}

void engine_session_lost(struct engine_session *session)
{
    session->state = ENGINE_SESSION_RECONNECT;
    session->since = os_time();
    session->hold_until = os_now() + engine_session_hold_time(session);
    portal_move_lost(session);
    settle_connections(session, STATUS_NO_CONNECTION);
    events_session(session, EVENT_SESSION_DISCONNECTED);
    if (!continuation_begin(session))
        units_doubt(session);
    engine_ios_hold(session);
    if (engine_leading(session) != NULL)
        recovery_begin(engine_leading(session));
    else
        engine_session_remove(session);
}

bool engine_session_say_farewell(struct engine_session *session)
{
    bool connected = session->state == ENGINE_SESSION_LIVE;
    session->state = ENGINE_SESSION_LOGOUT;
    failover_end(session);
    settle_connections(session, STATUS_SESSION_NOT_FOUND);
    session->farewell = connected ? contact_logout(session->contact) : NULL;
    return session->farewell != NULL;
}

/* --- finding --- */

bool engine_session_usable(const struct engine_session *session)
{
    return session->state == ENGINE_SESSION_LIVE && !portal_move_holds(session) &&
           contact_usable(session->contact);
}

bool engine_session_exists(const struct engine *engine, const char *target)
{
    LIST_EACH(node, engine_sessions_near(engine, target))
    {
        if (name_equal(NEAR(node)->target, target))
            return true;
    }
    return false;
}

struct engine_session *engine_session_find(struct engine *engine, const struct unique_id *id)
{
    if (id == NULL)
        return NULL;
    LIST_EACH(node, bucket_of(engine, id->specific))
    {
        struct engine_session *session = LIST_OWNER(node, struct engine_session, by_id);
        if (session->id.specific == id->specific && session->id.adapter == id->adapter)
            return session;
    }
    return NULL;
}

/* --- all of them --- */

void engine_sessions_logout(struct engine *engine)
{
    LIST_EACH_SAFE(node, &engine->sessions)
    {
        struct engine_session *session = SESSION(node);
        if (session->state != ENGINE_SESSION_LOGOUT && !engine_session_say_farewell(session))
            engine_session_remove(session);
    }
}

void engine_sessions_drop(struct engine *engine)
{
    struct list *first;
    while ((first = list_first(&engine->sessions)) != NULL)
        engine_session_remove(SESSION(first));
}
