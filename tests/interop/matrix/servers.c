/* iSNS and RADIUS servers. */
#include "matrix.h"

#include <stdlib.h>

#define CONNECTION_REFUSED ((ISDSC_STATUS)10061) /* WSAECONNREFUSED */

static const char *need_variable(const char *name)
{
    if (getenv(name) == NULL)
        fail_msg("%s is not set: run this through tests/harness/run.py", name);
    return getenv(name);
}

static const char *isns_server(void)
{
    return need_variable("TEST_ISNSD");
}

static const char *radius_server(void)
{
    return need_variable("TEST_FREERADIUS_SERVER");
}

static void set_radius_secret(void)
{
    const char *secret = need_variable("TEST_FREERADIUS_SECRET");
    SUCCEEDS(SetIScsiInitiatorRADIUSSharedSecret((ULONG)strlen(secret), (PUCHAR)(uintptr_t)secret));
}

/* The account's secret is known to the RADIUS server alone. */
static ISDSC_STATUS log_in_by_radius(void)
{
    static UCHAR user[] = "chapuser";
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_AUTH_TYPE | ISCSI_LOGIN_OPTIONS_USERNAME;
    options.AuthType = ISCSI_CHAP_AUTH_TYPE;
    options.LoginFlags = ISCSI_LOGIN_FLAG_USE_RADIUS_RESPONSE;
    options.Username = user;
    options.UsernameLength = sizeof user - 1;
    ISDSC_STATUS status = login(TARGET_BASE ":chap", &embedded()->portal, &options, true, &id);
    if (status == ERROR_SUCCESS)
        SUCCEEDS(LogoutIScsiTarget(&id));
    return status;
}

static void expect_serversA(ISDSC_STATUS(WINAPI *report)(PULONG, CHAR *), const char *first,
                            const char *second);
static void expect_serversW(ISDSC_STATUS(WINAPI *report)(PULONG, WCHAR *), const char *first,
                            const char *second);

#define FORM_FILE "matrix/servers.inc"
#include "../msapi_forms.h"

static void radius_secret(void **state)
{
    (void)state;
    static UCHAR secret[] = "abcdefghijklmnopqrstuvwxyz0";
    ROW(SetIScsiInitiatorRADIUSSharedSecret, NULL, ERROR_SUCCESS, "SharedSecret=87", 22,
        RAW_POINTER(secret));
    SUCCEEDS(SetIScsiInitiatorRADIUSSharedSecret(26, secret));
    REFUSES_(SetIScsiInitiatorRADIUSSharedSecret, ERROR_INVALID_PARAMETER,
             SetIScsiInitiatorRADIUSSharedSecret(21, secret));
    REFUSES_(SetIScsiInitiatorRADIUSSharedSecret, ERROR_INVALID_PARAMETER,
             SetIScsiInitiatorRADIUSSharedSecret(27, secret));
    SUCCEEDS(SetIScsiInitiatorRADIUSSharedSecret(0, NULL));
}

static const struct matrix_test tests[] = {
    BOTH_FORMS(server_rows),  BOTH_FORMS(radius),      BOTH_FORMS(radius_errors),
    BOTH_FORMS(isns),         BOTH_FORMS(isns_errors), BOTH_FORMS(isns_answers),
    BOTH_FORMS(server_sizes), ONE_FORM(radius_secret),
};
AREA(servers);
