/* The list of iSNS servers: add, remove, refresh, list. */
#include "engine/isns.h"
#include "engine/adapter_settings.h"
#include "os/memory.h"
#include "protocol/isns.h"

#include <string.h>

/* A call that waits for one server's answer. */
struct server_call {
    struct probe_waiter waiter;
    struct engine_call *call;
};

static enum status check(const char *address, struct portal_address *where)
{
    if (address == NULL || server_parse(address, ISNS_DEFAULT_PORT, where) != STATUS_OK)
        return STATUS_INVALID_PARAMETER;
    return STATUS_OK;
}

/* As the list spells it; NULL: it is not on the list. */
static const char *find(const struct text_list *servers, const struct portal_address *wanted)
{
    for (uint32_t i = 0; i < servers->count; i++) {
        struct portal_address where;
        if (check(servers->items[i], &where) == STATUS_OK && where.port == wanted->port &&
            name_equal(where.host, wanted->host))
            return servers->items[i];
    }
    return NULL;
}

/* Also INVALID_PARAMETER when the address is none. `*listed` NULL: it is not on the list. */
static enum status look_up(struct engine_call *call, const char *address, struct store **store,
                           const char **listed)
{
    struct portal_address wanted;
    struct text_list servers;
    enum status status = check(address, &wanted);
    if (status == STATUS_OK)
        status = engine_store(call->engine, store);
    if (status == STATUS_OK)
        status = store_servers(*store, SERVER_ISNS, &call->arena, &servers);
    if (status == STATUS_OK)
        *listed = find(&servers, &wanted);
    return status;
}

/* --- waiting for the answer --- */

static void on_answer(struct probe_waiter *waiter, enum status status)
{
    struct server_call *state = LIST_OWNER(waiter, struct server_call, waiter);
    struct engine_call *call = state->call;
    os_free(state);
    engine_finish(call, status, NULL);
}

static void cancel(struct engine_call *call)
{
    struct server_call *state = call->state;
    list_remove(&state->waiter.link);
    os_free(state);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static void ask(struct engine_call *call, const char *address)
{
    struct server_call *state = os_alloc(sizeof *state);
    enum status status = STATUS_NO_MEMORY;
    bool waiting = false;
    if (state != NULL) {
        state->call = call;
        state->waiter.done = on_answer;
        status = isns_servers_ask(call->engine, address, EXPLORE_ISNS, UINT64_MAX, &state->waiter,
                                  &waiting);
    }
    if (waiting) {
        engine_pend(call, cancel, state);
    } else {
        os_free(state);
        engine_finish(call, status, NULL);
    }
}

/* --- the operations --- */

/* The server stays on the list when it does not answer. */
void engine_add_isns_server(struct engine_call *call)
{
    const struct request_add_isns_server *request = call->request;
    const char *listed = NULL;
    struct store *store;
    bool added;
    enum status status = look_up(call, request->address, &store, &listed);
    if (status == STATUS_OK && listed == NULL)
        status = store_add_server(store, SERVER_ISNS, request->address, &added);
    if (status == STATUS_OK && discovery_enabled(call->engine, DISCOVERY_ISNS))
        ask(call, request->address);
    else
        engine_finish(call, status, NULL);
}

/* What was found through the server stays known. */
void engine_remove_isns_server(struct engine_call *call)
{
    const struct request_remove_isns_server *request = call->request;
    const char *listed = NULL;
    struct text_list servers;
    struct store *store;
    bool found = false;
    enum status status = look_up(call, request->address, &store, &listed);
    if (status == STATUS_OK && listed != NULL)
        status = store_remove_server(store, SERVER_ISNS, listed, &found);
    if (status == STATUS_OK && !found)
        status = STATUS_ISNS_SERVER_NOT_FOUND;
    if (status == STATUS_OK &&
        discovery_isns_servers(call->engine, &call->arena, &servers) == STATUS_OK)
        isns_servers_keep(call->engine, &servers, false);
    engine_finish(call, status, NULL);
}

static void on_explored(void *context, enum status status)
{
    engine_finish(context, status, NULL);
}

static void cancel_all(struct engine_call *call)
{
    exploration_cancel(call->state);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static void ask_all(struct engine_call *call)
{
    struct exploration *exploration;
    enum status status =
        exploration_start(call->engine, EXPLORE_ISNS, on_explored, call, &exploration);
    if (exploration != NULL)
        engine_pend(call, cancel_all, exploration);
    else
        engine_finish(call, status, NULL);
}

void engine_refresh_isns_server(struct engine_call *call)
{
    const struct request_refresh_isns_server *request = call->request;
    const char *listed = NULL;
    struct store *store;
    if (!discovery_enabled(call->engine, DISCOVERY_ISNS)) {
        engine_finish(call, STATUS_NOT_SUPPORTED, NULL);
        return;
    }
    if (request->address == NULL || strcmp(request->address, "*") == 0) {
        ask_all(call);
        return;
    }
    enum status status = look_up(call, request->address, &store, &listed);
    if (status == STATUS_OK && listed == NULL)
        status = STATUS_ISNS_SERVER_NOT_FOUND;
    if (status == STATUS_OK)
        ask(call, listed);
    else
        engine_finish(call, status, NULL);
}

void engine_list_isns_servers(struct engine_call *call)
{
    struct reply_list_isns_servers reply = {0};
    struct store *store;
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_servers(store, SERVER_ISNS, &call->arena, &reply.names);
    engine_finish(call, status, &reply);
}
