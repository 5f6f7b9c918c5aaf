/* SCSI commands and the data that go to the target (RFC 7143, 4.2.5, 11.3, 11.7, 11.8). */
#include "initiator/internal.h"

#include <string.h>

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* --- bursts --- */

static struct burst *burst_take(struct task *task)
{
    struct burst *burst = &task->burst;

    if (burst->used)
        burst = pool_take(&task->session->bursts);
    if (!burst)
        return NULL;
    *burst = (struct burst){.task = task, .used = true};
    return burst;
}

static void burst_drop(struct burst *burst)
{
    struct task *task = burst->task;

    list_remove(&burst->link);
    task->bursts--;
    if (burst->ttt != PDU_RESERVED_TAG)
        task->r2ts--;
    burst->used = false;
    if (burst != &task->burst)
        pool_give(&task->session->bursts, burst);
}

void task_drop_bursts(struct task *task)
{
    if (task->bursts == 0)
        return;
    LIST_EACH_SAFE(node, &task->connection->bursts)
    {
        struct burst *burst = LIST_OWNER(node, struct burst, link);

        if (burst->task == task)
            burst_drop(burst);
    }
}

void bursts_clear(struct connection *connection)
{
    struct list *first;

    while ((first = list_first(&connection->bursts)))
        burst_drop(LIST_OWNER(first, struct burst, link));
}

/* False: out of memory; the connection is closed. */
static bool send_burst(struct connection *connection, struct task *task, uint32_t ttt,
                       uint32_t offset, uint32_t length)
{
    struct burst *burst = burst_take(task);

    if (!burst) {
        connection_fail(connection, STATUS_NO_MEMORY, "no memory to send data");
        return false;
    }
    burst->lun = ttt == PDU_RESERVED_TAG ? task->lun : connection->framer.pdu.lun;
    burst->ttt = ttt;
    burst->offset = offset;
    burst->length = length;
    task->bursts++;
    if (ttt != PDU_RESERVED_TAG)
        task->r2ts++;
    output_burst(connection, burst);
    return true;
}

static void send_data_out(struct connection *connection, struct burst *burst, struct frame *frame)
{
    struct task *task = burst->task;
    struct pdu pdu = {.opcode = PDU_DATA_OUT, .lun = burst->lun, .itt = task->itt};
    uint32_t length =
        least(burst->length - burst->sent, connection->values.max_send_data_segment_length);

    frame_set_data(frame, task, burst->offset + burst->sent, length);
    pdu.final = burst->sent + length == burst->length;
    pdu.data_out.ttt = burst->ttt;
    pdu.data_out.exp_stat_sn = connection->stat_sn.next;
    pdu.data_out.data_sn = burst->data_sn++;
    pdu.data_out.offset = burst->offset + burst->sent;
    burst->sent += length;
    burst->task->pdus_sent++;
    burst->task->bytes_sent += output_frame(connection, frame, &pdu, NULL);
    if (pdu.final)
        burst_drop(burst);
}

bool task_next_data_out(struct connection *connection)
{
    struct list *first = list_first(&connection->bursts);
    struct frame *frame;

    if (!first || connection->state == CONNECTION_CLOSED)
        return false;
    frame = pool_take(&connection->session->frames);
    if (!frame) {
        if (list_empty(&connection->output)) /* nothing would ever ask again */
            connection_fail(connection, STATUS_NO_MEMORY, "no memory to send data");
        return false;
    }
    frame->kind = FRAME_POOLED;
    send_data_out(connection, LIST_OWNER(first, struct burst, link), frame);
    return true;
}

/* --- the command --- */

