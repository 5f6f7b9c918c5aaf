#include "engine/multipath.h"
#include "engine/attempt.h"
#include "engine/connections.h"
#include "engine/failover.h"

/* With their groups, the better ones first. */
static enum status list_portals(const struct known_target *target,
                                const struct scoped_parameters *parameters, struct os_arena *arena,
                                struct portal_address **out, size_t *count)
{
    const struct target_portal **found;
    struct portal_preference preference;
    enum status status = catalogue_portals(target, NULL, arena, &found, count);
    if (status != STATUS_OK)
        return status;
    *out = os_arena_alloc(arena, (*count + 1) * sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < *count; i++) {
        attempt_set_portal(&(*out)[i], found[i]->host, found[i]->port);
        (*out)[i].group = found[i]->group;
    }
    failover_preference(parameters, &preference);
    portals_sort(&preference, *out, *count);
    return STATUS_OK;
}

static bool has_same(enum multipath_mode mode, const struct portal_address *portals, size_t count,
                     const struct portal_address *portal)
{
    for (size_t i = 0; i < count; i++) {
        if (multipath_same(mode, &portals[i], portal))
            return true;
    }
    return false;
}

enum status multipath_portals(const struct known_target *target,
                              const struct scoped_parameters *parameters, struct os_arena *arena,
                              struct portal_address **out, size_t *count)
{
    enum multipath_mode mode = (enum multipath_mode)parameters->multipath;
    size_t all = 0;
    *out = NULL;
    *count = 0;
    if (mode == MULTIPATH_NO)
        return STATUS_OK;
    enum status status = list_portals(target, parameters, arena, out, &all);
    for (size_t i = 0; status == STATUS_OK && i < all; i++) {
        if (!has_same(mode, *out, *count, &(*out)[i]))
            (*out)[(*count)++] = (*out)[i];
    }
    return status;
}

void multipath_turn(const struct known_target *target, const struct scoped_parameters *parameters,
                    const struct portal_address *path, unsigned tries, struct portal_address *out)
{
    enum multipath_mode mode = (enum multipath_mode)parameters->multipath;
    struct os_arena arena = {0};
    struct portal_address *portals;
    size_t all, count = 0;
    *out = *path;
    if (mode == MULTIPATH_PORTAL_GROUP &&
        list_portals(target, parameters, &arena, &portals, &all) == STATUS_OK) {
        for (size_t i = 0; i < all; i++) {
            if (portals[i].group == path->group)
                portals[count++] = portals[i];
        }
        if (count > 0)
            *out = portals[tries % count];
    }
    os_arena_clear(&arena);
}

bool multipath_same(enum multipath_mode mode, const struct portal_address *a,
                    const struct portal_address *b)
{
    return mode == MULTIPATH_PORTAL_GROUP ? a->group == b->group : portal_same(a, b);
}

bool multipath_uses(const struct engine_session *session, enum multipath_mode mode,
                    const struct portal_address *path)
{
    const struct engine_connection *leading = engine_leading(session);
    struct portal_address here;
    if (session->contact == NULL || leading == NULL || leading->address == NULL)
        return false;
    engine_connection_portal(leading, &here);
    here.group = session_portal_group(contact_session(session->contact));
    return multipath_same(mode, &here, path);
}
