/* What is known of one target, as one of the mechanisms that found it tells. */
#include "engine/mechanism.h"
#include "engine/sessions.h"
#include "engine/static_targets.h"
#include "engine/target_info.h"

#define INSTANCE(node) LIST_OWNER(node, struct instance, of_target)

/* --- mechanisms --- */

static bool listed(const struct text_list *names, const char *name)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (mechanism_names_equal(names->items[i], name))
            return true;
    }
    return false;
}

static enum status list_mechanisms(const struct known_target *target, struct os_arena *arena,
                                   struct text_list *out)
{
    size_t room = 0;
    LIST_EACH(node, &target->instances)
    {
        room++;
    }
    const char **items = os_arena_alloc(arena, room * sizeof(*items));
    if (items == NULL)
        return STATUS_NO_MEMORY;
    *out = (struct text_list){items, 0};
    LIST_EACH(node, &target->instances)
    {
        const char *name = mechanism_name(INSTANCE(node)->mechanism, arena);
        if (name == NULL)
            return STATUS_NO_MEMORY;
        if (!listed(out, name))
            items[out->count++] = name;
    }
    return STATUS_OK;
}

/* Nothing named: the first that found it. */
static enum status choose_instance(const struct known_target *target, const char *mechanism,
                                   struct os_arena *arena, const struct instance **out)
{
    LIST_EACH(node, &target->instances)
    {
        *out = INSTANCE(node);
        if (mechanism == NULL || mechanism[0] == '\0')
            return STATUS_OK;
        const char *name = mechanism_name(INSTANCE(node)->mechanism, arena);
        if (name == NULL)
            return STATUS_NO_MEMORY;
        if (mechanism_names_equal(name, mechanism))
            return STATUS_OK;
    }
    return STATUS_MECHANISM_NOT_FOUND;
}

/* --- the alias --- */

static const char *alias_of_session(const struct engine *engine, const char *target)
{
    LIST_EACH(node, &engine->sessions)
    {
        const struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        if (session->state != ENGINE_SESSION_LOGIN && name_equal(session->target, target)) {
            const char *alias = session_target_alias(contact_session(session->contact));
            if (alias_valid(alias)) /* a target may say anything */
                return alias;
        }
    }
    return "";
}

/* What the user calls it, then what this mechanism, any other, or the target itself does. */
static const char *choose_alias(const struct engine *engine, const struct instance *instance)
{
    const char *alias = instance->alias;
    LIST_EACH(node, &instance->target->instances)
    {
        const struct instance *other = INSTANCE(node);
        if (other->alias != NULL &&
            (alias == NULL || other->mechanism->key.kind == MECHANISM_STATIC))
            alias = other->alias;
    }
    return alias != NULL ? alias : alias_of_session(engine, instance->target->name);
}

/* --- portal groups --- */

static struct portal_group *group_of(struct portal_group *groups, uint32_t *count, uint16_t tag)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (groups[i].tag == tag)
            return &groups[i];
    }
    groups[*count] = (struct portal_group){.tag = tag};
    return &groups[(*count)++];
}

/* The portals of one tag are counted first, and get their places in one array. */
static enum status list_groups(const struct instance *instance, struct os_arena *arena,
                               struct portal_group_list *out)
{
    size_t room = instance->portal_count + 1;
    struct portal_group *groups = os_arena_alloc(arena, room * sizeof *groups);
    struct portal *portals = os_arena_alloc(arena, room * sizeof *portals);
    uint32_t count = 0, filled = 0;
    if (groups == NULL || portals == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < instance->portal_count; i++)
        group_of(groups, &count, instance->portals[i].group);
    for (uint32_t g = 0; g < count; g++) {
        groups[g].portals.items = portals + filled;
        for (size_t i = 0; i < instance->portal_count; i++) {
            const struct target_portal *portal = &instance->portals[i];
            if (portal->group != groups[g].tag)
                continue;
            portals[filled++] = (struct portal){portal->symbolic_name, portal->host, portal->port};
            groups[g].portals.count++;
        }
    }
    *out = (struct portal_group_list){groups, count};
    return STATUS_OK;
}

/* A group was given, though it is empty. */
static enum status add_empty_group(struct os_arena *arena, struct portal_group_list *groups)
{
    struct portal_group *empty = os_arena_alloc(arena, sizeof *empty);
    if (empty == NULL)
        return STATUS_NO_MEMORY;
    *groups = (struct portal_group_list){empty, 1};
    return STATUS_OK;
}

/* --- what is stored --- */

static enum status describe_static(struct engine *engine, const struct instance *instance,
                                   struct os_arena *arena, struct reply_get_target *reply)
{
    const struct static_target *found;
    enum status status = static_target_find(engine, instance->target->name, arena, false, &found);
    if (status != STATUS_OK || found == NULL)
        return status;
    reply->flags = found->flags;
    reply->options = found->options;
    reply->mapping = found->mapping;
    if (found->grouped && reply->groups.count == 0)
        status = add_empty_group(arena, &reply->groups);
    return status;
}

static enum status describe_found(struct engine *engine, const struct instance *instance,
                                  struct os_arena *arena, struct reply_get_target *reply)
{
    struct store *store;
    struct discovery_portal_list portals;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_portals(store, arena, false, &portals);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < portals.count; i++) {
        const struct mechanism_key key = mechanism_of_portal(&portals.items[i]);
        if (catalogue_mechanism(&engine->catalogue, &key) == instance->mechanism)
            reply->options = portals.items[i].options;
    }
    return STATUS_OK;
}

/* Units that the target itself has no places for may have some by a login that is stored. */
static enum status add_stored_mapping(struct engine *engine, const char *target,
                                      struct os_arena *arena, struct reply_get_target *reply)
{
    struct store *store;
    struct persistent_login_list logins;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_logins(store, arena, false, &logins);
    for (uint32_t i = 0; status == STATUS_OK && reply->mapping == NULL && i < logins.count; i++) {
        if (name_equal(logins.items[i].target, target))
            reply->mapping = logins.items[i].mapping;
    }
    return status;
}

/* --- the answer --- */

static enum status describe(struct engine_call *call, const struct instance *instance,
                            struct reply_get_target *reply)
{
    struct engine *engine = call->engine;
    reply->alias = choose_alias(engine, instance);
    reply->initiator = INITIATOR_INSTANCE;
    enum status status = list_groups(instance, &call->arena, &reply->groups);
    if (status == STATUS_OK && instance->mechanism->key.kind == MECHANISM_STATIC)
        status = describe_static(engine, instance, &call->arena, reply);
    if (status == STATUS_OK && instance->mechanism->key.kind == MECHANISM_SENDTARGETS)
        status = describe_found(engine, instance, &call->arena, reply);
    if (status == STATUS_OK)
        status = add_stored_mapping(engine, instance->target->name, &call->arena, reply);
    return status;
}

void target_info_answer(struct engine_call *call)
{
    const struct request_get_target *request = call->request;
    struct reply_get_target reply = {0};
    const struct instance *instance = NULL;
    const struct known_target *target = catalogue_find(&call->engine->catalogue, request->target);
    enum status status = target != NULL ? STATUS_OK : STATUS_TARGET_NOT_FOUND;
    if (status == STATUS_OK)
        status = list_mechanisms(target, &call->arena, &reply.mechanisms);
    if (status == STATUS_OK)
        status = choose_instance(target, request->mechanism, &call->arena, &instance);
    if (status == STATUS_OK)
        status = describe(call, instance, &reply);
    engine_finish(call, status, &reply);
}
