/* Task management: who waits for what, and what is left afterwards (RFC 7143, 4.2.3, 11.5, 11.6).
 */
#include "target_fixture.h"

#define ASKED NORMAL "InitialR2T=Yes\nImmediateData=No\n"

static struct client *log_in(struct fixture *fixture, const char *keys)
{
    fixture->client.acknowledge = true;
    client_login(&fixture->client, keys);
    return &fixture->client;
}

/* A session of another initiator port. */
static struct client *log_in_other(struct fixture *fixture, const char *keys)
{
    client_open(&fixture->other, fixture->entity, 1);
    fixture->other.isid[5] = 7;
    fixture->other.itt = 5000;
    fixture->other.acknowledge = true;
    client_login(&fixture->other, keys);
    return &fixture->other;
}

static void test_unit_ready(struct client *client)
{
    struct scsi_cdb cdb;

    scsi_test_unit_ready(&cdb);
    client_read_command(client, &cdb, 0);
}

static struct pdu begin_write(struct client *client)
{
    client_write_command(client, 0, 1);
    client_receive(client, PDU_R2T);
    return client->pdu;
}

static void abort_send(struct client *client, uint32_t itt, uint32_t ref_cmd_sn)
{
    struct pdu pdu = {
        .opcode = PDU_TASK_REQUEST, .immediate = true, .final = true, .itt = ++client->itt};

    pdu.task_request.function = TASK_ABORT_TASK;
    pdu.task_request.referenced_itt = itt;
    pdu.task_request.ref_cmd_sn = ref_cmd_sn;
    pdu.task_request.cmd_sn = client->cmd_sn;
    client_send(client, &pdu, NULL, 0);
}

static void abort_itt(struct client *client, uint32_t itt, uint32_t ref_cmd_sn, uint8_t response)
{
    abort_send(client, itt, ref_cmd_sn);
    client_expect_managed(client, response);
}

/* --- ABORT TASK --- */

static void abort_of_what_never_came(void **state)
{
    struct client *client = log_in(*state, NORMAL);
    uint32_t lost = client->cmd_sn++;

    test_unit_ready(client); /* held, as one before is missing */
    client_expect_silence(client);
    client_manage(client, TASK_ABORT_TASK, 0x999, 0);
    client_expect_managed(client, TASK_RESPONSE_NO_TASK); /* RefCmdSN 0 is not in the window */
    abort_send(client, 0x999, lost);                      /* fills the gap */
    client_receive(client, PDU_SCSI_RESPONSE);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    assert_int_equal(client->pdu.task_response.sn.exp_cmd_sn, lost + 2);
}

static void abort_of_what_is_held(void **state)
{
    struct client *client = log_in(*state, NORMAL);
    struct scsi_cdb cdb;
    struct pdu first, second;

    scsi_test_unit_ready(&cdb);
    first = client_command(client, &cdb, 0, 0);
    second = client_command(client, &cdb, 0, 0);
    client_send(client, &second, NULL, 0);
    abort_itt(client, second.itt, second.scsi_command.cmd_sn, TASK_RESPONSE_COMPLETE);
    client_send(client, &first, NULL, 0);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.itt, first.itt);
    client_expect_silence(client);
    test_unit_ready(client); /* its turn is next */
    client_expect_scsi(client, SCSI_GOOD);
    assert_int_equal(client->pdu.scsi_response.sn.exp_cmd_sn, second.scsi_command.cmd_sn + 2);
}

static void abort_of_what_is_over(void **state)
{
    struct client *client = log_in(*state, NORMAL);
    uint32_t cmd_sn = client->cmd_sn;

    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    abort_itt(client, client->itt, cmd_sn, TASK_RESPONSE_NO_TASK);
    abort_itt(client, 0x999, cmd_sn + 100, TASK_RESPONSE_NO_TASK); /* not before the request */
}

/* At level 2: answered, the connection logged out, not acknowledged. */
static void abort_after_connection_was_lost(void **state)
{
    struct fixture *fixture = *state;
    struct target_settings *settings = target_entity_settings(fixture->entity);
    struct client *client = &fixture->client;
    uint32_t itt;

    settings->offers.error_recovery_level = 2;
    settings->offers.default_time2retain = 10;
    client_login(client, NORMAL "ErrorRecoveryLevel=2\nMaxConnections=2\n");
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    itt = client->itt;
    fixture_join(fixture, 2, NORMAL);
    target_connection_free(client->connection);
    client->connection = NULL;
    client_log_out(&fixture->other, LOGOUT_RECOVERY, 1, LOGOUT_DONE);
    client_manage(&fixture->other, TASK_ABORT_TASK, itt, 0);
    client_receive(&fixture->other,
                   PDU_SCSI_RESPONSE); /* the status once more, then the response */
    assert_int_equal(fixture->other.pdu.itt, itt);
    client_expect_managed(&fixture->other, TASK_RESPONSE_COMPLETE);
}

/* --- ABORT TASK SET --- */

