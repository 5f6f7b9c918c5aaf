/* Mappings, devices and bound devices, against every peer. */
#include "msapi_support.h"

#include <stdio.h>
#include <stdlib.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"
#define OPEN     TARGET_BASE ":open"
#define TWO      TARGET_BASE ":two-luns"

enum { DEVICES_MOST = 8, MAPPINGS_ROOM = 65536, BOUND_ROOM = 4096 };

static const GUID disk_class = {
    0x53f56307, 0xb6bf, 0x11d0, {0x94, 0xf2, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b}};

static ISCSI_UNIQUE_SESSION_ID session;
static ISCSI_DEVICE_ON_SESSIONA devices[DEVICES_MOST];
static ULONG device_count;

static const struct endpoint *portal; /* of the peer at hand: all peers have the same targets */

/* No pause between the login and the list, here and everywhere else. */
static void list_devices(void)
{
    device_count = DEVICES_MOST;
    memset(devices, 0xA5, sizeof devices);
    SUCCEEDS(GetDevicesForIScsiSessionA(&session, &device_count, devices));
}

static void discover(const struct peer *peer)
{
    portal = &peer->portal;
    SUCCEEDS(add_portal(portal, NULL));
}

static void log_in(const struct peer *peer, const char *target)
{
    discover(peer);
    SUCCEEDS(login(target, portal, NULL, false, &session));
}

static ISDSC_STATUS log_in_mapped(const char *target, PISCSI_TARGET_MAPPINGA mapping, ULONG flags,
                                  ISCSI_UNIQUE_SESSION_ID *id)
{
    char name[256];
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_TARGET_PORTALA at;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    fill_portal_a(&at, portal);
    memset(&options, 0, sizeof options);
    options.LoginFlags = flags;
    snprintf(name, sizeof name, "%s", target);
    return LoginIScsiTargetA(name, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, &at, 0, mapping, &options,
                             0, NULL, FALSE, id, &connection);
}

/* As callers leave it: nothing but the numbers and the list is set. */
static ISCSI_TARGET_MAPPINGA mapping_of(ULONG bus, ULONG target, SCSI_LUN_LIST *luns, ULONG count)
{
    ISCSI_TARGET_MAPPINGA mapping;
    memset(&mapping, 0xA5, sizeof mapping);
    mapping.InitiatorName[0] = mapping.TargetName[0] = mapping.OSDeviceName[0] = '\0';
    mapping.OSBusNumber = bus;
    mapping.OSTargetNumber = target;
    mapping.LUNList = luns;
    mapping.LUNCount = count;
    return mapping;
}

/* ----------------------------------------------------------------- devices */

static void check_device(const ISCSI_DEVICE_ON_SESSIONA *device, const char *target, ULONGLONG lun)
{
    char legacy[64];
    assert_string_equal(device->InitiatorName, INSTANCE);
    assert_string_equal(device->TargetName, target);
    assert_int_equal(device->ScsiAddress.Length, 8);
    assert_int_equal(device->ScsiAddress.PortNumber, 3);
    assert_int_equal(device->ScsiAddress.PathId, 0);
    assert_int_equal(device->ScsiAddress.Lun, lun);
    assert_memory_equal(&device->DeviceInterfaceType, &disk_class, sizeof disk_class);
    assert_memory_equal(device->DeviceInterfaceName, "\\\\?\\scsi#disk&ven_", 17);
    assert_non_null(strstr(device->DeviceInterfaceName, "#{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"));
    assert_int_equal(device->StorageDeviceNumber.DeviceType, 7);
    assert_true(device->StorageDeviceNumber.DeviceNumber >= 1 &&
                device->StorageDeviceNumber.DeviceNumber < 100);
    assert_int_equal(device->StorageDeviceNumber.PartitionNumber, 0);
    snprintf(legacy, sizeof legacy, "\\\\.\\PhysicalDrive%lu",
             (unsigned long)device->StorageDeviceNumber.DeviceNumber);
    assert_string_equal(device->LegacyName, legacy);
    assert_true(device->DeviceInstance != 0);
}

