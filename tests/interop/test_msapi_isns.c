/* The list of iSNS servers, and the targets of one that has 500. */
#include "msapi_support.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    DEADLINE = 2, /* seconds */
    BOUND = 20000,
    TARGETS = 500,
    SOCKET_REFUSED = 10061,
};

#define TARGET_321 TARGET_BASE ":many-0321"

/* Windows' defaults are tens of seconds: too long to wait for in tests. */
static int set_deadlines(void **state)
{
    char path[1024];
    const char *directory = getenv("ISCSIDSC_STATE");
    (void)state;
    snprintf(path, sizeof path, "%s/iscsi.conf", directory != NULL ? directory : ".");
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return -1;
    fprintf(file, "TCPConnectTime = %d\nWMIRequestTimeout = %d\n", DEADLINE, DEADLINE);
    return fclose(file);
}

/* Of both forms and of their errors. */
static char *server_at(const char *variable)
{
    char *address = getenv(variable);
    if (address == NULL)
        fail_msg("%s is not set", variable);
    return address;
}

static char list[4096];

static const char *list_servers(void)
{
    ULONG size = sizeof list;
    memset(list, 'x', sizeof list);
    SUCCEEDS(ReportISNSServerListA(&size, list));
    if (size == 0)
        list[0] = list[1] = '\0';
    return list;
}

/* Without servers, and without what they have told. */
static int start_without_servers(void **state)
{
    ULONG size = 0;
    int result = start_clean(state);
    for (const char *server = list_servers(); *server != '\0'; server = list_servers())
        SUCCEEDS(RemoveISNSServerA((PSTR)(uintptr_t)server));
    EXPECT(ERROR_INSUFFICIENT_BUFFER, ReportIScsiTargetsA(TRUE, &size, NULL));
    assert_int_equal(size, 2);
    return result;
}

