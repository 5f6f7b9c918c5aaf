/* The table of servers: those of iSNS and those of RADIUS. */
#include "engine/store_rows.h"
#include "protocol/name.h"

/* A file of an older version that cannot be written has no table of servers. */
static bool has_table(const struct store *store)
{
    return store->database.version >= 3;
}

enum status store_add_server(struct store *store, enum server_kind kind, const char *address,
                             bool *added)
{
    struct query query;
    *added = false;
    if (!has_table(store))
        return STATUS_STORE_READ_ONLY;
    query_begin(&query, &store->database,
                "INSERT INTO servers (kind, address) VALUES (?, ?) ON CONFLICT DO NOTHING"
                " RETURNING id");
    query_bind_number(&query, kind);
    query_bind_text(&query, address);
    while (query_next(&query))
        *added = true;
    return query_end(&query);
}

enum status store_remove_server(struct store *store, enum server_kind kind, const char *address,
                                bool *found)
{
    struct query query;
    *found = false;
    if (!has_table(store))
        return STATUS_OK;
    query_begin(&query, &store->database,
                "DELETE FROM servers WHERE kind = ? AND address = ? RETURNING id");
    query_bind_number(&query, kind);
    query_bind_text(&query, address);
    while (query_next(&query))
        *found = true;
    return query_end(&query);
}

static size_t count_servers(struct store *store, enum server_kind kind, enum status *status)
{
    struct query query;
    query_begin(&query, &store->database, "SELECT count(*) FROM servers WHERE kind = ?");
    query_bind_number(&query, kind);
    size_t count = query_next(&query) ? (size_t)query_number(&query, UINT32_MAX) : 0;
    *status = query_end(&query);
    return count;
}

static const char *read_server(struct query *query, struct os_arena *arena)
{
    struct portal_address address;
    const char *text = query_text(query, arena, TEXT_MOST);
    /* Only somebody else's writing can have put it there. */
    if (text != NULL && server_parse(text, 1, &address) != STATUS_OK)
        query_fail(query, STATUS_STORE_DAMAGED);
    return text;
}

enum status store_servers(struct store *store, enum server_kind kind, struct os_arena *arena,
                          struct text_list *out)
{
    enum status status = STATUS_OK;
    uint32_t count = 0;
    size_t room = has_table(store) ? count_servers(store, kind, &status) : 0;
    *out = (struct text_list){NULL, 0};
    if (status != STATUS_OK || room == 0)
        return status;
    const char **items = os_arena_alloc(arena, room * sizeof(*items));
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct query query;
    query_begin(&query, &store->database,
                "SELECT address FROM servers WHERE kind = ? ORDER BY id LIMIT ?");
    query_bind_number(&query, kind);
    query_bind_number(&query, room);
    while (query_next(&query))
        items[count++] = read_server(&query, arena);
    status = query_end(&query);
    if (status == STATUS_OK)
        *out = (struct text_list){items, count};
    return status;
}
