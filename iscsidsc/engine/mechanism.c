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
