/* Who demands IPsec. There is none, so nothing connects there: every connection asks here, whoever
 * makes it, also those that follow a redirect or take the place of a lost one. */
#include "engine/adapter.h"
#include "engine/ipsec.h"
#include "engine/mechanism.h"

#include <string.h>

static bool demands(uint64_t flags)
{
    return (flags & SECURITY_VALID) != 0 && (flags & SECURITY_IPSEC) != 0;
}

/* --- identities --- */

static enum status check_identity(struct engine *engine, const struct ipsec_identity *identity,
                                  uint32_t port)
{
    uint64_t flags;
    enum status status = ipsec_flags(engine, port, identity, &flags);
    if (status == STATUS_NO_AUTH_INFO)
        return STATUS_OK;
    return status == STATUS_OK && demands(flags) ? STATUS_NO_IPSEC : status;
}

/* From any address: the system may choose that of any port. */
static enum status check_ports(struct engine *engine, const struct ipsec_identity *identity,
                               const struct os_address *source)
{
    uint32_t port, end;
    enum status status = adapter_ports(source, &port, &end);
    if (status == STATUS_OK && (source == NULL || port == end))
        status = check_identity(engine, identity, ANY_INITIATOR_PORT);
    for (; status == STATUS_OK && port < end; port++)
        status = check_identity(engine, identity, port);
    return status;
}

static enum status check_identities(struct engine *engine, const struct connect_place *place)
{
    struct ipsec_identity identity;
    bool any;
    enum status status = ipsec_any(engine, &any);
    if (status != STATUS_OK || !any)
        return status;
    if (ipsec_identity_of_name(place->host, &identity))
        status = check_ports(engine, &identity, place->source);
    for (size_t i = 0; status == STATUS_OK && i < place->count; i++) {
        ipsec_identity_of_address(&place->addresses[i], &identity);
        status = check_ports(engine, &identity, place->source);
    }
    return status;
}

/* --- discovery portals --- */

static bool is_there(const struct connect_place *place, const char *host, uint16_t port)
{
    struct os_address address;
    if (port != place->port)
        return false;
    if (name_equal(host, place->host))
        return true;
    if (!os_address_parse(&address, host, port))
        return false;
    for (size_t i = 0; i < place->count; i++) {
        if (os_address_same_host(&address, &place->addresses[i]))
            return true;
    }
    return false;
}

/* What was found there while nobody demanded anything is as well protected as the portal itself. */
static bool told_of(const struct engine *engine, const struct discovery_portal *entry,
                    const struct connect_place *place)
{
    const struct mechanism_key key = mechanism_of_portal(entry);
    const struct mechanism *mechanism = catalogue_mechanism(&engine->catalogue, &key);
    if (mechanism == NULL)
        return false;
    LIST_EACH(node, &mechanism->instances)
    {
        const struct instance *instance = LIST_OWNER(node, struct instance, of_mechanism);
        for (size_t i = 0; i < instance->portal_count; i++) {
            if (is_there(place, instance->portals[i].host, instance->portals[i].port))
                return true;
        }
    }
    return false;
}

static bool any_demands(const struct discovery_portal_list *portals)
{
    for (uint32_t i = 0; i < portals->count; i++) {
        if (demands(portals->items[i].security_flags))
            return true;
    }
    return false;
}

static enum status check_portals(struct engine *engine, const struct connect_place *place)
{
    struct store *store;
    struct os_arena arena = {0};
    struct discovery_portal_list portals = {NULL, 0};
    enum status status = engine_store(engine, &store);
    if (status != STATUS_OK ||
        (store_unchanged(store, &engine->demands_seen) && !engine->portals_demand))
        return status;
    status = store_portals(store, &arena, false, &portals);
    if (status == STATUS_OK)
        engine->portals_demand = any_demands(&portals);
    else
        engine->demands_seen = 0; /* look again next time */
    for (uint32_t i = 0; status == STATUS_OK && i < portals.count; i++) {
        const struct discovery_portal *entry = &portals.items[i];
        if (demands(entry->security_flags) &&
            (is_there(place, entry->portal->address, entry->portal->socket) ||
             told_of(engine, entry, place)))
            status = STATUS_NO_IPSEC;
    }
    os_arena_clear(&arena);
    return status;
}

/* --- the gate --- */

enum status ipsec_check_place(struct engine *engine, const struct connect_place *place)
{
    enum status status = check_identities(engine, place);
    return status == STATUS_OK ? check_portals(engine, place) : status;
}

enum status ipsec_check_portal(struct engine *engine, const char *host, uint16_t port,
                               const struct os_address *source)
{
    struct os_address address;
    struct connect_place place = {
        .host = host, .port = port, .addresses = &address, .source = source};
    place.count = os_address_parse(&address, host, port) ? 1 : 0;
    return ipsec_check_place(engine, &place);
}

static enum status ask(struct connect_gate *gate, const struct connect_place *place)
{
    return ipsec_check_place(LIST_OWNER(gate, struct engine, gate), place);
}

void ipsec_gate_init(struct engine *engine)
{
    engine->gate.ask = ask;
}
