#include "protocol/bytes.h"
#include "protocol/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct crc32c_method *method; /* the one under test */

static void expect_digest(const uint8_t *data, size_t length, const char *wire, const char *what)
{
    uint8_t got[4];

    put_le32(got, method->compute(0, data, length));
    if (memcmp(got, wire, 4) != 0)
        fail_msg("%s: %s gave %02x %02x %02x %02x", method->name, what, got[0], got[1], got[2],
                 got[3]);
}

/* RFC 7143, appendix A.4 (RFC 3720, B.4): bytes in the order of the wire. */
static void gives_the_rfcs_digests(void **state)
{
    static const uint8_t read_command[48] = {
        0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0,
        0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2,    0, 0, 0, 0, 0, 0, 0};
    uint8_t data[32];

    (void)state;
    memset(data, 0, sizeof data);
    expect_digest(data, 32, "\xaa\x36\x91\x8a", "32 zeros");
    memset(data, 0xff, sizeof data);
    expect_digest(data, 32, "\x43\xab\xa8\x62", "32 ones");
    for (unsigned i = 0; i < 32; i++)
        data[i] = (uint8_t)i;
    expect_digest(data, 32, "\x4e\x79\xdd\x46", "incrementing");
    for (unsigned i = 0; i < 32; i++)
        data[i] = (uint8_t)(31 - i);
    expect_digest(data, 32, "\x5c\xdb\x3f\x11", "decrementing");
    expect_digest(read_command, 48, "\x56\x3a\x96\xd9", "read command");
    expect_digest((const uint8_t *)"123456789", 9, "\x83\x92\x06\xe3", "123456789");
    assert_int_equal(method->compute(0, "", 0), 0);
    assert_int_equal(method->compute(0x12345678, "", 0), 0x12345678);
}

static void fill(uint8_t *data, size_t length)
{
    uint32_t seed = 42;

    for (size_t i = 0; i < length; i++) {
        seed = seed * 1664525 + 1013904223;
        data[i] = (uint8_t)(seed >> 24);
    }
}

/* Bit by bit, as the polynomial division is defined. */
static uint32_t by_definition(uint32_t crc, const uint8_t *data, size_t length)
{
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void expect_same(uint32_t crc, const uint8_t *data, size_t length, unsigned alignment)
{
    uint32_t expected = crc32c_methods[0].compute(crc, data, length);
    uint32_t got = method->compute(crc, data, length);

    if (got != expected)
        fail_msg("%s: %u bytes at alignment %u, from %08x: expected %08x, got %08x", method->name,
                 (unsigned)length, alignment, crc, expected, got);
}

static void agrees_with_the_definition(void **state)
{
    uint8_t data[300];

    (void)state;
    fill(data, sizeof data);
    for (size_t length = 0; length <= sizeof data; length++)
        assert_int_equal(method->compute(0xdeadbeef, data, length),
                         by_definition(0xdeadbeef, data, length));
}

/* The data ends where its allocation does: a sanitizer sees a read beyond. */
static void agrees_at_every_length_and_alignment(void **state)
{
    (void)state;
    for (unsigned alignment = 0; alignment < 16; alignment++) {
        for (size_t length = 0; length <= 1024; length++) {
            uint8_t *data = malloc(alignment + length + 1);

            assert_non_null(data);
            fill(data, alignment + length);
            data = realloc(data, alignment + length ? alignment + length : 1);
            assert_non_null(data);
            expect_same(0, data + alignment, length, alignment);
            expect_same(0xffffffff, data + alignment, length, alignment);
            free(data);
        }
    }
}

static void agrees_at_large_lengths(void **state)
{
    enum { MOST = 1 << 20 };
    static const size_t around[] = {1536, 2048, 4096, 6144, 8192, 12288, 65536, 262144, MOST};
    uint8_t *data = malloc(MOST + 80);

    (void)state;
    assert_non_null(data);
    fill(data, MOST + 80);
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++)
        for (size_t length = around[i] - 70; length <= around[i]; length += 7)
            expect_same((uint32_t)length, data + length % 67, length, (unsigned)(length % 67));
    free(data);
}

static void pieces_make_the_whole(void **state)
{
    uint8_t data[3000];
    uint32_t whole;

    (void)state;
    fill(data, sizeof data);
    whole = crc32c_methods[0].compute(0, data, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        uint32_t crc = method->compute(0, data, cut);

        assert_int_equal(method->compute(crc, data + cut, sizeof data - cut), whole);
    }
    for (size_t piece = 1; piece < 700; piece += 13) {
        uint32_t crc = 0;

        for (size_t at = 0; at < sizeof data; at += piece)
            crc = method->compute(crc, data + at,
                                  sizeof data - at < piece ? sizeof data - at : piece);
        assert_int_equal(crc, whole);
    }
}

static void the_chosen_one_agrees_from_the_first_call(void **state)
{
    uint8_t data[5000];

    (void)state;
    fill(data, sizeof data);
    for (size_t length = 0; length <= sizeof data; length += 11)
        assert_int_equal(crc32c(7, data, length), crc32c_methods[0].compute(7, data, length));
    assert_string_equal(crc32c_methods[0].name, "portable");
    assert_true(crc32c_methods[0].available());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_rfcs_digests),
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(agrees_at_every_length_and_alignment),
        cmocka_unit_test(agrees_at_large_lengths),
        cmocka_unit_test(pieces_make_the_whole),
    };
    const struct CMUnitTest chosen[] = {
        cmocka_unit_test(the_chosen_one_agrees_from_the_first_call)};
    int failed = cmocka_run_group_tests_name("chosen", chosen, NULL, NULL);

    for (size_t i = 0; i < crc32c_method_count; i++) {
        method = &crc32c_methods[i];
        if (method->available())
            failed += cmocka_run_group_tests_name(method->name, tests, NULL, NULL);
        else
            print_message("%s: not available on this processor\n", method->name);
    }
    return failed;
}
