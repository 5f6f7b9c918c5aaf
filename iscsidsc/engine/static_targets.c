#include "engine/static_targets.h"
#include "engine/adapter_settings.h"
#include "engine/checks.h"
#include "engine/options.h"
#include "engine/temporary_targets.h"
#include "os/memory.h"

#include <string.h>

/* --- finding --- */

enum status static_target_find(struct engine *engine, const char *name, struct os_arena *arena,
                               bool secrets, const struct static_target **out)
{
    struct store *store;
    *out = NULL;
    if (temporary_target(engine, name) != NULL)
        return temporary_target_copy(engine, name, arena, secrets, out);
    enum status status = engine_store(engine, &store);
    return status == STATUS_OK ? store_static_target(store, name, arena, secrets, out) : status;
}

/* --- into the catalogue --- */

static size_t records_of(const struct static_target *target)
{
    return target->portals.count > 0 ? target->portals.count : 1;
}

/* The name is folded as discovery does it; portal group tags are not in anybody's description. */
static bool describe(const struct static_target *target, struct os_arena *arena,
                     struct discovery_records *records)
{
    char name[ISCSI_NAME_MAX + 1];
    name_fold(target->target, name);
    const struct discovery_record common = {
        .target = os_arena_text(arena, name),
        .alias = target->alias != NULL && target->alias[0] != '\0' ? target->alias : NULL,
        .hidden = (target->flags & TARGET_FLAG_HIDE) != 0,
    };
    if (common.target == NULL)
        return false;
    for (size_t i = 0; i < records_of(target); i++) {
        struct discovery_record *record = &records->items[records->count++];
        *record = common;
        if (i < target->portals.count) {
            const struct portal *portal = &target->portals.items[i];
            record->host = portal->address;
            record->port = portal->socket;
            record->symbolic_name = portal->symbolic_name;
        }
    }
    return true;
}

static size_t count_records(const struct engine *engine, const struct static_target_list *stored)
{
    size_t count = 0;
    for (uint32_t i = 0; i < stored->count; i++)
        count += records_of(&stored->items[i]);
    LIST_EACH(node, &engine->temporary_targets)
    {
        count += records_of(temporary_target_of(node));
    }
    return count;
}

static enum status collect(struct engine *engine, const struct static_target_list *stored,
                           struct os_arena *arena, struct discovery_records *out)
{
    bool good = true;
    *out = (struct discovery_records){NULL, 0};
    out->items = os_arena_alloc(arena, (count_records(engine, stored) + 1) * sizeof *out->items);
    if (out->items == NULL)
        return STATUS_NO_MEMORY;
    if (!discovery_enabled(engine, DISCOVERY_STATIC))
        return STATUS_OK;
    for (uint32_t i = 0; good && i < stored->count; i++) {
        if (temporary_target(engine, stored->items[i].target) == NULL)
            good = describe(&stored->items[i], arena, out);
    }
    LIST_EACH(node, &engine->temporary_targets)
    {
        good = good && describe(temporary_target_of(node), arena, out);
    }
    return good ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status replace(struct engine *engine, const struct static_target_list *stored)
{
    static const struct mechanism_key key = {.kind = MECHANISM_STATIC};
    struct mechanism *mechanism = catalogue_mechanism(&engine->catalogue, &key);
    struct os_arena arena = {0};
    struct discovery_records records;
    enum status status = collect(engine, stored, &arena, &records);
    if (status == STATUS_OK && mechanism == NULL && records.count > 0) {
        mechanism = catalogue_make_mechanism(&engine->catalogue, &key);
        status = mechanism != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK && mechanism != NULL)
        status = catalogue_replace(&engine->catalogue, mechanism, &records);
    os_arena_clear(&arena);
    return status;
}

enum status static_targets_sync(struct engine *engine)
{
    struct store *store;
    struct os_arena arena = {0};
    struct static_target_list stored;
    enum status status = engine_store(engine, &store);
    if (status != STATUS_OK || store_unchanged(store, &engine->static_seen))
        return status;
    status = store_static_targets(store, &arena, &stored);
    if (status == STATUS_OK)
        status = replace(engine, &stored);
    if (status != STATUS_OK)
        engine->static_seen = 0; /* look again next time */
    os_arena_clear(&arena);
    return status;
}

/* --- merging --- */

static bool has_portal(const struct portal *items, uint32_t count, const struct portal *portal)
{
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].socket == portal->socket && name_equal(items[i].address, portal->address))
            return true;
    }
    return false;
}

