/*
 * Like two products that serve a disk of their own over loopback: a portal is added, the list of
 * targets is polled, a login with a password and no user name; the session is found by either of
 * its names; the logout is repeated until the session is gone.
 */
#include "caller.h"

enum { POLLS = 20 };

static bool listed(BOOLEAN force, const char *name)
{
    ULONG size = 0;
    bool found = false;
    NEED(ReportIScsiTargetsW(force, &size, NULL) == ERROR_INSUFFICIENT_BUFFER);
    WCHAR *list = calloc(size, sizeof *list);
    NEED(list != NULL);
    NEED_OK(ReportIScsiTargetsW(FALSE, &size, list));
    for (const WCHAR *item = list; *item != 0;) {
        found = found || same(item, name);
        while (*item++ != 0)
            continue;
    }
    free(list);
    return found;
}

/* NULL is no name, either of them will do. */
static bool find_session(const char *name, ISCSI_UNIQUE_SESSION_ID *id)
{
    static unsigned char room[1 << 16];
    PISCSI_SESSION_INFOW sessions = (void *)room;
    ULONG size = sizeof room, count = 0;
    NEED_OK(GetIScsiSessionListW(&size, &count, sessions));
    for (ULONG i = 0; i < count; i++) {
        const WCHAR *first = sessions[i].TargetNodeName, *second = sessions[i].TargetName;
        if ((first != NULL && same(first, name)) || (second != NULL && same(second, name))) {
            *id = sessions[i].SessionId;
            return true;
        }
    }
    return false;
}

static void work(const struct place *place)
{
    const char *name = TARGET_BASE ":chap";
    static UCHAR secret[] = "chapsecret123";
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_TARGET_PORTALW portal;
    ISCSI_UNIQUE_SESSION_ID id, found;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    WCHAR before[MAX_ISCSI_NAME_LEN + 1];
    memset(&portal, 0, sizeof portal);
    memcpy(portal.Address, wide(place->address), sizeof(WCHAR) * (strlen(place->address) + 1));
    portal.Socket = place->port;
    NEED_OK(AddIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, 0, &portal));
    bool there = false;
    for (int i = 0; i < POLLS && !there; i++)
        there = listed(i == POLLS / 2, name);
    NEED(there);

    /* CHAP_N is the initiator's own name then; this target's account is called otherwise, so it is
     * named so for a while. */
    NEED_OK(GetIScsiInitiatorNodeNameW(before));
    memset(&options, 0, sizeof options);
    options.InformationSpecified = ISCSI_LOGIN_OPTIONS_PASSWORD | ISCSI_LOGIN_OPTIONS_AUTH_TYPE;
    options.AuthType = ISCSI_CHAP_AUTH_TYPE;
    options.Password = secret;
    options.PasswordLength = sizeof secret - 1;
    NEED(LoginIScsiTargetW(wide(name), FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, NULL, 0, NULL,
                           &options, 0, NULL, FALSE, &id,
                           &connection) == ISDSC_AUTHENTICATION_FAILURE);
    options.InformationSpecified |= ISCSI_LOGIN_OPTIONS_USERNAME;
    options.Username = (PUCHAR)(size_t) "chapuser";
    options.UsernameLength = 8;
    NEED_OK(LoginIScsiTargetW(wide(name), FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, NULL, 0, NULL,
                              &options, 0, NULL, FALSE, &id, &connection));
    NEED(find_session(name, &found));
    NEED(memcmp(&id, &found, sizeof id) == 0);
    ISDSC_STATUS status = LogoutIScsiTarget(&id);
    for (int i = 0; i < POLLS && status != ERROR_SUCCESS && status != ISDSC_INVALID_SESSION_ID; i++)
        status = LogoutIScsiTarget(&id);
    NEED(status == ERROR_SUCCESS);
    NEED(LogoutIScsiTarget(&id) == ISDSC_INVALID_SESSION_ID);
    NEED(!find_session(name, &found));
    NEED_OK(RemoveIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
}

int main(void)
{
    return work_with_each_peer(work);
}
