#include "service/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { LINE_ROOM = 2048 };

static atomic_bool to_system;

void log_to_system(bool system)
{
    atomic_store(&to_system, system);
}

/* A line that is too long is cut off; it always ends with a NUL. */
struct line {
    char text[LINE_ROOM];
    size_t length;
};

static void put(struct line *line, char c)
{
    if (line->length + 1 < sizeof line->text)
        line->text[line->length++] = c;
    line->text[line->length] = '\0';
}

static void put_text(struct line *line, const char *text)
{
    while (*text != '\0')
        put(line, *text++);
}

static bool is_plain(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p == 0x7f)
            return false;
    }
    return *text != '\0';
}

/* Nobody can make a line of his own by a name with a line break in it. */
static void put_quoted(struct line *line, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    put(line, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c == 0x7f) {
            put_text(line, "\\x");
            put(line, digits[c >> 4]);
            put(line, digits[c & 15]);
            continue;
        }
        if (c == '"' || c == '\\')
            put(line, '\\');
        put(line, (char)c);
    }
    put(line, '"');
}

static void put_field(struct line *line, const char *key, const char *value)
{
    if (line->length > 0)
        put(line, ' ');
    put_text(line, key);
    put(line, '=');
    if (is_plain(value))
        put_text(line, value);
    else
        put_quoted(line, value);
}

static void write_line(enum os_log_level level, const char *text)
{
    char now[OS_TIME_ROOM];
    if (atomic_load(&to_system)) {
        os_system_log("iscsidscd", level, text);
        return;
    }
    os_time_text(now);
    fprintf(stderr, "time=%s %s\n", now, text);
    fflush(stderr);
}

void log_pairs(enum os_log_level level, const char *event, va_list pairs)
{
    static const char *const names[] = {
        [OS_LOG_ERROR] = "error", [OS_LOG_WARNING] = "warning", [OS_LOG_INFO] = "info"};
    struct line line = {.length = 0};
    put_field(&line, "level", names[level]);
    put_field(&line, "event", event);
    for (const char *key; (key = va_arg(pairs, const char *)) != NULL;) {
        const char *value = va_arg(pairs, const char *);
        put_field(&line, key, value != NULL ? value : "");
    }
    write_line(level, line.text);
}

void log_event(enum os_log_level level, const char *event, ...)
{
    va_list pairs;
    va_start(pairs, event);
    log_pairs(level, event, pairs);
    va_end(pairs);
}
