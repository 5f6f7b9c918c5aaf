#include "engine/catalogue.h"
#include "os/memory.h"

#include <string.h>

enum { BUCKETS_FIRST = 64 };

#define TARGET(node)       LIST_OWNER(node, struct known_target, link)
#define MECHANISM(node)    LIST_OWNER(node, struct mechanism, link)
#define OF_TARGET(node)    LIST_OWNER(node, struct instance, of_target)
#define OF_MECHANISM(node) LIST_OWNER(node, struct instance, of_mechanism)

void catalogue_init(struct catalogue *catalogue)
{
    *catalogue = (struct catalogue){0};
    list_init(&catalogue->targets);
    list_init(&catalogue->mechanisms);
}

static const char *text(const char *given)
{
    return given != NULL ? given : "";
}

/* --- the hash table of names --- */

/* FNV-1a over the name in lower case. */
size_t catalogue_hash(const char *name)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (; *name != '\0'; name++) {
        unsigned char c = (unsigned char)*name;
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c + ('a' - 'A'));
        value = (value ^ c) * 0x100000001b3u;
    }
    return (size_t)(value ^ value >> 32);
}

static struct known_target **bucket_of(const struct catalogue *catalogue, size_t of_name)
{
    return &catalogue->buckets[of_name & (catalogue->bucket_count - 1)];
}

static bool more_buckets(struct catalogue *catalogue)
{
    size_t count = catalogue->bucket_count > 0 ? catalogue->bucket_count * 2 : BUCKETS_FIRST;
    struct known_target **buckets = os_alloc(count * sizeof(*buckets));
    if (buckets == NULL)
        return false;
    os_free(catalogue->buckets);
    catalogue->buckets = buckets;
    catalogue->bucket_count = count;
    LIST_EACH(node, &catalogue->targets)
    {
        struct known_target **bucket = bucket_of(catalogue, TARGET(node)->hash);
        TARGET(node)->chain = *bucket;
        *bucket = TARGET(node);
    }
    return true;
}

struct known_target *catalogue_find(const struct catalogue *catalogue, const char *name)
{
    if (catalogue->bucket_count == 0)
        return NULL;
    size_t of_name = catalogue_hash(name);
    struct known_target *target = *bucket_of(catalogue, of_name);
    /* Names share long beginnings: the hash tells most of them apart sooner. */
    while (target != NULL && (target->hash != of_name || !name_equal(target->name, name)))
        target = target->chain;
    return target;
}

/* --- targets --- */

static struct known_target *add_target(struct catalogue *catalogue, const char *name)
{
    if (catalogue->target_count >= catalogue->bucket_count && !more_buckets(catalogue))
        return NULL;
    struct known_target *target = os_alloc(sizeof *target);
    char *copy = os_copy_text(name);
    if (target == NULL || copy == NULL) {
        os_free(target);
        os_free(copy);
        return NULL;
    }
    target->hash = catalogue_hash(name);
    struct known_target **bucket = bucket_of(catalogue, target->hash);
    target->name = copy;
    target->chain = *bucket;
    *bucket = target;
    list_init(&target->instances);
    list_append(&catalogue->targets, &target->link);
    catalogue->target_count++;
    return target;
}

static void remove_target(struct catalogue *catalogue, struct known_target *target)
{
    struct known_target **place = bucket_of(catalogue, target->hash);
    while (*place != target)
        place = &(*place)->chain;
    *place = target->chain;
    list_remove(&target->link);
    catalogue->target_count--;
    os_free(target->name);
    os_free(target);
}

/* --- instances --- */

static void tell(struct catalogue *catalogue, const struct known_target *target,
                 enum catalogue_change change)
{
    if (catalogue->changed != NULL)
        catalogue->changed(catalogue, target->name, change);
}

static void show(struct catalogue *catalogue, struct known_target *target)
{
    tell(catalogue, target, target->shown++ == 0 ? CATALOGUE_ADDED : CATALOGUE_REVISED);
}

static void hide(struct catalogue *catalogue, struct known_target *target)
{
    tell(catalogue, target, --target->shown == 0 ? CATALOGUE_REMOVED : CATALOGUE_REVISED);
}

static void set_hidden(struct catalogue *catalogue, struct instance *instance, bool hidden)
{
    if (instance->hidden == hidden)
        return;
    instance->hidden = hidden;
    if (hidden)
        hide(catalogue, instance->target);
    else
        show(catalogue, instance->target);
}

static void free_portals(struct target_portal *portals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        os_free(portals[i].host);
        os_free(portals[i].symbolic_name);
    }
    os_free(portals);
}

