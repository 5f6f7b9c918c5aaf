#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "snapshot.h"

struct snapshot_session {
    struct platform_event event; /* without what happened */
    ULONG connections;
};

static ISDSC_STATUS query(struct report *report, void *context)
{
    (void)context;
    return GetIScsiSessionListA(&report->size, &report->count, report->data);
}

static void take(struct snapshot_session *out, const ISCSI_SESSION_INFOA *session)
{
    memset(out, 0, sizeof(*out));
    out->event.session = session->SessionId;
    out->connections = session->ConnectionCount;
    if (session->TargetName)
        snprintf(out->event.target, sizeof(out->event.target), "%s", session->TargetName);
    if (session->ConnectionCount > 0) {
        snprintf(out->event.portal, sizeof(out->event.portal), "%s",
                 session->Connections[0].TargetAddress);
        out->event.socket = session->Connections[0].TargetSocket;
    }
}

static ISDSC_STATUS look(struct snapshot *snapshot)
{
    struct report report;
    ISDSC_STATUS status = report_fetch(&report, query, NULL, 1);
    const ISCSI_SESSION_INFOA *sessions = report.data;

    *snapshot = (struct snapshot){.taken = TRUE};
    if (status != ERROR_SUCCESS)
        return status;
    snapshot->sessions = calloc(report.count + 1u, sizeof(*snapshot->sessions));
    if (!snapshot->sessions)
        status = ERROR_NOT_ENOUGH_MEMORY;
    else
        snapshot->count = report.count;
    for (ULONG i = 0; i < snapshot->count; i++)
        take(&snapshot->sessions[i], &sessions[i]);
    report_free(&report);
    return status;
}

static const struct snapshot_session *find(const struct snapshot *snapshot,
                                           const ISCSI_UNIQUE_SESSION_ID *id)
{
    for (ULONG i = 0; i < snapshot->count; i++)
        if (memcmp(&snapshot->sessions[i].event.session, id, sizeof(*id)) == 0)
            return &snapshot->sessions[i];
    return NULL;
}

/* `other` is the same session at the other time, or NULL. */
static const char *difference(const struct snapshot_session *session,
                              const struct snapshot_session *other, const char *alone)
{
    if (!other)
        return alone;
    if (session->connections > 0 && other->connections == 0)
        return "Session connected";
    if (session->connections == 0 && other->connections > 0)
        return "Session disconnected";
    return NULL;
}

static void tell_change(const struct snapshot_session *session, const char *what,
                        void (*tell)(const struct platform_event *event))
{
    struct platform_event event = session->event;

    event.what = what;
    if (what)
        tell(&event);
}

ISDSC_STATUS snapshot_update(struct snapshot *snapshot,
                             void (*tell)(const struct platform_event *event))
{
    struct snapshot now;
    ISDSC_STATUS status = look(&now);

    if (status != ERROR_SUCCESS)
        return status;
    for (ULONG i = 0; snapshot->taken && i < snapshot->count; i++)
        if (!find(&now, &snapshot->sessions[i].event.session))
            tell_change(&snapshot->sessions[i], "Session removed", tell);
    for (ULONG i = 0; snapshot->taken && i < now.count; i++)
        tell_change(&now.sessions[i],
                    difference(&now.sessions[i], find(snapshot, &now.sessions[i].event.session),
                               "Session added"),
                    tell);
    snapshot_free(snapshot);
    *snapshot = now;
    return status;
}

void snapshot_free(struct snapshot *snapshot)
{
    free(snapshot->sessions);
    *snapshot = (struct snapshot){0};
}
