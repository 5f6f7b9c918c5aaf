/* Task management functions (RFC 7143, 11.5, 11.6, 4.2.3). */
#include "protocol/scsi.h"

#include "target/internal.h"

/* One that waits until it may be answered. */
struct management {
    struct list link; /* session->managements */
    struct target_connection *connection;
    struct pdu pdu;
    uint64_t due; /* it waits no longer */
    bool begun;   /* the tasks that it ends are known */
    bool fenced;  /* they are gone; their last statuses want to be acknowledged */
};

/* --- ABORT TASK --- */

/* A request that does nothing has the CmdSN of one that shall not run. */
static void plug(struct target_connection *connection, uint32_t cmd_sn)
{
    struct target_request request = {.connection = connection};

    request.pdu.opcode = PDU_NOP_OUT;
    request.pdu.itt = PDU_RESERVED_TAG;
    request.pdu.nop_out.ttt = PDU_RESERVED_TAG;
    request.pdu.nop_out.cmd_sn = cmd_sn;
    target_session_take(connection->session, &request);
}

static bool in_window(struct target_session *session, uint32_t cmd_sn)
{
    return !serial_less(cmd_sn, session->exp_cmd_sn) &&
           !serial_less(target_session_max_cmd_sn(session), cmd_sn);
}

/* RFC 7143, 11.6.1. One that was answered on a connection that is logged out is answered once
 * more. */
static enum task_response abort_task(struct target_connection *connection, const struct pdu *pdu)
{
    const struct pdu_task_request *request = &pdu->task_request;
    struct target_session *session = connection->session;
    struct target_task *task = target_task_find(session, request->referenced_itt);

    if (task == NULL) {
        if (!in_window(session, request->ref_cmd_sn) ||
            !serial_less(request->ref_cmd_sn, request->cmd_sn))
            return TASK_RESPONSE_NO_TASK;
        plug(connection, request->ref_cmd_sn);
        return TASK_RESPONSE_COMPLETE;
    }
    if (task->state == TARGET_TASK_ANSWERED) {
        if (task->connection != NULL)
            return TASK_RESPONSE_NO_TASK;
        target_task_resume(task, connection, task->data_sn);
        return TASK_RESPONSE_COMPLETE;
    }
    if (task->state == TARGET_TASK_RECEIVED)
        target_session_disarm(session, task);
    else
        target_task_free(task);
    return TASK_RESPONSE_COMPLETE;
}

/* --- functions on many tasks --- */

static bool is_affected(const struct target_task *task, const uint64_t *lun)
{
    return task->state == TARGET_TASK_DATA && (lun == NULL || task->pdu.lun == *lun);
}

/* RFC 7143, 4.2.3.3: the initiator goes on to answer R2Ts that it has; until then the tasks stay,
 * but nothing more is asked for. */
static void end_tasks(struct target_session *session, const uint64_t *lun)
{
    LIST_EACH_SAFE(node, &session->tasks)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, link);

        if (!is_affected(task, lun))
            continue;
        task->aborting = true;
        if (task->connection == NULL)
            target_task_free(task); /* nobody answers on a connection that is gone */
        else
            target_task_request_data(task);
    }
}

static bool tasks_are_gone(const struct target_session *session)
{
    LIST_EACH(node, &session->tasks)
    {
        if (LIST_OWNER(node, struct target_task, link)->aborting)
            return false;
    }
    return true;
}

static void free_aborting(struct target_session *session)
{
    LIST_EACH_SAFE(node, &session->tasks)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, link);

        if (task->aborting)
            target_task_free(task);
    }
}

/* Those of other initiators end at once. True: there was one. */
static bool drop_tasks(struct target_session *session, const uint64_t *lun)
{
    bool any = false;

    LIST_EACH_SAFE(node, &session->tasks)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, link);

        if (!is_affected(task, lun))
            continue;
        any = true;
        target_task_free(task);
    }
    return any;
}

