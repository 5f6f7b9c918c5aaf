/* Several connections in one session: logins, numbering, scheduling, leaving. */
#include "initiator_peer.h"

#define LEADING                                                                                    \
    "HeaderDigest=None\0DataDigest=None\0MaxConnections=2\0InitialR2T=Yes\0ImmediateData=Yes\0"    \
    "MaxRecvDataSegmentLength=8192\0MaxBurstLength=131072\0FirstBurstLength=65536\0"               \
    "DefaultTime2Wait=2\0DefaultTime2Retain=0\0MaxOutstandingR2T=1\0DataPDUInOrder=Yes\0"          \
    "DataSequenceInOrder=Yes\0ErrorRecoveryLevel=0"
#define JOINING "HeaderDigest=None\0DataDigest=None\0MaxRecvDataSegmentLength=4096"

struct reading {
    struct task task;
    struct iov piece;
    uint8_t data[64];
    unsigned ended;
};

struct two {
    struct peer first, second;
    struct reading readings[4]; /* outlive the session */
};

static struct session_settings two_settings(void)
{
    struct session_settings settings = peer_settings;

    settings.offers.max_connections = 4;
    return settings;
}

static int setup(void **state)
{
    struct two *two = calloc(1, sizeof *two);
    struct session_settings settings = two_settings();

    peer_start(&two->first, &settings);
    peer_log_in_with(&two->first, LEADING, sizeof LEADING);
    peer_join(&two->second, &two->first, 2);
    peer_log_in_with(&two->second, JOINING, sizeof JOINING);
    *state = two;
    return 0;
}

static int teardown(void **state)
{
    struct two *two = *state;

    peer_stop(&two->first);
    free(two);
    return 0;
}

static void reading_done(struct task *task)
{
    struct reading *reading = task->context;

    reading->ended++;
}

static void read_some(struct two *two, struct reading *reading, uint32_t length)
{
    memset(reading, 0, sizeof *reading);
    reading->piece = (struct iov){reading->data, length};
    reading->task.data_in = &reading->piece;
    reading->task.data_in_count = 1;
    reading->task.data_in_length = length;
    reading->task.done = reading_done;
    reading->task.context = reading;
    scsi_inquiry(&reading->task.cdb, 0, 0, (uint16_t)length);
    session_submit(two->first.session, &reading->task, two->first.now);
}

static void patient(struct two *two, struct reading *reading)
{
    read_some(two, reading, 16);
    session_cancel(two->first.session, &reading->task);
    peer_take(&two->first, PDU_NOP_OUT);
    reading->ended = 0;
    reading->task.timeout = 100000;
    session_submit(two->first.session, &reading->task, two->first.now);
}

static void answer(struct peer *peer, uint32_t itt)
{
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = itt};

    pdu.scsi_response.sn = peer_sn(peer, true);
    peer_say(peer, &pdu, NULL, 0);
}

static bool text_has(const struct peer *peer, const char *start)
{
    const char *text = (const char *)peer->text;
    size_t left = peer->framer.pdu.data_length;

    while (left > 0) {
        size_t length = strlen(text) + 1;

        if (strncmp(text, start, strlen(start)) == 0)
            return true;
        text += length;
        left -= length < left ? length : left;
    }
    return false;
}

/* --- logging in --- */

