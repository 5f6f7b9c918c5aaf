/*
 * Discovery by iSNS (RFC 4171): one initiator's conversation with one server. It registers the
 * initiator and keeps it registered, asks for the targets that the server lets it see, and follows
 * them by the server's notifications. Runs on the loop's thread.
 */
#ifndef DISCOVERY_ISNS_H
#define DISCOVERY_ISNS_H

#include "discovery/gate.h"
#include "discovery/records.h"
#include "os/loop.h"

struct isns_settings {
    const char *host;
    uint16_t port;
    const char *node;          /* the initiator's name; its network entity is called the same */
    const char *alias;         /* of the initiator */
    struct connect_gate *gate; /* NULL: none */
    uint32_t connect_timeout;
    uint32_t answer_timeout; /* for each answer; both in milliseconds */
};

/* Never called from inside a function of this file. The records live until the event returns. */
struct isns_events {
    /* All targets: once after isns_open, after each isns_ask, and whenever the server's notice did
     * not say which target it is about. */
    void (*found)(void *context, const struct discovery_records *records);
    /* A notice was about this target: what the server tells of it now; nothing: it is gone. */
    void (*changed)(void *context, const char *target, const struct discovery_records *records);
    /*
     * The conversation is over; isns_close must follow, and may in here. Statuses: those of a
     * connector; ISNS_SERVER_NOT_FOUND: it does not answer; CONNECTION_CLOSED, CONNECTION_RESET,
     * TRANSPORT_ERROR; ISNS_VERSION; PROTOCOL_ERROR; REJECTED, ACCESS_DENIED and BUSY as the server
     * says; NO_MEMORY; OK after isns_leave.
     */
    void (*ended)(void *context, enum status status);
};

struct isns_client;

/* NULL: out of memory. */
struct isns_client *isns_open(struct os_loop *loop, const struct isns_settings *settings,
                              const struct isns_events *events, void *context);
/* Asks for all targets again; `found` or `ended` follows. */
void isns_ask(struct isns_client *client);
/* Takes the initiator off the server's books; `ended` follows. */
void isns_leave(struct isns_client *client);
/* At once, without a word to the server. NULL does nothing. */
void isns_close(struct isns_client *client);

#endif
