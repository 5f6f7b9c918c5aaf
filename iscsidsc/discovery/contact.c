#include "discovery/contact.h"
#include "discovery/connector.h"
#include "os/crypto.h"
#include "os/list.h"
#include "os/memory.h"

#include <string.h>

/* What only the login needs. */
struct approach {
    struct portal_address portals[CONTACT_HOPS_MAX + 1]; /* visited; the last is the current one */
    size_t hops;
    struct os_address source;
    bool has_source;
    uint32_t connect_timeout;
    struct connector *connector;
};

/* Windows counts the connections of a session from 1. */
enum { FIRST_CID = 1 };

struct contact {
    struct link_base *base;
    const struct contact_events *events;
    void *context;
    struct approach *approach; /* NULL once ready() was told */
    struct session *session;
    struct connection *connection;
    struct link *link;
    struct os_job job;
    enum status status; /* of the closed connection */
    bool logged_in;     /* told by the core, maybe not yet by us */
    bool over;          /* the same */
    bool posted;
    bool running; /* inside on_job */
    bool closed;
};

/* The core may not be freed from inside its callbacks: what they tell is dealt with afterwards. */
static void post(struct contact *contact)
{
    if (contact->posted)
        return;
    contact->posted = true;
    os_loop_post(contact->base->loop, &contact->job);
}

/* --- the core's callbacks --- */

static void on_output(void *owner, struct connection *connection)
{
    struct contact *contact = owner;
    (void)connection;
    if (contact->link != NULL)
        link_output(contact->link);
}

static void on_logged_in(void *owner, struct connection *connection)
{
    struct contact *contact = owner;
    (void)connection;
    contact->logged_in = true;
    post(contact);
}

static void on_closed(void *owner, struct connection *connection, enum status status)
{
    struct contact *contact = owner;
    (void)connection;
    contact->over = true;
    contact->status = status;
    post(contact);
}

static void on_ask(void *owner, struct connection *connection, const struct chap_question *question)
{
    struct contact *contact = owner;
    (void)connection;
    link_ask(contact->link, question);
}

static const struct session_callbacks callbacks = {
    .output = on_output,
    .logged_in = on_logged_in,
    .closed = on_closed,
    .ask = on_ask,
};

/* --- connecting --- */

static struct portal_address *current_portal(struct approach *approach)
{
    return &approach->portals[approach->hops];
}

static void fail(struct contact *contact, enum status status)
{
    contact->over = true;
    contact->status = status;
    post(contact);
}

static void drop_session(struct contact *contact)
{
    link_close(contact->link);
    contact->link = NULL;
    contact->connection = NULL;
    session_free(contact->session);
    contact->session = NULL;
}

static void on_connected(void *context, enum status status, os_socket socket)
{
    struct contact *contact = context;
    contact->approach->connector = NULL;
    if (status != STATUS_OK) {
        fail(contact, status);
        return;
    }
    contact->connection = connection_new(contact->session, FIRST_CID, contact);
    if (contact->connection == NULL)
        os_close(socket);
    else
        contact->link = link_open(contact->base, socket, contact->connection);
    if (contact->link == NULL)
        fail(contact, STATUS_NO_MEMORY);
    else
        link_start(contact->link);
}

