/* Which ways of discovering targets are open. */
#include "engine/adapter_settings.h"
#include "engine/isns.h"
#include "engine/static_targets.h"
#include "engine/watched_portals.h"
#include "protocol/isns.h"

#include <string.h>

static const char discovery_key[] = "discovery";
static const char server_key[] = "named_isns_server"; /* by set_discovery */

/* SendTargets finds targets only where one is known already (ISO/IEC 11989, 4.1.16). */
enum { PRIMARY = DISCOVERY_STATIC | DISCOVERY_ISNS };

enum status discovery_isns_servers(struct engine *engine, struct os_arena *arena,
                                   struct text_list *out)
{
    struct store *store;
    *out = (struct text_list){NULL, 0};
    enum status status = engine_store(engine, &store);
    if (status != STATUS_OK || !discovery_enabled(engine, DISCOVERY_ISNS))
        return status;
    return store_servers(store, SERVER_ISNS, arena, out);
}

/* The one that was named, else the first one; NULL: there is none. */
static const char *choose_server(const struct text_list *servers, const struct blob *named)
{
    for (uint32_t i = 0; i < servers->count; i++) {
        const char *server = servers->items[i];
        if (named->length > 0 && strlen(server) == named->length &&
            memcmp(server, named->data, named->length) == 0)
            return server;
    }
    return servers->count > 0 ? servers->items[0] : NULL;
}

void engine_get_discovery(struct engine_call *call)
{
    const struct adapter_settings *settings;
    struct text_list servers;
    struct reply_get_discovery reply = {0};
    struct store *store;
    struct blob named = {NULL, 0};
    enum status status = adapter_settings(call->engine, &settings);
    if (status == STATUS_OK)
        status = discovery_isns_servers(call->engine, &call->arena, &servers);
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_setting(store, server_key, &call->arena, &named);
    if (status == STATUS_OK) {
        reply.enabled = settings->discovery;
        reply.isns_server = choose_server(&servers, &named);
    }
    engine_finish(call, status, &reply);
}

/* --- the iSNS server --- */

static enum status forget_named(struct store *store, struct os_arena *arena)
{
    char address[PORTAL_HOST_MAX + 16];
    struct blob named;
    bool found;
    enum status status = store_setting(store, server_key, arena, &named);
    if (status != STATUS_OK || named.length == 0 || named.length >= sizeof address)
        return status;
    memcpy(address, named.data, named.length);
    address[named.length] = '\0';
    return store_remove_server(store, SERVER_ISNS, address, &found);
}

/* One that was on the list before is not taken off it later. */
static enum status name_server(struct engine *engine, const char *address)
{
    struct store *store;
    struct os_arena arena = {0};
    struct blob value = {NULL, 0};
    bool added = false;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = forget_named(store, &arena);
    if (status == STATUS_OK)
        status = store_add_server(store, SERVER_ISNS, address, &added);
    if (added)
        value = (struct blob){(const uint8_t *)address, (uint32_t)strlen(address)};
    if (status == STATUS_OK)
        status = store_set_setting(store, server_key, &value);
    os_arena_clear(&arena);
    return status;
}

/* --- setting --- */

static enum status check(const struct request_set_discovery *request, uint32_t enabled)
{
    struct portal_address where;
    bool known = request->method == DISCOVERY_STATIC || request->method == DISCOVERY_ISNS ||
                 request->method == DISCOVERY_SENDTARGETS;
    if (!known)
        return STATUS_INVALID_PARAMETER;
    if ((enabled & PRIMARY) == 0)
        return STATUS_LAST_DISCOVERY_METHOD;
    if (request->isns_server == NULL)
        return STATUS_OK;
    if (request->method != DISCOVERY_ISNS || !request->enabled)
        return STATUS_INVALID_PARAMETER;
    return server_parse(request->isns_server, ISNS_DEFAULT_PORT, &where) == STATUS_OK
               ? STATUS_OK
               : STATUS_INVALID_ADDRESS;
}

static void drop_found(struct engine *engine, enum mechanism_kind kind)
{
    LIST_EACH_SAFE(node, &engine->catalogue.mechanisms)
    {
        struct mechanism *mechanism = LIST_OWNER(node, struct mechanism, link);
        if (mechanism->key.kind == kind && mechanism->probes == 0)
            catalogue_drop_mechanism(&engine->catalogue, mechanism);
    }
}

/* What a method that is disabled now had found goes; one that is enabled now is asked with the next
 * look at the targets. */
static void apply(struct engine *engine, uint32_t method, bool enabled)
{
    static const struct text_list none;
    engine->explored = 0;
    if (method == DISCOVERY_STATIC) {
        engine->static_seen = 0;
        static_targets_sync(engine);
    } else if (method == DISCOVERY_ISNS && !enabled) {
        isns_servers_keep(engine, &none, true);
    } else if (method == DISCOVERY_SENDTARGETS) {
        watched_portals_enable(engine, enabled);
        if (!enabled)
            drop_found(engine, MECHANISM_SENDTARGETS);
    }
}

static enum status set(struct engine *engine, const struct request_set_discovery *request)
{
    struct store *store;
    const struct adapter_settings *settings;
    enum status status = adapter_settings(engine, &settings);
    if (status != STATUS_OK)
        return status;
    uint32_t enabled = settings->discovery & ~request->method;
    enabled |= request->enabled ? request->method : 0;
    const uint8_t byte = (uint8_t)enabled;
    const struct blob value = {&byte, 1};
    status = check(request, enabled);
    if (status == STATUS_OK)
        status = engine_store(engine, &store);
    if (status == STATUS_OK && request->isns_server != NULL)
        status = name_server(engine, request->isns_server);
    if (status == STATUS_OK)
        status = store_set_setting(store, discovery_key, &value);
    return status;
}

void engine_set_discovery(struct engine_call *call)
{
    const struct request_set_discovery *request = call->request;
    enum status status = set(call->engine, request);
    if (status == STATUS_OK) {
        adapter_settings_changed(call->engine);
        apply(call->engine, request->method, request->enabled != 0);
    }
    engine_finish(call, status, NULL);
}