/* tgtd's LUN 0 is a controller: nobody makes a device of it, and the disks keep their numbers. */
static void the_disks_of_a_session(void **state)
{
    const struct peer *peer = *state;
    log_in(peer, TWO);
    list_devices();
    assert_int_equal(device_count, 2);
    for (ULONG i = 0; i < 2; i++)
        check_device(&devices[i], TWO, peer->lun + i);
    assert_true(devices[0].DeviceInstance != devices[1].DeviceInstance);
    assert_true(devices[0].StorageDeviceNumber.DeviceNumber !=
                devices[1].StorageDeviceNumber.DeviceNumber);
    assert_string_not_equal(devices[0].DeviceInterfaceName, devices[1].DeviceInterfaceName);
}

static void by_ipv6_too(void **state)
{
    const struct peer *peer = *state;
    SUCCEEDS(add_portal(&peer->portal6, NULL));
    SUCCEEDS(login(OPEN, &peer->portal6, NULL, false, &session));
    list_devices();
    assert_int_equal(device_count, 1);
    check_device(&devices[0], OPEN, peer->lun);
}

static void both_forms_tell_the_same(void **state)
{
    const struct peer *peer = *state;
    ISCSI_DEVICE_ON_SESSIONW others[DEVICES_MOST];
    ULONG count = DEVICES_MOST;
    log_in(peer, TWO);
    list_devices();
    SUCCEEDS(GetDevicesForIScsiSessionW(&session, &count, others));
    assert_int_equal(count, device_count);
    for (ULONG i = 0; i < count; i++) {
        assert_string_equal(narrow(others[i].InitiatorName), devices[i].InitiatorName);
        assert_string_equal(narrow(others[i].TargetName), devices[i].TargetName);
        assert_string_equal(narrow(others[i].DeviceInterfaceName), devices[i].DeviceInterfaceName);
        assert_string_equal(narrow(others[i].LegacyName), devices[i].LegacyName);
        assert_memory_equal(&others[i].ScsiAddress, &devices[i].ScsiAddress, sizeof(SCSI_ADDRESS));
        assert_memory_equal(&others[i].StorageDeviceNumber, &devices[i].StorageDeviceNumber,
                            sizeof(STORAGE_DEVICE_NUMBER));
        assert_memory_equal(&others[i].DeviceInterfaceType, &disk_class, sizeof disk_class);
        assert_int_equal(others[i].DeviceInstance, devices[i].DeviceInstance);
    }
}

static ISDSC_STATUS devices_a(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return GetDevicesForIScsiSessionA(&session, size, buffer);
}

static ISDSC_STATUS devices_w(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return GetDevicesForIScsiSessionW(&session, size, buffer);
}

static void every_size_of_the_device_list(void **state)
{
    log_in(*state, TWO);
    check_sizes("GetDevicesForIScsiSessionA", devices_a, NULL, sizeof(ISCSI_DEVICE_ON_SESSIONA));
    check_sizes("GetDevicesForIScsiSessionW", devices_w, NULL, sizeof(ISCSI_DEVICE_ON_SESSIONW));
}

