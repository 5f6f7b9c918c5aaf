/* The tables of what is set for the adapter, its targets and their units. */
#include "engine/statistics.h"
#include "engine/store_rows.h"
#include "protocol/name.h"

/* A file of an older version that cannot be written has no such tables. */
static bool has_tables(const struct store *store)
{
    return store->database.version >= 4;
}

/* --- login parameters --- */

enum status store_set_login_parameter(struct store *store, const char *target, uint32_t number,
                                      const uint32_t *value)
{
    struct query query;
    if (!has_tables(store))
        return STATUS_STORE_READ_ONLY;
    query_begin(&query, &store->database,
                value == NULL ? "DELETE FROM login_parameters WHERE target = ? AND parameter = ?"
                              : "INSERT INTO login_parameters (target, parameter, value)"
                                " VALUES (?, ?, ?)"
                                " ON CONFLICT DO UPDATE SET value = excluded.value");
    query_bind_text(&query, target);
    query_bind_number(&query, number);
    if (value != NULL)
        query_bind_number(&query, *value);
    query_next(&query);
    return query_end(&query);
}

enum status store_login_parameters(struct store *store, const char *target,
                                   struct stored_parameters *out)
{
    struct query query;
    if (!has_tables(store))
        return STATUS_OK;
    query_begin(&query, &store->database,
                "SELECT parameter, value FROM login_parameters WHERE target = ?");
    query_bind_text(&query, target);
    while (query_next(&query)) {
        uint32_t number = (uint32_t)query_number(&query, STORE_PARAMETERS - 1);
        out->values[number] = (uint32_t)query_number(&query, UINT32_MAX);
        out->set[number] = true;
    }
    return query_end(&query);
}

/* --- rows that are there or not --- */

static enum status change(struct store *store, const char *sql, const char *name, uint64_t first,
                          const uint64_t *second)
{
    struct query query;
    if (!has_tables(store))
        return STATUS_STORE_READ_ONLY;
    query_begin(&query, &store->database, sql);
    query_bind_text(&query, name);
    query_bind_number(&query, first);
    if (second != NULL)
        query_bind_number(&query, *second);
    query_next(&query);
    return query_end(&query);
}

static enum status look(struct store *store, const char *sql, const char *name, uint64_t first,
                        const uint64_t *second, bool *found)
{
    struct query query;
    *found = false;
    if (!has_tables(store))
        return STATUS_OK;
    query_begin(&query, &store->database, sql);
    query_bind_text(&query, name);
    query_bind_number(&query, first);
    if (second != NULL)
        query_bind_number(&query, *second);
    while (query_next(&query))
        *found = true;
    return query_end(&query);
}

enum status store_hide_unit(struct store *store, const char *target, uint64_t lun, bool hidden)
{
    return change(store,
                  hidden ? "INSERT INTO hidden_units (target, lun) VALUES (?, ?)"
                           " ON CONFLICT DO NOTHING"
                         : "DELETE FROM hidden_units WHERE target = ? AND lun = ?",
                  target, lun, NULL);
}

enum status store_unit_hidden(struct store *store, const char *target, uint64_t lun, bool *hidden)
{
    return look(store, "SELECT 1 FROM hidden_units WHERE target = ? AND lun = ?", target, lun, NULL,
                hidden);
}

enum status store_set_uncounted(struct store *store, uint32_t kind, const char *name, uint64_t lun,
                                bool uncounted)
{
    return change(store,
                  uncounted ? "INSERT INTO uncounted (name, kind, lun) VALUES (?, ?, ?)"
                              " ON CONFLICT DO NOTHING"
                            : "DELETE FROM uncounted WHERE name = ? AND kind = ? AND lun = ?",
                  name, kind, &lun);
}

enum status store_uncounted(struct store *store, uint32_t kind, const char *name, uint64_t lun,
                            bool *uncounted)
{
    return look(store, "SELECT 1 FROM uncounted WHERE name = ? AND kind = ? AND lun = ?", name,
                kind, &lun, uncounted);
}

/* --- all of a target --- */

#define KEPT_TARGETS                                                                               \
    "SELECT target FROM login_parameters WHERE target <> '' UNION SELECT target FROM hidden_units" \
    " UNION SELECT name FROM uncounted WHERE kind <> ?"

static enum status count_kept(struct store *store, size_t *count)
{
    struct query query;
    query_begin(&query, &store->database, "SELECT count(*) FROM (" KEPT_TARGETS ")");
    query_bind_number(&query, COUNTED_INTERFACE);
    *count = query_next(&query) ? (size_t)query_number(&query, UINT32_MAX) : 0;
    return query_end(&query);
}

enum status store_kept_targets(struct store *store, struct os_arena *arena, struct text_list *out)
{
    struct query query;
    size_t room = 0;
    uint32_t count = 0;
    *out = (struct text_list){NULL, 0};
    enum status status = has_tables(store) ? count_kept(store, &room) : STATUS_OK;
    if (status != STATUS_OK || room == 0)
        return status;
    const char **items = os_arena_alloc(arena, room * sizeof(*items));
    if (items == NULL)
        return STATUS_NO_MEMORY;
    query_begin(&query, &store->database, KEPT_TARGETS " LIMIT ?");
    query_bind_number(&query, COUNTED_INTERFACE);
    query_bind_number(&query, room);
    while (query_next(&query))
        items[count++] = query_text(&query, arena, ISCSI_NAME_MAX);
    status = query_end(&query);
    if (status == STATUS_OK)
        *out = (struct text_list){items, count};
    return status;
}

enum status store_forget_target(struct store *store, const char *target)
{
    static const char *const statements[] = {
        "DELETE FROM login_parameters WHERE target = ? AND parameter >= ?",
        "DELETE FROM hidden_units WHERE target = ? AND ? = 0",
        "DELETE FROM uncounted WHERE name = ? AND kind <> ?",
    };
    static const uint64_t values[] = {0, 0, COUNTED_INTERFACE};
    enum status status = database_begin(&store->database);
    for (size_t i = 0; status == STATUS_OK && i < sizeof values / sizeof *values; i++)
        status = change(store, statements[i], target, values[i], NULL);
    return database_end(&store->database, status);
}
