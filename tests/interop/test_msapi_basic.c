/* The initiator's own settings, empty lists, and what wrong parameters get. No target is needed. */
#include "msapi_support.h"

#include <stdio.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"

static ISCSI_UNIQUE_SESSION_ID unknown_session = {0x1234, 0x5678};

/* ----------------------------------------------------------------- version */

static void version_is_told(void **state)
{
    (void)state;
    ISCSI_VERSION_INFO version;
    memset(&version, 0, sizeof version);
    SUCCEEDS(GetIScsiVersionInformation(&version));
    assert_true(version.MajorVersion >= 5);
    assert_true(version.BuildNumber > 0);
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiVersionInformation(NULL));
}

/* --------------------------------------------------------------- node name */

static void node_name_has_a_default(void **state)
{
    (void)state;
    char name[MAX_ISCSI_NAME_LEN + 1];
    WCHAR wide_name[MAX_ISCSI_NAME_LEN + 1];
    SUCCEEDS(GetIScsiInitiatorNodeNameA(name));
    assert_true(strncmp(name, "iqn.", 4) == 0 || strncmp(name, "eui.", 4) == 0 ||
                strncmp(name, "naa.", 4) == 0);
    for (const char *c = name; *c != '\0'; c++)
        assert_true(*c < 'A' || *c > 'Z');
    SUCCEEDS(GetIScsiInitiatorNodeNameW(wide_name));
    assert_string_equal(narrow(wide_name), name);
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiInitiatorNodeNameA(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiInitiatorNodeNameW(NULL));
}

static void node_name_can_be_changed(void **state)
{
    (void)state;
    char name[MAX_ISCSI_NAME_LEN + 1], standard[MAX_ISCSI_NAME_LEN + 1];
    char given[] = "iqn.2026-11.org.example:initiator";
    WCHAR wide_name[MAX_ISCSI_NAME_LEN + 1];
    SUCCEEDS(GetIScsiInitiatorNodeNameA(standard));
    SUCCEEDS(SetIScsiInitiatorNodeNameA(given));
    SUCCEEDS(GetIScsiInitiatorNodeNameA(name));
    assert_string_equal(name, given);
    SUCCEEDS(SetIScsiInitiatorNodeNameW(wide("eui.0123456789abcdef")));
    SUCCEEDS(GetIScsiInitiatorNodeNameW(wide_name));
    assert_string_equal(narrow(wide_name), "eui.0123456789abcdef");
    SUCCEEDS(SetIScsiInitiatorNodeNameW(NULL));
    SUCCEEDS(GetIScsiInitiatorNodeNameA(name));
    assert_string_equal(name, standard);
    SUCCEEDS(SetIScsiInitiatorNodeNameA(given));
    SUCCEEDS(SetIScsiInitiatorNodeNameA(NULL));
    SUCCEEDS(GetIScsiInitiatorNodeNameA(name));
    assert_string_equal(name, standard);
}

static void node_name_writes_only_itself(void **state)
{
    (void)state;
    char name[MAX_ISCSI_NAME_LEN + 1];
    WCHAR wide_name[MAX_ISCSI_NAME_LEN + 1];
    char given[] = "iqn.2026-11.org.example:x";
    SUCCEEDS(SetIScsiInitiatorNodeNameA(given));
    memset(name, 0x55, sizeof name);
    memset(wide_name, 0x55, sizeof wide_name);
    SUCCEEDS(GetIScsiInitiatorNodeNameA(name));
    SUCCEEDS(GetIScsiInitiatorNodeNameW(wide_name));
    for (size_t i = sizeof given; i <= MAX_ISCSI_NAME_LEN; i++) {
        assert_int_equal(name[i], 0x55);
        assert_int_equal(wide_name[i], 0x5555);
    }
}

/* The longest name, and one more character. */
static void node_name_has_a_limit(void **state)
{
    (void)state;
    char given[MAX_ISCSI_NAME_LEN + 2], name[MAX_ISCSI_NAME_LEN + 1];
    memset(given, 'a', sizeof given);
    memcpy(given, "iqn.2026-11.org.example:", 24);
    given[MAX_ISCSI_NAME_LEN + 1] = '\0';
    EXPECT(ISDSC_INVALID_ISCSI_NAME, SetIScsiInitiatorNodeNameA(given));
    EXPECT(ISDSC_INVALID_ISCSI_NAME, SetIScsiInitiatorNodeNameW(wide(given)));
    given[MAX_ISCSI_NAME_LEN] = '\0';
    SUCCEEDS(SetIScsiInitiatorNodeNameW(wide(given)));
    SUCCEEDS(GetIScsiInitiatorNodeNameA(name));
    assert_string_equal(name, given);
}

