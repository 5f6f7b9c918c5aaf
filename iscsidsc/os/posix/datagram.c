#include "os/posix/native_socket.h"

#include <errno.h>
#include <unistd.h>

enum { DROPPED_MOST = 64 /* in one call: whoever sends such does not keep the thread busy */ };

static enum status transfer_status(int error)
{
    enum status status = native_connect_status(error);
    return status == STATUS_CONNECT_REFUSED || status == STATUS_CONNECT_UNREACHABLE
               ? status
               : STATUS_TRANSPORT_ERROR;
}

enum status os_datagram_open(os_socket *out, const struct os_address *at)
{
    struct os_native_address native;
    *out = OS_NO_SOCKET;
    if (!os_address_to_native(at, &native))
        return STATUS_ADDRESS_FAMILY;
    int file = native_socket(&native, SOCK_DGRAM);
    if (file < 0)
        return native_listen_status(errno);
    if (native.u.any.sa_family == AF_INET6)
        native_switch_on(file, IPPROTO_IPV6, IPV6_V6ONLY);
    int error = native_bind(file, at);
    if (error != 0) {
        close(file);
        return native_listen_status(error);
    }
    *out = file;
    return STATUS_OK;
}

enum status os_datagram_connect(os_socket *out, const struct os_address *to,
                                const struct os_address *source)
{
    struct os_native_address native;
    *out = OS_NO_SOCKET;
    if (!os_address_to_native(to, &native))
        return STATUS_ADDRESS_FAMILY;
    int file = native_socket(&native, SOCK_DGRAM);
    if (file < 0)
        return native_connect_status(errno);
    int error = source != NULL ? native_bind(file, source) : 0;
    if (error == 0 && connect(file, &native.u.any, native.length) != 0)
        error = errno;
    if (error != 0) {
        close(file);
        return native_connect_status(error);
    }
    *out = file;
    return STATUS_OK;
}

/* The length; 0 when it is one to drop, -1 when there is none. */
static ssize_t receive_one(int file, void *out, size_t room, struct os_address *from)
{
    struct os_native_address native = {.length = sizeof native.u};
    struct iovec piece = {out, room};
    struct msghdr message = {
        .msg_name = &native.u, .msg_namelen = native.length, .msg_iov = &piece, .msg_iovlen = 1};
    ssize_t got = recvmsg(file, &message, 0);
    if (got < 0)
        return -1;
    if (message.msg_flags & MSG_TRUNC)
        return 0;
    if (from != NULL && !os_address_from_native(&native.u.any, message.msg_namelen, from))
        return 0;
    return got;
}

long os_datagram_receive(os_socket socket, void *out, size_t room, struct os_address *from,
                         enum status *status)
{
    for (int i = 0; i < DROPPED_MOST; i++) {
        ssize_t got = receive_one((int)socket, out, room, from);
        if (got > 0)
            return (long)got;
        if (got == 0 || errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
        *status = transfer_status(errno);
        return -1;
    }
    return 0;
}

enum status os_datagram_send(os_socket socket, const void *data, size_t length,
                             const struct os_address *to)
{
    struct os_native_address native = {.length = 0};
    ssize_t sent;
    if (to != NULL && !os_address_to_native(to, &native))
        return STATUS_ADDRESS_FAMILY;
    do {
        sent = sendto((int)socket, data, length, MSG_NOSIGNAL, to != NULL ? &native.u.any : NULL,
                      native.length);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
        return STATUS_OK;
    return transfer_status(errno);
}
