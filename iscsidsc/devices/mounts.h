/*
 * The file systems of one loop device that fstab.iscsi names: mounted when it appears, unmounted
 * before it goes. On a thread that may block, but for mounts_point_is.
 */
#ifndef DEVICES_MOUNTS_H
#define DEVICES_MOUNTS_H

#include "devices/fstab.h"
#include "os/block.h"
#include "os/thread.h"

#include <stdatomic.h>

enum { MOUNTS_MOST = 64 /* of one device */ };

enum mount_state {
    MOUNT_TRIED, /* it may be there by now, or will be, or is no more */
    MOUNT_DONE,
};

struct mount_point {
    char *given; /* in the file */
    char *real;  /* as the system lists it */
    enum mount_state state;
};

struct mounts {
    char fstab[2][OS_PATH_ROOM]; /* the files: the second counts where there is no first */
    struct os_lock lock;         /* of the rest */
    struct mount_point points[MOUNTS_MOST]; /* in the order of the mounts */
    size_t count;
};

/* The statuses of os_read_file, and NO_MEMORY; the text of *path is the file that counts. What is
 * wrong with its lines is told in the log. */
enum status mounts_read(const struct mounts *mounts, struct fstab *fstab, struct os_arena *arena,
                        const char **path);
/* Tries those that are not mounted yet. The number of those that are still to be mounted. `stop`
 * ends it early. */
unsigned mounts_try(struct mounts *mounts, const struct os_loopback *loop, const atomic_bool *stop,
                    bool last);
/* Is somebody else's file system mounted from the device? */
bool mounts_of_others(struct mounts *mounts, const struct os_loopback *loop);
/* What of ours is still there. BUSY: one is in use, or covered: it and those mounted before it
 * stay. */
enum status mounts_undo(struct mounts *mounts, const struct os_loopback *loop,
                        const atomic_bool *stop);
/* What programs have written to the file systems of the device goes there, as far as it does so
 * within a bound. False: not all of it. */
bool mounts_write(const struct os_loopback *loop);
/* All of the device, whoever has mounted it, whoever uses it. */
void mounts_drop(struct mounts *mounts, const struct os_loopback *loop);
/* What is remembered is forgotten. */
void mounts_clear(struct mounts *mounts);
/* From any thread: is the path one of its mount points? */
bool mounts_point_is(struct mounts *mounts, const char *path);

#endif