static void forget_findings(struct instance *instance)
{
    free_portals(instance->portals, instance->portal_count);
    os_free(instance->alias);
    instance->portals = NULL;
    instance->portal_count = 0;
    instance->alias = NULL;
}

static void remove_instance(struct catalogue *catalogue, struct instance *instance)
{
    struct known_target *target = instance->target;
    set_hidden(catalogue, instance, true);
    list_remove(&instance->of_target);
    list_remove(&instance->of_mechanism);
    forget_findings(instance);
    os_free(instance);
    if (list_empty(&target->instances))
        remove_target(catalogue, target);
}

struct instance *catalogue_instance(const struct known_target *target,
                                    const struct mechanism *mechanism)
{
    LIST_EACH(node, &target->instances)
    {
        if (OF_TARGET(node)->mechanism == mechanism)
            return OF_TARGET(node);
    }
    return NULL;
}

static struct instance *make_instance(struct catalogue *catalogue, struct mechanism *mechanism,
                                      const char *name)
{
    struct known_target *target = catalogue_find(catalogue, name);
    struct instance *instance = target != NULL ? catalogue_instance(target, mechanism) : NULL;
    if (instance != NULL)
        return instance;
    instance = os_alloc(sizeof *instance);
    if (instance != NULL && target == NULL)
        target = add_target(catalogue, name);
    if (instance == NULL || target == NULL) {
        os_free(instance);
        return NULL;
    }
    instance->target = target;
    instance->mechanism = mechanism;
    instance->hidden = true; /* until its record is looked at */
    list_append(&target->instances, &instance->of_target);
    list_append(&mechanism->instances, &instance->of_mechanism);
    return instance;
}

static bool add_portal(struct instance *instance, const struct discovery_record *record)
{
    if (record->host == NULL || instance->portal_count == TARGET_PORTALS_MOST)
        return true;
    struct target_portal *portals =
        os_grow(instance->portals, (instance->portal_count + 1) * sizeof *portals);
    if (portals == NULL)
        return false;
    instance->portals = portals;
    struct target_portal portal = {
        .host = os_copy_text(record->host),
        .port = record->port,
        .group = record->group,
        .symbolic_name = record->symbolic_name != NULL ? os_copy_text(record->symbolic_name) : NULL,
    };
    if (portal.host == NULL || (record->symbolic_name != NULL && portal.symbolic_name == NULL)) {
        os_free(portal.host);
        os_free(portal.symbolic_name);
        return false;
    }
    portals[instance->portal_count++] = portal;
    return true;
}

/* --- mechanisms --- */

static bool same_key(const struct mechanism_key *left, const struct mechanism_key *right)
{
    return left->kind == right->kind && left->socket == right->socket &&
           left->initiator_port == right->initiator_port &&
           name_equal(text(left->address), text(right->address)) &&
           name_equal(text(left->initiator), text(right->initiator));
}

struct mechanism *catalogue_mechanism(const struct catalogue *catalogue,
                                      const struct mechanism_key *key)
{
    LIST_EACH(node, &catalogue->mechanisms)
    {
        if (same_key(&MECHANISM(node)->key, key))
            return MECHANISM(node);
    }
    return NULL;
}

/* Its key's texts lie behind it. */
static struct mechanism *new_mechanism(const struct mechanism_key *key)
{
    size_t initiator_size = strlen(text(key->initiator)) + 1;
    size_t address_size = strlen(text(key->address)) + 1;
    struct mechanism *mechanism = os_alloc(sizeof *mechanism + initiator_size + address_size);
    if (mechanism == NULL)
        return NULL;
    char *texts = (char *)(mechanism + 1);
    mechanism->key = *key;
    mechanism->key.initiator = memcpy(texts, text(key->initiator), initiator_size);
    mechanism->key.address = memcpy(texts + initiator_size, text(key->address), address_size);
    list_init(&mechanism->instances);
    return mechanism;
}

struct mechanism *catalogue_make_mechanism(struct catalogue *catalogue,
                                           const struct mechanism_key *key)
{
    struct mechanism *mechanism = catalogue_mechanism(catalogue, key);
    if (mechanism == NULL) {
        mechanism = new_mechanism(key);
        if (mechanism != NULL)
            list_append(&catalogue->mechanisms, &mechanism->link);
    }
    return mechanism;
}

void catalogue_drop_mechanism(struct catalogue *catalogue, struct mechanism *mechanism)
{
    LIST_EACH_SAFE(node, &mechanism->instances)
    {
        remove_instance(catalogue, OF_MECHANISM(node));
    }
    list_remove(&mechanism->link);
    os_free(mechanism);
}