/* Those that are given now, then those that were there before. */
static enum status merge_portals(const struct portal_list *given, const struct portal_list *stored,
                                 struct os_arena *arena, struct portal_list *out)
{
    uint32_t count = given->count;
    struct portal *items =
        os_arena_alloc(arena, ((size_t)count + stored->count + 1) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    if (count > 0)
        memcpy(items, given->items, count * sizeof *items);
    for (uint32_t i = 0; i < stored->count; i++) {
        if (!has_portal(given->items, given->count, &stored->items[i]))
            items[count++] = stored->items[i];
    }
    *out = (struct portal_list){items, count};
    return count > TARGET_PORTALS_MOST ? STATUS_INVALID_PARAMETER : STATUS_OK;
}

/* What is not given stays as it was. Flags are always given. */
static enum status merge(const struct static_target *target, const struct static_target *stored,
                         struct os_arena *arena, const struct static_target **out)
{
    struct static_target *merged = os_arena_copy(arena, target, sizeof *merged);
    if (merged == NULL)
        return STATUS_NO_MEMORY;
    *out = merged;
    if (target->alias == NULL)
        merged->alias = stored->alias;
    if (target->options == NULL)
        merged->options = stored->options;
    if (target->mapping == NULL)
        merged->mapping = stored->mapping;
    merged->grouped = target->grouped || stored->grouped;
    return merge_portals(&target->portals, &stored->portals, arena, &merged->portals);
}

/* --- adding --- */

static enum status check_portals(const struct portal_list *portals)
{
    enum status status =
        portals->count > TARGET_PORTALS_MOST ? STATUS_INVALID_PARAMETER : STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < portals->count; i++)
        status = check_portal(&portals->items[i]);
    return status;
}

static enum status check(const struct static_target *target)
{
    if (target == NULL)
        return STATUS_INVALID_PARAMETER;
    enum status status = check_target_name(target->target);
    if (status == STATUS_OK &&
        ((target->alias != NULL && target->alias[0] != '\0' && !alias_valid(target->alias)) ||
         (target->flags & ~(uint32_t)(TARGET_FLAG_HIDE | TARGET_FLAG_MERGE)) != 0))
        status = STATUS_INVALID_PARAMETER;
    if (status == STATUS_OK)
        status = check_mapping(target->mapping);
    if (status == STATUS_OK)
        status = options_check(target->options);
    return status == STATUS_OK ? check_portals(&target->portals) : status;
}

/* One that counts now and is not stored is stored, merged or not, and then counts no more. */
static enum status put_in_store(struct engine *engine, const struct static_target *target,
                                bool with_stored)
{
    struct store *store;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_put_static_target(store, target, with_stored ? merge : NULL);
    if (status == STATUS_OK)
        temporary_target_drop(engine, target->target);
    return status;
}

static enum status add(struct engine *engine, const struct static_target *target,
                       struct os_arena *arena)
{
    bool merging = (target->flags & TARGET_FLAG_MERGE) != 0;
    struct static_target given = *target;
    const struct static_target *result = &given, *present = NULL;
    enum status status = STATUS_OK;
    given.flags &= ~(uint32_t)TARGET_FLAG_MERGE;
    /* Two processes may merge at a time: what is stored is read under the store's lock. */
    bool with_stored =
        merging && target->persistent && temporary_target(engine, target->target) == NULL;
    if (merging && !with_stored)
        status = static_target_find(engine, target->target, arena, true, &present);
    if (status == STATUS_OK && present != NULL)
        status = merge(&given, present, arena, &result);
    if (status != STATUS_OK)
        return status;
    return target->persistent ? put_in_store(engine, result, with_stored)
                              : temporary_target_keep(engine, result);
}

