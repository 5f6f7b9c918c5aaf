/* Every PDU type against bytes written down by hand from RFC 7143, section 11, both ways. */
#include "protocol/pdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SN                                                                                         \
    {                                                                                              \
        0x11223344, 0x55667788, 0x99aabbcc                                                         \
    }
#define SNX "11223344 55667788 99aabbcc"
#define LUN 0x0102030405060708u

/* `bytes`: hex, "--" for a reserved byte: zero when sent, ignored when received. */
static const struct vector {
    struct pdu pdu;
    uint8_t known0; /* the bits of bytes 0 and 1 that are not reserved */
    uint8_t known1;
    const char *bytes;
} vectors[] = {
    {{.opcode = PDU_NOP_OUT,
      .immediate = true,
      .final = true,
      .data_length = 5,
      .lun = LUN,
      .itt = 0xa1a2a3a4,
      .nop_out = {0xb1b2b3b4, 0x11223344, 0x55667788}},
     0x7f,
     0x00,
     "40 80 -- -- 00 000005 0102030405060708 a1a2a3a4 b1b2b3b4 11223344 55667788"
     "-------- -------- -------- --------"},
    {{.opcode = PDU_SCSI_COMMAND,
      .final = true,
      .ahs_length = 8,
      .data_length = 0x010203,
      .lun = LUN,
      .itt = 0xa1a2a3a4,
      .scsi_command = {.read = true,
                       .attribute = TASK_ATTRIBUTE_SIMPLE,
                       .expected_length = 0x00100000,
                       .cmd_sn = 0x11223344,
                       .exp_stat_sn = 0x55667788,
                       .cdb = {0x28, 0, 1, 2, 3, 4, 0, 0, 8, 0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5,
                               0xf6}}},
     0x7f,
     0xe7,
     "01 c1 -- -- 02 010203 0102030405060708 a1a2a3a4 00100000 11223344 55667788"
     "28000102 03040000 0800f1f2 f3f4f5f6"},
    {{.opcode = PDU_SCSI_COMMAND,
      .immediate = true,
      .lun = LUN,
      .itt = 1,
      .scsi_command = {.write = true, .attribute = TASK_ATTRIBUTE_ACA, .cmd_sn = 7}},
     0x7f,
     0xe7,
     "41 24 -- -- 00 000000 0102030405060708 00000001 00000000 00000007 00000000"
     "00000000 00000000 00000000 00000000"},
    {{.opcode = PDU_SCSI_RESPONSE,
      .final = true,
      .data_length = 20,
      .itt = 0xa1a2a3a4,
      .scsi_response = {.underflow = true,
                        .bidi_overflow = true,
                        .response = 1,
                        .status = 2,
                        .snack_tag = 0xb1b2b3b4,
                        .sn = SN,
                        .exp_data_sn = 0xc1c2c3c4,
                        .bidi_residual = 0xd1d2d3d4,
                        .residual = 0xe1e2e3e4}},
     0x3f,
     0x1e,
     "21 92 01 02 00 000014 ---------------- a1a2a3a4 b1b2b3b4" SNX "c1c2c3c4 d1d2d3d4 e1e2e3e4"},
    {{.opcode = PDU_SCSI_RESPONSE,
      .final = true,
      .itt = 2,
      .scsi_response = {.overflow = true, .bidi_underflow = true, .sn = SN, .residual = 512}},
     0x3f,
     0x1e,
     "21 8c 00 00 00 000000 ---------------- 00000002 00000000" SNX "00000000 00000000 00000200"},
    {{.opcode = PDU_TASK_REQUEST,
      .immediate = true,
      .final = true,
      .lun = LUN,
      .itt = 0xa1a2a3a4,
      .task_request = {TASK_REASSIGN, 0xb1b2b3b4, 0x11223344, 0x55667788, 0xc1c2c3c4, 0xd1d2d3d4}},
     0x7f,
     0x7f,
     "42 88 -- -- 00 000000 0102030405060708 a1a2a3a4 b1b2b3b4 11223344 55667788"
     "c1c2c3c4 d1d2d3d4 -------- --------"},
    {{.opcode = PDU_TASK_RESPONSE,
      .final = true,
      .itt = 0xa1a2a3a4,
      .task_response = {TASK_RESPONSE_REJECTED, SN}},
     0x3f,
     0x00,
     "22 80 ff -- 00 000000 ---------------- a1a2a3a4 --------" SNX "-------- -------- --------"},
    {{.opcode = PDU_DATA_OUT,
      .final = true,
      .data_length = 0xfffffc,
      .lun = LUN,
      .itt = 0xa1a2a3a4,
      .data_out = {0xb1b2b3b4, 0x55667788, 0xc1c2c3c4, 0xd1d2d3d4}},
     0x3f,
     0x80,
     "05 80 -- -- 00 fffffc 0102030405060708 a1a2a3a4 b1b2b3b4 -------- 55667788"
     "-------- c1c2c3c4 d1d2d3d4 --------"},
    {{.opcode = PDU_DATA_IN,
      .final = true,
      .data_length = 512,
      .lun = LUN,
      .itt = 0xa1a2a3a4,
      .data_in = {.underflow = true,
                  .status_present = true,
                  .status = 0x08,
                  .ttt = 0xffffffff,
                  .sn = SN,
                  .data_sn = 0xc1c2c3c4,
                  .offset = 0xd1d2d3d4,
                  .residual = 0xe1e2e3e4}},
     0x3f,
     0xc7,
     "25 83 -- 08 00 000200 0102030405060708 a1a2a3a4 ffffffff" SNX "c1c2c3c4 d1d2d3d4 e1e2e3e4"},
    {{.opcode = PDU_DATA_IN,
      .final = true,
      .itt = 4,
      .data_in = {.overflow = true, .status_present = true, .sn = SN, .residual = 3}},
     0x3f,
     0xc7,
     "25 85 -- 00 00 000000 0000000000000000 00000004 00000000" SNX "00000000 00000000 00000003"},
    /* Without the S bit status, StatSN, flags and residual are reserved. */
    {{.opcode = PDU_DATA_IN,
      .data_length = 3,
      .lun = LUN,
      .itt = 5,
      .data_in = {.acknowledge = true,
                  .ttt = 6,
                  .sn = {0, 0x55667788, 0x99aabbcc},
                  .data_sn = 1,
                  .offset = 2}},
     0x3f,
     0xc1,
     "25 40 -- -- 00 000003 0102030405060708 00000005 00000006 -------- 55667788 99aabbcc"
     "00000001 00000002 --------"},
    {{.opcode = PDU_R2T,
      .final = true,
      .lun = LUN,
      .itt = 0xa1a2a3a4,
      .r2t = {0xb1b2b3b4, SN, 0xc1c2c3c4, 0xd1d2d3d4, 0xe1e2e3e4}},
     0x3f,
     0x00,
     "31 80 -- -- 00 000000 0102030405060708 a1a2a3a4 b1b2b3b4" SNX "c1c2c3c4 d1d2d3d4 e1e2e3e4"},
    {{.opcode = PDU_ASYNC_MESSAGE,
      .final = true,
      .data_length = 4,
      .lun = LUN,
      .itt = 0xffffffff,
      .async_message = {SN, ASYNC_DROP_CONNECTION, 0x7e, 0x0102, 0x0304, 0x0506}},
     0x3f,
     0x00,
     "32 80 -- -- 00 000004 0102030405060708 ffffffff --------" SNX "027e0102 03040506 --------"},
    {{.opcode = PDU_TEXT_REQUEST,
      .immediate = true,
      .data_length = 9,
      .lun = LUN,
      .itt = 0xa1a2a3a4,
      .text_request = {true, 0xb1b2b3b4, 0x11223344, 0x55667788}},
     0x7f,
     0xc0,
     "44 40 -- -- 00 000009 0102030405060708 a1a2a3a4 b1b2b3b4 11223344 55667788"
     "-------- -------- -------- --------"},
    {{.opcode = PDU_TEXT_RESPONSE,
      .final = true,
      .data_length = 9,
      .lun = LUN,
      .itt = 0xa1a2a3a4,
      .text_response = {false, 0xffffffff, SN}},
     0x3f,
     0xc0,
     "24 80 -- -- 00 000009 0102030405060708 a1a2a3a4 ffffffff" SNX "-------- -------- --------"},
    {{.opcode = PDU_LOGIN_REQUEST,
      .immediate = true,
      .final = true,
      .data_length = 0x123,
      .itt = 0xa1a2a3a4,
      .login_request = {.transit = true,
                        .current_stage = LOGIN_STAGE_OPERATIONAL,
                        .next_stage = LOGIN_STAGE_FULL_FEATURE,
                        .version_max = 2,
                        .version_min = 1,
                        .isid = {0x80, 1, 2, 3, 4, 5},
                        .tsih = 0xc1c2,
                        .cid = 0xd1d2,
                        .cmd_sn = 0x11223344,
                        .exp_stat_sn = 0x55667788}},
     0x7f,
     0xcf,
     "43 87 02 01 00 000123 800102030405 c1c2 a1a2a3a4 d1d2 ---- 11223344 55667788"
     "-------- -------- -------- --------"},
    /* Without the T bit NSG is reserved. */
    {{.opcode = PDU_LOGIN_REQUEST,
      .immediate = true,
      .itt = 1,
      .login_request = {.more = true, .current_stage = LOGIN_STAGE_OPERATIONAL}},
     0x7f,
     0xcc,
     "43 44 00 00 00 000000 000000000000 0000 00000001 0000 ---- 00000000 00000000"
     "-------- -------- -------- --------"},
    {{.opcode = PDU_LOGIN_RESPONSE,
      .final = true,
      .data_length = 7,
      .itt = 0xa1a2a3a4,
      .login_response = {.transit = true,
                         .next_stage = LOGIN_STAGE_OPERATIONAL,
                         .version_max = 3,
                         .version_active = 2,
                         .isid = {0x40, 0, 1, 0x37, 0, 9},
                         .tsih = 0xc1c2,
                         .sn = SN,
                         .status_class = 1,
                         .status_detail = 2}},
     0x3f,
     0xcf,
     "23 81 03 02 00 000007 400001370009 c1c2 a1a2a3a4 --------" SNX "0102 ---- -------- --------"},
    {{.opcode = PDU_LOGOUT_REQUEST,
      .immediate = true,
      .final = true,
      .itt = 0xa1a2a3a4,
      .logout_request = {LOGOUT_RECOVERY, 0xc1c2, 0x11223344, 0x55667788}},
     0x7f,
     0x7f,
     "46 82 -- -- 00 000000 ---------------- a1a2a3a4 c1c2 ---- 11223344 55667788"
     "-------- -------- -------- --------"},
    {{.opcode = PDU_LOGOUT_RESPONSE,
      .final = true,
      .itt = 0xa1a2a3a4,
      .logout_response = {LOGOUT_NO_RECOVERY, SN, 0xc1c2, 0xd1d2}},
     0x3f,
     0x00,
     "26 80 02 -- 00 000000 ---------------- a1a2a3a4 --------" SNX "-------- c1c2 d1d2 --------"},
    {{.opcode = PDU_SNACK,
      .immediate = true,
      .final = true,
      .lun = LUN,
      .itt = 0xa1a2a3a4,
      .snack = {SNACK_RDATA, 0xb1b2b3b4, 0x55667788, 0xc1c2c3c4, 0xd1d2d3d4}},
     0x7f,
     0x0f,
     "50 83 -- -- 00 000000 0102030405060708 a1a2a3a4 b1b2b3b4 -------- 55667788"
     "-------- -------- c1c2c3c4 d1d2d3d4"},
    {{.opcode = PDU_NOP_IN,
      .final = true,
      .data_length = 1,
      .lun = LUN,
      .itt = 0xffffffff,
      .nop_in = {0xb1b2b3b4, SN}},
     0x3f,
     0x00,
     "20 80 -- -- 00 000001 0102030405060708 ffffffff b1b2b3b4" SNX "-------- -------- --------"},
    {{.opcode = PDU_REJECT,
      .final = true,
      .data_length = 48,
      .itt = 0xffffffff,
      .reject = {REJECT_WAITING_FOR_LOGOUT, SN, 0xc1c2c3c4}},
     0x3f,
     0x00,
     "3f 80 0c -- 00 000030 ---------------- ffffffff --------" SNX "c1c2c3c4 -------- --------"},
};
#define VECTOR_COUNT (sizeof vectors / sizeof vectors[0])

