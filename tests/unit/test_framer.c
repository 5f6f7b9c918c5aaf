/* Framing: any split of the bytes gives the same PDUs, and damage is told. */
#include "protocol/crc32c.h"
#include "protocol/framer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Builds one Text Response with `length` bytes of data; returns the bytes on the wire. */
static size_t build(uint8_t *out, uint32_t length, size_t ahs, bool header_digest, bool data_digest)
{
    struct pdu pdu = {.opcode = PDU_TEXT_RESPONSE, .final = true, .itt = 7};
    uint8_t *data;
    struct iov piece;
    struct frame_tail tail;
    size_t at = PDU_BHS_LENGTH + ahs;

    pdu.ahs_length = (uint16_t)ahs;
    pdu.data_length = length;
    pdu_encode(&pdu, out);
    for (size_t i = 0; i < ahs; i++)
        out[PDU_BHS_LENGTH + i] = (uint8_t)(0xa0 + i);
    if (header_digest) {
        frame_header_digest(out, at);
        at += PDU_DIGEST_LENGTH;
    }
    data = out + at;
    for (uint32_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    piece.base = data;
    piece.length = length;
    frame_tail(&tail, &piece, 1, data_digest);
    memcpy(data + length, tail.bytes, tail.length);
    return at + length + tail.length;
}

struct reader {
    struct framer framer;
    uint8_t ahead[FRAMER_LOOK_AHEAD_LEAST];
    uint8_t data[70000];
    struct iov pieces[3];
    size_t headers, pdus, bad_data;
    enum framer_event failure;
};

static void reader_init(struct reader *reader, bool header_digest, bool data_digest)
{
    memset(reader, 0, sizeof *reader);
    framer_init(&reader->framer);
    reader->framer.header_digest = header_digest;
    reader->framer.data_digest = data_digest;
    reader->framer.max_data_length = 65536;
    /* Uneven pieces, one of them empty. */
    reader->pieces[0] = (struct iov){reader->data, 5};
    reader->pieces[1] = (struct iov){reader->data + 5, 0};
    reader->pieces[2] = (struct iov){reader->data + 5, sizeof reader->data - 5};
    reader->failure = FRAMER_MORE;
}

/* Gives at most `length` bytes; returns how many were taken. */
static size_t give(struct reader *reader, const uint8_t *bytes, size_t length)
{
    struct iov pieces[8];
    enum framer_event event;
    size_t count, taken = 0;

    framer_attach(&reader->framer, reader->ahead, sizeof reader->ahead);
    count = framer_buffers(&reader->framer, pieces, 8);
    for (size_t i = 0; i < count && taken < length; i++) {
        size_t now = pieces[i].length < length - taken ? pieces[i].length : length - taken;

        memcpy(pieces[i].base, bytes + taken, now);
        taken += now;
    }
    framer_filled(&reader->framer, taken);
    while ((event = framer_next(&reader->framer)) != FRAMER_MORE) {
        if (event == FRAMER_HEADER) {
            reader->headers++;
            framer_place(&reader->framer, reader->pieces, 3);
        } else if (event == FRAMER_PDU) {
            reader->pdus++;
        } else if (event == FRAMER_DATA_DIGEST) {
            reader->bad_data++;
        } else {
            reader->failure = event;
        }
    }
    framer_detach(&reader->framer);
    return taken;
}

static void give_all(struct reader *reader, const uint8_t *bytes, size_t length, size_t step)
{
    while (length > 0) {
        size_t taken = give(reader, bytes, step < length ? step : length);

        assert_true(taken > 0);
        bytes += taken;
        length -= taken;
    }
}

static void check_data(const struct reader *reader, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        assert_int_equal(reader->data[i], (uint8_t)(i * 7 + 1));
}

static void every_split_gives_the_same(void **state)
{
    static uint8_t wire[80000];
    static struct reader reader;
    static const uint32_t lengths[] = {0, 1, 2, 3, 4, 5, 47, 512, 4095, 8192, 20001};
    static const size_t steps[] = {1, 2, 3, 7, 47, 48, 49, 1000, 4096, 100000};

    (void)state;
    for (unsigned digests = 0; digests < 4; digests++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
            for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
                size_t ahs = l % 2 ? 12 : 0;
                size_t one = build(wire, lengths[l], ahs, digests & 1, digests & 2);
                size_t two = build(wire + one, lengths[l], ahs, digests & 1, digests & 2);

                reader_init(&reader, digests & 1, digests & 2);
                give_all(&reader, wire, one + two, steps[s]);
                assert_int_equal(reader.headers, 2);
                assert_int_equal(reader.pdus, 2);
                assert_int_equal(reader.failure, FRAMER_MORE);
                assert_int_equal(reader.framer.pdu.itt, 7);
                assert_int_equal(reader.framer.pdu.ahs_length, ahs);
                assert_false(framer_inside_pdu(&reader.framer));
                check_data(&reader, lengths[l]);
            }
}

static void every_flipped_bit_is_noticed(void **state)
{
    static uint8_t wire[512];
    static struct reader reader;
    size_t length = build(wire, 61, 8, true, true);

    (void)state;
    for (size_t bit = 0; bit < length * 8; bit++) {
        wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
        reader_init(&reader, true, true);
        give_all(&reader, wire, length, 100);
        /* A header whose length was damaged may just never end. */
        assert_int_equal(reader.pdus, 0);
        wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    reader_init(&reader, true, true);
    give_all(&reader, wire, length, 100);
    assert_int_equal(reader.pdus, 1);
}

static void digest_is_little_endian_and_covers_padding(void **state)
{
    uint8_t wire[128];
    size_t length = build(wire, 1, 0, true, true);
    uint32_t crc;

    (void)state;
    assert_int_equal(length, 48 + 4 + 4 + 4);
    crc = crc32c(0, wire, 48);
    assert_int_equal(wire[48], crc & 0xff);
    assert_int_equal(wire[51], crc >> 24);
    crc = crc32c(0, wire + 52, 4); /* one byte and three of padding */
    assert_int_equal(wire[56], crc & 0xff);
}

static void too_long_is_refused_before_its_data(void **state)
{
    static uint8_t wire[80000];
    static struct reader reader;
    size_t length = build(wire, 65537, 0, false, false);

    (void)state;
    reader_init(&reader, false, false);
    give(&reader, wire, length < 48 ? length : 48);
    assert_int_equal(reader.failure, FRAMER_TOO_LONG);
    assert_int_equal(reader.headers, 0);
}

static void data_beyond_its_place_is_dropped(void **state)
{
    static uint8_t wire[9000];
    static struct reader reader;
    size_t length = build(wire, 8192, 0, false, true);

    (void)state;
    reader_init(&reader, false, true);
    reader.pieces[2].length = 95; /* room for 100 bytes in all */
    reader.data[100] = 0xee;
    give_all(&reader, wire, length, 333);
    assert_int_equal(reader.pdus, 1);
    check_data(&reader, 100);
    assert_int_equal(reader.data[100], 0xee);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_gives_the_same),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(digest_is_little_endian_and_covers_padding),
        cmocka_unit_test(too_long_is_refused_before_its_data),
        cmocka_unit_test(data_beyond_its_place_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
