#include "os/runtime.h"
#include "os/memory.h"
#include "os/posix/descriptors.h"
#include "os/posix/file.h"
#include "os/system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_PLACE "/run/iscsidsc/door"

/* --- places --- */

static bool join(char out[OS_PATH_ROOM], const char *directory, const char *rest)
{
    int length = snprintf(out, OS_PATH_ROOM, "%s%s", directory, rest);
    return length > 0 && (size_t)length < OS_PATH_ROOM;
}

bool os_absolute_path(const char *path, char out[OS_PATH_ROOM])
{
    char directory[OS_PATH_ROOM];
    if (path[0] == '/')
        return join(out, path, "");
    if (getcwd(directory, sizeof directory) == NULL)
        return false;
    int length = snprintf(out, OS_PATH_ROOM, "%s/%s", directory, path);
    return length > 0 && (size_t)length < OS_PATH_ROOM;
}

static void strip_ending(char *path)
{
    size_t length = strlen(path);
    if (length > 5 && strcmp(path + length - 5, ".sock") == 0)
        path[length - 5] = '\0';
}

/* The place that the environment names, and no other then. */
static bool named_place(struct os_place *place)
{
    char path[OS_PATH_ROOM];
    place->own = true;
    if (os_environment("ISCSIDSC_SOCKET", path, sizeof path) && path[0] != '\0') {
        strip_ending(path);
        return os_absolute_path(path, place->base);
    }
    char directory[OS_PATH_ROOM];
    return os_environment("ISCSIDSC_STATE", path, sizeof path) && path[0] != '\0' &&
           os_absolute_path(path, directory) && join(place->base, directory, "/door");
}

/* Without XDG_RUNTIME_DIR (cron, su) the user's login may still have such a directory. */
static bool runtime_place(struct os_place *place)
{
    char path[OS_PATH_ROOM];
    struct stat found;
    place->own = true;
    if (os_environment("XDG_RUNTIME_DIR", path, sizeof path) && path[0] == '/')
        return join(place->base, path, "/iscsidsc/door");
    snprintf(path, sizeof path, "/run/user/%lu", (unsigned long)geteuid());
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != geteuid())
        return false;
    return join(place->base, path, "/iscsidsc/door");
}

static bool state_place(struct os_place *place)
{
    char path[OS_PATH_ROOM];
    place->own = true;
    return os_state_directory(path, sizeof path) && join(place->base, path, "/door");
}

static bool system_place(struct os_place *place)
{
    place->own = geteuid() == 0;
    place->shared = true;
    return join(place->base, SYSTEM_PLACE, "");
}

/* What was told and cannot be used is an error, and not as if nothing had been told. */
static bool is_told(const char *variable)
{
    const char *value = secure_getenv(variable);
    return value != NULL && value[0] != '\0';
}

size_t os_service_places(struct os_place *out, size_t room)
{
    static bool (*const kinds[])(struct os_place *) = {named_place, runtime_place, state_place,
                                                       system_place};
    bool named = is_told("ISCSIDSC_SOCKET") || is_told("ISCSIDSC_STATE");
    size_t count = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && count < room; i++) {
        bool of_users = kinds[i] == runtime_place || kinds[i] == state_place;
        if (named != (kinds[i] == named_place) || (of_users && geteuid() == 0))
            continue;
        memset(&out[count], 0, sizeof *out);
        count += kinds[i](&out[count]);
    }
    return count;
}

bool os_serving_place(struct os_place *out)
{
    return os_service_places(out, 1) == 1;
}

bool os_place_path(const struct os_place *place, const char *ending, char out[OS_PATH_ROOM])
{
    return join(out, place->base, ending);
}

/* --- files --- */

enum status os_make_runtime_directory(const struct os_place *place)
{
    char path[OS_PATH_ROOM];
    struct stat found;
    strcpy(path, place->base);
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return STATUS_OK;
    *slash = '\0';
    if (stat(path, &found) == 0)
        return S_ISDIR(found.st_mode) ? STATUS_OK : STATUS_STORE_FAILED;
    enum status status = os_make_private_directory(path);
    if (status == STATUS_OK && place->shared && chmod(path, 0755) != 0)
        status = os_file_status(errno);
    return status;
}

static int give_to_group(int file, uint32_t group)
{
    if (group == OS_NO_GROUP)
        return fchmod(file, 0600) == 0 ? 0 : errno;
    if (fchown(file, (uid_t)-1, (gid_t)group) != 0 || fchmod(file, 0640) != 0)
        return errno;
    return 0;
}

enum status os_publish_file(const char *path, const char *text, uint32_t group)
{
    char draft[OS_PATH_ROOM];
    int length = snprintf(draft, sizeof draft, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof draft)
        return STATUS_STORE_FAILED;
    int file = mkostemp(draft, O_CLOEXEC); /* 0600 */
    if (file < 0)
        return os_file_status(errno);
    int error = os_write_all(file, text, strlen(text));
    if (error == 0)
        error = give_to_group(file, group);
    if (close(file) != 0 && error == 0)
        error = errno;
    if (error == 0 && rename(draft, path) != 0)
        error = errno;
    if (error != 0)
        unlink(draft);
    return error == 0 ? STATUS_OK : os_file_status(error);
}

enum status os_read_own_file(const char *path, char **out, size_t *length)
{
    struct stat found;
    *out = NULL;
    *length = 0;
    if (lstat(path, &found) != 0)
        return errno == ENOENT || errno == ENOTDIR ? STATUS_OK : os_file_status(errno);
    if (!S_ISREG(found.st_mode) || found.st_uid != geteuid() || (found.st_mode & 0022) != 0)
        return STATUS_ACCESS_DENIED;
    return os_read_file(path, out, length);
}

void os_remove_file(const char *path)
{
    unlink(path);
}

void os_remove_directory(const char *path)
{
    rmdir(path);
}

void os_list_directory(const char *path, void (*found)(void *context, const char *name),
                       void *context)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            found(context, entry->d_name);
    }
    closedir(directory);
}

/* --- locks --- */

/* Of the open file and not of the process, and of the kind that Wine takes for LockFileEx: a
 * service inside Wine and a native one keep each other out. */
static int lock_whole(int file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(file, F_OFD_SETLK, &whole) == 0 ? 0 : errno;
}

enum status os_file_lock(struct os_file_lock *lock, const char *path)
{
    lock->handle = -1;
    int file = os_beyond_standard(
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600));
    int error = file < 0 ? errno : lock_whole(file);
    if (error == 0) {
        lock->handle = file;
        return STATUS_OK;
    }
    if (file >= 0)
        close(file);
    return file >= 0 && (error == EAGAIN || error == EACCES) ? STATUS_BUSY : os_file_status(error);
}

void os_file_unlock(struct os_file_lock *lock)
{
    if (lock->handle >= 0)
        close((int)lock->handle);
    lock->handle = -1;
}

/* --- groups --- */

static bool read_id(const char *text, uint32_t *id)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || number >= OS_NO_GROUP)
        return false;
    *id = (uint32_t)number;
    return true;
}

bool os_group_find(const char *name, uint32_t *group)
{
    const struct group *found = getgrnam(name);
    if (found == NULL)
        return read_id(name, group);
    *group = found->gr_gid;
    return true;
}

bool os_user_find(const char *name, uint32_t *user)
{
    const struct passwd *found = getpwnam(name);
    if (found == NULL)
        return read_id(name, user);
    *user = found->pw_uid;
    return true;
}
