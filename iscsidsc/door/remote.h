/* The client's end of the door: connections to a service. For the door's own use. */
#ifndef DOOR_REMOTE_H
#define DOOR_REMOTE_H

#include "door/transport.h"
#include "os/loop.h"
#include "os/runtime.h"

/* How long a service may stay silent before it is asked whether it still lives, and how long it may
 * take to say so; and how long a connection may take until it can be used. Milliseconds. */
#define REMOTE_SILENCE 30000u
#define REMOTE_CONNECT 5000u

/*
 * A connection over which calls can be sent: connected, proved, and answered once.
 * SERVICE_NOT_RUNNING (nobody there, or nobody who knows the key), ACCESS_DENIED, SERVICE_VERSION,
 * SERVICE_TIMEOUT, BUSY (too many clients), NO_MEMORY, TRANSPORT_ERROR.
 */
enum status remote_connect(os_socket *out, const struct os_place *place, uint64_t due);
/* The way for platforms without Unix sockets; not yet answered. */
enum status remote_connect_loopback(os_socket *out, const struct os_place *place, uint64_t due);

/* All of it, or CONNECTION_RESET, CONNECTION_CLOSED, TRANSPORT_ERROR; SERVICE_TIMEOUT when nothing
 * moved for REMOTE_SILENCE. */
enum status remote_send(os_socket socket, const void *data, size_t length);
/*
 * Appends the next message to `reply`. Until `due` only control messages are waited for, which are
 * short; REMOTE_PATIENT waits for a reply as long as the service gives signs of life when asked.
 * A refusal gives its status; SERVICE_TIMEOUT, SERVICE_VERSION, MESSAGE_INVALID, NO_MEMORY, and the
 * errors of remote_send.
 */
#define REMOTE_PATIENT OS_NEVER
enum status remote_receive(os_socket socket, struct door_buffer *reply, uint64_t due);

/*
 * A transport over a pool of connections. `find` opens a connection; it is called again when the
 * pool has none that lives, from any thread. `first` is a connection to begin with, or
 * OS_NO_SOCKET.
 */
enum status remote_new(struct door_transport **out, enum status (*find)(os_socket *out),
                       os_socket first);

/*
 * What ISCSIDSC_SERVICE and the machine offer. "never": an engine in this process. "require": a
 * service that runs, else SERVICE_NOT_RUNNING. "auto", or not set: a service that runs; else one
 * that is started now, when its program is installed; else an engine in this process.
 * CONFIGURATION for other values.
 *
 * A process that has found a service stays with services. One that is there but does not take this
 * process is an error, and no reason for an engine of its own.
 */
enum status door_find(struct door_transport **out);

#endif
