#include "protocol/sendtargets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What was found, as "name;" and " host:port,group;". */
static char found_text[4096];
static size_t found_limit; /* stop after so many calls */

static bool found(void *context, const char *target, const struct portal_address *address)
{
    char portal[300] = "";
    size_t at = strlen(found_text);

    (void)context;
    if (address) {
        assert_true(portal_format(address, portal, sizeof portal));
        snprintf(found_text + at, sizeof found_text - at, " %s,%u;", portal, address->group);
    } else {
        snprintf(found_text + at, sizeof found_text - at, "%s;", target);
    }
    return --found_limit > 0;
}

static bool alias_found(void *context, const char *alias)
{
    size_t at = strlen(found_text);

    (void)context;
    snprintf(found_text + at, sizeof found_text - at, "\"%s\";", alias);
    return --found_limit > 0;
}

static struct sendtargets reader;

static void begin(void)
{
    found_text[0] = '\0';
    found_limit = 1000;
    sendtargets_start(&reader, found, NULL);
}

/* Feeds a copy of exactly this size, so that a sanitizer sees a read beyond. */
static enum status feed(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);
    enum status status;

    assert_non_null(copy);
    memcpy(copy, text, length);
    status = sendtargets_feed(&reader, copy, length);
    free(copy);
    return status;
}

static void aliases_belong_to_their_targets(void **state)
{
    static const char text[] = "TargetName=iqn.2026-11.test:a\0TargetAddress=10.0.0.1:3260,1\0"
                               "TargetAlias=behind the address\0TargetName=not a name\0"
                               "TargetAlias=of nobody\0TargetName=iqn.2026-11.test:b\0"
                               "TargetAlias=\0TargetAlias=a\tb\0TargetAlias=\xc3\0"
                               "TargetAlias=\xc2\x80\0TargetAlias=R\xc3\xa9gal\0";
    static const char expected[] = "iqn.2026-11.test:a; 10.0.0.1:3260,1;\"behind the address\";"
                                   "iqn.2026-11.test:b;\"R\xc3\xa9gal\";";

    (void)state;
    for (size_t cut = 0; cut <= sizeof text - 1; cut++) {
        begin();
        reader.alias = alias_found;
        assert_int_equal(feed(text, cut), STATUS_OK);
        assert_int_equal(feed(text + cut, sizeof text - 1 - cut), STATUS_OK);
        assert_int_equal(sendtargets_end(&reader), STATUS_OK);
        assert_string_equal(found_text, expected);
    }
    begin();
    reader.alias = alias_found;
    found_limit = 3;
    assert_int_equal(feed(text, sizeof text - 1), STATUS_CANCELLED);
}

static const char answer[] =
    "TargetName=iqn.2026-11.test:a\0TargetAddress=10.0.0.1:3260,1\0"
    "TargetAddress=[fe80::1%eth0]:3261,2\0\0TargetName=iqn.2026-11.test:b\0"
    "TargetAlias=the second\0X-com.example.size=12\0TargetAddress=storage.example,3\0\r\n\0"
    "TargetName=eui.0123456789ABCDEF\0TargetName=iqn.2026-11.test:c\0TargetAddress=10.0.0.2:1";
static const char answer_found[] =
    "iqn.2026-11.test:a; 10.0.0.1:3260,1; [fe80::1%eth0]:3261,2;iqn.2026-11.test:b;"
    " storage.example:3260,3;eui.0123456789ABCDEF;iqn.2026-11.test:c; 10.0.0.2:1,0;";

static void an_answer_may_split_anywhere(void **state)
{
    (void)state;
    for (size_t first = 0; first <= sizeof answer; first++) {
        for (size_t second = first; second <= sizeof answer; second += 7) {
            begin();
            assert_int_equal(feed(answer, first), STATUS_OK);
            assert_int_equal(feed(answer + first, second - first), STATUS_OK);
            assert_int_equal(feed(answer + second, sizeof answer - second), STATUS_OK);
            assert_int_equal(sendtargets_end(&reader), STATUS_OK);
            assert_string_equal(found_text, answer_found);
            assert_int_equal(reader.targets, 4);
            assert_int_equal(reader.skipped, 0);
        }
    }
}

static void an_answer_may_come_byte_by_byte(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < sizeof answer; i++)
        assert_int_equal(feed(answer + i, 1), STATUS_OK);
    assert_int_equal(sendtargets_end(&reader), STATUS_OK);
    assert_string_equal(found_text, answer_found);
}

static void no_target_is_an_answer(void **state)
{
    (void)state;
    begin();
    assert_int_equal(feed("", 0), STATUS_OK);
    assert_int_equal(feed("\0\0\0", 3), STATUS_OK);
    assert_int_equal(sendtargets_end(&reader), STATUS_OK);
    assert_int_equal(reader.targets, 0);
}

#define FEED(text) feed(text, sizeof text)

