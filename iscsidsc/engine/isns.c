/* The list of iSNS servers: add, remove, refresh, list. */
#include "engine/isns.h"
#include "engine/adapter_settings.h"
#include "engine/server_lists.h"
#include "os/memory.h"

#include <string.h>

/* A call that waits for one server's answer. */
struct server_call {
    struct probe_waiter waiter;
    struct engine_call *call;
};

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
    enum status status = server_add(call, SERVER_ISNS, request->address);
    if (status == STATUS_OK && discovery_enabled(call->engine, DISCOVERY_ISNS))
        ask(call, request->address);
    else
        engine_finish(call, status, NULL);
}

/* What was found through the server stays known. */
void engine_remove_isns_server(struct engine_call *call)
{
    const struct request_remove_isns_server *request = call->request;
    struct text_list servers;
    enum status status = server_remove(call, SERVER_ISNS, request->address);
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
    const char *listed;
    if (!discovery_enabled(call->engine, DISCOVERY_ISNS)) {
        engine_finish(call, STATUS_NOT_SUPPORTED, NULL);
        return;
    }
    if (request->address == NULL || strcmp(request->address, "*") == 0) {
        ask_all(call);
        return;
    }
    enum status status = server_find(call, SERVER_ISNS, request->address, &listed);
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
    enum status status = server_list(call, SERVER_ISNS, &reply.names);
    engine_finish(call, status, &reply);
}
