/*
 * A client of an NBD export: first it negotiates, one option at a time, then it sends requests, and
 * gets replies in whatever order they end.
 */
#include "devices/nbd_internal.h"
#include "os/memory.h"

#include <string.h>

enum {
    INPUT_ROOM = 128 << 10, /* holds any option, and many small writes */
    /* What comes behind the data of a large write is copied once more, so little of it is taken. */
    LARGE_DATA = 32 << 10,
    INPUT_ROOM_LARGE = 8 << 10,
    READ_MOST = 2 << 20,      /* one busy client must not starve the others of the thread */
    REQUESTS_MOST = 256,      /* under way, of a client */
    BYTES_MOST = 64 << 20,    /* the same, of data */
    DATA_KEPT_MOST = 1 << 20, /* of a request that is kept for the next one */
    REQUESTS_KEPT = 64,
    REPLIES_BATCH = 31, /* to a system call */
};

enum client_state {
    CLIENT_FLAGS,   /* its flags are awaited */
    CLIENT_OPTIONS, /* it negotiates */
    CLIENT_REQUESTS,
    CLIENT_ENDING, /* nothing more is read; what is under way ends and is answered */
    CLIENT_GONE,   /* the socket is closed */
};

struct request {
    struct list link; /* under way, answered and not yet sent, or kept */
    struct client *client;
    struct nbd_request wire;
    struct disk_request disk;
    uint8_t *data;
    size_t room;
    size_t filled;  /* of a write's data */
    size_t charged; /* of the client's bytes */
    size_t reply_length;
    uint8_t reply[NBD_REPLY_LENGTH];
};

struct client {
    struct list link;
    struct nbd_export *export;
    struct os_watch watch;
    struct os_job job; /* which settles what has ended in a round of the loop */
    bool posted;
    enum client_state state;
    uint32_t flags;
    struct nbd_facts facts;

    struct list running;     /* struct request */
    struct list replies;     /* the same, ended */
    struct list kept;        /* the same, for reuse */
    struct request *filling; /* its data are being received */
    unsigned kept_count;
    unsigned request_count; /* running, filling, or not yet answered */
    size_t bytes;           /* of their data */
    size_t sent;            /* of the first reply */
    bool delivering;        /* requests are being submitted, or ended, in a batch */

    uint8_t output[NBD_ANSWER_MOST]; /* while it negotiates */
    size_t output_length;
    size_t output_sent;
    size_t input_length;
    uint8_t input[INPUT_ROOM];
};

static void settle(struct client *client);

/* --- requests --- */

static bool grow_data(struct request *request, size_t length)
{
    if (length <= request->room)
        return true;
    os_free(request->data);
    request->room = 0;
    request->data = os_alloc(length);
    if (request->data == NULL)
        return false;
    request->room = length;
    return true;
}

static void free_request(struct request *request)
{
    os_free(request->data);
    os_free(request);
}

static struct request *take_request(struct client *client)
{
    struct list *node = list_first(&client->kept);
    if (node == NULL)
        return os_alloc(sizeof(struct request));
    list_remove(node);
    client->kept_count--;
    return LIST_OWNER(node, struct request, link);
}

static void put_request(struct client *client, struct request *request)
{
    client->request_count--;
    client->bytes -= request->charged;
    list_remove(&request->link);
    if (client->kept_count >= REQUESTS_KEPT || request->room > DATA_KEPT_MOST ||
        client->state >= CLIENT_ENDING) {
        free_request(request);
        return;
    }
    client->kept_count++;
    list_append(&client->kept, &request->link);
}

static enum nbd_error error_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return NBD_OK;
    case STATUS_NO_MEMORY:
        return NBD_ENOMEM;
    case STATUS_WRITE_PROTECTED:
        return NBD_EPERM;
    case STATUS_OUT_OF_RANGE: /* the unit has become smaller */
        return NBD_ENOSPC;
    case STATUS_NOT_SUPPORTED:
        return NBD_ENOTSUP;
    case STATUS_CANCELLED:
        return NBD_ESHUTDOWN;
    default:
        return NBD_EIO;
    }
}

/* Does the unit not know such commands at all? */
static bool is_unknown(const struct disk_request *disk)
{
    const struct task *task = &disk->io.task;
    struct scsi_sense sense;
    if (disk->status != STATUS_SCSI_STATUS || task->scsi_status != SCSI_CHECK_CONDITION ||
        (disk->kind != DISK_ZERO && disk->kind != DISK_DISCARD))
        return false;
    scsi_sense_decode(&sense, task->sense, task->sense_length);
    return sense.valid && sense.key == SCSI_ILLEGAL_REQUEST &&
           (sense.asc == SCSI_ASC_INVALID_OPCODE || sense.asc == SCSI_ASC_INVALID_FIELD_IN_CDB);
}

