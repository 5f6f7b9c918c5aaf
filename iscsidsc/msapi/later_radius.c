/*
 * Functions that are not available yet. Each one leaves with a code that says so, before it
 * looks at its parameters; README's status table lists them.
 */
#include "iscsidsc.h"

/* C11 wants names for parameters that nothing uses here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

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
