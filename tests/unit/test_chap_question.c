/* CHAP where somebody else has a secret: what he is asked, and what his answer brings about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os/crypto.h"
#include "protocol/chap.h"

#define SECRET      "chapsecret123"
#define PEER_SECRET "targetsecret1"
#define BYTES(text) (const uint8_t *)text, sizeof text - 1

static const struct chap_credentials host = {
    "targetuser", BYTES(PEER_SECRET), NULL, BYTES(SECRET), false, false, 0, NULL};
static struct chap initiator, target;
static char text[8192];
static size_t length;

static bool find(void *context, const char *name, struct chap_credentials *credentials)
{
    (void)context;
    *credentials = host;
    return strcmp(name, "chapuser") == 0;
}

static void start(bool ask_response, bool ask_verdict, bool mutual)
{
    struct chap_credentials user = {"chapuser",   BYTES(SECRET), NULL, BYTES(PEER_SECRET),
                                    ask_response, ask_verdict,   0,    NULL};
    if (ask_response) {
        user.secret = NULL;
        user.secret_length = 0;
    }
    if (ask_verdict) {
        user.peer_secret = NULL;
        user.peer_secret_length = 0;
    }
    chap_start_initiator(&initiator, &os_crypto, &user, mutual);
    chap_start_target(&target, &os_crypto);
}

static enum status pass(struct chap *from, struct chap *to)
{
    static const struct chap_lookup lookup = {find, NULL};
    length = 0;
    assert_true(chap_send(from, text, sizeof text, &length));
    return chap_receive(to, text, length, &lookup);
}

static void passes(struct chap *from, struct chap *to)
{
    enum status status = pass(from, to);
    if (status != STATUS_OK)
        fail_msg("\"%s\" gave %s", text, status_name(status));
}

static void challenge(void)
{
    passes(&initiator, &target);
    assert_string_equal(text, "CHAP_A=5");
    passes(&target, &initiator);
}

static void right_response(const struct chap_question *question, const char *secret,
                           uint8_t response[CHAP_DIGEST_MAX])
{
    assert_true(chap_response(&os_crypto, CHAP_MD5, question->identifier, secret, strlen(secret),
                              question->challenge, question->challenge_length, response));
}

static void the_response_comes_from_somebody_else(void **state)
{
    struct chap_question question;
    uint8_t response[CHAP_DIGEST_MAX];
    (void)state;
    start(true, false, false);
    assert_false(chap_question(&initiator, &question));
    challenge();
    assert_true(chap_question(&initiator, &question));
    assert_int_equal(question.asking, CHAP_ASK_RESPONSE);
    assert_string_equal(question.name, "chapuser");
    assert_int_equal(question.identifier, target.identifier);
    assert_int_equal(question.challenge_length, target.challenge_length);
    assert_memory_equal(question.challenge, target.challenge, target.challenge_length);
    assert_null(question.response);
    length = 0; /* nothing goes before the answer */
    assert_true(chap_send(&initiator, text, sizeof text, &length));
    assert_int_equal(length, 0);
    right_response(&question, SECRET, response);
    assert_int_equal(chap_answer(&initiator, STATUS_OK, response), STATUS_OK);
    assert_false(chap_question(&initiator, &question));
    passes(&initiator, &target);
    assert_int_equal(initiator.state, CHAP_DONE);
    assert_int_equal(target.state, CHAP_DONE);
}

static void a_wrong_response_is_the_targets_to_find(void **state)
{
    uint8_t response[CHAP_MD5_LENGTH] = {0};
    (void)state;
    start(true, false, false);
    challenge();
    assert_int_equal(chap_answer(&initiator, STATUS_OK, response), STATUS_OK);
    assert_int_equal(pass(&initiator, &target), STATUS_AUTHENTICATION_FAILED);
}

static void somebody_else_judges_the_target(void **state)
{
    struct chap_question question;
    uint8_t response[CHAP_DIGEST_MAX];
    (void)state;
    start(false, true, true);
    challenge();
    assert_false(chap_question(&initiator, &question));
    passes(&initiator, &target);
    passes(&target, &initiator);
    assert_int_not_equal(initiator.state, CHAP_DONE);
    assert_true(chap_question(&initiator, &question));
    assert_int_equal(question.asking, CHAP_ASK_VERDICT);
    assert_string_equal(question.name, "targetuser");
    assert_int_equal(question.identifier, initiator.identifier);
    assert_memory_equal(question.challenge, initiator.challenge, initiator.challenge_length);
    right_response(&question, PEER_SECRET, response);
    assert_memory_equal(question.response, response, CHAP_MD5_LENGTH);
    assert_int_equal(chap_answer(&initiator, STATUS_OK, NULL), STATUS_OK);
    assert_int_equal(initiator.state, CHAP_DONE);
}

static void both_can_be_somebody_elses(void **state)
{
    struct chap_question question;
    uint8_t response[CHAP_DIGEST_MAX];
    (void)state;
    start(true, true, true);
    challenge();
    assert_true(chap_question(&initiator, &question));
    right_response(&question, SECRET, response);
    assert_int_equal(chap_answer(&initiator, STATUS_OK, response), STATUS_OK);
    passes(&initiator, &target);
    passes(&target, &initiator);
    assert_true(chap_question(&initiator, &question));
    assert_int_equal(question.asking, CHAP_ASK_VERDICT);
    assert_int_equal(chap_answer(&initiator, STATUS_OK, NULL), STATUS_OK);
    assert_int_equal(initiator.state, CHAP_DONE);
}

