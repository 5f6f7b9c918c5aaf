/* The list of SendTargets portals: what is stored, how it comes back, what is refused. Nothing
 * listens there. */
#include "msapi_support.h"

#include <stdio.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"

static char user[] = "somebody";
static char secret[] = "a secret of 16..";

/* Every member that can be stored, with values to tell apart. */
static ISCSI_LOGIN_OPTIONS all_options(void)
{
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, user, secret);
    options.InformationSpecified = 0xFF;
    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    options.HeaderDigest = ISCSI_DIGEST_TYPE_CRC32C;
    options.MaximumConnections = 3;
    options.DefaultTime2Wait = 4;
    options.DefaultTime2Retain = 5;
    return options;
}

static void check_options(const ISCSI_LOGIN_OPTIONS *options, const void *buffer, ULONG size)
{
    assert_int_equal(options->InformationSpecified, 0xFF);
    assert_int_equal(options->LoginFlags, ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED);
    assert_int_equal(options->AuthType, ISCSI_CHAP_AUTH_TYPE);
    assert_int_equal(options->HeaderDigest, ISCSI_DIGEST_TYPE_CRC32C);
    assert_int_equal(options->DataDigest, ISCSI_DIGEST_TYPE_NONE);
    assert_int_equal(options->MaximumConnections, 3);
    assert_int_equal(options->DefaultTime2Wait, 4);
    assert_int_equal(options->DefaultTime2Retain, 5);
    assert_int_equal(options->UsernameLength, strlen(user));
    check_inside(options->Username, options->UsernameLength, 1, buffer, size);
    assert_memory_equal(options->Username, user, strlen(user));
    assert_int_equal(options->PasswordLength, 0);
    assert_null(options->Password);
}

/* Is the secret anywhere in the bytes? */
static bool holds_secret(const void *bytes, size_t size)
{
    for (size_t i = 0; i + strlen(secret) <= size; i++) {
        if (memcmp((const char *)bytes + i, secret, strlen(secret)) == 0)
            return true;
    }
    return false;
}

static ULONG portal_count(void)
{
    ULONG count;
    list_portals(&count);
    return count;
}

/* ------------------------------------------------------------------- empty */

static void no_portals_need_no_buffer(void **state)
{
    (void)state;
    ULONG count = 0xcccccccc, size = 0xcccccccc;
    SUCCEEDS(ReportIScsiSendTargetPortalsExA(&count, &size, NULL));
    assert_true(count == 0 && size == 0);
    count = size = 0xcccccccc;
    SUCCEEDS(ReportIScsiSendTargetPortalsExW(&count, &size, NULL));
    assert_true(count == 0 && size == 0);
    count = 0xcccccccc;
    SUCCEEDS(ReportIScsiSendTargetPortalsA(&count, NULL));
    assert_int_equal(count, 0);
    count = 0xcccccccc;
    SUCCEEDS(ReportIScsiSendTargetPortalsW(&count, NULL));
    assert_int_equal(count, 0);
}

