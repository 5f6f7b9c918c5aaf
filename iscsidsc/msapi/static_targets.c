/* Targets that the user describes. */
#include "msapi/call.h"
#include "msapi/mappings.h"

#include <string.h>

/* More portals than that no group has: such a count is garbage. */
enum { PORTALS_MAX = 256 };

static ISDSC_STATUS remove_target(enum text_form form, const void *target)
{
    struct call call;
    call_begin(&call, form);
    struct request_remove_static_target request = {.target = call_required_text(&call, target)};
    call_engine(&call, OPERATION_remove_static_target, &request, NULL);
    return call_end(&call);
}

#define FORM_FILE "msapi/static_targets.inc"
#include "msapi/both_forms.h"
