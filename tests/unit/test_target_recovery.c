/* Error recovery level 1 on the target's side: SNACK, recovery R2Ts, kept statuses (RFC 7143, 7,
 * 11.16). */
#include "target_fixture.h"

#define LEVEL_1 NORMAL "ErrorRecoveryLevel=1\n"
#define SMALL   "MaxRecvDataSegmentLength=512\nMaxBurstLength=1024\n"
#define ASKED   "InitialR2T=Yes\nImmediateData=No\n"
#define CHECKED "HeaderDigest=CRC32C\nDataDigest=CRC32C\n"

static void log_in(struct fixture *fixture, const char *keys)
{
    target_entity_settings(fixture->entity)->offers.error_recovery_level = 2;
    client_login(&fixture->client, keys);
    client_expect_key(&fixture->client, "ErrorRecoveryLevel", "1");
}

/* --- Data-In --- */

/* Reads `blocks` and remembers the Data-In PDUs. */
static uint32_t read_blocks(struct client *client, uint32_t blocks, struct pdu *seen)
{
    struct scsi_cdb cdb;
    uint32_t count = 0;

    scsi_read(&cdb, 0, blocks);
    client_read_command(client, &cdb, blocks * 512);
    do {
        client_receive(client, PDU_DATA_IN);
        seen[count++] = client->pdu;
    } while (!client->pdu.data_in.status_present);
    return count;
}

static void expect_again(struct fixture *fixture, const struct pdu *seen)
{
    struct client *client = &fixture->client;

    client_receive(client, PDU_DATA_IN);
    assert_int_equal(client->pdu.itt, seen->itt);
    assert_int_equal(client->pdu.final, seen->final);
    assert_int_equal(client->pdu.lun, seen->lun);
    assert_int_equal(client->pdu.data_in.ttt, seen->data_in.ttt);
    assert_int_equal(client->pdu.data_in.data_sn, seen->data_in.data_sn);
    assert_int_equal(client->pdu.data_in.offset, seen->data_in.offset);
    assert_int_equal(client->pdu.data_in.acknowledge, seen->data_in.acknowledge);
    assert_int_equal(client->pdu.data_in.status_present, seen->data_in.status_present);
    assert_int_equal(client->pdu.data_in.sn.stat_sn, seen->data_in.sn.stat_sn);
    assert_int_equal(client->pdu.data_in.residual, seen->data_in.residual);
    assert_memory_equal(client->data, fixture->expected + seen->data_in.offset,
                        client->pdu.data_length);
}

static void data_again(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu seen[16];

    log_in(fixture, LEVEL_1 SMALL);
    assert_int_equal(read_blocks(client, 10, seen), 10);
    client_snack(client, SNACK_DATA_R2T, client->itt, PDU_RESERVED_TAG, 3, 2);
    expect_again(fixture, &seen[3]);
    expect_again(fixture, &seen[4]);
    client_expect_silence(client);
    client_snack(client, SNACK_DATA_R2T, client->itt, PDU_RESERVED_TAG, 8, 0); /* and all behind */
    expect_again(fixture, &seen[8]);
    expect_again(fixture, &seen[9]);
    client_snack(client, SNACK_DATA_R2T, client->itt, PDU_RESERVED_TAG, 0, 0); /* everything */
    for (unsigned i = 0; i < 10; i++)
        expect_again(fixture, &seen[i]);
    client_expect_silence(client);
}

static void data_again_in_other_order(void **state)
{
    struct fixture *fixture = *state;
    struct target_settings *settings = target_entity_settings(fixture->entity);
    struct pdu seen[16];

    settings->offers.data_pdu_in_order = settings->offers.data_sequence_in_order = false;
    settings->sequence_order = settings->pdu_order = TARGET_ORDER_SHUFFLED;
    settings->seed = 3;
    log_in(fixture, LEVEL_1 SMALL "DataPDUInOrder=No\nDataSequenceInOrder=No\n");
    assert_int_equal(read_blocks(&fixture->client, 9, seen), 9);
    client_snack(&fixture->client, SNACK_DATA_R2T, fixture->client.itt, PDU_RESERVED_TAG, 1, 7);
    for (unsigned i = 1; i < 8; i++)
        expect_again(fixture, &seen[i]);
}

