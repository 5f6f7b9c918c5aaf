/* Error recovery levels 1 and 2: what is lost or damaged is asked for again, and the tasks of a
 * lost connection go on on another. */
#include "initiator/internal.h"
#include "initiator_peer.h"

#include <stdio.h>

#define LENGTH 64u

struct reading {
    struct task task;
    struct iov piece;
    uint8_t data[LENGTH];
    unsigned ended;
};

struct fixture {
    struct peer peer;
    struct peer second;
    struct reading readings[4]; /* outlive the session */
};

static const uint8_t content[LENGTH] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+";

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    session_free(fixture->peer.session);
    free(fixture);
    return 0;
}

static void start_in(struct fixture *fixture, unsigned level, const char *in_order)
{
    struct session_settings settings = peer_settings;
    char text[512];
    int length;

    settings.offers.error_recovery_level = 2;
    settings.offers.max_connections = 4;
    settings.offers.data_pdu_in_order = settings.offers.data_sequence_in_order =
        strcmp(in_order, "Yes") == 0;
    settings.keep_tasks = true;
    settings.timeouts.command = 60000;
    session_free(fixture->peer.session);
    peer_start(&fixture->peer, &settings);
    length = snprintf(text, sizeof text,
                      "HeaderDigest=CRC32C\nDataDigest=CRC32C\nMaxConnections=2\nInitialR2T=Yes\n"
                      "ImmediateData=Yes\nMaxRecvDataSegmentLength=8192\nMaxBurstLength=262144\n"
                      "FirstBurstLength=65536\nDefaultTime2Wait=2\nDefaultTime2Retain=20\n"
                      "MaxOutstandingR2T=1\nDataPDUInOrder=%s\nDataSequenceInOrder=%s\n"
                      "ErrorRecoveryLevel=%u\n",
                      in_order, in_order, level);
    for (int i = 0; i < length; i++)
        if (text[i] == '\n')
            text[i] = '\0';
    peer_log_in_with(&fixture->peer, text, (size_t)length);
    fixture->peer.digests = true;
    fixture->peer.framer.header_digest = fixture->peer.framer.data_digest = true;
}

static void start(struct fixture *fixture, unsigned level)
{
    start_in(fixture, level, "Yes");
}

static void join(struct fixture *fixture, uint16_t cid)
{
    static const char text[] = "HeaderDigest=None\0DataDigest=None\0MaxRecvDataSegmentLength=4096";
    uint64_t now = fixture->peer.now;

    peer_join(&fixture->second, &fixture->peer, cid);
    fixture->second.now = now;
    fixture->second.exp_cmd_sn = fixture->peer.exp_cmd_sn;
    peer_take_offers(&fixture->second);
    {
        uint32_t exp_cmd_sn = fixture->second.exp_cmd_sn;
        struct pdu pdu = peer_login_answer(&fixture->second, LOGIN_STAGE_FULL_FEATURE);

        fixture->second.exp_cmd_sn = exp_cmd_sn > 0 ? exp_cmd_sn : 1;
        pdu.login_response.sn.exp_cmd_sn = fixture->second.exp_cmd_sn;
        peer_say(&fixture->second, &pdu, text, sizeof text);
    }
    assert_true(fixture->second.logged_in);
}

static void reading_done(struct task *task)
{
    struct reading *reading = task->context;

    reading->ended++;
}

static struct reading *submit(struct fixture *fixture, size_t i, bool write)
{
    struct reading *reading = &fixture->readings[i];

    memset(reading, 0, sizeof *reading);
    reading->piece = (struct iov){reading->data, LENGTH};
    if (write) {
        memcpy(reading->data, content, LENGTH);
        reading->task.data_out = &reading->piece;
        reading->task.data_out_count = 1;
        reading->task.data_out_length = LENGTH;
    } else {
        reading->task.data_in = &reading->piece;
        reading->task.data_in_count = 1;
        reading->task.data_in_length = LENGTH;
    }
    reading->task.done = reading_done;
    reading->task.context = reading;
    scsi_read(&reading->task.cdb, 0, 1);
    session_submit(fixture->peer.session, &reading->task, fixture->peer.now);
    return reading;
}

static struct reading *read_sent(struct fixture *fixture, size_t i)
{
    struct reading *reading = submit(fixture, i, false);

    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    return reading;
}

