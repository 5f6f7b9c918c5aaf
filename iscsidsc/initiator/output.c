/* What a connection has to send: a queue of frames, written many at a time. */
#include "initiator/internal.h"
#include "os/memory.h"

#include <string.h>

/* A target that makes us answer faster than it reads must not grow our memory for ever. */
#define OUTPUT_FRAMES_MAX 16384u

static size_t frame_length(const struct frame *frame)
{
    return (size_t)frame->head_length + frame->data.length + frame->tail_length;
}

static struct frame *first_frame(const struct connection *connection)
{
    struct list *first = list_first(&connection->output);

    return first ? LIST_OWNER(first, struct frame, link) : NULL;
}

/* Encodes late: ExpStatSN is that of the moment the PDU is queued. */
static void seal(struct connection *connection, struct frame *frame, const struct pdu *pdu)
{
    bool full_feature = connection->state != CONNECTION_LOGIN;
    struct frame_tail tail;

    pdu_encode(pdu, frame->head);
    frame->head_length = PDU_BHS_LENGTH;
    if (full_feature && connection->values.header_digest) {
        frame_header_digest(frame->head, PDU_BHS_LENGTH);
        frame->head_length = PDU_BHS_LENGTH + PDU_DIGEST_LENGTH;
    }
    frame_tail(&tail, &frame->data, 1, full_feature && connection->values.data_digest);
    frame->tail_length = tail.length;
    memcpy(frame->tail, tail.bytes, sizeof frame->tail);
}

static void enqueue(struct connection *connection, struct frame *frame)
{
    bool was_empty = list_empty(&connection->output);

    list_append(&connection->output, &frame->link);
    connection->output_count++;
    if (was_empty)
        connection->session->callbacks->output(connection->owner, connection);
}

void output_frame(struct connection *connection, struct frame *frame, const struct pdu *pdu)
{
    frame->allocated = false;
    seal(connection, frame, pdu);
    enqueue(connection, frame);
}

bool output_send(struct connection *connection, const struct pdu *pdu, const void *data,
                 size_t length)
{
    struct frame *frame;

    if (connection->output_count >= OUTPUT_FRAMES_MAX) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR,
                        "the target demands answers and does not read them");
        return false;
    }
    frame = os_alloc(sizeof *frame + length);
    if (!frame) {
        connection_fail(connection, STATUS_NO_MEMORY, "no memory to answer the target");
        return false;
    }
    frame->allocated = true;
    frame->data.base = frame + 1;
    frame->data.length = length;
    if (length > 0)
        memcpy(frame->data.base, data, length);
    seal(connection, frame, pdu);
    enqueue(connection, frame);
    return true;
}

static void release(struct connection *connection, struct frame *frame)
{
    list_remove(&frame->link);
    connection->output_count--;
    if (frame->allocated) {
        /* A login's text may hold a CHAP response. */
        os_free(frame);
    }
}

void output_adopt(struct connection *connection, struct frame *frame)
{
    struct frame *copy;

    if (list_empty(&frame->link))
        return;
    copy = os_alloc(sizeof *copy + frame->data.length);
    if (!copy) {
        connection_fail(connection, STATUS_NO_MEMORY, "no memory to cancel a command");
        return;
    }
    *copy = *frame;
    copy->allocated = true;
    if (frame->data.length > 0)
        memcpy(copy + 1, frame->data.base, frame->data.length);
    copy->data.base = copy + 1;
    copy->link.previous = frame->link.previous;
    copy->link.next = frame->link.next;
    copy->link.previous->next = &copy->link;
    copy->link.next->previous = &copy->link;
    list_init(&frame->link);
}

void output_clear(struct connection *connection)
{
    struct frame *frame;

    while ((frame = first_frame(connection)))
        release(connection, frame);
    connection->output_sent = 0;
}

static void add_piece(struct iov *pieces, size_t *count, void *base, size_t length, size_t *skip)
{
    if (*skip >= length) {
        *skip -= length;
        return;
    }
    pieces[*count].base = (uint8_t *)base + *skip;
    pieces[(*count)++].length = length - *skip;
    *skip = 0;
}

size_t connection_write_pieces(struct connection *connection, struct iov *pieces, size_t room)
{
    size_t skip = connection->output_sent;
    size_t count = 0;

    LIST_EACH(node, &connection->output)
    {
        struct frame *frame = LIST_OWNER(node, struct frame, link);

        if (count + 3 > room)
            break;
        add_piece(pieces, &count, frame->head, frame->head_length, &skip);
        add_piece(pieces, &count, frame->data.base, frame->data.length, &skip);
        add_piece(pieces, &count, frame->tail, frame->tail_length, &skip);
    }
    return count;
}

void connection_written(struct connection *connection, size_t length)
{
    struct frame *frame;

    connection->output_sent += length;
    while ((frame = first_frame(connection)) && connection->output_sent >= frame_length(frame)) {
        connection->output_sent -= frame_length(frame);
        release(connection, frame);
    }
}
