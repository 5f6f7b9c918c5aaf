#include "engine/parameters.h"
#include "os/memory.h"
#include "os/system.h"
#include "protocol/name.h"
#include "protocol/text.h"

#include <stdio.h>
#include <string.h>

struct parameter_info {
    const char *name;
    size_t offset;
    uint32_t least;
    uint32_t most;
    uint32_t standard;
};

static const struct parameter_info table[] = {
#define PARAMETER_ROW(name, member, least, most, standard)                                         \
    {#name, offsetof(struct parameters, member), least, most, standard},
    PARAMETERS(PARAMETER_ROW)
#undef PARAMETER_ROW
};

struct text_parameter_info {
    const char *name;
    size_t offset;
};

static const struct text_parameter_info text_table[] = {
#define TEXT_ROW(name, member) {#name, offsetof(struct parameters, member)},
    TEXT_PARAMETERS(TEXT_ROW)
#undef TEXT_ROW
};

enum {
    PARAMETER_COUNT = sizeof table / sizeof *table,
    TEXT_COUNT = sizeof text_table / sizeof *text_table,
    PATH_ROOM = 4096,
    WORD_ROOM = PARAMETER_TEXT_ROOM,
};

/* The file being read. */
struct reader {
    struct parameters *parameters;
    const char *file;
    unsigned line;
    bool seen[PARAMETER_COUNT + TEXT_COUNT];
    char *problem;
    size_t room;
};

static void set(struct parameters *parameters, const struct parameter_info *info, uint32_t value)
{
    memcpy((char *)parameters + info->offset, &value, sizeof value);
}

void parameters_default(struct parameters *parameters)
{
    memset(parameters, 0, sizeof *parameters);
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        set(parameters, &table[i], table[i].standard);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Text without the blanks around it, printable and short; false when it is not. */
static bool take_word(const char *from, const char *to, char out[WORD_ROOM])
{
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    size_t length = (size_t)(to - from);
    if (length == 0 || length >= WORD_ROOM)
        return false;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)from[i] < ' ' || from[i] == 0x7f)
            return false;
    }
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

static bool read_value(const struct parameter_info *info, const char *text, uint32_t *value)
{
    uint64_t number;
    if (info->least == 0 && info->most == 1 && (name_equal(text, "yes") || name_equal(text, "no")))
        number = name_equal(text, "yes");
    else if (!text_number(text, strlen(text), &number))
        return false;
    if (number < info->least || number > info->most)
        return false;
    *value = (uint32_t)number;
    return true;
}

/* Numbers first, then texts. */
static size_t find(const char *name)
{
    size_t i = 0;
    while (i < PARAMETER_COUNT && !name_equal(table[i].name, name))
        i++;
    while (i >= PARAMETER_COUNT && i < PARAMETER_COUNT + TEXT_COUNT &&
           !name_equal(text_table[i - PARAMETER_COUNT].name, name))
        i++;
    return i;
}

static enum status bad_value(struct reader *reader, const struct parameter_info *info,
                             const char *value)
{
    snprintf(reader->problem, reader->room, "%s:%u: %s is \"%s\", not a number from %lu to %lu",
             reader->file, reader->line, info->name, value, (unsigned long)info->least,
             (unsigned long)info->most);
    return STATUS_CONFIGURATION;
}

static enum status bad_name(struct reader *reader, const char *name, const char *what)
{
    snprintf(reader->problem, reader->room, "%s:%u: \"%s\" is %s", reader->file, reader->line, name,
             what);
    return STATUS_CONFIGURATION;
}

static enum status bad_line(struct reader *reader)
{
    snprintf(reader->problem, reader->room, "%s:%u: not of the form \"Name = value\"", reader->file,
             reader->line);
    return STATUS_CONFIGURATION;
}

