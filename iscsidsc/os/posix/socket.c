#include "os/posix/descriptors.h"
#include "os/posix/native_socket.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(struct iov) == sizeof(struct iovec) &&
                   offsetof(struct iov, base) == offsetof(struct iovec, iov_base) &&
                   offsetof(struct iov, length) == offsetof(struct iovec, iov_len),
               "pieces are handed to the kernel as they are");

void os_net_start(void)
{
}

static void set_stream_options(int file)
{
    native_switch_on(file, IPPROTO_TCP, TCP_NODELAY);
    native_switch_on(file, SOL_SOCKET, SO_KEEPALIVE);
}

/* Without IP_BIND_ADDRESS_NO_PORT one source address had 28,000 connections for all targets. */
static int bind_source(int file, const struct os_address *source)
{
    if (os_address_port(source) == 0)
        native_switch_on(file, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    return native_bind(file, source);
}

/* Before the connection, for the window's scale is settled with it (RFC 7323, 2.2). A system that
 * grants less is not asked why. */
static void set_buffers(int file, uint32_t buffers)
{
    int size = (int)buffers;
    if (buffers == 0)
        return;
    setsockopt(file, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(file, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

enum status os_connect(os_socket *out, const struct os_address *to, const struct os_address *source)
{
    return os_connect_buffered(out, to, source, 0);
}

enum status os_connect_buffered(os_socket *out, const struct os_address *to,
                                const struct os_address *source, uint32_t buffers)
{
    struct os_native_address native;
    *out = OS_NO_SOCKET;
    if (!os_address_to_native(to, &native))
        return STATUS_ADDRESS_FAMILY;
    int file = native_socket(&native, SOCK_STREAM);
    if (file < 0)
        return native_connect_status(errno);
    set_stream_options(file);
    set_buffers(file, buffers);
    int error = source != NULL ? bind_source(file, source) : 0;
    if (error == 0 && connect(file, &native.u.any, native.length) != 0)
        error = errno;
    enum status status = native_connect_status(error);
    if (status != STATUS_OK) {
        close(file);
        return status;
    }
    *out = file;
    return STATUS_OK;
}

/* Dialling an ephemeral port of this machine that nobody listens on can pick that very port as its
 * own and then meets itself (simultaneous open, RFC 9293, 3.5). */
static bool connected_to_itself(os_socket socket)
{
    struct os_address local, peer;
    return os_local_address(socket, &local) && os_peer_address(socket, &peer) &&
           os_address_port(&local) == os_address_port(&peer) && os_address_same_host(&local, &peer);
}

enum status os_connect_result(os_socket socket)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt((int)socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (error == 0 && connected_to_itself(socket))
        return STATUS_CONNECT_REFUSED;
    return native_connect_status(error);
}

/* --- listening --- */

/*
 * With no descriptor left a pending connection could not even be refused: the listener would stay
 * readable and its loop spin. This one is given up for a moment to take and close the connection.
 */
static atomic_int spare_file = -1;

static void keep_spare(void)
{
    int none = -1;
    int spare = os_beyond_standard(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (spare >= 0 && !atomic_compare_exchange_strong(&spare_file, &none, spare))
        close(spare);
}

static bool refuse_one(int listener)
{
    int spare = atomic_exchange(&spare_file, -1);
    if (spare < 0)
        return false;
    close(spare);
    int file = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (file >= 0)
        close(file);
    keep_spare();
    return file >= 0;
}

enum status os_listen(os_socket *out, const struct os_address *at, int backlog)
{
    struct os_native_address native;
    *out = OS_NO_SOCKET;
    if (!os_address_to_native(at, &native))
        return STATUS_ADDRESS_FAMILY;
    int file = native_socket(&native, SOCK_STREAM);
    if (file < 0)
        return native_listen_status(errno);
    native_switch_on(file, SOL_SOCKET, SO_REUSEADDR);
    if (native.u.any.sa_family == AF_INET6)
        native_switch_on(file, IPPROTO_IPV6, IPV6_V6ONLY);
    if (bind(file, &native.u.any, native.length) != 0 || listen(file, backlog) != 0) {
        enum status status = native_listen_status(errno);
        close(file);
        return status;
    }
    if (atomic_load(&spare_file) < 0)
        keep_spare();
    *out = file;
    return STATUS_OK;
}

bool os_accept(os_socket listener, os_socket *out, struct os_address *peer)
{
    struct os_native_address native;
    int file;
    *out = OS_NO_SOCKET;
    for (;;) {
        native.length = sizeof native.u;
        file = os_beyond_standard(
            accept4((int)listener, &native.u.any, &native.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (file >= 0)
            break;
        if ((errno == EMFILE || errno == ENFILE) && refuse_one((int)listener))
            continue;
        /* accept(2) hands out errors that wait on the new connection: on to the next one. */
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            return false;
    }
    set_stream_options(file);
    if (peer != NULL)
        os_address_from_native(&native.u.any, native.length, peer);
    *out = file;
    return true;
}

bool os_local_address(os_socket socket, struct os_address *out)
{
    struct os_native_address native = {.length = sizeof native.u};
    return getsockname((int)socket, &native.u.any, &native.length) == 0 &&
           os_address_from_native(&native.u.any, native.length, out);
}

bool os_peer_address(os_socket socket, struct os_address *out)
{
    struct os_native_address native = {.length = sizeof native.u};
    return getpeername((int)socket, &native.u.any, &native.length) == 0 &&
           os_address_from_native(&native.u.any, native.length, out);
}

void os_close(os_socket socket)
{
    if (socket != OS_NO_SOCKET)
        close((int)socket);
}

void os_abort(os_socket socket)
{
    if (socket == OS_NO_SOCKET)
        return;
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt((int)socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close((int)socket);
}

void os_shutdown_send(os_socket socket)
{
    shutdown((int)socket, SHUT_WR);
}

/* --- moving bytes --- */

static long transfer_failed(int error, enum status *status)
{
    if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS)
        return 0;
    bool reset = error == ECONNRESET || error == EPIPE || error == ECONNABORTED;
    *status = reset ? STATUS_CONNECTION_RESET : STATUS_TRANSPORT_ERROR;
    return -1;
}

static bool nothing_asked(const struct iov *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].length > 0)
            return false;
    }
    return true;
}

void os_receive_least(os_socket socket, unsigned bytes)
{
    int least = (int)bytes;
    setsockopt((int)socket, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
}

/* Who administers the network may go beyond net.core.wmem_max. */
void os_send_room(os_socket socket, unsigned bytes)
{
    int room = (int)bytes;
    if (setsockopt((int)socket, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0)
        setsockopt((int)socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

long os_receive(os_socket socket, const struct iov *pieces, size_t count, enum status *status)
{
    ssize_t got;
    if (count > OS_IOV_MAX)
        count = OS_IOV_MAX;
    do {
        got = count == 1
                  ? recv((int)socket, pieces->base, pieces->length, 0)
                  : readv((int)socket, (const struct iovec *)(const void *)pieces, (int)count);
    } while (got < 0 && errno == EINTR);
    if (got > 0)
        return (long)got;
    if (got < 0)
        return transfer_failed(errno, status);
    if (nothing_asked(pieces, count))
        return 0;
    *status = STATUS_CONNECTION_CLOSED;
    return -1;
}

long os_send(os_socket socket, const struct iov *pieces, size_t count, enum status *status)
{
    ssize_t sent;
    /* The kernel reads these iovecs only, but msghdr declares them writable. */
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)(const void *)pieces,
                             .msg_iovlen = count > OS_IOV_MAX ? OS_IOV_MAX : count};
    do {
        sent = count == 1 ? send((int)socket, pieces->base, pieces->length, MSG_NOSIGNAL)
                          : sendmsg((int)socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0 ? (long)sent : transfer_failed(errno, status);
}
