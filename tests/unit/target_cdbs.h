/* Commands as bytes, and what came of them. */
#ifndef TARGET_CDBS_H
#define TARGET_CDBS_H

#include "target_fixture.h"

static inline struct client *log_in(struct fixture *fixture)
{
    client_login(&fixture->client, NORMAL);
    return &fixture->client;
}

/* Sends a command of those bytes, and data with it. */
static inline void send_cdb(struct client *client, const uint8_t *cdb, size_t length, uint32_t in,
                            const void *out, uint32_t out_length)
{
    struct scsi_cdb command = {{0}, (uint8_t)length};
    struct pdu pdu;

    memcpy(command.bytes, cdb, length);
    pdu = client_command(client, &command, in, out_length);
    client_send(client, &pdu, out, out_length);
}

#define SEND(client, in, ...)                                                                      \
    send_cdb(client, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), in,   \
             NULL, 0)
#define SEND_DATA(client, out, out_length, ...)                                                    \
    send_cdb(client, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), 0,    \
             out, out_length)

static inline uint32_t take(struct client *client)
{
    client_receive(client, PDU_DATA_IN);
    assert_true(client->pdu.data_in.status_present);
    assert_int_equal(client->pdu.data_in.status, SCSI_GOOD);
    return client->pdu.data_length;
}

static inline void good(struct client *client)
{
    client_expect_scsi(client, SCSI_GOOD);
}

static inline void illegal(struct client *client, uint16_t asc)
{
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, asc);
}

#endif
