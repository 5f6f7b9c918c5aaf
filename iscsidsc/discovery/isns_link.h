/*
 * A TCP connection that carries iSNSP messages: puts those together that come, sends those that are
 * given to it. Runs on the loop's thread.
 */
#ifndef DISCOVERY_ISNS_LINK_H
#define DISCOVERY_ISNS_LINK_H

#include "os/loop.h"
#include "protocol/isns.h"

struct isns_link;

/* The link may be closed in either. */
struct isns_link_events {
    /* `header` is that of the last PDU. */
    void (*message)(struct isns_link *link, const struct isns_header *header,
                    const uint8_t *payload, size_t length);
    /* It is of no use any more: CONNECTION_CLOSED, CONNECTION_RESET, TRANSPORT_ERROR, NO_MEMORY,
     * or what isns_decode_header and isns_take_header say. */
    void (*failed)(struct isns_link *link, enum status status);
};

/* Embedded by its user. */
struct isns_link {
    const struct isns_link_events *events;
    struct os_watch watch;
    size_t most; /* of a message's payload */

    uint8_t header[ISNS_HEADER_LENGTH];
    size_t header_length; /* bytes of it that are there */
    struct isns_fragments fragments;
    bool complete;    /* the PDU under way ends the message */
    uint8_t *payload; /* of the message under way */
    size_t length;    /* bytes of it that are there */
    size_t room;

    uint8_t *output;
    size_t output_length;
    size_t output_sent;
};

/* Takes the connected socket, which is closed with the link. False: out of memory; it is closed
 * then. */
bool isns_link_open(struct isns_link *link, struct os_loop *loop, os_socket socket,
                    const struct isns_link_events *events, size_t most);
/* Harmless when it is zero-initialised or closed already. */
void isns_link_close(struct isns_link *link);
bool isns_link_is_open(const struct isns_link *link);

/* Sends a whole PDU. False: out of memory. What else goes wrong is told by `failed`, later. */
bool isns_link_send(struct isns_link *link, const uint8_t *bytes, size_t length);

#endif
