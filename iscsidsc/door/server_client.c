/* One client of the service: its bytes in and out, and how it proves itself. */
#include "door/server_internal.h"
#include "os/crypto.h"

#include <string.h>

/* --- coming and going --- */

static void on_ready(struct os_watch *watch, unsigned events);
static void on_timer(struct os_timer *timer);

static void output_free(struct server_output *output)
{
    list_remove(&output->link);
    door_buffer_clear(&output->message);
    os_free(output);
}

static void set_proved(struct server_client *client)
{
    if (list_empty(&client->unproved))
        return;
    list_remove(&client->unproved);
    client->server->unproved_count--;
}

static void set_unproved(struct server_client *client)
{
    struct door_server *server = client->server;
    if (!list_empty(&client->unproved))
        return;
    list_append(&server->unproved, &client->unproved);
    server->unproved_count++;
}

void server_client_close(struct server_client *client)
{
    struct door_server *server = client->server;
    struct list *first;
    client->depth++; /* a cancelled call must not close it again */
    client->broken = true;
    server_calls_drop(client);
    os_watch_stop(&client->watch);
    os_timer_clear(&client->timer);
    os_close(client->watch.socket);
    set_proved(client);
    list_remove(&client->link);
    server->client_count--;
    while ((first = list_first(&client->output)) != NULL)
        output_free(LIST_OWNER(first, struct server_output, link));
    door_buffer_clear(&client->message);
    door_buffer_clear(&client->waiting);
    handshake_clear(&client->handshake);
    os_free(client);
    server_client_gone(server);
}

/* A stranger cannot fill the table: the oldest of those who have not proved themselves goes. */
static void make_room(struct door_server *server)
{
    if (server->unproved_count >= DOOR_UNPROVED_MAX)
        server_client_close(
            LIST_OWNER(list_first(&server->unproved), struct server_client, unproved));
}

struct server_client *server_client_new(struct door_server *server, os_socket socket,
                                        enum client_stage stage, enum door_access access)
{
    if (stage != CLIENT_OPEN)
        make_room(server);
    struct server_client *client = os_alloc(sizeof *client);
    if (client == NULL) {
        os_abort(socket);
        return NULL;
    }
    client->server = server;
    client->stage = stage;
    client->access = access;
    client->watch = (struct os_watch){.socket = socket, .ready = on_ready};
    client->timer.fire = on_timer;
    list_init(&client->unproved);
    list_init(&client->calls);
    list_init(&client->output);
    list_append(&server->clients, &client->link);
    server->client_count++;
    os_timer_clear(&server->idle_timer);
    bool good = os_watch_start(server->options.loop, &client->watch, OS_READABLE);
    if (good && stage != CLIENT_OPEN) {
        set_unproved(client);
        good = os_timer_set(server->options.loop, &client->timer, os_now() + DOOR_UNPROVED_TIME);
    }
    if (good)
        return client;
    server_client_close(client);
    return NULL;
}

static void on_timer(struct os_timer *timer)
{
    server_client_close(LIST_OWNER(timer, struct server_client, timer));
}

/* --- out --- */

static bool is_full(const struct server_client *client)
{
    return client->call_count >= SERVER_CALL_MAX || client->output_bytes >= SERVER_OUTPUT_MAX;
}

/* False: the socket takes no more, or is broken. */
static bool send_first(struct server_client *client)
{
    struct list *first = list_first(&client->output);
    if (first == NULL)
        return false;
    struct server_output *output = LIST_OWNER(first, struct server_output, link);
    enum status status;
    struct iov piece = {output->message.data + output->sent, output->message.length - output->sent};
    long sent = os_send(client->watch.socket, &piece, 1, &status);
    if (sent < 0)
        client->broken = true;
    if (sent <= 0)
        return false;
    output->sent += (size_t)sent;
    client->output_bytes -= (size_t)sent;
    if (output->sent == output->message.length)
        output_free(output);
    return true;
}

static void flush(struct server_client *client)
{
    while (!client->broken && send_first(client))
        ;
    if (client->stage == CLIENT_LEAVING && list_empty(&client->output) && !client->broken)
        os_shutdown_send(client->watch.socket);
}

