/* The data of writes: R2T and Data-Out (RFC 7143, 11.7, 11.8). */
#include "protocol/scsi.h"

#include "target/internal.h"

enum {
    FAIL_UNSOLICITED = 0x0c0c, /* unexpected unsolicited data */
    FAIL_AMOUNT = 0x0c0d,      /* not enough unsolicited data, incorrect amount of data */
    FAIL_CRC = 0x4705,         /* protocol service CRC error */
};

static bool data_under_way(const struct target_task *task)
{
    for (size_t i = 0; i < TARGET_R2T_MAX; i++) {
        if (task->r2ts[i].length > 0)
            return true;
    }
    return task->unsolicited;
}

static void send_r2t(struct target_task *task, struct target_r2t *r2t)
{
    struct pdu pdu = {.opcode = PDU_R2T, .final = true, .itt = task->pdu.itt, .lun = task->pdu.lun};
    uint32_t left = task->takes - task->asked;
    uint32_t burst = task->session->values.max_burst_length;

    r2t->ttt = target_session_ttt(task->session);
    r2t->offset = task->asked;
    r2t->length = left < burst ? left : burst;
    r2t->received = r2t->data_sn = 0;
    task->asked += r2t->length;
    pdu.r2t.ttt = r2t->ttt;
    pdu.r2t.r2t_sn = task->data_sn++;
    pdu.r2t.offset = r2t->offset;
    pdu.r2t.length = r2t->length;
    target_send(task->connection, &pdu, NULL, 0, NULL);
}

/* Asks for what is missing, or runs the command when it has all. */
void target_task_request_data(struct target_task *task)
{
    uint32_t limit = task->session->values.max_outstanding_r2t;

    if (!task->started || task->unsolicited)
        return;
    for (uint32_t i = 0; i < TARGET_R2T_MAX && i < limit && task->failure == 0; i++) {
        if (task->r2ts[i].length == 0 && task->asked < task->takes)
            send_r2t(task, &task->r2ts[i]);
    }
    if (!data_under_way(task))
        target_task_execute(task);
}

static struct target_r2t *r2t_of(struct target_task *task, uint32_t ttt)
{
    for (size_t i = 0; i < TARGET_R2T_MAX; i++) {
        if (task->r2ts[i].length > 0 && task->r2ts[i].ttt == ttt)
            return &task->r2ts[i];
    }
    return NULL;
}

/* Is it the next piece of a sequence that is under way? */
static bool in_sequence(struct target_task *task, const struct pdu *pdu)
{
    const struct pdu_data_out *data = &pdu->data_out;
    const struct target_r2t *r2t;

    if (data->ttt == PDU_RESERVED_TAG)
        return task->unsolicited && data->offset == task->asked &&
               data->data_sn == task->unsolicited_data_sn &&
               pdu->data_length <= task->session->values.first_burst_length - task->asked;
    r2t = r2t_of(task, data->ttt);
    return r2t != NULL && data->offset == r2t->offset + r2t->received &&
           data->data_sn == r2t->data_sn && pdu->data_length <= r2t->length - r2t->received;
}

/* Data out of sequence leave the task without its data, which nothing short of recovery at a higher
 * level mends: it fails when all that is under way has come. What lies beyond its buffer is dropped
 * by the framer. */
struct target_task *target_data_out_task(struct target_connection *connection,
                                         const struct pdu *pdu)
{
    LIST_EACH(node, &connection->session->tasks)
    {
        struct target_task *task = LIST_OWNER(node, struct target_task, link);

        if (task->pdu.itt != pdu->itt || task->connection != connection)
            continue;
        if (task->failure == 0 && !in_sequence(task, pdu))
            task->failure = pdu->data_out.ttt == PDU_RESERVED_TAG ? FAIL_UNSOLICITED : FAIL_AMOUNT;
        return task;
    }
    return NULL;
}

static void take_unsolicited(struct target_task *task, const struct pdu *pdu)
{
    task->asked += pdu->data_length;
    task->unsolicited_data_sn++;
    if (pdu->final)
        task->unsolicited = false;
}

static void take_solicited(struct target_task *task, struct target_r2t *r2t, const struct pdu *pdu)
{
    r2t->received += pdu->data_length;
    r2t->data_sn++;
    if (!pdu->final)
        return;
    if (r2t->received != r2t->length && task->failure == 0)
        task->failure = FAIL_AMOUNT;
    r2t->length = 0;
}

void target_data_out(struct target_connection *connection, struct target_task *task,
                     const struct pdu *pdu, bool intact)
{
    struct target_r2t *r2t;

    if (!intact)
        target_reject(connection, REJECT_DATA_DIGEST);
    if (task == NULL) /* of one that was aborted */
        return;
    if (!intact)
        task->failure = FAIL_CRC;
    task->received += pdu->data_length;
    if (task->received > task->takes)
        task->received = task->takes;
    r2t = r2t_of(task, pdu->data_out.ttt);
    if (pdu->data_out.ttt == PDU_RESERVED_TAG)
        take_unsolicited(task, pdu);
    else if (r2t != NULL)
        take_solicited(task, r2t, pdu);
    target_task_request_data(task);
}