/* The others of the target are told by unit attentions (SAM-5, 5.14). */
static void end_tasks_of_others(struct target_session *session, const struct pdu *pdu,
                                const uint64_t *lun)
{
    bool clear = pdu->task_request.function == TASK_CLEAR_TASK_SET;

    LIST_EACH(node, &session->entity->sessions)
    {
        struct target_session *other = LIST_OWNER(node, struct target_session, link);
        bool any = other != session && other->target == session->target && drop_tasks(other, lun);

        if (any && clear)
            target_attention(other, *lun, SCSI_ASC_COMMANDS_CLEARED);
    }
}

/* A reset of one unit, or with NULL of all. */
static void reset_units(struct target_session *session, const uint64_t *lun)
{
    struct target *target = session->target;

    for (uint32_t i = 0; i < target->disk_room; i++) {
        struct target_disk *disk = target->disks[i];

        if (disk == NULL || (lun != NULL && scsi_lun_number(*lun) != (int64_t)i))
            continue;
        target_disk_reset(disk);
        target_medium_allow(target, i);
        target_attention_all(target, NULL, scsi_lun_encode(i), SCSI_ASC_RESET_BY_FUNCTION);
    }
}

static void begin(struct management *management)
{
    struct target_session *session = management->connection->session;
    const struct pdu *pdu = &management->pdu;
    bool whole = pdu->task_request.function == TASK_TARGET_WARM_RESET;
    const uint64_t *lun = whole ? NULL : &pdu->lun;

    management->begun = true;
    if (pdu->task_request.function != TASK_ABORT_TASK_SET)
        end_tasks_of_others(session, pdu, lun);
    end_tasks(session, lun);
}

/* --- waiting --- */

/* Earlier commands that are still on their way have to be ended too (RFC 7143, 11.5.1). */
static bool all_received(const struct management *management)
{
    return !serial_less(management->connection->session->exp_cmd_sn,
                        management->pdu.task_request.cmd_sn);
}

/* What was sent so far wants to be acknowledged on every connection of the session. */
static void raise_fence(struct target_session *session)
{
    LIST_EACH(node, &session->connections)
    {
        struct target_connection *connection = LIST_OWNER(node, struct target_connection, sibling);

        connection->fence_sn = connection->stat_sn;
        if (serial_less(connection->exp_stat_sn, connection->fence_sn) &&
            connection->ping_ttt == PDU_RESERVED_TAG)
            target_connection_ping(connection);
    }
}

static bool is_acknowledged(const struct target_session *session)
{
    LIST_EACH(node, &session->connections)
    {
        const struct target_connection *connection =
            LIST_OWNER(node, struct target_connection, sibling);

        if (connection->state == TARGET_FULL_FEATURE &&
            serial_less(connection->exp_stat_sn, connection->fence_sn))
            return false;
    }
    return true;
}

/* True: it may be answered. */
static bool advance(struct management *management)
{
    struct target_session *session = management->connection->session;
    bool late = management->due <= management->connection->now;

    if (!management->begun) {
        if (!late && !all_received(management))
            return false;
        begin(management);
    }
    if (!management->fenced) {
        if (late)
            free_aborting(session);
        if (!tasks_are_gone(session))
            return false;
        management->fenced = true;
        raise_fence(session);
    }
    return late || is_acknowledged(session);
}

static void respond(struct target_connection *connection, const struct pdu *pdu,
                    enum task_response response)
{
    struct pdu answer = {.opcode = PDU_TASK_RESPONSE, .final = true, .itt = pdu->itt};

    answer.task_response.response = (uint8_t)response;
    target_send(connection, &answer, NULL, 0, NULL);
}

static void finish(struct management *management)
{
    struct target_connection *connection = management->connection;
    struct target_session *session = connection->session;

    if (management->pdu.task_request.function == TASK_LUN_RESET)
        reset_units(session, &management->pdu.lun);
    else if (management->pdu.task_request.function == TASK_TARGET_WARM_RESET)
        reset_units(session, NULL);
    respond(connection, &management->pdu, TASK_RESPONSE_COMPLETE);
    list_remove(&management->link);
    os_free(management);
}

