/* NOP, logout and asynchronous messages (RFC 7143, 11.9, 11.14, 11.15, 11.18, 11.19). */
#include "protocol/scsi.h"

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

void target_connection_window(struct target_connection *connection, uint32_t commands)
{
    struct pdu pdu = {.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};

    if (connection->state != TARGET_FULL_FEATURE)
        return;
    connection->session->window = commands;
    pdu.nop_in.ttt = PDU_RESERVED_TAG;
    target_send(connection, &pdu, NULL, 0, NULL);
}

void target_connection_async_scsi(struct target_connection *connection, uint64_t lun,
                                  uint8_t sense_key, uint16_t asc)
{
    struct pdu pdu = {
        .opcode = PDU_ASYNC_MESSAGE, .final = true, .itt = PDU_RESERVED_TAG, .lun = lun};
    uint8_t data[2 + 18];

    if (connection->state != TARGET_FULL_FEATURE)
        return;
    pdu.async_message.event = ASYNC_SCSI;
    put_be16(data, 18);
    scsi_sense_encode(data + 2, sense_key, asc);
    target_send_copy(connection, &pdu, data, sizeof data);
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

bool target_connection_ask_logout(struct target_connection *connection, uint32_t seconds)
{
    struct pdu_async_message message = {.event = ASYNC_LOGOUT_REQUESTED};

    if (connection->state != TARGET_FULL_FEATURE)
        return false;
    message.parameter3 = (uint16_t)(seconds < UINT16_MAX ? seconds : UINT16_MAX);
    target_connection_async(connection, &message);
    return true;
}

void target_connection_drop(struct target_connection *connection)
{
    struct pdu_async_message message = {.event = ASYNC_DROP_CONNECTION,
                                        .parameter1 = connection->cid};

    message.parameter2 = (uint16_t)connection->values.default_time2wait;
    message.parameter3 = (uint16_t)connection->values.default_time2retain;
    target_connection_async(connection, &message);
    target_connection_end(connection, TARGET_END_CLOSE);
}

/* --- logout --- */

static void leave(struct target_connection *connection)
{
    connection->left = true;
    target_connection_end(connection, TARGET_END_CLOSE);
}

static void close_session(struct target_session *session, struct target_connection *last)
{
    LIST_EACH(node, &session->connections)
    {
        struct target_connection *connection = LIST_OWNER(node, struct target_connection, sibling);

        if (connection != last)
            leave(connection);
    }
    target_recovery_clear(session);
    leave(last);
}

/* What was lost already may be logged out too: then nothing is left to be closed. */
static enum logout_response check_logout(struct target_session *session,
                                         const struct pdu_logout_request *request,
                                         const struct target_connection *named)
{
    if (request->reason > LOGOUT_RECOVERY)
        return LOGOUT_CLEANUP_FAILED;
    if (request->reason == LOGOUT_CLOSE_SESSION)
        return LOGOUT_DONE;
    if (request->reason == LOGOUT_RECOVERY && session->values.error_recovery_level < 2)
        return LOGOUT_NO_RECOVERY;
    if (named != NULL)
        return LOGOUT_DONE;
    if (request->reason == LOGOUT_RECOVERY && target_recovery_allow(session, request->cid))
        return LOGOUT_DONE;
    if (request->reason == LOGOUT_CLOSE_CONNECTION && target_recovery_drop(session, request->cid))
        return LOGOUT_DONE;
    return LOGOUT_NO_CID;
}

/* Its tasks wait for TASK REASSIGN. */
static void leave_for_recovery(struct target_connection *connection)
{
    struct target_session *session = connection->session;

    if (target_recovery_possible(connection) && target_recovery_keep(connection))
        target_recovery_allow(session, connection->cid);
    leave(connection);
}

void target_logout(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_session *session = connection->session;
    const struct pdu_logout_request *request = &pdu->logout_request;
    struct target_connection *named = target_session_connection(session, request->cid);
    struct pdu answer = {.opcode = PDU_LOGOUT_RESPONSE, .final = true, .itt = pdu->itt};
    enum logout_response response = check_logout(session, request, named);

    answer.logout_response.response = (uint8_t)response;
    answer.logout_response.time2wait = (uint16_t)session->values.default_time2wait;
    answer.logout_response.time2retain = (uint16_t)session->values.default_time2retain;
    target_send(connection, &answer, NULL, 0, NULL);
    if (response != LOGOUT_DONE)
        return;
    if (request->reason == LOGOUT_CLOSE_SESSION)
        close_session(session, connection);
    else if (named != NULL && request->reason == LOGOUT_RECOVERY)
        leave_for_recovery(named);
    else if (named != NULL)
        leave(named);
}
