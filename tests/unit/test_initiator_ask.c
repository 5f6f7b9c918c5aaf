/* A login that waits for somebody else who has a CHAP secret. */
#include "initiator_peer.h"

#define SECRET      "chapsecret123"
#define PEER_SECRET "targetsecret1"
#define CHALLENGE   "0x000102030405060708090a0b0c0d0e0f"

static struct peer peer;

static void begin(bool ask_response, bool ask_verdict)
{
    struct session_settings settings = peer_settings;
    settings.auth = ask_verdict ? SESSION_AUTH_MUTUAL : SESSION_AUTH_CHAP;
    settings.chap = (struct chap_credentials){
        .name = "chapuser", .ask_response = ask_response, .ask_verdict = ask_verdict};
    if (!ask_response) {
        settings.chap.secret = (const uint8_t *)SECRET;
        settings.chap.secret_length = sizeof SECRET - 1;
    }
    peer_start(&peer, &settings);
}

static void answer(int next, const void *data, size_t length)
{
    struct pdu pdu = peer_login_answer(&peer, next);
    peer_say(&peer, &pdu, data, length);
}

/* To where the target has challenged. */
static void challenge(void)
{
    static const char method[] = "AuthMethod=CHAP\0TargetPortalGroupTag=1";
    static const char question[] = "CHAP_A=5\0CHAP_I=17\0CHAP_C=" CHALLENGE;
    peer_take(&peer, PDU_LOGIN_REQUEST);
    answer(-1, method, sizeof method);
    peer_take(&peer, PDU_LOGIN_REQUEST);
    assert_string_equal(peer.text, "CHAP_A=5");
    answer(-1, question, sizeof question);
}

static const char *value_of(const char *key)
{
    const char *text = (const char *)peer.text;
    size_t offset = 0;
    struct text_pair pair;
    while (text_next(text, peer.framer.pdu.data_length, &offset, &pair) == 1) {
        if (text_key_is(&pair, key))
            return pair.value;
    }
    return NULL;
}

static void hash(const struct chap_question *question, const char *secret,
                 uint8_t out[CHAP_DIGEST_MAX])
{
    assert_true(chap_response(&os_crypto, CHAP_MD5, question->identifier, secret, strlen(secret),
                              question->challenge, question->challenge_length, out));
}

static void reply(enum status status, const uint8_t *response)
{
    connection_answer(peer.connection, status, response, peer.now);
}

static void finish_login(void)
{
    peer_take(&peer, PDU_LOGIN_REQUEST);
    answer(LOGIN_STAGE_FULL_FEATURE, OPERATIONAL_ANSWER, sizeof OPERATIONAL_ANSWER);
    assert_true(peer.logged_in);
}

static void closed_with(enum status status)
{
    assert_true(peer.closed);
    assert_string_equal(status_name(peer.status), status_name(status));
    assert_false(peer.logged_in);
}

static void the_response_is_waited_for(void **state)
{
    uint8_t response[CHAP_DIGEST_MAX];
    char hex[80];
    (void)state;
    begin(true, false);
    challenge();
    assert_int_equal(peer.question.asking, CHAP_ASK_RESPONSE);
    assert_true(peer_silent(&peer));
    assert_int_equal(connection_state(peer.connection), CONNECTION_LOGIN);
    hash(&peer.question, SECRET, response);
    reply(STATUS_OK, response);
    peer_take(&peer, PDU_LOGIN_REQUEST);
    assert_true(text_hex_encode(response, CHAP_MD5_LENGTH, hex, sizeof hex));
    assert_string_equal(value_of("CHAP_R"), hex);
    assert_string_equal(value_of("CHAP_N"), "chapuser");
    assert_true(peer.framer.pdu.login_request.transit);
    answer(LOGIN_STAGE_OPERATIONAL, NULL, 0);
    finish_login();
    peer_stop(&peer);
}

