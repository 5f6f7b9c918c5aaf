/* Logging out a connection, on itself or on another one, and a session (RFC 7143, 11.14, 11.15). */
#include "initiator/internal.h"

static bool carries(const struct connection *connection)
{
    return connection->state == CONNECTION_FULL_FEATURE && !connection->closing;
}

static void begin(struct connection *connection, enum logout_reason reason, uint64_t due)
{
    connection->state = CONNECTION_LOGOUT;
    connection->logout_reason = (uint8_t)reason;
    connection->draining = false;
    connection->due = due;
}

/* The whole session ends with this one answer: nobody may send on the other connections. */
static void begin_session(struct connection *connection, uint64_t due)
{
    struct session *session = connection->session;

    session->logout = connection;
    LIST_EACH(node, &session->connections)
    {
        struct connection *other = LIST_OWNER(node, struct connection, link);

        if (other->state == CONNECTION_FULL_FEATURE || other->draining)
            begin(other, LOGOUT_CLOSE_SESSION, due);
    }
}

static void send_request(struct connection *connection, struct connection *via)
{
    struct session *session = connection->session;
    struct pdu pdu = {.opcode = PDU_LOGOUT_REQUEST, .immediate = true, .final = true};

    pdu.itt = tag_take(&session->tags, SLOT_LOGOUT, connection, via);
    if (pdu.itt == PDU_RESERVED_TAG) {
        connection_close(connection, STATUS_NO_MEMORY);
        return;
    }
    pdu.logout_request.reason = connection->logout_reason;
    pdu.logout_request.cid =
        connection->logout_reason == LOGOUT_CLOSE_SESSION ? 0 : connection->cid;
    pdu.logout_request.cmd_sn = session->cmd_sn;
    pdu.logout_request.exp_stat_sn = via->stat_sn.next;
    output_send(via, &pdu, NULL, 0);
}

void connection_logout_by(struct connection *connection, struct connection *via,
                          enum logout_reason reason, uint64_t now)
{
    struct session *session = connection->session;
    uint64_t due = now + session->settings.timeouts.logout;

    if (connection->closing || connection->state == CONNECTION_CLOSED ||
        (connection->state == CONNECTION_LOGOUT && !connection->draining && via == connection))
        return;
    connection->now = via->now = now;
    if (connection->state == CONNECTION_IDLE || connection->state == CONNECTION_LOGIN ||
        (via != connection && !carries(via))) {
        connection_close(connection, STATUS_CANCELLED);
        return;
    }
    if (reason == LOGOUT_CLOSE_SESSION)
        begin_session(connection, due);
    else
        begin(connection, reason, due);
    send_request(connection, via);
}

/* --- draining --- */

/* Its tasks end first: the target would terminate them (RFC 7143, 11.14.1). */
static void drain(struct connection *connection, uint64_t due)
{
    connection->state = CONNECTION_LOGOUT;
    connection->logout_reason = LOGOUT_CLOSE_CONNECTION;
    connection->draining = true;
    connection->due = due;
    logout_drained(connection);
}

void logout_drained(struct connection *connection)
{
    if (connection->draining && connection->tasks == 0 && !connection->closing)
        connection_logout_by(connection, connection, LOGOUT_CLOSE_CONNECTION, connection->now);
}

void connection_logout(struct connection *connection, enum logout_reason reason, uint64_t now)
{
    connection->now = now;
    if (reason == LOGOUT_CLOSE_CONNECTION && carries(connection))
        drain(connection, now + connection->session->settings.timeouts.command);
    else
        connection_logout_by(connection, connection, reason, now);
}

void logout_tick(struct connection *connection)
{
    if (connection->draining)
        connection_logout_by(connection, connection, LOGOUT_CLOSE_CONNECTION, connection->now);
    else
        connection_fail(connection, STATUS_LOGOUT_TIMEOUT, "no answer to the logout in time");
}

/* RFC 7143, 11.9.1, event 1: no later than Parameter3 says. */
void logout_requested(struct connection *connection, uint16_t seconds)
{
    struct session *session = connection->session;
    uint64_t time = seconds * UINT64_C(1000) / 2;

    if (!carries(connection))
        return;
    connection->state = CONNECTION_LOGOUT; /* not usable: is another one? */
    if (!usable_connection(session)) {
        connection->state = CONNECTION_FULL_FEATURE;
        connection_logout(connection, LOGOUT_CLOSE_SESSION, connection->now);
        return;
    }
    if (time > session->settings.timeouts.command)
        time = session->settings.timeouts.command;
    drain(connection, connection->now + time);
}

/* --- answers --- */

void logout_rejected(struct connection *connection, uint32_t itt)
{
    tag_release(&connection->session->tags, itt);
    connection_close(connection, STATUS_LOGOUT_FAILED);
}

void logout_response(struct connection *via)
{
    const struct pdu *pdu = &via->framer.pdu;
    const uint8_t response = pdu->logout_response.response;
    struct session *session = via->session;
    struct slot *slot = tag_find(&session->tags, pdu->itt);
    struct connection *connection;

    window_update(session, &pdu->logout_response.sn);
    if (!stat_sn_accept(via, pdu->logout_response.sn.stat_sn))
        return;
    if (slot && slot->connection == via && slot->kind == SLOT_RECOVERY) {
        tag_release(&session->tags, pdu->itt);
        recover_logged_out(session, response);
        return;
    }
    if (!slot || slot->connection != via ||
        (slot->kind != SLOT_LOGOUT && slot->kind != SLOT_ABANDONED)) {
        connection_fail(via, STATUS_PROTOCOL_ERROR, "Logout Response with a wrong ITT");
        return;
    }
    connection = slot->object; /* NULL: freed meanwhile */
    tag_release(&session->tags, pdu->itt);
    if (!connection)
        return;
    connection_note_times(connection, pdu->logout_response.time2wait,
                          pdu->logout_response.time2retain);
    if (response == LOGOUT_DONE || (response == LOGOUT_NO_CID && connection != via))
        connection_close(connection, STATUS_OK);
    else
        connection_fail(connection, STATUS_LOGOUT_FAILED, "Logout Response %u", response);
}