/* What was never sent, or acknowledged, or is nobody's: protocol errors. */
static void wrong_runs(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu seen[16];
    static const uint32_t runs[][2] = {{10, 1}, {9, 2}, {0xffffffff, 1}, {5, 0xffffffff}, {11, 0}};

    log_in(fixture, LEVEL_1 SMALL);
    read_blocks(client, 10, seen);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        client_snack(client, SNACK_DATA_R2T, client->itt, PDU_RESERVED_TAG, runs[i][0], runs[i][1]);
        client_expect_reject(client, REJECT_PROTOCOL_ERROR);
    }
    client_snack(client, SNACK_DATA_R2T, 0xbad, PDU_RESERVED_TAG, 0, 0);
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
    client_snack(client, 9, client->itt, PDU_RESERVED_TAG, 0, 0);
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
}

static void data_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu seen[16];

    log_in(fixture, LEVEL_1 SMALL);
    read_blocks(client, 10, seen);
    for (unsigned i = 0; i < 10; i++) { /* at the end of each burst */
        assert_int_equal(seen[i].data_in.acknowledge, i % 2 == 1);
        assert_int_equal(seen[i].data_in.ttt == PDU_RESERVED_TAG, i % 2 == 0);
    }
    client_snack(client, SNACK_DATA_ACK, PDU_RESERVED_TAG, seen[1].data_in.ttt, 4, 0);
    client_expect_silence(client);
    client_snack(client, SNACK_DATA_R2T, client->itt, PDU_RESERVED_TAG, 3, 1);
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
    client_snack(client, SNACK_DATA_R2T, client->itt, PDU_RESERVED_TAG, 0, 0);
    for (unsigned i = 4; i < 10; i++)
        expect_again(fixture, &seen[i]);
    /* Backwards, too far, of nobody, and with a length. */
    client_snack(client, SNACK_DATA_ACK, PDU_RESERVED_TAG, seen[1].data_in.ttt, 3, 0);
    client_expect_reject(client, REJECT_INVALID_DATA_ACK);
    client_snack(client, SNACK_DATA_ACK, PDU_RESERVED_TAG, seen[1].data_in.ttt, 11, 0);
    client_expect_reject(client, REJECT_INVALID_DATA_ACK);
    client_snack(client, SNACK_DATA_ACK, PDU_RESERVED_TAG, seen[1].data_in.ttt + 99, 5, 0);
    client_expect_reject(client, REJECT_INVALID_DATA_ACK);
    client_snack(client, SNACK_DATA_ACK, PDU_RESERVED_TAG, seen[1].data_in.ttt, 5, 1);
    client_expect_reject(client, REJECT_INVALID_DATA_ACK);
    client_snack(client, SNACK_DATA_ACK, PDU_RESERVED_TAG, PDU_RESERVED_TAG, 5, 0);
    client_expect_reject(client, REJECT_INVALID_DATA_ACK);
}

static void acknowledgment_not_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct pdu seen[16];

    target_entity_settings(fixture->entity)->no_data_ack = true;
    log_in(fixture, LEVEL_1 SMALL);
    read_blocks(&fixture->client, 4, seen);
    for (unsigned i = 0; i < 4; i++)
        assert_false(seen[i].data_in.acknowledge);
}

/* At level 0 there is no A bit, and nothing to be sent again. */
static void nothing_of_this_at_level_0(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu seen[16];

    client_login(client, NORMAL SMALL "ErrorRecoveryLevel=2\n");
    client_expect_key(client, "ErrorRecoveryLevel", "0");
    read_blocks(client, 4, seen);
    for (unsigned i = 0; i < 4; i++)
        assert_false(seen[i].data_in.acknowledge);
    for (uint8_t type = SNACK_DATA_R2T; type <= SNACK_RDATA; type++) {
        client_snack(client, type, client->itt, 1, 0, 0);
        client_expect_reject(client, REJECT_SNACK);
    }
}

