/* All targets with what interfaces show of them, their addresses, and the static ones. */
#include "engine/adapter_settings.h"
#include "engine/checks.h"
#include "engine/exploration.h"
#include "engine/sessions.h"
#include "engine/static_targets.h"
#include "engine/temporary_targets.h"

#include <stdlib.h>
#include <string.h>

#define SESSION(node)  LIST_OWNER(node, struct engine_session, link)
#define INSTANCE(node) LIST_OWNER(node, struct instance, of_target)
#define TARGET(node)   LIST_OWNER(node, struct known_target, link)

/* --- what sessions tell --- */

/* The sessions that callers see, by the names of their targets: none is looked for in a list. */
struct named_sessions {
    const struct engine_session **items;
    size_t count;
};

static int by_target(const void *left, const void *right)
{
    const struct engine_session *const *a = left, *const *b = right;
    return strcmp((*a)->target, (*b)->target);
}

static enum status collect_sessions(const struct engine *engine, struct os_arena *arena,
                                    struct named_sessions *out)
{
    size_t room = 0;
    LIST_EACH(node, &engine->sessions)
    {
        room++;
    }
    *out = (struct named_sessions){os_arena_alloc(arena, (room + 1) * sizeof(*out->items)), 0};
    if (out->items == NULL)
        return STATUS_NO_MEMORY;
    LIST_EACH(node, &engine->sessions)
    {
        if (SESSION(node)->state != ENGINE_SESSION_LOGIN)
            out->items[out->count++] = SESSION(node);
    }
    qsort(out->items, out->count, sizeof(*out->items), by_target);
    return STATUS_OK;
}

static int compare_name(const void *name, const void *item)
{
    const struct engine_session *const *session = item;
    return strcmp(name, (*session)->target);
}

/* Names are normalised in sessions and in the catalogue. NULL: there is none. */
static const struct engine_session *session_to(const struct named_sessions *sessions,
                                               const char *target)
{
    const struct engine_session *const *found =
        bsearch(target, sessions->items, sessions->count, sizeof(*sessions->items), compare_name);
    return found != NULL ? *found : NULL;
}

static const char *alias_of_session(const struct engine_session *session)
{
    if (session == NULL || session->contact == NULL)
        return NULL;
    const char *alias = session_target_alias(contact_session(session->contact));
    return alias_valid(alias) ? alias : NULL; /* a target may say anything */
}

/* --- summaries --- */

static uint32_t method_of(const struct mechanism *mechanism)
{
    switch (mechanism->key.kind) {
    case MECHANISM_STATIC:
        return DISCOVERY_STATIC;
    case MECHANISM_ISNS:
        return DISCOVERY_ISNS;
    default:
        return DISCOVERY_SENDTARGETS;
    }
}

/* What the user calls it, then what anybody else, or the target itself does. */
static struct target_summary summarise(const struct known_target *target,
                                       const struct named_sessions *sessions)
{
    struct target_summary summary = {.name = target->name};
    LIST_EACH(node, &target->instances)
    {
        const struct instance *instance = INSTANCE(node);
        if (instance->hidden)
            continue;
        summary.methods |= method_of(instance->mechanism);
        if (instance->alias != NULL &&
            (summary.alias == NULL || instance->mechanism->key.kind == MECHANISM_STATIC))
            summary.alias = instance->alias;
    }
    if (summary.alias == NULL)
        summary.alias = alias_of_session(session_to(sessions, target->name));
    return summary;
}

static bool is_shown(const struct engine *engine, const char *name)
{
    const struct known_target *target = catalogue_find(&engine->catalogue, name);
    return target != NULL && target->shown > 0;
}

/* Targets that nobody finds any more, but that have a session; each once. */
static uint32_t add_lone(const struct engine *engine, const struct named_sessions *sessions,
                         struct target_summary *items, uint32_t count)
{
    for (size_t i = 0; i < sessions->count; i++) {
        const char *name = sessions->items[i]->target;
        bool again = i > 0 && strcmp(name, sessions->items[i - 1]->target) == 0;
        if (!again && !is_shown(engine, name))
            items[count++] = (struct target_summary){.name = name,
                                                     .alias = alias_of_session(sessions->items[i])};
    }
    return count;
}

