/* Task management functions (RFC 7143, 11.5, 11.6). */
#include "protocol/scsi.h"

#include "target/internal.h"

static enum task_response abort_task(struct target_session *session, uint32_t itt)
{
    struct target_task *task = target_task_find(session, itt);

    if (task == NULL || task->state != TARGET_TASK_DATA)
        return TASK_RESPONSE_NO_TASK;
    target_task_free(task);
    return TASK_RESPONSE_COMPLETE;
}

static void abort_tasks(struct target_session *session, const uint64_t *lun)
{
    LIST_EACH_SAFE(node, &session->tasks)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, link);

        if (task->state == TARGET_TASK_DATA && (lun == NULL || task->pdu.lun == *lun))
            target_task_free(task);
    }
}

/* Tasks of every initiator; `lun` NULL: of every unit. */
static void abort_everywhere(struct target_session *session, const uint64_t *lun)
{
    LIST_EACH(node, &session->entity->sessions)
    {
        struct target_session *other = LIST_OWNER(node, struct target_session, link);

        if (other->target == session->target)
            abort_tasks(other, lun);
    }
}

/* `*task`: one to be resumed after the response. */
static enum task_response manage(struct target_connection *connection, const struct pdu *pdu,
                                 struct target_task **task)
{
    struct target_session *session = connection->session;
    bool unit = target_disk_at(session->target, scsi_lun_number(pdu->lun)) != NULL;

    switch (pdu->task_request.function) {
    case TASK_ABORT_TASK:
        return abort_task(session, pdu->task_request.referenced_itt);
    case TASK_ABORT_TASK_SET:
        abort_tasks(session, &pdu->lun);
        return unit ? TASK_RESPONSE_COMPLETE : TASK_RESPONSE_NO_LUN;
    case TASK_CLEAR_TASK_SET:
    case TASK_LUN_RESET:
        if (unit)
            abort_everywhere(session, &pdu->lun);
        return unit ? TASK_RESPONSE_COMPLETE : TASK_RESPONSE_NO_LUN;
    case TASK_TARGET_WARM_RESET:
    case TASK_TARGET_COLD_RESET:
        abort_everywhere(session, NULL);
        return TASK_RESPONSE_COMPLETE;
    case TASK_REASSIGN:
        return target_recovery_reassign(connection, pdu, task);
    case TASK_CLEAR_ACA:
        return TASK_RESPONSE_NOT_SUPPORTED;
    default:
        return TASK_RESPONSE_REJECTED;
    }
}

/* After a cold reset the target's connections are gone (RFC 7143, 11.5.1). */
static void end_sessions(struct target_session *session)
{
    const struct target *target = session->target;

    LIST_EACH(node, &session->entity->connections)
    {
        struct target_connection *connection = LIST_OWNER(node, struct target_connection, link);

        if (connection->session == NULL || connection->session->target != target)
            continue;
        connection->left = true;
        target_connection_end(connection, TARGET_END_CLOSE);
    }
}

void target_task_management(struct target_connection *connection, const struct pdu *pdu)
{
    struct pdu answer = {.opcode = PDU_TASK_RESPONSE, .final = true, .itt = pdu->itt};
    struct target_task *task = NULL;

    if (connection->session->target == NULL) {
        target_reject(connection, REJECT_PROTOCOL_ERROR);
        return;
    }
    answer.task_response.response = (uint8_t)manage(connection, pdu, &task);
    target_send(connection, &answer, NULL, 0, NULL);
    if (task != NULL)
        target_task_resume(task, connection, pdu->task_request.exp_data_sn);
    if (pdu->task_request.function == TASK_TARGET_COLD_RESET)
        end_sessions(connection->session);
}