/* --- other segments --- */

static void declare(struct client *client, const char *form)
{
    struct pdu pdu = {
        .opcode = PDU_TEXT_REQUEST, .immediate = true, .final = true, .itt = ++client->itt};
    char text[128];
    size_t length = client_text(text, form);

    pdu.text_request.ttt = PDU_RESERVED_TAG;
    pdu.text_request.cmd_sn = client->cmd_sn;
    client_send(client, &pdu, text, length);
    client_receive(client, PDU_TEXT_RESPONSE);
}

static void data_in_other_segments(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu seen[16];
    uint32_t itt, stat_sn;

    log_in(fixture, LEVEL_1 SMALL);
    read_blocks(client, 4, seen);
    itt = client->itt;
    stat_sn = seen[3].data_in.sn.stat_sn;
    declare(client, "MaxRecvDataSegmentLength=1024\n");
    client_snack(client, SNACK_DATA_ACK, PDU_RESERVED_TAG, seen[1].data_in.ttt, 2, 0);
    client_snack(client, SNACK_RDATA, itt, 0x1234, 0, 0);
    client_receive(client, PDU_DATA_IN); /* what is left of 2,048 bytes, in one */
    assert_int_equal(client->pdu.data_length, 1024);
    assert_int_equal(client->pdu.data_in.offset, 1024);
    assert_int_equal(client->pdu.data_in.data_sn, 2); /* the numbers go on */
    assert_false(client->pdu.data_in.status_present);
    assert_memory_equal(client->data, fixture->expected + 1024, 1024);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.itt, itt);
    assert_int_equal(client->pdu.scsi_response.snack_tag, 0x1234);
    assert_int_equal(client->pdu.scsi_response.sn.stat_sn, stat_sn);
    assert_int_equal(client->pdu.scsi_response.exp_data_sn, 3);
    /* The status as it is now, not as it rode on the data. */
    client_snack(client, SNACK_STATUS, PDU_RESERVED_TAG, PDU_RESERVED_TAG, stat_sn, 1);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.scsi_response.snack_tag, 0x1234);
}

static void wrong_rdata(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu seen[16];

    log_in(fixture, LEVEL_1 SMALL ASKED);
    read_blocks(client, 4, seen);
    client_snack(client, SNACK_RDATA, client->itt, 0, 0, 0);
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
    client_snack(client, SNACK_RDATA, client->itt, PDU_RESERVED_TAG, 0, 0);
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
    client_snack(client, SNACK_RDATA, client->itt, 5, 1, 0);
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
    client_snack(client, SNACK_RDATA, 0xbad, 5, 0, 0);
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
    client_write_command(client, 0, 1); /* no data to send */
    client_receive(client, PDU_R2T);
    client_snack(client, SNACK_RDATA, client->itt, 5, 0, 0);
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
}

/* --- status --- */

static void status_again(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu nop = {.opcode = PDU_NOP_OUT, .immediate = true, .final = true, .itt = 900};
    struct scsi_cdb cdb;
    struct pdu seen[16];
    uint32_t first;

    log_in(fixture, LEVEL_1);
    first = client->pdu.login_response.sn.stat_sn + 1;
    scsi_test_unit_ready(&cdb);
    client_read_command(client, &cdb, 0);
    client_expect_scsi(client, SCSI_GOOD);
    scsi_read(&cdb, 9999, 1);
    client_read_command(client, &cdb, 512);
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
    nop.nop_out.ttt = PDU_RESERVED_TAG;
    nop.nop_out.cmd_sn = client->cmd_sn;
    client_send(client, &nop, "ping", 4);
    client_receive(client, PDU_NOP_IN);
    read_blocks(client, 1, seen);

    client_snack(client, SNACK_STATUS, PDU_RESERVED_TAG, PDU_RESERVED_TAG, first + 1, 2);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.scsi_response.sn.stat_sn, first + 1);
    assert_int_equal(client->pdu.scsi_response.status, SCSI_CHECK_CONDITION);
    assert_int_equal(client->pdu.data_length, 20);
    /* The window is that of today. */
    assert_int_equal(client->pdu.scsi_response.sn.exp_cmd_sn, client->cmd_sn);
    client_receive(client, PDU_NOP_IN);
    assert_int_equal(client->pdu.nop_in.sn.stat_sn, first + 2);
    assert_memory_equal(client->data, "ping", 4);
    client_snack(client, SNACK_STATUS, PDU_RESERVED_TAG, PDU_RESERVED_TAG, first + 3, 0);
    expect_again(fixture, &seen[0]);
    client_expect_silence(client);
    client_snack(client, SNACK_STATUS, PDU_RESERVED_TAG, PDU_RESERVED_TAG, 0, 0);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(client_try_receive(client));
    client_expect_silence(client);
}

