#include "protocol/framer.h"

#include "protocol/crc32c.h"

#include <assert.h>
#include <string.h>

enum { STATE_HEADER, STATE_DATA, STATE_TRAILER, STATE_LOST };

void framer_init(struct framer *framer)
{
    memset(framer, 0, sizeof *framer);
    framer->max_data_length = 8192; /* the RFC's default until something else is declared */
    framer->state = STATE_HEADER;
}

void framer_attach(struct framer *framer, void *look_ahead, size_t size)
{
    assert(!framer->ahead && size >= FRAMER_LOOK_AHEAD_LEAST);
    framer->ahead = look_ahead;
    framer->ahead_size = size;
    framer->start = 0;
    framer->end = framer->carry_length;
    memcpy(framer->ahead, framer->carry, framer->carry_length);
}

void framer_detach(struct framer *framer)
{
    size_t left = framer->end - framer->start;

    assert(left <= sizeof framer->carry);
    memcpy(framer->carry, framer->ahead + framer->start, left);
    framer->carry_length = (uint16_t)left;
    framer->ahead = NULL;
    framer->bhs = framer->ahs = NULL;
}

/* The unfilled part of the data segment's destination. */
static size_t wanted_pieces(const struct framer *framer, struct iov *out, size_t room)
{
    size_t left = framer->data_left;
    size_t count = 0;

    for (size_t i = 0; i < framer->piece_count && count < room && left > 0; i++) {
        size_t skip = i == 0 ? framer->piece_offset : 0;
        size_t length = framer->pieces[i].length - skip;

        if (length > left)
            length = left;
        if (length == 0)
            continue;
        out[count].base = (uint8_t *)framer->pieces[i].base + skip;
        out[count++].length = length;
        left -= length;
    }
    return count;
}

static void make_room(struct framer *framer)
{
    if (framer->start == 0)
        return;
    memmove(framer->ahead, framer->ahead + framer->start, framer->end - framer->start);
    framer->end -= framer->start;
    framer->start = 0;
}

size_t framer_buffers(struct framer *framer, struct iov *pieces, size_t room)
{
    size_t count = 0;

    make_room(framer);
    if (framer->state == STATE_DATA)
        count = wanted_pieces(framer, pieces, room - 1);
    pieces[count].base = framer->ahead + framer->end;
    pieces[count].length = framer->ahead_size - framer->end;
    return count + 1;
}

/* Accounts for `length` data bytes that are now in their place (or dropped). */
static void data_arrived(struct framer *framer, const void *data, size_t length)
{
    if (framer->data_digest)
        framer->crc = crc32c(framer->crc, data, length);
    framer->data_left -= (uint32_t)length;
}

static void advance_pieces(struct framer *framer, size_t length)
{
    framer->piece_offset += length;
    while (framer->piece_count > 0 && framer->piece_offset >= framer->pieces->length) {
        framer->piece_offset -= framer->pieces->length;
        framer->pieces++;
        framer->piece_count--;
    }
}

void framer_filled(struct framer *framer, size_t length)
{
    if (framer->state == STATE_DATA) {
        struct iov piece;

        while (length > 0 && wanted_pieces(framer, &piece, 1) == 1) {
            size_t now = piece.length < length ? piece.length : length;

            data_arrived(framer, piece.base, now);
            advance_pieces(framer, now);
            length -= now;
        }
    }
    framer->end += length;
    assert(framer->end <= framer->ahead_size);
}

/* Moves data bytes that arrived in the look-ahead to their place. */
static void take_data(struct framer *framer)
{
    size_t available = framer->end - framer->start;
    struct iov piece;

    if (available > framer->data_left)
        available = framer->data_left;
    while (available > 0) {
        const uint8_t *from = framer->ahead + framer->start;
        size_t now = available;

        if (wanted_pieces(framer, &piece, 1) == 1) {
            if (now > piece.length)
                now = piece.length;
            memcpy(piece.base, from, now);
            advance_pieces(framer, now);
        }
        data_arrived(framer, from, now);
        framer->start += now;
        available -= now;
    }
}

