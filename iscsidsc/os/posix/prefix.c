/* Links in Wine prefixes. A prefix is its user's: whatever is found there may be there on purpose
 * to mislead, so nothing is reached through a link, and nothing but a link is touched. */
#include "os/prefix.h"
#include "os/posix/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK };

bool os_own_prefix(char out[OS_PATH_ROOM])
{
    out[0] = '\0';
    return false;
}

static enum status prefix_status(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return STATUS_INVALID_PARAMETER;
    case EACCES:
    case EPERM:
        return STATUS_ACCESS_DENIED;
    case EROFS:
        return STATUS_STORE_READ_ONLY;
    case ENOSPC:
    case EDQUOT:
        return STATUS_STORE_FULL;
    case EMFILE:
    case ENFILE:
        return STATUS_NO_RESOURCES;
    case EEXIST:
        return STATUS_BUSY;
    default:
        return STATUS_STORE_FAILED;
    }
}

/* The way to the prefix may have links, such as that of a home directory. */
static int open_prefix(const char *path)
{
    char *real = realpath(path, NULL);
    int prefix = real != NULL ? open(real, OPEN_DIRECTORY) : -1;
    int error = errno;
    free(real);
    errno = error;
    return prefix;
}

static enum status check_owner(int directory, bool named)
{
    struct stat found;
    if (fstat(directory, &found) != 0)
        return prefix_status(errno);
    bool trusted = named || (found.st_uid == geteuid() && (found.st_mode & S_IWOTH) == 0);
    return trusted ? STATUS_OK : STATUS_ACCESS_DENIED;
}

enum status os_prefix_open(struct os_prefix *prefix, const char *path, bool named)
{
    int above = path[0] == '/' ? open_prefix(path) : (errno = ENOENT, -1);
    prefix->directory = -1;
    if (above < 0)
        return prefix_status(errno);
    int directory = os_beyond_standard(openat(above, "dosdevices", OPEN_DIRECTORY));
    enum status status = directory >= 0 ? check_owner(directory, named) : prefix_status(errno);
    close(above);
    if (status == STATUS_OK)
        prefix->directory = directory;
    else if (directory >= 0)
        close(directory);
    return status;
}

void os_prefix_close(struct os_prefix *prefix)
{
    if (prefix->directory >= 0)
        close((int)prefix->directory);
    prefix->directory = -1;
}

void os_prefix_list(const struct os_prefix *prefix, void (*found)(void *context, const char *name),
                    void *context)
{
    int again = openat((int)prefix->directory, ".", OPEN_DIRECTORY);
    DIR *directory = again >= 0 ? fdopendir(again) : NULL;
    if (directory == NULL) {
        if (again >= 0)
            close(again);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        found(context, entry->d_name);
    closedir(directory);
}

bool os_prefix_link(const struct os_prefix *prefix, const char *name, char out[OS_PATH_ROOM])
{
    ssize_t length = readlinkat((int)prefix->directory, name, out, OS_PATH_ROOM - 1);
    out[length > 0 ? length : 0] = '\0';
    return length > 0;
}

bool os_prefix_has_driver(const struct os_prefix *prefix, const char *file)
{
    char path[OS_PATH_ROOM];
    snprintf(path, sizeof path, "../drive_c/windows/system32/drivers/%s", file);
    return faccessat((int)prefix->directory, path, F_OK, 0) == 0;
}

bool os_prefix_leads(const struct os_prefix *prefix, const char *name)
{
    struct stat found;
    return fstatat((int)prefix->directory, name, &found, 0) == 0;
}

enum status os_prefix_make(const struct os_prefix *prefix, const char *name, const char *text)
{
    return symlinkat(text, (int)prefix->directory, name) == 0 ? STATUS_OK : prefix_status(errno);
}

void os_prefix_remove(const struct os_prefix *prefix, const char *name)
{
    struct stat found;
    if (fstatat((int)prefix->directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(found.st_mode))
        unlinkat((int)prefix->directory, name, 0);
}
