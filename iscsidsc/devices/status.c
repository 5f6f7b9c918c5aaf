#include "devices/status.h"
#include "engine/session_status.h"
#include "protocol/name.h"

#include <stdio.h>

/* The longest line: numbers, address, port and name. */
enum { HEAD_ROOM = 256, LINE_ROOM = 64 + PORTAL_HOST_MAX + ISCSI_NAME_MAX };

static size_t count_lines(const struct session_status_list *sessions)
{
    size_t lines = 0;
    for (uint32_t i = 0; i < sessions->count; i++) {
        uint32_t units = sessions->items[i].units.count;
        lines += units > 0 ? units : 1;
    }
    return lines;
}

static char *put_head(char *at, const char *driver)
{
    return at + snprintf(at, HEAD_ROOM,
                         "# iSCSI driver version: %s\n#\n# Bus Target  LUN  IP address       Port  "
                         "TargetName\n",
                         driver);
}

/* `unit` NULL: none is known. */
static char *put_line(char *at, const struct session_status *session,
                      const struct unit_status *unit)
{
    char lun[16] = "?", port[16] = "?";
    if (unit != NULL)
        snprintf(lun, sizeof lun, "%lu", (unsigned long)unit->os_lun);
    if (session->portal != NULL)
        snprintf(port, sizeof port, "%u", session->portal->socket);
    return at + snprintf(at, LINE_ROOM, "  %3lu %6lu %4s  %-15s %5s  %s\n",
                         (unsigned long)session->os_bus, (unsigned long)session->os_target, lun,
                         session->portal != NULL ? session->portal->address : "?", port,
                         session->target);
}

enum status devices_status_text(const struct engine *engine, struct os_arena *arena,
                                const char **text)
{
    struct reply_get_status reply;
    enum status status = session_status_list(engine, arena, &reply);
    if (status != STATUS_OK)
        return status;
    char *at = os_arena_alloc(arena, HEAD_ROOM + count_lines(&reply.sessions) * LINE_ROOM);
    if (at == NULL)
        return STATUS_NO_MEMORY;
    *text = at;
    at = put_head(at, reply.driver);
    for (uint32_t i = 0; i < reply.sessions.count; i++) {
        const struct session_status *session = &reply.sessions.items[i];
        if (session->units.count == 0)
            at = put_line(at, session, NULL);
        for (uint32_t j = 0; j < session->units.count; j++)
            at = put_line(at, session, &session->units.items[j]);
    }
    return STATUS_OK;
}
