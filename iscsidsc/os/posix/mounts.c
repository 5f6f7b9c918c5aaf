#include "os/apart.h"
#include "os/block.h"
#include "os/memory.h"
#include "os/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { UNMOUNT_PATIENCE = 5000 /* milliseconds */ };

/* sysfs keeps partitions below their disks. */
static bool is_partition_of(const struct os_loopback *loop, unsigned high, unsigned low)
{
    char name[64], place[OS_PATH_ROOM], above[64];
    snprintf(name, sizeof name, "/sys/dev/block/%u:%u", high, low);
    snprintf(above, sizeof above, "/loop%u/", loop->number);
    return os_link_text(name, place) && strstr(place, above) != NULL;
}

static bool is_of(const struct os_loopback *loop, const struct os_mount_line *line)
{
    struct stat node;
    if (os_mount_line_has_source(line))
        return os_loopback_owns(loop, line->source);
    return (stat(loop->name, &node) == 0 && node.st_rdev == makedev(line->high, line->low)) ||
           is_partition_of(loop, line->high, line->low);
}

enum { MOUNTS_MOST = 256 };

struct mounts {
    struct os_mount all[MOUNTS_MOST];
    size_t count;
};

/* What hides what was at its point before. */
static void hide(struct mounts *mounts, const char *point)
{
    for (size_t i = 0; i < mounts->count; i++)
        mounts->all[i].hidden = mounts->all[i].hidden || strcmp(mounts->all[i].point, point) == 0;
}

/* What is found may be unmounted: so all are read first. */
static void read_mounts(const struct os_loopback *loop, struct mounts *mounts)
{
    size_t room = 0;
    char *text = NULL;
    struct os_mount_line line;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    mounts->count = 0;
    while (file != NULL && mounts->count < MOUNTS_MOST && getline(&text, &room, file) > 0) {
        if (!os_mount_line_parse(&line, text))
            continue;
        hide(mounts, line.point);
        if (!is_of(loop, &line))
            continue;
        struct os_mount *mount = &mounts->all[mounts->count];
        *mount = (struct os_mount){.id = line.id, .point = os_copy_text(line.point)};
        mounts->count += mount->point != NULL;
    }
    free(text);
    if (file != NULL)
        fclose(file);
}

void os_mounts_of(const struct os_loopback *loop,
                  void (*found)(void *context, const struct os_mount *mount), void *context)
{
    struct mounts mounts;
    for (read_mounts(loop, &mounts); mounts.count > 0; mounts.count--) {
        found(context, &mounts.all[mounts.count - 1]);
        os_free(mounts.all[mounts.count - 1].point);
    }
}

bool os_nodes_appear(void)
{
    bool appear = false;
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen("/proc/self/mounts", "re");
    while (file != NULL && getline(&line, &room, file) > 0)
        appear = appear || strstr(line, " /dev devtmpfs ") != NULL;
    free(line);
    if (file != NULL)
        fclose(file);
    return appear;
}

/* Of what is open (proc_pid_fdinfo(5)); allocates nothing. */
static bool is_mount(int file, unsigned id)
{
    char path[64], text[512], *line;
    unsigned found;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", file);
    int info = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = info < 0 ? -1 : read(info, text, sizeof text - 1);
    if (info >= 0)
        close(info);
    if (length < 0)
        return false;
    text[length] = '\0';
    line = strstr(text, "mnt_id:");
    return line != NULL && sscanf(line, "mnt_id: %u", &found) == 1 && found == id;
}

/* By what is open and has been looked at: the path may lead elsewhere at any time. */
static int unmount(const struct os_mount *mount)
{
    char path[64];
    int file = open(mount->point, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int error = !is_mount(file, mount->id) ? ESTALE : umount2(path, MNT_DETACH) == 0 ? 0 : errno;
    close(file);
    return error;
}

struct unmounting {
    const struct os_mount *mount;
    int error;
};

static void unmount_apart(void *argument)
{
    struct unmounting *unmounting = argument;
    unmounting->error = unmount(unmounting->mount);
}

/* Who takes away a file system that nobody uses writes all that it still holds. */
enum status os_unmount_lazily(const struct os_mount *mount)
{
    struct unmounting unmounting = {mount, 0};
    enum status status = os_apart(unmount_apart, &unmounting, sizeof unmounting, UNMOUNT_PATIENCE);
    if (status != STATUS_OK || unmounting.error == 0)
        return status;
    return unmounting.error == EPERM ? STATUS_ACCESS_DENIED : STATUS_STORE_FAILED;
}
