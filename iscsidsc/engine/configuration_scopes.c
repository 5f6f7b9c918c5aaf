/* The sections of iscsi.conf: what each names, and what that fits. */
#include "engine/configuration_internal.h"

#include <string.h>

static const char *const names[] = {
    [SCOPE_DEFAULT] = "default",        [SCOPE_GLOBAL] = "global",
    [SCOPE_SUBNET] = "Subnet",          [SCOPE_TARGET_IP_ADDRESS] = "TargetIPAddress",
    [SCOPE_ADDRESS] = "Address",        [SCOPE_DISCOVERY_ADDRESS] = "DiscoveryAddress",
    [SCOPE_TARGET_NAME] = "TargetName",
};

const char *configuration_scope_name(enum configuration_scope scope)
{
    return names[scope];
}

enum configuration_scope scope_of_name(const char *name)
{
    for (int scope = SCOPE_SUBNET; scope <= SCOPE_TARGET_NAME; scope++) {
        if (name_equal(names[scope], name))
            return (enum configuration_scope)scope;
    }
    return SCOPE_DEFAULT;
}

const char *section_read(struct section *section, const char *value)
{
    bool is_network = network_parse(value, &section->network);
    switch (section->scope) {
    case SCOPE_SUBNET:
        return is_network ? NULL : "a network as a.b.c.d/n or a.b.c.d&hex";
    case SCOPE_TARGET_IP_ADDRESS:
        return is_network ? NULL : "an address as a.b.c.d/n";
    case SCOPE_ADDRESS:
        return is_network && network_is_host(&section->network) ? NULL
                                                                : "one address as a.b.c.d/32";
    case SCOPE_DISCOVERY_ADDRESS:
        return portal_parse(value, strlen(value), false, false, &section->portal) == STATUS_OK
                   ? NULL
                   : "a host or host:port";
    default:
        return name_valid(value) ? NULL : "an iSCSI name that begins with iqn., eui. or naa.";
    }
}

/* IPv6 has many spellings. */
static bool same_host(const char *a, const char *b)
{
    struct os_address one, other;
    if (name_equal(a, b))
        return true;
    return os_address_parse(&one, a, 0) && os_address_parse(&other, b, 0) &&
           os_address_same_host(&one, &other);
}

bool section_same(const struct section *a, const struct section *b)
{
    if (a->scope != b->scope)
        return false;
    if (a->scope == SCOPE_TARGET_NAME)
        return strcmp(a->name, b->name) == 0;
    if (a->scope == SCOPE_DISCOVERY_ADDRESS)
        return a->portal.port == b->portal.port && same_host(a->portal.host, b->portal.host);
    return network_same(&a->network, &b->network);
}

bool section_matches(const struct section *section, const struct configuration_subject *subject)
{
    switch (section->scope) {
    case SCOPE_GLOBAL:
        return true;
    case SCOPE_TARGET_NAME:
        return subject->target != NULL && name_equal(section->name, subject->target);
    case SCOPE_DISCOVERY_ADDRESS:
        return subject->discovery_address != NULL &&
               (subject->discovery_port == 0 || subject->discovery_port == section->portal.port) &&
               same_host(section->portal.host, subject->discovery_address);
    default:
        return network_contains(&section->network, subject->address);
    }
}

unsigned section_weight(const struct section *section)
{
    return section->scope >= SCOPE_SUBNET && section->scope <= SCOPE_ADDRESS
               ? network_bits(&section->network)
               : 0;
}
