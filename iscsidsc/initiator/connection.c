/* A connection's life: made, logged in, carrying PDUs, closed. */
#include "initiator/internal.h"
#include "os/memory.h"

#include <stdarg.h>
#include <stdio.h>

struct connection *connection_new(struct session *session, uint16_t cid, void *owner)
{
    struct connection *connection = os_alloc(sizeof *connection);

    if (!connection)
        return NULL;
    connection->session = session;
    connection->owner = owner;
    connection->cid = cid;
    connection->state = CONNECTION_IDLE;
    connection->due = INITIATOR_NEVER;
    key_values_default(&connection->values);
    framer_init(&connection->framer);
    list_init(&connection->output);
    list_init(&connection->bursts);
    list_append(&session->connections, &connection->link);
    return connection;
}

static void forget_own(struct connection *connection)
{
    settings_forget(connection->own_texts);
    os_free(connection->own);
    connection->own = NULL;
    connection->own_texts = NULL;
}

bool connection_configure(struct connection *connection, const struct session_settings *settings)
{
    forget_own(connection);
    connection->own = os_alloc(sizeof *connection->own);
    if (!connection->own)
        return false;
    connection->own_texts = settings_keep(connection->own, settings);
    if (!connection->own_texts)
        forget_own(connection);
    return connection->own != NULL;
}

const struct session_settings *connection_settings(const struct connection *connection)
{
    return connection->own ? connection->own : &connection->session->settings;
}

void connection_free(struct connection *connection)
{
    if (!connection)
        return;
    connection->state = CONNECTION_CLOSED;
    output_clear(connection);
    tasks_fail(connection, STATUS_CANCELLED);
    tags_forget(&connection->session->tags, connection);
    statistics_add(&connection->session->gone, &connection->statistics);
    list_remove(&connection->link);
    login_free(connection);
    forget_own(connection);
    os_free(connection->segment);
    os_free(connection->redirect);
    os_free(connection);
}

void connection_start(struct connection *connection, uint64_t now)
{
    struct session *session = connection->session;
    enum status status = session_may_connect(session);

    if (status == STATUS_OK && session_connection(session, connection->cid))
        status = STATUS_INVALID_PARAMETER; /* the target would drop the other one */
    connection->now = now;
    if (status != STATUS_OK) {
        connection_fail(connection, status, "%s", status_text(status));
        return;
    }
    connection->state = CONNECTION_LOGIN;
    connection->due = now + connection_settings(connection)->timeouts.login;
    login_start(connection);
}

/* The others end with the one that the session's logout was sent on. */
static void close_others(struct connection *connection, enum status status)
{
    struct session *session = connection->session;

    if (session->logout != connection)
        return;
    session->logout = NULL;
    LIST_EACH_SAFE(node, &session->connections)
    {
        struct connection *other = LIST_OWNER(node, struct connection, link);

        if (other->state == CONNECTION_LOGOUT)
            connection_close(other, status);
    }
}

/* What has a time limit is theirs to watch from now on. */
static void wake_others(const struct connection *connection)
{
    struct session *session = connection->session;

    LIST_EACH(node, &session->connections)
    {
        struct connection *other = LIST_OWNER(node, struct connection, link);

        if (other != connection && other->state == CONNECTION_FULL_FEATURE)
            session->callbacks->output(other->owner, other);
    }
}

void connection_close(struct connection *connection, enum status status)
{
    struct session *session = connection->session;
    enum status task_status = status == STATUS_OK ? STATUS_NO_CONNECTION : status;
    bool keep = recover_wanted(connection, status);
    bool carried = connection->state == CONNECTION_FULL_FEATURE || connection->draining;

    if (connection->closing || connection->state == CONNECTION_CLOSED)
        return;
    connection->closing = true;
    connection->receiving = NULL;
    framer_place(&connection->framer, NULL, 0);
    output_clear(connection);
    connection->state = CONNECTION_CLOSED;
    connection->due = INITIATOR_NEVER;
    login_free(connection);
    forget_own(connection);
    recover_lost(connection);
    if (keep)
        recover_keep(connection);
    else if (status != STATUS_OK)
        fence_lost(connection, status, carried);
    managements_fail(session, connection, task_status);
    tasks_fail(connection, task_status);
    text_fail(connection, task_status);
    wake_others(connection);
    session->callbacks->closed(connection->owner, connection, status);
    connection->closing = false;
    close_others(connection, status);
}

void connection_fail(struct connection *connection, enum status status, const char *detail, ...)
{
    va_list arguments;

    if (connection->closing || connection->state == CONNECTION_CLOSED)
        return;
    va_start(arguments, detail);
    vsnprintf(connection->detail, sizeof connection->detail, detail, arguments);
    va_end(arguments);
    connection_close(connection, status);
}

