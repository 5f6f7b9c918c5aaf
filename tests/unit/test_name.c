#include "protocol/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N10  "1234567890"
#define N100 N10 N10 N10 N10 N10 N10 N10 N10 N10 N10

static void names_are_judged(void **state)
{
    static const struct {
        const char *name;
        bool valid;
        bool characters;
    } rows[] = {
        {"iqn.1991-05.com.microsoft:host", true, true},
        {"iqn.2026-11.test:x", true, true},
        {"IQN.2001-04.com.Example:Disk-1.a:b", true, true},
        {"iqn.2001-04.com.example:disk_1", true, true},
        {"iqn.2001-04.x", true, true},
        {"iqn.2001-04.com.example:\xc3\xa9t\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80", true, true},
        {"eui.02004567A425678D", true, true},
        {"naa.52004567BA64678D", true, true},
        {"naa.62004567BA64678D0123456789ABCDEF", true, true},
        {"iqn.2001-04.com.example:" N100 N10 N10 N10 N10 N10 N10 N10 N10 N10 "123456789", true,
         true},
        {"iqn.2001-04.com.example:" N100 N10 N10 N10 N10 N10 N10 N10 N10 N10 N10, false, false},
        /* Form. */
        {"host", false, true},
        {"iqn", false, true},
        {"iqn.", false, true},
        {"iqn.2001-04", false, true},
        {"iqn.2001-04.", false, true},
        {"iqn.2001-13.com", false, true},
        {"iqn.2001-00.com", false, true},
        {"iqn.201-04.com.example", false, true},
        {"iqn.2001.04.com", false, true},
        {"iqn-2001-04.com", false, true},
        {"eui.02004567A425678", false, true},
        {"eui.02004567A425678D0", false, true},
        {"eui.02004567A425678G", false, true},
        {"naa.52004567BA64678", false, true},
        {"naa.52004567BA64678D01234567", false, true},
        {"", false, false},
        /* Characters. */
        {"iqn.2001-04.com.example:a b", false, false},
        {"iqn.2001-04.com.example:../../etc", false, false},
        {"iqn.2001-04.com.example:a\\b", false, false},
        {"iqn.2001-04.com.example:a\nb", false, false},
        {"iqn.2001-04.com.example:\x1b[2J", false, false},
        {"iqn.2001-04.com.example:a\x7f", false, false},
        {"iqn.2001-04.com.example:$(reboot)", false, false},
        {"iqn.2001-04.com.example:a,1", false, true},
        /* UTF-8: truncated, lone continuation, overlong, surrogate, beyond Unicode, C1, blanks. */
        {"iqn.2001-04.com.example:\xc3", false, false},
        {"iqn.2001-04.com.example:\xe6\xbc", false, false},
        {"iqn.2001-04.com.example:\xf0\x9f\x98", false, false},
        {"iqn.2001-04.com.example:\x80", false, false},
        {"iqn.2001-04.com.example:\xc0\xaf", false, false},
        {"iqn.2001-04.com.example:\xe0\x80\xaf", false, false},
        {"iqn.2001-04.com.example:\xf0\x80\x80\xaf", false, false},
        {"iqn.2001-04.com.example:\xed\xa0\x80", false, false},
        {"iqn.2001-04.com.example:\xf4\x90\x80\x80", false, false},
        {"iqn.2001-04.com.example:\xf5\x80\x80\x80", false, false},
        {"iqn.2001-04.com.example:\xff", false, false},
        {"iqn.2001-04.com.example:\xc2\x85", false, false},
        {"iqn.2001-04.com.example:\xc2\xa0x", false, false},
        {"iqn.2001-04.com.example:\xe2\x80\xae", false, false},
        {"iqn.2001-04.com.example:\xe3\x80\x80", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *copy = strdup(rows[i].name); /* exactly as long: a sanitizer sees a read beyond */

        assert_non_null(copy);
        if (name_valid(copy) != rows[i].valid)
            fail_msg("name_valid(\"%s\") is not %d", copy, rows[i].valid);
        if (name_characters_valid(copy) != rows[i].characters)
            fail_msg("name_characters_valid(\"%s\") is not %d", copy, rows[i].characters);
        free(copy);
    }
}

static void names_are_folded(void **state)
{
    char out[ISCSI_NAME_MAX + 1] = "";

    (void)state;
    assert_true(name_normalize("IQN.2001-04.COM.Example:\xc3\x89X", out));
    assert_string_equal(out, "iqn.2001-04.com.example:\xc3\x89x");
    assert_true(name_normalize("eui.02004567A425678D", out));
    assert_string_equal(out, "eui.02004567a425678d");
    assert_false(name_normalize("iqn.x", out));
    assert_true(name_equal("Iqn.A", "iQN.a"));
    assert_true(name_equal("", ""));
    assert_false(name_equal("iqn.a", "iqn.ab"));
    assert_false(name_equal("iqn.ab", "iqn.a"));
    assert_false(name_equal("a@", "a`"));
}

static void hosts_are_judged(void **state)
{
    static const char *const ipv4[] = {"0.0.0.0", "127.0.0.1", "255.255.255.255"};
    static const char *const ipv6[] = {"::",
                                       "::1",
                                       "1::",
                                       "fe80::1%eth0",
                                       "1:2:3:4:5:6:7:8",
                                       "2001:DB8::a",
                                       "::ffff:1.2.3.4",
                                       "1:2:3:4:5:6:1.2.3.4",
                                       "1:2:3:4:5:6:7::",
                                       "fe80::1%12"};
    static const char *const names[] = {"localhost", "a.b-c.example", "host_1", "a.", "1a", "x.1"};
    static const char *const bad[] = {"",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "256.1.1.1",
                                      "01.2.3.4",
                                      "1..2",
                                      ".a",
                                      "-a",
                                      "a b",
                                      "a/b",
                                      "12345",
                                      ":",
                                      ":::",
                                      "1:::2",
                                      "1::2::3",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "12345::",
                                      "::g",
                                      "1:2:3:4:5:6:7:8::",
                                      "fe80::1%",
                                      "fe80::1%a/b",
                                      "::1.2.3",
                                      "1.2.3.4::",
                                      "::1:",
                                      ":1::",
                                      "a%b",
                                      "[::1]"};

    (void)state;
    for (size_t i = 0; i < sizeof ipv4 / sizeof ipv4[0]; i++)
        if (!host_is_ipv4(ipv4[i]) || host_is_ipv6(ipv4[i]) || !host_valid(ipv4[i]))
            fail_msg("not taken for IPv4: %s", ipv4[i]);
    for (size_t i = 0; i < sizeof ipv6 / sizeof ipv6[0]; i++)
        if (!host_is_ipv6(ipv6[i]) || host_is_ipv4(ipv6[i]) || !host_valid(ipv6[i]))
            fail_msg("not taken for IPv6: %s", ipv6[i]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (host_is_ipv6(names[i]) || host_is_ipv4(names[i]) || !host_valid(names[i]))
            fail_msg("not taken for a name: %s", names[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (host_is_ipv6(bad[i]) || host_is_ipv4(bad[i]) || host_valid(bad[i]))
            fail_msg("accepted: %s", bad[i]);
}

enum { PLAIN, GROUP, GROUP_REQUIRED };

static enum status parse(const char *text, int how, struct portal_address *out)
{
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1); /* not NUL-terminated */
    enum status status;

    assert_non_null(copy);
    memcpy(copy, text, length);
    status = portal_parse(copy, length, how != PLAIN, how == GROUP_REQUIRED, out);
    free(copy);
    return status;
}

static void portals_are_read(void **state)
{
    static const struct {
        const char *text;
        int how;
        const char *host;
        uint16_t port;
        uint16_t group;
    } rows[] = {
        {"10.0.0.1", PLAIN, "10.0.0.1", 3260, 0},
        {"10.0.0.1:860", PLAIN, "10.0.0.1", 860, 0},
        {"storage.example:65535", PLAIN, "storage.example", 65535, 0},
        {"[::1]", PLAIN, "::1", 3260, 0},
        {"[fe80::1%eth0]:3261", PLAIN, "fe80::1%eth0", 3261, 0},
        {"2001:db8::5", PLAIN, "2001:db8::5", 3260, 0},
        {"10.0.0.1:3260,1", GROUP, "10.0.0.1", 3260, 1},
        {"10.0.0.1,65535", GROUP_REQUIRED, "10.0.0.1", 3260, 65535},
        {"[2001:db8::5]:3260,0", GROUP_REQUIRED, "2001:db8::5", 3260, 0},
        {"2001:db8::5,7", GROUP, "2001:db8::5", 3260, 7},
        {"10.0.0.1", GROUP, "10.0.0.1", 3260, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct portal_address got;

        if (parse(rows[i].text, rows[i].how, &got) != STATUS_OK)
            fail_msg("refused: %s", rows[i].text);
        assert_string_equal(got.host, rows[i].host);
        assert_int_equal(got.port, rows[i].port);
        assert_int_equal(got.group, rows[i].group);
    }
}

static void bad_portals_are_refused(void **state)
{
    static const struct {
        const char *text;
        int how;
    } rows[] = {
        {"", PLAIN},
        {"", GROUP},
        {":3260", PLAIN},
        {"10.0.0.1:", PLAIN},
        {"10.0.0.1:0", PLAIN},
        {"10.0.0.1:65536", PLAIN},
        {"10.0.0.1:123456", PLAIN},
        {"10.0.0.1:-1", PLAIN},
        {"10.0.0.1: 1", PLAIN},
        {"10.0.0.1:1x", PLAIN},
        {"10.0.0.1,1", PLAIN},
        {"10.0.0.1:3260", GROUP_REQUIRED},
        {"10.0.0.1,", GROUP},
        {"10.0.0.1,65536", GROUP},
        {"10.0.0.1,1,2", GROUP},
        {"10.0.0.1,x", GROUP},
        {",1", GROUP},
        {"[::1", PLAIN},
        {"[::1]3260", PLAIN},
        {"[::1]:", PLAIN},
        {"[]:3260", PLAIN},
        {"[10.0.0.1]:3260", PLAIN},
        {"[host]", PLAIN},
        {"[", PLAIN},
        {"::1]", PLAIN},
        {"1:2:3:4:5:6:7:8:3260", PLAIN},
        {"a b:1", PLAIN},
        {"10.0.0.1:3260/x", PLAIN},
        {N100 N100 N10 N10 N10 N10 N10 "abcdef", PLAIN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct portal_address got;

        if (parse(rows[i].text, rows[i].how, &got) != STATUS_INVALID_ADDRESS)
            fail_msg("not refused: \"%s\"", rows[i].text);
    }
    /* A NUL inside. */
    assert_int_equal(portal_parse("ho\0st", 5, false, false, &(struct portal_address){.port = 0}),
                     STATUS_INVALID_ADDRESS);
}

static void servers_are_read(void **state)
{
    struct portal_address got;

    (void)state;
    assert_int_equal(server_parse("isns.example", 3205, &got), STATUS_OK);
    assert_string_equal(got.host, "isns.example");
    assert_int_equal(got.port, 3205);
    assert_int_equal(server_parse("[fe80::1%eth0]:65535", 3205, &got), STATUS_OK);
    assert_string_equal(got.host, "fe80::1%eth0");
    assert_int_equal(got.port, 65535);
    assert_int_equal(server_parse("2001:db8::7", 1812, &got), STATUS_OK);
    assert_string_equal(got.host, "2001:db8::7");
    assert_int_equal(got.port, 1812);
    assert_int_equal(server_parse("", 3205, &got), STATUS_INVALID_ADDRESS);
    assert_int_equal(server_parse("h:0", 3205, &got), STATUS_INVALID_ADDRESS);
    assert_int_equal(server_parse("h,1", 3205, &got), STATUS_INVALID_ADDRESS);
    assert_int_equal(server_parse("a host", 3205, &got), STATUS_INVALID_ADDRESS);
}

static void portals_are_written(void **state)
{
    struct portal_address address = {.host = "10.0.0.1", .port = 3260, .group = 1};
    char out[40];

    (void)state;
    assert_true(portal_format(&address, out, 14));
    assert_string_equal(out, "10.0.0.1:3260");
    assert_false(portal_format(&address, out, 13));
    strcpy(address.host, "fe80::1%eth0");
    address.port = 65535;
    assert_true(portal_format(&address, out, 21));
    assert_string_equal(out, "[fe80::1%eth0]:65535");
    assert_false(portal_format(&address, out, 20));
    address.port = 1;
    assert_true(portal_format(&address, out, sizeof out));
    assert_string_equal(out, "[fe80::1%eth0]:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_judged),        cmocka_unit_test(names_are_folded),
        cmocka_unit_test(hosts_are_judged),        cmocka_unit_test(portals_are_read),
        cmocka_unit_test(bad_portals_are_refused), cmocka_unit_test(servers_are_read),
        cmocka_unit_test(portals_are_written),
    };
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
