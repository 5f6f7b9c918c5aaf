/* Data that go to the target: immediate, unsolicited, asked for, and what hostile R2Ts come to. */
#include "initiator_peer.h"

#include <stdio.h>

#define ROOM 20000u

struct writing {
    struct task task;
    struct iov out[3];
    struct iov in[2];
    uint8_t data[ROOM];
    uint8_t read[64];
    unsigned ended;
};

struct fixture {
    struct peer peer;
    struct writing writings[4]; /* outlive the session */
    uint8_t received[ROOM];
};

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

struct keys {
    const char *immediate, *initial, *digest;
    unsigned segment, burst, first, r2ts, level;
    const char *in_order;
};

static const struct keys usual = {"Yes", "Yes", "None", 512, 4096, 2048, 2, 0, "Yes"};

static void start(struct fixture *fixture, const struct keys *keys)
{
    struct session_settings settings = peer_settings;
    char text[1024];
    int length;

    settings.offers.initial_r2t = strcmp(keys->initial, "Yes") == 0;
    settings.offers.immediate_data = true;
    settings.offers.data_pdu_in_order = settings.offers.data_sequence_in_order =
        strcmp(keys->in_order, "Yes") == 0;
    settings.offers.error_recovery_level = 2;
    settings.timeouts.command = 30000;
    session_free(fixture->peer.session);
    peer_start(&fixture->peer, &settings);
    length =
        snprintf(text, sizeof text,
                 "HeaderDigest=%s\nDataDigest=%s\nMaxConnections=1\nInitialR2T=%s\n"
                 "ImmediateData=%s\nMaxRecvDataSegmentLength=%u\nMaxBurstLength=%u\n"
                 "FirstBurstLength=%u\nDefaultTime2Wait=2\nDefaultTime2Retain=20\n"
                 "MaxOutstandingR2T=%u\nDataPDUInOrder=%s\nDataSequenceInOrder=%s\n"
                 "ErrorRecoveryLevel=%u\n",
                 keys->digest, keys->digest, keys->initial, keys->immediate, keys->segment,
                 keys->burst, keys->first, keys->r2ts, keys->in_order, keys->in_order, keys->level);
    for (int i = 0; i < length; i++)
        if (text[i] == '\n')
            text[i] = '\0';
    peer_log_in_with(&fixture->peer, text, (size_t)length);
    fixture->peer.digests = fixture->peer.framer.header_digest = fixture->peer.framer.data_digest =
        strcmp(keys->digest, "CRC32C") == 0;
}

static void writing_done(struct task *task)
{
    struct writing *writing = task->context;

    writing->ended++;
}

/* In three pieces, so that segments cross their bounds. */
static struct writing *write_some(struct fixture *fixture, size_t i, uint32_t length)
{
    struct writing *writing = &fixture->writings[i];

    memset(writing, 0, sizeof *writing);
    for (uint32_t j = 0; j < ROOM; j++)
        writing->data[j] = (uint8_t)(j * 7 + i + j / 251);
    writing->out[0] = (struct iov){writing->data, length / 3};
    writing->out[1] = (struct iov){writing->data + length / 3, 0};
    writing->out[2] = (struct iov){writing->data + length / 3, length - length / 3};
    writing->task.data_out = writing->out;
    writing->task.data_out_count = 3;
    writing->task.data_out_length = length;
    writing->task.attribute = TASK_ATTRIBUTE_ORDERED;
    writing->task.done = writing_done;
    writing->task.context = writing;
    scsi_write(&writing->task.cdb, 0, (length + 511) / 512, false);
    session_submit(fixture->peer.session, &writing->task, fixture->peer.now);
    return writing;
}

static void answer(struct fixture *fixture, uint32_t itt, uint8_t status)
{
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = itt};

    pdu.scsi_response.status = status;
    pdu.scsi_response.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, NULL, 0);
}