void server_client_send(struct server_client *client, struct door_buffer *message)
{
    struct server_output *output = os_alloc(sizeof *output);
    if (output == NULL) {
        door_buffer_clear(message);
        client->broken = true;
        return;
    }
    output->message = *message;
    *message = (struct door_buffer){0};
    list_append(&client->output, &output->link);
    client->output_bytes += output->message.length;
    flush(client);
}

void server_client_send_control(struct server_client *client, enum door_control control,
                                uint32_t call, enum status status, const void *body, size_t length)
{
    struct door_buffer message = {0};
    if (door_control_encode(&message, control, call, status, body, length) == STATUS_OK) {
        server_client_send(client, &message);
        return;
    }
    door_buffer_clear(&message);
    client->broken = true;
}

/* Closing at once could take the refusal with it: unread data makes a close a reset. */
void server_client_refuse(struct server_client *client, enum status status,
                          const struct os_peer *peer)
{
    struct os_loop *loop = client->server->options.loop;
    bool proved = client->stage == CLIENT_OPEN && client->access != DOOR_NOTHING;
    if (!proved)
        server_report(client->server, DOOR_EVENT_REFUSED, status, peer);
    client->stage = CLIENT_LEAVING;
    set_unproved(client);
    if (!os_timer_set(loop, &client->timer, os_now() + DOOR_UNPROVED_TIME))
        client->broken = true;
    server_client_send_control(client, DOOR_REFUSAL, 0, status, NULL, 0);
}

/* --- proving --- */

static void take_hello(struct server_client *client, const uint8_t *body, size_t length)
{
    uint8_t answer[HANDSHAKE_ANSWER];
    client->handshake.credentials = client->server->credentials;
    enum status status = length == HANDSHAKE_HELLO
                             ? handshake_service_answer(&client->handshake, body, answer)
                             : STATUS_MESSAGE_INVALID;
    if (status != STATUS_OK) {
        server_client_refuse(client, status, NULL);
        return;
    }
    client->stage = CLIENT_PROOF;
    server_client_send_control(client, DOOR_HELLO, 0, STATUS_OK, answer, sizeof answer);
}

static void take_proof(struct server_client *client, const uint8_t *body, size_t length)
{
    enum status status = length == HANDSHAKE_PROOF
                             ? handshake_service_check(&client->handshake, body)
                             : STATUS_MESSAGE_INVALID;
    handshake_clear(&client->handshake);
    if (status == STATUS_OK && client->server->client_count > DOOR_CONNECTION_MAX)
        status = STATUS_BUSY;
    if (status != STATUS_OK) {
        server_client_refuse(client, status, NULL);
        return;
    }
    client->stage = CLIENT_OPEN;
    client->access = DOOR_CHANGES;
    set_proved(client);
    os_timer_clear(&client->timer);
    server_client_send_control(client, DOOR_PROOF, 0, STATUS_OK, NULL, 0);
}

/* --- in --- */

static void take_message(struct server_client *client)
{
    struct door_header header;
    door_header_decode(&header, client->message.data);
    const uint8_t *body = client->message.data + DOOR_HEADER;
    size_t length = client->message.length - DOOR_HEADER;
    if (client->stage == CLIENT_HELLO && header.operation == DOOR_HELLO)
        take_hello(client, body, length);
    else if (client->stage == CLIENT_PROOF && header.operation == DOOR_PROOF)
        take_proof(client, body, length);
    else if (client->stage != CLIENT_OPEN)
        server_client_refuse(client, STATUS_ACCESS_DENIED, NULL);
    else if (header.operation == DOOR_PING)
        server_client_send_control(client, DOOR_PING, header.call, STATUS_OK, NULL, 0);
    else
        server_call_run(client, &client->message);
    door_buffer_clear(&client->message);
    client->have = client->want = 0;
}

static size_t message_most(const struct server_client *client)
{
    if (client->stage != CLIENT_OPEN)
        return HANDSHAKE_MESSAGE_MAX;
    return client->access == DOOR_CHANGES ? DOOR_MESSAGE_MAX : DOOR_READER_MESSAGE_MAX;
}

