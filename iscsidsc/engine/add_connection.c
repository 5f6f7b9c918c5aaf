/* Another connection for a session. */
#include "engine/adapter.h"
#include "engine/attempt.h"
#include "engine/checks.h"
#include "engine/connections.h"
#include "engine/ipsec.h"
#include "os/memory.h"

#include <string.h>

/* For so long after a connection has gone, a target may still count it. */
enum { LINGERS = 3000, FIRST_PAUSE = 100 /* milliseconds, doubled each time */ };

/* One that is being made. */
struct addition {
    struct engine_call *call;
    struct attempt attempt;
    struct portal_address portal;
    struct os_timer pause; /* until it is tried again */
    unsigned tries;
};

/* --- the end --- */

static void finish(struct addition *addition, enum status status)
{
    struct engine_call *call = addition->call;
    struct engine_connection *connection = addition->attempt.connection;
    struct reply_add_connection reply = {.connection = &connection->id};
    connection->login_ended = NULL;
    connection->adding = NULL;
    os_timer_clear(&addition->pause);
    attempt_end(&addition->attempt);
    os_free(addition);
    engine_finish(call, status, status == STATUS_OK ? &reply : NULL);
    if (status != STATUS_OK)
        engine_connection_free(connection);
}

/* No room for it, as long as the one that has made room is still there. */
static bool try_later(struct addition *addition, enum status status)
{
    const struct engine_session *session = addition->attempt.connection->session;
    uint64_t now = os_now();
    if (status != STATUS_LOGIN_CANT_INCLUDE && status != STATUS_LOGIN_TOO_MANY_CONNECTIONS)
        return false;
    uint64_t pause = (uint64_t)FIRST_PAUSE << addition->tries++;
    return session->connection_gone != 0 && now < session->connection_gone + LINGERS &&
           os_timer_set(session->engine->loop, &addition->pause, now + pause);
}

static void on_pause_over(struct os_timer *timer)
{
    struct addition *addition = LIST_OWNER(timer, struct addition, pause);
    attempt_start(&addition->attempt);
}

static void on_done(struct attempt *attempt, enum status status)
{
    struct addition *addition = LIST_OWNER(attempt, struct addition, attempt);
    if (try_later(addition, status))
        return;
    if (status == STATUS_OK && !engine_connection_took(attempt->connection))
        status = STATUS_NO_MEMORY;
    finish(addition, status);
}

/* The session has lost its other connections, or ends. */
static void on_session_ended(struct engine_connection *connection, enum status status)
{
    finish(connection->adding, status);
}

static void cancel(struct engine_call *call)
{
    finish(call->state, STATUS_CANCELLED);
}

/* --- the login's settings --- */

static bool given(const struct login_options *options, uint32_t option)
{
    return (options->specified & option) != 0;
}

static void copy_credentials(struct option_settings *own, const struct session_settings *session)
{
    struct chap_credentials *chap = &own->session.chap;
    own->session.auth = session->auth;
    own->session.auth_methods = session->auth_methods;
    if (session->auth == SESSION_AUTH_NONE)
        return;
    *chap = session->chap;
    memcpy(own->user_name, chap->name, strlen(chap->name) + 1);
    chap->name = own->user_name;
    if (chap->secret != NULL) {
        memcpy(own->secret, chap->secret, chap->secret_length);
        chap->secret = own->secret;
    }
    if (chap->peer_secret != NULL) {
        memcpy(own->peer_secret, chap->peer_secret, chap->peer_secret_length);
        chap->peer_secret = own->peer_secret;
    }
    if (chap->peer_name != NULL) {
        memcpy(own->peer_name, chap->peer_name, strlen(chap->peer_name) + 1);
        chap->peer_name = own->peer_name;
    }
}

/* What the options leave open is as in the session's login, and who we are in any case. */
static void inherit(struct option_settings *own, const struct login_options *options,
                    const struct session_settings *session)
{
    struct key_offers *offers = &own->session.offers;
    memcpy(own->initiator_name, session->initiator_name, strlen(session->initiator_name) + 1);
    own->session.target_name = session->target_name;
    if (!given(options, OPTION_HEADER_DIGEST))
        offers->header_digest = session->offers.header_digest;
    if (!given(options, OPTION_DATA_DIGEST))
        offers->data_digest = session->offers.data_digest;
    offers->max_recv_data_segment_length = session->offers.max_recv_data_segment_length;
    if (!given(options, OPTION_AUTH_TYPE))
        copy_credentials(own, session);
}