/* The bytes, and which of them are reserved. */
static void parse(const struct vector *vector, uint8_t *bytes, uint8_t *reserved)
{
    const char *c = vector->bytes;
    size_t n = 0;

    while (*c) {
        char digits[3];

        if (*c == ' ') {
            c++;
            continue;
        }
        assert_true(n < PDU_BHS_LENGTH);
        memcpy(digits, c, 2);
        digits[2] = '\0';
        reserved[n] = digits[0] == '-' ? 0xff : 0;
        bytes[n] = reserved[n] ? 0 : (uint8_t)strtoul(digits, NULL, 16);
        n++;
        c += 2;
    }
    assert_int_equal(n, PDU_BHS_LENGTH);
}

static void expect_bytes(const struct vector *vector, const uint8_t *got, const uint8_t *expected)
{
    for (unsigned i = 0; i < PDU_BHS_LENGTH; i++)
        if (got[i] != expected[i])
            fail_msg("%s (vector %u), byte %u: expected %02x, got %02x",
                     pdu_opcode_name(vector->pdu.opcode), (unsigned)(vector - vectors), i,
                     expected[i], got[i]);
}

static void expect_pdu(const struct vector *vector, const uint8_t *bytes, const char *what)
{
    struct pdu got;
    uint8_t again[PDU_BHS_LENGTH], expected[PDU_BHS_LENGTH];

    assert_int_equal(pdu_decode(&got, bytes), STATUS_OK);
    assert_int_equal(got.ahs_length, vector->pdu.ahs_length);
    assert_int_equal(got.data_length, vector->pdu.data_length);
    assert_true(got.lun == vector->pdu.lun);
    assert_int_equal(got.itt, vector->pdu.itt);
    pdu_encode(&got, again);
    pdu_encode(&vector->pdu, expected);
    expect_bytes(vector, again, expected);
    if (memcmp(&got, &vector->pdu, sizeof got) != 0)
        fail_msg("%s (vector %u) decoded to other values (%s)", pdu_opcode_name(vector->pdu.opcode),
                 (unsigned)(vector - vectors), what);
}

