#include "engine/mappings.h"
#include "engine/adapter.h"

#include <string.h>

uint32_t mapping_place(const struct mapping *mapping)
{
    return mapping->os_bus * MAPPING_TARGETS + mapping->os_target;
}

/* Those that units have, and those that were asked for others. */
static void find_taken(const struct units *units, bool taken[MAPPING_LUNS])
{
    memset(taken, 0, MAPPING_LUNS * sizeof *taken);
    for (uint32_t i = 0; i < units->mapped.count; i++)
        taken[units->mapped.items[i].os_lun] = true;
    LIST_EACH(node, &units->all)
    {
        taken[LIST_OWNER(node, struct unit, link)->os_lun] = true;
    }
}

int mapping_os_lun(const struct units *units, uint64_t lun)
{
    bool taken[MAPPING_LUNS];
    uint64_t own = scsi_lun_spelling(lun);
    for (uint32_t i = 0; i < units->mapped.count; i++) {
        if (scsi_lun_from_spelling(units->mapped.items[i].target_lun) == lun)
            return (int)units->mapped.items[i].os_lun;
    }
    find_taken(units, taken);
    if (own < MAPPING_LUNS && !taken[own])
        return (int)own;
    for (int i = 0; i < MAPPING_LUNS; i++) {
        if (!taken[i])
            return i;
    }
    return -1;
}

/* --- what there is --- */

static bool describe_luns(const struct units *units, struct os_arena *arena,
                          struct mapped_lun_list *out)
{
    uint32_t count = 0;
    LIST_EACH(node, &units->all)
    {
        count++;
    }
    struct mapped_lun *items = os_arena_alloc(arena, (count + 1u) * sizeof *items);
    if (items == NULL)
        return false;
    count = 0;
    LIST_EACH(node, &units->all)
    {
        const struct unit *unit = LIST_OWNER(node, struct unit, link);
        if (!unit->hidden)
            items[count++] = (struct mapped_lun){unit->os_lun, scsi_lun_spelling(unit->facts.lun)};
    }
    *out = (struct mapped_lun_list){items, count};
    return true;
}

static bool describe(const struct engine_session *session, struct os_arena *arena,
                     struct active_mapping *out)
{
    struct mapping *mapping = os_arena_alloc(arena, sizeof *mapping);
    if (mapping == NULL || !describe_luns(session->units, arena, &mapping->luns))
        return false;
    mapping->os_device = ADAPTER_DEVICE;
    mapping->os_bus = units_bus(session->units);
    mapping->os_target = units_target(session->units);
    *out = (struct active_mapping){
        .initiator = INITIATOR_INSTANCE,
        .target = session->target,
        .session = &session->id,
        .mapping = mapping,
    };
    return true;
}

/* A session that is being logged in or out has none. */
static bool has_mapping(const struct engine_session *session)
{
    return session->units != NULL &&
           (session->state == ENGINE_SESSION_LIVE || session->state == ENGINE_SESSION_RECONNECT);
}

static enum status list(const struct engine *engine, struct os_arena *arena,
                        struct active_mapping_list *out)
{
    uint32_t count = 0;
    LIST_EACH(node, &engine->sessions)
    {
        count++;
    }
    struct active_mapping *items = os_arena_alloc(arena, (count + 1u) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    count = 0;
    LIST_EACH(node, &engine->sessions)
    {
        const struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        if (has_mapping(session) && !describe(session, arena, &items[count++]))
            return STATUS_NO_MEMORY;
    }
    *out = (struct active_mapping_list){items, count};
    return STATUS_OK;
}

static void answer(struct engine_call *call, bool late)
{
    struct reply_list_mappings reply = {0};
    (void)late; /* what is known is told */
    enum status status = list(call->engine, &call->arena, &reply.mappings);
    engine_finish(call, status, &reply);
}

void engine_list_mappings(struct engine_call *call)
{
    units_wait(call, UNITS_PATIENCE, units_all_settled, answer);
}
