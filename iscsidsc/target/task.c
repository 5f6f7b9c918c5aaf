/* SCSI commands: from the request to the acknowledged status (RFC 7143, 11.3, 11.4). */
#include "protocol/scsi.h"

#include "target/internal.h"

enum { UNEXPECTED_DATA = 0x0c0c }; /* ASC and ASCQ: unexpected unsolicited data */

static struct list *bucket_of(struct target_session *session, uint32_t itt)
{
    return &session->tags[(itt ^ itt >> 16) % TARGET_TAG_BUCKETS];
}

struct target_task *target_task_find(struct target_session *session, uint32_t itt)
{
    struct list *bucket = bucket_of(session, itt);
    struct target_task *answered = NULL;

    LIST_EACH(node, bucket)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, by_tag);

        if (task->pdu.itt != itt)
            continue;
        if (task->state != TARGET_TASK_ANSWERED)
            return task;
        answered = task;
    }
    return answered;
}

bool target_task_recovers(const struct target_task *task)
{
    return task->session->values.error_recovery_level > 0;
}

/* --- the request --- */

/* RFC 7143, 11.2.2.3: a reserved byte, then what the header had no room for. */
static bool take_extended_cdb(struct target_task *task, const struct ahs *ahs)
{
    uint16_t length = (uint16_t)(ahs->length - 1);

    if (ahs->length < 2)
        return false;
    if (length > TARGET_CDB_MAX - PDU_CDB_LENGTH)
        length = TARGET_CDB_MAX - PDU_CDB_LENGTH; /* no command of ours is longer */
    memcpy(task->cdb + PDU_CDB_LENGTH, ahs->data + 1, length);
    return true;
}

static bool take_ahs(struct target_task *task, const uint8_t *area)
{
    const struct pdu_scsi_command *command = &task->pdu.scsi_command;
    bool whole = task->cdb[0] != SCSI_VARIABLE_LENGTH;
    size_t offset = 0;
    struct ahs ahs;
    int more;

    while ((more = ahs_next(area, task->pdu.ahs_length, &offset, &ahs)) == 1) {
        if (ahs.type == AHS_EXTENDED_CDB && take_extended_cdb(task, &ahs)) {
            whole = true;
            continue;
        }
        if (ahs.type != AHS_BIDI_READ_LENGTH || ahs.length != 5 || !command->read ||
            !command->write)
            return false;
        task->in_expected = get_be32(ahs.data + 1);
    }
    return more == 0 && whole;
}

static bool take_header(struct target_task *task, const uint8_t *ahs)
{
    const struct pdu_scsi_command *command = &task->pdu.scsi_command;

    memcpy(task->cdb, command->cdb, PDU_CDB_LENGTH);
    if (command->write)
        task->out_expected = command->expected_length;
    else if (command->read)
        task->in_expected = command->expected_length;
    return take_ahs(task, ahs);
}

/* Checks what came with the command, and what is announced to follow, against what was negotiated.
 */
static void check_unsolicited(struct target_task *task)
{
    const struct key_values *values = &task->session->values;
    bool write = task->pdu.scsi_command.write;
    uint32_t length = task->pdu.data_length;
    bool more = write && !task->pdu.final;
    uint32_t most = values->first_burst_length < task->out_expected ? values->first_burst_length
                                                                    : task->out_expected;

    if ((length > 0 && (!values->immediate_data || !write)) || length > most ||
        (more && values->initial_r2t))
        task->failure = UNEXPECTED_DATA;
    task->unsolicited = (struct target_sequence){.open = more,
                                                 .offset = length,
                                                 .length = length < most ? most - length : 0,
                                                 .next = length};
    task->solicited = length < task->takes ? length : task->takes;
    target_ranges_init(&task->missing, task->solicited, task->takes);
}

/* Data for this many bytes wait already, of all initiators. */
enum { CROWD = 512 << 20 };

static bool is_crowded(const struct target_task *task)
{
    return task->session->entity->data_out_bytes + task->connection->output.queued > CROWD;
}

