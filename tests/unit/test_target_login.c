/* The target's side of the login. */
#include "target_client.h"

struct fixture {
    struct target_entity *entity;
    struct target *target;
    struct client client;
    struct client other;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->entity = target_entity_new(&os_crypto);
    fixture->target = client_target(fixture->entity, TARGET, 65536);
    client_open(&fixture->client, fixture->entity, 1);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    client_close(&fixture->client);
    client_close(&fixture->other);
    target_entity_free(fixture->entity);
    free(fixture);
    return 0;
}

static void in_one_request(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    client_login(client, NORMAL "MaxRecvDataSegmentLength=65536\nMaxBurstLength=16776192\n"
                                "InitialR2T=No\nImmediateData=Yes\nErrorRecoveryLevel=2\n");
    client_expect_key(client, "TargetPortalGroupTag", "1");
    client_expect_key(client, "MaxRecvDataSegmentLength", "262144");
    client_expect_key(client, "MaxBurstLength", "1048576");
    client_expect_key(client, "InitialR2T", "No");
    client_expect_key(client, "ErrorRecoveryLevel", "0");
    assert_int_equal(client->pdu.login_response.sn.exp_cmd_sn, 100);
    assert_int_equal(client->pdu.login_response.sn.max_cmd_sn, 227);
    assert_int_equal(target_sessions(fixture->target), 1);
    assert_int_equal(target_connection_values(client->connection)->max_send_data_segment_length,
                     65536);
}

static void in_two_stages_byte_by_byte(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;

    client->step = 1;
    client_login_send(client, 0, 1, NORMAL "AuthMethod=CHAP,None\n");
    client_expect_status(client, 0);
    assert_true(client->pdu.login_response.transit);
    assert_int_equal(client->pdu.login_response.next_stage, 1);
    assert_int_equal(client->pdu.login_response.tsih, 0);
    client_expect_key(client, "AuthMethod", "None");
    client_login(client, "HeaderDigest=CRC32C,None\nDataDigest=CRC32C\n");
    client_expect_key(client, "HeaderDigest", "CRC32C");
    assert_true(client->digests);
}

static void for_discovery(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;

    client_login(client, DISCOVERY "MaxBurstLength=4096\n");
    assert_true(target_connection_discovery(client->connection));
    client_expect_key(client, "MaxBurstLength", "Irrelevant");
    assert_null(client_key(client, "TargetPortalGroupTag"));
}

static void names_without_case(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;

    client_login(client, NAMES "TargetName=IQN.2026-11.ORG.Example:DISK\n");
}

/* One request that is refused, each on a connection of its own. */
static void refusals(void **state)
{
    static const struct {
        const char *text;
        unsigned status;
    } cases[] = {
        {"TargetName=" TARGET "\n", 0x0207},
        {NAMES, 0x0207},
        {NAMES "TargetName=iqn.2026-11.org.example:other\n", 0x0203},
        {NAMES "TargetName=not a name\n", 0x0203},
        {NAMES "TargetName=\n", 0x0203},
        {"InitiatorName=\nTargetName=" TARGET "\n", 0x0200},
        {NAMES "SessionType=Special\n", 0x0209},
        {NORMAL "NoEquals\n", 0x0200},
        {NORMAL "MaxBurstLength=4096\nMaxBurstLength=8192\n", 0x0200},
        {NORMAL "TargetPortalGroupTag=1\n", 0x0200},
        {NORMAL "HeaderDigest=None", 0x0200}, /* no NUL */
        {"", 0x0207},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client client;

        client_open(&client, fixture->entity, 1);
        client_login_send(&client, 1, 3, cases[i].text);
        client_expect_status(&client, cases[i].status);
        client_close(&client);
    }
    assert_int_equal(target_sessions(fixture->target), 0);
}

