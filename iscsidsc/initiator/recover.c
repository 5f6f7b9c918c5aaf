/*
 * Recovery of connections. At error recovery level 2 the tasks of a lost connection are kept, and
 * another connection takes them: after a logout of the lost one "for recovery", or a login with its
 * CID, commands that the target has are assigned to the other connection, and those that it has
 * not are sent again (RFC 7143, 7.2.1, 7.2.2, 11.5.6, 11.14). At every level the CmdSNs of
 * commands that nobody will send again are used up, for a hole would stop all that follows.
 */
#include "initiator/internal.h"
#include "os/memory.h"

#include <string.h>

enum {
    RETRIES_MAX = 16,  /* of one command whose immediate data are damaged, or that nobody takes */
    RETRY_AFTER = 100, /* milliseconds */
};

struct hole {
    struct list link;
    uint32_t cmd_sn;
};

/* --- holes in CmdSN --- */

static bool is_acknowledged(const struct session *session, uint32_t cmd_sn)
{
    return serial_less(cmd_sn, session->exp_cmd_sn);
}

/* A command without effect; a target that has the number already drops it as a copy. */
static void plug(struct connection *connection, uint32_t cmd_sn)
{
    struct pdu pdu = {.opcode = PDU_NOP_OUT, .final = true};

    pdu.itt = tag_take(&connection->session->tags, SLOT_ABANDONED, NULL, connection);
    if (pdu.itt == PDU_RESERVED_TAG) {
        connection_fail(connection, STATUS_NO_MEMORY, "no memory to go on without a command");
        return;
    }
    tag_abandon(&connection->session->tags, pdu.itt, cmd_sn);
    pdu.nop_out.ttt = PDU_RESERVED_TAG;
    pdu.nop_out.cmd_sn = cmd_sn;
    pdu.nop_out.exp_stat_sn = connection->stat_sn.next;
    output_send(connection, &pdu, NULL, 0);
}

static void note_hole(struct session *session, uint32_t cmd_sn)
{
    struct hole *hole = os_alloc(sizeof *hole);

    if (!hole) {
        session->broken = true; /* all that follows would wait for ever */
        return;
    }
    hole->cmd_sn = cmd_sn;
    list_append(&session->holes, &hole->link);
}

void recover_hole(struct session *session, uint32_t cmd_sn)
{
    struct connection *connection = usable_connection(session);

    if (is_acknowledged(session, cmd_sn))
        return;
    if (connection)
        plug(connection, cmd_sn);
    else /* one that is logging in, or that is still to come */
        note_hole(session, cmd_sn);
}

static void plug_holes(struct connection *connection)
{
    struct session *session = connection->session;
    struct list *first;

    while ((first = list_first(&session->holes))) {
        struct hole *hole = LIST_OWNER(first, struct hole, link);

        list_remove(first);
        if (connection->state == CONNECTION_FULL_FEATURE && !is_acknowledged(session, hole->cmd_sn))
            plug(connection, hole->cmd_sn);
        os_free(hole);
    }
}

void recover_forget(struct session *session)
{
    struct list *first;

    while ((first = list_first(&session->holes))) {
        list_remove(first);
        os_free(LIST_OWNER(first, struct hole, link));
    }
}

/* --- keeping --- */

bool recover_expected(const struct session *session)
{
    return session->lost || session->kept_until != INITIATOR_NEVER;
}

bool session_continues(const struct session *session)
{
    return recover_expected(session);
}

/* By how the connection ended: what a target did wrong is not tried again. */
static bool is_loss(enum status status)
{
    switch (status) {
    case STATUS_CONNECTION_CLOSED:
    case STATUS_CONNECTION_RESET:
    case STATUS_TRANSPORT_ERROR:
    case STATUS_HEADER_DIGEST:
    case STATUS_DATA_DIGEST:
        return true;
    default:
        return false;
    }
}

