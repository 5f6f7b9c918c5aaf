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

static bool is_last(const struct engine_session *session, const char *host, uint16_t port)
{
    return port == session->socket && name_equal(host, session->address);
}

/* An array in the arena of those that are not the last one, with room for one more before them. */
static enum status list_others(const struct engine_session *session,
                               const struct known_target *target, struct os_arena *arena,
                               struct portal_address **out, size_t *count)
{
    const struct instance *described = described_by_user(target);
    uint16_t group = session_portal_group(contact_session(session->contact));
    const struct target_portal **found = NULL;
    size_t total = 0;
    enum status status = STATUS_OK;
    if (described == NULL)
        status = catalogue_portals(target, &group, arena, &found, &total);
    else
        total = described->portal_count;
    if (status != STATUS_OK)
        return status;
    *count = 0;
    *out = os_arena_alloc(arena, (total + 1) * sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < total; i++) {
        const struct target_portal *portal = described != NULL ? &described->portals[i] : found[i];
        if (!is_last(session, portal->host, portal->port))
            attempt_set_portal(&(*out)[1 + (*count)++], portal->host, portal->port);
    }
    return STATUS_OK;
}

void session_portals_remember(struct engine_session *session)
{
    const struct known_target *target =
        catalogue_find(&session->engine->catalogue, session->target);
    struct os_arena arena = {0};
    struct portal_address *others;
    size_t count;
    if (target == NULL || session->one_portal)
        return;
    if (list_others(session, target, &arena, &others, &count) == STATUS_OK) {
        struct portal_address *copy = count > 0 ? os_copy(others + 1, count * sizeof *copy) : NULL;
        if (copy != NULL || count == 0) {
            session_portals_forget(session);
            session->others = copy;
            session->other_count = count;
        }
    }
    os_arena_clear(&arena);
}

void session_portals_forget(struct engine_session *session)
{
    os_free(session->others);
    session->others = NULL;
    session->other_count = 0;
}

static enum status take_remembered(const struct engine_session *session, struct os_arena *arena,
                                   struct portal_address **out, size_t *count)
{
    size_t others = session->one_portal ? 0 : session->other_count;
    *out = os_arena_alloc(arena, (others + 1) * sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    *count = 0;
    for (size_t i = 0; i < others; i++) {
        if (!is_last(session, session->others[i].host, session->others[i].port))
            (*out)[1 + (*count)++] = session->others[i];
    }
    return STATUS_OK;
}

enum status session_portals_choose(const struct engine_session *session, struct os_arena *arena,
                                   struct portal_address **out, size_t *count)
{
    const struct known_target *target =
        session->one_portal ? NULL : catalogue_find(&session->engine->catalogue, session->target);
    enum status status = target != NULL ? list_others(session, target, arena, out, count)
                                        : take_remembered(session, arena, out, count);
    if (status != STATUS_OK)
        return status;
    attempt_set_portal(&(*out)[0], session->address, session->socket);
    ++*count;
    return STATUS_OK;
}
