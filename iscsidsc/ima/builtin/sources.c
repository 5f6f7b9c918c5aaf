/* Where targets come from: discovery addresses and static discovery targets. They are the LHBA's.
 */
#include "ima/builtin/builtin.h"

#include "ima/text.h"
#include "protocol/name.h"

#include <stdio.h>
#include <string.h>

enum { STANDARD_PORT = 3260 };
#define ANY_PORT   0xffffffffu
#define MERGE_FLAG 0x04u /* TARGET_FLAG_MERGE */

static const IMA_OID shared_node = {IMA_OBJECT_TYPE_NODE, IMA_LIBRARY_OWNER_ID, 0};

/* A port of the machine is nobody's own way to targets. */
static IMA_STATUS check_owner(IMA_OID oid)
{
    if (oid.objectType == IMA_OBJECT_TYPE_LHBA)
        return builtin_check_lhba(oid);
    IMA_STATUS status = builtin_check_port(oid);
    return status == IMA_STATUS_SUCCESS ? IMA_ERROR_NOT_SUPPORTED : status;
}

/* --- addresses --- */

struct place {
    char host[BUILTIN_HOST_ROOM];
    struct portal portal;
};

/* False: it is none that can be used. */
static bool take_address(const IMA_TARGET_ADDRESS *address, struct place *out)
{
    uint16_t port = address->portNumber != 0 ? address->portNumber : (uint16_t)STANDARD_PORT;
    if (!builtin_from_host(&address->hostnameIpAddress, out->host) || out->host[0] == '\0')
        return false;
    out->portal = (struct portal){NULL, out->host, port};
    return true;
}

static void tell_address(const char *host, uint16_t port, IMA_TARGET_ADDRESS *out)
{
    memset(out, 0, sizeof *out);
    builtin_to_host(host, &out->hostnameIpAddress);
    out->portNumber = port;
}

/* --- exposed units --- */

/* SUCCESS, or LU_EXPOSED: the target has a unit that is. */
static IMA_STATUS check_not_exposed(const char *target)
{
    struct os_arena arena = {0};
    struct reply_list_units reply;
    IMA_STATUS status = builtin_units(target, &arena, &reply);
    if (status == IMA_STATUS_SUCCESS &&
        builtin_is_exposed(reply.units.items, reply.units.count, NULL))
        status = IMA_ERROR_LU_EXPOSED;
    os_arena_clear(&arena);
    return status;
}

/* --- discovery addresses --- */

static struct identity identity_of_portal(const struct discovery_portal *portal)
{
    return (struct identity){.name = portal->portal->address,
                             .socket = portal->portal->socket,
                             .initiator = portal->initiator,
                             .initiator_port = portal->initiator_port};
}

static IMA_STATUS list_portals(struct os_arena *arena, struct reply_list_portals *reply)
{
    const struct request_list_portals request = {0};
    return builtin_ask(OPERATION_list_portals, &request, reply, arena);
}

IMA_STATUS builtin_GetDiscoveryAddressOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    struct os_arena arena = {0};
    struct reply_list_portals reply;
    IMA_OID_LIST *list = NULL;
    IMA_STATUS status = check_owner(oid);
    if (status == IMA_STATUS_SUCCESS)
        status = list_portals(&arena, &reply);
    if (status == IMA_STATUS_SUCCESS)
        list = builtin_list_new(reply.portals.count);
    for (uint32_t i = 0; list != NULL && i < reply.portals.count; i++) {
        const struct identity identity = identity_of_portal(&reply.portals.items[i]);
        if (!builtin_list_add(list, IMA_OBJECT_TYPE_DISCOVERY_ADDRESS, &identity))
            status = IMA_ERROR_INSUFFICIENT_MEMORY;
    }
    os_arena_clear(&arena);
    return builtin_list_return(status, list, ppList);
}

