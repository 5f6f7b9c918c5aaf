/* Logins, sessions, and their end. */
#include "matrix.h"

static void check_sessionA(const ISCSI_UNIQUE_SESSION_ID *id,
                           const ISCSI_UNIQUE_CONNECTION_ID *connection, const struct endpoint *at);
static void check_sessionW(const ISCSI_UNIQUE_SESSION_ID *id,
                           const ISCSI_UNIQUE_CONNECTION_ID *connection, const struct endpoint *at);

#define FORM_FILE "matrix/sessions.inc"
#include "../msapi_forms.h"

static void session_rows(void **state)
{
    (void)state;
    memset(&scene.session, 0x42, sizeof scene.session);
    ROW(LogoutIScsiTarget, NULL, ISDSC_INVALID_SESSION_ID, "", RAW_POINTER(&scene.session));
    SUCCEEDS(add_portal(&embedded()->portal, NULL));
    SUCCEEDS(login(TARGET_BASE ":open", NULL, NULL, false, &scene.session));
    scene_size = SCENE_ROOM;
    ROW(GetIScsiSessionListEx, NULL, ERROR_SUCCESS, "SessionInfo=122", RAW_POINTER(&scene.size),
        RAW_POINTER(&scene.count), RAW_POINTER(scene.buffer));
}

static void logout(void **state)
{
    (void)state;
    ISCSI_UNIQUE_SESSION_ID id;
    SUCCEEDS(add_portal(&embedded()->portal, NULL));
    SUCCEEDS(login(TARGET_BASE ":open", NULL, NULL, false, &id));
    assert_non_null(find_session(&id));
    SUCCEEDS(LogoutIScsiTarget(&id));
    NOTE_(LogoutIScsiTarget, SUCCESS);
    assert_null(find_session(&id));
    assert_int_equal(count_sessions(), 0);
    NOTE_(LogoutIScsiTarget, READBACK);
    REFUSES_(LogoutIScsiTarget, ISDSC_INVALID_SESSION_ID, LogoutIScsiTarget(&id));
}

/* A target that does not let go. */
static void logout_refused(void **state)
{
    (void)state;
    struct endpoint at = misbehaving("logout-no-cid");
    ISCSI_UNIQUE_SESSION_ID id;
    SUCCEEDS(add_portal(&at, NULL));
    SUCCEEDS(login(TARGET_BASE ":logout-no-cid", NULL, NULL, true, &id));
    REFUSES_(LogoutIScsiTarget, ISDSC_SESSION_BUSY, LogoutIScsiTarget(&id));
    remove_portal(&at);
}

/* What was asked for and what the target takes, as it was negotiated. */
static void session_list_ex(void **state)
{
    (void)state;
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_SESSION_INFO_EX *info = (void *)scene.buffer;
    ULONG size = 7, count = 7;
    SUCCEEDS(GetIScsiSessionListEx(&size, &count, NULL));
    assert_true(size == 0 && count == 0);
    memset(&options, 0, sizeof options);
    options.InformationSpecified =
        ISCSI_LOGIN_OPTIONS_HEADER_DIGEST | ISCSI_LOGIN_OPTIONS_DATA_DIGEST;
    options.HeaderDigest = ISCSI_DIGEST_TYPE_CRC32C;
    SUCCEEDS(add_portal(&embedded()->portal, NULL));
    SUCCEEDS(login(TARGET_BASE ":open", NULL, &options, true, &id));
    size = SCENE_ROOM;
    SUCCEEDS(GetIScsiSessionListEx(&size, &count, info));
    assert_int_equal(count, 1);
    assert_memory_equal(&info->SessionId, &id, sizeof id);
    assert_int_equal(info->Type, 1);
    assert_int_equal(info->ConnectionCount, 1);
    assert_true(info->MaxBurstLength >= 512 && info->FirstBurstLength <= info->MaxBurstLength);
    check_inside(info->Connections, sizeof *info->Connections, _Alignof(ULONGLONG), scene.buffer,
                 size);
    assert_int_equal(info->Connections->Protocol, 6);
    assert_int_equal(info->Connections->HeaderDigest, ISCSI_DIGEST_TYPE_CRC32C);
    assert_int_equal(info->Connections->DataDigest, ISCSI_DIGEST_TYPE_NONE);
    assert_memory_equal(&info->Connections->ConnectionId,
                        &find_session(&id)->Connections->ConnectionId,
                        sizeof(ISCSI_UNIQUE_CONNECTION_ID));
    NOTE_(GetIScsiSessionListEx, SUCCESS);
    NOTE_(GetIScsiSessionListEx, READBACK);
}

static ISDSC_STATUS call_sessions_ex(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    ISDSC_STATUS status = GetIScsiSessionListEx(size, &count, buffer);
    assert_int_equal(count, *(ULONG *)context);
    return status;
}

static void session_ex_sizes(void **state)
{
    (void)state;
    ISCSI_UNIQUE_SESSION_ID id;
    ULONG expected = 2;
    SUCCEEDS(add_portal(&embedded()->portal, NULL));
    SUCCEEDS(login(TARGET_BASE ":open", NULL, NULL, false, &id));
    SUCCEEDS(login(TARGET_BASE ":two-luns", NULL, NULL, false, &id));
    check_sizes("GetIScsiSessionListEx", call_sessions_ex, &expected, 1);
    NOTE_(GetIScsiSessionListEx, SIZES);
}

static const struct matrix_test tests[] = {
    BOTH_FORMS(session_rows),         BOTH_FORMS(login_through_ipv6),  BOTH_FORMS(session_sizes),
    BOTH_FORMS(login_errors),         BOTH_FORMS(login_option_errors), BOTH_FORMS(login_answers),
    BOTH_FORMS(login_without_portal), ONE_FORM(session_rows),          ONE_FORM(logout),
    ONE_FORM(logout_refused),         ONE_FORM(session_list_ex),       ONE_FORM(session_ex_sizes),
};
AREA(sessions);
