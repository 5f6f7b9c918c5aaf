/* What the files of the store share: the file, and the columns that several tables have. */
#ifndef ENGINE_STORE_ROWS_H
#define ENGINE_STORE_ROWS_H

#include "engine/database.h"
#include "engine/store.h"

enum { STORE_VERSION = 4, TEXT_MOST = 1024, BLOB_MOST = 65535 };

/* Of store_schema.c. */
extern const char *const store_versions[STORE_VERSION];

struct store {
    struct database database;
    char *path;
};

/* Eleven columns from version to password. NULL: none were given. */
void store_bind_options(struct query *query, const struct login_options *options);
const struct login_options *store_read_options(struct query *query, struct os_arena *arena);
/* Five columns from mapped to luns. NULL: no mapping; the units are encoded before. */
enum status store_encode_luns(const struct mapping *mapping, struct os_arena *arena,
                              struct blob *out);
void store_bind_mapping(struct query *query, const struct mapping *mapping,
                        const struct blob *luns);
const struct mapping *store_read_mapping(struct query *query, struct os_arena *arena);
/* address, socket, symbolic_name. */
const struct portal *store_read_portal(struct query *query, struct os_arena *arena);

#endif
