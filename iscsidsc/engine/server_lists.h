/* The lists of servers that are stored. Errors: those of the store. */
#ifndef ENGINE_SERVER_LISTS_H
#define ENGINE_SERVER_LISTS_H

#include "engine/model.h"

/* INVALID_PARAMETER: it is no address of a server. */
enum status server_address(enum server_kind kind, const char *address,
                           struct portal_address *where);
/* `*listed`: as the list spells it, or NULL: it is not there. Also INVALID_PARAMETER. */
enum status server_find(struct engine_call *call, enum server_kind kind, const char *address,
                        const char **listed);
/* One that is there stays as it is spelt. Also INVALID_PARAMETER. */
enum status server_add(struct engine_call *call, enum server_kind kind, const char *address);
/* Also INVALID_PARAMETER, ISNS_SERVER_NOT_FOUND and RADIUS_SERVER_NOT_FOUND. */
enum status server_remove(struct engine_call *call, enum server_kind kind, const char *address);
enum status server_list(struct engine_call *call, enum server_kind kind, struct text_list *out);

#endif
