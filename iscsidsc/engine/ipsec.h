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

/* NO_IPSEC: somebody demands it, by flags set for an identity of the host or for a discovery portal
 * that is there or told of it. Statuses of the store. */
enum status ipsec_check_place(struct engine *engine, const struct connect_place *place);
/* The same before a name is looked up. */
enum status ipsec_check_portal(struct engine *engine, const char *host, uint16_t port,
                               const struct os_address *source);
/* Sets up engine->gate, which asks ipsec_check_place. */
void ipsec_gate_init(struct engine *engine);

/* --- of ipsec.c, for ipsec_gate.c --- */

enum { IPSEC_NAME_MOST = 255 };

/* One spelling of each: IPv4 addresses are never mapped into IPv6, names are in lower case and
 * without the last dot. */
struct ipsec_identity {
    uint8_t type;
    uint32_t length;
    uint8_t bytes[IPSEC_NAME_MOST];
};

void ipsec_identity_of_address(const struct os_address *address, struct ipsec_identity *out);
/* False: not a name, or one that none can be set for. */
bool ipsec_identity_of_name(const char *host, struct ipsec_identity *out);
/* Is anything set for any identity? Every connection asks: the store is read again only when it may
 * have changed. */
enum status ipsec_any(struct engine *engine, bool *any);
/* What is set for the identity there, else for any port, else for any initiator. NO_AUTH_INFO:
 * nothing. */
enum status ipsec_flags(struct engine *engine, uint32_t port, const struct ipsec_identity *identity,
                        uint64_t *flags);

/* What was set until the engine stops. */
void ipsec_init(struct engine *engine);
void ipsec_clear(struct engine *engine);

#endif
