#include "devices/tree_requests.h"
#include "os/memory.h"

#include <errno.h>

/* Part of a request of the file system. */
struct tree_request {
    struct tree_call call;
    struct list link; /* of its stretch, when it runs */
    struct tree_stretch *stretch;
    struct disk_request disk;
};

/* --- answers --- */

static int error_of(const struct disk_request *disk)
{
    switch (disk->status) {
    case STATUS_OK:
        return 0;
    case STATUS_NO_MEMORY:
        return ENOMEM;
    case STATUS_WRITE_PROTECTED:
        return EROFS;
    case STATUS_OUT_OF_RANGE: /* the unit has become smaller */
        return disk->kind == DISK_READ ? EIO : ENOSPC;
    case STATUS_NOT_SUPPORTED:
        return EOPNOTSUPP;
    case STATUS_CANCELLED:
        return ENODEV;
    default:
        return EIO;
    }
}

static void on_done(struct disk_request *disk)
{
    struct tree_request *request = disk->context;
    struct fuse_tree_request *asked = fuse_tree_request_of(request);
    list_remove(&request->link);
    if (disk->status == STATUS_OK && disk->kind == DISK_READ)
        fuse_tree_data(asked, disk->data, (size_t)disk->length);
    else
        fuse_tree_done(asked, error_of(disk));
}

/* --- questions --- */

static void submit(struct tree_call *call)
{
    struct tree_request *request = LIST_OWNER(call, struct tree_request, call);
    struct tree_stretch *stretch = request->stretch;
    if (stretch->disk == NULL) {
        fuse_tree_done(fuse_tree_request_of(request), ENODEV);
        return;
    }
    list_append(&stretch->running, &request->link);
    request->disk.disk = stretch->disk;
    request->disk.offset += stretch->start;
    disk_submit(&request->disk);
}

static void ask(struct tree_stretch *stretch, enum disk_request_kind kind, uint64_t offset,
                uint64_t length, void *data, struct fuse_tree_request *asked)
{
    struct tree_request *request = fuse_tree_own(asked);
    request->call.run = submit;
    request->stretch = stretch;
    request->disk.kind = kind;
    request->disk.offset = offset;
    request->disk.length = length;
    request->disk.data = data;
    request->disk.force_unit_access = false;
    if (kind != DISK_ZERO) /* on_zero has set it */
        request->disk.may_unmap = false;
    request->disk.done = on_done;
    request->disk.context = request;
    list_init(&request->link);
    if (!tree_queue_push(stretch->queue, &request->call))
        fuse_tree_done(asked, ENODEV);
}

static void on_read(void *context, uint64_t offset, size_t length, struct fuse_tree_request *asked)
{
    void *room = fuse_tree_room(asked);
    if (room != NULL)
        ask(context, DISK_READ, offset, length, room, asked);
    else
        fuse_tree_done(asked, ENOMEM);
}

static void on_write(void *context, uint64_t offset, const void *data, size_t length,
                     struct fuse_tree_request *asked)
{
    ask(context, DISK_WRITE, offset, length, (void *)(uintptr_t)data, asked);
}

static void on_flush(void *context, struct fuse_tree_request *asked)
{
    ask(context, DISK_FLUSH, 0, 0, NULL, asked);
}

/* A hole has to read as zeros, which a discard does not promise. */
static void on_zero(void *context, uint64_t offset, uint64_t length, enum fuse_tree_zero kind,
                    struct fuse_tree_request *asked)
{
    struct tree_request *request = fuse_tree_own(asked);
    request->disk.may_unmap = kind == FUSE_TREE_FREE;
    ask(context, DISK_ZERO, offset, length, NULL, asked);
}

/* Whoever partitions a disk closes it when that is done. */
static void on_closed(void *context)
{
    struct tree_stretch *stretch = context;
    atomic_store(&stretch->written, true);
    tree_queue_look(stretch->queue);
}

static void on_gone(void *context)
{
    os_free(context);
}

/* --- stretches --- */

struct tree_stretch *tree_stretch_new(struct tree_queue *queue, struct disk *disk, uint64_t start)
{
    struct tree_stretch *stretch = os_alloc(sizeof *stretch);
    if (stretch == NULL)
        return NULL;
    stretch->queue = queue;
    stretch->disk = disk;
    stretch->start = start;
    list_init(&stretch->running);
    return stretch;
}

void tree_stretch_file(struct tree_stretch *stretch, uint64_t size, bool read_only,
                       struct fuse_tree_file *out)
{
    *out = (struct fuse_tree_file){.size = size,
                                   .read_only = read_only,
                                   .own = sizeof(struct tree_request),
                                   .context = stretch,
                                   .read = on_read,
                                   .write = on_write,
                                   .flush = on_flush,
                                   .zero = on_zero,
                                   .closed = on_closed,
                                   .gone = on_gone};
}

void tree_stretch_end(struct tree_stretch *stretch)
{
    struct list *node;
    struct list all;
    stretch->disk = NULL;
    list_init(&all);
    while ((node = list_first(&stretch->running)) != NULL) {
        list_remove(node);
        list_append(&all, node);
    }
    /* Some may end a little later. */
    while ((node = list_first(&all)) != NULL) {
        list_remove(node);
        list_append(&stretch->running, node);
        disk_cancel(&LIST_OWNER(node, struct tree_request, link)->disk);
    }
}
