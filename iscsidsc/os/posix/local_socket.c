#include "os/local_socket.h"
#include "os/loop.h"
#include "os/posix/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* --- paths --- */

/* A path as the socket calls take it. One that is too long for them goes through a descriptor of
 * its directory. */
struct local_path {
    struct sockaddr_un native;
    int directory; /* -1: none */
};

static void local_path_close(struct local_path *path)
{
    if (path->directory >= 0)
        close(path->directory);
}

/* Returns an errno value. */
static int local_path_open(struct local_path *path, const char *text)
{
    char directory[PATH_MAX];
    size_t room = sizeof path->native.sun_path;
    *path = (struct local_path){.native.sun_family = AF_UNIX, .directory = -1};
    if (text[0] == '\0')
        return ENOENT;
    if (strlen(text) < room) {
        strcpy(path->native.sun_path, text);
        return 0;
    }
    const char *slash = strrchr(text, '/');
    size_t length = slash != NULL ? (size_t)(slash - text) : 0;
    if (slash == NULL || length >= sizeof directory)
        return ENAMETOOLONG;
    memcpy(directory, text, length);
    directory[length] = '\0';
    path->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (path->directory < 0)
        return errno;
    int written =
        snprintf(path->native.sun_path, room, "/proc/self/fd/%d%s", path->directory, slash);
    if (written > 0 && (size_t)written < room)
        return 0;
    local_path_close(path);
    return ENAMETOOLONG;
}

static const struct sockaddr *address_of(const struct local_path *path)
{
    return (const struct sockaddr *)(const void *)&path->native;
}

/* --- listening --- */

static enum status listen_status(int error)
{
    switch (error) {
    case EADDRINUSE:
        return STATUS_BUSY;
    case EACCES:
    case EPERM:
        return STATUS_ACCESS_DENIED;
    case EROFS:
        return STATUS_STORE_READ_ONLY;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_TRANSPORT_ERROR;
    }
}

/* The mode is set before the socket has a name: at no time may others connect. */
static int bind_private(int file, const struct local_path *path)
{
    if (fchmod(file, 0600) != 0 || bind(file, address_of(path), sizeof path->native) != 0)
        return errno;
    return 0;
}

static int open_up(const struct local_path *path, uint32_t group, bool everybody)
{
    const char *name = path->native.sun_path;
    if (group != OS_NO_GROUP && lchown(name, (uid_t)-1, (gid_t)group) != 0)
        return errno;
    mode_t mode = everybody ? 0666 : group != OS_NO_GROUP ? 0660 : 0600;
    return chmod(name, mode) == 0 ? 0 : errno;
}

enum status os_local_listen(os_socket *out, const char *path, uint32_t group, bool everybody,
                            int backlog)
{
    struct local_path native;
    *out = OS_NO_SOCKET;
    int error = local_path_open(&native, path);
    if (error != 0)
        return listen_status(error);
    int file = os_beyond_standard(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error = file < 0 ? errno : bind_private(file, &native);
    if (error == 0) {
        error = open_up(&native, group, everybody);
        if (error == 0 && listen(file, backlog) != 0)
            error = errno;
        if (error != 0)
            unlink(native.native.sun_path);
    }
    local_path_close(&native);
    if (error != 0) {
        if (file >= 0)
            close(file);
        return listen_status(error);
    }
    *out = file;
    return STATUS_OK;
}

bool os_local_permit(const char *path, uint32_t group, bool everybody)
{
    struct local_path native;
    if (local_path_open(&native, path) != 0)
        return false;
    int error = open_up(&native, group, everybody);
    local_path_close(&native);
    return error == 0;
}

/* --- connecting --- */

static enum status connect_status(int error)
{
    switch (error) {
    case 0:
        return STATUS_OK;
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
    case ECONNRESET:
        return STATUS_SERVICE_NOT_RUNNING;
    case EACCES:
    case EPERM:
        return STATUS_ACCESS_DENIED;
    case EAGAIN: /* the queue of the listener stayed full */
    case ETIMEDOUT:
        return STATUS_SERVICE_TIMEOUT;
    default:
        return STATUS_TRANSPORT_ERROR;
    }
}

static struct timeval time_left(uint64_t due)
{
    uint64_t now = os_now();
    uint64_t left = due > now ? due - now : 1; /* 0 would mean for ever */
    return (struct timeval){.tv_sec = (time_t)(left / 1000),
                            .tv_usec = (suseconds_t)(left % 1000 * 1000)};
}

/* connect(2) waits for a full queue no longer than a send would. */
static int connect_until(int file, const struct local_path *path, uint64_t due)
{
    int error;
    do {
        struct timeval left = time_left(due);
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left);
        error = connect(file, address_of(path), sizeof path->native) == 0 ? 0 : errno;
    } while (error == EINTR && os_now() < due);
    int flags = fcntl(file, F_GETFL);
    if (error == 0 && (flags < 0 || fcntl(file, F_SETFL, flags | O_NONBLOCK) != 0))
        error = errno;
    return error;
}

enum status os_local_connect(os_socket *out, const char *path, uint64_t due)
{
    struct local_path native;
    *out = OS_NO_SOCKET;
    int error = local_path_open(&native, path);
    if (error != 0)
        return connect_status(error);
    int file = os_beyond_standard(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    error = file < 0 ? errno : connect_until(file, &native, due);
    local_path_close(&native);
    if (error != 0) {
        if (file >= 0)
            close(file);
        return connect_status(error);
    }
    *out = file;
    return STATUS_OK;
}

/* --- the other end --- */

static void read_groups(int file, struct os_peer *peer)
{
    socklen_t length = sizeof peer->groups;
    _Static_assert(sizeof(gid_t) == sizeof(uint32_t), "group ids are copied as they are");
    if (getsockopt(file, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &length) == 0)
        peer->group_count = length / sizeof *peer->groups;
}

bool os_local_peer(os_socket socket, struct os_peer *peer)
{
    struct ucred native;
    socklen_t length = sizeof native;
    memset(peer, 0, sizeof *peer);
    if (getsockopt((int)socket, SOL_SOCKET, SO_PEERCRED, &native, &length) != 0 ||
        length != sizeof native || native.uid == (uid_t)-1)
        return false;
    read_groups((int)socket, peer);
    peer->own = native.uid == 0 || native.uid == geteuid();
    peer->user = native.uid;
    peer->process = (uint32_t)native.pid;
    if (peer->group_count < OS_GROUP_MAX)
        peer->groups[peer->group_count++] = native.gid;
    return true;
}

/* --- waiting --- */

bool os_socket_wait(os_socket socket, unsigned events, uint64_t due)
{
    short wanted =
        (short)((events & OS_READABLE ? POLLIN : 0) | (events & OS_WRITABLE ? POLLOUT : 0));
    for (;;) {
        struct pollfd poll_file = {.fd = (int)socket, .events = wanted};
        uint64_t now = os_now();
        uint64_t left = due > now ? due - now : 0;
        int found = poll(&poll_file, 1, left < INT_MAX ? (int)left : INT_MAX);
        if (found > 0)
            return true;
        if (found == 0 && os_now() >= due)
            return false;
        if (found < 0 && errno != EINTR && errno != EAGAIN)
            return true; /* the next transfer tells what is wrong */
    }
}
