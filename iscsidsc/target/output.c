/* What a connection sends: numbered, passed to the faults, encoded, queued, and handed out as
 * pieces. */
#include "target/internal.h"

struct output_frame {
    struct list link;
    uint64_t earliest;
    uint8_t head_length;
    uint8_t end; /* enum target_end: what follows it */
    struct frame_tail tail;
    struct iov data;
    struct target_buffer *buffer; /* that the data lie in; may be NULL */
    uint8_t head[PDU_BHS_LENGTH + PDU_DIGEST_LENGTH];
};

/* --- buffers --- */

struct target_buffer *target_buffer_new(size_t length)
{
    struct target_buffer *buffer = os_grow(NULL, sizeof *buffer + length);

    if (buffer == NULL)
        return NULL;
    buffer->references = 1;
    buffer->length = length;
    return buffer;
}

void target_buffer_release(struct target_buffer *buffer)
{
    if (buffer != NULL && --buffer->references == 0)
        os_free(buffer);
}

static struct target_buffer *buffer_copy(const void *data, size_t length)
{
    struct target_buffer *buffer = target_buffer_new(length);

    if (buffer != NULL && length > 0)
        memcpy(buffer->bytes, data, length);
    return buffer;
}

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

static void number(struct target_connection *connection, struct pdu *pdu)
{
    const struct target_session *session = connection->session;
    struct pdu_sequence *sn = sequence_of(pdu);

    if (sn == NULL)
        return;
    sn->exp_cmd_sn = session != NULL ? session->exp_cmd_sn : connection->login_cmd_sn;
    sn->max_cmd_sn = session != NULL ? target_session_max_cmd_sn(session)
                                     : connection->login_cmd_sn +
                                           connection->entity->settings.command_window - 1;
    sn->stat_sn = connection->stat_sn;
    if (takes_stat_sn(pdu))
        connection->stat_sn++;
    else if (pdu->opcode == PDU_DATA_IN)
        sn->stat_sn = 0;
}

/* --- frames --- */

static size_t frame_length(const struct output_frame *frame)
{
    return frame->head_length + frame->data.length + frame->tail.length;
}

static void free_frame(struct output_frame *frame)
{
    list_remove(&frame->link);
    target_buffer_release(frame->buffer);
    os_free(frame);
}

static struct output_frame *new_frame(struct target_connection *connection, const void *data,
                                      size_t length, struct target_buffer *buffer)
{
    struct output_frame *frame = os_alloc(sizeof *frame);

    if (frame == NULL) {
        target_connection_end(connection, TARGET_END_RESET);
        return NULL;
    }
    list_init(&frame->link);
    /* Borrowed from the caller, who will not see it written to. */
    frame->data.base = (void *)(uintptr_t)data;
    frame->data.length = length;
    frame->buffer = buffer;
    if (buffer != NULL)
        buffer->references++;
    return frame;
}

static void encode(const struct target_connection *connection, struct output_frame *frame,
                   const struct pdu *pdu)
{
    pdu_encode(pdu, frame->head);
    frame->head_length = PDU_BHS_LENGTH;
    if (connection->framer.header_digest) {
        frame_header_digest(frame->head, PDU_BHS_LENGTH);
        frame->head_length = PDU_BHS_LENGTH + PDU_DIGEST_LENGTH;
    }
    frame_tail(&frame->tail, &frame->data, 1, connection->framer.data_digest);
}

/* Makes one run of bytes of the frame, so that a fault can change or cut it. */
static bool flatten(struct output_frame *frame)
{
    size_t head = frame->head_length;
    size_t data = frame->data.length;
    struct target_buffer *flat = target_buffer_new(frame_length(frame));

    if (flat == NULL)
        return false;
    memcpy(flat->bytes, frame->head, head);
    if (data > 0)
        memcpy(flat->bytes + head, frame->data.base, data);
    memcpy(flat->bytes + head + data, frame->tail.bytes, frame->tail.length);
    target_buffer_release(frame->buffer);
    frame->buffer = flat;
    frame->data.base = flat->bytes;
    frame->data.length = flat->length;
    frame->head_length = frame->tail.length = 0;
    return true;
}

static void queue(struct target_connection *connection, struct output_frame *frame)
{
    struct target_output *output = &connection->output;

    frame->earliest = output->earliest;
    output->queued += frame_length(frame);
    list_append(&output->frames, &frame->link);
    if (!connection->reading)
        connection->wake(connection->owner);
}

static void queue_pdu(struct target_connection *connection, const struct target_fault_out *out,
                      struct target_buffer *buffer, bool with_end)
{
    const struct target_fault *fault = connection->entity->settings.fault;
    struct output_frame *frame = new_frame(connection, out->data, out->length, buffer);