static enum status read_setting(struct reader *reader, const char *name, const char *text)
{
    size_t index = find(name);
    uint32_t value;
    if (index == PARAMETER_COUNT + TEXT_COUNT)
        return bad_name(reader, name, "no known parameter");
    if (reader->seen[index])
        return bad_name(reader, name, "set twice");
    reader->seen[index] = true;
    if (index >= PARAMETER_COUNT) {
        strcpy((char *)reader->parameters + text_table[index - PARAMETER_COUNT].offset, text);
        return STATUS_OK;
    }
    if (!read_value(&table[index], text, &value))
        return bad_value(reader, &table[index], text);
    set(reader->parameters, &table[index], value);
    return STATUS_OK;
}

static enum status read_line(struct reader *reader, const char *from, const char *to)
{
    char name[WORD_ROOM], value[WORD_ROOM];
    const char *comment = memchr(from, '#', (size_t)(to - from));
    if (comment != NULL)
        to = comment;
    while (from < to && is_blank(*from))
        from++;
    if (from == to)
        return STATUS_OK;
    const char *equals = memchr(from, '=', (size_t)(to - from));
    if (equals == NULL || !take_word(from, equals, name) || !take_word(equals + 1, to, value))
        return bad_line(reader);
    return read_setting(reader, name, value);
}

static enum status read_lines(struct reader *reader, const char *text)
{
    while (*text != '\0') {
        const char *end = text + strcspn(text, "\n");
        reader->line++;
        enum status status = read_line(reader, text, end);
        if (status != STATUS_OK)
            return status;
        text = *end == '\n' ? end + 1 : end;
    }
    return STATUS_OK;
}

enum status parameters_parse(struct parameters *parameters, const char *text, const char *file,
                             char *problem, size_t room)
{
    struct reader reader = {
        .parameters = parameters, .file = file, .problem = problem, .room = room};
    parameters_default(parameters);
    enum status status = read_lines(&reader, text);
    /* RFC 7143, 13.14: FirstBurstLength may not exceed MaxBurstLength. Its default gives way. */
    if (!reader.seen[find("FirstBurstLength")] &&
        parameters->first_burst_length > parameters->max_burst_length)
        parameters->first_burst_length = parameters->max_burst_length;
    if (status == STATUS_OK && parameters->first_burst_length > parameters->max_burst_length) {
        snprintf(problem, room, "%s: FirstBurstLength is larger than MaxBurstLength", file);
        status = STATUS_CONFIGURATION;
    }
    if (status != STATUS_OK)
        parameters_default(parameters);
    return status;
}

/* *found: there was such a file. */
static enum status load_file(struct parameters *parameters, const char *path, char *problem,
                             size_t room, bool *found)
{
    char *text;
    size_t length;
    enum status status = os_read_file(path, &text, &length);
    if (status != STATUS_OK)
        snprintf(problem, room, "%s: %s", path, status_text(status));
    *found = text != NULL || status != STATUS_OK;
    if (text == NULL)
        return status;
    if (strlen(text) != length) {
        snprintf(problem, room, "%s: not a text file", path);
        status = STATUS_CONFIGURATION;
    } else {
        status = parameters_parse(parameters, text, path, problem, room);
    }
    os_free(text);
    return status;
}

enum status parameters_load(struct parameters *parameters, const char *directory, char *problem,
                            size_t room)
{
    char path[PATH_ROOM];
    bool found = false;
    enum status status = STATUS_OK;
    parameters_default(parameters);
    if (directory != NULL) {
        int length = snprintf(path, sizeof path, "%s/iscsi.conf", directory);
        if (length < 0 || (size_t)length >= sizeof path)
            return STATUS_INVALID_PARAMETER;
        status = load_file(parameters, path, problem, room, &found);
    }
    /* A directory that begins with a slash is a Unix one, and only there is /etc. */
    if (!found && directory != NULL && directory[0] == '/')
        status = load_file(parameters, "/etc/iscsi.conf", problem, room, &found);
    return status;
}
