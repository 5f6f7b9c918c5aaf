/*
 * Targets. Whoever lists them asks for the properties of each next: what came with the list is kept
 * until anything has changed, and a short time at most, for other processes may change the store.
 */
#include "ima/builtin/builtin.h"

#include "engine/events.h"
#include "os/memory.h"
#include "os/thread.h"

#include <string.h>

enum { FRESH = 200 /* milliseconds */ };

static const IMA_OID shared_node = {IMA_OBJECT_TYPE_NODE, IMA_LIBRARY_OWNER_ID, 0};

/* Only with an engine in this process is it known when something changes. */
static struct {
    struct os_lock lock;
    unsigned number; /* of the snapshot; 0: there is none */
    unsigned revision;
    uint64_t taken;
    struct os_arena arena;
    struct target_summary_list targets;
} snapshot;

/* --- the snapshot --- */

static bool is_fresh(void)
{
    return snapshot.number != 0 && snapshot.revision == events_revision() &&
           os_now() - snapshot.taken < FRESH;
}

/* False: it is not there. The texts are good until the lock is released. */
static bool find_in_snapshot(const struct object *object, struct target_summary *out)
{
    if (!is_fresh() || object->snapshot != snapshot.number)
        return false;
    *out = snapshot.targets.items[object->index];
    return true;
}

/* The list has an OID for each target, in the same order. Takes the arena. */
static void keep_snapshot(struct os_arena *arena, const struct target_summary_list *targets,
                          unsigned revision, uint64_t taken, const IMA_OID_LIST *list)
{
    os_lock_take(&snapshot.lock);
    os_arena_clear(&snapshot.arena);
    snapshot.arena = *arena;
    snapshot.targets = *targets;
    snapshot.revision = revision;
    snapshot.taken = taken;
    if (++snapshot.number == 0)
        snapshot.number = 1;
    for (uint32_t i = 0; i < targets->count; i++) {
        struct object *object = builtin_find(list->oids[i]);
        object->snapshot = snapshot.number;
        object->index = i;
    }
    os_lock_release(&snapshot.lock);
    *arena = (struct os_arena){0};
}

/* --- lists --- */

static IMA_OID_LIST *make_list(const struct target_summary_list *targets, IMA_STATUS *status)
{
    IMA_OID_LIST *list = builtin_list_new(targets->count);
    for (uint32_t i = 0; list != NULL && i < targets->count; i++) {
        const struct identity identity = {.name = targets->items[i].name};
        if (builtin_list_add(list, IMA_OBJECT_TYPE_TARGET, &identity))
            continue;
        builtin_list_free(list);
        list = NULL;
    }
    if (list == NULL)
        *status = IMA_ERROR_INSUFFICIENT_MEMORY;
    return list;
}

/* Whatever goes out by an LNP may reach any target: routing is the system's. */
IMA_STATUS builtin_GetTargetOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    struct os_arena arena = {0};
    const struct request_describe_targets request = {0};
    struct reply_describe_targets reply;
    IMA_OID_LIST *list = NULL;
    IMA_STATUS status =
        oid.objectType == IMA_OBJECT_TYPE_LHBA ? builtin_check_lhba(oid) : builtin_check_port(oid);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    bool local = door_in_process();
    unsigned revision = events_revision();
    uint64_t now = os_now();
    status = builtin_ask(OPERATION_describe_targets, &request, &reply, &arena);
    if (status == IMA_STATUS_SUCCESS)
        list = make_list(&reply.targets, &status);
    if (status == IMA_STATUS_SUCCESS && local)
        keep_snapshot(&arena, &reply.targets, revision, now, list);
    os_arena_clear(&arena);
    return builtin_list_return(status, list, ppList);
}

/* --- one target --- */