/* What the header alone makes wrong. */
static void bad_headers(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 6; i++) {
        struct client client;
        struct pdu pdu;
        char text[512];
        size_t length = client_text(text, NORMAL);

        client_open(&client, fixture->entity, 1);
        pdu = client_login_pdu(&client, 1, 3);
        pdu.login_request.version_min = i == 0 ? 1 : 0;
        pdu.login_request.more = i == 1;
        pdu.login_request.next_stage = (uint8_t)(i == 2 ? 2 : i == 3 ? 1 : 3);
        pdu.login_request.current_stage = (uint8_t)(i == 4 ? 2 : i == 5 ? 3 : 1);
        client_send(&client, &pdu, text, length);
        client_expect_status(&client, i == 0 ? 0x0205 : 0x0200);
        client_close(&client);
    }
}

static void changes_its_identity(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;

    client_login_send(client, 1, 0, NORMAL);
    client_expect_status(client, 0);
    client->isid[3] = 9;
    client_login_send(client, 1, 3, "");
    client_expect_status(client, 0x0200);
}

static void text_over_c_bits(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    char text[512];
    size_t length = client_text(text, NORMAL "HeaderDigest=None\n");
    struct pdu pdu;

    for (size_t i = 0; i + 1 < length; i += 40) {
        pdu = client_login_pdu(client, 1, 0);
        pdu.login_request.more = true;
        client_send(client, &pdu, text + i, length - 1 - i < 40 ? length - 1 - i : 40);
        client_expect_status(client, 0);
        assert_int_equal(client->pdu.data_length, 0);
        assert_false(client->pdu.login_response.transit);
    }
    pdu = client_login_pdu(client, 1, 3);
    client_send(client, &pdu, text + length - 1, 1);
    client_expect_status(client, 0);
    assert_true(client->pdu.login_response.transit);
    client_expect_key(client, "HeaderDigest", "None");
}

static void endless_text(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    static const char filler[8192];

    for (int i = 0; i < 8; i++) {
        struct pdu pdu = client_login_pdu(client, 1, 0);

        pdu.login_request.more = true;
        client_send(client, &pdu, filler, sizeof filler);
        client_expect_status(client, 0);
    }
    struct pdu pdu = client_login_pdu(client, 1, 0);
    client_send(client, &pdu, filler, 1);
    client_expect_status(client, 0x0200);
}

/* Answers that do not fit into one PDU go on with the initiator's empty requests. */
static void long_reply(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    char form[16384] = NORMAL;
    size_t pairs = 0;
    size_t offset = 0;
    struct text_pair pair;
    char *text = NULL;
    size_t length = 0;

    while (strlen(form) < 6000)
        sprintf(form + strlen(form), "X-%zu=1\n", pairs++);
    client_login_send(client, 1, 3, form);
    for (;;) {
        client_expect_status(client, 0);
        text = realloc(text, length + client->pdu.data_length);
        memcpy(text + length, client->data, client->pdu.data_length);
        length += client->pdu.data_length;
        if (client->pdu.login_response.transit)
            break;
        assert_true(client->pdu.login_response.more);
        client_login_send(client, 1, 3, "");
    }
    assert_true(length > 8192);
    while (text_next(text, length, &offset, &pair) == 1)
        pairs -= pair.value_length == 13 && strcmp(pair.value, "NotUnderstood") == 0;
    assert_int_equal(pairs, 0);
    free(text);
}

static void other_pdus_first(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    struct pdu pdu = {.opcode = PDU_NOP_OUT, .immediate = true, .itt = 5};

    client_send(client, &pdu, NULL, 0);
    client_expect_silence(client);
    assert_true(client_ended(client));
}

static void segment_too_long(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    static const char filler[8196];
    struct pdu pdu = client_login_pdu(client, 1, 3);

    client_send(client, &pdu, filler, sizeof filler);
    client_expect_silence(client);
    assert_true(client_ended(client));
}

