/* The table of persistent logins. */
#include "engine/store_rows.h"
#include "protocol/name.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "target, informational, initiator, initiator_port, address, socket, symbolic_name,"            \
    " security_flags, version, specified, flags, auth_type, header_digest, data_digest,"           \
    " maximum_connections, time2wait, time2retain, username,"

/* A file of the first version that cannot be written has no table of logins. */
static bool has_table(const struct store *store)
{
    return store->database.version >= 2;
}

/* --- adding --- */

static enum status insert(struct store *store, const struct persistent_login *login,
                          const struct blob *luns)
{
    static const struct portal any;
    const struct portal *portal = login->portal != NULL ? login->portal : &any;
    struct query query;
    query_begin(
        &query, &store->database,
        "INSERT INTO logins (" COLUMNS " password, key, mapped, os_device, os_bus, os_target, luns)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_bind_text(&query, login->target);
    query_bind_number(&query, login->informational);
    query_bind_text(&query, login->initiator);
    query_bind_number(&query, login->initiator_port);
    query_bind_text(&query, portal->address);
    query_bind_number(&query, portal->socket);
    query_bind_text(&query, portal->symbolic_name);
    query_bind_number(&query, login->security_flags);
    store_bind_options(&query, login->options);
    query_bind_blob(&query, &login->key);
    store_bind_mapping(&query, login->mapping, luns);
    query_next(&query);
    return query_end(&query);
}

enum status store_add_login(struct store *store, const struct persistent_login *login)
{
    struct os_arena arena = {0};
    struct blob luns = {NULL, 0};
    enum status status = has_table(store) ? STATUS_OK : STATUS_STORE_READ_ONLY;
    if (status == STATUS_OK && login->mapping != NULL)
        status = store_encode_luns(login->mapping, &arena, &luns);
    if (status == STATUS_OK)
        status = insert(store, login, &luns);
    os_arena_clear(&arena);
    return status;
}

/* --- removing --- */

enum status store_remove_logins(struct store *store, const struct persistent_login *login, bool all,
                                uint32_t *removed)
{
    struct query query;
    *removed = 0;
    if (!has_table(store))
        return STATUS_OK;
    query_begin(&query, &store->database,
                "DELETE FROM logins WHERE id IN (SELECT id FROM logins WHERE target = ?1"
                " AND (?2 = '' OR initiator = ?2)"
                " AND (?3 = 4294967295 OR initiator_port = ?3)"
                " AND (?4 = '' OR (address = ?4 AND socket = ?5))"
                " ORDER BY id LIMIT ?6) RETURNING id");
    query_bind_text(&query, login->target);
    query_bind_text(&query, login->initiator);
    query_bind_number(&query, login->initiator_port);
    query_bind_text(&query, login->portal != NULL ? login->portal->address : "");
    query_bind_number(&query, login->portal != NULL ? login->portal->socket : 0);
    query_bind_number(&query, all ? UINT32_MAX : 1);
    while (query_next(&query))
        ++*removed;
    return query_end(&query);
}

/* --- reading --- */

static void read_login(struct query *query, struct os_arena *arena, struct persistent_login *login)
{
    login->target = query_text(query, arena, ISCSI_NAME_MAX);
    login->informational = (uint8_t)query_number(query, 1);
    login->initiator = query_text(query, arena, TEXT_MOST);
    login->initiator_port = (uint32_t)query_number(query, UINT32_MAX);
    login->portal = store_read_portal(query, arena);
    login->security_flags = query_number(query, UINT64_MAX);
    login->options = store_read_options(query, arena);
    query_blob(query, arena, BLOB_MOST, &login->key);
    login->mapping = store_read_mapping(query, arena);
    login->number = query_number(query, INT64_MAX);
    /* Only somebody else's writing can have put these there. */
    const struct portal *portal = login->portal;
    if (login->target != NULL && !name_characters_valid(login->target))
        query_fail(query, STATUS_STORE_DAMAGED);
    if (portal != NULL && portal->address != NULL && portal->address[0] != '\0' &&
        (!host_valid(portal->address) || portal->socket == 0))
        query_fail(query, STATUS_STORE_DAMAGED);
}

#define SELECT                                                                                     \
    "SELECT " COLUMNS " iif(?1, password, NULL), iif(?1, key, NULL), mapped, os_device, os_bus,"   \
    " os_target, luns, id FROM logins"

static size_t count_logins(struct store *store, enum status *status)
{
    struct query query;
    query_begin(&query, &store->database, "SELECT count(*) FROM logins");
    size_t count = query_next(&query) ? (size_t)query_number(&query, UINT32_MAX) : 0;
    *status = query_end(&query);
    return count;
}

enum status store_logins(struct store *store, struct os_arena *arena, bool secrets,
                         struct persistent_login_list *out)
{
    enum status status = STATUS_OK;
    uint32_t count = 0;
    size_t room = has_table(store) ? count_logins(store, &status) : 0;
    *out = (struct persistent_login_list){NULL, 0};
    if (status != STATUS_OK || room == 0)
        return status;
    struct persistent_login *items = os_arena_alloc(arena, room * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    struct query query;
    query_begin(&query, &store->database, SELECT " ORDER BY id LIMIT ?2");
    query_bind_number(&query, secrets);
    query_bind_number(&query, room);
    while (query_next(&query))
        read_login(&query, arena, &items[count++]);
    status = query_end(&query);
    if (status == STATUS_OK)
        *out = (struct persistent_login_list){items, count};
    return status;
}

enum status store_login(struct store *store, uint64_t number, struct os_arena *arena,
                        const struct persistent_login **out)
{
    struct query query;
    *out = NULL;
    if (!has_table(store))
        return STATUS_OK;
    struct persistent_login *login = os_arena_alloc(arena, sizeof *login);
    if (login == NULL)
        return STATUS_NO_MEMORY;
    query_begin(&query, &store->database, SELECT " WHERE id = ?2");
    query_bind_number(&query, true);
    query_bind_number(&query, number);
    if (query_next(&query)) {
        read_login(&query, arena, login);
        *out = login;
    }
    enum status status = query_end(&query);
    if (status != STATUS_OK)
        *out = NULL;
    return status;
}
