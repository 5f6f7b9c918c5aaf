#include "engine/database.h"
#include "os/system.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    APPLICATION_ID = 0x69534344, /* "iSCD": the file is ours */
    PATH_ROOM = 4096,
    LOCK_WAIT = 3000, /* milliseconds */
};

/* Our statements are fixed texts: when one does not fit the file, the file is not what it says. */
static enum status status_of(struct sqlite3 *handle, int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STATUS_OK;
    case SQLITE_NOMEM:
        return STATUS_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STATUS_STORE_BUSY;
    case SQLITE_FULL:
        return STATUS_STORE_FULL;
    case SQLITE_READONLY:
        return STATUS_STORE_READ_ONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return STATUS_STORE_DAMAGED;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return STATUS_ACCESS_DENIED;
    case SQLITE_IOERR:
        return sqlite3_extended_errcode(handle) == SQLITE_IOERR_NOMEM ? STATUS_NO_MEMORY
                                                                      : STATUS_STORE_FAILED;
    default:
        return STATUS_STORE_FAILED;
    }
}

/* --- queries --- */

void query_fail(struct query *query, enum status status)
{
    if (query->status == STATUS_OK)
        query->status = status;
}

static void check(struct query *query, int result)
{
    if (result != SQLITE_OK)
        query_fail(query, status_of(query->database->handle, result));
}

void query_begin(struct query *query, struct database *database, const char *sql)
{
    *query = (struct query){.database = database, .place = 1};
    check(query, sqlite3_prepare_v2(database->handle, sql, -1, &query->statement, NULL));
}

void query_bind_text(struct query *query, const char *text)
{
    if (query->status == STATUS_OK)
        check(query, sqlite3_bind_text(query->statement, query->place++, text != NULL ? text : "",
                                       -1, SQLITE_STATIC));
}

void query_bind_number(struct query *query, uint64_t number)
{
    if (query->status == STATUS_OK)
        check(query, sqlite3_bind_int64(query->statement, query->place++, (sqlite3_int64)number));
}

void query_bind_blob(struct query *query, const struct blob *blob)
{
    if (query->status == STATUS_OK)
        check(query, sqlite3_bind_blob(query->statement, query->place++, blob->data,
                                       (int)blob->length, SQLITE_STATIC));
}

bool query_next(struct query *query)
{
    if (query->status != STATUS_OK || query->done)
        return false;
    int result = sqlite3_step(query->statement);
    query->place = 0;
    query->done = result != SQLITE_ROW;
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        check(query, result);
    return false;
}

static bool take(struct query *query, int type, size_t most)
{
    if (query->status != STATUS_OK)
        return false;
    if (sqlite3_column_type(query->statement, query->place) != type ||
        (size_t)sqlite3_column_bytes(query->statement, query->place) > most) {
        query_fail(query, STATUS_STORE_DAMAGED);
        return false;
    }
    return true;
}

/* Whoever may write the file may have put anything there. */
static bool is_clean_text(const char *text, size_t length)
{
    uint16_t units[2048];
    return strlen(text) == length &&
           os_utf8_to_utf16(text, units, sizeof units / sizeof *units) >= 0;
}

const char *query_text(struct query *query, struct os_arena *arena, size_t most)
{
    const char *copy = NULL;
    if (take(query, SQLITE_TEXT, most)) {
        const char *text = (const char *)sqlite3_column_text(query->statement, query->place);
        size_t length = (size_t)sqlite3_column_bytes(query->statement, query->place);
        if (text == NULL)
            query_fail(query, STATUS_NO_MEMORY);
        else if (!is_clean_text(text, length))
            query_fail(query, STATUS_STORE_DAMAGED);
        else if ((copy = os_arena_text(arena, text)) == NULL)
            query_fail(query, STATUS_NO_MEMORY);
    }
    query->place++;
    return copy;
}

uint64_t query_number(struct query *query, uint64_t most)
{
    uint64_t number = 0;
    if (take(query, SQLITE_INTEGER, SIZE_MAX))
        number = (uint64_t)sqlite3_column_int64(query->statement, query->place);
    query->place++;
    if (number > most) {
        query_fail(query, STATUS_STORE_DAMAGED);
        return 0;
    }
    return number;
}

void query_blob(struct query *query, struct os_arena *arena, size_t most, struct blob *out)
{
    *out = (struct blob){NULL, 0};
    if (query->status == STATUS_OK &&
        sqlite3_column_type(query->statement, query->place) != SQLITE_NULL &&
        take(query, SQLITE_BLOB, most)) {
        const void *data = sqlite3_column_blob(query->statement, query->place);
        int length = sqlite3_column_bytes(query->statement, query->place);
        if (length > 0) {
            out->data = os_arena_copy(arena, data, (size_t)length);
            out->length = (uint32_t)length;
            if (out->data == NULL)
                query_fail(query, STATUS_NO_MEMORY);
        }
    }
    query->place++;
}

enum status query_end(struct query *query)
{
    if (query->statement != NULL)
        sqlite3_finalize(query->statement);
    query->statement = NULL;
    return query->status;
}

/* --- transactions --- */

static enum status execute(struct database *database, const char *sql)
{
    return status_of(database->handle, sqlite3_exec(database->handle, sql, NULL, NULL, NULL));
}

