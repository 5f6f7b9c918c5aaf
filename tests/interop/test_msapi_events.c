/* WaitIScsiEvents and ReportIScsiEffectiveParameters, which only the Linux library has. */
#include "msapi_support.h"

#define OPEN TARGET_BASE ":open"

#ifdef _WIN32

static void the_dll_exports_nothing_of_its_own(void **state)
{
    HMODULE module = GetModuleHandleA("iscsidsc.dll");
    ISCSI_VERSION_INFO version;
    (void)state;
    SUCCEEDS(GetIScsiVersionInformation(&version)); /* whoever answers, it is this DLL that asks */
    assert_non_null(module);
    assert_non_null(GetProcAddress(module, "LoginIScsiTargetA"));
    assert_null(GetProcAddress(module, "WaitIScsiEvents"));
    assert_null(GetProcAddress(module, "ReportIScsiEffectiveParameters"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_dll_exports_nothing_of_its_own)};
    return cmocka_run_group_tests_name("msapi events", tests, NULL, NULL);
}

#else

static ULONGLONG position;
static ISCSI_EVENT event;

/* One at a time. */
static void next(ULONG kind)
{
    ULONG count = 1;
    BOOLEAN lost = TRUE;
    SUCCEEDS(WaitIScsiEvents(&position, 10000, &lost, &count, &event));
    assert_int_equal(count, 1);
    assert_int_equal(lost, FALSE);
    assert_int_equal(event.Kind, kind);
    assert_true(event.Sequence <= position);
}

static void begin(void)
{
    ULONG count = 1;
    BOOLEAN lost = TRUE;
    position = ISCSI_EVENTS_FROM_NOW;
    SUCCEEDS(WaitIScsiEvents(&position, 10000, &lost, &count, &event));
    assert_true(count == 0 && lost == FALSE && position != ISCSI_EVENTS_FROM_NOW);
}

static void skip_to(ULONG kind)
{
    ULONG count;
    BOOLEAN lost;
    do {
        count = 1;
        SUCCEEDS(WaitIScsiEvents(&position, 10000, &lost, &count, &event));
        assert_int_equal(count, 1);
    } while (event.Kind != kind);
}

static void sessions_are_told(void **state)
{
    const struct endpoint at = endpoint_of("TEST_EMBEDDED_PORTAL");
    ISCSI_UNIQUE_SESSION_ID session;
    (void)state;
    begin();
    SUCCEEDS(add_portal(&at, NULL));
    next(ISCSI_EVENT_PORTAL_ADDED);
    assert_string_equal(event.PortalAddress, at.host);
    assert_int_equal(event.PortalSocket, at.port);
    assert_string_equal(event.TargetName, "");
    SUCCEEDS(login(OPEN, &at, NULL, false, &session));
    skip_to(ISCSI_EVENT_SESSION_ADDED);
    assert_memory_equal(&event.SessionId, &session, sizeof session);
    assert_string_equal(event.TargetName, OPEN);
    SUCCEEDS(LogoutIScsiTarget(&session));
    next(ISCSI_EVENT_SESSION_REMOVED);
    assert_memory_equal(&event.SessionId, &session, sizeof session);
}

static void pointers_and_time(void **state)
{
    ULONG count = 1;
    BOOLEAN lost;
    (void)state;
    EXPECT(ERROR_INVALID_PARAMETER, WaitIScsiEvents(NULL, 0, &lost, &count, &event));
    EXPECT(ERROR_INVALID_PARAMETER, WaitIScsiEvents(&position, 0, NULL, &count, &event));
    EXPECT(ERROR_INVALID_PARAMETER, WaitIScsiEvents(&position, 0, &lost, NULL, &event));
    EXPECT(ERROR_INVALID_PARAMETER, WaitIScsiEvents(&position, 0, &lost, &count, NULL));
    begin();
    uint64_t began = milliseconds();
    SUCCEEDS(WaitIScsiEvents(&position, 200, &lost, &count, &event));
    assert_int_equal(count, 0);
    assert_in_range(milliseconds() - began, 190, 5000);
}

static void parameters_need_room(void **state)
{
    static ISCSI_EFFECTIVE_PARAMETER rows[200];
    static CHAR file[MAX_ISCSI_PARAMETER_FILE_LEN];
    ULONG count = 0, all, found = 0;
    (void)state;
    EXPECT(ERROR_INVALID_PARAMETER,
           ReportIScsiEffectiveParameters(NULL, NULL, 0, NULL, 0, file, NULL, rows));
    EXPECT(ERROR_INSUFFICIENT_BUFFER,
           ReportIScsiEffectiveParameters(NULL, NULL, 0, NULL, 0, NULL, &count, NULL));
    assert_in_range(count, 50, 200);
    all = count--;
    EXPECT(ERROR_INVALID_PARAMETER,
           ReportIScsiEffectiveParameters(NULL, NULL, 0, NULL, 0, file, &count, NULL));
    EXPECT(ERROR_INSUFFICIENT_BUFFER,
           ReportIScsiEffectiveParameters(NULL, NULL, 0, NULL, 0, file, &count, rows));
    assert_int_equal(count, all);
    assert_string_equal(rows[0].Name, "");
    EXPECT(ISDSC_INVALID_ISCSI_NAME,
           ReportIScsiEffectiveParameters("no name", NULL, 0, NULL, 0, file, &count, rows));
    SUCCEEDS(ReportIScsiEffectiveParameters(OPEN, "127.0.0.1", 3260, NULL, 0, file, &count, rows));
    assert_int_equal(count, all);
    for (ULONG i = 0; i < count; i++)
        found += strcmp(rows[i].Name, "LoginTimeout") == 0 && rows[i].Value[0] != 0;
    assert_int_equal(found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sessions_are_told, start_clean),
        cmocka_unit_test_setup(pointers_and_time, start_clean),
        cmocka_unit_test(parameters_need_room),
    };
    return cmocka_run_group_tests_name("msapi events", tests, NULL, start_clean);
}

#endif
