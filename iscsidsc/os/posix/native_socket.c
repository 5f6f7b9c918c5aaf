#include "os/posix/native_socket.h"
#include "os/posix/descriptors.h"

#include <errno.h>

int native_socket(const struct os_native_address *address, int type)
{
    return os_beyond_standard(
        socket(address->u.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int native_bind(int file, const struct os_address *at)
{
    struct os_native_address native;
    if (!os_address_to_native(at, &native))
        return EAFNOSUPPORT;
    return bind(file, &native.u.any, native.length) == 0 ? 0 : errno;
}

void native_switch_on(int file, int level, int option)
{
    int on = 1;
    setsockopt(file, level, option, &on, sizeof on);
}

/* EAGAIN: all ports of this machine are in use. */
static bool lacks_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
           error == EAGAIN;
}

enum status native_connect_status(int error)
{
    switch (error) {
    case 0:
    case EINPROGRESS:
    case EINTR: /* the connection goes on by itself */
        return STATUS_OK;
    case ECONNREFUSED:
        return STATUS_CONNECT_REFUSED;
    case ETIMEDOUT:
        return STATUS_CONNECT_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
        return STATUS_CONNECT_UNREACHABLE;
    case EAFNOSUPPORT:
        return STATUS_ADDRESS_FAMILY;
    default:
        return lacks_resources(error) ? STATUS_NO_RESOURCES : STATUS_CONNECT_FAILED;
    }
}

enum status native_listen_status(int error)
{
    switch (error) {
    case EADDRINUSE:
        return STATUS_BUSY;
    case EACCES:
    case EPERM:
        return STATUS_ACCESS_DENIED;
    case EADDRNOTAVAIL:
        return STATUS_INVALID_ADDRESS;
    case EAFNOSUPPORT:
        return STATUS_ADDRESS_FAMILY;
    default:
        return lacks_resources(error) ? STATUS_NO_RESOURCES : STATUS_TRANSPORT_ERROR;
    }
}
