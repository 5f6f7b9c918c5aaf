#include "devices/fstab.h"
#include "protocol/text.h"

#include <string.h>

enum { FIELDS_LEAST = 3, FIELDS_MOST = 6, PASS_MOST = 9 };

struct reader {
    struct fstab *fstab;
    struct os_arena *arena;
    fstab_problem *problem;
    void *context;
    unsigned line;
    enum status status;
};

static void complain(struct reader *reader, const char *what)
{
    reader->status = STATUS_CONFIGURATION;
    reader->problem(reader->context, reader->line, what);
}

/* --- words --- */

static bool is_octal(const char *from)
{
    return from[0] >= '0' && from[0] <= '3' && from[1] >= '0' && from[1] <= '7' && from[2] >= '0' &&
           from[2] <= '7';
}

/* In place: \040 and its like become what they stand for. False: that would be a control character.
 */
static bool unescape(char *text)
{
    char *to = text;
    while (*text != '\0') {
        char c = *text++;
        if (c == '\\' && is_octal(text)) {
            c = (char)((text[0] - '0') * 64 + (text[1] - '0') * 8 + (text[2] - '0'));
            text += 3;
        }
        if ((unsigned char)c < ' ' && c != '\t')
            return false;
        *to++ = c;
    }
    *to = '\0';
    return true;
}

static size_t split(char *line, char *fields[FIELDS_MOST + 1])
{
    size_t count = 0;
    char *at = line + strspn(line, " \t\r");
    while (*at != '\0' && *at != '#' && count <= FIELDS_MOST) {
        size_t length = strcspn(at, " \t\r");
        bool last = at[length] == '\0';
        fields[count++] = at;
        at[length] = '\0';
        at += length + !last;
        at += strspn(at, " \t\r");
    }
    return count;
}

/* --- what is in them --- */

bool fstab_is_tag(const char *device)
{
    static const char *const tags[] = {"LABEL=", "UUID=", "PARTLABEL=", "PARTUUID="};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (strncmp(device, tags[i], strlen(tags[i])) == 0)
            return device[strlen(tags[i])] != '\0';
    }
    return false;
}

static bool has_option(const char *options, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = options; *at != '\0';) {
        size_t one = strcspn(at, ",");
        if (one == length && memcmp(at, name, length) == 0)
            return true;
        at += one + (at[one] == ',');
    }
    return false;
}

bool fstab_is_automatic(const struct fstab_entry *entry)
{
    return strcmp(entry->type, "swap") != 0 && !has_option(entry->options, "noauto");
}

static bool take_number(struct reader *reader, const char *field, unsigned *out)
{
    uint64_t number;
    if (!text_number(field, strlen(field), &number) || number > PASS_MOST) {
        complain(reader, "the dump frequency and the pass of the check are numbers from 0 to 9");
        return false;
    }
    *out = (unsigned)number;
    return true;
}

/* Quotes around what a tag says are allowed, as mount(8) does. */
static void unquote(char *device)
{
    char *quote = fstab_is_tag(device) ? strchr(device, '=') + 1 : NULL;
    size_t length = quote != NULL ? strlen(quote) : 0;
    if (length >= 2 && quote[0] == '"' && quote[length - 1] == '"') {
        memmove(quote, quote + 1, length - 2);
        quote[length - 2] = '\0';
    }
}

static bool check(struct reader *reader, const struct fstab_entry *entry)
{
    if (entry->device[0] != '/' && !fstab_is_tag(entry->device)) {
        complain(reader, "the device is no absolute path, LABEL=, UUID=, PARTLABEL= or PARTUUID=");
        return false;
    }
    if (entry->point[0] != '/' && strcmp(entry->type, "swap") != 0) {
        complain(reader, "the mount point is no absolute path");
        return false;
    }
    for (size_t i = 0; i < reader->fstab->count; i++) {
        if (entry->point[0] == '/' && strcmp(reader->fstab->entries[i].point, entry->point) == 0) {
            complain(reader, "the mount point is that of another line");
            return false;
        }
    }
    return true;
}

static void read_line(struct reader *reader, char *line)
{
    char *fields[FIELDS_MOST + 1];
    unsigned dump;
    size_t count = split(line, fields);
    if (count == 0)
        return;
    if (count < FIELDS_LEAST || count > FIELDS_MOST) {
        complain(reader, "not of the form \"device mount-point type [options [dump [pass]]]\"");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!unescape(fields[i])) {
            complain(reader, "there is a control character");
            return;
        }
    }
    unquote(fields[0]);
    struct fstab_entry entry = {
        .device = fields[0],
        .point = fields[1],
        .type = fields[2],
        .options = count > 3 ? fields[3] : "defaults",
        .line = reader->line,
    };
    if ((count > 4 && !take_number(reader, fields[4], &dump)) ||
        (count > 5 && !take_number(reader, fields[5], &entry.pass)) || !check(reader, &entry))
        return;
    if (reader->fstab->count == FSTAB_ENTRIES_MOST)
        complain(reader, "there are too many lines");
    else
        reader->fstab->entries[reader->fstab->count++] = entry;
}

static size_t count_lines(const char *text)
{
    size_t count = 1;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count < FSTAB_ENTRIES_MOST ? count : FSTAB_ENTRIES_MOST;
}

enum status fstab_parse(struct fstab *fstab, struct os_arena *arena, const char *text,
                        fstab_problem *problem, void *context)
{
    struct reader reader = {fstab, arena, problem, context, 0, STATUS_OK};
    char *line = os_arena_text(arena, text);
    *fstab = (struct fstab){os_arena_alloc(arena, count_lines(text) * sizeof *fstab->entries), 0};
    if (line == NULL || fstab->entries == NULL)
        return STATUS_NO_MEMORY;
    while (*line != '\0') {
        char *end = line + strcspn(line, "\n");
        bool last = *end == '\0';
        *end = '\0';
        reader.line++;
        read_line(&reader, line);
        line = end + !last;
    }
    return reader.status;
}
