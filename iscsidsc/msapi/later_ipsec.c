/*
 * Functions that are not available yet. Each one leaves with a code that says so, before it
 * looks at its parameters; README's status table lists them.
 */
#include "iscsidsc.h"

/* C11 wants names for parameters that nothing uses here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

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
