/* Data in other orders, both ways at once, and commands that need additional header segments. */
#include "target_fixture.h"

/* --- orders --- */

struct order_seen {
    uint32_t offsets[64];
    unsigned count;
    unsigned finals;
};

/* Takes Data-In in any order; every byte must come once. */
static void take_any_order(struct client *client, uint8_t *data, uint32_t length,
                           struct order_seen *seen)
{
    uint32_t got = 0;

    memset(seen, 0, sizeof *seen);
    do {
        client_receive(client, PDU_DATA_IN);
        assert_int_equal(client->pdu.data_in.data_sn, seen->count);
        assert_true(client->pdu.data_in.offset + client->pdu.data_length <= length);
        memcpy(data + client->pdu.data_in.offset, client->data, client->pdu.data_length);
        got += client->pdu.data_length;
        seen->offsets[seen->count++] = client->pdu.data_in.offset;
        seen->finals += client->pdu.final;
    } while (!client->pdu.data_in.status_present);
    assert_int_equal(got, length);
    assert_true(client->pdu.final);
}

static void read_in_order(struct fixture *fixture, enum target_order sequences,
                          enum target_order pdus, const char *keys, struct order_seen *seen)
{
    struct target_settings *settings = target_entity_settings(fixture->entity);
    struct client *client = &fixture->client;
    uint8_t data[10240];
    struct scsi_cdb cdb;

    settings->offers.data_pdu_in_order = settings->offers.data_sequence_in_order = false;
    settings->sequence_order = sequences;
    settings->pdu_order = pdus;
    settings->seed = 4711;
    client_close(client);
    client_open(client, fixture->entity, 1);
    client_login(client, keys);
    scsi_read(&cdb, 4, 20);
    client_read_command(client, &cdb, sizeof data);
    memset(data, 0, sizeof data);
    take_any_order(client, data, sizeof data, seen);
    assert_memory_equal(data, fixture->expected + 4 * 512, sizeof data);
}

#define SMALL "MaxRecvDataSegmentLength=512\nMaxBurstLength=1536\n"

static void data_in_decreasing(void **state)
{
    struct fixture *fixture = *state;
    struct order_seen seen;

    read_in_order(fixture, TARGET_ORDER_DECREASING, TARGET_ORDER_DECREASING,
                  NORMAL SMALL "DataPDUInOrder=No\nDataSequenceInOrder=No\n", &seen);
    /* 10240 bytes: six bursts of 1536, and 1024 bytes which come first. */
    assert_int_equal(seen.count, 20);
    assert_int_equal(seen.finals, 7);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(seen.offsets[i], 10240 - 512 * (i + 1));
}

static void data_in_pdus_decreasing(void **state)
{
    struct fixture *fixture = *state;
    struct order_seen seen;

    read_in_order(fixture, TARGET_ORDER_DECREASING, TARGET_ORDER_DECREASING,
                  NORMAL SMALL "DataPDUInOrder=No\nDataSequenceInOrder=Yes\n", &seen);
    assert_int_equal(seen.offsets[0], 1024);
    assert_int_equal(seen.offsets[2], 0);
    assert_int_equal(seen.offsets[3], 2560);
    assert_int_equal(seen.offsets[19], 9216);
}

static void data_in_shuffled(void **state)
{
    struct fixture *fixture = *state;
    struct order_seen first, second;
    unsigned moved = 0;

    read_in_order(fixture, TARGET_ORDER_SHUFFLED, TARGET_ORDER_SHUFFLED,
                  NORMAL SMALL "DataPDUInOrder=No\nDataSequenceInOrder=No\n", &first);
    read_in_order(fixture, TARGET_ORDER_SHUFFLED, TARGET_ORDER_SHUFFLED,
                  NORMAL SMALL "DataPDUInOrder=No\nDataSequenceInOrder=No\n", &second);
    assert_memory_equal(&first, &second, sizeof first); /* the same seed */
    for (unsigned i = 0; i < first.count; i++)
        moved += first.offsets[i] != i * 512;
    assert_in_range(moved, 10, 20);
}

