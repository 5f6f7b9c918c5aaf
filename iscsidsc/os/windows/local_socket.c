#include "os/local_socket.h"
#include "os/loop.h"
#include "os/net.h"

#include <string.h>

/* Wine has no such sockets, and Windows' tell no credentials: the service is reached through
 * loopback TCP there. */
enum status os_local_listen(os_socket *out, const char *path, uint32_t group, bool everybody,
                            int backlog)
{
    (void)path;
    (void)group;
    (void)everybody;
    (void)backlog;
    *out = OS_NO_SOCKET;
    return STATUS_NOT_SUPPORTED;
}

bool os_local_permit(const char *path, uint32_t group, bool everybody)
{
    (void)path;
    (void)group;
    (void)everybody;
    return false;
}

enum status os_local_connect(os_socket *out, const char *path, uint64_t due)
{
    (void)path;
    (void)due;
    *out = OS_NO_SOCKET;
    return STATUS_NOT_SUPPORTED;
}

bool os_local_peer(os_socket socket, struct os_peer *peer)
{
    (void)socket;
    memset(peer, 0, sizeof *peer);
    return false;
}

/* select and not WSAPoll: before Windows 10 2004 that never reports a failed connect. */
bool os_socket_wait(os_socket socket, unsigned events, uint64_t due)
{
    fd_set reading, writing, failed;
    for (;;) {
        FD_ZERO(&reading);
        FD_ZERO(&writing);
        FD_ZERO(&failed);
        FD_SET((SOCKET)socket, &failed);
        if (events & OS_READABLE)
            FD_SET((SOCKET)socket, &reading);
        if (events & OS_WRITABLE)
            FD_SET((SOCKET)socket, &writing);
        uint64_t now = os_now();
        uint64_t left = due > now ? due - now : 0;
        if (left > 60000)
            left = 60000;
        struct timeval wait = {.tv_sec = (long)(left / 1000),
                               .tv_usec = (long)(left % 1000 * 1000)};
        if (select(0, &reading, &writing, &failed, &wait) != 0)
            return true; /* also when it fails: the next transfer tells what is wrong */
        if (os_now() >= due)
            return false;
    }
}
