#include "engine/login_portals.h"
#include "engine/attempt.h"
#include "engine/checks.h"

static void append(struct portal_address *items, size_t *count, const char *host, uint16_t port)
{
    for (size_t i = 0; i < *count; i++) {
        if (items[i].port == port && name_equal(items[i].host, host))
            return;
    }
    attempt_set_portal(&items[(*count)++], host, port);
}

static enum status find(const struct known_target *target, const struct login_defaults *defaults,
                        struct os_arena *arena, const struct target_portal ***found, size_t *count)
{
    *found = NULL;
    *count = 0;
    if (target == NULL || defaults->portals.count > 0)
        return STATUS_OK;
    return catalogue_portals(target, NULL, arena, found, count);
}

enum status login_portals(const struct known_target *target, const struct portal *given, bool hops,
                          const struct login_defaults *defaults, struct os_arena *arena,
                          struct portal_address **out, size_t *count)
{
    const struct portal_list *described = &defaults->portals;
    const struct target_portal **found;
    size_t found_count;
    bool named = portal_given(given);
    enum status status = find(target, defaults, arena, &found, &found_count);
    if (status != STATUS_OK)
        return status;
    *count = 0;
    *out = os_arena_alloc(arena, (1 + described->count + found_count) * sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    if (named)
        append(*out, count, given->address, given->socket);
    if (!named || hops) {
        for (uint32_t i = 0; i < described->count; i++)
            append(*out, count, described->items[i].address, described->items[i].socket);
        for (size_t i = 0; i < found_count; i++)
            append(*out, count, found[i]->host, found[i]->port);
    }
    return *count > 0 ? STATUS_OK : STATUS_NO_PORTAL;
}
