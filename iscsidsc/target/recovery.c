/* Connections that were lost at error recovery level 2: their tasks wait for another connection,
 * for Time2Wait and Time2Retain (RFC 7143, 7.2.2, 7.5, 7.13). */
#include "target/internal.h"

static struct target_lost *find_lost(const struct target_session *session, uint16_t cid)
{
    LIST_EACH(node, &session->lost)
    {
        struct target_lost *lost = LIST_OWNER(node, struct target_lost, link);

        if (lost->cid == cid)
            return lost;
    }
    return NULL;
}

bool target_recovery_possible(const struct target_connection *connection)
{
    const struct target_session *session = connection->session;

    return !connection->left && session->target != NULL &&
           session->values.error_recovery_level == 2 && session->values.default_time2retain > 0;
}

static void wake_entity(struct target_entity *entity)
{
    if (entity->wake != NULL)
        entity->wake(entity->owner);
}

/* Those whose turn had not come are forgotten: ExpCmdSN tells the initiator that they are not
 * here. */
static void detach_tasks(struct target_connection *connection)
{
    LIST_EACH_SAFE(node, &connection->session->tasks)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, link);

        if (task->connection != connection)
            continue;
        if (connection->incoming_task == task) {
            framer_place(&connection->framer, NULL, 0);
            connection->incoming_task = NULL;
        }
        if (task->state != TARGET_TASK_RECEIVED)
            task->connection = NULL;
    }
}

bool target_recovery_keep(struct target_connection *connection)
{
    struct target_session *session = connection->session;
    const struct key_values *values = &session->values;
    struct target_lost *lost = find_lost(session, connection->cid);

    if (lost == NULL) {
        lost = os_alloc(sizeof *lost);
        if (lost == NULL)
            return false;
        lost->cid = connection->cid;
        list_append(&session->lost, &lost->link);
    }
    lost->logged_out = false;
    lost->retain = 1000 * (values->default_time2wait + values->default_time2retain);
    lost->due = 0;
    detach_tasks(connection);
    target_kept_clear(connection);
    wake_entity(session->entity);
    return true;
}

bool target_recovery_allow(struct target_session *session, uint16_t cid)
{
    struct target_lost *lost = find_lost(session, cid);

    if (lost == NULL)
        return false;
    lost->logged_out = true;
    lost->due = 0; /* from now on, which the initiator was told */
    wake_entity(session->entity);
    return true;
}

/* --- time --- */

static void give_up(struct target_session *session, struct target_lost *lost)
{
    LIST_EACH_SAFE(node, &session->tasks)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, link);

        if (task->connection == NULL && task->cid == lost->cid)
            target_task_free(task);
    }
    list_remove(&lost->link);
    os_free(lost);
}

bool target_recovery_drop(struct target_session *session, uint16_t cid)
{
    struct target_lost *lost = find_lost(session, cid);

    if (lost != NULL)
        give_up(session, lost);
    return lost != NULL;
}

void target_recovery_clear(struct target_session *session)
{
    LIST_EACH_SAFE(node, &session->lost)
    give_up(session, LIST_OWNER(node, struct target_lost, link));
}

void target_entity_on_wake(struct target_entity *entity, target_entity_wake *wake, void *owner)
{
    entity->wake = wake;
    entity->owner = owner;
}

uint64_t target_entity_due(const struct target_entity *entity)
{
    uint64_t due = OS_NEVER;

    LIST_EACH(node, &entity->sessions)
    {
        const struct target_session *session = LIST_OWNER(node, struct target_session, link);

        LIST_EACH(lost_node, &session->lost)
        {
            const struct target_lost *lost = LIST_OWNER(lost_node, struct target_lost, link);

            if (lost->due < due)
                due = lost->due;
        }
    }
    return due;
}

void target_entity_tick(struct target_entity *entity, uint64_t now)
{
    LIST_EACH_SAFE(node, &entity->sessions)
    {
        struct target_session *session = LIST_OWNER(node, struct target_session, link);

        LIST_EACH_SAFE(lost_node, &session->lost)
        {
            struct target_lost *lost = LIST_OWNER(lost_node, struct target_lost, link);

            if (lost->due == 0)
                lost->due = now + lost->retain;
            else if (lost->due <= now)
                give_up(session, lost);
        }
        target_session_check(session);
    }
}

/* --- TASK REASSIGN --- */

enum task_response target_recovery_reassign(struct target_connection *connection,
                                            const struct pdu *pdu, struct target_task **task)
{
    struct target_session *session = connection->session;
    struct target_task *found = target_task_find(session, pdu->task_request.referenced_itt);
    const struct target_lost *lost;

    if (session->values.error_recovery_level < 2)
        return TASK_RESPONSE_NO_REASSIGN;
    if (!pdu->immediate)
        return TASK_RESPONSE_REJECTED;
    if (found == NULL || found->state == TARGET_TASK_RECEIVED)
        return TASK_RESPONSE_NO_TASK;
    lost = find_lost(session, found->cid);
    if (found->connection != NULL || lost == NULL || !lost->logged_out)
        return TASK_RESPONSE_STILL_ALLEGIANT;
    *task = found;
    return TASK_RESPONSE_COMPLETE;
}

static void resume_data_in(struct target_task *task)
{
    uint32_t from = task->acknowledged;

    if (task->plan.segment != task->connection->values.max_send_data_segment_length)
        target_data_in_plan_rest(task);
    if (from < task->plan.first_sn)
        from = task->plan.first_sn;
    task->collapsed = target_task_collapses(task) && from != task->plan.first_sn + task->plan.count;
    target_data_in_send(task, from);
}

void target_task_resume(struct target_task *task, struct target_connection *connection,
                        uint32_t exp_data_sn)
{
    task->connection = connection;
    task->cid = connection->cid;
    task->snack_tag = 0;
    task->collapsed = false;
    if (exp_data_sn > task->acknowledged && exp_data_sn <= task->data_sn)
        task->acknowledged = exp_data_sn;
    if (task->state == TARGET_TASK_DATA) {
        task->data_sn = task->acknowledged; /* no R2T before is valid */
        target_task_restart_data(task);
        return;
    }
    if (task->plan.count > 0)
        resume_data_in(task);
    if (!task->collapsed)
        target_task_send_response(task);
}
