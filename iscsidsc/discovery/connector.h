/*
 * Makes a TCP connection to a host: looks the name up and tries its addresses one after the
 * other within one deadline. Runs on the loop's thread.
 */
#ifndef DISCOVERY_CONNECTOR_H
#define DISCOVERY_CONNECTOR_H

#include "discovery/gate.h"
#include "os/loop.h"

struct connector;

/*
 * Called once, never from inside connector_start; the connector is gone by then. With STATUS_OK the
 * socket belongs to the callee; else NAME_UNRESOLVED, ADDRESS_FAMILY, NO_MEMORY, NO_RESOURCES, one
 * of CONNECT_* or what the gate says.
 */
typedef void connector_done(void *context, enum status status, os_socket socket);

struct connector_target {
    const char *host;
    uint16_t port;
    const struct os_address *source; /* local address to connect from; NULL: any */
    uint32_t buffers;                /* bytes of the socket's; 0: the system's */
    uint32_t timeout;                /* milliseconds for the lookup and all addresses */
    struct connect_gate *gate;       /* NULL: none */
};

/* NULL: out of memory. */
struct connector *connector_start(struct os_loop *loop, const struct connector_target *target,
                                  connector_done *done, void *context);
/* `done` will not be called. */
void connector_cancel(struct connector *connector);

#endif
