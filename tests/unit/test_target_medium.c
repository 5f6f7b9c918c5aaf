/* Disks whose medium can be ejected, is protected, or has larger physical blocks. */
#include "target_cdbs.h"

#define EJECT(client)   SEND(client, 0, SCSI_START_STOP_UNIT, 0, 0, 0, 2, 0)
#define LOAD(client)    SEND(client, 0, SCSI_START_STOP_UNIT, 0, 0, 0, 3, 0)
#define PREVENT(client) SEND(client, 0, SCSI_PREVENT_ALLOW, 0, 0, 0, 1, 0)
#define ALLOW(client)   SEND(client, 0, SCSI_PREVENT_ALLOW, 0, 0, 0, 0, 0)
#define READY(client)   SEND(client, 0, SCSI_TEST_UNIT_READY, 0, 0, 0, 0, 0)

static void no_medium(struct client *client)
{
    client_expect_sense(client, SCSI_NOT_READY, SCSI_ASC_NO_MEDIUM);
}

static struct target_disk *new_disk(void)
{
    struct target_disk *disk;

    assert_int_equal(target_disk_ram(DISK_BYTES, 512, &disk), STATUS_OK);
    return disk;
}

/* Instead of the fixture's own. */
static struct client *log_in_to(struct fixture *fixture, struct target_disk *disk)
{
    target_remove(fixture->target);
    assert_int_equal(target_add(fixture->entity, TARGET, &fixture->target), STATUS_OK);
    assert_int_equal(target_add_disk(fixture->target, 0, disk), STATUS_OK);
    return log_in(fixture);
}

static struct client *with_removable(struct fixture *fixture)
{
    struct target_disk *disk = new_disk();

    target_disk_set_removable(disk);
    return log_in_to(fixture, disk);
}

/* A second initiator. */
static struct client *with_other(struct fixture *fixture)
{
    client_open(&fixture->other, fixture->entity, 1);
    fixture->other.isid[5] = 9;
    client_login(&fixture->other, NORMAL);
    return &fixture->other;
}

