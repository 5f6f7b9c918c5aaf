/* The initiator itself: version, instances, node name, CHAP secret. */
#include "msapi/call.h"
#include "msapi/pack.h"

ISDSC_STATUS WINAPI GetIScsiVersionInformation(PISCSI_VERSION_INFO version)
{
    struct call call;
    struct request_version request = {0};
    struct reply_version reply;
    call_begin(&call, TEXT_ANSI);
    call_require(&call, version);
    if (call_engine(&call, OPERATION_version, &request, &reply)) {
        version->MajorVersion = reply.major;
        version->MinorVersion = reply.minor;
        version->BuildNumber = reply.build;
    }
    return call_end(&call);
}

enum { TOO_LONG = 17 /* for CHAP */ };

ISDSC_STATUS WINAPI SetIScsiInitiatorCHAPSharedSecret(ULONG length, PUCHAR secret)
{
    struct call call;
    call_begin(&call, TEXT_ANSI);
    /* The engine knows the code for one that is too long, however much: none of it is read. */
    static UCHAR any[TOO_LONG];
    bool fits = length < TOO_LONG || secret == NULL;
    struct request_set_chap_secret request = {
        .secret = call_bytes(&call, fits ? secret : any, length < TOO_LONG ? length : TOO_LONG)};
    call_engine(&call, OPERATION_set_chap_secret, &request, NULL);
    return call_end(&call);
}

static ISDSC_STATUS report_initiators(enum text_form form, ULONG *size, void *buffer)
{
    struct call call;
    struct request_list_initiators request = {0};
    struct reply_list_initiators reply;
    call_begin(&call, form);
    call_require(&call, size);
    if (!call_engine(&call, OPERATION_list_initiators, &request, &reply))
        return call_end(&call);
    ISDSC_STATUS packed = pack_text_list(form, &reply.names, size, buffer);
    call_end(&call);
    return packed;
}

static ISDSC_STATUS get_node_name(enum text_form form, void *buffer)
{
    struct call call;
    struct request_get_node_name request = {0};
    struct reply_get_node_name reply;
    call_begin(&call, form);
    call_require(&call, buffer);
    if (call_engine(&call, OPERATION_get_node_name, &request, &reply))
        text_write(form, reply.name, buffer, MAX_ISCSI_NAME_LEN + 1);
    return call_end(&call);
}

static ISDSC_STATUS set_node_name(enum text_form form, const void *name)
{
    struct call call;
    call_begin(&call, form);
    struct request_set_node_name request = {.name = call_text(&call, name)};
    call_engine(&call, OPERATION_set_node_name, &request, NULL);
    return call_end(&call);
}

#define FORM_FILE "msapi/settings.inc"
#include "msapi/both_forms.h"
