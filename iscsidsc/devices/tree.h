/*
 * The tree of devices: a file system whose files are the disks that there are.
 *
 *   <directory>/bus<B>/target<T>/lun<L>/disk
 *                                      part<N>   of its partition table
 *                                      generic/  what it is: generic.h
 *   <directory>/status, control          of all: status.h, control.h
 *
 * It is served by threads of its own; what moves data is done on the engine's thread. Calls are for
 * that thread unless something else is said. That thread must never look into the file system
 * itself: it would wait for itself.
 */
#ifndef DEVICES_TREE_H
#define DEVICES_TREE_H

#include "devices/disk.h"
#include "os/local_socket.h"
#include "os/loop.h"

struct engine;
struct tree;
struct tree_device;

struct tree_settings {
    const char *directory; /* the mount point: is there */
    struct os_loop *loop;
    struct engine *engine; /* that `status` and `control` are of; NULL: there are no such files */
    uint32_t owner;        /* of all files; OS_NO_GROUP: this process' own */
    uint32_t group;        /* the same */
    uint32_t mode;         /* of files: read and write bits; 0: 0600 */
};

/* What a process that was killed has left mounted there is taken away; before anything else is done
 * with the directory. BUSY: another process serves it. ACCESS_DENIED. */
enum status tree_clear(const char *directory);
/* Only looks. BUSY: another process serves it. */
enum status tree_check(const char *directory);
/* Not on the engine's thread. NOT_SUPPORTED: there are no file systems in user space here.
 * ACCESS_DENIED, NO_MEMORY. */
enum status tree_start(struct tree **out, const struct tree_settings *settings);
/* Nothing is taken any more. The devices have been removed. */
void tree_close(struct tree *tree);
/* After that, and not on the engine's thread: unmounts it. NULL is harmless. */
void tree_free(struct tree *tree);

/* At the place, as "bus0/target0/lun0". `socket`: where its NBD export is; may be NULL. NULL: out
 * of memory. */
struct tree_device *tree_add(struct tree *tree, const char *place, struct disk *disk,
                             const char *socket);
/* What is under way ends. */
void tree_remove(struct tree_device *device);
/* The disk has been renewed: it has another size, or other facts. */
void tree_renew(struct tree_device *device);
/* How often it, or a partition of it, is open in other processes. */
unsigned tree_users(const struct tree_device *device);

#endif
