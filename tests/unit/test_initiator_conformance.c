/* Items of docs/conformance.md that no other test holds: the initiator core against a target made
 * of function calls. */
#include "initiator/internal.h"
#include "initiator_peer.h"

enum { READINGS = 16, ROOM = 1024 };

struct reading {
    struct task task;
    struct iov piece;
    uint8_t data[ROOM];
    unsigned ended;
};

struct fixture {
    struct peer peer;
    struct session_settings settings;
    struct reading readings[READINGS];
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->settings = peer_settings;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    session_free(fixture->peer.session);
    free(fixture);
    return 0;
}

/* The window at the end of the login has room for `window` commands. */
static void start(struct fixture *fixture, uint32_t window)
{
    session_free(fixture->peer.session);
    peer_start(&fixture->peer, &fixture->settings);
    fixture->peer.max_cmd_sn = window;
    peer_log_in(&fixture->peer);
}

static void reading_done(struct task *task)
{
    struct reading *reading = task->context;

    reading->ended++;
}

static struct reading *submit(struct fixture *fixture, size_t i, uint32_t length, bool write)
{
    struct reading *reading = &fixture->readings[i];

    memset(reading, 0, sizeof *reading);
    reading->piece = (struct iov){reading->data, length};
    if (write) {
        reading->task.data_out = &reading->piece;
        reading->task.data_out_count = 1;
        reading->task.data_out_length = length;
    } else {
        reading->task.data_in = &reading->piece;
        reading->task.data_in_count = 1;
        reading->task.data_in_length = length;
    }
    reading->task.done = reading_done;
    reading->task.context = reading;
    scsi_inquiry(&reading->task.cdb, 0, 0, (uint16_t)length);
    session_submit(fixture->peer.session, &reading->task, fixture->peer.now);
    return reading;
}

static void answer(struct fixture *fixture, uint32_t itt)
{
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = itt};

    pdu.scsi_response.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, NULL, 0);
}

/* A NOP-In; with another tag than the reserved one it wants an answer. */
static void ping(struct fixture *fixture, uint32_t ttt)
{
    struct pdu pdu = {.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};

    pdu.nop_in.ttt = ttt;
    pdu.nop_in.sn = peer_sn(&fixture->peer, false);
    peer_say(&fixture->peer, &pdu, NULL, 0);
}

/* --- the command window --- */

static void a_window_may_have_no_room_at_first(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, 0);
    submit(fixture, 0, 8, false);
    submit(fixture, 1, 8, false);
    assert_true(peer_silent(&fixture->peer));
    fixture->peer.max_cmd_sn = 1;
    ping(fixture, PDU_RESERVED_TAG);
    assert_int_equal(peer_take(&fixture->peer, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, 1);
    assert_true(peer_silent(&fixture->peer));
}

static void a_window_may_have_room_for_half_of_all_numbers(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, 0x7fffffff);
    for (uint32_t i = 0; i < READINGS; i++) {
        submit(fixture, i, 8, false);
        assert_int_equal(peer_take(&fixture->peer, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, i + 1);
    }
}

static void numbers_of_commands_go_through_zero(void **state)
{
    struct fixture *fixture = *state;
    struct session *session;

    start(fixture, 0);
    session = fixture->peer.session;
    session->cmd_sn = session->exp_cmd_sn = fixture->peer.exp_cmd_sn = 0xfffffffe;
    session->max_cmd_sn = 0xfffffffd;
    fixture->peer.max_cmd_sn = 1;
    for (uint32_t i = 0; i < 5; i++)
        submit(fixture, i, 8, false);
    ping(fixture, PDU_RESERVED_TAG);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(peer_take(&fixture->peer, PDU_SCSI_COMMAND)->scsi_command.cmd_sn,
                         0xfffffffe + i);
    assert_true(peer_silent(&fixture->peer));
    /* An older pair, of before the wrap, takes nothing back. */
    fixture->peer.max_cmd_sn = 0xffffffff;
    ping(fixture, PDU_RESERVED_TAG);
    assert_int_equal(session->max_cmd_sn, 1);
}

