#include "os/crypto.h"
#include "os/thread.h"
#include "protocol/chap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- a platform whose randomness is known and whose algorithms can be taken away --- */

static unsigned lacking; /* bit n: algorithm n */
static uint8_t random_next;
static bool random_works;

static bool fake_random(void *out, size_t length)
{
    uint8_t *bytes = out;

    for (size_t i = 0; i < length; i++)
        bytes[i] = random_next++;
    return random_works;
}

static bool fake_has(enum chap_algorithm algorithm)
{
    return !(lacking >> algorithm & 1) && os_crypto.has(algorithm);
}

static bool fake_hash(enum chap_algorithm algorithm, const struct iov *pieces, size_t count,
                      uint8_t digest[CHAP_DIGEST_MAX])
{
    return os_crypto.hash(algorithm, pieces, count, digest);
}

static const struct chap_crypto crypto = {fake_hash, fake_random, fake_has};

#define BYTES(text) (const uint8_t *)text, sizeof text - 1

static const struct chap_credentials user = {
    "chapuser", BYTES("chapsecret123"), NULL, BYTES("targetsecret1"), false, false, 0, NULL};
static const struct chap_credentials host = {
    "targetuser", BYTES("targetsecret1"), NULL, BYTES("chapsecret123"), false, false, 0, NULL};

static bool find(void *context, const char *name, struct chap_credentials *credentials)
{
    *credentials = *(const struct chap_credentials *)context;
    return strcmp(name, "chapuser") == 0;
}

static struct chap initiator, target;
static struct chap_lookup lookup = {find, NULL};
static char text[8192]; /* the last text sent, NULs as '|' */

static int setup(void **state)
{
    (void)state;
    lacking = 0;
    random_next = 1;
    random_works = true;
    lookup.context = (void *)(uintptr_t)&host;
    chap_start_initiator(&initiator, &crypto, &user, true);
    chap_start_target(&target, &crypto);
    return 0;
}

static enum status give(struct chap *chap, const char *message)
{
    size_t length = strlen(message);
    char *copy = malloc(length ? length : 1);
    enum status status;

    assert_non_null(copy);
    for (size_t i = 0; i < length; i++)
        copy[i] = message[i] == '|' ? '\0' : message[i];
    status = chap_receive(chap, copy, length, &lookup);
    free(copy);
    return status;
}

static const char *take(struct chap *chap)
{
    size_t length = 0;

    assert_true(chap_send(chap, text, sizeof text - 1, &length));
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = '|';
    text[length] = '\0';
    return text;
}

static void expect_status(const char *message, enum status got, enum status expected)
{
    if (got != expected)
        fail_msg("\"%.200s\": expected %s, got %s", message, status_name(expected),
                 status_name(got));
}

/* Brings both ends to where the target has challenged. */
static void challenge(void)
{
    assert_int_equal(give(&target, "AuthMethod=CHAP|"), STATUS_OK);
    assert_string_equal(take(&target), "");
    assert_int_equal(give(&target, take(&initiator)), STATUS_OK);
    assert_int_equal(give(&initiator, take(&target)), STATUS_OK);
}

/* H(identifier, secret, challenge) as "CHAP_R=0x..|". */
static const char *response(unsigned algorithm, uint8_t identifier, const char *secret,
                            const uint8_t *bytes, size_t length)
{
    static char out[100];
    uint8_t digest[CHAP_DIGEST_MAX];

    assert_true(chap_response(&crypto, algorithm, identifier, secret, strlen(secret), bytes, length,
                              digest));
    strcpy(out, "CHAP_R=");
    assert_true(text_hex_encode(digest, chap_digest_length(algorithm), out + 7, sizeof out - 8));
    return strcat(out, "|");
}

/* --- the hash --- */

