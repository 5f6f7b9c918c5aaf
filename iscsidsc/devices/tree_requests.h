/*
 * From the threads of the file system to the engine's, and back: what is asked of the files of
 * disks.
 */
#ifndef DEVICES_TREE_REQUESTS_H
#define DEVICES_TREE_REQUESTS_H

#include "devices/disk.h"
#include "devices/fuse/fuse_tree.h"
#include "os/loop.h"

#include <stdatomic.h>

struct tree_request;

/* What has come from other threads. */
struct tree_queue {
    struct os_loop *loop;
    struct os_job job;
    _Atomic(struct tree_request *) incoming;
    atomic_uint posting; /* threads that may do so just now */
    atomic_bool closed;
};

void tree_queue_init(struct tree_queue *queue, struct os_loop *loop);
/* On the engine's thread. What comes from now on is refused. */
void tree_queue_close(struct tree_queue *queue);

/* Of a file: a stretch of a disk. It lives until the file system knows nothing of it any more. */
struct tree_stretch {
    struct tree_queue *queue;
    struct disk *disk; /* for the engine's thread; NULL: the device has been removed */
    uint64_t start;
    struct list running;
};

/* NULL: out of memory. */
struct tree_stretch *tree_stretch_new(struct tree_queue *queue, struct disk *disk, uint64_t start);
/* The file of that stretch. It has it from then on. */
void tree_stretch_file(struct tree_stretch *stretch, uint64_t size, bool read_only,
                       struct fuse_tree_file *out);
/* Before the file is removed: what is under way ends. */
void tree_stretch_end(struct tree_stretch *stretch);

#endif