static void a_response_may_close_the_window(void **state)
{
    struct fixture *fixture = *state;
    struct reading *first;

    start(fixture, 1);
    first = submit(fixture, 0, 8, false);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    fixture->peer.exp_cmd_sn = 2; /* and MaxCmdSN stays 1 */
    answer(fixture, first->task.itt);
    assert_int_equal(first->ended, 1);
    submit(fixture, 1, 8, false);
    assert_true(peer_silent(&fixture->peer));
    fixture->peer.max_cmd_sn = 2;
    ping(fixture, PDU_RESERVED_TAG);
    assert_int_equal(peer_take(&fixture->peer, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, 2);
}

static void immediate_pdus_do_not_wait_for_the_window(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, 0);
    submit(fixture, 0, 8, false);
    for (int i = 0; i < 2; i++) {
        ping(fixture, 7);
        assert_int_equal(peer_take(&fixture->peer, PDU_NOP_OUT)->nop_out.cmd_sn, 1);
        assert_true(fixture->peer.framer.pdu.immediate);
    }
    fixture->peer.max_cmd_sn = 1;
    ping(fixture, PDU_RESERVED_TAG);
    assert_int_equal(peer_take(&fixture->peer, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, 1);
    assert_false(fixture->peer.framer.pdu.immediate);
}

/* --- StatSN --- */

static void the_login_counts_statuses(void **state)
{
    struct fixture *fixture = *state;
    struct peer *peer = &fixture->peer;
    struct pdu pdu;

    peer_start(peer, &fixture->settings);
    peer->stat_sn = 0xffffffff;
    peer_take(peer, PDU_LOGIN_REQUEST);
    assert_int_equal(peer->framer.pdu.login_request.version_max, 0);
    assert_int_equal(peer->framer.pdu.login_request.version_min, 0);
    assert_int_equal(peer->framer.pdu.login_request.cid, 1);
    assert_memory_equal(peer->framer.pdu.login_request.isid, fixture->settings.isid, 6);
    pdu = peer_login_answer(peer, -1);
    peer_say(peer, &pdu, NULL, 0);
    assert_int_equal(peer_take(peer, PDU_LOGIN_REQUEST)->login_request.exp_stat_sn, 0);
    assert_int_equal(peer->framer.pdu.login_request.cmd_sn, 1);
    pdu = peer_login_answer(peer, LOGIN_STAGE_FULL_FEATURE);
    peer_say(peer, &pdu, OPERATIONAL_ANSWER, sizeof OPERATIONAL_ANSWER);
    assert_true(peer->logged_in);
    submit(fixture, 0, 8, false);
    assert_int_equal(peer_take(peer, PDU_SCSI_COMMAND)->scsi_command.exp_stat_sn, 1);
    assert_int_equal(peer->framer.pdu.scsi_command.cmd_sn, 1);
}

static void what_carries_no_status_number_counts_none(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;
    struct pdu pdu = {.opcode = PDU_DATA_IN};
    uint32_t stat_sn;

    start(fixture, 33);
    reading = submit(fixture, 0, 8, false);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    stat_sn = fixture->peer.stat_sn;
    pdu.itt = reading->task.itt;
    pdu.data_in.ttt = PDU_RESERVED_TAG;
    pdu.data_in.sn = peer_sn(&fixture->peer, false);
    pdu.data_in.sn.stat_sn = 0xdeadbeef; /* without the S bit it is no StatSN */
    peer_say(&fixture->peer, &pdu, "12345678", 8);
    ping(fixture, 7);
    assert_int_equal(peer_take(&fixture->peer, PDU_NOP_OUT)->nop_out.exp_stat_sn, stat_sn);
    answer(fixture, reading->task.itt);
    assert_int_equal(reading->task.status, STATUS_OK);
    ping(fixture, 7);
    assert_int_equal(peer_take(&fixture->peer, PDU_NOP_OUT)->nop_out.exp_stat_sn, stat_sn + 1);
}

/* --- data --- */

static void data_for_a_write_end_the_connection(void **state)
{
    struct fixture *fixture = *state;
    struct reading *writing;
    struct pdu pdu = {.opcode = PDU_DATA_IN};

    start(fixture, 33);
    writing = submit(fixture, 0, 8, true);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    pdu.itt = writing->task.itt;
    pdu.data_in.ttt = PDU_RESERVED_TAG;
    pdu.data_in.sn = peer_sn(&fixture->peer, false);
    peer_say(&fixture->peer, &pdu, "intruder", 8);
    assert_true(fixture->peer.closed);
    assert_int_equal(writing->task.status, STATUS_PROTOCOL_ERROR);
    assert_memory_equal(writing->data, "\0\0\0\0\0\0\0\0", 8);
}

static void padding_is_not_part_of_the_segment(void **state)
{
    struct fixture *fixture = *state;

    fixture->settings.offers.max_recv_data_segment_length = 513;
    for (uint32_t length = 513; length <= 514; length++) {
        static const uint8_t data[514] = {1};
        struct reading *reading;
        struct pdu pdu = {.opcode = PDU_DATA_IN, .final = true};

        start(fixture, 33);
        reading = submit(fixture, 0, length, false);
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        pdu.itt = reading->task.itt;
        pdu.data_in.ttt = PDU_RESERVED_TAG;
        pdu.data_in.status_present = true;
        pdu.data_in.sn = peer_sn(&fixture->peer, true);
        peer_say(&fixture->peer, &pdu, data, length); /* 516 bytes, both with their padding */
        assert_int_equal(reading->ended, 1);
        assert_int_equal(reading->task.status, length == 513 ? STATUS_OK : STATUS_PROTOCOL_ERROR);
        assert_int_equal(fixture->peer.closed, length == 514);
    }
}

static void digests_begin_after_the_login_and_never_cover_nothing(void **state)
{
    static const char text[] =
        "HeaderDigest=CRC32C\0DataDigest=CRC32C\0MaxConnections=1\0InitialR2T=Yes\0"
        "ImmediateData=Yes\0MaxRecvDataSegmentLength=8192\0MaxBurstLength=262144\0"
        "FirstBurstLength=65536\0DefaultTime2Wait=2\0DefaultTime2Retain=0\0MaxOutstandingR2T=1\0"
        "DataPDUInOrder=Yes\0DataSequenceInOrder=Yes\0ErrorRecoveryLevel=0";
    struct fixture *fixture = *state;
    struct peer *peer = &fixture->peer;
    struct reading *reading;

    peer_start(peer, &fixture->settings);
    peer_log_in_with(peer, text, sizeof text); /* neither side's login has digests */
    peer->digests = peer->framer.header_digest = peer->framer.data_digest = true;
    reading = submit(fixture, 0, 8, false);
    peer_collect(peer);
    assert_int_equal(peer->unread_length, PDU_BHS_LENGTH + PDU_DIGEST_LENGTH);
    peer_take(peer, PDU_SCSI_COMMAND);
    answer(fixture, reading->task.itt); /* without data: a header digest alone */
    assert_int_equal(reading->task.status, STATUS_OK);
    submit(fixture, 1, 5, true);
    peer_collect(peer);
    assert_int_equal(peer->unread_length, PDU_BHS_LENGTH + 2 * PDU_DIGEST_LENGTH + 8);
}

/* --- redirects, text, task management --- */

static void redirects_have_every_form(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } rows[] = {
        {"TargetAddress=10.0.0.9", "10.0.0.9", 3260},
        {"TargetAddress=10.0.0.9:3261", "10.0.0.9", 3261},
        {"TargetAddress=storage.example:860,7", "storage.example", 860},
        {"TargetAddress=[2001:db8::7]", "2001:db8::7", 3260},
        {"TargetAddress=[2001:db8::7]:1,65535", "2001:db8::7", 1},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct portal_address *to;
        struct pdu pdu;

        session_free(fixture->peer.session);
        peer_start(&fixture->peer, &fixture->settings);
        peer_take(&fixture->peer, PDU_LOGIN_REQUEST);
        pdu = peer_login_answer(&fixture->peer, -1);
        pdu.login_response.status_class = 1;
        pdu.login_response.status_detail = 2;
        peer_say(&fixture->peer, &pdu, rows[i].text, strlen(rows[i].text) + 1);
        assert_int_equal(fixture->peer.status, STATUS_TARGET_MOVED_PERMANENTLY);
        to = connection_redirect(fixture->peer.connection);
        if (to == NULL)
            fail_msg("%s leads nowhere", rows[i].text);
        assert_string_equal(to->host, rows[i].host);
        assert_int_equal(to->port, rows[i].port);
    }
}