/* Where the initiator insists on order, the settings change nothing. */
static void data_in_ordered_when_agreed(void **state)
{
    struct fixture *fixture = *state;
    struct order_seen seen;

    read_in_order(fixture, TARGET_ORDER_SHUFFLED, TARGET_ORDER_DECREASING,
                  NORMAL SMALL "DataPDUInOrder=Yes\nDataSequenceInOrder=Yes\n", &seen);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(seen.offsets[i], 512 * i);
}

static void r2ts_in_other_order(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct target_settings *settings = target_entity_settings(fixture->entity);
    struct pdu r2ts[5];
    uint8_t data[5120];

    settings->offers.data_sequence_in_order = false;
    settings->sequence_order = TARGET_ORDER_DECREASING;
    memset(data, 0x42, sizeof data);
    client_login(client, NORMAL "InitialR2T=Yes\nMaxBurstLength=1024\nMaxOutstandingR2T=2\n"
                                "DataSequenceInOrder=No\n");
    client_write_command(client, 2, 10);
    for (uint32_t i = 0; i < 2; i++)
        r2ts[i] = client_receive_r2t(client, i, 4096 - 1024 * i, 1024);
    client_expect_silence(client);
    for (uint32_t i = 0; i < 5; i++) {
        client_answer_r2t(client, &r2ts[i], data, 300);
        if (i + 2 < 5)
            r2ts[i + 2] = client_receive_r2t(client, i + 2, 4096 - 1024 * (i + 2), 1024);
    }
    client_expect_scsi(client, SCSI_GOOD);
    assert_int_equal(client->pdu.scsi_response.exp_data_sn, 5);
    memcpy(fixture->expected + 2 * 512, data, sizeof data);
    fixture_check_disk(fixture);
}

/* Data-Out PDUs within a sequence backwards, where that was agreed. */
static void data_out_backwards(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[2048];
    struct pdu r2t, pdu;

    target_entity_settings(fixture->entity)->offers.data_pdu_in_order = false;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    client_login(client, NORMAL "InitialR2T=Yes\nMaxBurstLength=2048\nDataPDUInOrder=No\n");
    client_write_command(client, 0, 4);
    r2t = client_receive_r2t(client, 0, 0, 2048);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t offset = 512 * (3 - i);

        pdu = client_data_out(r2t.itt, r2t.r2t.ttt, offset, i, i == 3);
        client_send(client, &pdu, data + offset, 512);
    }
    client_expect_scsi(client, SCSI_GOOD);
    memcpy(fixture->expected, data, sizeof data);
    fixture_check_disk(fixture);
}

/* The same piece twice is not two pieces. */
static void data_out_twice(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    static const uint8_t data[1024];
    struct pdu r2t, pdu;

    target_entity_settings(fixture->entity)->offers.data_pdu_in_order = false;
    client_login(client, NORMAL "InitialR2T=Yes\nDataPDUInOrder=No\n");
    client_write_command(client, 0, 2);
    r2t = client_receive_r2t(client, 0, 0, 1024);
    pdu = client_data_out(r2t.itt, r2t.r2t.ttt, 0, 0, false);
    client_send(client, &pdu, data, 512);
    pdu = client_data_out(r2t.itt, r2t.r2t.ttt, 0, 1, true);
    client_send(client, &pdu, data, 512);
    client_expect_sense(client, SCSI_ABORTED_COMMAND, 0x0c0d);
    fixture_check_disk(fixture);
}

/* --- unsolicited data --- */

static void more_than_first_burst(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    static const uint8_t data[4096];
    struct scsi_cdb cdb;
    struct pdu pdu;

    client_login(client, NORMAL "InitialR2T=No\nFirstBurstLength=1024\n");
    scsi_write(&cdb, 0, 8, false);
    pdu = client_command(client, &cdb, 0, 4096);
    pdu.final = false;
    client_send(client, &pdu, data, 512);
    pdu = client_data_out(pdu.itt, PDU_RESERVED_TAG, 512, 0, true);
    client_send(client, &pdu, data + 512, 1024); /* 1,536 in all */
    client_expect_sense(client, SCSI_ABORTED_COMMAND, 0x0c0c);
    pdu = client_command(client, &cdb, 0, 4096);
    client_send(client, &pdu, data, 1028); /* immediate data alone */
    client_expect_sense(client, SCSI_ABORTED_COMMAND, 0x0c0c);
    fixture_check_disk(fixture);
}

