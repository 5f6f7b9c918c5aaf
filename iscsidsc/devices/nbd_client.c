/*
 * A client of an NBD export: first it negotiates, one option at a time, then it sends requests, and
 * gets replies in whatever order they end.
 */
#include "devices/nbd_client.h"
#include "os/memory.h"

#include <string.h>

enum {
    /* What comes behind the data of a large write is copied once more, so little of it is taken. */
    LARGE_DATA = 32 << 10,
    INPUT_ROOM_LARGE = 8 << 10,
    READ_MOST = 2 << 20,   /* one busy client must not starve the others of the thread */
    REQUESTS_MOST = 256,   /* under way, of a client */
    BYTES_MOST = 64 << 20, /* the same, of data */
    REPLIES_BATCH = 31,    /* to a system call */
    SEND_ROOM = 1 << 20,   /* a large read is sent with one wake-up and not with ten */
};

/* --- input --- */

static void stop_reading(struct nbd_client *client)
{
    client->state = CLIENT_ENDING;
    client->input_length = 0;
}

static size_t take_flags(struct nbd_client *client, const uint8_t *input, size_t length)
{
    if (length < NBD_CLIENT_FLAGS_LENGTH)
        return 0;
    client->flags = get_be32(input);
    client->state = CLIENT_OPTIONS;
    if ((client->flags & ~(uint32_t)(NBD_CLIENT_FIXED_NEWSTYLE | NBD_CLIENT_NO_ZEROES)) != 0)
        stop_reading(client);
    return NBD_CLIENT_FLAGS_LENGTH;
}

static size_t take_option(struct nbd_client *client, const uint8_t *input, size_t length)
{
    struct nbd_option option;
    if (length < NBD_OPTION_LENGTH || client->output_length > 0)
        return 0;
    if (!nbd_decode_option(&option, input) || option.length > NBD_OPTION_DATA_MOST) {
        stop_reading(client);
        return 0;
    }
    if (length < NBD_OPTION_LENGTH + option.length)
        return 0;
    nbd_facts(client->export, &client->facts);
    enum nbd_next next =
        nbd_answer(&client->facts, client->flags, &option, input + NBD_OPTION_LENGTH,
                   client->output, &client->output_length);
    if (next == NBD_NEXT_REQUEST)
        client->state = CLIENT_REQUESTS;
    if (next == NBD_NEXT_END)
        stop_reading(client);
    return NBD_OPTION_LENGTH + option.length;
}

static size_t take_data(struct nbd_client *client, const uint8_t *input, size_t length)
{
    struct nbd_io *request = client->filling;
    size_t missing = request->wire.length - request->filled;
    size_t taken = length < missing ? length : missing;
    memcpy(request->data + request->filled, input, taken);
    request->filled += taken;
    if (request->filled == request->wire.length)
        nbd_io_filled(client);
    return taken;
}

static size_t take_request_header(struct nbd_client *client, const uint8_t *input, size_t length)
{
    struct nbd_request wire;
    if (length < NBD_REQUEST_LENGTH)
        return 0;
    if (!nbd_decode_request(&wire, input) || wire.command == NBD_DISCONNECT ||
        !nbd_io_begin(client, &wire))
        stop_reading(client);
    return NBD_REQUEST_LENGTH;
}

static bool is_full(const struct nbd_client *client)
{
    return client->request_count >= REQUESTS_MOST || client->bytes >= BYTES_MOST;
}

static size_t take(struct nbd_client *client, const uint8_t *input, size_t length)
{
    switch (client->state) {
    case CLIENT_FLAGS:
        return take_flags(client, input, length);
    case CLIENT_OPTIONS:
        return take_option(client, input, length);
    case CLIENT_REQUESTS:
        if (client->filling != NULL)
            return take_data(client, input, length);
        return is_full(client) ? 0 : take_request_header(client, input, length);
    default:
        return 0;
    }
}

/* Takes what it can of the input. */
static void digest(struct nbd_client *client)
{
    size_t used = 0;
    size_t taken;
    client->delivering = true;
    do {
        taken = client->input_length > used
                    ? take(client, client->input + used, client->input_length - used)
                    : 0;
        used += taken;
    } while (taken > 0 && client->state < CLIENT_ENDING);
    client->delivering = false;
    if (client->state >= CLIENT_ENDING)
        return;
    client->input_length -= used;
    memmove(client->input, client->input + used, client->input_length);
}