/* The 16 bytes of this number. */
static void say_data(struct peer *peer, uint32_t itt, uint32_t data_sn, bool status,
                     enum peer_damage damage)
{
    struct pdu pdu = {.opcode = PDU_DATA_IN, .final = status, .itt = itt};

    pdu.data_in.ttt = PDU_RESERVED_TAG;
    pdu.data_in.data_sn = data_sn;
    pdu.data_in.offset = data_sn * 16;
    pdu.data_in.status_present = status;
    pdu.data_in.sn = peer_sn(peer, status);
    peer_say_damaged(peer, &pdu, content + data_sn * 16, 16, damage);
}

static void say_status(struct peer *peer, uint32_t itt, uint32_t exp_data_sn, uint32_t stat_sn,
                       enum peer_damage damage)
{
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = itt};
    static const uint8_t sense[4] = {0, 2, 0x70, 0};

    pdu.scsi_response.exp_data_sn = exp_data_sn;
    pdu.scsi_response.sn = peer_sn(peer, false);
    pdu.scsi_response.sn.stat_sn = stat_sn;
    peer_say_damaged(peer, &pdu, sense, sizeof sense, damage);
}

static void take_snack(struct peer *peer, enum snack_type type, uint32_t begin, uint32_t run)
{
    const struct pdu *pdu = peer_take(peer, PDU_SNACK);

    assert_int_equal(pdu->snack.type, type);
    assert_int_equal(pdu->snack.begin_run, begin);
    assert_int_equal(pdu->snack.run_length, run);
}

static void assert_read(const struct reading *reading)
{
    assert_int_equal(reading->ended, 1);
    assert_int_equal(reading->task.status, STATUS_OK);
    assert_int_equal(reading->task.transferred, LENGTH);
    assert_memory_equal(reading->data, content, LENGTH);
}

/* --- level 0 --- */

static void damage_ends_the_connection_where_nothing_is_recovered(void **state)
{
    struct fixture *fixture = *state;

    for (int damage = PEER_BAD_HEADER; damage <= PEER_BAD_DATA; damage++) {
        struct reading *reading;

        start(fixture, 0);
        reading = read_sent(fixture, 0);
        say_data(&fixture->peer, reading->task.itt, 0, false, (enum peer_damage)damage);
        assert_true(fixture->peer.closed);
        assert_int_equal(fixture->peer.status,
                         damage == PEER_BAD_HEADER ? STATUS_HEADER_DIGEST : STATUS_DATA_DIGEST);
        assert_int_equal(reading->task.status, fixture->peer.status);
        assert_int_equal(session_kept(fixture->peer.session), 0);
    }
}

/* --- level 1: data --- */

static void damaged_data_are_asked_for_again(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;
    uint32_t itt;

    start(fixture, 1);
    reading = read_sent(fixture, 0);
    itt = reading->task.itt;
    say_data(&fixture->peer, itt, 0, false, PEER_SOUND);
    say_data(&fixture->peer, itt, 1, false, PEER_BAD_DATA);
    take_snack(&fixture->peer, SNACK_DATA_R2T, 1, 1);
    assert_int_equal(fixture->peer.framer.pdu.itt, itt);
    assert_int_equal(fixture->peer.framer.pdu.snack.ttt, PDU_RESERVED_TAG);
    say_data(&fixture->peer, itt, 2, false, PEER_SOUND);
    say_data(&fixture->peer, itt, 3, true, PEER_SOUND);
    assert_true(peer_silent(&fixture->peer)); /* asked for once */
    assert_int_equal(reading->ended, 0);
    say_data(&fixture->peer, itt, 1, false, PEER_BAD_DATA); /* again */
    take_snack(&fixture->peer, SNACK_DATA_R2T, 1, 1);
    say_data(&fixture->peer, itt, 1, false, PEER_SOUND);
    assert_read(reading);
    assert_false(fixture->peer.closed);
}

static void a_damaged_end_is_asked_for_with_its_status(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;
    uint32_t stat_sn;

    start(fixture, 1);
    reading = read_sent(fixture, 0);
    for (uint32_t i = 0; i < 3; i++)
        say_data(&fixture->peer, reading->task.itt, i, false, PEER_SOUND);
    stat_sn = fixture->peer.stat_sn;
    say_data(&fixture->peer, reading->task.itt, 3, true, PEER_BAD_DATA);
    take_snack(&fixture->peer, SNACK_DATA_R2T, 3, 1);
    assert_int_equal(fixture->peer.framer.pdu.snack.exp_stat_sn, stat_sn);
    fixture->peer.stat_sn = stat_sn;
    say_data(&fixture->peer, reading->task.itt, 3, true, PEER_SOUND);
    assert_read(reading);
}