    if (frame == NULL)
        return;
    encode(connection, frame, out->pdu);
    if (fault != NULL && (fault->encoded != NULL || with_end) && !flatten(frame)) {
        free_frame(frame);
        return;
    }
    if (fault != NULL && fault->encoded != NULL)
        fault->encoded(fault->context, connection, out->pdu, frame->data.base, frame->data.length);
    if (with_end) {
        frame->end = (uint8_t)out->end;
        if (out->end_at < frame->data.length)
            frame->data.length = out->end_at;
    }
    queue(connection, frame);
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

void target_send(struct target_connection *connection, struct pdu *pdu, const void *data,
                 uint32_t length, struct target_buffer *buffer)
{
    const struct target_fault *fault = connection->entity->settings.fault;
    struct target_fault_out out = {
        .pdu = pdu, .data = data, .length = length, .copies = 1, .end_at = SIZE_MAX};

    if (connection->state >= TARGET_CLOSING)
        return;
    pdu->data_length = length;
    number(connection, pdu);
    if (fault != NULL && fault->outgoing != NULL)
        fault->outgoing(fault->context, connection, &out);
    pdu->data_length = out.length;
    obey(connection, &out, out.replaced != NULL ? out.replaced : buffer);
    target_buffer_release(out.replaced);
}

void target_send_copy(struct target_connection *connection, struct pdu *pdu, const void *data,
                      uint32_t length)
{
    struct target_buffer *buffer = length > 0 ? buffer_copy(data, length) : NULL;

    if (length > 0 && buffer == NULL) {
        target_connection_end(connection, TARGET_END_RESET);
        return;
    }
    target_send(connection, pdu, length > 0 ? buffer->bytes : NULL, length, buffer);
    target_buffer_release(buffer);
}

/* --- for the faults --- */

bool target_fault_data(struct target_fault_out *out, const void *data, uint32_t length)
{
    struct target_buffer *copy = buffer_copy(data, length);

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
    struct target_buffer *buffer = buffer_copy(data, length);
    struct pdu copy = *pdu;
    struct output_frame *frame;

    if (buffer == NULL || connection->state >= TARGET_CLOSING) {
        target_buffer_release(buffer);
        return;
    }
    copy.data_length = length;
    if (numbered)
        number(connection, &copy);
    frame = new_frame(connection, buffer->bytes, length, buffer);
    target_buffer_release(buffer);
    if (frame == NULL)
        return;
    encode(connection, frame, &copy);
    queue(connection, frame);
}

void target_fault_send_bytes(struct target_connection *connection, const void *bytes, size_t length)
{
    struct target_buffer *buffer = buffer_copy(bytes, length);
    struct output_frame *frame;

    if (buffer == NULL)
        return;
    frame = new_frame(connection, buffer->bytes, length, buffer);
    target_buffer_release(buffer);
    if (frame != NULL)
        queue(connection, frame);
}

void target_fault_dribble(struct target_connection *connection, size_t bytes, uint32_t interval)
{
    connection->output.dribble = bytes;
    connection->output.dribble_interval = interval;
}

uint32_t *target_fault_memory(struct target_connection *connection)
{
    return connection->fault_memory;
}

void target_fault_end(struct target_connection *connection, enum target_end end)
{
    target_connection_end(connection, end);
}

/* --- the queue --- */

void target_output_init(struct target_output *output)
{
    memset(output, 0, sizeof *output);
    list_init(&output->frames);
}

void target_output_clear(struct target_output *output)
{
    LIST_EACH_SAFE(node, &output->frames)
    free_frame(LIST_OWNER(node, struct output_frame, link));
    output->sent = output->queued = 0;
}

static struct output_frame *first_frame(const struct target_output *output)
{
    struct list *node = list_first(&output->frames);

    return node != NULL ? LIST_OWNER(node, struct output_frame, link) : NULL;
}

uint64_t target_output_due(const struct target_output *output, uint64_t now)
{
    const struct output_frame *frame = first_frame(output);
    uint64_t due;

    if (frame == NULL)
        return OS_NEVER;
    due = frame->earliest > output->dribble_next ? frame->earliest : output->dribble_next;
    return due > now ? due : OS_NEVER;
}

static size_t frame_pieces(const struct output_frame *frame, size_t skip, struct iov *pieces,
                           size_t room)
{
    /* The heads are only read: struct iov serves both directions. */
    const struct iov parts[3] = {
        {(void *)(uintptr_t)frame->head, frame->head_length},
        frame->data,
        {(void *)(uintptr_t)frame->tail.bytes, frame->tail.length},
    };
    size_t count = 0;

    for (size_t i = 0; i < 3 && count < room; i++) {
        if (skip >= parts[i].length) {
            skip -= parts[i].length;
            continue;
        }
        pieces[count].base = (uint8_t *)parts[i].base + skip;
        pieces[count++].length = parts[i].length - skip;
        skip = 0;
    }
    return count;
}

size_t target_connection_write_pieces(struct target_connection *connection, struct iov *pieces,
                                      size_t room, uint64_t now)
{
    struct target_output *output = &connection->output;
    size_t skip = output->sent;
    size_t count = 0;

    connection->now = now;
    if (output->dribble_next > now)
        return 0;
    LIST_EACH(node, &output->frames)
    {
        const struct output_frame *frame = LIST_OWNER(node, struct output_frame, link);

        if (count == room || frame->earliest > now)
            break;
        count += frame_pieces(frame, skip, pieces + count, room - count);
        skip = 0;
        if (frame->end != TARGET_END_NONE)
            break;
    }
    if (count > 0 && output->dribble > 0) {
        count = 1;
        if (pieces[0].length > output->dribble)
            pieces[0].length = output->dribble;
    }
    return count;
}

/* A frame has left, and maybe the connection goes with it. */
static void frame_done(struct target_connection *connection, struct output_frame *frame)
{
    enum target_end end = frame->end;

    connection->output.sent = 0;
    free_frame(frame);
    if (end != TARGET_END_NONE) {
        target_output_clear(&connection->output);
        target_connection_end(connection, end);
    }
}

void target_connection_written(struct target_connection *connection, size_t length)
{
    struct target_output *output = &connection->output;
    struct output_frame *frame;

    if (output->dribble > 0)
        output->dribble_next = connection->now + output->dribble_interval;
    while ((frame = first_frame(output)) != NULL) {
        size_t left = frame_length(frame) - output->sent;

        if (length < left) {
            output->sent += length;
            output->queued -= length;
            return;
        }
        length -= left;
        output->queued -= left;
        frame_done(connection, frame);
    }
    if (connection->state == TARGET_CLOSING)
        connection->state = TARGET_CLOSED;
}