/* CDB bytes from 16 on, and how much a bidirectional command reads (RFC 7143, 11.2.2.3, 4). */
static uint16_t make_ahs(const struct task *task, uint8_t *area, size_t room)
{
    size_t length = 0;

    if (task->long_cdb_length > PDU_CDB_LENGTH) {
        uint8_t segment[1 + TASK_CDB_MAX - PDU_CDB_LENGTH] = {0}; /* a reserved byte first */
        size_t rest = task->long_cdb_length - (size_t)PDU_CDB_LENGTH;

        memcpy(segment + 1, task->long_cdb + PDU_CDB_LENGTH, rest);
        length = ahs_append(area, room, 0, AHS_EXTENDED_CDB, segment, (uint16_t)(1 + rest));
    }
    if (task->data_in_length > 0 && task->data_out_length > 0) {
        uint8_t segment[5] = {0};

        put_be32(segment + 1, task->data_in_length);
        length = ahs_append(area, room, length, AHS_BIDI_READ_LENGTH, segment, sizeof segment);
    }
    return (uint16_t)length;
}

struct frame *task_command_frame(struct task *task)
{
    struct frame *frame = &task->frame;
    size_t ahs_length = 0;

    if (task->long_cdb_length > PDU_CDB_LENGTH)
        ahs_length = 8u + task->long_cdb_length - PDU_CDB_LENGTH; /* at most */
    if (task->data_in_length > 0 && task->data_out_length > 0)
        ahs_length += 8;
    if (ahs_length > FRAME_AHS_ROOM)
        return frame_new(PDU_BHS_LENGTH + ahs_length + PDU_DIGEST_LENGTH);
    frame->kind = FRAME_EMBEDDED;
    return frame;
}

static void fill_command(const struct task *task, struct pdu *pdu)
{
    const uint8_t *cdb = task->long_cdb_length > 0 ? task->long_cdb : task->cdb.bytes;
    size_t length = task->long_cdb_length > 0 ? task->long_cdb_length : sizeof task->cdb.bytes;

    pdu->scsi_command.read = task->data_in_length > 0;
    pdu->scsi_command.write = task->data_out_length > 0;
    pdu->scsi_command.attribute = task->attribute;
    pdu->scsi_command.expected_length =
        task->data_out_length > 0 ? task->data_out_length : task->data_in_length;
    pdu->scsi_command.cmd_sn = task->cmd_sn;
    memcpy(pdu->scsi_command.cdb, cdb, length < PDU_CDB_LENGTH ? length : PDU_CDB_LENGTH);
}

static uint32_t immediate_length(const struct connection *connection, const struct task *task)
{
    const struct key_values *values = &connection->values;
    uint32_t most = least(values->first_burst_length, values->max_send_data_segment_length);

    return values->immediate_data ? least(most, task->data_out_length) : 0;
}

/* Immediate data included (RFC 7143, 13.14). */
uint32_t task_unsolicited(const struct connection *connection, const struct task *task)
{
    const struct key_values *values = &connection->values;

    return values->initial_r2t ? immediate_length(connection, task)
                               : least(values->first_burst_length, task->data_out_length);
}

void task_send_command(struct connection *connection, struct task *task, struct frame *frame)
{
    struct pdu pdu = {.opcode = PDU_SCSI_COMMAND, .lun = task->lun, .itt = task->itt};
    uint8_t ahs[PDU_AHS_MAX];
    uint32_t immediate = immediate_length(connection, task);

    task->requested = task_unsolicited(connection, task);
    pdu.final = immediate == task->requested;
    pdu.ahs_length = make_ahs(task, ahs, sizeof ahs);
    pdu.scsi_command.exp_stat_sn = connection->stat_sn.next;
    fill_command(task, &pdu);
    frame_set_data(frame, task, 0, immediate);
    task->pdus_sent++;
    task->bytes_sent += output_frame(connection, frame, &pdu, ahs);
    if (!pdu.final)
        send_burst(connection, task, PDU_RESERVED_TAG, immediate, task->requested - immediate);
}

/* --- R2T --- */

/*
 * A target that has waited in vain gives an R2T up and sends another in its place (RFC 7143, 7.9):
 * what it counts as outstanding is less than what came here.
 */
