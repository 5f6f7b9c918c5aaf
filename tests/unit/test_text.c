#include "protocol/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Parses a copy of exactly `length` bytes, so that a sanitizer sees any read beyond. Gives the last
 * answer of text_next, and the pairs as "key:value;". */
static int parse(const char *text, size_t length, char *pairs, size_t room)
{
    char *copy = malloc(length ? length : 1);
    size_t offset = 0, used = 0;
    struct text_pair pair;
    int answer;

    assert_non_null(copy);
    memcpy(copy, text, length);
    pairs[0] = '\0';
    while ((answer = text_next(copy, length, &offset, &pair)) == 1) {
        int n = snprintf(pairs + used, room - used, "%.*s:%s;", (int)pair.key_length, pair.key,
                         pair.value);

        assert_true(n > 0 && (size_t)n < room - used);
        assert_int_equal(strlen(pair.value), pair.value_length);
        used += (size_t)n;
    }
    free(copy);
    return answer;
}

#define PARSE(text, pairs) parse(text, sizeof text - 1, pairs, sizeof pairs)

static void pairs_are_split(void **state)
{
    char pairs[200];

    (void)state;
    assert_int_equal(PARSE("", pairs), 0);
    assert_int_equal(PARSE("A=1\0B=\0C=x=y\0", pairs), 0);
    assert_string_equal(pairs, "A:1;B:;C:x=y;");
    /* Extra NULs between and after pairs. */
    assert_int_equal(PARSE("\0\0A=1\0\0\0X-com.example.k_1+2@3=\xc3\xa9 z\0\0", pairs), 0);
    assert_string_equal(pairs, "A:1;X-com.example.k_1+2@3:\xc3\xa9 z;");
}

static void bad_text_is_refused(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } bad[] = {
#define BAD(text) {text, sizeof text - 1}
        BAD("A=1"),          BAD("A\0"),      BAD("=1\0"),        BAD("A B=1\0"),  BAD("A/B=1\0"),
        BAD("\xc3\xa9=1\0"), BAD("A=1\n2\0"), BAD("A=\x1b[2J\0"), BAD("A=\x7f\0"), BAD("A=\t\0"),
        BAD("A,B=1\0"),      BAD("A=1\0B"),   BAD("A=1\0B=2"),
#undef BAD
    };
    char pairs[200];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (parse(bad[i].text, bad[i].length, pairs, sizeof pairs) != -1)
            fail_msg("accepted: \"%s\"", bad[i].text);
}

static void keys_and_values_have_limits(void **state)
{
    static char text[TEXT_VALUE_MAX + 80];
    struct text_pair pair;
    size_t offset = 0;

    (void)state;
    memset(text, 'K', 64);
    memcpy(text + 63, "=v", 3);
    assert_int_equal(text_next(text, 66, &offset, &pair), 1);
    assert_int_equal(pair.key_length, TEXT_KEY_MAX);
    memcpy(text + 63, "K=v", 4);
    offset = 0;
    assert_int_equal(text_next(text, 67, &offset, &pair), -1);

    memset(text, 'v', sizeof text);
    memcpy(text, "K=", 2);
    text[2 + TEXT_VALUE_MAX] = '\0';
    offset = 0;
    assert_int_equal(text_next(text, 3 + TEXT_VALUE_MAX, &offset, &pair), 1);
    assert_int_equal(pair.value_length, TEXT_VALUE_MAX);
    text[2 + TEXT_VALUE_MAX] = 'v';
    text[3 + TEXT_VALUE_MAX] = '\0';
    offset = 0;
    assert_int_equal(text_next(text, 4 + TEXT_VALUE_MAX, &offset, &pair), -1);
}

static void keys_are_compared_whole(void **state)
{
    struct text_pair pair = {"MaxBurstLength=1", 14, "1", 1};

    (void)state;
    assert_true(text_key_is(&pair, "MaxBurstLength"));
    assert_false(text_key_is(&pair, "MaxBurst"));
    assert_false(text_key_is(&pair, "MaxBurstLengths"));
    assert_false(text_key_is(&pair, "maxburstlength"));
}

static void appending_stops_at_the_room(void **state)
{
    char text[32];
    size_t length = 0;

    (void)state;
    memset(text, 'x', sizeof text);
    assert_true(text_append(text, 9, &length, "Ab", "cd"));
    assert_int_equal(length, 6);
    assert_false(text_append(text, 9, &length, "E", "f"));
    assert_int_equal(length, 6);
    assert_true(text_append(text, 9, &length, "E", ""));
    assert_memory_equal(text, "Ab=cd\0E=\0x", 10);
    assert_false(text_append(text, 9, &length, "", ""));
    length = 0;
    assert_true(text_append_number(text, sizeof text, &length, "N", UINT64_MAX));
    assert_string_equal(text, "N=18446744073709551615");
    length = 0;
    assert_true(text_append_number(text, 4, &length, "N", 0));
    assert_memory_equal(text, "N=0", 4);
    assert_false(text_append_number(text, 7, &length, "N", 1));
}

static void numbers_are_decimal_or_hex(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"1", true, 1},
        {"262144", true, 262144},
        {"0x40000", true, 262144},
        {"0XfFfF", true, 0xffff},
        {"0x0", true, 0},
        {"0x000000000000000000010", true, 16},
        {"18446744073709551615", true, UINT64_MAX},
        {"0xffffffffffffffff", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"0x10000000000000000", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"01", false, 0},
        {"0x", false, 0},
        {"0xg", false, 0},
        {"x1", false, 0},
        {"1a", false, 0},
        {"1,2", false, 0},
        {"1~2", false, 0},
        {"0b1", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 77;
        bool valid = text_number(rows[i].text, strlen(rows[i].text), &value);

        if (valid != rows[i].valid || (valid && value != rows[i].value))
            fail_msg("\"%s\": %d, %llu", rows[i].text, valid, (unsigned long long)value);
    }
}

