/* How messages reach the engine: for the door's own use. */
#ifndef DOOR_TRANSPORT_H
#define DOOR_TRANSPORT_H

#include "door/door.h"

/*
 * `call` takes a whole request message, waits, and appends the whole reply message. It returns the
 * outcome of the transport; the outcome of the operation is in the reply's header. From any thread,
 * many at once.
 */
struct door_transport {
    enum status (*call)(struct door_transport *transport, const uint8_t *request, size_t length,
                        struct door_buffer *reply);
    void (*free)(struct door_transport *transport);
};

/* An engine in this process, started here. */
enum status door_local_new(struct door_transport **out);

#endif
