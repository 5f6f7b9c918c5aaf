/* What answers a command: data and status (RFC 7143, 11.4, 11.7). */
#include "initiator/internal.h"

#include <string.h>

static bool recovers(const struct connection *connection)
{
    return connection->values.error_recovery_level > 0;
}

/* --- whose it is --- */

static bool is_abandoned(struct connection *connection, uint32_t itt)
{
    struct slot *slot = tag_find(&connection->session->tags, itt);

    return slot && slot->kind == SLOT_ABANDONED && slot->connection == connection;
}

/* What was asked for again may come twice, and the second time after the end of its task. */
static bool is_copy(const struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;

    if (!recovers(connection))
        return false;
    if (pdu->opcode == PDU_DATA_IN && pdu->data_in.status_present)
        return sn_came(&connection->stat_sn, pdu->data_in.sn.stat_sn);
    return pdu->opcode == PDU_DATA_IN || pdu->opcode == PDU_R2T;
}

struct task *task_addressed(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    struct slot *slot = tag_find(&connection->session->tags, pdu->itt);

    if (slot && slot->connection == connection && slot->kind == SLOT_TASK)
        return slot->object;
    if (!is_abandoned(connection, pdu->itt) && !is_copy(connection))
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "%s for the unknown task %08x",
                        pdu_opcode_name(pdu->opcode), pdu->itt);
    return NULL;
}

void tag_release_abandoned(struct connection *connection, uint32_t itt)
{
    if (is_abandoned(connection, itt))
        tag_release(&connection->session->tags, itt);
}

/* --- the end of a task --- */

static void finish_with_status(struct task *task)
{
    task_finish(task, task->response == SCSI_RESPONSE_COMPLETED && task->scsi_status == SCSI_GOOD
                          ? STATUS_OK
                          : STATUS_SCSI_STATUS);
}

/* Ends it, and only now acknowledges its status: the target may forget the data with that. */
static void finish_held(struct connection *connection, struct task *task)
{
    uint32_t stat_sn = task->held_stat_sn;

    if (stat_sn_accept(connection, stat_sn))
        finish_with_status(task);
    else if (connection->state != CONNECTION_CLOSED)
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "two statuses have StatSN %08x",
                        stat_sn);
}

/* An R2T that did not come is not missed any more. Of a bidirectional command that was taken over,
 * nobody can tell which numbers had been R2Ts. */
static bool waits_for_data(const struct connection *connection, const struct task *task)
{
    if (task->data_in_length == 0 || (task->data_out_length > 0 && task->taken_over))
        return false;
    return recovers(connection) && serial_less(task->data_sn.next, task->data_sn_end);
}

/* Its status is here, and `data_sn_end` says how many data PDUs there were. */
static void answered(struct connection *connection, struct task *task, uint32_t data_sn_end,
                     uint32_t stat_sn)
{
    task->answered = true;
    task->data_sn_end = data_sn_end;
    task->held_stat_sn = stat_sn;
    if (waits_for_data(connection, task))
        snack_missing(connection, task, data_sn_end);
    else
        finish_held(connection, task);
}

static void data_came(struct connection *connection, struct task *task)
{
    bool whole = task->data_sn.later == 0;

    if (task->acknowledge && whole)
        snack_acknowledge(connection, task);
    if (connection->state == CONNECTION_CLOSED || !task->answered)
        return;
    if (!waits_for_data(connection, task))
        finish_held(connection, task);
    else if (whole) /* what was too far ahead, and so dropped */
        snack_missing(connection, task, task->data_sn_end);
}

/* Is it a status that came before? False also when the connection was closed over it. */
static bool is_new_status(struct connection *connection, uint32_t stat_sn)
{
    if (recovers(connection))
        return !sn_came(&connection->stat_sn, stat_sn);
    if (serial_less(connection->stat_sn.next, stat_sn))
        stat_sn_accept(connection, stat_sn); /* fails */
    return stat_sn == connection->stat_sn.next && connection->state != CONNECTION_CLOSED;
}

static void take_residual(struct task *task, bool overflow, bool underflow, uint32_t residual)
{
    task->overflow = overflow && !underflow;
    task->underflow = underflow && !overflow;
    task->residual = task->overflow || task->underflow ? residual : 0;
}

/* --- Data-In --- */

static bool in_order(const struct connection *connection)
{
    return connection->values.data_pdu_in_order && connection->values.data_sequence_in_order &&
           !recovers(connection);
}

/* Where nothing is recovered, data come without gaps from the start (RFC 7143, 13.18, 13.19). */
static bool offset_fits(const struct connection *connection, const struct task *task)
{
    const struct pdu *pdu = &connection->framer.pdu;
    uint32_t offset = pdu->data_in.offset;

    if (pdu->data_length == 0)
        return true;
    if (in_order(connection) && offset != task->transferred)
        return false;
    return offset <= task->data_in_length && pdu->data_length <= task->data_in_length - offset &&
           pdu->data_length <= task->data_in_length - task->transferred;
}

