/* RADIUS packets: the examples of RFC 2865, 7, and what Python's hmac and hashlib make of others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os/crypto.h"
#include "protocol/radius.h"

static bool crypto_works = true;

static bool md5(const struct iov *pieces, size_t count, uint8_t digest[16])
{
    uint8_t out[CHAP_DIGEST_MAX];
    if (!crypto_works || !os_crypto.hash(CHAP_MD5, pieces, count, out))
        return false;
    memcpy(digest, out, 16);
    return true;
}

static bool hmac_md5(const void *key, size_t key_length, const struct iov *pieces, size_t count,
                     uint8_t digest[16])
{
    return crypto_works && os_hmac_md5(key, key_length, pieces, count, digest);
}

static const struct radius_crypto crypto = {md5, hmac_md5};

#define SECRET "a secret of 22 bytes !"
static const struct radius_secret secret = {SECRET, sizeof SECRET - 1};
static uint8_t packet[RADIUS_PACKET_MAX + 16];

static const uint8_t counting[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t response[16] = {0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,
                                     0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f};
static const uint8_t challenge[16] = {0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
                                      0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f};

static struct radius_request sample(void)
{
    struct radius_request request = {
        .identifier = 0x2a,
        .question = {.name = "chapuser",
                     .identifier = 0x11,
                     .challenge = challenge,
                     .challenge_length = sizeof challenge,
                     .response = response},
        .nas_identifier = "iqn.2026-11.test:initiator",
        .called_station = "iqn.2026-11.test:target",
        .nas_address = {192, 0, 2, 1},
        .nas_address_length = 4,
    };
    memcpy(request.authenticator, counting, sizeof counting);
    return request;
}

/* --- requests --- */

static const char whole_request[] =
    "\x01\x2a\x00\x96\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
    "\x0c\x0d\x0e\x0f\x50\x12\x12\xba\x1c\x8b\x4d\x66\x74\xc3\x90\xd9"
    "\xfc\x44\x57\xb7\xa9\x4e\x01\x0a\x63\x68\x61\x70\x75\x73\x65\x72"
    "\x03\x13\x11\x20\x21\x22\x23\x24\x25\x26\x27\x28\x29\x2a\x2b\x2c"
    "\x2d\x2e\x2f\x3c\x12\x40\x41\x42\x43\x44\x45\x46\x47\x48\x49\x4a"
    "\x4b\x4c\x4d\x4e\x4f\x20\x1c\x69\x71\x6e\x2e\x32\x30\x32\x36\x2d"
    "\x31\x31\x2e\x74\x65\x73\x74\x3a\x69\x6e\x69\x74\x69\x61\x74\x6f"
    "\x72\x04\x06\xc0\x00\x02\x01\x3d\x06\x00\x00\x00\x05\x1e\x19\x69"
    "\x71\x6e\x2e\x32\x30\x32\x36\x2d\x31\x31\x2e\x74\x65\x73\x74\x3a"
    "\x74\x61\x72\x67\x65\x74";

static void a_request_is_as_others_make_it(void **state)
{
    struct radius_request request = sample();
    (void)state;
    size_t length = radius_encode_request(&request, &crypto, secret, packet);
    assert_int_equal(length, sizeof whole_request - 1);
    assert_memory_equal(packet, whole_request, length);
}

/* The nth attribute of that type, its length; NULL when there is none. */
static const uint8_t *attribute(size_t length, uint8_t type, unsigned nth, size_t *value_length)
{
    for (size_t at = 20; at + 2 <= length && packet[at + 1] >= 2; at += packet[at + 1]) {
        if (packet[at] == type && nth-- == 0) {
            *value_length = packet[at + 1] - 2u;
            return packet + at + 2;
        }
    }
    *value_length = 0;
    return NULL;
}

