/* Who has to agree before anything connects. */
#ifndef DISCOVERY_GATE_H
#define DISCOVERY_GATE_H

#include "os/socket.h"

/* Where to. All that `host` stands for is asked about at once: whoever forbids one address of a
 * host means the host. */
struct connect_place {
    const char *host;
    uint16_t port;
    const struct os_address *addresses;
    size_t count;
    const struct os_address *source; /* where from; NULL: any */
};

struct connect_gate {
    /* OK, or the status that the connection is not made with. */
    enum status (*ask)(struct connect_gate *gate, const struct connect_place *place);
};

#endif