static bool make_room(struct target_task *task)
{
    if (task->pdu.scsi_command.write) {
        task->takes =
            target_scsi_takes(task->session->target, scsi_lun_number(task->pdu.lun), task->cdb);
        if (task->takes > task->out_expected)
            task->takes = task->out_expected;
    }
    if (task->takes == 0)
        return true;
    if (is_crowded(task)) {
        task->takes = 0;
        task->crowded = true;
        return true;
    }
    task->data_out = target_buffer_new(&task->session->entity->pool, task->takes);
    if (task->data_out == NULL)
        return false;
    task->session->entity->data_out_bytes += task->takes;
    return true;
}

struct target_task *target_task_new(struct target_connection *connection, const struct pdu *pdu,
                                    const uint8_t *ahs, bool *malformed)
{
    struct target_task *task = target_stock_take(&connection->entity->tasks, sizeof *task);

    if (task == NULL)
        return NULL;
    list_init(&task->link);
    list_init(&task->by_tag);
    task->session = connection->session;
    task->connection = connection;
    task->cid = connection->cid;
    task->pdu = *pdu;
    task->ack_ttt = PDU_RESERVED_TAG;
    *malformed = !take_header(task, ahs);
    if (*malformed || !make_room(task)) {
        target_task_free(task);
        return NULL;
    }
    check_unsolicited(task);
    return task;
}

void target_task_join(struct target_task *task)
{
    list_append(&task->session->tasks, &task->link);
    list_append(bucket_of(task->session, task->pdu.itt), &task->by_tag);
}

void target_task_change(struct target_task *task, const struct pdu *pdu)
{
    task->pdu = *pdu;
    memcpy(task->cdb, pdu->scsi_command.cdb, PDU_CDB_LENGTH);
}

static void leave_window(struct target_task *task)
{
    if (task->in_window)
        task->session->busy--;
    task->in_window = false;
}

static void release_data_out(struct target_task *task)
{
    if (task->data_out == NULL)
        return;
    task->session->entity->data_out_bytes -= task->takes;
    target_buffer_release(task->data_out);
    task->data_out = NULL;
}

void target_task_free(struct target_task *task)
{
    struct target_connection *connection = task->connection;

    if (connection != NULL && connection->incoming_task == task) { /* data are on their way */
        framer_place(&connection->framer, NULL, 0);
        connection->incoming_task = NULL;
    }
    if (task->kept != NULL)
        task->kept->task = NULL;
    leave_window(task);
    list_remove(&task->link);
    list_remove(&task->by_tag);
    target_ranges_clear(&task->missing);
    release_data_out(task);
    target_buffer_release(task->scsi.buffer);
    target_stock_put(&task->session->entity->tasks, task);
}

static void set_up(struct target_task *task)
{
    struct target_scsi *scsi = &task->scsi;

    scsi->pool = &task->session->entity->pool;
    scsi->session = task->session;
    scsi->target = task->session->target;
    scsi->lun = scsi_lun_number(task->pdu.lun);
    scsi->cdb = task->cdb;
    /* What may have to be sent again, or has a digest, must not change meanwhile. */
    scsi->borrow = !target_task_recovers(task) && !task->connection->framer.data_digest;
    scsi->expected_length = task->pdu.scsi_command.read ? task->in_expected : 0;
    scsi->out_expected = task->out_expected;
    scsi->data_out = task->data_out != NULL ? task->data_out->bytes : NULL;
    scsi->data_out_length = task->takes;
}

void target_task_start(struct target_task *task)
{
    task->state = TARGET_TASK_DATA;
    task->heard = task->connection->now;
    task->in_window = !task->pdu.immediate;
    if (task->in_window)
        task->session->busy++;
    set_up(task);
    if (!task->refused) /* by a fault */
        task->refused = !target_scsi_admit(&task->scsi);
    if (!task->refused && (task->crowded || is_crowded(task))) {
        task->scsi.status = SCSI_TASK_SET_FULL;
        task->refused = true;
    }
    target_task_request_data(task);
}

/* --- the answer --- */

struct residual {
    bool overflow;
    bool underflow;
    uint32_t count;
};