static bool connect_portal(struct contact *contact)
{
    struct approach *approach = contact->approach;
    const struct portal_address *portal = current_portal(approach);
    struct connector_target target = {
        .host = portal->host,
        .port = portal->port,
        .source = approach->has_source ? &approach->source : NULL,
        .timeout = approach->connect_timeout,
    };
    approach->connector = connector_start(contact->base->loop, &target, on_connected, contact);
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

/* The next try is a session of its own: nothing of what the moved target said may stay. */
static bool renew_session(struct contact *contact)
{
    struct session *session =
        session_new(session_settings(contact->session), &os_crypto, &callbacks, contact);
    if (session == NULL)
        return false;
    drop_session(contact);
    contact->session = session;
    return true;
}

/* False: contact->status tells why the redirect is not followed. */
static bool follow_redirect(struct contact *contact)
{
    struct approach *approach = contact->approach;
    const struct portal_address *to = NULL;
    if (contact->connection != NULL)
        to = connection_redirect(contact->connection);
    if (!is_redirect(contact->status) || to == NULL || to->host[0] == '\0')
        return false;
    if (approach->hops == CONTACT_HOPS_MAX || visited(approach, to)) {
        contact->status = STATUS_REDIRECT_LOOP;
        return false;
    }
    approach->portals[++approach->hops] = *to;
    contact->over = false;
    if (renew_session(contact) && connect_portal(contact))
        return true;
    contact->over = true;
    contact->status = STATUS_NO_MEMORY;
    return false;
}

/* --- telling --- */

static void forget_approach(struct contact *contact)
{
    if (contact->approach == NULL)
        return;
    connector_cancel(contact->approach->connector);
    os_free(contact->approach);
    contact->approach = NULL;
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

static void tell_login(struct contact *contact)
{
    if (contact->logged_in) {
        contact->events->ready(contact->context, STATUS_OK);
    } else if (!contact->over || follow_redirect(contact)) {
        return;
    } else {
        contact->over = false;
        contact->events->ready(contact->context, login_failure(contact->status));
    }
    forget_approach(contact);
}

static void tell(struct contact *contact)
{
    if (contact->approach != NULL)
        tell_login(contact);
    if (contact->approach == NULL && contact->over && !contact->closed) {
        contact->over = false;
        contact->events->over(contact->context, contact->status);
    }
}

static void on_job(struct os_job *job)
{
    struct contact *contact = LIST_OWNER(job, struct contact, job);
    contact->posted = false;
    if (!contact->closed) {
        contact->running = true;
        tell(contact);
        contact->running = false;
    }
    if (contact->closed && !contact->posted)
        os_free(contact);
}

/* --- for the owner --- */

static bool prepare(struct contact *contact, const struct contact_settings *settings)
{
    struct approach *approach = os_alloc(sizeof *approach);
    if (approach == NULL)
        return false;
    contact->approach = approach;
    approach->portals[0] = *settings->portal;
    approach->connect_timeout = settings->connect_timeout;
    if (settings->source != NULL) {
        approach->source = *settings->source;
        approach->has_source = true;
    }
    contact->session = session_new(settings->session, &os_crypto, &callbacks, contact);
    return contact->session != NULL && connect_portal(contact);
}

struct contact *contact_open(struct link_base *base, const struct contact_settings *settings,
                             const struct contact_events *events, void *context)
{
    struct contact *contact = os_alloc(sizeof *contact);
    if (contact == NULL)
        return NULL;
    contact->base = base;
    contact->events = events;
    contact->context = context;
    contact->job.run = on_job;
    if (!prepare(contact, settings)) {
        contact_close(contact);
        return NULL;
    }
    return contact;
}

void contact_close(struct contact *contact)
{
    if (contact == NULL || contact->closed)
        return;
    contact->closed = true;
    forget_approach(contact);
    drop_session(contact);
    if (!contact->running && !contact->posted)
        os_free(contact);
}

void contact_logout(struct contact *contact)
{
    if (contact->connection == NULL ||
        connection_state(contact->connection) != CONNECTION_FULL_FEATURE)
        return;
    contact_hold(contact);
    connection_logout(contact->connection, LOGOUT_CLOSE_SESSION, os_now());
    contact_release(contact);
}

void contact_drop(struct contact *contact, enum status status)
{
    if (contact->connection == NULL)
        return;
    contact_hold(contact);
    connection_lost(contact->connection, status);
    contact_release(contact);
}

bool contact_usable(const struct contact *contact)
{
    return contact->connection != NULL &&
           connection_state(contact->connection) == CONNECTION_FULL_FEATURE;
}

uint32_t contact_time2wait(const struct contact *contact)
{
    return contact->connection != NULL ? connection_time2wait(contact->connection) : 0;
}

uint64_t contact_heard(const struct contact *contact)
{
    return link_heard(contact->link);
}

void contact_hold(struct contact *contact)
{
    if (contact->link != NULL)
        link_hold(contact->link);
}

void contact_release(struct contact *contact)
{
    if (contact->link != NULL)
        link_release(contact->link);
}

struct session *contact_session(const struct contact *contact)
{
    return contact->session;
}

struct connection *contact_connection(const struct contact *contact)
{
    return contact->connection;
}

const struct portal_address *contact_portal(const struct contact *contact)
{
    return current_portal(contact->approach);
}

bool contact_local_address(const struct contact *contact, struct os_address *out)
{
    return contact->link != NULL && link_local_address(contact->link, out);
}
