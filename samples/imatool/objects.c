/* Which objects there are, and what they are called here. */
#include "imatool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void objects_free(struct objects *objects)
{
    free(objects->oids);
    memset(objects, 0, sizeof *objects);
}

static bool same(IMA_OID a, IMA_OID b)
{
    return a.objectType == b.objectType && a.ownerId == b.ownerId &&
           a.objectSequenceNumber == b.objectSequenceNumber;
}

/* Those that are not there already; the list is freed. */
static IMA_STATUS take(struct objects *out, IMA_STATUS status, IMA_OID_LIST *list)
{
    if (IMA_ERROR(status))
        return status;
    IMA_OID *more = realloc(out->oids, (out->count + list->oidCount + 1) * sizeof *more);
    if (more == NULL) {
        IMA_FreeMemory(list);
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    }
    out->oids = more;
    size_t before = out->count;
    for (IMA_UINT i = 0; i < list->oidCount; i++) {
        size_t j = 0;
        while (j < before && !same(out->oids[j], list->oids[i]))
            j++;
        if (j == before)
            out->oids[out->count++] = list->oids[i];
    }
    IMA_FreeMemory(list);
    return IMA_STATUS_SUCCESS;
}

typedef IMA_STATUS (*list_all)(IMA_OID_LIST **ppList);
typedef IMA_STATUS (*list_below)(IMA_OID oid, IMA_OID_LIST **ppList);

static IMA_STATUS gather(list_all function, struct objects *out)
{
    IMA_OID_LIST *found = NULL;
    IMA_STATUS status = function(&found);
    return take(out, status, found);
}

/* What belongs to any of the parents. Those that do not know such objects do not count. */
static IMA_STATUS gather_of_all(list_all parents, list_below function, struct objects *out)
{
    struct objects above = {NULL, 0};
    IMA_STATUS status = gather(parents, &above);
    for (size_t i = 0; i < above.count && IMA_SUCCESS(status); i++) {
        IMA_OID_LIST *found = NULL;
        IMA_STATUS one = function(above.oids[i], &found);
        if (one != IMA_ERROR_NOT_SUPPORTED)
            status = take(out, one, found);
    }
    objects_free(&above);
    return status;
}

static IMA_STATUS gather_plugins(struct objects *out)
{
    return gather(IMA_GetPluginOidList, out);
}

static IMA_STATUS gather_nodes(struct objects *out)
{
    return gather(IMA_GetNonSharedNodeOidList, out);
}

static IMA_STATUS gather_lhbas(struct objects *out)
{
    return gather(IMA_GetLhbaOidList, out);
}

static IMA_STATUS gather_phbas(struct objects *out)
{
    return gather(IMA_GetPhbaOidList, out);
}

static IMA_STATUS gather_lnps(struct objects *out)
{
    return gather(IMA_GetLnpOidList, out);
}

static IMA_STATUS gather_pnps(struct objects *out)
{
    IMA_STATUS status = gather_of_all(IMA_GetLnpOidList, IMA_GetPnpOidList, out);
    return IMA_SUCCESS(status) ? gather_of_all(IMA_GetPhbaOidList, IMA_GetPnpOidList, out) : status;
}

static IMA_STATUS gather_portals(struct objects *out)
{
    return gather_of_all(IMA_GetLnpOidList, IMA_GetNetworkPortalOidList, out);
}

static IMA_STATUS gather_targets(struct objects *out)
{
    return gather_of_all(IMA_GetLhbaOidList, IMA_GetTargetOidList, out);
}

static IMA_STATUS gather_lus(struct objects *out)
{
    return gather_of_all(IMA_GetLhbaOidList, IMA_GetLuOidList, out);
}

static IMA_STATUS gather_addresses(struct objects *out)
{
    return gather_of_all(IMA_GetLhbaOidList, IMA_GetDiscoveryAddressOidList, out);
}

static IMA_STATUS gather_statics(struct objects *out)
{
    return gather_of_all(IMA_GetLhbaOidList, IMA_GetStaticDiscoveryTargetOidList, out);
}

const struct kind kinds[] = {
    {"plugin", "plugins", IMA_OBJECT_TYPE_PLUGIN, gather_plugins},
    {"node", "nodes", IMA_OBJECT_TYPE_NODE, gather_nodes},
    {"lhba", "lhbas", IMA_OBJECT_TYPE_LHBA, gather_lhbas},
    {"phba", "phbas", IMA_OBJECT_TYPE_PHBA, gather_phbas},
    {"lnp", "lnps", IMA_OBJECT_TYPE_LNP, gather_lnps},
    {"pnp", "pnps", IMA_OBJECT_TYPE_PNP, gather_pnps},
    {"portal", "portals", IMA_OBJECT_TYPE_NETWORK_PORTAL, gather_portals},
    {"target", "targets", IMA_OBJECT_TYPE_TARGET, gather_targets},
    {"lu", "lus", IMA_OBJECT_TYPE_LU, gather_lus},
    {"address", "addresses", IMA_OBJECT_TYPE_DISCOVERY_ADDRESS, gather_addresses},
    {"static", "statics", IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET, gather_statics},
};
const size_t kind_count = sizeof kinds / sizeof *kinds;