static void responses_match_an_independent_computation(void **state)
{
    /* Python: hashlib.new(name, b"\x5a" + b"chapsecret123" + bytes(range(16))).hexdigest() */
    static const struct {
        unsigned algorithm;
        const char *digest;
    } rows[] = {
        {CHAP_MD5, "0x586a90eaebdae88dc2cec1aebbb29963"},
        {CHAP_SHA1, "0xf512da467feb6a203866625fece84bafb267e98c"},
        {CHAP_SHA256, "0x9d67aa2caeae91e2a652a553d648a0d1c30ca6b65541a8d4c4c95550783ec699"},
        {CHAP_SHA3_256, "0x06406596a06aaf727c8fad894d96410554b7cc831a423ac9449facaa2caa4f36"},
    };
    uint8_t bytes[16], digest[CHAP_DIGEST_MAX];
    char out[80];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!os_crypto.has((enum chap_algorithm)rows[i].algorithm)) {
            assert_int_equal(rows[i].algorithm, CHAP_SHA3_256); /* the only one that may miss */
            continue;
        }
        assert_true(chap_response(&crypto, rows[i].algorithm, 0x5a, "chapsecret123", 13, bytes,
                                  sizeof bytes, digest));
        assert_true(
            text_hex_encode(digest, chap_digest_length(rows[i].algorithm), out, sizeof out));
        assert_string_equal(out, rows[i].digest);
    }
    assert_false(chap_response(&crypto, 4, 0, "x", 1, bytes, 1, digest));
    assert_int_equal(chap_digest_length(4), 0);
    assert_int_equal(chap_digest_length(9), 0);
}

static void comparison_sees_every_byte(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};

    (void)state;
    assert_true(chap_equal(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a * 8; i++) {
        b[i / 8] = (uint8_t)(1 << i % 8);
        assert_false(chap_equal(a, b, sizeof a));
        assert_true(chap_equal(a, b, i / 8));
        b[i / 8] = 0;
    }
}

/* The least of many times, in microseconds: what else the machine does only adds to it. */
static uint64_t least_time(const uint8_t *a, const uint8_t *b, size_t length)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < 40; i++) {
        uint64_t began = os_now_us();
        bool equal = chap_equal(a, b, length);
        uint64_t took = os_now_us() - began;

        assert_int_equal(equal, memcmp(a, b, length) == 0);
        least = took < least ? took : least;
    }
    return least;
}

static void comparison_takes_the_same_time_wherever_they_differ(void **state)
{
    enum { LENGTH = 1 << 20 };
    uint8_t *a = calloc(LENGTH, 1), *b = calloc(LENGTH, 1);
    uint64_t equal, first, last;

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    equal = least_time(a, b, LENGTH);
    b[0] = 1;
    first = least_time(a, b, LENGTH);
    b[0] = 0;
    b[LENGTH - 1] = 1;
    last = least_time(a, b, LENGTH);
    free(a);
    free(b);
    if (first * 2 < last || last * 2 < first || equal * 2 < first || first * 2 < equal)
        fail_msg("equal: %lu us, the first byte differs: %lu us, the last one: %lu us",
                 (unsigned long)equal, (unsigned long)first, (unsigned long)last);
}

static void algorithm_lists_follow_preference_and_platform(void **state)
{
    static const unsigned strong[] = {8, 7, 99, 6, 5, 0};
    char list[16];

    (void)state;
    lacking = 1u << CHAP_SHA3_256;
    assert_true(chap_algorithm_list(&crypto, NULL, list, sizeof list));
    assert_string_equal(list, "5,7,6");
    assert_true(chap_algorithm_list(&crypto, strong, list, 6));
    assert_string_equal(list, "7,6,5");
    assert_false(chap_algorithm_list(&crypto, strong, list, 5));
    lacking = ~0u;
    assert_false(chap_algorithm_list(&crypto, strong, list, sizeof list));
}