static void what_is_not_there_is_left_out(void **state)
{
    static const uint8_t zeros[16];
    struct radius_request request = sample();
    size_t value_length;
    (void)state;
    request.question.response = NULL;
    request.nas_identifier = NULL;
    request.called_station = "";
    request.nas_address_length = 0;
    size_t length = radius_encode_request(&request, &crypto, secret, packet);
    assert_true(length > 0);
    const uint8_t *password = attribute(length, 3, 0, &value_length);
    assert_int_equal(value_length, 17);
    assert_int_equal(password[0], 0x11);
    assert_memory_equal(password + 1, zeros, 16);
    assert_null(attribute(length, 32, 0, &value_length));
    assert_null(attribute(length, 30, 0, &value_length));
    assert_null(attribute(length, 4, 0, &value_length));
    assert_null(attribute(length, 95, 0, &value_length));
    request.nas_address_length = 16;
    length = radius_encode_request(&request, &crypto, secret, packet);
    assert_memory_equal(attribute(length, 95, 0, &value_length), request.nas_address, 16);
    assert_int_equal(value_length, 16);
}

static void a_long_challenge_goes_into_several_attributes(void **state)
{
    static uint8_t bytes[CHAP_CHALLENGE_MAX + 1];
    struct radius_request request = sample();
    size_t value_length;
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t total = 1; total <= CHAP_CHALLENGE_MAX; total++) {
        size_t found = 0;
        request.question.challenge = bytes;
        request.question.challenge_length = total;
        size_t length = radius_encode_request(&request, &crypto, secret, packet);
        assert_true(length > 0);
        for (unsigned nth = 0; found < total; nth++) {
            const uint8_t *value = attribute(length, 60, nth, &value_length);
            assert_non_null(value);
            assert_memory_equal(value, bytes + found, value_length);
            found += value_length;
            assert_true(found == total || value_length == RADIUS_VALUE_MAX);
        }
        assert_int_equal(found, total);
    }
    request.question.challenge_length = CHAP_CHALLENGE_MAX + 1;
    assert_int_equal(radius_encode_request(&request, &crypto, secret, packet), 0);
    request.question.challenge_length = 0;
    assert_int_equal(radius_encode_request(&request, &crypto, secret, packet), 0);
}

static void names_have_to_fit_an_attribute(void **state)
{
    char name[RADIUS_VALUE_MAX + 2];
    struct radius_request request = sample();
    (void)state;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    request.question.name = name + 1;
    assert_true(radius_encode_request(&request, &crypto, secret, packet) > 0);
    request.question.name = name;
    assert_int_equal(radius_encode_request(&request, &crypto, secret, packet), 0);
    request.question.name = "";
    assert_int_equal(radius_encode_request(&request, &crypto, secret, packet), 0);
    request = sample();
    request.nas_identifier = name;
    assert_int_equal(radius_encode_request(&request, &crypto, secret, packet), 0);
    request = sample();
    request.called_station = name;
    assert_int_equal(radius_encode_request(&request, &crypto, secret, packet), 0);
}

static void without_md5_there_is_nothing(void **state)
{
    struct radius_request request = sample();
    (void)state;
    crypto_works = false;
    assert_int_equal(radius_encode_request(&request, &crypto, secret, packet), 0);
    crypto_works = true;
}

/* --- replies --- */

#define ACCEPT                                                                                     \
    "\x02\x2a\x00\x42\x3d\x77\xdf\xd1\xf4\xb1\x6c\x0f\xa9\x57\xdf\xfd"                             \
    "\x1b\x02\x14\x2a\x50\x12\x1b\x59\xc0\x24\x4d\x5b\x3d\x0f\x87\x68"                             \
    "\xca\x7f\x00\xfb\x1d\xb5\x12\x09\x77\x65\x6c\x63\x6f\x6d\x65\x03"                             \
    "\x13\x11\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d"                             \
    "\x6e\x6f"
#define REJECT                                                                                     \
    "\x03\x2a\x00\x26\x40\x7f\xe4\x72\x12\xa6\xf4\x77\x73\x94\x9b\x12"                             \
    "\x03\xa7\x21\x06\x50\x12\xa6\x21\x52\x92\xeb\x03\x7c\x82\x90\x85"                             \
    "\x1d\x8b\x55\x80\x2e\x51"

/* From memory of just that size, so that reading on is seen. */
static bool decode(const void *bytes, size_t length, const struct radius_request *request,
                   struct radius_reply *reply)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    bool genuine = radius_decode_reply(copy, length, request, &crypto, secret, reply);
    free(copy);
    return genuine;
}

