/* SCSI commands with data-in (RFC 7143, 11.3, 11.4, 11.7). */
#include "initiator/internal.h"

#include <string.h>

enum { TASK_IDLE, TASK_WAITING, TASK_ACTIVE };

/* What a task costs a connection beside its data: about as much as so many bytes. */
#define TASK_COST 4096u

struct connection *usable_connection(const struct session *session)
{
    struct connection *best = NULL;

    LIST_EACH(node, &session->connections)
    {
        struct connection *connection = LIST_OWNER(node, struct connection, link);

        if (connection->state == CONNECTION_FULL_FEATURE && !connection->closing &&
            (!best || connection->load < best->load))
            best = connection;
    }
    return best;
}

static uint64_t task_load(const struct task *task)
{
    return (uint64_t)task->data_in_length + TASK_COST;
}

static void bind_task(struct task *task, struct connection *connection)
{
    task->connection = connection;
    connection->tasks++;
    connection->load += task_load(task);
    connection->awaited += task->data_in_length;
}

static void unbind_task(struct task *task)
{
    struct connection *connection = task->connection;

    task->connection = NULL;
    connection->tasks--;
    connection->load -= task_load(task);
    connection->awaited -= task->data_in_length;
    logout_drained(connection);
}

bool session_usable(const struct session *session)
{
    return usable_connection(session) != NULL;
}

static void send_command(struct connection *connection, struct task *task)
{
    struct session *session = connection->session;
    struct pdu pdu = {
        .opcode = PDU_SCSI_COMMAND, .final = true, .lun = task->lun, .itt = task->itt};

    pdu.scsi_command.read = task->data_in_length > 0;
    pdu.scsi_command.attribute = TASK_ATTRIBUTE_SIMPLE;
    pdu.scsi_command.expected_length = task->data_in_length;
    pdu.scsi_command.cmd_sn = task->cmd_sn = session->cmd_sn++;
    pdu.scsi_command.exp_stat_sn = connection->exp_stat_sn;
    memcpy(pdu.scsi_command.cdb, task->cdb.bytes, sizeof pdu.scsi_command.cdb);
    output_frame(connection, &task->frame, &pdu);
}

void tasks_pump(struct session *session)
{
    struct connection *connection;
    struct list *first;

    while ((first = list_first(&session->waiting)) &&
           serial_less_equal(session->cmd_sn, session->max_cmd_sn) &&
           (connection = usable_connection(session))) {
        struct task *task = LIST_OWNER(first, struct task, link);

        task->itt = tag_take(&session->tags, SLOT_TASK, task, connection);
        if (task->itt == PDU_RESERVED_TAG)
            return; /* tried again when another task has ended */
        list_remove(&task->link);
        list_append(&session->active, &task->link);
        task->state = TASK_ACTIVE;
        bind_task(task, connection);
        send_command(connection, task);
    }
}

void session_submit(struct session *session, struct task *task, uint64_t now)
{
    task->session = session;
    task->connection = NULL;
    task->state = TASK_WAITING;
    task->itt = PDU_RESERVED_TAG;
    task->exp_data_sn = 0;
    task->transferred = task->residual = 0;
    task->overflow = task->underflow = false;
    task->scsi_status = SCSI_GOOD;
    task->sense_length = 0;
    task->frame.data.base = NULL;
    task->frame.data.length = 0;
    list_init(&task->frame.link);
    task->due = now + (task->timeout ? task->timeout : session->settings.timeouts.command);
    if (task->due < session->task_due)
        session->task_due = task->due;
    list_append(&session->waiting, &task->link);
    session->outstanding++;
    tasks_pump(session);
}

size_t session_outstanding(const struct session *session)
{
    return session->outstanding;
}

/* The target may still move data for a task that its owner gave up: the tag stays taken until
 * the answer, and nothing is written to the owner's memory any more. */
static void abandon(struct task *task)
{
    struct connection *connection = task->connection;
    struct slot *slot = tag_find(&task->session->tags, task->itt);

    if (slot) {
        slot->kind = SLOT_ABANDONED;
        slot->object = NULL;
    }
    if (connection->receiving == task) {
        connection->receiving = NULL;
        framer_place(&connection->framer, NULL, 0);
    }
    output_adopt(connection, &task->frame);
}

void task_finish(struct task *task, enum status status)
{
    struct session *session = task->session;

    if (task->state == TASK_ACTIVE) {
        tag_release(&session->tags, task->itt);
        unbind_task(task);
    }
    list_remove(&task->link);
    task->state = TASK_IDLE;
    task->status = status;
    session->outstanding--;
    task->done(task);
}

static void give_up(struct task *task, enum status status)
{
    if (task->state == TASK_ACTIVE) {
        abandon(task);
        task->itt = PDU_RESERVED_TAG;
    }
    task_finish(task, status);
}

void session_cancel(struct session *session, struct task *task)
{
    if (task->session == session && task->state != TASK_IDLE)
        give_up(task, STATUS_CANCELLED);
}

/* Does it have a connection that carries tasks, or will? */
static bool is_hopeful(const struct session *session)
{
    LIST_EACH(node, &session->connections)
    {
        const struct connection *connection = LIST_OWNER(node, struct connection, link);

        if (connection->state == CONNECTION_FULL_FEATURE || connection->state == CONNECTION_LOGIN)
            return true;
    }
    return false;
}

