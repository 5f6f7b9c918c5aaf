/* A scripted initiator for tests of the target: PDUs made and read by hand, no sockets. */
#ifndef TARGET_CLIENT_H
#define TARGET_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "os/crypto.h"
#include "os/memory.h"
#include "protocol/scsi.h"
#include "target/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INITIATOR "iqn.2026-11.org.example:initiator"
#define TARGET    "iqn.2026-11.org.example:disk"
#define NAMES     "InitiatorName=" INITIATOR "\n"
#define NORMAL    NAMES "TargetName=" TARGET "\nSessionType=Normal\n"
#define DISCOVERY NAMES "SessionType=Discovery\n"

struct client {
    struct target_connection *connection;
    struct framer framer; /* what the target sends */
    uint8_t *sent;        /* by the target, not read yet */
    size_t length;
    size_t read;
    size_t step; /* bytes fed at a time; 0: all */
    uint64_t now;
    uint32_t cmd_sn;
    uint32_t itt;
    uint16_t tsih;
    uint16_t cid;
    uint8_t isid[PDU_ISID_LENGTH];
    bool digests;
    bool acknowledge; /* ExpStatSN follows what was received; else it stays */
    uint32_t exp_stat_sn;
    uint8_t ahs[PDU_AHS_MAX]; /* of the next PDU */
    size_t ahs_length;
    unsigned woken;
    struct pdu pdu; /* the last one read */
    uint8_t *data;
};

static inline void client_woken(void *owner)
{
    ((struct client *)owner)->woken++;
}

static inline void client_open(struct client *client, struct target_entity *entity, uint16_t group)
{
    memset(client, 0, sizeof *client);
    client->cmd_sn = 100;
    client->itt = 1;
    client->cid = 1;
    client->isid[0] = 0x40;
    framer_init(&client->framer);
    client->framer.max_data_length = PDU_DATA_MAX;
    client->connection = target_connection_new(entity, group, client_woken, client, 0);
    assert_non_null(client->connection);
}

static inline void client_close(struct client *client)
{
    target_connection_free(client->connection);
    client->connection = NULL;
    free(client->sent);
    free(client->data);
    client->sent = client->data = NULL;
}

/* --- to the target --- */

static inline void client_feed(struct client *client, const uint8_t *bytes, size_t length)
{
    static uint8_t look_ahead[65536];
    struct iov pieces[8];

    while (length > 0) {
        size_t left = client->step > 0 && client->step < length ? client->step : length;
        size_t count;
        size_t fed = 0;

        target_connection_read_begin(client->connection, look_ahead, sizeof look_ahead);
        count = target_connection_read_pieces(client->connection, pieces, 8);
        for (size_t i = 0; i < count && left > 0; i++) {
            size_t now = pieces[i].length < left ? pieces[i].length : left;

            memcpy(pieces[i].base, bytes + fed, now);
            fed += now;
            left -= now;
        }
        target_connection_read(client->connection, fed, client->now);
        target_connection_read_end(client->connection);
        bytes += fed;
        length -= fed;
    }
}

/* Sends it; with `flip` the data segment's first byte is not what its digest says. */
static inline void client_send_flipped(struct client *client, struct pdu *pdu, const void *data,
                                       size_t length, bool flip)
{
    size_t room = PDU_BHS_LENGTH + client->ahs_length + 4 + length + 3 + 4;
    uint8_t *wire = calloc(1, room);
    struct iov piece = {(void *)(uintptr_t)data, length};
    struct frame_tail tail;
    size_t head = PDU_BHS_LENGTH + client->ahs_length;

    assert_non_null(wire);
    pdu->data_length = (uint32_t)length;
    pdu->ahs_length = (uint16_t)client->ahs_length;
    pdu_encode(pdu, wire);
    if (client->exp_stat_sn != 0)
        put_be32(wire + 28, client->exp_stat_sn);
    memcpy(wire + PDU_BHS_LENGTH, client->ahs, client->ahs_length);
    client->ahs_length = 0;
    if (client->digests) {
        frame_header_digest(wire, head);
        head += PDU_DIGEST_LENGTH;
    }
    if (length > 0)
        memcpy(wire + head, data, length);
    frame_tail(&tail, &piece, 1, client->digests);
    memcpy(wire + head + length, tail.bytes, tail.length);
    if (flip)
        wire[head] ^= 1;
    client_feed(client, wire, head + length + tail.length);
    free(wire);
}

static inline void client_send(struct client *client, struct pdu *pdu, const void *data,
                               size_t length)
{
    client_send_flipped(client, pdu, data, length, false);
}

