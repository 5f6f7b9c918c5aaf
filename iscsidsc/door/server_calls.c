/* Calls of the service's clients: from a message to the handler, and the reply back. */
#include "door/server_internal.h"

/* Lives until the handler has finished it, whether or not the client is still there. */
struct server_call {
    struct engine_call call;
    struct list link;             /* among the client's */
    struct server_client *client; /* NULL: gone */
    struct door_header header;
    struct door_buffer message; /* the decoded request leads into it */
};

static void reply(struct server_client *client, const struct door_header *request,
                  const struct operation_info *operation, enum status status, const void *value)
{
    struct door_buffer message = {0};
    struct door_header header = *request;
    header.status = (uint32_t)status;
    enum status made =
        door_message_encode(&message, &header, operation != NULL ? operation->reply : NULL, value);
    if (made != STATUS_OK) {
        header.status = (uint32_t)made;
        made = door_message_encode(&message, &header, NULL, NULL);
    }
    if (made == STATUS_OK)
        server_client_send(client, &message);
    else
        client->broken = true;
}

static void call_free(struct server_call *call)
{
    if (call->client != NULL) {
        list_remove(&call->link);
        call->client->call_count--;
    }
    os_arena_clear(&call->call.arena);
    door_buffer_clear(&call->message);
    os_free(call);
}

static void call_finished(struct engine_call *engine_call, enum status status, const void *value)
{
    struct server_call *call = engine_call->client;
    struct server_client *client = call->client;
    bool has_reply = status == STATUS_OK || status == STATUS_SCSI_STATUS;
    if (client == NULL) {
        call_free(call);
        return;
    }
    client->depth++;
    reply(client, &call->header, engine_call->operation, status, has_reply ? value : NULL);
    call_free(call);
    client->depth--;
    server_client_settle(client);
}

/* What of the request can be refused without the engine. */
static enum status open_call(struct server_call *call, const struct server_client *client)
{
    const struct door_server *server = client->server;
    const uint8_t *record;
    size_t length;
    enum status status = door_message_decode(&call->header, call->message.data,
                                             call->message.length, &record, &length);
    if (status != STATUS_OK)
        return status;
    const struct operation_info *operation = server->options.find(call->header.operation);
    call->call.operation = operation;
    if (operation == NULL)
        return STATUS_NOT_IMPLEMENTED;
    if (operation->effect != OPERATION_READS && client->access != DOOR_CHANGES)
        return STATUS_ACCESS_DENIED;
    void *request = os_arena_alloc(&call->call.arena, operation->request->size);
    if (request == NULL)
        return STATUS_NO_MEMORY;
    call->call.request = request;
    return door_decode(operation->request, record, length, request, &call->call.arena);
}

void server_call_run(struct server_client *client, struct door_buffer *message)
{
    struct server_call *call = os_alloc(sizeof *call);
    if (call == NULL) {
        door_buffer_clear(message);
        client->broken = true;
        return;
    }
    call->call = (struct engine_call){
        .engine = client->server->options.engine, .finished = call_finished, .client = call};
    list_init(&call->call.link);
    call->message = *message;
    *message = (struct door_buffer){0};
    call->client = client;
    list_append(&client->calls, &call->link);
    client->call_count++;
    enum status status = open_call(call, client);
    if (status == STATUS_OK) {
        call->call.operation->run(&call->call);
        return;
    }
    reply(client, &call->header, NULL, status, NULL);
    call_free(call);
}

void server_calls_drop(struct server_client *client)
{
    struct list *first;
    while ((first = list_first(&client->calls)) != NULL) {
        struct server_call *call = LIST_OWNER(first, struct server_call, link);
        list_remove(&call->link);
        client->call_count--;
        call->client = NULL;
        if (call->call.cancel != NULL)
            call->call.cancel(&call->call);
    }
}
