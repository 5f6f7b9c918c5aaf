/* Task management (RFC 7143, 4.2.3, 11.5, 11.6). */
#include "initiator/internal.h"

/* --- what a function is about --- */

static bool is_of_target(uint8_t function)
{
    return function == TASK_TARGET_WARM_RESET || function == TASK_TARGET_COLD_RESET;
}

static bool is_of_set(uint8_t function)
{
    return is_of_target(function) || function == TASK_ABORT_TASK_SET ||
           function == TASK_CLEAR_TASK_SET || function == TASK_LUN_RESET;
}

static bool covers(const struct management *management, uint64_t lun)
{
    return is_of_set(management->function) &&
           (is_of_target(management->function) || management->lun == lun);
}

bool manage_holds(const struct session *session, uint64_t lun)
{
    LIST_EACH(node, &session->managements)
    {
        if (covers(LIST_OWNER(node, struct management, link), lun))
            return true;
    }
    return false;
}

/* --- requests --- */

struct reference {
    uint64_t lun;
    uint32_t itt;
    uint32_t cmd_sn;
};

static void send_request(struct connection *connection, uint32_t itt, uint8_t function,
                         const struct reference *reference)
{
    struct pdu pdu = {.opcode = PDU_TASK_REQUEST, .immediate = true, .final = true, .itt = itt};

    pdu.lun = reference->lun;
    pdu.task_request.function = function;
    pdu.task_request.referenced_itt = reference->itt;
    pdu.task_request.ref_cmd_sn = reference->cmd_sn;
    pdu.task_request.cmd_sn = connection->session->cmd_sn;
    pdu.task_request.exp_stat_sn = connection->stat_sn.next;
    output_send(connection, &pdu, NULL, 0);
}

static struct reference reference_to(const struct task *task)
{
    return (struct reference){task->lun, task->itt, task->cmd_sn};
}

bool manage_abort(struct connection *connection, const struct task *task)
{
    struct reference reference = reference_to(task);
    void *itt = (void *)(uintptr_t)task->itt;
    uint32_t own;

    if (connection->state == CONNECTION_CLOSED || connection->session->logout)
        return false;
    own = tag_take(&connection->session->tags, SLOT_ABORT, itt, connection);
    if (own == PDU_RESERVED_TAG)
        return false;
    send_request(connection, own, TASK_ABORT_TASK, &reference);
    return true;
}

static bool is_active(const struct session *session, const struct task *task)
{
    return task && task->session == session && task->state == TASK_ACTIVE;
}

/* A task's function goes where the task is (RFC 7143, 11.5.1). */
static struct connection *choose(struct session *session, const struct management *management)
{
    struct connection *connection = usable_connection(session);

    if (management->function == TASK_ABORT_TASK)
        connection = management->task->connection;
    return session->logout ? NULL : connection;
}

enum status session_manage(struct session *session, struct management *management, uint64_t now)
{
    bool of_task = management->function == TASK_ABORT_TASK;
    struct reference reference = {management->lun, PDU_RESERVED_TAG, 0};
    uint32_t timeout = management->timeout;
    struct connection *connection;

    if (of_task ? !is_active(session, management->task)
                : !is_of_set(management->function) && management->function != TASK_CLEAR_ACA)
        return STATUS_INVALID_PARAMETER;
    connection = choose(session, management);
    if (!connection)
        return STATUS_NO_CONNECTION;
    management->itt = tag_take(&session->tags, SLOT_MANAGEMENT, management, connection);
    if (management->itt == PDU_RESERVED_TAG)
        return STATUS_NO_MEMORY;
    management->session = session;
    management->connection = connection;
    management->cmd_sn = session->cmd_sn;
    management->deadline.kind = DEADLINE_MANAGEMENT;
    if (of_task)
        reference = reference_to(management->task);
    management->referenced_itt = reference.itt;
    deadline_set(session, &management->deadline,
                 now + (timeout ? timeout : session->settings.timeouts.command));
    list_append(&session->managements, &management->link);
    send_request(connection, management->itt, management->function, &reference);
    return STATUS_OK;
}

/* --- the end of one --- */

static void finish(struct management *management, enum status status)
{
    struct session *session = management->session;

    list_remove(&management->link);
    deadline_clear(&management->deadline);
    management->status = status;
    management->done(management);
    tasks_pump(session);
}

/* An answer may still come. */
static void give_up(struct management *management, enum status status)
{
    tags_forget(&management->session->tags, management);
    finish(management, status);
}