static void lists_need_their_pointers(void **state)
{
    (void)state;
    ULONG count, size = 0;
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiSendTargetPortalsA(NULL, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiSendTargetPortalsW(NULL, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiSendTargetPortalsExA(NULL, &size, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiSendTargetPortalsExW(NULL, &size, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiSendTargetPortalsExA(&count, NULL, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiSendTargetPortalsExW(&count, NULL, NULL));
}

/* -------------------------------------------------------------- round trip */

static void a_portal_comes_back_as_it_was_given(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_LOGIN_OPTIONS options = all_options();
    ISCSI_TARGET_PORTALA portal;
    ISCSI_TARGET_PORTAL_INFOA simple;
    ISCSI_TARGET_PORTAL_INFOW simple_wide;
    ULONG count;
    const ISCSI_SECURITY_FLAGS flags = ISCSI_SECURITY_FLAG_PFS_ENABLED | (ISCSI_SECURITY_FLAGS)1
                                                                             << 40;
    fill_portal_a(&portal, &at);
    snprintf(portal.SymbolicName, sizeof portal.SymbolicName, "the closed one");
    EXPECT(ISDSC_CONNECTION_FAILED,
           AddIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &options, flags, &portal));

    /* A failed discovery does not take it off the list. */
    struct {
        ISCSI_TARGET_PORTAL_INFO_EXA info[1];
        char tail[sizeof user - 1];
    } room;
    const ULONG exact = sizeof room.info + sizeof room.tail;
    ULONG size = exact;
    memset(&room, 0x55, sizeof room);
    SUCCEEDS(ReportIScsiSendTargetPortalsExA(&count, &size, room.info));
    assert_int_equal(count, 1);
    assert_int_equal(size, exact);
    assert_string_equal(room.info[0].InitiatorName, "");
    assert_int_equal(room.info[0].InitiatorPortNumber, ISCSI_ALL_INITIATOR_PORTS);
    assert_string_equal(room.info[0].SymbolicName, "the closed one");
    assert_string_equal(room.info[0].Address, at.host);
    assert_int_equal(room.info[0].Socket, at.port);
    assert_true(room.info[0].SecurityFlags == flags);
    check_options(&room.info[0].LoginOptions, &room, exact);
    assert_false(holds_secret(&room, sizeof room));

    count = 1;
    SUCCEEDS(ReportIScsiSendTargetPortalsA(&count, &simple));
    assert_int_equal(count, 1);
    assert_string_equal(simple.InitiatorName, "");
    assert_int_equal(simple.InitiatorPortNumber, ISCSI_ALL_INITIATOR_PORTS);
    assert_string_equal(simple.SymbolicName, "the closed one");
    assert_string_equal(simple.Address, at.host);
    assert_int_equal(simple.Socket, at.port);
    SUCCEEDS(ReportIScsiSendTargetPortalsW(&count, &simple_wide));
    assert_string_equal(narrow(simple_wide.SymbolicName), "the closed one");
    assert_string_equal(narrow(simple_wide.Address), at.host);
    assert_int_equal(simple_wide.Socket, at.port);
}

static void wide_text_comes_back_as_it_was_given(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    static const WCHAR name[] = {0x4e00, 0xd83d, 0xde00, 0xe4, 0};
    ISCSI_LOGIN_OPTIONS options = all_options();
    ISCSI_TARGET_PORTALW portal;
    struct {
        ISCSI_TARGET_PORTAL_INFO_EXW info[1];
        char tail[sizeof user - 1];
    } room;
    ULONG count, size = sizeof room;
    fill_portal_w(&portal, &at);
    memcpy(portal.SymbolicName, name, sizeof name);
    EXPECT(ISDSC_CONNECTION_FAILED,
           AddIScsiSendTargetPortalW(wide(""), ISCSI_ALL_INITIATOR_PORTS, &options, 0, &portal));
    SUCCEEDS(ReportIScsiSendTargetPortalsExW(&count, &size, room.info));
    assert_int_equal(size, sizeof room.info + sizeof room.tail);
    assert_memory_equal(room.info[0].SymbolicName, name, sizeof name);
    assert_string_equal(narrow(room.info[0].Address), at.host);
    check_options(&room.info[0].LoginOptions, &room, size);
}

struct list_form {
    const char *name;
    sized_call *call;
    size_t unit;
};

static ISDSC_STATUS report_a(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportIScsiSendTargetPortalsA(size, buffer);
}

static ISDSC_STATUS report_w(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportIScsiSendTargetPortalsW(size, buffer);
}

/* The count is told whether the list fits or not. */
static ISDSC_STATUS report_ex_a(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    ISDSC_STATUS status = ReportIScsiSendTargetPortalsExA(&count, size, buffer);
    assert_int_equal(count, *(ULONG *)context);
    return status;
}

static ISDSC_STATUS report_ex_w(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    ISDSC_STATUS status = ReportIScsiSendTargetPortalsExW(&count, size, buffer);
    assert_int_equal(count, *(ULONG *)context);
    return status;
}

static void every_size_of_the_lists(void **state)
{
    (void)state;
    static const struct list_form forms[] = {
        {"ReportIScsiSendTargetPortalsA", report_a, sizeof(ISCSI_TARGET_PORTAL_INFOA)},
        {"ReportIScsiSendTargetPortalsW", report_w, sizeof(ISCSI_TARGET_PORTAL_INFOW)},
        {"ReportIScsiSendTargetPortalsExA", report_ex_a, 1},
        {"ReportIScsiSendTargetPortalsExW", report_ex_w, 1},
    };
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_LOGIN_OPTIONS options = all_options();
    ULONG expected = 2;
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&at, &options));
    snprintf(at.host, sizeof at.host, "localhost");
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&at, NULL));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        check_sizes(forms[i].name, forms[i].call, &expected, forms[i].unit);
}

