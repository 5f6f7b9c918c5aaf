/*
 * What is set for IPsec: keys of identities, the group's key, outer addresses of tunnels. They are
 * kept for whoever sets up IPsec; nothing here can, so what would need it is refused.
 */
#ifndef ENGINE_IPSEC_H
#define ENGINE_IPSEC_H

#include "engine/model.h"

/* Bits of security_flags, as ISCSI_SECURITY_FLAG_*. */
enum {
    SECURITY_VALID = 0x01,
    SECURITY_IPSEC = 0x02,
    SECURITY_MAIN_MODE = 0x04,
    SECURITY_AGGRESSIVE_MODE = 0x08,
    SECURITY_TRANSPORT_MODE = 0x20,
    SECURITY_TUNNEL_MODE = 0x40,
};

/* NO_IPSEC: the flags demand it. INVALID_PARAMETER: they contradict each other. */
enum status ipsec_check_flags(uint64_t flags);
/* NO_IPSEC: the flags that are set for the host's address demand it. Statuses of the store. */
enum status ipsec_check_host(struct engine *engine, const char *host);

/* What was set until the engine stops. */
void ipsec_init(struct engine *engine);
void ipsec_clear(struct engine *engine);

#endif