static void status_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct scsi_cdb cdb;
    struct pdu seen[16];
    uint32_t stat_sn;

    log_in(fixture, LEVEL_1 SMALL);
    scsi_test_unit_ready(&cdb);
    client_read_command(client, &cdb, 0);
    client_expect_scsi(client, SCSI_GOOD);
    stat_sn = client->pdu.scsi_response.sn.stat_sn;
    read_blocks(client, 4, seen);
    client->exp_stat_sn = stat_sn + 1; /* the first, not the second */
    client_snack(client, SNACK_STATUS, PDU_RESERVED_TAG, PDU_RESERVED_TAG, stat_sn, 1);
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
    client_snack(client, SNACK_DATA_R2T, client->itt, PDU_RESERVED_TAG, 1, 1);
    expect_again(fixture, &seen[1]);
    client->exp_stat_sn = stat_sn + 2;
    client_snack(client, SNACK_DATA_R2T, client->itt, PDU_RESERVED_TAG, 1, 1);
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
    client_snack(client, SNACK_STATUS, PDU_RESERVED_TAG, PDU_RESERVED_TAG, stat_sn + 77, 1);
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
}

/* Somebody who acknowledges what was never sent acknowledges nothing. */
static void status_acknowledged_too_early(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu seen[16];

    log_in(fixture, LEVEL_1 SMALL);
    read_blocks(client, 2, seen);
    client->exp_stat_sn = seen[1].data_in.sn.stat_sn + 50;
    client_snack(client, SNACK_STATUS, PDU_RESERVED_TAG, PDU_RESERVED_TAG,
                 seen[1].data_in.sn.stat_sn, 1);
    expect_again(fixture, &seen[1]);
}

/* A tag may be used again before its first use is acknowledged. */
static void tag_used_again(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct pdu seen[16];

    log_in(fixture, LEVEL_1 SMALL);
    read_blocks(client, 2, seen);
    client->itt--;
    read_blocks(client, 4, seen);
    client_snack(client, SNACK_DATA_R2T, client->itt, PDU_RESERVED_TAG, 3, 1);
    assert_true(client_try_receive(client));
    if (client->pdu.opcode == PDU_DATA_IN)
        assert_int_equal(client->pdu.data_in.data_sn, 3);
}

/* An initiator that never acknowledges does not fill the memory. */
static void never_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct scsi_cdb cdb;
    uint32_t stat_sn;

    log_in(fixture, LEVEL_1);
    scsi_test_unit_ready(&cdb);
    for (int i = 0; i < 3000; i++) {
        client_read_command(client, &cdb, 0);
        client_expect_scsi(client, SCSI_GOOD);
    }
    stat_sn = client->pdu.scsi_response.sn.stat_sn;
    client_snack(client, SNACK_STATUS, PDU_RESERVED_TAG, PDU_RESERVED_TAG, stat_sn - 2999, 1);
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
    client_snack(client, SNACK_STATUS, PDU_RESERVED_TAG, PDU_RESERVED_TAG, stat_sn - 1000, 1);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.scsi_response.sn.stat_sn, stat_sn - 1000);
}

/* --- Data-Out --- */