/* The target waits for R2Ts to be answered, and asks for no more. */
static void waits_for_data(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, ASKED "MaxBurstLength=512\nMaxOutstandingR2T=1\n");
    static const uint8_t data[1024];
    struct pdu r2t;

    client_write_command(client, 0, 2);
    r2t = client_receive_r2t(client, 0, 0, 512);
    client_manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, 0);
    client_expect_silence(client);
    client_answer_r2t(client, &r2t, data, 512);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    assert_int_equal(client->pdu.itt, client->itt);
    client_expect_silence(client);
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    fixture_check_disk(fixture);
}

static void waits_no_longer_for_data(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, ASKED);
    static const uint8_t data[512];
    struct pdu r2t = begin_write(client);

    client_manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, 0);
    client_expect_silence(client);
    assert_int_equal(target_connection_due(client->connection), 2000);
    target_connection_tick(client->connection, 2000);
    client->now = 2000;
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    client_answer_r2t(client, &r2t, data, 512); /* too late */
    client_expect_silence(client);
    fixture_check_disk(fixture);
}

/* The initiator has not acknowledged: it is asked by a ping. */
static void waits_for_acknowledgment(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, NORMAL);
    struct pdu nop = {.opcode = PDU_NOP_OUT, .immediate = true, .final = true};

    client->acknowledge = false;
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    client_manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, 0);
    client_receive(client, PDU_NOP_IN);
    client_expect_silence(client);
    client->exp_stat_sn = client->pdu.nop_in.sn.stat_sn;
    nop.itt = PDU_RESERVED_TAG;
    nop.nop_out.ttt = client->pdu.nop_in.ttt;
    client_send(client, &nop, NULL, 0);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
}

/* On every connection of the session. */
static void waits_for_the_other_connection(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, NORMAL "MaxConnections=2\n");
    struct client *other = &fixture->other;

    fixture_join(fixture, 2, NORMAL);
    test_unit_ready(other);
    client_receive(other, PDU_SCSI_RESPONSE);
    client_manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, 0);
    client_expect_silence(client);
    client_receive(other, PDU_NOP_IN);
    client_acknowledge(other);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
}

static void waits_no_longer_for_acknowledgment(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    target_entity_settings(fixture->entity)->abort_timeout = 500;
    client_login(client, NORMAL);
    client_manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, 0);
    client_receive(client, PDU_NOP_IN);
    client_expect_silence(client);
    client->now = 500;
    target_connection_tick(client->connection, 500);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
}

/* An immediate request overtakes commands that it is about. */
static void waits_for_earlier_commands(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, ASKED);
    struct scsi_cdb cdb;
    struct pdu pdu, r2t;

    scsi_write(&cdb, 0, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    client_manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, 0);
    client_expect_silence(client);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_R2T); /* it had begun */
    r2t = client->pdu;
    client_answer_r2t(client, &r2t, fixture->expected + 512, 512);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    client_expect_silence(client);
    fixture_check_disk(fixture);
}

/* One after the other, in their order. */
static void two_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, ASKED);
    struct pdu r2t = begin_write(client);
    uint32_t first, second;

    client_manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, 0);
    first = client->itt;
    client_manage(client, TASK_LUN_RESET, PDU_RESERVED_TAG, 0);
    second = client->itt;
    client_expect_silence(client);
    client_answer_r2t(client, &r2t, fixture->expected + 512, 512);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    assert_int_equal(client->pdu.itt, first);
    client_receive(client, PDU_NOP_IN); /* the first answer wants to be acknowledged */
    client_expect_silence(client);
    client_acknowledge(client);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    assert_int_equal(client->pdu.itt, second);
}

static void connection_goes_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, ASKED "MaxConnections=2\n");

    fixture_join(fixture, 2, NORMAL);
    begin_write(client);
    client_manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, 0);
    fixture->other.cmd_sn = client->cmd_sn;
    client_close(client);
    test_unit_ready(&fixture->other);
    client_receive(&fixture->other, PDU_SCSI_RESPONSE);
}

static void only_that_unit(void **state)
{
    struct fixture *fixture = *state;
    struct client *client;
    struct target_disk *disk;
    static const uint8_t data[512];
    struct scsi_cdb cdb;
    struct pdu pdu, r2t;

    assert_int_equal(target_disk_ram(4096, 512, &disk), STATUS_OK);
    assert_int_equal(target_add_disk(fixture->target, 1, disk), STATUS_OK);
    client = log_in(fixture, ASKED);
    scsi_write(&cdb, 0, 1, false);
    pdu = client_command(client, &cdb, 0, 512);
    pdu.lun = scsi_lun_encode(1);
    client_send(client, &pdu, NULL, 0);
    client_receive(client, PDU_R2T);
    r2t = client->pdu;
    client_manage(client, TASK_ABORT_TASK_SET, PDU_RESERVED_TAG, 0); /* of unit 0 */
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    client_answer_r2t(client, &r2t, data, 512);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.scsi_response.status, SCSI_GOOD);
}