static void bad_node_names_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"iqn.2026-11.org.example:a b", "iqn.2026-11.org.example:a$b",
                                      "iqn.2026-11.org.example:a/b", "iqn.2026-11.org.example:\t",
                                      "iqn.2026-11.org.example:\"a\""};
    char before[MAX_ISCSI_NAME_LEN + 1], after[MAX_ISCSI_NAME_LEN + 1], given[64];
    SUCCEEDS(GetIScsiInitiatorNodeNameA(before));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(given, sizeof given, "%s", bad[i]);
        EXPECT(ISDSC_INVALID_ISCSI_NAME, SetIScsiInitiatorNodeNameA(given));
        EXPECT(ISDSC_INVALID_ISCSI_NAME, SetIScsiInitiatorNodeNameW(wide(bad[i])));
    }
    SUCCEEDS(GetIScsiInitiatorNodeNameA(after));
    assert_string_equal(after, before);
}

static void text_that_cannot_be_converted_is_refused(void **state)
{
    (void)state;
    WCHAR lone_surrogate[] = {'i', 'q', 'n', '.', 0xD800, 0};
    static char endless[100000];
    memset(endless, 'a', sizeof endless - 1);
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiInitiatorNodeNameW(lone_surrogate));
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiInitiatorNodeNameA(endless));
#ifndef _WIN32
    char not_utf8[] = "iqn.\xff";
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiInitiatorNodeNameA(not_utf8));
#endif
}

/* ------------------------------------------------------------- CHAP secret */

static void chap_secret_has_a_length(void **state)
{
    (void)state;
    UCHAR secret[] = "0123456789abcdefg";
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(12, secret));
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(16, secret));
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET, SetIScsiInitiatorCHAPSharedSecret(17, secret));
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET, SetIScsiInitiatorCHAPSharedSecret(11, secret));
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET, SetIScsiInitiatorCHAPSharedSecret(1, secret));
    EXPECT(ERROR_INVALID_PARAMETER, SetIScsiInitiatorCHAPSharedSecret(12, NULL));
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET,
           SetIScsiInitiatorCHAPSharedSecret(0xFFFFFFFF, secret));
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(0, secret));
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(0, NULL));
}

/* ---------------------------------------------------------- initiator list */

static ISDSC_STATUS initiators_a(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportIScsiInitiatorListA(size, buffer);
}

static ISDSC_STATUS initiators_w(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportIScsiInitiatorListW(size, buffer);
}

static void initiators_are_listed(void **state)
{
    (void)state;
    char names[256];
    WCHAR wide_names[256];
    ULONG size = 256, wide_size = 256;
    check_sizes("ReportIScsiInitiatorListA", initiators_a, NULL, sizeof(CHAR));
    check_sizes("ReportIScsiInitiatorListW", initiators_w, NULL, sizeof(WCHAR));
    SUCCEEDS(ReportIScsiInitiatorListA(&size, names));
    SUCCEEDS(ReportIScsiInitiatorListW(&wide_size, wide_names));
    assert_string_equal(names, INSTANCE);
    assert_int_equal(size, sizeof INSTANCE + 1);
    assert_int_equal(names[size - 1], 0);
    assert_string_equal(narrow(wide_names), INSTANCE);
    assert_int_equal(wide_size, size);
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiInitiatorListA(NULL, names));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiInitiatorListW(NULL, wide_names));
}

/* ----------------------------------------------------------------- targets */

static ISDSC_STATUS targets_a(void *context, ULONG *size, void *buffer)
{
    return ReportIScsiTargetsA(*(BOOLEAN *)context, size, buffer);
}

static ISDSC_STATUS targets_w(void *context, ULONG *size, void *buffer)
{
    return ReportIScsiTargetsW(*(BOOLEAN *)context, size, buffer);
}

static void no_targets_are_two_nuls(void **state)
{
    (void)state;
    BOOLEAN force[] = {FALSE, TRUE};
    CHAR names[] = {1, 1, 1};
    WCHAR wide_names[] = {1, 1, 1};
    for (int i = 0; i < 2; i++) {
        check_sizes("ReportIScsiTargetsA", targets_a, &force[i], sizeof(CHAR));
        check_sizes("ReportIScsiTargetsW", targets_w, &force[i], sizeof(WCHAR));
    }
    ULONG size = 3;
    SUCCEEDS(ReportIScsiTargetsA(FALSE, &size, names));
    assert_int_equal(size, 2);
    assert_true(names[0] == 0 && names[1] == 0 && names[2] == 1);
    size = 3;
    SUCCEEDS(ReportIScsiTargetsW(FALSE, &size, wide_names));
    assert_int_equal(size, 2);
    assert_true(wide_names[0] == 0 && wide_names[1] == 0 && wide_names[2] == 1);
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiTargetsA(FALSE, NULL, names));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiTargetsW(TRUE, NULL, wide_names));
}