static void send_piece(struct client *client, const struct pdu *r2t, const uint8_t *data,
                       uint32_t offset, uint32_t length, uint32_t data_sn, bool final, bool flip)
{
    struct pdu pdu = client_data_out(r2t->itt, r2t->r2t.ttt, offset, data_sn, final);

    client_send_flipped(client, &pdu, data + offset, length, flip);
}

static void expect_written(struct fixture *fixture, const uint8_t *data, uint32_t length,
                           uint32_t exp_data_sn)
{
    client_receive(&fixture->client, PDU_SCSI_RESPONSE);
    assert_int_equal(fixture->client.pdu.scsi_response.status, SCSI_GOOD);
    assert_int_equal(fixture->client.pdu.scsi_response.exp_data_sn, exp_data_sn);
    memcpy(fixture->expected, data, length);
    fixture_check_disk(fixture);
}

static void fill(uint8_t *data, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i * 13 + 5);
}

/* RFC 7143, 7.8: Reject, then a recovery R2T when the sequence has ended. */
static void wrong_data_digest(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[2048];
    struct pdu r2t;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_1 ASKED CHECKED);
    client_write_command(client, 0, 4);
    r2t = client_receive_r2t(client, 0, 0, 2048);
    send_piece(client, &r2t, data, 0, 512, 0, false, false);
    send_piece(client, &r2t, data, 512, 512, 1, false, true);
    client_expect_reject(client, REJECT_DATA_DIGEST);
    assert_int_equal(get_be32(client->data + 40), 512); /* the header that it was */
    client_expect_silence(client);
    send_piece(client, &r2t, data, 1024, 1024, 2, true, false);
    r2t = client_receive_r2t(client, 1, 512, 512);
    send_piece(client, &r2t, data, 512, 512, 0, true, false);
    expect_written(fixture, data, 2048, 2);
}

/* The last PDU of a sequence, and again when it is asked for. */
static void wrong_data_digest_again(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[1024];
    struct pdu r2t;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_1 ASKED CHECKED);
    client_write_command(client, 0, 2);
    r2t = client_receive_r2t(client, 0, 0, 1024);
    for (uint32_t i = 0; i < 3; i++) {
        send_piece(client, &r2t, data, 0, 1024, 0, true, true);
        client_expect_reject(client, REJECT_DATA_DIGEST);
        r2t = client_receive_r2t(client, i + 1, 0, 1024);
    }
    send_piece(client, &r2t, data, 0, 1024, 0, true, false);
    expect_written(fixture, data, 1024, 4);
}

/* Data that always come broken: the command ends. */
static void wrong_data_digest_for_ever(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[512];
    unsigned rounds = 0;
    struct pdu r2t;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_1 ASKED CHECKED);
    client_write_command(client, 0, 1);
    client_receive(client, PDU_R2T);
    while (client->pdu.opcode == PDU_R2T) {
        r2t = client->pdu;
        assert_in_range(++rounds, 1, 100);
        send_piece(client, &r2t, data, 0, 512, 0, true, true);
        client_expect_reject(client, REJECT_DATA_DIGEST);
        assert_true(client_try_receive(client));
    }
    assert_int_equal(client->pdu.scsi_response.status, SCSI_CHECK_CONDITION);
    assert_int_equal(get_be16(client->data + 2 + 12), 0x4705);
    fixture_check_disk(fixture);
}

/* RFC 7143, 7.9: a DataSN is left out. */
static void data_left_out(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[4096];
    struct pdu r2t;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_1 ASKED);
    client_write_command(client, 0, 8);
    r2t = client_receive_r2t(client, 0, 0, 4096);
    send_piece(client, &r2t, data, 512, 512, 1, false, false);
    send_piece(client, &r2t, data, 1536, 512, 3, false, false);
    send_piece(client, &r2t, data, 3584, 512, 7, true, false);
    r2t = client_receive_r2t(client, 1, 0, 512); /* one gap after the other */
    send_piece(client, &r2t, data, 0, 512, 0, true, false);
    r2t = client_receive_r2t(client, 2, 1024, 512);
    send_piece(client, &r2t, data, 1024, 512, 0, true, false);
    r2t = client_receive_r2t(client, 3, 2048, 1536);
    send_piece(client, &r2t, data, 2048, 1536, 0, true, false);
    expect_written(fixture, data, 4096, 4);
}

