/* Text requests and their answers over any number of PDUs (RFC 7143, 11.10, 11.11). */
#include "initiator/internal.h"

/* Not immediate: a target was seen to count immediate text requests as commands (istgt). */
static bool send_request(struct connection *connection, struct text_exchange *exchange,
                         uint32_t ttt, const void *data, size_t length)
{
    struct session *session = connection->session;
    struct pdu pdu = {.opcode = PDU_TEXT_REQUEST, .final = true, .itt = exchange->itt};

    pdu.data_length = (uint32_t)length;
    pdu.text_request.ttt = ttt;
    pdu.text_request.cmd_sn = exchange->cmd_sn = session->cmd_sn++;
    pdu.text_request.exp_stat_sn = connection->stat_sn.next;
    return output_send(connection, &pdu, data, length);
}

static uint64_t due_of(const struct session *session, const struct text_exchange *exchange,
                       uint64_t now)
{
    return now + (exchange->timeout > 0 ? exchange->timeout : session->settings.timeouts.command);
}

enum status session_text(struct session *session, struct text_exchange *exchange, uint64_t now)
{
    struct connection *connection = usable_connection(session);

    if (!connection)
        return STATUS_NO_CONNECTION;
    if (session->text || !serial_less_equal(session->cmd_sn, session->max_cmd_sn))
        return STATUS_SESSION_BUSY;
    if (exchange->request_length > connection->values.max_send_data_segment_length)
        return STATUS_TEXT_TOO_LONG;
    exchange->itt = tag_take(&session->tags, SLOT_TEXT, exchange, connection);
    if (exchange->itt == PDU_RESERVED_TAG)
        return STATUS_NO_MEMORY;
    exchange->connection = connection;
    exchange->received = 0;
    exchange->due = due_of(session, exchange, now);
    connection->now = now;
    session->text = exchange;
    send_request(connection, exchange, PDU_RESERVED_TAG, exchange->request,
                 exchange->request_length);
    return STATUS_OK;
}

void text_finish(struct session *session, enum status status)
{
    struct text_exchange *exchange = session->text;

    if (!exchange)
        return;
    session->text = NULL;
    tag_release(&session->tags, exchange->itt);
    exchange->done(exchange, status);
}

void text_fail(struct connection *connection, enum status status)
{
    struct session *session = connection->session;

    if (!session->text || session->text->connection != connection)
        return;
    recover_hole(session, session->text->cmd_sn);
    if (session->text)
        text_finish(session, status);
}

/* Ends the exchange over something the target did: nothing more of it may be mistaken later. */
static void refuse(struct connection *connection, enum status status, const char *detail)
{
    connection_fail(connection, status, "%s", detail);
}

static enum status take_piece(struct connection *connection, struct text_exchange *exchange)
{
    uint32_t length = connection->framer.pdu.data_length;

    if (length > 0) /* a target that goes on without saying anything gets no more time */
        exchange->due = due_of(connection->session, exchange, connection->now);
    exchange->received += length;
    if (exchange->received > exchange->limit)
        return STATUS_TEXT_TOO_LONG;
    return exchange->piece(exchange, (const char *)connection->segment, length);
}

void text_response(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const struct pdu_text_response *response = &pdu->text_response;
    struct session *session = connection->session;
    struct text_exchange *exchange = session->text;
    enum status status;

    window_update(session, &response->sn);
    if (!stat_sn_accept(connection, response->sn.stat_sn))
        return;
    if (!exchange || exchange->itt != pdu->itt || exchange->connection != connection) {
        refuse(connection, STATUS_PROTOCOL_ERROR, "Text Response with a wrong ITT");
        return;
    }
    if (pdu->final == (response->ttt != PDU_RESERVED_TAG) || (pdu->final && response->more)) {
        refuse(connection, STATUS_PROTOCOL_ERROR, "Text Response with F, C and TTT in conflict");
        return;
    }
    status = take_piece(connection, exchange);
    if (status != STATUS_OK)
        refuse(connection, status, "the text of a Text Response is not valid");
    else if (pdu->final)
        text_finish(session, STATUS_OK);
    else
        send_request(connection, exchange, response->ttt, NULL, 0);
}
