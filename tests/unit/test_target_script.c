/* Fault scripts: what is a rule, and that each one does what it says. */
#include "target_fixture.h"

#include "protocol/crc32c.h"
#include "target/script.h"

static struct target_script *script;

static int setup(void **state)
{
    fixture_setup(state);
    script = target_script_new(1);
    assert_non_null(script);
    target_entity_settings(((struct fixture *)*state)->entity)->fault = target_script_fault(script);
    return 0;
}

static int teardown(void **state)
{
    fixture_teardown(state);
    target_script_free(script);
    return 0;
}

static void rules(const char *text)
{
    char error[256] = "";

    if (!target_script_add(script, text, error, sizeof error))
        fail_msg("%s", error);
}

/* A fresh connection, as scripts look at connections from their begin. */
static struct client *log_in(struct fixture *fixture, const char *keys)
{
    client_close(&fixture->client);
    client_open(&fixture->client, fixture->entity, 1);
    client_login(&fixture->client, keys);
    return &fixture->client;
}

static void test_unit_ready(struct client *client)
{
    struct scsi_cdb cdb;

    scsi_test_unit_ready(&cdb);
    client_read_command(client, &cdb, 0);
}

/* --- language --- */

static void errors_are_precise(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"omit", "line 1: omit: a rule begins with \"on\""},
        {"\n\nwhen data-in omit", "line 3: when: a rule begins with \"on\""},
        {"on", "line 1: an event is missing"},
        {"and", "line 1: and: a rule begins with \"on\""},
        {"on and", "line 1: an event is missing"},
        {"on data-in and omit", "line 1: an action is missing"},
        {"on data-inn omit", "line 1: data-inn: no such event"},
        {"on data-in", "line 1: an action is missing"},
        {"on data-in omitt", "line 1: omitt: no such action"},
        {"on data-in 0 omit", "line 1: 0: not a place in the order"},
        {"on data-in 5-3 omit", "line 1: 5: not a place in the order"},
        {"on data-in 3x omit", "line 1: 3x: not a place in the order"},
        {"on data-in every omit", "line 1: omit: not a number"},
        {"on data-in every 0 omit", "line 1: every 0: not an interval"},
        {"on data-in with omit", "line 1: omit: not a condition"},
        {"on data-in with itt=x omit", "line 1: itt=x: its value is not a number"},
        {"on data-in with itt!5 omit", "line 1: itt!5: not a condition"},
        {"on data-in with cmd-sn=5 omit", "line 1: cmd-sn: no such field here"},
        {"on connect with itt=5 reset", "line 1: itt: no such field here"},
        {"on data-in chance omit", "line 1: omit: not a chance such as 1/20"},
        {"on data-in chance 3/2 omit", "line 1: 3: not a chance such as 1/20"},
        {"on data-in chance 1/0 omit", "line 1: 1: not a chance such as 1/20"},
        {"on time omit", "line 1: omit: not a number"},
        {"on time 5 omit", "line 1: omit: not possible here"},
        {"on connect omit", "line 1: omit: not possible here"},
        {"on scsi-command duplicate", "line 1: duplicate: not possible here"},
        {"on data-in delay", "line 1: a number is missing"},
        {"on data-in delay soon", "line 1: soon: not a number"},
        {"on data-in delay 99999999999", "line 1: 99999999999: too large"},
        {"on data-in corrupt", "line 1: what is corrupted is missing"},
        {"on data-in corrupt everything", "line 1: everything: not a part of a PDU"},
        {"on data-out corrupt header", "line 1: header: of a request only data-digest can be "
                                       "corrupted"},
        {"on data-in set", "line 1: a field is missing"},
        {"on data-in set stat-sn", "line 1: a value is missing"},
        {"on data-in set stat-sn x", "line 1: x: not a number"},
        {"on data-in set cid 5", "line 1: cid: no such field here"},
        {"on data-in set byte48 5", "line 1: byte48: no such field here"},
        {"on data-in data 123", "line 1: 123: not bytes in hexadecimal"},
        {"on data-in data xy", "line 1: xy: not bytes in hexadecimal"},
        {"on login-response key MaxBurstLength", "line 1: MaxBurstLength: key=value"},
        {"on data-in key a=b", "line 1: key: not possible here"},
        {"on scsi-response close by", "line 1: by: neither \"at\" nor \"after\""},
        {"on scsi-response close at", "line 1: a number is missing"},
        {"on scsi-command answer", "line 1: a SCSI status is missing"},
        {"on scsi-command answer bussy", "line 1: bussy: not known"},
        {"on nop-out answer busy", "line 1: answer: not possible here"},
        {"on data-in async", "line 1: an asynchronous event is missing"},
        {"on data-in async 256", "line 1: 256: not known"},
        {"on data-in window 70000", "line 1: 70000: too large"},
        {"on data-in omit now", "line 1: now: too much here"},
        {"on data-in omit and", "line 1: an action is missing"},
        {"on data-in omit\non r2t drop", "line 2: drop: no such action"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char error[256] = "";

        if (target_script_add(script, cases[i].text, error, sizeof error))
            fail_msg("\"%s\" is a rule", cases[i].text);
        if (strcmp(error, cases[i].error) != 0)
            fail_msg("\"%s\": \"%s\", expected \"%s\"", cases[i].text, error, cases[i].error);
    }
}