const struct kind *kind_named(const char *name)
{
    for (size_t i = 0; i < kind_count; i++) {
        if (strcmp(name, kinds[i].name) == 0 || strcmp(name, kinds[i].plural) == 0)
            return &kinds[i];
    }
    return NULL;
}

const struct kind *kind_of(IMA_OBJECT_TYPE type)
{
    for (size_t i = 0; i < kind_count; i++) {
        if (kinds[i].type == type)
            return &kinds[i];
    }
    return NULL;
}

/* --- names --- */

static void target_name(IMA_OID target, char *out, size_t room)
{
    IMA_TARGET_PROPERTIES properties;
    out[0] = '\0';
    if (IMA_SUCCESS(IMA_GetTargetProperties(target, &properties)))
        to_utf8(properties.name, IMA_NODE_NAME_LEN, out, room);
}

/* A LUN of the usual forms as a number, another one in hexadecimal. */
static void lun_text(const IMA_BYTE lun[8], char *out, size_t room)
{
    static const IMA_BYTE zeros[6];
    if (lun[0] < 0x80 && memcmp(lun + 2, zeros, sizeof zeros) == 0)
        snprintf(out, room, "%u", (unsigned)((lun[0] & 0x3F) << 8 | lun[1]));
    else
        snprintf(out, room, "0x%02x%02x%02x%02x%02x%02x%02x%02x", lun[0], lun[1], lun[2], lun[3],
                 lun[4], lun[5], lun[6], lun[7]);
}

static void lu_name(IMA_OID lu, char *out, size_t room)
{
    IMA_LU_PROPERTIES properties;
    char target[IMA_NODE_NAME_LEN * 4], lun[24];
    out[0] = '\0';
    if (IMA_ERROR(IMA_GetLuProperties(lu, &properties)))
        return;
    target_name(properties.associatedTargetOid, target, sizeof target);
    lun_text(properties.targetLun, lun, sizeof lun);
    snprintf(out, room, "%s/%s", target, lun);
}

static void target_address_text(const IMA_TARGET_ADDRESS *address, char *out, size_t room)
{
    char host[1024];
    host_text(&address->hostnameIpAddress, host, sizeof host);
    snprintf(out, room, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, address->portNumber);
}

static void address_name(IMA_OID oid, char *out, size_t room)
{
    IMA_DISCOVERY_ADDRESS_PROPERTIES properties;
    out[0] = '\0';
    if (IMA_SUCCESS(IMA_GetDiscoveryAddressProperties(oid, &properties)))
        target_address_text(&properties.discoveryAddress, out, room);
}

static void static_name(IMA_OID oid, char *out, size_t room)
{
    IMA_STATIC_DISCOVERY_TARGET_PROPERTIES properties;
    out[0] = '\0';
    if (IMA_SUCCESS(IMA_GetStaticDiscoveryTargetProperties(oid, &properties)))
        to_utf8(properties.staticConfigTarget.targetName, IMA_NODE_NAME_LEN, out, room);
}

void object_name(IMA_OID oid, size_t index, char *out, size_t room)
{
    const struct kind *kind = kind_of(oid.objectType);
    char name[2048];
    switch (oid.objectType) {
    case IMA_OBJECT_TYPE_TARGET:
        target_name(oid, name, sizeof name);
        break;
    case IMA_OBJECT_TYPE_LU:
        lu_name(oid, name, sizeof name);
        break;
    case IMA_OBJECT_TYPE_DISCOVERY_ADDRESS:
        address_name(oid, name, sizeof name);
        break;
    case IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET:
        static_name(oid, name, sizeof name);
        break;
    default:
        snprintf(name, sizeof name, "%u", (unsigned)index);
    }
    snprintf(out, room, "%s:%s", kind != NULL ? kind->name : "object", name);
}

/* By its place among all of its kind, where it has no name. */
static void full_name(IMA_OID oid, char *out, size_t room)
{
    struct objects objects = {NULL, 0};
    size_t index = 0;
    const struct kind *kind = kind_of(oid.objectType);
    if (oid.objectType == IMA_OBJECT_TYPE_NODE && oid.ownerId == 0) {
        snprintf(out, room, "node");
        return;
    }
    if (kind != NULL)
        kind->gather(&objects);
    while (index < objects.count && !same(objects.oids[index], oid))
        index++;
    objects_free(&objects);
    object_name(oid, index, out, room);
}

/* --- finding --- */

