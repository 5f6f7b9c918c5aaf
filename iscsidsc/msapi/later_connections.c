/*
 * Functions that are not available yet. Each one leaves with a code that says so, before it
 * looks at its parameters; README's status table lists them.
 */
#include "iscsidsc.h"

/* C11 wants names for parameters that nothing uses here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

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
