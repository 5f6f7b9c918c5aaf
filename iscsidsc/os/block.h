/*
 * Block devices of the system: loop devices, their partitions, what is mounted, and links in
 * directories of devices. Linux only: elsewhere NOT_SUPPORTED, or nothing. All of it may block.
 */
#ifndef OS_BLOCK_H
#define OS_BLOCK_H

#include "os/runtime.h"

/* --- loop devices --- */

#define OS_LOOPBACK_MARK_ROOM 64u
#define OS_LOOPBACK_NAME_ROOM 32u

struct os_loopback_settings {
    const char *file;
    const char *mark; /* by which it is found again: kept as far as it has room */
    uint32_t block;   /* bytes; those the system does not know become 512 */
    bool read_only;
};

struct os_loopback {
    unsigned number;                  /* /dev/loop<number> */
    char name[OS_LOOPBACK_NAME_ROOM]; /* the same as a path */
    char mark[OS_LOOPBACK_MARK_ROOM]; /* somebody else may have the number by now */
};

/* May this process make loop devices, and does the system have them? */
bool os_loopback_allowed(void);
/* ACCESS_DENIED, NO_RESOURCES (all are taken), NOT_SUPPORTED, STORE_FAILED (the file cannot be
 * opened, or read for its partitions). */
enum status os_loopback_attach(struct os_loopback *loop,
                               const struct os_loopback_settings *settings);
/* The file has another size: also of its partition table and of the nodes. */
enum status os_loopback_renew(const struct os_loopback *loop, const char *file);
/* Makes the nodes that the system does not make, and removes those of partitions that are gone. */
void os_loopback_nodes(const struct os_loopback *loop);
/*
 * What was written goes to the file, and the device away. BUSY: somebody has it or a partition
 * open: it stays as it is, unless `forced`, and goes when he closes it. `*flushed` false: not all
 * that was written has reached the file. COMMAND_TIMEOUT: not after `patience` milliseconds.
 */
enum status os_loopback_detach(const struct os_loopback *loop, bool forced, uint64_t patience,
                               bool *flushed);
/* Is it still the one of that file (<anywhere>/bus<B>/target<T>/lun<L>/disk)? Opens nothing. */
bool os_loopback_is_of(const struct os_loopback *loop, const char *file);
/* Does the system make nodes by itself? */
bool os_nodes_appear(void);
/* Those attached to the disk of a tree of devices. Mark NULL: it does not answer. */
void os_loopback_each(void (*found)(void *context, const struct os_loopback *loop,
                                    const char *mark),
                      void *context);
/* Is it this loop device's node, or a partition's? */
bool os_loopback_owns(const struct os_loopback *loop, const char *path);
/* Does the path lead to an attached loop device or a partition of one, or to anything else at all?
 * A dangling link to a node of a loop device counts as neither. */
bool os_leads_somewhere(const char *path);

/* --- mounts --- */

struct os_mount {
    unsigned id; /* the system's */
    char *point;
    bool hidden; /* something else is mounted there by now */
};

/* The mounts of a loop device and its partitions, the latest first. `found` may unmount. */
void os_mounts_of(const struct os_loopback *loop,
                  void (*found)(void *context, const struct os_mount *mount), void *context);
/* It leaves the tree of files at once, and goes when nobody uses it any more. Nothing but this
 * mount does, wherever its path leads by now. */
enum status os_unmount_lazily(const struct os_mount *mount);

/* --- links --- */

/* Puts a symbolic link there, in place of one of that name, and makes the directories it lacks.
 * BUSY: something else has the name. Errors as os_make_runtime_directory. */
enum status os_link_set(const char *path, const char *text);
/* False: there is no link. */
bool os_link_text(const char *path, char out[OS_PATH_ROOM]);

#endif