static void credentials_are_checked(void **state)
{
    char name[CHAP_NAME_MAX + 2];
    struct chap_credentials c = user;

    (void)state;
    assert_int_equal(chap_credentials_check(&c, true), STATUS_OK);
    c.name = "";
    assert_int_equal(chap_credentials_check(&c, false), STATUS_INVALID_CHAP_NAME);
    memset(name, 'x', sizeof name);
    name[CHAP_NAME_MAX + 1] = '\0';
    c.name = name;
    assert_int_equal(chap_credentials_check(&c, false), STATUS_INVALID_CHAP_NAME);
    name[CHAP_NAME_MAX] = '\0';
    assert_int_equal(chap_credentials_check(&c, false), STATUS_OK);
    c.secret_length = 0;
    assert_int_equal(chap_credentials_check(&c, false), STATUS_INVALID_SECRET);
    c.secret_length = 256;
    assert_int_equal(chap_credentials_check(&c, false), STATUS_INVALID_SECRET);
    c = user;
    c.peer_secret = c.secret;
    c.peer_secret_length = c.secret_length;
    assert_int_equal(chap_credentials_check(&c, false), STATUS_OK);
    assert_int_equal(chap_credentials_check(&c, true), STATUS_INVALID_SECRET);
    c.peer_secret = NULL;
    assert_int_equal(chap_credentials_check(&c, true), STATUS_INVALID_SECRET);
}

/* --- exchanges that succeed --- */

static void one_way(void **state)
{
    (void)state;
    lacking = 1u << CHAP_SHA3_256;
    chap_start_initiator(&initiator, &crypto, &user, false);
    assert_string_equal(take(&initiator), "CHAP_A=5,7,6|");
    assert_string_equal(take(&initiator), ""); /* once */
    assert_int_equal(give(&target, "CHAP_A=5,7,6|"), STATUS_OK);
    assert_string_equal(take(&target),
                        "CHAP_A=5|CHAP_I=1|CHAP_C=0x02030405060708090a0b0c0d0e0f1011|");
    assert_int_equal(give(&initiator, text), STATUS_OK);
    assert_int_not_equal(initiator.state, CHAP_DONE); /* the answer is still to be sent */
    take(&initiator);
    assert_true(strncmp(text, "CHAP_N=chapuser|CHAP_R=0x", 25) == 0);
    assert_null(strstr(text, "CHAP_C"));
    assert_int_equal(initiator.state, CHAP_DONE);
    assert_int_equal(give(&target, text), STATUS_OK);
    assert_int_equal(target.state, CHAP_DONE);
    assert_string_equal(take(&target), "");
    assert_string_equal(target.peer_name, "chapuser");
    /* The final answer has other keys, or none. */
    assert_int_equal(give(&initiator, "TargetPortalGroupTag=1|"), STATUS_OK);
    assert_int_equal(give(&initiator, "CHAP_N=x|"), STATUS_PROTOCOL_ERROR);
}

static void mutual_with_every_algorithm(void **state)
{
    for (unsigned algorithm = CHAP_MD5; algorithm <= CHAP_SHA3_256; algorithm++) {
        setup(state);
        if (!os_crypto.has((enum chap_algorithm)algorithm))
            continue;
        lacking = ~(1u << algorithm);
        chap_start_initiator(&initiator, &crypto, &user, true);
        challenge();
        assert_int_equal(target.algorithm, algorithm);
        assert_true(target.challenge_length >= chap_digest_length(algorithm));
        assert_int_equal(give(&target, take(&initiator)), STATUS_OK);
        assert_int_equal(initiator.challenge_length, chap_digest_length(algorithm));
        assert_int_not_equal(initiator.state, CHAP_DONE);
        assert_int_not_equal(target.state, CHAP_DONE); /* its proof is still to be sent */
        assert_int_equal(give(&initiator, take(&target)), STATUS_OK);
        assert_int_equal(initiator.state, CHAP_DONE);
        assert_int_equal(target.state, CHAP_DONE);
        assert_string_equal(initiator.peer_name, "targetuser");
    }
}

static void challenges_of_1_to_1024_bytes_in_hex_and_base64(void **state)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 128, 1023, 1024};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int base64 = 0; base64 < 2; base64++) {
            uint8_t bytes[1024];
            char message[2200] = "CHAP_A=5|CHAP_I=0xff|CHAP_C=";
            size_t at = strlen(message);

            setup(state);
            memset(bytes, 0xc3, sizeof bytes);
            assert_true((base64 ? text_base64_encode : text_hex_encode)(
                bytes, sizes[i], message + at, sizeof message - at - 1));
            strcat(message, "|");
            take(&initiator);
            expect_status(message, give(&initiator, message), STATUS_OK);
            take(&initiator);
            assert_non_null(
                strstr(text, response(CHAP_MD5, 255, "chapsecret123", bytes, sizes[i])));
        }
    }
}

