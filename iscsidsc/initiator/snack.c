/* Asking for what did not arrive, error recovery level 1 (RFC 7143, 7.2, 7.8, 11.16). */
#include "initiator/internal.h"

/* How often one task may lose data before that is taken for what the connection is like. */
#define SNACKS_MAX 32u

static void send_snack(struct connection *connection, struct pdu *pdu)
{
    if (pdu->snack.type != SNACK_DATA_ACK)
        connection->statistics.retries++;
    pdu->opcode = PDU_SNACK;
    pdu->final = true;
    pdu->snack.exp_stat_sn = connection->stat_sn.next;
    output_send(connection, pdu, NULL, 0);
}

void snack_status(struct connection *connection, uint32_t begin, uint32_t count)
{
    struct pdu pdu = {.itt = PDU_RESERVED_TAG};

    pdu.snack.type = SNACK_STATUS;
    pdu.snack.ttt = PDU_RESERVED_TAG;
    pdu.snack.begin_run = begin;
    pdu.snack.run_length = count;
    send_snack(connection, &pdu);
}

void snack_data(struct connection *connection, struct task *task, uint32_t begin, uint32_t count)
{
    struct pdu pdu = {.itt = task->itt, .lun = task->lun};

    if (task->snacks++ >= SNACKS_MAX) {
        connection_fail(connection, STATUS_DATA_DIGEST, "data are lost again and again");
        return;
    }
    pdu.snack.type = SNACK_DATA_R2T;
    pdu.snack.ttt = PDU_RESERVED_TAG;
    pdu.snack.begin_run = begin;
    pdu.snack.run_length = count;
    send_snack(connection, &pdu);
}

void snack_missing(struct connection *connection, struct task *task, uint32_t end)
{
    uint32_t begin = task->data_sn.next;
    uint64_t later = task->data_sn.later;

    /* The PDU numbered `end` itself may be marked already: what is behind the one before counts. */
    for (uint32_t sn = begin + 1; later && serial_less(sn, end); sn++, later >>= 1)
        if (later & 1)
            begin = sn + 1;
    if (serial_less(begin, task->snack_end))
        begin = task->snack_end;
    if (!serial_less(begin, end))
        return;
    task->snack_end = end;
    snack_data(connection, task, begin, end - begin);
}

void snack_acknowledge(struct connection *connection, struct task *task)
{
    struct pdu pdu = {.itt = PDU_RESERVED_TAG, .lun = task->ack_lun};

    task->acknowledge = false;
    task->acknowledged = task->data_sn.next;
    task->acknowledged_bytes = task->transferred;
    pdu.snack.type = SNACK_DATA_ACK;
    pdu.snack.ttt = task->ack_ttt;
    pdu.snack.begin_run = task->data_sn.next;
    send_snack(connection, &pdu);
}

/* --- a PDU whose data are damaged --- */

static void damaged_data_in(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    struct task *task = connection->receiving;
    uint32_t data_sn = pdu->data_in.data_sn;

    connection->receiving = NULL;
    if (!task) {
        if (pdu->data_in.status_present && !sn_came(&connection->stat_sn, pdu->data_in.sn.stat_sn))
            snack_status(connection, pdu->data_in.sn.stat_sn, 1);
        return;
    }
    snack_missing(connection, task, data_sn);
    if (connection->state == CONNECTION_CLOSED)
        return;
    if (serial_less(task->snack_end, data_sn + 1))
        task->snack_end = data_sn + 1;
    snack_data(connection, task, data_sn, 1);
}

/* What a target numbers can be asked for again. NULL: it is not numbered. */
static const struct pdu_sequence *numbers_of(const struct pdu *pdu)
{
    switch (pdu->opcode) {
    case PDU_SCSI_RESPONSE:
        return &pdu->scsi_response.sn;
    case PDU_TASK_RESPONSE:
        return &pdu->task_response.sn;
    case PDU_ASYNC_MESSAGE:
        return &pdu->async_message.sn;
    case PDU_REJECT:
        return &pdu->reject.sn;
    case PDU_TEXT_RESPONSE:
        return &pdu->text_response.sn;
    case PDU_LOGOUT_RESPONSE:
        return &pdu->logout_response.sn;
    case PDU_NOP_IN:
        return pdu->itt != PDU_RESERVED_TAG ? &pdu->nop_in.sn : NULL;
    default:
        return NULL;
    }
}

void snack_damaged(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const struct pdu_sequence *numbers = numbers_of(pdu);

    if (connection->state == CONNECTION_LOGIN || connection->values.error_recovery_level == 0)
        connection_fail(connection, STATUS_DATA_DIGEST, "wrong data digest in %s",
                        pdu_opcode_name(pdu->opcode));
    else if (pdu->opcode == PDU_DATA_IN)
        damaged_data_in(connection);
    else if (numbers && !sn_came(&connection->stat_sn, numbers->stat_sn))
        snack_status(connection, numbers->stat_sn, 1);
}