static void in_time(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;

    assert_int_equal(target_connection_due(client->connection), 15000);
    target_connection_tick(client->connection, 14999);
    assert_false(client_ended(client));
    target_connection_tick(client->connection, 15000);
    assert_true(client_ended(client));
}

static void only_through_its_group(void **state)
{
    struct fixture *fixture = *state;

    target_add_group(fixture->target, 2);
    client_login_send(&fixture->client, 1, 3, NORMAL);
    client_expect_status(&fixture->client, 0x0203);
    client_open(&fixture->other, fixture->entity, 2);
    client_login(&fixture->other, NORMAL);
    client_expect_key(&fixture->other, "TargetPortalGroupTag", "2");
}

static void moved(void **state)
{
    struct fixture *fixture = *state;

    target_set_redirect(fixture->target, "192.0.2.1:3260,1", false);
    client_login_send(&fixture->client, 1, 3, NORMAL);
    client_expect_status(&fixture->client, 0x0101);
    client_expect_key(&fixture->client, "TargetAddress", "192.0.2.1:3260,1");
    target_set_redirect(fixture->target, "[2001:db8::1]:3260,1", true);
    client_open(&fixture->other, fixture->entity, 1);
    client_login_send(&fixture->other, 0, 1, NORMAL "AuthMethod=None\n");
    client_expect_status(&fixture->other, 0x0102);
}

/* --- sessions --- */

static void reinstated(void **state)
{
    struct fixture *fixture = *state;

    client_login(&fixture->client, NORMAL);
    client_open(&fixture->other, fixture->entity, 1);
    client_login(&fixture->other, NORMAL);
    assert_true(fixture->client.woken > 0);
    assert_true(client_ended(&fixture->client));
    assert_false(client_ended(&fixture->other));
    assert_int_not_equal(fixture->client.tsih, fixture->other.tsih);
    assert_int_equal(target_sessions(fixture->target), 1);
}

static void another_isid_is_another_session(void **state)
{
    struct fixture *fixture = *state;

    client_login(&fixture->client, NORMAL);
    client_open(&fixture->other, fixture->entity, 1);
    fixture->other.isid[5] = 7;
    client_login(&fixture->other, NORMAL);
    assert_false(client_ended(&fixture->client));
    assert_int_equal(target_sessions(fixture->target), 2);
}

static void another_group_is_another_session(void **state)
{
    struct fixture *fixture = *state;

    client_login(&fixture->client, NORMAL);
    client_open(&fixture->other, fixture->entity, 2);
    client_login(&fixture->other, NORMAL);
    assert_false(client_ended(&fixture->client));
    assert_int_equal(target_sessions(fixture->target), 2);
}

static void second_connection(void **state)
{
    struct fixture *fixture = *state;
    struct client third;

    client_login(&fixture->client, NORMAL "MaxConnections=2\n");
    client_open(&fixture->other, fixture->entity, 1);
    fixture->other.tsih = fixture->client.tsih;
    fixture->other.cid = 2;
    client_login(&fixture->other, NORMAL);
    assert_int_equal(fixture->other.tsih, fixture->client.tsih);
    assert_int_equal(target_sessions(fixture->target), 1);
    assert_false(client_ended(&fixture->client));

    client_open(&third, fixture->entity, 1);
    third.tsih = fixture->client.tsih;
    third.cid = 3;
    client_login_send(&third, 1, 3, NORMAL);
    client_expect_status(&third, 0x0206);
    client_close(&third);

    client_open(&third, fixture->entity, 1); /* the second again: connection reinstatement */
    third.tsih = fixture->client.tsih;
    third.cid = 2;
    client_login(&third, NORMAL);
    assert_true(client_ended(&fixture->other));
    assert_false(client_ended(&fixture->client));
    client_close(&third);
}

/* A login that joins has the session's numbers from the first answer on, not those of its own
 * CmdSN. */
