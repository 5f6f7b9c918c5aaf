/* What the catalogue says: target names, their portals, and what else is known of them. */
#include "engine/adapter.h"
#include "engine/checks.h"
#include "engine/exploration.h"
#include "engine/target_info.h"

/* --- names --- */

static void reply_names(struct engine_call *call)
{
    struct catalogue *catalogue = &call->engine->catalogue;
    struct reply_list_targets reply = {0};
    const char **names =
        os_arena_alloc(&call->arena, (catalogue->target_count + 1) * sizeof(*names));
    if (names == NULL) {
        engine_finish(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    LIST_EACH(node, &catalogue->targets)
    {
        const struct known_target *target = LIST_OWNER(node, struct known_target, link);
        if (target->shown > 0)
            names[reply.names.count++] = target->name;
    }
    reply.names.items = names;
    engine_finish(call, STATUS_OK, &reply);
}

static void reply_portals(struct engine_call *call)
{
    const struct request_list_target_portals *request = call->request;
    struct reply_list_target_portals reply = {0};
    const struct target_portal **portals;
    size_t count;
    struct known_target *target = catalogue_find(&call->engine->catalogue, request->target);
    if (target == NULL) {
        engine_finish(call, STATUS_TARGET_NOT_FOUND, NULL);
        return;
    }
    enum status status = catalogue_portals(target, request->tag_given ? &request->tag : NULL,
                                           &call->arena, &portals, &count);
    struct portal *items =
        status == STATUS_OK ? os_arena_alloc(&call->arena, (count + 1) * sizeof *items) : NULL;
    if (items == NULL) {
        engine_finish(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    for (size_t i = 0; i < count; i++)
        items[i] = (struct portal){portals[i]->symbolic_name, portals[i]->host, portals[i]->port};
    reply.portals = (struct portal_list){items, (uint32_t)count};
    engine_finish(call, STATUS_OK, &reply);
}

/* --- once the catalogue is fresh enough --- */

static void answer(struct engine_call *call)
{
    switch (call->operation->number) {
    case OPERATION_list_targets:
        reply_names(call);
        break;
    case OPERATION_list_target_portals:
        reply_portals(call);
        break;
    default:
        target_info_answer(call);
        break;
    }
}

static void on_explored(void *context, enum status status)
{
    struct engine_call *call = context;
    if (status == STATUS_OK)
        answer(call);
    else
        engine_finish(call, status, NULL);
}

static void cancel(struct engine_call *call)
{
    exploration_cancel(call->state);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static void explore(struct engine_call *call, bool force)
{
    struct exploration *exploration;
    enum status status = exploration_start(call->engine, force ? EXPLORE_ALL : EXPLORE_SOON,
                                           on_explored, call, &exploration);
    if (exploration != NULL)
        engine_pend(call, cancel, exploration);
    else
        on_explored(call, status);
}

void engine_list_targets(struct engine_call *call)
{
    const struct request_list_targets *request = call->request;
    explore(call, request->force_update != 0);
}

void engine_list_target_portals(struct engine_call *call)
{
    const struct request_list_target_portals *request = call->request;
    enum status status = check_target_name(request->target);
    if (status == STATUS_OK && !adapter_any(request->initiator) &&
        !name_equal(request->initiator, INITIATOR_INSTANCE))
        status = STATUS_INITIATOR_NOT_FOUND;
    if (status == STATUS_OK)
        explore(call, false);
    else
        engine_finish(call, status, NULL);
}

void engine_get_target(struct engine_call *call)
{
    const struct request_get_target *request = call->request;
    enum status status = check_target_name(request->target);
    if (status == STATUS_OK)
        explore(call, false);
    else
        engine_finish(call, status, NULL);
}