/* A response in base64, or in upper-case hex with 0X, is as good. */
static void responses_in_any_spelling(void **state)
{
    for (int spelling = 0; spelling < 2; spelling++) {
        char message[200] = "CHAP_N=chapuser|CHAP_R=";
        uint8_t digest[CHAP_DIGEST_MAX];
        size_t at = strlen(message);

        setup(state);
        challenge();
        assert_true(chap_response(&crypto, CHAP_MD5, target.identifier, "chapsecret123", 13,
                                  target.challenge, target.challenge_length, digest));
        if (spelling == 0) {
            text_base64_encode(digest, 16, message + at, sizeof message - at);
        } else {
            strcpy(message + at, "0X");
            for (size_t i = 0; i < 16; i++)
                snprintf(message + at + 2 + 2 * i, 3, "%02X", digest[i]);
        }
        strcat(message, "|");
        expect_status(message, give(&target, message), STATUS_OK);
        assert_int_equal(target.state, CHAP_DONE);
    }
}

static void a_reconnect_can_hold_on_to_its_algorithm(void **state)
{
    struct chap_credentials held = user;

    (void)state;
    held.algorithm = CHAP_SHA256;
    chap_start_initiator(&initiator, &crypto, &held, true);
    assert_string_equal(take(&initiator), "CHAP_A=7|");
    assert_int_equal(give(&initiator, "CHAP_A=5|CHAP_I=1|CHAP_C=0x01|"), STATUS_PROTOCOL_ERROR);
}

/* --- challenges of several logins --- */

/* What an initiator with this memory says of the challenge. */
static enum status challenged(struct chap_memory *memory, bool mutual, const char *bytes)
{
    struct chap_credentials remembering = user;
    char message[200];

    remembering.memory = memory;
    chap_start_initiator(&initiator, &crypto, &remembering, mutual);
    take(&initiator);
    snprintf(message, sizeof message, "CHAP_A=5|CHAP_I=1|CHAP_C=0x%s|", bytes);
    return give(&initiator, message);
}

static void a_challenge_is_good_for_one_login(void **state)
{
    static struct chap_memory memory;
    char own[2 * CHAP_CHALLENGE_MAX + 3], bytes[40];

    (void)state;
    memset(&memory, 0, sizeof memory);
    expect_status("the first", challenged(&memory, false, "00112233445566aa"), STATUS_OK);
    expect_status("the same", challenged(&memory, false, "00112233445566aa"),
                  STATUS_AUTHENTICATION_FAILED);
    assert_int_equal(initiator.state, CHAP_FAILED);
    expect_status("nobody remembers", challenged(NULL, false, "00112233445566aa"), STATUS_OK);
    expect_status("another one", challenged(&memory, true, "00112233445566bb"), STATUS_OK);
    /* Ours, of the login that still runs. */
    assert_true(text_hex_encode(initiator.challenge, initiator.challenge_length, own, sizeof own));
    expect_status("ours", challenged(&memory, false, own + 2), STATUS_AUTHENTICATION_FAILED);
    /* Such a short one can come again by chance. */
    expect_status("short", challenged(&memory, false, "00112233445566"), STATUS_OK);
    expect_status("short", challenged(&memory, false, "00112233445566"), STATUS_OK);
    for (unsigned i = 0; i < CHAP_MEMORY; i++) {
        snprintf(bytes, sizeof bytes, "%016x", i);
        expect_status(bytes, challenged(&memory, false, bytes), STATUS_OK);
        expect_status(bytes, challenged(&memory, false, bytes), STATUS_AUTHENTICATION_FAILED);
    }
    expect_status("long ago", challenged(&memory, false, "00112233445566aa"), STATUS_OK);
}

/* --- what an initiator refuses --- */