static void portals_of_an_unknown_target(void **state)
{
    (void)state;
    ISCSI_TARGET_PORTALA portals[2];
    ISCSI_TARGET_PORTALW wide_portals[2];
    char name[] = "iqn.2026-11.org.example:nowhere", bad[] = "iqn.2026-11.org.example:a b";
    char nobody[] = "Root\\NOBODY\\0000_0";
    USHORT tag = 1;
    ULONG count = 2;
    EXPECT(ISDSC_TARGET_NOT_FOUND, ReportIScsiTargetPortalsA(NULL, name, NULL, &count, portals));
    EXPECT(ISDSC_TARGET_NOT_FOUND, ReportIScsiTargetPortalsA(NULL, name, &tag, &count, NULL));
    EXPECT(ISDSC_TARGET_NOT_FOUND,
           ReportIScsiTargetPortalsW(wide(""), wide(name), NULL, &count, wide_portals));
    EXPECT(ISDSC_INVALID_ISCSI_NAME, ReportIScsiTargetPortalsA(NULL, bad, NULL, &count, portals));
    EXPECT(ISDSC_INITIATOR_INSTANCE_NOT_FOUND,
           ReportIScsiTargetPortalsA(nobody, name, NULL, &count, portals));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiTargetPortalsA(NULL, NULL, NULL, &count, portals));
    EXPECT(ERROR_INVALID_PARAMETER,
           ReportIScsiTargetPortalsW(NULL, NULL, NULL, &count, wide_portals));
    EXPECT(ERROR_INVALID_PARAMETER, ReportIScsiTargetPortalsA(NULL, name, NULL, NULL, portals));
    EXPECT(ERROR_INVALID_PARAMETER,
           ReportIScsiTargetPortalsW(NULL, wide(name), NULL, NULL, wide_portals));
}

/* ---------------------------------------------------------------- sessions */

