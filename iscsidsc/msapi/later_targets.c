/*
 * Functions that are not available yet. Each one leaves with a code that says so, before it
 * looks at its parameters; README's status table lists them.
 */
#include "iscsidsc.h"

/* C11 wants names for parameters that nothing uses here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

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