enum status database_begin(struct database *database)
{
    return execute(database, "BEGIN IMMEDIATE");
}

enum status database_end(struct database *database, enum status status)
{
    if (status == STATUS_OK)
        status = execute(database, "COMMIT");
    /* After some failures SQLite has rolled back already, or nothing was ever begun. */
    if (status != STATUS_OK && !sqlite3_get_autocommit(database->handle))
        execute(database, "ROLLBACK");
    return status;
}

/* --- opening --- */

static enum status number_of(struct database *database, const char *sql, uint64_t *number)
{
    struct query query;
    query_begin(&query, database, sql);
    *number = query_next(&query) ? query_number(&query, INT_MAX) : 0;
    return query_end(&query);
}

/* An empty file becomes ours; one that holds another program's tables does not. */
static enum status check_empty(struct database *database)
{
    uint64_t objects;
    enum status status = number_of(database, "SELECT count(*) FROM sqlite_master", &objects);
    return status == STATUS_OK && objects > 0 ? STATUS_STORE_DAMAGED : status;
}

static enum status check_version(struct database *database, const struct database_schema *schema)
{
    uint64_t version, application;
    enum status status = number_of(database, "PRAGMA user_version", &version);
    database->version = (int)version;
    if (status != STATUS_OK || version == 0)
        return status;
    if (version > (uint64_t)schema->version)
        return STATUS_STORE_TOO_NEW;
    status = number_of(database, "PRAGMA application_id", &application);
    if (status == STATUS_OK && application != APPLICATION_ID)
        return STATUS_STORE_DAMAGED;
    return status;
}

static enum status take_steps(struct database *database, const struct database_schema *schema)
{
    char stamp[96];
    enum status status = database->version == 0 ? check_empty(database) : STATUS_OK;
    for (int i = database->version; status == STATUS_OK && i < schema->version; i++)
        status = execute(database, schema->steps[i]);
    snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, schema->version);
    return status == STATUS_OK ? execute(database, stamp) : status;
}

/* In one transaction with a second look: another process may be doing the same. */
static enum status bring_up_to_date(struct database *database, const struct database_schema *schema)
{
    enum status status = database_begin(database);
    if (status != STATUS_OK)
        return status;
    status = check_version(database, schema);
    if (status == STATUS_OK && database->version < schema->version)
        status = take_steps(database, schema);
    status = database_end(database, status);
    if (status == STATUS_OK)
        database->version = schema->version;
    return status;
}

static enum status quick_check(struct database *database)
{
    struct query query;
    query_begin(&query, database, "PRAGMA quick_check(1)");
    if (query_next(&query)) {
        const unsigned char *text = sqlite3_column_text(query.statement, 0);
        if (text == NULL || strcmp((const char *)text, "ok") != 0)
            query_fail(&query, STATUS_STORE_DAMAGED);
    }
    return query_end(&query);
}

/* What is in a file that cannot be written can still be read. */
static enum status upgrade(struct database *database, const struct database_schema *schema)
{
    enum status status = check_version(database, schema);
    if (status != STATUS_OK || database->version == schema->version)
        return status;
    status = bring_up_to_date(database, schema);
    return status == STATUS_STORE_READ_ONLY && database->version > 0 ? STATUS_OK : status;
}

static enum status prepare(struct database *database, const struct database_schema *schema)
{
    sqlite3_extended_result_codes(database->handle, 1);
    sqlite3_busy_timeout(database->handle, LOCK_WAIT);
    enum status status = quick_check(database);
    if (status == STATUS_OK)
        status = upgrade(database, schema);
    /*
     * TRUNCATE and not DELETE: emptying the journal is synced too, so that a commit that was
     * reported cannot be undone by a power failure. Overwritten secrets do not stay in free pages.
     */
    if (status == STATUS_OK)
        status = execute(database, "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;"
                                   "PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF");
    return status;
}

static enum status open_handle(struct database *database, const char *path, int flags)
{
    int result = sqlite3_open_v2(path, &database->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (result == SQLITE_OK)
        return STATUS_OK;
    enum status status =
        database->handle == NULL ? STATUS_NO_MEMORY : status_of(database->handle, result);
    database_close(database);
    return status;
}

/* A store that exists is opened as it is; only a new one gets a directory and private modes. */
static enum status open_file(struct database *database, const char *directory, const char *path)
{
    enum status status = open_handle(database, path, SQLITE_OPEN_READWRITE);
    if (status != STATUS_STORE_FAILED)
        return status;
    status = os_make_private_directory(directory);
    if (status == STATUS_OK)
        status = open_handle(database, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (status != STATUS_OK)
        return status;
    status = os_make_private_file(path);
    if (status != STATUS_OK)
        database_close(database);
    return status;
}

enum status database_open(struct database *database, const char *directory, const char *file,
                          const struct database_schema *schema)
{
    char path[PATH_ROOM];
    int length = snprintf(path, sizeof path, "%s/%s", directory, file);
    database->handle = NULL;
    if (length < 0 || (size_t)length >= sizeof path)
        return STATUS_INVALID_PARAMETER;
    enum status status = open_file(database, directory, path);
    if (status == STATUS_OK)
        status = prepare(database, schema);
    if (status != STATUS_OK)
        database_close(database);
    return status;
}

void database_close(struct database *database)
{
    sqlite3_close(database->handle);
    database->handle = NULL;
}
