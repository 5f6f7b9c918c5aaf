#include "engine/sessions.h"
#include "engine/attempt.h"
#include "engine/events.h"
#include "engine/recovery.h"
#include "engine/session_portals.h"
#include "os/memory.h"

#include <string.h>

#define SESSION(node) LIST_OWNER(node, struct engine_session, link)

/* AdapterSpecific of Windows' sessions: the type bits and enterprise number of an ISID, and a
 * counter. */
#define SESSION_ID_PREFIX (UINT64_C(0x40000137) << 32)

enum { ISID_QUALIFIERS = 0x10000 };

/* --- making and removing --- */

/* Ids are numbered one by one: their low bits spread them evenly. */
static struct list *bucket_of(struct engine *engine, uint64_t specific)
{
    return &engine->sessions_by_id[specific % SESSION_BUCKETS];
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
    LIST_EACH(node, &engine->sessions)
    {
        uint16_t qualifier = qualifier_of(SESSION(node)->isid);
        if (name_equal(SESSION(node)->target, target))
            taken[qualifier / 8] |= (uint8_t)(1u << qualifier % 8);
    }
    while (steps < ISID_QUALIFIERS && (taken[chosen / 8] >> chosen % 8 & 1) != 0)
        chosen = (uint16_t)(first + ++steps);
    engine_session_isid(chosen, isid);
    return steps < ISID_QUALIFIERS;
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
    list_init(&session->commands);
    session->target = os_copy_text(target);
    recovery_init(session);
    if (session->target == NULL || !choose_isid(engine, target, qualifier, session->isid)) {
        os_free(session->target);
        os_free(session);
        return NULL;
    }
    list_append(&engine->sessions, &session->link);
    return session;
}

void engine_session_remove(struct engine_session *session)
{
    struct engine *engine = session->engine;
    list_remove(&session->link);
    if (!list_empty(&session->by_id))
        events_session(session, EVENT_SESSION_REMOVED);
    list_remove(&session->by_id);
    session->state = ENGINE_SESSION_LOGOUT; /* commands that end now are not tried again */
    recovery_end(session);
    contact_close(session->contact);
    engine_commands_over(session);
    session_portals_forget(session);
    os_free(session->target);
    os_free(session->address);
    os_free(session);
    engine_drained(engine);
}

/* False: out of memory, and the attempt still has its contact. */
static bool take_contact(struct engine_session *session)
{
    struct engine *engine = session->engine;
    const struct portal_address *portal = attempt_portal(session->attempt);
    char *address = os_copy_text(portal->host);
    if (address == NULL)
        return false;
    os_free(session->address);
    session->address = address;
    session->socket = portal->port;
    contact_close(session->contact);
    session->contact = attempt_take(session->attempt);
    session->attempt = NULL;
    session->has_local = contact_local_address(session->contact, &session->local);
    session->connection = (struct unique_id){engine->adapter, ++engine->last_connection};
    session->state = ENGINE_SESSION_LIVE;
    recovery_connected(session);
    session_portals_remember(session);
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
    return true;
}

bool engine_session_came_back(struct engine_session *session)
{
    if (!take_contact(session))
        return false;
    events_session(session, EVENT_SESSION_CONNECTED);
    engine_commands_resume(session);
    return true;
}

/* --- finding --- */

bool engine_session_exists(const struct engine *engine, const char *target)
{
    LIST_EACH(node, &engine->sessions)
    {
        if (name_equal(SESSION(node)->target, target))
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

/* --- what the contact tells --- */

static void on_ready(void *context, enum status status)
{
    struct engine_session *session = context;
    attempt_ready(session->attempt, status);
}

static void on_over(void *context, enum status status)
{
    struct engine_session *session = context;
    if (session->state == ENGINE_SESSION_LIVE) {
        recovery_begin(session);
        return;
    }
    if (session->logout != NULL)
        engine_logout_over(session, status);
    engine_session_remove(session);
}

const struct contact_events engine_session_events = {.ready = on_ready, .over = on_over};

static void log_out(struct engine_session *session)
{
    if (session->state == ENGINE_SESSION_RECONNECT) {
        engine_session_remove(session);
        return;
    }
    session->state = ENGINE_SESSION_LOGOUT;
    contact_logout(session->contact);
}

void engine_sessions_logout(struct engine *engine)
{
    LIST_EACH_SAFE(node, &engine->sessions)
    {
        log_out(SESSION(node));
    }
}

void engine_sessions_drop(struct engine *engine)
{
    struct list *first;
    while ((first = list_first(&engine->sessions)) != NULL)
        engine_session_remove(SESSION(first));
}
