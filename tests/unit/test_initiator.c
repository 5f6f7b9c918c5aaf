/* The initiator core against a target made of function calls: no network, no waiting. */
#include "initiator_peer.h"

/* --- login --- */

static void names_go_first_and_login_ends_in_full_feature(void **state)
{
    struct peer peer;
    const struct pdu *request;

    (void)state;
    peer_start(&peer, &peer_settings);
    request = peer_take(&peer, PDU_LOGIN_REQUEST);
    assert_true(request->immediate);
    assert_true(request->login_request.transit);
    assert_int_equal(request->login_request.current_stage, LOGIN_STAGE_OPERATIONAL);
    assert_int_equal(request->login_request.next_stage, LOGIN_STAGE_FULL_FEATURE);
    assert_int_equal(request->login_request.tsih, 0);
    assert_string_equal((char *)peer.text, "InitiatorName=iqn.2026-11.test:initiator");
    peer_stop(&peer);

    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    assert_int_equal(session_tsih(peer.session), 0x27);
    assert_int_equal(session_values(peer.session)->max_send_data_segment_length, 8192);
    assert_int_equal(session_values(peer.session)->max_burst_length, 262144);
    assert_true(session_usable(peer.session));
    assert_true(peer_silent(&peer));
    peer_stop(&peer);
}

static void login_text_may_be_split_in_a_key(void **state)
{
    struct peer peer;
    struct pdu answer;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_take(&peer, PDU_LOGIN_REQUEST);
    answer = peer_login_answer(&peer, -1);
    answer.login_response.more = true;
    peer_say(&peer, &answer, "TargetAl", 8);
    assert_int_equal(peer_take(&peer, PDU_LOGIN_REQUEST)->data_length, 0);
    assert_false(peer.framer.pdu.login_request.transit);
    answer = peer_login_answer(&peer, -1);
    peer_say(&peer, &answer, "ias=disk", sizeof "ias=disk");
    assert_false(peer.closed);
    /* The target did not move on: it is asked again. */
    assert_true(peer_take(&peer, PDU_LOGIN_REQUEST)->login_request.transit);
    assert_string_equal(session_target_alias(peer.session), "disk");
    peer_stop(&peer);
}

static void login_fails_at_its_deadline(void **state)
{
    struct peer peer;

    (void)state;
    peer_start(&peer, &peer_settings);
    assert_int_equal(connection_due(peer.connection), peer.now + 1000);
    connection_tick(peer.connection, peer.now + 999);
    assert_false(peer.closed);
    connection_tick(peer.connection, peer.now + 1000);
    assert_true(peer.closed);
    assert_int_equal(peer.status, STATUS_LOGIN_TIMEOUT);
    peer_stop(&peer);
}