static void answer(struct request *request, enum nbd_error error)
{
    struct client *client = request->client;
    bool brings = request->wire.command == NBD_READ && error == NBD_OK;
    nbd_encode_reply(request->reply, error, request->wire.cookie);
    request->reply_length = NBD_REPLY_LENGTH + (brings ? request->wire.length : 0);
    list_remove(&request->link);
    list_append(&client->replies, &request->link);
}

static void on_done(struct disk_request *disk)
{
    struct request *request = disk->context;
    struct client *client = request->client;
    if (client->state == CLIENT_GONE)
        put_request(client, request);
    else
        answer(request, is_unknown(disk) ? NBD_ENOTSUP : error_of(disk->status));
    /* Others end in the same round: their replies leave together. */
    if (client->delivering || client->posted)
        return;
    client->posted = true;
    os_loop_post(client->export->loop, &client->job);
}

static void submit(struct request *request)
{
    static const enum disk_request_kind kinds[] = {[NBD_READ] = DISK_READ,
                                                   [NBD_WRITE] = DISK_WRITE,
                                                   [NBD_FLUSH] = DISK_FLUSH,
                                                   [NBD_TRIM] = DISK_DISCARD,
                                                   [NBD_WRITE_ZEROES] = DISK_ZERO};
    struct disk_request *disk = &request->disk;
    list_append(&request->client->running, &request->link);
    disk->disk = &request->client->export->disk;
    disk->kind = kinds[request->wire.command];
    disk->offset = request->wire.offset;
    disk->length = request->wire.length;
    disk->data = request->data;
    disk->force_unit_access = (request->wire.flags & NBD_FLAG_FUA) != 0;
    disk->done = on_done;
    disk->context = request;
    disk_submit(disk);
}

/* False: there is no way to go on. */
static bool begin_request(struct client *client, const struct nbd_request *wire)
{
    enum nbd_error error = nbd_check(&client->facts, wire);
    bool moves = wire->command == NBD_READ || wire->command == NBD_WRITE;
    struct request *request = take_request(client);
    /* The data of a write that cannot be taken would have to be read all the same. */
    if (request == NULL || (wire->command == NBD_WRITE && wire->length > client->facts.most)) {
        if (request != NULL)
            free_request(request);
        return false;
    }
    list_init(&request->link);
    request->client = client;
    request->wire = *wire;
    request->filled = 0;
    request->charged = moves && wire->length <= client->facts.most ? wire->length : 0;
    client->request_count++;
    client->bytes += request->charged;
    if (!grow_data(request, request->charged)) {
        put_request(client, request);
        return false;
    }
    if (wire->command == NBD_WRITE && wire->length > 0)
        client->filling = request;
    else if (error != NBD_OK)
        answer(request, error);
    else
        submit(request);
    return true;
}

/* All data of a write are here. */
static void end_filling(struct client *client)
{
    struct request *request = client->filling;
    enum nbd_error error = nbd_check(&client->facts, &request->wire);
    client->filling = NULL;
    if (error != NBD_OK)
        answer(request, error);
    else
        submit(request);
}

/* --- input --- */

static void stop_reading(struct client *client)
{
    client->state = CLIENT_ENDING;
    client->input_length = 0;
}

static size_t take_flags(struct client *client, const uint8_t *input, size_t length)
{
    if (length < NBD_CLIENT_FLAGS_LENGTH)
        return 0;
    client->flags = get_be32(input);
    client->state = CLIENT_OPTIONS;
    if ((client->flags & ~(uint32_t)(NBD_CLIENT_FIXED_NEWSTYLE | NBD_CLIENT_NO_ZEROES)) != 0)
        stop_reading(client);
    return NBD_CLIENT_FLAGS_LENGTH;
}

static size_t take_option(struct client *client, const uint8_t *input, size_t length)
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

static size_t take_data(struct client *client, const uint8_t *input, size_t length)
{
    struct request *request = client->filling;
    size_t missing = request->wire.length - request->filled;
    size_t taken = length < missing ? length : missing;
    memcpy(request->data + request->filled, input, taken);
    request->filled += taken;
    if (request->filled == request->wire.length)
        end_filling(client);
    return taken;
}

