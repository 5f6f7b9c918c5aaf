/* What sessions there are, what they consist of and what hangs on them. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"
#include "report.h"

enum { INDENT = 4 };

static ISDSC_STATUS query_sessions(struct report *report, void *context)
{
    (void)context;
    return GetIScsiSessionListA(&report->size, &report->count, report->data);
}

static ISDSC_STATUS query_devices(struct report *report, void *context)
{
    return GetDevicesForIScsiSessionA(context, &report->size, report->data);
}

static const char *device_type(const GUID *class)
{
    static const struct {
        ULONG first; /* the rest of these classes is the same */
        const char *name;
    } types[] = {
        {0x53f56307, "Disk"},       {0x53f5630b, "Tape"},
        {0x53f56308, "CDRom"},      {0x53f5630c, "Write Once Disk"},
        {0x53f56312, "CD Changer"}, {0x53f56310, "Medium Changer"},
        {0x53f56311, "Floppy"},
    };
    static const UCHAR rest[8] = {0x94, 0xf2, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b};

    if (class->Data2 != 0xb6bf || class->Data3 != 0x11d0 || memcmp(class->Data4, rest, 8) != 0)
        return "Unknown";
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (class->Data1 == types[i].first)
            return types[i].name;
    return "Unknown";
}

static void print_device(const ISCSI_DEVICE_ON_SESSIONA *device)
{
    const STORAGE_DEVICE_NUMBER *number = &device->StorageDeviceNumber;

    printf("        Device Type            : %s\n", device_type(&device->DeviceInterfaceType));
    printf("        Device Number          : %ld\n", (long)(int)number->DeviceNumber);
    printf("        Storage Device Type    : %lu\n", (unsigned long)number->DeviceType);
    printf("        Partition Number       : %ld\n", (long)(int)number->PartitionNumber);
    printf("        Device Interface Name  : %s\n", device->DeviceInterfaceName);
    printf("        Legacy Device Name     : %s\n", device->LegacyName);
    printf("        Volume Path Names      :\n");
}

/* A session whose devices cannot be listed is shown without them. */
static void print_devices(ISCSI_UNIQUE_SESSION_ID *session)
{
    struct report devices;
    const ISCSI_DEVICE_ON_SESSIONA *device;

    if (report_fetch(&devices, query_devices, session, sizeof(*device)) != ERROR_SUCCESS)
        return;
    device = devices.data;
    if (devices.size > 0)
        puts("\n    Devices:");
    for (ULONG i = 0; i < devices.size; i++) {
        if (i > 0)
            putchar('\n');
        print_device(&device[i]);
    }
    report_free(&devices);
}

static void print_connection(const ISCSI_CONNECTION_INFOA *connection)
{
    printf("        Connection Id     : %" PRIx64 "-%" PRIx64 "\n",
           (uint64_t)connection->ConnectionId.AdapterUnique,
           (uint64_t)connection->ConnectionId.AdapterSpecific);
    printf("        Initiator Portal  : %s/%u\n", print_text(connection->InitiatorAddress),
           connection->InitiatorSocket);
    printf("        Target Portal     : %s/%u\n", print_text(connection->TargetAddress),
           connection->TargetSocket);
    printf("        CID               : ");
    print_bytes(connection->CID, sizeof(connection->CID));
}

static void print_session(const ISCSI_SESSION_INFOA *session)
{
    printf("Session Id             : %" PRIx64 "-%" PRIx64 "\n",
           (uint64_t)session->SessionId.AdapterUnique,
           (uint64_t)session->SessionId.AdapterSpecific);
    printf("Initiator Node Name    : %s\n", print_text(session->InitiatorName));
    printf("Target Node Name       : %s\n", print_text(session->TargetNodeName));
    printf("Target Name            : %s\n", print_text(session->TargetName));
    printf("ISID                   : ");
    print_bytes(session->ISID, sizeof(session->ISID));
    printf("TSID                   : ");
    print_bytes(session->TSID, sizeof(session->TSID));
    printf("Number Connections     : %lu\n", (unsigned long)session->ConnectionCount);
    if (session->ConnectionCount > 0)
        puts("\n    Connections:");
    for (ULONG i = 0; i < session->ConnectionCount; i++) {
        if (i > 0)
            putchar('\n');
        print_connection(&session->Connections[i]);
    }
}

ISDSC_STATUS run_session_list(int count, char **arguments)
{
    bool with_devices = count == 0 || argument_boolean(arguments[0], true);
    struct report sessions;
    ISDSC_STATUS status = report_fetch(&sessions, query_sessions, NULL, 1);
    ISCSI_SESSION_INFOA *session = sessions.data;

    if (status != ERROR_SUCCESS)
        return status;
    printf("Total of %lu sessions\n\n", (unsigned long)sessions.count);
    for (ULONG i = 0; i < sessions.count; i++) {
        print_session(&session[i]);
        if (with_devices)
            print_devices(&session[i].SessionId);
        putchar('\n');
    }
    report_free(&sessions);
    return status;
}

static ISDSC_STATUS query_mappings(struct report *report, void *context)
{
    (void)context;
    return ReportActiveIScsiTargetMappingsA(&report->size, &report->count, report->data);
}

ISDSC_STATUS run_mappings(int count, char **arguments)
{
    struct report mappings;
    ISDSC_STATUS status = report_fetch(&mappings, query_mappings, NULL, 1);
    const ISCSI_TARGET_MAPPINGA *mapping = mappings.data;

    (void)count;
    (void)arguments;
    if (status != ERROR_SUCCESS)
        return status;
    if (mappings.count == 0)
        puts("No mappings");
    else
        printf("Total of %lu mappings returned\n", (unsigned long)mappings.count);
    for (ULONG i = 0; i < mappings.count; i++)
        print_mapping(INDENT, &mapping[i]);
    report_free(&mappings);
    return status;
}
