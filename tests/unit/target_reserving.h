/* Two initiator ports that reserve a disk. */
#ifndef TARGET_RESERVING_H
#define TARGET_RESERVING_H

#include "target_fixture.h"

enum {
    REGISTER,
    RESERVE,
    RELEASE,
    CLEAR,
    PREEMPT,
    PREEMPT_AND_ABORT,
    REGISTER_IGNORE,
    REGISTER_MOVE
};
enum { WE = 1, EA = 3, WE_RO = 5, EA_RO = 6, WE_AR = 7, EA_AR = 8 };

static struct client *one, *two;

static inline int setup(void **state)
{
    struct fixture *fixture;

    fixture_setup(state);
    fixture = *state;
    one = &fixture->client;
    two = &fixture->other;
    client_login(one, NORMAL);
    client_open(two, fixture->entity, 1);
    two->isid[5] = 2;
    client_login(two, NORMAL);
    return 0;
}

static inline void command(struct client *client, uint8_t opcode, uint8_t byte1, uint8_t byte2)
{
    struct scsi_cdb cdb = {{opcode, byte1, byte2}, 6};

    client_read_command(client, &cdb, 0);
}

static inline void expect_read(struct client *client, uint8_t status)
{
    struct scsi_cdb cdb;

    scsi_read(&cdb, 0, 1);
    client_read_command(client, &cdb, 512);
    if (status == SCSI_GOOD)
        client_receive(client, PDU_DATA_IN);
    else
        client_expect_scsi(client, status);
}

static inline void expect_write(struct client *client, uint8_t status)
{
    static const uint8_t data[512];
    struct scsi_cdb cdb;
    struct pdu pdu;

    scsi_write(&cdb, 0, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    client_send(client, &pdu, data, 512);
    client_expect_scsi(client, status);
}

static inline void out_of(struct client *client, uint8_t action, uint8_t type, uint64_t key,
                          uint64_t action_key)
{
    struct scsi_cdb cdb = {{SCSI_PERSISTENT_RESERVE_OUT, action, type, 0, 0, 0, 0, 0, 24}, 10};
    uint8_t list[24] = {0};
    struct pdu pdu = client_command(client, &cdb, 0, 24);

    put_be64(list, key);
    put_be64(list + 8, action_key);
    client_send(client, &pdu, list, sizeof list);
}

static inline void reserve_out(struct client *client, uint8_t action, uint8_t type, uint64_t key,
                               uint64_t action_key, uint8_t status)
{
    out_of(client, action, type, key, action_key);
    client_expect_scsi(client, status);
}

static inline void attention(struct client *client, uint16_t asc)
{
    command(client, SCSI_TEST_UNIT_READY, 0, 0);
    client_expect_sense(client, SCSI_UNIT_ATTENTION, asc);
}

static inline void calm(struct client *client)
{
    command(client, SCSI_TEST_UNIT_READY, 0, 0);
    client_expect_scsi(client, SCSI_GOOD);
}

static inline uint32_t reserve_in(struct client *client, uint8_t action)
{
    struct scsi_cdb cdb = {{SCSI_PERSISTENT_RESERVE_IN, action, 0, 0, 0, 0, 0, 4, 0}, 10};

    client_read_command(client, &cdb, 1024);
    client_receive(client, PDU_DATA_IN);
    return client->pdu.data_length;
}

static inline void expect_reservation(uint64_t key, uint8_t type)
{
    assert_int_equal(reserve_in(one, 1), key == 0 && type == 0 ? 8 : 24);
    if (type == 0)
        return;
    assert_int_equal(get_be64(one->data + 8), key);
    assert_int_equal(one->data[21], type);
}

#endif
