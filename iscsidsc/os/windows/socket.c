#include "os/net.h"
#include "os/thread.h"

#include <string.h>

static void start_winsock(void)
{
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data); /* if it fails, so does every call after it */
}

void os_net_start(void)
{
    static struct os_once started;
    os_once(&started, start_winsock);
}

static enum status connect_status(int error)
{
    switch (error) {
    case 0:
    case WSAEWOULDBLOCK:
    case WSAEINPROGRESS:
        return STATUS_OK;
    case WSAECONNREFUSED:
        return STATUS_CONNECT_REFUSED;
    case WSAETIMEDOUT:
        return STATUS_CONNECT_TIMEOUT;
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
    case WSAENETDOWN:
    case WSAEHOSTDOWN:
        return STATUS_CONNECT_UNREACHABLE;
    case WSAEAFNOSUPPORT:
        return STATUS_ADDRESS_FAMILY;
    case WSAEMFILE:
    case WSAENOBUFS:
        return STATUS_NO_RESOURCES;
    default:
        return STATUS_CONNECT_FAILED;
    }
}

static enum status listen_status(int error)
{
    switch (error) {
    case WSAEADDRINUSE:
        return STATUS_BUSY;
    case WSAEACCES:
        return STATUS_ACCESS_DENIED;
    case WSAEADDRNOTAVAIL:
        return STATUS_INVALID_ADDRESS;
    case WSAEAFNOSUPPORT:
        return STATUS_ADDRESS_FAMILY;
    case WSAEMFILE:
    case WSAENOBUFS:
        return STATUS_NO_RESOURCES;
    default:
        return STATUS_TRANSPORT_ERROR;
    }
}

static void switch_on(SOCKET file, int level, int option)
{
    BOOL on = TRUE;
    setsockopt(file, level, option, (const char *)&on, sizeof on);
}

/* Neither blocking nor handed to child processes. */
static bool make_private(SOCKET file)
{
    u_long on = 1;
    SetHandleInformation((HANDLE)file, HANDLE_FLAG_INHERIT, 0);
    return ioctlsocket(file, (long)FIONBIO, &on) == 0;
}

static void set_stream_options(SOCKET file)
{
    switch_on(file, IPPROTO_TCP, TCP_NODELAY);
    switch_on(file, SOL_SOCKET, SO_KEEPALIVE);
}

static SOCKET stream_socket(const struct os_native_address *address)
{
    os_net_start();
    SOCKET file = socket(address->u.any.sa_family, SOCK_STREAM, IPPROTO_TCP);
    if (file != INVALID_SOCKET && !make_private(file)) {
        closesocket(file);
        return INVALID_SOCKET;
    }
    return file;
}

static int bind_source(SOCKET file, const struct os_address *source)
{
    struct os_native_address native;
    if (!os_address_to_native(source, &native))
        return WSAEAFNOSUPPORT;
    return bind(file, &native.u.any, native.length) == 0 ? 0 : WSAGetLastError();
}

/* Before the connection, for the window's scale is settled with it (RFC 7323, 2.2). A system that
 * grants less is not asked why. */
static void set_buffers(SOCKET file, uint32_t buffers)
{
    int size = (int)buffers;
    if (buffers == 0)
        return;
    setsockopt(file, SOL_SOCKET, SO_RCVBUF, (const char *)&size, sizeof size);
    setsockopt(file, SOL_SOCKET, SO_SNDBUF, (const char *)&size, sizeof size);
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
    SOCKET file = stream_socket(&native);
    if (file == INVALID_SOCKET)
        return connect_status(WSAGetLastError());
    set_stream_options(file);
    set_buffers(file, buffers);
    int error = source != NULL ? bind_source(file, source) : 0;
    if (error == 0 && connect(file, &native.u.any, native.length) != 0)
        error = WSAGetLastError();
    enum status status = connect_status(error);
    if (status != STATUS_OK) {
        closesocket(file);
        return status;
    }
    *out = (os_socket)file;
    return STATUS_OK;
}

/* Under Wine, as on Linux, a connection to an ephemeral port of this machine can meet itself
 * (simultaneous open, RFC 9293, 3.5). */
static bool connected_to_itself(os_socket socket)
{
    struct os_address local, peer;
    return os_local_address(socket, &local) && os_peer_address(socket, &peer) &&
           os_address_port(&local) == os_address_port(&peer) && os_address_same_host(&local, &peer);
}

enum status os_connect_result(os_socket socket)
{
    int error = 0;
    int length = sizeof error;
    if (getsockopt((SOCKET)socket, SOL_SOCKET, SO_ERROR, (char *)&error, &length) != 0)
        error = WSAGetLastError();
    if (error == 0 && connected_to_itself(socket))
        return STATUS_CONNECT_REFUSED;
    return connect_status(error);
}

