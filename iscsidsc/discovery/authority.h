/* Who has the CHAP secrets that this machine has not: a RADIUS client, for example. */
#ifndef DISCOVERY_AUTHORITY_H
#define DISCOVERY_AUTHORITY_H

#include "initiator/initiator.h"
#include "os/socket.h"

struct chap_inquiry;

/* See connection_answer. Called once, never from inside `ask`; the inquiry is gone by then. */
typedef void chap_answered(void *context, enum status status,
                           const uint8_t response[CHAP_MD5_LENGTH]);

/* Embedded by who it is. */
struct chap_authority {
    /* The connection, which is logging in, and the question are good for the call only. NULL: out
     * of memory. */
    struct chap_inquiry *(*ask)(struct chap_authority *authority,
                                const struct connection *connection,
                                const struct chap_question *question, chap_answered *answered,
                                void *context);
    /* `answered` will not be called. Harmless with NULL. */
    void (*cancel)(struct chap_authority *authority, struct chap_inquiry *inquiry);
};

#endif