static enum status choose_settings(struct engine_connection *connection,
                                   const struct login_options *options)
{
    const struct engine_session *session = connection->session;
    const struct configuration_subject subject = {.target = session->target};
    if (options == NULL)
        return STATUS_OK;
    connection->own = os_alloc(sizeof *connection->own);
    if (connection->own == NULL)
        return STATUS_NO_MEMORY;
    enum status status = options_settings(session->engine, options, &subject, connection->own);
    if (status != STATUS_OK)
        return status;
    inherit(connection->own, options, session_settings(contact_session(session->contact)));
    connection->own->session.target_name = session->target;
    return STATUS_OK;
}

/* --- what must hold --- */

static enum status check_session(const struct engine_session *session)
{
    if (session == NULL)
        return STATUS_SESSION_NOT_FOUND;
    if (session->state == ENGINE_SESSION_LOGOUT || session->move.stage != MOVE_NONE)
        return STATUS_SESSION_BUSY;
    if (session->state == ENGINE_SESSION_RECONNECT)
        return STATUS_NO_CONNECTION;
    return STATUS_OK;
}

static enum status check_request(const struct request_add_connection *request,
                                 struct os_address *source, bool *has_source)
{
    enum status status =
        adapter_source(INITIATOR_INSTANCE, request->initiator_port, source, has_source);
    if (status == STATUS_OK && portal_given(request->portal))
        status = check_portal(request->portal);
    if (status == STATUS_OK)
        status = options_check(request->options);
    if (status == STATUS_OK)
        status = ipsec_check_flags(request->security_flags);
    return status;
}

static enum status check_room(const struct engine_session *session)
{
    const struct key_values *values = session_values(contact_session(session->contact));
    return engine_connections_count(session) < values->max_connections
               ? STATUS_OK
               : STATUS_TOO_MANY_CONNECTIONS;
}

/* --- the start --- */

/* Without one the portal is that which the leading connection uses. */
static void choose_portal(struct addition *addition, const struct request_add_connection *request)
{
    struct engine_connection *connection = addition->attempt.connection;
    const struct engine_connection *leading = engine_leading(connection->session);
    bool hops =
        request->options != NULL && (request->options->flags & LOGIN_FLAG_PORTAL_HOPPING) != 0;
    if (portal_given(request->portal)) {
        attempt_set_portal(&addition->portal, request->portal->address, request->portal->socket);
        connection->one_portal = !hops;
    } else {
        attempt_set_portal(&addition->portal, leading->address, leading->socket);
        connection->one_portal = leading->one_portal && !hops;
    }
}

static void start(struct addition *addition)
{
    struct attempt *attempt = &addition->attempt;
    struct engine_connection *connection = attempt->connection;
    choose_portal(addition, addition->call->request);
    attempt->joins = true;
    attempt->settings = connection->own != NULL ? &connection->own->session : NULL;
    attempt->portals = &addition->portal;
    attempt->count = 1;
    attempt->connect_timeout = connection->session->engine->parameters.tcp_connect_time * 1000;
    attempt->done = on_done;
    connection->login_ended = on_session_ended;
    connection->adding = addition;
    addition->pause.fire = on_pause_over;
    engine_pend(addition->call, cancel, addition);
    attempt_start(attempt);
}

static enum status begin(struct engine_call *call, struct engine_session *session)
{
    const struct request_add_connection *request = call->request;
    struct os_address source;
    bool has_source;
    enum status status = check_request(request, &source, &has_source);
    if (status == STATUS_OK)
        status = check_room(session);
    if (status != STATUS_OK)
        return status;
    struct addition *addition = os_alloc(sizeof *addition);
    struct engine_connection *connection =
        engine_connection_new(session, engine_connections_free_cid(session));
    status = addition != NULL && connection != NULL ? choose_settings(connection, request->options)
                                                    : STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        if (connection != NULL)
            engine_connection_free(connection);
        os_free(addition);
        return status;
    }
    connection->source = source;
    connection->has_source = has_source;
    addition->call = call;
    addition->attempt.connection = connection;
    start(addition);
    return STATUS_OK;
}

void engine_add_connection(struct engine_call *call)
{
    const struct request_add_connection *request = call->request;
    struct engine_session *session = engine_session_find(call->engine, request->session);
    enum status status = check_session(session);
    if (status == STATUS_OK)
        status = begin(call, session);
    if (status != STATUS_OK)
        engine_finish(call, status, NULL);
}
