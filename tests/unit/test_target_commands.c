/* The SCSI commands of a disk beyond reading and writing (SPC-4, SBC-3). */
#include "target_cdbs.h"

/* --- what there is --- */

static void pages_of_the_unit(void **state)
{
    struct client *client = log_in(*state);

    SEND(client, 255, SCSI_INQUIRY, 1, 0x00, 0, 255, 0);
    assert_int_equal(take(client), 11);
    assert_memory_equal(client->data + 4, "\x00\x80\x83\x8f\xb0\xb1\xb2", 7);
    for (unsigned i = 0; i < 7; i++) {
        uint8_t page = (uint8_t) "\x00\x80\x83\x8f\xb0\xb1\xb2"[i];

        SEND(client, 255, SCSI_INQUIRY, 1, page, 0, 255, 0);
        take(client);
        assert_int_equal(client->data[1], page);
        assert_int_equal(client->pdu.data_length, get_be16(client->data + 2) + 4);
    }
    SEND(client, 255, SCSI_INQUIRY, 1, 0xb0, 0, 255, 0);
    take(client);
    assert_int_equal(client->data[5], 255);                         /* COMPARE AND WRITE */
    assert_int_equal(get_be32(client->data + 8), (32 << 20) / 512); /* transfer */
    SEND(client, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    take(client);
    assert_int_equal(client->data[14], 0xc0);
}

static void opcodes(void **state)
{
    struct client *client = log_in(*state);
    uint32_t length, count = 0;

    SEND(client, 8192, 0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0);
    length = take(client);
    assert_int_equal(get_be32(client->data), length - 4);
    for (uint32_t at = 4; at < length; at += 8, count++)
        assert_int_not_equal(get_be16(client->data + at + 6), 0);
    assert_in_range(count, 50, 80);
    SEND(client, 8192, 0xa3, 0x0c, 0x80, 0, 0, 0, 0, 0, 0x20, 0, 0, 0); /* with timeouts */
    assert_int_equal(take(client), 4 + count * 20);
    SEND(client, 64, 0xa3, 0x0c, 1, SCSI_READ_10, 0, 0, 0, 0, 0, 64, 0, 0); /* one */
    assert_int_equal(take(client), 14);
    assert_int_equal(client->data[1], 3);
    assert_memory_equal(client->data + 4, "\x28\x18\xff\xff\xff\xff\x1f\xff\xff\x04", 10);
    SEND(client, 64, 0xa3, 0x0c, 2, 0x9e, 0, 0x10, 0, 0, 0, 64, 0, 0); /* with a service action */
    assert_int_equal(take(client), 20);
    SEND(client, 64, 0xa3, 0x0c, 3, SCSI_READ_10, 0, 0, 0, 0, 0, 64, 0, 0); /* either way */
    take(client);
    assert_int_equal(client->data[1], 3);
    SEND(client, 64, 0xa3, 0x0c, 1, 0xe5, 0, 0, 0, 0, 0, 64, 0, 0); /* not there */
    assert_int_equal(take(client), 4);
    assert_int_equal(client->data[1], 1);
    SEND(client, 64, 0xa3, 0x0c, 1, 0x9e, 0, 0, 0, 0, 0, 64, 0, 0); /* it has service actions */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND(client, 64, 0xa3, 0x0c, 2, SCSI_READ_10, 0, 0, 0, 0, 0, 64, 0, 0); /* it has none */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND(client, 64, 0xa3, 0x0d, 0x80, 0, 0, 0, 0, 0, 0, 64, 0, 0); /* task management */
    assert_int_equal(take(client), 16);
    assert_int_equal(client->data[0], 0xda);
}

static void small_ones(void **state)
{
    struct client *client = log_in(*state);

    SEND(client, 0, SCSI_START_STOP_UNIT, 0, 0, 0, 1, 0);
    good(client);
    SEND(client, 0, SCSI_PREVENT_ALLOW, 0, 0, 0, 1, 0);
    good(client);
    SEND(client, 0, SCSI_SEND_DIAGNOSTIC, 4, 0, 0, 0, 0);
    good(client);
    SEND(client, 0, SCSI_PRE_FETCH_10, 0, 0, 0, 0, 5, 0, 0, 8, 0);
    client_expect_scsi(client, SCSI_CONDITION_MET);
    SEND(client, 0, SCSI_PRE_FETCH_10, 0, 0, 0, 0, 127, 0, 0, 8, 0);
    illegal(client, SCSI_ASC_LBA_OUT_OF_RANGE);
    SEND(client, 64, SCSI_LOG_SENSE, 0, 0, 0, 0, 0, 0, 0, 64, 0);
    take(client);
    SEND(client, 64, SCSI_LOG_SENSE, 0, 0x2f, 0, 0, 0, 0, 0, 64, 0);
    assert_int_equal(take(client), 12);
    SEND(client, 64, SCSI_LOG_SENSE, 0, 0x11, 0, 0, 0, 0, 0, 64, 0);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND(client, 24, 0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 24, 0, 0); /* GET LBA STATUS */
    assert_int_equal(take(client), 24);
    assert_int_equal(get_be32(client->data + 16), 28);
    SEND(client, 0, 0, 0, 0, 0, 0, 4); /* NACA */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND(client, 64, SCSI_REQUEST_SENSE, 1, 0, 0, 64, 0);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND(client, 0, 0xe7, 0, 0, 0, 0, 0);
    illegal(client, SCSI_ASC_INVALID_OPCODE);
    SEND(client, 64, SCSI_REPORT_LUNS, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
}

/* Nothing at the end of the disk is out of range too. */
static void at_the_end(void **state)
{
    struct client *client = log_in(*state);

    SEND(client, 0, SCSI_READ_10, 0, 0, 0, 0, 127, 0, 0, 0, 0);
    good(client);
    SEND(client, 0, SCSI_READ_10, 0, 0, 0, 0, 128, 0, 0, 0, 0);
    illegal(client, SCSI_ASC_LBA_OUT_OF_RANGE);
    SEND(client, 0, SCSI_SYNCHRONIZE_CACHE_10, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* all of it */
    good(client);
    SEND(client, 0, SCSI_SYNCHRONIZE_CACHE_10, 0, 0, 0, 0, 128, 0, 0, 0, 0);
    illegal(client, SCSI_ASC_LBA_OUT_OF_RANGE);
    SEND(client, 512, SCSI_READ_10, 0x20, 0, 0, 0, 0, 0, 0, 1, 0); /* RDPROTECT */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
}

/* --- filling --- */

static void write_same(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture);
    uint8_t block[512];

    memset(block, 0x6b, sizeof block);
    SEND_DATA(client, block, 512, SCSI_WRITE_SAME_10, 0, 0, 0, 0, 3, 0, 0, 5, 0);
    good(client);
    for (unsigned i = 0; i < 5; i++)
        memcpy(fixture->expected + (3 + i) * 512, block, 512);
    fixture_check_disk(fixture);
    /* 16 bytes, no blocks: to the end; with UNMAP, but not zeros, they are written. */
    SEND_DATA(client, block, 512, SCSI_WRITE_SAME_16, 8, 0, 0, 0, 0, 0, 0, 0, 120, 0, 0, 0, 0, 0,
              0);
    good(client);
    memset(fixture->expected + 120 * 512, 0x6b, 8 * 512);
    fixture_check_disk(fixture);
    SEND(client, 0, SCSI_WRITE_SAME_16, 1, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0); /* NDOB */
    good(client);
    memset(fixture->expected + 10 * 512, 0, 1024);
    fixture_check_disk(fixture);
    SEND_DATA(client, block, 512, SCSI_WRITE_SAME_10, 0, 0, 0, 0, 127, 0, 0, 2, 0);
    illegal(client, SCSI_ASC_LBA_OUT_OF_RANGE);
    SEND_DATA(client, block, 512, SCSI_WRITE_SAME_10, 0x10, 0, 0, 0, 0, 0, 0, 1, 0); /* ANCHOR */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND_DATA(client, block, 100, SCSI_WRITE_SAME_10, 0, 0, 0, 0, 0, 0, 0, 1, 0); /* half a block */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND_DATA(client, block, 512, SCSI_WRITE_SAME_16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
              0); /* NDOB, and data all the same */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    fixture_check_disk(fixture);
}

static void unmap(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture);
    uint8_t list[8 + 3 * 16] = {0};

    put_be16(list, sizeof list - 2);
    put_be16(list + 2, sizeof list - 8);
    put_be64(list + 8, 5);
    put_be32(list + 16, 2);
    put_be64(list + 24, 100);
    put_be32(list + 32, 28);
    put_be64(list + 40, 7777); /* no blocks: wherever */
    SEND_DATA(client, list, sizeof list, SCSI_UNMAP, 0, 0, 0, 0, 0, 0, 0, sizeof list, 0);
    good(client);
    memset(fixture->expected + 5 * 512, 0, 1024);
    memset(fixture->expected + 100 * 512, 0, 28 * 512);
    fixture_check_disk(fixture);
    put_be32(list + 48, 1); /* now it is out of range, and nothing is unmapped */
    put_be64(list + 8, 50);
    SEND_DATA(client, list, sizeof list, SCSI_UNMAP, 0, 0, 0, 0, 0, 0, 0, sizeof list, 0);
    illegal(client, SCSI_ASC_LBA_OUT_OF_RANGE);
    SEND_DATA(client, list, 4, SCSI_UNMAP, 0, 0, 0, 0, 0, 0, 0, 4, 0);
    illegal(client, SCSI_ASC_PARAMETER_LENGTH);
    SEND(client, 0, SCSI_UNMAP, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    good(client);
    put_be16(list + 2, 0xffff); /* more than was sent: what is there counts */
    put_be32(list + 48, 0);
    SEND_DATA(client, list, sizeof list, SCSI_UNMAP, 0, 0, 0, 0, 0, 0, 0, sizeof list, 0);
    good(client);
    memset(fixture->expected + 50 * 512, 0, 1024);
    fixture_check_disk(fixture);
}

static void compare_and_write(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture);
    uint8_t data[2048];

    memcpy(data, fixture->expected + 7 * 512, 1024);
    memset(data + 1024, 0xcd, 1024);
    SEND_DATA(client, data, sizeof data, SCSI_COMPARE_AND_WRITE, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0,
              2, 0, 0);
    good(client);
    memset(fixture->expected + 7 * 512, 0xcd, 1024);
    fixture_check_disk(fixture);
    memset(data, 0xcd, 1024);
    data[700] = 0;
    SEND_DATA(client, data, sizeof data, SCSI_COMPARE_AND_WRITE, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0,
              2, 0, 0);
    client_expect_sense(client, SCSI_MISCOMPARE, SCSI_ASC(0x1d, 0x00));
    assert_int_equal(client->data[2] & 0x80, 0x80);
    assert_int_equal(get_be32(client->data + 2 + 3), 700);
    SEND_DATA(client, data, sizeof data, SCSI_COMPARE_AND_WRITE, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0,
              0, 2, 0, 0);
    illegal(client, SCSI_ASC_LBA_OUT_OF_RANGE);
    SEND_DATA(client, data, sizeof data, SCSI_COMPARE_AND_WRITE, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0,
              1, 0, 0); /* more data than blocks */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND(client, 0, SCSI_COMPARE_AND_WRITE, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0);
    good(client);
    fixture_check_disk(fixture);
}

static void or_write(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture);
    uint8_t data[512];

    memset(data, 0x0f, sizeof data);
    SEND_DATA(client, data, 512, SCSI_ORWRITE_16, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0);
    good(client);
    for (unsigned i = 0; i < 512; i++)
        fixture->expected[4 * 512 + i] |= 0x0f;
    fixture_check_disk(fixture);
}

