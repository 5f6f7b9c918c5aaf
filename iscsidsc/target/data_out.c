/* The data of writes: R2T and Data-Out (RFC 7143, 11.7, 11.8), and what was lost of them
 * (7.8, 7.9).
 */
#include "protocol/scsi.h"

#include "target/internal.h"

#include <stdlib.h>

enum {
    FAIL_UNSOLICITED = 0x0c0c, /* unexpected unsolicited data */
    FAIL_AMOUNT = 0x0c0d,      /* not enough unsolicited data, incorrect amount of data */
    FAIL_CRC = 0x4705,         /* protocol service CRC error */
};

static void fail(struct target_task *task, uint16_t failure)
{
    if (task->failure == 0)
        task->failure = failure;
}

/* --- asking --- */

static bool data_under_way(const struct target_task *task)
{
    for (size_t i = 0; i < TARGET_R2T_MAX; i++) {
        if (task->r2ts[i].open)
            return true;
    }
    return task->unsolicited.open;
}

static struct pdu r2t_pdu(const struct target_task *task, const struct target_old_r2t *r2t)
{
    struct pdu pdu = {.opcode = PDU_R2T, .final = true, .itt = task->pdu.itt, .lun = task->pdu.lun};

    pdu.r2t.ttt = r2t->ttt;
    pdu.r2t.r2t_sn = r2t->r2t_sn;
    pdu.r2t.offset = r2t->offset;
    pdu.r2t.length = r2t->length;
    return pdu;
}

/* In level 1 and above somebody who does not answer is asked again. */
static void expect_data(struct target_task *task)
{
    struct target_connection *connection = task->connection;
    uint32_t timeout = task->session->entity->settings.recovery_timeout;

    task->heard = connection->now;
    if (timeout > 0 && target_task_recovers(task) &&
        connection->now + timeout < connection->data_due)
        connection->data_due = connection->now + timeout;
}

static void send_r2t(struct target_task *task, struct target_sequence *r2t, uint32_t begin,
                     uint32_t end)
{
    uint32_t most = task->session->values.max_burst_length;
    struct pdu pdu;

    r2t->open = true;
    r2t->ttt = target_session_ttt(task->session);
    r2t->r2t_sn = task->data_sn++;
    r2t->offset = r2t->next = begin;
    r2t->length = end - begin < most ? end - begin : most;
    r2t->data_sn = 0;
    pdu = r2t_pdu(task, &(struct target_old_r2t){r2t->ttt, r2t->r2t_sn, begin, r2t->length});
    expect_data(task);
    target_send(task->connection, &pdu, NULL, 0, NULL);
}

/* The next burst that was never asked for. */
static bool next_burst(struct target_task *task, struct target_range *burst)
{
    const struct target_settings *settings = &task->session->entity->settings;
    const struct key_values *values = &task->session->values;
    uint32_t length = values->max_burst_length;
    uint32_t all = task->takes - task->solicited;
    uint32_t count = all / length + (all % length != 0);
    enum target_order order =
        values->data_sequence_in_order ? TARGET_ORDER_INCREASING : settings->sequence_order;

    if (task->bursts >= count)
        return false;
    burst->begin =
        task->solicited + length * target_order_at(order, settings->seed, count, task->bursts++);
    burst->end = task->takes - burst->begin < length ? task->takes : burst->begin + length;
    return true;
}

/* What did not come under that one is asked for again; else it serves for the next burst. */
static void use_slot(struct target_task *task, struct target_sequence *r2t)
{
    struct target_range range;

    if (r2t->end > r2t->offset &&
        target_ranges_first(&task->missing, r2t->offset, r2t->end, &range)) {
        if (++task->recoveries > TARGET_RECOVERY_MAX)
            fail(task, FAIL_CRC);
        else
            send_r2t(task, r2t, range.begin, range.end);
        return;
    }
    r2t->offset = r2t->end = 0;
    if (!next_burst(task, &range))
        return;
    r2t->end = range.end;
    send_r2t(task, r2t, range.begin, range.end);
}

void target_task_request_data(struct target_task *task)
{
    uint32_t limit = task->session->values.max_outstanding_r2t;

    if (task->state != TARGET_TASK_DATA)
        return;
    if (task->unsolicited.open) {
        expect_data(task);
        return;
    }
    if (task->failure != 0 || task->refused || task->aborting) /* no more is needed */
        limit = 0;
    for (uint32_t i = 0; i < TARGET_R2T_MAX && i < limit; i++) {
        if (!task->r2ts[i].open)
            use_slot(task, &task->r2ts[i]);
    }
    if (data_under_way(task))
        return;
    if (task->aborting)
        target_task_free(task);
    else
        target_task_execute(task);
}