/* A NULL buffer with a size that nobody set, as Microsoft's tool passes it. */
static void no_sessions_need_no_buffer(void **state)
{
    (void)state;
    ISCSI_SESSION_INFOA session;
    ULONG size = 0xcccccccc, count = 7;
    SUCCEEDS(GetIScsiSessionListA(&size, &count, NULL));
    assert_true(size == 0 && count == 0);
    size = 0xcccccccc, count = 7;
    SUCCEEDS(GetIScsiSessionListW(&size, &count, NULL));
    assert_true(size == 0 && count == 0);
    size = 0xcccccccc, count = 7;
    SUCCEEDS(GetIScsiSessionListEx(&size, &count, NULL));
    assert_true(size == 0 && count == 0);
    size = 0, count = 7;
    SUCCEEDS(GetIScsiSessionListA(&size, &count, &session));
    assert_true(size == 0 && count == 0);
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiSessionListA(NULL, &count, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiSessionListA(&size, NULL, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiSessionListW(NULL, &count, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiSessionListW(&size, NULL, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiSessionListEx(NULL, &count, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, GetIScsiSessionListEx(&size, NULL, NULL));
}

static void login_needs_its_pointers(void **state)
{
    (void)state;
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    char name[] = "iqn.2026-11.org.example:nowhere";
    const ULONG any = ISCSI_ANY_INITIATOR_PORT;
    EXPECT(ERROR_INVALID_PARAMETER, LoginIScsiTargetA(NULL, FALSE, NULL, any, NULL, 0, NULL, NULL,
                                                      0, NULL, FALSE, &session, &connection));
    EXPECT(ERROR_INVALID_PARAMETER, LoginIScsiTargetA(name, FALSE, NULL, any, NULL, 0, NULL, NULL,
                                                      0, NULL, FALSE, NULL, &connection));
    EXPECT(ERROR_INVALID_PARAMETER, LoginIScsiTargetA(name, FALSE, NULL, any, NULL, 0, NULL, NULL,
                                                      0, NULL, FALSE, &session, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, LoginIScsiTargetW(wide(name), FALSE, NULL, any, NULL, 0, NULL,
                                                      NULL, 5, NULL, FALSE, &session, &connection));
    EXPECT(ISDSC_TARGET_NOT_FOUND, LoginIScsiTargetA(name, FALSE, NULL, any, NULL, 0, NULL, NULL, 0,
                                                     NULL, FALSE, &session, &connection));
    EXPECT(ISDSC_TARGET_NOT_FOUND, LoginIScsiTargetW(wide(name), TRUE, wide(""), any, NULL, 0, NULL,
                                                     NULL, 0, NULL, FALSE, &session, &connection));
}

static void an_unknown_session_is_told(void **state)
{
    (void)state;
    EXPECT(ERROR_INVALID_PARAMETER, LogoutIScsiTarget(NULL));
    EXPECT(ISDSC_INVALID_SESSION_ID, LogoutIScsiTarget(&unknown_session));
    for (int i = 0; i < 3; i++) {
        UCHAR status = 0, response[255], sense[18];
        ULONG size = sizeof response, sense_size = 0;
        if (i == 0)
            EXPECT(ISDSC_INVALID_SESSION_ID, SendScsiInquiry(&unknown_session, 0, 0, 0, &status,
                                                             &size, response, &sense_size, sense));
        if (i == 1)
            EXPECT(ISDSC_INVALID_SESSION_ID,
                   SendScsiReadCapacity(&unknown_session, 0, &status, &size, response, &sense_size,
                                        sense));
        if (i == 2)
            EXPECT(ISDSC_INVALID_SESSION_ID, SendScsiReportLuns(&unknown_session, &status, &size,
                                                                response, &sense_size, sense));
        assert_int_equal(sense_size, 18);
    }
}

static void scsi_needs_its_pointers(void **state)
{
    (void)state;
    PISCSI_UNIQUE_SESSION_ID id = &unknown_session;
    UCHAR status, data[36], sense[18];
    ULONG size = 36, sense_size = 18;
    EXPECT(ERROR_INVALID_PARAMETER,
           SendScsiInquiry(NULL, 0, 0, 0, &status, &size, data, &sense_size, sense));
    EXPECT(ERROR_INVALID_PARAMETER,
           SendScsiInquiry(id, 0, 0, 0, NULL, &size, data, &sense_size, sense));
    EXPECT(ERROR_INVALID_PARAMETER,
           SendScsiInquiry(id, 0, 0, 0, &status, NULL, data, &sense_size, sense));
    EXPECT(ERROR_INVALID_PARAMETER,
           SendScsiInquiry(id, 0, 0, 0, &status, &size, data, NULL, sense));
    EXPECT(ERROR_INVALID_PARAMETER,
           SendScsiReadCapacity(NULL, 0, &status, &size, data, &sense_size, sense));
    EXPECT(ERROR_INVALID_PARAMETER,
           SendScsiReadCapacity(id, 0, NULL, &size, data, &sense_size, sense));
    EXPECT(ERROR_INVALID_PARAMETER,
           SendScsiReadCapacity(id, 0, &status, NULL, data, &sense_size, sense));
    EXPECT(ERROR_INVALID_PARAMETER, SendScsiReadCapacity(id, 0, &status, &size, data, NULL, sense));
    EXPECT(ERROR_INVALID_PARAMETER,
           SendScsiReportLuns(NULL, &status, &size, data, &sense_size, sense));
    EXPECT(ERROR_INVALID_PARAMETER, SendScsiReportLuns(id, NULL, &size, data, &sense_size, sense));
    EXPECT(ERROR_INVALID_PARAMETER,
           SendScsiReportLuns(id, &status, NULL, data, &sense_size, sense));
    EXPECT(ERROR_INVALID_PARAMETER, SendScsiReportLuns(id, &status, &size, data, NULL, sense));
}

#define CLEAN(test) cmocka_unit_test_setup(test, start_clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLEAN(version_is_told),
        CLEAN(node_name_has_a_default),
        CLEAN(node_name_can_be_changed),
        CLEAN(node_name_writes_only_itself),
        CLEAN(node_name_has_a_limit),
        CLEAN(bad_node_names_are_refused),
        CLEAN(text_that_cannot_be_converted_is_refused),
        CLEAN(chap_secret_has_a_length),
        CLEAN(initiators_are_listed),
        CLEAN(no_targets_are_two_nuls),
        CLEAN(portals_of_an_unknown_target),
        CLEAN(no_sessions_need_no_buffer),
        CLEAN(login_needs_its_pointers),
        CLEAN(an_unknown_session_is_told),
        CLEAN(scsi_needs_its_pointers),
    };
    return cmocka_run_group_tests_name("msapi basic", tests, NULL, NULL);
}
