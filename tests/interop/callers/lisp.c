/*
 * Like a binding for Lisp: version 1 in the login options, one fixed buffer of 32 KiB whose bytes
 * it passes as the number of characters, security flags of 32 bits.
 */
#include "caller.h"

enum { BUFFER = 32 * 1024 };

/* Half as long as it says: a library that clears all that it may use would write past it. */
static WCHAR buffer[BUFFER / sizeof(WCHAR) + 64];

typedef ISDSC_STATUS(WINAPI *add_portal_32)(PWSTR, ULONG, PISCSI_LOGIN_OPTIONS, ULONG,
                                            PISCSI_TARGET_PORTALW);

static void check_end(void)
{
    for (size_t i = BUFFER / sizeof(WCHAR); i < sizeof buffer / sizeof *buffer; i++)
        NEED(buffer[i] == 0x7777);
}

static void add_portal(ISCSI_LOGIN_OPTIONS *options, ISCSI_TARGET_PORTALW *portal)
{
    /* One register, whatever the width of the flags; but two words of the stack in 32-bit programs.
     */
    if (sizeof(void *) == 8) {
        add_portal_32 add = (add_portal_32)(void (*)(void))AddIScsiSendTargetPortalW;
        NEED_OK(add(NULL, ISCSI_ALL_INITIATOR_PORTS, options, 0, portal));
    } else {
        NEED_OK(AddIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, options, 0, portal));
    }
}

static void work(const struct place *place)
{
    static const char user[] = "chapuser", secret[] = "chapsecret123";
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_TARGET_PORTALW portal;
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ULONG size = BUFFER;
    memset(&options, 0, sizeof options);
    options.Version = 1;
    memset(&portal, 0, sizeof portal);
    memcpy(portal.Address, wide(place->address), sizeof(WCHAR) * (strlen(place->address) + 1));
    portal.Socket = place->port;
    add_portal(&options, &portal);

    for (size_t i = 0; i < sizeof buffer / sizeof *buffer; i++)
        buffer[i] = 0x7777;
    NEED_OK(ReportIScsiTargetsW(FALSE, &size, buffer));
    check_end();
    NEED(buffer[0] == 'i' && size < BUFFER / 2);
    size = BUFFER;
    NEED_OK(ReportIScsiInitiatorListW(&size, buffer));
    check_end();
    NEED(same(buffer, "Root\\ISCSIPRT\\0000_0"));

    options.InformationSpecified =
        ISCSI_LOGIN_OPTIONS_USERNAME | ISCSI_LOGIN_OPTIONS_PASSWORD | ISCSI_LOGIN_OPTIONS_AUTH_TYPE;
    options.AuthType = ISCSI_CHAP_AUTH_TYPE;
    options.Username = (PUCHAR)(size_t)user;
    options.UsernameLength = sizeof user - 1;
    options.Password = (PUCHAR)(size_t)secret;
    options.PasswordLength = sizeof secret - 1;
    NEED_OK(LoginIScsiTargetW(wide(TARGET_BASE ":chap"), FALSE, NULL, ISCSI_ANY_INITIATOR_PORT,
                              NULL, 0, NULL, &options, 0, NULL, FALSE, &id, &connection));
    NEED_OK(LogoutIScsiTarget(&id));
    NEED_OK(RemoveIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
}

int main(void)
{
    return work_with_each_peer(work);
}
