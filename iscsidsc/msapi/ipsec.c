/* What is set for IPsec. */
#include "msapi/call.h"

ISDSC_STATUS WINAPI SetIScsiGroupPresharedKey(ULONG length, PUCHAR key, BOOLEAN persist)
{
    struct call call;
    call_begin(&call, TEXT_ANSI);
    struct request_set_group_key request = {.key = call_bytes(&call, key, length),
                                            .persistent = persist != FALSE};
    call_engine(&call, OPERATION_set_group_key, &request, NULL);
    return call_end(&call);
}

static ISDSC_STATUS set_ike_info(enum text_form form, const void *initiator, ULONG initiator_port,
                                 const IKE_AUTHENTICATION_INFORMATION *given, BOOLEAN persist)
{
    struct call call;
    struct ike_info info = {0};
    call_begin(&call, form);
    if (call_require(&call, given)) {
        info.auth_method = (uint32_t)given->AuthMethod;
        info.security_flags = given->PsKey.SecurityFlags;
        info.id_type = given->PsKey.IdType;
        info.id = call_bytes(&call, given->PsKey.Id, given->PsKey.IdLengthInBytes);
        info.key = call_bytes(&call, given->PsKey.Key, given->PsKey.KeyLengthInBytes);
    }
    struct request_set_ike_info request = {.initiator = call_text(&call, initiator),
                                           .initiator_port = initiator_port,
                                           .info = &info,
                                           .persistent = persist != FALSE};
    call_engine(&call, OPERATION_set_ike_info, &request, NULL);
    return call_end(&call);
}

/* The caller gives no room for a key: none comes back. */
static ISDSC_STATUS get_ike_info(enum text_form form, const void *initiator, ULONG initiator_port,
                                 IKE_AUTHENTICATION_INFORMATION *info)
{
    struct call call;
    struct request_get_ike_info request = {.initiator_port = initiator_port};
    struct reply_get_ike_info reply;
    call_begin(&call, form);
    request.initiator = call_text(&call, initiator);
    if (call_require(&call, info)) {
        request.id_type = info->PsKey.IdType;
        request.id = call_bytes(&call, info->PsKey.Id, info->PsKey.IdLengthInBytes);
        if (info->AuthMethod != IKE_AUTHENTICATION_PRESHARED_KEY_METHOD)
            call_require(&call, NULL);
    }
    if (call_engine(&call, OPERATION_get_ike_info, &request, &reply) && reply.info != NULL)
        info->PsKey.SecurityFlags = reply.info->security_flags;
    return call_end(&call);
}

static ISDSC_STATUS set_tunnel(enum text_form form, const void *initiator, ULONG initiator_port,
                               const void *destination, const void *outer, BOOLEAN persist)
{
    struct call call;
    call_begin(&call, form);
    struct request_set_tunnel_address request = {.initiator = call_text(&call, initiator),
                                                 .initiator_port = initiator_port,
                                                 .destination = call_text(&call, destination),
                                                 .outer = call_text(&call, outer),
                                                 .persistent = persist != FALSE};
    call_engine(&call, OPERATION_set_tunnel_address, &request, NULL);
    return call_end(&call);
}

#define FORM_FILE "msapi/ipsec.inc"
#include "msapi/both_forms.h"
