#include "engine/session_portals.h"
#include "engine/attempt.h"
#include "os/memory.h"

#define INSTANCE(node) LIST_OWNER(node, struct instance, of_target)

static const struct instance *described_by_user(const struct known_target *target)
{
    LIST_EACH(node, &target->instances)
    {
        const struct instance *instance = INSTANCE(node);
        if (instance->mechanism->key.kind == MECHANISM_STATIC && instance->portal_count > 0)
            return instance;
    }
    return NULL;
}

/* Those of other groups behind them. */
static void put_group_first(struct portal_address *portals, size_t count, uint16_t group)
{
    size_t place = 0;
    for (size_t i = 0; i < count; i++) {
        struct portal_address moved = portals[i];
        if (moved.group != group)
            continue;
        for (size_t j = i; j > place; j--)
            portals[j] = portals[j - 1];
        portals[place++] = moved;
    }
}

static enum status list_known(const struct engine_session *session,
                              const struct known_target *target, bool group_only,
                              struct os_arena *arena, struct portal_address **out, size_t *count)
{
    const struct instance *described = described_by_user(target);
    uint16_t group = session_portal_group(contact_session(session->contact));
    const struct target_portal **found = NULL;
    enum status status = STATUS_OK;
    if (described == NULL)
        status = catalogue_portals(target, group_only ? &group : NULL, arena, &found, count);
    else
        *count = described->portal_count;
    if (status != STATUS_OK)
        return status;
    *out = os_arena_alloc(arena, (*count + 1) * sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < *count; i++) {
        const struct target_portal *portal = described != NULL ? &described->portals[i] : found[i];
        attempt_set_portal(&(*out)[i], portal->host, portal->port);
        (*out)[i].group = portal->group;
    }
    put_group_first(*out, *count, group);
    return STATUS_OK;
}

void session_portals_remember(struct engine_session *session)
{
    const struct known_target *target =
        catalogue_find(&session->engine->catalogue, session->target);
    struct os_arena arena = {0};
    struct portal_address *known;
    size_t count;
    if (target == NULL || engine_leading(session)->one_portal)
        return;
    if (list_known(session, target, false, &arena, &known, &count) == STATUS_OK) {
        struct portal_address *copy = count > 0 ? os_copy(known, count * sizeof *copy) : NULL;
        if (copy != NULL || count == 0) {
            session_portals_forget(session);
            session->portals = copy;
            session->portal_count = count;
        }
    }
    os_arena_clear(&arena);
}

void session_portals_forget(struct engine_session *session)
{
    os_free(session->portals);
    session->portals = NULL;
    session->portal_count = 0;
}

static enum status take_remembered(const struct engine_session *session, bool group_only,
                                   struct os_arena *arena, struct portal_address **out,
                                   size_t *count)
{
    uint16_t group = session_portal_group(contact_session(session->contact));
    *count = 0;
    *out = os_arena_alloc(arena, (session->portal_count + 1) * sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < session->portal_count; i++) {
        if (!group_only || session->portals[i].group == group)
            (*out)[(*count)++] = session->portals[i];
    }
    return STATUS_OK;
}

enum status session_portals_known(const struct engine_session *session, bool group_only,
                                  struct os_arena *arena, struct portal_address **out,
                                  size_t *count)
{
    const struct known_target *target =
        catalogue_find(&session->engine->catalogue, session->target);
    group_only |= session->parameters.multipath == MULTIPATH_PORTAL_GROUP;
    return target != NULL ? list_known(session, target, group_only, arena, out, count)
                          : take_remembered(session, group_only, arena, out, count);
}

/* The last one, behind the one that somebody sends the session to. */
static enum status take_one(const struct engine_session *session, const struct portal_address *last,
                            struct os_arena *arena, struct portal_address **out, size_t *count)
{
    *out = os_arena_alloc(arena, 2 * sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    *count = 0;
    if (session->move.stage == MOVE_WAITING)
        (*out)[(*count)++] = session->move.to;
    (*out)[(*count)++] = *last;
    return STATUS_OK;
}

enum status session_portals_choose(const struct engine_connection *connection, bool joins,
                                   struct os_arena *arena, struct portal_address **out,
                                   size_t *count)
{
    const struct engine_session *session = connection->session;
    struct portal_preference preference = session->failover.preference;
    bool sent_away = session->move.stage == MOVE_WAITING;
    struct portal_address last;
    engine_connection_portal(connection, &last);
    if (connection->one_portal)
        return take_one(session, &last, arena, out, count);
    enum status status = session_portals_known(session, joins, arena, out, count);
    if (status != STATUS_OK)
        return status;
    if (sent_away)
        preference.portal = session->move.to;
    *count =
        portals_after(&preference, *out, *count, &last, !connection->fell_silent && !sent_away);
    return STATUS_OK;
}