/* Moves the tasks that are on this connection, or all when it was the last one, aside first:
 * `done` may submit new ones. */
void tasks_fail(struct connection *connection, enum status status)
{
    struct session *session = connection->session;
    struct list failed;
    struct list *first;

    list_init(&failed);
    LIST_EACH_SAFE(node, &session->active)
    {
        struct task *task = LIST_OWNER(node, struct task, link);

        if (task->connection == connection) {
            list_remove(node);
            list_append(&failed, node);
        }
    }
    if (!is_hopeful(session)) {
        while ((first = list_first(&session->waiting))) {
            list_remove(first);
            list_append(&failed, first);
        }
    }
    while ((first = list_first(&failed)))
        task_finish(LIST_OWNER(first, struct task, link), status);
    tags_release_of(&session->tags, connection);
}

void tasks_tick(struct session *session, uint64_t now)
{
    uint64_t next = INITIATOR_NEVER;
    struct list *lists[] = {&session->active, &session->waiting};
    struct list late;
    struct list *first;

    if (now < session->task_due)
        return;
    list_init(&late);
    for (size_t i = 0; i < 2; i++) {
        LIST_EACH_SAFE(node, lists[i])
        {
            struct task *task = LIST_OWNER(node, struct task, link);

            if (task->due <= now) {
                list_remove(node);
                list_append(&late, node);
            } else if (task->due < next) {
                next = task->due;
            }
        }
    }
    session->task_due = next;
    while ((first = list_first(&late)))
        give_up(LIST_OWNER(first, struct task, link), STATUS_COMMAND_TIMEOUT);
}

/* --- answers --- */

struct task *task_find(struct connection *connection, uint32_t itt)
{
    struct slot *slot = tag_find(&connection->session->tags, itt);

    return slot && slot->kind == SLOT_TASK && slot->connection == connection ? slot->object : NULL;
}

static bool is_abandoned(struct connection *connection, uint32_t itt)
{
    struct slot *slot = tag_find(&connection->session->tags, itt);

    return slot && slot->kind == SLOT_ABANDONED && slot->connection == connection;
}

/* NULL when the answer is to be dropped, or the connection was closed over it. */
static struct task *answered_task(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    struct task *task = task_find(connection, pdu->itt);

    if (!task && !is_abandoned(connection, pdu->itt))
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "%s for the unknown task %08x",
                        pdu_opcode_name(pdu->opcode), pdu->itt);
    return task;
}

void task_data_in_header(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    struct task *task = answered_task(connection);
    uint32_t offset = pdu->data_in.offset;

    if (!task)
        return;
    if (pdu->data_in.data_sn != task->exp_data_sn) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "DataSN %u came where %u was due",
                        pdu->data_in.data_sn, task->exp_data_sn);
        return;
    }
    task->exp_data_sn++;
    /* DataPDUInOrder and DataSequenceInOrder are Yes: data come without gaps from the start. */
    if (pdu->data_length > 0 && (offset != task->transferred || offset > task->data_in_length ||
                                 pdu->data_length > task->data_in_length - offset)) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR,
                        "Data-In of %u bytes at offset %u of %u, where %u was due",
                        pdu->data_length, offset, task->data_in_length, task->transferred);
        return;
    }
    connection->receiving = task;
    framer_place_at(&connection->framer, task->data_in, task->data_in_count, offset);
}

static void take_residual(struct task *task, bool overflow, bool underflow, uint32_t residual)
{
    task->overflow = overflow && !underflow;
    task->underflow = underflow && !overflow;
    task->residual = task->overflow || task->underflow ? residual : 0;
}

static void finish_with_status(struct task *task, uint8_t scsi_status)
{
    task->scsi_status = scsi_status;
    task_finish(task, scsi_status == SCSI_GOOD ? STATUS_OK : STATUS_SCSI_STATUS);
}

static void release_abandoned(struct connection *connection, uint32_t itt)
{
    if (is_abandoned(connection, itt))
        tag_release(&connection->session->tags, itt);
}

void task_data_in(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const struct pdu_data_in *data_in = &pdu->data_in;
    struct task *task = connection->receiving;

    connection->receiving = NULL;
    window_update(connection->session, &data_in->sn);
    if (task)
        task->transferred += pdu->data_length;
    if (!data_in->status_present || !stat_sn_accept(connection, data_in->sn.stat_sn))
        return;
    if (!task) {
        release_abandoned(connection, pdu->itt);
        return;
    }
    take_residual(task, data_in->overflow, data_in->underflow, data_in->residual);
    finish_with_status(task, data_in->status);
}

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

void task_response(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const struct pdu_scsi_response *response = &pdu->scsi_response;
    struct task *task;

    window_update(connection->session, &response->sn);
    if (!stat_sn_accept(connection, response->sn.stat_sn))
        return;
    task = answered_task(connection);
    if (!task) {
        release_abandoned(connection, pdu->itt);
        return;
    }
    take_sense(task, connection->segment, pdu->data_length);
    take_residual(task, response->overflow, response->underflow, response->residual);
    task->scsi_status = response->status;
    if (response->response != SCSI_RESPONSE_COMPLETED)
        task_finish(task,
                    STATUS_SCSI_STATUS); /* a target failure is no success, whatever the status */
    else
        finish_with_status(task, response->status);
}
