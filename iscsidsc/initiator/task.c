/* Tasks: waiting for the command window, on a connection, and over. */
#include "initiator/internal.h"

#include <string.h>

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
    return (uint64_t)task->data_in_length + task->data_out_length + TASK_COST;
}

void task_bind(struct task *task, struct connection *connection)
{
    task->connection = connection;
    connection->tasks++;
    connection->load += task_load(task);
    connection->awaited += task->data_in_length;
    task->solicited =
        task->taken_over || task_unsolicited(connection, task) < task->data_out_length;
    connection->solicited += task->solicited;
}

void task_unbind(struct task *task)
{
    struct connection *connection = task->connection;

    connection->tasks--;
    connection->load -= task_load(task);
    connection->awaited -= task->data_in_length;
    connection->solicited -= task->solicited;
    pools_rest(task->session, connection->now);
    logout_drained(connection);
}

bool session_usable(const struct session *session)
{
    return usable_connection(session) != NULL;
}

/* The first that is not held back by a task management function. */
static struct task *next_waiting(const struct session *session)
{
    LIST_EACH(node, &session->waiting)
    {
        struct task *task = LIST_OWNER(node, struct task, link);

        if (list_empty(&session->managements) || !manage_holds(session, task->lun))
            return task;
    }
    return NULL;
}

void tasks_pump(struct session *session)
{
    struct connection *connection;
    struct task *task;

    while (serial_less_equal(session->cmd_sn, session->max_cmd_sn) &&
           (task = next_waiting(session)) && (connection = usable_connection(session))) {
        struct frame *frame = task_command_frame(task);

        if (!frame)
            return; /* tried again when another task has ended */
        task->itt = tag_take(&session->tags, SLOT_TASK, task, connection);
        if (task->itt == PDU_RESERVED_TAG) {
            frame_free(frame);
            return;
        }
        list_remove(&task->link);
        list_append(&session->active, &task->link);
        task->state = TASK_ACTIVE;
        task->cmd_sn = session->cmd_sn++;
        task_bind(task, connection);
        connection->statistics.commands++;
        task_send_command(connection, task, frame);
    }
}

void task_count_received(const struct connection *connection, struct task *task)
{
    const struct pdu *pdu = &connection->framer.pdu;
    uint32_t length = PDU_BHS_LENGTH + pdu->ahs_length + ((pdu->data_length + 3u) & ~3u);

    if (connection->framer.header_digest)
        length += PDU_DIGEST_LENGTH;
    if (connection->framer.data_digest && pdu->data_length > 0)
        length += PDU_DIGEST_LENGTH;
    task->pdus_received++;
    task->bytes_received += length;
}

/* What the submitter left as it was after an earlier use. */
static void reset(struct task *task)
{
    task->connection = NULL;
    task->itt = PDU_RESERVED_TAG;
    task->scsi_status = SCSI_GOOD;
    task->transferred = task->residual = task->bidi_residual = 0;
    task->overflow = task->underflow = task->bidi_overflow = task->bidi_underflow = false;
    task->sent = false;
    task->pdus_sent = task->pdus_received = 0;
    task->bytes_sent = task->bytes_received = 0;
    task->sense_length = 0;
    task->response = SCSI_RESPONSE_COMPLETED;
    task->acknowledged = task->acknowledged_bytes = 0;
    task->burst.used = false;
    task->bursts = task->r2ts = task->frames = 0;
    task->data_sn = (struct sn_window){0};
    task->answered = task->acknowledge = task->resync = task->taken_over = false;
    task->reassigning = false;
    task->former_count = 0;
    task->reassignments = 0;
    task->rescue = 0;
    task->snack_end = task->snacks = 0;
    list_init(&task->deadline.link);
}

void session_submit(struct session *session, struct task *task, uint64_t now)
{
    uint32_t timeout = task->timeout ? task->timeout : session->settings.timeouts.command;

    reset(task);
    task->session = session;
    task->state = TASK_WAITING;
    task->deadline.kind = DEADLINE_TASK;
    deadline_set(session, &task->deadline,
                 timeout == TASK_FOREVER ? INITIATOR_NEVER : now + timeout);
    list_append(&session->waiting, &task->link);
    session->outstanding++;
    tasks_pump(session);
}

size_t session_outstanding(const struct session *session)
{
    return session->outstanding;
}