static void encodes_as_the_rfc_draws_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        uint8_t expected[PDU_BHS_LENGTH], reserved[PDU_BHS_LENGTH], got[PDU_BHS_LENGTH];

        parse(&vectors[i], expected, reserved);
        memset(got, 0xee, sizeof got);
        pdu_encode(&vectors[i].pdu, got);
        expect_bytes(&vectors[i], got, expected);
    }
}

static void decodes_what_the_rfc_draws(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        uint8_t bytes[PDU_BHS_LENGTH], reserved[PDU_BHS_LENGTH];

        parse(&vectors[i], bytes, reserved);
        expect_pdu(&vectors[i], bytes, "plain");
    }
}

static void ignores_reserved_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        uint8_t bytes[PDU_BHS_LENGTH], reserved[PDU_BHS_LENGTH];

        parse(&vectors[i], bytes, reserved);
        for (unsigned b = 2; b < PDU_BHS_LENGTH; b++)
            bytes[b] |= reserved[b];
        bytes[0] |= (uint8_t)~vectors[i].known0;
        bytes[1] |= (uint8_t)(~vectors[i].known1 & 0x7f); /* `final` always shows bit 7 */
        expect_pdu(&vectors[i], bytes, "reserved bits set");
    }
}

static const uint8_t defined[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x20,
                                  0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x31, 0x32, 0x3f};