/* Newlines stand for NULs. */
static inline size_t client_text(char *out, const char *form)
{
    size_t length = strlen(form);

    for (size_t i = 0; i < length; i++)
        out[i] = (char)(form[i] == '\n' ? '\0' : form[i]);
    return length;
}

/* --- from the target --- */

static inline void client_drain(struct client *client)
{
    struct iov pieces[8];
    size_t count;

    while ((count = target_connection_write_pieces(client->connection, pieces, 8, client->now)) >
           0) {
        size_t total = 0;

        for (size_t i = 0; i < count; i++) {
            client->sent = realloc(client->sent, client->length + pieces[i].length);
            assert_non_null(client->sent);
            memcpy(client->sent + client->length, pieces[i].base, pieces[i].length);
            client->length += pieces[i].length;
            total += pieces[i].length;
        }
        target_connection_written(client->connection, total);
    }
}

/* What took a StatSN is acknowledged by the next PDU, when the client does that. */
static inline void client_note_status(struct client *client)
{
    const struct pdu *pdu = &client->pdu;
    bool numbered = pdu->opcode != PDU_R2T;

    if (pdu->opcode == PDU_DATA_IN)
        numbered = pdu->data_in.status_present;
    if (pdu->opcode == PDU_NOP_IN)
        numbered = pdu->itt != PDU_RESERVED_TAG;
    if (client->acknowledge && numbered)
        client->exp_stat_sn = get_be32(client->sent + client->read + 24) + 1;
}

/* False: nothing came. The digests are checked. */
static inline bool client_try_receive(struct client *client)
{
    size_t header = PDU_BHS_LENGTH + (client->digests ? PDU_DIGEST_LENGTH : 0);
    uint8_t *at;
    size_t length;
    size_t whole;

    client_drain(client);
    at = client->sent + client->read;
    if (client->length - client->read < PDU_BHS_LENGTH)
        return false;
    assert_int_equal(pdu_decode(&client->pdu, at), STATUS_OK);
    assert_int_equal(client->pdu.ahs_length, 0);
    length = client->pdu.data_length;
    whole = header + length + padding_of((uint32_t)length);
    if (client->digests) {
        uint8_t copy[PDU_BHS_LENGTH + 4];
        struct iov piece = {at + header, length};
        struct frame_tail tail;

        memcpy(copy, at, PDU_BHS_LENGTH);
        frame_header_digest(copy, PDU_BHS_LENGTH);
        assert_memory_equal(copy + PDU_BHS_LENGTH, at + PDU_BHS_LENGTH, 4);
        frame_tail(&tail, &piece, 1, true);
        assert_memory_equal(tail.bytes, at + header + length, tail.length);
        whole = header + length + tail.length;
    }
    assert_true(client->length - client->read >= whole);
    client->data = realloc(client->data, length + 1);
    memcpy(client->data, at + header, length);
    client->data[length] = 0;
    client_note_status(client);
    client->read += whole;
    return true;
}

static inline void client_receive(struct client *client, uint8_t opcode)
{
    if (!client_try_receive(client))
        fail_msg("nothing came where %s was due", pdu_opcode_name(opcode));
    if (client->pdu.opcode != opcode)
        fail_msg("%s came where %s was due", pdu_opcode_name(client->pdu.opcode),
                 pdu_opcode_name(opcode));
}

static inline void client_expect_silence(struct client *client)
{
    if (client_try_receive(client))
        fail_msg("%s came where nothing was due", pdu_opcode_name(client->pdu.opcode));
}

static inline bool client_ended(struct client *client)
{
    client_drain(client);
    return target_connection_ending(client->connection) != TARGET_END_NONE;
}

/* The value of a key in the text that came, NULL when it is not there. */
static inline const char *client_key(const struct client *client, const char *key)
{
    size_t offset = 0;
    struct text_pair pair;

    while (text_next((const char *)client->data, client->pdu.data_length, &offset, &pair) == 1) {
        if (text_key_is(&pair, key))
            return pair.value;
    }
    return NULL;
}

static inline void client_expect_key(const struct client *client, const char *key,
                                     const char *value)
{
    const char *got = client_key(client, key);

    if (got == NULL || strcmp(got, value) != 0)
        fail_msg("%s=%s, expected %s", key, got != NULL ? got : "(nothing)", value);
}

/* --- logging in --- */

