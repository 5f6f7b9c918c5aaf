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
    bool in_process; /* the engine is of this process */
};

/* An engine in this process, started here. */
enum status door_local_new(struct door_transport **out);

/* Messages between the two ends of a connection, beside the operations. */
enum door_control {
    DOOR_PING = 0xff00,    /* answered at once, without a body */
    DOOR_HELLO = 0xff01,   /* door/handshake.h */
    DOOR_PROOF = 0xff02,   /* door/handshake.h */
    DOOR_REFUSAL = 0xff03, /* the service's last word: why it closes the connection */
};

/* A whole control message behind what the buffer holds. */
enum status door_control_encode(struct door_buffer *buffer, enum door_control control,
                                uint32_t call, enum status status, const void *body, size_t length);

#endif
