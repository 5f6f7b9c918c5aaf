/* Which PDU goes where. */
#include "initiator/internal.h"
#include "os/memory.h"

/* Login text and the like: kept in one buffer of the connection, with room for a NUL. */
static void place_segment(struct connection *connection)
{
    uint32_t length = connection->framer.pdu.data_length;

    if (length + 1 > connection->segment_room) {
        uint8_t *segment = os_grow(connection->segment, length + 1);

        if (!segment) {
            connection_fail(connection, STATUS_NO_MEMORY, "no memory for %u bytes of data", length);
            return;
        }
        connection->segment = segment;
        connection->segment_room = length + 1;
    }
    connection->segment[length] = 0;
    connection->segment_piece.base = connection->segment;
    connection->segment_piece.length = length;
    framer_place(&connection->framer, &connection->segment_piece, 1);
}

void receive_header(struct connection *connection)
{
    const struct framer *framer = &connection->framer;
    const struct pdu *pdu = &framer->pdu;

    if (framer->decoded != STATUS_OK || !pdu_from_target(pdu->opcode)) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "a target may not send opcode %02x",
                        pdu->opcode);
        return;
    }
    connection->receiving = NULL;
    if (pdu->opcode == PDU_DATA_IN && connection->state != CONNECTION_LOGIN)
        task_data_in_header(connection);
    else
        place_segment(connection);
}

/* A segment buffer that one long answer needed is not kept by an idle session. */
static void shrink_segment(struct connection *connection)
{
    if (connection->segment_room > 512) {
        os_free(connection->segment);
        connection->segment = NULL;
        connection->segment_room = 0;
    }
}

static void receive_full_feature(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;

    switch (pdu->opcode) {
    case PDU_DATA_IN:
        task_data_in(connection);
        break;
    case PDU_SCSI_RESPONSE:
        task_response(connection);
        break;
    case PDU_R2T:
        task_r2t(connection);
        break;
    case PDU_TASK_RESPONSE:
        manage_response(connection);
        break;
    case PDU_NOP_IN:
        control_nop_in(connection);
        break;
    case PDU_TEXT_RESPONSE:
        text_response(connection);
        break;
    case PDU_LOGOUT_RESPONSE:
        logout_response(connection);
        break;
    case PDU_ASYNC_MESSAGE:
        control_async(connection);
        break;
    case PDU_REJECT:
        control_reject(connection);
        break;
    default:
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "%s was not asked for",
                        pdu_opcode_name(pdu->opcode));
        return;
    }
    if (connection->state != CONNECTION_CLOSED) {
        shrink_segment(connection);
        tasks_pump(connection->session);
    }
}

void receive_pdu(struct connection *connection)
{
    connection->statistics.pdus_received++;
    if (connection->state == CONNECTION_LOGIN)
        login_receive(connection);
    else
        receive_full_feature(connection);
}