static inline struct pdu client_login_pdu(const struct client *client, uint8_t stage, uint8_t next)
{
    struct pdu pdu = {.opcode = PDU_LOGIN_REQUEST, .immediate = true, .itt = client->itt};

    pdu.login_request.transit = next != 0;
    pdu.login_request.current_stage = stage;
    pdu.login_request.next_stage = next;
    memcpy(pdu.login_request.isid, client->isid, PDU_ISID_LENGTH);
    pdu.login_request.tsih = client->tsih;
    pdu.login_request.cid = client->cid;
    pdu.login_request.cmd_sn = client->cmd_sn;
    return pdu;
}

/* `next` 0: without the T bit. */
static inline void client_login_send(struct client *client, uint8_t stage, uint8_t next,
                                     const char *form)
{
    char text[16384];
    size_t length = client_text(text, form);
    struct pdu pdu = client_login_pdu(client, stage, next);

    client_send(client, &pdu, text, length);
}

static inline void client_expect_status(struct client *client, unsigned status)
{
    unsigned got;

    client_receive(client, PDU_LOGIN_RESPONSE);
    got = (unsigned)client->pdu.login_response.status_class << 8 |
          client->pdu.login_response.status_detail;
    if (got != status)
        fail_msg("login status %04x, expected %04x", got, status);
    assert_int_equal(client->pdu.itt, client->itt);
    if (status != 0)
        assert_true(client_ended(client));
}

/* Everything in one request. */
static inline void client_login(struct client *client, const char *form)
{
    client_login_send(client, LOGIN_STAGE_OPERATIONAL, LOGIN_STAGE_FULL_FEATURE, form);
    client_expect_status(client, 0);
    assert_true(client->pdu.login_response.transit);
    assert_int_equal(client->pdu.login_response.next_stage, LOGIN_STAGE_FULL_FEATURE);
    assert_int_not_equal(client->pdu.login_response.tsih, 0);
    client->tsih = client->pdu.login_response.tsih;
    client->digests = target_connection_values(client->connection)->header_digest != DIGEST_NONE;
    assert_true(target_connection_full_feature(client->connection));
}

/* --- commands --- */

static inline struct pdu client_command(struct client *client, const struct scsi_cdb *cdb,
                                        uint32_t read, uint32_t write)
{
    struct pdu pdu = {.opcode = PDU_SCSI_COMMAND, .final = true, .itt = ++client->itt};

    pdu.scsi_command.read = read > 0;
    pdu.scsi_command.write = write > 0;
    pdu.scsi_command.attribute = TASK_ATTRIBUTE_SIMPLE;
    pdu.scsi_command.expected_length = read + write;
    pdu.scsi_command.cmd_sn = client->cmd_sn++;
    memcpy(pdu.scsi_command.cdb, cdb->bytes, sizeof cdb->bytes);
    return pdu;
}

static inline void client_read_command(struct client *client, const struct scsi_cdb *cdb,
                                       uint32_t expected)
{
    struct pdu pdu = client_command(client, cdb, expected, 0);

    client_send(client, &pdu, NULL, 0);
}

/* A Data-Out of the task `itt`; a `ttt` of PDU_RESERVED_TAG: unsolicited. */
static inline struct pdu client_data_out(uint32_t itt, uint32_t ttt, uint32_t offset,
                                         uint32_t data_sn, bool final)
{
    struct pdu pdu = {.opcode = PDU_DATA_OUT, .final = final, .itt = itt};

    pdu.data_out.ttt = ttt;
    pdu.data_out.offset = offset;
    pdu.data_out.data_sn = data_sn;
    return pdu;
}

/* Answers one R2T in pieces; `data` are those of the whole command. */
static inline void client_answer_r2t(struct client *client, const struct pdu *r2t,
                                     const uint8_t *data, uint32_t piece)
{
    uint32_t sent = 0;

    for (uint32_t data_sn = 0; sent < r2t->r2t.length; data_sn++) {
        uint32_t now = r2t->r2t.length - sent < piece ? r2t->r2t.length - sent : piece;
        struct pdu pdu = client_data_out(r2t->itt, r2t->r2t.ttt, r2t->r2t.offset + sent, data_sn,
                                         sent + now == r2t->r2t.length);

        client_send(client, &pdu, data + r2t->r2t.offset + sent, now);
        sent += now;
    }
}

/* A write without unsolicited data: R2Ts are due. */
static inline struct pdu client_write_command(struct client *client, uint64_t lba, uint32_t blocks)
{
    struct scsi_cdb cdb;
    struct pdu pdu;

    scsi_write(&cdb, lba, blocks, false);
    pdu = client_command(client, &cdb, 0, blocks * 512);
    client_send(client, &pdu, NULL, 0);
    return pdu;
}

