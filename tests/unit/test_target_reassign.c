/* Error recovery level 2 on the target's side: tasks outlive their connection (RFC
 * 7143, 7.2.2, 7.5, 7.13). */
#include "target_fixture.h"

#define LEVEL_2                                                                                    \
    NORMAL "ErrorRecoveryLevel=2\nMaxConnections=4\nInitialR2T=Yes\nImmediateData=No\n"            \
           "DefaultTime2Wait=1\nDefaultTime2Retain=5\n"
#define SMALL "MaxRecvDataSegmentLength=512\nMaxBurstLength=1024\n"

static void log_in(struct fixture *fixture, const char *keys)
{
    struct key_offers *offers = &target_entity_settings(fixture->entity)->offers;

    offers->error_recovery_level = 2;
    offers->default_time2retain = 30;
    offers->default_time2wait = 0;
    client_login(&fixture->client, keys);
}

static void lose(struct client *client)
{
    target_connection_free(client->connection);
    client->connection = NULL;
}

static void reassign(struct fixture *fixture, uint32_t itt, uint32_t exp_data_sn, uint8_t response)
{
    client_manage(&fixture->other, TASK_REASSIGN, itt, exp_data_sn);
    client_expect_managed(&fixture->other, response);
}

static void fill(uint8_t *data, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i * 11 + 3);
}

/* The connection is gone; another one logs it out, and finishes the write. */
static void write_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct client *other = &fixture->other;
    uint8_t data[3072];
    struct pdu r2ts[2];

    fill(data, sizeof data);
    log_in(fixture, LEVEL_2 "MaxBurstLength=1024\nMaxOutstandingR2T=2\n");
    fixture_join(fixture, 2, NORMAL);
    client_write_command(client, 0, 6);
    r2ts[0] = client_receive_r2t(client, 0, 0, 1024);
    r2ts[1] = client_receive_r2t(client, 1, 1024, 1024);
    client_answer_r2t(client, &r2ts[0], data, 512);
    client_receive_r2t(client, 2, 2048, 1024);
    lose(client);
    reassign(fixture, r2ts[0].itt, 1, TASK_RESPONSE_STILL_ALLEGIANT); /* not logged out */
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    assert_int_equal(other->pdu.logout_response.time2wait, 1);
    assert_int_equal(other->pdu.logout_response.time2retain, 5);
    reassign(fixture, r2ts[0].itt, 1, TASK_RESPONSE_COMPLETE);
    /* The numbers go on from what was acknowledged. */
    for (uint32_t i = 0; i < 2; i++)
        r2ts[i] = client_receive_r2t(other, i + 1, 1024 * (i + 1), 1024);
    client_answer_r2t(other, &r2ts[0], data, 512);
    client_answer_r2t(other, &r2ts[1], data, 512);
    client_receive(other, PDU_SCSI_RESPONSE);
    assert_int_equal(other->pdu.itt, r2ts[0].itt);
    assert_int_equal(other->pdu.scsi_response.status, SCSI_GOOD);
    memcpy(fixture->expected, data, sizeof data);
    fixture_check_disk(fixture);
}

/* Unsolicited data that did not all come are asked for on the new connection. */
static void unsolicited_write_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct client *other = &fixture->other;
    uint8_t data[2048];
    struct scsi_cdb cdb;
    struct pdu pdu, r2t;

    fill(data, sizeof data);
    log_in(fixture, NORMAL "ErrorRecoveryLevel=2\nInitialR2T=No\nMaxConnections=2\n"
                           "DefaultTime2Retain=5\n");
    fixture_join(fixture, 2, NORMAL);
    scsi_write(&cdb, 0, 4, false);
    pdu = client_command(client, &cdb, 0, 2048);
    pdu.final = false;
    client_send(client, &pdu, data, 512);
    lose(client);
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    reassign(fixture, pdu.itt, 0, TASK_RESPONSE_COMPLETE);
    r2t = client_receive_r2t(other, 0, 512, 1536);
    client_answer_r2t(other, &r2t, data, 512);
    client_receive(other, PDU_SCSI_RESPONSE);
    assert_int_equal(other->pdu.scsi_response.status, SCSI_GOOD);
    memcpy(fixture->expected, data, sizeof data);
    fixture_check_disk(fixture);
}