/* What came already is not taken again: a broken repetition spoils nothing. */
static void broken_repetition(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[1024], wrong[1024];
    struct pdu r2t;

    fill(data, sizeof data);
    memset(wrong, 0, sizeof wrong);
    log_in(fixture, LEVEL_1 ASKED CHECKED);
    client_write_command(client, 0, 2);
    r2t = client_receive_r2t(client, 0, 0, 1024);
    send_piece(client, &r2t, data, 0, 512, 0, false, false);
    send_piece(client, &r2t, wrong, 0, 512, 0, false, true);
    client_expect_reject(client, REJECT_DATA_DIGEST);
    send_piece(client, &r2t, data, 512, 512, 1, true, false);
    expect_written(fixture, data, 1024, 1);
}

static void unsolicited_data_lost(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[4096];
    struct scsi_cdb cdb;
    struct pdu pdu, r2t;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_1 CHECKED "InitialR2T=No\nImmediateData=Yes\nFirstBurstLength=2048\n"
                                    "MaxBurstLength=2048\nMaxOutstandingR2T=1\n");
    scsi_write(&cdb, 0, 8, false);
    pdu = client_command(client, &cdb, 0, 4096);
    pdu.final = false;
    client_send(client, &pdu, data, 512);
    pdu = client_data_out(client->itt, PDU_RESERVED_TAG, 512, 0, false);
    client_send_flipped(client, &pdu, data + 512, 512, true);
    client_expect_reject(client, REJECT_DATA_DIGEST);
    pdu = client_data_out(client->itt, PDU_RESERVED_TAG, 1024, 1, true);
    client_send(client, &pdu, data + 1024, 1024);
    r2t = client_receive_r2t(client, 0, 512, 512);
    send_piece(client, &r2t, data, 512, 512, 0, true, false);
    r2t = client_receive_r2t(client, 1, 2048, 2048);
    send_piece(client, &r2t, data, 2048, 2048, 0, true, false);
    expect_written(fixture, data, 4096, 2);
}

/* A command whose immediate data are broken was not taken: its CmdSN is still due. */
static void immediate_data_lost(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[512];
    struct scsi_cdb cdb;
    struct pdu pdu;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_1 CHECKED);
    scsi_write(&cdb, 0, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    client_send_flipped(client, &pdu, data, 512, true);
    client_expect_reject(client, REJECT_DATA_DIGEST);
    assert_int_equal(client->pdu.reject.sn.exp_cmd_sn, pdu.scsi_command.cmd_sn);
    client_send(client, &pdu, data, 512);
    expect_written(fixture, data, 512, 0);
}

static void data_are_late(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[2048];
    struct pdu r2t, late;

    fill(data, sizeof data);
    target_entity_settings(fixture->entity)->recovery_timeout = 1000;
    log_in(fixture, LEVEL_1 ASKED "MaxBurstLength=1024\nMaxOutstandingR2T=2\n");
    client_write_command(client, 0, 4);
    r2t = client_receive_r2t(client, 0, 0, 1024);
    late = client_receive_r2t(client, 1, 1024, 1024);
    send_piece(client, &r2t, data, 0, 512, 0, false, false);
    assert_int_equal(target_connection_due(client->connection), 1000);
    target_connection_tick(client->connection, 999);
    client_expect_silence(client);
    client->now = 1000;
    target_connection_tick(client->connection, 1000);
    r2t = client_receive_r2t(client, 2, 512, 512);
    send_piece(client, &late, data, 1024, 1024, 0, true, false); /* too late: it has no tag now */
    late = client_receive_r2t(client, 3, 1024, 1024);
    send_piece(client, &late, data, 1024, 1024, 0, true, false);
    send_piece(client, &r2t, data, 512, 512, 0, true, false);
    expect_written(fixture, data, 2048, 4);
    assert_int_equal(target_connection_due(client->connection), 2000);
    target_connection_tick(client->connection, 2000);
    client_expect_silence(client);
    assert_true(target_connection_due(client->connection) > 1u << 30);
}

