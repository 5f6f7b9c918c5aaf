/* How a PDU gets into the queue: numbered, kept, passed to the faults, encoded. */
#include "target/internal.h"

/* --- sequence numbers --- */

static struct pdu_sequence *sequence_of(struct pdu *pdu)
{
    switch (pdu->opcode) {
    case PDU_NOP_IN:
        return &pdu->nop_in.sn;
    case PDU_SCSI_RESPONSE:
        return &pdu->scsi_response.sn;
    case PDU_TASK_RESPONSE:
        return &pdu->task_response.sn;
    case PDU_LOGIN_RESPONSE:
        return &pdu->login_response.sn;
    case PDU_TEXT_RESPONSE:
        return &pdu->text_response.sn;
    case PDU_DATA_IN:
        return &pdu->data_in.sn;
    case PDU_LOGOUT_RESPONSE:
        return &pdu->logout_response.sn;
    case PDU_R2T:
        return &pdu->r2t.sn;
    case PDU_ASYNC_MESSAGE:
        return &pdu->async_message.sn;
    case PDU_REJECT:
        return &pdu->reject.sn;
    default:
        return NULL;
    }
}

/* RFC 7143, 4.2.2.2: R2T, unsolicited NOP-In and Data-In without status take no StatSN. */
static bool takes_stat_sn(const struct pdu *pdu)
{
    switch (pdu->opcode) {
    case PDU_R2T:
        return false;
    case PDU_NOP_IN:
        return pdu->itt != PDU_RESERVED_TAG;
    case PDU_DATA_IN:
        return pdu->data_in.status_present;
    default:
        return true;
    }
}

/* The command window as it is now. */
static void tell_window(const struct target_connection *connection, struct pdu_sequence *sn)
{
    struct target_session *session =
        connection->session != NULL ? connection->session : target_login_joins(connection);

    sn->exp_cmd_sn = session != NULL ? session->exp_cmd_sn : connection->login_cmd_sn;
    sn->max_cmd_sn = session != NULL ? target_session_max_cmd_sn(session)
                                     : connection->login_cmd_sn +
                                           connection->entity->settings.command_window - 1;
}

static void number(struct target_connection *connection, struct pdu *pdu)
{
    struct pdu_sequence *sn = sequence_of(pdu);

    if (sn == NULL)
        return;
    tell_window(connection, sn);
    sn->stat_sn = connection->stat_sn;
    if (takes_stat_sn(pdu))
        connection->stat_sn++;
    else if (pdu->opcode == PDU_DATA_IN)
        sn->stat_sn = 0;
}

/* --- the way out --- */

static void turn(uint8_t *bytes, size_t length, size_t at)
{
    if (at < length)
        bytes[at] ^= 1;
}

/* Damage on the way: `bytes` are all of the PDU. */
static void flip(const struct target_connection *connection, const struct target_fault_out *out,
                 uint8_t *bytes, size_t length)
{
    size_t head = PDU_BHS_LENGTH + (connection->framer.header_digest ? PDU_DIGEST_LENGTH : 0);
    size_t data = length - head;

    if (out->flips & TARGET_FLIP_HEADER)
        turn(bytes, PDU_BHS_LENGTH, out->flip_at);
    if (out->flips & TARGET_FLIP_HEADER_DIGEST && head > PDU_BHS_LENGTH)
        turn(bytes, head, head - 1);
    if (out->flips & TARGET_FLIP_DATA)
        turn(bytes + head, out->length, out->flip_at);
    if (out->flips & TARGET_FLIP_DATA_DIGEST && connection->framer.data_digest && out->length > 0)
        turn(bytes + head, data, data - 1);
}

static void queue_pdu(struct target_connection *connection, const struct target_fault_out *out,
                      struct target_buffer *buffer, bool with_end)
{
    const struct target_fault *fault = connection->entity->settings.fault;
    struct target_frame *frame = target_frame_new(connection, out->data, out->length, buffer);

    if (frame == NULL)
        return;
    frame->behind = out->behind;
    target_frame_encode(connection, frame, out->pdu, out->raw ? out->bhs : NULL);
    if (fault != NULL && (fault->encoded != NULL || with_end || out->flips != 0) &&
        !target_frame_flatten(frame)) {
        target_frame_free(frame);
        return;
    }
    if (out->flips != 0)
        flip(connection, out, frame->data.base, frame->data.length);
    if (fault != NULL && fault->encoded != NULL)
        fault->encoded(fault->context, connection, out->pdu, frame->data.base, frame->data.length);
    if (with_end) {
        frame->end = (uint8_t)out->end;
        if (out->end_at < frame->data.length)
            frame->data.length = out->end_at;
    }
    target_output_queue(connection, frame);
}

static void obey(struct target_connection *connection, const struct target_fault_out *out,
                 struct target_buffer *buffer)
{
    struct target_output *output = &connection->output;

    if (out->delay > 0 && connection->now + out->delay > output->earliest)
        output->earliest = connection->now + out->delay;
    for (unsigned i = 1; i <= out->copies; i++)
        queue_pdu(connection, out, buffer, out->end != TARGET_END_NONE && i == out->copies);
    if (out->copies == 0 && out->end != TARGET_END_NONE)
        target_connection_end(connection, out->end);
    if (out->then == NULL)
        return;
    if (out->then_delay > 0)
        output->earliest = connection->now + out->delay + out->then_delay;
    target_fault_send(connection, out->then, NULL, 0, false);
}