static void every_login_status_has_its_own_meaning(void **state)
{
    static const struct {
        uint8_t class, detail;
        enum status status;
    } rows[] = {
        {1, 1, STATUS_TARGET_MOVED_TEMPORARILY},
        {1, 2, STATUS_TARGET_MOVED_PERMANENTLY},
        {1, 9, STATUS_LOGIN_FAILED},
        {2, 0, STATUS_LOGIN_INITIATOR_ERROR},
        {2, 1, STATUS_LOGIN_AUTHENTICATION_FAILED},
        {2, 2, STATUS_LOGIN_AUTHORIZATION_FAILED},
        {2, 3, STATUS_LOGIN_NOT_FOUND},
        {2, 4, STATUS_LOGIN_TARGET_REMOVED},
        {2, 5, STATUS_LOGIN_UNSUPPORTED_VERSION},
        {2, 6, STATUS_LOGIN_TOO_MANY_CONNECTIONS},
        {2, 7, STATUS_LOGIN_MISSING_PARAMETER},
        {2, 8, STATUS_LOGIN_CANT_INCLUDE},
        {2, 9, STATUS_LOGIN_SESSION_TYPE},
        {2, 10, STATUS_LOGIN_NO_SESSION},
        {2, 11, STATUS_LOGIN_INVALID_REQUEST},
        {2, 99, STATUS_LOGIN_INITIATOR_ERROR},
        {3, 0, STATUS_LOGIN_TARGET_ERROR},
        {3, 1, STATUS_LOGIN_SERVICE_UNAVAILABLE},
        {3, 2, STATUS_LOGIN_OUT_OF_RESOURCES},
        {3, 77, STATUS_LOGIN_TARGET_ERROR},
        {4, 0, STATUS_LOGIN_FAILED},
        {255, 255, STATUS_LOGIN_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer peer;
        struct pdu answer;

        peer_start(&peer, &peer_settings);
        peer_take(&peer, PDU_LOGIN_REQUEST);
        answer = peer_login_answer(&peer, -1);
        answer.login_response.status_class = rows[i].class;
        answer.login_response.status_detail = rows[i].detail;
        answer.login_response.sn.stat_sn = 0; /* counts for nothing */
        peer_say(&peer, &answer, NULL, 0);
        assert_true(peer.closed);
        assert_int_equal(peer.status, rows[i].status);
        peer_stop(&peer);
    }
}

static void a_redirect_tells_where(void **state)
{
    static const char text[] = "TargetAddress=[2001:db8::7]:860,3";
    struct peer peer;
    struct pdu answer;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_take(&peer, PDU_LOGIN_REQUEST);
    answer = peer_login_answer(&peer, -1);
    answer.login_response.status_class = 1;
    answer.login_response.status_detail = 1;
    peer_say(&peer, &answer, text, sizeof text);
    assert_int_equal(peer.status, STATUS_TARGET_MOVED_TEMPORARILY);
    assert_non_null(connection_redirect(peer.connection));
    assert_string_equal(connection_redirect(peer.connection)->host, "2001:db8::7");
    assert_int_equal(connection_redirect(peer.connection)->port, 860);
    peer_stop(&peer);
}

/* Each changes one thing in a good answer to the first request. */
static void break_itt(struct pdu *answer)
{
    answer->itt = 1;
}
static void break_isid(struct pdu *answer)
{
    answer->login_response.isid[5] ^= 1;
}
static void break_version(struct pdu *answer)
{
    answer->login_response.version_active = 1;
}
static void break_stage(struct pdu *answer)
{
    answer->login_response.current_stage = 0;
}
static void break_next(struct pdu *answer)
{
    answer->login_response.next_stage = 1;
}
static void break_reserved_stage(struct pdu *answer)
{
    answer->login_response.next_stage = 2;
}
static void break_more(struct pdu *answer)
{
    answer->login_response.more = true;
}
static void break_tsih(struct pdu *answer)
{
    answer->login_response.tsih = 0;
}
static void break_opcode(struct pdu *answer)
{
    *answer = (struct pdu){.opcode = PDU_NOP_IN};
}
static void break_request(struct pdu *answer)
{
    *answer = (struct pdu){.opcode = PDU_NOP_OUT};
}

static void a_broken_login_answer_is_refused(void **state)
{
    void (*const breakers[])(struct pdu *) = {
        break_itt,  break_isid,           break_version, break_stage,   break_next,
        break_more, break_reserved_stage, break_opcode,  break_request, break_tsih};

    (void)state;
    for (size_t i = 0; i < sizeof breakers / sizeof *breakers; i++) {
        struct peer peer;
        struct pdu answer;

        peer_start(&peer, &peer_settings);
        peer_take(&peer, PDU_LOGIN_REQUEST);
        answer = peer_login_answer(&peer, LOGIN_STAGE_FULL_FEATURE);
        breakers[i](&answer);
        peer_say(&peer, &answer, OPERATIONAL_ANSWER, sizeof OPERATIONAL_ANSWER);
        assert_true(peer.closed);
        assert_int_equal(peer.status, STATUS_PROTOCOL_ERROR);
        assert_string_not_equal(connection_detail(peer.connection), "");
        peer_stop(&peer);
    }
}

static void an_endless_login_is_stopped(void **state)
{
    struct peer peer;
    unsigned rounds = 0;

    (void)state;
    peer_start(&peer, &peer_settings);
    while (!peer.closed && rounds++ < 1000) {
        struct pdu answer;

        peer_take(&peer, PDU_LOGIN_REQUEST);
        answer = peer_login_answer(&peer, -1);
        peer_say(&peer, &answer, NULL, 0);
    }
    assert_true(peer.closed);
    assert_int_equal(peer.status, STATUS_PROTOCOL_ERROR);
    peer_stop(&peer);
}

/* --- commands --- */

struct reading {
    struct task task;
    struct iov piece;
    uint8_t data[256];
    unsigned ended;
};

static void reading_done(struct task *task)
{
    struct reading *reading = task->context;

    reading->ended++;
}

static void read_some(struct peer *peer, struct reading *reading, uint32_t length)
{
    memset(reading, 0, sizeof *reading);
    reading->piece.base = reading->data;
    reading->piece.length = length;
    reading->task.data_in = &reading->piece;
    reading->task.data_in_count = 1;
    reading->task.data_in_length = length;
    reading->task.done = reading_done;
    reading->task.context = reading;
    scsi_inquiry(&reading->task.cdb, 0, 0, (uint16_t)length);
    session_submit(peer->session, &reading->task, peer->now);
}

static struct pdu data_in(struct peer *peer, uint32_t itt, uint32_t data_sn, uint32_t offset,
                          bool status)
{
    struct pdu pdu = {.opcode = PDU_DATA_IN, .final = true, .itt = itt};

    pdu.data_in.ttt = PDU_RESERVED_TAG;
    pdu.data_in.data_sn = data_sn;
    pdu.data_in.offset = offset;
    pdu.data_in.status_present = status;
    pdu.data_in.sn = peer_sn(peer, status);
    return pdu;
}

static struct pdu scsi_answer(struct peer *peer, uint32_t itt, uint8_t status)
{
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = itt};

    pdu.scsi_response.status = status;
    pdu.scsi_response.sn = peer_sn(peer, true);
    return pdu;
}