static enum status summarise_all(const struct engine *engine, struct os_arena *arena,
                                 struct target_summary_list *out)
{
    struct named_sessions sessions;
    uint32_t count = 0;
    enum status status = collect_sessions(engine, arena, &sessions);
    if (status != STATUS_OK)
        return status;
    struct target_summary *items = os_arena_alloc(
        arena, (engine->catalogue.target_count + sessions.count + 1) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    LIST_EACH(node, &engine->catalogue.targets)
    {
        if (TARGET(node)->shown > 0)
            items[count++] = summarise(TARGET(node), &sessions);
    }
    count = add_lone(engine, &sessions, items, count);
    *out = (struct target_summary_list){items, count};
    return STATUS_OK;
}

static enum status summarise_one(const struct engine *engine, const char *name,
                                 struct os_arena *arena, struct target_summary_list *out)
{
    char folded[ISCSI_NAME_MAX + 1];
    struct named_sessions sessions;
    enum status status = collect_sessions(engine, arena, &sessions);
    struct target_summary *item = os_arena_alloc(arena, sizeof *item);
    if (status == STATUS_OK && item == NULL)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    name_fold(name, folded);
    const struct known_target *target = catalogue_find(&engine->catalogue, name);
    const struct engine_session *session = session_to(&sessions, folded);
    if (target != NULL && target->shown > 0)
        *item = summarise(target, &sessions);
    else if (session != NULL)
        *item =
            (struct target_summary){.name = session->target, .alias = alias_of_session(session)};
    else
        return STATUS_TARGET_NOT_FOUND;
    *out = (struct target_summary_list){item, 1};
    return STATUS_OK;
}

static void on_explored(void *context, enum status status)
{
    struct engine_call *call = context;
    const struct request_describe_targets *request = call->request;
    struct reply_describe_targets reply = {0};
    if (status == STATUS_OK)
        status = request->target != NULL
                     ? summarise_one(call->engine, request->target, &call->arena, &reply.targets)
                     : summarise_all(call->engine, &call->arena, &reply.targets);
    engine_finish(call, status, &reply);
}

static void cancel(struct engine_call *call)
{
    exploration_cancel(call->state);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

void engine_describe_targets(struct engine_call *call)
{
    const struct request_describe_targets *request = call->request;
    struct exploration *exploration = NULL;
    enum status status = STATUS_OK;
    if (request->target != NULL)
        status = check_target_name(request->target);
    if (status == STATUS_OK)
        status = request->known ? static_targets_sync(call->engine)
                                : exploration_start(call->engine, EXPLORE_SOON, on_explored, call,
                                                    &exploration);
    if (exploration != NULL)
        engine_pend(call, cancel, exploration);
    else
        on_explored(call, status);
}

/* --- addresses --- */

static enum status list_addresses(const struct engine *engine, const char *name,
                                  struct os_arena *arena, struct target_address_list *out)
{
    const struct known_target *target = catalogue_find(&engine->catalogue, name);
    const struct target_portal **portals;
    size_t count;
    if (target == NULL)
        return STATUS_TARGET_NOT_FOUND;
    enum status status = catalogue_portals(target, NULL, arena, &portals, &count);
    struct target_address *items =
        status == STATUS_OK ? os_arena_alloc(arena, (count + 1) * sizeof *items) : NULL;
    if (items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct target_address){.address = portals[i]->host,
                                           .socket = portals[i]->port,
                                           .grouped = portals[i]->group != 0,
                                           .tag = portals[i]->group};
    *out = (struct target_address_list){items, (uint32_t)count};
    return STATUS_OK;
}

void engine_list_target_addresses(struct engine_call *call)
{
    const struct request_list_target_addresses *request = call->request;
    struct reply_list_target_addresses reply = {0};
    enum status status = check_target_name(request->target);
    if (status == STATUS_OK)
        status = static_targets_sync(call->engine);
    if (status == STATUS_OK)
        status = list_addresses(call->engine, request->target, &call->arena, &reply.addresses);
    engine_finish(call, status, &reply);
}

/* --- static targets --- */

static size_t count_temporary(const struct engine *engine)
{
    size_t count = 0;
    LIST_EACH(node, &engine->temporary_targets)
    {
        count++;
    }
    return count;
}

/* Of two with one name the one that is not stored counts. */
static enum status list_static(struct engine *engine, struct os_arena *arena,
                               struct static_target_list *out)
{
    struct store *store;
    struct static_target_list stored = {NULL, 0};
    uint32_t count = 0;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_static_targets(store, arena, &stored);
    struct static_target *items =
        os_arena_alloc(arena, (stored.count + count_temporary(engine) + 1) * sizeof *items);
    if (status == STATUS_OK && items == NULL)
        status = STATUS_NO_MEMORY;
    for (uint32_t i = 0; status == STATUS_OK && i < stored.count; i++) {
        if (temporary_target(engine, stored.items[i].target) == NULL)
            items[count++] = stored.items[i];
    }
    LIST_EACH(node, &engine->temporary_targets)
    {
        const struct static_target *copy = NULL;
        if (status == STATUS_OK)
            status = temporary_target_copy(engine, temporary_target_of(node)->target, arena, false,
                                           &copy);
        if (status == STATUS_OK)
            items[count++] = *copy;
    }
    *out = (struct static_target_list){items, count};
    return status;
}

void engine_list_static_targets(struct engine_call *call)
{
    struct reply_list_static_targets reply = {0};
    enum status status = list_static(call->engine, &call->arena, &reply.targets);
    engine_finish(call, status, &reply);
}
