#include "devices/disk.h"
#include "os/memory.h"

#include <string.h>

void disk_renew(struct disk *disk)
{
    const struct unit_facts *facts = &disk->volume->facts;
    uint32_t block = facts->capacity.block_length;
    if (block == 0 || (disk->outstanding > 0 && block != disk->block))
        return; /* not ready, or what is under way counts in other blocks */
    disk->block = block;
    disk->size = facts->capacity.blocks * block;
    disk->read_only = facts->mode.write_protected;
}

struct disk *disk_new(struct volume *volume)
{
    struct disk *disk = os_alloc(sizeof *disk);
    if (disk == NULL)
        return NULL;
    disk->holds = 1;
    disk->volume = volume;
    volume_hold(volume);
    list_init(&disk->changes);
    list_init(&disk->waiting);
    disk_renew(disk);
    return disk;
}

void disk_hold(struct disk *disk)
{
    disk->holds++;
}

static void free_unused(struct disk *disk)
{
    if (disk->holds > 0 || disk->outstanding > 0)
        return;
    volume_release(disk->volume);
    os_free(disk);
}

void disk_release(struct disk *disk)
{
    if (disk == NULL)
        return;
    disk->holds--;
    free_unused(disk);
}

/* --- who has to wait --- */

static bool is_change(const struct disk_request *request)
{
    return request->kind == DISK_WRITE || request->kind == DISK_ZERO ||
           request->kind == DISK_DISCARD;
}

static uint64_t first_block(const struct disk_request *request)
{
    return request->offset / request->disk->block;
}

static uint64_t last_block(const struct disk_request *request)
{
    return (request->offset + request->length - 1) / request->disk->block;
}

static bool overlaps(const struct disk_request *a, const struct disk_request *b)
{
    return first_block(a) <= last_block(b) && first_block(b) <= last_block(a);
}

static bool meets_any(const struct list *list, const struct disk_request *request)
{
    LIST_EACH(node, list)
    {
        const struct disk_request *other = LIST_OWNER(node, struct disk_request, link);
        if (other == request)
            return false; /* those behind it wait for it */
        if ((request->unaligned || other->unaligned) && overlaps(request, other))
            return true;
    }
    return false;
}

static bool has_to_wait(const struct disk_request *request)
{
    const struct disk *disk = request->disk;
    if (!request->unaligned && disk->unaligned == 0 && list_empty(&disk->waiting))
        return false;
    return meets_any(&disk->changes, request) || meets_any(&disk->waiting, request);
}

static void begin_change(struct disk_request *request)
{
    request->changing = true;
    request->disk->unaligned += request->unaligned;
    list_append(&request->disk->changes, &request->link);
}

static void end_change(struct disk_request *request)
{
    list_remove(&request->link);
    if (request->changing)
        request->disk->unaligned -= request->unaligned;
    request->changing = false;
}

/* --- step by step --- */

static void advance(struct disk_request *request);
static void go_on(struct disk *disk);

static void finish(struct disk_request *request, enum status status)
{
    struct disk *disk = request->disk;
    bool was_change = is_change(request);
    end_change(request);
    os_free(request->scratch);
    request->scratch = NULL;
    request->status = status;
    if (status != STATUS_OK)
        disk_log_failure(request);
    if (was_change && !list_empty(&disk->waiting))
        go_on(disk);
    request->done(request);
    disk->outstanding--;
    free_unused(disk);
}

static void submit(struct disk_request *request, enum io_kind kind, uint8_t *data, uint64_t bytes)
{
    struct disk *disk = request->disk;
    request->piece = (struct iov){data, data == NULL ? 0 : (size_t)bytes};
    request->io.volume = disk->volume;
    request->io.kind = kind;
    request->io.lba = request->at / disk->block;
    request->io.blocks = (bytes + disk->block - 1) / disk->block;
    request->io.pieces = &request->piece;
    request->io.piece_count = data == NULL ? 0 : 1;
    request->io.force_unit_access = request->force_unit_access && kind == IO_WRITE;
    request->io.may_unmap = request->may_unmap && kind == IO_WRITE_ZEROES;
    /* Whoever mounts a disk is its only user: what is under way may be sent again. */
    request->io.repeatable = true;
    io_submit(&request->io);
}

/* The block that is changed in part is here. */
static void change_part(struct disk_request *request)
{
    struct disk *disk = request->disk;
    uint8_t *part = request->scratch + request->at % disk->block;
    uint8_t *data = request->data == NULL ? NULL : request->data + (request->at - request->offset);
    size_t length = (size_t)request->step;
    if (request->kind == DISK_READ)
        memcpy(data, part, length);
    else if (request->kind == DISK_ZERO)
        memset(part, 0, length);
    else
        memcpy(part, data, length);
}

