/*
 * Like a storage vendor's host library: "" as the initiator first and NULL at the second try, more
 * room than was asked for, up to five tries, a login and then the same login to be stored, a
 * patient logout.
 */
#include "caller.h"

enum { TRIES = 5, SLACK = 16384, DEVICE_SLACK = 20 };

static bool busy(ISDSC_STATUS status)
{
    return status == ISDSC_DEVICE_BUSY_ON_SESSION || status == ISDSC_SESSION_BUSY;
}

static void discover(const struct place *place)
{
    ISCSI_TARGET_PORTALW portal = {{0}, {0}, place->port};
    memcpy(portal.Address, wide(place->address), (strlen(place->address) + 1) * sizeof(WCHAR));
    ISDSC_STATUS status = ERROR_SUCCESS;
    for (int attempt = 0; attempt < 2; attempt++) {
        status = AddIScsiSendTargetPortalW(attempt == 0 ? wide("") : NULL,
                                           ISCSI_ALL_INITIATOR_PORTS, NULL, 0, &portal);
        if (status == ERROR_SUCCESS)
            break;
    }
    NEED_OK(status);
}

static bool target_there(const char *name, BOOLEAN force)
{
    ULONG size = 0;
    WCHAR *list = NULL;
    ISDSC_STATUS status = ReportIScsiTargetsW(force, &size, NULL);
    for (int i = 0; i < TRIES && status == ERROR_INSUFFICIENT_BUFFER; i++) {
        size += SLACK;
        list = realloc(list, size * sizeof *list);
        NEED(list != NULL);
        status = ReportIScsiTargetsW(i > 0, &size, list);
    }
    NEED_OK(status);
    bool found = false;
    for (const WCHAR *item = list; list != NULL && *item != 0;) {
        found = found || same(item, name);
        while (*item++ != 0)
            continue;
    }
    free(list);
    return found;
}

/* Its portal, as it needs it for the login. */
static ISCSI_TARGET_PORTALW portal_of(const char *name)
{
    ULONG count = 0;
    ISCSI_TARGET_PORTALW portals[64], first;
    ISDSC_STATUS status = ReportIScsiTargetPortalsW(wide(""), wide(name), NULL, &count, NULL);
    NEED(status == ERROR_INSUFFICIENT_BUFFER && count > 0);
    count += DEVICE_SLACK;
    NEED_OK(ReportIScsiTargetPortalsW(NULL, wide(name), NULL, &count, portals));
    NEED(count > 0);
    first = portals[0];
    return first;
}

static ISDSC_STATUS log_in(const char *name, ISCSI_TARGET_PORTALW *portal, BOOLEAN persistent,
                           ISCSI_UNIQUE_SESSION_ID *id)
{
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    return LoginIScsiTargetW(wide(name), FALSE, wide("Root\\ISCSIPRT\\0000_0"),
                             ISCSI_ANY_INITIATOR_PORT, portal, 0, NULL, &options, 0, NULL,
                             persistent, id, &connection);
}

/* The session with at least one connection, or nothing. */
static bool connected(const char *name)
{
    ULONG size = 0, count = 0;
    bool found = false;
    ISCSI_SESSION_INFOW *sessions = NULL;
    ISDSC_STATUS status = GetIScsiSessionListW(&size, &count, NULL);
    for (int i = 0; i < TRIES && status == ERROR_INSUFFICIENT_BUFFER; i++) {
        size += SLACK;
        sessions = realloc(sessions, size);
        NEED(sessions != NULL);
        status = GetIScsiSessionListW(&size, &count, sessions);
    }
    NEED_OK(status);
    NEED(count < 1024);
    for (ULONG i = 0; i < count; i++)
        found = found || (same(sessions[i].TargetName, name) && sessions[i].ConnectionCount > 0);
    free(sessions);
    return found;
}

/* What it calls a device's serial number comes from page 0x80, in a buffer of 255 bytes. */
static void inquire(ISCSI_UNIQUE_SESSION_ID *id, ULONGLONG lun)
{
    UCHAR data[255], sense[18], status = 0xFF;
    ULONG size = sizeof data, sense_size = sizeof sense;
    NEED_OK(SendScsiInquiry(id, lun, 0, 0, &status, &size, data, &sense_size, sense));
    NEED(status == 0 && size >= 36 && size <= sizeof data && (data[0] & 0x1F) == 0);
    size = sizeof data;
    sense_size = sizeof sense;
    NEED_OK(SendScsiInquiry(id, lun, 1, 0x80, &status, &size, data, &sense_size, sense));
    NEED(size >= 4u && data[1] == 0x80 && size == data[3] + 4u);
}

static void devices(ISCSI_UNIQUE_SESSION_ID *id)
{
    static ISCSI_DEVICE_ON_SESSIONW room[64];
    ULONG count = 0;
    ISDSC_STATUS status = GetDevicesForIScsiSessionW(id, &count, NULL);
    for (int i = 0; i < TRIES && status == ERROR_INSUFFICIENT_BUFFER; i++) {
        count += DEVICE_SLACK;
        NEED(count <= sizeof room / sizeof *room);
        status = GetDevicesForIScsiSessionW(id, &count, room);
    }
    NEED_OK(status);
    NEED(count == 2);
    for (ULONG i = 0; i < count; i++) {
        NEED(room[i].ScsiAddress.Length == 8);
        NEED(same(room[i].InitiatorName, "Root\\ISCSIPRT\\0000_0"));
    }
}

static void work(const struct place *place)
{
    const char *name = TARGET_BASE ":two-luns";
    ISCSI_UNIQUE_SESSION_ID id, stored;
    discover(place);
    NEED(target_there(name, FALSE));
    ISCSI_TARGET_PORTALW portal = portal_of(name);
    NEED_OK(log_in(name, &portal, FALSE, &id));
    NEED_OK(log_in(name, &portal, TRUE, &stored));
    NEED(connected(name));
    inquire(&id, place->lun);
    devices(&id);
    ISDSC_STATUS status;
    do
        status = LogoutIScsiTarget(&id);
    while (busy(status));
    NEED_OK(status);
    NEED(!connected(name));
    NEED_OK(RemoveIScsiPersistentTargetW(wide("Root\\ISCSIPRT\\0000_0"), ISCSI_ANY_INITIATOR_PORT,
                                         wide(name), &portal));
    memcpy(portal.Address, wide(place->address), (strlen(place->address) + 1) * sizeof(WCHAR));
    portal.Socket = place->port;
    NEED_OK(RemoveIScsiSendTargetPortalW(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
}

int main(void)
{
    return work_with_each_peer(work);
}
