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

/* An array in the arena, with room for one more before them. */
static enum status list_known(const struct engine_session *session,
                              const struct known_target *target, struct os_arena *arena,
                              struct portal_address **out, size_t *count)
{
    const struct instance *described = described_by_user(target);
    uint16_t group = session_portal_group(contact_session(session->contact));
    const struct target_portal **found = NULL;
    enum status status = STATUS_OK;
    if (described == NULL)
        status = catalogue_portals(target, &group, arena, &found, count);
    else
        *count = described->portal_count;
    if (status != STATUS_OK)
        return status;
    *out = os_arena_alloc(arena, (*count + 1) * sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < *count; i++) {
        const struct target_portal *portal = described != NULL ? &described->portals[i] : found[i];
        attempt_set_portal(&(*out)[1 + i], portal->host, portal->port);
    }
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
    if (list_known(session, target, &arena, &known, &count) == STATUS_OK) {
        struct portal_address *copy = count > 0 ? os_copy(known + 1, count * sizeof *copy) : NULL;
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

static enum status take_remembered(const struct engine_session *session, struct os_arena *arena,
                                   struct portal_address **out, size_t *count)
{
    *count = session->portal_count;
    *out = os_arena_alloc(arena, (*count + 1) * sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < *count; i++)
        (*out)[1 + i] = session->portals[i];
    return STATUS_OK;
}

/* The last one comes first, and once. */
static void put_last_first(const struct engine_connection *connection,
                           struct portal_address *portals, size_t *count)
{
    size_t kept = 1;
    for (size_t i = 1; i <= *count; i++) {
        bool is_last = portals[i].port == connection->socket &&
                       name_equal(portals[i].host, connection->address);
        if (!is_last)
            portals[kept++] = portals[i];
    }
    attempt_set_portal(&portals[0], connection->address, connection->socket);
    *count = connection->one_portal ? 1 : kept;
}

enum status session_portals_choose(const struct engine_connection *connection,
                                   struct os_arena *arena, struct portal_address **out,
                                   size_t *count)
{
    const struct engine_session *session = connection->session;
    const struct known_target *target =
        catalogue_find(&session->engine->catalogue, session->target);
    enum status status = target != NULL ? list_known(session, target, arena, out, count)
                                        : take_remembered(session, arena, out, count);
    if (status == STATUS_OK)
        put_last_first(connection, *out, count);
    return status;
}