static void a_no_ends_the_exchange(void **state)
{
    struct chap_question question;
    (void)state;
    start(false, true, true);
    challenge();
    passes(&initiator, &target);
    passes(&target, &initiator);
    assert_int_equal(chap_answer(&initiator, STATUS_TARGET_AUTHENTICATION_FAILED, NULL),
                     STATUS_TARGET_AUTHENTICATION_FAILED);
    assert_int_equal(initiator.state, CHAP_FAILED);
    assert_false(chap_question(&initiator, &question));
    assert_int_equal(chap_answer(&initiator, STATUS_OK, NULL), STATUS_INTERNAL);
    assert_int_equal(initiator.state, CHAP_FAILED);
    start(true, false, false);
    challenge();
    assert_int_equal(chap_answer(&initiator, STATUS_RADIUS_UNAVAILABLE, NULL),
                     STATUS_RADIUS_UNAVAILABLE);
    assert_int_equal(initiator.state, CHAP_FAILED);
}

static void nothing_is_received_before_the_answer(void **state)
{
    static const char proof[] = "CHAP_N=targetuser\0CHAP_R=0x00";
    (void)state;
    start(true, true, true);
    challenge();
    assert_int_equal(chap_receive(&initiator, proof, sizeof proof, NULL), STATUS_PROTOCOL_ERROR);
    assert_int_equal(initiator.state, CHAP_FAILED);
}

/* What can be seen without the peer's secret is not left to somebody else. */
static void own_answers_and_short_ones_are_not_even_asked_about(void **state)
{
    struct chap_question question;
    uint8_t response[CHAP_DIGEST_MAX];
    char hex[80];
    (void)state;
    start(false, true, true);
    challenge();
    passes(&initiator, &target);
    question = (struct chap_question){.identifier = initiator.identifier,
                                      .challenge = initiator.challenge,
                                      .challenge_length = initiator.challenge_length};
    right_response(&question, SECRET, response); /* ours */
    assert_true(text_hex_encode(response, CHAP_MD5_LENGTH, hex, sizeof hex));
    length = 0;
    assert_true(text_append(text, sizeof text, &length, "CHAP_N", "targetuser"));
    assert_true(text_append(text, sizeof text, &length, "CHAP_R", hex));
    assert_int_equal(chap_receive(&initiator, text, length, NULL),
                     STATUS_TARGET_AUTHENTICATION_FAILED);
    assert_false(chap_question(&initiator, &question));

    static const char *const bad[] = {
        "CHAP_N=targetuser|CHAP_R=0x0102|",
        "CHAP_N=targetuser|CHAP_R=0x0102030405060708090a0b0c0d0e0f1011|",
        "CHAP_N=chapuser|CHAP_R=0x0102030405060708090a0b0c0d0e0f10|",
        "CHAP_N=targetuser|",
        "CHAP_R=0x0102030405060708090a0b0c0d0e0f10|",
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        start(false, true, true);
        challenge();
        passes(&initiator, &target);
        length = strlen(bad[i]);
        for (size_t at = 0; at < length; at++)
            text[at] = bad[i][at] == '|' ? '\0' : bad[i][at];
        enum status status = chap_receive(&initiator, text, length, NULL);
        if (status != STATUS_TARGET_AUTHENTICATION_FAILED || chap_question(&initiator, &question))
            fail_msg("\"%s\" gave %s", bad[i], status_name(status));
    }
}

static void what_is_asked_for_need_not_be_there(void **state)
{
    struct chap_credentials c = {.name = "chapuser", .ask_response = true};
    (void)state;
    assert_int_equal(chap_credentials_check(&c, false), STATUS_OK);
    assert_int_equal(chap_credentials_check(&c, true), STATUS_INVALID_SECRET);
    c.ask_verdict = true;
    assert_int_equal(chap_credentials_check(&c, true), STATUS_OK);
    c.ask_response = false;
    assert_int_equal(chap_credentials_check(&c, true), STATUS_INVALID_SECRET);
    c.ask_response = true;
    c.name = "";
    assert_int_equal(chap_credentials_check(&c, true), STATUS_INVALID_CHAP_NAME);
}

/* A verdict that is not wanted limits nothing. */
static void one_way_with_a_secret_of_ours_offers_all(void **state)
{
    (void)state;
    start(false, true, false);
    assert_int_equal(pass(&initiator, &target), STATUS_OK);
    assert_memory_equal(text, "CHAP_A=5,7,", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_response_comes_from_somebody_else),
        cmocka_unit_test(a_wrong_response_is_the_targets_to_find),
        cmocka_unit_test(somebody_else_judges_the_target),
        cmocka_unit_test(both_can_be_somebody_elses),
        cmocka_unit_test(a_no_ends_the_exchange),
        cmocka_unit_test(nothing_is_received_before_the_answer),
        cmocka_unit_test(own_answers_and_short_ones_are_not_even_asked_about),
        cmocka_unit_test(what_is_asked_for_need_not_be_there),
        cmocka_unit_test(one_way_with_a_secret_of_ours_offers_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