static void on_done(struct io *io)
{
    struct disk_request *request = io->context;
    bool partial = request->scratch != NULL && request->piece.base == request->scratch;
    if (io->status != STATUS_OK) {
        finish(request, io->status);
        return;
    }
    if (partial && !request->writes_back)
        change_part(request);
    if (partial && !request->writes_back && request->kind != DISK_READ) {
        request->writes_back = true;
        submit(request, IO_WRITE, request->scratch, request->disk->block);
        return;
    }
    request->at += request->step;
    advance(request);
}

/* False: out of memory. */
static bool begin_part(struct disk_request *request)
{
    if (request->scratch == NULL)
        request->scratch = os_alloc(request->disk->block);
    if (request->scratch == NULL)
        return false;
    request->writes_back = false;
    submit(request, IO_READ, request->scratch, request->disk->block);
    return true;
}

static void begin_whole(struct disk_request *request)
{
    static const enum io_kind kinds[] = {[DISK_READ] = IO_READ,
                                         [DISK_WRITE] = IO_WRITE,
                                         [DISK_DISCARD] = IO_DISCARD,
                                         [DISK_ZERO] = IO_WRITE_ZEROES};
    bool moves = request->kind == DISK_READ || request->kind == DISK_WRITE;
    uint8_t *data = moves ? request->data + (request->at - request->offset) : NULL;
    submit(request, kinds[request->kind], data, request->step);
}

/* The next stretch of whole blocks, or the part of one. */
static void advance(struct disk_request *request)
{
    const uint32_t block = request->disk->block;
    uint64_t left = request->offset + request->length - request->at;
    uint64_t into = request->at % block;
    bool partial = into != 0 || left < block;
    request->step = left - left % block;
    if (partial)
        request->step = left < block - into ? left : block - into;
    if (left == 0 && request->force_unit_access && !request->flushed &&
        (request->kind == DISK_ZERO || request->kind == DISK_DISCARD)) {
        request->flushed = true;
        submit(request, IO_FLUSH, NULL, 0);
    } else if (left == 0) {
        finish(request, STATUS_OK);
    } else if (partial && request->kind == DISK_DISCARD) {
        request->at += request->step;
        advance(request); /* at most twice */
    } else if (!partial) {
        begin_whole(request);
    } else if (!begin_part(request)) {
        finish(request, STATUS_NO_MEMORY);
    }
}

static void start(struct disk_request *request)
{
    if (is_change(request))
        begin_change(request);
    advance(request);
}

static struct disk_request *first_free(const struct disk *disk)
{
    LIST_EACH(node, &disk->waiting)
    {
        struct disk_request *request = LIST_OWNER(node, struct disk_request, link);
        if (!has_to_wait(request))
            return request;
    }
    return NULL;
}

/* Something that others waited for has ended. */
static void go_on(struct disk *disk)
{
    for (struct disk_request *next; (next = first_free(disk)) != NULL;) {
        list_remove(&next->link);
        start(next);
    }
}

/* --- the start --- */

static enum status check(const struct disk_request *request)
{
    const struct disk *disk = request->disk;
    if (is_change(request) && disk->read_only)
        return STATUS_WRITE_PROTECTED;
    if (request->offset > disk->size || request->length > disk->size - request->offset)
        return STATUS_OUT_OF_RANGE;
    return STATUS_OK;
}

void disk_submit(struct disk_request *request)
{
    struct disk *disk = request->disk;
    enum status status = request->kind == DISK_FLUSH ? STATUS_OK : check(request);
    list_init(&request->link);
    memset(&request->io, 0, sizeof request->io);
    request->io.done = on_done;
    request->io.context = request;
    request->scratch = NULL;
    request->changing = request->flushed = false;
    request->at = request->offset;
    request->unaligned = request->offset % disk->block != 0 || request->length % disk->block != 0;
    disk->outstanding++;
    if (status != STATUS_OK || (request->length == 0 && request->kind != DISK_FLUSH)) {
        finish(request, status);
    } else if (request->kind == DISK_FLUSH) {
        request->length = request->step = 0;
        submit(request, IO_FLUSH, NULL, 0);
    } else if (is_change(request) && has_to_wait(request)) {
        list_append(&disk->waiting, &request->link);
    } else {
        start(request);
    }
}

void disk_cancel(struct disk_request *request)
{
    bool waits = is_change(request) && !request->changing;
    if (waits)
        finish(request, STATUS_CANCELLED);
    else
        io_cancel(&request->io); /* which ends in on_done */
}