/* A read of `blocks` whose last Data-In, with the status, is not acknowledged. */
static uint32_t read_unacknowledged(struct client *client, uint32_t blocks)
{
    struct scsi_cdb cdb;

    scsi_read(&cdb, 0, blocks);
    client_read_command(client, &cdb, blocks * 512);
    do
        client_receive(client, PDU_DATA_IN);
    while (!client->pdu.data_in.status_present);
    return client->itt;
}

static void expect_data_in(struct fixture *fixture, uint32_t data_sn, uint32_t offset,
                           uint32_t length, bool status)
{
    struct client *other = &fixture->other;

    client_receive(other, PDU_DATA_IN);
    assert_int_equal(other->pdu.data_in.data_sn, data_sn);
    assert_int_equal(other->pdu.data_in.offset, offset);
    assert_int_equal(other->pdu.data_length, length);
    assert_int_equal(other->pdu.data_in.status_present, status);
    assert_memory_equal(other->data, fixture->expected + offset, length);
}

static void read_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct client *other = &fixture->other;
    uint32_t itt, stat_sn;

    log_in(fixture, LEVEL_2 SMALL);
    fixture_join(fixture, 2, NORMAL "MaxRecvDataSegmentLength=512\n");
    stat_sn = other->pdu.login_response.sn.stat_sn + 1;
    itt = read_unacknowledged(&fixture->client, 4);
    lose(&fixture->client);
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    assert_int_equal(other->pdu.logout_response.sn.stat_sn, stat_sn);
    reassign(fixture, itt, 2, TASK_RESPONSE_COMPLETE);
    expect_data_in(fixture, 2, 1024, 512, false);
    expect_data_in(fixture, 3, 1536, 512, true);
    assert_int_equal(other->pdu.data_in.sn.stat_sn, stat_sn + 2); /* of this connection */
    client_expect_silence(other);
    /* It is this connection's now, SNACK and all. */
    client_snack(other, SNACK_DATA_R2T, itt, PDU_RESERVED_TAG, 1, 1);
    client_expect_reject(other, REJECT_PROTOCOL_ERROR);
    client_snack(other, SNACK_DATA_R2T, itt, PDU_RESERVED_TAG, 3, 1);
    expect_data_in(fixture, 3, 1536, 512, true);
    reassign(fixture, itt, 0, TASK_RESPONSE_STILL_ALLEGIANT);
}

/* The new connection takes larger segments. */
static void read_goes_on_in_other_segments(void **state)
{
    struct fixture *fixture = *state;
    struct client *other = &fixture->other;
    uint32_t itt;

    log_in(fixture, LEVEL_2 SMALL);
    fixture_join(fixture, 2, NORMAL "MaxRecvDataSegmentLength=8192\n");
    itt = read_unacknowledged(&fixture->client, 6);
    lose(&fixture->client);
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    reassign(fixture, itt, 3, TASK_RESPONSE_COMPLETE);
    expect_data_in(fixture, 3, 1536, 1024, false);
    expect_data_in(fixture, 4, 2560, 512, true);
}

/* All data have arrived, the status has not: an ExpDataSN that is too large means nothing. */
static void status_comes_again(void **state)
{
    struct fixture *fixture = *state;
    struct client *other = &fixture->other;
    uint32_t itt;

    log_in(fixture, LEVEL_2 SMALL);
    fixture_join(fixture, 2, NORMAL "MaxRecvDataSegmentLength=512\n");
    itt = read_unacknowledged(&fixture->client, 2);
    lose(&fixture->client);
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    reassign(fixture, itt, 2, TASK_RESPONSE_COMPLETE);
    client_receive(other, PDU_SCSI_RESPONSE);
    assert_int_equal(other->pdu.itt, itt);
    assert_int_equal(other->pdu.scsi_response.exp_data_sn, 2);
    assert_int_equal(other->pdu.scsi_response.status, SCSI_GOOD);
}