static void data_missing_at_the_status_are_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;
    uint32_t itt;

    start(fixture, 1);
    reading = read_sent(fixture, 0);
    itt = reading->task.itt;
    say_data(&fixture->peer, itt, 1, false, PEER_SOUND); /* DataSN 0 is missing */
    take_snack(&fixture->peer, SNACK_DATA_R2T, 0, 1);
    say_status(&fixture->peer, itt, 4, fixture->peer.stat_sn++, PEER_SOUND);
    take_snack(&fixture->peer, SNACK_DATA_R2T, 2, 2);
    assert_int_equal(reading->ended, 0);
    say_data(&fixture->peer, itt, 3, false, PEER_SOUND);
    say_data(&fixture->peer, itt, 3, false, PEER_SOUND); /* a copy does not count */
    say_data(&fixture->peer, itt, 0, false, PEER_SOUND);
    assert_int_equal(reading->ended, 0);
    say_data(&fixture->peer, itt, 2, false, PEER_SOUND);
    assert_read(reading);
    assert_false(fixture->peer.closed);
}

static void data_come_in_any_order_when_that_was_agreed(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;
    static const uint32_t offsets[] = {48, 0, 32, 16};

    start_in(fixture, 0, "No");
    reading = read_sent(fixture, 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct pdu pdu = {.opcode = PDU_DATA_IN, .final = i == 3, .itt = reading->task.itt};

        pdu.data_in.ttt = PDU_RESERVED_TAG;
        pdu.data_in.data_sn = i;
        pdu.data_in.offset = offsets[i];
        pdu.data_in.status_present = i == 3;
        pdu.data_in.sn = peer_sn(&fixture->peer, i == 3);
        peer_say(&fixture->peer, &pdu, content + offsets[i], 16);
    }
    assert_read(reading);
    /* More than all is too much, wherever it goes. */
    reading = read_sent(fixture, 1);
    for (uint32_t i = 0; i < 5; i++) {
        struct pdu pdu = {.opcode = PDU_DATA_IN, .itt = reading->task.itt};

        pdu.data_in.data_sn = i;
        pdu.data_in.ttt = PDU_RESERVED_TAG;
        if (!fixture->peer.closed)
            peer_say(&fixture->peer, &pdu, content, 16);
    }
    assert_true(fixture->peer.closed);
}

static void the_a_bit_is_answered_when_nothing_is_missing(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;
    struct pdu pdu = {.opcode = PDU_DATA_IN, .lun = 0x0002000000000000};

    start(fixture, 1);
    reading = read_sent(fixture, 0);
    say_data(&fixture->peer, reading->task.itt, 0, false, PEER_BAD_DATA);
    take_snack(&fixture->peer, SNACK_DATA_R2T, 0, 1);
    pdu.itt = reading->task.itt;
    pdu.data_in.acknowledge = true;
    pdu.data_in.ttt = 0x4711;
    pdu.data_in.data_sn = 1;
    pdu.data_in.offset = 16;
    peer_say(&fixture->peer, &pdu, content + 16, 16);
    assert_true(peer_silent(&fixture->peer));
    say_data(&fixture->peer, reading->task.itt, 0, false, PEER_SOUND);
    take_snack(&fixture->peer, SNACK_DATA_ACK, 2, 0);
    assert_int_equal(fixture->peer.framer.pdu.itt, PDU_RESERVED_TAG);
    assert_int_equal(fixture->peer.framer.pdu.snack.ttt, 0x4711);
    assert_true(fixture->peer.framer.pdu.lun == 0x0002000000000000);
}

static void a_refused_snack_ends_the_task_alone(void **state)
{
    struct fixture *fixture = *state;
    struct pdu pdu = {.opcode = PDU_REJECT, .final = true, .itt = PDU_RESERVED_TAG};
    uint8_t header[PDU_BHS_LENGTH];
    struct reading *reading, *other;

    start(fixture, 1);
    reading = read_sent(fixture, 0);
    other = read_sent(fixture, 1);
    say_data(&fixture->peer, reading->task.itt, 0, false, PEER_BAD_DATA);
    pdu_encode(peer_take(&fixture->peer, PDU_SNACK), header);
    pdu.reject.reason = REJECT_SNACK;
    pdu.reject.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, header, sizeof header);
    assert_int_equal(reading->ended, 1);
    assert_int_equal(reading->task.status, STATUS_DATA_DIGEST);
    assert_int_equal(peer_take(&fixture->peer, PDU_TASK_REQUEST)->task_request.function,
                     TASK_ABORT_TASK);
    assert_int_equal(other->ended, 0);
    assert_false(fixture->peer.closed);
}

