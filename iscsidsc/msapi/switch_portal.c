/* SwitchIScsiSessionPortal: not Microsoft's, and not in the DLL. */
#include "msapi/call.h"

ISDSC_STATUS SwitchIScsiSessionPortal(PISCSI_UNIQUE_SESSION_ID session, const char *portal)
{
    struct call call;
    call_begin(&call, TEXT_ANSI);
    call_require(&call, session);
    const char *address = call_required_text(&call, portal);
    if (call.status != STATUS_OK)
        return call_end(&call);
    const struct unique_id id = {session->AdapterUnique, session->AdapterSpecific};
    const struct request_switch_portal request = {.session = &id, .address = address};
    call_engine(&call, OPERATION_switch_portal, &request, NULL);
    return call_end(&call);
}
