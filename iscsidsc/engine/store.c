#include "engine/store_rows.h"
#include "os/system.h"
#include "protocol/name.h"

#include <stdio.h>
#include <string.h>

static const char file_name[] = "store.db";

static enum status keep_path(struct store *store, const char *directory)
{
    size_t room = strlen(directory) + 1 + sizeof file_name;
    store->path = os_alloc(room);
    if (store->path == NULL)
        return STATUS_NO_MEMORY;
    snprintf(store->path, room, "%s/%s", directory, file_name);
    return STATUS_OK;
}

enum status store_open(struct store **out, const char *directory)
{
    static const struct database_schema description = {store_versions, STORE_VERSION};
    struct store *store = os_alloc(sizeof *store);
    *out = NULL;
    if (store == NULL)
        return STATUS_NO_MEMORY;
    enum status status = keep_path(store, directory);
    if (status == STATUS_OK)
        status = database_open(&store->database, directory, file_name, &description);
    if (status != STATUS_OK) {
        os_free(store->path);
        os_free(store);
        return status;
    }
    *out = store;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    database_close(&store->database);
    os_free(store->path);
    os_free(store);
}

bool store_unchanged(const struct store *store, uint64_t *seen)
{
    uint64_t stamp;
    if (!os_file_stamp(store->path, &stamp)) {
        *seen = 0;
        return false;
    }
    bool same = *seen == stamp;
    *seen = stamp;
    return same;
}

/* --- portals --- */

static void bind_key(struct query *query, const struct discovery_portal *portal)
{
    query_bind_text(query, portal->initiator);
    query_bind_number(query, portal->initiator_port);
    query_bind_text(query, portal->portal->address);
    query_bind_number(query, portal->portal->socket);
}

void store_bind_options(struct query *query, const struct login_options *options)
{
    static const struct login_options none;
    if (options == NULL)
        options = &none;
    query_bind_number(query, options->version);
    query_bind_number(query, options->specified);
    query_bind_number(query, options->flags);
    query_bind_number(query, options->auth_type);
    query_bind_number(query, options->header_digest);
    query_bind_number(query, options->data_digest);
    query_bind_number(query, options->maximum_connections);
    query_bind_number(query, options->default_time2wait);
    query_bind_number(query, options->default_time2retain);
    query_bind_blob(query, &options->username);
    query_bind_blob(query, &options->password);
}

enum status store_put_portal(struct store *store, const struct discovery_portal *portal)
{
    static const char sql[] =
        "INSERT INTO portals (initiator, initiator_port, address, socket, symbolic_name,"
        " security_flags, version, specified, flags, auth_type, header_digest, data_digest,"
        " maximum_connections, time2wait, time2retain, username, password)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET symbolic_name = excluded.symbolic_name,"
        " security_flags = excluded.security_flags, version = excluded.version,"
        " specified = excluded.specified, flags = excluded.flags,"
        " auth_type = excluded.auth_type, header_digest = excluded.header_digest,"
        " data_digest = excluded.data_digest,"
        " maximum_connections = excluded.maximum_connections,"
        " time2wait = excluded.time2wait, time2retain = excluded.time2retain,"
        " username = excluded.username, password = excluded.password";
    struct query query;
    query_begin(&query, &store->database, sql);
    bind_key(&query, portal);
    query_bind_text(&query, portal->portal->symbolic_name);
    query_bind_number(&query, portal->security_flags);
    store_bind_options(&query, portal->options);
    query_next(&query);
    return query_end(&query);
}

enum status store_delete_portal(struct store *store, const struct discovery_portal *portal,
                                bool *found)
{
    struct query query;
    query_begin(&query, &store->database,
                "DELETE FROM portals WHERE initiator = ? AND initiator_port = ?"
                " AND address = ? AND socket = ? RETURNING id");
    bind_key(&query, portal);
    *found = query_next(&query);
    while (query_next(&query))
        ;
    return query_end(&query);
}

const struct portal *store_read_portal(struct query *query, struct os_arena *arena)
{
    struct portal *portal = os_arena_alloc(arena, sizeof *portal);
    if (portal == NULL) {
        query_fail(query, STATUS_NO_MEMORY);
        return NULL;
    }
    portal->address = query_text(query, arena, PORTAL_HOST_MAX);
    portal->socket = (uint16_t)query_number(query, UINT16_MAX);
    portal->symbolic_name = query_text(query, arena, TEXT_MOST);
    return portal;
}