static void damage_without_end_ends_the_connection(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;

    start(fixture, 1);
    reading = read_sent(fixture, 0);
    for (int i = 0; i < 1000 && !fixture->peer.closed; i++)
        say_data(&fixture->peer, reading->task.itt, 0, false, PEER_BAD_DATA);
    assert_true(fixture->peer.closed);
    assert_int_equal(fixture->peer.status, STATUS_DATA_DIGEST);
    assert_int_equal(reading->ended, 1);
}

static void what_happens_is_counted(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;
    struct statistics sum;

    start(fixture, 2);
    session_statistics(fixture->peer.session, &sum);
    assert_int_equal(sum.commands, 0);
    assert_int_equal(sum.pdus_sent, 1); /* the login */
    assert_int_equal(sum.pdus_received, 1);
    reading = read_sent(fixture, 0);
    for (uint32_t i = 0; i < 4; i++)
        say_data(&fixture->peer, reading->task.itt, i, i == 3, i == 1 ? PEER_BAD_DATA : PEER_SOUND);
    take_snack(&fixture->peer, SNACK_DATA_R2T, 1, 1);
    say_data(&fixture->peer, reading->task.itt, 1, false, PEER_SOUND);
    assert_read(reading);
    join(fixture, 2);
    submit(fixture, 1, true);
    submit(fixture, 2, true);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    peer_take(&fixture->second, PDU_SCSI_COMMAND);
    connection_free(fixture->second.connection);
    session_statistics(fixture->peer.session, &sum);
    assert_int_equal(sum.commands, 3);
    assert_int_equal(sum.data_in_bytes, LENGTH);
    assert_int_equal(sum.data_out_bytes, 2 * LENGTH); /* the gone connection's too */
    assert_int_equal(sum.data_digest_errors, 1);
    assert_int_equal(sum.retries, 1);
    assert_int_equal(sum.header_digest_errors + sum.timeouts + sum.rejects + sum.r2ts, 0);
    assert_int_equal(connection_statistics(fixture->peer.connection)->commands, 2);
    assert_int_equal(connection_statistics(fixture->peer.connection)->pdus_received, 5);
    assert_true(sum.bytes_received > 5 * 48 && sum.bytes_sent > 4 * 48);
}

/* --- level 1: statuses --- */

static void a_missing_status_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct reading *readings[3];
    uint32_t first;

    start(fixture, 1);
    for (size_t i = 0; i < 3; i++)
        readings[i] = read_sent(fixture, i);
    first = fixture->peer.stat_sn;
    say_status(&fixture->peer, readings[2]->task.itt, 0, first + 2, PEER_SOUND);
    assert_int_equal(readings[2]->ended, 1); /* it is a whole answer */
    take_snack(&fixture->peer, SNACK_STATUS, first, 2);
    assert_int_equal(fixture->peer.framer.pdu.itt, PDU_RESERVED_TAG);
    assert_int_equal(fixture->peer.framer.pdu.snack.exp_stat_sn, first); /* not beyond the gap */
    say_status(&fixture->peer, readings[1]->task.itt, 0, first + 1, PEER_SOUND);
    assert_true(peer_silent(&fixture->peer));
    say_status(&fixture->peer, readings[2]->task.itt, 0, first + 2, PEER_SOUND); /* a copy */
    say_status(&fixture->peer, readings[0]->task.itt, 0, first, PEER_SOUND);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(readings[i]->ended, 1);
    assert_int_equal(fixture->peer.connection->stat_sn.next, first + 3);
    assert_false(fixture->peer.closed);
}

static void a_damaged_status_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;
    uint32_t stat_sn;

    start(fixture, 1);
    reading = read_sent(fixture, 0);
    stat_sn = fixture->peer.stat_sn;
    say_status(&fixture->peer, reading->task.itt, 0, stat_sn, PEER_BAD_DATA);
    take_snack(&fixture->peer, SNACK_STATUS, stat_sn, 1);
    assert_int_equal(reading->ended, 0);
    say_status(&fixture->peer, reading->task.itt, 0, stat_sn, PEER_SOUND);
    assert_int_equal(reading->ended, 1);
}

