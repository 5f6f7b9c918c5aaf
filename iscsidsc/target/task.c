/* SCSI commands: from the request to Data-In and the status (RFC 7143, 11.3, 11.4, 11.7). */
#include "protocol/scsi.h"

#include "target/internal.h"

/* Checks what came with the command against what was negotiated. */
static void check_unsolicited(struct target_task *task)
{
    const struct key_values *values = &task->session->values;
    uint32_t length = task->pdu.data_length;

    task->unsolicited = task->pdu.scsi_command.write && !task->pdu.final;
    if ((length > 0 && (!values->immediate_data || !task->pdu.scsi_command.write)) ||
        length > values->first_burst_length || (task->unsolicited && values->initial_r2t))
        task->failure = SCSI_ASC(0x0c, 0x0c); /* unexpected unsolicited data */
    task->asked = length;
    task->received = length < task->takes ? length : task->takes;
}

struct target_task *target_task_new(struct target_connection *connection, const struct pdu *pdu)
{
    const struct pdu_scsi_command *command = &pdu->scsi_command;
    struct target_task *task = os_alloc(sizeof *task);

    if (task == NULL)
        return NULL;
    list_init(&task->link);
    task->session = connection->session;
    task->connection = connection;
    task->pdu = *pdu;
    if (command->write) {
        task->takes =
            target_scsi_takes(connection->session->target, scsi_lun_number(pdu->lun), command->cdb);
        if (task->takes > command->expected_length)
            task->takes = command->expected_length;
    }
    check_unsolicited(task);
    task->data = task->takes > 0 ? os_grow(NULL, task->takes) : NULL;
    if (task->takes > 0 && task->data == NULL) {
        os_free(task);
        return NULL;
    }
    return task;
}

void target_task_free(struct target_task *task)
{
    struct target_connection *connection = task->connection;

    if (connection->incoming_task == task) { /* data are on their way into its buffer */
        framer_place(&connection->framer, NULL, 0);
        connection->incoming_task = NULL;
    }
    if (task->started && !task->pdu.immediate)
        task->session->busy--;
    list_remove(&task->link);
    os_free(task->data);
    os_free(task);
}

void target_task_start(struct target_task *task)
{
    task->started = true;
    if (!task->pdu.immediate)
        task->session->busy++;
    target_task_request_data(task);
}

/* --- answering --- */

struct residual {
    bool overflow;
    bool underflow;
    uint32_t count;
};

static struct residual residual_of(const struct target_task *task, const struct target_scsi *scsi)
{
    uint32_t expected = task->pdu.scsi_command.expected_length;
    struct residual residual = {0};

    if (scsi->data_length > expected) {
        residual.overflow = true;
        residual.count = (uint32_t)(scsi->data_length - expected);
    } else if (scsi->data_length < expected) {
        residual.underflow = true;
        residual.count = (uint32_t)(expected - scsi->data_length);
    }
    return residual;
}

static void send_response(struct target_task *task, const struct target_scsi *scsi)
{
    struct residual residual = residual_of(task, scsi);
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = task->pdu.itt};
    uint8_t sense[2 + sizeof scsi->sense];

    pdu.scsi_response.response = SCSI_RESPONSE_COMPLETED;
    pdu.scsi_response.status = scsi->status;
    pdu.scsi_response.overflow = residual.overflow;
    pdu.scsi_response.underflow = residual.underflow;
    pdu.scsi_response.residual = residual.count;
    pdu.scsi_response.exp_data_sn = task->data_sn;
    put_be16(sense, scsi->sense_length);
    memcpy(sense + 2, scsi->sense, scsi->sense_length);
    target_send_copy(task->connection, &pdu, sense,
                     scsi->sense_length > 0 ? scsi->sense_length + 2u : 0);
}

/* The data of a read; the status rides on the last PDU. */
static void send_data(struct target_task *task, const struct target_scsi *scsi, uint32_t length)
{
    struct target_connection *connection = task->connection;
    uint32_t segment = connection->values.max_send_data_segment_length;
    uint32_t burst = task->session->values.max_burst_length;
    uint32_t in_burst = 0;

    for (uint32_t offset = 0; offset < length;) {
        struct residual residual = residual_of(task, scsi);
        struct pdu pdu = {.opcode = PDU_DATA_IN, .itt = task->pdu.itt, .lun = task->pdu.lun};
        uint32_t now = length - offset < segment ? length - offset : segment;
        bool last;

        if (now > burst - in_burst)
            now = burst - in_burst;
        last = offset + now == length;
        in_burst = in_burst + now == burst ? 0 : in_burst + now;
        pdu.final = last || in_burst == 0;
        pdu.data_in.ttt = PDU_RESERVED_TAG;
        pdu.data_in.data_sn = task->data_sn++;
        pdu.data_in.offset = offset;
        if (last) {
            pdu.data_in.status_present = true;
            pdu.data_in.status = scsi->status;
            pdu.data_in.overflow = residual.overflow;
            pdu.data_in.underflow = residual.underflow;
            pdu.data_in.residual = residual.count;
        }
        target_send(connection, &pdu, scsi->data + offset, now, scsi->buffer);
        offset += now;
    }
}

/* The last act of a task: its place in the window is free when the status is numbered. */
static void answer(struct target_task *task, struct target_scsi *scsi)
{
    uint32_t expected = task->pdu.scsi_command.expected_length;
    uint32_t length = 0;

    if (!task->pdu.immediate)
        task->session->busy--;
    task->started = false;
    if (task->pdu.scsi_command.read && scsi->data != NULL && scsi->status == SCSI_GOOD)
        length = scsi->data_length < expected ? (uint32_t)scsi->data_length : expected;
    if (length > 0)
        send_data(task, scsi, length);
    else
        send_response(task, scsi);
    target_buffer_release(scsi->buffer);
    target_task_free(task);
}

void target_task_execute(struct target_task *task)
{
    struct target_scsi scsi = {
        .target = task->session->target,
        .lun = scsi_lun_number(task->pdu.lun),
        .cdb = task->pdu.scsi_command.cdb,
        .expected_length = task->pdu.scsi_command.read ? task->pdu.scsi_command.expected_length : 0,
        .data_out = task->data,
        .data_out_length = task->received,
    };

    if (task->failure != 0)
        target_scsi_fail(&scsi, SCSI_ABORTED_COMMAND, task->failure);
    else
        target_scsi_execute(&scsi);
    answer(task, &scsi);
}