static enum framer_event lost(struct framer *framer, enum framer_event event)
{
    framer->state = STATE_LOST;
    framer->start = framer->end;
    return event;
}

static enum framer_event next_header(struct framer *framer)
{
    size_t available = framer->end - framer->start;
    const uint8_t *head = framer->ahead + framer->start;
    size_t length;

    if (available < PDU_BHS_LENGTH)
        return FRAMER_MORE;
    length = PDU_BHS_LENGTH + 4u * head[4];
    if (available < length + (framer->header_digest ? PDU_DIGEST_LENGTH : 0))
        return FRAMER_MORE;
    if (framer->header_digest) {
        if (crc32c(0, head, length) != get_le32(head + length))
            return lost(framer, FRAMER_HEADER_DIGEST);
    }
    framer->decoded = pdu_decode(&framer->pdu, head);
    framer->bhs = head;
    framer->ahs = head + PDU_BHS_LENGTH;
    if (framer->pdu.data_length > framer->max_data_length)
        return lost(framer, FRAMER_TOO_LONG);
    framer->start += length + (framer->header_digest ? PDU_DIGEST_LENGTH : 0);
    framer->data_left = framer->pdu.data_length;
    framer->crc = 0;
    framer->pieces = NULL;
    framer->piece_count = framer->piece_offset = 0;
    framer->state = STATE_DATA;
    return FRAMER_HEADER;
}

static enum framer_event next_trailer(struct framer *framer)
{
    const uint8_t *tail = framer->ahead + framer->start;
    uint32_t padding = padding_of(framer->pdu.data_length);
    bool digest = framer->data_digest && framer->pdu.data_length > 0;
    size_t length = padding + (digest ? PDU_DIGEST_LENGTH : 0);

    if (framer->end - framer->start < length)
        return FRAMER_MORE;
    framer->start += length;
    framer->state = STATE_HEADER;
    if (digest && crc32c(framer->crc, tail, padding) != get_le32(tail + padding))
        return FRAMER_DATA_DIGEST;
    return FRAMER_PDU;
}

enum framer_event framer_next(struct framer *framer)
{
    if (framer->state == STATE_LOST) {
        framer->start = framer->end; /* whatever else comes: nobody can tell what it is */
        return FRAMER_MORE;
    }
    if (framer->state == STATE_HEADER)
        return next_header(framer);
    if (framer->state == STATE_DATA) {
        take_data(framer);
        if (framer->data_left > 0)
            return FRAMER_MORE;
        framer->state = STATE_TRAILER;
    }
    return next_trailer(framer);
}

void framer_place_at(struct framer *framer, const struct iov *pieces, size_t count, size_t skip)
{
    framer->pieces = pieces;
    framer->piece_count = count;
    framer->piece_offset = 0;
    advance_pieces(framer, skip);
}

void framer_place(struct framer *framer, const struct iov *pieces, size_t count)
{
    framer_place_at(framer, pieces, count, 0);
}

bool framer_inside_pdu(const struct framer *framer)
{
    return framer->state == STATE_DATA || framer->state == STATE_TRAILER ||
           framer->carry_length > 0 || (framer->ahead && framer->end > framer->start);
}

void frame_header_digest(uint8_t *header, size_t length)
{
    put_le32(header + length, crc32c(0, header, length));
}

void frame_tail(struct frame_tail *tail, const struct iov *pieces, size_t count, bool digest)
{
    size_t length = 0;
    uint32_t crc = 0;
    uint32_t padding;

    for (size_t i = 0; i < count; i++) {
        length += pieces[i].length;
        if (digest)
            crc = crc32c(crc, pieces[i].base, pieces[i].length);
    }
    memset(tail, 0, sizeof *tail);
    padding = padding_of((uint32_t)length);
    tail->length = (uint8_t)padding;
    if (digest && length > 0) {
        put_le32(tail->bytes + padding, crc32c(crc, tail->bytes, padding));
        tail->length = (uint8_t)(padding + PDU_DIGEST_LENGTH);
    }
}