void engine_add_static_target(struct engine_call *call)
{
    const struct request_add_static_target *request = call->request;
    struct engine *engine = call->engine;
    struct os_arena arena = {0};
    enum status status = check(request->entry);
    if (status == STATUS_OK)
        status = add(engine, request->entry, &arena);
    os_arena_wipe(&arena);
    if (status == STATUS_OK) {
        engine->static_seen = 0;
        static_targets_sync(engine); /* else at the next look at the targets */
    }
    engine_finish(call, status, NULL);
}

/* --- removing --- */

static enum status remove_target(struct engine *engine, const char *name)
{
    bool temporary = temporary_target(engine, name) != NULL;
    struct store *store;
    bool found = false;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_delete_static_target(store, name, &found);
    if (status == STATUS_OK && !found && !temporary)
        status = STATUS_TARGET_NOT_FOUND;
    if (status == STATUS_OK)
        temporary_target_drop(engine, name);
    return status;
}

/* A target that somebody else has found stays known, and sessions stay. */
void engine_remove_static_target(struct engine_call *call)
{
    const struct request_remove_static_target *request = call->request;
    struct engine *engine = call->engine;
    enum status status = check_target_name(request->target);
    if (status == STATUS_OK)
        status = remove_target(engine, request->target);
    if (status == STATUS_OK) {
        engine->static_seen = 0;
        static_targets_sync(engine);
    }
    engine_finish(call, status, NULL);
}

/* --- removing one portal --- */

/* PORTAL_NOT_FOUND: it is none of them. */
static enum status portals_without(const struct static_target *target, const struct portal *portal,
                                   struct os_arena *arena, struct portal_list *out)
{
    uint32_t count = 0;
    struct portal *items = os_arena_alloc(arena, (target->portals.count + 1u) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < target->portals.count; i++) {
        if (!has_portal(portal, 1, &target->portals.items[i]))
            items[count++] = target->portals.items[i];
    }
    *out = (struct portal_list){items, count};
    return count < target->portals.count ? STATUS_OK : STATUS_PORTAL_NOT_FOUND;
}

static enum status remove_portal(struct engine *engine,
                                 const struct request_remove_static_portal *request,
                                 struct os_arena *arena)
{
    const struct static_target *present;
    struct static_target rest;
    enum status status = static_target_find(engine, request->target, arena, true, &present);
    if (status == STATUS_OK && present == NULL)
        status = STATUS_TARGET_NOT_FOUND;
    if (status != STATUS_OK)
        return status;
    if (!portal_given(request->portal))
        return present->portals.count == 0 ? remove_target(engine, request->target)
                                           : STATUS_PORTAL_NOT_FOUND;
    rest = *present;
    status = portals_without(present, request->portal, arena, &rest.portals);
    if (status != STATUS_OK)
        return status;
    return rest.portals.count > 0 ? add(engine, &rest, arena)
                                  : remove_target(engine, request->target);
}

void engine_remove_static_portal(struct engine_call *call)
{
    const struct request_remove_static_portal *request = call->request;
    struct engine *engine = call->engine;
    struct os_arena arena = {0};
    enum status status = check_target_name(request->target);
    if (status == STATUS_OK)
        status = remove_portal(engine, request, &arena);
    os_arena_wipe(&arena);
    if (status == STATUS_OK) {
        engine->static_seen = 0;
        static_targets_sync(engine);
    }
    engine_finish(call, status, NULL);
}