static void ask(struct fixture *fixture, uint32_t itt, uint32_t r2t_sn, uint32_t offset,
                uint32_t length)
{
    struct pdu pdu = {.opcode = PDU_R2T, .final = true, .itt = itt, .lun = 0x0005000000000000};

    pdu.r2t.ttt = 0x1000 + r2t_sn;
    pdu.r2t.r2t_sn = r2t_sn;
    pdu.r2t.offset = offset;
    pdu.r2t.length = length;
    pdu.r2t.sn = peer_sn(&fixture->peer, false);
    peer_say(&fixture->peer, &pdu, NULL, 0);
}

/* Takes one sequence of Data-Out and checks all of it. */
static void take_sequence(struct fixture *fixture, const struct writing *writing, uint32_t ttt,
                          uint32_t offset, uint32_t length, uint32_t segment)
{
    struct peer *peer = &fixture->peer;
    uint32_t end = offset + length;
    uint32_t data_sn = 0;

    while (offset < end) {
        const struct pdu *pdu = peer_take(peer, PDU_DATA_OUT);
        uint32_t now = end - offset < segment ? end - offset : segment;

        assert_int_equal(pdu->itt, writing->task.itt);
        assert_int_equal(pdu->data_out.ttt, ttt);
        assert_int_equal(pdu->data_out.data_sn, data_sn++);
        assert_int_equal(pdu->data_out.offset, offset);
        assert_int_equal(pdu->data_out.exp_stat_sn, peer->stat_sn);
        assert_int_equal(pdu->data_length, now);
        assert_int_equal(pdu->final, offset + now == end);
        assert_true(pdu->lun == (ttt == PDU_RESERVED_TAG ? 0 : 0x0005000000000000));
        assert_memory_equal(peer->text, writing->data + offset, now);
        offset += now;
    }
}

/* --- without being asked --- */

static void immediate_and_unsolicited_data_in_all_combinations(void **state)
{
    struct fixture *fixture = *state;
    static const uint32_t lengths[] = {1, 511, 512, 513, 2047, 2048, 2049, 9000};

    for (unsigned i = 0; i < 4 * sizeof lengths / sizeof *lengths; i++) {
        struct keys keys = usual;
        uint32_t length = lengths[i / 4];
        uint32_t immediate = i & 1 ? (length < 512 ? length : 512) : 0;
        uint32_t first = i & 2 ? (length < 2048 ? length : 2048) : immediate;
        struct writing *writing;
        const struct pdu *pdu;

        keys.immediate = i & 1 ? "Yes" : "No";
        keys.initial = i & 2 ? "No" : "Yes";
        keys.digest = i & 4 ? "CRC32C" : "None";
        start(fixture, &keys);
        writing = write_some(fixture, 0, length);
        pdu = peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        assert_true(pdu->scsi_command.write);
        assert_false(pdu->scsi_command.read);
        assert_int_equal(pdu->scsi_command.expected_length, length);
        assert_int_equal(pdu->scsi_command.attribute, TASK_ATTRIBUTE_ORDERED);
        assert_int_equal(pdu->data_length, immediate);
        assert_memory_equal(fixture->peer.text, writing->data, immediate);
        assert_int_equal(pdu->final, first == immediate);
        take_sequence(fixture, writing, PDU_RESERVED_TAG, immediate, first - immediate, 512);
        assert_true(peer_silent(&fixture->peer));
    }
}

static void small_first_bursts_bound_immediate_data(void **state)
{
    struct fixture *fixture = *state;
    struct keys keys = usual;

    keys.segment = 4096;
    keys.first = 512;
    start(fixture, &keys);
    write_some(fixture, 0, 5000);
    assert_int_equal(peer_take(&fixture->peer, PDU_SCSI_COMMAND)->data_length, 512);
    assert_true(fixture->peer.framer.pdu.final);
}

/* --- asked for --- */