static void a_second_login_joins_the_session(void **state)
{
    struct session_settings settings = two_settings();
    struct peer first, second;
    const struct pdu *request;

    (void)state;
    peer_start(&first, &settings);
    peer_log_in_with(&first, LEADING, sizeof LEADING);
    peer_join(&second, &first, 2);
    request = peer_take(&second, PDU_LOGIN_REQUEST);
    assert_int_equal(request->login_request.tsih, 0x27);
    assert_int_equal(request->login_request.cid, 2);
    assert_int_equal(request->login_request.cmd_sn, 1);
    assert_int_equal(request->login_request.current_stage, LOGIN_STAGE_SECURITY);
    assert_int_equal(request->login_request.transit, 1);
    assert_true(text_has(&second, "TargetName="));
    assert_true(text_has(&second, "AuthMethod=None"));
    assert_false(text_has(&second, "SessionType="));
    peer_say_no_authentication(&second);
    request = peer_take(&second, PDU_LOGIN_REQUEST);
    assert_int_equal(request->login_request.current_stage, LOGIN_STAGE_OPERATIONAL);
    assert_true(text_has(&second, "MaxRecvDataSegmentLength="));
    assert_true(text_has(&second, "DataDigest="));
    assert_false(text_has(&second, "MaxConnections="));
    assert_false(text_has(&second, "MaxBurstLength="));
    assert_false(text_has(&second, "ErrorRecoveryLevel="));
    second.logged_in = false;
    {
        struct pdu pdu = peer_login_answer(&second, LOGIN_STAGE_FULL_FEATURE);

        peer_say(&second, &pdu, JOINING, sizeof JOINING);
    }
    assert_true(second.logged_in);
    assert_int_equal(session_connections(first.session), 2);
    /* The session's values hold for both, the segment length is each one's own. */
    assert_int_equal(connection_values(second.connection)->max_burst_length, 131072);
    assert_int_equal(connection_values(second.connection)->max_send_data_segment_length, 4096);
    assert_int_equal(connection_values(first.connection)->max_send_data_segment_length, 8192);
    assert_int_equal(session_values(first.session)->max_send_data_segment_length, 8192);
    peer_stop(&first);
}

static void a_wrong_tsih_ends_the_second_login_only(void **state)
{
    struct session_settings settings = two_settings();
    struct peer first, second;
    struct pdu pdu;

    (void)state;
    peer_start(&first, &settings);
    peer_log_in_with(&first, LEADING, sizeof LEADING);
    peer_join(&second, &first, 2);
    peer_take_offers(&second);
    pdu = peer_login_answer(&second, LOGIN_STAGE_FULL_FEATURE);
    pdu.login_response.tsih = 0x28;
    peer_say(&second, &pdu, JOINING, sizeof JOINING);
    assert_true(second.closed);
    assert_int_equal(second.status, STATUS_PROTOCOL_ERROR);
    assert_false(first.closed);
    assert_true(session_usable(first.session));
    assert_int_equal(session_tsih(first.session), 0x27);
    peer_stop(&first);
}

static void max_connections_is_kept(void **state)
{
    struct two *two = *state;
    struct peer third;

    assert_int_equal(session_may_connect(two->first.session), STATUS_TOO_MANY_CONNECTIONS);
    peer_join(&third, &two->first, 3);
    assert_true(third.closed);
    assert_int_equal(third.status, STATUS_TOO_MANY_CONNECTIONS);
    assert_true(peer_silent(&third));
    connection_lost(two->second.connection, STATUS_CONNECTION_RESET);
    assert_int_equal(session_may_connect(two->first.session), STATUS_OK);
    peer_join(&third, &two->first, 1);
    assert_int_equal(third.status, STATUS_INVALID_PARAMETER); /* CID 1 lives */
}

static void a_second_login_waits_for_the_first(void **state)
{
    struct session_settings settings = two_settings();
    struct peer first, second;

    (void)state;
    peer_start(&first, &settings);
    peer_join(&second, &first, 2);
    assert_int_equal(second.status, STATUS_SESSION_BUSY);
    assert_false(first.closed);
    peer_stop(&first);
}

static void cids_are_never_used_twice(void **state)
{
    struct two *two = *state;

    assert_int_equal(session_new_cid(two->first.session), 3);
    assert_int_equal(session_new_cid(two->first.session), 4);
    for (uint32_t i = 4; i < 65535; i++)
        session_new_cid(two->first.session);
    assert_int_equal(session_new_cid(two->first.session), 3); /* 0 is none; 1 and 2 live */
}

