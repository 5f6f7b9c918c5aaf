#include "os/apart.h"
#include "os/block.h"

#include <errno.h>
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    ATTEMPTS = 3,
    LOOK_PATIENCE = 2000, /* milliseconds */
    PATH_SHORT = 96,
};

static enum status link_status(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return STATUS_ACCESS_DENIED;
    case EROFS:
        return STATUS_STORE_READ_ONLY;
    case ENOSPC:
    case EDQUOT:
        return STATUS_STORE_FULL;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_STORE_FAILED;
    }
}

/* For all to pass, whatever this process' mask is. */
static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) == 0)
            chmod(path, 0755);
        *slash = '/';
    }
}

/* 0, or errno. A unit has dozens of links, nearly all of them in directories that are there. */
static int make(char *path, const char *text)
{
    bool made = symlink(text, path) == 0;
    /* Somebody else may remove a directory that is empty. */
    for (int i = 0; !made && errno == ENOENT && i < ATTEMPTS; i++) {
        make_parents(path);
        made = symlink(text, path) == 0;
    }
    return made ? 0 : errno;
}

static enum status replace(const char *path, char *fresh, const char *text)
{
    struct stat found;
    if (lstat(path, &found) == 0 && !S_ISLNK(found.st_mode))
        return STATUS_BUSY;
    unlink(fresh);
    int failed = make(fresh, text);
    if (failed != 0)
        return link_status(failed);
    if (rename(fresh, path) == 0)
        return STATUS_OK;
    int error = errno;
    unlink(fresh);
    return link_status(error);
}

enum status os_link_set(const char *path, const char *text)
{
    char fresh[OS_PATH_ROOM], copy[OS_PATH_ROOM];
    int length = snprintf(fresh, sizeof fresh, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof fresh)
        return STATUS_INVALID_PARAMETER;
    snprintf(copy, sizeof copy, "%s", path);
    int failed = make(copy, text);
    if (failed == EEXIST)
        return replace(path, fresh, text);
    return failed == 0 ? STATUS_OK : link_status(failed);
}

bool os_link_text(const char *path, char out[OS_PATH_ROOM])
{
    ssize_t length = readlink(path, out, OS_PATH_ROOM - 1);
    if (length < 0)
        return false;
    out[length] = '\0';
    return true;
}

/* --- what they lead to --- */

struct glance {
    const char *path;
    bool found;
};

/* Of a file system of our own, too. */
static void glance_apart(void *argument)
{
    struct glance *glance = argument;
    struct stat found;
    glance->found = stat(glance->path, &found) == 0;
}

/* A node of something that is there: of a loop device, attached to a file. */
static bool is_live_node(dev_t number)
{
    char path[PATH_SHORT];
    struct stat found;
    int length = snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major(number), minor(number));
    if (stat(path, &found) != 0)
        return false;
    if (major(number) != LOOP_MAJOR)
        return true;
    snprintf(path + length, sizeof path - (size_t)length, "/partition");
    if (stat(path, &found) == 0)
        return true;
    snprintf(path + length, sizeof path - (size_t)length, "/loop/backing_file");
    return stat(path, &found) == 0;
}

bool os_leads_somewhere(const char *path)
{
    struct stat found;
    char text[OS_PATH_ROOM];
    if (!os_link_text(path, text) && snprintf(text, sizeof text, "%s", path) < 0)
        return false;
    if (strncmp(text, "/dev/", 5) == 0 && lstat(text, &found) == 0 && S_ISBLK(found.st_mode))
        return is_live_node(found.st_rdev);
    struct glance glance = {path, false};
    enum status status = os_apart(glance_apart, &glance, sizeof glance, LOOK_PATIENCE);
    return status == STATUS_COMMAND_TIMEOUT || (status == STATUS_OK && glance.found);
}
