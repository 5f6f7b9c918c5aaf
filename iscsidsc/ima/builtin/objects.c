/* Which object an OID means: one for each identity, for as long as the process runs. */
#include "ima/builtin/builtin.h"

#include "os/memory.h"
#include "os/thread.h"
#include "protocol/name.h"

#include <stdlib.h>
#include <string.h>

enum { TYPES = IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET + 1, BUCKETS_FIRST = 256 };

/* Of one type: by identity, and by sequence number from 1 on. */
struct table {
    struct object **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    struct object **items;
    size_t count;
    size_t room;
};

static struct os_lock lock; /* guards the tables */
static struct table tables[TYPES];

IMA_OID builtin_lhba = {IMA_OBJECT_TYPE_LHBA, 0, 1};

void builtin_set_owner(IMA_UINT32 owner)
{
    builtin_lhba.ownerId = owner;
}

IMA_OID builtin_oid(const struct object *object)
{
    return (IMA_OID){object->type, builtin_lhba.ownerId, object->sequence};
}

/* --- identities --- */

static const char *text(const char *given)
{
    return given != NULL ? given : "";
}

static size_t hash_text(size_t hash, const char *from)
{
    for (const char *c = text(from); *c != '\0'; c++) {
        char folded = *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c;
        hash = (hash ^ (unsigned char)folded) * 16777619u;
    }
    return hash;
}

static size_t hash_of(const struct identity *identity)
{
    size_t hash = hash_text(2166136261u, identity->name);
    hash = hash_text(hash, identity->address);
    hash = (hash ^ identity->socket) * 16777619u;
    hash = (hash ^ (size_t)(identity->lun >> 48)) * 16777619u;
    return hash ^ hash >> 15;
}

static bool same(const struct identity *a, const struct identity *b)
{
    return a->socket == b->socket && a->lun == b->lun && a->initiator_port == b->initiator_port &&
           name_equal(a->name, text(b->name)) && name_equal(a->address, text(b->address)) &&
           name_equal(a->initiator, text(b->initiator));
}

/* --- tables --- */

static struct object *find(const struct table *table, const struct identity *identity, size_t hash)
{
    if (table->bucket_count == 0)
        return NULL;
    struct object *object = table->buckets[hash & (table->bucket_count - 1)];
    while (object != NULL && (object->hash != hash || !same(&object->identity, identity)))
        object = object->chain;
    return object;
}

static void chain(struct table *table, struct object *object)
{
    struct object **bucket = &table->buckets[object->hash & (table->bucket_count - 1)];
    object->chain = *bucket;
    *bucket = object;
}

static bool more_buckets(struct table *table)
{
    size_t count = table->bucket_count > 0 ? table->bucket_count * 2 : BUCKETS_FIRST;
    struct object **buckets = os_alloc(count * sizeof(*buckets));
    if (buckets == NULL)
        return false;
    os_free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = count;
    for (size_t i = 0; i < table->count; i++)
        chain(table, table->items[i]);
    return true;
}

static bool more_items(struct table *table)
{
    size_t room = table->room > 0 ? table->room * 2 : BUCKETS_FIRST;
    struct object **items = os_grow(table->items, room * sizeof(*items));
    if (items == NULL)
        return false;
    table->items = items;
    table->room = room;
    return true;
}

/* Its texts lie behind it. */
static struct object *object_new(IMA_OBJECT_TYPE type, const struct identity *identity)
{
    size_t name = strlen(text(identity->name)) + 1, address = strlen(text(identity->address)) + 1;
    size_t initiator = strlen(text(identity->initiator)) + 1;
    struct object *object = os_alloc(sizeof *object + name + address + initiator);
    if (object == NULL)
        return NULL;
    char *texts = (char *)(object + 1);
    object->type = type;
    object->identity = *identity;
    object->identity.name = memcpy(texts, text(identity->name), name);
    object->identity.address = memcpy(texts + name, text(identity->address), address);
    object->identity.initiator =
        memcpy(texts + name + address, text(identity->initiator), initiator);
    return object;
}

static struct object *make(struct table *table, IMA_OBJECT_TYPE type,
                           const struct identity *identity, size_t hash)
{
    if ((table->count >= table->bucket_count && !more_buckets(table)) ||
        (table->count == table->room && !more_items(table)))
        return NULL;
    struct object *object = object_new(type, identity);
    if (object == NULL)
        return NULL;
    object->hash = hash;
    table->items[table->count++] = object;
    object->sequence = table->count;
    chain(table, object);
    return object;
}

struct object *builtin_object(IMA_OBJECT_TYPE type, const struct identity *identity)
{
    size_t hash = hash_of(identity);
    os_lock_take(&lock);
    struct object *object = find(&tables[type], identity, hash);
    if (object == NULL)
        object = make(&tables[type], type, identity, hash);
    os_lock_release(&lock);
    return object;
}

struct object *builtin_find(IMA_OID oid)
{
    struct object *object = NULL;
    const struct table *table = &tables[oid.objectType];
    os_lock_take(&lock);
    if (oid.objectSequenceNumber > 0 && oid.objectSequenceNumber <= table->count)
        object = table->items[oid.objectSequenceNumber - 1];
    os_lock_release(&lock);
    return object;
}

/* --- lists --- */

IMA_OID_LIST *builtin_list_new(size_t most)
{
    return os_alloc(sizeof(IMA_OID_LIST) + most * sizeof(IMA_OID));
}

void builtin_list_free(IMA_OID_LIST *list)
{
    os_free(list);
}

bool builtin_list_add(IMA_OID_LIST *list, IMA_OBJECT_TYPE type, const struct identity *identity)
{
    const struct object *object = builtin_object(type, identity);
    if (object == NULL)
        return false;
    list->oids[list->oidCount++] = builtin_oid(object);
    return true;
}

static int by_sequence(const void *left, const void *right)
{
    const IMA_OID *a = left, *b = right;
    return (a->objectSequenceNumber > b->objectSequenceNumber) -
           (a->objectSequenceNumber < b->objectSequenceNumber);
}

/* None is there twice. */
static void make_unique(IMA_OID_LIST *list)
{
    IMA_UINT kept = 0;
    qsort(list->oids, list->oidCount, sizeof *list->oids, by_sequence);
    for (IMA_UINT i = 0; i < list->oidCount; i++) {
        if (kept == 0 ||
            list->oids[kept - 1].objectSequenceNumber != list->oids[i].objectSequenceNumber)
            list->oids[kept++] = list->oids[i];
    }
    list->oidCount = kept;
}

IMA_STATUS builtin_list_return(IMA_STATUS status, IMA_OID_LIST *list, IMA_OID_LIST **out)
{
    *out = NULL;
    if (status == IMA_STATUS_SUCCESS && list == NULL)
        status = IMA_ERROR_INSUFFICIENT_MEMORY;
    if (status != IMA_STATUS_SUCCESS) {
        builtin_list_free(list);
        return status;
    }
    make_unique(list);
    *out = list;
    return status;
}

IMA_STATUS builtin_check_lhba(IMA_OID oid)
{
    return oid.objectSequenceNumber == builtin_lhba.objectSequenceNumber
               ? IMA_STATUS_SUCCESS
               : IMA_ERROR_OBJECT_NOT_FOUND;
}
