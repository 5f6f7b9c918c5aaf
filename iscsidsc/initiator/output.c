/* What a connection has to send: a queue of frames, written many at a time. */
#include "initiator/internal.h"
#include "os/memory.h"
#include "protocol/crc32c.h"

#include <string.h>

enum {
    /* A target that makes us answer faster than it reads must not grow our memory for ever. */
    OUTPUT_FRAMES_MAX = 16384,
    /* Data-Out PDUs are made when they can be sent: more than one system call takes are useless. */
    DATA_OUT_FRAMES_MAX = 64,
};

static uint64_t frame_length(const struct frame *frame)
{
    return (uint64_t)frame->head_length + frame->length + frame->tail_length;
}

static struct frame *first_frame(const struct connection *connection)
{
    struct list *first = list_first(&connection->output);

    return first ? LIST_OWNER(first, struct frame, link) : NULL;
}

/* --- making frames --- */

void frame_set_data(struct frame *frame, struct task *task, uint32_t skip, uint32_t length)
{
    const struct iov *piece = task->data_out;

    frame->task = task;
    frame->length = length;
    while (length > 0 && skip >= piece->length)
        skip -= (uint32_t)(piece++)->length;
    frame->pieces = piece;
    frame->skip = skip;
}

static uint32_t data_digest(const struct frame *frame)
{
    const struct iov *piece = frame->pieces;
    size_t skip = frame->skip;
    size_t left = frame->length;
    uint32_t crc = 0;

    for (; left > 0; piece++) {
        size_t length = piece->length - skip < left ? piece->length - skip : left;

        crc = crc32c(crc, (const uint8_t *)piece->base + skip, length);
        left -= length;
        skip = 0;
    }
    return crc;
}

static void seal_tail(struct frame *frame, bool digest)
{
    uint32_t padding = padding_of(frame->length);

    memset(frame->tail, 0, sizeof frame->tail);
    frame->tail_length = (uint8_t)padding;
    if (!digest || frame->length == 0)
        return;
    put_le32(frame->tail + padding, crc32c(data_digest(frame), frame->tail, padding));
    frame->tail_length = (uint8_t)(padding + PDU_DIGEST_LENGTH);
}

/* Encodes late: ExpStatSN is that of the moment the PDU is queued. */
static void seal(struct connection *connection, struct frame *frame, struct pdu *pdu,
                 const uint8_t *ahs)
{
    bool full_feature = connection->state != CONNECTION_LOGIN;
    uint16_t length = (uint16_t)(PDU_BHS_LENGTH + pdu->ahs_length);

    pdu->data_length = frame->length;
    pdu_encode(pdu, frame->head);
    if (ahs)
        memcpy(frame->head + PDU_BHS_LENGTH, ahs, pdu->ahs_length);
    frame->head_length = length;
    if (full_feature && connection->values.header_digest) {
        frame_header_digest(frame->head, length);
        frame->head_length = (uint16_t)(length + PDU_DIGEST_LENGTH);
    }
    seal_tail(frame, full_feature && connection->values.data_digest);
}

static bool is_idle(const struct connection *connection)
{
    return list_empty(&connection->output) && list_empty(&connection->bursts);
}

static void tell_output(struct connection *connection)
{
    connection->session->callbacks->output(connection->owner, connection);
}

static void enqueue(struct connection *connection, struct frame *frame)
{
    bool was_idle = is_idle(connection);

    list_append(&connection->output, &frame->link);
    connection->output_count++;
    connection->pooled += frame->kind == FRAME_POOLED;
    if (frame->task)
        frame->task->frames++;
    if (was_idle)
        tell_output(connection);
}

uint32_t output_frame(struct connection *connection, struct frame *frame, const struct pdu *pdu,
                      const uint8_t *ahs)
{
    struct pdu copy = *pdu;
    uint32_t length;

    if (frame->kind != FRAME_ALLOCATED)
        frame->head = frame->head_room;
    seal(connection, frame, &copy, ahs);
    length = (uint32_t)frame_length(frame);
    enqueue(connection, frame);
    return length;
}

void output_burst(struct connection *connection, struct burst *burst)
{
    bool was_idle = is_idle(connection);

    list_append(&connection->bursts, &burst->link);
    if (was_idle)
        tell_output(connection);
}

struct frame *frame_new(size_t head_length)
{
    struct frame *frame = os_alloc(sizeof *frame + head_length);

    if (!frame)
        return NULL;
    frame->kind = FRAME_ALLOCATED;
    frame->head = head_length > 0 ? (uint8_t *)(frame + 1) : frame->head_room;
    return frame;
}

void frame_free(struct frame *frame)
{
    if (frame->kind == FRAME_ALLOCATED)
        os_free(frame);
}

/* The data segment is in memory of the frame's own. */
static struct frame *frame_with_data(size_t length)
{
    struct frame *frame = frame_new(length);

    if (!frame)
        return NULL;
    frame->head = frame->head_room;
    frame->own = (struct iov){frame + 1, length};
    frame->pieces = &frame->own;
    frame->length = (uint32_t)length;
    return frame;
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
    frame = frame_with_data(length);
    if (!frame) {
        connection_fail(connection, STATUS_NO_MEMORY, "no memory to answer the target");
        return false;
    }
    if (length > 0)
        memcpy(frame->own.base, data, length);
    output_frame(connection, frame, pdu, NULL);
    return true;
}

/* --- letting go of frames --- */

static void release(struct connection *connection, struct frame *frame)
{
    list_remove(&frame->link);
    connection->output_count--;
    if (frame->task)
        frame->task->frames--;
    if (frame->kind == FRAME_POOLED) {
        connection->pooled--;
        pool_give(&connection->session->frames, frame);
    } else if (frame->kind == FRAME_ALLOCATED) {
        os_free(frame);
    }
}

