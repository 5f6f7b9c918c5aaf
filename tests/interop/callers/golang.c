/*
 * Like a binding for Go and its tests: never a NULL buffer, a generous one or one of a single byte;
 * sizes that are never more than was given; every pointer inside; what is removed is what was
 * reported.
 */
#include "caller.h"

enum { GENEROUS = 100000 };

static unsigned char room[GENEROUS];

/* Too little room has to ask for more than there was. */
static ULONG grown(ISDSC_STATUS status, ULONG given, ULONG size)
{
    if (status == ERROR_SUCCESS) {
        NEED(size <= given);
        return size;
    }
    NEED(status == ERROR_INSUFFICIENT_BUFFER);
    NEED(size > given);
    return size;
}

static ISCSI_LOGIN_OPTIONS options_with(char *user, char *secret)
{
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.InformationSpecified =
        ISCSI_LOGIN_OPTIONS_USERNAME | ISCSI_LOGIN_OPTIONS_PASSWORD | ISCSI_LOGIN_OPTIONS_AUTH_TYPE;
    options.AuthType = ISCSI_CHAP_AUTH_TYPE;
    options.Username = (PUCHAR)user;
    options.UsernameLength = (ULONG)strlen(user);
    options.Password = (PUCHAR)secret;
    options.PasswordLength = (ULONG)strlen(secret);
    return options;
}

static void check_portals(const char *symbolic, const char *user)
{
    ULONG count = 0, size = 1, given;
    ISCSI_TARGET_PORTAL_INFO_EXW *info = (void *)room;
    ISDSC_STATUS status = ReportIScsiSendTargetPortalsExW(&count, &size, info);
    given = grown(status, 1, size);
    NEED_OK(ReportIScsiSendTargetPortalsExW(&count, &size, info));
    NEED(size <= given && count == 1);
    NEED(same(info->SymbolicName, symbolic));
    NEED(size == sizeof *info + strlen(user));
    NEED(info->LoginOptions.UsernameLength == strlen(user));
    NEED(within(info->LoginOptions.Username, strlen(user), room, size));
    NEED(memcmp(info->LoginOptions.Username, user, strlen(user)) == 0);
    NEED(info->LoginOptions.Password == NULL);
    NEED(info->SecurityFlags == 0x41);
}

static void check_sessions(const ISCSI_UNIQUE_SESSION_ID *id, const struct place *place)
{
    ULONG size = 1, count = 0;
    ISCSI_SESSION_INFOW *info = (void *)room;
    ISDSC_STATUS status = GetIScsiSessionListW(&size, &count, info);
    ULONG needed = grown(status, 1, size);
    size = needed;
    NEED_OK(GetIScsiSessionListW(&size, &count, info));
    NEED(size <= needed && count == 1);
    NEED(info->SessionId.AdapterUnique == id->AdapterUnique);
    NEED(info->SessionId.AdapterSpecific == id->AdapterSpecific);
    NEED(within(info->TargetName, 2, room, size) && within(info->TargetNodeName, 2, room, size));
    NEED(within(info->InitiatorName, 2, room, size));
    NEED(info->ConnectionCount == 1);
    NEED(within(info->Connections, sizeof *info->Connections, room, size));
    NEED(same(info->Connections->TargetAddress, place->address));
    NEED(info->Connections->TargetSocket == place->port);
}

static bool listed(BOOLEAN force, const char *name)
{
    WCHAR *list = (void *)room;
    ULONG size = GENEROUS / 2;
    NEED_OK(ReportIScsiTargetsW(force, &size, list));
    NEED(size >= 2 && list[size - 1] == 0 && list[size - 2] == 0);
    for (const WCHAR *item = list; *item != 0;) {
        if (same(item, name))
            return true;
        while (*item++ != 0)
            continue;
    }
    return false;
}

static void errors_of_login(ISCSI_TARGET_PORTALW *portal, const ISCSI_UNIQUE_SESSION_ID *live)
{
    ISCSI_UNIQUE_SESSION_ID id = *live;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    NEED(LoginIScsiTargetW(wide(TARGET_BASE ":OPEN"), FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, portal,
                           0, NULL, NULL, 0, NULL, FALSE, &id,
                           &connection) == ISDSC_TARGET_ALREADY_LOGGED_IN);
    id.AdapterSpecific += 1000;
    NEED(LogoutIScsiTarget(&id) == ISDSC_INVALID_SESSION_ID);
}

static void work(const struct place *place)
{
    static char user[] = "gopher", secret[] = "a go secret 16..";
    ISCSI_LOGIN_OPTIONS options = options_with(user, secret);
    ISCSI_TARGET_PORTALW portal;
    ISCSI_UNIQUE_SESSION_ID id, again;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    memset(&portal, 0, sizeof portal);
    memcpy(portal.SymbolicName, wide("my portal"), sizeof(WCHAR) * 10);
    memcpy(portal.Address, wide(place->address), sizeof(WCHAR) * (strlen(place->address) + 1));
    portal.Socket = place->port;

    /* A portal that fails stays, with all that was given. */
    AddIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, &options, 0x41, &portal);
    check_portals("my portal", user);
    NEED_OK(RemoveIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
    NEED(RemoveIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal) ==
         ISDSC_PORTAL_NOT_FOUND);

    NEED_OK(AddIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, 0, &portal));
    NEED(listed(FALSE, TARGET_BASE ":open") && listed(TRUE, TARGET_BASE ":open"));
    NEED_OK(LoginIScsiTargetW(wide(TARGET_BASE ":open"), FALSE, NULL, ISCSI_ANY_INITIATOR_PORT,
                              &portal, 0, NULL, NULL, 0, NULL, FALSE, &id, &connection));
    check_sessions(&id, place);
    errors_of_login(&portal, &id);
    NEED_OK(LogoutIScsiTarget(&id));
    NEED_OK(LoginIScsiTargetW(wide(TARGET_BASE ":open"), FALSE, NULL, ISCSI_ANY_INITIATOR_PORT,
                              &portal, 0, NULL, NULL, 0, NULL, FALSE, &again, &connection));
    NEED(memcmp(&id, &again, sizeof id) != 0);
    NEED_OK(LogoutIScsiTarget(&again));
    NEED_OK(RemoveIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
}

int main(void)
{
    return work_with_each_peer(work);
}
