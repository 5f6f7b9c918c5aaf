/* The variables of a handle: texts by name, checked when they are set. Thread-safe. */
#ifndef LIBISCSI_VARIABLES_H
#define LIBISCSI_VARIABLES_H

#include "os/thread.h"

#include <stddef.h>

struct variable {
    const char *name;
    const char *initial;              /* NULL: none */
    bool (*valid)(const char *value); /* NULL: to be read only */
};

struct variables {
    const struct variable *table;
    size_t count;
    char **values; /* by row of the table */
    char **shown;  /* what get has returned last */
    struct os_mutex *mutex;
    bool fixed; /* the handle was started */
};

/* Each of these returns 0 or an errno. */
int variables_init(struct variables *variables, const struct variable *table, size_t count);
void variables_clear(struct variables *variables);
/* As the user: ENOENT, EINVAL, EPERM, EBUSY, ENOMEM. */
int variables_set(struct variables *variables, const char *name, const char *value);
/* As the library. `value` NULL: none. */
int variables_put(struct variables *variables, const char *name, const char *value);
/* What "error" reads from now on. */
void variables_error(struct variables *variables, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* From now on it cannot be set. EBUSY: that was so already. */
int variables_fix(struct variables *variables);
void variables_unfix(struct variables *variables);
/* Good until the variable is read again after it has changed. NULL: none; *error tells whether
 * there is one of that name. */
char *variables_get(struct variables *variables, const char *name, int *error);

/* --- what a value may be --- */

bool variable_any(const char *value);
bool variable_text(const char *value);        /* not empty */
bool variable_port(const char *value);        /* 1 to 65535 */
bool variable_port_or_any(const char *value); /* or 0 */
bool variable_family(const char *value);
bool variable_sessions(const char *value);
bool variable_debug(const char *value);
bool variable_chap(const char *value); /* none or chap */

#endif
