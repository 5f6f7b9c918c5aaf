/* The queue of what a connection sends, and how it is handed out as pieces. */
#include "target/internal.h"

/* --- frames --- */

size_t target_frame_length(const struct target_frame *frame)
{
    return frame->head_length + frame->data.length + frame->tail.length;
}

void target_frame_free(struct target_frame *frame)
{
    list_remove(&frame->link);
    target_buffer_release(frame->buffer);
    target_stock_put(frame->stock, frame);
}

struct target_frame *target_frame_new(struct target_connection *connection, const void *data,
                                      size_t length, struct target_buffer *buffer)
{
    struct target_stock *stock = &connection->entity->frames;
    struct target_frame *frame = target_stock_take(stock, sizeof *frame);

    if (frame == NULL) {
        target_connection_end(connection, TARGET_END_RESET);
        return NULL;
    }
    frame->stock = stock;
    list_init(&frame->link);
    /* Borrowed from the caller, who will not see it written to. */
    frame->data.base = (void *)(uintptr_t)data;
    frame->data.length = length;
    frame->buffer = buffer;
    if (buffer != NULL)
        buffer->references++;
    return frame;
}

void target_frame_encode(const struct target_connection *connection, struct target_frame *frame,
                         const struct pdu *pdu, const uint8_t *bhs)
{
    if (bhs != NULL)
        memcpy(frame->head, bhs, PDU_BHS_LENGTH);
    else
        pdu_encode(pdu, frame->head);
    frame->head_length = PDU_BHS_LENGTH;
    if (connection->framer.header_digest) {
        frame_header_digest(frame->head, PDU_BHS_LENGTH);
        frame->head_length = PDU_BHS_LENGTH + PDU_DIGEST_LENGTH;
    }
    frame_tail(&frame->tail, &frame->data, 1, connection->framer.data_digest);
}

bool target_frame_flatten(struct target_frame *frame)
{
    size_t head = frame->head_length;
    size_t data = frame->data.length;
    struct target_buffer *flat = target_buffer_new(NULL, target_frame_length(frame));

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

/* To the end of the queue. */
static void append(struct target_output *output, struct target_frame *frame)
{
    list_remove(&frame->link);
    frame->earliest = output->earliest;
    frame->behind = 0;
    list_append(&output->frames, &frame->link);
}

/* One more frame has overtaken those that wait for it. */
static void release_late(struct target_output *output)
{
    LIST_EACH_SAFE(node, &output->late)
    {
        struct target_frame *frame = LIST_OWNER(node, struct target_frame, link);

        if (--frame->behind == 0)
            append(output, frame);
    }
}

void target_output_hurry(struct target_connection *connection)
{
    LIST_EACH_SAFE(node, &connection->output.late)
    append(&connection->output, LIST_OWNER(node, struct target_frame, link));
}

void target_output_tick(struct target_connection *connection)
{
    struct target_output *output = &connection->output;

    LIST_EACH_SAFE(node, &output->late)
    {
        struct target_frame *frame = LIST_OWNER(node, struct target_frame, link);

        if (frame->earliest <= connection->now)
            append(output, frame);
    }
}

void target_output_queue(struct target_connection *connection, struct target_frame *frame)
{
    struct target_output *output = &connection->output;

    output->queued += target_frame_length(frame);
    if (frame->behind > 0) {
        frame->earliest = connection->now + TARGET_FAULT_PATIENCE;
        list_append(&output->late, &frame->link);
    } else {
        append(output, frame);
        release_late(output);
    }
    if (!connection->reading)
        connection->wake(connection->owner);
}

/* --- the queue --- */

void target_output_init(struct target_output *output)
{
    memset(output, 0, sizeof *output);
    list_init(&output->frames);
    list_init(&output->late);
}

void target_output_clear(struct target_output *output)
{
    LIST_EACH_SAFE(node, &output->frames)
    target_frame_free(LIST_OWNER(node, struct target_frame, link));
    LIST_EACH_SAFE(late_node, &output->late)
    target_frame_free(LIST_OWNER(late_node, struct target_frame, link));
    output->sent = output->queued = 0;
}

static struct target_frame *first_frame(const struct target_output *output)
{
    struct list *node = list_first(&output->frames);

    return node != NULL ? LIST_OWNER(node, struct target_frame, link) : NULL;
}

uint64_t target_output_due(const struct target_output *output, uint64_t now)
{
    const struct target_frame *frame = first_frame(output);
    uint64_t due = OS_NEVER;

    if (frame != NULL)
        due = frame->earliest > output->dribble_next ? frame->earliest : output->dribble_next;
    if (due <= now)
        due = OS_NEVER;
    LIST_EACH(node, &output->late)
    {
        const struct target_frame *late = LIST_OWNER(node, struct target_frame, link);

        if (late->earliest < due)
            due = late->earliest;
    }
    return due;
}

static size_t frame_pieces(const struct target_frame *frame, size_t skip, struct iov *pieces,
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
    if (output->dribble_next > now || connection->mute)
        return 0;
    LIST_EACH(node, &output->frames)
    {
        const struct target_frame *frame = LIST_OWNER(node, struct target_frame, link);

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
static void frame_done(struct target_connection *connection, struct target_frame *frame)
{
    enum target_end end = frame->end;

    connection->output.sent = 0;
    target_frame_free(frame);
    if (end != TARGET_END_NONE) {
        target_output_clear(&connection->output);
        target_connection_end(connection, end);
    }
}

void target_connection_written(struct target_connection *connection, size_t length)
{
    struct target_output *output = &connection->output;
    struct target_frame *frame;

    if (output->dribble > 0)
        output->dribble_next = connection->now + output->dribble_interval;
    while ((frame = first_frame(output)) != NULL) {
        size_t left = target_frame_length(frame) - output->sent;

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
