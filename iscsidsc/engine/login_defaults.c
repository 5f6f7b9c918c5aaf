#include "engine/login_defaults.h"
#include "engine/checks.h"
#include "engine/mechanism.h"
#include "engine/static_targets.h"

#define INSTANCE(node) LIST_OWNER(node, struct instance, of_target)

bool login_options_given(const struct login_options *options)
{
    return options != NULL && (options->specified != 0 || options->flags != 0);
}

/* --- the options of the portals that found the target --- */

static bool tells_of(const struct instance *instance, const struct portal *portal)
{
    for (size_t i = 0; i < instance->portal_count; i++) {
        if (instance->portals[i].port == portal->socket &&
            name_equal(instance->portals[i].host, portal->address))
            return true;
    }
    return false;
}

static const struct login_options *options_of(const struct engine *engine,
                                              const struct instance *instance,
                                              const struct discovery_portal_list *portals)
{
    for (uint32_t i = 0; i < portals->count; i++) {
        const struct mechanism_key key = mechanism_of_portal(&portals->items[i]);
        if (catalogue_mechanism(&engine->catalogue, &key) == instance->mechanism &&
            login_options_given(portals->items[i].options))
            return portals->items[i].options;
    }
    return NULL;
}

/* Who told of the portal that is to be used comes first, then whoever found the target first. */
static const struct login_options *choose(const struct engine *engine,
                                          const struct known_target *target,
                                          const struct portal *portal,
                                          const struct discovery_portal_list *portals)
{
    const struct login_options *first = NULL;
    LIST_EACH(node, &target->instances)
    {
        const struct login_options *options = options_of(engine, INSTANCE(node), portals);
        if (options != NULL && portal_given(portal) && tells_of(INSTANCE(node), portal))
            return options;
        if (first == NULL)
            first = options;
    }
    return first;
}

static enum status take_from_portals(struct engine *engine, const struct known_target *target,
                                     const struct portal *portal, struct os_arena *arena,
                                     struct login_defaults *out)
{
    struct store *store;
    struct discovery_portal_list portals;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_portals(store, arena, true, &portals);
    if (status == STATUS_OK)
        out->options = choose(engine, target, portal, &portals);
    return status;
}

/* --- all of it --- */

enum status login_defaults(struct engine *engine, const struct request_login *request,
                           const struct known_target *target, struct os_arena *arena,
                           struct login_defaults *out)
{
    const struct static_target *described;
    *out = (struct login_defaults){.options = request->options, .mapping = request->mapping};
    enum status status = static_target_find(engine, request->target, arena, true, &described);
    if (status != STATUS_OK)
        return status;
    if (!login_options_given(out->options))
        out->options = NULL;
    if (described != NULL) {
        out->portals = described->portals;
        out->options = out->options != NULL ? out->options : described->options;
        out->mapping = out->mapping != NULL ? out->mapping : described->mapping;
    }
    if (out->options == NULL && target != NULL)
        status = take_from_portals(engine, target, request->portal, arena, out);
    return status;
}
