/* What targets tell of their units, against bytes from SPC-4 written down by hand. */
#include "protocol/scsi.h"
#include "protocol/scsi_vpd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The bytes in memory of their own, so that a sanitizer sees who reads beyond them. */
static uint8_t *exactly(const void *bytes, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

static void luns_are_read(void **state)
{
    static const uint8_t list[] = {0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0,    0,
                                   0, 0, 0, 0,  1, 0, 0, 0, 0, 0, 0, 0xaa, 0xbb};
    (void)state;
    assert_int_equal(scsi_luns_length(list, 8), 24);
    assert_int_equal(scsi_luns_length(list, 7), 0);
    assert_int_equal(scsi_luns_length((const uint8_t *)"\xff\xff\xff\xff\0\0\0", 8), UINT32_MAX);
    assert_int_equal(scsi_luns_length((const uint8_t *)"\xff\xff\xff\xf6\0\0\0", 8), 0xfffffffe);
    assert_int_equal(scsi_luns_count(list, sizeof list), 2); /* no more than the length says */
    assert_int_equal(scsi_luns_count(list, 23), 1);          /* and than is there */
    assert_int_equal(scsi_luns_count(list, 8), 0);
    assert_int_equal(scsi_luns_count(list, 3), 0);
    assert_true(scsi_luns_at(list, 0) == 0);
    assert_true(scsi_luns_at(list, 1) == UINT64_C(0x0001000000000000));
}

static void luns_are_spelt_and_read_back(void **state)
{
    static const uint64_t rows[][2] = {
        {0, 0},
        {UINT64_C(0x0001000000000000), 1},
        {UINT64_C(0x00ff000000000000), 255},
        {UINT64_C(0x4100000000000000), 256},
        {UINT64_C(0x7fff000000000000), 16383},
        {UINT64_C(0xd200400000000000), UINT64_C(0xd200400000000000)},
        {UINT64_C(0x4001000000000000), UINT64_C(0x4001000000000000)}, /* 1 is another field */
        {UINT64_C(0x0101000000000000), UINT64_C(0x0101000000000000)},
        {UINT64_MAX, UINT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(scsi_lun_spelling(rows[i][0]) == rows[i][1]);
        assert_true(scsi_lun_from_spelling(rows[i][1]) == rows[i][0]);
    }
}

static void assert_designator(const char *page, size_t length, int type, const char *bytes)
{
    struct scsi_designator got;
    uint8_t *copy = exactly(page, length);
    assert_true(scsi_vpd_designator(&got, copy, length));
    assert_int_equal(got.type, type);
    assert_int_equal(got.length, strlen(bytes));
    assert_memory_equal(got.bytes, bytes, got.length);
    free(copy);
}

#define T10                                                                                        \
    "\x02\x01\0\x04"                                                                               \
    "acme"
#define NAA                                                                                        \
    "\x01\x03\0\x08"                                                                               \
    "naanaan8"
#define EUI                                                                                        \
    "\x01\x02\0\x08"                                                                               \
    "euieuie8"
#define NAME                                                                                       \
    "\x53\x08\0\x04"                                                                               \
    "iqn\0"
#define PORT                                                                                       \
    "\x51\x93\0\x08"                                                                               \
    "portport"
#define PAGE(length) "\0\x83\0" length

static void the_best_designator_is_taken(void **state)
{
    (void)state;
    assert_designator(PAGE("\x08") T10, 12, SCSI_DESIGNATOR_T10, "acme");
    assert_designator(PAGE("\x14") T10 NAA, 24, SCSI_DESIGNATOR_NAA, "naanaan8");
    assert_designator(PAGE("\x14") NAA T10, 24, SCSI_DESIGNATOR_NAA, "naanaan8");
    assert_designator(PAGE("\x18") NAA EUI, 28, SCSI_DESIGNATOR_NAA, "naanaan8");
    assert_designator(PAGE("\x14") EUI T10, 24, SCSI_DESIGNATOR_EUI64, "euieuie8");
    /* What belongs to the port is not of the unit. */
    assert_designator(PAGE("\x14") PORT T10, 24, SCSI_DESIGNATOR_T10, "acme");
    /* The page ends where it says. */
    assert_designator(PAGE("\x08") T10 NAA, 24, SCSI_DESIGNATOR_T10, "acme");
}

static void pages_without_a_designator(void **state)
{
    static const struct {
        const char *page;
        size_t length;
    } rows[] = {
        {"", 0},
        {PAGE("\0"), 4},
        {PAGE("\x08") T10, 3},
        {PAGE("\x08") T10, 11},                /* cut */
        {"\0\x80\0\x08" T10, 12},              /* another page */
        {PAGE("\x0c") PORT, 16},               /* none of the unit */
        {PAGE("\x04") "\x01\x03\0\0", 8},      /* of no bytes */
        {PAGE("\x04") "\x01\x03\0\xff", 8},    /* longer than the page */
        {PAGE("\x06") "\x01\x0f\0\x02xx", 10}, /* of an unknown type */
        {"\0\x83\xff\xff\x01", 5},
    };
    struct scsi_designator got;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *copy = exactly(rows[i].page, rows[i].length);
        if (scsi_vpd_designator(&got, copy, rows[i].length))
            fail_msg("row %u has one", (unsigned)i);
        free(copy);
    }
}

static void assert_serial(const char *page, size_t length, size_t room, const char *expected)
{
    char serial[64];
    uint8_t *copy = exactly(page, length);
    memset(serial, 'x', sizeof serial);
    assert_true(scsi_vpd_serial(serial, room, copy, length) == (expected[0] != '\0'));
    assert_string_equal(serial, expected);
    assert_int_equal(serial[room], 'x');
    free(copy);
}

static void serial_numbers_are_read(void **state)
{
    (void)state;
    assert_serial("\0\x80\0\x04"
                  "1234",
                  8, 20, "1234");
    assert_serial("\0\x80\0\x06"
                  "  12 \0",
                  10, 20, "12");
    assert_serial("\0\x80\0\x04"
                  "1234",
                  8, 3, "12");
    assert_serial("\0\x80\0\x04"
                  "1\n\xff"
                  "4",
                  8, 20, "1??4");
    assert_serial("\0\x80\0\xff"
                  "1234",
                  8, 20, "1234"); /* cut */
    assert_serial("\0\x80\0\x04"
                  "    ",
                  8, 20, "");
    assert_serial("\0\x80\0\0", 4, 20, "");
    assert_serial("\0\x83\0\x04"
                  "1234",
                  8, 20, "");
    assert_serial("\0\x80", 2, 20, "");
}

static bool zeroes_by_unmap(const char *page, size_t length)
{
    uint8_t *copy = exactly(page, length);
    bool told = scsi_vpd_zeroes_by_unmap(copy, length);
    free(copy);
    return told;
}

static void what_unmapping_leaves_is_read(void **state)
{
    (void)state;
    assert_true(zeroes_by_unmap("\0\xb2\0\x04\0\x44\x02\0", 8));
    assert_true(zeroes_by_unmap("\0\xb2\0\x04\0\xe4\x02\0", 8));
    assert_false(zeroes_by_unmap("\0\xb2\0\x04\0\x40\x02\0", 8)); /* anything */
    assert_false(zeroes_by_unmap("\0\xb2\0\x04\0\xa4\x02\0", 8)); /* UNMAP alone */
    assert_false(zeroes_by_unmap("\0\xb0\0\x04\0\x44\x02\0", 8)); /* another page */
    assert_false(zeroes_by_unmap("\0\xb2\0\x01\0\x44", 6));       /* short */
    assert_false(zeroes_by_unmap("\0\xb2\0\x04\0", 5));           /* cut */
    assert_false(zeroes_by_unmap("\0\xb2", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(luns_are_read),
        cmocka_unit_test(luns_are_spelt_and_read_back),
        cmocka_unit_test(the_best_designator_is_taken),
        cmocka_unit_test(pages_without_a_designator),
        cmocka_unit_test(serial_numbers_are_read),
        cmocka_unit_test(what_unmapping_leaves_is_read),
    };
    return cmocka_run_group_tests_name("scsi_vpd", tests, NULL, NULL);
}
