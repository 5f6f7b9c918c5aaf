/* What the files of the tree share. */
#ifndef DEVICES_TREE_INTERNAL_H
#define DEVICES_TREE_INTERNAL_H

#include "devices/fuse/fuse_tree.h"
#include "devices/tree.h"
#include "devices/tree_queue.h"
#include "devices/tree_texts.h"

struct tree {
    struct fuse_tree *files;
    struct tree_queue queue;
    struct list devices;        /* struct tree_device */
    struct tree_source *engine; /* NULL: none */
};

/* tree_device.c: tables of disks that have been written may be others. */
void tree_devices_look(struct tree *tree);

#endif