void target_management_check(struct target_session *session)
{
    LIST_EACH_SAFE(node, &session->managements)
    {
        struct management *management = LIST_OWNER(node, struct management, link);

        if (!advance(management))
            return; /* one after the other */
        finish(management);
    }
}

void target_management_end(struct target_session *session, uint64_t lun)
{
    drop_tasks(session, &lun);
}

void target_management_drop(struct target_session *session,
                            const struct target_connection *connection)
{
    LIST_EACH_SAFE(node, &session->managements)
    {
        struct management *management = LIST_OWNER(node, struct management, link);

        if (connection != NULL && management->connection != connection)
            continue;
        list_remove(&management->link);
        os_free(management);
    }
}

static void wait_for_turn(struct target_connection *connection, const struct pdu *pdu)
{
    struct management *management = os_alloc(sizeof *management);
    uint32_t timeout = connection->entity->settings.abort_timeout;

    if (management == NULL) {
        respond(connection, pdu, TASK_RESPONSE_REJECTED);
        return;
    }
    management->connection = connection;
    management->pdu = *pdu;
    management->due = connection->now + timeout;
    if (management->due < connection->management_due)
        connection->management_due = management->due;
    list_append(&connection->session->managements, &management->link);
    target_management_check(connection->session);
}

void target_management_tick(struct target_connection *connection)
{
    if (connection->management_due > connection->now)
        return;
    connection->management_due = OS_NEVER;
    if (connection->session == NULL)
        return;
    target_management_check(connection->session);
    LIST_EACH(node, &connection->session->managements)
    {
        const struct management *management = LIST_OWNER(node, struct management, link);

        if (management->connection == connection && management->due < connection->management_due)
            connection->management_due = management->due;
    }
}

/* --- the request --- */

/* A power-on event: all connections to all initiators end (RFC 7143, 11.5.1). */
static void cold_reset(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_session *session = connection->session;
    const struct target *target = session->target;

    LIST_EACH(session_node, &session->entity->sessions)
    {
        struct target_session *other = LIST_OWNER(session_node, struct target_session, link);

        if (other->target == target)
            drop_tasks(other, NULL);
    }
    reset_units(session, NULL);
    respond(connection, pdu, TASK_RESPONSE_COMPLETE);
    LIST_EACH(node, &session->entity->connections)
    {
        struct target_connection *one = LIST_OWNER(node, struct target_connection, link);

        if (one->session == NULL || one->session->target != target)
            continue;
        one->left = true;
        target_connection_end(one, TARGET_END_CLOSE);
    }
}

static void reassign(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_task *task = NULL;

    respond(connection, pdu, target_recovery_reassign(connection, pdu, &task));
    if (task != NULL) /* effective only now, RFC 7143, 7.2.2 */
        target_task_resume(task, connection, pdu->task_request.exp_data_sn);
}

void target_task_management(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_session *session = connection->session;

    if (session->target == NULL) {
        target_reject(connection, REJECT_PROTOCOL_ERROR);
        return;
    }
    switch (pdu->task_request.function) {
    case TASK_ABORT_TASK:
        respond(connection, pdu, abort_task(connection, pdu));
        break;
    case TASK_ABORT_TASK_SET:
    case TASK_CLEAR_TASK_SET:
    case TASK_LUN_RESET:
        if (target_disk_at(session->target, scsi_lun_number(pdu->lun)) == NULL)
            respond(connection, pdu, TASK_RESPONSE_NO_LUN);
        else
            wait_for_turn(connection, pdu);
        break;
    case TASK_TARGET_WARM_RESET:
        wait_for_turn(connection, pdu);
        break;
    case TASK_TARGET_COLD_RESET:
        cold_reset(connection, pdu);
        break;
    case TASK_REASSIGN:
        reassign(connection, pdu);
        break;
    case TASK_CLEAR_ACA: /* there is never one: NACA is refused */
        respond(connection, pdu, TASK_RESPONSE_NOT_SUPPORTED);
        break;
    default:
        respond(connection, pdu, TASK_RESPONSE_REJECTED);
        break;
    }
}