/* One with that address and port, whoever it is for; NULL: none. */
static const struct discovery_portal *find_portal(const struct discovery_portal_list *portals,
                                                  const struct portal *portal)
{
    for (uint32_t i = 0; i < portals->count; i++) {
        if (portals->items[i].portal->socket == portal->socket &&
            name_equal(portals->items[i].portal->address, portal->address))
            return &portals->items[i];
    }
    return NULL;
}

/* One that is listed stays as it is, with the options that it has, and is asked again. */
IMA_STATUS builtin_AddDiscoveryAddress(IMA_OID oid, const IMA_TARGET_ADDRESS discoveryAddress,
                                       IMA_OID *pDiscoveryAddressOid)
{
    struct os_arena arena = {0};
    struct reply_list_portals reply;
    struct place place;
    IMA_STATUS status = check_owner(oid);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    if (!take_address(&discoveryAddress, &place))
        return IMA_ERROR_INVALID_PARAMETER;
    const struct discovery_portal given = {.initiator_port = ANY_PORT, .portal = &place.portal};
    const struct request_add_portal request = {.entry = &given, .unwaited = 1};
    const struct discovery_portal *listed = NULL;
    status = list_portals(&arena, &reply);
    if (status == IMA_STATUS_SUCCESS)
        listed = find_portal(&reply.portals, &place.portal);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_add_portal, &request, NULL, NULL);
    if (status == IMA_STATUS_SUCCESS && pDiscoveryAddressOid != NULL) {
        const struct identity identity = identity_of_portal(listed != NULL ? listed : &given);
        const struct object *object = builtin_object(IMA_OBJECT_TYPE_DISCOVERY_ADDRESS, &identity);
        if (object != NULL)
            *pDiscoveryAddressOid = builtin_oid(object);
        else
            status = IMA_ERROR_INSUFFICIENT_MEMORY;
    }
    os_arena_clear(&arena);
    return status;
}

static bool is_portal(const struct discovery_portal *portal, const struct identity *identity)
{
    return portal->portal->socket == identity->socket &&
           portal->initiator_port == identity->initiator_port &&
           name_equal(portal->portal->address, identity->name) &&
           name_equal(portal->initiator != NULL ? portal->initiator : "", identity->initiator);
}

/* Is it on the list still? */
static IMA_STATUS check_portal(IMA_OID oid, const struct object **out)
{
    struct os_arena arena = {0};
    struct reply_list_portals reply;
    *out = builtin_find(oid);
    if (*out == NULL)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    IMA_STATUS status = list_portals(&arena, &reply);
    bool found = false;
    for (uint32_t i = 0; status == IMA_STATUS_SUCCESS && i < reply.portals.count; i++)
        found = found || is_portal(&reply.portals.items[i], &(*out)->identity);
    os_arena_clear(&arena);
    return status == IMA_STATUS_SUCCESS && !found ? IMA_ERROR_OBJECT_NOT_FOUND : status;
}

IMA_STATUS builtin_GetDiscoveryAddressProperties(IMA_OID discoveryAddressOid,
                                                 IMA_DISCOVERY_ADDRESS_PROPERTIES *pProps)
{
    const struct object *object;
    IMA_STATUS status = check_portal(discoveryAddressOid, &object);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    memset(pProps, 0, sizeof *pProps);
    pProps->associatedNodeOid = shared_node;
    pProps->associatedLhbaOid = builtin_lhba;
    tell_address(object->identity.name, object->identity.socket, &pProps->discoveryAddress);
    return status;
}

/* Is the target known by this discovery address alone? The mechanism's name begins with it. */
static bool comes_of(const struct text_list *mechanisms, const struct identity *portal)
{
    char expected[BUILTIN_HOST_ROOM + 32];
    int length =
        snprintf(expected, sizeof expected, "SendTargets:*%s %07u ", portal->name, portal->socket);
    return mechanisms->count == 1 && length > 0 &&
           strncmp(mechanisms->items[0], expected, (size_t)length) == 0;
}