static void too_much(void **state)
{
    char text[4096] = "on data-in";
    char error[256];

    (void)state;
    for (int i = 0; i < 9; i++)
        strcat(text, " with itt=1");
    assert_false(target_script_add(script, text, error, sizeof error));
    assert_string_equal(error, "line 1: itt=1: too many conditions");
    strcpy(text, "on data-in omit");
    for (int i = 0; i < 9; i++)
        strcat(text, " and omit");
    assert_false(target_script_add(script, text, error, sizeof error));
    assert_string_equal(error, "line 1: the rule: has too many actions");
    for (int i = 0; i < 70; i++)
        strcat(text, " and");
    assert_false(target_script_add(script, text, error, sizeof error));
    assert_string_equal(error, "line 1: the line: has too many words");
}

static void blank_lines_and_comments(void **state)
{
    struct fixture *fixture = *state;
    struct client *client;

    rules("# nothing\n\n   \t\non nop-in omit # all of them\r\n");
    client = log_in(fixture, NORMAL);
    target_connection_ping(client->connection);
    client_expect_silence(client);
    assert_int_equal(target_script_hits(script, 0), 1);
    assert_int_equal(target_script_hits(script, 1), 0);
}

/* --- which --- */

/* Sends 12 commands; a bit for each that was answered. */
static unsigned answered(struct client *client)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < 12; i++) {
        test_unit_ready(client);
        if (client_try_receive(client))
            bits |= 1u << i;
    }
    return bits;
}

static void which_of_them(void **state)
{
    static const struct {
        const char *rule;
        unsigned answered;
    } cases[] = {
        {"on scsi-response omit", 0x000},
        {"on scsi-response 3 omit", 0xffb},
        {"on scsi-response 3- omit", 0x003},
        {"on scsi-response 3-5 omit", 0xfe3},
        {"on scsi-response every 4 omit", 0x777},
        {"on status 1 omit", 0xffe},
        {"on any-response 2 omit", 0xffe}, /* the first was that of the login */
        {"on scsi-command 4 omit", 0x007}, /* its CmdSN is missing from then on */
        {"on scsi-response with itt=3 omit", 0xffd},
        {"on scsi-response with itt!=3 omit", 0x002},
        {"on scsi-response with itt>3 with itt<6 omit", 0xff3},
        {"on scsi-response 2 with itt>3 omit", 0xff7},
        {"on scsi-response with cid=1 omit", 0x000},
        {"on scsi-response with cid=2 omit", 0xfff},
        {"on scsi-response with discovery=1 omit", 0xfff},
        {"on data-in omit", 0xfff},
        {"on scsi-response chance 0/1 omit", 0xfff},
        {"on scsi-response chance 1/1 omit", 0x000},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned bits;

        target_script_clear(script);
        rules(cases[i].rule);
        bits = answered(log_in(*state, NORMAL));
        if (bits != cases[i].answered)
            fail_msg("%s: answered %03x, expected %03x", cases[i].rule, bits, cases[i].answered);
    }
}