/* The first record of the instance in this round. */
static void begin_round(struct catalogue *catalogue, struct instance *instance,
                        const struct discovery_record *record)
{
    bool renamed = instance->round != 0 && strcmp(text(instance->alias), text(record->alias)) != 0;
    forget_findings(instance);
    instance->round = catalogue->round;
    set_hidden(catalogue, instance, record->hidden);
    if (renamed && instance->target->shown > 0)
        tell(catalogue, instance->target, CATALOGUE_REVISED);
}

static bool take_record(struct catalogue *catalogue, struct mechanism *mechanism,
                        const struct discovery_record *record)
{
    struct instance *instance = make_instance(catalogue, mechanism, record->target);
    if (instance == NULL)
        return false;
    if (instance->round != catalogue->round)
        begin_round(catalogue, instance, record);
    if (instance->alias == NULL && record->alias != NULL) {
        instance->alias = os_copy_text(record->alias);
        if (instance->alias == NULL)
            return false;
    }
    return add_portal(instance, record);
}

static enum status take_records(struct catalogue *catalogue, struct mechanism *mechanism,
                                const struct discovery_records *records)
{
    catalogue->round++;
    for (size_t i = 0; i < records->count; i++) {
        if (!take_record(catalogue, mechanism, &records->items[i]))
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

enum status catalogue_replace(struct catalogue *catalogue, struct mechanism *mechanism,
                              const struct discovery_records *records)
{
    enum status status = take_records(catalogue, mechanism, records);
    if (status != STATUS_OK)
        return status;
    LIST_EACH_SAFE(node, &mechanism->instances)
    {
        if (OF_MECHANISM(node)->round != catalogue->round)
            remove_instance(catalogue, OF_MECHANISM(node));
    }
    return STATUS_OK;
}

enum status catalogue_update(struct catalogue *catalogue, struct mechanism *mechanism,
                             const char *target, const struct discovery_records *records)
{
    enum status status = take_records(catalogue, mechanism, records);
    struct known_target *known = catalogue_find(catalogue, target);
    struct instance *instance = known != NULL ? catalogue_instance(known, mechanism) : NULL;
    if (status == STATUS_OK && instance != NULL && instance->round != catalogue->round)
        remove_instance(catalogue, instance);
    return status;
}

void catalogue_clear(struct catalogue *catalogue)
{
    struct list *first;
    while ((first = list_first(&catalogue->mechanisms)) != NULL)
        catalogue_drop_mechanism(catalogue, MECHANISM(first));
    os_free(catalogue->buckets);
    catalogue_init(catalogue);
}

/* --- the portals of a target --- */

static size_t count_portals(const struct known_target *target)
{
    size_t count = 0;
    LIST_EACH(node, &target->instances)
    {
        count += OF_TARGET(node)->portal_count;
    }
    return count;
}

static bool listed(const struct target_portal **items, size_t count,
                   const struct target_portal *portal)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i]->port == portal->port && name_equal(items[i]->host, portal->host))
            return true;
    }
    return false;
}

/* Appends those that are (or are not) of the group, in the order they were found. */
static size_t collect(const struct known_target *target, uint16_t group, bool wanted,
                      const struct target_portal **items, size_t count)
{
    LIST_EACH(node, &target->instances)
    {
        const struct instance *instance = OF_TARGET(node);
        for (size_t i = 0; i < instance->portal_count; i++) {
            const struct target_portal *portal = &instance->portals[i];
            if ((portal->group == group) == wanted && !listed(items, count, portal))
                items[count++] = portal;
        }
    }
    return count;
}

static uint16_t leading_group(const struct known_target *target)
{
    LIST_EACH(node, &target->instances)
    {
        if (OF_TARGET(node)->portal_count > 0)
            return OF_TARGET(node)->portals[0].group;
    }
    return PORTAL_ANY_GROUP;
}

enum status catalogue_portals(const struct known_target *target, const uint16_t *tag,
                              struct os_arena *arena, const struct target_portal ***out,
                              size_t *count)
{
    size_t room = count_portals(target);
    const struct target_portal **items = os_arena_alloc(arena, (room + 1) * sizeof(*items));
    if (items == NULL)
        return STATUS_NO_MEMORY;
    uint16_t group = tag != NULL ? *tag : leading_group(target);
    *count = collect(target, group, true, items, 0);
    if (tag == NULL)
        *count = collect(target, group, false, items, *count);
    *out = items;
    return STATUS_OK;
}
