/* The table of bound devices. */
#include "engine/store_rows.h"
#include "engine/units.h"

/* A file of an older version that cannot be written has no such table. */
static bool has_table(const struct store *store)
{
    return store->database.version >= 3;
}

static enum status insert(struct store *store, const struct bound_device *device, bool *added)
{
    struct query query;
    *added = false;
    query_begin(&query, &store->database,
                "INSERT INTO devices (path, target, identity) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING RETURNING id");
    query_bind_text(&query, device->path);
    query_bind_text(&query, device->target);
    query_bind_blob(&query, &device->identity);
    while (query_next(&query))
        *added = true;
    return query_end(&query);
}

enum status store_add_device(struct store *store, const struct bound_device *device)
{
    bool added = false;
    enum status status = has_table(store) ? insert(store, device, &added) : STATUS_STORE_READ_ONLY;
    return status == STATUS_OK && !added ? STATUS_DEVICE_BOUND : status;
}

enum status store_remove_device(struct store *store, const struct bound_device *device, bool *found)
{
    struct query query;
    *found = false;
    if (!has_table(store))
        return STATUS_OK;
    query_begin(&query, &store->database,
                device->target != NULL
                    ? "DELETE FROM devices WHERE target = ? AND identity = ? RETURNING id"
                    : "DELETE FROM devices WHERE id ="
                      " (SELECT min(id) FROM devices WHERE path = ?) RETURNING id");
    query_bind_text(&query, device->target != NULL ? device->target : device->path);
    if (device->target != NULL)
        query_bind_blob(&query, &device->identity);
    while (query_next(&query))
        *found = true;
    return query_end(&query);
}

static enum status empty(struct store *store)
{
    struct query query;
    query_begin(&query, &store->database, "DELETE FROM devices");
    query_next(&query);
    return query_end(&query);
}

enum status store_replace_devices(struct store *store, const struct bound_device_list *devices)
{
    bool added;
    if (!has_table(store))
        return STATUS_STORE_READ_ONLY;
    enum status status = database_begin(&store->database);
    if (status == STATUS_OK)
        status = empty(store);
    for (uint32_t i = 0; status == STATUS_OK && i < devices->count; i++)
        status = insert(store, &devices->items[i], &added);
    return database_end(&store->database, status);
}

/* --- reading --- */

static void read_device(struct query *query, struct os_arena *arena, struct bound_device *device)
{
    device->path = query_text(query, arena, TEXT_MOST);
    device->target = query_text(query, arena, ISCSI_NAME_MAX);
    query_blob(query, arena, UNIT_IDENTITY_MOST, &device->identity);
    /* Only somebody else's writing can have put these there. */
    if ((device->path != NULL && device->path[0] == '\0') ||
        (device->target != NULL && !name_characters_valid(device->target)) ||
        device->identity.length == 0)
        query_fail(query, STATUS_STORE_DAMAGED);
}

static size_t count_devices(struct store *store, enum status *status)
{
    struct query query;
    query_begin(&query, &store->database, "SELECT count(*) FROM devices");
    size_t count = query_next(&query) ? (size_t)query_number(&query, UINT32_MAX) : 0;
    *status = query_end(&query);
    return count;
}

enum status store_devices(struct store *store, struct os_arena *arena,
                          struct bound_device_list *out)
{
    enum status status = STATUS_OK;
    uint32_t count = 0;
    size_t room = has_table(store) ? count_devices(store, &status) : 0;
    *out = (struct bound_device_list){NULL, 0};
    if (status != STATUS_OK || room == 0)
        return status;
    struct bound_device *items = os_arena_alloc(arena, room * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct query query;
    query_begin(&query, &store->database,
                "SELECT path, target, identity FROM devices ORDER BY id LIMIT ?");
    query_bind_number(&query, room);
    while (query_next(&query))
        read_device(&query, arena, &items[count++]);
    status = query_end(&query);
    if (status == STATUS_OK)
        *out = (struct bound_device_list){items, count};
    return status;
}