static void chances_come_from_the_seed(void **state)
{
    struct fixture *fixture = *state;
    unsigned bits[3];

    for (unsigned i = 0; i < 3; i++) {
        target_script_free(script);
        script = target_script_new(i < 2 ? 7 : 8);
        target_entity_settings(fixture->entity)->fault = target_script_fault(script);
        rules("on scsi-response chance 1/2 omit");
        bits[i] = answered(log_in(fixture, NORMAL));
    }
    assert_int_equal(bits[0], bits[1]);
    assert_int_not_equal(bits[0], bits[2]);
    assert_int_not_equal(bits[0], 0);
    assert_int_not_equal(bits[0], 0xfff);
}

static void which_connection(void **state)
{
    struct fixture *fixture = *state;

    rules("on scsi-response with connection=2 omit"); /* the first was opened by nobody's rules */
    assert_int_equal(answered(log_in(fixture, NORMAL)), 0xfff);
    assert_int_equal(answered(log_in(fixture, NORMAL)), 0x000);
    assert_int_equal(answered(log_in(fixture, NORMAL)), 0xfff);
}

/* --- the fate of a PDU --- */

static void delayed(void **state)
{
    struct client *client;

    rules("on scsi-response delay 500");
    client = log_in(*state, NORMAL);
    test_unit_ready(client);
    client_expect_silence(client);
    assert_int_equal(target_connection_due(client->connection), 500);
    client->now = 499;
    client_expect_silence(client);
    client->now = 500;
    client_expect_scsi(client, SCSI_GOOD);
}

static void duplicated(void **state)
{
    struct client *client;

    rules("on scsi-response 1 duplicate\non scsi-response 2 duplicate 3");
    client = log_in(*state, NORMAL);
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    client_expect_scsi(client, SCSI_GOOD);
    client_expect_silence(client);
    test_unit_ready(client);
    for (int i = 0; i < 4; i++)
        client_expect_scsi(client, SCSI_GOOD);
    client_expect_silence(client);
}

static void reordered(void **state)
{
    struct client *client;
    struct scsi_cdb cdb;

    rules("on data-in 1 behind 2");
    client = log_in(*state, NORMAL "MaxRecvDataSegmentLength=512\n");
    scsi_read(&cdb, 0, 4);
    client_read_command(client, &cdb, 2048);
    for (uint32_t i = 0; i < 4; i++) {
        static const uint32_t order[] = {1, 2, 0, 3};

        client_receive(client, PDU_DATA_IN);
        assert_int_equal(client->pdu.data_in.data_sn, order[i]);
    }
}

/* Nobody overtakes it: it goes when its patience ends. */
static void reordered_in_vain(void **state)
{
    struct client *client;

    rules("on scsi-response 1 behind 5");
    client = log_in(*state, NORMAL);
    test_unit_ready(client);
    client_expect_silence(client);
    assert_int_equal(target_connection_due(client->connection), TARGET_FAULT_PATIENCE);
    client->now = TARGET_FAULT_PATIENCE;
    target_connection_tick(client->connection, client->now);
    client_expect_scsi(client, SCSI_GOOD);
}

static void reordered_before_the_end(void **state)
{
    struct client *client;

    rules("on logout-response behind 5");
    client = log_in(*state, NORMAL);
    client_log_out(client, LOGOUT_CLOSE_SESSION, 0, LOGOUT_DONE);
    assert_true(client_ended(client));
}

