/* An administrator sends a session to another portal of its target. */
#include "engine/checks.h"
#include "engine/connections.h"
#include "engine/session_portals.h"
#include "engine/units.h"

static bool find(const struct engine_session *session, const struct portal_address *wanted,
                 struct portal_address *out)
{
    struct os_arena arena = {0};
    struct portal_address *portals;
    size_t count, i = 0;
    if (session_portals_known(session, false, &arena, &portals, &count) != STATUS_OK)
        count = 0;
    while (i < count && !portal_is(&portals[i], wanted))
        i++;
    if (i < count)
        *out = portals[i];
    os_arena_clear(&arena);
    return i < count;
}

static void on_moved(struct engine_session *session, enum status status)
{
    struct engine_call *call = session->move.call;
    session->move.call = NULL;
    if (status != STATUS_OK) {
        session->failover.preference.portal = session->move.before;
        if (session->state != ENGINE_SESSION_LOGOUT)
            failover_connected(session); /* as it was before */
    }
    if (call != NULL)
        engine_finish(call, status, NULL);
}

static void on_refused(struct engine_session *session)
{
    session->failover.preference.portal = session->move.before;
    session->move.call = NULL; /* told by ourselves */
}

/* The caller is gone: the move goes on. */
static void cancel(struct engine_call *call)
{
    struct engine_session *session = call->state;
    session->move.call = NULL;
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static bool is_there(const struct engine_session *session, const struct portal_address *to)
{
    struct portal_address here;
    engine_connection_portal(engine_leading(session), &here);
    return session->state == ENGINE_SESSION_LIVE && portal_same(&here, to);
}

enum status portal_switch(struct engine_session *session, const char *address,
                          struct engine_call *call)
{
    struct portal_address wanted, to;
    if (session == NULL)
        return STATUS_SESSION_NOT_FOUND;
    if (address == NULL || !portal_wanted(address, &wanted))
        return STATUS_INVALID_ADDRESS;
    if (!find(session, &wanted, &to))
        return STATUS_NO_PORTAL;
    if (session->move.stage != MOVE_NONE)
        return STATUS_SESSION_BUSY;
    session->move.before = session->failover.preference.portal;
    session->failover.preference.portal = to;
    if (is_there(session, &to)) {
        failover_connected(session);
        if (call != NULL)
            engine_finish(call, STATUS_OK, NULL);
        return STATUS_OK;
    }
    session->move.call = call;
    enum status status = portal_move_start(session, &to, true, on_moved);
    if (status != STATUS_OK)
        on_refused(session);
    else if (call != NULL)
        engine_pend(call, cancel, session);
    return status;
}

enum status portal_switch_at(struct engine *engine, uint32_t bus, uint32_t target,
                             const char *address)
{
    return portal_switch(units_session_at(engine, bus, target), address, NULL);
}

void engine_switch_portal(struct engine_call *call)
{
    const struct request_switch_portal *request = call->request;
    struct engine *engine = call->engine;
    struct engine_session *session = request->session != NULL
                                         ? engine_session_find(engine, request->session)
                                         : units_session_at(engine, request->bus, request->target);
    enum status status = portal_switch(session, request->address, call);
    if (status != STATUS_OK)
        engine_finish(call, status, NULL);
}