/* -------------------------------------------------------------- add, remove */

/* Twice the same: still one entry, with what was given last. */
static void adding_again_replaces(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_LOGIN_OPTIONS options = all_options();
    ULONG count;
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&at, &options));
    options.MaximumConnections = 9;
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS;
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&at, &options));
    PISCSI_TARGET_PORTAL_INFO_EXA portals = list_portals(&count);
    assert_int_equal(count, 1);
    assert_int_equal(portals[0].LoginOptions.MaximumConnections, 9);
    assert_int_equal(portals[0].LoginOptions.InformationSpecified,
                     ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS);
    assert_int_equal(portals[0].LoginOptions.UsernameLength, 0);
}

/* SymbolicName counts for nothing here; callers leave even its NUL out. */
static void removing_and_refreshing_look_at_the_address(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_TARGET_PORTALA portal;
    ISCSI_TARGET_PORTALW wide_portal;
    const ULONG all = ISCSI_ALL_INITIATOR_PORTS;
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&at, NULL));
    fill_portal_a(&portal, &at);
    fill_portal_w(&wide_portal, &at);
    memset(portal.SymbolicName, 0xA5, sizeof portal.SymbolicName);
    memset(wide_portal.SymbolicName, 0xDC, sizeof wide_portal.SymbolicName);
    EXPECT(ISDSC_CONNECTION_FAILED, RefreshIScsiSendTargetPortalA(NULL, all, &portal));
    EXPECT(ISDSC_CONNECTION_FAILED, RefreshIScsiSendTargetPortalW(NULL, all, &wide_portal));
    SUCCEEDS(RemoveIScsiSendTargetPortalA(NULL, all, &portal));
    assert_int_equal(portal_count(), 0);
    EXPECT(ISDSC_PORTAL_NOT_FOUND, RemoveIScsiSendTargetPortalA(NULL, all, &portal));
    EXPECT(ISDSC_PORTAL_NOT_FOUND, RemoveIScsiSendTargetPortalW(NULL, all, &wide_portal));
    EXPECT(ISDSC_CONNECTION_FAILED, RefreshIScsiSendTargetPortalA(NULL, all, &portal));
    assert_int_equal(portal_count(), 0);
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&at, NULL));
    SUCCEEDS(RemoveIScsiSendTargetPortalW(wide(""), all, &wide_portal));
    assert_int_equal(portal_count(), 0);
}

static void a_portal_is_address_and_port(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL"), other = at;
    other.port++;
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&at, NULL));
    EXPECT(ISDSC_PORTAL_NOT_FOUND, remove_portal(&other));
    snprintf(other.host, sizeof other.host, "127.0.0.2");
    other.port = at.port;
    EXPECT(ISDSC_PORTAL_NOT_FOUND, remove_portal(&other));
    assert_int_equal(portal_count(), 1);
    SUCCEEDS(remove_portal(&at));
}

/* ------------------------------------------------------------ what is wrong */

