/* One connection of a session: how it is made, and what is told of it. */
#include "discovery/contact_internal.h"
#include "os/crypto.h"
#include "os/memory.h"

/* The core may not be freed from inside its callbacks: what they tell is dealt with afterwards. */
static void post(struct contact_connection *connection)
{
    if (connection->posted)
        return;
    connection->posted = true;
    os_loop_post(connection->contact->base->loop, &connection->job);
}

/* --- the core's callbacks --- */

static void on_output(void *owner, struct connection *core)
{
    struct contact_connection *connection = owner;
    (void)core;
    if (connection->wire != NULL)
        link_output(connection->wire);
}

static void on_logged_in(void *owner, struct connection *core)
{
    struct contact_connection *connection = owner;
    (void)core;
    connection->logged_in = true;
    post(connection);
}

/* What this connection was to do falls to the others: they have to see to it that it is done in
 * time. */
static void wake_others(const struct contact_connection *connection)
{
    LIST_EACH(node, &connection->contact->connections)
    {
        struct contact_connection *other = CONTACT_CONNECTION(node);
        if (other != connection && other->wire != NULL)
            link_output(other->wire);
    }
}

static void on_closed(void *owner, struct connection *core, enum status status)
{
    struct contact_connection *connection = owner;
    (void)core;
    wake_others(connection);
    connection->over = true;
    connection->status = status;
    post(connection);
}

static void on_ask(void *owner, struct connection *core, const struct chap_question *question)
{
    const struct contact_connection *connection = owner;
    (void)core;
    link_ask(connection->wire, question);
}

/* The others are about the connection or the session: the core does what they ask for. */
static bool tells_of_change(enum async_event event)
{
    return event < ASYNC_LOGOUT_REQUESTED || event > ASYNC_TASKS_TERMINATED;
}

static void on_asynchronous(void *owner, struct connection *core,
                            const struct pdu_async_message *message)
{
    struct contact_connection *connection = owner;
    (void)core;
    if (connection->events->changed == NULL || !tells_of_change(message->event))
        return;
    connection->changed = true;
    post(connection);
}

const struct session_callbacks contact_callbacks = {
    .output = on_output,
    .logged_in = on_logged_in,
    .closed = on_closed,
    .asynchronous = on_asynchronous,
    .ask = on_ask,
};

/* --- connecting --- */

static struct portal_address *current_portal(struct approach *approach)
{
    return &approach->portals[approach->hops];
}

static void fail(struct contact_connection *connection, enum status status)
{
    connection->over = true;
    connection->status = status;
    post(connection);
}

/* False: out of memory, and the socket is closed. */
static bool take_socket(struct contact_connection *connection, os_socket socket)
{
    const struct session_settings *settings = connection->approach->settings;
    struct contact *contact = connection->contact;
    connection->core = connection_new(contact->session, connection->cid, connection);
    if (connection->core == NULL ||
        (settings != NULL && !connection_configure(connection->core, settings))) {
        os_close(socket);
        return false;
    }
    connection->wire = link_open(contact->base, socket, connection->core);
    return connection->wire != NULL;
}

static void on_connected(void *context, enum status status, os_socket socket)
{
    struct contact_connection *connection = context;
    connection->approach->connector = NULL;
    if (status == STATUS_OK && !take_socket(connection, socket))
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        fail(connection, status);
    else
        link_start(connection->wire);
}

static bool connect_portal(struct contact_connection *connection)
{
    struct approach *approach = connection->approach;
    const struct portal_address *portal = current_portal(approach);
    struct connector_target target = {
        .host = portal->host,
        .port = portal->port,
        .source = approach->has_source ? &approach->source : NULL,
        .buffers = approach->buffers,
        .timeout = approach->connect_timeout,
        .gate = connection->contact->base->gate,
    };
    approach->connector =
        connector_start(connection->contact->base->loop, &target, on_connected, connection);
    return approach->connector != NULL;
}

/* --- redirects --- */

static bool is_redirect(enum status status)
{
    return status == STATUS_TARGET_MOVED_TEMPORARILY || status == STATUS_TARGET_MOVED_PERMANENTLY;
}

static bool visited(const struct approach *approach, const struct portal_address *portal)
{
    for (size_t i = 0; i <= approach->hops; i++) {
        if (approach->portals[i].port == portal->port &&
            name_equal(approach->portals[i].host, portal->host))
            return true;
    }
    return false;
}

static void drop_core(struct contact_connection *connection)
{
    contact_connection_shut(connection);
    connection_free(connection->core);
    connection->core = NULL;
}

/* The next try of a session's first login is a session of its own: nothing of what the moved target
 * said may stay. */
static bool renew(struct contact_connection *connection)
{
    struct contact *contact = connection->contact;
    drop_core(connection);
    if (session_tsih(contact->session) != 0)
        return true;
    struct session *session =
        session_new(session_settings(contact->session), &os_crypto, &contact_callbacks, contact);
    if (session == NULL)
        return false;
    session_free(contact->session);
    contact->session = session;
    return true;
}

static bool has_credentials(const struct contact_connection *connection)
{
    const struct session_settings *own = connection->approach->settings;
    const struct session_settings *settings =
        own != NULL ? own : session_settings(connection->contact->session);
    return settings->auth != SESSION_AUTH_NONE;
}

