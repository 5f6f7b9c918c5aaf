/* The tables of IKE identities and of tunnels. */
#include "engine/store_rows.h"

/* A file of an older version that cannot be written has neither table. */
static bool has_tables(const struct store *store)
{
    return store->database.version >= 3;
}

static void bind_place(struct query *query, const char *initiator, uint32_t port)
{
    query_bind_text(query, initiator);
    query_bind_number(query, port);
}

enum status store_put_ike(struct store *store, const char *initiator, uint32_t port,
                          const struct ike_info *info)
{
    struct query query;
    if (!has_tables(store))
        return STATUS_STORE_READ_ONLY;
    query_begin(&query, &store->database,
                "INSERT INTO ike (initiator, initiator_port, id_type, identity, key,"
                " security_flags) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (initiator, initiator_port, id_type, identity) DO UPDATE SET"
                " key = excluded.key, security_flags = excluded.security_flags");
    bind_place(&query, initiator, port);
    query_bind_number(&query, info->id_type);
    query_bind_blob(&query, &info->id);
    query_bind_blob(&query, &info->key);
    query_bind_number(&query, info->security_flags);
    query_next(&query);
    return query_end(&query);
}

enum status store_delete_ike(struct store *store, const char *initiator, uint32_t port,
                             const struct ike_info *info)
{
    struct query query;
    if (!has_tables(store))
        return STATUS_OK;
    query_begin(&query, &store->database,
                "DELETE FROM ike WHERE initiator = ? AND initiator_port = ? AND id_type = ?"
                " AND identity = ?");
    bind_place(&query, initiator, port);
    query_bind_number(&query, info->id_type);
    query_bind_blob(&query, &info->id);
    query_next(&query);
    return query_end(&query);
}

enum status store_ike(struct store *store, const char *initiator, uint32_t port, uint8_t type,
                      const struct blob *id, struct os_arena *arena, const struct ike_info **out)
{
    struct query query;
    *out = NULL;
    if (!has_tables(store))
        return STATUS_OK;
    struct ike_info *info = os_arena_alloc(arena, sizeof *info);
    if (info == NULL)
        return STATUS_NO_MEMORY;
    *info = (struct ike_info){.auth_method = 1, .id_type = type, .id = *id};
    query_begin(&query, &store->database,
                "SELECT security_flags FROM ike WHERE initiator = ? AND initiator_port = ?"
                " AND id_type = ? AND identity = ?");
    bind_place(&query, initiator, port);
    query_bind_number(&query, type);
    query_bind_blob(&query, id);
    if (query_next(&query)) {
        info->security_flags = query_number(&query, UINT64_MAX);
        *out = info;
    }
    enum status status = query_end(&query);
    if (status != STATUS_OK)
        *out = NULL;
    return status;
}

enum status store_has_ike(struct store *store, bool *any)
{
    struct query query;
    *any = false;
    if (!has_tables(store))
        return STATUS_OK;
    query_begin(&query, &store->database, "SELECT EXISTS (SELECT 1 FROM ike)");
    if (query_next(&query))
        *any = query_number(&query, 1) != 0;
    return query_end(&query);
}

static enum status delete_tunnel(struct store *store, const char *initiator, uint32_t port,
                                 const char *destination)
{
    struct query query;
    query_begin(&query, &store->database,
                "DELETE FROM tunnels WHERE initiator = ? AND initiator_port = ?"
                " AND destination = ?");
    bind_place(&query, initiator, port);
    query_bind_text(&query, destination);
    query_next(&query);
    return query_end(&query);
}

enum status store_set_tunnel(struct store *store, const char *initiator, uint32_t port,
                             const char *destination, const char *outer)
{
    struct query query;
    if (!has_tables(store))
        return outer == NULL ? STATUS_OK : STATUS_STORE_READ_ONLY;
    if (outer == NULL)
        return delete_tunnel(store, initiator, port, destination);
    query_begin(&query, &store->database,
                "INSERT INTO tunnels (initiator, initiator_port, destination, outer)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (initiator, initiator_port, destination)"
                " DO UPDATE SET outer = excluded.outer");
    bind_place(&query, initiator, port);
    query_bind_text(&query, destination);
    query_bind_text(&query, outer);
    query_next(&query);
    return query_end(&query);
}

enum status store_tunnel(struct store *store, const char *initiator, uint32_t port,
                         const char *destination, struct os_arena *arena, const char **outer)
{
    struct query query;
    *outer = NULL;
    if (!has_tables(store))
        return STATUS_OK;
    query_begin(&query, &store->database,
                "SELECT outer FROM tunnels WHERE initiator = ? AND initiator_port = ?"
                " AND destination = ?");
    bind_place(&query, initiator, port);
    query_bind_text(&query, destination);
    if (query_next(&query))
        *outer = query_text(&query, arena, TEXT_MOST);
    return query_end(&query);
}