static void replace(struct connection *connection, struct frame *frame, struct frame *by)
{
    by->link = frame->link;
    by->link.previous->next = &by->link;
    by->link.next->previous = &by->link;
    connection->output_count++;
    list_init(&frame->link);
    release(connection, frame);
}

static void copy_data(const struct frame *frame, uint8_t *out)
{
    const struct iov *piece = frame->pieces;
    size_t skip = frame->skip;
    size_t left = frame->length;

    for (; left > 0; piece++) {
        size_t length = piece->length - skip < left ? piece->length - skip : left;

        memcpy(out, (const uint8_t *)piece->base + skip, length);
        out += length;
        left -= length;
        skip = 0;
    }
}

/* A PDU whose sending has begun must be finished: from a copy. */
static bool adopt(struct connection *connection, struct frame *frame)
{
    size_t length = frame->length;
    struct frame *copy = frame_new((size_t)frame->head_length + length);
    uint8_t *data;

    if (!copy)
        return false;
    data = copy->head + frame->head_length;
    memcpy(copy->head, frame->head, frame->head_length);
    memcpy(copy->tail, frame->tail, sizeof copy->tail);
    copy_data(frame, data);
    copy->head_length = frame->head_length;
    copy->tail_length = frame->tail_length;
    copy->length = frame->length;
    copy->own = (struct iov){data, length};
    copy->pieces = &copy->own;
    replace(connection, frame, copy);
    return true;
}

/* Its CmdSN is taken: another command, without effect, must have it (RFC 7143, 4.2.2.1). */
static bool plug(struct connection *connection, struct frame *frame, const struct task *task)
{
    struct frame *nop = frame_new(0);
    struct pdu pdu = {.opcode = PDU_NOP_OUT, .final = true, .itt = task->itt};

    if (!nop)
        return false;
    pdu.nop_out.ttt = PDU_RESERVED_TAG;
    pdu.nop_out.cmd_sn = task->cmd_sn;
    pdu.nop_out.exp_stat_sn = connection->stat_sn.next;
    seal(connection, nop, &pdu, NULL);
    replace(connection, frame, nop);
    return true;
}

bool output_forget(struct connection *connection, struct task *task)
{
    bool plugged = false;

    task_drop_bursts(task);
    if (task->frames == 0)
        return false;
    LIST_EACH_SAFE(node, &connection->output)
    {
        struct frame *frame = LIST_OWNER(node, struct frame, link);
        bool begun = connection->output_sent > 0 && node == list_first(&connection->output);
        bool done = true;

        if (frame->task != task)
            continue;
        if (begun)
            done = adopt(connection, frame);
        else if (frame->kind == FRAME_POOLED)
            release(connection, frame);
        else
            done = plugged = plug(connection, frame, task);
        if (!done) {
            connection_fail(connection, STATUS_NO_MEMORY, "no memory to cancel a command");
            return plugged;
        }
    }
    return plugged;
}

void output_clear(struct connection *connection)
{
    struct frame *frame;

    bursts_clear(connection);
    while ((frame = first_frame(connection)))
        release(connection, frame);
    connection->output_sent = 0;
}

/* --- writing --- */

struct pieces {
    struct iov *pieces;
    size_t room;
    size_t count;
    uint64_t skip; /* bytes that are gone already */
};

static void add_piece(struct pieces *out, void *base, size_t length)
{
    if (out->skip >= length) {
        out->skip -= length;
        return;
    }
    if (out->count == out->room)
        return;
    out->pieces[out->count].base = (uint8_t *)base + out->skip;
    out->pieces[out->count++].length = length - (size_t)out->skip;
    out->skip = 0;
}

static void add_data(struct pieces *out, const struct frame *frame)
{
    const struct iov *piece = frame->pieces;
    size_t skip = frame->skip;
    size_t left = frame->length;

    for (; left > 0 && out->count < out->room; piece++) {
        size_t length = piece->length - skip < left ? piece->length - skip : left;

        add_piece(out, (uint8_t *)piece->base + skip, length);
        left -= length;
        skip = 0;
    }
}

static void add_frame(struct pieces *out, struct frame *frame)
{
    add_piece(out, frame->head, frame->head_length);
    add_data(out, frame);
    add_piece(out, frame->tail, frame->tail_length);
}

size_t connection_write_pieces(struct connection *connection, struct iov *pieces, size_t room)
{
    struct pieces out = {pieces, room, 0, connection->output_sent};

    LIST_EACH(node, &connection->output)
    {
        if (out.count == room)
            return out.count;
        add_frame(&out, LIST_OWNER(node, struct frame, link));
    }
    while (out.count < room && connection->pooled < DATA_OUT_FRAMES_MAX &&
           task_next_data_out(connection))
        add_frame(&out, LIST_OWNER(connection->output.previous, struct frame, link));
    return connection->state == CONNECTION_CLOSED ? 0 : out.count;
}

void connection_written(struct connection *connection, size_t length)
{
    struct frame *frame;

    connection->statistics.bytes_sent += length;
    connection->output_sent += length;
    while ((frame = first_frame(connection)) && connection->output_sent > 0) {
        if (frame->task)
            frame->task->sent = true;
        if (connection->output_sent < frame_length(frame))
            break;
        connection->output_sent -= (size_t)frame_length(frame);
        connection->statistics.pdus_sent++;
        if (frame->task)
            connection->statistics.data_out_bytes += frame->length;
        release(connection, frame);
    }
}
