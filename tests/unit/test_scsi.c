/* Against bytes from SPC-4, SBC-3 and SAM-5, written down by hand. */
#include "protocol/scsi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXPECT_CDB(cdb, expected) expect_cdb(cdb, expected, sizeof expected - 1)

static void expect_cdb(const struct scsi_cdb *cdb, const char *expected, size_t length)
{
    static const uint8_t zeros[16];

    assert_int_equal(cdb->length, length);
    assert_memory_equal(cdb->bytes, expected, length);
    assert_memory_equal(cdb->bytes + length, zeros, 16 - length);
}

static void commands_are_built(void **state)
{
    struct scsi_cdb cdb;

    (void)state;
    memset(&cdb, 0xee, sizeof cdb);
    scsi_test_unit_ready(&cdb);
    EXPECT_CDB(&cdb, "\0\0\0\0\0\0");
    scsi_inquiry(&cdb, 0, 0, 36);
    EXPECT_CDB(&cdb, "\x12\0\0\0\x24\0");
    scsi_inquiry(&cdb, 0xff, 0x83, 0x1234);
    EXPECT_CDB(&cdb, "\x12\x03\x83\x12\x34\0");
    scsi_read_capacity_10(&cdb);
    EXPECT_CDB(&cdb, "\x25\0\0\0\0\0\0\0\0\0");
    scsi_read_capacity_16(&cdb, 0x20);
    EXPECT_CDB(&cdb, "\x9e\x10\0\0\0\0\0\0\0\0\0\0\0\x20\0\0");
    scsi_report_luns(&cdb, 0x01020304);
    EXPECT_CDB(&cdb, "\xa0\0\0\0\0\0\x01\x02\x03\x04\0\0");
    scsi_read(&cdb, 0xffffffff, 0xffff);
    EXPECT_CDB(&cdb, "\x28\0\xff\xff\xff\xff\0\xff\xff\0");
    scsi_read(&cdb, 0x01020304, 0x10000);
    EXPECT_CDB(&cdb, "\x88\0\0\0\0\0\x01\x02\x03\x04\0\x01\0\0\0\0");
    scsi_read(&cdb, 0x0102030405060708, 1);
    EXPECT_CDB(&cdb, "\x88\0\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x01\0\0");
    scsi_write(&cdb, 0x11223344, 0x5566, false);
    EXPECT_CDB(&cdb, "\x2a\0\x11\x22\x33\x44\0\x55\x66\0");
    scsi_write(&cdb, 1, 2, true);
    EXPECT_CDB(&cdb, "\x2a\x08\0\0\0\x01\0\0\x02\0");
    scsi_write(&cdb, 0x100000000, 2, true);
    EXPECT_CDB(&cdb, "\x8a\x08\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0");
    scsi_synchronize_cache(&cdb, 0, 0);
    EXPECT_CDB(&cdb, "\x35\0\0\0\0\0\0\0\0\0");
    scsi_synchronize_cache(&cdb, 0x100000000, 7);
    EXPECT_CDB(&cdb, "\x91\0\0\0\0\x01\0\0\0\0\0\0\0\x07\0\0");
}