static void verify(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture);
    uint8_t data[1024];

    memcpy(data, fixture->expected + 9 * 512, sizeof data);
    SEND(client, 0, SCSI_VERIFY_10, 0, 0, 0, 0, 9, 0, 0, 2, 0);
    good(client);
    SEND(client, 0, SCSI_VERIFY_16, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 0, 2, 0, 0);
    illegal(client, SCSI_ASC_LBA_OUT_OF_RANGE);
    SEND_DATA(client, data, 1024, SCSI_VERIFY_10, 2, 0, 0, 0, 9, 0, 0, 2, 0);
    good(client);
    SEND_DATA(client, data, 512, SCSI_VERIFY_12, 6, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0); /* one for all */
    good(client);
    SEND_DATA(client, data, 512, SCSI_VERIFY_12, 6, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0);
    client_expect_sense(client, SCSI_MISCOMPARE, SCSI_ASC(0x1d, 0x00));
    data[5] ^= 1;
    SEND_DATA(client, data, 1024, SCSI_VERIFY_16, 2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0);
    client_expect_sense(client, SCSI_MISCOMPARE, SCSI_ASC(0x1d, 0x00));
    SEND_DATA(client, data, 1024, SCSI_WRITE_VERIFY_10, 0, 0, 0, 0, 9, 0, 0, 2, 0);
    good(client);
    SEND_DATA(client, data, 1024, SCSI_WRITE_VERIFY_16, 2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2, 0,
              0);
    good(client);
    memcpy(fixture->expected + 9 * 512, data, sizeof data);
    fixture_check_disk(fixture);
}