static void booleans_are_exact(void **state)
{
    static const char *const bad[] = {"yes", "YES", "no", "Y", "", "1", "Yess", "Noo", "Yes,No"};
    bool value = false;

    (void)state;
    assert_true(text_boolean("Yes", 3, &value) && value);
    assert_true(text_boolean("No", 2, &value) && !value);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (text_boolean(bad[i], strlen(bad[i]), &value))
            fail_msg("accepted \"%s\"", bad[i]);
}

static void lists_are_searched_by_whole_items(void **state)
{
    const char *item;
    size_t length;

    (void)state;
    assert_true(text_list_has("CRC32C,None", 11, "None"));
    assert_true(text_list_has("CRC32C,None", 11, "CRC32C"));
    assert_false(text_list_has("CRC32C,None", 11, "CRC32"));
    assert_false(text_list_has("CRC32C,None", 10, "None"));
    assert_false(text_list_has("", 0, "None"));
    assert_true(text_list_item("a,,b", 4, 1, &item, &length) && length == 0);
    assert_true(text_list_item("a,,b", 4, 2, &item, &length) && length == 1 && *item == 'b');
    assert_false(text_list_item("a,,b", 4, 3, &item, &length));
    assert_true(text_list_item("a,", 2, 1, &item, &length) && length == 0);
}

static void expect_binary(const char *text, const char *expected, long expected_length)
{
    uint8_t out[16];
    long length = text_binary_decode(text, strlen(text), out, sizeof out);

    if (length != expected_length)
        fail_msg("\"%s\": expected length %ld, got %ld", text, expected_length, length);
    if (length > 0)
        assert_memory_equal(out, expected, (size_t)length);
}

static void binary_values_are_decoded(void **state)
{
    static const char *const bad[] = {
        "",       "0",      "0x",     "0b",    "12",      "x12",       "0y12",     "0x1g",
        "0x12 ",  "0x-1",   "0bA",    "0bQ",   "0bQQ=",   "0bQQ===",   "0b====",   "0b==",
        "0bQR==", "0bQUJ=", "0bQ=Q=", "0bQ Q", "0bQUJD=", "0bQUJDRA=", "0bQU\nJD", "0b-_-_"};

    (void)state;
    expect_binary("0x00fF", "\x00\xff", 2);
    expect_binary("0XAb", "\xab", 1);
    expect_binary("0x1", "\x01", 1);
    expect_binary("0x123", "\x01\x23", 2);
    expect_binary("0x00112233445566778899aabbccddeeff",
                  "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
    /* One byte, or even one digit, more than there is room for. */
    expect_binary("0x000112233445566778899aabbccddeeff", "", -1);
    expect_binary("0b", "", -1);
    /* RFC 4648, section 10. */
    expect_binary("0bZg==", "f", 1);
    expect_binary("0bZm8=", "fo", 2);
    expect_binary("0BZm9v", "foo", 3);
    expect_binary("0bZm9vYg==", "foob", 4);
    expect_binary("0bZm9vYmE", "fooba", 5);
    expect_binary("0bZm9vYmFy", "foobar", 6);
    expect_binary("0b//79", "\xff\xfe\xfd", 3);
    expect_binary("0bAAAAAAAAAAAAAAAAAAAAAAA=", "", -1); /* 17 bytes */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_binary(bad[i], "", -1);
}

static void binary_values_make_the_round_trip(void **state)
{
    uint8_t data[48], back[48];
    char text[2 + 96 + 1];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37 + 11);
    for (size_t length = 1; length <= sizeof data; length++) {
        size_t hex = 3 + 2 * length, base64 = 3 + (length + 2) / 3 * 4;

        assert_false(text_hex_encode(data, length, text, hex - 1));
        assert_true(text_hex_encode(data, length, text, hex));
        assert_int_equal(strlen(text), hex - 1);
        assert_int_equal(text_binary_decode(text, hex - 1, back, length), (long)length);
        assert_memory_equal(back, data, length);
        assert_int_equal(text_binary_decode(text, hex - 1, back, length - 1), -1);
        assert_false(text_base64_encode(data, length, text, base64 - 1));
        assert_true(text_base64_encode(data, length, text, base64));
        assert_int_equal(strlen(text), base64 - 1);
        assert_int_equal(text_binary_decode(text, base64 - 1, back, length), (long)length);
        assert_memory_equal(back, data, length);
        assert_int_equal(text_binary_decode(text, base64 - 1, back, length - 1), -1);
    }
    assert_true(text_hex_encode((const uint8_t *)"\x0f\xa0", 2, text, sizeof text));
    assert_string_equal(text, "0x0fa0");
    assert_true(text_base64_encode((const uint8_t *)"foob", 4, text, sizeof text));
    assert_string_equal(text, "0bZm9vYg==");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_split),
        cmocka_unit_test(bad_text_is_refused),
        cmocka_unit_test(keys_and_values_have_limits),
        cmocka_unit_test(keys_are_compared_whole),
        cmocka_unit_test(appending_stops_at_the_room),
        cmocka_unit_test(numbers_are_decimal_or_hex),
        cmocka_unit_test(booleans_are_exact),
        cmocka_unit_test(lists_are_searched_by_whole_items),
        cmocka_unit_test(binary_values_are_decoded),
        cmocka_unit_test(binary_values_make_the_round_trip),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