/* The target's proof, in the PDU that moves on. */
static void prove(void)
{
    char text[256], hex[80];
    uint8_t response[CHAP_DIGEST_MAX], bytes[CHAP_CHALLENGE_MAX];
    size_t length = 0;
    uint64_t identifier;
    const char *ours;
    peer_take(&peer, PDU_LOGIN_REQUEST);
    ours = value_of("CHAP_C");
    long count = text_binary_decode(ours, strlen(ours), bytes, sizeof bytes);
    assert_true(count > 0);
    assert_true(text_number(value_of("CHAP_I"), strlen(value_of("CHAP_I")), &identifier));
    hash(&(struct chap_question){.identifier = (uint8_t)identifier,
                                 .challenge = bytes,
                                 .challenge_length = (size_t)count},
         PEER_SECRET, response);
    assert_true(text_hex_encode(response, CHAP_MD5_LENGTH, hex, sizeof hex));
    assert_true(text_append(text, sizeof text, &length, "CHAP_N", "targetuser"));
    assert_true(text_append(text, sizeof text, &length, "CHAP_R", hex));
    answer(LOGIN_STAGE_OPERATIONAL, text, length);
    assert_int_equal(peer.question.asking, CHAP_ASK_VERDICT);
    assert_string_equal(peer.question.name, "targetuser");
    assert_memory_equal(peer.question.response, response, CHAP_MD5_LENGTH);
}

static void the_verdict_is_waited_for(void **state)
{
    (void)state;
    begin(false, true);
    challenge();
    prove();
    assert_true(peer_silent(&peer));
    assert_false(peer.closed);
    reply(STATUS_OK, NULL);
    finish_login();
    assert_int_equal(connection_auth(peer.connection), SESSION_AUTH_MUTUAL);
    peer_stop(&peer);
}

static void a_verdict_of_no_ends_the_login(void **state)
{
    (void)state;
    begin(false, true);
    challenge();
    prove();
    reply(STATUS_TARGET_AUTHENTICATION_FAILED, NULL);
    closed_with(STATUS_TARGET_AUTHENTICATION_FAILED);
    assert_true(peer_silent(&peer));
    reply(STATUS_OK, NULL); /* too late to matter */
    closed_with(STATUS_TARGET_AUTHENTICATION_FAILED);
    peer_stop(&peer);
}

static void no_answer_is_told_as_such(void **state)
{
    (void)state;
    begin(true, false);
    challenge();
    reply(STATUS_RADIUS_UNAVAILABLE, NULL);
    closed_with(STATUS_RADIUS_UNAVAILABLE);
    peer_stop(&peer);
}

static void the_time_of_the_login_goes_on(void **state)
{
    (void)state;
    begin(false, true);
    challenge();
    prove();
    peer.now = connection_due(peer.connection);
    connection_tick(peer.connection, peer.now);
    closed_with(STATUS_LOGIN_TIMEOUT);
    reply(STATUS_OK, NULL);
    assert_true(peer_silent(&peer));
    peer_stop(&peer);
}

/* A target that goes on without waiting, or leaves, while somebody is asked. */
static void a_target_that_does_not_wait_is_refused(void **state)
{
    (void)state;
    begin(true, false);
    challenge();
    answer(LOGIN_STAGE_OPERATIONAL, NULL, 0);
    closed_with(STATUS_PROTOCOL_ERROR);
    peer_stop(&peer);
    begin(true, false);
    challenge();
    connection_lost(peer.connection, STATUS_CONNECTION_CLOSED);
    closed_with(STATUS_CONNECTION_CLOSED);
    reply(STATUS_OK, (const uint8_t *)"0123456789abcdef");
    assert_true(peer_silent(&peer));
    peer_stop(&peer);
}

static void answers_that_nobody_asked_for_are_ignored(void **state)
{
    (void)state;
    begin(false, true);
    reply(STATUS_TARGET_AUTHENTICATION_FAILED, NULL);
    challenge();
    reply(STATUS_TARGET_AUTHENTICATION_FAILED, NULL);
    prove();
    reply(STATUS_OK, NULL);
    finish_login();
    reply(STATUS_TARGET_AUTHENTICATION_FAILED, NULL);
    assert_false(peer.closed);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_response_is_waited_for),
        cmocka_unit_test(the_verdict_is_waited_for),
        cmocka_unit_test(a_verdict_of_no_ends_the_login),
        cmocka_unit_test(no_answer_is_told_as_such),
        cmocka_unit_test(the_time_of_the_login_goes_on),
        cmocka_unit_test(a_target_that_does_not_wait_is_refused),
        cmocka_unit_test(answers_that_nobody_asked_for_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