static void too_many_missing_statuses_end_the_connection(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;

    start(fixture, 1);
    reading = read_sent(fixture, 0);
    say_status(&fixture->peer, reading->task.itt, 0, fixture->peer.stat_sn + 65, PEER_SOUND);
    assert_true(fixture->peer.closed);
    assert_int_equal(reading->task.status, STATUS_PROTOCOL_ERROR);
}

static void a_damaged_header_ends_the_connection_at_every_level(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned level = 0; level <= 2; level++) {
        start(fixture, level);
        read_sent(fixture, 0);
        say_data(&fixture->peer, fixture->readings[0].task.itt, 0, false, PEER_BAD_HEADER);
        assert_true(fixture->peer.closed);
        assert_int_equal(fixture->peer.status, STATUS_HEADER_DIGEST);
        assert_int_equal(session_kept(fixture->peer.session), level == 2);
    }
}

static void sequence_windows_know_what_came(void **state)
{
    struct sn_window window = {.next = 0xfffffff0u};
    uint32_t base = window.next;

    (void)state;
    assert_int_equal(sn_take(&window, base - 1), SN_SEEN);
    assert_int_equal(sn_take(&window, base + 65), SN_FAR);
    for (uint32_t i = 64; i > 0; i--) {
        assert_false(sn_came(&window, base + i));
        assert_int_equal(sn_take(&window, base + i), SN_EARLY);
        assert_true(sn_came(&window, base + i));
        assert_int_equal(sn_take(&window, base + i), SN_SEEN);
        assert_int_equal(sn_end(&window), base + 65);
    }
    assert_int_equal(sn_take(&window, base), SN_NEXT);
    assert_int_equal(window.next, base + 65);
    assert_int_equal(sn_end(&window), base + 65);
}

/* --- level 2 --- */

/* Ends the wait for Time2Wait. */
static void pass_time(struct fixture *fixture, uint64_t time)
{
    session_tick(fixture->peer.session, fixture->peer.now);
    fixture->peer.now += time;
    session_tick(fixture->peer.session, fixture->peer.now);
}

static void lose(struct fixture *fixture)
{
    connection_lost(fixture->peer.connection, STATUS_CONNECTION_RESET);
    assert_true(fixture->peer.closed);
}

static void answer_logout(struct fixture *fixture, enum logout_response response)
{
    struct pdu pdu = {.opcode = PDU_LOGOUT_RESPONSE, .final = true};

    pdu.itt = peer_take(&fixture->second, PDU_LOGOUT_REQUEST)->itt;
    assert_int_equal(fixture->second.framer.pdu.logout_request.reason, LOGOUT_RECOVERY);
    assert_int_equal(fixture->second.framer.pdu.logout_request.cid, 1);
    pdu.logout_response.response = (uint8_t)response;
    pdu.logout_response.sn = peer_sn(&fixture->second, true);
    peer_say(&fixture->second, &pdu, NULL, 0);
}

static uint32_t take_reassign(struct fixture *fixture, const struct reading *reading)
{
    const struct pdu *pdu = peer_take(&fixture->second, PDU_TASK_REQUEST);

    assert_int_equal(pdu->task_request.function, TASK_REASSIGN);
    assert_int_equal(pdu->task_request.referenced_itt, reading->task.itt);
    assert_true(pdu->immediate);
    return pdu->itt;
}

static void answer_reassign(struct fixture *fixture, uint32_t itt, enum task_response response)
{
    struct pdu pdu = {.opcode = PDU_TASK_RESPONSE, .final = true, .itt = itt};

    pdu.task_response.response = (uint8_t)response;
    pdu.task_response.sn = peer_sn(&fixture->second, true);
    peer_say(&fixture->second, &pdu, NULL, 0);
}

/* Two reads are lost half way: the target has seen the first only. */
static void lose_two(struct fixture *fixture)
{
    start(fixture, 2);
    read_sent(fixture, 0);
    read_sent(fixture, 1);
    fixture->peer.exp_cmd_sn = 2;
    say_data(&fixture->peer, fixture->readings[0].task.itt, 0, false, PEER_SOUND);
    lose(fixture);
    assert_int_equal(fixture->readings[0].ended + fixture->readings[1].ended, 0);
    assert_int_equal(session_kept(fixture->peer.session), 2);
    assert_int_equal(session_outstanding(fixture->peer.session), 2);
    assert_int_equal(session_due(fixture->peer.session), 0); /* wants to know the time */
    pass_time(fixture, 2000);
}

