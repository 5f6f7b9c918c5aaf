/* The tables of static targets and of their portals. */
#include "engine/store_rows.h"
#include "protocol/name.h"

#include <string.h>

/* A file of an older version that cannot be written has no such tables. */
static bool has_table(const struct store *store)
{
    return store->database.version >= 3;
}

/* --- putting --- */

static uint64_t put_target(struct store *store, const struct static_target *target,
                           const struct blob *luns, enum status *status)
{
    static const char sql[] =
        "INSERT INTO static_targets (target, alias, target_flags, grouped, optional, version,"
        " specified, flags, auth_type, header_digest, data_digest, maximum_connections,"
        " time2wait, time2retain, username, password, mapped, os_device, os_bus, os_target, luns)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET target = excluded.target, alias = excluded.alias,"
        " target_flags = excluded.target_flags, grouped = excluded.grouped,"
        " optional = excluded.optional, version = excluded.version,"
        " specified = excluded.specified, flags = excluded.flags,"
        " auth_type = excluded.auth_type, header_digest = excluded.header_digest,"
        " data_digest = excluded.data_digest,"
        " maximum_connections = excluded.maximum_connections,"
        " time2wait = excluded.time2wait, time2retain = excluded.time2retain,"
        " username = excluded.username, password = excluded.password,"
        " mapped = excluded.mapped, os_device = excluded.os_device, os_bus = excluded.os_bus,"
        " os_target = excluded.os_target, luns = excluded.luns RETURNING id";
    uint64_t id = 0;
    struct query query;
    query_begin(&query, &store->database, sql);
    query_bind_text(&query, target->target);
    query_bind_text(&query, target->alias);
    query_bind_number(&query, target->flags);
    query_bind_number(&query, target->grouped);
    query_bind_number(&query, target->options != NULL);
    store_bind_options(&query, target->options);
    store_bind_mapping(&query, target->mapping, luns);
    while (query_next(&query))
        id = query_number(&query, INT64_MAX);
    *status = query_end(&query);
    return id;
}

static enum status forget_portals(struct store *store, uint64_t owner)
{
    struct query query;
    query_begin(&query, &store->database, "DELETE FROM static_portals WHERE owner = ?");
    query_bind_number(&query, owner);
    query_next(&query);
    return query_end(&query);
}

static enum status put_portal(struct store *store, uint64_t owner, const struct portal *portal)
{
    struct query query;
    query_begin(&query, &store->database,
                "INSERT INTO static_portals (owner, address, socket, symbolic_name)"
                " VALUES (?, ?, ?, ?)");
    query_bind_number(&query, owner);
    query_bind_text(&query, portal->address);
    query_bind_number(&query, portal->socket);
    query_bind_text(&query, portal->symbolic_name);
    query_next(&query);
    return query_end(&query);
}

static enum status put(struct store *store, const struct static_target *target,
                       const struct blob *luns)
{
    enum status status;
    uint64_t owner = put_target(store, target, luns, &status);
    if (status == STATUS_OK)
        status = forget_portals(store, owner);
    for (uint32_t i = 0; status == STATUS_OK && i < target->portals.count; i++)
        status = put_portal(store, owner, &target->portals.items[i]);
    return status;
}

static enum status merge_and_put(struct store *store, const struct static_target *target,
                                 store_merge *merge, struct os_arena *arena)
{
    struct blob luns;
    const struct static_target *stored = NULL;
    enum status status = STATUS_OK;
    if (merge != NULL)
        status = store_static_target(store, target->target, arena, true, &stored);
    if (status == STATUS_OK && stored != NULL)
        status = merge(target, stored, arena, &target);
    if (status == STATUS_OK)
        status = store_encode_luns(target->mapping, arena, &luns);
    return status == STATUS_OK ? put(store, target, &luns) : status;
}

enum status store_put_static_target(struct store *store, const struct static_target *target,
                                    store_merge *merge)
{
    struct os_arena arena = {0};
    if (!has_table(store))
        return STATUS_STORE_READ_ONLY;
    enum status status = database_begin(&store->database);
    if (status == STATUS_OK)
        status = merge_and_put(store, target, merge, &arena);
    status = database_end(&store->database, status);
    os_arena_wipe(&arena);
    return status;
}

/* --- removing --- */

static enum status delete_target(struct store *store, const char *name, uint64_t *owner)
{
    struct query query;
    query_begin(&query, &store->database,
                "DELETE FROM static_targets WHERE target = ?"
                " RETURNING id");
    query_bind_text(&query, name);
    while (query_next(&query))
        *owner = query_number(&query, INT64_MAX);
    return query_end(&query);
}

