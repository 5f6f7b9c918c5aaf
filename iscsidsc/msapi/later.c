/*
 * Functions that are not available yet. Each one leaves with a code that says so, before it
 * looks at its parameters; README's status table lists them.
 */
#include "iscsidsc.h"

/* C11 wants names for parameters that nothing uses here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

ISDSC_STATUS WINAPI AddISNSServerA(PSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI AddISNSServerW(PWSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RemoveISNSServerA(PSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RemoveISNSServerW(PWSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RefreshISNSServerA(PSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RefreshISNSServerW(PWSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI ReportISNSServerListA(PULONG size, PCHAR buffer)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI ReportISNSServerListW(PULONG size, PWCHAR buffer)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI AddIScsiStaticTargetA(PSTR name, PSTR alias, ISCSI_TARGET_FLAGS target_flags,
                                          BOOLEAN persist, PISCSI_TARGET_MAPPINGA mappings,
                                          PISCSI_LOGIN_OPTIONS options,
                                          PISCSI_TARGET_PORTAL_GROUPA group)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI AddIScsiStaticTargetW(PWSTR name, PWSTR alias, ISCSI_TARGET_FLAGS target_flags,
                                          BOOLEAN persist, PISCSI_TARGET_MAPPINGW mappings,
                                          PISCSI_LOGIN_OPTIONS options,
                                          PISCSI_TARGET_PORTAL_GROUPW group)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RemoveIScsiStaticTargetA(PSTR name)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RemoveIScsiStaticTargetW(PWSTR name)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI GetIScsiTargetInformationA(PSTR name, PSTR mechanism,
                                               TARGET_INFORMATION_CLASS info_class, PULONG size,
                                               PVOID buffer)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI GetIScsiTargetInformationW(PWSTR name, PWSTR mechanism,
                                               TARGET_INFORMATION_CLASS info_class, PULONG size,
                                               PVOID buffer)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

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

ISDSC_STATUS WINAPI AddIScsiConnectionA(PISCSI_UNIQUE_SESSION_ID session, PVOID reserved,
                                        ULONG port_number, PISCSI_TARGET_PORTALA portal,
                                        ISCSI_SECURITY_FLAGS flags, PISCSI_LOGIN_OPTIONS options,
                                        ULONG key_size, PCHAR key,
                                        PISCSI_UNIQUE_CONNECTION_ID connection)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI AddIScsiConnectionW(PISCSI_UNIQUE_SESSION_ID session, PVOID reserved,
                                        ULONG port_number, PISCSI_TARGET_PORTALW portal,
                                        ISCSI_SECURITY_FLAGS flags, PISCSI_LOGIN_OPTIONS options,
                                        ULONG key_size, PCHAR key,
                                        PISCSI_UNIQUE_CONNECTION_ID connection)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RemoveIScsiConnection(PISCSI_UNIQUE_SESSION_ID session,
                                          PISCSI_UNIQUE_CONNECTION_ID connection)
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

ISDSC_STATUS WINAPI SetIScsiInitiatorRADIUSSharedSecret(ULONG length, PUCHAR secret)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI AddRadiusServerA(PSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI AddRadiusServerW(PWSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RemoveRadiusServerA(PSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI RemoveRadiusServerW(PWSTR address)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI ReportRadiusServerListA(PULONG size, PCHAR buffer)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI ReportRadiusServerListW(PULONG size, PWCHAR buffer)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI SetIScsiGroupPresharedKey(ULONG length, PUCHAR key, BOOLEAN persist)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI SetIScsiIKEInfoA(PSTR instance, ULONG port_number,
                                     PIKE_AUTHENTICATION_INFORMATION info, BOOLEAN persist)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI SetIScsiIKEInfoW(PWSTR instance, ULONG port_number,
                                     PIKE_AUTHENTICATION_INFORMATION info, BOOLEAN persist)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI GetIScsiIKEInfoA(PSTR instance, ULONG port_number, PULONG reserved,
                                     PIKE_AUTHENTICATION_INFORMATION info)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI GetIScsiIKEInfoW(PWSTR instance, ULONG port_number, PULONG reserved,
                                     PIKE_AUTHENTICATION_INFORMATION info)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI SetIScsiTunnelModeOuterAddressA(PSTR instance, ULONG port_number,
                                                    PSTR destination, PSTR outer, BOOLEAN persist)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}

ISDSC_STATUS WINAPI SetIScsiTunnelModeOuterAddressW(PWSTR instance, ULONG port_number,
                                                    PWSTR destination, PWSTR outer, BOOLEAN persist)
{
    return ERROR_CALL_NOT_IMPLEMENTED;
}
