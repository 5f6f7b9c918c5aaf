/* Sessions: who is in them, and the order of requests by CmdSN (RFC 7143, 4.2.2.1). */
#include "target/internal.h"

static uint16_t next_tsih(struct target_entity *entity)
{
    for (;;) {
        bool used = ++entity->last_tsih == 0;

        LIST_EACH(node, &entity->sessions)
        used |= LIST_OWNER(node, struct target_session, link)->tsih == entity->last_tsih;
        if (!used)
            return entity->last_tsih;
    }
}

struct target_session *target_session_new(struct target_connection *connection,
                                          struct target *target, const char *initiator,
                                          const struct pdu_login_request *login)
{
    struct target_entity *entity = connection->entity;
    struct target_session *session = os_alloc(sizeof *session);

    if (session == NULL)
        return NULL;
    session->initiator = os_copy_text(initiator);
    if (session->initiator == NULL) {
        os_free(session);
        return NULL;
    }
    session->entity = entity;
    session->target = target;
    memcpy(session->isid, login->isid, sizeof session->isid);
    session->tsih = next_tsih(entity);
    session->group = connection->group;
    session->exp_cmd_sn = login->cmd_sn;
    session->window = entity->settings.command_window;
    session->max_cmd_sn = session->exp_cmd_sn - 1;
    list_init(&session->connections);
    list_init(&session->tasks);
    for (size_t i = 0; i < TARGET_TAG_BUCKETS; i++)
        list_init(&session->tags[i]);
    list_init(&session->held);
    list_init(&session->lost);
    list_init(&session->managements);
    list_init(&session->attentions);
    list_append(&entity->sessions, &session->link);
    return session;
}

static void free_request(struct target_request *request)
{
    list_remove(&request->link);
    target_buffer_release(request->buffer);
    os_free(request);
}

static void drop_held(struct target_session *session, const struct target_connection *connection)
{
    LIST_EACH_SAFE(node, &session->held)
    {
        struct target_request *request = LIST_OWNER(node, struct target_request, link);

        if (connection == NULL || request->connection == connection)
            free_request(request);
    }
}

/* What of the session came over `connection` (NULL: over any). */
static void drop_requests(struct target_session *session,
                          const struct target_connection *connection)
{
    drop_held(session, connection);
    LIST_EACH_SAFE(task_node, &session->tasks)
    {
        struct target_task *task = LIST_OWNER(task_node, struct target_task, link);

        if (connection == NULL || task->connection == connection)
            target_task_free(task);
    }
}

static void free_session(struct target_session *session)
{
    drop_requests(session, NULL);
    target_recovery_clear(session);
    target_management_drop(session, NULL);
    target_attention_clear(session);
    target_reservations_leave(session);
    list_remove(&session->link);
    os_free(session->initiator);
    os_free(session);
}

void target_session_end(struct target_session *session)
{
    LIST_EACH_SAFE(node, &session->connections)
    {
        struct target_connection *connection = LIST_OWNER(node, struct target_connection, sibling);

        list_remove(node);
        drop_requests(session, connection);
        target_management_drop(session, connection);
        connection->session = NULL;
        target_connection_end(connection, TARGET_END_CLOSE);
    }
    free_session(session);
}

struct target_session *target_session_find(const struct target_connection *connection,
                                           const struct target *target, const char *initiator,
                                           const uint8_t *isid, uint16_t tsih)
{
    LIST_EACH(node, &connection->entity->sessions)
    {
        struct target_session *session = LIST_OWNER(node, struct target_session, link);

        if (session->target == target && session->group == connection->group &&
            (tsih == 0 || session->tsih == tsih) &&
            memcmp(session->isid, isid, PDU_ISID_LENGTH) == 0 &&
            name_equal(session->initiator, initiator))
            return session;
    }
    return NULL;
}

struct target_connection *target_session_connection(struct target_session *session, uint16_t cid)
{
    LIST_EACH(node, &session->connections)
    {
        struct target_connection *connection = LIST_OWNER(node, struct target_connection, sibling);

        if (connection->cid == cid && connection->state == TARGET_FULL_FEATURE)
            return connection;
    }
    return NULL;
}

void target_session_join(struct target_session *session, struct target_connection *connection)
{
    connection->session = session;
    list_append(&session->connections, &connection->sibling);
}

void target_session_leave(struct target_connection *connection)
{
    struct target_session *session = connection->session;

    if (session == NULL)
        return;
    drop_held(session, connection);
    target_management_drop(session, connection);
    if (target_recovery_possible(connection))
        target_recovery_keep(connection);
    drop_requests(session, connection);
    connection->session = NULL;
    list_remove(&connection->sibling);
    target_session_check(session);
}

void target_session_check(struct target_session *session)
{
    if (list_empty(&session->connections) && list_empty(&session->lost))
        free_session(session);
}

/* It never goes back (RFC 7143, 4.2.2.1), so a window that shrinks does so while commands come. */
uint32_t target_session_max_cmd_sn(struct target_session *session)
{
    uint32_t free = session->busy < session->window ? session->window - session->busy : 0;
    uint32_t now = session->exp_cmd_sn + free - 1;

    if (serial_less(session->max_cmd_sn, now))
        session->max_cmd_sn = now;
    return session->max_cmd_sn;
}