/* LU_EXPOSED: a target that only this address has found has an exposed unit. */
static IMA_STATUS check_targets_of(const struct identity *portal)
{
    struct os_arena arena = {0};
    struct reply_list_units reply;
    IMA_STATUS status = builtin_units(NULL, &arena, &reply);
    for (uint32_t i = 0; status == IMA_STATUS_SUCCESS && i < reply.units.count; i++) {
        const struct request_get_target request = {.target = reply.units.items[i].target};
        struct reply_get_target target;
        if (reply.units.items[i].exposed &&
            door_call(OPERATION_get_target, &request, &target, &arena) == STATUS_OK &&
            comes_of(&target.mechanisms, portal))
            status = IMA_ERROR_LU_EXPOSED;
    }
    os_arena_clear(&arena);
    return status;
}

IMA_STATUS builtin_RemoveDiscoveryAddress(IMA_OID discoveryAddressOid)
{
    const struct object *object;
    IMA_STATUS status = check_portal(discoveryAddressOid, &object);
    if (status == IMA_STATUS_SUCCESS)
        status = check_targets_of(&object->identity);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    const struct identity *identity = &object->identity;
    const struct portal portal = {NULL, identity->name, identity->socket};
    const struct request_remove_portal request = {.initiator = identity->initiator,
                                                  .initiator_port = identity->initiator_port,
                                                  .portal = &portal};
    return builtin_ask(OPERATION_remove_portal, &request, NULL, NULL);
}

/* --- static discovery targets --- */

/* Each portal of a static target is one of these; so is a target that has none. */
static struct identity identity_of_static(const struct static_target *target, uint32_t portal)
{
    struct identity identity = {.name = target->target};
    if (portal < target->portals.count) {
        identity.address = target->portals.items[portal].address;
        identity.socket = target->portals.items[portal].socket;
    }
    return identity;
}

static uint32_t parts_of(const struct static_target *target)
{
    return target->portals.count > 0 ? target->portals.count : 1;
}

static IMA_STATUS list_static(struct os_arena *arena, struct reply_list_static_targets *reply)
{
    const struct request_list_static_targets request = {0};
    return builtin_ask(OPERATION_list_static_targets, &request, reply, arena);
}

static size_t count_parts(const struct static_target_list *targets)
{
    size_t count = 0;
    for (uint32_t i = 0; i < targets->count; i++)
        count += parts_of(&targets->items[i]);
    return count;
}

static bool add_parts(IMA_OID_LIST *list, const struct static_target *target)
{
    for (uint32_t i = 0; i < parts_of(target); i++) {
        const struct identity identity = identity_of_static(target, i);
        if (!builtin_list_add(list, IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET, &identity))
            return false;
    }
    return true;
}

IMA_STATUS builtin_GetStaticDiscoveryTargetOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    struct os_arena arena = {0};
    struct reply_list_static_targets reply;
    IMA_OID_LIST *list = NULL;
    IMA_STATUS status = check_owner(oid);
    if (status == IMA_STATUS_SUCCESS)
        status = list_static(&arena, &reply);
    if (status == IMA_STATUS_SUCCESS)
        list = builtin_list_new(count_parts(&reply.targets));
    for (uint32_t i = 0; list != NULL && i < reply.targets.count; i++) {
        if (!add_parts(list, &reply.targets.items[i]))
            status = IMA_ERROR_INSUFFICIENT_MEMORY;
    }
    os_arena_clear(&arena);
    return builtin_list_return(status, list, ppList);
}