static size_t input_room(const struct nbd_client *client)
{
    const struct nbd_io *request = client->filling;
    size_t room = NBD_INPUT_ROOM - client->input_length;
    bool large = request != NULL && request->wire.length - request->filled >= LARGE_DATA;
    return large && room > INPUT_ROOM_LARGE ? INPUT_ROOM_LARGE : room;
}

/* Bytes; 0: there is nothing more now, -1: the connection is over. */
static long receive_once(struct nbd_client *client, bool *more)
{
    struct nbd_io *request = client->filling;
    size_t missing = request == NULL ? 0 : request->wire.length - request->filled;
    struct iov pieces[2];
    size_t count = 0;
    size_t room = input_room(client);
    enum status status;
    if (request != NULL)
        pieces[count++] = (struct iov){request->data + request->filled, missing};
    pieces[count++] = (struct iov){client->input + client->input_length, room};
    long received = os_receive(client->watch.socket, pieces, count, &status);
    if (received <= 0)
        return received;
    *more = (size_t)received == missing + room;
    size_t direct = (size_t)received < missing ? (size_t)received : missing;
    client->input_length += (size_t)received - direct;
    client->delivering = true;
    if (request != NULL) {
        request->filled += direct;
        if (request->filled == request->wire.length)
            nbd_io_filled(client);
    }
    digest(client);
    return received;
}

/* False: the connection is over. */
static bool receive(struct nbd_client *client)
{
    size_t total = 0;
    bool more = true;
    while (more && total < READ_MOST && client->state < CLIENT_ENDING && !is_full(client)) {
        long received = receive_once(client, &more);
        if (received <= 0)
            return received == 0;
        total += (size_t)received;
    }
    return true;
}

/* --- output --- */

/* Drops what was sent of the replies. */
static void replies_sent(struct nbd_client *client, size_t length)
{
    client->sent += length;
    for (struct list *node; (node = list_first(&client->replies)) != NULL;) {
        struct nbd_io *request = LIST_OWNER(node, struct nbd_io, link);
        if (client->sent < request->reply_length)
            return;
        client->sent -= request->reply_length;
        nbd_io_put(client, request);
    }
}

static size_t reply_pieces(const struct nbd_client *client, struct iov pieces[2 * REPLIES_BATCH])
{
    size_t count = 0;
    size_t skip = client->sent;
    LIST_EACH(node, &client->replies)
    {
        struct nbd_io *request = LIST_OWNER(node, struct nbd_io, link);
        struct iov both[2] = {{request->reply, NBD_REPLY_LENGTH},
                              {request->data, request->reply_length - NBD_REPLY_LENGTH}};
        if (count + 2 > 2 * REPLIES_BATCH)
            break;
        for (int i = 0; i < 2; i++) {
            size_t skipped = skip < both[i].length ? skip : both[i].length;
            skip -= skipped;
            if (both[i].length > skipped)
                pieces[count++] =
                    (struct iov){(uint8_t *)both[i].base + skipped, both[i].length - skipped};
        }
    }
    return count;
}

/* False: the connection is over. */
static bool send_replies(struct nbd_client *client)
{
    struct iov pieces[2 * REPLIES_BATCH];
    enum status status;
    while (!list_empty(&client->replies)) {
        long sent = os_send(client->watch.socket, pieces, reply_pieces(client, pieces), &status);
        if (sent <= 0)
            return sent == 0;
        replies_sent(client, (size_t)sent);
    }
    return true;
}

/* The same. */
static bool send_output(struct nbd_client *client)
{
    enum status status;
    while (client->output_sent < client->output_length) {
        struct iov piece = {client->output + client->output_sent,
                            client->output_length - client->output_sent};
        long sent = os_send(client->watch.socket, &piece, 1, &status);
        if (sent <= 0)
            return sent == 0;
        client->output_sent += (size_t)sent;
    }
    client->output_sent = client->output_length = 0;
    return true;
}

/* --- the life of a client --- */

static bool has_output(const struct nbd_client *client)
{
    return client->output_length > 0 || !list_empty(&client->replies);
}