/* What a PDU carries. */
struct load {
    const void *data;
    uint32_t length;
    struct target_buffer *buffer;
};

/* Past the faults, and into the queue. */
static void emit(struct target_connection *connection, struct pdu *pdu, const struct load *load,
                 bool again)
{
    const struct target_fault *fault = connection->entity->settings.fault;
    struct target_fault_out out = {.pdu = pdu,
                                   .data = load->data,
                                   .length = load->length,
                                   .again = again,
                                   .copies = 1,
                                   .end_at = SIZE_MAX};

    if (fault != NULL && fault->outgoing != NULL)
        fault->outgoing(fault->context, connection, &out);
    pdu->data_length = out.length;
    obey(connection, &out, out.replaced != NULL ? out.replaced : load->buffer);
    target_buffer_release(out.replaced);
    if (out.tell_sent && fault->sent != NULL)
        fault->sent(fault->context, connection);
}

static bool is_kept(const struct target_connection *connection, const struct pdu *pdu)
{
    return connection->state == TARGET_FULL_FEATURE &&
           connection->session->values.error_recovery_level > 0 && takes_stat_sn(pdu);
}

static void send_new(struct target_connection *connection, struct pdu *pdu, const struct load *load,
                     struct target_task *task)
{
    if (connection->state >= TARGET_CLOSING)
        return;
    pdu->data_length = load->length;
    number(connection, pdu);
    if (is_kept(connection, pdu) &&
        !target_keep(connection, pdu, load->data, load->length, load->buffer, task)) {
        target_connection_end(connection, TARGET_END_RESET);
        return;
    }
    emit(connection, pdu, load, false);
}

void target_send(struct target_connection *connection, struct pdu *pdu, const void *data,
                 uint32_t length, struct target_buffer *buffer)
{
    send_new(connection, pdu, &(struct load){data, length, buffer}, NULL);
}

void target_send_status(struct target_task *task, struct pdu *pdu, const void *data,
                        uint32_t length, struct target_buffer *buffer)
{
    task->stat_sn = task->connection->stat_sn;
    send_new(task->connection, pdu, &(struct load){data, length, buffer}, task);
}

void target_send_again(struct target_connection *connection, struct pdu *pdu, const void *data,
                       uint32_t length, struct target_buffer *buffer)
{
    struct pdu_sequence *sn = sequence_of(pdu);

    if (connection->state >= TARGET_CLOSING || sn == NULL)
        return;
    pdu->data_length = length;
    tell_window(connection, sn);
    if (pdu->opcode == PDU_R2T)
        sn->stat_sn = connection->stat_sn;
    emit(connection, pdu, &(struct load){data, length, buffer}, true);
}

void target_send_copy(struct target_connection *connection, struct pdu *pdu, const void *data,
                      uint32_t length)
{
    struct target_buffer *buffer = NULL;

    if (length > 0) {
        buffer = target_buffer_copy(&connection->entity->pool, data, length);
        if (buffer == NULL) {
            target_connection_end(connection, TARGET_END_RESET);
            return;
        }
    }
    target_send(connection, pdu, length > 0 ? buffer->bytes : NULL, length, buffer);
    target_buffer_release(buffer);
}

/* --- for the faults --- */

bool target_fault_data(struct target_fault_out *out, const void *data, uint32_t length)
{
    struct target_buffer *copy = target_buffer_copy(NULL, data, length);

    if (copy == NULL)
        return false;
    target_buffer_release(out->replaced);
    out->replaced = copy;
    out->data = copy->bytes;
    out->length = length;
    return true;
}

void target_fault_send(struct target_connection *connection, const struct pdu *pdu,
                       const void *data, uint32_t length, bool numbered)
{
    struct target_buffer *buffer = target_buffer_copy(NULL, data, length);
    struct pdu copy = *pdu;
    struct target_frame *frame;

    if (buffer == NULL || connection->state >= TARGET_CLOSING) {
        target_buffer_release(buffer);
        return;
    }
    copy.data_length = length;
    if (numbered)
        number(connection, &copy);
    frame = target_frame_new(connection, buffer->bytes, length, buffer);
    target_buffer_release(buffer);
    if (frame == NULL)
        return;
    target_frame_encode(connection, frame, &copy, NULL);
    target_output_queue(connection, frame);
}

void target_fault_send_bytes(struct target_connection *connection, const void *bytes, size_t length)
{
    struct target_buffer *buffer = target_buffer_copy(NULL, bytes, length);
    struct target_frame *frame;

    if (buffer == NULL)
        return;
    frame = target_frame_new(connection, buffer->bytes, length, buffer);
    target_buffer_release(buffer);
    if (frame != NULL)
        target_output_queue(connection, frame);
}

void target_fault_dribble(struct target_connection *connection, size_t bytes, uint32_t interval)
{
    connection->output.dribble = bytes;
    connection->output.dribble_interval = interval;
}

void target_fault_timer(struct target_connection *connection, uint32_t milliseconds)
{
    connection->fault_due = connection->now + milliseconds;
    if (!connection->reading)
        connection->wake(connection->owner);
}

void target_fault_mute(struct target_connection *connection)
{
    connection->mute = true;
}

uint32_t *target_fault_memory(struct target_connection *connection)
{
    return connection->fault_memory;
}

void target_fault_end(struct target_connection *connection, enum target_end end)
{
    target_connection_end(connection, end);
}
