/*
 * Wine prefixes, from both sides: a program in one can tell which it is, and a native process makes
 * links in the directory where Wine looks for devices.
 */
#ifndef OS_PREFIX_H
#define OS_PREFIX_H

#include "os/runtime.h"

/* The Unix path of the prefix that this process runs in. False: in none. */
bool os_own_prefix(char out[OS_PATH_ROOM]);

struct os_prefix {
    intptr_t directory;
};

/*
 * Opens a prefix that belongs to this process' user or, when an administrator has `named` it, to
 * anybody. INVALID_PARAMETER (there is no prefix at that path), ACCESS_DENIED (also when others may
 * change it), NOT_SUPPORTED, STORE_FAILED, NO_RESOURCES.
 */
enum status os_prefix_open(struct os_prefix *prefix, const char *path, bool named);
void os_prefix_close(struct os_prefix *prefix);
/* What there is in it, in no order. `found` may remove what it is told of. */
void os_prefix_list(const struct os_prefix *prefix, void (*found)(void *context, const char *name),
                    void *context);
/* What the link of that name says. False: there is no link. */
bool os_prefix_link(const struct os_prefix *prefix, const char *name, char out[OS_PATH_ROOM]);
/* Has the prefix that driver installed? */
bool os_prefix_has_driver(const struct os_prefix *prefix, const char *file);
/* Does the link lead to anything? */
bool os_prefix_leads(const struct os_prefix *prefix, const char *name);
/* BUSY: there is something of that name. ACCESS_DENIED, STORE_READ_ONLY, STORE_FULL,
 * STORE_FAILED. */
enum status os_prefix_make(const struct os_prefix *prefix, const char *name, const char *text);
/* Of a link, or nothing. */
void os_prefix_remove(const struct os_prefix *prefix, const char *name);

#endif