/* Less unsolicited data than allowed: the rest is asked for. */
static void less_than_first_burst(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[4096];
    struct scsi_cdb cdb;
    struct pdu pdu, r2t;

    memset(data, 0x99, sizeof data);
    client_login(client, NORMAL "InitialR2T=No\nFirstBurstLength=2048\nMaxBurstLength=4096\n");
    scsi_write(&cdb, 0, 8, false);
    pdu = client_command(client, &cdb, 0, 4096);
    pdu.final = false;
    client_send(client, &pdu, data, 512);
    pdu = client_data_out(pdu.itt, PDU_RESERVED_TAG, 512, 0, true);
    client_send(client, &pdu, data + 512, 100);
    r2t = client_receive_r2t(client, 0, 612, 4096 - 612);
    client_answer_r2t(client, &r2t, data, 1000);
    client_expect_scsi(client, SCSI_GOOD);
    memcpy(fixture->expected, data, sizeof data);
    fixture_check_disk(fixture);
}

/* --- both ways --- */

static struct pdu exchange_command(struct client *client, uint32_t write, uint32_t read)
{
    static const struct scsi_cdb cdb = {{SCSI_XDWRITEREAD_10, 0, 0, 0, 0, 1, 0, 0, 4}, 10};
    struct pdu pdu = client_command(client, &cdb, 0, write);
    uint8_t length[5] = {0};

    pdu.scsi_command.read = true;
    put_be32(length + 1, read);
    client->ahs_length =
        ahs_append(client->ahs, sizeof client->ahs, 0, AHS_BIDI_READ_LENGTH, length, 5);
    return pdu;
}

static void both_ways(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint8_t data[2048], old[2048];
    uint32_t got = 0;
    struct pdu pdu, r2t;

    memcpy(old, fixture->expected + 512, sizeof old);
    memset(data, 0x5a, sizeof data);
    client_login(client, NORMAL "InitialR2T=Yes\nImmediateData=No\nMaxBurstLength=1024\n"
                                "MaxRecvDataSegmentLength=512\nMaxOutstandingR2T=1\n");
    pdu = exchange_command(client, 2048, 2048);
    client_send(client, &pdu, NULL, 0);
    r2t = client_receive_r2t(client, 0, 0, 1024);
    client_answer_r2t(client, &r2t, data, 512);
    r2t = client_receive_r2t(client, 1, 1024, 1024);
    client_answer_r2t(client, &r2t, data, 512);
    for (uint32_t sn = 2; sn < 6; sn++) { /* R2T and Data-In share their numbers */
        client_receive(client, PDU_DATA_IN);
        assert_int_equal(client->pdu.data_in.data_sn, sn);
        assert_false(client->pdu.data_in.status_present); /* RFC 7143, 11.7.3 */
        for (uint32_t i = 0; i < client->pdu.data_length; i++)
            assert_int_equal(client->data[i], old[client->pdu.data_in.offset + i] ^ 0x5a);
        got += client->pdu.data_length;
    }
    assert_int_equal(got, 2048);
    client_expect_scsi(client, SCSI_GOOD);
    assert_int_equal(client->pdu.scsi_response.exp_data_sn, 6);
    assert_false(client->pdu.scsi_response.overflow || client->pdu.scsi_response.underflow);
    assert_false(client->pdu.scsi_response.bidi_overflow ||
                 client->pdu.scsi_response.bidi_underflow);
    memcpy(fixture->expected + 512, data, sizeof data);
    fixture_check_disk(fixture);
}

static void residuals_both_ways(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    static const uint8_t data[3000];
    struct pdu pdu;

    client_login(client, NORMAL);
    pdu = exchange_command(client, 3000, 500);
    client_send(client, &pdu, data, 3000);
    client_receive(client, PDU_DATA_IN);
    assert_int_equal(client->pdu.data_length, 500);
    client_expect_scsi(client, SCSI_GOOD);
    assert_true(client->pdu.scsi_response.underflow);
    assert_int_equal(client->pdu.scsi_response.residual, 3000 - 2048);
    assert_true(client->pdu.scsi_response.bidi_overflow);
    assert_int_equal(client->pdu.scsi_response.bidi_residual, 2048 - 500);
}