static void data_and_status_in_one_pdu(void **state)
{
    struct peer peer;
    struct reading reading;
    struct pdu pdu;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    read_some(&peer, &reading, 36);
    assert_int_equal(peer_take(&peer, PDU_SCSI_COMMAND)->scsi_command.expected_length, 36);
    assert_true(peer.framer.pdu.scsi_command.read);
    assert_int_equal(peer.framer.pdu.scsi_command.cdb[0], SCSI_INQUIRY);
    pdu = data_in(&peer, peer.framer.pdu.itt, 0, 0, true);
    pdu.data_in.underflow = true;
    pdu.data_in.residual = 32;
    peer_say(&peer, &pdu, "abcd", 4);
    assert_int_equal(reading.ended, 1);
    assert_int_equal(reading.task.status, STATUS_OK);
    assert_int_equal(reading.task.transferred, 4);
    assert_true(reading.task.underflow);
    assert_int_equal(reading.task.residual, 32);
    assert_memory_equal(reading.data, "abcd", 4);
    assert_int_equal(session_outstanding(peer.session), 0);
    peer_stop(&peer);
}

static void sense_reaches_the_caller(void **state)
{
    struct peer peer;
    struct reading reading;
    struct pdu pdu;
    uint8_t segment[20] = {0, 18};

    (void)state;
    scsi_sense_encode(segment + 2, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    for (size_t length = 0; length <= sizeof segment; length++) {
        read_some(&peer, &reading, 36);
        peer_take(&peer, PDU_SCSI_COMMAND);
        peer.max_cmd_sn++;
        pdu = scsi_answer(&peer, peer.framer.pdu.itt, SCSI_CHECK_CONDITION);
        peer_say(&peer, &pdu, segment, length); /* cut short anywhere */
        assert_int_equal(reading.ended, 1);
        assert_int_equal(reading.task.status, STATUS_SCSI_STATUS);
        assert_int_equal(reading.task.scsi_status, SCSI_CHECK_CONDITION);
        assert_int_equal(reading.task.sense_length, length < 2 ? 0 : length - 2);
    }
    assert_memory_equal(reading.task.sense, segment + 2, 18);
    peer_stop(&peer);
}

static void the_window_holds_commands_back(void **state)
{
    struct peer peer;
    struct reading reading[3];
    struct pdu pdu = {.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};
    uint32_t first;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer.max_cmd_sn = 1; /* room for one */
    peer_log_in(&peer);
    for (size_t i = 0; i < 3; i++)
        read_some(&peer, &reading[i], 4);
    first = peer_take(&peer, PDU_SCSI_COMMAND)->scsi_command.cmd_sn;
    assert_true(peer_silent(&peer));
    /* One that waits is cancelled: no hole is left in CmdSN. */
    session_cancel(peer.session, &reading[1].task);
    assert_int_equal(reading[1].ended, 1);
    assert_int_equal(reading[1].task.status, STATUS_CANCELLED);
    pdu.nop_in.ttt = PDU_RESERVED_TAG;
    peer.exp_cmd_sn = first + 1;
    peer.max_cmd_sn = first - 1; /* contradicts itself: ignored */
    pdu.nop_in.sn = peer_sn(&peer, false);
    peer_say(&peer, &pdu, NULL, 0);
    assert_true(peer_silent(&peer));
    peer.max_cmd_sn = first + 1;
    pdu.nop_in.sn = peer_sn(&peer, false);
    peer_say(&peer, &pdu, NULL, 0);
    assert_int_equal(peer_take(&peer, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, first + 1);
    peer_stop(&peer);
    assert_int_equal(reading[0].task.status, STATUS_CANCELLED);
    assert_int_equal(reading[2].ended, 1);
}

/* A late answer must not complete, nor write to, anything newer. */
static void a_cancelled_command_is_never_mistaken(void **state)
{
    struct peer peer;
    struct reading old, fresh;
    struct pdu pdu;
    uint32_t old_itt;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    read_some(&peer, &old, 8);
    old_itt = peer_take(&peer, PDU_SCSI_COMMAND)->itt;
    session_cancel(peer.session, &old.task);
    assert_int_equal(old.ended, 1);
    assert_true(old.task.sent);
    memset(&old, 0xee, sizeof old);
    read_some(&peer, &fresh, 8);
    peer_skip(&peer, PDU_TASK_REQUEST);
    assert_int_not_equal(peer_take(&peer, PDU_SCSI_COMMAND)->itt, old_itt);
    pdu = data_in(&peer, old_itt, 0, 0, true);
    peer_say(&peer, &pdu, "oldolddd", 8);
    assert_false(peer.closed);
    assert_int_equal(fresh.ended, 0);
    assert_int_equal(old.data[0], 0xee);
    pdu = data_in(&peer, peer.framer.pdu.itt, 0, 0, true);
    peer_say(&peer, &pdu, "newnewww", 8);
    assert_int_equal(fresh.ended, 1);
    assert_memory_equal(fresh.data, "newnewww", 8);
    /* Once it was answered its tag is nobody's. */
    pdu = data_in(&peer, old_itt, 0, 0, true);
    peer_say(&peer, &pdu, "again", 5);
    assert_true(peer.closed);
    peer_stop(&peer);
}

/* Its CmdSN is used all the same: what comes later would wait for it for ever. */
static void a_command_cancelled_before_it_left_leaves_no_hole(void **state)
{
    struct peer peer;
    struct reading readings[3];
    struct pdu pdu = {.opcode = PDU_NOP_IN, .final = true};

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    for (size_t i = 0; i < 3; i++)
        read_some(&peer, &readings[i], 8);
    session_cancel(peer.session, &readings[1].task);
    assert_int_equal(readings[1].ended, 1);
    assert_false(readings[1].task.sent);
    assert_int_equal(peer_take(&peer, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, 1);
    assert_int_equal(peer_take(&peer, PDU_NOP_OUT)->nop_out.cmd_sn, 2);
    assert_false(peer.framer.pdu.immediate);
    assert_int_equal(peer.framer.pdu.nop_out.ttt, PDU_RESERVED_TAG);
    pdu.itt = peer.framer.pdu.itt;
    assert_int_equal(peer_take(&peer, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, 3);
    pdu.nop_in.ttt = PDU_RESERVED_TAG;
    pdu.nop_in.sn = peer_sn(&peer, true);
    peer_say(&peer, &pdu, NULL, 0);
    assert_false(peer.closed);
    pdu.nop_in.sn = peer_sn(&peer, true);
    peer_say(&peer, &pdu, NULL, 0); /* twice is too often */
    assert_true(peer.closed);
    peer_stop(&peer);
}

static void a_command_ends_at_its_deadline(void **state)
{
    struct peer peer;
    struct reading reading;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    read_some(&peer, &reading, 8);
    assert_int_equal(connection_due(peer.connection), peer.now + 2000);
    connection_tick(peer.connection, peer.now + 2000);
    assert_int_equal(reading.ended, 1);
    assert_int_equal(reading.task.status, STATUS_COMMAND_TIMEOUT);
    assert_false(peer.closed);
    peer_stop(&peer);
}

enum fault {
    DATA_SN_GAP,
    OFFSET_GAP,
    BEYOND_THE_BUFFER,
    OFFSET_OVERFLOW,
    STAT_SN_GAP,
    WRONG_ITT,
    STRAY_R2T,
    FAULTS
};

static void faulty_data_ends_the_connection(void **state)
{
    (void)state;
    for (int fault = 0; fault < FAULTS; fault++) {
        struct peer peer;
        struct reading reading;
        struct pdu pdu;
        uint32_t itt;

        peer_start(&peer, &peer_settings);
        peer_log_in(&peer);
        read_some(&peer, &reading, 8);
        itt = peer_take(&peer, PDU_SCSI_COMMAND)->itt;
        peer.stat_sn += fault == STAT_SN_GAP;
        pdu = data_in(&peer, fault == WRONG_ITT ? itt + 1 : itt, fault == DATA_SN_GAP,
                      fault == OFFSET_GAP        ? 4
                      : fault == OFFSET_OVERFLOW ? 0xfffffffc
                                                 : 0,
                      true);
        if (fault == STRAY_R2T) {
            pdu = (struct pdu){.opcode = PDU_R2T, .final = true, .itt = itt};
            pdu.r2t.sn = peer_sn(&peer, false);
            peer_say(&peer, &pdu, NULL, 0);
        } else {
            peer_say(&peer, &pdu, "123456789abc", fault == BEYOND_THE_BUFFER ? 12 : 4);
        }
        assert_true(peer.closed);
        assert_int_equal(peer.status, STATUS_PROTOCOL_ERROR);
        assert_int_equal(reading.ended, 1);
        assert_int_equal(reading.task.status, STATUS_PROTOCOL_ERROR);
        peer_stop(&peer);
    }
}

/* --- control --- */

static void a_ping_gets_its_tags_back(void **state)
{
    struct peer peer;
    struct pdu ping = {.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};
    const struct pdu *answer;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    ping.lun = 0x0001000000000000;
    ping.nop_in.ttt = 0x1234;
    ping.nop_in.sn = peer_sn(&peer, false);
    peer_say(&peer, &ping, NULL, 0);
    answer = peer_take(&peer, PDU_NOP_OUT);
    assert_true(answer->immediate);
    assert_int_equal(answer->itt, PDU_RESERVED_TAG);
    assert_int_equal(answer->nop_out.ttt, 0x1234);
    assert_true(answer->lun == ping.lun);
    peer_stop(&peer);
}

static void async_messages_are_obeyed(void **state)
{
    (void)state;
    for (uint8_t event = 0; event < 8; event++) {
        struct peer peer;
        struct pdu pdu = {.opcode = PDU_ASYNC_MESSAGE, .final = true, .itt = PDU_RESERVED_TAG};

        peer_start(&peer, &peer_settings);
        peer_log_in(&peer);
        pdu.async_message.event = event;
        pdu.async_message.parameter1 = 1; /* the CID, for event 2 */
        pdu.async_message.sn = peer_sn(&peer, true);
        peer_say(&peer, &pdu, NULL, 0);
        assert_int_equal(peer.async, 1);
        assert_int_equal(peer.closed,
                         event == ASYNC_DROP_CONNECTION || event == ASYNC_DROP_SESSION);
        if (event == ASYNC_LOGOUT_REQUESTED)
            peer_take(&peer, PDU_LOGOUT_REQUEST);
        else if (event == ASYNC_RENEGOTIATE)
            peer_take(&peer, PDU_TEXT_REQUEST);
        else if (!peer.closed)
            assert_true(peer_silent(&peer));
        peer_stop(&peer);
    }
}

static void logout_waits_for_its_answer(void **state)
{
    struct peer peer;
    struct pdu pdu = {.opcode = PDU_LOGOUT_RESPONSE, .final = true};

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    connection_logout(peer.connection, LOGOUT_CLOSE_SESSION, peer.now);
    pdu.itt = peer_take(&peer, PDU_LOGOUT_REQUEST)->itt;
    pdu.logout_response.sn = peer_sn(&peer, true);
    assert_false(session_usable(peer.session));
    peer_say(&peer, &pdu, NULL, 0);
    assert_true(peer.closed);
    assert_int_equal(peer.status, STATUS_OK);
    peer_stop(&peer);

    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    connection_logout(peer.connection, LOGOUT_CLOSE_SESSION, peer.now);
    connection_tick(peer.connection, peer.now + 500);
    assert_int_equal(peer.status, STATUS_LOGOUT_TIMEOUT);
    peer_stop(&peer);

    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    connection_logout(peer.connection, LOGOUT_CLOSE_SESSION, peer.now);
    connection_lost(peer.connection, STATUS_CONNECTION_CLOSED);
    assert_int_equal(peer.status, STATUS_OK);
    peer_stop(&peer);
}

static void a_reject_ends_what_it_names(void **state)
{
    struct peer peer;
    struct reading reading, other;
    struct pdu pdu = {.opcode = PDU_REJECT, .final = true, .itt = PDU_RESERVED_TAG};
    uint8_t header[PDU_BHS_LENGTH];

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    read_some(&peer, &reading, 8);
    read_some(&peer, &other, 8);
    pdu_encode(peer_take(&peer, PDU_SCSI_COMMAND), header);
    pdu.reject.reason = REJECT_INVALID_PDU_FIELD;
    pdu.reject.sn = peer_sn(&peer, true);
    peer_say(&peer, &pdu, header, 20); /* too short to tell: no harm */
    assert_int_equal(reading.ended, 0);
    pdu.reject.sn = peer_sn(&peer, true);
    peer_say(&peer, &pdu, header, sizeof header);
    assert_int_equal(reading.ended, 1);
    assert_int_equal(reading.task.status, STATUS_REJECTED);
    assert_int_equal(other.ended, 0);
    assert_false(peer.closed);
    peer_stop(&peer);
}

static void a_target_that_only_pings_is_dropped(void **state)
{
    struct peer peer;
    struct pdu ping = {.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};
    size_t pings = 0;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    ping.nop_in.ttt = 1;
    ping.nop_in.sn = peer_sn(&peer, false);
    while (!peer.closed && pings++ < 100000)
        peer_say(&peer, &ping, NULL, 0);
    assert_true(peer.closed);
    assert_int_equal(peer.status, STATUS_PROTOCOL_ERROR);
    peer_stop(&peer);
}

/* --- text --- */

struct asking {
    struct text_exchange exchange;
    char answer[256];
    size_t length;
    unsigned ended;
    enum status status;
};

static enum status asking_piece(struct text_exchange *exchange, const char *text, size_t length)
{
    struct asking *asking = exchange->context;

    memcpy(asking->answer + asking->length, text, length);
    asking->length += length;
    return STATUS_OK;
}

static void asking_done(struct text_exchange *exchange, enum status status)
{
    struct asking *asking = exchange->context;

    asking->ended++;
    asking->status = status;
}

static void ask(struct peer *peer, struct asking *asking)
{
    static const char request[] = "SendTargets=All";

    memset(asking, 0, sizeof *asking);
    asking->exchange.request = request;
    asking->exchange.request_length = sizeof request;
    asking->exchange.piece = asking_piece;
    asking->exchange.done = asking_done;
    asking->exchange.context = asking;
    asking->exchange.limit = 200;
    assert_int_equal(session_text(peer->session, &asking->exchange, peer->now), STATUS_OK);
}

static struct pdu text_answer(struct peer *peer, uint32_t itt, uint32_t ttt)
{
    struct pdu pdu = {.opcode = PDU_TEXT_RESPONSE, .final = ttt == PDU_RESERVED_TAG, .itt = itt};

    pdu.text_response.more = !pdu.final;
    pdu.text_response.ttt = ttt;
    pdu.text_response.sn = peer_sn(peer, true);
    return pdu;
}

static void text_continues_by_its_ttt(void **state)
{
    struct peer peer;
    struct asking asking;
    struct pdu pdu;
    uint32_t itt;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    ask(&peer, &asking);
    itt = peer_take(&peer, PDU_TEXT_REQUEST)->itt;
    assert_int_equal(peer.framer.pdu.text_request.ttt, PDU_RESERVED_TAG);
    pdu = text_answer(&peer, itt, 0x77);
    peer_say(&peer, &pdu, "Targ", 4);
    assert_int_equal(peer_take(&peer, PDU_TEXT_REQUEST)->itt, itt);
    assert_int_equal(peer.framer.pdu.text_request.ttt, 0x77);
    assert_int_equal(peer.framer.pdu.data_length, 0);
    pdu = text_answer(&peer, itt, PDU_RESERVED_TAG);
    peer_say(&peer, &pdu, "etName=x", 9);
    assert_int_equal(asking.ended, 1);
    assert_int_equal(asking.status, STATUS_OK);
    assert_string_equal(asking.answer, "TargetName=x");
    peer_stop(&peer);
}

static void endless_text_is_bounded(void **state)
{
    struct peer peer;
    struct asking asking;
    struct pdu pdu;
    uint32_t itt;

    (void)state;
    peer_start(&peer, &peer_settings);
    peer_log_in(&peer);
    ask(&peer, &asking);
    itt = peer_take(&peer, PDU_TEXT_REQUEST)->itt;
    for (int i = 0; i < 5 && !asking.ended; i++) {
        pdu = text_answer(&peer, itt, 0x77);
        peer_say(&peer, &pdu, "0123456789012345678901234567890123456789012345678", 50);
    }
    assert_int_equal(asking.ended, 1);
    assert_int_equal(asking.status, STATUS_TEXT_TOO_LONG);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_first_and_login_ends_in_full_feature),
        cmocka_unit_test(login_text_may_be_split_in_a_key),
        cmocka_unit_test(login_fails_at_its_deadline),
        cmocka_unit_test(every_login_status_has_its_own_meaning),
        cmocka_unit_test(a_redirect_tells_where),
        cmocka_unit_test(a_broken_login_answer_is_refused),
        cmocka_unit_test(an_endless_login_is_stopped),
        cmocka_unit_test(data_and_status_in_one_pdu),
        cmocka_unit_test(sense_reaches_the_caller),
        cmocka_unit_test(the_window_holds_commands_back),
        cmocka_unit_test(a_cancelled_command_is_never_mistaken),
        cmocka_unit_test(a_command_cancelled_before_it_left_leaves_no_hole),
        cmocka_unit_test(a_command_ends_at_its_deadline),
        cmocka_unit_test(faulty_data_ends_the_connection),
        cmocka_unit_test(a_ping_gets_its_tags_back),
        cmocka_unit_test(async_messages_are_obeyed),
        cmocka_unit_test(logout_waits_for_its_answer),
        cmocka_unit_test(a_reject_ends_what_it_names),
        cmocka_unit_test(a_target_that_only_pings_is_dropped),
        cmocka_unit_test(text_continues_by_its_ttt),
        cmocka_unit_test(endless_text_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
