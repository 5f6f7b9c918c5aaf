/* Files that people edit while we write to them. */
#include "os/memory.h"
#include "os/posix/file.h"
#include "os/system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DRAFT_ROOM = PATH_MAX + 8 };

int os_write_all(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

static bool holds(const char *path, const struct os_text *text)
{
    char *found;
    size_t length;
    if (os_read_file(path, &found, &length) != STATUS_OK || found == NULL)
        return false;
    bool same = length == text->length && memcmp(found, text->start, length) == 0;
    os_free(found);
    return same;
}

/* Owner and permissions as those of the file that it will replace. */
static int dress(int draft, const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return errno == ENOENT && fchmod(draft, 0644) == 0 ? 0 : errno;
    if (!S_ISREG(found.st_mode) || access(path, W_OK) != 0)
        return EACCES;
    if (fchown(draft, found.st_uid, found.st_gid) != 0 || fchmod(draft, found.st_mode & 07777) != 0)
        return errno;
    return 0;
}

static int write_draft(char *draft, const char *path, const struct os_text *text)
{
    int file = mkostemp(draft, O_CLOEXEC);
    if (file < 0)
        return errno;
    int error = os_write_all(file, text->start, text->length);
    if (error == 0)
        error = dress(file, path);
    if (error == 0 && fsync(file) != 0)
        error = errno;
    if (close(file) != 0 && error == 0)
        error = errno;
    if (error != 0)
        unlink(draft);
    return error;
}

static bool swap(const char *draft, const char *path)
{
    return renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_EXCHANGE) == 0;
}

/* Looked at only when it is out of everybody's way: what somebody put there a moment ago is seen,
 * and put back. Where the file system cannot swap, that moment is left. */
static int replace(const char *draft, const char *path, const struct os_text *before,
                   const struct os_text *after)
{
    if (!holds(path, before))
        return EBUSY;
    if (!swap(draft, path))
        return (errno == EINVAL || errno == ENOSYS) && rename(draft, path) == 0 ? 0 : errno;
    if (holds(draft, before))
        return 0;
    /* If what comes back is not ours, it is newer than what was put there. */
    if (swap(draft, path) && !holds(draft, after))
        swap(draft, path);
    return EBUSY;
}

static int place(const char *draft, const char *path)
{
    if (renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EINVAL || errno == ENOSYS)
        return link(draft, path) == 0 ? 0 : errno == EEXIST ? EBUSY : errno;
    return errno == EEXIST ? EBUSY : errno;
}

enum status os_revise_file(const char *path, const struct os_text *before,
                           const struct os_text *after)
{
    char real[PATH_MAX], draft[DRAFT_ROOM];
    if (realpath(path, real) == NULL) {
        if (errno != ENOENT || strlen(path) >= sizeof real)
            return os_file_status(errno);
        strcpy(real, path);
    }
    snprintf(draft, sizeof draft, "%s.XXXXXX", real);
    int error = write_draft(draft, real, after);
    if (error != 0)
        return os_file_status(error);
    error = before == NULL ? place(draft, real) : replace(draft, real, before, after);
    unlink(draft); /* what it holds now, if it is there */
    return error == 0 ? STATUS_OK : error == EBUSY ? STATUS_BUSY : os_file_status(error);
}