static void joins_the_numbers(void **state)
{
    struct fixture *fixture = *state;
    struct client *other = &fixture->other;

    client_login(&fixture->client, NORMAL "MaxConnections=2\n");
    client_open(other, fixture->entity, 1);
    other->tsih = fixture->client.tsih;
    other->cid = 2;
    other->cmd_sn = fixture->client.cmd_sn + 5; /* commands before are still under way */
    client_login_send(other, 0, 1, NORMAL "AuthMethod=None\n");
    client_expect_status(other, 0);
    assert_int_equal(other->pdu.login_response.sn.exp_cmd_sn, fixture->client.cmd_sn);
    assert_int_equal(other->pdu.login_response.sn.max_cmd_sn, fixture->client.cmd_sn + 127);
    client_login(other, "HeaderDigest=None\n");
    assert_int_equal(other->pdu.login_response.sn.exp_cmd_sn, fixture->client.cmd_sn);
}

static void unknown_session(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;

    client->tsih = 77;
    client_login_send(client, 1, 3, NORMAL);
    client_expect_status(client, 0x020a);
}

static void target_goes_away(void **state)
{
    struct fixture *fixture = *state;

    client_login(&fixture->client, NORMAL);
    client_open(&fixture->other, fixture->entity, 1);
    fixture->other.isid[5] = 7;
    client_login_send(&fixture->other, 1, 0, NORMAL); /* in mid-login */
    client_expect_status(&fixture->other, 0);
    target_remove(fixture->target);
    fixture->target = NULL;
    assert_true(client_ended(&fixture->client));
    assert_true(client_ended(&fixture->other));
    assert_null(target_find(fixture->entity, TARGET));
}

/* --- CHAP --- */

#define USER   "chapuser"
#define SECRET "chapsecret123"
#define TUSER  "targetuser"
#define TPROOF "targetsecret1"

static struct chap_credentials initiator_credentials(const char *secret)
{
    return (struct chap_credentials){.name = USER,
                                     .secret = (const uint8_t *)secret,
                                     .secret_length = strlen(secret),
                                     .peer_name = TUSER,
                                     .peer_secret = (const uint8_t *)TPROOF,
                                     .peer_secret_length = strlen(TPROOF)};
}

/* One step: what `chap` has to say goes, an answer with `status` comes. */
static void chap_step(struct client *client, struct chap *chap, uint8_t next, const char *first,
                      unsigned status)
{
    char text[4096];
    size_t length = client_text(text, first);
    struct pdu pdu = client_login_pdu(client, 0, next);

    assert_true(chap_send(chap, text, sizeof text, &length));
    client_send(client, &pdu, text, length);
    client_expect_status(client, status);
}

static enum status chap_hear(struct client *client, struct chap *chap)
{
    return chap_receive(chap, (const char *)client->data, client->pdu.data_length, NULL);
}

static enum status do_chap(struct client *client, const char *secret, bool mutual, unsigned status)
{
    struct chap_credentials credentials = initiator_credentials(secret);
    struct chap chap;
    struct pdu pdu = client_login_pdu(client, 0, 0);
    char text[512];

    client_send(client, &pdu, text, client_text(text, NORMAL "AuthMethod=CHAP\n"));
    client_expect_status(client, 0);
    client_expect_key(client, "AuthMethod", "CHAP");
    chap_start_initiator(&chap, &os_crypto, &credentials, mutual);
    chap_step(client, &chap, 0, "", 0);
    assert_int_equal(chap_hear(client, &chap), STATUS_OK);
    chap_step(client, &chap, 1, "", status);
    if (status != 0)
        return STATUS_AUTHENTICATION_FAILED;
    assert_true(client->pdu.login_response.transit);
    return mutual ? chap_hear(client, &chap) : STATUS_OK;
}