static void replies_are_understood(void **state)
{
    struct radius_request request = sample();
    struct radius_reply reply;
    (void)state;
    assert_true(decode(ACCEPT, sizeof ACCEPT - 1, &request, &reply));
    assert_int_equal(reply.code, RADIUS_ACCESS_ACCEPT);
    assert_true(reply.has_authenticator);
    assert_true(reply.has_response);
    assert_int_equal(reply.response_to, 0x11);
    assert_int_equal(reply.response[0], 0x60);
    assert_int_equal(reply.response[15], 0x6f);
    assert_true(decode(REJECT, sizeof REJECT - 1, &request, &reply));
    assert_int_equal(reply.code, RADIUS_ACCESS_REJECT);
    assert_false(reply.has_response);
}

/* Section 7: a reply without Message-Authenticator, to a telnet user and to one with CHAP. */
static void the_examples_of_the_rfc_are_genuine(void **state)
{
    static const struct {
        uint8_t identifier;
        const char *authenticator;
        const char *reply;
        size_t length;
    } rows[] = {
        {0, "\x0f\x40\x3f\x94\x73\x97\x80\x57\xbd\x83\xd5\xcb\x98\xf4\x22\x7a",
         "\x02\x00\x00\x26\x86\xfe\x22\x0e\x76\x24\xba\x2a\x10\x05\xf6\xbf\x9b\x55\xe0\xb2"
         "\x06\x06\x00\x00\x00\x01\x0f\x06\x00\x00\x00\x00\x0e\x06\xc0\xa8\x01\x03",
         38},
        {1, "\x2a\xee\x86\xf0\x8d\x0d\x55\x96\x9c\xa5\x97\x8e\x0d\x33\x67\xa2",
         "\x02\x01\x00\x38\x15\xef\xbc\x7d\xab\x26\xcf\xa3\xdc\x34\xd9\xc0\x3c\x86\x01\xa4"
         "\x06\x06\x00\x00\x00\x02\x07\x06\x00\x00\x00\x01\x08\x06\xff\xff\xff\xfe"
         "\x0a\x06\x00\x00\x00\x02\x0d\x06\x00\x00\x00\x01\x0c\x06\x00\x00\x05\xdc",
         56},
    };
    const struct radius_secret examples = {"xyzzy5461", 9}, other = {"xyzzy5462", 9};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct radius_request request = {.identifier = rows[i].identifier};
        struct radius_reply reply;
        memcpy(request.authenticator, rows[i].authenticator, 16);
        assert_true(radius_decode_reply((const uint8_t *)rows[i].reply, rows[i].length, &request,
                                        &crypto, examples, &reply));
        assert_int_equal(reply.code, RADIUS_ACCESS_ACCEPT);
        assert_false(reply.has_authenticator);
        assert_false(radius_decode_reply((const uint8_t *)rows[i].reply, rows[i].length, &request,
                                         &crypto, other, &reply));
    }
}

