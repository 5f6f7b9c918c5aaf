/*
 * Sockets between the programs of one machine: Unix-domain sockets with the credentials of the
 * other end where the platform has them (Linux), and waiting for a socket without a loop.
 */
#ifndef OS_LOCAL_SOCKET_H
#define OS_LOCAL_SOCKET_H

#include "os/socket.h"

#define OS_NO_GROUP  UINT32_MAX
#define OS_GROUP_MAX 256u

/* The process at the other end, as it was when it connected (or began to listen). */
struct os_peer {
    bool own; /* of root, or of the user this process runs as */
    uint32_t user;
    uint32_t process;
    size_t group_count;
    uint32_t groups[OS_GROUP_MAX];
};

/* For all paths: of any length that the file system takes. NOT_SUPPORTED where there are no such
 * sockets. */

/*
 * Listens at `path`, for its owner alone or, with a `group` or `everybody`, for those as well; who
 * comes in is told by os_local_peer. What is at that path already makes it BUSY. ACCESS_DENIED,
 * STORE_READ_ONLY, TRANSPORT_ERROR.
 */
enum status os_local_listen(os_socket *out, const char *path, uint32_t group, bool everybody,
                            int backlog);
/* Changes who may connect. False: it could not be done. */
bool os_local_permit(const char *path, uint32_t group, bool everybody);
/*
 * Connects, waiting at most until `due` (os_now time); the socket then never blocks.
 * SERVICE_NOT_RUNNING (nobody listens there), ACCESS_DENIED, SERVICE_TIMEOUT, TRANSPORT_ERROR.
 */
enum status os_local_connect(os_socket *out, const char *path, uint64_t due);
/* False: the platform does not tell. */
bool os_local_peer(os_socket socket, struct os_peer *peer);
bool os_peer_in_group(const struct os_peer *peer, uint32_t group);

/* Waits until the socket is ready for one of `events` (OS_READABLE, OS_WRITABLE) or broken. False:
 * `due` passed first. */
bool os_socket_wait(os_socket socket, unsigned events, uint64_t due);

#endif