static void an_r2t_is_served_in_segments(void **state)
{
    struct fixture *fixture = *state;
    struct writing *writing;
    uint32_t itt;

    start(fixture, &usual);
    writing = write_some(fixture, 0, 9000);
    itt = peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt;
    ask(fixture, itt, 0, 512, 4096);
    take_sequence(fixture, writing, 0x1000, 512, 4096, 512);
    ask(fixture, itt, 1, 4608, 4096);
    ask(fixture, itt, 2, 8704, 296); /* the second of two that may be open */
    take_sequence(fixture, writing, 0x1001, 4608, 4096, 512);
    take_sequence(fixture, writing, 0x1002, 8704, 296, 512);
    answer(fixture, itt, SCSI_GOOD);
    assert_int_equal(writing->ended, 1);
    assert_int_equal(writing->task.status, STATUS_OK);
    assert_true(writing->task.sent);
}

static void an_r2t_may_overtake_the_immediate_data(void **state)
{
    struct fixture *fixture = *state;
    struct writing *writing;

    start(fixture, &usual);
    writing = write_some(fixture, 0, 1500);
    ask(fixture, writing->task.itt, 0, 512, 988); /* nothing was written yet */
    assert_false(fixture->peer.closed);
    assert_int_equal(peer_take(&fixture->peer, PDU_SCSI_COMMAND)->data_length, 512);
    take_sequence(fixture, writing, 0x1000, 512, 988, 512);
}

static void sequences_come_in_any_order_when_that_was_agreed(void **state)
{
    struct fixture *fixture = *state;
    struct keys keys = usual;
    struct writing *writing;
    uint32_t itt;

    keys.in_order = "No";
    keys.immediate = "No";
    start(fixture, &keys);
    writing = write_some(fixture, 0, 6000);
    itt = peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt;
    ask(fixture, itt, 0, 4000, 2000);
    ask(fixture, itt, 1, 0, 4000);
    take_sequence(fixture, writing, 0x1000, 4000, 2000, 512);
    take_sequence(fixture, writing, 0x1001, 0, 4000, 512);
    assert_false(fixture->peer.closed);
    ask(fixture, itt, 2, 0, 1); /* all was asked for */
    assert_true(fixture->peer.closed);
}

static void what_was_sent_may_be_asked_for_again_where_errors_are_recovered(void **state)
{
    struct fixture *fixture = *state;
    struct keys keys = usual;
    struct writing *writing;
    uint32_t itt;

    keys.level = 1;
    start(fixture, &keys);
    writing = write_some(fixture, 0, 2000);
    itt = peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt;
    ask(fixture, itt, 0, 512, 1488);
    take_sequence(fixture, writing, 0x1000, 512, 1488, 512);
    ask(fixture, itt, 1, 0, 1000);
    take_sequence(fixture, writing, 0x1001, 0, 1000, 512);
    ask(fixture, itt, 1, 0, 1000); /* a copy */
    assert_true(peer_silent(&fixture->peer));
    assert_false(fixture->peer.closed);
    /* R2T 2 is missing: it and all behind it are asked for, once. */
    ask(fixture, itt, 3, 0, 100);
    ask(fixture, itt, 4, 0, 100);
    assert_int_equal(peer_take(&fixture->peer, PDU_SNACK)->snack.type, SNACK_DATA_R2T);
    assert_int_equal(fixture->peer.framer.pdu.itt, itt);
    assert_int_equal(fixture->peer.framer.pdu.snack.begin_run, 2);
    assert_int_equal(fixture->peer.framer.pdu.snack.run_length, 0);
    assert_true(peer_silent(&fixture->peer));
    ask(fixture, itt, 2, 100, 50);
    take_sequence(fixture, writing, 0x1002, 100, 50, 512);
}

/* The target has given R2Ts up that it got no data for, before these could be sent. */
static void an_r2t_may_take_the_place_of_another(void **state)
{
    struct fixture *fixture = *state;
    struct keys keys = usual;
    struct writing *writing;
    uint32_t itt;

    keys.level = 1;
    start(fixture, &keys);
    writing = write_some(fixture, 0, 9000);
    itt = peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt;
    for (uint32_t i = 0; i < 4; i++) { /* as often as it likes */
        ask(fixture, itt, 2 * i, 512, 4096);
        ask(fixture, itt, 2 * i + 1, 4608, 4096);
    }
    assert_false(fixture->peer.closed);
    take_sequence(fixture, writing, 0x1006, 512, 4096, 512);
    take_sequence(fixture, writing, 0x1007, 4608, 4096, 512);
    assert_true(peer_silent(&fixture->peer));
}

