/* Reservations that are moved to another port, and those that outlive the target (APTPL). */
#include "target_reserving.h"

#include "os/storage.h"

enum { UNREGISTER = 2, PERSIST = 1, SLOT = 65536 };

#define OTHER INITIATOR ",i,0x400000000002"

/* --- REGISTER AND MOVE --- */

static void send_move(struct client *client, uint64_t key, uint64_t other_key, uint8_t flags,
                      const char *port, uint16_t target_port)
{
    uint8_t list[24 + 4 + 300] = {0};
    uint8_t length = (uint8_t)((strlen(port) + 1 + 3) / 4 * 4);
    uint8_t all = (uint8_t)(24 + 4 + length);
    struct scsi_cdb cdb = {{SCSI_PERSISTENT_RESERVE_OUT, REGISTER_MOVE, WE, 0, 0, 0, 0, 0, all},
                           10};
    struct pdu pdu = client_command(client, &cdb, 0, all);

    put_be64(list, key);
    put_be64(list + 8, other_key);
    list[17] = flags;
    put_be16(list + 18, target_port);
    put_be32(list + 20, 4u + length);
    list[24] = 0x45;
    put_be16(list + 26, length);
    memcpy(list + 28, port, strlen(port));
    client_send(client, &pdu, list, all);
}

static void moved(void **state)
{
    (void)state;
    reserve_out(one, REGISTER, 0, 0, 0x11, SCSI_GOOD);
    reserve_out(one, RESERVE, WE, 0x11, 0, SCSI_GOOD);
    expect_write(two, SCSI_RESERVATION_CONFLICT);
    send_move(one, 0x11, 0x22, 0, OTHER, 1);
    client_expect_scsi(one, SCSI_GOOD);
    expect_reservation(0x22, WE);
    expect_write(two, SCSI_GOOD);
    expect_write(one, SCSI_RESERVATION_CONFLICT);
    assert_int_equal(reserve_in(one, 0), 8 + 16); /* both are registered */
    send_move(two, 0x22, 0x33, UNREGISTER, INITIATOR ",i,0x400000000000", 1); /* and back */
    client_expect_scsi(two, SCSI_GOOD);
    expect_reservation(0x33, WE);
    assert_int_equal(reserve_in(one, 0), 8 + 8);
    expect_write(one, SCSI_GOOD);
    expect_write(two, SCSI_RESERVATION_CONFLICT);
}

static void not_moved(void **state)
{
    static const struct {
        const char *port;
        uint64_t key;
        uint16_t target_port;
    } wrong[] = {
        {OTHER, 0, 1},                            /* no key */
        {OTHER, 0x22, 2},                         /* a port that we do not have */
        {INITIATOR ",i,0x400000000000", 0x22, 1}, /* ourselves */
        {INITIATOR, 0x22, 1},                     /* no ISID */
        {INITIATOR ",i,0x4000000000", 0x22, 1},   /* half of one */
        {INITIATOR ",i,0x40000000000g", 0x22, 1},
        {INITIATOR ",i,0x4000000000021", 0x22, 1},
        {"not a name,i,0x400000000002", 0x22, 1},
    };

    (void)state;
    send_move(one, 0, 0x22, 0, OTHER, 1);
    client_expect_scsi(one, SCSI_RESERVATION_CONFLICT); /* not registered */
    reserve_out(one, REGISTER, 0, 0, 0x11, SCSI_GOOD);
    send_move(one, 0x11, 0x22, 0, OTHER, 1);
    client_expect_scsi(one, SCSI_RESERVATION_CONFLICT); /* nothing to be moved */
    reserve_out(one, RESERVE, WE, 0x11, 0, SCSI_GOOD);
    send_move(one, 0x12, 0x22, 0, OTHER, 1);
    client_expect_scsi(one, SCSI_RESERVATION_CONFLICT); /* another key */
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        send_move(one, 0x11, wrong[i].key, 0, wrong[i].port, wrong[i].target_port);
        client_expect_sense(one, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_PARAMETER);
    }
    expect_reservation(0x11, WE);
    reserve_out(one, RELEASE, WE, 0x11, 0, SCSI_GOOD);
    reserve_out(one, RESERVE, WE_AR, 0x11, 0, SCSI_GOOD);
    send_move(one, 0x11, 0x22, 0, OTHER, 1);
    client_expect_scsi(one, SCSI_RESERVATION_CONFLICT); /* all hold it */
}

/* --- APTPL --- */

static char path[64];

static void persist_out(struct client *client, uint8_t action, uint8_t type, uint64_t key,
                        uint64_t action_key, uint8_t flags)
{
    struct scsi_cdb cdb = {{SCSI_PERSISTENT_RESERVE_OUT, action, type, 0, 0, 0, 0, 0, 24}, 10};
    uint8_t list[24] = {0};
    struct pdu pdu = client_command(client, &cdb, 0, 24);

    put_be64(list, key);
    put_be64(list + 8, action_key);
    list[20] = flags;
    client_send(client, &pdu, list, sizeof list);
    client_receive(client, PDU_SCSI_RESPONSE);
}

/* The target ends, and begins anew with the same file. */
static enum status start_again(struct fixture *fixture)
{
    struct target_disk *disk;
    enum status status;

