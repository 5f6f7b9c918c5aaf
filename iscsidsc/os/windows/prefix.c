/* The prefix that this process runs in. Links are made by the native service. */
#include "os/prefix.h"
#include "os/windows/native.h"

#include <string.h>

/* Drive C: is a link "<prefix>/dosdevices/c:". */
bool os_own_prefix(char out[OS_PATH_ROOM])
{
    static const char below[] = "/dosdevices/";
    if (!os_under_wine() || !os_to_unix_path("C:\\", out, OS_PATH_ROOM))
        return false;
    char *end = NULL;
    for (char *at = strstr(out, below); at != NULL; at = strstr(at + 1, below))
        end = at;
    if (end == NULL || end == out)
        return false;
    *end = '\0';
    return true;
}

enum status os_prefix_open(struct os_prefix *prefix, const char *path, bool named)
{
    (void)path;
    (void)named;
    prefix->directory = -1;
    return STATUS_NOT_SUPPORTED;
}

void os_prefix_close(struct os_prefix *prefix)
{
    (void)prefix;
}

void os_prefix_list(const struct os_prefix *prefix, void (*found)(void *context, const char *name),
                    void *context)
{
    (void)prefix;
    (void)found;
    (void)context;
}

bool os_prefix_link(const struct os_prefix *prefix, const char *name, char out[OS_PATH_ROOM])
{
    (void)prefix;
    (void)name;
    out[0] = '\0';
    return false;
}

bool os_prefix_has_driver(const struct os_prefix *prefix, const char *file)
{
    (void)prefix;
    (void)file;
    return false;
}

bool os_prefix_leads(const struct os_prefix *prefix, const char *name)
{
    (void)prefix;
    (void)name;
    return false;
}

enum status os_prefix_make(const struct os_prefix *prefix, const char *name, const char *text)
{
    (void)prefix;
    (void)name;
    (void)text;
    return STATUS_NOT_SUPPORTED;
}

void os_prefix_remove(const struct os_prefix *prefix, const char *name)
{
    (void)prefix;
    (void)name;
}
