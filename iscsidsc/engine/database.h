/*
 * An SQLite file and the queries on it, with every failure as one of our statuses. A query keeps
 * its first failure and does nothing more after it, so that only query_end need be looked at.
 */
#ifndef ENGINE_DATABASE_H
#define ENGINE_DATABASE_H

#include "engine/operations.h"
#include "os/memory.h"
#include "protocol/status.h"

#include <stdbool.h>

struct sqlite3;
struct sqlite3_stmt;

struct database {
    struct sqlite3 *handle;
    int version; /* of the file: below the schema's when it is read-only and could not be upgraded
                  */
};

struct database_schema {
    /* One after the other they make of an empty file one of version 1, of that one of version 2 and
     * so on. The version is kept as user_version. */
    const char *const *steps;
    int version; /* number of steps */
};

enum status database_open(struct database *database, const char *directory, const char *file,
                          const struct database_schema *schema);
void database_close(struct database *database);

/* Queries that belong together: nobody else changes anything in between. To be ended even if the
 * beginning failed. */
enum status database_begin(struct database *database);
/* Keeps what was changed if all went well, else nothing of it: `status` is how it went so far.
 * Returns how it went altogether. */
enum status database_end(struct database *database, enum status status);

struct query {
    struct database *database;
    struct sqlite3_stmt *statement;
    enum status status;
    int place; /* of the next value to bind or to read */
    bool done;
};

void query_begin(struct query *query, struct database *database, const char *sql);
/* Values are bound, and the columns of a row read, from left to right. Text NULL is bound as empty.
 */
void query_bind_text(struct query *query, const char *text);
void query_bind_number(struct query *query, uint64_t number);
void query_bind_blob(struct query *query, const struct blob *blob);
/* The next row; false at the end or after a failure. */
bool query_next(struct query *query);
/* UTF-8 without NUL of at most `most` bytes, a number from 0 to `most`, bytes: else STORE_DAMAGED.
 */
const char *query_text(struct query *query, struct os_arena *arena, size_t most);
uint64_t query_number(struct query *query, uint64_t most);
void query_blob(struct query *query, struct os_arena *arena, size_t most, struct blob *out);
void query_fail(struct query *query, enum status status);
enum status query_end(struct query *query);

#endif