bool recover_wanted(const struct connection *connection, enum status status)
{
    const struct session *session = connection->session;

    return session->settings.keep_tasks && session->values.error_recovery_level == 2 &&
           session->values.default_time2retain > 0 && is_loss(status) && !session->failing &&
           !session->broken && !session->logout &&
           (connection->state == CONNECTION_FULL_FEATURE || connection->draining);
}

void recover_keep_task(struct task *task)
{
    struct session *session = task->session;
    struct slot *slot = tag_find(&session->tags, task->itt);

    task_unbind(task);
    slot->connection = NULL; /* it outlives its connection */
    task->state = TASK_KEPT;
    list_remove(&task->link);
    list_append(&session->kept, &task->link);
}

static void note_former(struct task *task, uint16_t cid)
{
    for (uint8_t i = 0; i < task->former_count; i++)
        if (task->former_cids[i] == cid)
            return;
    if (task->former_count == TASK_FORMER_CIDS) {
        task->former_count--;
        memmove(task->former_cids, task->former_cids + 1, task->former_count * sizeof cid);
    }
    task->former_cids[task->former_count++] = cid;
}

void recover_keep(struct connection *connection)
{
    struct session *session = connection->session;

    session->lost = true; /* when, will be known at the next tick */
    session->time2wait = connection_time2wait(connection) * 1000;
    session->time2retain = connection_time2retain(connection) * 1000;
    LIST_EACH_SAFE(node, &session->active)
    {
        struct task *task = LIST_OWNER(node, struct task, link);

        if (task->connection != connection)
            continue;
        if (task->reassigning) /* the target may see it on any of them */
            note_former(task, task->lost_cid);
        task->lost_cid = connection->cid;
        recover_keep_task(task);
    }
}

size_t session_kept(const struct session *session)
{
    size_t count = 0;

    LIST_EACH(node, &session->kept)
    {
        count += node != NULL;
    }
    return count;
}

/* --- taking over --- */

/* What came is forgotten, but for what the target was told: that it will not send again. */
static void rewind_task(struct task *task)
{
    task->data_sn = (struct sn_window){.next = task->acknowledged};
    task->transferred = task->acknowledged_bytes;
    task->snack_end = 0;
    task->answered = task->acknowledge = false;
    task->resync = task->data_in_length == 0;
    task->taken_over = true;
}

static void send_reassign(struct connection *connection, struct task *task)
{
    struct pdu pdu = {.opcode = PDU_TASK_REQUEST, .immediate = true, .final = true};
    void *itt = (void *)(uintptr_t)task->itt;

    pdu.itt = tag_take(&connection->session->tags, SLOT_REASSIGN, itt, connection);
    if (pdu.itt == PDU_RESERVED_TAG) {
        connection_fail(connection, STATUS_NO_MEMORY, "no memory to recover a command");
        return;
    }
    pdu.lun = task->lun;
    pdu.task_request.function = TASK_REASSIGN;
    pdu.task_request.referenced_itt = task->itt;
    pdu.task_request.ref_cmd_sn = task->cmd_sn;
    pdu.task_request.exp_data_sn = task->acknowledged;
    pdu.task_request.cmd_sn = connection->session->cmd_sn;
    pdu.task_request.exp_stat_sn = connection->stat_sn.next;
    output_send(connection, &pdu, NULL, 0);
}

/* `fresh`: ExpCmdSN is younger than the loss. Else the answer to TASK REASSIGN tells whether the
 * target has the command. False: out of memory; the task stays where it is. */
static bool take_over(struct connection *connection, struct task *task, bool fresh)
{
    struct session *session = connection->session;
    bool again = fresh && !is_acknowledged(session, task->cmd_sn);
    struct frame *frame = again ? task_command_frame(task) : NULL;

    if (again && !frame)
        return false;
    list_remove(&task->link);
    list_append(&session->active, &task->link);
    tag_find(&session->tags, task->itt)->connection = connection;
    task->state = TASK_ACTIVE;
    task_bind(task, connection);
    connection->statistics.retries++;
    rewind_task(task);
    if (again) {
        task->resync = task->reassigning = false;
        task_send_command(connection, task, frame);
    } else {
        if (!task->reassigning)
            task->former_count = 0;
        note_former(task, task->lost_cid); /* its logout may not have got there */
        task->reassigning = true;
        send_reassign(connection, task);
    }
    return true;
}