    client_close(one);
    client_close(two);
    if (fixture->target != NULL)
        target_remove(fixture->target);
    fixture->target = NULL;
    assert_int_equal(target_disk_ram(DISK_BYTES, 512, &disk), STATUS_OK);
    status = target_disk_keep_reservations(disk, path);
    if (status != STATUS_OK) {
        target_disk_free(disk);
        return status;
    }
    assert_int_equal(target_add(fixture->entity, TARGET, &fixture->target), STATUS_OK);
    assert_int_equal(target_add_disk(fixture->target, 0, disk), STATUS_OK);
    client_open(one, fixture->entity, 1);
    client_login(one, NORMAL);
    client_open(two, fixture->entity, 1);
    two->isid[5] = 2;
    client_login(two, NORMAL);
    return STATUS_OK;
}

static void begin(void **state)
{
    snprintf(path, sizeof path, "reservations-%u", (unsigned)os_now());
    remove(path);
    assert_int_equal(start_again(*state), STATUS_OK);
}

static void outlives_the_target(void **state)
{
    begin(state);
    reserve_in(one, 2);
    assert_int_equal(one->data[2] & 1, 1); /* PTPL_C */
    assert_int_equal(one->data[3] & 1, 0);
    persist_out(one, REGISTER, 0, 0, 0x11, PERSIST);
    assert_int_equal(one->pdu.scsi_response.status, SCSI_GOOD);
    persist_out(two, REGISTER, 0, 0, 0x22, PERSIST);
    reserve_in(one, 2);
    assert_int_equal(one->data[3] & 1, 1); /* PTPL_A */
    persist_out(two, RESERVE, EA, 0x22, 0, 0);
    assert_int_equal(start_again(*state), STATUS_OK);
    expect_reservation(0x22, EA);
    expect_read(one, SCSI_RESERVATION_CONFLICT);
    expect_write(two, SCSI_GOOD);
    assert_int_equal(reserve_in(two, 0), 8 + 16);
    persist_out(two, RELEASE, EA, 0x22, 0, 0);
    assert_int_equal(start_again(*state), STATUS_OK);
    expect_reservation(0, 0);
    assert_int_equal(reserve_in(two, 0), 8 + 16);
    persist_out(one, CLEAR, 0, 0x11, 0, 0);
    assert_int_equal(start_again(*state), STATUS_OK);
    assert_int_equal(reserve_in(two, 0), 8);
    remove(path);
}

/* The last registration says whether they persist. */
static void no_longer(void **state)
{
    begin(state);
    persist_out(one, REGISTER, 0, 0, 0x11, PERSIST);
    persist_out(two, REGISTER, 0, 0, 0x22, 0);
    assert_int_equal(start_again(*state), STATUS_OK);
    assert_int_equal(reserve_in(two, 0), 8);
    persist_out(one, REGISTER, 0, 0, 0x11, 0); /* and again from the start */
    persist_out(one, REGISTER_IGNORE, 0, 0, 0x12, PERSIST);
    assert_int_equal(start_again(*state), STATUS_OK);
    assert_int_equal(reserve_in(two, 0), 16);
    assert_int_equal(get_be64(two->data + 8), 0x12);
    remove(path);
}

static void refused_without_a_file(void **state)
{
    (void)state;
    persist_out(one, REGISTER, 0, 0, 0x11, PERSIST);
    assert_int_equal(one->pdu.scsi_response.status, SCSI_CHECK_CONDITION);
    assert_int_equal(one->data[2 + 12], 0x26);
    reserve_in(one, 2);
    assert_int_equal(one->data[2] & 1, 0);
}

/* Bytes of a slot of the file become others. */
static void damage(uint64_t offset, size_t length)
{
    uint8_t bytes[512];
    struct os_storage *file;
    uint64_t size;

    assert_int_equal(os_storage_open(path, false, &file, &size), STATUS_OK);
    assert_true(os_storage_read(file, offset, bytes, length));
    for (size_t i = 0; i < length; i++)
        bytes[i] ^= 0xff;
    assert_true(os_storage_write(file, offset, bytes, length));
    os_storage_close(file);
}

/* A change that was broken off leaves what was before it. */
static void half_a_change(void **state)
{
    begin(state);
    persist_out(one, REGISTER, 0, 0, 0x11, PERSIST); /* change 1 */
    persist_out(one, RESERVE, WE, 0x11, 0, 0);       /* change 2, in the first slot */
    damage(30, 4);
    assert_int_equal(start_again(*state), STATUS_OK);
    expect_reservation(0, 0);
    assert_int_equal(reserve_in(two, 0), 16);
    persist_out(one, RESERVE, EA, 0x11, 0, 0); /* takes its place */
    assert_int_equal(start_again(*state), STATUS_OK);
    expect_reservation(0x11, EA);
    damage(0, 4);
    damage(SLOT, 4); /* nothing is whole: an empty file */
    assert_int_equal(start_again(*state), STATUS_OK);
    assert_int_equal(reserve_in(two, 0), 8);
    remove(path);
}

#define K(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        K(moved),
        K(not_moved),
        K(outlives_the_target),
        K(no_longer),
        K(refused_without_a_file),
        K(half_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
