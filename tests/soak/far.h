/* The other side: a proxy, and behind it an embedded target or one that runs already. */
#ifndef SOAK_FAR_H
#define SOAK_FAR_H

#include "proxy.h"

#include "protocol/keys.h"

#define FAR_TARGET "iqn.2026-11.org.example:soak"

struct far_settings {
    struct proxy_settings proxy; /* its target is set by far_open when the target is embedded */
    struct key_offers offers;    /* of the embedded target */
    bool embedded;
    bool shuffled; /* where the order is not fixed */
    bool separate_status;
    bool thread; /* a thread of its own */
    uint64_t bytes;
};

struct far;

/* Exits when it cannot. `loop` is what it runs on without a thread. */
struct far *far_open(struct os_loop *loop, const struct far_settings *settings);
/* No more harm from soon on; on the loop's thread or another. */
void far_calm(struct far *far);
/* Ends, and then tells what the proxy did. */
void far_close(struct far *far, struct proxy_counts *counts);
uint16_t far_port(const struct far *far);

#endif