static inline struct pdu client_receive_r2t(struct client *client, uint32_t r2t_sn, uint32_t offset,
                                            uint32_t length)
{
    client_receive(client, PDU_R2T);
    assert_int_equal(client->pdu.r2t.r2t_sn, r2t_sn);
    assert_int_equal(client->pdu.r2t.offset, offset);
    assert_int_equal(client->pdu.r2t.length, length);
    return client->pdu;
}

static inline void client_snack(struct client *client, uint8_t type, uint32_t itt, uint32_t ttt,
                                uint32_t begin, uint32_t length)
{
    struct pdu pdu = {.opcode = PDU_SNACK, .final = true, .itt = itt};

    pdu.snack.type = type;
    pdu.snack.ttt = ttt;
    pdu.snack.begin_run = begin;
    pdu.snack.run_length = length;
    client_send(client, &pdu, NULL, 0);
}

static inline void client_expect_reject(struct client *client, uint8_t reason)
{
    client_receive(client, PDU_REJECT);
    assert_int_equal(client->pdu.reject.reason, reason);
    assert_int_equal(client->pdu.data_length, PDU_BHS_LENGTH);
}

/* An immediate request, which takes no CmdSN. */
static inline struct pdu client_manage(struct client *client, uint8_t function, uint32_t itt,
                                       uint32_t exp_data_sn)
{
    struct pdu pdu = {
        .opcode = PDU_TASK_REQUEST, .immediate = true, .final = true, .itt = ++client->itt};

    pdu.task_request.function = function;
    pdu.task_request.referenced_itt = itt;
    pdu.task_request.cmd_sn = client->cmd_sn;
    pdu.task_request.exp_data_sn = exp_data_sn;
    client_send(client, &pdu, NULL, 0);
    return pdu;
}

static inline void client_expect_managed(struct client *client, uint8_t response)
{
    client_receive(client, PDU_TASK_RESPONSE);
    assert_int_equal(client->pdu.task_response.response, response);
}

/* An unnumbered sign of life that carries ExpStatSN. */
static inline void client_acknowledge(struct client *client)
{
    struct pdu pdu = {.opcode = PDU_NOP_OUT, .immediate = true, .final = true};

    pdu.itt = pdu.nop_out.ttt = PDU_RESERVED_TAG;
    pdu.nop_out.cmd_sn = client->cmd_sn;
    client_send(client, &pdu, NULL, 0);
}

static inline void client_log_out(struct client *client, uint8_t reason, uint16_t cid,
                                  uint8_t response)
{
    struct pdu pdu = {.opcode = PDU_LOGOUT_REQUEST, .immediate = true, .final = true, .itt = 55};

    pdu.logout_request.reason = reason;
    pdu.logout_request.cid = cid;
    pdu.logout_request.cmd_sn = client->cmd_sn;
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_LOGOUT_RESPONSE);
    assert_int_equal(client->pdu.itt, 55);
    assert_int_equal(client->pdu.logout_response.response, response);
}

/* The status without data. */
static inline void client_expect_scsi(struct client *client, uint8_t status)
{
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.itt, client->itt);
    assert_int_equal(client->pdu.scsi_response.response, SCSI_RESPONSE_COMPLETED);
    assert_int_equal(client->pdu.scsi_response.status, status);
}

static inline void client_expect_sense(struct client *client, uint8_t key, uint16_t asc)
{
    struct scsi_sense sense;

    client_expect_scsi(client, SCSI_CHECK_CONDITION);
    assert_true(client->pdu.data_length >= 20);
    assert_int_equal(get_be16(client->data), 18);
    scsi_sense_decode(&sense, client->data + 2, 18);
    assert_true(sense.valid);
    assert_int_equal(sense.key, key);
    assert_int_equal(sense.asc, asc);
}

/* --- the entity --- */

static inline struct target *client_target(struct target_entity *entity, const char *name,
                                           uint64_t bytes)
{
    struct target *target;
    struct target_disk *disk;

    assert_int_equal(target_add(entity, name, &target), STATUS_OK);
    if (bytes > 0) {
        assert_int_equal(target_disk_ram(bytes, 512, &disk), STATUS_OK);
        for (uint64_t i = 0; i < bytes; i++)
            target_disk_memory(disk)[i] = (uint8_t)(i ^ i >> 8);
        assert_int_equal(target_add_disk(target, 0, disk), STATUS_OK);
    }
    return target;
}

#endif