static void drop_replaced(struct task *task, const struct pdu_r2t *r2t)
{
    LIST_EACH_SAFE(node, &task->connection->bursts)
    {
        struct burst *burst = LIST_OWNER(node, struct burst, link);
        uint32_t next = burst->offset + burst->sent;
        uint32_t end = burst->offset + burst->length;

        if (burst->task == task && burst->ttt != PDU_RESERVED_TAG && next >= r2t->offset &&
            end - r2t->offset <= r2t->length)
            burst_drop(burst);
    }
}

/* Where only a part of what was given up is asked for again, the rest of it is still to be sent. */
static uint32_t r2t_limit(const struct key_values *values)
{
    return values->error_recovery_level > 0 ? 2 * values->max_outstanding_r2t
                                            : values->max_outstanding_r2t;
}

/* What is wrong with it, or NULL. Nothing is added up: offset and length may be anything. */
static const char *r2t_fault(const struct connection *connection, const struct task *task,
                             const struct pdu_r2t *r2t)
{
    const struct key_values *values = &connection->values;
    uint32_t total = task->data_out_length;

    if (task->answered)
        return "after the status";
    if (r2t->ttt == PDU_RESERVED_TAG)
        return "without a TTT";
    if (r2t->length == 0 || r2t->length > values->max_burst_length)
        return "with a length that may not be";
    if (r2t->offset > total || r2t->length > total - r2t->offset)
        return "beyond the data";
    if (task->r2ts >= r2t_limit(values))
        return "beyond MaxOutstandingR2T";
    if (values->error_recovery_level > 0)
        return NULL; /* what was sent may be asked for again (RFC 7143, 7.9) */
    if (values->data_sequence_in_order && r2t->offset != task->requested)
        return "out of order";
    if (r2t->length > total - task->requested)
        return "for data that were asked for before";
    return NULL;
}

static void serve_r2t(struct connection *connection, struct task *task, const struct pdu_r2t *r2t)
{
    uint32_t end = r2t->offset + r2t->length;

    if (!connection->values.data_sequence_in_order)
        end = task->requested + r2t->length; /* counts bytes, wherever they are */
    if (task->requested < end && end <= task->data_out_length)
        task->requested = end;
    send_burst(connection, task, r2t->ttt, r2t->offset, r2t->length);
}

/* One is missing before it: that one and all behind it are to be sent again (RFC 7143, 11.16). */
static void ask_again(struct connection *connection, struct task *task, uint32_t r2t_sn)
{
    if (serial_less(task->data_sn.next, task->snack_end))
        return;
    task->snack_end = r2t_sn + 1;
    snack_data(connection, task, task->data_sn.next, 0);
}

void task_r2t(struct connection *connection)
{
    const struct pdu_r2t r2t = connection->framer.pdu.r2t;
    bool recovers = connection->values.error_recovery_level > 0;
    struct task *task;
    const char *fault;

    connection->statistics.r2ts++;
    window_update(connection->session, &r2t.sn);
    task = task_addressed(connection);
    if (!task)
        return;
    task_count_received(connection, task);
    if (task->resync)
        task->data_sn = (struct sn_window){.next = r2t.r2t_sn};
    task->resync = false;
    if (recovers && sn_came(&task->data_sn, r2t.r2t_sn))
        return;
    if (recovers && task->r2ts >= connection->values.max_outstanding_r2t)
        drop_replaced(task, &r2t);
    fault = r2t_fault(connection, task, &r2t);
    if (!fault && recovers && r2t.r2t_sn != task->data_sn.next) {
        ask_again(connection, task, r2t.r2t_sn);
        return;
    }
    if (!fault && sn_take(&task->data_sn, r2t.r2t_sn) != SN_NEXT)
        fault = "with a wrong R2TSN";
    if (fault)
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "R2T %s (offset %u, length %u of %u)",
                        fault, r2t.offset, r2t.length, task->data_out_length);
    else
        serve_r2t(connection, task, &r2t);
}