static size_t take_request_header(struct client *client, const uint8_t *input, size_t length)
{
    struct nbd_request wire;
    if (length < NBD_REQUEST_LENGTH)
        return 0;
    if (!nbd_decode_request(&wire, input) || wire.command == NBD_DISCONNECT ||
        !begin_request(client, &wire))
        stop_reading(client);
    return NBD_REQUEST_LENGTH;
}

static bool is_full(const struct client *client)
{
    return client->request_count >= REQUESTS_MOST || client->bytes >= BYTES_MOST;
}

static size_t take(struct client *client, const uint8_t *input, size_t length)
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
static void digest(struct client *client)
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

static size_t input_room(const struct client *client)
{
    const struct request *request = client->filling;
    size_t room = INPUT_ROOM - client->input_length;
    bool large = request != NULL && request->wire.length - request->filled >= LARGE_DATA;
    return large && room > INPUT_ROOM_LARGE ? INPUT_ROOM_LARGE : room;
}

/* Bytes; 0: there is nothing more now, -1: the connection is over. */
static long receive_once(struct client *client, bool *more)
{
    struct request *request = client->filling;
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
            end_filling(client);
    }
    digest(client);
    return received;
}

/* False: the connection is over. */
static bool receive(struct client *client)
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
static void replies_sent(struct client *client, size_t length)
{
    client->sent += length;
    for (struct list *node; (node = list_first(&client->replies)) != NULL;) {
        struct request *request = LIST_OWNER(node, struct request, link);
        if (client->sent < request->reply_length)
            return;
        client->sent -= request->reply_length;
        put_request(client, request);
    }
}

static size_t reply_pieces(const struct client *client, struct iov pieces[2 * REPLIES_BATCH])
{
    size_t count = 0;
    size_t skip = client->sent;
    LIST_EACH(node, &client->replies)
    {
        struct request *request = LIST_OWNER(node, struct request, link);
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
static bool send_replies(struct client *client)
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
static bool send_output(struct client *client)
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

static bool has_output(const struct client *client)
{
    return client->output_length > 0 || !list_empty(&client->replies);
}

static void close_socket(struct client *client)
{
    client->state = CLIENT_GONE;
    client->export->client_count--;
    os_watch_stop(&client->watch);
    os_close(client->watch.socket);
    while (!list_empty(&client->replies))
        put_request(client, LIST_OWNER(list_first(&client->replies), struct request, link));
    if (client->filling != NULL)
        put_request(client, client->filling);
    client->filling = NULL;
}

/* Who is gone and has nothing under way. */
static void free_client(struct client *client)
{
    if (client->posted)
        return; /* the job will be back here */
    struct nbd_export *export = client->export;
    while (!list_empty(&client->kept)) {
        struct request *request = LIST_OWNER(list_first(&client->kept), struct request, link);
        list_remove(&request->link);
        free_request(request);
    }
    list_remove(&client->link);
    os_free(client);
    nbd_client_gone(export);
}

/* Sends what there is, and goes on with the input that had to wait for that. False: the connection
 * is over. */
static bool exchange(struct client *client)
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

static bool has_ended(const struct client *client)
{
    return client->state == CLIENT_ENDING && client->request_count == 0 &&
           client->output_length == 0;
}

/* After whatever has happened. */
static void settle(struct client *client)
{
    if (client->state == CLIENT_ENDING && client->filling != NULL) {
        put_request(client, client->filling);
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
    struct client *client = LIST_OWNER(job, struct client, job);
    client->posted = false;
    settle(client);
}

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct client *client = LIST_OWNER(watch, struct client, watch);
    if ((events & OS_READABLE) != 0 && client->state < CLIENT_ENDING && !receive(client))
        close_socket(client);
    settle(client);
}

void nbd_client_new(struct nbd_export *export, os_socket socket)
{
    struct client *client = os_alloc(sizeof *client);
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
        struct client *client = LIST_OWNER(node, struct client, link);
        client->delivering = true;
        if (client->state != CLIENT_GONE)
            close_socket(client);
    }
    /* What ends for one may begin or end another one's, too. */
    LIST_EACH(node, &export->clients)
    {
        struct client *client = LIST_OWNER(node, struct client, link);
        while (!list_empty(&client->running))
            disk_cancel(&LIST_OWNER(list_first(&client->running), struct request, link)->disk);
    }
    LIST_EACH_SAFE(node, &export->clients)
    {
        struct client *client = LIST_OWNER(node, struct client, link);
        client->delivering = false;
        settle(client);
    }
}