/* --- mode --- */

static void mode_pages(void **state)
{
    struct client *client = log_in(*state);

    SEND(client, 255, SCSI_MODE_SENSE_6, 0, 0x3f, 0, 255, 0);
    assert_int_equal(take(client), 4 + 8 + 12 + 20 + 12 + 12);
    assert_int_equal(client->data[0], client->pdu.data_length - 1);
    assert_int_equal(client->data[2], 0x10);
    assert_int_equal(client->data[12], 0x01);
    assert_int_equal(client->data[24], 0x08);
    assert_int_equal(client->data[26], 0x04);                                 /* WCE */
    SEND(client, 255, SCSI_MODE_SENSE_10, 0x10, 0x0a, 0, 0, 0, 0, 0, 255, 0); /* LLBAA */
    assert_int_equal(take(client), 8 + 16 + 12);
    assert_int_equal(client->data[4], 1);
    assert_int_equal(get_be64(client->data + 8), 128);
    SEND(client, 255, SCSI_MODE_SENSE_6, 8, 0x48, 0, 255, 0); /* what can be changed */
    assert_int_equal(take(client), 24);
    assert_int_equal(client->data[6], 0x04);
    SEND(client, 255, SCSI_MODE_SENSE_6, 0, 0xc8, 0, 255, 0); /* saved */
    illegal(client, SCSI_ASC(0x39, 0x00));
    SEND(client, 255, SCSI_MODE_SENSE_6, 0, 0x05, 0, 255, 0);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
}