static void every_bit_counts(void **state)
{
    uint8_t bytes[sizeof ACCEPT - 1];
    struct radius_request request = sample();
    struct radius_reply reply;
    (void)state;
    memcpy(bytes, ACCEPT, sizeof bytes);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (decode(bytes, sizeof bytes, &request, &reply))
            fail_msg("bit %u of byte %u does not count", (unsigned)bit % 8, (unsigned)bit / 8);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 128; bit++) {
        request.authenticator[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(decode(bytes, sizeof bytes, &request, &reply)); /* another request's */
        request.authenticator[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    request.identifier++;
    assert_false(decode(bytes, sizeof bytes, &request, &reply));
}

static void what_is_cut_off_is_no_reply(void **state)
{
    struct radius_request request = sample();
    struct radius_reply reply;
    (void)state;
    for (size_t length = 0; length < sizeof ACCEPT - 1; length++)
        assert_false(decode(ACCEPT, length, &request, &reply));
}

/* RFC 2865, 3: what is behind the length is padding. */
static void padding_is_ignored(void **state)
{
    struct radius_request request = sample();
    struct radius_reply reply;
    (void)state;
    assert_true(decode(ACCEPT "\xff\xff\xff", sizeof ACCEPT + 2, &request, &reply));
    assert_true(reply.has_response);
}

/* Signs a reply of those attributes as a server does; `length` without padding. */
static size_t sign(uint8_t code, const struct radius_request *request, const void *attributes,
                   size_t count, size_t length)
{
    uint8_t digest[16] = {0};
    packet[0] = code;
    packet[1] = request->identifier;
    put_be16(packet + 2, (uint16_t)length);
    memcpy(packet + 4, request->authenticator, 16);
    memcpy(packet + 20, attributes, count);
    const struct iov pieces[] = {{packet, length}, {(void *)(uintptr_t)SECRET, sizeof SECRET - 1}};
    assert_true(md5(pieces, 2, digest));
    memcpy(packet + 4, digest, 16);
    return length;
}

static void malformed_attributes_make_no_reply(void **state)
{
    static const struct {
        const char *attributes;
        size_t length;
    } rows[] = {
        {"\x12", 1},
        {"\x12\x00", 2},
        {"\x12\x01", 2},
        {"\x12\x03", 2},
        {"\x12\x02\x12\x01", 4},
        {"\x12\xff"
         "abc",
         5},
        {"\x50\x02", 2},
        {"\x50\x11"
         "123456789012345",
         17},
        {"\x50\x13"
         "12345678901234567",
         19},
        {"\x50\x12"
         "1234567890123456",
         18},
    };
    struct radius_request request = sample();
    struct radius_reply reply;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = sign(RADIUS_ACCESS_ACCEPT, &request, rows[i].attributes, rows[i].length,
                             20 + rows[i].length);
        if (decode(packet, length, &request, &reply))
            fail_msg("row %u was taken for a reply", (unsigned)i);
    }
    size_t length = sign(RADIUS_ACCESS_ACCEPT, &request, "\x12\x02", 2, 22);
    assert_true(decode(packet, length, &request, &reply)); /* the signature is not to blame */
    assert_false(reply.has_authenticator);
    length = sign(RADIUS_ACCESS_ACCEPT, &request, "", 0, 20);
    assert_true(decode(packet, length, &request, &reply));
}

static void only_answers_are_replies(void **state)
{
    struct radius_request request = sample();
    struct radius_reply reply;
    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        bool answer = code == 2 || code == 3 || code == 11;
        size_t length = sign((uint8_t)code, &request, "", 0, 20);
        if (decode(packet, length, &request, &reply) != answer)
            fail_msg("code %u was %staken for a reply", code, answer ? "not " : "");
    }
}

/* Which of two would count is anybody's guess. */
static void a_response_has_to_be_the_only_one(void **state)
{
    static const char one[] = "\x03\x13"
                              "Q1234567890123456",
                      bad[] = "\x03\x12"
                              "Q123456789012345";
    char two[2 * (sizeof one - 1)];
    struct radius_request request = sample();
    struct radius_reply reply;
    (void)state;
    memcpy(two, one, sizeof one - 1);
    memcpy(two + sizeof one - 1, one, sizeof one - 1);
    size_t length = sign(RADIUS_ACCESS_ACCEPT, &request, one, sizeof one - 1, 20 + sizeof one - 1);
    assert_true(decode(packet, length, &request, &reply));
    assert_true(reply.has_response);
    assert_int_equal(reply.response_to, 'Q');
    length = sign(RADIUS_ACCESS_ACCEPT, &request, two, sizeof two, 20 + sizeof two);
    assert_true(decode(packet, length, &request, &reply));
    assert_false(reply.has_response);
    length = sign(RADIUS_ACCESS_ACCEPT, &request, bad, sizeof bad - 1, 20 + sizeof bad - 1);
    assert_true(decode(packet, length, &request, &reply));
    assert_false(reply.has_response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_as_others_make_it),
        cmocka_unit_test(what_is_not_there_is_left_out),
        cmocka_unit_test(a_long_challenge_goes_into_several_attributes),
        cmocka_unit_test(names_have_to_fit_an_attribute),
        cmocka_unit_test(without_md5_there_is_nothing),
        cmocka_unit_test(replies_are_understood),
        cmocka_unit_test(the_examples_of_the_rfc_are_genuine),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(what_is_cut_off_is_no_reply),
        cmocka_unit_test(padding_is_ignored),
        cmocka_unit_test(malformed_attributes_make_no_reply),
        cmocka_unit_test(only_answers_are_replies),
        cmocka_unit_test(a_response_has_to_be_the_only_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