static void chap_right(void **state)
{
    struct fixture *fixture = *state;

    target_access_add(target_access_of(fixture->target), "somebody", "elsessecret12");
    target_access_add(target_access_of(fixture->target), USER, SECRET);
    assert_int_equal(do_chap(&fixture->client, SECRET, false, 0), STATUS_OK);
    client_login(&fixture->client, "HeaderDigest=None\n");
}

static void chap_wrong(void **state)
{
    struct fixture *fixture = *state;

    target_access_add(target_access_of(fixture->target), USER, SECRET);
    do_chap(&fixture->client, "anothersecret", false, 0x0201);
    assert_int_equal(target_sessions(fixture->target), 0);
}

static void chap_unknown_user(void **state)
{
    struct fixture *fixture = *state;

    target_access_add(target_access_of(fixture->target), "somebody", SECRET);
    do_chap(&fixture->client, SECRET, false, 0x0201);
}

static void chap_mutual(void **state)
{
    struct fixture *fixture = *state;

    target_access_add(target_access_of(fixture->target), USER, SECRET);
    target_access_identity(target_access_of(fixture->target), TUSER, TPROOF);
    assert_int_equal(do_chap(&fixture->client, SECRET, true, 0), STATUS_OK);
    client_login(&fixture->client, "");
}

static void chap_mutual_without_identity(void **state)
{
    struct fixture *fixture = *state;

    target_access_add(target_access_of(fixture->target), USER, SECRET);
    do_chap(&fixture->client, SECRET, true, 0x0201);
}

/* Every way around the proof. */
static void chap_evaded(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        uint8_t stage, next;
        const char *text;
    } cases[] = {
        {1, 3, NORMAL},
        {0, 1, NORMAL},
        {0, 3, NORMAL},
        {0, 1, NORMAL "AuthMethod=None\n"},
        {0, 1, NORMAL "AuthMethod=KRB5,None\n"},
    };

    target_access_add(target_access_of(fixture->target), USER, SECRET);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client client;

        client_open(&client, fixture->entity, 1);
        client_login_send(&client, cases[i].stage, cases[i].next, cases[i].text);
        client_expect_status(&client, 0x0201);
        client_close(&client);
    }
}

/* With CHAP chosen the T bit is not granted until the proof, however often it is asked for. */
static void chap_stalled(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;

    target_access_add(target_access_of(fixture->target), USER, SECRET);
    client_login_send(client, 0, 1, NORMAL "AuthMethod=CHAP\n");
    client_expect_status(client, 0);
    assert_false(client->pdu.login_response.transit);
    client_login_send(client, 0, 3, "");
    client_expect_status(client, 0);
    assert_false(client->pdu.login_response.transit);
    client_login_send(client, 1, 3, ""); /* a stage that was not reached */
    client_expect_status(client, 0x0200);
}

static void chap_for_discovery(void **state)
{
    struct fixture *fixture = *state;

    target_access_add(target_access_of_discovery(fixture->entity), USER, SECRET);
    client_login_send(&fixture->client, 1, 3, DISCOVERY);
    client_expect_status(&fixture->client, 0x0201);
    client_open(&fixture->other, fixture->entity, 1);
    client_login(&fixture->other, NORMAL);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(in_one_request),
        T(in_two_stages_byte_by_byte),
        T(for_discovery),
        T(names_without_case),
        T(refusals),
        T(bad_headers),
        T(changes_its_identity),
        T(text_over_c_bits),
        T(endless_text),
        T(long_reply),
        T(other_pdus_first),
        T(segment_too_long),
        T(in_time),
        T(only_through_its_group),
        T(moved),
        T(reinstated),
        T(another_isid_is_another_session),
        T(another_group_is_another_session),
        T(second_connection),
        T(joins_the_numbers),
        T(unknown_session),
        T(target_goes_away),
        T(chap_right),
        T(chap_wrong),
        T(chap_unknown_user),
        T(chap_mutual),
        T(chap_mutual_without_identity),
        T(chap_evaded),
        T(chap_stalled),
        T(chap_for_discovery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