static void ended(void **state)
{
    static const struct {
        const char *rule;
        size_t bytes;
        enum target_end end;
    } cases[] = {
        {"on scsi-response close", 0, TARGET_END_CLOSE},
        {"on scsi-response reset", 0, TARGET_END_RESET},
        {"on scsi-response close at 20", 20, TARGET_END_CLOSE},
        {"on scsi-response reset at 20", 20, TARGET_END_RESET},
        {"on scsi-response close after", 48, TARGET_END_CLOSE},
        {"on scsi-response reset after", 48, TARGET_END_RESET},
        {"on scsi-command close", 0, TARGET_END_CLOSE},
        {"on scsi-command reset", 0, TARGET_END_RESET},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client *client;

        target_script_clear(script);
        rules(cases[i].rule);
        client = log_in(*state, NORMAL);
        test_unit_ready(client);
        client_drain(client);
        if (client->length - client->read != cases[i].bytes ||
            target_connection_ending(client->connection) != cases[i].end)
            fail_msg("%s: %zu bytes came, ended %d", cases[i].rule, client->length - client->read,
                     target_connection_ending(client->connection));
    }
}

static void muted(void **state)
{
    struct client *client;

    rules("on scsi-command 2 mute");
    client = log_in(*state, NORMAL);
    assert_int_equal(answered(client), 0x001);
    assert_false(client_ended(client));
}

/* --- damage --- */

#define CHECKED NORMAL "HeaderDigest=CRC32C\nDataDigest=CRC32C\n"

/* What comes, without a look at digests. */
static const uint8_t *raw_answer(struct client *client, struct pdu *pdu)
{
    const uint8_t *bytes;

    client_drain(client);
    bytes = client->sent + client->read;
    assert_true(client->length - client->read >= PDU_BHS_LENGTH);
    pdu_decode(pdu, bytes);
    return bytes;
}

static void corrupted(void **state)
{
    static const struct {
        const char *rule;
        bool header, data; /* what its digest finds wrong */
    } cases[] = {
        {"on data-in corrupt header", true, false},
        {"on data-in corrupt header 17", true, false},
        {"on data-in corrupt header-digest", true, false},
        {"on data-in corrupt data", false, true},
        {"on data-in corrupt data 511", false, true},
        {"on data-in corrupt data-digest", false, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client *client;
        const uint8_t *bytes;
        struct scsi_cdb cdb;
        struct pdu pdu;
        bool header, data;

        target_script_clear(script);
        rules(cases[i].rule);
        client = log_in(*state, CHECKED);
        scsi_read(&cdb, 0, 1);
        client_read_command(client, &cdb, 512);
        bytes = raw_answer(client, &pdu);
        assert_int_equal(client->length - client->read, 48 + 4 + 512 + 4);
        header = crc32c(0, bytes, 48) != get_le32(bytes + 48);
        data = crc32c(0, bytes + 52, 512) != get_le32(bytes + 564);
        if (header != cases[i].header || data != cases[i].data)
            fail_msg("%s: header %d, data %d", cases[i].rule, header, data);
    }
}

static void spoiled(void **state)
{
    struct fixture *fixture = *state;
    struct client *client;
    struct scsi_cdb cdb;

    rules("on data-in spoil 100");
    client = log_in(fixture, CHECKED);
    scsi_read(&cdb, 0, 1);
    client_read_command(client, &cdb, 512);
    client_receive(client, PDU_DATA_IN); /* the digests are right */
    assert_int_equal(client->data[100], fixture->expected[100] ^ 0xff);
    assert_int_equal(client->data[99], fixture->expected[99]);
}

/* --- lies --- */

static void fields_are_set(void **state)
{
    struct client *client;
    struct pdu pdu;
    uint32_t stat_sn;

    rules("on scsi-response 1 set stat-sn +3\n"
          "on scsi-response 2 set response 1 and set status 0x08 and set underflow 1\n"
          "on scsi-response 3 set max-cmd-sn -200 and set itt 0xdead\n"
          "on scsi-response 4 set byte47 9\n"
          "on scsi-response 5 set data-length 4\n");
    client = log_in(*state, NORMAL);
    stat_sn = client->pdu.login_response.sn.stat_sn + 1;
    test_unit_ready(client);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.scsi_response.sn.stat_sn, stat_sn + 3);
    test_unit_ready(client);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.scsi_response.sn.stat_sn, stat_sn + 1);
    assert_int_equal(client->pdu.scsi_response.response, 1);
    assert_int_equal(client->pdu.scsi_response.status, SCSI_BUSY);
    assert_true(client->pdu.scsi_response.underflow);
    test_unit_ready(client);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.itt, 0xdead);
    assert_true(serial_less(client->pdu.scsi_response.sn.max_cmd_sn,
                            client->pdu.scsi_response.sn.exp_cmd_sn - 1));
    test_unit_ready(client);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.scsi_response.residual, 9);
    test_unit_ready(client);
    raw_answer(client, &pdu);
    assert_int_equal(pdu.data_length, 4);
    assert_int_equal(client->length - client->read, 48); /* which are not there */
}