static void no_such_unit(void **state)
{
    struct client *client = log_in(*state, NORMAL);
    static const uint8_t functions[] = {TASK_ABORT_TASK_SET, TASK_CLEAR_TASK_SET, TASK_LUN_RESET};

    for (size_t i = 0; i < sizeof functions; i++) {
        struct pdu pdu = {.opcode = PDU_TASK_REQUEST, .immediate = true, .final = true, .itt = 900};

        pdu.lun = scsi_lun_encode(9);
        pdu.task_request.function = functions[i];
        pdu.task_request.cmd_sn = client->cmd_sn;
        client_send(client, &pdu, NULL, 0);
        client_expect_managed(client, TASK_RESPONSE_NO_LUN);
    }
}

/* --- what others see --- */

static void cleared_by_another(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, ASKED);
    struct client *other = log_in_other(fixture, NORMAL);
    struct pdu r2t = begin_write(client);

    client_manage(other, TASK_CLEAR_TASK_SET, PDU_RESERVED_TAG, 0);
    client_expect_managed(other, TASK_RESPONSE_COMPLETE);
    client_answer_r2t(client, &r2t, fixture->expected + 512, 512);
    client_expect_silence(client);
    test_unit_ready(client);
    client_expect_sense(client, SCSI_UNIT_ATTENTION, SCSI_ASC_COMMANDS_CLEARED);
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    test_unit_ready(other);
    client_expect_scsi(other, SCSI_GOOD);
    fixture_check_disk(fixture);
}

/* Those who had no tasks have nothing to hear of. */
static void cleared_of_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, NORMAL);
    struct client *other = log_in_other(fixture, NORMAL);

    client_manage(other, TASK_CLEAR_TASK_SET, PDU_RESERVED_TAG, 0);
    client_expect_managed(other, TASK_RESPONSE_COMPLETE);
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
}

static void reset_is_an_attention(void **state)
{
    static const uint8_t functions[] = {TASK_LUN_RESET, TASK_TARGET_WARM_RESET};
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, NORMAL);
    struct client *other = log_in_other(fixture, NORMAL);
    struct scsi_cdb cdb;

    for (size_t i = 0; i < sizeof functions; i++) {
        client_manage(other, functions[i], PDU_RESERVED_TAG, 0);
        client_expect_managed(other, TASK_RESPONSE_COMPLETE);
        scsi_inquiry(&cdb, 0, 0, 36); /* which no attention stops */
        client_read_command(client, &cdb, 36);
        client_receive(client, PDU_DATA_IN);
        test_unit_ready(client);
        client_expect_sense(client, SCSI_UNIT_ATTENTION, SCSI_ASC(0x29, 0x03));
        test_unit_ready(client);
        client_expect_scsi(client, SCSI_GOOD);
        test_unit_ready(other);
        client_expect_sense(other, SCSI_UNIT_ATTENTION, SCSI_ASC(0x29, 0x03));
    }
}

/* A write that meets an attention does not ask for its data; REQUEST SENSE takes an attention away.
 */
static void attention_comes_first(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, ASKED);
    static const struct scsi_cdb sense = {{SCSI_REQUEST_SENSE, 0, 0, 0, 18}, 6};

    client_manage(client, TASK_LUN_RESET, PDU_RESERVED_TAG, 0);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    client_write_command(client, 0, 1);
    client_expect_sense(client, SCSI_UNIT_ATTENTION, SCSI_ASC(0x29, 0x03));
    client_manage(client, TASK_LUN_RESET, PDU_RESERVED_TAG, 0);
    client_expect_managed(client, TASK_RESPONSE_COMPLETE);
    client_read_command(client, &sense, 18);
    client_receive(client, PDU_DATA_IN);
    assert_int_equal(client->data[2], SCSI_UNIT_ATTENTION);
    assert_int_equal(get_be16(client->data + 12), SCSI_ASC(0x29, 0x03));
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
}

static void cold_reset_ends_all_sessions(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = log_in(fixture, ASKED);
    struct client *other = log_in_other(fixture, NORMAL);

    begin_write(client);
    client_manage(other, TASK_TARGET_COLD_RESET, PDU_RESERVED_TAG, 0);
    client_expect_managed(other, TASK_RESPONSE_COMPLETE);
    assert_true(client_ended(client));
    assert_true(client_ended(other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(abort_of_what_never_came),
        T(abort_of_what_is_held),
        T(abort_of_what_is_over),
        T(abort_after_connection_was_lost),
        T(waits_for_data),
        T(waits_no_longer_for_data),
        T(waits_for_acknowledgment),
        T(waits_for_the_other_connection),
        T(waits_no_longer_for_acknowledgment),
        T(waits_for_earlier_commands),
        T(two_at_a_time),
        T(connection_goes_meanwhile),
        T(only_that_unit),
        T(no_such_unit),
        T(cleared_by_another),
        T(cleared_of_nothing),
        T(reset_is_an_attention),
        T(attention_comes_first),
        T(cold_reset_ends_all_sessions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
