/* EXTENDED COPY between the units of a target, and what RECEIVE COPY RESULTS tells of it (SPC-4).
 */
#include "target_cdbs.h"

enum { HEADER = 16, CSCD = 32, SEGMENT = 28, COPY_ABORTED = 0xa };

static uint8_t list[1024];
static uint32_t length;

/* The unit's name of kind NAA, from its identification page. */
static void name_of(struct client *client, uint8_t lun, uint8_t naa[8])
{
    struct scsi_cdb cdb = {{SCSI_INQUIRY, 1, 0x83, 0, 255, 0}, 6};
    struct pdu pdu = client_command(client, &cdb, 255, 0);

    pdu.lun = scsi_lun_encode(lun);
    client_send(client, &pdu, NULL, 0);
    take(client);
    for (uint32_t at = 4; at < client->pdu.data_length; at += 4u + client->data[at + 3]) {
        if ((client->data[at + 1] & 0x3f) != 3)
            continue;
        assert_int_equal(client->data[at + 3], 8);
        memcpy(naa, client->data + at + 4, 8);
        return;
    }
    fail_msg("unit %u has no name", lun);
}

static void begin(uint8_t identifier)
{
    memset(list, 0, sizeof list);
    list[0] = identifier;
    length = HEADER;
}

static uint8_t *add_unit(const uint8_t naa[8])
{
    uint8_t *unit = list + length;

    unit[0] = 0xe4;
    unit[4] = 1;
    unit[5] = 3;
    unit[7] = 8;
    memcpy(unit + 8, naa, 8);
    unit[30] = 2; /* 512 bytes */
    length += CSCD;
    put_be16(list + 2, (uint16_t)(length - HEADER));
    return unit;
}

static uint8_t *add_segment(uint8_t from, uint64_t from_lba, uint8_t to, uint64_t to_lba,
                            uint16_t count)
{
    uint8_t *segment = list + length;

    segment[0] = 2;
    segment[3] = SEGMENT - 4;
    segment[5] = from;
    segment[7] = to;
    put_be16(segment + 10, count);
    put_be64(segment + 12, from_lba);
    put_be64(segment + 20, to_lba);
    length += SEGMENT;
    put_be32(list + 8, get_be32(list + 8) + SEGMENT);
    return segment;
}

static void copy(struct client *client)
{
    SEND_DATA(client, list, length, SCSI_EXTENDED_COPY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
              (uint8_t)(length >> 8), (uint8_t)length, 0, 0);
}

static void aborted(struct client *client, uint16_t asc)
{
    client_expect_sense(client, COPY_ABORTED, asc);
}

static uint8_t naa[2][8];

static struct client *with_two(struct fixture *fixture)
{
    struct target_disk *disk;
    struct client *client;

    assert_int_equal(target_disk_ram(DISK_BYTES, 512, &disk), STATUS_OK);
    assert_int_equal(target_add_disk(fixture->target, 3, disk), STATUS_OK);
    client = log_in(fixture);
    name_of(client, 0, naa[0]);
    name_of(client, 3, naa[1]);
    assert_memory_not_equal(naa[0], naa[1], 8);
    return client;
}

static void within_a_unit(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = with_two(fixture);

    begin(1);
    add_unit(naa[0]);
    add_segment(0, 0, 0, 100, 20);
    add_segment(0, 1, 0, 3, 10); /* they overlap */
    copy(client);
    good(client);
    memcpy(fixture->expected + 100 * 512, fixture->expected, 20 * 512);
    memmove(fixture->expected + 3 * 512, fixture->expected + 512, 10 * 512);
    fixture_check_disk(fixture);
}

static void between_units(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = with_two(fixture);

    begin(1);
    add_unit(naa[0]);
    add_unit(naa[1]);
    add_segment(0, 10, 1, 0, 8);   /* there */
    add_segment(1, 0, 0, 120, 8);  /* and back */
    add_segment(1, 64, 0, 40, 16); /* zeros */
    add_segment(0, 0, 1, 0, 0);    /* nothing */
    copy(client);
    good(client);
    memcpy(fixture->expected + 120 * 512, fixture->expected + 10 * 512, 8 * 512);
    memset(fixture->expected + 40 * 512, 0, 16 * 512);
    fixture_check_disk(fixture);
}

static void what_came_of_it(void **state)
{
    struct client *client = with_two(*state);

    SEND(client, 64, SCSI_RECEIVE_COPY_RESULTS, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0);
    assert_int_equal(take(client), 46);
    assert_int_equal(get_be32(client->data), 42);
    assert_int_equal(get_be16(client->data + 8), 4);
    assert_int_equal(get_be16(client->data + 10), 4);
    SEND(client, 64, SCSI_RECEIVE_COPY_RESULTS, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB); /* no such copy */
    begin(7);
    add_unit(naa[0]);
    add_segment(0, 0, 0, 100, 20);
    add_segment(0, 0, 0, 127, 2);
    copy(client);
    aborted(client, 0);
    SEND(client, 64, SCSI_RECEIVE_COPY_RESULTS, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0);
    assert_int_equal(take(client), 12);
    assert_int_equal(client->data[4], 2); /* with errors */
    assert_int_equal(get_be16(client->data + 5), 1);
    begin(8);
    add_unit(naa[0]);
    add_segment(0, 0, 0, 100, 20);
    copy(client);
    good(client);
    SEND(client, 64, SCSI_RECEIVE_COPY_RESULTS, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0);
    take(client);
    assert_int_equal(client->data[4], 1);
    SEND(client, 64, SCSI_RECEIVE_COPY_RESULTS, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB); /* only the last is known */
}

