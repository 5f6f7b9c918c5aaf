/* The data of reads (RFC 7143, 11.7): sent once, and again as far as SNACK asks for it. */
#include "target/internal.h"

void target_data_in_plan(struct target_task *task, uint32_t base, uint32_t first_sn)
{
    const struct target_settings *settings = &task->session->entity->settings;
    const struct key_values *values = &task->session->values;
    uint64_t length = task->scsi.in_length;

    if (length > task->in_expected)
        length = task->in_expected;
    task->plan = (struct target_plan){
        .first_sn = first_sn,
        .base = base,
        .length = (uint32_t)length - base,
        .segment = task->connection->values.max_send_data_segment_length,
        .burst = values->max_burst_length,
        .seed = settings->seed,
    };
    if (!values->data_sequence_in_order)
        task->plan.sequence_order = (uint8_t)settings->sequence_order;
    if (!values->data_pdu_in_order)
        task->plan.pdu_order = (uint8_t)settings->pdu_order;
    target_plan_make(&task->plan);
    task->data_sn = first_sn + task->plan.count;
}

static bool sent_in_order(const struct target_plan *plan)
{
    return plan->sequence_order == TARGET_ORDER_INCREASING &&
           plan->pdu_order == TARGET_ORDER_INCREASING;
}

/* RFC 7143, 11.16.3: the numbers go on from the last that was acknowledged. What was not sent in
 * order is sent as a whole when its segments change. */
void target_data_in_plan_rest(struct target_task *task)
{
    const struct target_plan *plan = &task->plan;
    uint32_t sent = task->acknowledged > plan->first_sn ? task->acknowledged - plan->first_sn : 0;
    uint32_t base = plan->base;

    if (sent > 0 && sent == plan->count)
        base += plan->length;
    else if (sent > 0 && sent_in_order(plan))
        base = target_plan_piece(plan, sent).offset;
    target_data_in_plan(task, base, plan->first_sn + sent);
}

/* RFC 7143, 11.7.2: at most once for each MaxBurstLength, and where the data end. */
static void ask_for_acknowledgment(struct target_task *task, struct pdu *pdu)
{
    if (!target_task_recovers(task) || task->session->entity->settings.no_data_ack)
        return;
    if (task->ack_ttt == PDU_RESERVED_TAG)
        task->ack_ttt = target_session_ttt(task->session);
    pdu->lun = task->pdu.lun;
    pdu->data_in.acknowledge = true;
    pdu->data_in.ttt = task->ack_ttt;
}

/* Number `data_sn` of the plan; returns its data. */
static const uint8_t *make(struct target_task *task, uint32_t data_sn, struct pdu *pdu)
{
    uint32_t index = data_sn - task->plan.first_sn;
    struct target_piece piece = target_plan_piece(&task->plan, index);

    *pdu = (struct pdu){.opcode = PDU_DATA_IN, .itt = task->pdu.itt, .data_length = piece.length};
    pdu->final = piece.final;
    pdu->data_in.ttt = PDU_RESERVED_TAG;
    pdu->data_in.data_sn = data_sn;
    pdu->data_in.offset = piece.offset;
    if (piece.final)
        ask_for_acknowledgment(task, pdu);
    if (task->collapsed && index == task->plan.count - 1) {
        struct pdu response;

        target_task_response(task, &response);
        pdu->data_in.status_present = true;
        pdu->data_in.status = response.scsi_response.status;
        pdu->data_in.overflow = response.scsi_response.overflow;
        pdu->data_in.underflow = response.scsi_response.underflow;
        pdu->data_in.residual = response.scsi_response.residual;
        pdu->data_in.sn.stat_sn = task->stat_sn;
    }
    return task->scsi.data + piece.offset;
}

void target_data_in_send(struct target_task *task, uint32_t data_sn)
{
    uint32_t end = task->plan.first_sn + task->plan.count;

    for (; data_sn != end; data_sn++) {
        struct pdu pdu;
        const uint8_t *data = make(task, data_sn, &pdu);

        if (pdu.data_in.status_present)
            target_send_status(task, &pdu, data, pdu.data_length, task->scsi.buffer);
        else
            target_send(task->connection, &pdu, data, pdu.data_length, task->scsi.buffer);
    }
}

void target_data_in_again(struct target_task *task, uint32_t data_sn)
{
    struct pdu pdu;
    const uint8_t *data = make(task, data_sn, &pdu);

    target_send_again(task->connection, &pdu, data, pdu.data_length, task->scsi.buffer);
}