static void every_opcode_has_a_vector(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof defined; i++) {
        bool found = false;

        for (size_t v = 0; v < VECTOR_COUNT; v++)
            found |= vectors[v].pdu.opcode == defined[i];
        if (!found)
            fail_msg("no vector for opcode %02x", defined[i]);
    }
}

static void undefined_opcodes_are_refused_but_framed(void **state)
{
    (void)state;
    for (unsigned opcode = 0; opcode < 64; opcode++) {
        uint8_t bytes[PDU_BHS_LENGTH] = {0};
        struct pdu pdu;
        bool known = memchr(defined, (int)opcode, sizeof defined) != NULL;
        enum status status;

        bytes[0] = (uint8_t)opcode;
        bytes[4] = 255;
        memset(bytes + 5, 0xff, 3);
        memset(bytes + 8, 0x5a, 12);
        status = pdu_decode(&pdu, bytes);
        if (status != (known ? STATUS_OK : STATUS_PROTOCOL_ERROR))
            fail_msg("opcode %02x gave %s", opcode, status_name(status));
        assert_int_equal(pdu.opcode, opcode);
        assert_int_equal(pdu.ahs_length, PDU_AHS_MAX);
        assert_int_equal(pdu.data_length, PDU_DATA_MAX);
        assert_int_equal(pdu.itt, 0x5a5a5a5a);
        if (!known)
            assert_true(pdu.lun == 0x5a5a5a5a5a5a5a5au);
        assert_int_equal(pdu_from_target((uint8_t)opcode), opcode >= 0x20);
    }
    assert_string_equal(pdu_opcode_name(0x21), "SCSI Response");
    assert_string_equal(pdu_opcode_name(0x1c), "undefined opcode");
}