void task_finish(struct task *task, enum status status)
{
    struct session *session = task->session;

    list_remove(&task->link); /* should the connection fail now, this one is not of its tasks */
    if (task->state == TASK_ACTIVE) {
        output_forget(task->connection, task);
        tag_release(&session->tags, task->itt);
        task_unbind(task);
    } else if (task->state == TASK_KEPT) {
        tag_release(&session->tags, task->itt);
        recover_hole(session, task->cmd_sn);
    }
    deadline_clear(&task->deadline);
    task->state = TASK_IDLE;
    task->status = status;
    session->outstanding--;
    task->done(task);
}

/* The target may still move data for a task that its owner gave up: the tag stays taken until
 * the answer, and nothing is written to the owner's memory any more. True: it never got there. */
static bool abandon(struct task *task)
{
    struct connection *connection = task->connection;

    list_remove(&task->link);
    tag_abandon(&task->session->tags, task->itt, task->cmd_sn);
    if (connection->receiving == task) {
        connection->receiving = NULL;
        framer_place(&connection->framer, NULL, 0);
    }
    return output_forget(connection, task);
}

/* The tag is not the task's any more. */
static void finish_abandoned(struct task *task, enum status status)
{
    task->itt = PDU_RESERVED_TAG;
    task_finish(task, status);
}

void task_give_up(struct task *task, enum status status)
{
    if (task->state != TASK_ACTIVE) {
        task_finish(task, status);
        return;
    }
    /* One that is being aborted already need not be twice. */
    if (!abandon(task) && task->rescue == 0)
        manage_abort(task->connection, task);
    finish_abandoned(task, status);
}

void task_end_quietly(struct task *task, enum status status)
{
    abandon(task);
    finish_abandoned(task, status);
}

void session_cancel(struct session *session, struct task *task)
{
    if (task->session == session && task->state != TASK_IDLE)
        task_give_up(task, STATUS_CANCELLED);
}

bool session_hopeful(const struct session *session)
{
    LIST_EACH(node, &session->connections)
    {
        const struct connection *connection = LIST_OWNER(node, struct connection, link);

        if (connection->state == CONNECTION_FULL_FEATURE || connection->state == CONNECTION_LOGIN)
            return true;
    }
    return false;
}

static void finish_all(struct list *tasks, enum status status)
{
    struct list *first;

    while ((first = list_first(tasks)))
        task_finish(LIST_OWNER(first, struct task, link), status);
}

static void move_all(struct list *from, struct list *to)
{
    struct list *first;

    while ((first = list_first(from))) {
        list_remove(first);
        list_append(to, first);
    }
}

void tasks_fail_waiting(struct session *session, enum status status)
{
    struct list failed;

    list_init(&failed);
    if (!session_hopeful(session) && !recover_expected(session))
        move_all(&session->waiting, &failed);
    finish_all(&failed, status);
}

/* Their CmdSNs must not be missing to those on other connections. */
static void finish_lost(struct list *tasks, enum status status)
{
    struct list *first;

    while ((first = list_first(tasks))) {
        struct task *task = LIST_OWNER(first, struct task, link);

        recover_hole(task->session, task->cmd_sn);
        if (list_first(tasks) == first) /* it did not end over that */
            task_finish(task, status);
    }
}

/* The same of what nobody waits for any more. Plugging one may need another slot. */
static void plug_abandoned(const struct connection *connection)
{
    struct session *session = connection->session;

    for (uint32_t i = 0; i < session->tags.count; i++) {
        const struct slot *slot = &session->tags.slots[i];

        if (slot->kind == SLOT_ABANDONED && slot->connection == connection && slot->counted)
            recover_hole(session, slot->cmd_sn);
    }
}

/* Moves the tasks that are on this connection, and all when it was the last one, aside first:
 * `done` may submit new ones. */
void tasks_fail(struct connection *connection, enum status status)
{
    struct session *session = connection->session;
    struct list failed;

    list_init(&failed);
    LIST_EACH_SAFE(node, &session->active)
    {
        struct task *task = LIST_OWNER(node, struct task, link);

        if (task->connection != connection)
            continue;
        list_remove(node);
        list_append(&failed, node);
    }
    finish_lost(&failed, status);
    plug_abandoned(connection);
    tasks_fail_waiting(session, status);
    tags_release_of(&session->tags, connection);
}
