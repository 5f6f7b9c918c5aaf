#include "engine/mechanism.h"
#include "os/memory.h"
#include "protocol/isns.h"

#include <stdio.h>
#include <string.h>

struct mechanism_key mechanism_of_portal(const struct discovery_portal *entry)
{
    return (struct mechanism_key){
        .kind = MECHANISM_SENDTARGETS,
        .initiator = entry->initiator,
        .initiator_port = entry->initiator_port,
        .address = entry->portal->address,
        .socket = entry->portal->socket,
    };
}

struct configuration_subject subject_of_portal(const struct discovery_portal *entry)
{
    return (struct configuration_subject){
        .address = entry->portal->address,
        .port = entry->portal->socket,
        .discovery_address = entry->portal->address,
        .discovery_port = entry->portal->socket,
    };
}

static bool tells_of(const struct instance *instance, const struct portal_address *portal)
{
    for (size_t i = 0; i < instance->portal_count; i++) {
        if (instance->portals[i].port == portal->port &&
            name_equal(instance->portals[i].host, portal->host))
            return true;
    }
    return false;
}

/* A discovery portal that the file names comes first, and of those who told of the portal. */
static int fit(const struct engine *engine, const struct instance *instance,
               const struct portal_address *portal)
{
    const struct mechanism_key *key = &instance->mechanism->key;
    if (key->kind != MECHANISM_SENDTARGETS)
        return 0;
    return 1 + (portal != NULL && tells_of(instance, portal)) +
           2 * configuration_has_discovery(engine->configuration, key->address, key->socket);
}

static void take_finder(const struct engine *engine, const struct known_target *target,
                        const struct portal_address *portal, struct configuration_subject *out)
{
    int best = 0;
    LIST_EACH(node, &target->instances)
    {
        const struct instance *instance = LIST_OWNER(node, struct instance, of_target);
        int found = fit(engine, instance, portal);
        if (found > best) {
            best = found;
            out->discovery_address = instance->mechanism->key.address;
            out->discovery_port = instance->mechanism->key.socket;
        }
    }
}

struct configuration_subject subject_of_target(const struct engine *engine, const char *target,
                                               const struct portal_address *portal)
{
    const struct known_target *known = catalogue_find(&engine->catalogue, target);
    struct configuration_subject subject = {.target = target};
    if (portal != NULL) {
        subject.address = portal->host;
        subject.port = portal->port;
    }
    if (known != NULL)
        take_finder(engine, known, portal, &subject);
    return subject;
}

static void name_server(const struct mechanism_key *key, char *name, size_t room)
{
    struct portal_address where = {.port = key->socket};
    char address[PORTAL_HOST_MAX + 16];
    snprintf(where.host, sizeof where.host, "%s", key->address);
    bool usual = key->socket == ISNS_DEFAULT_PORT;
    if (usual || !portal_format(&where, address, sizeof address))
        snprintf(address, sizeof address, "%s", key->address);
    snprintf(name, room, "iSNS:%s", address);
}

const char *mechanism_name(const struct mechanism *mechanism, struct os_arena *arena)
{
    char name[PORTAL_HOST_MAX + 64];
    const struct mechanism_key *key = &mechanism->key;
    switch (key->kind) {
    case MECHANISM_SENDTARGETS:
        snprintf(name, sizeof name, "SendTargets:*%s %07u %s ", key->address, key->socket,
                 INITIATOR_INSTANCE);
        break;
    case MECHANISM_ISNS:
        name_server(key, name, sizeof name);
        break;
    default:
        snprintf(name, sizeof name, "Static:*");
        break;
    }
    return os_arena_text(arena, name);
}

bool mechanism_names_equal(const char *left, const char *right)
{
    size_t length = strlen(left), other = strlen(right);
    while (length > 0 && left[length - 1] == ' ')
        length--;
    while (other > 0 && right[other - 1] == ' ')
        other--;
    if (length != other)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char a[] = {left[i], '\0'}, b[] = {right[i], '\0'};
        if (!name_equal(a, b))
            return false;
    }
    return true;
}
