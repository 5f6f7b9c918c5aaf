/*
 * A Windows program that looks for a disk by the library and uses it by its name, as storage tools
 * do: test_devices_wine.py tells it what to do, a word each, and reads what it prints.
 *
 *     windows_disk [ADDRESS PORT TARGET] ACTION...
 *
 *     login, logout         of the session to the target; logout=CODE expects that one
 *     name                  prints "name NAME", once the library knows it; drive=N takes that
 * instead open, openbare        a handle for reading and writing; openbare: without buffering gone
 * it cannot be opened (any more) close seekread=SECTOR       prints "sector HEX", by a file
 * position read=SECTOR           the same, by an OVERLAPPED seekwrite=SECTOR:HH   fills the sector
 * with that byte; write: by an OVERLAPPED flush controls              prints what the control codes
 * of disks answer inquiry, capacity     by SCSI pass-through; direct: by the other form of it
 *     scsiread=SECTOR       READ (10) by SCSI pass-through
 *     driver=PATH, nodriver installs and starts iscsidisk.sys, and the other way round
 */
#include <windows.h>

#include <iscsidsc.h>
#include <winioctl.h>

#include <ntddscsi.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, TRIES = 3000, PAUSE = 10 };

static ISCSI_UNIQUE_SESSION_ID session;
static ISCSI_UNIQUE_CONNECTION_ID connection;
static char name[MAX_PATH];
static HANDLE disk = INVALID_HANDLE_VALUE;
static BYTE *sector; /* on a page of its own, as reading without buffering asks */

static void fail(const char *what, unsigned long code)
{
    printf("failed %s %lx\n", what, code);
    fflush(stdout);
    exit(1);
}

static void need(BOOL good, const char *what)
{
    if (!good)
        fail(what, GetLastError());
}

/* --- the library --- */

static void log_in(char **arguments)
{
    ISCSI_TARGET_PORTALA portal = {0};
    snprintf(portal.Address, sizeof portal.Address, "%s", arguments[0]);
    portal.Socket = (USHORT)atoi(arguments[1]);
    ISDSC_STATUS status =
        AddIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, 0, &portal);
    if (status == ERROR_SUCCESS)
        status = LoginIScsiTargetA(arguments[2], FALSE, NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, 0,
                                   NULL, NULL, 0, NULL, FALSE, &session, &connection);
    if (status != ERROR_SUCCESS)
        fail("login", status);
}

static void log_out(const char *expected)
{
    ISDSC_STATUS status = LogoutIScsiTarget(&session);
    if (status != (expected != NULL ? strtoul(expected, NULL, 16) : ERROR_SUCCESS))
        fail("logout", status);
}

static void find_name(void)
{
    ISCSI_DEVICE_ON_SESSIONA devices[4];
    ULONG count = 0;
    ISDSC_STATUS status = ERROR_SUCCESS;
    for (int i = 0; i < TRIES && count == 0; i++) {
        count = 4;
        status = GetDevicesForIScsiSessionA(&session, &count, devices);
        if (status != ERROR_SUCCESS)
            count = 0;
        if (count == 0)
            Sleep(PAUSE);
    }
    if (count == 0)
        fail("devices", status);
    snprintf(name, sizeof name, "%s", devices[0].LegacyName);
    printf("name %s\n", name);
}

/* --- the disk --- */

static HANDLE open_disk(DWORD flags)
{
    return CreateFileA(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                       OPEN_EXISTING, flags, NULL);
}

static void seek(const char *number)
{
    LARGE_INTEGER at = {.QuadPart = strtoll(number, NULL, 10) * SECTOR};
    need(SetFilePointerEx(disk, at, NULL, FILE_BEGIN), "seek");
}

static OVERLAPPED at_sector(const char *number)
{
    ULONGLONG at = strtoull(number, NULL, 10) * SECTOR;
    return (OVERLAPPED){.Offset = (DWORD)at, .OffsetHigh = (DWORD)(at >> 32)};
}

static void print_hex(const char *what, const BYTE *data, DWORD length)
{
    printf("%s ", what);
    for (DWORD i = 0; i < length; i++)
        printf("%02x", data[i]);
    printf("\n");
}

static void read_sector(OVERLAPPED *at)
{
    DWORD done = 0;
    memset(sector, 0, SECTOR);
    need(ReadFile(disk, sector, SECTOR, &done, at) && done == SECTOR, "read");
    print_hex("sector", sector, SECTOR);
}

static void write_sector(const char *value, OVERLAPPED *at)
{
    DWORD done = 0;
    memset(sector, (int)strtol(strchr(value, ':') + 1, NULL, 16), SECTOR);
    need(WriteFile(disk, sector, SECTOR, &done, at) && done == SECTOR, "write");
}

/* --- control codes --- */

