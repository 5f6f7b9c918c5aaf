#include "os/net.h"

#include <mswsock.h>

/* mingw-w64's headers lack it. */
#ifndef SIO_UDP_CONNRESET
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
#endif

enum { DROPPED_MOST = 64 /* in one call: whoever sends such does not keep the thread busy */ };

static enum status open_status(int error)
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

/* Windows tells a refusal as a reset of the connection that there is none of. */
static enum status transfer_status(int error)
{
    switch (error) {
    case WSAECONNREFUSED:
    case WSAECONNRESET:
        return STATUS_CONNECT_REFUSED;
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
    case WSAENETDOWN:
    case WSAEHOSTDOWN:
    case WSAENETRESET:
        return STATUS_CONNECT_UNREACHABLE;
    default:
        return STATUS_TRANSPORT_ERROR;
    }
}

static enum status connect_status(int error)
{
    enum status status = transfer_status(error);
    if (error == WSAEAFNOSUPPORT)
        return STATUS_ADDRESS_FAMILY;
    if (error == WSAEMFILE || error == WSAENOBUFS)
        return STATUS_NO_RESOURCES;
    return status == STATUS_TRANSPORT_ERROR ? STATUS_CONNECT_FAILED : status;
}

static SOCKET datagram_socket(const struct os_native_address *address)
{
    u_long on = 1;
    os_net_start();
    SOCKET file = socket(address->u.any.sa_family, SOCK_DGRAM, IPPROTO_UDP);
    if (file == INVALID_SOCKET)
        return file;
    SetHandleInformation((HANDLE)file, HANDLE_FLAG_INHERIT, 0);
    if (ioctlsocket(file, (long)FIONBIO, &on) == 0)
        return file;
    closesocket(file);
    return INVALID_SOCKET;
}

static int bind_to(SOCKET file, const struct os_address *at)
{
    struct os_native_address native;
    if (!os_address_to_native(at, &native))
        return WSAEAFNOSUPPORT;
    return bind(file, &native.u.any, native.length) == 0 ? 0 : WSAGetLastError();
}

/* One peer that has gone must not make a socket fail that serves all. */
static void ignore_refusals(SOCKET file)
{
    BOOL report = FALSE;
    DWORD returned = 0;
    WSAIoctl(file, SIO_UDP_CONNRESET, &report, sizeof report, NULL, 0, &returned, NULL, NULL);
}

enum status os_datagram_open(os_socket *out, const struct os_address *at)
{
    struct os_native_address native;
    BOOL on = TRUE;
    *out = OS_NO_SOCKET;
    if (!os_address_to_native(at, &native))
        return STATUS_ADDRESS_FAMILY;
    SOCKET file = datagram_socket(&native);
    if (file == INVALID_SOCKET)
        return open_status(WSAGetLastError());
    setsockopt(file, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof on);
    if (native.u.any.sa_family == AF_INET6)
        setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&on, sizeof on);
    ignore_refusals(file);
    int error = bind_to(file, at);
    if (error != 0) {
        closesocket(file);
        return open_status(error);
    }
    *out = (os_socket)file;
    return STATUS_OK;
}

enum status os_datagram_connect(os_socket *out, const struct os_address *to,
                                const struct os_address *source)
{
    struct os_native_address native;
    *out = OS_NO_SOCKET;
    if (!os_address_to_native(to, &native))
        return STATUS_ADDRESS_FAMILY;
    SOCKET file = datagram_socket(&native);
    if (file == INVALID_SOCKET)
        return connect_status(WSAGetLastError());
    int error = source != NULL ? bind_to(file, source) : 0;
    if (error == 0 && connect(file, &native.u.any, native.length) != 0)
        error = WSAGetLastError();
    if (error != 0) {
        closesocket(file);
        return connect_status(error);
    }
    *out = (os_socket)file;
    return STATUS_OK;
}

/* The length; 0 when it is one to drop, -1 when there is none. */
static long receive_one(SOCKET file, void *out, size_t room, struct os_address *from)
{
    struct os_native_address native = {.length = sizeof native.u};
    WSABUF piece = {.len = (ULONG)room, .buf = out};
    DWORD got = 0, flags = 0;
    if (WSARecvFrom(file, &piece, 1, &got, &flags, &native.u.any, &native.length, NULL, NULL) != 0)
        return WSAGetLastError() == WSAEMSGSIZE ? 0 : -1;
    if (flags & MSG_PARTIAL)
        return 0;
    if (from != NULL && !os_address_from_native(&native.u.any, (size_t)native.length, from))
        return 0;
    return (long)got;
}

/* Wine takes what the kernel says of a datagram away from the receive that should tell it. */
static int pending_error(SOCKET file)
{
    int error = 0;
    int length = sizeof error;
    return getsockopt(file, SOL_SOCKET, SO_ERROR, (char *)&error, &length) == 0 ? error : 0;
}

long os_datagram_receive(os_socket socket, void *out, size_t room, struct os_address *from,
                         enum status *status)
{
    for (int i = 0; i < DROPPED_MOST; i++) {
        long got = receive_one((SOCKET)socket, out, room, from);
        if (got > 0)
            return got;
        if (got == 0)
            continue;
        int error = WSAGetLastError();
        if (error == WSAEWOULDBLOCK)
            error = pending_error((SOCKET)socket);
        if (error == 0)
            return 0;
        *status = transfer_status(error);
        return -1;
    }
    return 0;
}

enum status os_datagram_send(os_socket socket, const void *data, size_t length,
                             const struct os_address *to)
{
    struct os_native_address native = {.length = 0};
    if (to != NULL && !os_address_to_native(to, &native))
        return STATUS_ADDRESS_FAMILY;
    int sent = sendto((SOCKET)socket, data, (int)length, 0, to != NULL ? &native.u.any : NULL,
                      native.length);
    if (sent >= 0)
        return STATUS_OK;
    int error = WSAGetLastError();
    return error == WSAEWOULDBLOCK || error == WSAENOBUFS ? STATUS_OK : transfer_status(error);
}