/* --- receiving --- */

static struct target_sequence *sequence_of(struct target_task *task, uint32_t ttt)
{
    if (ttt == PDU_RESERVED_TAG)
        return task->unsolicited.open ? &task->unsolicited : NULL;
    for (size_t i = 0; i < TARGET_R2T_MAX; i++) {
        if (task->r2ts[i].open && task->r2ts[i].ttt == ttt)
            return &task->r2ts[i];
    }
    return NULL;
}

static bool in_sequence(const struct target_sequence *sequence, const struct pdu *pdu)
{
    uint32_t offset = pdu->data_out.offset;

    return offset >= sequence->offset && pdu->data_length <= sequence->length &&
           offset - sequence->offset <= sequence->length - pdu->data_length;
}

/* Data that belong to their sequence and have not come before. At level 0 nothing may be left out
 * either. */
static bool fits(const struct target_task *task, const struct target_sequence *sequence,
                 const struct pdu *pdu)
{
    uint32_t offset = pdu->data_out.offset;
    bool in_order = task->session->values.data_pdu_in_order;

    if (!in_sequence(sequence, pdu))
        return false;
    if (!target_task_recovers(task) &&
        (pdu->data_out.data_sn != sequence->data_sn || (in_order && offset != sequence->next)))
        return false;
    return !in_order || offset >= sequence->next;
}

/* What of it the task's buffer takes: an initiator may send more than the command needs. */
static uint32_t needed_end(const struct target_task *task, const struct pdu *pdu)
{
    uint32_t end = pdu->data_out.offset + pdu->data_length;

    return end < task->takes ? end : task->takes;
}

static bool is_missing(const struct target_task *task, const struct pdu *pdu)
{
    uint32_t end = needed_end(task, pdu);

    return pdu->data_out.offset >= end ||
           target_ranges_has(&task->missing, pdu->data_out.offset, end);
}

struct target_task *target_data_out_task(struct target_connection *connection,
                                         const struct pdu *pdu, bool *usable)
{
    struct target_task *task = target_task_find(connection->session, pdu->itt);
    const struct target_sequence *sequence;

    *usable = false;
    if (task == NULL || task->connection != connection || task->state == TARGET_TASK_ANSWERED)
        return NULL;
    sequence = sequence_of(task, pdu->data_out.ttt);
    *usable = sequence != NULL && fits(task, sequence, pdu) && is_missing(task, pdu);
    return task;
}

/* The initiator says that it sent all. */
static void close_sequence(struct target_task *task, struct target_sequence *sequence)
{
    bool unsolicited = sequence == &task->unsolicited;
    struct target_range gap;

    sequence->open = false;
    if (unsolicited) {
        task->solicited = sequence->next < task->takes ? sequence->next : task->takes;
        sequence->end = task->solicited;
    }
    if (!target_ranges_first(&task->missing, sequence->offset, sequence->end, &gap))
        return;
    if (!target_task_recovers(task)) {
        fail(task, FAIL_AMOUNT);
    } else if (unsolicited) {
        task->r2ts[0].offset = sequence->offset;
        task->r2ts[0].end = sequence->end;
    }
}

static void take(struct target_task *task, struct target_sequence *sequence, const struct pdu *pdu,
                 bool intact, bool usable)
{
    uint32_t offset = pdu->data_out.offset;
    uint32_t end = needed_end(task, pdu);
    bool inside = in_sequence(sequence, pdu);

    sequence->data_sn = pdu->data_out.data_sn + 1;
    if (inside && offset + pdu->data_length > sequence->next)
        sequence->next = offset + pdu->data_length;
    if (intact && usable && inside && is_missing(task, pdu) &&
        (offset >= end || target_ranges_take(&task->missing, offset, end)))
        return;
    if (target_task_recovers(task)) /* it stays missing, and is asked for again */
        return;
    if (!intact)
        fail(task, FAIL_CRC);
    else
        fail(task, sequence == &task->unsolicited ? FAIL_UNSOLICITED : FAIL_AMOUNT);
}

void target_data_out(struct target_connection *connection, struct target_task *task,
                     const struct pdu *pdu, bool intact, bool usable)
{
    struct target_sequence *sequence;

    if (!intact)
        target_reject(connection, REJECT_DATA_DIGEST);
    if (task == NULL) /* of one that was aborted */
        return;
    sequence = sequence_of(task, pdu->data_out.ttt);
    if (sequence != NULL) {
        task->heard = connection->now;
        take(task, sequence, pdu, intact, usable);
        if (pdu->final)
            close_sequence(task, sequence);
    } else if (!target_task_recovers(task)) {
        fail(task, pdu->data_out.ttt == PDU_RESERVED_TAG ? FAIL_UNSOLICITED : FAIL_AMOUNT);
    } /* else late, for an R2T that another has replaced */
    target_task_request_data(task);
}