IMA_STATUS builtin_describe(const char *target, struct os_arena *arena, struct target_summary *out)
{
    const struct request_describe_targets request = {.target = target, .known = 1};
    struct reply_describe_targets reply;
    IMA_STATUS status = builtin_ask(OPERATION_describe_targets, &request, &reply, arena);
    if (status == IMA_STATUS_SUCCESS && reply.targets.count != 1)
        status = IMA_ERROR_OBJECT_NOT_FOUND;
    if (status == IMA_STATUS_SUCCESS)
        *out = reply.targets.items[0];
    return status;
}

IMA_STATUS builtin_check_target(IMA_OID oid, const struct object **out)
{
    struct os_arena arena = {0};
    struct target_summary summary;
    *out = builtin_find(oid);
    if (*out == NULL)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    os_lock_take(&snapshot.lock);
    bool known = find_in_snapshot(*out, &summary);
    os_lock_release(&snapshot.lock);
    if (known)
        return IMA_STATUS_SUCCESS;
    IMA_STATUS status = builtin_describe((*out)->identity.name, &arena, &summary);
    os_arena_clear(&arena);
    return status;
}

static void tell(const struct target_summary *target, IMA_TARGET_PROPERTIES *out)
{
    memset(out, 0, sizeof *out);
    out->associatedNodeOid = shared_node;
    out->associatedLhbaOid = builtin_lhba;
    builtin_from_text(target->name, out->name, IMA_NODE_NAME_LEN);
    builtin_from_text(target->alias, out->alias, IMA_NODE_ALIAS_LEN);
    out->discoveryMethodFlags = target->methods;
}

IMA_STATUS builtin_GetTargetProperties(IMA_OID targetOid, IMA_TARGET_PROPERTIES *pProps)
{
    struct os_arena arena = {0};
    struct target_summary summary;
    const struct object *object = builtin_find(targetOid);
    if (object == NULL)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    os_lock_take(&snapshot.lock);
    bool known = find_in_snapshot(object, &summary);
    if (known)
        tell(&summary, pProps);
    os_lock_release(&snapshot.lock);
    if (known)
        return IMA_STATUS_SUCCESS;
    IMA_STATUS status = builtin_describe(object->identity.name, &arena, &summary);
    if (status == IMA_STATUS_SUCCESS)
        tell(&summary, pProps);
    os_arena_clear(&arena);
    return status;
}

/* --- address keys --- */

/* Keys have IP addresses: a portal that is known by a host name has none to tell. */
static IMA_STATUS make_keys(const struct target_address_list *addresses, IMA_ADDRESS_KEYS **out)
{
    IMA_ADDRESS_KEYS *keys = os_alloc(sizeof *keys + addresses->count * sizeof(IMA_ADDRESS_KEY));
    if (keys == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    for (uint32_t i = 0; i < addresses->count; i++) {
        const struct target_address *from = &addresses->items[i];
        IMA_ADDRESS_KEY *key = &keys->addressKeys[keys->addressKeyCount];
        if (!builtin_to_ip(from->address, &key->ipAddress))
            continue;
        key->portNumberValid = IMA_TRUE;
        key->portNumber = from->socket;
        key->portalGroupTagValid = from->grouped ? IMA_TRUE : IMA_FALSE;
        key->portalGroupTag = from->tag;
        keys->addressKeyCount++;
    }
    *out = keys;
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS builtin_GetAddressKeys(IMA_OID targetOid, IMA_ADDRESS_KEYS **ppKeys)
{
    struct os_arena arena = {0};
    const struct object *object;
    struct reply_list_target_addresses reply = {0};
    *ppKeys = NULL;
    IMA_STATUS status = builtin_check_target(targetOid, &object);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    const struct request_list_target_addresses request = {.target = object->identity.name};
    enum status asked = door_call(OPERATION_list_target_addresses, &request, &reply, &arena);
    /* One that has a session only is known, but nobody tells where it is. */
    if (asked != STATUS_OK && asked != STATUS_TARGET_NOT_FOUND)
        status = builtin_status(asked);
    if (status == IMA_STATUS_SUCCESS)
        status = make_keys(&reply.addresses, ppKeys);
    os_arena_clear(&arena);
    return status;
}