static void cdb_lengths_follow_the_group_code(void **state)
{
    static const struct {
        uint8_t opcode;
        unsigned length;
    } rows[] = {{0x00, 6},  {0x1f, 6},  {0x20, 10}, {0x5f, 10}, {0x60, 0}, {0x7f, 0},
                {0x80, 16}, {0x9f, 16}, {0xa0, 12}, {0xbf, 12}, {0xc0, 0}, {0xff, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(scsi_cdb_length(rows[i].opcode), rows[i].length);
}

/* From its own allocation, so that a sanitizer sees a read beyond. */
static struct scsi_sense decode(const void *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);
    struct scsi_sense sense;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    memset(&sense, 0xee, sizeof sense);
    scsi_sense_decode(&sense, copy, length);
    free(copy);
    return sense;
}

static void fixed_sense_is_read_at_any_length(void **state)
{
    static const uint8_t data[18] = {0xf0, 0, 0x25, 1, 2, 3, 4, 10, 0, 0, 0, 0, 0x20, 0x01};

    (void)state;
    for (size_t length = 0; length <= sizeof data; length++) {
        struct scsi_sense sense = decode(data, length);

        assert_int_equal(sense.valid, length >= 3);
        assert_false(sense.deferred);
        assert_int_equal(sense.key, length >= 3 ? SCSI_ILLEGAL_REQUEST : 0);
        assert_int_equal(sense.information_valid, length >= 7);
        assert_true(sense.information == (length >= 7 ? 0x01020304u : 0));
        assert_int_equal(sense.asc, length >= 14 ? 0x2001 : length == 13 ? 0x2000 : 0);
    }
}

static void sense_does_not_reach_beyond_its_own_length(void **state)
{
    uint8_t data[18] = {0x71, 0, 0x06, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x29, 0x03};

    (void)state;
    assert_int_equal(decode(data, 18).asc, 0x2903);
    assert_true(decode(data, 18).deferred);
    assert_false(decode(data, 18).information_valid); /* VALID bit clear */
    data[7] = 5;
    assert_int_equal(decode(data, 18).asc, 0x2900);
    data[7] = 4;
    assert_int_equal(decode(data, 18).asc, 0);
    data[7] = 255;
    assert_int_equal(decode(data, 18).asc, 0x2903);
}

static void descriptor_sense_is_read_at_any_length(void **state)
{
    static const uint8_t data[] = {0x72, 0x03, 0x11, 0x04, 0, 0, 0, 16,
                                   /* sense key specific, then information */
                                   0x80, 2, 0xaa, 0xbb, 0x00, 0x0a, 0x80, 0, 1, 2, 3, 4, 5, 6, 7,
                                   8};

    (void)state;
    for (size_t length = 0; length <= sizeof data; length++) {
        struct scsi_sense sense = decode(data, length);

        assert_int_equal(sense.valid, length >= 2);
        assert_int_equal(sense.key, length >= 2 ? SCSI_MEDIUM_ERROR : 0);
        assert_int_equal(sense.asc, length >= 4 ? 0x1104 : length == 3 ? 0x1100 : 0);
        assert_int_equal(sense.information_valid, length >= 24);
        assert_true(sense.information == (length >= 24 ? 0x0102030405060708u : 0));
    }
    assert_true(decode("\x73\x02\x04\x01\0\0\0\0", 8).deferred);
}

static void hostile_descriptors_end_the_walk(void **state)
{
    uint8_t data[20] = {0x72, 0x05, 0x24, 0, 0, 0, 0, 12, 0x00, 0x0a, 0x80};

    (void)state;
    assert_true(decode(data, 20).information_valid);
    data[7] = 11; /* the descriptor reaches out of the sense data */
    assert_false(decode(data, 20).information_valid);
    data[7] = 12;
    data[9] = 0xff;
    assert_false(decode(data, 20).information_valid);
    data[9] = 0; /* a walk of two bytes at a time */
    assert_false(decode(data, 20).information_valid);
    data[9] = 0x0a;
    data[10] = 0; /* VALID clear */
    assert_false(decode(data, 20).information_valid);
}

static void what_is_not_sense_is_not_valid(void **state)
{
    static const uint8_t codes[] = {0x00, 0x6f, 0x74, 0x7f, 0x80};

    (void)state;
    for (size_t i = 0; i < sizeof codes; i++) {
        uint8_t data[18] = {codes[i], 5, 5};

        assert_false(decode(data, sizeof data).valid);
    }
}

static void sense_makes_the_round_trip(void **state)
{
    static const uint8_t expected[18] = {0x70, 0, 0x05, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24};
    uint8_t data[18];
    struct scsi_sense sense;

    (void)state;
    scsi_sense_encode(data, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
    assert_memory_equal(data, expected, sizeof expected);
    sense = decode(data, sizeof data);
    assert_true(sense.valid && !sense.deferred && !sense.information_valid);
    assert_int_equal(sense.key, SCSI_ILLEGAL_REQUEST);
    assert_int_equal(sense.asc, SCSI_ASC_INVALID_FIELD_IN_CDB);
    assert_string_equal(scsi_sense_key_name(SCSI_UNIT_ATTENTION), "unit attention");
    assert_string_equal(scsi_sense_key_name(0xff), "completed");
}

static void inquiry_is_read_at_any_length(void **state)
{
    static const char data[] = "\x20\x80\x05\x02\x1f\0\0\0IET     VIRTUAL-DISK\0\0\0\x01"
                               "0001";
    struct scsi_inquiry_data got;

    (void)state;
    for (size_t length = 0; length < sizeof data; length++) {
        uint8_t *copy = malloc(length ? length : 1);

        assert_non_null(copy);
        memcpy(copy, data, length);
        assert_int_equal(scsi_inquiry_decode(&got, copy, length), length >= 5);
        free(copy);
    }
    assert_int_equal(got.peripheral_qualifier, 1);
    assert_int_equal(got.device_type, 0);
    assert_true(got.removable);
    assert_int_equal(got.version, 5);
    assert_string_equal(got.vendor, "IET");
    assert_string_equal(got.product, "VIRTUAL-DISK   ?");
    assert_string_equal(got.revision, "0001");
    assert_true(scsi_inquiry_decode(&got, (const uint8_t *)data, 20));
    assert_string_equal(got.product, "VIRT");
    assert_string_equal(got.revision, "");
    /* Text that the device says is not there. */
    assert_true(scsi_inquiry_decode(
        &got, (const uint8_t *)"\0\0\0\0\x03\0\0\0IET     VIRTUAL-DISK    0001", 36));
    assert_string_equal(got.vendor, "");
}

static void capacities_are_read(void **state)
{
    struct scsi_capacity got;

    (void)state;
    assert_true(scsi_capacity_10_decode(&got, (const uint8_t *)"\0\0\x3f\xff\0\0\x02\0", 8));
    assert_true(got.blocks == 16384 && got.block_length == 512 && !got.too_large);
    assert_true(scsi_capacity_10_decode(&got, (const uint8_t *)"\xff\xff\xff\xfe\0\0\x10\0", 8));
    assert_true(got.blocks == 0xffffffffu && got.block_length == 4096 && !got.too_large);
    assert_true(scsi_capacity_10_decode(&got, (const uint8_t *)"\xff\xff\xff\xff\0\0\x02\0", 8));
    assert_true(got.too_large && got.blocks == 0);
    assert_false(scsi_capacity_10_decode(&got, (const uint8_t *)"\0\0\x3f\xff\0\0\x02", 7));
    assert_false(scsi_capacity_10_decode(&got, (const uint8_t *)"\0\0\x3f\xff\0\0\0\0", 8));

    assert_true(scsi_capacity_16_decode(
        &got, (const uint8_t *)"\0\0\0\x01\0\0\0\0\0\0\x02\0\0\0\x80\0", 16));
    assert_true(got.blocks == 0x100000001 && got.block_length == 512 && got.thin);
    assert_true(scsi_capacity_16_decode(&got, (const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\x10\0", 12));
    assert_true(got.blocks == 1 && got.block_length == 4096 && !got.thin);
    assert_false(scsi_capacity_16_decode(&got, (const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\x10", 11));
    assert_false(scsi_capacity_16_decode(
        &got, (const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\0\0\x02\0", 12));
    assert_false(scsi_capacity_16_decode(&got, (const uint8_t *)"\0\0\0\0\0\0\0\x01\0\0\0\0", 12));
}

static void luns_have_the_formats_of_sam(void **state)
{
    static const struct {
        uint32_t number;
        uint64_t lun;
    } rows[] = {
        {0, 0},
        {1, 0x0001000000000000},
        {255, 0x00ff000000000000},
        {256, 0x4100000000000000},
        {16383, 0x7fff000000000000},
        {16384, 0xd200400000000000},
        {0xffffff, 0xd2ffffff00000000},
        {0x1000000, 0xe200010000000000},
        {0xffffffff, 0xe200ffffffff0000},
    };
    static const uint64_t other[] = {0x0001000000000001, 0x0101000000000000, 0x4100000100000000,
                                     0x8000000000000000, 0xc101000000000000, 0xd200000000000001,
                                     0xe200000000000001, 0xffffffffffffffff};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (scsi_lun_encode(rows[i].number) != rows[i].lun)
            fail_msg("LUN %u is not encoded right", rows[i].number);
        if (scsi_lun_number(rows[i].lun) != rows[i].number)
            fail_msg("LUN %u is not read back", rows[i].number);
    }
    assert_true(scsi_lun_number(0x4005000000000000) == 5); /* flat below 256 */
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_true(scsi_lun_number(other[i]) == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_built),
        cmocka_unit_test(cdb_lengths_follow_the_group_code),
        cmocka_unit_test(fixed_sense_is_read_at_any_length),
        cmocka_unit_test(sense_does_not_reach_beyond_its_own_length),
        cmocka_unit_test(descriptor_sense_is_read_at_any_length),
        cmocka_unit_test(hostile_descriptors_end_the_walk),
        cmocka_unit_test(what_is_not_sense_is_not_valid),
        cmocka_unit_test(sense_makes_the_round_trip),
        cmocka_unit_test(inquiry_is_read_at_any_length),
        cmocka_unit_test(capacities_are_read),
        cmocka_unit_test(luns_have_the_formats_of_sam),
    };
    return cmocka_run_group_tests_name("scsi", tests, NULL, NULL);
}
