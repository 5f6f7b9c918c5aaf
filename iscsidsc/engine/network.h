/* Networks as iscsi.conf writes them: 10.1.0.0/16, 10.1.0.0&ffff0000, fd00::/8, or one address. */
#ifndef ENGINE_NETWORK_H
#define ENGINE_NETWORK_H

#include "os/socket.h"

struct network {
    uint8_t ip[OS_IP_LENGTH];
    uint8_t mask[OS_IP_LENGTH];
    bool ipv6;
};

/* False: none of these forms. Bits behind the mask do not count. */
bool network_parse(const char *text, struct network *out);
/* Is the host, a literal, in it? A host name never is. */
bool network_contains(const struct network *network, const char *host);
bool network_same(const struct network *a, const struct network *b);
/* Bits that count, of 32 or 128. */
unsigned network_bits(const struct network *network);
/* One address alone. */
bool network_is_host(const struct network *network);

#endif
