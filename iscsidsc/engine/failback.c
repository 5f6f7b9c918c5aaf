/* Back to the portal that is preferred: it is looked at while the session is at another one. */
#include "engine/connections.h"
#include "engine/session_portals.h"

enum { DOUBLINGS_MOST = 4 }; /* of the pause after moves that failed */

static uint64_t interval(const struct engine_session *session)
{
    return session->engine->parameters.portal_failback_time * UINT64_C(1000);
}

/* Out of memory: when it has been connected the next time. */
static void look_later(struct engine_session *session)
{
    unsigned failures = session->failover.failures;
    if (interval(session) == 0)
        return; /* iscsi.conf was read again, and does not want it any more */
    unsigned doublings = failures < DOUBLINGS_MOST ? failures : DOUBLINGS_MOST;
    os_timer_set(session->engine->loop, &session->failover.timer,
                 os_now() + (interval(session) << doublings));
}

static void on_moved(struct engine_session *session, enum status status)
{
    session->failover.failures = status == STATUS_OK ? 0 : session->failover.failures + 1;
    if (session->state != ENGINE_SESSION_LOGOUT)
        failover_connected(session);
}

static void on_answer(void *context, enum status status, os_socket socket)
{
    struct engine_session *session = context;
    struct failover *failover = &session->failover;
    failover->probe = NULL;
    if (status == STATUS_OK) {
        os_close(socket);
        status = portal_move_start(session, &failover->probed, false, on_moved);
    }
    if (status != STATUS_OK)
        look_later(session);
}

/* The better ones, each in its turn. */
static bool choose(struct engine_session *session, struct portal_address *out)
{
    struct failover *failover = &session->failover;
    const struct engine_connection *leading = engine_leading(session);
    struct os_arena arena = {0};
    struct portal_address *portals, here;
    size_t count, better = 0;
    engine_connection_portal(leading, &here);
    unsigned rank = portal_rank(&failover->preference, &here);
    if (session_portals_known(session, false, &arena, &portals, &count) == STATUS_OK) {
        portals_sort(&failover->preference, portals, count);
        while (better < count && portal_rank(&failover->preference, &portals[better]) < rank)
            better++;
        if (better > 0)
            *out = portals[failover->looks++ % better];
    }
    os_arena_clear(&arena);
    return better > 0;
}

static void look(struct engine_session *session)
{
    struct failover *failover = &session->failover;
    const struct engine_connection *leading = engine_leading(session);
    uint64_t patience = session->engine->parameters.tcp_connect_time * UINT64_C(1000);
    if (patience > interval(session))
        patience = interval(session);
    const struct connector_target target = {
        .host = failover->probed.host,
        .port = failover->probed.port,
        .source = leading->has_source ? &leading->source : NULL,
        .timeout = (uint32_t)patience,
        .gate = session->engine->links.gate,
    };
    failover->probe = connector_start(session->engine->loop, &target, on_answer, session);
}

static void on_timer(struct os_timer *timer)
{
    struct engine_session *session = LIST_OWNER(timer, struct engine_session, failover.timer);
    if (interval(session) == 0)
        return;
    if (session->state == ENGINE_SESSION_LIVE && session->move.stage == MOVE_NONE &&
        choose(session, &session->failover.probed))
        look(session);
    if (session->failover.probe == NULL)
        look_later(session);
}

static void stop(struct failover *failover)
{
    os_timer_clear(&failover->timer);
    connector_cancel(failover->probe);
    failover->probe = NULL;
}

/* --- for the others --- */

void failover_init(struct engine_session *session)
{
    session->failover.timer.fire = on_timer;
}

void failover_preference(const struct scoped_parameters *parameters, struct portal_preference *out)
{
    portal_preference_set(out, parameters->preferred_portal, parameters->preferred_subnet);
}

/* With a session for each portal there is no sense in two that end at the same one. */
void failover_follow(struct engine_session *session)
{
    const struct scoped_parameters *parameters = &session->parameters;
    engine_leading(session)->one_portal =
        parameters->portal_failover == 0 || parameters->multipath == MULTIPATH_PORTAL;
    failover_preference(parameters, &session->failover.preference);
}

void failover_connected(struct engine_session *session)
{
    struct failover *failover = &session->failover;
    const struct engine_connection *leading = engine_leading(session);
    struct portal_address here;
    stop(failover);
    if (leading == NULL || leading->one_portal || leading->address == NULL ||
        interval(session) == 0)
        return;
    engine_connection_portal(leading, &here);
    bool prefers = failover->preference.has_network || failover->preference.portal.host[0] != '\0';
    if (prefers && portal_rank(&failover->preference, &here) > 0)
        look_later(session);
}

void failover_end(struct engine_session *session)
{
    portal_move_end(session);
    stop(&session->failover);
}