static void what_an_r2t_leaves_of_another_is_sent(void **state)
{
    struct fixture *fixture = *state;
    struct keys keys = usual;
    struct writing *writing;
    uint32_t itt;

    keys.level = 1;
    start(fixture, &keys);
    writing = write_some(fixture, 0, 9000);
    itt = peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt;
    ask(fixture, itt, 0, 512, 4096);
    ask(fixture, itt, 1, 4608, 4096);
    ask(fixture, itt, 2, 1024, 512);
    ask(fixture, itt, 3, 2048, 512);
    assert_false(fixture->peer.closed);
    take_sequence(fixture, writing, 0x1000, 512, 4096, 512);
    take_sequence(fixture, writing, 0x1001, 4608, 4096, 512);
    take_sequence(fixture, writing, 0x1002, 1024, 512, 512);
    take_sequence(fixture, writing, 0x1003, 2048, 512, 512);
    for (uint32_t i = 0; i < 4; i++)
        ask(fixture, itt, 4 + i, 512 + 100 * i, 100);
    assert_false(fixture->peer.closed);
    ask(fixture, itt, 8, 912, 100); /* but not without end */
    assert_true(fixture->peer.closed);
}

/* A write far longer than what one call takes: nothing is made before it can be sent. */
static void frames_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct keys keys = usual;
    struct writing *writing;
    struct iov pieces[1000];
    size_t count;

    keys.immediate = "No";
    keys.burst = ROOM;
    start(fixture, &keys);
    for (int round = 0; round < 3; round++) {
        writing = write_some(fixture, 0, ROOM);
        fixture->peer.max_cmd_sn++;
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        ask(fixture, writing->task.itt, 0, 0, ROOM);
        count = connection_write_pieces(fixture->peer.connection, pieces, 7);
        assert_int_equal(count, 7);
        /* Asked again, the same is told: nothing was written. */
        assert_int_equal(connection_write_pieces(fixture->peer.connection, pieces, 7), 7);
        take_sequence(fixture, writing, 0x1000, 0, ROOM, 512);
        answer(fixture, writing->task.itt, SCSI_GOOD);
        assert_int_equal(writing->task.status, STATUS_OK);
    }
    /* At rest the memory is given back. */
    assert_int_equal(connection_due(fixture->peer.connection), fixture->peer.now + 1000);
    connection_tick(fixture->peer.connection, fixture->peer.now + 1000);
    assert_true(connection_due(fixture->peer.connection) > fixture->peer.now + 1000);
}

static void every_cut_of_the_output_is_the_same_stream(void **state)
{
    struct fixture *fixture = *state;
    struct keys keys = usual;

    keys.initial = "No";
    keys.digest = "CRC32C";
    for (size_t step = 1; step < 700; step += 1 + step / 9) {
        struct peer *peer = &fixture->peer;
        struct writing *writing;
        struct iov pieces[5];
        size_t count;

        start(fixture, &keys);
        writing = write_some(fixture, 0, 2999);
        peer->unread_length = 0;
        while ((count = connection_write_pieces(peer->connection, pieces, 5)) > 0) {
            size_t now = pieces[0].length < step ? pieces[0].length : step;

            memcpy(peer->unread + peer->unread_length, pieces[0].base, now);
            peer->unread_length += now;
            connection_written(peer->connection, now);
        }
        assert_int_equal(peer_take(peer, PDU_SCSI_COMMAND)->data_length, 512);
        take_sequence(fixture, writing, PDU_RESERVED_TAG, 512, 1536, 512);
    }
}

/* --- hostile R2Ts --- */

struct r2t_case {
    const char *name;
    uint32_t r2t_sn, offset, length;
};

