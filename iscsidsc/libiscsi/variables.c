#include "libiscsi/variables.h"

#include "os/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_ROOM = 512, NO_ROW = -1 };

int variables_init(struct variables *variables, const struct variable *table, size_t count)
{
    bool good;

    *variables = (struct variables){.table = table, .count = count};
    variables->values = os_alloc(count * sizeof(char *));
    variables->shown = os_alloc(count * sizeof(char *));
    variables->mutex = os_mutex_new();
    good = variables->values != NULL && variables->shown != NULL && variables->mutex != NULL;
    for (size_t i = 0; good && i < count; i++) {
        if (table[i].initial != NULL)
            good = (variables->values[i] = os_copy_text(table[i].initial)) != NULL;
    }
    if (good)
        return 0;
    variables_clear(variables);
    return ENOMEM;
}

void variables_clear(struct variables *variables)
{
    for (size_t i = 0; variables->values != NULL && i < variables->count; i++)
        os_free(variables->values[i]);
    for (size_t i = 0; variables->shown != NULL && i < variables->count; i++)
        os_free(variables->shown[i]);
    os_free(variables->values);
    os_free(variables->shown);
    if (variables->mutex != NULL)
        os_mutex_free(variables->mutex);
    *variables = (struct variables){0};
}

static long row_of(const struct variables *variables, const char *name)
{
    for (size_t i = 0; i < variables->count; i++) {
        if (strcmp(variables->table[i].name, name) == 0)
            return (long)i;
    }
    return NO_ROW;
}

/* `value` belongs to the variable from now on. */
static void replace(struct variables *variables, long row, char *value)
{
    char *old;

    os_mutex_lock(variables->mutex);
    old = variables->values[row];
    variables->values[row] = value;
    os_mutex_unlock(variables->mutex);
    os_free(old);
}

int variables_put(struct variables *variables, const char *name, const char *value)
{
    long row = row_of(variables, name);
    char *copy = value != NULL ? os_copy_text(value) : NULL;

    if (row == NO_ROW)
        return ENOENT;
    if (value != NULL && copy == NULL)
        return ENOMEM;
    replace(variables, row, copy);
    return 0;
}

void variables_error(struct variables *variables, const char *format, ...)
{
    char text[ERROR_ROOM];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    variables_put(variables, "error", text);
}

static bool is_fixed(struct variables *variables)
{
    bool fixed;

    os_mutex_lock(variables->mutex);
    fixed = variables->fixed;
    os_mutex_unlock(variables->mutex);
    return fixed;
}

int variables_fix(struct variables *variables)
{
    int error;

    os_mutex_lock(variables->mutex);
    error = variables->fixed ? EBUSY : 0;
    variables->fixed = true;
    os_mutex_unlock(variables->mutex);
    return error;
}

void variables_unfix(struct variables *variables)
{
    os_mutex_lock(variables->mutex);
    variables->fixed = false;
    os_mutex_unlock(variables->mutex);
}

int variables_set(struct variables *variables, const char *name, const char *value)
{
    long row = row_of(variables, name);
    const struct variable *variable = row != NO_ROW ? &variables->table[row] : NULL;
    int error = 0;

    if (variable == NULL) {
        variables_error(variables, "there is no variable \"%s\"", name);
        return ENOENT;
    }
    if (variable->valid == NULL) {
        variables_error(variables, "\"%s\" is to be read only", name);
        error = EPERM;
    } else if (!variable->valid(value)) {
        variables_error(variables, "\"%s\" is not a value for \"%s\"", value, name);
        error = EINVAL;
    } else if (is_fixed(variables)) {
        variables_error(variables, "\"%s\" is set too late: it was started already", name);
        error = EBUSY;
    } else {
        error = variables_put(variables, name, value);
    }
    return error;
}

static bool same_text(const char *left, const char *right)
{
    return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

static int show(struct variables *variables, long row)
{
    os_free(variables->shown[row]);
    variables->shown[row] = NULL;
    if (variables->values[row] != NULL)
        variables->shown[row] = os_copy_text(variables->values[row]);
    return variables->values[row] != NULL && variables->shown[row] == NULL ? ENOMEM : 0;
}

/* What was returned stays where it is as long as the value is the same. */
char *variables_get(struct variables *variables, const char *name, int *error)
{
    long row = row_of(variables, name);
    char *shown;

    *error = row == NO_ROW ? ENOENT : 0;
    if (row == NO_ROW)
        return NULL;
    os_mutex_lock(variables->mutex);
    if (!same_text(variables->values[row], variables->shown[row]))
        *error = show(variables, row);
    shown = variables->shown[row];
    os_mutex_unlock(variables->mutex);
    return shown;
}

/* --- what a value may be --- */

static bool is_among(const char *value, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(value, *words) == 0)
            return true;
    }
    return false;
}

static bool is_number(const char *value, unsigned long least, unsigned long most)
{
    size_t digits = strspn(value, "0123456789");
    unsigned long number;

    if (digits == 0 || digits > 9 || value[digits] != '\0')
        return false;
    number = strtoul(value, NULL, 10);
    return number >= least && number <= most;
}

bool variable_any(const char *value)
{
    (void)value;
    return true;
}

bool variable_text(const char *value)
{
    return *value != '\0';
}

bool variable_port(const char *value)
{
    return is_number(value, 1, 65535);
}

bool variable_port_or_any(const char *value)
{
    return is_number(value, 0, 65535);
}

bool variable_sessions(const char *value)
{
    return is_number(value, 1, 65535);
}

bool variable_family(const char *value)
{
    return is_among(value, (const char *const[]){"unspec", "4", "6", "inet", "inet6", NULL});
}

bool variable_debug(const char *value)
{
    return is_among(value, (const char *const[]){"net", "iscsi", "scsi", "all", NULL});
}

bool variable_chap(const char *value)
{
    return is_among(value, (const char *const[]){"none", "chap", NULL});
}
