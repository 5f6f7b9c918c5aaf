#include "engine/connections.h"
#include "engine/attempt.h"
#include "engine/recovery.h"
#include "engine/statistics.h"
#include "engine/units.h"
#include "os/memory.h"

struct engine_connection *engine_connection_new(struct engine_session *session, uint16_t cid)
{
    struct engine_connection *connection = os_alloc(sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->session = session;
    connection->cid = cid;
    recovery_init(connection);
    list_append(&session->connections, &connection->link);
    return connection;
}

static void forget_own_settings(struct engine_connection *connection)
{
    if (connection->own == NULL)
        return;
    options_wipe(connection->own);
    os_free(connection->own);
}

void engine_connection_free(struct engine_connection *connection)
{
    list_remove(&connection->link);
    recovery_end(connection);
    statistics_keep_connection(connection);
    contact_leave(connection->contact);
    forget_own_settings(connection);
    os_free(connection->address);
    os_free(connection);
}

/* --- finding and counting --- */

struct engine_connection *engine_leading(const struct engine_session *session)
{
    struct list *first = list_first(&session->connections);
    return first != NULL ? ENGINE_CONNECTION(first) : NULL;
}

struct engine_connection *engine_connection_find(struct engine_session *session,
                                                 const struct unique_id *id)
{
    LIST_EACH(node, &session->connections)
    {
        struct engine_connection *connection = ENGINE_CONNECTION(node);
        if (id != NULL && connection->state != ENGINE_CONNECTION_LOGIN &&
            connection->id.specific == id->specific && connection->id.adapter == id->adapter)
            return connection;
    }
    return NULL;
}

struct engine_connection *engine_connection_of(const struct engine_session *session,
                                               const struct task *task)
{
    LIST_EACH(node, &session->connections)
    {
        struct engine_connection *connection = ENGINE_CONNECTION(node);
        if (connection->contact != NULL && task->connection != NULL &&
            contact_connection(connection->contact) == task->connection)
            return connection;
    }
    return NULL;
}

static size_t count(const struct engine_session *session, bool live_only)
{
    size_t found = 0;
    LIST_EACH(node, &session->connections)
    {
        found += !live_only || ENGINE_CONNECTION(node)->state == ENGINE_CONNECTION_LIVE;
    }
    return found;
}

size_t engine_connections_live(const struct engine_session *session)
{
    return count(session, true);
}

size_t engine_connections_count(const struct engine_session *session)
{
    return count(session, false);
}

static bool has_cid(const struct engine_session *session, uint16_t cid)
{
    LIST_EACH(node, &session->connections)
    {
        if (ENGINE_CONNECTION(node)->cid == cid)
            return true;
    }
    return false;
}

uint16_t engine_connections_free_cid(const struct engine_session *session)
{
    uint16_t cid = 1;
    while (cid != 0 && has_cid(session, cid))
        cid++;
    return cid;
}

/* --- its states --- */

/* False: out of memory, and the attempt still has its contact. */
static bool note_portal(struct engine_connection *connection)
{
    const struct portal_address *portal = attempt_portal(connection->attempt);
    char *address = os_copy_text(portal->host);
    if (address == NULL)
        return false;
    os_free(connection->address);
    connection->address = address;
    connection->socket = portal->port;
    return true;
}

bool engine_connection_took(struct engine_connection *connection)
{
    struct engine *engine = connection->session->engine;
    if (!note_portal(connection))
        return false;
    statistics_keep_connection(connection);
    contact_leave(connection->contact);
    connection->contact = attempt_take(connection->attempt);
    connection->attempt = NULL;
    if (connection->own != NULL)
        connection->own->session.chap.algorithm =
            connection_chap_algorithm(contact_connection(connection->contact));
    connection->has_local = contact_local_address(connection->contact, &connection->local);
    if (connection->id.specific == 0)
        connection->id = (struct unique_id){engine->adapter, ++engine->last_connection};
    connection->state = ENGINE_CONNECTION_LIVE;
    recovery_connected(connection);
    return true;
}

void engine_connection_portal(const struct engine_connection *connection,
                              struct portal_address *out)
{
    attempt_set_portal(out, connection->address, connection->socket);
}

static void on_ready(void *context, enum status status)
{
    struct engine_connection *connection = context;
    attempt_ready(connection->attempt, status);
}

/* While the others live only this one is made anew. */
static void lose(struct engine_connection *connection, enum status status)
{
    struct engine_session *session = connection->session;
    bool leaving = connection->state == ENGINE_CONNECTION_LEAVING;
    session->connection_gone = os_now();
    connection->state = ENGINE_CONNECTION_LOST;
    connection->fell_silent = status == STATUS_TRANSPORT_ERROR || status == STATUS_COMMAND_TIMEOUT;
    if (leaving) {
        engine_removal_over(connection);
        engine_connection_free(connection);
    }
    bool last = engine_connections_live(session) == 0;
    statistics_connection_over(session, status, last);
    if (last)
        engine_session_lost(session);
    else if (!leaving)
        recovery_begin(connection);
}

static void on_over(void *context, enum status status)
{
    struct engine_connection *connection = context;
    struct engine_session *session = connection->session;
    if (session->state == ENGINE_SESSION_LIVE)
        lose(connection, status);
    else if (connection->contact == session->farewell)
        engine_session_logged_out(session, status);
}

/* Of units: a SCSI event (RFC 7143, 11.9.1) tells what else a unit attention would. */
static void on_changed(void *context)
{
    const struct engine_connection *connection = context;
    if (connection->session->state == ENGINE_SESSION_LIVE)
        units_look_again(connection->session);
}

const struct contact_events engine_connection_events = {
    .ready = on_ready, .over = on_over, .changed = on_changed};
