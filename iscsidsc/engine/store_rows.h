/* What the files of the store share: the file, and the columns that several tables have. */
#ifndef ENGINE_STORE_ROWS_H
#define ENGINE_STORE_ROWS_H

#include "engine/database.h"
#include "engine/store.h"

enum { STORE_VERSION = 3, TEXT_MOST = 1024, BLOB_MOST = 65535 };

/* Of store_schema.c. */
extern const char *const store_versions[STORE_VERSION];

struct store {
    struct database database;
    char *path;
};

/* Eleven columns from version to password. NULL: none were given. */
void store_bind_options(struct query *query, const struct login_options *options);
const struct login_options *store_read_options(struct query *query, struct os_arena *arena);
/* address, socket, symbolic_name. */
const struct portal *store_read_portal(struct query *query, struct os_arena *arena);

#endif