static void fields_of_requests_are_set(void **state)
{
    struct client *client;

    rules("on scsi-command 2 set cdb 0xff\non scsi-command 3 set lun 0x0005000000000000");
    client = log_in(*state, NORMAL);
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    test_unit_ready(client);
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPCODE);
    test_unit_ready(client);
    client_expect_sense(client, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LUN_NOT_SUPPORTED);
}

static void data_are_replaced(void **state)
{
    struct client *client;
    struct scsi_cdb cdb;

    rules("on scsi-response 1 truncate 7\n"
          "on scsi-response 2 data 000270\n"
          "on scsi-response 3 data 0012F0 and set data-length 3\n");
    client = log_in(*state, NORMAL);
    scsi_read(&cdb, 5000, 1);
    client_read_command(client, &cdb, 512);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.data_length, 7); /* sense that is shorter than its length says */
    assert_int_equal(get_be16(client->data), 18);
    client_read_command(client, &cdb, 512);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.data_length, 3);
    assert_int_equal(client->data[2], 0x70);
    client_read_command(client, &cdb, 512);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->data[2], 0xf0);
}

static void keys_are_lied_about(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    rules("on login-response with transit=1 key MaxBurstLength=99999999 and key Unheard=Of "
          "and remove-key InitialR2T");
    client_close(client);
    client_open(client, fixture->entity, 1);
    client_login(client, NORMAL "MaxBurstLength=8192\nInitialR2T=Yes\n");
    client_expect_key(client, "MaxBurstLength", "99999999");
    client_expect_key(client, "Unheard", "Of");
    assert_null(client_key(client, "InitialR2T"));
    client_expect_key(client, "TargetPortalGroupTag", "1");
}

static void login_refused(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    rules(
        "on login-response set status-class 3 and set status-detail 1 and set transit 0 and close "
        "after");
    client_close(client);
    client_open(client, fixture->entity, 1);
    client_login_send(client, 1, 3, NORMAL);
    client_expect_status(client, 0x0301);
}

/* --- requests --- */

static void answered_in_its_place(void **state)
{
    static const uint8_t statuses[] = {SCSI_BUSY, SCSI_TASK_SET_FULL, SCSI_RESERVATION_CONFLICT,
                                       SCSI_TASK_ABORTED, 0x77};
    struct fixture *fixture = *state;
    static const uint8_t data[512];
    struct client *client;
    struct scsi_cdb cdb;
    struct pdu pdu;

    rules("on scsi-command 1 answer busy\n"
          "on scsi-command 2 answer task-set-full\n"
          "on scsi-command 3 answer reservation-conflict\n"
          "on scsi-command 4 answer task-aborted\n"
          "on scsi-command 5 answer 0x77\n"
          "on scsi-command 6 answer check-condition 6 0x29 0x01\n"
          "on scsi-command 7 respond 1\n");
    client = log_in(fixture, NORMAL);
    scsi_write(&cdb, 0, 1, false);
    for (size_t i = 0; i < sizeof statuses; i++) {
        pdu = client_command(client, &cdb, 0, 512);
        client_send(client, &pdu, data, 512);
        client_expect_scsi(client, statuses[i]);
    }
    pdu = client_command(client, &cdb, 0, 512);
    client_send(client, &pdu, data, 512);
    client_expect_sense(client, SCSI_UNIT_ATTENTION, SCSI_ASC(0x29, 0x01));
    pdu = client_command(client, &cdb, 0, 512);
    client_send(client, &pdu, data, 512);
    client_receive(client, PDU_SCSI_RESPONSE);
    assert_int_equal(client->pdu.scsi_response.response, 1);
    target_script_clear(script);
    fixture_check_disk(fixture); /* nothing was written */
}