struct asking {
    struct text_exchange exchange;
    unsigned ended;
    enum status status;
};

static enum status asking_piece(struct text_exchange *exchange, const char *text, size_t length)
{
    (void)exchange;
    (void)text;
    (void)length;
    return STATUS_OK;
}

static void asking_done(struct text_exchange *exchange, enum status status)
{
    struct asking *asking = exchange->context;

    asking->ended++;
    asking->status = status;
}

/* Takes the request: it is a first one, with the text and without the target's tag. */
static uint32_t ask(struct fixture *fixture, struct asking *asking)
{
    static const char request[] = "SendTargets=All";

    memset(asking, 0, sizeof *asking);
    asking->exchange = (struct text_exchange){.request = request,
                                              .request_length = sizeof request,
                                              .piece = asking_piece,
                                              .done = asking_done,
                                              .context = asking,
                                              .limit = 30};
    assert_int_equal(session_text(fixture->peer.session, &asking->exchange, fixture->peer.now),
                     STATUS_OK);
    peer_take(&fixture->peer, PDU_TEXT_REQUEST);
    assert_int_equal(fixture->peer.framer.pdu.text_request.ttt, PDU_RESERVED_TAG);
    assert_string_equal((char *)fixture->peer.text, request);
    return fixture->peer.framer.pdu.itt;
}