bool task_retry(struct connection *connection, struct task *task)
{
    struct frame *frame;

    if (task->snacks++ >= RETRIES_MAX)
        return false;
    output_forget(connection, task);
    if (connection->state == CONNECTION_CLOSED)
        return true; /* and with it the task is over, or kept */
    frame = task_command_frame(task);
    if (!frame)
        return false;
    connection->statistics.retries++;
    rewind_task(task);
    task->resync = task->reassigning = false;
    task_send_command(connection, task, frame);
    return true;
}

static void take_over_all(struct session *session, uint16_t cid, bool fresh)
{
    LIST_EACH_SAFE(node, &session->kept)
    {
        struct task *task = LIST_OWNER(node, struct task, link);
        struct connection *connection = usable_connection(session);

        if (task->lost_cid != cid)
            continue;
        if (!connection || !take_over(connection, task, fresh))
            return; /* the next connection, or the end of their time */
    }
}

static void finish_kept(struct task *task)
{
    task_finish(task, fence_needed(task->session) ? task->status : STATUS_CONNECTION_CLOSED);
}

void recover_fail_kept(struct session *session, const uint16_t *cid)
{
    struct list failed;
    struct list *first;

    list_init(&failed);
    LIST_EACH_SAFE(node, &session->kept)
    {
        if (cid && LIST_OWNER(node, struct task, link)->lost_cid != *cid)
            continue;
        list_remove(node);
        list_append(&failed, node);
    }
    while ((first = list_first(&failed)))
        finish_kept(LIST_OWNER(first, struct task, link));
}

static void log_out_lost(struct connection *connection, uint16_t cid)
{
    struct session *session = connection->session;
    struct pdu pdu = {.opcode = PDU_LOGOUT_REQUEST, .immediate = true, .final = true};

    pdu.itt = tag_take(&session->tags, SLOT_RECOVERY, NULL, connection);
    if (pdu.itt == PDU_RESERVED_TAG) {
        connection_fail(connection, STATUS_NO_MEMORY, "no memory to recover a connection");
        return;
    }
    session->recoverer = connection;
    session->recovered_cid = cid;
    pdu.logout_request.reason = fence_needed(session) ? LOGOUT_CLOSE_CONNECTION : LOGOUT_RECOVERY;
    pdu.logout_request.cid = cid;
    pdu.logout_request.cmd_sn = session->cmd_sn;
    pdu.logout_request.exp_stat_sn = connection->stat_sn.next;
    output_send(connection, &pdu, NULL, 0);
}

/* One lost connection after the other. */
void recover_go_on(struct session *session)
{
    struct connection *connection = usable_connection(session);
    struct list *first = list_first(&session->kept);
    const struct connection *same;
    uint16_t cid;

    if (!connection || session->recoverer)
        return;
    if (!first) {
        session->lost = false;
        session->kept_until = session->recover_at = INITIATOR_NEVER;
        return;
    }
    cid = LIST_OWNER(first, struct task, link)->lost_cid;
    same = session_connection(session, cid);
    if (same && same->state == CONNECTION_LOGIN)
        return; /* a logout would hit that one */
    if (!same || same->state != CONNECTION_FULL_FEATURE) {
        log_out_lost(connection, cid);
        return;
    }
    /* The login with its CID was its logout. */
    if (fence_needed(session))
        recover_fail_kept(session, &cid);
    else
        take_over_all(session, cid, false);
    first = list_first(&session->kept);
    if (!first || LIST_OWNER(first, struct task, link)->lost_cid != cid)
        recover_go_on(session);
}

void recover_logged_in(struct connection *connection)
{
    plug_holes(connection);
    if (recover_expected(connection->session))
        recover_go_on(connection->session);
}

