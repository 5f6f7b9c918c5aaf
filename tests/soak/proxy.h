/*
 * Stands between an initiator and a target and does harm to what passes, once a connection's login
 * is over and digests watch. It understands just enough to tell PDUs apart.
 */
#ifndef SOAK_PROXY_H
#define SOAK_PROXY_H

#include "dice.h"

#include "os/loop.h"
#include "protocol/name.h"

#include <stddef.h>

enum harm {
    HARM_HEADER, /* bits turned in header, additional header or header digest */
    HARM_DATA,   /* in data, padding or data digest */
    HARM_LOSE,   /* some bytes are missing */
    HARM_SWAP,   /* two PDUs that may be */
    HARM_DELAY,
    HARM_STALL, /* nothing passes in either direction; goes on later, if anybody is left */
    HARM_END,   /* FIN in the middle of a PDU */
    HARM_RESET,
    HARM_COUNT,
};

extern const char *const harm_names[HARM_COUNT];

struct proxy_settings {
    struct os_address target;
    bool header_digest, data_digest; /* as will be negotiated */
    uint64_t seed;
    uint32_t chance[HARM_COUNT]; /* happens to one PDU in so many; 0: never */
};

struct proxy_counts {
    uint64_t connections;
    uint64_t pdus;
    uint64_t harm[HARM_COUNT];
};

struct proxy;

/* Listens on loopback; exits when it cannot. Its loop's thread, or no loop runs. */
struct proxy *proxy_open(struct os_loop *loop, const struct proxy_settings *settings);
void proxy_close(struct proxy *proxy);
uint16_t proxy_port(const struct proxy *proxy);
void proxy_set_chances(struct proxy *proxy, const uint32_t chance[HARM_COUNT]);
const struct proxy_counts *proxy_counts(const struct proxy *proxy);

/* --- the bytes of one direction: proxy_flow.c --- */

#define FLOW_ROOM (3u << 20)

/* Bytes on their way: [0, passed) may leave, [passed, filled) have come and are no whole PDU yet.
 */
struct flow {
    uint8_t *bytes;
    size_t passed, filled;
    size_t last; /* where the last PDU begins, when it may change places; else SIZE_MAX */
    bool digests;
    bool ended;        /* its sender has closed */
    bool full_feature; /* the login is over */
    uint64_t earliest; /* time that the bytes may leave at */
};

enum flow_event {
    FLOW_NOTHING,
    FLOW_LOGGED_IN, /* the last PDU ends the login */
    FLOW_STALL,
    FLOW_END, /* what may leave is all that will */
    FLOW_RESET,
};

/* Looks at the next whole PDU and lets it pass, or does it harm. False: there is none. */
bool flow_step(struct flow *flow, const struct proxy_settings *settings, struct dice *dice,
               struct proxy_counts *counts, uint64_t now, enum flow_event *event);
/* So many bytes have left. */
void flow_sent(struct flow *flow, size_t length);

#endif