static void bad_portals_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",      "a b",        "127.0.0.1:3260", "[::1]",
                                      "::1::", "1.2.3.4/24", "host\tname",     "a,b"};
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_TARGET_PORTALA portal;
    ISCSI_TARGET_PORTALW wide_portal;
    const ULONG all = ISCSI_ALL_INITIATOR_PORTS;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct endpoint wrong = at;
        snprintf(wrong.host, sizeof wrong.host, "%s", bad[i]);
        fill_portal_a(&portal, &wrong);
        fill_portal_w(&wide_portal, &wrong);
        print_message("    address \"%s\"\n", bad[i]);
        EXPECT(ERROR_INVALID_PARAMETER, AddIScsiSendTargetPortalA(NULL, all, NULL, 0, &portal));
        EXPECT(ERROR_INVALID_PARAMETER,
               AddIScsiSendTargetPortalW(NULL, all, NULL, 0, &wide_portal));
        EXPECT(ERROR_INVALID_PARAMETER, RefreshIScsiSendTargetPortalA(NULL, all, &portal));
    }
    fill_portal_a(&portal, &at);
    portal.Socket = 0;
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiSendTargetPortalA(NULL, all, NULL, 0, &portal));
    assert_int_equal(portal_count(), 0);
}

static void unterminated_arrays_are_refused(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_TARGET_PORTALA portal;
    ISCSI_TARGET_PORTALW wide_portal;
    const ULONG all = ISCSI_ALL_INITIATOR_PORTS;
    fill_portal_a(&portal, &at);
    memset(portal.Address, 'a', sizeof portal.Address);
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiSendTargetPortalA(NULL, all, NULL, 0, &portal));
    EXPECT(ERROR_INVALID_PARAMETER, RemoveIScsiSendTargetPortalA(NULL, all, &portal));
    EXPECT(ERROR_INVALID_PARAMETER, RefreshIScsiSendTargetPortalA(NULL, all, &portal));
    fill_portal_a(&portal, &at);
    memset(portal.SymbolicName, 'a', sizeof portal.SymbolicName);
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiSendTargetPortalA(NULL, all, NULL, 0, &portal));
    fill_portal_w(&wide_portal, &at);
    memset(wide_portal.SymbolicName, 'a', sizeof wide_portal.SymbolicName);
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiSendTargetPortalW(NULL, all, NULL, 0, &wide_portal));
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiSendTargetPortalA(NULL, all, NULL, 0, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiSendTargetPortalW(NULL, all, NULL, 0, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, RemoveIScsiSendTargetPortalA(NULL, all, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, RemoveIScsiSendTargetPortalW(NULL, all, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, RefreshIScsiSendTargetPortalA(NULL, all, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, RefreshIScsiSendTargetPortalW(NULL, all, NULL));
    assert_int_equal(portal_count(), 0);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_LOGIN_OPTIONS options = all_options();
    options.AuthType = (ISCSI_AUTH_TYPES)3;
    EXPECT(ISDSC_INVALID_LOGON_AUTH_TYPE, add_portal(&at, &options));
    options = all_options();
    options.MaximumConnections = 0;
    EXPECT(ISDSC_LOGIN_USER_INFO_BAD, add_portal(&at, &options));
    options.MaximumConnections = 65536;
    EXPECT(ISDSC_LOGIN_USER_INFO_BAD, add_portal(&at, &options));
    options = all_options();
    options.DataDigest = (ISCSI_DIGEST_TYPES)2;
    EXPECT(ISDSC_LOGIN_USER_INFO_BAD, add_portal(&at, &options));
    options = all_options();
    options.PasswordLength = 11;
    EXPECT(ISDSC_INVALID_TARGET_CHAP_SECRET, add_portal(&at, &options));
    options.PasswordLength = 17;
    EXPECT(ISDSC_INVALID_TARGET_CHAP_SECRET, add_portal(&at, &options));
    options = all_options();
    options.Password = NULL;
    EXPECT(ERROR_INVALID_PARAMETER, add_portal(&at, &options));
    options = all_options();
    options.UsernameLength = 0xFFFFFFFF;
    EXPECT(ERROR_INVALID_PARAMETER, add_portal(&at, &options));
    options = all_options();
    options.AuthType = ISCSI_MUTUAL_CHAP_AUTH_TYPE; /* with no initiator secret set */
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET, add_portal(&at, &options));
    assert_int_equal(portal_count(), 0);
}

/* Without their bits the pointers may lead anywhere. */
static void options_not_specified_are_not_looked_at(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0xA5, sizeof options);
    options.Version = 1;
    options.InformationSpecified = 0;
    options.LoginFlags = 0;
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&at, &options));
    assert_int_equal(portal_count(), 1);
}

