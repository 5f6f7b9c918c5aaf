#include "engine/radius.h"
#include "engine/server_lists.h"
#include "os/crypto.h"

#include <string.h>

static const char secret_key[] = "radius_secret";

/* --- servers --- */

/* Nothing is asked of the server yet: only a login has a question. */
void engine_add_radius_server(struct engine_call *call)
{
    const struct request_add_radius_server *request = call->request;
    engine_finish(call, server_add(call, SERVER_RADIUS, request->address), NULL);
}

void engine_remove_radius_server(struct engine_call *call)
{
    const struct request_remove_radius_server *request = call->request;
    engine_finish(call, server_remove(call, SERVER_RADIUS, request->address), NULL);
}

void engine_list_radius_servers(struct engine_call *call)
{
    struct reply_list_radius_servers reply = {0};
    enum status status = server_list(call, SERVER_RADIUS, &reply.names);
    engine_finish(call, status, &reply);
}

/* --- the secret --- */

static bool secret_valid(const struct blob *secret)
{
    return secret->length >= RADIUS_SECRET_LEAST && secret->length <= RADIUS_SECRET_MOST;
}

void engine_set_radius_secret(struct engine_call *call)
{
    const struct request_set_radius_secret *request = call->request;
    struct store *store;
    struct blob secret = request->secret;
    if (secret.length == 0)
        secret.data = NULL;
    if (secret.data != NULL && !secret_valid(&secret)) {
        engine_finish(call, STATUS_INVALID_PARAMETER, NULL);
        return;
    }
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_set_setting(store, secret_key, &secret);
    engine_finish(call, status, NULL);
}

static enum status read_secret(struct store *store, struct os_arena *arena,
                               struct radius_configuration *out)
{
    struct blob value = {NULL, 0};
    enum status status = store_setting(store, secret_key, arena, &value);
    if (status != STATUS_OK || value.data == NULL)
        return status;
    if (secret_valid(&value)) {
        memcpy(out->secret, value.data, value.length);
        out->secret_length = value.length;
    } else {
        status = STATUS_STORE_DAMAGED;
    }
    os_wipe((void *)(uintptr_t)value.data, value.length);
    return status;
}

/* --- for logins --- */

static enum status read_servers(struct store *store, struct os_arena *arena,
                                struct radius_configuration *out)
{
    struct text_list servers;
    enum status status = store_servers(store, SERVER_RADIUS, arena, &servers);
    if (status != STATUS_OK || servers.count == 0)
        return status;
    out->servers = os_arena_alloc(arena, servers.count * sizeof *out->servers);
    if (out->servers == NULL)
        return STATUS_NO_MEMORY;
    for (; out->count < servers.count; out->count++) {
        if (server_address(SERVER_RADIUS, servers.items[out->count], &out->servers[out->count]) !=
            STATUS_OK)
            return STATUS_STORE_DAMAGED;
    }
    return STATUS_OK;
}

enum status radius_configuration(struct engine *engine, struct os_arena *arena,
                                 struct radius_configuration *out)
{
    struct store *store;
    *out = (struct radius_configuration){0};
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = read_servers(store, arena, out);
    if (status == STATUS_OK)
        status = read_secret(store, arena, out);
    if (status == STATUS_OK && (out->count == 0 || out->secret_length == 0))
        status = STATUS_RADIUS_NOT_CONFIGURED;
    if (status != STATUS_OK)
        os_wipe(out, sizeof *out);
    return status;
}

enum status radius_check(struct engine *engine)
{
    struct radius_configuration configuration;
    struct os_arena arena = {0};
    enum status status = radius_configuration(engine, &arena, &configuration);
    os_wipe(&configuration, sizeof configuration);
    os_arena_clear(&arena);
    return status;
}