/* ------------------------------------------------------------ the functions */

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {"",    " ",       "no address", "a/b",
                                      "h:0", "h:70000", "[::1",       "1.2.3"};
    char longest[400];
    WCHAR broken[] = {'h', 0xd800, 0};
    (void)state;
    memset(longest, 'h', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    EXPECT(ERROR_INVALID_PARAMETER, AddISNSServerA(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, AddISNSServerW(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, RemoveISNSServerA(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, RemoveISNSServerW(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, AddISNSServerW(broken));
    EXPECT(ERROR_INVALID_PARAMETER, AddISNSServerA(longest));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char address[32];
        strcpy(address, bad[i]);
        EXPECT(ERROR_INVALID_PARAMETER, AddISNSServerA(address));
        EXPECT(ERROR_INVALID_PARAMETER, AddISNSServerW(wide(bad[i])));
        EXPECT(ERROR_INVALID_PARAMETER, RemoveISNSServerA(address));
        EXPECT(ERROR_INVALID_PARAMETER, RefreshISNSServerW(wide(bad[i])));
    }
    EXPECT(ERROR_INVALID_PARAMETER, ReportISNSServerListA(NULL, list));
    EXPECT(ERROR_INVALID_PARAMETER, ReportISNSServerListW(NULL, NULL));
    assert_string_equal(list_servers(), "");
}

static void an_empty_list_has_no_characters(void **state)
{
    ULONG size = 77;
    WCHAR buffer[4] = {'x', 'x', 'x', 'x'};
    (void)state;
    SUCCEEDS(ReportISNSServerListA(&size, NULL));
    assert_int_equal(size, 0);
    size = 4;
    SUCCEEDS(ReportISNSServerListW(&size, buffer));
    assert_int_equal(size, 0);
    assert_int_equal(buffer[0], 'x');
}

static ISDSC_STATUS ask_a(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportISNSServerListA(size, buffer);
}

static ISDSC_STATUS ask_w(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportISNSServerListW(size, buffer);
}

static void a_list_is_given_by_its_rules(void **state)
{
    char refused[64], *server = server_at("TEST_ISNSD");
    WCHAR both[256];
    ULONG size = 256, expected;
    (void)state;
    snprintf(refused, sizeof refused, "%s", server_at("TEST_REFUSED_PORTAL"));
    SUCCEEDS(AddISNSServerA(server));
    EXPECT(SOCKET_REFUSED, AddISNSServerW(wide(refused)));
    check_sizes("ReportISNSServerListA", ask_a, NULL, sizeof(CHAR));
    check_sizes("ReportISNSServerListW", ask_w, NULL, sizeof(WCHAR));
    expected = (ULONG)(strlen(server) + 1 + strlen(refused) + 1 + 1);
    SUCCEEDS(ReportISNSServerListW(&size, both));
    assert_int_equal(size, expected);
    assert_string_equal(narrow(both), server);
    assert_string_equal(narrow(both + strlen(server) + 1), refused);
    assert_int_equal(both[expected - 1], 0);
}

static void servers_are_added_once_and_removed_once(void **state)
{
    char *server = server_at("TEST_ISNSD");
    ULONG size = 0;
    (void)state;
    SUCCEEDS(AddISNSServerA(server));
    SUCCEEDS(AddISNSServerW(wide(server)));
    EXPECT(ERROR_INSUFFICIENT_BUFFER, ReportISNSServerListA(&size, NULL));
    assert_int_equal(size, strlen(server) + 2);
    SUCCEEDS(RemoveISNSServerW(wide(server)));
    EXPECT(ISDSC_ISNS_SERVER_NOT_FOUND, RemoveISNSServerA(server));
    EXPECT(ISDSC_ISNS_SERVER_NOT_FOUND, RefreshISNSServerA(server));
    EXPECT(ISDSC_ISNS_SERVER_NOT_FOUND, RefreshISNSServerW(wide(server)));
    assert_string_equal(list_servers(), "");
}

/* ------------------------------------------------------------------ failures */

static void failures_are_told_and_the_server_stays_listed(void **state)
{
    char unresolved[] = "isns.invalid", *silent = server_at("TEST_SILENT_PORTAL");
    (void)state;
    EXPECT(ISDSC_DNS_NAME_UNRESOLVED, AddISNSServerA(unresolved));
    assert_string_equal(list_servers(), unresolved);
    uint64_t began = milliseconds();
    EXPECT(ISDSC_ISNS_SERVER_NOT_FOUND, AddISNSServerA(silent));
    assert_in_range(milliseconds() - began, DEADLINE * 1000 - 100, BOUND);
    EXPECT(SOCKET_REFUSED, AddISNSServerA(server_at("TEST_REFUSED_PORTAL")));
    EXPECT(ISDSC_DNS_NAME_UNRESOLVED, RefreshISNSServerA(unresolved));
    EXPECT(ISDSC_ISNS_SERVER_NOT_FOUND, RefreshISNSServerA(silent));
    /* Of all servers one is enough. */
    assert_int_not_equal(RefreshISNSServerA(NULL), ERROR_SUCCESS);
    SUCCEEDS(AddISNSServerA(server_at("TEST_ISNSD")));
    SUCCEEDS(RefreshISNSServerA(NULL));
    SUCCEEDS(RefreshISNSServerW(NULL));
    SUCCEEDS(RefreshISNSServerW(wide("*")));
    assert_true(target_known(TARGET_321));
}

/* ------------------------------------------------------------------- targets */

static ULONG count_targets(void)
{
    static CHAR names[65536];
    ULONG size = sizeof names, count = 0;
    SUCCEEDS(ReportIScsiTargetsA(FALSE, &size, names));
    for (const CHAR *name = names; *name != '\0'; name += strlen(name) + 1)
        count++;
    return count;
}

static void targets_are_found_with_their_portals(void **state)
{
    ISCSI_TARGET_PORTALW portals[4];
    ISCSI_TARGET_PORTALA portal[4];
    USHORT tag = 1, other = 2;
    ULONG count = 4;
    (void)state;
    SUCCEEDS(AddISNSServerA(server_at("TEST_ISNSD")));
    assert_int_equal(count_targets(), TARGETS);
    SUCCEEDS(ReportIScsiTargetPortalsW(NULL, wide(TARGET_321), NULL, &count, portals));
    assert_int_equal(count, 2);
    assert_string_equal(narrow(portals[0].Address), "192.0.2.4");
    assert_int_equal(portals[0].Socket, 3260);
    assert_string_equal(narrow(portals[1].Address), "2001:db8::4");
    count = 4;
    SUCCEEDS(ReportIScsiTargetPortalsA(NULL, TARGET_321, &tag, &count, portal));
    assert_int_equal(count, 2);
    assert_string_equal(portal[1].Address, "2001:db8::4");
    count = 4;
    SUCCEEDS(ReportIScsiTargetPortalsA(NULL, TARGET_321, &other, &count, portal));
    assert_int_equal(count, 0);
}

static void an_alias_is_known_in_both_forms(void **state)
{
    char mechanism[128];
    CHAR alias[64];
    WCHAR alias_w[64];
    ULONG size = sizeof alias;
    (void)state;
    snprintf(mechanism, sizeof mechanism, "iSNS:%s", server_at("TEST_ISNSD"));
    SUCCEEDS(AddISNSServerA(server_at("TEST_ISNSD")));
    SUCCEEDS(GetIScsiTargetInformationA(TARGET_321, mechanism, TargetAlias, &size, alias));
    assert_string_equal(alias, "number 321");
    size = sizeof alias_w;
    SUCCEEDS(
        GetIScsiTargetInformationW(wide(TARGET_321), wide(mechanism), TargetAlias, &size, alias_w));
    assert_string_equal(narrow(alias_w), "number 321");
}

static void targets_stay_until_a_full_refresh(void **state)
{
    char *server = server_at("TEST_ISNSD");
    ULONG size = 0;
    (void)state;
    SUCCEEDS(AddISNSServerA(server));
    SUCCEEDS(RemoveISNSServerA(server));
    assert_int_equal(count_targets(), TARGETS);
    EXPECT(ERROR_INSUFFICIENT_BUFFER, ReportIScsiTargetsA(TRUE, &size, NULL));
    assert_int_equal(size, 2);
}

#define ISNS_TEST(name) cmocka_unit_test_setup(name, start_without_servers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ISNS_TEST(what_is_no_address_is_refused),
        ISNS_TEST(an_empty_list_has_no_characters),
        ISNS_TEST(a_list_is_given_by_its_rules),
        ISNS_TEST(servers_are_added_once_and_removed_once),
        ISNS_TEST(failures_are_told_and_the_server_stays_listed),
        ISNS_TEST(targets_are_found_with_their_portals),
        ISNS_TEST(an_alias_is_known_in_both_forms),
        ISNS_TEST(targets_stay_until_a_full_refresh),
    };
    return cmocka_run_group_tests_name("isns", tests, set_deadlines, NULL);
}