static void bad_challenges_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "TargetPortalGroupTag=1|",
        "CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=5|CHAP_C=0x01|",
        "CHAP_A=5|CHAP_I=1|",
        "CHAP_A=5|CHAP_A=5|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=5|CHAP_I=1|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=5|CHAP_I=1|CHAP_C=0x01|CHAP_C=0x01|",
        "CHAP_A=4|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=9|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=0|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=261|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=4294967301|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=MD5|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=5,7|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=|CHAP_I=1|CHAP_C=0x01|",
        "CHAP_A=5|CHAP_I=256|CHAP_C=0x01|",
        "CHAP_A=5|CHAP_I=-1|CHAP_C=0x01|",
        "CHAP_A=5|CHAP_I=|CHAP_C=0x01|",
        "CHAP_A=5|CHAP_I=1|CHAP_C=|",
        "CHAP_A=5|CHAP_I=1|CHAP_C=0x|",
        "CHAP_A=5|CHAP_I=1|CHAP_C=0xgg|",
        "CHAP_A=5|CHAP_I=1|CHAP_C=0b|",
        "CHAP_A=5|CHAP_I=1|CHAP_C=0bA|",
        "CHAP_A=5|CHAP_I=1|CHAP_C=1234|",
        /* Out of order: answers before the question. */
        "CHAP_N=x|CHAP_R=0x00112233445566778899aabbccddeeff|",
        "CHAP_A=5|CHAP_I=1|CHAP_C=0x01|CHAP_N=x|CHAP_R=0x01|",
        "CHAP_A=5|CHAP_I=1|CHAP_C=0x01|CHAP_X=1|",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setup(state);
        take(&initiator);
        expect_status(rows[i], give(&initiator, rows[i]), STATUS_PROTOCOL_ERROR);
        assert_int_equal(initiator.state, CHAP_FAILED);
        assert_string_equal(take(&initiator), ""); /* nothing is proved to such a peer */
    }
}

static void a_challenge_of_1025_bytes_is_refused(void **state)
{
    char message[2200] = "CHAP_A=5|CHAP_I=1|CHAP_C=0x";

    (void)state;
    for (int i = 0; i < 2050; i++)
        strcat(message, "1");
    strcat(message, "|");
    take(&initiator);
    expect_status(message, give(&initiator, message), STATUS_PROTOCOL_ERROR);
}

static void a_challenge_before_the_offer_is_refused(void **state)
{
    (void)state;
    assert_int_equal(give(&initiator, "CHAP_A=5|CHAP_I=1|CHAP_C=0x01|"), STATUS_PROTOCOL_ERROR);
    setup(state);
    assert_int_equal(give(&initiator, "AuthMethod=CHAP|"), STATUS_OK);
    assert_int_equal(initiator.state, CHAP_START);
}

/* The target's proof is missing, wrong, or stolen from us. */
static void mutual_authentication_fails_closed(void **state)
{
    static const struct {
        const char *name;   /* "CHAP_N=..|" or nothing */
        const char *secret; /* answers with it, or NULL: `rest` alone */
        const char *rest;
        enum status expected;
    } rows[] = {
        {"", NULL, "", STATUS_TARGET_AUTHENTICATION_FAILED},
        {"", NULL, "AuthMethod=None|TargetPortalGroupTag=1|", STATUS_TARGET_AUTHENTICATION_FAILED},
        {"CHAP_N=t|", NULL, "", STATUS_TARGET_AUTHENTICATION_FAILED},
        {"", "targetsecret1", "", STATUS_TARGET_AUTHENTICATION_FAILED},
        {"CHAP_N=t|", "wrongsecret12", "", STATUS_TARGET_AUTHENTICATION_FAILED},
        {"CHAP_N=t|", "chapsecret123", "", STATUS_TARGET_AUTHENTICATION_FAILED},
        {"CHAP_N=chapuser|", "targetsecret1", "", STATUS_TARGET_AUTHENTICATION_FAILED},
        {"CHAP_N=|", "targetsecret1", "", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=t|CHAP_N=t|", "targetsecret1", "", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=t|", "targetsecret1", "CHAP_R=0x00|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=t|", "targetsecret1", "CHAP_I=1|CHAP_C=0x01|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=t|", "targetsecret1", "CHAP_A=5|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=t|", NULL, "CHAP_R=0x00112233445566778899aabbccddee|",
         STATUS_TARGET_AUTHENTICATION_FAILED},
        {"CHAP_N=t|", NULL, "CHAP_R=0x00112233445566778899aabbccddeeff00|",
         STATUS_TARGET_AUTHENTICATION_FAILED},
        {"CHAP_N=t|", NULL, "CHAP_R=0x|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=t|", NULL, "CHAP_R=hello|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=t|", "targetsecret1", "", STATUS_OK},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char message[400];

        setup(state);
        challenge();
        take(&initiator);
        snprintf(message, sizeof message, "%s%s%s", rows[i].name,
                 rows[i].secret ? response(CHAP_MD5, initiator.identifier, rows[i].secret,
                                           initiator.challenge, initiator.challenge_length)
                                : "",
                 rows[i].rest);
        expect_status(message, give(&initiator, message), rows[i].expected);
        assert_int_equal(initiator.state, rows[i].expected == STATUS_OK ? CHAP_DONE : CHAP_FAILED);
    }
}