static void a_connection_has_digests_and_secrets_of_its_own(void **state)
{
    struct session_settings settings = two_settings(), own;
    struct peer first, second;

    (void)state;
    peer_start(&first, &settings);
    peer_log_in_with(&first, LEADING, sizeof LEADING);
    peer_init(&second);
    second.session = first.session;
    second.connection = connection_new(first.session, 2, &second);
    own = settings;
    own.initiator_name = "iqn.2026-11.test:nobody";
    own.offers.data_digest = "CRC32C";
    own.offers.max_recv_data_segment_length = 1024;
    own.auth = SESSION_AUTH_CHAP;
    own.chap = (struct chap_credentials){
        .name = "user", .secret = (const uint8_t *)"secretsecret", .secret_length = 12};
    assert_true(connection_configure(second.connection, &own));
    connection_start(second.connection, second.now);
    assert_int_equal(peer_take(&second, PDU_LOGIN_REQUEST)->login_request.current_stage,
                     LOGIN_STAGE_SECURITY);
    assert_true(text_has(&second, "AuthMethod=CHAP"));
    assert_true(text_has(&second, "InitiatorName=iqn.2026-11.test:initiator"));
    peer_stop(&first);
}

/* --- numbering and scheduling --- */

static void commands_go_where_least_is_under_way(void **state)
{
    struct two *two = *state;
    struct reading *readings = two->readings;
    uint32_t on_first[2], on_second[2];

    for (size_t i = 0; i < 4; i++)
        read_some(two, &readings[i], 16);
    two->first.max_cmd_sn = two->second.max_cmd_sn = 33;
    for (size_t i = 0; i < 2; i++) {
        on_first[i] = peer_take(&two->first, PDU_SCSI_COMMAND)->scsi_command.cmd_sn;
        on_second[i] = peer_take(&two->second, PDU_SCSI_COMMAND)->scsi_command.cmd_sn;
    }
    /* CmdSN counts over both, in the order of submission. */
    assert_int_equal(on_first[0], 1);
    assert_int_equal(on_second[0], 2);
    assert_int_equal(on_first[1], 3);
    assert_int_equal(on_second[1], 4);
    /* What has ended counts no more. */
    answer(&two->second, readings[1].task.itt);
    answer(&two->second, readings[3].task.itt);
    assert_int_equal(readings[1].ended + readings[3].ended, 2);
    read_some(two, &readings[1], 16);
    read_some(two, &readings[3], 16);
    peer_take(&two->second, PDU_SCSI_COMMAND);
    peer_take(&two->second, PDU_SCSI_COMMAND);
    assert_true(peer_silent(&two->first));
}

static void stat_sn_counts_for_each_connection(void **state)
{
    struct two *two = *state;
    struct pdu ping = {.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};
    struct reading *readings = two->readings;

    read_some(two, &readings[0], 16);
    read_some(two, &readings[1], 16);
    peer_take(&two->first, PDU_SCSI_COMMAND);
    peer_take(&two->second, PDU_SCSI_COMMAND);
    answer(&two->second, readings[1].task.itt);
    answer(&two->first, readings[0].task.itt);
    assert_int_equal(readings[0].ended + readings[1].ended, 2);
    ping.nop_in.ttt = 1;
    ping.nop_in.sn = peer_sn(&two->first, false);
    peer_say(&two->first, &ping, NULL, 0);
    ping.nop_in.sn = peer_sn(&two->second, false);
    peer_say(&two->second, &ping, NULL, 0);
    assert_int_equal(peer_take(&two->first, PDU_NOP_OUT)->nop_out.exp_stat_sn, 102);
    assert_int_equal(peer_take(&two->second, PDU_NOP_OUT)->nop_out.exp_stat_sn, 503);
}

static void an_answer_on_the_wrong_connection_is_refused(void **state)
{
    struct two *two = *state;
    struct reading *reading = two->readings;

    read_some(two, reading, 16); /* on the first */
    answer(&two->second, reading->task.itt);
    assert_true(two->second.closed);
    assert_int_equal(two->second.status, STATUS_PROTOCOL_ERROR);
    assert_int_equal(reading->ended, 0);
    answer(&two->first, reading->task.itt);
    assert_int_equal(reading->ended, 1);
    assert_int_equal(reading->task.status, STATUS_OK);
}

/* --- leaving --- */

