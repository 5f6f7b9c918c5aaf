/*
 * Bytes to PDUs and back: headers, additional header segments, padding and digests
 * (RFC 7143, 11.2). Pure: the caller moves the bytes and owns all memory.
 *
 * Receiving. The look-ahead is a big buffer that may be shared by all connections of a thread: it
 * is attached before bytes are read and detached afterwards; what is left of a header stays in a
 * small carry. Data segments go straight to where the caller places them:
 *
 *     framer_attach(f, look_ahead, size);
 *     n = receive(socket, pieces, framer_buffers(f, pieces, OS_IOV_MAX));
 *     framer_filled(f, n);
 *     while ((event = framer_next(f)) != FRAMER_MORE)
 *         FRAMER_HEADER: framer_place(f, where the data segment shall go);
 *         FRAMER_PDU:    act on f->pdu
 *     framer_detach(f);
 */
#ifndef PROTOCOL_FRAMER_H
#define PROTOCOL_FRAMER_H

#include "protocol/pdu.h"

#define FRAMER_CARRY            (PDU_BHS_LENGTH + PDU_AHS_MAX + PDU_DIGEST_LENGTH)
#define FRAMER_LOOK_AHEAD_LEAST 4096u

enum framer_event {
    FRAMER_MORE,        /* nothing complete: more bytes are needed */
    FRAMER_HEADER,      /* f->pdu and f->ahs are set; a data segment may follow: place it now */
    FRAMER_PDU,         /* the whole PDU of the last FRAMER_HEADER is there */
    FRAMER_DATA_DIGEST, /* as FRAMER_PDU, but the data digest is wrong: the data must not be used */
    FRAMER_HEADER_DIGEST, /* the header digest is wrong: where the next PDU starts is not known */
    FRAMER_TOO_LONG,      /* the data segment is longer than max_data_length */
};

struct framer {
    /* Settings: may change between two PDUs. */
    bool header_digest;
    bool data_digest;
    uint32_t max_data_length; /* MaxRecvDataSegmentLength we declared */

    /* The PDU under way, valid from FRAMER_HEADER to the next framer_next after FRAMER_PDU. */
    struct pdu pdu;
    enum status decoded; /* of pdu_decode: an undefined opcode is for the caller to judge */
    const uint8_t *bhs;  /* raw header, valid until the next framer_buffers or framer_detach */
    const uint8_t *ahs;  /* pdu.ahs_length bytes behind it */

    /* Inside. */
    int state;
    const struct iov *pieces; /* destinations, borrowed */
    size_t piece_count;
    size_t piece_offset; /* into pieces[0] */
    uint32_t data_left;
    uint32_t crc;
    uint8_t *ahead; /* look-ahead, attached */
    size_t ahead_size;
    size_t start;
    size_t end;
    uint16_t carry_length;
    uint8_t carry[FRAMER_CARRY];
};

void framer_init(struct framer *framer);

/* `size` at least FRAMER_LOOK_AHEAD_LEAST. What was carried is copied to its front. */
void framer_attach(struct framer *framer, void *look_ahead, size_t size);
/* All PDUs must have been taken out with framer_next. */
void framer_detach(struct framer *framer);

/* Where the next bytes go: the rest of the placed data segment, then the look-ahead. */
size_t framer_buffers(struct framer *framer, struct iov *pieces, size_t room);
void framer_filled(struct framer *framer, size_t length);

enum framer_event framer_next(struct framer *framer);

/* After FRAMER_HEADER: where the data segment goes. The pieces are borrowed until FRAMER_PDU; what
 * does not fit is dropped, and without a call everything is (the digest is still checked). */
void framer_place(struct framer *framer, const struct iov *pieces, size_t count);
/* The same from `skip` bytes into the pieces on. */
void framer_place_at(struct framer *framer, const struct iov *pieces, size_t count, size_t skip);

/* Is a PDU half received? (A close then is a protocol matter, not an orderly end.) */
bool framer_inside_pdu(const struct framer *framer);

/* --- sending --- */

/* Writes the digest of `length` header bytes behind them: 4 more bytes must have room. */
void frame_header_digest(uint8_t *header, size_t length);

/* What follows a data segment: padding and digest. */
struct frame_tail {
    uint8_t bytes[3 + PDU_DIGEST_LENGTH];
    uint8_t length;
};
void frame_tail(struct frame_tail *tail, const struct iov *pieces, size_t count, bool digest);

#endif
