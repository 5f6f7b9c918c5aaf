/* TCP and UDP sockets, never blocking, and name resolution. */
#ifndef OS_SOCKET_H
#define OS_SOCKET_H

#include "protocol/bytes.h"
#include "protocol/status.h"

#include <stdbool.h>

typedef intptr_t os_socket;
#define OS_NO_SOCKET ((os_socket)-1)

/* A socket address, opaque: an IPv4 or IPv6 address and port. */
struct os_address {
    uint32_t length;
    _Alignas(8) uint8_t bytes[28];
};

#define OS_HOST_TEXT 64u /* longest literal, with zone, and its NUL */

/* A literal only, never a lookup. An IPv6 zone ("fe80::1%eth0", "%2") is understood. */
bool os_address_parse(struct os_address *address, const char *host, uint16_t port);
void os_address_format(const struct os_address *address, char host[OS_HOST_TEXT], uint16_t *port);
bool os_address_is_ipv6(const struct os_address *address);
uint16_t os_address_port(const struct os_address *address);
bool os_address_same_host(const struct os_address *a, const struct os_address *b);
/* The IP address alone, IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2). A zone is lost. */
#define OS_IP_LENGTH 16u
void os_address_to_ip(const struct os_address *address, uint8_t ip[OS_IP_LENGTH]);
void os_address_from_ip(struct os_address *address, const uint8_t ip[OS_IP_LENGTH], uint16_t port);

/*
 * Looks a name up, blocking; up to `room` distinct addresses in the resolver's order. For helper
 * threads: a loop's users call os_resolve. NAME_UNRESOLVED or NO_MEMORY.
 */
enum status os_lookup(const char *host, uint16_t port, struct os_address *out, size_t room,
                      size_t *count);

/*
 * Starts a connection: TCP_NODELAY and keep-alive set, close-on-exec. `source` may be NULL.
 * STATUS_OK: under way (or done); writable tells the end, then os_connect_result.
 * An immediate failure is ADDRESS_FAMILY, NO_RESOURCES (descriptors, ports, memory of the system)
 * or one of the CONNECT_* statuses.
 */
enum status os_connect(os_socket *out, const struct os_address *to,
                       const struct os_address *source);
/* The same with as many bytes of buffer each way: so much is sent, or received, before the other
 * side has acknowledged, or taken, it. 0: as many as the system thinks fit. */
enum status os_connect_buffered(os_socket *out, const struct os_address *to,
                                const struct os_address *source, uint32_t buffers);
enum status os_connect_result(os_socket socket);

/*
 * Port 0 takes an ephemeral one; ask os_local_address. An IPv6 listener takes no IPv4.
 * BUSY (the port is taken), ACCESS_DENIED, INVALID_ADDRESS (not one of this machine),
 * ADDRESS_FAMILY, NO_RESOURCES, TRANSPORT_ERROR.
 */
enum status os_listen(os_socket *out, const struct os_address *at, int backlog);
/* False: nobody there (yet). */
bool os_accept(os_socket listener, os_socket *out, struct os_address *peer);
bool os_local_address(os_socket socket, struct os_address *out);
bool os_peer_address(os_socket socket, struct os_address *out);
void os_close(os_socket socket);
/* Close with RST: nothing buffered goes out. */
void os_abort(os_socket socket);
void os_shutdown_send(os_socket socket);

/*
 * The socket counts as readable only when so many bytes are there, or its end: fewer wake-ups for
 * who knows how much is to come. 1 at first. Where the system cannot, nothing changes.
 */
void os_receive_least(os_socket socket, unsigned bytes);
/* So much may wait in the system for the peer to take it, as far as the system grants that. */
void os_send_room(os_socket socket, unsigned bytes);

/*
 * Returns the bytes moved (> 0), 0 for "would block", or -1 with *status set:
 * CONNECTION_CLOSED (orderly end, receive only), CONNECTION_RESET, TRANSPORT_ERROR.
 * At most OS_IOV_MAX pieces are looked at.
 */
#define OS_IOV_MAX 64u
long os_receive(os_socket socket, const struct iov *pieces, size_t count, enum status *status);
long os_send(os_socket socket, const struct iov *pieces, size_t count, enum status *status);

/*
 * --- datagrams ---
 * Close-on-exec. os_local_address, os_close and watches are good for them too.
 */
/* Takes datagrams from anybody. Port and statuses as for os_listen. */
enum status os_datagram_open(os_socket *out, const struct os_address *at);
/* From and to one peer alone: what others send is never seen. `source` may be NULL. Statuses as
 * for os_connect. */
enum status os_datagram_connect(os_socket *out, const struct os_address *to,
                                const struct os_address *source);
/*
 * Returns the length of a datagram (> 0), 0 for "would block", or -1 with *status set:
 * CONNECT_REFUSED (the one peer's machine says that nobody listens there), CONNECT_UNREACHABLE,
 * TRANSPORT_ERROR. Those that are empty, or longer than `room`, are dropped. `from` may be NULL.
 */
long os_datagram_receive(os_socket socket, void *out, size_t room, struct os_address *from,
                         enum status *status);
/* `to` NULL: the one peer. What the machine has no room for is lost, as it could be on the way.
 * CONNECT_REFUSED may be about a datagram before this one, which was not sent then. */
enum status os_datagram_send(os_socket socket, const void *data, size_t length,
                             const struct os_address *to);

#endif