static bool parse_lun(const char *text, IMA_BYTE lun[8])
{
    unsigned long number;
    memset(lun, 0, 8);
    if (strncmp(text, "0x", 2) == 0 && strlen(text) == 18) {
        for (int i = 0; i < 8; i++) {
            char byte[3] = {text[2 + 2 * i], text[3 + 2 * i], '\0'}, *end;
            lun[i] = (IMA_BYTE)strtoul(byte, &end, 16);
            if (*end != '\0')
                return false;
        }
        return true;
    }
    if (!parse_number(text, 16383, &number))
        return false;
    lun[0] = (IMA_BYTE)((number >> 8) | (number > 255 ? 0x40 : 0)); /* flat space */
    lun[1] = (IMA_BYTE)number;
    return true;
}

static bool find_in(const struct kind *kind, const char *name, IMA_OID *out)
{
    struct objects objects = {NULL, 0};
    char each[2200], wanted[2200];
    bool found = false;
    snprintf(wanted, sizeof wanted, "%s:%s", kind->name, name);
    IMA_STATUS status = kind->gather(&objects);
    for (size_t i = 0; i < objects.count && !found; i++) {
        object_name(objects.oids[i], i, each, sizeof each);
        found = strcmp(each, wanted) == 0;
        if (found)
            *out = objects.oids[i];
    }
    objects_free(&objects);
    if (!found)
        fprintf(stderr, "imatool: there is no %s (%s)\n", wanted, status_name(status));
    return found;
}

/* Of any LUN, also one that is not exposed. */
static bool find_lu(const char *name, IMA_OID *out)
{
    const char *slash = strrchr(name, '/');
    char target[1024];
    IMA_BYTE lun[8];
    IMA_OID oid;
    if (slash == NULL || (size_t)(slash - name) >= sizeof target || !parse_lun(slash + 1, lun)) {
        fprintf(stderr, "imatool: a logical unit is lu:NAME/LUN\n");
        return false;
    }
    memcpy(target, name, (size_t)(slash - name));
    target[slash - name] = '\0';
    return find_in(kind_named("target"), target, &oid) &&
           finish("logical unit", IMA_GetLuOid(oid, lun, out)) == EXIT_GOOD;
}

bool find_object(const char *name, IMA_OID *out)
{
    char kind_name[16];
    size_t length = strcspn(name, ":");
    if (strcmp(name, "node") == 0)
        return finish("shared node", IMA_GetSharedNodeOid(out)) == EXIT_GOOD;
    snprintf(kind_name, sizeof kind_name, "%.*s", (int)length, name);
    const struct kind *kind = length < sizeof kind_name ? kind_named(kind_name) : NULL;
    if (kind == NULL) {
        fprintf(stderr, "imatool: what is %s?\n", name);
        return false;
    }
    const char *rest = name[length] == ':' ? name + length + 1 : "0";
    return kind->type == IMA_OBJECT_TYPE_LU ? find_lu(rest, out) : find_in(kind, rest, out);
}

/* --- list --- */

IMA_STATUS gather_below(const struct kind *kind, IMA_OID parent, struct objects *out)
{
    static const struct {
        IMA_OBJECT_TYPE type;
        list_below function;
    } functions[] = {
        {IMA_OBJECT_TYPE_PNP, IMA_GetPnpOidList},
        {IMA_OBJECT_TYPE_NETWORK_PORTAL, IMA_GetNetworkPortalOidList},
        {IMA_OBJECT_TYPE_TARGET, IMA_GetTargetOidList},
        {IMA_OBJECT_TYPE_LU, IMA_GetLuOidList},
        {IMA_OBJECT_TYPE_DISCOVERY_ADDRESS, IMA_GetDiscoveryAddressOidList},
        {IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET, IMA_GetStaticDiscoveryTargetOidList},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        IMA_OID_LIST *found = NULL;
        if (functions[i].type != kind->type)
            continue;
        IMA_STATUS status = functions[i].function(parent, &found);
        return take(out, status, found);
    }
    return IMA_ERROR_INCORRECT_OBJECT_TYPE;
}

static int list_kind(const struct kind *kind, const IMA_OID *parent)
{
    struct objects objects = {NULL, 0};
    char name[2200];
    IMA_STATUS status =
        parent != NULL ? gather_below(kind, *parent, &objects) : kind->gather(&objects);
    for (size_t i = 0; i < objects.count; i++) {
        if (parent != NULL)
            full_name(objects.oids[i], name, sizeof name);
        else
            object_name(objects.oids[i], i, name, sizeof name);
        puts(name);
    }
    objects_free(&objects);
    return finish(kind->plural, status);
}

int list(int count, char **arguments)
{
    int result = EXIT_GOOD;
    IMA_OID parent;
    if (count > 0) {
        const struct kind *kind = kind_named(arguments[0]);
        if (kind == NULL || (count > 1 && !find_object(arguments[1], &parent)))
            return EXIT_USAGE;
        return list_kind(kind, count > 1 ? &parent : NULL);
    }
    puts("node");
    for (size_t i = 0; i < kind_count; i++) {
        int one = list_kind(&kinds[i], NULL);
        result = one != EXIT_GOOD ? one : result;
    }
    return result;
}

void line_object(const char *name, IMA_OID oid)
{
    char text[2200];
    full_name(oid, text, sizeof text);
    line(name, "%s", text);
}
