#include "engine/server_lists.h"
#include "protocol/isns.h"
#include "protocol/radius.h"

static const struct {
    uint16_t port; /* where none is given */
    enum status not_found;
} kinds[] = {
    [SERVER_ISNS] = {ISNS_DEFAULT_PORT, STATUS_ISNS_SERVER_NOT_FOUND},
    [SERVER_RADIUS] = {RADIUS_PORT, STATUS_RADIUS_SERVER_NOT_FOUND},
};

enum status server_address(enum server_kind kind, const char *address, struct portal_address *where)
{
    if (address == NULL || server_parse(address, kinds[kind].port, where) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    return STATUS_OK;
}

enum status server_list(struct engine_call *call, enum server_kind kind, struct text_list *out)
{
    struct store *store;
    enum status status = engine_store(call->engine, &store);
    return status == STATUS_OK ? store_servers(store, kind, &call->arena, out) : status;
}

enum status server_find(struct engine_call *call, enum server_kind kind, const char *address,
                        const char **listed)
{
    struct portal_address wanted, where;
    struct text_list servers = {0};
    *listed = NULL;
    enum status status = server_address(kind, address, &wanted);
    if (status == STATUS_OK)
        status = server_list(call, kind, &servers);
    for (uint32_t i = 0; status == STATUS_OK && i < servers.count; i++) {
        if (server_address(kind, servers.items[i], &where) == STATUS_OK &&
            where.port == wanted.port && name_equal(where.host, wanted.host))
            *listed = servers.items[i];
    }
    return status;
}

enum status server_add(struct engine_call *call, enum server_kind kind, const char *address)
{
    const char *listed;
    struct store *store;
    bool added;
    enum status status = server_find(call, kind, address, &listed);
    if (status != STATUS_OK || listed != NULL)
        return status;
    status = engine_store(call->engine, &store);
    return status == STATUS_OK ? store_add_server(store, kind, address, &added) : status;
}

enum status server_remove(struct engine_call *call, enum server_kind kind, const char *address)
{
    const char *listed;
    struct store *store;
    bool found = false;
    enum status status = server_find(call, kind, address, &listed);
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK && listed != NULL)
        status = store_remove_server(store, kind, listed, &found);
    return status == STATUS_OK && !found ? kinds[kind].not_found : status;
}
