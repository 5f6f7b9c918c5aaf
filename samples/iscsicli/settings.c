/* The initiator's own name and secret, and the devices that the service waits for at start. */
#include <stdio.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"
#include "report.h"

static ISDSC_STATUS query_initiators(struct report *report, void *context)
{
    (void)context;
    return ReportIScsiInitiatorListA(&report->size, report->data);
}

ISDSC_STATUS run_list_initiators(int count, char **arguments)
{
    struct report initiators;
    ISDSC_STATUS status = report_fetch(&initiators, query_initiators, NULL, sizeof(CHAR));

    (void)count;
    (void)arguments;
    if (status != ERROR_SUCCESS)
        return status;
    puts("Initiators List:");
    print_list(initiators.data, initiators.size, "    ", "");
    report_free(&initiators);
    return status;
}

ISDSC_STATUS run_node_name(int count, char **arguments)
{
    (void)count;
    return SetIScsiInitiatorNodeNameA(argument_text(arguments[0]));
}

ISDSC_STATUS run_chap_secret(int count, char **arguments)
{
    PUCHAR secret;
    ULONG length;
    ISDSC_STATUS status = argument_secret(arguments[0], &secret, &length);

    (void)count;
    return status == ERROR_SUCCESS ? SetIScsiInitiatorCHAPSharedSecret(length, secret) : status;
}

ISDSC_STATUS run_bind_devices(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    return SetupPersistentIScsiVolumes();
}

static ISDSC_STATUS query_persistent_devices(struct report *report, void *context)
{
    (void)context;
    return ReportPersistentIScsiDevicesA(&report->size, report->data);
}

ISDSC_STATUS run_report_devices(int count, char **arguments)
{
    struct report devices;
    ISDSC_STATUS status = report_fetch(&devices, query_persistent_devices, NULL, sizeof(CHAR));

    (void)count;
    (void)arguments;
    if (!devices.data)
        return status;
    puts("Persistent Volumes");
    print_list(devices.data, devices.size, "\"", "\"");
    putchar('\n');
    report_free(&devices);
    return status;
}

ISDSC_STATUS run_add_device(int count, char **arguments)
{
    (void)count;
    return AddPersistentIScsiDeviceA(arguments[0]);
}

ISDSC_STATUS run_remove_device(int count, char **arguments)
{
    (void)count;
    return RemovePersistentIScsiDeviceA(arguments[0]);
}

ISDSC_STATUS run_clear_devices(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    return ClearPersistentIScsiDevices();
}
