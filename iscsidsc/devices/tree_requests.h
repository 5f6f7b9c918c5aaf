/* What is asked of the files of disks: it is done on the engine's thread, and answered from there.
 */
#ifndef DEVICES_TREE_REQUESTS_H
#define DEVICES_TREE_REQUESTS_H

#include "devices/disk.h"
#include "devices/fuse/fuse_tree.h"
#include "devices/tree_queue.h"

/* Of a file: a stretch of a disk. It lives until the file system knows nothing of it any more. */
struct tree_stretch {
    struct tree_queue *queue;
    struct disk *disk; /* for the engine's thread; NULL: the device has been removed */
    uint64_t start;
    struct list running;
    atomic_bool written; /* by somebody who has closed it since */
};

/* NULL: out of memory. */
struct tree_stretch *tree_stretch_new(struct tree_queue *queue, struct disk *disk, uint64_t start);
/* The file of that stretch. It has it from then on. */
void tree_stretch_file(struct tree_stretch *stretch, uint64_t size, bool read_only,
                       struct fuse_tree_file *out);
/* Before the file is removed: what is under way ends. */
void tree_stretch_end(struct tree_stretch *stretch);

#endif