/* A refused write does not ask for its data. */
static void refused_write(void **state)
{
    struct client *client;

    rules("on scsi-command 1 answer busy");
    client = log_in(*state, NORMAL "InitialR2T=Yes\nImmediateData=No\n");
    client_write_command(client, 0, 4);
    client_expect_scsi(client, SCSI_BUSY);
    client_write_command(client, 0, 4);
    client_receive(client, PDU_R2T);
}

static void rejected(void **state)
{
    struct client *client;
    struct pdu nop = {.opcode = PDU_NOP_OUT, .immediate = true, .final = true, .itt = 900};

    rules("on scsi-command 1 reject 5\non nop-out reject 9");
    client = log_in(*state, NORMAL);
    test_unit_ready(client);
    client_expect_reject(client, REJECT_NOT_SUPPORTED);
    assert_int_equal(get_be32(client->data + 16), client->itt);
    test_unit_ready(client); /* its CmdSN was counted */
    client_expect_scsi(client, SCSI_GOOD);
    nop.nop_out.ttt = PDU_RESERVED_TAG;
    client_send(client, &nop, NULL, 0);
    client_expect_reject(client, REJECT_INVALID_PDU_FIELD);
}

static void broken_request(void **state)
{
    struct fixture *fixture = *state;
    uint8_t data[1024];
    struct client *client;
    struct pdu r2t;

    memset(data, 0x31, sizeof data);
    target_entity_settings(fixture->entity)->offers.error_recovery_level = 1;
    rules("on data-out 1 corrupt data-digest");
    client = log_in(fixture, NORMAL "ErrorRecoveryLevel=1\nInitialR2T=Yes\nImmediateData=No\n");
    client_write_command(client, 0, 2);
    r2t = client_receive_r2t(client, 0, 0, 1024);
    client_answer_r2t(client, &r2t, data, 512);
    client_expect_reject(client, REJECT_DATA_DIGEST);
    r2t = client_receive_r2t(client, 1, 0, 512);
    client_answer_r2t(client, &r2t, data, 512);
    client_expect_scsi(client, SCSI_GOOD);
    memcpy(fixture->expected, data, sizeof data);
    fixture_check_disk(fixture);
}

/* --- the connection --- */

static void window_is_changed(void **state)
{
    struct client *client;

    rules("on scsi-response 1 window 0\non full-feature window 3");
    client = log_in(*state, NORMAL);
    client_receive(client, PDU_NOP_IN);
    assert_int_equal(client->pdu.nop_in.ttt, PDU_RESERVED_TAG);    /* no answer wanted */
    assert_int_equal(client->pdu.nop_in.sn.max_cmd_sn, 100 + 127); /* it never goes back */
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    client_receive(client, PDU_NOP_IN);
    for (int i = 0; i < 127; i++) {
        test_unit_ready(client);
        client_expect_scsi(client, SCSI_GOOD);
    }
    assert_int_equal(client->pdu.scsi_response.sn.max_cmd_sn,
                     client->pdu.scsi_response.sn.exp_cmd_sn - 1); /* closed */
    test_unit_ready(client);
    client_expect_silence(client);
    target_connection_window(client->connection, 1);
    client_receive(client, PDU_NOP_IN);
    assert_int_equal(client->pdu.nop_in.sn.max_cmd_sn, client->pdu.nop_in.sn.exp_cmd_sn);
    client->cmd_sn--;
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
}

