/*
 * Functions that are not available yet. Each one leaves with a code that says so, before it
 * looks at its parameters; README's status table lists them.
 */
#include "iscsidsc.h"

/* C11 wants names for parameters that nothing uses here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

ISDSC_STATUS WINAPI ReportActiveIScsiTargetMappingsA(PULONG size, PULONG count,
                                                     PISCSI_TARGET_MAPPINGA mappings)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI ReportActiveIScsiTargetMappingsW(PULONG size, PULONG count,
                                                     PISCSI_TARGET_MAPPINGW mappings)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI GetDevicesForIScsiSessionA(PISCSI_UNIQUE_SESSION_ID session, ULONG *count,
                                               PISCSI_DEVICE_ON_SESSIONA devices)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI GetDevicesForIScsiSessionW(PISCSI_UNIQUE_SESSION_ID session, ULONG *count,
                                               PISCSI_DEVICE_ON_SESSIONW devices)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI SetupPersistentIScsiDevices(void)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI SetupPersistentIScsiVolumes(void)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI AddPersistentIScsiDeviceA(PSTR path)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI AddPersistentIScsiDeviceW(PWSTR path)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RemovePersistentIScsiDeviceA(PSTR path)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RemovePersistentIScsiDeviceW(PWSTR path)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI ClearPersistentIScsiDevices(void)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI ReportPersistentIScsiDevicesA(PULONG size, PCHAR buffer)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI ReportPersistentIScsiDevicesW(PULONG size, PWCHAR buffer)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}
