/* The requests of an NBD client, from their header to the reply that waits to be sent. */
#include "devices/nbd_client.h"
#include "os/memory.h"

enum {
    DATA_KEPT_MOST = 1 << 20, /* of a request that is kept for the next one */
    REQUESTS_KEPT = 64,
};

static bool grow_data(struct nbd_io *request, size_t length)
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

void nbd_io_free(struct nbd_io *request)
{
    os_free(request->data);
    os_free(request);
}

static struct nbd_io *take_request(struct nbd_client *client)
{
    struct list *node = list_first(&client->kept);
    if (node == NULL)
        return os_alloc(sizeof(struct nbd_io));
    list_remove(node);
    client->kept_count--;
    return LIST_OWNER(node, struct nbd_io, link);
}

void nbd_io_put(struct nbd_client *client, struct nbd_io *request)
{
    client->request_count--;
    client->bytes -= request->charged;
    list_remove(&request->link);
    if (client->kept_count >= REQUESTS_KEPT || request->room > DATA_KEPT_MOST ||
        client->state >= CLIENT_ENDING) {
        nbd_io_free(request);
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

static void answer(struct nbd_io *request, enum nbd_error error)
{
    struct nbd_client *client = request->client;
    bool brings = request->wire.command == NBD_READ && error == NBD_OK;
    nbd_encode_reply(request->reply, error, request->wire.cookie);
    request->reply_length = NBD_REPLY_LENGTH + (brings ? request->wire.length : 0);
    list_remove(&request->link);
    list_append(&client->replies, &request->link);
}

static void on_done(struct disk_request *disk)
{
    struct nbd_io *request = disk->context;
    struct nbd_client *client = request->client;
    if (client->state == CLIENT_GONE)
        nbd_io_put(client, request);
    else
        answer(request, is_unknown(disk) ? NBD_ENOTSUP : error_of(disk->status));
    /* Others end in the same round: their replies leave together. */
    if (client->delivering || client->posted)
        return;
    client->posted = true;
    os_loop_post(client->export->loop, &client->job);
}

static void submit(struct nbd_io *request)
{
    static const enum disk_request_kind kinds[] = {[NBD_READ] = DISK_READ,
                                                   [NBD_WRITE] = DISK_WRITE,
                                                   [NBD_FLUSH] = DISK_FLUSH,
                                                   [NBD_TRIM] = DISK_DISCARD,
                                                   [NBD_WRITE_ZEROES] = DISK_ZERO};
    struct disk_request *disk = &request->disk;
    list_append(&request->client->running, &request->link);
    disk->disk = request->client->export->disk;
    disk->kind = kinds[request->wire.command];
    disk->offset = request->wire.offset;
    disk->length = request->wire.length;
    disk->data = request->data;
    disk->force_unit_access = (request->wire.flags & NBD_FLAG_FUA) != 0;
    disk->may_unmap = (request->wire.flags & NBD_FLAG_NO_HOLE) == 0;
    disk->done = on_done;
    disk->context = request;
    disk_submit(disk);
}

bool nbd_io_begin(struct nbd_client *client, const struct nbd_request *wire)
{
    enum nbd_error error = nbd_check(&client->facts, wire);
    bool moves = wire->command == NBD_READ || wire->command == NBD_WRITE;
    struct nbd_io *request = take_request(client);
    /* The data of a write that cannot be taken would have to be read all the same. */
    if (request == NULL || (wire->command == NBD_WRITE && wire->length > client->facts.most)) {
        if (request != NULL)
            nbd_io_free(request);
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
        nbd_io_put(client, request);
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

void nbd_io_filled(struct nbd_client *client)
{
    struct nbd_io *request = client->filling;
    enum nbd_error error = nbd_check(&client->facts, &request->wire);
    client->filling = NULL;
    if (error != NBD_OK)
        answer(request, error);
    else
        submit(request);
}