/* The header is complete: is what it announces acceptable? */
static enum status take_header(struct server_client *client)
{
    struct door_header header;
    enum status status = door_header_decode(&header, client->header);
    if (header.version != DOOR_VERSION)
        return STATUS_SERVICE_VERSION;
    if (status != STATUS_OK)
        return status;
    if ((size_t)header.length + 4 > message_most(client))
        return STATUS_MESSAGE_INVALID;
    client->want = (size_t)header.length + 4;
    status = door_buffer_reserve(&client->message, DOOR_HEADER);
    if (status == STATUS_OK) {
        memcpy(client->message.data, client->header, DOOR_HEADER);
        client->message.length = DOOR_HEADER;
    }
    return status;
}

static size_t copy_some(uint8_t *to, size_t missing, const uint8_t *data, size_t length)
{
    size_t taken = length < missing ? length : missing;
    memcpy(to, data, taken);
    return taken;
}

/* Takes bytes up to the end of the header or of the message; returns how many. Memory grows with
 * what has come, not with what is announced. */
static size_t take_bytes(struct server_client *client, const uint8_t *data, size_t length)
{
    enum status status = STATUS_OK;
    size_t taken;
    if (client->want == 0) {
        taken = copy_some(client->header + client->have, DOOR_HEADER - client->have, data, length);
        client->have += taken;
        if (client->have == DOOR_HEADER)
            status = take_header(client);
    } else {
        taken = client->want - client->have < length ? client->want - client->have : length;
        status = door_buffer_reserve(&client->message, taken);
        if (status == STATUS_OK) {
            memcpy(client->message.data + client->message.length, data, taken);
            client->message.length += taken;
            client->have += taken;
        }
    }
    if (status != STATUS_OK)
        server_client_refuse(client, status, NULL);
    else if (client->want > 0 && client->have == client->want)
        take_message(client);
    return taken;
}

static bool takes_messages(const struct server_client *client)
{
    return !client->broken && client->stage != CLIENT_LEAVING && !is_full(client);
}

/* Returns how many bytes were taken: all, unless the client has to wait. */
static size_t take_some(struct server_client *client, const uint8_t *data, size_t length)
{
    size_t taken = 0;
    while (taken < length && takes_messages(client))
        taken += take_bytes(client, data + taken, length - taken);
    return client->stage == CLIENT_LEAVING ? length : taken;
}

static void keep_waiting(struct server_client *client, const uint8_t *data, size_t length)
{
    if (length == 0)
        return;
    if (door_buffer_reserve(&client->waiting, length) != STATUS_OK) {
        client->broken = true;
        return;
    }
    memcpy(client->waiting.data + client->waiting.length, data, length);
    client->waiting.length += length;
}

static void take_waiting(struct server_client *client)
{
    struct door_buffer waiting = client->waiting;
    client->waiting = (struct door_buffer){0};
    size_t taken = take_some(client, waiting.data, waiting.length);
    keep_waiting(client, waiting.data + taken, waiting.length - taken);
    door_buffer_clear(&waiting);
}

static void receive(struct server_client *client)
{
    struct door_server *server = client->server;
    enum status status;
    struct iov piece = {server->scratch, sizeof server->scratch};
    long got = os_receive(client->watch.socket, &piece, 1, &status);
    if (got < 0) {
        client->broken = true;
        return;
    }
    size_t taken = take_some(client, server->scratch, (size_t)got);
    keep_waiting(client, server->scratch + taken, (size_t)got - taken);
    os_wipe(server->scratch, (size_t)got);
}

void server_client_settle(struct server_client *client)
{
    if (client->depth > 0)
        return;
    client->depth++;
    if (client->waiting.length > 0 && takes_messages(client))
        take_waiting(client);
    client->depth--;
    if (client->broken) {
        server_client_close(client);
        return;
    }
    bool reads = !is_full(client) && client->waiting.length == 0;
    os_watch_events(&client->watch,
                    (reads ? OS_READABLE : 0u) | (list_empty(&client->output) ? 0u : OS_WRITABLE));
}

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct server_client *client = LIST_OWNER(watch, struct server_client, watch);
    client->depth++;
    if (events & OS_WRITABLE)
        flush(client);
    if ((events & OS_READABLE) && !client->broken)
        receive(client);
    client->depth--;
    server_client_settle(client);
}