static uint32_t seed = 12345;

static uint8_t random_byte(void)
{
    seed = seed * 1664525 + 1013904223;
    return (uint8_t)(seed >> 24);
}

/* Whatever comes in, its meaning survives a trip out and in again. */
static void random_round_trips(void **state)
{
    (void)state;
    for (int round = 0; round < 200000; round++) {
        uint8_t bytes[PDU_BHS_LENGTH], once[PDU_BHS_LENGTH], twice[PDU_BHS_LENGTH];
        struct pdu first, second;

        for (unsigned i = 0; i < sizeof bytes; i++)
            bytes[i] = random_byte();
        bytes[0] = (uint8_t)((bytes[0] & 0xc0) | defined[random_byte() % sizeof defined]);
        assert_int_equal(pdu_decode(&first, bytes), STATUS_OK);
        pdu_encode(&first, once);
        assert_int_equal(pdu_decode(&second, once), STATUS_OK);
        pdu_encode(&second, twice);
        assert_memory_equal(once, twice, sizeof once);
        for (unsigned i = 0; i < sizeof bytes; i++)
            /* A bit that goes out was there, but for those that the RFC fixes. */
            if (i > 1 && (i < 16 || i > 19) && (once[i] & ~bytes[i]) != 0)
                fail_msg("opcode %02x: byte %u was %02x, goes out as %02x", first.opcode, i,
                         bytes[i], once[i]);
    }
}