/* Whoever hands in the same secret for both directions learns it before anything is proved. */
static void equal_secrets_are_never_used(void **state)
{
    struct chap_credentials same = user;

    (void)state;
    same.peer_secret = same.secret;
    same.peer_secret_length = same.secret_length;
    chap_start_initiator(&initiator, &crypto, &same, true);
    take(&initiator);
    assert_int_equal(give(&initiator, "CHAP_A=5|CHAP_I=1|CHAP_C=0x01|"), STATUS_INVALID_SECRET);
    assert_string_equal(take(&initiator), "");
}

static void the_expected_target_name_is_checked(void **state)
{
    struct chap_credentials strict = user;

    (void)state;
    strict.peer_name = "someoneelse";
    chap_start_initiator(&initiator, &crypto, &strict, true);
    challenge();
    assert_int_equal(give(&target, take(&initiator)), STATUS_OK);
    assert_int_equal(give(&initiator, take(&target)), STATUS_TARGET_AUTHENTICATION_FAILED);
}

static void our_challenge_differs_from_the_peers(void **state)
{
    (void)state;
    /* The target's challenge is what our random source gives next: never used for our own. */
    take(&initiator);
    assert_int_equal(
        give(&initiator, "CHAP_A=5|CHAP_I=1|CHAP_C=0x02030405060708090a0b0c0d0e0f1011|"),
        STATUS_INTERNAL);
    setup(state);
    take(&initiator);
    assert_int_equal(give(&initiator, "CHAP_A=5|CHAP_I=1|CHAP_C=0x99|"), STATUS_OK);
    assert_int_not_equal(initiator.identifier, 1);
}

static void no_randomness_is_no_exchange(void **state)
{
    (void)state;
    random_works = false;
    take(&initiator);
    assert_int_equal(give(&initiator, "CHAP_A=5|CHAP_I=1|CHAP_C=0x01|"), STATUS_INTERNAL);
    assert_int_equal(give(&target, "CHAP_A=5|"), STATUS_INTERNAL);
    assert_string_equal(take(&target), "");
}

/* --- what a target refuses --- */

static void bad_offers_are_refused(void **state)
{
    static const struct {
        const char *message;
        enum status expected;
    } rows[] = {
        {"CHAP_A=4|", STATUS_AUTHENTICATION_FAILED},
        {"CHAP_A=9,261,4294967301|", STATUS_AUTHENTICATION_FAILED},
        {"CHAP_A=|", STATUS_PROTOCOL_ERROR},
        {"CHAP_A=5,|", STATUS_PROTOCOL_ERROR},
        {"CHAP_A=MD5|", STATUS_PROTOCOL_ERROR},
        {"CHAP_A=5|CHAP_A=7|", STATUS_PROTOCOL_ERROR},
        {"CHAP_A=5|CHAP_I=1|CHAP_C=0x01|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=chapuser|CHAP_R=0x01|", STATUS_PROTOCOL_ERROR},
        {"CHAP_A|", STATUS_INVALID_TEXT},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setup(state);
        expect_status(rows[i].message, give(&target, rows[i].message), rows[i].expected);
        assert_int_equal(target.state, CHAP_FAILED);
        assert_string_equal(take(&target), "");
        expect_status("afterwards", give(&target, "CHAP_A=5|"), STATUS_PROTOCOL_ERROR);
    }
    /* The first that we have, in the initiator's order. */
    setup(state);
    lacking = 1u << CHAP_SHA1;
    assert_int_equal(give(&target, "CHAP_A=99,6,7,5|"), STATUS_OK);
    assert_int_equal(target.algorithm, CHAP_SHA256);
}