void task_data_in_header(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const uint32_t data_sn = pdu->data_in.data_sn;
    struct task *task = task_addressed(connection);

    if (!task)
        return;
    if (recovers(connection) && sn_came(&task->data_sn, data_sn))
        return; /* it was sent again though it had come */
    if (!recovers(connection) && data_sn != task->data_sn.next) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "DataSN %u came where %u was due",
                        data_sn, task->data_sn.next);
        return;
    }
    if (!offset_fits(connection, task)) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR,
                        "Data-In of %u bytes at offset %u of %u, %u were there", pdu->data_length,
                        pdu->data_in.offset, task->data_in_length, task->transferred);
        return;
    }
    connection->receiving = task;
    framer_place_at(&connection->framer, task->data_in, task->data_in_count, pdu->data_in.offset);
}

/* False: the connection was closed over it. */
static bool count_data(struct connection *connection, struct task *task)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const uint32_t data_sn = pdu->data_in.data_sn;
    enum sn_order order = sn_take(&task->data_sn, data_sn);

    if (order == SN_FAR) { /* as if it had been lost: asked for when those before have come */
        if (serial_less(data_sn, task->snack_end))
            task->snack_end = data_sn;
        return true;
    }
    task->transferred += pdu->data_length;
    connection->statistics.data_in_bytes += pdu->data_length;
    if (pdu->data_in.acknowledge && recovers(connection)) {
        task->acknowledge = true;
        task->ack_ttt = pdu->data_in.ttt;
        task->ack_lun = pdu->lun;
    }
    if (order == SN_EARLY)
        snack_missing(connection, task, data_sn);
    return connection->state != CONNECTION_CLOSED;
}

static struct task *task_live(struct connection *connection)
{
    struct slot *slot = tag_find(&connection->session->tags, connection->framer.pdu.itt);

    return slot && slot->connection == connection && slot->kind == SLOT_TASK ? slot->object : NULL;
}

static void take_phase_collapse(struct connection *connection, struct task *task)
{
    const struct pdu_data_in *data_in = &connection->framer.pdu.data_in;

    take_residual(task, data_in->overflow, data_in->underflow, data_in->residual);
    task->scsi_status = data_in->status;
    task->response = SCSI_RESPONSE_COMPLETED;
    answered(connection, task, data_in->data_sn + 1, data_in->sn.stat_sn);
}

void task_data_in(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const struct pdu_data_in *data_in = &pdu->data_in;
    struct task *task = connection->receiving;
    bool status;

    connection->receiving = NULL;
    window_update(connection->session, &data_in->sn);
    if (task)
        task_count_received(connection, task);
    if (task && !count_data(connection, task))
        return;
    if (!task) /* data that had come already; the status with them may not have */
        task = task_live(connection);
    status = data_in->status_present && is_new_status(connection, data_in->sn.stat_sn);
    if (connection->state == CONNECTION_CLOSED)
        return;
    if (!task && status && stat_sn_accept(connection, data_in->sn.stat_sn))
        tag_release_abandoned(connection, pdu->itt);
    else if (task && status && !task->answered)
        take_phase_collapse(connection, task);
    else if (task)
        data_came(connection, task);
}

/* --- SCSI Response --- */

/* RFC 7143, 11.4.7: SenseLength, then the sense. What is cut short is taken as far as it goes. */
static void take_sense(struct task *task, const uint8_t *segment, size_t length)
{
    size_t sense;

    if (length < 2)
        return;
    sense = get_be16(segment);
    if (sense > length - 2)
        sense = length - 2;
    if (sense > sizeof task->sense)
        sense = sizeof task->sense;
    memcpy(task->sense, segment + 2, sense);
    task->sense_length = (uint16_t)sense;
}

static void take_bidi_residual(struct task *task, const struct pdu_scsi_response *response)
{
    task->bidi_overflow = response->bidi_overflow && !response->bidi_underflow;
    task->bidi_underflow = response->bidi_underflow && !response->bidi_overflow;
    if (task->bidi_overflow || task->bidi_underflow)
        task->bidi_residual = response->bidi_residual;
}

void task_response(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const struct pdu_scsi_response *response = &pdu->scsi_response;
    struct task *task;

    window_update(connection->session, &response->sn);
    if (!is_new_status(connection, response->sn.stat_sn))
        return;
    task = task_addressed(connection);
    if (!task) {
        if (connection->state != CONNECTION_CLOSED &&
            stat_sn_accept(connection, response->sn.stat_sn))
            tag_release_abandoned(connection, pdu->itt);
        return;
    }
    if (task->answered) /* a copy of one that waits for its data */
        return;
    task_count_received(connection, task);
    take_sense(task, connection->segment, pdu->data_length);
    take_residual(task, response->overflow, response->underflow, response->residual);
    take_bidi_residual(task, response);
    task->scsi_status = response->status;
    task->response = response->response; /* a target failure is no success, whatever the status */
    /* ExpDataSN is reserved when the command was not completed (RFC 7143, 11.4.8). */
    answered(connection, task,
             response->response == SCSI_RESPONSE_COMPLETED ? response->exp_data_sn
                                                           : task->data_sn.next,
             response->sn.stat_sn);
}