static void hostile_r2ts_end_the_connection(void **state)
{
    struct fixture *fixture = *state;
    static const struct r2t_case cases[] = {
        {"a gap in R2TSN", 1, 512, 100},          {"no length", 0, 512, 0},
        {"beyond MaxBurstLength", 0, 512, 4097},  {"beyond the end", 0, 512, 4000},
        {"offset overflows", 0, 0xffffff00, 512}, {"length overflows", 0, 512, 0xffffffff},
        {"a gap in the offset", 0, 513, 100},     {"data that were sent", 0, 0, 512},
        {"offset behind the end", 0, 4001, 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct writing *writing;

        start(fixture, &usual);
        writing = write_some(fixture, 0, 4000);
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        ask(fixture, writing->task.itt, cases[i].r2t_sn, cases[i].offset, cases[i].length);
        if (!fixture->peer.closed)
            fail_msg("%s was accepted", cases[i].name);
        assert_int_equal(fixture->peer.status, STATUS_PROTOCOL_ERROR);
        assert_int_equal(writing->ended, 1);
        assert_int_equal(writing->task.status, STATUS_PROTOCOL_ERROR);
    }
}

static void more_r2ts_than_agreed_end_the_connection(void **state)
{
    struct fixture *fixture = *state;
    uint32_t itt;

    start(fixture, &usual);
    itt = write_some(fixture, 0, 4000)->task.itt;
    ask(fixture, itt, 0, 512, 100);
    ask(fixture, itt, 1, 612, 100);
    assert_false(fixture->peer.closed);
    ask(fixture, itt, 2, 712, 100);
    assert_true(fixture->peer.closed);
}

static void stray_r2ts_end_the_connection(void **state)
{
    struct fixture *fixture = *state;
    struct writing *writing;
    uint32_t itt;

    start(fixture, &usual); /* the same R2T again */
    itt = write_some(fixture, 0, 4000)->task.itt;
    ask(fixture, itt, 0, 512, 100);
    ask(fixture, itt, 0, 512, 100);
    assert_true(fixture->peer.closed);

    start(fixture, &usual); /* after the status */
    itt = write_some(fixture, 0, 4000)->task.itt;
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    answer(fixture, itt, SCSI_BUSY);
    assert_int_equal(fixture->writings[0].task.scsi_status, SCSI_BUSY);
    ask(fixture, itt, 0, 512, 100);
    assert_true(fixture->peer.closed);

    start(fixture, &usual); /* for a read */
    writing = write_some(fixture, 0, 0);
    ask(fixture, writing->task.itt, 0, 0, 1);
    assert_true(fixture->peer.closed);

    start(fixture, &usual); /* for nobody */
    ask(fixture, 0x12340000, 0, 0, 1);
    assert_true(fixture->peer.closed);
}

/* --- ends --- */

static void an_early_status_stops_the_data(void **state)
{
    struct fixture *fixture = *state;
    struct writing *writing, *next;
    struct iov pieces[2];

    start(fixture, &usual);
    writing = write_some(fixture, 0, 9000);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    ask(fixture, writing->task.itt, 0, 512, 4096);
    next = write_some(fixture, 1, 100);
    assert_int_equal(connection_write_pieces(fixture->peer.connection, pieces, 2), 2);
    answer(fixture, writing->task.itt, SCSI_CHECK_CONDITION);
    assert_int_equal(writing->ended, 1);
    memset(writing->data, 0xdd, sizeof writing->data);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    assert_int_equal(fixture->peer.framer.pdu.itt, next->task.itt);
    assert_true(peer_silent(&fixture->peer));
}

/* A Data-Out of which some bytes are gone is finished with the data it had. */
static void a_cancelled_write_finishes_the_pdu_it_began(void **state)
{
    struct fixture *fixture = *state;
    struct peer *peer = &fixture->peer;
    struct writing *writing;
    struct keys keys = usual;
    uint8_t expected[512];

    keys.digest = "CRC32C";
    for (size_t begun = 1; begun < 48 + 4 + 512 + 4; begun += 61) {
        struct iov pieces[1];
        size_t left = begun;
        uint32_t itt;

        start(fixture, &keys);
        writing = write_some(fixture, 0, 3000);
        memcpy(expected, writing->data + 512, sizeof expected);
        itt = peer_take(peer, PDU_SCSI_COMMAND)->itt;
        ask(fixture, itt, 0, 512, 2000);
        while (left > 0) {
            size_t now;

            assert_int_equal(connection_write_pieces(peer->connection, pieces, 1), 1);
            now = pieces[0].length < left ? pieces[0].length : left;
            memcpy(peer->unread + peer->unread_length, pieces[0].base, now);
            peer->unread_length += now;
            connection_written(peer->connection, now);
            left -= now;
        }
        session_cancel(peer->session, &writing->task);
        assert_int_equal(writing->ended, 1);
        memset(writing->data, 0xdd, sizeof writing->data);
        assert_int_equal(peer_take(peer, PDU_DATA_OUT)->data_length, 512);
        assert_memory_equal(peer->text, expected, 512);
        peer_skip(peer, PDU_TASK_REQUEST);
        assert_true(peer_silent(peer));
        ask(fixture, itt, 1, 2512, 100); /* nobody is there to serve it: no harm */
        assert_false(peer->closed);
        assert_true(peer_silent(peer));
    }
}

static void damaged_data_are_asked_for_again_by_the_target(void **state)
{
    struct fixture *fixture = *state;
    struct pdu pdu = {.opcode = PDU_REJECT, .final = true, .itt = PDU_RESERVED_TAG};
    uint8_t header[PDU_BHS_LENGTH];
    struct keys keys = usual;
    struct writing *writing;
    uint32_t itt;

    keys.level = 1;
    start(fixture, &keys);
    writing = write_some(fixture, 0, 1000);
    itt = peer_take(&fixture->peer, PDU_SCSI_COMMAND)->itt;
    ask(fixture, itt, 0, 512, 488);
    pdu_encode(peer_take(&fixture->peer, PDU_DATA_OUT), header);
    pdu.reject.reason = REJECT_DATA_DIGEST;
    pdu.reject.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, header, sizeof header);
    assert_int_equal(writing->ended, 0);
    ask(fixture, itt, 1, 512, 488);
    take_sequence(fixture, writing, 0x1001, 512, 488, 512);
    answer(fixture, itt, SCSI_GOOD);
    assert_int_equal(writing->task.status, STATUS_OK);
}