void recover_logged_out(struct session *session, uint8_t response)
{
    uint16_t cid = session->recovered_cid;

    bool gone = response == LOGOUT_DONE || response == LOGOUT_NO_CID;

    session->recoverer = NULL;
    if (fence_needed(session) && !gone) {
        session_give_up(session, "the target does not let go of a lost connection");
        return;
    }
    if (!fence_needed(session) && gone)
        take_over_all(session, cid, true);
    else
        recover_fail_kept(session, &cid);
    recover_go_on(session);
    tasks_pump(session);
}

/* The target sees it on a connection that is not logged out: that which it was on before the last
 * one, should the last one not have got as far as to take it over. */
static bool try_former(struct task *task)
{
    uint16_t cid;

    if (task->former_count == 0 || ++task->reassignments > RETRIES_MAX)
        return false;
    cid = task->former_cids[0]; /* in turn */
    task->former_count--;
    memmove(task->former_cids, task->former_cids + 1, task->former_count * sizeof cid);
    output_forget(task->connection, task);
    note_former(task, task->lost_cid);
    task->lost_cid = cid;
    recover_keep_task(task);
    return true;
}

void recover_reassigned(struct connection *connection, uint32_t itt, uint8_t response)
{
    struct session *session = connection->session;
    struct slot *slot = tag_find(&session->tags, itt);
    struct task *task = slot ? slot->object : NULL;

    if (!slot || slot->kind != SLOT_TASK || slot->connection != connection)
        return;
    if (response == TASK_RESPONSE_COMPLETE) {
        task->reassigning = false;
    } else if (response == TASK_RESPONSE_NO_TASK && !is_acknowledged(session, task->cmd_sn) &&
               task_retry(connection, task)) {
        return; /* it never got there */
    } else if (response == TASK_RESPONSE_NO_TASK) {
        task_end_quietly(task, STATUS_CONNECTION_CLOSED);
    } else if (response != TASK_RESPONSE_STILL_ALLEGIANT || !try_former(task)) {
        task_give_up(task, STATUS_CONNECTION_CLOSED);
    } else {
        if (!recover_expected(session))
            session->lost = true;
        recover_go_on(session);
    }
}

void recover_rejected(struct connection *connection, uint32_t itt)
{
    struct session *session = connection->session;
    const struct slot slot = *tag_find(&session->tags, itt);

    tag_release(&session->tags, itt);
    if (slot.kind == SLOT_RECOVERY)
        recover_logged_out(session, LOGOUT_NO_RECOVERY);
    else
        recover_reassigned(connection, (uint32_t)(uintptr_t)slot.object, TASK_RESPONSE_REJECTED);
}

void recover_lost(struct connection *connection)
{
    struct session *session = connection->session;

    if (session->recoverer == connection)
        session->recoverer = NULL;
}

/* --- time --- */

uint64_t session_due(const struct session *session)
{
    uint64_t due = session->lost ? 0 : session->next_due;

    if (session->trim_due < due)
        due = session->trim_due;
    if (session->recover_at < due && !session->recoverer && session_usable(session))
        due = session->recover_at;
    return session->kept_until < due ? session->kept_until : due;
}

/* The clock of a connection that was lost is that of what it did last. */
static void start_waiting(struct session *session, uint64_t now)
{
    session->lost = false;
    session->recover_at = now + session->time2wait;
    session->kept_until = session->recover_at + session->time2retain;
}

void session_tick(struct session *session, uint64_t now)
{
    pools_tick(session, now);
    if (session->lost)
        start_waiting(session, now);
    if (session->kept_until <= now) {
        if (fence_needed(session))
            session_give_up(session, "no answer to the logout of a lost connection in time");
        session->kept_until = session->recover_at = INITIATOR_NEVER;
        recover_fail_kept(session, NULL);
        tasks_fail_waiting(session, STATUS_NO_CONNECTION);
    } else if (session->recover_at <= now && !session->recoverer && session_usable(session)) {
        session->recover_at = now + RETRY_AFTER;
        recover_go_on(session);
    }
    deadlines_tick(session, now);
}
