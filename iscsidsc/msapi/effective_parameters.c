/* ReportIScsiEffectiveParameters: not Microsoft's, and not in the DLL. */
#include "msapi/call.h"

#include "msapi/text.h"

#include <string.h>

static void fill_parameter(ISCSI_EFFECTIVE_PARAMETER *out, const struct effective_parameter *from)
{
    memset(out, 0, sizeof *out);
    text_write(TEXT_ANSI, from->name, out->Name, sizeof out->Name);
    text_write(TEXT_ANSI, from->value, out->Value, sizeof out->Value);
    out->Source = from->source;
    if (from->source == ISCSI_PARAMETER_FILE)
        text_write(TEXT_ANSI, from->scope, out->Scope, sizeof out->Scope);
    out->Line = from->line;
    out->Section = from->section;
}

ISDSC_STATUS ReportIScsiEffectiveParameters(const char *target, const char *portal,
                                            USHORT portal_socket, const char *discovery,
                                            USHORT discovery_socket, CHAR *file, ULONG *count,
                                            ISCSI_EFFECTIVE_PARAMETER *parameters)
{
    struct call call;
    struct reply_effective_parameters reply;
    bool fits = true;
    call_begin(&call, TEXT_ANSI);
    call_require(&call, count);
    if (call.status == STATUS_OK && *count > 0)
        call_require(&call, parameters);
    const struct request_effective_parameters request = {
        .target = call_text(&call, target),
        .address = call_text(&call, portal),
        .port = portal_socket,
        .discovery_address = call_text(&call, discovery),
        .discovery_port = discovery_socket,
    };
    if (call_engine(&call, OPERATION_effective_parameters, &request, &reply)) {
        fits = reply.parameters.count <= *count;
        for (ULONG i = 0; fits && i < reply.parameters.count; i++)
            fill_parameter(&parameters[i], &reply.parameters.items[i]);
        *count = reply.parameters.count;
        if (file != NULL)
            text_write(TEXT_ANSI, reply.file, file, MAX_ISCSI_PARAMETER_FILE_LEN);
    }
    ISDSC_STATUS status = call_end(&call);
    return fits ? status : ERROR_INSUFFICIENT_BUFFER;
}