void manage_late(struct management *management)
{
    give_up(management, STATUS_COMMAND_TIMEOUT);
}

void manage_rejected(struct management *management)
{
    tag_release(&management->session->tags, management->itt);
    finish(management, STATUS_REJECTED);
}

void session_manage_cancel(struct session *session, struct management *management)
{
    (void)session;
    give_up(management, STATUS_CANCELLED);
}

void managements_fail(struct session *session, const struct connection *connection,
                      enum status status)
{
    struct list failed;
    struct list *first;

    list_init(&failed);
    LIST_EACH_SAFE(node, &session->managements)
    {
        if (connection && LIST_OWNER(node, struct management, link)->connection != connection)
            continue;
        list_remove(node);
        list_append(&failed, node);
    }
    while ((first = list_first(&failed)))
        give_up(LIST_OWNER(first, struct management, link), status);
}

/* --- what a function that was carried out means for tasks --- */

/* The target has ended it. On the same connection no answer can be on its way any more. */
static void end_task(struct task *task, const struct connection *connection, enum status status)
{
    if (status == STATUS_SCSI_STATUS)
        task->scsi_status = SCSI_TASK_ABORTED;
    if (task->connection == connection && connection->stat_sn.later == 0)
        task_finish(task, status);
    else
        task_end_quietly(task, status);
}

static void end_tasks(const struct management *management)
{
    struct connection *connection = management->connection;
    struct session *session = management->session;
    struct list ended;
    struct list *first;

    list_init(&ended);
    LIST_EACH_SAFE(node, &session->active)
    {
        struct task *task = LIST_OWNER(node, struct task, link);

        if (!covers(management, task->lun) || !serial_less(task->cmd_sn, management->cmd_sn))
            continue;
        list_remove(node);
        list_append(&ended, node);
    }
    while ((first = list_first(&ended))) {
        struct task *task = LIST_OWNER(first, struct task, link);

        end_task(task, connection, task->rescue ? STATUS_COMMAND_TIMEOUT : STATUS_SCSI_STATUS);
    }
}

static bool is_gone(uint8_t response)
{
    return response == TASK_RESPONSE_COMPLETE || response == TASK_RESPONSE_NO_TASK;
}

static struct task *task_of(struct session *session, uint32_t itt)
{
    struct slot *slot = tag_find(&session->tags, itt);

    return slot && slot->kind == SLOT_TASK ? slot->object : NULL;
}

static void answered(struct management *management, uint8_t response)
{
    struct session *session = management->session;
    bool of_task = management->function == TASK_ABORT_TASK;
    struct task *task = of_task ? task_of(session, management->referenced_itt) : NULL;

    management->response = response;
    if (task && is_gone(response))
        end_task(task, management->connection, STATUS_CANCELLED);
    else if (!of_task && response == TASK_RESPONSE_COMPLETE)
        end_tasks(management);
    finish(management, STATUS_OK);
}

/* The answer to manage_abort. */
static void aborted(struct connection *connection, uint32_t itt, uint8_t response)
{
    struct task *task = task_of(connection->session, itt);

    if (!task && is_gone(response))
        tag_release_abandoned(connection, itt);
    else if (task && is_gone(response))
        end_task(task, connection, STATUS_COMMAND_TIMEOUT);
    else if (task)
        rescue_go_on(task, connection->now);
}

void manage_response(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const uint8_t response = pdu->task_response.response;
    struct session *session = connection->session;
    struct slot *slot = tag_find(&session->tags, pdu->itt);
    struct slot copy;

    window_update(session, &pdu->task_response.sn);
    if (!stat_sn_accept(connection, pdu->task_response.sn.stat_sn))
        return;
    if (!slot || slot->connection != connection ||
        (slot->kind != SLOT_MANAGEMENT && slot->kind != SLOT_ABORT && slot->kind != SLOT_REASSIGN &&
         slot->kind != SLOT_ABANDONED)) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR,
                        "Task Management Response with a wrong ITT");
        return;
    }
    copy = *slot;
    tag_release(&session->tags, pdu->itt);
    if (copy.kind == SLOT_MANAGEMENT)
        answered(copy.object, response);
    else if (copy.kind == SLOT_REASSIGN)
        recover_reassigned(connection, (uint32_t)(uintptr_t)copy.object, response);
    else if (copy.kind == SLOT_ABORT)
        aborted(connection, (uint32_t)(uintptr_t)copy.object, response);
}