static void another_connection_takes_the_tasks(void **state)
{
    struct fixture *fixture = *state;
    struct reading *known, *unknown;
    uint32_t itt;

    lose_two(fixture);
    known = &fixture->readings[0];
    unknown = &fixture->readings[1];
    join(fixture, 2);
    assert_true(peer_silent(&fixture->second) == false);
    answer_logout(fixture, LOGOUT_DONE);
    itt = take_reassign(fixture, known);
    assert_int_equal(fixture->second.framer.pdu.task_request.exp_data_sn, 0);
    /* What the target has not seen is sent again, as it was. */
    assert_int_equal(peer_take(&fixture->second, PDU_SCSI_COMMAND)->itt, unknown->task.itt);
    assert_int_equal(fixture->second.framer.pdu.scsi_command.cmd_sn, 2);
    answer_reassign(fixture, itt, TASK_RESPONSE_COMPLETE);
    for (uint32_t i = 0; i < 4; i++)
        say_data(&fixture->second, known->task.itt, i, i == 3, PEER_SOUND);
    for (uint32_t i = 0; i < 4; i++)
        say_data(&fixture->second, unknown->task.itt, i, i == 3, PEER_SOUND);
    assert_read(known);
    assert_read(unknown);
    assert_int_equal(session_kept(fixture->peer.session), 0);
    assert_false(fixture->second.closed);
}

static void a_login_with_the_same_cid_is_the_logout(void **state)
{
    struct fixture *fixture = *state;

    lose_two(fixture);
    join(fixture, 1);
    take_reassign(fixture, &fixture->readings[0]);
    /* Nobody has told what the target has seen: it is asked for the other one too. */
    answer_reassign(fixture, take_reassign(fixture, &fixture->readings[1]), TASK_RESPONSE_NO_TASK);
    assert_int_equal(peer_take(&fixture->second, PDU_SCSI_COMMAND)->scsi_command.cmd_sn, 2);
    assert_true(peer_silent(&fixture->second));
    assert_int_equal(fixture->readings[1].ended, 0);
}

static void a_connection_that_is_there_takes_over_after_time2wait(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, 2);
    join(fixture, 2);
    read_sent(fixture, 0);
    fixture->peer.exp_cmd_sn = fixture->second.exp_cmd_sn = 2;
    say_data(&fixture->peer, fixture->readings[0].task.itt, 0, false, PEER_SOUND);
    lose(fixture);
    connection_tick(fixture->second.connection, fixture->peer.now);
    assert_int_equal(connection_due(fixture->second.connection), fixture->peer.now + 2000);
    assert_true(peer_silent(&fixture->second));
    fixture->peer.now += 2000;
    connection_tick(fixture->second.connection, fixture->peer.now);
    answer_logout(fixture, LOGOUT_DONE);
    take_reassign(fixture, &fixture->readings[0]);
}

static void a_refused_recovery_ends_the_tasks(void **state)
{
    struct fixture *fixture = *state;

    lose_two(fixture);
    join(fixture, 2);
    answer_logout(fixture, LOGOUT_NO_RECOVERY);
    assert_int_equal(fixture->readings[0].task.status, STATUS_CONNECTION_CLOSED);
    assert_int_equal(fixture->readings[1].task.status, STATUS_CONNECTION_CLOSED);
    assert_true(fixture->readings[0].task.sent);
    /* The second's CmdSN is used up. */
    assert_int_equal(peer_take(&fixture->second, PDU_NOP_OUT)->nop_out.cmd_sn, 2);
    assert_false(fixture->second.closed);
}

static void a_task_that_the_target_lost_ends(void **state)
{
    struct fixture *fixture = *state;

    for (int response = TASK_RESPONSE_NO_TASK; response <= TASK_RESPONSE_AUTHORIZATION;
         response++) {
        uint32_t itt;

        if (response == TASK_RESPONSE_STILL_ALLEGIANT)
            continue;
        lose_two(fixture);
        join(fixture, 1);
        itt = take_reassign(fixture, &fixture->readings[0]);
        answer_reassign(fixture, itt, (enum task_response)response);
        assert_int_equal(fixture->readings[0].ended, 1);
        assert_int_equal(fixture->readings[0].task.status, STATUS_CONNECTION_CLOSED);
        assert_int_equal(fixture->readings[1].ended, 0);
        assert_false(fixture->second.closed);
    }
}