static void close_socket(struct nbd_client *client)
{
    client->state = CLIENT_GONE;
    client->export->client_count--;
    os_watch_stop(&client->watch);
    os_close(client->watch.socket);
    while (!list_empty(&client->replies))
        nbd_io_put(client, LIST_OWNER(list_first(&client->replies), struct nbd_io, link));
    if (client->filling != NULL)
        nbd_io_put(client, client->filling);
    client->filling = NULL;
}

/* Who is gone and has nothing under way. */
static void free_client(struct nbd_client *client)
{
    if (client->posted)
        return; /* the job will be back here */
    struct nbd_export *export = client->export;
    while (!list_empty(&client->kept)) {
        struct nbd_io *request = LIST_OWNER(list_first(&client->kept), struct nbd_io, link);
        list_remove(&request->link);
        nbd_io_free(request);
    }
    list_remove(&client->link);
    os_free(client);
    nbd_client_gone(export);
}

/* Sends what there is, and goes on with the input that had to wait for that. False: the connection
 * is over. */
static bool exchange(struct nbd_client *client)
{
    size_t before;
    do {
        before = client->input_length;
        if (!send_output(client) || (client->output_length == 0 && !send_replies(client)))
            return false;
        if (client->state < CLIENT_ENDING)
            digest(client);
    } while (client->input_length != before);
    return true;
}

static bool has_ended(const struct nbd_client *client)
{
    return client->state == CLIENT_ENDING && client->request_count == 0 &&
           client->output_length == 0;
}

/* After whatever has happened. */
static void settle(struct nbd_client *client)
{
    if (client->state == CLIENT_ENDING && client->filling != NULL) {
        nbd_io_put(client, client->filling);
        client->filling = NULL;
    }
    if (client->state != CLIENT_GONE && (!exchange(client) || has_ended(client)))
        close_socket(client);
    if (client->state == CLIENT_GONE) {
        if (client->request_count == 0)
            free_client(client);
        return;
    }
    bool reads = client->state < CLIENT_ENDING && !is_full(client) && client->output_length == 0;
    os_watch_events(&client->watch,
                    (reads ? OS_READABLE : 0u) | (has_output(client) ? OS_WRITABLE : 0u));
}

static void on_job(struct os_job *job)
{
    struct nbd_client *client = LIST_OWNER(job, struct nbd_client, job);
    client->posted = false;
    settle(client);
}

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct nbd_client *client = LIST_OWNER(watch, struct nbd_client, watch);
    if ((events & OS_READABLE) != 0 && client->state < CLIENT_ENDING && !receive(client))
        close_socket(client);
    settle(client);
}

void nbd_client_new(struct nbd_export *export, os_socket socket)
{
    struct nbd_client *client = os_alloc(sizeof *client);
    if (client == NULL) {
        os_close(socket);
        return;
    }
    client->export = export;
    list_init(&client->running);
    list_init(&client->replies);
    list_init(&client->kept);
    client->watch.socket = socket;
    client->watch.ready = on_ready;
    os_send_room(socket, SEND_ROOM);
    client->job.run = on_job;
    if (!os_watch_start(export->loop, &client->watch, OS_READABLE)) {
        os_close(socket);
        os_free(client);
        return;
    }
    list_append(&export->clients, &client->link);
    export->client_count++;
    nbd_encode_greeting(client->output);
    client->output_length = NBD_GREETING_LENGTH;
    settle(client);
}

void nbd_clients_drop(struct nbd_export *export)
{
    LIST_EACH(node, &export->clients)
    {
        struct nbd_client *client = LIST_OWNER(node, struct nbd_client, link);
        client->delivering = true;
        if (client->state != CLIENT_GONE)
            close_socket(client);
    }
    /* What ends for one may begin or end another one's, too. */
    LIST_EACH(node, &export->clients)
    {
        struct nbd_client *client = LIST_OWNER(node, struct nbd_client, link);
        while (!list_empty(&client->running))
            disk_cancel(&LIST_OWNER(list_first(&client->running), struct nbd_io, link)->disk);
    }
    LIST_EACH_SAFE(node, &export->clients)
    {
        struct nbd_client *client = LIST_OWNER(node, struct nbd_client, link);
        client->delivering = false;
        settle(client);
    }
}
