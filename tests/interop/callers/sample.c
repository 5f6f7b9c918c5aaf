/*
 * Like Microsoft's sample tool: NULL buffers beside sizes that nobody set, counts that are used
 * before the data are there, symbolic names without an end, a portal group without portals, the
 * initiator's name where NULL belongs, and lists that are walked by the size returned.
 */
#include "caller.h"

enum { GARBAGE = 0xCC };

static ULONG nobody_set_it(void)
{
    static ULONG next = 0xCCCCCCCC;
    next = next * 1664525 + 1013904223;
    return next;
}

static ISCSI_TARGET_PORTALA portal_for_removal(const struct place *place)
{
    ISCSI_TARGET_PORTALA portal;
    memset(&portal, GARBAGE, sizeof portal); /* SymbolicName stays so */
    snprintf(portal.Address, sizeof portal.Address, "%s", place->address);
    portal.Socket = place->port;
    return portal;
}

static void list_portals(ULONG expected)
{
    ULONG count = nobody_set_it(), size = nobody_set_it();
    PISCSI_TARGET_PORTAL_INFO_EXA portals = NULL;
    ISDSC_STATUS status = ReportIScsiSendTargetPortalsExA(&count, &size, NULL);
    if (status == ERROR_INSUFFICIENT_BUFFER) {
        portals = malloc(size);
        NEED(portals != NULL);
        status = ReportIScsiSendTargetPortalsExA(&count, &size, portals);
    }
    NEED_OK(status);
    NEED(count == expected);
    free(portals);
}

static void list_targets(void)
{
    ULONG size = 0, offset = 0, names = 0;
    ISDSC_STATUS status = ReportIScsiTargetsA(FALSE, &size, NULL);
    NEED(status == ERROR_INSUFFICIENT_BUFFER); /* it would read through NULL */
    char *list = malloc(size);
    NEED(list != NULL);
    NEED_OK(ReportIScsiTargetsA(FALSE, &size, list));
    while (offset < size && list[offset] != '\0') {
        offset += (ULONG)strlen(list + offset) + 1;
        names++;
    }
    NEED(names >= 4);
    free(list);
}

/* A size below one, or success without a buffer, would leave its pointer unset. */
static void information(TARGET_INFORMATION_CLASS class, char *mechanism)
{
    char name[] = TARGET_BASE ":sample";
    ULONG size = nobody_set_it();
    ISDSC_STATUS status = GetIScsiTargetInformationA(name, mechanism, class, &size, NULL);
    NEED(status == ERROR_INSUFFICIENT_BUFFER && size >= 1);
    void *data = malloc(size);
    NEED(data != NULL);
    NEED_OK(GetIScsiTargetInformationA(name, mechanism, class, &size, data));
    if (class == DiscoveryMechanisms && mechanism == NULL)
        for (unsigned next = ProtocolType; next <= LoginOptions; next++)
            information((TARGET_INFORMATION_CLASS)next, data);
    free(data);
}

static void static_target(void)
{
    char name[] = TARGET_BASE ":sample";
    ISCSI_TARGET_PORTAL_GROUPA group;
    memset(&group, GARBAGE, sizeof group);
    group.Count = 0;
    NEED_OK(AddIScsiStaticTargetA(name, NULL, 0, TRUE, NULL, NULL, &group));
    information(DiscoveryMechanisms, NULL);
    NEED_OK(RemoveIScsiStaticTargetA(name));
}

static void session(const struct place *place)
{
    char name[] = TARGET_BASE ":two-luns", instance[] = "Root\\ISCSIPRT\\0000_0", key[] = "a key";
    ISCSI_UNIQUE_SESSION_ID id;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_LOGIN_OPTIONS options;
    UCHAR scsi_status, sense[18], *data;
    ULONG size = 0, sense_size = sizeof sense, count;
    memset(&options, 0, sizeof options);
    /* The key's length takes in its NUL. */
    NEED_OK(LoginIScsiTargetA(name, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, NULL, 0, NULL, &options,
                              sizeof key, key, FALSE, &id, &connection));
    NEED(SendScsiReadCapacity(&id, place->lun, &scsi_status, &size, NULL, &sense_size, sense) ==
         ERROR_INSUFFICIENT_BUFFER);
    NEED(size == 8);
    data = malloc(size);
    NEED(data != NULL);
    NEED_OK(SendScsiReadCapacity(&id, place->lun, &scsi_status, &size, data, &sense_size, sense));
    NEED(data[6] == 2);
    free(data);

    size = nobody_set_it();
    count = nobody_set_it();
    ISDSC_STATUS status = GetIScsiSessionListA(&size, &count, NULL);
    NEED(status == ERROR_INSUFFICIENT_BUFFER && count == 1);
    count = nobody_set_it();
    PISCSI_DEVICE_ON_SESSIONA devices = NULL;
    status = GetDevicesForIScsiSessionA(&id, &count, NULL);
    if (status == ERROR_INSUFFICIENT_BUFFER) {
        devices = calloc(count, sizeof *devices);
        NEED(devices != NULL);
        status = GetDevicesForIScsiSessionA(&id, &count, devices);
    }
    NEED_OK(status);
    free(devices);
    /* The initiator's name is passed where the documentation wants NULL. More connections were not
     * negotiated. */
    status = AddIScsiConnectionA(&id, instance, ISCSI_ANY_INITIATOR_PORT, NULL, 0, &options,
                                 sizeof key, key, &connection);
    NEED(status == ERROR_SUCCESS || status == ISDSC_TOO_MANY_CONNECTIONS);
    NEED_OK(LogoutIScsiTarget(&id));
}

static void empty_lists(void)
{
    ULONG size = nobody_set_it(), count = nobody_set_it();
    NEED_OK(ReportActiveIScsiTargetMappingsA(&size, &count, NULL));
    NEED(count == 0);
    size = nobody_set_it();
    NEED_OK(ReportISNSServerListA(&size, NULL));
    NEED(size == 0);
    size = nobody_set_it();
    count = nobody_set_it();
    NEED_OK(ReportIScsiPersistentLoginsA(&count, NULL, &size));
    NEED(count == 0);
    size = nobody_set_it();
    NEED(ReportIScsiInitiatorListA(&size, NULL) == ERROR_INSUFFICIENT_BUFFER);
    size = nobody_set_it();
    count = nobody_set_it();
    NEED_OK(GetIScsiSessionListA(&size, &count, NULL));
    NEED(count == 0);
}

static void work(const struct place *place)
{
    ISCSI_TARGET_PORTALA portal = portal_for_removal(place);
    ISCSI_LOGIN_OPTIONS options;
    memset(&options, 0, sizeof options);
    empty_lists();
    list_portals(0);
    portal.SymbolicName[0] = '\0';
    NEED_OK(AddIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &options, 0, &portal));
    list_portals(1);
    list_targets();
    static_target();
    session(place);
    portal = portal_for_removal(place);
    NEED_OK(RefreshIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
    NEED_OK(RemoveIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal));
}

int main(void)
{
    return work_with_each_peer(work);
}