static void ejected(void **state)
{
    struct client *client = with_removable(*state);
    struct client *other = with_other(*state);
    uint8_t block[512] = {0};

    SEND(client, 36, SCSI_INQUIRY, 0, 0, 0, 36, 0);
    take(client);
    assert_int_equal(client->data[1], 0x80);
    EJECT(client);
    good(client);
    READY(client);
    no_medium(client);
    SEND(client, 512, SCSI_READ_10, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    no_medium(client);
    SEND_DATA(client, block, 512, SCSI_WRITE_10, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    no_medium(client);
    SEND(client, 8, SCSI_READ_CAPACITY_10, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    no_medium(client);
    SEND(client, 0, SCSI_SYNCHRONIZE_CACHE_10, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    no_medium(client);
    /* The drive itself is there. */
    SEND(client, 36, SCSI_INQUIRY, 0, 0, 0, 36, 0);
    take(client);
    SEND(client, 64, SCSI_MODE_SENSE_6, 0, 0x3f, 0, 64, 0);
    take(client);
    EJECT(client); /* twice */
    good(client);
    LOAD(client);
    good(client);
    READY(client);
    good(client);
    /* Others are told that it may be another one. */
    READY(other);
    client_expect_sense(other, SCSI_UNIT_ATTENTION, SCSI_ASC_MEDIUM_CHANGED);
    READY(other);
    good(other);
    LOAD(client); /* it is in already: nothing changes */
    good(client);
    READY(other);
    good(other);
}

static void kept_in(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = with_removable(fixture);
    struct client *other = with_other(fixture);

    PREVENT(client);
    good(client);
    EJECT(client);
    illegal(client, SCSI_ASC_REMOVAL_PREVENTED);
    EJECT(other);
    illegal(other, SCSI_ASC_REMOVAL_PREVENTED);
    PREVENT(other);
    good(other);
    ALLOW(client);
    good(client);
    EJECT(client); /* the other one still keeps it */
    illegal(client, SCSI_ASC_REMOVAL_PREVENTED);
    client_close(other); /* until it is gone */
    EJECT(client);
    good(client);
    SEND(client, 0, SCSI_PREVENT_ALLOW, 0, 0, 0, 2, 0);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
}

static void allowed_by_a_reset(void **state)
{
    struct client *client = with_removable(*state);

    client->acknowledge = true;
    PREVENT(client);
    good(client);
    client_manage(client, TASK_LUN_RESET, PDU_RESERVED_TAG, 0);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    READY(client);
    client_expect_sense(client, SCSI_UNIT_ATTENTION, SCSI_ASC_RESET_BY_FUNCTION);
    EJECT(client);
    good(client);
}

/* Power conditions and stopping leave a disk without a motor as it is. */
static void power(void **state)
{
    struct client *client = with_removable(*state);

    for (unsigned condition = 1; condition < 16; condition++) {
        SEND(client, 0, SCSI_START_STOP_UNIT, 0, 0, 0, (uint8_t)(condition << 4 | 2), 0);
        good(client);
        READY(client);
        good(client);
    }
    SEND(client, 0, SCSI_START_STOP_UNIT, 0, 0, 0, 0, 0);
    good(client);
    READY(client);
    good(client);
}

static void fixed_disks_cannot_be_ejected(void **state)
{
    struct client *client = log_in(*state);

    EJECT(client);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    READY(client);
    good(client);
    SEND(client, 36, SCSI_INQUIRY, 0, 0, 0, 36, 0);
    take(client);
    assert_int_equal(client->data[1], 0);
}

static unsigned flushes;

static void count_flushes(void *context, enum target_disk_change change, uint64_t offset,
                          uint64_t length, const void *data)
{
    (void)context;
    (void)offset;
    (void)length;
    (void)data;
    flushes += change == TARGET_DISK_FLUSHED;
}

static void stopping_makes_last(void **state)
{
    struct target_disk *disk = new_disk();
    struct client *client;

    target_disk_on_change(disk, count_flushes, NULL);
    client = log_in_to(*state, disk);
    flushes = 0;
    SEND(client, 0, SCSI_START_STOP_UNIT, 0, 0, 0, 0, 0);
    good(client);
    assert_int_equal(flushes, 1);
    SEND(client, 0, SCSI_START_STOP_UNIT, 0, 0, 0, 4, 0); /* NO_FLUSH */
    good(client);
    SEND(client, 0, SCSI_START_STOP_UNIT, 0, 0, 0, 1, 0);
    good(client);
    assert_int_equal(flushes, 1);
}

static void physical_blocks(void **state)
{
    struct target_disk *disk = new_disk();
    struct client *client;

    assert_int_equal(target_disk_set_physical(disk, 256), STATUS_INVALID_PARAMETER);
    assert_int_equal(target_disk_set_physical(disk, 3000), STATUS_INVALID_PARAMETER);
    assert_int_equal(target_disk_set_physical(disk, 512), STATUS_OK);
    assert_int_equal(target_disk_set_physical(disk, 4096), STATUS_OK);
    client = log_in_to(*state, disk);
    SEND(client, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    take(client);
    assert_int_equal(client->data[13], 3);
    SEND(client, 255, SCSI_INQUIRY, 1, 0xb0, 0, 255, 0);
    take(client);
    assert_int_equal(get_be16(client->data + 6), 8);
}

static void defects(void **state)
{
    struct client *client = log_in(*state);

    SEND(client, 64, SCSI_READ_DEFECT_DATA_10, 0, 0x1d, 0, 0, 0, 0, 0, 64, 0);
    assert_int_equal(take(client), 4);
    assert_memory_equal(client->data, "\x00\x1d\x00\x00", 4);
    SEND(client, 64, SCSI_READ_DEFECT_DATA_12, 0x1d, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0);
    assert_int_equal(take(client), 8);
    assert_memory_equal(client->data, "\x00\x1d\x00\x00\x00\x00\x00\x00", 8);
}

static void log_select(void **state)
{
    struct client *client = log_in(*state);
    uint8_t page[8] = {0x2f, 0, 0, 4};

    SEND(client, 0, SCSI_LOG_SELECT, 2, 0, 0, 0, 0, 0, 0, 0, 0); /* PCR: all counts to zero */
    good(client);
    SEND(client, 0, SCSI_LOG_SELECT, 1, 0, 0, 0, 0, 0, 0, 0, 0); /* SP */
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND(client, 0, SCSI_LOG_SELECT, 0, 0x11, 0, 0, 0, 0, 0, 0, 0);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
    SEND_DATA(client, page, 8, SCSI_LOG_SELECT, 0, 0, 0, 0, 0, 0, 0, 8, 0);
    illegal(client, SCSI_ASC_INVALID_FIELD_IN_CDB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(ejected),
        T(kept_in),
        T(allowed_by_a_reset),
        T(power),
        T(fixed_disks_cannot_be_ejected),
        T(stopping_makes_last),
        T(physical_blocks),
        T(defects),
        T(log_select),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