/* --- R2T --- */

static void r2t_again(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[3072];
    struct pdu r2ts[3];
    uint32_t itt;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_1 ASKED "MaxBurstLength=1024\nMaxOutstandingR2T=3\n");
    client_write_command(client, 0, 6);
    itt = client->itt;
    for (uint32_t i = 0; i < 3; i++)
        r2ts[i] = client_receive_r2t(client, i, 1024 * i, 1024);
    client_snack(client, SNACK_DATA_R2T, itt, PDU_RESERVED_TAG, 1, 1);
    client_receive_r2t(client, 1, 1024, 1024);
    assert_int_equal(client->pdu.r2t.ttt, r2ts[1].r2t.ttt);
    client_answer_r2t(client, &r2ts[0], data, 512);
    client_snack(client, SNACK_DATA_R2T, itt, PDU_RESERVED_TAG, 0, 1); /* it was answered */
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
    client_snack(client, SNACK_DATA_R2T, itt, PDU_RESERVED_TAG, 0, 0); /* what is open */
    client_receive_r2t(client, 1, 1024, 1024);
    client_receive_r2t(client, 2, 2048, 1024);
    client_expect_silence(client);
    client_snack(client, SNACK_DATA_R2T, itt, PDU_RESERVED_TAG, 3, 1); /* there is none */
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
    client_answer_r2t(client, &r2ts[1], data, 512);
    client_answer_r2t(client, &r2ts[2], data, 512);
    expect_written(fixture, data, 3072, 3);
}

/* SNACK within a command that goes both ways: one numbering. */
static void both_ways_again(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    static const struct scsi_cdb cdb = {{SCSI_XDWRITEREAD_10, 0, 0, 0, 0, 0, 0, 0, 2}, 10};
    uint8_t data[1024], length[5] = {0};
    struct pdu pdu, r2t;
    uint32_t itt;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_1 ASKED SMALL);
    pdu = client_command(client, &cdb, 0, 1024);
    itt = pdu.itt;
    pdu.scsi_command.read = true;
    put_be32(length + 1, 1024);
    client->ahs_length =
        ahs_append(client->ahs, sizeof client->ahs, 0, AHS_BIDI_READ_LENGTH, length, 5);
    client_send(client, &pdu, NULL, 0);
    r2t = client_receive_r2t(client, 0, 0, 1024);
    client_answer_r2t(client, &r2t, data, 1024);
    client_receive(client, PDU_DATA_IN);
    client_receive(client, PDU_DATA_IN);
    client_expect_scsi(client, SCSI_GOOD);
    client_snack(client, SNACK_DATA_R2T, itt, PDU_RESERVED_TAG, 2, 1);
    client_receive(client, PDU_DATA_IN);
    assert_int_equal(client->pdu.data_in.data_sn, 2);
    assert_int_equal(client->pdu.data_in.offset, 512);
    client_snack(client, SNACK_DATA_R2T, itt, PDU_RESERVED_TAG, 0, 3); /* the R2T was answered */
    client_expect_reject(client, REJECT_PROTOCOL_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(data_again),
        T(data_again_in_other_order),
        T(wrong_runs),
        T(data_acknowledged),
        T(acknowledgment_not_asked_for),
        T(nothing_of_this_at_level_0),
        T(data_in_other_segments),
        T(wrong_rdata),
        T(status_again),
        T(status_acknowledged),
        T(status_acknowledged_too_early),
        T(tag_used_again),
        T(never_acknowledged),
        T(wrong_data_digest),
        T(wrong_data_digest_again),
        T(wrong_data_digest_for_ever),
        T(data_left_out),
        T(broken_repetition),
        T(unsolicited_data_lost),
        T(immediate_data_lost),
        T(data_are_late),
        T(r2t_again),
        T(both_ways_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