/* What others have said of the target stays: this adds a portal. */
static IMA_STATUS add_static(const char *name, const struct portal *portal, IMA_OID *out)
{
    const struct static_target target = {
        .target = name, .flags = MERGE_FLAG, .persistent = 1, .grouped = 1, .portals = {portal, 1}};
    const struct request_add_static_target request = {.entry = &target};
    IMA_STATUS status = builtin_ask(OPERATION_add_static_target, &request, NULL, NULL);
    if (status != IMA_STATUS_SUCCESS || out == NULL)
        return status;
    const struct identity identity = identity_of_static(&target, 0);
    const struct object *object =
        builtin_object(IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET, &identity);
    if (object == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    *out = builtin_oid(object);
    return status;
}

/* A portal group tag cannot be held a target to: whoever insists on one is told so. */
IMA_STATUS builtin_AddStaticDiscoveryTarget(IMA_OID oid,
                                            const IMA_STATIC_DISCOVERY_TARGET staticDiscoveryTarget,
                                            IMA_OID *pStaticDiscoveryTargetOid)
{
    char name[ISCSI_NAME_MAX + 1], folded[ISCSI_NAME_MAX + 1];
    struct place place;
    IMA_STATUS status = check_owner(oid);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    long length =
        ima_to_utf8(staticDiscoveryTarget.targetName, IMA_NODE_NAME_LEN, name, sizeof name);
    if (length <= 0 || length >= (long)sizeof name || !name_characters_valid(name) ||
        !take_address(&staticDiscoveryTarget.targetAddress, &place))
        return IMA_ERROR_INVALID_PARAMETER;
    if (staticDiscoveryTarget.portalGroupTagValid)
        return IMA_ERROR_NOT_SUPPORTED;
    name_fold(name, folded);
    return add_static(folded, &place.portal, pStaticDiscoveryTargetOid);
}

static bool is_static(const struct static_target *target, const struct identity *identity)
{
    if (!name_equal(target->target, identity->name))
        return false;
    for (uint32_t i = 0; i < parts_of(target); i++) {
        const struct identity part = identity_of_static(target, i);
        if (part.socket == identity->socket &&
            name_equal(part.address != NULL ? part.address : "", identity->address))
            return true;
    }
    return false;
}

static IMA_STATUS check_static(IMA_OID oid, const struct object **out)
{
    struct os_arena arena = {0};
    struct reply_list_static_targets reply;
    *out = builtin_find(oid);
    if (*out == NULL)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    IMA_STATUS status = list_static(&arena, &reply);
    bool found = false;
    for (uint32_t i = 0; status == IMA_STATUS_SUCCESS && i < reply.targets.count; i++)
        found = found || is_static(&reply.targets.items[i], &(*out)->identity);
    os_arena_clear(&arena);
    return status == IMA_STATUS_SUCCESS && !found ? IMA_ERROR_OBJECT_NOT_FOUND : status;
}

IMA_STATUS
builtin_GetStaticDiscoveryTargetProperties(IMA_OID staticDiscoveryTargetOid,
                                           IMA_STATIC_DISCOVERY_TARGET_PROPERTIES *pProps)
{
    const struct object *object;
    IMA_STATUS status = check_static(staticDiscoveryTargetOid, &object);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    const struct identity *identity = &object->identity;
    memset(pProps, 0, sizeof *pProps);
    pProps->associatedNodeOid = shared_node;
    pProps->associatedLhbaOid = builtin_lhba;
    builtin_from_text(identity->name, pProps->staticConfigTarget.targetName, IMA_NODE_NAME_LEN);
    tell_address(identity->address, identity->socket, &pProps->staticConfigTarget.targetAddress);
    return status;
}

IMA_STATUS builtin_RemoveStaticDiscoveryTarget(IMA_OID staticDiscoveryTargetOid)
{
    const struct object *object;
    IMA_STATUS status = check_static(staticDiscoveryTargetOid, &object);
    if (status == IMA_STATUS_SUCCESS)
        status = check_not_exposed(object->identity.name);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    const struct identity *identity = &object->identity;
    const struct portal portal = {NULL, identity->address, identity->socket};
    const struct request_remove_static_portal request = {
        .target = identity->name, .portal = identity->address[0] != '\0' ? &portal : NULL};
    return builtin_ask(OPERATION_remove_static_portal, &request, NULL, NULL);
}
