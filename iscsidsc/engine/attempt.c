#include "engine/attempt.h"
#include "engine/statistics.h"

#include <string.h>

/* What another portal of the same target would not do better, or ought not to: whoever demands
 * IPsec for one does not mean that another is used without it. */
static bool is_final(enum status status)
{
    switch (status) {
    case STATUS_NO_MEMORY:
    case STATUS_NO_RESOURCES:
    case STATUS_CANCELLED:
    case STATUS_NO_IPSEC:
    case STATUS_AUTHENTICATION_FAILED:
    case STATUS_TARGET_AUTHENTICATION_FAILED:
    case STATUS_RADIUS_UNAVAILABLE:
    case STATUS_RADIUS_NOT_CONFIGURED:
    case STATUS_LOGIN_AUTHENTICATION_FAILED:
    case STATUS_LOGIN_AUTHORIZATION_FAILED:
        return true;
    default:
        return false;
    }
}

static bool is_of_network(enum status status)
{
    switch (status) {
    case STATUS_NAME_UNRESOLVED:
    case STATUS_ADDRESS_FAMILY:
    case STATUS_CONNECT_REFUSED:
    case STATUS_CONNECT_TIMEOUT:
    case STATUS_CONNECT_UNREACHABLE:
    case STATUS_CONNECT_FAILED:
        return true;
    default:
        return false;
    }
}

/* The first failure counts, but what a target said counts more than that another was out of reach.
 */
static void note_failure(struct attempt *attempt, enum status status)
{
    if (attempt->failure == STATUS_OK ||
        (is_of_network(attempt->failure) && !is_of_network(status)))
        attempt->failure = status;
}

static bool open_contact(struct attempt *attempt, const struct portal_address *portal)
{
    struct engine_connection *connection = attempt->connection;
    struct engine_session *session = connection->session;
    const struct contact_settings settings = {
        .session = attempt->settings,
        .portal = portal,
        .source = connection->has_source ? &connection->source : NULL,
        .connect_timeout = attempt->connect_timeout,
        .buffers = session->parameters.tcp_window_size,
        .credentials_stay = session->engine->parameters.redirect_credentials == 0,
    };
    if (attempt->joins) {
        attempt->made = contact_join(session->contact, &settings, connection->cid,
                                     &engine_connection_events, connection);
        return attempt->made != NULL;
    }
    attempt->contact = contact_open(&session->engine->links, &settings, connection->cid,
                                    &engine_connection_events, connection);
    attempt->made = attempt->contact != NULL ? contact_first(attempt->contact) : NULL;
    return attempt->contact != NULL;
}

static void close_contact(struct attempt *attempt)
{
    if (attempt->contact != NULL)
        contact_close(attempt->contact);
    else
        contact_leave(attempt->made);
    attempt->contact = NULL;
    attempt->made = NULL;
}

static void fail(struct attempt *attempt, enum status status)
{
    attempt_end(attempt);
    attempt->done(attempt, status);
}

static enum status open_next(struct attempt *attempt)
{
    const struct portal_address *portal = &attempt->portals[attempt->next++];
    enum status status = attempt->choose != NULL ? attempt->choose(attempt, portal) : STATUS_OK;
    if (status == STATUS_OK && !open_contact(attempt, portal))
        status = STATUS_NO_MEMORY;
    return status;
}

static void try_next(struct attempt *attempt)
{
    enum status status = attempt->next == attempt->count ? attempt->failure : open_next(attempt);
    if (status != STATUS_OK)
        fail(attempt, status);
}

void attempt_start(struct attempt *attempt)
{
    attempt->connection->attempt = attempt;
    attempt->next = 0;
    attempt->failure = STATUS_OK;
    try_next(attempt);
}

void attempt_end(struct attempt *attempt)
{
    close_contact(attempt);
    if (attempt->connection != NULL && attempt->connection->attempt == attempt)
        attempt->connection->attempt = NULL;
}

void attempt_ready(struct attempt *attempt, enum status status)
{
    if (status == STATUS_OK) {
        attempt->done(attempt, STATUS_OK);
        return;
    }
    statistics_login_failed(attempt->connection->session);
    close_contact(attempt);
    if (is_final(status)) {
        fail(attempt, status);
        return;
    }
    note_failure(attempt, status);
    try_next(attempt);
}

const struct portal_address *attempt_portal(const struct attempt *attempt)
{
    return &attempt->portals[attempt->next - 1];
}

struct contact *attempt_session(const struct attempt *attempt)
{
    return attempt->contact;
}

struct contact_connection *attempt_take(struct attempt *attempt)
{
    struct contact_connection *made = attempt->made;
    attempt->contact = NULL;
    attempt->made = NULL;
    return made;
}

void attempt_set_portal(struct portal_address *out, const char *host, uint16_t port)
{
    memcpy(out->host, host, strlen(host) + 1);
    out->port = port;
}