enum status os_listen(os_socket *out, const struct os_address *at, int backlog)
{
    struct os_native_address native;
    *out = OS_NO_SOCKET;
    if (!os_address_to_native(at, &native))
        return STATUS_ADDRESS_FAMILY;
    SOCKET file = stream_socket(&native);
    if (file == INVALID_SOCKET)
        return listen_status(WSAGetLastError());
    /* Windows' SO_REUSEADDR would let anybody take the port over. */
    switch_on(file, SOL_SOCKET, SO_EXCLUSIVEADDRUSE);
    if (native.u.any.sa_family == AF_INET6)
        switch_on(file, IPPROTO_IPV6, IPV6_V6ONLY);
    if (bind(file, &native.u.any, native.length) != 0 || listen(file, backlog) != 0) {
        enum status status = listen_status(WSAGetLastError());
        closesocket(file);
        return status;
    }
    *out = (os_socket)file;
    return STATUS_OK;
}

bool os_accept(os_socket listener, os_socket *out, struct os_address *peer)
{
    struct os_native_address native;
    SOCKET file;
    *out = OS_NO_SOCKET;
    for (;;) {
        native.length = sizeof native.u;
        file = accept((SOCKET)listener, &native.u.any, &native.length);
        if (file != INVALID_SOCKET && make_private(file))
            break;
        int error = WSAGetLastError();
        if (file != INVALID_SOCKET)
            closesocket(file);
        else if (error != WSAECONNRESET && error != WSAECONNABORTED && error != WSAEINTR)
            return false;
    }
    set_stream_options(file);
    if (peer != NULL)
        os_address_from_native(&native.u.any, (size_t)native.length, peer);
    *out = (os_socket)file;
    return true;
}

bool os_local_address(os_socket socket, struct os_address *out)
{
    struct os_native_address native = {.length = sizeof native.u};
    return getsockname((SOCKET)socket, &native.u.any, &native.length) == 0 &&
           os_address_from_native(&native.u.any, (size_t)native.length, out);
}

bool os_peer_address(os_socket socket, struct os_address *out)
{
    struct os_native_address native = {.length = sizeof native.u};
    return getpeername((SOCKET)socket, &native.u.any, &native.length) == 0 &&
           os_address_from_native(&native.u.any, (size_t)native.length, out);
}

void os_close(os_socket socket)
{
    if (socket != OS_NO_SOCKET)
        closesocket((SOCKET)socket);
}

void os_abort(os_socket socket)
{
    if (socket == OS_NO_SOCKET)
        return;
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt((SOCKET)socket, SOL_SOCKET, SO_LINGER, (const char *)&now, sizeof now);
    closesocket((SOCKET)socket);
}

void os_shutdown_send(os_socket socket)
{
    shutdown((SOCKET)socket, SD_SEND);
}

/* --- moving bytes --- */

enum {
    RECEIVE_MOST = 1 << 30, /* the count has to fit a long */
    SEND_MOST = 1 << 20, /* Windows would lock all of it in the kernel, or fail with WSAENOBUFS */
};

/* Returns how many of `buffers` were filled, with `most` bytes in all. */
static DWORD to_buffers(const struct iov *pieces, size_t count, size_t most,
                        WSABUF buffers[OS_IOV_MAX], size_t *total)
{
    DWORD filled = 0;
    *total = 0;
    for (size_t i = 0; i < count && i < OS_IOV_MAX && *total < most; i++) {
        size_t length = pieces[i].length;
        if (length == 0)
            continue;
        if (length > most - *total)
            length = most - *total;
        buffers[filled].buf = pieces[i].base;
        buffers[filled++].len = (ULONG)length;
        *total += length;
    }
    return filled;
}

static long transfer_failed(int error, enum status *status)
{
    if (error == WSAEWOULDBLOCK || error == WSAENOBUFS)
        return 0;
    bool reset = error == WSAECONNRESET || error == WSAECONNABORTED || error == WSAESHUTDOWN ||
                 error == WSAENETRESET;
    *status = reset ? STATUS_CONNECTION_RESET : STATUS_TRANSPORT_ERROR;
    return -1;
}

/* Winsock has no such option. */
void os_receive_least(os_socket socket, unsigned bytes)
{
    (void)socket;
    (void)bytes;
}

void os_send_room(os_socket socket, unsigned bytes)
{
    int room = (int)bytes;
    setsockopt((SOCKET)socket, SOL_SOCKET, SO_SNDBUF, (const char *)&room, sizeof room);
}

long os_receive(os_socket socket, const struct iov *pieces, size_t count, enum status *status)
{
    WSABUF buffers[OS_IOV_MAX];
    size_t total;
    DWORD filled = to_buffers(pieces, count, RECEIVE_MOST, buffers, &total);
    DWORD moved = 0, flags = 0;
    if (total == 0)
        return 0;
    if (WSARecv((SOCKET)socket, buffers, filled, &moved, &flags, NULL, NULL) != 0)
        return transfer_failed(WSAGetLastError(), status);
    if (moved > 0)
        return (long)moved;
    *status = STATUS_CONNECTION_CLOSED;
    return -1;
}

long os_send(os_socket socket, const struct iov *pieces, size_t count, enum status *status)
{
    WSABUF buffers[OS_IOV_MAX];
    size_t total;
    DWORD filled = to_buffers(pieces, count, SEND_MOST, buffers, &total);
    DWORD moved = 0;
    if (total == 0)
        return 0;
    if (WSASend((SOCKET)socket, buffers, filled, &moved, 0, NULL, NULL) != 0)
        return transfer_failed(WSAGetLastError(), status);
    return (long)moved;
}