/* --- commands that need more than a header --- */

static void long_and_bidirectional_commands_have_additional_headers(void **state)
{
    struct fixture *fixture = *state;
    static const uint16_t lengths[] = {0, 12, 16, 17, 32, 33, TASK_CDB_MAX};
    uint8_t cdb[TASK_CDB_MAX];

    for (size_t i = 0; i < sizeof cdb; i++)
        cdb[i] = (uint8_t)(i + 1);
    for (size_t i = 0; i < 4 * sizeof lengths / sizeof *lengths; i++) {
        struct writing *writing = &fixture->writings[0];
        uint16_t length = lengths[i / 4];
        struct keys keys = usual;
        size_t offset = 0;
        struct ahs ahs;

        keys.digest = i & 2 ? "CRC32C" : "None";
        start(fixture, &keys);
        memset(writing, 0, sizeof *writing);
        writing->out[0] = (struct iov){writing->data, 100};
        writing->in[0] = (struct iov){writing->read, 8};
        writing->task.data_out = writing->out;
        writing->task.data_out_count = 1;
        writing->task.data_out_length = 100;
        writing->task.data_in = writing->in;
        writing->task.data_in_count = i & 1;
        writing->task.data_in_length = i & 1 ? 8 : 0;
        writing->task.long_cdb = length > 0 ? cdb : NULL;
        writing->task.long_cdb_length = length;
        writing->task.done = writing_done;
        writing->task.context = writing;
        session_submit(fixture->peer.session, &writing->task, fixture->peer.now);
        peer_take(&fixture->peer, PDU_SCSI_COMMAND);
        assert_int_equal(fixture->peer.framer.pdu.scsi_command.read, i & 1);
        assert_int_equal(fixture->peer.framer.pdu.scsi_command.expected_length, 100);
        assert_memory_equal(fixture->peer.framer.pdu.scsi_command.cdb, cdb,
                            length > 16 ? 16 : length);
        if (length > 16) {
            assert_int_equal(ahs_next(fixture->peer.ahs, fixture->peer.ahs_length, &offset, &ahs),
                             1);
            assert_int_equal(ahs.type, AHS_EXTENDED_CDB);
            assert_int_equal(ahs.length, length - 15);
            assert_memory_equal(ahs.data + 1, cdb + 16, length - 16);
        }
        if (i & 1) {
            assert_int_equal(ahs_next(fixture->peer.ahs, fixture->peer.ahs_length, &offset, &ahs),
                             1);
            assert_int_equal(ahs.type, AHS_BIDI_READ_LENGTH);
            assert_int_equal(ahs.length, 5);
            assert_int_equal(get_be32(ahs.data + 1), 8);
        }
        assert_int_equal(ahs_next(fixture->peer.ahs, fixture->peer.ahs_length, &offset, &ahs), 0);
    }
}