static void mode_select(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture);
    struct client *other = &fixture->other;
    uint8_t list[4 + 20 + 12] = {[4] = 0x08, [5] = 18, [24] = 0x0a, [25] = 10, [28] = 0x08};
    static const uint8_t block[512];
    struct scsi_cdb cdb;

    client_open(other, fixture->entity, 1);
    other->isid[5] = 9;
    client_login(other, NORMAL);
    SEND_DATA(client, list, sizeof list, SCSI_MODE_SELECT_6, 0x10, 0, 0, sizeof list, 0);
    good(client);
    SEND(client, 255, SCSI_MODE_SENSE_6, 8, 0x3f, 0, 255, 0);
    take(client);
    assert_int_equal(client->data[2], 0x90); /* write-protected */
    assert_int_equal(client->data[6], 0);    /* written through */
    SEND_DATA(client, block, 512, SCSI_WRITE_10, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    client_expect_sense(client, SCSI_DATA_PROTECT, SCSI_ASC_WRITE_PROTECTED);
    scsi_test_unit_ready(&cdb); /* others hear of it */
    client_read_command(other, &cdb, 0);
    client_expect_sense(other, SCSI_UNIT_ATTENTION, SCSI_ASC(0x2a, 0x01));
    list[28] = 0;
    SEND_DATA(client, list, sizeof list, SCSI_MODE_SELECT_6, 0x10, 0, 0, sizeof list, 0);
    good(client);
    SEND_DATA(client, block, 512, SCSI_WRITE_10, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    good(client);
}

static void wrong_mode_select(void **state)
{
    struct client *client = log_in(*state);
    uint8_t list[4 + 8 + 20] = {[3] = 8, [12] = 0x08, [13] = 18, [14] = 4};

    put_be24(list + 4 + 5, 512);
    SEND_DATA(client, list, sizeof list, SCSI_MODE_SELECT_6, 0x10, 0, 0, sizeof list, 0);
    good(client);
    SEND_DATA(client, list, sizeof list, SCSI_MODE_SELECT_6, 0x00, 0, 0, sizeof list,
              0); /* no PF */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND_DATA(client, list, sizeof list, SCSI_MODE_SELECT_6, 0x11, 0, 0, sizeof list, 0); /* SP */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND_DATA(client, list, 10, SCSI_MODE_SELECT_6, 0x10, 0, 0, 10, 0); /* cut in the descriptor */
    illegal(client, SCSI_ASC_PARAMETER_LENGTH);
    SEND_DATA(client, list, 20, SCSI_MODE_SELECT_6, 0x10, 0, 0, 20, 0); /* cut in the page */
    illegal(client, SCSI_ASC_INVALID_PARAMETER);
    list[15] = 1; /* what cannot be changed */
    SEND_DATA(client, list, sizeof list, SCSI_MODE_SELECT_6, 0x10, 0, 0, sizeof list, 0);
    illegal(client, SCSI_ASC_INVALID_PARAMETER);
    list[15] = 0;
    list[12] = 0x05; /* no such page */
    SEND_DATA(client, list, sizeof list, SCSI_MODE_SELECT_6, 0x10, 0, 0, sizeof list, 0);
    illegal(client, SCSI_ASC_INVALID_PARAMETER);
    list[12] = 0x08;
    put_be24(list + 4 + 5, 4096); /* another block length */
    SEND_DATA(client, list, sizeof list, SCSI_MODE_SELECT_6, 0x10, 0, 0, sizeof list, 0);
    illegal(client, SCSI_ASC_INVALID_PARAMETER);
    SEND(client, 0, SCSI_MODE_SELECT_10, 0x10, 0, 0, 0, 0, 0, 0, 0, 0);
    good(client);
}

/* --- changes as they are told --- */

struct seen {
    char text[512];
};

static void on_change(void *context, enum target_disk_change change, uint64_t offset,
                      uint64_t length, const void *data)
{
    struct seen *seen = context;
    size_t used = strlen(seen->text);

    assert_int_equal(data != NULL, change == TARGET_DISK_WRITTEN);
    snprintf(seen->text + used, sizeof seen->text - used, "%c%u+%u ", "WZF"[change],
             (unsigned)offset, (unsigned)length);
}

static void changes_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture);
    struct seen seen = {""};
    struct target_disk *disk;
    uint8_t data[1024];
    struct scsi_cdb cdb;
    struct pdu pdu;

    memset(data, 1, sizeof data);
    assert_int_equal(target_disk_ram(65536, 512, &disk), STATUS_OK);
    target_disk_on_change(disk, on_change, &seen);
    target_add_disk(fixture->target, 3, disk);
    scsi_write(&cdb, 2, 2, true);
    pdu = client_command(client, &cdb, 0, 1024);
    pdu.lun = scsi_lun_encode(3);
    client_send(client, &pdu, data, 1024);
    good(client);
    scsi_write(&cdb, 9, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    pdu.lun = scsi_lun_encode(3);
    client_send(client, &pdu, data, 512);
    good(client);
    scsi_synchronize_cache(&cdb, 0, 0);
    pdu = client_command(client, &cdb, 0, 0);
    pdu.lun = scsi_lun_encode(3);
    client_send(client, &pdu, NULL, 0);
    good(client);
    assert_string_equal(seen.text, "W1024+1024 F1024+1024 W4608+512 F0+65536 ");
}