/* --- recovery --- */

/* As it was sent, whether it is waited for or has been given up for another. Data that come for the
 * latter are not needed any more, but its initiator wants every number to have come (11.8.1). */
static bool find_r2t(const struct target_task *task, uint32_t r2t_sn, struct target_old_r2t *out)
{
    for (size_t i = 0; i < TARGET_R2T_MAX; i++) {
        const struct target_sequence *r2t = &task->r2ts[i];

        if (r2t->open && r2t->r2t_sn == r2t_sn) {
            *out = (struct target_old_r2t){r2t->ttt, r2t_sn, r2t->offset, r2t->length};
            return true;
        }
        if (task->old_r2ts[i].length > 0 && task->old_r2ts[i].r2t_sn == r2t_sn) {
            *out = task->old_r2ts[i];
            return true;
        }
    }
    return false;
}

bool target_r2t_is_open(const struct target_task *task, uint32_t r2t_sn)
{
    struct target_old_r2t r2t;

    return find_r2t(task, r2t_sn, &r2t);
}

void target_r2t_again(struct target_task *task, uint32_t r2t_sn)
{
    struct target_old_r2t r2t;
    struct pdu pdu;

    if (!find_r2t(task, r2t_sn, &r2t))
        return;
    pdu = r2t_pdu(task, &r2t);
    target_send_again(task->connection, &pdu, NULL, 0, NULL);
}

static void give_up(struct target_task *task, struct target_sequence *r2t)
{
    r2t->open = false;
    task->old_r2ts[task->old_count++ % TARGET_R2T_MAX] =
        (struct target_old_r2t){r2t->ttt, r2t->r2t_sn, r2t->offset, r2t->length};
}

/* In increasing order, as the sequences of a transfer have to be (RFC 7143, 13.19). */
static int compare_offsets(const void *left, const void *right)
{
    const struct target_sequence *a = left;
    const struct target_sequence *b = right;

    return (a->offset > b->offset) - (a->offset < b->offset);
}

static void sort_r2ts(struct target_task *task)
{
    uint32_t used = task->session->values.max_outstanding_r2t;

    qsort(task->r2ts, used < TARGET_R2T_MAX ? used : TARGET_R2T_MAX, sizeof task->r2ts[0],
          compare_offsets);
}

void target_task_restart_data(struct target_task *task)
{
    for (size_t i = 0; i < TARGET_R2T_MAX; i++)
        task->r2ts[i].open = false;
    memset(task->old_r2ts, 0, sizeof task->old_r2ts);
    sort_r2ts(task);
    if (task->unsolicited.open)
        close_sequence(task, &task->unsolicited);
    target_task_request_data(task);
}

/* Data are late. Sequences that stopped are asked for anew; of those that never began, whose R2Ts
 * may have been lost, only the first: a gap in R2TSN makes the initiator ask for the others, and no
 * more are outstanding with it than need be. */
static void ask_again(struct target_task *task)
{
    bool one = false;

    sort_r2ts(task);
    for (size_t i = 0; i < TARGET_R2T_MAX; i++) {
        struct target_sequence *r2t = &task->r2ts[i];
        bool began = r2t->data_sn > 0;

        if (!r2t->open || (!began && one))
            continue;
        one |= !began;
        give_up(task, r2t);
    }
    if (task->unsolicited.open)
        close_sequence(task, &task->unsolicited);
    target_task_request_data(task);
}

static bool is_late(const struct target_task *task, const struct target_connection *connection)
{
    return task->connection == connection && task->state == TARGET_TASK_DATA &&
           data_under_way(task) &&
           task->heard + task->session->entity->settings.recovery_timeout <= connection->now;
}

void target_data_out_tick(struct target_connection *connection)
{
    struct target_session *session = connection->session;
    uint64_t next = OS_NEVER;

    if (connection->data_due > connection->now || session == NULL)
        return;
    connection->data_due = OS_NEVER;
    LIST_EACH_SAFE(node, &session->tasks)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, link);

        if (is_late(task, connection))
            ask_again(task); /* sets data_due, unless the task is over */
        else if (task->connection == connection && task->state == TARGET_TASK_DATA &&
                 task->heard + session->entity->settings.recovery_timeout < next)
            next = task->heard + session->entity->settings.recovery_timeout;
    }
    if (next < connection->data_due)
        connection->data_due = next;
}