enum status store_delete_static_target(struct store *store, const char *name, bool *found)
{
    uint64_t owner = 0;
    *found = false;
    if (!has_table(store))
        return STATUS_OK;
    enum status status = database_begin(&store->database);
    if (status == STATUS_OK)
        status = delete_target(store, name, &owner);
    if (status == STATUS_OK && owner != 0)
        status = forget_portals(store, owner);
    status = database_end(&store->database, status);
    *found = status == STATUS_OK && owner != 0;
    return status;
}

/* --- reading --- */

/* A row is a target with one of its portals, or with none: then `address` is empty. */
#define SELECT                                                                                     \
    "SELECT t.id, ifnull(p.address, ''), ifnull(p.socket, 0), ifnull(p.symbolic_name, ''),"        \
    " t.target, alias, target_flags, grouped, optional, version, specified, flags, auth_type,"     \
    " header_digest, data_digest, maximum_connections, time2wait, time2retain, username,"          \
    " iif(?1, password, NULL), mapped, os_device, os_bus, os_target, luns"                         \
    " FROM static_targets t LEFT JOIN static_portals p ON p.owner = t.id"

/* What has been read so far. */
struct reader {
    struct query query;
    struct os_arena *arena;
    uint64_t id; /* of the last one */
    struct static_target *items;
    uint32_t count;
};

/* The array with room for one more than `count`: it doubles. */
static void *with_room(struct reader *reader, void *items, uint32_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return items;
    void *more = os_arena_alloc(reader->arena, (count > 0 ? 2 * (size_t)count : 1) * size);
    if (more == NULL)
        query_fail(&reader->query, STATUS_NO_MEMORY);
    else if (count > 0)
        memcpy(more, items, count * size);
    return more;
}

static void read_target(struct reader *reader)
{
    struct query *query = &reader->query;
    reader->items = with_room(reader, reader->items, reader->count, sizeof *reader->items);
    if (reader->items == NULL)
        return;
    struct static_target *target = &reader->items[reader->count++];
    *target = (struct static_target){.persistent = true};
    target->target = query_text(query, reader->arena, ISCSI_NAME_MAX);
    target->alias = query_text(query, reader->arena, TEXT_MOST);
    target->flags = (uint32_t)query_number(query, UINT32_MAX);
    target->grouped = (uint8_t)query_number(query, 1);
    bool optional = query_number(query, 1) != 0;
    const struct login_options *options = store_read_options(query, reader->arena);
    target->options = optional ? options : NULL;
    target->mapping = store_read_mapping(query, reader->arena);
    /* Only somebody else's writing can have put it there. */
    if (target->target != NULL && !name_characters_valid(target->target))
        query_fail(query, STATUS_STORE_DAMAGED);
}

static void add_portal(struct reader *reader, const struct portal *portal)
{
    struct static_target *target = &reader->items[reader->count - 1];
    uint32_t count = target->portals.count;
    if (!host_valid(portal->address) || portal->socket == 0)
        query_fail(&reader->query, STATUS_STORE_DAMAGED);
    struct portal *items =
        with_room(reader, (void *)(uintptr_t)target->portals.items, count, sizeof *items);
    if (items == NULL)
        return;
    items[count] = *portal;
    target->portals = (struct portal_list){items, count + 1};
}

static void read_row(struct reader *reader)
{
    uint64_t id = query_number(&reader->query, INT64_MAX);
    const struct portal *portal = store_read_portal(&reader->query, reader->arena);
    bool another = reader->count == 0 || id != reader->id;
    reader->id = id;
    if (another)
        read_target(reader);
    if (reader->query.status == STATUS_OK && portal->address[0] != '\0')
        add_portal(reader, portal);
}

static enum status read_rows(struct reader *reader)
{
    while (query_next(&reader->query))
        read_row(reader);
    return query_end(&reader->query);
}

enum status store_static_targets(struct store *store, struct os_arena *arena,
                                 struct static_target_list *out)
{
    struct reader reader = {.arena = arena};
    *out = (struct static_target_list){NULL, 0};
    if (!has_table(store))
        return STATUS_OK;
    query_begin(&reader.query, &store->database, SELECT " ORDER BY t.id, p.id");
    query_bind_number(&reader.query, false);
    enum status status = read_rows(&reader);
    if (status == STATUS_OK)
        *out = (struct static_target_list){reader.items, reader.count};
    return status;
}

enum status store_static_target(struct store *store, const char *name, struct os_arena *arena,
                                bool secrets, const struct static_target **out)
{
    struct reader reader = {.arena = arena};
    *out = NULL;
    if (!has_table(store))
        return STATUS_OK;
    query_begin(&reader.query, &store->database, SELECT " WHERE t.target = ?2 ORDER BY p.id");
    query_bind_number(&reader.query, secrets);
    query_bind_text(&reader.query, name);
    enum status status = read_rows(&reader);
    if (status == STATUS_OK && reader.count > 0)
        *out = reader.items;
    return status;
}
