/* The initiator's own settings: version, instances, node name, CHAP secret. */
#include "matrix.h"

#define FORM_FILE "matrix/settings.inc"
#include "../msapi_forms.h"

static void settings_rows(void **state)
{
    (void)state;
    ROW(GetIScsiVersionInformation, NULL, ERROR_SUCCESS, "", RAW_POINTER(scene.buffer));
    ROW(SetIScsiInitiatorCHAPSharedSecret, NULL, ERROR_SUCCESS, "SharedSecret=87", 12,
        RAW_POINTER(textA("twelve bytes")));
}

static void version(void **state)
{
    (void)state;
    struct {
        ISCSI_VERSION_INFO info;
        ULONG guard;
    } room = {{0, 0, 0}, 0x55555555};
    SUCCEEDS(GetIScsiVersionInformation(&room.info));
    assert_true(room.info.MajorVersion > 0 && room.info.BuildNumber > 0);
    assert_int_equal(room.guard, 0x55555555);
    NOTE_(GetIScsiVersionInformation, SUCCESS);
}

static ISDSC_STATUS log_in_mutually(ISCSI_UNIQUE_SESSION_ID *session)
{
    static char user[] = "chapuser", secret[] = "chapsecret123";
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_MUTUAL_CHAP_AUTH_TYPE, user, secret);
    return login(TARGET_BASE ":mutual", &embedded()->portal, &options, true, session);
}

/* What it was set to decides whether the target is believed. */
static void chap_secret(void **state)
{
    (void)state;
    UCHAR right[] = "targetsecret1", wrong[] = "targetsecret2";
    ISCSI_UNIQUE_SESSION_ID session;
    SUCCEEDS(add_portal(&embedded()->portal, NULL));
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET, log_in_mutually(&session));
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(13, wrong));
    EXPECT(ISDSC_AUTHENTICATION_FAILURE, log_in_mutually(&session));
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(13, right));
    SUCCEEDS(log_in_mutually(&session));
    SUCCEEDS(LogoutIScsiTarget(&session));
    NOTE_(SetIScsiInitiatorCHAPSharedSecret, SUCCESS);
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(0, NULL));
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET, log_in_mutually(&session));
    NOTE_(SetIScsiInitiatorCHAPSharedSecret, READBACK);
}

static void chap_secret_errors(void **state)
{
    (void)state;
    UCHAR secret[] = "0123456789abcdefg";
    SUCCEEDS(SetIScsiInitiatorCHAPSharedSecret(16, secret));
    REFUSES_(SetIScsiInitiatorCHAPSharedSecret, ISDSC_INVALID_INITIATOR_CHAP_SECRET,
             SetIScsiInitiatorCHAPSharedSecret(11, secret));
    REFUSES_(SetIScsiInitiatorCHAPSharedSecret, ISDSC_INVALID_INITIATOR_CHAP_SECRET,
             SetIScsiInitiatorCHAPSharedSecret(17, secret));
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET, SetIScsiInitiatorCHAPSharedSecret(65536, secret));
    EXPECT(ISDSC_INVALID_INITIATOR_CHAP_SECRET, SetIScsiInitiatorCHAPSharedSecret(~0u, secret));
}

#ifdef _WIN32
static void dll_main(void **state)
{
    (void)state;
    HMODULE module = GetModuleHandleA("iscsidsc.dll");
    assert_non_null(module);
    void *by_name = (void *)(uintptr_t)GetProcAddress(module, "DllMain");
    void *by_ordinal = (void *)(uintptr_t)GetProcAddress(module, (PCSTR)14);
    assert_non_null(by_name);
    assert_ptr_equal(by_name, by_ordinal);
    NOTE_(DllMain, SUCCESS);
}
#endif

static const struct matrix_test tests[] = {
    BOTH_FORMS(settings_rows),  BOTH_FORMS(node_name),        BOTH_FORMS(node_name_errors),
    BOTH_FORMS(initiator_list), ONE_FORM(settings_rows),      ONE_FORM(version),
    ONE_FORM(chap_secret),      ONE_FORM(chap_secret_errors),
#ifdef _WIN32
    ONE_FORM(dll_main),
#endif
};
AREA(settings);
