/* WaitIScsiEvents: not Microsoft's, and not in the DLL. */
#include "msapi/call.h"

#include "msapi/text.h"

#include <string.h>

/* Those of the header: bits 1 << kind. */
enum { KINDS = (2 << ISCSI_EVENT_PORTAL_REMOVED) - (1 << ISCSI_EVENT_SESSION_ADDED) };

static void fill_event(ISCSI_EVENT *out, const struct event *from)
{
    memset(out, 0, sizeof *out);
    out->Sequence = from->sequence;
    out->Time = from->time;
    out->Kind = from->kind;
    if (from->session != NULL) {
        out->SessionId.AdapterUnique = from->session->adapter;
        out->SessionId.AdapterSpecific = from->session->specific;
    }
    text_write(TEXT_ANSI, from->target, out->TargetName, sizeof out->TargetName);
    if (from->portal != NULL) {
        text_write(TEXT_ANSI, from->portal->address, out->PortalAddress, sizeof out->PortalAddress);
        out->PortalSocket = from->portal->socket;
    }
}

ISDSC_STATUS WaitIScsiEvents(ULONGLONG *position, ULONG timeout, BOOLEAN *lost, ULONG *count,
                             ISCSI_EVENT *events)
{
    struct call call;
    struct reply_wait_events reply;
    call_begin(&call, TEXT_ANSI);
    call_require(&call, position);
    call_require(&call, lost);
    call_require(&call, count);
    call_require(&call, events);
    if (call.status != STATUS_OK)
        return call_end(&call);
    const struct request_wait_events request = {
        .after = *position, .timeout = timeout, .kinds = KINDS};
    if (call_engine(&call, OPERATION_wait_events, &request, &reply)) {
        ULONG given = reply.events.count < *count ? reply.events.count : *count;
        for (ULONG i = 0; i < given; i++)
            fill_event(&events[i], &reply.events.items[i]);
        /* Those that found no room come next time. */
        bool all = given == reply.events.count;
        if (all)
            *position = reply.last;
        else if (given > 0)
            *position = events[given - 1].Sequence;
        *lost = reply.lost != 0;
        *count = given;
    }
    return call_end(&call);
}
