#include "protocol/scsi.h"

#include "target/internal.h"

static const struct key_offers default_offers = {
    .header_digest = "CRC32C,None",
    .data_digest = "CRC32C,None",
    .max_recv_data_segment_length = 262144,
    .max_connections = 8,
    .initial_r2t = false,
    .immediate_data = true,
    .max_burst_length = 1048576,
    .first_burst_length = 262144,
    .default_time2wait = 2,
    .default_time2retain = 0,
    .max_outstanding_r2t = TARGET_R2T_MAX,
    .data_pdu_in_order = true,
    .data_sequence_in_order = true,
    .error_recovery_level = 0,
};

struct target_entity *target_entity_new(const struct chap_crypto *crypto)
{
    struct target_entity *entity = os_alloc(sizeof *entity);

    if (entity == NULL)
        return NULL;
    entity->crypto = crypto;
    entity->settings.offers = default_offers;
    entity->settings.command_window = 128;
    entity->settings.login_timeout = 15000;
    entity->settings.nop_timeout = 15000;
    entity->settings.abort_timeout = 2000;
    list_init(&entity->portals);
    list_init(&entity->targets);
    list_init(&entity->sessions);
    list_init(&entity->connections);
    for (size_t i = 0; i < TARGET_BUCKETS; i++)
        list_init(&entity->buckets[i]);
    target_access_init(&entity->discovery);
    return entity;
}

void target_entity_free(struct target_entity *entity)
{
    if (entity == NULL)
        return;
    LIST_EACH_SAFE(node, &entity->targets)
    target_remove(LIST_OWNER(node, struct target, link));
    LIST_EACH_SAFE(node, &entity->portals)
    os_free(LIST_OWNER(node, struct target_portal, link));
    target_access_clear(&entity->discovery);
    target_pool_clear(&entity->pool);
    target_stock_clear(&entity->frames);
    target_stock_clear(&entity->tasks);
    target_stock_clear(&entity->kept);
    os_free(entity);
}

struct target_settings *target_entity_settings(struct target_entity *entity)
{
    return &entity->settings;
}

enum status target_add_portal(struct target_entity *entity, const struct portal_address *portal)
{
    struct target_portal *added = os_alloc(sizeof *added);

    if (added == NULL)
        return STATUS_NO_MEMORY;
    added->address = *portal;
    list_append(&entity->portals, &added->link);
    return STATUS_OK;
}

void target_remove_portal(struct target_entity *entity, const struct portal_address *portal)
{
    LIST_EACH_SAFE(node, &entity->portals)
    {
        struct target_portal *one = LIST_OWNER(node, struct target_portal, link);

        if (strcmp(one->address.host, portal->host) == 0 && one->address.port == portal->port) {
            list_remove(node);
            os_free(one);
        }
    }
}

static struct list *bucket_of(struct target_entity *entity, const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return &entity->buckets[(hash ^ hash >> 16) % TARGET_BUCKETS];
}

struct target *target_find(struct target_entity *entity, const char *name)
{
    char normal[ISCSI_NAME_MAX + 1];
    struct list *bucket;

    if (!name_normalize(name, normal))
        return NULL;
    bucket = bucket_of(entity, normal);
    LIST_EACH(node, bucket)
    {
        struct target *target = LIST_OWNER(node, struct target, bucket);

        if (strcmp(target->name, normal) == 0)
            return target;
    }
    return NULL;
}

enum status target_add(struct target_entity *entity, const char *name, struct target **out)
{
    char normal[ISCSI_NAME_MAX + 1];
    struct target *target;

    *out = NULL;
    if (!name_normalize(name, normal))
        return STATUS_INVALID_NAME;
    if (target_find(entity, normal) != NULL)
        return STATUS_TARGET_EXISTS;
    target = os_alloc(sizeof *target);
    if (target == NULL)
        return STATUS_NO_MEMORY;
    target->name = os_copy_text(normal);
    if (target->name == NULL) {
        os_free(target);
        return STATUS_NO_MEMORY;
    }
    target->entity = entity;
    target_access_init(&target->access);
    list_append(&entity->targets, &target->link);
    list_append(bucket_of(entity, normal), &target->bucket);
    *out = target;
    return STATUS_OK;
}