static void lists_that_are_wrong(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = with_two(fixture);
    uint32_t whole;

    SEND(client, 0, SCSI_EXTENDED_COPY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    good(client); /* nothing to be done */
    begin(1);
    add_unit(naa[0]);
    add_segment(0, 0, 0, 50, 5);
    whole = length;
    for (length = 1; length < whole; length++) {
        copy(client);
        illegal(client, SCSI_ASC_PARAMETER_LENGTH);
    }
    list[15] = 1; /* inline data */
    copy(client);
    illegal(client, SCSI_ASC(0x26, 0x0b));
    begin(1);
    add_unit(naa[0])[0] = 0xe0;
    copy(client);
    illegal(client, SCSI_ASC(0x26, 0x07));
    begin(1);
    add_unit(naa[0]);
    add_segment(0, 0, 0, 50, 5)[0] = 3;
    copy(client);
    illegal(client, SCSI_ASC(0x26, 0x09));
    begin(1);
    add_unit(naa[0]);
    add_segment(0, 0, 0, 50, 5)[3] = 20;
    copy(client);
    illegal(client, SCSI_ASC_INVALID_PARAMETER);
    begin(1);
    for (int i = 0; i < 5; i++)
        add_unit(naa[0]);
    copy(client);
    illegal(client, SCSI_ASC(0x26, 0x06));
    begin(1);
    add_unit(naa[0]);
    for (int i = 0; i < 5; i++)
        add_segment(0, 0, 0, 50, 5);
    copy(client);
    illegal(client, SCSI_ASC(0x26, 0x08));
    fixture_check_disk(fixture);
}

static void units_that_are_none(void **state)
{
    static const uint8_t nobody[8] = {0x31, 1, 2, 3, 4, 5, 6, 7};
    struct fixture *fixture = *state;
    struct client *client = with_two(fixture);

    begin(1);
    add_unit(nobody);
    add_segment(0, 0, 0, 50, 5);
    copy(client);
    aborted(client, SCSI_ASC(0x0d, 0x02));
    begin(1);
    add_unit(naa[0])[1] = 0x20; /* NUL */
    add_segment(0, 0, 0, 50, 5);
    copy(client);
    aborted(client, SCSI_ASC(0x0d, 0x02));
    begin(1);
    add_unit(naa[0])[1] = 0x05; /* a CD */
    add_segment(0, 0, 0, 50, 5);
    copy(client);
    aborted(client, SCSI_ASC(0x0d, 0x03));
    begin(1);
    add_unit(naa[0]);
    add_segment(0, 0, 1, 50, 5);
    copy(client);
    aborted(client, SCSI_ASC(0x0d, 0x02));
    begin(1);
    add_unit(naa[0])[30] = 16; /* other blocks than it has */
    add_segment(0, 0, 0, 50, 5);
    copy(client);
    aborted(client, SCSI_ASC(0x0d, 0x03));
    fixture_check_disk(fixture);
}

/* The destination is protected, or reserved for somebody else. */
static void not_to_be_written_to(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = with_two(fixture);
    struct client *other = &fixture->other;
    struct scsi_cdb reserve = {{SCSI_RESERVE_6, 0, 0, 0, 0, 0}, 6};
    struct target_disk *disk;
    struct pdu pdu;

    client_open(other, fixture->entity, 1);
    other->isid[5] = 9;
    client_login(other, NORMAL);
    pdu = client_command(other, &reserve, 0, 0);
    pdu.lun = scsi_lun_encode(3);
    client_send(other, &pdu, NULL, 0);
    good(other);
    begin(1);
    add_unit(naa[0]);
    add_unit(naa[1]);
    add_segment(0, 0, 1, 0, 5);
    copy(client);
    aborted(client, SCSI_ASC(0x0d, 0x02));
    assert_int_equal(target_disk_ram(DISK_BYTES, 512, &disk), STATUS_OK);
    target_disk_set_read_only(disk);
    assert_int_equal(target_add_disk(fixture->target, 4, disk), STATUS_OK);
    name_of(client, 4, naa[1]);
    begin(1);
    add_unit(naa[0]);
    add_unit(naa[1]);
    add_segment(0, 0, 1, 0, 5);
    copy(client);
    aborted(client, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(within_a_unit),        T(between_units),       T(what_came_of_it),
        T(lists_that_are_wrong), T(units_that_are_none), T(not_to_be_written_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
