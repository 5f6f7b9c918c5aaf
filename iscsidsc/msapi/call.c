#include "msapi/call.h"

#include "msapi/status.h"

/* Names and secrets are far shorter; a length beyond this is garbage. */
enum { BYTES_MAX = 65535 };

void call_begin(struct call *call, enum text_form form)
{
    *call = (struct call){.form = form, .status = STATUS_OK};
}

ISDSC_STATUS call_end(struct call *call)
{
    os_arena_clear(&call->arena);
    return msapi_status(call->status);
}

bool call_require(struct call *call, const void *pointer)
{
    if (call->status == STATUS_OK && pointer == NULL)
        call->status = STATUS_INVALID_PARAMETER;
    return call->status == STATUS_OK;
}

const char *call_text(struct call *call, const void *text)
{
    const char *utf8 = NULL;
    if (call->status == STATUS_OK)
        call->status = text_read(&call->arena, call->form, text, &utf8);
    return utf8;
}

const char *call_required_text(struct call *call, const void *text)
{
    return call_require(call, text) ? call_text(call, text) : NULL;
}

const char *call_array(struct call *call, const void *array, size_t size)
{
    const char *utf8 = NULL;
    if (call->status == STATUS_OK)
        call->status = text_read_array(&call->arena, call->form, array, size, &utf8);
    return utf8;
}

struct blob call_bytes(struct call *call, const void *data, ULONG length)
{
    if (length == 0)
        return (struct blob){0};
    if (!call_require(call, data))
        return (struct blob){0};
    if (length > BYTES_MAX) {
        call->status = STATUS_INVALID_PARAMETER;
        return (struct blob){0};
    }
    return (struct blob){.data = data, .length = length};
}

void call_portal(struct call *call, struct portal *out, const void *address, USHORT socket)
{
    *out = (struct portal){
        .address = call_array(call, address, MAX_ISCSI_PORTAL_ADDRESS_LEN),
        .socket = socket,
    };
}

const struct login_options *call_options(struct call *call, struct login_options *out,
                                         const ISCSI_LOGIN_OPTIONS *options)
{
    if (options == NULL)
        return NULL;
    *out = (struct login_options){
        .version = options->Version,
        .specified = options->InformationSpecified,
        .flags = options->LoginFlags,
        .auth_type = (uint32_t)options->AuthType,
        .header_digest = (uint32_t)options->HeaderDigest,
        .data_digest = (uint32_t)options->DataDigest,
        .maximum_connections = options->MaximumConnections,
        .default_time2wait = options->DefaultTime2Wait,
        .default_time2retain = options->DefaultTime2Retain,
    };
    /* Pointers count only when their bit says so: without it they may lead anywhere. */
    if ((options->InformationSpecified & ISCSI_LOGIN_OPTIONS_USERNAME) != 0)
        out->username = call_bytes(call, options->Username, options->UsernameLength);
    if ((options->InformationSpecified & ISCSI_LOGIN_OPTIONS_PASSWORD) != 0)
        out->password = call_bytes(call, options->Password, options->PasswordLength);
    return out;
}

bool call_engine(struct call *call, enum operation operation, const void *request, void *reply)
{
    if (call->status == STATUS_OK)
        call->status = door_call(operation, request, reply, &call->arena);
    return call->status == STATUS_OK;
}
