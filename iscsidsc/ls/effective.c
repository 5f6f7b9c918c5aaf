#include "ls/effective.h"
#include "door/door.h"
#include "engine/effective_parameters.h"

#include <string.h>

static enum status ask_session(const struct session_status *session,
                               struct reply_effective_parameters *reply, struct os_arena *arena)
{
    struct request_effective_parameters request = {.target = session->target};
    if (session->portal != NULL) {
        request.address = session->portal->address;
        request.port = session->portal->socket;
    }
    if (session->discovery != NULL) {
        request.discovery_address = session->discovery->address;
        request.discovery_port = session->discovery->socket;
    }
    return door_call(OPERATION_effective_parameters, &request, reply, arena);
}

enum status ls_effective_ask(struct ls_effective *effective,
                             const struct session_status_list *sessions, struct os_arena *arena)
{
    const struct request_effective_parameters request = {0};
    effective->sessions =
        os_arena_alloc(arena, (sessions->count + 1u) * sizeof *effective->sessions);
    if (effective->sessions == NULL)
        return STATUS_NO_MEMORY;
    enum status status =
        door_call(OPERATION_effective_parameters, &request, &effective->service, arena);
    for (uint32_t i = 0; status == STATUS_OK && i < sessions->count; i++)
        status = ask_session(&sessions->items[i], &effective->sessions[i], arena);
    return status;
}

static bool text_same(const char *left, const char *right)
{
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

bool ls_effective_same(const struct ls_effective *effective,
                       const struct effective_parameter *parameter)
{
    const struct effective_parameter_list *service = &effective->service.parameters;
    for (uint32_t i = 0; i < service->count; i++) {
        const struct effective_parameter *other = &service->items[i];
        if (text_same(other->name, parameter->name))
            return other->source == parameter->source && other->line == parameter->line &&
                   text_same(other->value, parameter->value);
    }
    return false;
}

const char *ls_source_name(const struct effective_parameter *parameter)
{
    static const char *const names[] = {[EFFECTIVE_DEFAULT] = "default",
                                        [EFFECTIVE_FILE] = "file",
                                        [EFFECTIVE_ADAPTER] = "adapter",
                                        [EFFECTIVE_TARGET] = "target",
                                        [EFFECTIVE_OPTIONS] = "options"};
    return parameter->source < sizeof names / sizeof *names ? names[parameter->source] : "unknown";
}
