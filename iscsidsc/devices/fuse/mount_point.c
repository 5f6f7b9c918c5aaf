#include "devices/fuse/mount_point.h"

#include <errno.h>
#include <linux/magic.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

extern char **environ;

enum { MOST = 16 /* mounted one over the other */ };

/* As a user who may not unmount by himself. */
static int ask_fusermount(const char *directory)
{
    char *const arguments[] = {(char *)(uintptr_t) "fusermount3",
                               (char *)(uintptr_t) "-u",
                               (char *)(uintptr_t) "-q",
                               (char *)(uintptr_t) "-z",
                               (char *)(uintptr_t) "--",
                               (char *)(uintptr_t)directory,
                               NULL};
    pid_t child;
    int how;

    if (posix_spawnp(&child, "fusermount3", NULL, NULL, arguments, environ) != 0)
        return EPERM;
    while (waitpid(child, &how, 0) < 0) {
        if (errno != EINTR)
            return EPERM;
    }
    return WIFEXITED(how) && WEXITSTATUS(how) == 0 ? 0 : EPERM;
}

static int unmount(const char *directory)
{
    if (umount2(directory, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        return 0;
    return errno == EPERM ? ask_fusermount(directory) : errno;
}

/* Something of its own is mounted here. */
static bool is_mounted(const char *directory)
{
    struct stat here, above;
    char parent[4096 + 4];
    size_t length = strlen(directory);

    if (length + sizeof "/.." > sizeof parent)
        return false;
    memcpy(parent, directory, length);
    memcpy(parent + length, "/..", sizeof "/..");
    return stat(directory, &here) == 0 && stat(parent, &above) == 0 && here.st_dev != above.st_dev;
}

int mount_point_check(const char *directory)
{
    struct statfs kind;

    return statfs(directory, &kind) == 0 && kind.f_type == FUSE_SUPER_MAGIC && is_mounted(directory)
               ? EBUSY
               : 0;
}

int mount_point_clear(const char *directory)
{
    struct statfs kind;

    for (int i = 0; i < MOST; i++) {
        int error;

        /* The kernel knows no answer to that by itself. */
        if (statfs(directory, &kind) == 0)
            return kind.f_type == FUSE_SUPER_MAGIC && is_mounted(directory) ? EBUSY : 0;
        if (errno != ENOTCONN)
            return errno == ENOENT ? 0 : errno;
        error = unmount(directory);
        if (error != 0)
            return error;
    }
    return EBUSY;
}
