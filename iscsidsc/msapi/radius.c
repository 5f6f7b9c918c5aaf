/* The list of RADIUS servers, and the secret that is shared with them. */
#include "msapi/call.h"
#include "msapi/pack.h"

ISDSC_STATUS WINAPI SetIScsiInitiatorRADIUSSharedSecret(ULONG length, PUCHAR secret)
{
    struct call call;
    call_begin(&call, TEXT_ANSI);
    struct request_set_radius_secret request = {.secret = call_bytes(&call, secret, length)};
    call_engine(&call, OPERATION_set_radius_secret, &request, NULL);
    return call_end(&call);
}

static ISDSC_STATUS add_server(enum text_form form, const void *address)
{
    struct call call;
    call_begin(&call, form);
    struct request_add_radius_server request = {.address = call_required_text(&call, address)};
    call_engine(&call, OPERATION_add_radius_server, &request, NULL);
    return call_end(&call);
}

static ISDSC_STATUS remove_server(enum text_form form, const void *address)
{
    struct call call;
    call_begin(&call, form);
    struct request_remove_radius_server request = {.address = call_required_text(&call, address)};
    call_engine(&call, OPERATION_remove_radius_server, &request, NULL);
    return call_end(&call);
}

static ISDSC_STATUS report_servers(enum text_form form, ULONG *size, void *buffer)
{
    struct call call;
    struct request_list_radius_servers request = {0};
    struct reply_list_radius_servers reply;
    call_begin(&call, form);
    call_require(&call, size);
    if (!call_engine(&call, OPERATION_list_radius_servers, &request, &reply))
        return call_end(&call);
    ISDSC_STATUS packed = pack_text_list(form, &reply.names, size, buffer);
    call_end(&call);
    return packed;
}

#define FORM_FILE "msapi/radius.inc"
#include "msapi/both_forms.h"
