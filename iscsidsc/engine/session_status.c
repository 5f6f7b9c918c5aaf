#include "engine/session_status.h"
#include "engine/catalogue.h"
#include "engine/connections.h"
#include "engine/devices.h"
#include "engine/units.h"

#include <stdlib.h>

/* --- units --- */

static bool describe_unit(const struct unit *unit, struct os_arena *arena, struct unit_status *out)
{
    const struct unit_facts *facts = &unit->facts;
    *out = (struct unit_status){
        .os_lun = unit->os_lun,
        .lun = scsi_lun_spelling(facts->lun),
        .type = facts->inquiry.device_type,
        .version = facts->inquiry.version,
        .vendor = facts->inquiry.vendor,
        .product = facts->inquiry.product,
        .revision = facts->inquiry.revision,
        .serial = facts->serial,
        .blocks = facts->capacity.blocks,
        .block_length = facts->capacity.block_length,
        .exposed = !unit->hidden,
        .write_protected = facts->mode.write_protected,
    };
    return unit_path(unit, arena, &out->path);
}

static bool describe_units(const struct units *units, struct os_arena *arena,
                           struct unit_status_list *out)
{
    uint32_t count = 0;
    LIST_EACH(node, &units->all)
    {
        count++;
    }
    struct unit_status *items = os_arena_alloc(arena, (count + 1u) * sizeof *items);
    if (items == NULL)
        return false;
    count = 0;
    LIST_EACH(node, &units->all)
    {
        if (!describe_unit(LIST_OWNER(node, struct unit, link), arena, &items[count++]))
            return false;
    }
    *out = (struct unit_status_list){items, count};
    return true;
}

/* --- portals --- */

static const struct portal *new_portal(struct os_arena *arena, const char *host, uint16_t port)
{
    struct portal *portal = os_arena_alloc(arena, sizeof *portal);
    if (portal != NULL)
        *portal = (struct portal){.address = host, .socket = port};
    return portal;
}

/* Of the first connection that stands, if there is one. False: out of memory. */
static bool describe_connection(const struct engine_session *session, struct os_arena *arena,
                                const struct portal **out)
{
    LIST_EACH(node, &session->connections)
    {
        const struct engine_connection *connection = ENGINE_CONNECTION(node);
        if (connection->state != ENGINE_CONNECTION_LIVE)
            continue;
        *out = new_portal(arena, connection->address, connection->socket);
        return *out != NULL;
    }
    return true;
}

static bool describe_discovery(const struct engine_session *session, struct os_arena *arena,
                               const struct portal **out)
{
    const struct known_target *target =
        catalogue_find(&session->engine->catalogue, session->target);
    if (target == NULL)
        return true;
    LIST_EACH(node, &target->instances)
    {
        const struct mechanism_key *key =
            &LIST_OWNER(node, struct instance, of_target)->mechanism->key;
        if (key->kind != MECHANISM_SENDTARGETS)
            continue;
        *out = new_portal(arena, key->address, key->socket);
        return *out != NULL;
    }
    return true;
}

static bool describe_portals(const struct engine_session *session, struct os_arena *arena,
                             struct portal_list *out)
{
    struct portal *items = os_arena_alloc(arena, (session->portal_count + 1) * sizeof *items);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < session->portal_count; i++)
        items[i] = (struct portal){.address = session->portals[i].host,
                                   .socket = session->portals[i].port};
    *out = (struct portal_list){items, (uint32_t)session->portal_count};
    return true;
}

/* --- sessions --- */

static uint8_t state_of(const struct engine_session *session)
{
    if (session->state == ENGINE_SESSION_LOGOUT)
        return SESSION_LEAVING;
    return session->state == ENGINE_SESSION_LIVE ? SESSION_CONNECTED : SESSION_DROPPED;
}

static bool describe(const struct engine_session *session, struct os_arena *arena,
                     struct session_status *out)
{
    const struct session *core = contact_session(session->contact);
    *out = (struct session_status){
        .target = session->target,
        .alias = session_target_alias(core),
        .os_bus = units_bus(session->units),
        .os_target = units_target(session->units),
        .state = state_of(session),
        .since = session->since,
        .isid = {session->isid, PDU_ISID_LENGTH},
        .tsih = session_tsih(core),
        .portal_group = session_portal_group(core),
        .id = &session->id,
    };
    return describe_connection(session, arena, &out->portal) &&
           describe_discovery(session, arena, &out->discovery) &&
           describe_portals(session, arena, &out->portals) &&
           describe_units(session->units, arena, &out->units);
}

static bool is_listed(const struct engine_session *session)
{
    return session->state != ENGINE_SESSION_LOGIN && session->units != NULL;
}

static int compare(const void *left, const void *right)
{
    const struct session_status *a = left, *b = right;
    uint32_t first = a->os_bus << 8 | a->os_target, second = b->os_bus << 8 | b->os_target;
    return (first > second) - (first < second);
}

enum status session_status_list(const struct engine *engine, struct os_arena *arena,
                                struct reply_get_status *out)
{
    uint32_t count = 0;
    LIST_EACH(node, &engine->sessions)
    {
        count += is_listed(LIST_OWNER(node, struct engine_session, link));
    }
    struct session_status *items = os_arena_alloc(arena, (count + 1u) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    count = 0;
    LIST_EACH(node, &engine->sessions)
    {
        const struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        if (is_listed(session) && !describe(session, arena, &items[count++]))
            return STATUS_NO_MEMORY;
    }
    qsort(items, count, sizeof *items, compare);
    *out = (struct reply_get_status){.driver = ISCSIDSC_VERSION, .sessions = {items, count}};
    return STATUS_OK;
}

void engine_get_status(struct engine_call *call)
{
    struct reply_get_status reply = {0};
    enum status status = session_status_list(call->engine, &call->arena, &reply);
    engine_finish(call, status, &reply);
}