static void ahs_are_walked(void **state)
{
    static const uint8_t area[] = {0, 5, 2,    0,   0,   0,   2,   0, /* bidi read length */
                                   0, 6, 1,    0,   'a', 'b', 'c', 'd', 'e', 0, 0, 0, /* CDB */
                                   0, 0, 0xc9, 0x77}; /* unknown and empty, reserved bits set */
    size_t offset = 0;
    struct ahs ahs;

    (void)state;
    assert_int_equal(ahs_next(area, sizeof area, &offset, &ahs), 1);
    assert_int_equal(ahs.type, AHS_BIDI_READ_LENGTH);
    assert_int_equal(ahs.length, 5);
    assert_int_equal(get_be32(ahs.data + 1), 512);
    assert_int_equal(ahs_next(area, sizeof area, &offset, &ahs), 1);
    assert_int_equal(ahs.type, AHS_EXTENDED_CDB);
    assert_int_equal(ahs.length, 6);
    assert_memory_equal(ahs.data, "\0abcde", 6);
    assert_int_equal(ahs_next(area, sizeof area, &offset, &ahs), 1);
    assert_int_equal(ahs.type, 9);
    assert_int_equal(ahs.length, 0);
    assert_int_equal(ahs_next(area, sizeof area, &offset, &ahs), 0);
    assert_int_equal(ahs_next(area, sizeof area, &offset, &ahs), 0);
    offset = 0;
    assert_int_equal(ahs_next(NULL, 0, &offset, &ahs), 0);
}

static void ahs_lengths_that_lead_outside_are_refused(void **state)
{
    (void)state;
    for (unsigned length = 0; length < 0x10000; length += length < 64 ? 1 : 61) {
        uint8_t *area = malloc(16); /* its own allocation: a sanitizer sees a read beyond */
        size_t offset = 4;
        struct ahs ahs;
        int expected = length <= 9 ? 1 : -1;

        assert_non_null(area);
        memset(area, 0, 16);
        put_be16(area + 4, (uint16_t)length);
        if (ahs_next(area, 16, &offset, &ahs) != expected)
            fail_msg("AHSLength %u in 12 bytes: expected %d", length, expected);
        free(area);
    }
    for (size_t cut = 1; cut < 4; cut++) {
        static const uint8_t area[] = {0, 1, 1, 0};
        size_t offset = 0;
        struct ahs ahs;

        assert_int_equal(ahs_next(area, cut, &offset, &ahs), -1);
    }
}

static void ahs_are_appended(void **state)
{
    static const uint8_t expected[] = {0, 5, 2, 0, 0, 0, 2, 0, 0, 2, 1, 'x', 'y', 0, 0, 0};
    uint8_t area[PDU_AHS_MAX + 8];
    static const uint8_t big[PDU_AHS_MAX];
    size_t length;

    (void)state;
    memset(area, 0xee, sizeof area);
    length = ahs_append(area, sizeof area, 0, AHS_BIDI_READ_LENGTH, "\0\0\0\2\0", 5);
    assert_int_equal(length, 8);
    assert_int_equal(ahs_append(area, 15, 8, AHS_EXTENDED_CDB, "xy", 2), 0);
    assert_int_equal(ahs_append(area, 16, 8, AHS_EXTENDED_CDB, "xy", 2), 16);
    assert_memory_equal(area, expected, sizeof expected);
    /* TotalAHSLength cannot say more than 1020 bytes. */
    assert_int_equal(ahs_append(area, sizeof area, 0, 1, big, 1017), PDU_AHS_MAX);
    assert_int_equal(ahs_append(area, sizeof area, 0, 1, big, 1018), 0);
    assert_int_equal(ahs_append(area, sizeof area, 16, 1, big, 1017), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_as_the_rfc_draws_it),
        cmocka_unit_test(decodes_what_the_rfc_draws),
        cmocka_unit_test(ignores_reserved_bits),
        cmocka_unit_test(every_opcode_has_a_vector),
        cmocka_unit_test(undefined_opcodes_are_refused_but_framed),
        cmocka_unit_test(random_round_trips),
        cmocka_unit_test(ahs_are_walked),
        cmocka_unit_test(ahs_lengths_that_lead_outside_are_refused),
        cmocka_unit_test(ahs_are_appended),
    };
    return cmocka_run_group_tests_name("pdu", tests, NULL, NULL);
}