static void a_list_of_thousands_is_refused(void **state)
{
    char message[8000] = "CHAP_A=4";

    (void)state;
    for (size_t at = 8; at < 7990; at += 2)
        memcpy(message + at, ",4", 3);
    strcat(message, "|");
    expect_status(message, give(&target, message), STATUS_PROTOCOL_ERROR);
}

static void bad_responses_are_refused(void **state)
{
    static const struct {
        const char *before;
        const char *secret;
        const char *after;
        enum status expected;
    } rows[] = {
        {"", NULL, "", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=chapuser|", NULL, "", STATUS_PROTOCOL_ERROR},
        {"", "chapsecret123", "", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=|", "chapsecret123", "", STATUS_PROTOCOL_ERROR},
        {"CHAP_A=5|CHAP_N=chapuser|", "chapsecret123", "", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=chapuser|CHAP_N=chapuser|", "chapsecret123", "", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=chapuser|", "chapsecret123", "CHAP_I=1|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=chapuser|", "chapsecret123", "CHAP_C=0x01|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=chapuser|", "chapsecret123", "CHAP_I=256|CHAP_C=0x01|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=chapuser|", "chapsecret123", "CHAP_I=1|CHAP_C=0x|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=chapuser|", "chapsecret124", "", STATUS_AUTHENTICATION_FAILED},
        {"CHAP_N=stranger|", "chapsecret123", "", STATUS_AUTHENTICATION_FAILED},
        {"CHAP_N=targetuser|", "targetsecret1", "", STATUS_AUTHENTICATION_FAILED},
        {"CHAP_N=chapuser|", "targetsecret1", "", STATUS_AUTHENTICATION_FAILED},
        {"CHAP_N=chapuser|", NULL, "CHAP_R=0x00|", STATUS_AUTHENTICATION_FAILED},
        {"CHAP_N=chapuser|", NULL, "CHAP_R=0x00112233445566778899aabbccddeeff00|",
         STATUS_AUTHENTICATION_FAILED},
        {"CHAP_N=chapuser|", NULL, "CHAP_R=secret|", STATUS_PROTOCOL_ERROR},
        {"CHAP_N=chapuser|", "chapsecret123", "CHAP_I=1|CHAP_C=0x01|", STATUS_OK},
        /* The same identifier as ours, with another challenge. */
        {"CHAP_N=chapuser|", "chapsecret123", "CHAP_I=2|CHAP_C=0x01|", STATUS_OK},
        {"CHAP_N=chapuser|", "chapsecret123", "", STATUS_OK},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char message[400];

        setup(state);
        random_next = 2;
        challenge();
        assert_int_equal(target.identifier, 2);
        snprintf(message, sizeof message, "%s%s%s", rows[i].before,
                 rows[i].secret ? response(CHAP_MD5, target.identifier, rows[i].secret,
                                           target.challenge, target.challenge_length)
                                : "",
                 rows[i].after);
        expect_status(message, give(&target, message), rows[i].expected);
        if (rows[i].expected != STATUS_OK)
            assert_int_equal(target.state, CHAP_FAILED);
    }
}

static void a_reflected_challenge_is_refused(void **state)
{
    for (unsigned other_identifier = 0; other_identifier < 2; other_identifier++) {
        char message[400], own[80];

        setup(state);
        challenge();
        assert_true(text_hex_encode(target.challenge, target.challenge_length, own, sizeof own));
        snprintf(message, sizeof message, "CHAP_N=chapuser|%sCHAP_I=%u|CHAP_C=%s|",
                 response(CHAP_MD5, target.identifier, "chapsecret123", target.challenge,
                          target.challenge_length),
                 target.identifier + other_identifier, own);
        expect_status(message, give(&target, message), STATUS_AUTHENTICATION_FAILED);
    }
}

static void a_target_without_a_secret_cannot_prove_itself(void **state)
{
    struct chap_credentials silent = {.peer_secret = (const uint8_t *)"chapsecret123",
                                      .peer_secret_length = 13};

    (void)state;
    lookup.context = &silent;
    challenge();
    assert_int_equal(give(&target, take(&initiator)), STATUS_AUTHENTICATION_FAILED);
    /* Who asks for no proof is welcome. */
    setup(state);
    lookup.context = &silent;
    chap_start_initiator(&initiator, &crypto, &user, false);
    challenge();
    assert_int_equal(give(&target, take(&initiator)), STATUS_OK);
}

static void equal_secrets_both_ways_are_refused(void **state)
{
    struct chap_credentials same = {
        "targetuser", BYTES("chapsecret123"), NULL, BYTES("chapsecret123"), false, false, 0, NULL};

    (void)state;
    lookup.context = &same;
    challenge();
    assert_int_equal(give(&target, take(&initiator)), STATUS_AUTHENTICATION_FAILED);
}

static void too_little_room_changes_nothing(void **state)
{
    size_t length = 0;
    char small[30];

    (void)state;
    assert_false(chap_send(&initiator, small, 10, &length));
    assert_int_equal(length, 0);
    challenge();
    assert_false(chap_send(&initiator, small, sizeof small, &length));
    assert_int_equal(length, 0);
    assert_int_equal(give(&target, take(&initiator)), STATUS_OK);
    assert_false(chap_send(&target, small, sizeof small, &length));
    assert_int_equal(target.state, CHAP_WAIT_RESPONSE);
    assert_int_equal(give(&initiator, take(&target)), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(responses_match_an_independent_computation, setup),
        cmocka_unit_test_setup(comparison_sees_every_byte, setup),
        cmocka_unit_test_setup(comparison_takes_the_same_time_wherever_they_differ, setup),
        cmocka_unit_test_setup(algorithm_lists_follow_preference_and_platform, setup),
        cmocka_unit_test_setup(credentials_are_checked, setup),
        cmocka_unit_test_setup(one_way, setup),
        cmocka_unit_test_setup(mutual_with_every_algorithm, setup),
        cmocka_unit_test_setup(challenges_of_1_to_1024_bytes_in_hex_and_base64, setup),
        cmocka_unit_test_setup(responses_in_any_spelling, setup),
        cmocka_unit_test_setup(a_reconnect_can_hold_on_to_its_algorithm, setup),
        cmocka_unit_test_setup(a_challenge_is_good_for_one_login, setup),
        cmocka_unit_test_setup(bad_challenges_are_refused, setup),
        cmocka_unit_test_setup(a_challenge_of_1025_bytes_is_refused, setup),
        cmocka_unit_test_setup(a_challenge_before_the_offer_is_refused, setup),
        cmocka_unit_test_setup(mutual_authentication_fails_closed, setup),
        cmocka_unit_test_setup(equal_secrets_are_never_used, setup),
        cmocka_unit_test_setup(the_expected_target_name_is_checked, setup),
        cmocka_unit_test_setup(our_challenge_differs_from_the_peers, setup),
        cmocka_unit_test_setup(no_randomness_is_no_exchange, setup),
        cmocka_unit_test_setup(bad_offers_are_refused, setup),
        cmocka_unit_test_setup(a_list_of_thousands_is_refused, setup),
        cmocka_unit_test_setup(bad_responses_are_refused, setup),
        cmocka_unit_test_setup(a_reflected_challenge_is_refused, setup),
        cmocka_unit_test_setup(a_target_without_a_secret_cannot_prove_itself, setup),
        cmocka_unit_test_setup(equal_secrets_both_ways_are_refused, setup),
        cmocka_unit_test_setup(too_little_room_changes_nothing, setup),
    };
    return cmocka_run_group_tests_name("chap", tests, NULL, NULL);
}