/* What was not made to last is not in the file. */
static void power_cut(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    char path[64];
    struct target_disk *disk;
    struct target *target;
    uint8_t data[1024], found[4096];
    struct scsi_cdb cdb;
    struct pdu pdu;
    FILE *file;

    snprintf(path, sizeof path, "target-cached-%08x", (unsigned)os_now());
    file = fopen(path, "wb");
    assert_non_null(file);
    memset(found, 0, sizeof found);
    fwrite(found, 1, sizeof found, file);
    fclose(file);
    assert_int_equal(target_disk_cached(path, 512, &disk), STATUS_OK);
    target = client_target(fixture->entity, TARGET "-cached", 0);
    target_add_disk(target, 0, disk);
    client_login(client, NAMES "TargetName=" TARGET "-cached\n");
    memset(data, 0xaa, sizeof data);
    for (unsigned i = 0; i < 4; i++) { /* the third with FUA */
        scsi_write(&cdb, i, 1, i == 2);
        pdu = client_command(client, &cdb, 0, 512);
        client_send(client, &pdu, data, 512);
        good(client);
    }
    file = fopen(path, "rb");
    assert_int_equal(fread(found, 1, sizeof found, file), sizeof found);
    fclose(file);
    assert_int_equal(found[0] | found[512] | found[1536], 0);
    assert_int_equal(found[1024], 0xaa);
    SEND(client, 0, SCSI_SYNCHRONIZE_CACHE_10, 0, 0, 0, 0, 0, 0, 0, 2, 0);
    good(client);
    target_remove(target); /* which does not flush */
    file = fopen(path, "rb");
    assert_int_equal(fread(found, 1, sizeof found, file), sizeof found);
    fclose(file);
    remove(path);
    assert_int_equal(found[0], 0xaa);
    assert_int_equal(found[512], 0xaa);
    assert_int_equal(found[1536], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(pages_of_the_unit), T(opcodes),     T(small_ones),
        T(at_the_end),        T(write_same),  T(unmap),
        T(compare_and_write), T(or_write),    T(verify),
        T(mode_pages),        T(mode_select), T(wrong_mode_select),
        T(changes_are_told),  T(power_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