/* The connection that took it over was lost before the target knew. */
static void a_task_is_looked_for_where_it_was_before(void **state)
{
    struct fixture *fixture = *state;

    lose_two(fixture);
    join(fixture, 1);
    take_reassign(fixture, &fixture->readings[0]);
    connection_lost(fixture->second.connection, STATUS_CONNECTION_RESET);
    pass_time(fixture, 2000);
    join(fixture, 1);
    answer_reassign(fixture, take_reassign(fixture, &fixture->readings[0]),
                    TASK_RESPONSE_STILL_ALLEGIANT);
    assert_int_equal(fixture->readings[0].ended, 0);
    take_reassign(fixture, &fixture->readings[1]);
    answer_reassign(fixture, take_reassign(fixture, &fixture->readings[0]), TASK_RESPONSE_COMPLETE);
    assert_int_equal(session_kept(fixture->peer.session), 0);
    for (int i = 0; i < 4; i++)
        say_data(&fixture->second, fixture->readings[0].task.itt, (uint32_t)i, i == 3, PEER_SOUND);
    assert_read(&fixture->readings[0]);
}

static void kept_tasks_have_their_time(void **state)
{
    struct fixture *fixture = *state;

    lose_two(fixture); /* Time2Wait is over */
    submit(fixture, 2, false);
    pass_time(fixture, 19999);
    assert_int_equal(fixture->readings[0].ended, 0);
    pass_time(fixture, 1);
    assert_int_equal(fixture->readings[0].task.status, STATUS_CONNECTION_CLOSED);
    assert_int_equal(fixture->readings[1].ended, 1);
    assert_int_equal(fixture->readings[2].ended, 1); /* one that had waited too */
    assert_int_equal(fixture->readings[2].task.status, STATUS_NO_CONNECTION);
    assert_int_equal(session_outstanding(fixture->peer.session), 0);
}

static void a_kept_task_can_be_cancelled_and_leaves_no_hole(void **state)
{
    struct fixture *fixture = *state;

    lose_two(fixture);
    session_cancel(fixture->peer.session, &fixture->readings[1].task);
    assert_int_equal(fixture->readings[1].task.status, STATUS_CANCELLED);
    memset(&fixture->readings[1], 0xdd, sizeof fixture->readings[1]);
    join(fixture, 1);
    assert_int_equal(peer_take(&fixture->second, PDU_NOP_OUT)->nop_out.cmd_sn, 2);
    take_reassign(fixture, &fixture->readings[0]);
}

static void a_write_goes_on_where_the_target_wants_it(void **state)
{
    struct fixture *fixture = *state;
    struct reading *writing;
    struct pdu pdu = {.opcode = PDU_R2T, .final = true};
    uint32_t itt;

    start(fixture, 2);
    writing = submit(fixture, 0, true);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    fixture->peer.exp_cmd_sn = 2;
    pdu.itt = writing->task.itt;
    pdu.r2t.ttt = 0x11;
    pdu.r2t.length = 16;
    pdu.r2t.sn = peer_sn(&fixture->peer, false);
    peer_say(&fixture->peer, &pdu, NULL, 0); /* its data never leave */
    lose(fixture);
    pass_time(fixture, 2000);
    join(fixture, 1);
    itt = take_reassign(fixture, writing);
    assert_true(peer_silent(&fixture->second)); /* not a byte unasked */
    answer_reassign(fixture, itt, TASK_RESPONSE_COMPLETE);
    pdu.r2t.ttt = 0x12;
    pdu.r2t.r2t_sn = 1;
    pdu.r2t.offset = 8;
    pdu.r2t.length = 56;
    pdu.r2t.sn = peer_sn(&fixture->second, false);
    peer_say(&fixture->second, &pdu, NULL, 0);
    assert_int_equal(peer_take(&fixture->second, PDU_DATA_OUT)->data_length, 56);
    assert_memory_equal(fixture->second.text, content + 8, 56);
    say_status(&fixture->second, writing->task.itt, 2, fixture->second.stat_sn++, PEER_SOUND);
    assert_int_equal(writing->task.status, STATUS_OK);
}

