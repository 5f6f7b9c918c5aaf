#include "os/apart.h"
#include "os/block.h"
#include "os/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { UNMOUNT_PATIENCE = 5000 /* milliseconds */ };

/* \040 and its like become what they stand for. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        bool octal = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                     from[2] <= '7' && from[3] >= '0' && from[3] <= '7';
        if (octal) {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 3;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* sysfs keeps partitions below their disks. */
static bool is_partition_of(const struct os_loopback *loop, unsigned high, unsigned low)
{
    char name[64], place[OS_PATH_ROOM], above[64];
    snprintf(name, sizeof name, "/sys/dev/block/%u:%u", high, low);
    snprintf(above, sizeof above, "/loop%u/", loop->number);
    return os_link_text(name, place) && strstr(place, above) != NULL;
}

/* "36 35 98:0 /root /point options ...": by the device's number, or by the source's name where a
 * file system (btrfs) has a number of its own. */
static bool is_of(const struct os_loopback *loop, char *line, char **point)
{
    unsigned high, low;
    int place = 0;
    struct stat node;
    if (sscanf(line, "%*d %*d %u:%u %*s %n", &high, &low, &place) != 2 || place == 0)
        return false;
    *point = line + place;
    char *rest = strchr(*point, ' ');
    if (rest == NULL)
        return false;
    *rest++ = '\0';
    unescape(*point);
    char *source = strstr(rest, " - ");
    source = source != NULL ? strchr(source + 3, ' ') : NULL;
    if (source != NULL) {
        source[1 + strcspn(source + 1, " \n")] = '\0';
        if (os_loopback_owns(loop, source + 1))
            return true;
    }
    return (stat(loop->name, &node) == 0 && node.st_rdev == makedev(high, low)) ||
           is_partition_of(loop, high, low);
}

enum { POINTS_MOST = 256 };

/* What is found may unmount: so all are read first. */
static size_t read_points(const struct os_loopback *loop, char **points)
{
    size_t count = 0, room = 0;
    char *line = NULL, *point;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (file == NULL)
        return 0;
    while (count < POINTS_MOST && getline(&line, &room, file) > 0) {
        if (!is_of(loop, line, &point))
            continue;
        points[count] = os_copy_text(point);
        count += points[count] != NULL;
    }
    free(line);
    fclose(file);
    return count;
}

void os_mounts_of(const struct os_loopback *loop, void (*found)(void *context, const char *point),
                  void *context)
{
    char *points[POINTS_MOST];
    for (size_t count = read_points(loop, points); count > 0; count--) {
        found(context, points[count - 1]);
        os_free(points[count - 1]);
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

struct unmounting {
    const char *point;
    int error;
};

static void unmount_apart(void *argument)
{
    struct unmounting *unmounting = argument;
    unmounting->error = umount2(unmounting->point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ? 0 : errno;
}

/* Who takes away a file system that nobody uses writes all that it still holds. */
enum status os_unmount_lazily(const char *point)
{
    struct unmounting unmounting = {point, 0};
    enum status status = os_apart(unmount_apart, &unmounting, sizeof unmounting, UNMOUNT_PATIENCE);
    if (status != STATUS_OK || unmounting.error == 0)
        return status;
    return unmounting.error == EPERM ? STATUS_ACCESS_DENIED : STATUS_STORE_FAILED;
}
