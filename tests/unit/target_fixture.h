/* One target with one RAM disk, and two initiators by hand. */
#ifndef TARGET_FIXTURE_H
#define TARGET_FIXTURE_H

#include "target_client.h"

#define DISK_BYTES 65536u

struct fixture {
    struct target_entity *entity;
    struct target *target;
    struct client client;
    struct client other;
    uint8_t expected[DISK_BYTES]; /* what the disk holds */
};

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->entity = target_entity_new(&os_crypto);
    fixture->target = client_target(fixture->entity, TARGET, DISK_BYTES);
    for (unsigned i = 0; i < DISK_BYTES; i++)
        fixture->expected[i] = (uint8_t)(i ^ i >> 8);
    client_open(&fixture->client, fixture->entity, 1);
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    client_close(&fixture->client);
    client_close(&fixture->other);
    target_entity_free(fixture->entity);
    free(fixture);
    return 0;
}

/* A second connection of the client's session, with that CID. */
static inline void fixture_join(struct fixture *fixture, uint16_t cid, const char *keys)
{
    struct client *other = &fixture->other;

    client_close(other);
    client_open(other, fixture->entity, 1);
    other->now = fixture->client.now;
    other->tsih = fixture->client.tsih;
    other->cid = cid;
    other->cmd_sn = fixture->client.cmd_sn;
    other->itt = fixture->client.itt + 1000;
    other->acknowledge = fixture->client.acknowledge;
    client_login(other, keys);
}

/* The disk holds what is expected, read through a session of its own. */
static inline void fixture_check_disk(struct fixture *fixture)
{
    static const uint8_t isid[PDU_ISID_LENGTH] = {0x40, 0xee};
    struct client reader;
    uint8_t data[DISK_BYTES];
    struct scsi_cdb cdb;
    uint32_t length = 0;

    client_open(&reader, fixture->entity, 1);
    memcpy(reader.isid, isid, sizeof isid);
    client_login(&reader, NORMAL "ErrorRecoveryLevel=0\n");
    scsi_read(&cdb, 0, DISK_BYTES / 512);
    client_read_command(&reader, &cdb, DISK_BYTES);
    while (length < DISK_BYTES) {
        client_receive(&reader, PDU_DATA_IN);
        memcpy(data + reader.pdu.data_in.offset, reader.data, reader.pdu.data_length);
        length += reader.pdu.data_length;
    }
    client_close(&reader);
    assert_memory_equal(data, fixture->expected, DISK_BYTES);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

#endif