uint32_t target_session_ttt(struct target_session *session)
{
    if (session->next_ttt == PDU_RESERVED_TAG)
        session->next_ttt = 0;
    return session->next_ttt++;
}

/* --- requests in order --- */

static uint32_t cmd_sn_of(const struct pdu *pdu)
{
    switch (pdu->opcode) {
    case PDU_SCSI_COMMAND:
        return pdu->scsi_command.cmd_sn;
    case PDU_TASK_REQUEST:
        return pdu->task_request.cmd_sn;
    case PDU_TEXT_REQUEST:
        return pdu->text_request.cmd_sn;
    case PDU_LOGOUT_REQUEST:
        return pdu->logout_request.cmd_sn;
    default:
        return pdu->nop_out.cmd_sn;
    }
}

static void drop(struct target_request *request)
{
    if (request->task != NULL)
        target_task_free(request->task);
    target_buffer_release(request->buffer);
}

/* Its turn has come. */
static void run(struct target_request *request)
{
    struct target_connection *connection = request->connection;
    const struct target_buffer *buffer = request->buffer;

    switch (request->pdu.opcode) {
    case PDU_SCSI_COMMAND:
        target_task_start(request->task);
        break;
    case PDU_TASK_REQUEST:
        target_task_management(connection, &request->pdu);
        break;
    case PDU_TEXT_REQUEST:
        target_text_request(connection, &request->pdu,
                            buffer != NULL ? (const char *)buffer->bytes : "",
                            buffer != NULL ? buffer->length : 0);
        break;
    case PDU_LOGOUT_REQUEST:
        target_logout(connection, &request->pdu);
        break;
    default:
        target_nop_out(connection, &request->pdu, request->buffer);
        break;
    }
    target_buffer_release(request->buffer);
}

/* Several connections bring requests out of order: this one came early. */
static void hold(struct target_session *session, struct target_request *request)
{
    struct list *before = &session->held;
    struct target_request *held;

    LIST_EACH(node, &session->held)
    {
        const struct target_request *other = LIST_OWNER(node, struct target_request, link);

        if (serial_less(cmd_sn_of(&request->pdu), cmd_sn_of(&other->pdu))) {
            before = node;
            break;
        }
    }
    held = os_copy(request, sizeof *request);
    if (held == NULL) {
        target_connection_end(request->connection, TARGET_END_RESET);
        drop(request);
        return;
    }
    list_append(before, &held->link); /* in front of `before` */
}

static void run_held(struct target_session *session)
{
    struct list *node;

    while ((node = list_first(&session->held)) != NULL) {
        struct target_request *held = LIST_OWNER(node, struct target_request, link);
        struct target_request request = *held;
        uint32_t cmd_sn = cmd_sn_of(&request.pdu);

        if (serial_less(session->exp_cmd_sn, cmd_sn))
            return;
        list_remove(node);
        os_free(held);
        if (cmd_sn != session->exp_cmd_sn) { /* it came twice */
            drop(&request);
            continue;
        }
        session->exp_cmd_sn++;
        run(&request);
    }
}

/* An answered task has given its tag back: its initiator has seen the status. */
static bool tag_in_use(struct target_session *session, uint32_t itt)
{
    const struct target_task *task = target_task_find(session, itt);

    return task != NULL && task->state != TARGET_TASK_ANSWERED;
}

void target_session_take(struct target_session *session, struct target_request *request)
{
    uint32_t cmd_sn = cmd_sn_of(&request->pdu);
    bool in_window = !serial_less(cmd_sn, session->exp_cmd_sn) &&
                     !serial_less(target_session_max_cmd_sn(session), cmd_sn);

    if (!request->pdu.immediate && !in_window) { /* silently, RFC 7143, 4.2.2.1 */
        drop(request);
        return;
    }
    if (request->task != NULL) {
        if (tag_in_use(session, request->pdu.itt)) {
            target_reject(request->connection, REJECT_TASK_IN_PROGRESS);
            drop(request);
            return;
        }
        target_task_join(request->task);
    }
    if (request->pdu.immediate) {
        run(request);
    } else if (cmd_sn == session->exp_cmd_sn) {
        session->exp_cmd_sn++;
        run(request);
        run_held(session);
    } else {
        hold(session, request);
    }
}

void target_session_disarm(struct target_session *session, struct target_task *task)
{
    LIST_EACH(node, &session->held)
    {
        struct target_request *held = LIST_OWNER(node, struct target_request, link);
        uint32_t cmd_sn = cmd_sn_of(&held->pdu);

        if (held->task != task)
            continue;
        held->task = NULL;
        held->pdu = (struct pdu){.opcode = PDU_NOP_OUT, .itt = PDU_RESERVED_TAG};
        held->pdu.nop_out.ttt = PDU_RESERVED_TAG;
        held->pdu.nop_out.cmd_sn = cmd_sn;
        target_task_free(task);
        return;
    }
}

void target_session_skip(struct target_session *session, const struct pdu *pdu)
{
    if (pdu->immediate || pdu->opcode == PDU_DATA_OUT || cmd_sn_of(pdu) != session->exp_cmd_sn)
        return;
    session->exp_cmd_sn++;
    run_held(session);
}
