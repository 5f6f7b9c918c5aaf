/* Targets that discovery has found, and their portals. */
#include "msapi/call.h"
#include "msapi/pack.h"

#include <string.h>

static ISDSC_STATUS report_targets(enum text_form form, bool force_update, ULONG *size,
                                   void *buffer)
{
    struct call call;
    struct request_list_targets request = {.force_update = force_update};
    struct reply_list_targets reply;
    call_begin(&call, form);
    call_require(&call, size);
    if (!call_engine(&call, OPERATION_list_targets, &request, &reply))
        return call_end(&call);
    ISDSC_STATUS packed = pack_text_list(form, &reply.names, size, buffer);
    call_end(&call);
    return packed;
}

#define FORM_FILE "msapi/targets.inc"
#include "msapi/both_forms.h"