static void asynchronous(void **state)
{
    struct client *client;
    uint32_t stat_sn;

    rules("on scsi-response 1 async logout 10\n"
          "on scsi-response 2 async drop-connection 7 1 2\n"
          "on scsi-command 3 async scsi 6 0x3f 0x0e\n"
          "on scsi-command 4 async 200 1 2 3 and ping\n");
    client = log_in(*state, NORMAL);
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    stat_sn = client->pdu.scsi_response.sn.stat_sn;
    client_receive(client, PDU_ASYNC_MESSAGE); /* behind what caused it */
    assert_int_equal(client->pdu.async_message.sn.stat_sn, stat_sn + 1);
    assert_int_equal(client->pdu.async_message.event, ASYNC_LOGOUT_REQUESTED);
    assert_int_equal(client->pdu.async_message.parameter1, 0);
    assert_int_equal(client->pdu.async_message.parameter3, 10);
    test_unit_ready(client);
    client_expect_scsi(client, SCSI_GOOD);
    client_receive(client, PDU_ASYNC_MESSAGE);
    assert_int_equal(client->pdu.async_message.event, ASYNC_DROP_CONNECTION);
    assert_int_equal(client->pdu.async_message.parameter1, 7);
    assert_int_equal(client->pdu.async_message.parameter3, 2);
    test_unit_ready(client);
    client_receive(client, PDU_ASYNC_MESSAGE);
    assert_int_equal(client->pdu.async_message.event, ASYNC_SCSI);
    assert_int_equal(client->pdu.data_length, 20);
    assert_int_equal(get_be16(client->data + 2 + 12), 0x3f0e);
    client_expect_scsi(client, SCSI_GOOD);
    test_unit_ready(client);
    client_receive(client, PDU_ASYNC_MESSAGE);
    assert_int_equal(client->pdu.async_message.event, 200);
    client_receive(client, PDU_NOP_IN);
    client_expect_scsi(client, SCSI_GOOD);
}

/* What a rule sends meets no rule: this ends. */
static void no_echo(void **state)
{
    struct client *client;

    rules("on any-response ping");
    client = log_in(*state, NORMAL);
    test_unit_ready(client);
    client_receive(client, PDU_SCSI_RESPONSE);
    client_receive(client, PDU_NOP_IN);
    client_expect_silence(client);
}

static void at_a_time(void **state)
{
    struct client *client;

    rules("on time 300 ping\non time 500 async logout 1 and ping\non time 800 reset");
    client = log_in(*state, NORMAL);
    assert_int_equal(target_connection_due(client->connection), 300);
    target_connection_tick(client->connection, 300);
    client->now = 300;
    client_receive(client, PDU_NOP_IN);
    target_connection_tick(client->connection, 600);
    client->now = 600;
    client_receive(client, PDU_ASYNC_MESSAGE);
    client_receive(client, PDU_NOP_IN);
    client_expect_silence(client);
    target_connection_tick(client->connection, 900);
    assert_int_equal(target_connection_ending(client->connection), TARGET_END_RESET);
}

static void at_the_begin(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    rules("on connect 2 reset");
    log_in(fixture, NORMAL);
    client_close(client);
    client_open(client, fixture->entity, 1);
    assert_int_equal(target_connection_ending(client->connection), TARGET_END_RESET);
    log_in(fixture, NORMAL);
}

static void dribbled(void **state)
{
    struct client *client;

    rules("on scsi-command dribble 10 5");
    client = log_in(*state, NORMAL);
    test_unit_ready(client);
    for (client->now = 0; client->now < 20; client->now += 5) {
        client_drain(client);
        assert_int_equal(client->length - client->read, 10 * (client->now / 5 + 1));
    }
    client_expect_scsi(client, SCSI_GOOD);
}

#define S(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        S(errors_are_precise),
        S(too_much),
        S(blank_lines_and_comments),
        S(which_of_them),
        S(chances_come_from_the_seed),
        S(which_connection),
        S(delayed),
        S(duplicated),
        S(reordered),
        S(reordered_in_vain),
        S(reordered_before_the_end),
        S(ended),
        S(muted),
        S(corrupted),
        S(spoiled),
        S(fields_are_set),
        S(fields_of_requests_are_set),
        S(data_are_replaced),
        S(keys_are_lied_about),
        S(login_refused),
        S(answered_in_its_place),
        S(refused_write),
        S(rejected),
        S(broken_request),
        S(window_is_changed),
        S(asynchronous),
        S(no_echo),
        S(at_a_time),
        S(at_the_begin),
        S(dribbled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