static void a_bidirectional_command_moves_data_both_ways(void **state)
{
    struct fixture *fixture = *state;
    struct writing *writing = &fixture->writings[0];
    struct pdu pdu;

    start(fixture, &usual);
    writing->out[0] = (struct iov){writing->data, 1000};
    writing->in[0] = (struct iov){writing->read, 8};
    writing->task = (struct task){.data_out = writing->out,
                                  .data_out_count = 1,
                                  .data_out_length = 1000,
                                  .data_in = writing->in,
                                  .data_in_count = 1,
                                  .data_in_length = 8,
                                  .done = writing_done,
                                  .context = writing};
    session_submit(fixture->peer.session, &writing->task, fixture->peer.now);
    peer_take(&fixture->peer, PDU_SCSI_COMMAND);
    /* One numbering for both kinds of PDUs (RFC 7143, 11.8.3). */
    pdu = (struct pdu){.opcode = PDU_DATA_IN, .itt = writing->task.itt};
    pdu.data_in.ttt = PDU_RESERVED_TAG;
    peer_say(&fixture->peer, &pdu, "abcd", 4);
    ask(fixture, writing->task.itt, 1, 512, 488);
    take_sequence(fixture, writing, 0x1001, 512, 488, 512);
    pdu = (struct pdu){.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = writing->task.itt};
    pdu.scsi_response.underflow = true;
    pdu.scsi_response.residual = 3;
    pdu.scsi_response.bidi_underflow = true;
    pdu.scsi_response.bidi_residual = 4;
    pdu.scsi_response.sn = peer_sn(&fixture->peer, true);
    peer_say(&fixture->peer, &pdu, NULL, 0);
    assert_int_equal(writing->task.status, STATUS_OK);
    assert_int_equal(writing->task.transferred, 4);
    assert_memory_equal(writing->read, "abcd", 4);
    assert_true(writing->task.underflow && writing->task.bidi_underflow);
    assert_int_equal(writing->task.residual, 3);
    assert_int_equal(writing->task.bidi_residual, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(immediate_and_unsolicited_data_in_all_combinations),
        TEST(small_first_bursts_bound_immediate_data),
        TEST(an_r2t_is_served_in_segments),
        TEST(an_r2t_may_overtake_the_immediate_data),
        TEST(sequences_come_in_any_order_when_that_was_agreed),
        TEST(what_was_sent_may_be_asked_for_again_where_errors_are_recovered),
        TEST(an_r2t_may_take_the_place_of_another),
        TEST(what_an_r2t_leaves_of_another_is_sent),
        TEST(frames_are_bounded),
        TEST(every_cut_of_the_output_is_the_same_stream),
        TEST(hostile_r2ts_end_the_connection),
        TEST(more_r2ts_than_agreed_end_the_connection),
        TEST(stray_r2ts_end_the_connection),
        TEST(an_early_status_stops_the_data),
        TEST(a_cancelled_write_finishes_the_pdu_it_began),
        TEST(damaged_data_are_asked_for_again_by_the_target),
        TEST(long_and_bidirectional_commands_have_additional_headers),
        TEST(a_bidirectional_command_moves_data_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
