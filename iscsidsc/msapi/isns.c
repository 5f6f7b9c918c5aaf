/* The list of iSNS servers. */
#include "msapi/call.h"
#include "msapi/pack.h"

/* Winsock's codes by their numbers: they are the same where there is no Winsock. */
enum {
    SOCKET_RESET = 10054,       /* WSAECONNRESET */
    SOCKET_TIMED_OUT = 10060,   /* WSAETIMEDOUT */
    SOCKET_REFUSED = 10061,     /* WSAECONNREFUSED */
    SOCKET_UNREACHABLE = 10065, /* WSAEHOSTUNREACH */
    SOCKET_ABORTED = 10053,     /* WSAECONNABORTED */
};

/* A server's socket that fails is told by its own code; 0: it is not that. */
static ISDSC_STATUS socket_code(enum status status)
{
    switch (status) {
    case STATUS_CONNECT_REFUSED:
        return SOCKET_REFUSED;
    case STATUS_CONNECT_TIMEOUT:
        return SOCKET_TIMED_OUT;
    case STATUS_CONNECT_UNREACHABLE:
        return SOCKET_UNREACHABLE;
    case STATUS_CONNECTION_CLOSED:
    case STATUS_CONNECTION_RESET:
        return SOCKET_RESET;
    case STATUS_CONNECT_FAILED:
    case STATUS_TRANSPORT_ERROR:
        return SOCKET_ABORTED;
    default:
        return ERROR_SUCCESS;
    }
}

static ISDSC_STATUS end_asking(struct call *call)
{
    ISDSC_STATUS code = socket_code(call->status);
    ISDSC_STATUS usual = call_end(call);
    return code != ERROR_SUCCESS ? code : usual;
}

static ISDSC_STATUS add_server(enum text_form form, const void *address)
{
    struct call call;
    call_begin(&call, form);
    struct request_add_isns_server request = {.address = call_required_text(&call, address)};
    call_engine(&call, OPERATION_add_isns_server, &request, NULL);
    return end_asking(&call);
}

static ISDSC_STATUS remove_server(enum text_form form, const void *address)
{
    struct call call;
    call_begin(&call, form);
    struct request_remove_isns_server request = {.address = call_required_text(&call, address)};
    call_engine(&call, OPERATION_remove_isns_server, &request, NULL);
    return call_end(&call);
}

static ISDSC_STATUS refresh_server(enum text_form form, const void *address)
{
    struct call call;
    call_begin(&call, form);
    struct request_refresh_isns_server request = {.address = call_text(&call, address)};
    call_engine(&call, OPERATION_refresh_isns_server, &request, NULL);
    return end_asking(&call);
}

/* Unlike other string lists an empty one has no characters at all. */
static ISDSC_STATUS report_servers(enum text_form form, ULONG *size, void *buffer)
{
    struct call call;
    struct request_list_isns_servers request = {0};
    struct reply_list_isns_servers reply;
    ISDSC_STATUS packed = ERROR_SUCCESS;
    call_begin(&call, form);
    call_require(&call, size);
    if (!call_engine(&call, OPERATION_list_isns_servers, &request, &reply))
        return call_end(&call);
    if (reply.names.count > 0)
        packed = pack_text_list(form, &reply.names, size, buffer);
    else
        *size = 0;
    call_end(&call);
    return packed;
}

#define FORM_FILE "msapi/isns.inc"
#include "msapi/both_forms.h"