static BOOL control(DWORD code, const void *in, DWORD in_length, void *out, DWORD out_length)
{
    DWORD done = 0;
    if (in != out)
        memset(out, 0, out_length);
    SetLastError(ERROR_SUCCESS);
    return DeviceIoControl(disk, code, (void *)(ULONG_PTR)in, in_length, out, out_length, &done,
                           NULL);
}

static void show(const char *what, BOOL good, ULONGLONG value)
{
    if (good)
        printf("%s %llu\n", what, value);
    else
        printf("%s error %lu\n", what, GetLastError());
}

static void show_descriptor(void)
{
    STORAGE_PROPERTY_QUERY query = {.PropertyId = StorageDeviceProperty};
    union {
        STORAGE_DEVICE_DESCRIPTOR fixed;
        char bytes[512];
    } out;
    BOOL good =
        control(IOCTL_STORAGE_QUERY_PROPERTY, &query, sizeof query, &out, sizeof out.bytes - 1);
    show("bus_type", good, out.fixed.BusType);
    if (!good)
        return;
    printf("vendor %s\n", out.bytes + out.fixed.VendorIdOffset);
    printf("product %s\n", out.bytes + out.fixed.ProductIdOffset);
    printf("serial %s\n",
           out.fixed.SerialNumberOffset != 0 ? out.bytes + out.fixed.SerialNumberOffset : "-");
}

static void show_layout(void)
{
    union {
        DRIVE_LAYOUT_INFORMATION_EX fixed;
        char bytes[8192];
    } out;
    BOOL good = control(IOCTL_DISK_GET_DRIVE_LAYOUT_EX, NULL, 0, &out, sizeof out);
    show("layout_style", good, out.fixed.PartitionStyle);
    for (DWORD i = 0; good && i < out.fixed.PartitionCount; i++) {
        const PARTITION_INFORMATION_EX *entry = &out.fixed.PartitionEntry[i];
        if (entry->PartitionNumber != 0)
            printf("partition %lu %lld %lld\n", entry->PartitionNumber,
                   entry->StartingOffset.QuadPart, entry->PartitionLength.QuadPart);
    }
}

static void show_controls(void)
{
    GET_LENGTH_INFORMATION length;
    DISK_GEOMETRY geometry;
    DISK_GEOMETRY_EX geometry_ex;
    STORAGE_DEVICE_NUMBER number;
    SCSI_ADDRESS address;
    BOOL good = control(IOCTL_DISK_GET_LENGTH_INFO, NULL, 0, &length, sizeof length);
    show("length", good, (ULONGLONG)length.Length.QuadPart);
    good = control(IOCTL_DISK_GET_DRIVE_GEOMETRY, NULL, 0, &geometry, sizeof geometry);
    show("sector_size", good, geometry.BytesPerSector);
    good = control(IOCTL_DISK_GET_DRIVE_GEOMETRY_EX, NULL, 0, &geometry_ex, sizeof geometry_ex);
    show("disk_size", good, (ULONGLONG)geometry_ex.DiskSize.QuadPart);
    good = control(IOCTL_STORAGE_GET_DEVICE_NUMBER, NULL, 0, &number, sizeof number);
    show("device_number", good, number.DeviceNumber);
    good = control(IOCTL_SCSI_GET_ADDRESS, NULL, 0, &address, sizeof address);
    show("scsi_address", good,
         address.PortNumber * 1000000ull + address.PathId * 10000u + address.TargetId * 100u +
             address.Lun);
    show_descriptor();
    show_layout();
}

/* --- pass-through --- */

struct passed {
    SCSI_PASS_THROUGH head;
    BYTE sense[32];
    BYTE data[512];
};

static void pass(const BYTE *cdb, UCHAR length, const char *what, ULONG size)
{
    struct passed out = {.head = {.Length = sizeof out.head,
                                  .CdbLength = length,
                                  .SenseInfoLength = sizeof out.sense,
                                  .DataIn = SCSI_IOCTL_DATA_IN,
                                  .DataTransferLength = size,
                                  .TimeOutValue = 10,
                                  .DataBufferOffset = offsetof(struct passed, data),
                                  .SenseInfoOffset = offsetof(struct passed, sense)}};
    DWORD done;
    memcpy(out.head.Cdb, cdb, length);
    if (!DeviceIoControl(disk, IOCTL_SCSI_PASS_THROUGH, &out, sizeof out, &out, sizeof out, &done,
                         NULL))
        printf("%s error %lu\n", what, GetLastError());
    else if (out.head.ScsiStatus != 0)
        printf("%s status %u sense %x/%02x%02x\n", what, out.head.ScsiStatus, out.sense[2],
               out.sense[12], out.sense[13]);
    else
        print_hex(what, out.data, out.head.DataTransferLength);
}