static void hostile_names_are_skipped_with_their_addresses(void **state)
{
    static const char *const names[] = {
        "",
        "x",
        "iqn.2026-11.test:../../etc/passwd",
        "iqn.2026-11.test:a b",
        "iqn.2026-11.test:a\nTargetName=b",
        "iqn.2026-11.test:\x1b[2J",
        "iqn.2026-11.test:\xc3",
        "iqn.2026-11.test:0123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
        "8901234567890123456789012345678901234567890123456789",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[400];
        int length = snprintf(text, sizeof text, "TargetName=%s", names[i]);

        begin();
        assert_int_equal(FEED("TargetName=iqn.2026-11.test:a"), STATUS_OK);
        assert_int_equal(feed(text, (size_t)length + 1), STATUS_OK);
        assert_int_equal(FEED("TargetAddress=10.0.0.1,1"), STATUS_OK);
        assert_int_equal(FEED("TargetName=iqn.2026-11.test:b"), STATUS_OK);
        assert_int_equal(FEED("TargetAddress=10.0.0.2,1"), STATUS_OK);
        assert_int_equal(sendtargets_end(&reader), STATUS_OK);
        assert_string_equal(found_text, "iqn.2026-11.test:a;iqn.2026-11.test:b; 10.0.0.2:3260,1;");
        assert_int_equal(reader.skipped, 1);
    }
}

static void bad_addresses_are_skipped(void **state)
{
    (void)state;
    begin();
    assert_int_equal(FEED("TargetName=iqn.2026-11.test:a"), STATUS_OK);
    assert_int_equal(FEED("TargetAddress="), STATUS_OK);
    assert_int_equal(FEED("TargetAddress=10.0.0.1:0,1"), STATUS_OK);
    assert_int_equal(FEED("TargetAddress=10.0.0.1:3260,70000"), STATUS_OK);
    assert_int_equal(FEED("TargetAddress=[::1:3260,1"), STATUS_OK);
    assert_int_equal(FEED("TargetAddress=a b:3260,1"), STATUS_OK);
    assert_int_equal(FEED("TargetAddress=10.0.0.1:3260,1"), STATUS_OK);
    assert_string_equal(found_text, "iqn.2026-11.test:a; 10.0.0.1:3260,1;");
    assert_int_equal(reader.skipped, 5);
    assert_int_equal(reader.targets, 1);
}

static void what_is_not_an_answer_is_refused(void **state)
{
    (void)state;
    begin();
    assert_int_equal(FEED("TargetAddress=10.0.0.1:3260,1"), STATUS_INVALID_SENDTARGETS);
    begin();
    assert_int_equal(FEED("TargetName"), STATUS_INVALID_SENDTARGETS);
    begin();
    assert_int_equal(FEED("SendTargets=NotUnderstood"), STATUS_REJECTED);
    begin();
    assert_int_equal(FEED("SendTargets=Reject"), STATUS_REJECTED);
    begin();
    assert_int_equal(feed("TargetName=iqn.2026-11.test:a", 29), STATUS_OK);
    assert_int_equal(sendtargets_end(&reader), STATUS_INVALID_SENDTARGETS);
    assert_string_equal(found_text, "");
}

/* The bound is the same whether the pair comes whole or in pieces. */
static void pairs_are_bounded(void **state)
{
    size_t most = TEXT_KEY_MAX + 1 + TEXT_VALUE_MAX;
    char *text = malloc(most + 2);

    (void)state;
    assert_non_null(text);
    memset(text, 'v', most + 2);
    memcpy(text, "X=", 2);
    for (size_t piece = 1; piece <= most + 2; piece += 1009) {
        for (size_t length = most; length <= most + 1; length++) {
            enum status status = STATUS_OK;

            begin();
            text[most] = 'v';
            text[length] = '\0';
            for (size_t at = 0; at <= length && status == STATUS_OK; at += piece)
                status = feed(text + at, length + 1 - at < piece ? length + 1 - at : piece);
            assert_int_equal(status, length == most ? STATUS_OK : STATUS_INVALID_SENDTARGETS);
        }
    }
    free(text);
}

static void the_caller_can_stop(void **state)
{
    (void)state;
    for (size_t stop = 1; stop <= 3; stop++) {
        begin();
        found_limit = stop;
        assert_int_equal(feed(answer, sizeof answer), STATUS_CANCELLED);
        assert_int_equal(found_limit, 0);
    }
}

static void megabytes_are_read(void **state)
{
    enum { TARGETS = 20000, ROOM = TARGETS * 80 };
    char *text = malloc(ROOM);
    size_t length = 0;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < TARGETS; i++)
        length +=
            (size_t)snprintf(text + length, ROOM - length,
                             "TargetName=iqn.2026-11.test:%06d%cTargetAddress=10.0.0.1,1", i, 0) +
            1;
    begin();
    found_limit = 2 * TARGETS + 1;
    for (size_t at = 0; at < length; at += 8192)
        assert_int_equal(feed(text + at, length - at < 8192 ? length - at : 8192), STATUS_OK);
    assert_int_equal(sendtargets_end(&reader), STATUS_OK);
    assert_int_equal(reader.targets, TARGETS);
    assert_int_equal(found_limit, 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aliases_belong_to_their_targets),
        cmocka_unit_test(an_answer_may_split_anywhere),
        cmocka_unit_test(an_answer_may_come_byte_by_byte),
        cmocka_unit_test(no_target_is_an_answer),
        cmocka_unit_test(hostile_names_are_skipped_with_their_addresses),
        cmocka_unit_test(bad_addresses_are_skipped),
        cmocka_unit_test(what_is_not_an_answer_is_refused),
        cmocka_unit_test(pairs_are_bounded),
        cmocka_unit_test(the_caller_can_stop),
        cmocka_unit_test(megabytes_are_read),
    };
    return cmocka_run_group_tests_name("sendtargets", tests, NULL, NULL);
}