static void what_was_acknowledged_is_not_sent_again(void **state)
{
    struct fixture *fixture = *state;
    struct reading *reading;
    struct pdu pdu = {.opcode = PDU_DATA_IN};

    start(fixture, 2);
    reading = read_sent(fixture, 0);
    fixture->peer.exp_cmd_sn = 2;
    pdu.itt = reading->task.itt;
    pdu.data_in.acknowledge = true;
    pdu.data_in.ttt = 5;
    pdu.data_in.sn = peer_sn(&fixture->peer, false);
    peer_say(&fixture->peer, &pdu, content, 16);
    take_snack(&fixture->peer, SNACK_DATA_ACK, 1, 0);
    say_data(&fixture->peer, reading->task.itt, 1, false, PEER_SOUND);
    lose(fixture);
    pass_time(fixture, 2000);
    join(fixture, 1);
    answer_reassign(fixture, take_reassign(fixture, reading), TASK_RESPONSE_COMPLETE);
    assert_int_equal(reading->task.transferred, 16);
    for (uint32_t i = 1; i < 4; i++)
        say_data(&fixture->second, reading->task.itt, i, i == 3, PEER_SOUND);
    assert_read(reading);
}

static void the_second_loss_is_survived_too(void **state)
{
    struct fixture *fixture = *state;

    lose_two(fixture);
    join(fixture, 1);
    take_reassign(fixture, &fixture->readings[0]);
    connection_lost(fixture->second.connection, STATUS_CONNECTION_RESET);
    assert_int_equal(session_kept(fixture->peer.session), 2);
    pass_time(fixture, 2000);
    join(fixture, 3);
    answer_logout(fixture, LOGOUT_NO_CID);
    take_reassign(fixture, &fixture->readings[0]);
    peer_take(&fixture->second, PDU_SCSI_COMMAND);
}

static void nothing_is_kept_where_nobody_reconnects(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, 2);
    fixture->peer.session->settings.keep_tasks = false;
    read_sent(fixture, 0);
    lose(fixture);
    assert_int_equal(fixture->readings[0].task.status, STATUS_CONNECTION_RESET);

    start(fixture, 2); /* nor after what the target did wrong */
    read_sent(fixture, 0);
    say_status(&fixture->peer, fixture->readings[0].task.itt + 1, 0, fixture->peer.stat_sn++,
               PEER_SOUND);
    assert_int_equal(fixture->readings[0].task.status, STATUS_PROTOCOL_ERROR);
}

static void a_session_goes_with_what_it_keeps(void **state)
{
    struct fixture *fixture = *state;

    lose_two(fixture);
    session_free(fixture->peer.session);
    fixture->peer.session = NULL;
    assert_int_equal(fixture->readings[0].task.status, STATUS_CANCELLED);
    assert_int_equal(fixture->readings[1].ended, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(damage_ends_the_connection_where_nothing_is_recovered),
        TEST(damaged_data_are_asked_for_again),
        TEST(a_damaged_end_is_asked_for_with_its_status),
        TEST(data_missing_at_the_status_are_asked_for),
        TEST(data_come_in_any_order_when_that_was_agreed),
        TEST(the_a_bit_is_answered_when_nothing_is_missing),
        TEST(a_refused_snack_ends_the_task_alone),
        TEST(damage_without_end_ends_the_connection),
        TEST(what_happens_is_counted),
        TEST(a_missing_status_is_asked_for),
        TEST(a_damaged_status_is_asked_for),
        TEST(too_many_missing_statuses_end_the_connection),
        TEST(a_damaged_header_ends_the_connection_at_every_level),
        cmocka_unit_test(sequence_windows_know_what_came),
        TEST(another_connection_takes_the_tasks),
        TEST(a_login_with_the_same_cid_is_the_logout),
        TEST(a_connection_that_is_there_takes_over_after_time2wait),
        TEST(a_refused_recovery_ends_the_tasks),
        TEST(a_task_that_the_target_lost_ends),
        TEST(a_task_is_looked_for_where_it_was_before),
        TEST(kept_tasks_have_their_time),
        TEST(a_kept_task_can_be_cancelled_and_leaves_no_hole),
        TEST(a_write_goes_on_where_the_target_wants_it),
        TEST(what_was_acknowledged_is_not_sent_again),
        TEST(the_second_loss_is_survived_too),
        TEST(nothing_is_kept_where_nobody_reconnects),
        TEST(a_session_goes_with_what_it_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