/* --- long commands --- */

static void long_cdb(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    static const struct scsi_cdb cdb = {
        {SCSI_VARIABLE_LENGTH, 0, 0, 0, 0, 0, 0, 24, 0, SCSI_VARIABLE_READ_32, 0, 0, 0, 0, 0, 0},
        16};
    uint8_t rest[17] = {0};
    struct pdu pdu;

    rest[1 + 3] = 3;  /* LBA, bytes 16 to 19 */
    rest[1 + 15] = 2; /* blocks, bytes 28 to 31 */
    client_login(client, NORMAL "HeaderDigest=CRC32C\nDataDigest=CRC32C\n");
    pdu = client_command(client, &cdb, 1024, 0);
    client->ahs_length =
        ahs_append(client->ahs, sizeof client->ahs, 0, AHS_EXTENDED_CDB, rest, sizeof rest);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_DATA_IN);
    assert_int_equal(client->pdu.data_length, 1024);
    assert_memory_equal(client->data, fixture->expected + 3 * 512, 1024);
    /* Another service action: no such command. */
    pdu = client_command(client, &cdb, 1024, 0);
    pdu.scsi_command.cdb[9] = 0x77;
    client->ahs_length =
        ahs_append(client->ahs, sizeof client->ahs, 0, AHS_EXTENDED_CDB, rest, sizeof rest);
    client_send(client, &pdu, NULL, 0);
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
}

static void send_with_ahs(struct client *client, const struct scsi_cdb *cdb, const void *area,
                          size_t length)
{
    struct pdu pdu = client_command(client, cdb, 512, 0);

    memcpy(client->ahs, area, length);
    client->ahs_length = length;
    client_send(client, &pdu, NULL, 0);
    client->cmd_sn--; /* not taken */
}

static void malformed_headers(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    static const struct scsi_cdb variable = {{SCSI_VARIABLE_LENGTH, 0, 0, 0, 0, 0, 0, 24}, 16};
    static const uint8_t too_long[4] = {0x7f, 0xff, 1, 0};
    static const uint8_t unknown[4] = {0, 1, 0x3f, 0};
    static const uint8_t empty_cdb[4] = {0, 1, 1, 0};
    static const uint8_t read_length[8] = {0, 5, 2}; /* of a command that only reads */
    struct scsi_cdb cdb;

    client_login(client, NORMAL);
    scsi_read(&cdb, 0, 1);
    send_with_ahs(client, &cdb, too_long, sizeof too_long);
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
    send_with_ahs(client, &cdb, unknown, sizeof unknown);
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
    send_with_ahs(client, &cdb, empty_cdb, sizeof empty_cdb);
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
    send_with_ahs(client, &cdb, read_length, sizeof read_length);
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
    send_with_ahs(client, &variable, unknown, 0); /* the rest of its CDB is missing */
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
    client_read_command(client, &cdb, 512); /* the CmdSN is still to come */
    client_receive(client, PDU_DATA_IN);
}

/* --- the status of a read --- */

static void separate_status(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct scsi_cdb cdb;

    target_entity_settings(fixture->entity)->separate_status = true;
    client_login(client, NORMAL);
    scsi_read(&cdb, 0, 2);
    client_read_command(client, &cdb, 2048);
    client_receive(client, PDU_DATA_IN);
    assert_true(client->pdu.final);
    assert_false(client->pdu.data_in.status_present);
    client_expect_scsi(client, SCSI_GOOD);
    assert_true(client->pdu.scsi_response.underflow);
    assert_int_equal(client->pdu.scsi_response.residual, 1024);
    assert_int_equal(client->pdu.scsi_response.exp_data_sn, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(data_in_decreasing),    T(data_in_pdus_decreasing),
        T(data_in_shuffled),      T(data_in_ordered_when_agreed),
        T(r2ts_in_other_order),   T(data_out_backwards),
        T(data_out_twice),        T(more_than_first_burst),
        T(less_than_first_burst), T(both_ways),
        T(residuals_both_ways),   T(long_cdb),
        T(malformed_headers),     T(separate_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
