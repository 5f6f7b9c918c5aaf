/* What is kept of targets that are there no more. */
#include "engine/exploration.h"
#include "engine/sessions.h"
#include "engine/store.h"

#include <string.h>

enum { ROW = 16 /* bytes beside the name, about */ };

static bool is_present(const struct engine *engine, const char *target)
{
    return catalogue_find(&engine->catalogue, target) != NULL ||
           engine_session_exists(engine, target);
}

static enum status collect(struct engine *engine, struct os_arena *arena, struct store **store,
                           struct text_list *out)
{
    struct text_list kept;
    enum status status = engine_store(engine, store);
    if (status == STATUS_OK)
        status = store_kept_targets(*store, arena, &kept);
    const char **items =
        status == STATUS_OK ? os_arena_alloc(arena, (kept.count + 1u) * sizeof(*items)) : NULL;
    if (items == NULL)
        return status == STATUS_OK ? STATUS_NO_MEMORY : status;
    *out = (struct text_list){items, 0};
    for (uint32_t i = 0; i < kept.count; i++) {
        if (!is_present(engine, kept.items[i]))
            items[out->count++] = kept.items[i];
    }
    return STATUS_OK;
}

static void tell_size(struct engine_call *call)
{
    struct store *store;
    struct text_list stale = {NULL, 0};
    struct reply_get_stale_data reply = {0};
    enum status status = collect(call->engine, &call->arena, &store, &stale);
    for (uint32_t i = 0; i < stale.count; i++)
        reply.size += (uint32_t)strlen(stale.items[i]) + ROW;
    engine_finish(call, status, &reply);
}

static void remove_all(struct engine_call *call)
{
    struct store *store;
    struct text_list stale = {NULL, 0};
    enum status status = collect(call->engine, &call->arena, &store, &stale);
    for (uint32_t i = 0; status == STATUS_OK && i < stale.count; i++)
        status = store_forget_target(store, stale.items[i]);
    engine_finish(call, status, NULL);
}

/* --- once it is known who is there --- */

static void on_explored(void *context, enum status status)
{
    struct engine_call *call = context;
    if (status != STATUS_OK)
        engine_finish(call, status, NULL);
    else if (call->operation->number == OPERATION_get_stale_data)
        tell_size(call);
    else
        remove_all(call);
}

static void cancel(struct engine_call *call)
{
    exploration_cancel(call->state);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static void explore(struct engine_call *call)
{
    struct exploration *exploration = NULL;
    enum status status =
        exploration_start(call->engine, EXPLORE_SOON, on_explored, call, &exploration);
    if (exploration != NULL)
        engine_pend(call, cancel, exploration);
    else
        on_explored(call, status);
}

void engine_get_stale_data(struct engine_call *call)
{
    explore(call);
}

void engine_remove_stale_data(struct engine_call *call)
{
    explore(call);
}
