/*
 * Where an iSNS server finds the initiator: takes its state change notifications and status
 * inquiries, and answers them. Runs on the loop's thread.
 */
#ifndef DISCOVERY_ISNS_LISTENER_H
#define DISCOVERY_ISNS_LISTENER_H

#include "discovery/isns_link.h"
#include "protocol/isns_messages.h"

struct isns_listener;

/* Most bytes of a message that a server sends unasked. */
#define ISNS_NOTICE_MOST 65536u

/* Listens at the address, on a port of its own choice. NULL: see `*status`, that of os_listen or
 * NO_MEMORY. `changed` may not free the listener. */
struct isns_listener *isns_listener_new(struct os_loop *loop, const struct os_address *address,
                                        isns_changed *changed, void *context, enum status *status);
void isns_listener_free(struct isns_listener *listener);
uint16_t isns_listener_port(const struct isns_listener *listener);

/* Whether a server may send that unasked; then it is answered on the same connection.
 * PROTOCOL_ERROR: it may not, or it is malformed; NO_MEMORY. */
enum status isns_answer(struct isns_link *link, const struct isns_header *header,
                        const uint8_t *payload, size_t length, isns_changed *changed,
                        void *context);

#endif
