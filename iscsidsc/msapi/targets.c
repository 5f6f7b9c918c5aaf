/* Targets that discovery has found, and their portals. */
#include "msapi/call.h"
#include "msapi/pack.h"
#include "msapi/status.h"

#include <string.h>

/*
 * The names of the targets. Where only some of the discovery succeeded, the list that is known now
 * comes all the same, and the call ends with the warning.
 */
static bool list_targets(struct call *call, bool force_update, struct reply_list_targets *reply)
{
    struct request_list_targets request = {.force_update = force_update};
    if (call_engine(call, OPERATION_list_targets, &request, reply))
        return true;
    if (call->status != STATUS_NOT_ALL_SUCCEEDED)
        return false;
    request.force_update = 0;
    call->status = STATUS_OK;
    if (!call_engine(call, OPERATION_list_targets, &request, reply))
        return false;
    call->status = STATUS_NOT_ALL_SUCCEEDED;
    return true;
}

static ISDSC_STATUS report_targets(enum text_form form, bool force_update, ULONG *size,
                                   void *buffer)
{
    struct call call;
    struct reply_list_targets reply;
    call_begin(&call, form);
    call_require(&call, size);
    if (!list_targets(&call, force_update, &reply))
        return call_end(&call);
    ISDSC_STATUS packed = pack_text_list(form, &reply.names, size, buffer);
    ISDSC_STATUS outcome = call_end(&call);
    return packed != ERROR_SUCCESS ? packed : outcome;
}

#define FORM_FILE "msapi/targets.inc"
#include "msapi/both_forms.h"
