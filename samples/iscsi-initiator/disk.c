#include "disk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct disk {
    struct disk *next;
    iscsi_initiator_t *initiator;
    uint64_t target;
    int lun;
    iscsi_unit_t unit;
    pthread_mutex_t mutex; /* one writer at a time: parts of blocks are read, changed and written */
};

static struct disk *all;

/* The blocks that a range of bytes touches. */
struct range {
    uint64_t offset;
    size_t length;
    size_t skip; /* bytes of the first block before the range */
};

static struct range blocks_of(const struct disk *disk, uint64_t offset, size_t length)
{
    uint64_t block = disk->unit.block_length;
    struct range range = {.offset = offset - offset % block, .skip = (size_t)(offset % block)};
    uint64_t end = offset + length;

    range.length = (size_t)((end + block - 1) / block * block - range.offset);
    return range;
}

static int read_blocks(const struct disk *disk, const struct range *range, uint8_t *out)
{
    return iscsi_initiator_read(disk->initiator, disk->target, disk->lun, &disk->unit,
                                range->offset, out, range->length) == 0
               ? 0
               : errno;
}

static int write_blocks(const struct disk *disk, uint64_t offset, const void *data, size_t length)
{
    return iscsi_initiator_write(disk->initiator, disk->target, disk->lun, &disk->unit, offset,
                                 data, length) == 0
               ? 0
               : errno;
}

static void on_read(void *context, uint64_t offset, size_t length,
                    struct fuse_tree_request *request)
{
    const struct disk *disk = context;
    struct range range = blocks_of(disk, offset, length);
    uint8_t *bytes = malloc(range.length);
    int error = bytes != NULL ? read_blocks(disk, &range, bytes) : ENOMEM;

    if (error == 0)
        fuse_tree_data(request, bytes + range.skip, length);
    else
        fuse_tree_done(request, error);
    free(bytes);
}

static int write_parts(const struct disk *disk, const struct range *range, const void *data,
                       size_t length)
{
    uint8_t *bytes = malloc(range->length);
    int error = bytes != NULL ? read_blocks(disk, range, bytes) : ENOMEM;

    if (error == 0) {
        memcpy(bytes + range->skip, data, length);
        error = write_blocks(disk, range->offset, bytes, range->length);
    }
    free(bytes);
    return error;
}

static void on_write(void *context, uint64_t offset, const void *data, size_t length,
                     struct fuse_tree_request *request)
{
    struct disk *disk = context;
    struct range range = blocks_of(disk, offset, length);
    int error;

    pthread_mutex_lock(&disk->mutex);
    if (range.skip == 0 && range.length == length)
        error = write_blocks(disk, offset, data, length);
    else
        error = write_parts(disk, &range, data, length);
    pthread_mutex_unlock(&disk->mutex);
    fuse_tree_done(request, error);
}

static void on_flush(void *context, struct fuse_tree_request *request)
{
    const struct disk *disk = context;
    int error = iscsi_initiator_flush(disk->initiator, disk->target, disk->lun) == 0 ? 0 : errno;

    fuse_tree_done(request, error);
}

bool disk_file(iscsi_initiator_t *initiator, uint64_t target, int lun, const iscsi_unit_t *unit,
               struct fuse_tree_file *out)
{
    struct disk *disk = calloc(1, sizeof *disk);

    if (disk == NULL)
        return false;
    disk->initiator = initiator;
    disk->target = target;
    disk->lun = lun;
    disk->unit = *unit;
    pthread_mutex_init(&disk->mutex, NULL);
    disk->next = all;
    all = disk;
    *out = (struct fuse_tree_file){.size = unit->blocks * unit->block_length,
                                   .context = disk,
                                   .read = on_read,
                                   .write = on_write,
                                   .flush = on_flush};
    return true;
}

void disk_free_all(void)
{
    while (all != NULL) {
        struct disk *next = all->next;

        pthread_mutex_destroy(&all->mutex);
        free(all);
        all = next;
    }
}