static void initiators_are_looked_up(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    char nobody[] = "Root\\NOBODY\\0000_0", instance[] = INSTANCE,
         other_case[] = "ROOT\\iscsiprt\\0000_0";
    ISCSI_TARGET_PORTALA portal;
    ULONG count;
    const ULONG any = ISCSI_ANY_INITIATOR_PORT;
    fill_portal_a(&portal, &at);
    EXPECT(ISDSC_INITIATOR_INSTANCE_NOT_FOUND,
           AddIScsiSendTargetPortalA(nobody, any, NULL, 0, &portal));
    EXPECT(ISDSC_INITIATOR_INSTANCE_NOT_FOUND, RemoveIScsiSendTargetPortalA(nobody, any, &portal));
    EXPECT(ISDSC_INVALID_PORT_NUMBER,
           AddIScsiSendTargetPortalA(instance, 100000, NULL, 0, &portal));
    EXPECT(ERROR_INVALID_PARAMETER, AddIScsiSendTargetPortalA(NULL, 0, NULL, 0, &portal));
    assert_int_equal(portal_count(), 0);
    EXPECT(ISDSC_CONNECTION_FAILED, AddIScsiSendTargetPortalA(other_case, any, NULL, 0, &portal));
    PISCSI_TARGET_PORTAL_INFO_EXA portals = list_portals(&count);
    assert_int_equal(count, 1);
    assert_true(strcmp(portals[0].InitiatorName, instance) == 0 ||
                strcmp(portals[0].InitiatorName, other_case) == 0);
    SUCCEEDS(RemoveIScsiSendTargetPortalA(instance, any, &portal));
    assert_int_equal(portal_count(), 0);
}

static void a_name_that_does_not_resolve(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    snprintf(at.host, sizeof at.host, "no-such-host.invalid");
    EXPECT(ISDSC_DNS_NAME_UNRESOLVED, add_portal(&at, NULL));
    assert_int_equal(portal_count(), 1);
}

/* Every portal failed: the caller learns why. The targets of earlier days are still in the cache.
 */
static void a_forced_update_with_a_dead_portal(void **state)
{
    (void)state;
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    CHAR names[16];
    ULONG size = sizeof names;
    EXPECT(ISDSC_CONNECTION_FAILED, add_portal(&at, NULL));
    EXPECT(ISDSC_CONNECTION_FAILED, ReportIScsiTargetsA(TRUE, &size, names));
    SUCCEEDS(ReportIScsiTargetsA(FALSE, &size, names));
    assert_true(size == 2 && names[0] == 0 && names[1] == 0);
}

#define CLEAN(test) cmocka_unit_test_setup(test, start_clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLEAN(no_portals_need_no_buffer),
        CLEAN(lists_need_their_pointers),
        CLEAN(a_portal_comes_back_as_it_was_given),
        CLEAN(wide_text_comes_back_as_it_was_given),
        CLEAN(every_size_of_the_lists),
        CLEAN(adding_again_replaces),
        CLEAN(removing_and_refreshing_look_at_the_address),
        CLEAN(a_portal_is_address_and_port),
        CLEAN(bad_portals_are_refused),
        CLEAN(unterminated_arrays_are_refused),
        CLEAN(bad_options_are_refused),
        CLEAN(options_not_specified_are_not_looked_at),
        CLEAN(initiators_are_looked_up),
        CLEAN(a_name_that_does_not_resolve),
        CLEAN(a_forced_update_with_a_dead_portal),
    };
    return cmocka_run_group_tests_name("msapi portals", tests, NULL, NULL);
}