static void too_large_exp_data_sn(void **state)
{
    struct fixture *fixture = *state;
    uint32_t itt;

    log_in(fixture, LEVEL_2 SMALL);
    fixture_join(fixture, 2, NORMAL "MaxRecvDataSegmentLength=512\n");
    itt = read_unacknowledged(&fixture->client, 2);
    lose(&fixture->client);
    client_log_out(&fixture->other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    reassign(fixture, itt, 3, TASK_RESPONSE_COMPLETE);
    expect_data_in(fixture, 0, 0, 512, false);
    expect_data_in(fixture, 1, 512, 512, true);
}

/* What was acknowledged is over; what never came is not there. */
static void nothing_to_reassign(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint32_t itt;

    log_in(fixture, LEVEL_2);
    fixture_join(fixture, 2, NORMAL);
    itt = read_unacknowledged(client, 2);
    client->exp_stat_sn = client->pdu.data_in.sn.stat_sn + 1;
    client_acknowledge(client);
    lose(client);
    client_log_out(&fixture->other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    reassign(fixture, itt, 0, TASK_RESPONSE_NO_TASK);
    reassign(fixture, 0x777, 0, TASK_RESPONSE_NO_TASK);
}

/* A command that waited for an earlier one is sent anew by its initiator, with the same CmdSN. */
static void held_command_comes_again(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct client *other = &fixture->other;
    struct scsi_cdb cdb;
    struct pdu first, second;

    log_in(fixture, LEVEL_2);
    fixture_join(fixture, 2, NORMAL);
    scsi_test_unit_ready(&cdb);
    first = client_command(client, &cdb, 0, 0);
    second = client_command(client, &cdb, 0, 0);
    client_send(client, &second, NULL, 0);
    client_expect_silence(client);
    lose(client);
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    reassign(fixture, second.itt, 0, TASK_RESPONSE_NO_TASK);
    client_send(other, &first, NULL, 0);
    client_receive(other, PDU_SCSI_RESPONSE);
    client_send(other, &second, NULL, 0);
    client_receive(other, PDU_SCSI_RESPONSE);
    assert_int_equal(other->pdu.itt, second.itt);
}

/* A live connection is logged out for recovery by another, and by itself. */
static void live_connection_is_logged_out(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct client *other = &fixture->other;
    uint8_t data[512];
    struct pdu r2t;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_2);
    fixture_join(fixture, 2, NORMAL);
    client_write_command(client, 0, 1);
    r2t = client_receive_r2t(client, 0, 0, 512);
    client_log_out(other, LOGOUT_RECOVERY, 9, LOGOUT_NO_CID);
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    assert_true(client_ended(client));
    reassign(fixture, r2t.itt, 0, TASK_RESPONSE_COMPLETE);
    r2t = client_receive_r2t(other, 0, 0, 512);
    client_log_out(other, LOGOUT_RECOVERY, 2, LOGOUT_DONE);
    assert_true(client_ended(other));
    lose(client);
    fixture_join(fixture, 3, NORMAL);
    reassign(fixture, r2t.itt, 0, TASK_RESPONSE_COMPLETE);
    r2t = client_receive_r2t(other, 0, 0, 512);
    client_answer_r2t(other, &r2t, data, 512);
    client_receive(other, PDU_SCSI_RESPONSE);
    memcpy(fixture->expected, data, sizeof data);
    fixture_check_disk(fixture);
}

/* Half a Data-Out was in when the connection was logged out. */
static void logged_out_within_data(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    struct client *other = &fixture->other;
    uint8_t wire[PDU_BHS_LENGTH + 512] = {0};
    uint8_t data[512];
    struct pdu r2t, pdu;

    fill(data, sizeof data);
    log_in(fixture, LEVEL_2);
    fixture_join(fixture, 2, NORMAL);
    client_write_command(client, 0, 1);
    r2t = client_receive_r2t(client, 0, 0, 512);
    pdu = client_data_out(r2t.itt, r2t.r2t.ttt, 0, 0, true);
    pdu.data_length = 512;
    pdu_encode(&pdu, wire);
    client_feed(client, wire, 300);
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    client_feed(client, wire + 300, sizeof wire - 300);
    reassign(fixture, r2t.itt, 0, TASK_RESPONSE_COMPLETE);
    r2t = client_receive_r2t(other, 0, 0, 512);
    client_answer_r2t(other, &r2t, data, 512);
    client_receive(other, PDU_SCSI_RESPONSE);
    memcpy(fixture->expected, data, sizeof data);
    fixture_check_disk(fixture);
}

/* The same CID logs in again: that logs the old connection out (RFC 7143, 6.3.4). */
static void connection_comes_back(void **state)
{
    struct fixture *fixture = *state;
    uint32_t itt;

    log_in(fixture, LEVEL_2 SMALL);
    itt = read_unacknowledged(&fixture->client, 2);
    lose(&fixture->client);
    assert_int_equal(target_sessions(fixture->target), 1); /* without any connection */
    fixture_join(fixture, 1, NORMAL "MaxRecvDataSegmentLength=512\n");
    reassign(fixture, itt, 0, TASK_RESPONSE_COMPLETE);
    expect_data_in(fixture, 0, 0, 512, false);
    expect_data_in(fixture, 1, 512, 512, true);
}

static void live_connection_comes_back(void **state)
{
    struct fixture *fixture = *state;
    uint32_t itt;

    log_in(fixture, LEVEL_2 SMALL);
    itt = read_unacknowledged(&fixture->client, 1);
    fixture_join(fixture, 1, NORMAL "MaxRecvDataSegmentLength=512\n");
    assert_true(client_ended(&fixture->client));
    reassign(fixture, itt, 0, TASK_RESPONSE_COMPLETE);
    expect_data_in(fixture, 0, 0, 512, true);
}

/* --- time --- */

static void kept_for_time2retain(void **state)
{
    struct fixture *fixture = *state;
    uint32_t itt;

    log_in(fixture, LEVEL_2);
    fixture_join(fixture, 2, NORMAL);
    itt = read_unacknowledged(&fixture->client, 1);
    assert_true(target_entity_due(fixture->entity) == OS_NEVER);
    lose(&fixture->client);
    assert_int_equal(target_entity_due(fixture->entity), 0);
    target_entity_tick(fixture->entity, 10000);
    assert_int_equal(target_entity_due(fixture->entity), 16000); /* Time2Wait and Time2Retain */
    target_entity_tick(fixture->entity, 15999);
    client_log_out(&fixture->other, LOGOUT_RECOVERY, 1, LOGOUT_DONE); /* which begins anew */
    target_entity_tick(fixture->entity, 15999);
    assert_int_equal(target_entity_due(fixture->entity), 21999);
    target_entity_tick(fixture->entity, 21999);
    assert_true(target_entity_due(fixture->entity) == OS_NEVER);
    reassign(fixture, itt, 0, TASK_RESPONSE_NO_TASK);
    client_log_out(&fixture->other, LOGOUT_RECOVERY, 1, LOGOUT_NO_CID);
}

static void session_ends_in_time(void **state)
{
    struct fixture *fixture = *state;
    struct client *other = &fixture->other;

    log_in(fixture, LEVEL_2);
    client_write_command(&fixture->client, 0, 1);
    lose(&fixture->client);
    target_entity_tick(fixture->entity, 1);
    target_entity_tick(fixture->entity, 6000);
    assert_int_equal(target_sessions(fixture->target), 1);
    target_entity_tick(fixture->entity, 6001);
    assert_int_equal(target_sessions(fixture->target), 0);
    client_open(other, fixture->entity, 1);
    other->tsih = fixture->client.tsih;
    client_login_send(other, 1, 3, NORMAL);
    client_expect_status(other, 0x020a);
}

/* Time2Retain of zero: nothing is kept. */
static void nothing_kept(void **state)
{
    struct fixture *fixture = *state;

    target_entity_settings(fixture->entity)->offers.error_recovery_level = 2;
    client_login(&fixture->client, NORMAL "ErrorRecoveryLevel=2\nDefaultTime2Retain=0\n");
    client_write_command(&fixture->client, 0, 1);
    lose(&fixture->client);
    assert_int_equal(target_sessions(fixture->target), 0);
}

/* A session that is reinstated takes its lost tasks with it. */
static void session_is_reinstated(void **state)
{
    struct fixture *fixture = *state;

    log_in(fixture, LEVEL_2);
    client_write_command(&fixture->client, 0, 1);
    lose(&fixture->client);
    client_open(&fixture->other, fixture->entity, 1);
    client_login(&fixture->other, LEVEL_2);
    assert_int_equal(target_sessions(fixture->target), 1);
    assert_int_not_equal(fixture->other.tsih, fixture->client.tsih);
    assert_true(target_entity_due(fixture->entity) == OS_NEVER);
    reassign(fixture, fixture->client.itt, 0, TASK_RESPONSE_NO_TASK);
}

/* --- who may not --- */

static void not_at_level_1(void **state)
{
    struct fixture *fixture = *state;
    uint32_t itt;

    log_in(fixture, NORMAL "ErrorRecoveryLevel=1\nMaxConnections=2\nDefaultTime2Retain=5\n");
    fixture_join(fixture, 2, NORMAL);
    itt = read_unacknowledged(&fixture->client, 1);
    client_log_out(&fixture->other, LOGOUT_RECOVERY, 1, LOGOUT_NO_RECOVERY);
    lose(&fixture->client);
    reassign(fixture, itt, 0, TASK_RESPONSE_NO_REASSIGN);
    lose(&fixture->other);
    assert_int_equal(target_sessions(fixture->target), 0);
}

static void must_be_immediate(void **state)
{
    struct fixture *fixture = *state;
    struct client *other = &fixture->other;
    struct pdu pdu = {.opcode = PDU_TASK_REQUEST, .final = true, .itt = 4444};

    log_in(fixture, LEVEL_2);
    fixture_join(fixture, 2, NORMAL);
    pdu.task_request.function = TASK_REASSIGN;
    pdu.task_request.referenced_itt = 1;
    pdu.task_request.cmd_sn = other->cmd_sn;
    client_send(other, &pdu, NULL, 0);
    client_expect_managed(other, TASK_RESPONSE_REJECTED);
}

/* Logged out for good: nothing is left to be reassigned. */
static void closed_for_good(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    uint32_t itt;

    log_in(fixture, LEVEL_2);
    fixture_join(fixture, 2, NORMAL);
    client_write_command(client, 0, 1);
    itt = client->itt;
    lose(client);
    client_log_out(&fixture->other, LOGOUT_CLOSE_CONNECTION, 1, LOGOUT_DONE);
    reassign(fixture, itt, 0, TASK_RESPONSE_NO_TASK);
    client_log_out(&fixture->other, LOGOUT_CLOSE_CONNECTION, 1, LOGOUT_NO_CID);
    client_log_out(&fixture->other, LOGOUT_CLOSE_SESSION, 0, LOGOUT_DONE);
    assert_true(client_ended(&fixture->other));
    lose(&fixture->other);
    assert_int_equal(target_sessions(fixture->target), 0);
}

/* The places of lost tasks in the command window come back. */
static void window_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct client *other = &fixture->other;

    target_entity_settings(fixture->entity)->command_window = 4;
    log_in(fixture, LEVEL_2);
    fixture_join(fixture, 2, NORMAL);
    client_write_command(&fixture->client, 0, 1);
    client_write_command(&fixture->client, 0, 1);
    lose(&fixture->client);
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    assert_int_equal(other->pdu.logout_response.sn.max_cmd_sn -
                         other->pdu.logout_response.sn.exp_cmd_sn,
                     1); /* two of four */
    client_log_out(other, LOGOUT_CLOSE_CONNECTION, 1, LOGOUT_DONE);
    client_log_out(other, LOGOUT_RECOVERY, 1, LOGOUT_NO_CID);
    assert_int_equal(
        other->pdu.logout_response.sn.max_cmd_sn - other->pdu.logout_response.sn.exp_cmd_sn, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(write_goes_on),
        T(unsolicited_write_goes_on),
        T(read_goes_on),
        T(read_goes_on_in_other_segments),
        T(status_comes_again),
        T(too_large_exp_data_sn),
        T(nothing_to_reassign),
        T(held_command_comes_again),
        T(live_connection_is_logged_out),
        T(logged_out_within_data),
        T(connection_comes_back),
        T(live_connection_comes_back),
        T(kept_for_time2retain),
        T(session_ends_in_time),
        T(nothing_kept),
        T(session_is_reinstated),
        T(not_at_level_1),
        T(must_be_immediate),
        T(closed_for_good),
        T(window_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