static struct residual residual_of(uint64_t real, uint32_t expected)
{
    if (real > expected)
        return (struct residual){.overflow = true, .count = (uint32_t)(real - expected)};
    return (struct residual){.underflow = real < expected, .count = (uint32_t)(expected - real)};
}

void target_task_response(const struct target_task *task, struct pdu *pdu)
{
    const struct target_scsi *scsi = &task->scsi;
    bool both = task->pdu.scsi_command.read && task->pdu.scsi_command.write;
    bool write = task->pdu.scsi_command.write;
    struct residual in = residual_of(scsi->in_length, task->in_expected);
    struct residual out = residual_of(scsi->out_length, task->out_expected);
    /* Without a direction the command may still be one that has data. */
    struct residual first = write || scsi->out_length > 0 ? out : in;

    *pdu = (struct pdu){.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = task->pdu.itt};
    pdu->scsi_response.response = task->response;
    pdu->scsi_response.status = scsi->status;
    pdu->scsi_response.overflow = first.overflow;
    pdu->scsi_response.underflow = first.underflow;
    pdu->scsi_response.residual = first.count;
    pdu->scsi_response.exp_data_sn = task->data_sn;
    pdu->scsi_response.snack_tag = task->snack_tag;
    if (both) {
        pdu->scsi_response.bidi_overflow = in.overflow;
        pdu->scsi_response.bidi_underflow = in.underflow;
        pdu->scsi_response.bidi_residual = in.count;
    }
}

/* Sense data with their length in front (RFC 7143, 11.4.7.2); `*length` 0: none. */
static struct target_buffer *sense_buffer(const struct target_task *task, uint32_t *length)
{
    const struct target_scsi *scsi = &task->scsi;
    struct target_buffer *buffer;

    *length = 0;
    if (scsi->sense_length == 0)
        return NULL;
    buffer = target_buffer_new(&task->session->entity->pool, scsi->sense_length + 2u);
    if (buffer == NULL)
        return NULL;
    put_be16(buffer->bytes, scsi->sense_length);
    memcpy(buffer->bytes + 2, scsi->sense, scsi->sense_length);
    *length = scsi->sense_length + 2u;
    return buffer;
}

void target_task_send_response(struct target_task *task)
{
    uint32_t length;
    struct target_buffer *sense = sense_buffer(task, &length);
    const uint8_t *data = sense != NULL ? sense->bytes : NULL;
    struct pdu pdu;

    task->collapsed = false;
    target_task_response(task, &pdu);
    if (task->kept == NULL) {
        target_send_status(task, &pdu, data, length, sense);
    } else { /* instead of the one that was sent, under its number */
        pdu.scsi_response.sn.stat_sn = task->stat_sn;
        target_keep_instead(task, &pdu, data, length, sense);
        target_send_again(task->connection, &pdu, data, length, sense);
    }
    target_buffer_release(sense);
}

/* RFC 7143, 11.7.3: bidirectional commands have a response of their own. */
bool target_task_collapses(const struct target_task *task)
{
    return !task->pdu.scsi_command.write && !task->session->entity->settings.separate_status;
}

/* Its place in the window is free when the status is numbered. */
static void answer(struct target_task *task)
{
    const struct target_scsi *scsi = &task->scsi;
    bool good = scsi->status == SCSI_GOOD || scsi->status == SCSI_CONDITION_MET;

    leave_window(task);
    task->state = TARGET_TASK_ANSWERED;
    if (task->pdu.scsi_command.read && good && scsi->data != NULL && task->in_expected > 0) {
        target_data_in_plan(task, 0, task->data_sn);
        task->collapsed = target_task_collapses(task);
        target_data_in_send(task, task->plan.first_sn);
    }
    if (!task->collapsed)
        target_task_send_response(task);
    if (!target_task_recovers(task))
        target_task_free(task);
}

void target_task_execute(struct target_task *task)
{
    struct target_scsi *scsi = &task->scsi;

    if (task->failure != 0)
        target_scsi_fail(scsi, SCSI_ABORTED_COMMAND, task->failure);
    else if (!task->refused)
        target_scsi_execute(scsi);
    release_data_out(task);
    answer(task);
}