static void a_lost_connection_takes_only_its_tasks(void **state)
{
    struct two *two = *state;
    struct reading *readings = two->readings;

    for (size_t i = 0; i < 3; i++)
        read_some(two, &readings[i], 16);
    connection_lost(two->first.connection, STATUS_CONNECTION_RESET); /* the leading one */
    assert_int_equal(readings[0].task.status, STATUS_CONNECTION_RESET);
    assert_int_equal(readings[0].ended + readings[2].ended, 2);
    assert_int_equal(readings[1].ended, 0);
    assert_true(session_usable(two->first.session));
    peer_take(&two->second, PDU_SCSI_COMMAND);
    answer(&two->second, readings[1].task.itt);
    assert_int_equal(readings[1].task.status, STATUS_OK);
    /* What the target never saw leaves no hole in CmdSN. */
    assert_int_equal(peer_take(&two->second, PDU_NOP_OUT)->nop_out.cmd_sn, 1);
    assert_false(two->second.framer.pdu.immediate);
    assert_int_equal(peer_take(&two->second, PDU_NOP_OUT)->nop_out.cmd_sn, 3);
    read_some(two, &readings[0], 16);
    assert_int_equal(peer_take(&two->second, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, 4);
}

static void confirm_logout(struct peer *via, uint16_t cid)
{
    struct pdu pdu = {.opcode = PDU_LOGOUT_RESPONSE, .final = true};

    pdu.itt = peer_take(via, PDU_LOGOUT_REQUEST)->itt;
    assert_int_equal(via->framer.pdu.logout_request.reason, LOGOUT_CLOSE_CONNECTION);
    assert_int_equal(via->framer.pdu.logout_request.cid, cid);
    pdu.logout_response.sn = peer_sn(via, true);
    peer_say(via, &pdu, NULL, 0);
}

/* The target may not have noticed, and carry them out late. */
static void what_a_lost_connection_carried_ends_when_the_target_has_dropped_it(void **state)
{
    struct two *two = *state;
    struct reading *readings = two->readings;

    read_some(two, &readings[0], 16);
    peer_take(&two->first, PDU_SCSI_COMMAND);
    read_some(two, &readings[1], 16);
    peer_take(&two->second, PDU_SCSI_COMMAND);
    connection_lost(two->first.connection, STATUS_CONNECTION_RESET);
    assert_int_equal(readings[0].ended, 0);
    answer(&two->second, readings[1].task.itt);
    assert_int_equal(readings[1].task.status, STATUS_OK);
    confirm_logout(&two->second, 1);
    assert_int_equal(readings[0].ended, 1);
    assert_int_equal(readings[0].task.status, STATUS_CONNECTION_RESET);
    assert_false(two->second.closed);
}

static void without_an_answer_to_that_the_session_ends(void **state)
{
    struct two *two = *state;
    struct reading *readings = two->readings;

    read_some(two, &readings[0], 16);
    peer_take(&two->first, PDU_SCSI_COMMAND);
    connection_lost(two->first.connection, STATUS_CONNECTION_RESET);
    two->second.now += peer_settings.timeouts.logout;
    connection_tick(two->second.connection, two->second.now);
    assert_true(two->second.closed);
    assert_int_equal(readings[0].ended, 1);
    assert_int_equal(readings[0].task.status, STATUS_CONNECTION_RESET);
}

/* There is nobody who could tell the target at once that the lost command will not come again. */
static void a_hole_is_filled_by_a_connection_that_is_logging_in(void **state)
{
    struct two *two = *state;
    uint32_t cmd_sn;

    connection_lost(two->second.connection, STATUS_CONNECTION_RESET);
    connection_free(two->second.connection);
    read_some(two, &two->readings[0], 16);
    cmd_sn = peer_take(&two->first, PDU_SCSI_COMMAND)->scsi_command.cmd_sn;
    peer_join(&two->second, &two->first, 3);
    connection_lost(two->first.connection, STATUS_CONNECTION_RESET);
    assert_int_equal(two->readings[0].ended, 0);
    peer_log_in_with(&two->second, JOINING, sizeof JOINING);
    two->second.exp_cmd_sn = cmd_sn; /* it never came */
    confirm_logout(&two->second, 1);
    assert_int_equal(two->readings[0].task.status, STATUS_CONNECTION_RESET);
    assert_false(peer_take(&two->second, PDU_NOP_OUT)->immediate);
    assert_int_equal(two->second.framer.pdu.nop_out.cmd_sn, cmd_sn);
    read_some(two, &two->readings[1], 16);
    assert_int_equal(peer_take(&two->second, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, cmd_sn + 1);
}

static void a_leaving_connection_ends_its_tasks_first(void **state)
{
    struct two *two = *state;
    struct reading *readings = two->readings;
    struct pdu pdu = {.opcode = PDU_LOGOUT_RESPONSE, .final = true};

    read_some(two, &readings[0], 16);
    read_some(two, &readings[1], 16);
    peer_take(&two->first, PDU_SCSI_COMMAND);
    connection_logout(two->first.connection, LOGOUT_CLOSE_CONNECTION, two->first.now);
    assert_true(peer_silent(&two->first));
    /* New ones go elsewhere though more is under way there. */
    read_some(two, &readings[2], 64);
    assert_true(peer_silent(&two->first));
    answer(&two->first, readings[0].task.itt);
    assert_int_equal(readings[0].task.status, STATUS_OK);
    pdu.itt = peer_take(&two->first, PDU_LOGOUT_REQUEST)->itt;
    assert_int_equal(two->first.framer.pdu.logout_request.reason, LOGOUT_CLOSE_CONNECTION);
    assert_int_equal(two->first.framer.pdu.logout_request.cid, 1);
    pdu.logout_response.sn = peer_sn(&two->first, true);
    peer_say(&two->first, &pdu, NULL, 0);
    assert_true(two->first.closed);
    assert_int_equal(two->first.status, STATUS_OK);
    assert_false(two->second.closed);
    assert_int_equal(session_connections(two->first.session), 1);
}

static void draining_has_its_time(void **state)
{
    struct two *two = *state;
    struct reading *reading = two->readings;

    patient(two, reading); /* it has more time than the draining */
    peer_take(&two->first, PDU_SCSI_COMMAND);
    connection_logout(two->first.connection, LOGOUT_CLOSE_CONNECTION, two->first.now);
    assert_int_equal(connection_due(two->first.connection), two->first.now + 2000);
    connection_tick(two->first.connection, two->first.now + 2000);
    peer_take(&two->first, PDU_LOGOUT_REQUEST);
    connection_tick(two->first.connection, two->first.now + 2500);
    assert_int_equal(two->first.status, STATUS_LOGOUT_TIMEOUT);
    assert_int_equal(reading->ended, 1);
    assert_false(two->second.closed);
}

static void a_connection_is_logged_out_on_another(void **state)
{
    struct two *two = *state;
    struct reading *reading = two->readings;
    struct pdu pdu = {.opcode = PDU_LOGOUT_RESPONSE, .final = true};

    read_some(two, reading, 16);
    connection_logout_by(two->first.connection, two->second.connection, LOGOUT_CLOSE_CONNECTION,
                         two->first.now);
    pdu.itt = peer_take(&two->second, PDU_LOGOUT_REQUEST)->itt;
    assert_int_equal(two->second.framer.pdu.logout_request.cid, 1);
    assert_int_equal(reading->ended, 0);
    pdu.logout_response.sn = peer_sn(&two->second, true);
    peer_say(&two->second, &pdu, NULL, 0);
    assert_true(two->first.closed);
    assert_int_equal(reading->task.status, STATUS_NO_CONNECTION);
    assert_false(two->second.closed);
    assert_true(session_usable(two->first.session));
}

static void a_connection_may_go_before_its_logout_is_answered(void **state)
{
    struct two *two = *state;
    struct pdu pdu = {.opcode = PDU_LOGOUT_RESPONSE, .final = true};

    connection_logout_by(two->first.connection, two->second.connection, LOGOUT_CLOSE_CONNECTION,
                         two->first.now);
    pdu.itt = peer_take(&two->second, PDU_LOGOUT_REQUEST)->itt;
    connection_free(two->first.connection);
    pdu.logout_response.sn = peer_sn(&two->second, true);
    peer_say(&two->second, &pdu, NULL, 0);
    assert_false(two->second.closed);
}

static void a_session_logout_closes_all(void **state)
{
    struct two *two = *state;
    struct pdu pdu = {.opcode = PDU_LOGOUT_RESPONSE, .final = true};

    connection_logout(two->second.connection, LOGOUT_CLOSE_SESSION, two->first.now);
    assert_false(session_usable(two->first.session));
    assert_int_equal(session_may_connect(two->first.session), STATUS_NO_CONNECTION);
    assert_true(peer_silent(&two->first));
    pdu.itt = peer_take(&two->second, PDU_LOGOUT_REQUEST)->itt;
    pdu.logout_response.sn = peer_sn(&two->second, true);
    peer_say(&two->second, &pdu, NULL, 0);
    assert_true(two->first.closed && two->second.closed);
    assert_int_equal(two->first.status, STATUS_OK);
    assert_int_equal(two->second.status, STATUS_OK);
}

static void a_requested_logout_takes_one_of_several(void **state)
{
    struct two *two = *state;
    struct pdu pdu = {.opcode = PDU_ASYNC_MESSAGE, .final = true, .itt = PDU_RESERVED_TAG};
    struct reading *reading = two->readings;

    read_some(two, reading, 16);
    peer_take(&two->first, PDU_SCSI_COMMAND);
    pdu.async_message.event = ASYNC_LOGOUT_REQUESTED;
    pdu.async_message.parameter3 = 1;
    pdu.async_message.sn = peer_sn(&two->first, true);
    peer_say(&two->first, &pdu, NULL, 0);
    assert_true(peer_silent(&two->first)); /* its task first, but not for longer than asked */
    connection_tick(two->first.connection, two->first.now + 500);
    peer_take(&two->first, PDU_LOGOUT_REQUEST);
    assert_int_equal(two->first.framer.pdu.logout_request.reason, LOGOUT_CLOSE_CONNECTION);
    assert_true(session_usable(two->first.session));
}

/* --- text --- */

static enum status text_piece(struct text_exchange *exchange, const char *text, size_t length)
{
    (void)exchange;
    (void)text;
    (void)length;
    return STATUS_OK;
}

static void text_done(struct text_exchange *exchange, enum status status)
{
    *(enum status *)exchange->context = status;
}

static void text_stays_on_its_connection(void **state)
{
    struct two *two = *state;
    enum status status = STATUS_COUNT;
    struct text_exchange exchange = {.request = "SendTargets=All",
                                     .request_length = 16,
                                     .piece = text_piece,
                                     .done = text_done,
                                     .context = &status,
                                     .limit = 100};
    struct pdu pdu = {.opcode = PDU_TEXT_RESPONSE, .final = true};

    assert_int_equal(session_text(two->first.session, &exchange, two->first.now), STATUS_OK);
    pdu.itt = peer_take(&two->first, PDU_TEXT_REQUEST)->itt;
    pdu.text_response.ttt = PDU_RESERVED_TAG;
    pdu.text_response.sn = peer_sn(&two->second, true);
    peer_say(&two->second, &pdu, "A=b", 4);
    assert_true(two->second.closed);
    assert_int_equal(status, STATUS_COUNT);
    connection_lost(two->first.connection, STATUS_CONNECTION_RESET);
    assert_int_equal(status, STATUS_CONNECTION_RESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_login_joins_the_session),
        cmocka_unit_test(a_wrong_tsih_ends_the_second_login_only),
        TEST(max_connections_is_kept),
        cmocka_unit_test(a_second_login_waits_for_the_first),
        TEST(cids_are_never_used_twice),
        cmocka_unit_test(a_connection_has_digests_and_secrets_of_its_own),
        TEST(commands_go_where_least_is_under_way),
        TEST(stat_sn_counts_for_each_connection),
        TEST(an_answer_on_the_wrong_connection_is_refused),
        TEST(a_lost_connection_takes_only_its_tasks),
        TEST(what_a_lost_connection_carried_ends_when_the_target_has_dropped_it),
        TEST(without_an_answer_to_that_the_session_ends),
        TEST(a_hole_is_filled_by_a_connection_that_is_logging_in),
        TEST(a_leaving_connection_ends_its_tasks_first),
        TEST(draining_has_its_time),
        TEST(a_connection_is_logged_out_on_another),
        TEST(a_connection_may_go_before_its_logout_is_answered),
        TEST(a_session_logout_closes_all),
        TEST(a_requested_logout_takes_one_of_several),
        TEST(text_stays_on_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
