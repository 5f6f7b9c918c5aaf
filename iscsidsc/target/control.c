/* NOP, logout and asynchronous messages (RFC 7143, 11.9, 11.14, 11.15, 11.18, 11.19). */
#include "target/internal.h"

void target_nop_out(struct target_connection *connection, const struct pdu *pdu,
                    struct target_buffer *data)
{
    struct pdu answer = {.opcode = PDU_NOP_IN, .final = true, .itt = pdu->itt, .lun = pdu->lun};
    uint32_t limit = connection->values.max_send_data_segment_length;
    uint32_t length = data != NULL ? (uint32_t)data->length : 0;

    if (pdu->nop_out.ttt != PDU_RESERVED_TAG && pdu->nop_out.ttt == connection->ping_ttt)
        connection->ping_ttt = PDU_RESERVED_TAG;
    if (pdu->itt == PDU_RESERVED_TAG)
        return;
    answer.nop_in.ttt = PDU_RESERVED_TAG;
    target_send(connection, &answer, length > 0 ? data->bytes : NULL,
                length < limit ? length : limit, data);
}

void target_connection_ping(struct target_connection *connection)
{
    struct pdu pdu = {.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};

    if (connection->state != TARGET_FULL_FEATURE)
        return;
    connection->ping_ttt = target_session_ttt(connection->session);
    connection->nop_due = connection->now + connection->entity->settings.nop_timeout;
    pdu.nop_in.ttt = connection->ping_ttt;
    target_send(connection, &pdu, NULL, 0, NULL);
}

void target_connection_async(struct target_connection *connection,
                             const struct pdu_async_message *message)
{
    struct pdu pdu = {.opcode = PDU_ASYNC_MESSAGE, .final = true, .itt = PDU_RESERVED_TAG};

    if (connection->state != TARGET_FULL_FEATURE)
        return;
    pdu.async_message = *message;
    target_send(connection, &pdu, NULL, 0, NULL);
}

/* Ends all connections of the session but `last`. */
static void end_others(struct target_session *session, const struct target_connection *last)
{
    LIST_EACH(node, &session->connections)
    {
        struct target_connection *connection = LIST_OWNER(node, struct target_connection, sibling);

        if (connection != last)
            target_connection_end(connection, TARGET_END_CLOSE);
    }
}

void target_logout(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_session *session = connection->session;
    struct pdu answer = {.opcode = PDU_LOGOUT_RESPONSE, .final = true, .itt = pdu->itt};
    struct target_connection *named = connection;

    answer.logout_response.response = LOGOUT_DONE;
    answer.logout_response.time2wait = (uint16_t)session->values.default_time2wait;
    answer.logout_response.time2retain = (uint16_t)session->values.default_time2retain;
    if (pdu->logout_request.reason == LOGOUT_CLOSE_CONNECTION)
        named = target_session_connection(session, pdu->logout_request.cid);
    if (named == NULL)
        answer.logout_response.response = LOGOUT_NO_CID;
    else if (pdu->logout_request.reason == LOGOUT_RECOVERY)
        answer.logout_response.response = LOGOUT_NO_RECOVERY;
    else if (pdu->logout_request.reason > LOGOUT_RECOVERY)
        answer.logout_response.response = LOGOUT_CLEANUP_FAILED;
    target_send(connection, &answer, NULL, 0, NULL);
    if (answer.logout_response.response != LOGOUT_DONE)
        return;
    if (pdu->logout_request.reason == LOGOUT_CLOSE_SESSION)
        end_others(session, connection);
    target_connection_end(named, TARGET_END_CLOSE);
}