void target_remove(struct target *target)
{
    LIST_EACH(node, &target->entity->connections)
    target_login_forget(LIST_OWNER(node, struct target_connection, link), target);
    LIST_EACH_SAFE(node, &target->entity->sessions)
    {
        struct target_session *session = LIST_OWNER(node, struct target_session, link);

        if (session->target == target)
            target_session_end(session);
    }
    list_remove(&target->link);
    list_remove(&target->bucket);
    for (uint32_t lun = 0; lun < target->disk_room; lun++)
        target_disk_free(target->disks[lun]);
    target_access_clear(&target->access);
    os_free(target->disks);
    os_free(target->groups);
    os_free(target->redirect);
    os_free(target->alias);
    os_free(target->name);
    os_free(target);
}

void target_announce(struct target_entity *entity)
{
    LIST_EACH(node, &entity->connections)
    {
        struct target_connection *connection = LIST_OWNER(node, struct target_connection, link);

        if (target_connection_discovery(connection))
            target_connection_async_scsi(connection, 0, SCSI_UNIT_ATTENTION,
                                         SCSI_ASC_REPORTED_LUNS_CHANGED);
    }
    LIST_EACH(target_node, &entity->targets)
    {
        const struct target *target = LIST_OWNER(target_node, struct target, link);

        target_attention_all(target, NULL, 0, SCSI_ASC_REPORTED_LUNS_CHANGED);
    }
}

const char *target_name(const struct target *target)
{
    return target->name;
}

size_t target_sessions(const struct target *target)
{
    size_t count = 0;

    LIST_EACH(node, &target->entity->sessions)
    {
        if (LIST_OWNER(node, struct target_session, link)->target == target)
            count++;
    }
    return count;
}

static enum status replace_text(char **where, const char *text)
{
    char *copy = NULL;

    if (text != NULL) {
        copy = os_copy_text(text);
        if (copy == NULL)
            return STATUS_NO_MEMORY;
    }
    os_free(*where);
    *where = copy;
    return STATUS_OK;
}

enum status target_set_alias(struct target *target, const char *alias)
{
    return replace_text(&target->alias, alias);
}

enum status target_set_redirect(struct target *target, const char *address, bool permanent)
{
    target->redirect_permanent = permanent;
    return replace_text(&target->redirect, address);
}

enum status target_add_group(struct target *target, uint16_t group)
{
    uint16_t *groups = os_grow(target->groups, (target->group_count + 1) * sizeof *groups);

    if (groups == NULL)
        return STATUS_NO_MEMORY;
    groups[target->group_count++] = group;
    target->groups = groups;
    return STATUS_OK;
}

bool target_in_group(const struct target *target, uint16_t group)
{
    for (size_t i = 0; i < target->group_count; i++) {
        if (target->groups[i] == group)
            return true;
    }
    return target->group_count == 0;
}

static enum status make_disk_room(struct target *target, uint32_t room)
{
    struct target_disk **disks;

    if (room <= target->disk_room)
        return STATUS_OK;
    disks = os_grow(target->disks, room * sizeof(struct target_disk *));
    if (disks == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = target->disk_room; i < room; i++)
        disks[i] = NULL;
    target->disks = disks;
    target->disk_room = room;
    return STATUS_OK;
}

enum status target_add_disk(struct target *target, uint32_t lun, struct target_disk *disk)
{
    enum status status = STATUS_INVALID_PARAMETER;

    if (lun <= TARGET_LUN_MAX && target_disk_at(target, lun) == NULL)
        status = make_disk_room(target, lun + 1);
    if (status != STATUS_OK) {
        target_disk_free(disk);
        return status;
    }
    target->disks[lun] = disk;
    return STATUS_OK;
}

struct target_disk *target_disk_at(const struct target *target, int64_t lun)
{
    return lun >= 0 && lun < (int64_t)target->disk_room ? target->disks[lun] : NULL;
}
