/* Files and directories that only their owner may read. */
#include "os/system.h"
#include "os/memory.h"
#include "os/posix/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum status os_file_status(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
    case ELOOP: /* O_NOFOLLOW met a link */
        return STATUS_ACCESS_DENIED;
    case EROFS:
        return STATUS_STORE_READ_ONLY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_STORE_FULL;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_STORE_FAILED;
    }
}

/* Somebody else's directory could be read, or changed under us, by its owner. */
static enum status claim(const char *path, mode_t kind, mode_t wanted)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return os_file_status(errno);
    if ((found.st_mode & S_IFMT) != kind)
        return STATUS_STORE_FAILED;
    if (found.st_uid != geteuid())
        return STATUS_ACCESS_DENIED;
    if ((found.st_mode & 07777) == wanted)
        return STATUS_OK;
    return chmod(path, wanted) == 0 ? STATUS_OK : os_file_status(errno);
}

static enum status make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, 0700);
        int error = errno;
        *slash = '/';
        /* One that exists may well be in a place where mkdir says EROFS or EACCES first: the last
         * step decides. */
        if (failed && error != EEXIST && error != EACCES && error != EROFS && error != EPERM)
            return os_file_status(error);
    }
    return STATUS_OK;
}

enum status os_make_private_directory(const char *path)
{
    if (path[0] == '\0')
        return STATUS_INVALID_PARAMETER;
    char *copy = os_copy_text(path);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    enum status status = make_parents(copy);
    os_free(copy);
    if (status != STATUS_OK)
        return status;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        int error = errno;
        struct stat found;
        if (stat(path, &found) != 0)
            return os_file_status(error);
    }
    return claim(path, S_IFDIR, 0700);
}

enum status os_make_private_file(const char *path)
{
    return claim(path, S_IFREG, 0600);
}

bool os_file_exposed(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

bool os_file_withheld(const char *path)
{
    return geteuid() != 0 && access(path, R_OK) != 0 && errno == EACCES;
}

enum { READ_MOST = 16 << 20, READ_STEP = 65536 };

/* By chunks and not by st_size: files under /proc and /sys have none. */
static enum status read_all(int file, char **out, size_t *length)
{
    char *text = NULL;
    size_t used = 0;
    for (;;) {
        char *grown = used <= READ_MOST ? os_grow(text, used + READ_STEP + 1) : NULL;
        if (grown == NULL) {
            os_free(text);
            return used <= READ_MOST ? STATUS_NO_MEMORY : STATUS_STORE_FAILED;
        }
        text = grown;
        ssize_t got = read(file, text + used, READ_STEP);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            enum status status = os_file_status(errno);
            os_free(text);
            return status;
        }
        used += (size_t)got;
        if (got == 0)
            break;
    }
    text[used] = '\0';
    *out = text;
    *length = used;
    return STATUS_OK;
}

enum status os_read_file(const char *path, char **out, size_t *length)
{
    *out = NULL;
    *length = 0;
    /* Without O_NONBLOCK a FIFO put in the file's place would hang us. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return errno == ENOENT || errno == ENOTDIR ? STATUS_OK : os_file_status(errno);
    struct stat found;
    enum status status = STATUS_STORE_FAILED;
    if (fstat(file, &found) == 0 && S_ISREG(found.st_mode))
        status = read_all(file, out, length);
    close(file);
    return status;
}

/* Far above the grain of a file's time: a timer tick, or two seconds where nothing finer is kept.
 */
enum { SETTLED = 100, SETTLED_COARSE = 3000 }; /* milliseconds */

static int64_t milliseconds_between(const struct timespec *from, const struct timespec *to)
{
    return (int64_t)(to->tv_sec - from->tv_sec) * 1000 + (to->tv_nsec - from->tv_nsec) / 1000000;
}

bool os_file_stamp(const char *path, uint64_t *stamp)
{
    struct stat found;
    struct timespec now;
    if (stat(path, &found) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    if (milliseconds_between(&found.st_mtim, &now) <
        (found.st_mtim.tv_nsec == 0 ? SETTLED_COARSE : SETTLED))
        return false;
    *stamp =
        (uint64_t)found.st_mtim.tv_sec * UINT64_C(1000000000) + (uint64_t)found.st_mtim.tv_nsec;
    *stamp = (*stamp * 31 + (uint64_t)found.st_ino) * 31 + (uint64_t)found.st_size;
    return true;
}
