#include "ima/configuration.h"

#include "os/memory.h"
#include "os/module.h"
#include "os/system.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static bool take(const char *from, const char *to, char *out, size_t room)
{
    size_t length = (size_t)(to - from);
    if (length == 0 || length >= room)
        return false;
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

/* "name path": the first tab parts them, or else the first blank, so that a path may have blanks in
 * it.
 */
static bool read_line(const char *line, const char *end, struct ima_conf_line *out)
{
    line = skip_blanks(line, end);
    if (line == end || *line == '#' || end - line > IMA_CONF_LINE_MOST)
        return false;
    const char *gap = memchr(line, '\t', (size_t)(end - line));
    if (gap == NULL)
        gap = memchr(line, ' ', (size_t)(end - line));
    if (gap == NULL)
        return false;
    const char *name_end = gap;
    while (name_end > line && is_blank(name_end[-1]))
        name_end--;
    return take(line, name_end, out->name, sizeof out->name) &&
           take(skip_blanks(gap, end), end, out->path, sizeof out->path);
}

bool ima_conf_next(const char **text, struct ima_conf_line *out)
{
    while (**text != '\0') {
        const char *line = *text, *end = line + strcspn(line, "\n");
        *text = *end != '\0' ? end + 1 : end;
        if (end > line && end[-1] == '\r')
            end--;
        if (read_line(line, end, out))
            return true;
    }
    return false;
}

/* IMA_CONF is for tests, and for users who may not write the system's file. */
static bool find_file(char *out, size_t room)
{
    return os_environment("IMA_CONF", out, room) || os_system_file("ima.conf", out, room);
}

char *ima_conf_read(void)
{
    char path[4096], *text;
    size_t length;
    if (!find_file(path, sizeof path) || os_read_file(path, &text, &length) != STATUS_OK)
        return NULL;
    return text;
}