void connection_lost(struct connection *connection, enum status status)
{
    /* After a logout request the end of the connection is its answer (RFC 7143, 11.14). */
    if (connection->state == CONNECTION_LOGOUT && !connection->draining)
        status = STATUS_OK;
    connection_close(connection, status);
}

/* --- receiving --- */

void connection_read_begin(struct connection *connection, void *look_ahead, size_t size)
{
    framer_attach(&connection->framer, look_ahead, size);
}

size_t connection_read_pieces(struct connection *connection, struct iov *pieces, size_t room)
{
    return framer_buffers(&connection->framer, pieces, room);
}

bool connection_read(struct connection *connection, size_t length, uint64_t now)
{
    struct framer *framer = &connection->framer;

    connection->now = connection->heard = now;
    connection->statistics.bytes_received += length;
    framer_filled(framer, length);
    while (connection->state != CONNECTION_CLOSED) {
        switch (framer_next(framer)) {
        case FRAMER_MORE:
            return true;
        case FRAMER_HEADER:
            receive_header(connection);
            break;
        case FRAMER_PDU:
            receive_pdu(connection);
            break;
        case FRAMER_DATA_DIGEST:
            connection->statistics.data_digest_errors++;
            snack_damaged(connection);
            break;
        case FRAMER_HEADER_DIGEST:
            connection->statistics.header_digest_errors++;
            connection_fail(connection, STATUS_HEADER_DIGEST, "wrong header digest");
            break;
        case FRAMER_TOO_LONG:
            connection_fail(connection, STATUS_PROTOCOL_ERROR,
                            "%s with %u bytes of data where %u were allowed",
                            pdu_opcode_name(framer->pdu.opcode), framer->pdu.data_length,
                            framer->max_data_length);
            break;
        }
    }
    return false;
}

void connection_read_end(struct connection *connection)
{
    framer_detach(&connection->framer);
}

size_t connection_awaited(const struct connection *connection, uint64_t *bytes)
{
    *bytes = connection->awaited;
    return connection->tasks;
}

size_t connection_solicited(const struct connection *connection)
{
    return connection->solicited;
}

/* --- time --- */

uint64_t connection_due(const struct connection *connection)
{
    const struct session *session = connection->session;
    uint64_t due = session_due(session);

    if (connection->state == CONNECTION_CLOSED || connection->state == CONNECTION_IDLE)
        return INITIATOR_NEVER;
    if (connection->due < due)
        due = connection->due;
    if (session->text && session->text->connection == connection && session->text->due < due)
        due = session->text->due;
    return due;
}

void connection_tick(struct connection *connection, uint64_t now)
{
    struct session *session = connection->session;

    connection->now = now;
    if (connection->due <= now && connection->state == CONNECTION_LOGIN) {
        connection_fail(connection, STATUS_LOGIN_TIMEOUT, "no end of the login in time");
        return;
    }
    if (connection->due <= now && connection->state == CONNECTION_LOGOUT) {
        logout_tick(connection);
    } else if (connection->due <= now && connection->state == CONNECTION_FULL_FEATURE) {
        alive_tick(connection);
    }
    if (connection->state == CONNECTION_CLOSED)
        return;
    /* A text exchange cannot be abandoned: the answer would be taken for that of the next. */
    if (session->text && session->text->connection == connection && session->text->due <= now)
        connection_fail(connection, STATUS_COMMAND_TIMEOUT, "no answer to a text request in time");
    else
        session_tick(session, now);
}

void connection_note_times(struct connection *connection, uint16_t time2wait, uint16_t time2retain)
{
    connection->times_told = true;
    connection->time2wait = time2wait;
    connection->time2retain = time2retain;
}

/* --- questions --- */

enum connection_state connection_state(const struct connection *connection)
{
    return (enum connection_state)connection->state;
}

uint16_t connection_cid(const struct connection *connection)
{
    return connection->cid;
}

const struct key_values *connection_values(const struct connection *connection)
{
    return &connection->values;
}

enum session_auth connection_auth(const struct connection *connection)
{
    return (enum session_auth)connection->auth;
}

unsigned connection_chap_algorithm(const struct connection *connection)
{
    return connection->chap_algorithm;
}

uint32_t connection_time2wait(const struct connection *connection)
{
    return connection->times_told ? connection->time2wait
                                  : connection->session->values.default_time2wait;
}

uint32_t connection_time2retain(const struct connection *connection)
{
    return connection->times_told ? connection->time2retain
                                  : connection->session->values.default_time2retain;
}

const struct portal_address *connection_redirect(const struct connection *connection)
{
    return connection->redirect;
}

const char *connection_detail(const struct connection *connection)
{
    return connection->detail;
}

void *connection_owner(const struct connection *connection)
{
    return connection->owner;
}

struct session *connection_session(const struct connection *connection)
{
    return connection->session;
}