/* False: connection->status tells why the redirect is not followed. */
static bool follow_redirect(struct contact_connection *connection)
{
    struct approach *approach = connection->approach;
    const struct portal_address *to = NULL;
    if (connection->core != NULL)
        to = connection_redirect(connection->core);
    if (!is_redirect(connection->status) || to == NULL || to->host[0] == '\0')
        return false;
    if (approach->credentials_stay && has_credentials(connection))
        return false;
    if (approach->hops == CONTACT_HOPS_MAX || visited(approach, to)) {
        connection->status = STATUS_REDIRECT_LOOP;
        return false;
    }
    approach->portals[++approach->hops] = *to;
    connection->over = false;
    if (renew(connection) && connect_portal(connection))
        return true;
    connection->over = true;
    connection->status = STATUS_NO_MEMORY;
    return false;
}

/* --- telling --- */

static void forget_approach(struct contact_connection *connection)
{
    if (connection->approach == NULL)
        return;
    connector_cancel(connection->approach->connector);
    os_free(connection->approach);
    connection->approach = NULL;
}

static enum status login_failure(enum status status)
{
    switch (status) {
    case STATUS_OK:
    case STATUS_CONNECTION_CLOSED:
    case STATUS_CONNECTION_RESET:
    case STATUS_TRANSPORT_ERROR:
        return STATUS_CONNECT_FAILED;
    default:
        return status;
    }
}

static void tell_login(struct contact_connection *connection)
{
    if (connection->logged_in) {
        connection->events->ready(connection->context, STATUS_OK);
    } else if (!connection->over || follow_redirect(connection)) {
        return;
    } else {
        connection->over = false;
        connection->events->ready(connection->context, login_failure(connection->status));
    }
    forget_approach(connection);
}

static void tell(struct contact_connection *connection)
{
    if (connection->approach != NULL)
        tell_login(connection);
    if (connection->approach == NULL && connection->changed && !connection->closed) {
        connection->changed = false;
        connection->events->changed(connection->context);
    }
    if (connection->approach == NULL && connection->over && !connection->closed) {
        connection->over = false;
        connection->events->over(connection->context, connection->status);
    }
}

static void on_job(struct os_job *job)
{
    struct contact_connection *connection = LIST_OWNER(job, struct contact_connection, job);
    connection->posted = false;
    if (!connection->closed) {
        connection->running = true;
        tell(connection);
        connection->running = false;
    }
    if (connection->closed && !connection->posted)
        os_free(connection);
}

/* --- its life --- */

static bool prepare(struct contact_connection *connection, const struct contact_settings *settings)
{
    struct approach *approach = os_alloc(sizeof *approach);
    if (approach == NULL)
        return false;
    connection->approach = approach;
    approach->settings = settings->session;
    approach->portals[0] = *settings->portal;
    approach->buffers = settings->buffers;
    approach->connect_timeout = settings->connect_timeout;
    approach->credentials_stay = settings->credentials_stay;
    if (settings->source != NULL) {
        approach->source = *settings->source;
        approach->has_source = true;
    }
    return connect_portal(connection);
}

struct contact_connection *contact_connection_new(struct contact *contact,
                                                  const struct contact_settings *settings,
                                                  uint16_t cid, const struct contact_events *events,
                                                  void *context)
{
    struct contact_connection *connection = os_alloc(sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->contact = contact;
    connection->events = events;
    connection->context = context;
    connection->cid = cid;
    connection->job.run = on_job;
    list_append(&contact->connections, &connection->link);
    if (prepare(connection, settings))
        return connection;
    contact_connection_close(connection);
    return NULL;
}

void contact_connection_shut(struct contact_connection *connection)
{
    struct link *wire = connection->wire;
    connection->wire = NULL;
    link_close(wire);
    for (; connection->holds > 0; connection->holds--)
        link_release(wire);
}

void contact_connection_close(struct contact_connection *connection)
{
    connection->closed = true;
    list_remove(&connection->link);
    forget_approach(connection);
    contact_connection_shut(connection);
    if (!connection->running && !connection->posted)
        os_free(connection);
}

void contact_leave(struct contact_connection *connection)
{
    if (connection == NULL)
        return;
    drop_core(connection);
    contact_connection_close(connection);
}

void contact_drop(struct contact_connection *connection, enum status status)
{
    struct contact *contact = connection->contact;
    if (connection->core == NULL)
        return;
    contact_hold(contact);
    connection_lost(connection->core, status);
    contact_release(contact);
}

bool contact_part(struct contact_connection *connection)
{
    struct contact *contact = connection->contact;
    if (!contact_carries(connection))
        return false;
    contact_hold(contact);
    connection_logout(connection->core, LOGOUT_CLOSE_CONNECTION, os_now());
    contact_release(contact);
    return true;
}

/* --- questions --- */

bool contact_carries(const struct contact_connection *connection)
{
    return connection->core != NULL &&
           connection_state(connection->core) == CONNECTION_FULL_FEATURE;
}

struct connection *contact_connection(const struct contact_connection *connection)
{
    return connection->core;
}

const struct portal_address *contact_portal(const struct contact_connection *connection)
{
    return current_portal(connection->approach);
}

bool contact_local_address(const struct contact_connection *connection, struct os_address *out)
{
    return connection->wire != NULL && link_local_address(connection->wire, out);
}

uint32_t contact_time2wait(const struct contact_connection *connection)
{
    return connection->core != NULL ? connection_time2wait(connection->core) : 0;
}

uint64_t contact_heard(const struct contact_connection *connection)
{
    return link_heard(connection->wire);
}