static void sessions_without_devices(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID gone;
    ULONG count = 0xdeadbeef;
    log_in(peer, OPEN);
    gone = session;
    SUCCEEDS(LogoutIScsiTarget(&gone));
    EXPECT(ISDSC_INVALID_SESSION_ID, GetDevicesForIScsiSessionA(&gone, &count, NULL));
    EXPECT(ISDSC_INVALID_SESSION_ID, GetDevicesForIScsiSessionW(&gone, &count, NULL));
    memset(&gone, 0, sizeof gone);
    EXPECT(ISDSC_INVALID_SESSION_ID, GetDevicesForIScsiSessionA(&gone, &count, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, GetDevicesForIScsiSessionA(NULL, &count, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, GetDevicesForIScsiSessionW(&gone, NULL, NULL));
    SUCCEEDS(login(OPEN, portal, NULL, true, &session));
    SUCCEEDS(GetDevicesForIScsiSessionA(&session, &count, NULL));
    assert_int_equal(count, 0);
}

/* A number is free again when its session is gone, and kept by the others; a target has its id in
 * each session. */
static void numbers_are_kept_and_used_again(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID first;
    log_in(peer, OPEN);
    list_devices();
    ULONG number = devices[0].StorageDeviceNumber.DeviceNumber;
    ULONG instance = devices[0].DeviceInstance;
    UCHAR target = devices[0].ScsiAddress.TargetId;
    first = session;
    SUCCEEDS(login(TWO, portal, NULL, false, &session));
    list_devices();
    assert_true(devices[0].ScsiAddress.TargetId != target);
    assert_true(devices[0].StorageDeviceNumber.DeviceNumber != number);
    SUCCEEDS(LogoutIScsiTarget(&first));
    SUCCEEDS(login(OPEN, portal, NULL, false, &session));
    list_devices();
    assert_int_equal(devices[0].StorageDeviceNumber.DeviceNumber, number);
    assert_int_equal(devices[0].ScsiAddress.TargetId, target);
    assert_true(devices[0].DeviceInstance != instance);
}

/* ---------------------------------------------------------------- mappings */

static unsigned char room[MAPPINGS_ROOM];

static ISCSI_TARGET_MAPPINGA *list_mappings(ULONG *count)
{
    ULONG size = sizeof room;
    memset(room, 0xA5, sizeof room);
    SUCCEEDS(ReportActiveIScsiTargetMappingsA(&size, count, (PISCSI_TARGET_MAPPINGA)(void *)room));
    assert_true(size <= sizeof room);
    return (void *)room;
}

static void each_session_is_mapped(void **state)
{
    const struct peer *peer = *state;
    ISCSI_UNIQUE_SESSION_ID first;
    ULONG count = 7, size = 0xdeadbeef;
    SUCCEEDS(ReportActiveIScsiTargetMappingsA(&size, &count, NULL));
    assert_int_equal(count, 0);
    assert_int_equal(size, 0);
    log_in(peer, TWO);
    first = session;
    SUCCEEDS(login(OPEN, portal, NULL, false, &session));
    ISCSI_TARGET_MAPPINGA *mappings = list_mappings(&count);
    assert_int_equal(count, 2);
    assert_memory_equal(&mappings[0].SessionId, &first, sizeof first);
    assert_memory_equal(&mappings[1].SessionId, &session, sizeof session);
    assert_string_equal(mappings[0].TargetName, TWO);
    assert_string_equal(mappings[1].TargetName, OPEN);
    for (ULONG i = 0; i < count; i++) {
        assert_string_equal(mappings[i].InitiatorName, INSTANCE);
        assert_string_equal(mappings[i].OSDeviceName, "\\\\.\\Scsi3:");
        assert_int_equal(mappings[i].OSBusNumber, 0);
        assert_int_equal(mappings[i].OSTargetNumber, i);
        /* tgtd's controller has a place too. */
        assert_int_equal(mappings[i].LUNCount, (i == 0 ? 2 : 1) + peer->lun);
        check_inside(mappings[i].LUNList, mappings[i].LUNCount * sizeof(SCSI_LUN_LIST),
                     _Alignof(ULONGLONG), mappings + count, sizeof room - count * sizeof *mappings);
        for (ULONG j = 0; j < mappings[i].LUNCount; j++) {
            assert_int_equal(mappings[i].LUNList[j].OSLUN, j);
            assert_int_equal(mappings[i].LUNList[j].TargetLUN, j);
        }
    }
    SUCCEEDS(LogoutIScsiTarget(&first));
    list_mappings(&count);
    assert_int_equal(count, 1);
}

static ISDSC_STATUS mappings_a(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    ISDSC_STATUS status = ReportActiveIScsiTargetMappingsA(size, &count, buffer);
    assert_int_equal(count, 1); /* also when it does not fit */
    (void)context;
    return status;
}

static ISDSC_STATUS mappings_w(void *context, ULONG *size, void *buffer)
{
    ULONG count = 0;
    ISDSC_STATUS status = ReportActiveIScsiTargetMappingsW(size, &count, buffer);
    assert_int_equal(count, 1);
    (void)context;
    return status;
}

static void every_size_of_the_mappings(void **state)
{
    static unsigned char wide_room[MAPPINGS_ROOM];
    ISCSI_TARGET_MAPPINGW *other = (void *)wide_room;
    ULONG count, size = sizeof wide_room;
    log_in(*state, TWO);
    check_sizes("ReportActiveIScsiTargetMappingsA", mappings_a, NULL, 1);
    check_sizes("ReportActiveIScsiTargetMappingsW", mappings_w, NULL, 1);
    const ISCSI_TARGET_MAPPINGA *mapping = list_mappings(&count);
    SUCCEEDS(ReportActiveIScsiTargetMappingsW(&size, &count, other));
    assert_int_equal(count, 1);
    assert_string_equal(narrow(other->TargetName), mapping->TargetName);
    assert_string_equal(narrow(other->OSDeviceName), mapping->OSDeviceName);
    assert_int_equal(other->LUNCount, mapping->LUNCount);
    assert_memory_equal(other->LUNList, mapping->LUNList,
                        mapping->LUNCount * sizeof(SCSI_LUN_LIST));
    EXPECT(ERROR_INVALID_PARAMETER, ReportActiveIScsiTargetMappingsA(NULL, &count, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, ReportActiveIScsiTargetMappingsW(&size, NULL, NULL));
}

static void a_mapping_is_honoured(void **state)
{
    const struct peer *peer = *state;
    SCSI_LUN_LIST luns[2] = {{200, peer->lun}, {9, peer->lun + 1}};
    ISCSI_TARGET_MAPPINGA mapping = mapping_of(2, 17, luns, 2);
    ISCSI_UNIQUE_SESSION_ID other;
    ULONG count;
    discover(peer);
    SUCCEEDS(log_in_mapped(TWO, &mapping, 0, &session));
    list_devices();
    assert_int_equal(device_count, 2);
    assert_int_equal(devices[0].ScsiAddress.Lun, 9); /* in the order of the system's numbers */
    assert_int_equal(devices[1].ScsiAddress.Lun, 200);
    assert_int_equal(devices[0].ScsiAddress.PathId, 2);
    assert_int_equal(devices[0].ScsiAddress.TargetId, 17);
    const ISCSI_TARGET_MAPPINGA *active = list_mappings(&count);
    const SCSI_LUN_LIST *list = active->LUNList + active->LUNCount - 2;
    assert_int_equal(active->OSBusNumber, 2);
    assert_int_equal(active->OSTargetNumber, 17);
    assert_true(list[0].OSLUN == 9 && list[0].TargetLUN == peer->lun + 1);
    assert_true(list[1].OSLUN == 200 && list[1].TargetLUN == peer->lun);
    EXPECT(ISDSC_TARGET_MAPPING_EXISTS, log_in_mapped(OPEN, &mapping, 0, &other));
    EXPECT(ISDSC_TARGET_MAPPING_EXISTS,
           log_in_mapped(TWO, &mapping, ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED, &other));
    assert_int_equal(count_sessions(), 1);
    /* What is gone gives its place back. */
    SUCCEEDS(LogoutIScsiTarget(&session));
    mapping.LUNCount = 0;
    SUCCEEDS(log_in_mapped(OPEN, &mapping, 0, &session));
    list_devices();
    assert_int_equal(device_count, 1);
    assert_int_equal(devices[0].ScsiAddress.TargetId, 17);
    assert_int_equal(devices[0].ScsiAddress.Lun, peer->lun);
}

static void mappings_that_cannot_be_given(void **state)
{
    const struct peer *peer = *state;
    SCSI_LUN_LIST luns[2] = {{0, 0}, {0, 1}};
    ISCSI_TARGET_MAPPINGA mapping = mapping_of(0, 0, luns, 2);
    discover(peer);
    EXPECT(ISDSC_INVALID_TARGET_MAPPING, log_in_mapped(OPEN, &mapping, 0, &session));
    luns[1] = (SCSI_LUN_LIST){1, 0};
    EXPECT(ISDSC_INVALID_TARGET_MAPPING, log_in_mapped(OPEN, &mapping, 0, &session));
    luns[1] = (SCSI_LUN_LIST){256, 1};
    EXPECT(ISDSC_TARGET_MAPPING_OUT_OF_RANGE, log_in_mapped(OPEN, &mapping, 0, &session));
    luns[1].OSLUN = 1;
    mapping.LUNList = NULL;
    EXPECT(ISDSC_INVALID_TARGET_MAPPING, log_in_mapped(OPEN, &mapping, 0, &session));
    mapping.LUNList = luns;
    mapping.OSBusNumber = 256;
    EXPECT(ISDSC_TARGET_MAPPING_OUT_OF_RANGE, log_in_mapped(OPEN, &mapping, 0, &session));
    mapping.OSBusNumber = 0;
    mapping.OSTargetNumber = 0xFFFFFFFF;
    EXPECT(ISDSC_TARGET_MAPPING_OUT_OF_RANGE, log_in_mapped(OPEN, &mapping, 0, &session));
    assert_int_equal(count_sessions(), 0);
}

/* ----------------------------------------------------------- bound devices */

static void keep_login(const char *target)
{
    char name[256];
    ISCSI_UNIQUE_SESSION_ID none;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    snprintf(name, sizeof name, "%s", target);
    SUCCEEDS(LoginIScsiTargetA(name, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, NULL, 0, NULL, NULL, 0,
                               NULL, TRUE, &none, &connection));
}

static void forget_login(const char *target)
{
    char name[256];
    snprintf(name, sizeof name, "%s", target);
    RemoveIScsiPersistentTargetA(NULL, ISCSI_ALL_INITIATOR_PORTS, name, NULL);
}

static int start_unbound(void **state)
{
    if (start_clean(state) != 0 || ClearPersistentIScsiDevices() != ERROR_SUCCESS)
        return -1;
    forget_login(TWO);
    forget_login(OPEN);
    return 0;
}

/* How many there are; their texts with a blank behind each. */
static ULONG list_bound(char *text, size_t size)
{
    char list[BOUND_ROOM];
    ULONG length = BOUND_ROOM, count = 0;
    SUCCEEDS(ReportPersistentIScsiDevicesA(&length, list));
    text[0] = '\0';
    for (const char *item = list; *item != '\0'; item += strlen(item) + 1, count++)
        snprintf(text + strlen(text), size - strlen(text), "%s ", item);
    return count;
}

static void devices_are_bound(void **state)
{
    const struct peer *peer = *state;
    char bound[BOUND_ROOM], path[300];
    start_unbound(state);
    log_in(peer, TWO);
    list_devices();
    EXPECT(ISDSC_DEVICE_NOT_ISCSI_OR_PERSISTENT, AddPersistentIScsiDeviceA(devices[0].LegacyName));
    keep_login(TWO);
    SUCCEEDS(AddPersistentIScsiDeviceA(devices[0].LegacyName));
    EXPECT(ISDSC_DEVICE_ALREADY_PERSISTENTLY_BOUND,
           AddPersistentIScsiDeviceA(devices[0].DeviceInterfaceName));
    SUCCEEDS(AddPersistentIScsiDeviceW(wide(devices[1].DeviceInterfaceName)));
    assert_int_equal(list_bound(bound, sizeof bound), 2);
    assert_memory_equal(bound, devices[0].LegacyName, strlen(devices[0].LegacyName));
    assert_non_null(strstr(bound, devices[1].DeviceInterfaceName));
    /* By another name, and in another case. */
    snprintf(path, sizeof path, "\\\\?\\PHYSICALDRIVE%lu",
             (unsigned long)devices[1].StorageDeviceNumber.DeviceNumber);
    SUCCEEDS(RemovePersistentIScsiDeviceW(wide(path)));
    EXPECT(ISDSC_DEVICE_NOT_FOUND, RemovePersistentIScsiDeviceA(path));
    /* What is bound is bound while the session is gone, too. */
    SUCCEEDS(LogoutIScsiTarget(&session));
    assert_int_equal(list_bound(bound, sizeof bound), 1);
    SUCCEEDS(RemovePersistentIScsiDeviceA(devices[0].LegacyName));
    assert_int_equal(list_bound(bound, sizeof bound), 0);
    forget_login(TWO);
}

static void all_devices_are_bound(void **state)
{
    const struct peer *peer = *state;
    char bound[BOUND_ROOM], again[BOUND_ROOM];
    start_unbound(state);
    log_in(peer, TWO);
    keep_login(TWO);
    SUCCEEDS(login(OPEN, portal, NULL, false, &session)); /* which is not stored */
    SUCCEEDS(SetupPersistentIScsiDevices());
    assert_int_equal(list_bound(bound, sizeof bound), 2);
    SUCCEEDS(SetupPersistentIScsiVolumes());
    assert_int_equal(list_bound(again, sizeof again), 2);
    assert_string_equal(bound, again);
    keep_login(OPEN);
    SUCCEEDS(SetupPersistentIScsiDevices());
    assert_int_equal(list_bound(bound, sizeof bound), 3);
    forget_login(TWO);
    SUCCEEDS(SetupPersistentIScsiDevices());
    assert_int_equal(list_bound(bound, sizeof bound), 1);
    SUCCEEDS(ClearPersistentIScsiDevices());
    assert_int_equal(list_bound(bound, sizeof bound), 0);
    forget_login(OPEN);
}

static void what_cannot_be_bound(void **state)
{
    static char path[2000];
    WCHAR lone[] = {0xD800, 0};
    start_unbound(state);
    memset(path, 'x', sizeof path - 1);
    EXPECT(ERROR_INVALID_PARAMETER, AddPersistentIScsiDeviceA(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, AddPersistentIScsiDeviceW(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, AddPersistentIScsiDeviceW(lone));
    EXPECT(ERROR_INVALID_PARAMETER, AddPersistentIScsiDeviceA(path));
    EXPECT(ERROR_INVALID_PARAMETER, RemovePersistentIScsiDeviceA(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, RemovePersistentIScsiDeviceW(lone));
    path[0] = '\0';
    EXPECT(ERROR_INVALID_PARAMETER, AddPersistentIScsiDeviceA(path));
    EXPECT(ERROR_INVALID_PARAMETER, RemovePersistentIScsiDeviceA(path));
    EXPECT(ISDSC_DEVICE_NOT_ISCSI_OR_PERSISTENT, AddPersistentIScsiDeviceW(wide("C:\\")));
    EXPECT(ISDSC_DEVICE_NOT_ISCSI_OR_PERSISTENT,
           AddPersistentIScsiDeviceW(wide("\\\\.\\PhysicalDrive0")));
    EXPECT(ISDSC_DEVICE_NOT_FOUND, RemovePersistentIScsiDeviceW(wide("\\\\.\\PhysicalDrive0")));
    EXPECT(ERROR_INVALID_PARAMETER, ReportPersistentIScsiDevicesA(NULL, path));
    EXPECT(ERROR_INVALID_PARAMETER, ReportPersistentIScsiDevicesW(NULL, NULL));
}

static ISDSC_STATUS bound_a(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportPersistentIScsiDevicesA(size, buffer);
}

static ISDSC_STATUS bound_w(void *context, ULONG *size, void *buffer)
{
    (void)context;
    return ReportPersistentIScsiDevicesW(size, buffer);
}

static void every_size_of_the_bound_list(void **state)
{
    const struct peer *peer = *state;
    start_unbound(state);
    check_sizes("ReportPersistentIScsiDevicesA, empty", bound_a, NULL, sizeof(CHAR));
    check_sizes("ReportPersistentIScsiDevicesW, empty", bound_w, NULL, sizeof(WCHAR));
    log_in(peer, TWO);
    keep_login(TWO);
    SUCCEEDS(SetupPersistentIScsiDevices());
    check_sizes("ReportPersistentIScsiDevicesA", bound_a, NULL, sizeof(CHAR));
    check_sizes("ReportPersistentIScsiDevicesW", bound_w, NULL, sizeof(WCHAR));
    SUCCEEDS(ClearPersistentIScsiDevices());
    forget_login(TWO);
}

int main(void)
{
    static const struct peer_case cases[] = {
        PEER_CASE(the_disks_of_a_session),   PEER_CASE(by_ipv6_too),
        PEER_CASE(both_forms_tell_the_same), PEER_CASE(every_size_of_the_device_list),
        PEER_CASE(sessions_without_devices), PEER_CASE(numbers_are_kept_and_used_again),
        PEER_CASE(each_session_is_mapped),   PEER_CASE(every_size_of_the_mappings),
        PEER_CASE(a_mapping_is_honoured),    PEER_CASE(mappings_that_cannot_be_given),
        PEER_CASE(devices_are_bound),        PEER_CASE(all_devices_are_bound),
        PEER_CASE(what_cannot_be_bound),     PEER_CASE(every_size_of_the_bound_list),
    };
    return run_peer_cases("devices", cases, sizeof cases / sizeof *cases);
}
