/* Requests for retransmission, and positive acknowledgment of data (RFC 7143, 11.16). */
#include "target/internal.h"

/* The PDUs that a request names, in terms of those that were sent and are not acknowledged:
 * [first, end). False: others are among them. */
struct run {
    uint32_t begin;
    uint32_t length;
};

static bool resolve(const struct pdu_snack *snack, uint32_t first, uint32_t end, struct run *run)
{
    run->begin = snack->begin_run;
    run->length = snack->run_length;
    if (run->begin == 0 && run->length == 0)
        run->begin = first;
    if (serial_less(run->begin, first) || serial_less(end, run->begin))
        return false;
    if (run->length == 0)
        run->length = end - run->begin;
    return run->length <= end - run->begin;
}

/* A task of this connection that has a claim to be asked. */
static struct target_task *find_task(struct target_connection *connection, uint32_t itt)
{
    struct target_task *task = target_task_find(connection->session, itt);

    return task != NULL && task->connection == connection ? task : NULL;
}

/* --- data and R2T --- */

static bool is_data_in(const struct target_task *task, uint32_t number)
{
    return task->plan.count > 0 && number >= task->plan.first_sn;
}

/* Every number of the run is that of a Data-In, or of an R2T that waits for its data. */
static bool can_send(struct target_task *task, const struct run *run)
{
    for (uint32_t i = 0; i < run->length; i++) {
        uint32_t number = run->begin + i;

        if (!is_data_in(task, number) && !target_r2t_is_open(task, number))
            return false;
    }
    return true;
}

/* False: there was nothing to send. */
static bool send_numbers(struct target_task *task, const struct run *run)
{
    bool sent = false;

    for (uint32_t i = 0; i < run->length; i++) {
        uint32_t number = run->begin + i;

        sent |= is_data_in(task, number) || target_r2t_is_open(task, number);
        if (is_data_in(task, number))
            target_data_in_again(task, number);
        else
            target_r2t_again(task, number);
    }
    return sent;
}

static void snack_data(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_task *task = find_task(connection, pdu->itt);
    bool open_end = pdu->snack.run_length == 0; /* R2Ts in it may have been answered */
    struct run run;

    if (task == NULL || !resolve(&pdu->snack, task->acknowledged, task->data_sn, &run) ||
        (!open_end && !can_send(task, &run)) || !send_numbers(task, &run))
        target_reject(connection, REJECT_PROTOCOL_ERROR);
}

/* --- status --- */

static void snack_status(struct target_connection *connection, const struct pdu *pdu)
{
    struct list *oldest = list_first(&connection->kept);
    uint32_t first = oldest == NULL
                         ? connection->stat_sn
                         : target_kept_stat_sn(LIST_OWNER(oldest, struct target_kept, link));
    struct run run;

    if (!resolve(&pdu->snack, first, connection->stat_sn, &run)) {
        target_reject(connection, REJECT_PROTOCOL_ERROR);
        return;
    }
    for (uint32_t i = 0; i < run.length; i++) {
        struct target_kept *kept = target_kept_find(connection, run.begin + i);
        struct pdu again;

        if (kept == NULL) /* a status of the login */
            continue;
        again = kept->pdu;
        target_send_again(connection, &again, kept->data, kept->length, kept->buffer);
    }
}

/* --- acknowledgment --- */

static struct target_task *find_by_ack(struct target_connection *connection, const struct pdu *pdu)
{
    LIST_EACH(node, &connection->session->tasks)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, link);

        if (task->connection == connection && task->ack_ttt == pdu->snack.ttt &&
            task->pdu.lun == pdu->lun)
            return task;
    }
    return NULL;
}

static void data_ack(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_task *task =
        pdu->snack.ttt != PDU_RESERVED_TAG ? find_by_ack(connection, pdu) : NULL;
    uint32_t next = pdu->snack.begin_run;

    if (task == NULL || pdu->snack.run_length != 0 || next < task->acknowledged ||
        next > task->data_sn)
        target_reject(connection, REJECT_INVALID_DATA_ACK);
    else
        task->acknowledged = next;
}

/* --- data in other segments --- */

static void snack_rdata(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_task *task = find_task(connection, pdu->itt);

    if (pdu->snack.ttt == 0 || pdu->snack.ttt == PDU_RESERVED_TAG || pdu->snack.begin_run != 0 ||
        pdu->snack.run_length != 0) {
        target_reject(connection, REJECT_INVALID_PDU_FIELD);
        return;
    }
    if (task == NULL || task->kept == NULL || task->plan.count == 0) {
        target_reject(connection, REJECT_PROTOCOL_ERROR);
        return;
    }
    task->snack_tag = pdu->snack.ttt;
    task->collapsed = false;
    target_data_in_plan_rest(task);
    target_data_in_send(task, task->plan.first_sn);
    target_task_send_response(task);
}

void target_snack(struct target_connection *connection, const struct pdu *pdu)
{
    const struct target_session *session = connection->session;

    if (session->target == NULL || session->values.error_recovery_level == 0) {
        target_reject(connection, REJECT_SNACK);
        return;
    }
    switch (pdu->snack.type) {
    case SNACK_DATA_R2T:
        snack_data(connection, pdu);
        break;
    case SNACK_STATUS:
        snack_status(connection, pdu);
        break;
    case SNACK_DATA_ACK:
        data_ack(connection, pdu);
        break;
    case SNACK_RDATA:
        snack_rdata(connection, pdu);
        break;
    default:
        target_reject(connection, REJECT_INVALID_PDU_FIELD);
        break;
    }
}