/* What the driver has to refuse: it must not look like a success. */
static void pass_direct(void)
{
    struct {
        SCSI_PASS_THROUGH_DIRECT head;
        BYTE sense[32];
    } out = {.head = {.Length = sizeof out.head,
                      .CdbLength = 6,
                      .DataIn = SCSI_IOCTL_DATA_IN,
                      .DataTransferLength = SECTOR,
                      .TimeOutValue = 10,
                      .DataBuffer = sector,
                      .Cdb = {0x12}}};
    BOOL good = control(IOCTL_SCSI_PASS_THROUGH_DIRECT, &out, sizeof out, &out, sizeof out);
    show("direct", good, 0);
}

static void read_by_scsi(const char *number)
{
    ULONG at = strtoul(number, NULL, 10);
    const BYTE cdb[10] = {0x28, 0, (BYTE)(at >> 24), (BYTE)(at >> 16), (BYTE)(at >> 8), (BYTE)at, 0,
                          0,    1};
    pass(cdb, sizeof cdb, "sector", SECTOR);
}

/* --- the driver --- */

static void start_driver(const char *path)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    need(manager != NULL, "services");
    SC_HANDLE service = CreateServiceA(manager, "iscsidisk", NULL, SERVICE_ALL_ACCESS,
                                       SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START,
                                       SERVICE_ERROR_NORMAL, path, NULL, NULL, NULL, NULL, NULL);
    need(service != NULL, "create");
    need(StartServiceA(service, 0, NULL), "start");
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
}

/* Whatever there is of it. */
static void stop_driver(void)
{
    SERVICE_STATUS status;
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    SC_HANDLE service = OpenServiceA(manager, "iscsidisk", SERVICE_ALL_ACCESS);
    if (service != NULL) {
        ControlService(service, SERVICE_CONTROL_STOP, &status);
        need(DeleteService(service), "delete");
        CloseServiceHandle(service);
    }
    CloseServiceHandle(manager);
}

/* --- actions --- */

static BOOL takes_value(const char *action, const char *word, const char **value)
{
    size_t length = strlen(word);
    *value = action + length + 1;
    return strncmp(action, word, length) == 0 && action[length] == '=';
}

static void act_on_sector(const char *action)
{
    const char *value;
    OVERLAPPED at;
    if (takes_value(action, "seekread", &value)) {
        seek(value);
        read_sector(NULL);
    } else if (takes_value(action, "read", &value)) {
        at = at_sector(value);
        read_sector(&at);
    } else if (takes_value(action, "seekwrite", &value)) {
        seek(value);
        write_sector(value, NULL);
    } else if (takes_value(action, "write", &value)) {
        at = at_sector(value);
        write_sector(value, &at);
    } else if (takes_value(action, "scsiread", &value)) {
        read_by_scsi(value);
    } else {
        fail(action, 0);
    }
}

static void act_on_disk(const char *action)
{
    static const BYTE inquiry[6] = {0x12, 0, 0, 0, 96}, capacity[10] = {0x25};
    if (strcmp(action, "open") == 0)
        need((disk = open_disk(0)) != INVALID_HANDLE_VALUE, "open");
    else if (strcmp(action, "openbare") == 0)
        need((disk = open_disk(FILE_FLAG_NO_BUFFERING | FILE_FLAG_WRITE_THROUGH)) !=
                 INVALID_HANDLE_VALUE,
             "open");
    else if (strcmp(action, "gone") == 0)
        need(open_disk(0) == INVALID_HANDLE_VALUE, "gone");
    else if (strcmp(action, "close") == 0)
        need(CloseHandle(disk), "close");
    else if (strcmp(action, "flush") == 0)
        need(FlushFileBuffers(disk), "flush");
    else if (strcmp(action, "controls") == 0)
        show_controls();
    else if (strcmp(action, "inquiry") == 0)
        pass(inquiry, sizeof inquiry, "inquiry", 96);
    else if (strcmp(action, "capacity") == 0)
        pass(capacity, sizeof capacity, "capacity", 8);
    else if (strcmp(action, "direct") == 0)
        pass_direct();
    else
        act_on_sector(action);
}

static void act(const char *action, char **arguments)
{
    const char *value;
    if (strcmp(action, "login") == 0)
        log_in(arguments);
    else if (strcmp(action, "logout") == 0)
        log_out(NULL);
    else if (takes_value(action, "logout", &value))
        log_out(value);
    else if (strcmp(action, "name") == 0)
        find_name();
    else if (takes_value(action, "driver", &value))
        start_driver(value);
    else if (strcmp(action, "nodriver") == 0)
        stop_driver();
    else if (takes_value(action, "drive", &value))
        snprintf(name, sizeof name, "\\\\.\\PhysicalDrive%s", value);
    else
        act_on_disk(action);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int first = argc > 4 && strncmp(argv[3], "iqn.", 4) == 0 ? 4 : 1;
    sector = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    need(sector != NULL, "memory");
    for (int i = first; i < argc; i++)
        act(argv[i], argv + 1);
    printf("done\n");
    return 0;
}