/* The first exchange is broken off in its middle: the second begins anew (RFC 7143, 11.10.4). */
static void text_that_was_broken_off_is_reset(void **state)
{
    struct fixture *fixture = *state;
    struct asking first, second;
    struct pdu pdu = {.opcode = PDU_TEXT_RESPONSE};
    struct pdu reject = {.opcode = PDU_REJECT, .final = true, .itt = PDU_RESERVED_TAG};
    uint8_t header[PDU_BHS_LENGTH];

    start(fixture, 33);
    pdu.itt = ask(fixture, &first);
    pdu.text_response.more = true;
    pdu.text_response.ttt = 0x77;
    pdu.text_response.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, "TargetName=", 11);
    assert_int_equal(peer_take(&fixture->peer, PDU_TEXT_REQUEST)->text_request.ttt, 0x77);
    pdu_encode(&fixture->peer.framer.pdu, header);
    fixture->peer.exp_cmd_sn = fixture->peer.framer.pdu.text_request.cmd_sn + 1;
    reject.reject.reason = REJECT_PROTOCOL_ERROR;
    reject.reject.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &reject, header, sizeof header);
    assert_int_equal(first.status, STATUS_REJECTED);
    assert_false(fixture->peer.closed);
    pdu.itt = ask(fixture, &second);
    pdu.final = true;
    pdu.text_response.more = false;
    pdu.text_response.ttt = PDU_RESERVED_TAG;
    pdu.text_response.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, NULL, 0);
    assert_int_equal(second.status, STATUS_OK);
    assert_int_equal(first.ended, 1);
    assert_int_equal(second.ended, 1);
}

static void managed(struct management *management)
{
    (*(unsigned *)management->context)++;
}

static void abort_task_set_holds_what_is_new(void **state)
{
    struct fixture *fixture = *state;
    unsigned ended = 0;
    struct management management = {
        .function = TASK_ABORT_TASK_SET, .done = managed, .context = &ended};
    struct pdu pdu = {.opcode = PDU_TASK_RESPONSE, .final = true};
    struct reading *old, *fresh;

    start(fixture, 33);
    old = submit(fixture, 0, 8, false);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    assert_int_equal(session_manage(fixture->peer.session, &management, fixture->peer.now),
                     STATUS_OK);
    pdu.itt = peer_take(&fixture->peer, PDU_TASK_REQUEST)->itt;
    fresh = submit(fixture, 1, 8, false);
    assert_true(peer_silent(&fixture->peer));
    pdu.task_response.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, NULL, 0);
    assert_int_equal(ended, 1);
    assert_int_equal(old->ended, 1);
    assert_int_equal(fresh->ended, 0);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    answer(fixture, fresh->task.itt);
    assert_int_equal(fresh->task.status, STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_window_may_have_no_room_at_first),
        TEST(a_window_may_have_room_for_half_of_all_numbers),
        TEST(numbers_of_commands_go_through_zero),
        TEST(a_response_may_close_the_window),
        TEST(immediate_pdus_do_not_wait_for_the_window),
        TEST(the_login_counts_statuses),
        TEST(what_carries_no_status_number_counts_none),
        TEST(data_for_a_write_end_the_connection),
        TEST(padding_is_not_part_of_the_segment),
        TEST(digests_begin_after_the_login_and_never_cover_nothing),
        TEST(redirects_have_every_form),
        TEST(text_that_was_broken_off_is_reset),
        TEST(abort_task_set_holds_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
