/* The platform's socket headers under one name: for this floor's own use. */
#ifndef OS_NET_H
#define OS_NET_H

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <windows.h>
#else
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#endif

#include "os/socket.h"

/* WSAStartup, once; nothing on Linux. Every way into this floor's networking passes here. */
void os_net_start(void);

/* The native form, copied so that no alignment or aliasing rule is bent. */
struct os_native_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } u;
    socklen_t length;
};

/* False when the address holds neither IPv4 nor IPv6. */
bool os_address_to_native(const struct os_address *address, struct os_native_address *native);
bool os_address_from_native(const struct sockaddr *native, size_t length,
                            struct os_address *address);

#endif