const struct login_options *store_read_options(struct query *query, struct os_arena *arena)
{
    struct login_options *options = os_arena_alloc(arena, sizeof *options);
    if (options == NULL) {
        query_fail(query, STATUS_NO_MEMORY);
        return NULL;
    }
    options->version = (uint32_t)query_number(query, UINT32_MAX);
    options->specified = (uint32_t)query_number(query, UINT32_MAX);
    options->flags = (uint32_t)query_number(query, UINT32_MAX);
    options->auth_type = (uint32_t)query_number(query, UINT32_MAX);
    options->header_digest = (uint32_t)query_number(query, UINT32_MAX);
    options->data_digest = (uint32_t)query_number(query, UINT32_MAX);
    options->maximum_connections = (uint32_t)query_number(query, UINT32_MAX);
    options->default_time2wait = (uint32_t)query_number(query, UINT32_MAX);
    options->default_time2retain = (uint32_t)query_number(query, UINT32_MAX);
    query_blob(query, arena, BLOB_MOST, &options->username);
    query_blob(query, arena, BLOB_MOST, &options->password);
    return options;
}

static void read_entry(struct query *query, struct os_arena *arena, struct discovery_portal *entry)
{
    entry->initiator = query_text(query, arena, TEXT_MOST);
    entry->initiator_port = (uint32_t)query_number(query, UINT32_MAX);
    entry->portal = store_read_portal(query, arena);
    entry->security_flags = query_number(query, UINT64_MAX);
    entry->options = store_read_options(query, arena);
    /* Only somebody else's writing can have put these there. */
    if (entry->portal != NULL && entry->portal->address != NULL &&
        (!host_valid(entry->portal->address) || entry->portal->socket == 0))
        query_fail(query, STATUS_STORE_DAMAGED);
}

static size_t count_portals(struct store *store, enum status *status)
{
    struct query query;
    query_begin(&query, &store->database, "SELECT count(*) FROM portals");
    size_t count = query_next(&query) ? (size_t)query_number(&query, UINT32_MAX) : 0;
    *status = query_end(&query);
    return count;
}

enum status store_portals(struct store *store, struct os_arena *arena, bool secrets,
                          struct discovery_portal_list *out)
{
    enum status status;
    uint32_t count = 0;
    size_t room = count_portals(store, &status);
    *out = (struct discovery_portal_list){NULL, 0};
    if (status != STATUS_OK || room == 0)
        return status;
    struct discovery_portal *items = os_arena_alloc(arena, room * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct query query;
    query_begin(&query, &store->database,
                "SELECT initiator, initiator_port, address, socket, symbolic_name, security_flags,"
                " version, specified, flags, auth_type, header_digest, data_digest,"
                " maximum_connections, time2wait, time2retain, username,"
                " iif(?, password, NULL) FROM portals ORDER BY id LIMIT ?");
    query_bind_number(&query, secrets);
    query_bind_number(&query, room);
    while (query_next(&query))
        read_entry(&query, arena, &items[count++]);
    status = query_end(&query);
    if (status == STATUS_OK)
        *out = (struct discovery_portal_list){items, count};
    return status;
}

/* --- settings --- */

enum status store_setting(struct store *store, const char *name, struct os_arena *arena,
                          struct blob *value)
{
    struct query query;
    *value = (struct blob){NULL, 0};
    query_begin(&query, &store->database, "SELECT value FROM settings WHERE name = ?");
    query_bind_text(&query, name);
    if (query_next(&query))
        query_blob(&query, arena, BLOB_MOST, value);
    return query_end(&query);
}

enum status store_set_setting(struct store *store, const char *name, const struct blob *value)
{
    struct query query;
    bool remove = value == NULL || value->data == NULL;
    query_begin(&query, &store->database,
                remove ? "DELETE FROM settings WHERE name = ?"
                       : "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)");
    query_bind_text(&query, name);
    if (!remove)
        query_bind_blob(&query, value);
    query_next(&query);
    return query_end(&query);
}
