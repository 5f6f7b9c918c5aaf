#include "libiscsi/targets_file.h"

#include "os/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 64 };

/* A name that was defined. */
struct targets_word {
    const char *name;
    struct targets_piece piece;
    bool used;
};

/* One line, and where to say what is wrong with it. */
struct line {
    struct targets_file *file;
    unsigned number;
    char *fields[FIELDS_MAX];
    size_t count;
    char *error;
    size_t room;
};

/* --- what is wrong --- */

static bool wrong(struct line *line, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(line->error, line->room, "%u: ", line->number);

    va_start(arguments, format);
    if (length > 0 && (size_t)length < line->room)
        vsnprintf(line->error + length, line->room - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

/* --- names --- */

static struct targets_word *find_word(const struct targets_file *file, const char *name)
{
    for (size_t i = 0; i < file->word_count; i++) {
        if (strcmp(file->words[i].name, name) == 0)
            return &file->words[i];
    }
    return NULL;
}

/* "extent" and a number. */
static bool is_name(const char *text, const char *kind)
{
    size_t length = strlen(kind);

    if (strncmp(text, kind, length) != 0 || text[length] == '\0')
        return false;
    return strspn(text + length, "0123456789") == strlen(text + length);
}

static bool add_word(struct line *line, const struct targets_word *word)
{
    struct targets_file *file = line->file;
    struct targets_word *words;

    if (file->word_count == TARGETS_DEFINITIONS_MAX)
        return wrong(line, "more than %d definitions", TARGETS_DEFINITIONS_MAX);
    words = os_grow(file->words, (file->word_count + 1) * sizeof *words);
    if (words == NULL)
        return wrong(line, "out of memory");
    words[file->word_count++] = *word;
    file->words = words;
    return true;
}

static bool define(struct line *line, bool is_device, size_t index)
{
    struct targets_word word = {line->fields[0], {is_device, index}, false};

    if (find_word(line->file, word.name) != NULL)
        return wrong(line, "%s is defined already", word.name);
    return add_word(line, &word);
}

/* A piece that was defined above, and is not part of anything yet. */
static bool take_piece(struct line *line, const char *name, struct targets_piece *out)
{
    struct targets_word *word;

    if (!is_name(name, "extent") && !is_name(name, "device"))
        return wrong(line, "%s is neither an extent nor a device", name);
    word = find_word(line->file, name);
    if (word == NULL)
        return wrong(line, "%s is not defined above", name);
    if (word->used)
        return wrong(line, "%s is used already", name);
    word->used = true;
    *out = word->piece;
    return true;
}

/* --- numbers --- */

bool targets_size(const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    uint64_t value = 0;
    const char *at = text;
    const char *unit;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (at == text)
        return false;
    unit = *at != '\0' ? strchr(units, *at & ~0x20) : NULL;
    if (unit != NULL) {
        unsigned shift = 10 * (unsigned)(unit - units + 1);

        if (value > UINT64_MAX >> shift)
            return false;
        value <<= shift;
        at++;
        at += *at == 'B' || *at == 'b';
    }
    *out = value;
    return *at == '\0';
}

/* --- extents: name, file, offset, size --- */

static bool read_extent(struct line *line, struct targets_extent *extent)
{
    bool ram = strcmp(line->fields[1], "ram:") == 0;

    extent->name = line->fields[0];
    extent->file = line->fields[1];
    extent->line = line->number;
    if (!targets_size(line->fields[2], &extent->offset))
        return wrong(line, "%s is not an offset", line->fields[2]);
    if (strcmp(line->fields[3], "size") == 0)
        extent->size = TARGETS_WHOLE;
    else if (!targets_size(line->fields[3], &extent->size))
        return wrong(line, "%s is neither a size nor \"size\"", line->fields[3]);
    else if (extent->size == 0 || extent->size > INT64_MAX ||
             extent->offset > INT64_MAX - extent->size)
        return wrong(line, "%s is no size that a file can have", line->fields[3]);
    if (extent->offset > INT64_MAX)
        return wrong(line, "%s is no offset that a file can have", line->fields[2]);
    if (ram && (extent->offset != 0 || extent->size == TARGETS_WHOLE))
        return wrong(line, "memory begins at 0 and has a size");
    return true;
}

static bool add_extent(struct line *line)
{
    struct targets_file *file = line->file;
    struct targets_extent extent;
    struct targets_extent *extents;

    if (line->count != 4)
        return wrong(line, "an extent has 4 fields (name, file, offset, size), not %u",
                     (unsigned)line->count);
    if (!read_extent(line, &extent) || !define(line, false, file->extent_count))
        return false;
    extents = os_grow(file->extents, (file->extent_count + 1) * sizeof *extents);
    if (extents == NULL)
        return wrong(line, "out of memory");
    extents[file->extent_count++] = extent;
    file->extents = extents;
    return true;
}

/* --- devices: name, level, pieces --- */

static bool read_level(struct line *line, unsigned *level)
{
    const char *text = line->fields[1];

    *level = strcmp(text, "RAID1") == 0;
    if (*level == 0 && strcmp(text, "RAID0") != 0)
        return wrong(line, "%s is neither RAID0 nor RAID1", text);
    return true;
}

static unsigned depth_of(const struct targets_file *file, const struct targets_piece *piece)
{
    return piece->is_device ? file->devices[piece->index].depth : 0;
}

static bool read_pieces(struct line *line, struct targets_device *device)
{
    device->count = line->count - 2;
    device->pieces = os_alloc(device->count * sizeof *device->pieces);
    if (device->pieces == NULL)
        return wrong(line, "out of memory");
    device->depth = 1;
    for (size_t i = 0; i < device->count; i++) {
        unsigned depth;

        if (!take_piece(line, line->fields[i + 2], &device->pieces[i]))
            return false;
        depth = depth_of(line->file, &device->pieces[i]) + 1;
        device->depth = depth > device->depth ? depth : device->depth;
    }
    if (device->depth > TARGETS_DEPTH_MAX)
        return wrong(line, "devices in each other more than %d deep", TARGETS_DEPTH_MAX);
    return true;
}

static bool add_device(struct line *line)
{
    struct targets_file *file = line->file;
    struct targets_device device = {.name = line->fields[0], .line = line->number};
    struct targets_device *devices;

    if (line->count < 3)
        return wrong(line, "a device has at least 3 fields (name, RAID level, extents or devices)");
    devices = os_grow(file->devices, (file->device_count + 1) * sizeof *devices);
    if (devices == NULL)
        return wrong(line, "out of memory");
    file->devices = devices;
    if (read_level(line, &device.level) && read_pieces(line, &device) &&
        define(line, true, file->device_count)) {
        devices[file->device_count++] = device;
        return true;
    }
    os_free(device.pieces);
    return false;
}

/* --- targets: name[=iqn], ro or rw, storage, netmask --- */

/* Lines of the same name are units of one target: who may use it is said once. */
static bool check_same_target(struct line *line, const struct targets_lun *lun)
{
    const struct targets_file *file = line->file;

    for (size_t i = 0; i < file->lun_count; i++) {
        const struct targets_lun *other = &file->luns[i];

        if (strcmp(other->name, lun->name) != 0)
            continue;
        if ((other->iqn == NULL) != (lun->iqn == NULL) ||
            (lun->iqn != NULL && strcmp(lun->iqn, other->iqn) != 0))
            return wrong(line, "%s has another name in line %u", lun->name, other->line);
        if (strcmp(other->network, lun->network) != 0)
            return wrong(line, "%s has another netmask in line %u", lun->name, other->line);
    }
    return true;
}

static bool read_target_name(struct line *line, struct targets_lun *lun)
{
    char *equals = strchr(line->fields[0], '=');

    if (equals != NULL) {
        *equals = '\0';
        lun->iqn = equals + 1;
        if (*lun->iqn == '\0')
            return wrong(line, "no name behind the = sign");
    }
    lun->name = line->fields[0];
    if (!is_name(lun->name, "target") && !is_name(lun->name, "lun"))
        return wrong(line, "%s is not extent, device, target or lun and a number", lun->name);
    return true;
}

static bool read_target(struct line *line, struct targets_lun *lun)
{
    if (!read_target_name(line, lun))
        return false;
    if (line->count != 4)
        return wrong(line, "a target has 4 fields (name, ro or rw, storage, netmask), not %u",
                     (unsigned)line->count);
    lun->line = line->number;
    lun->read_only = strcmp(line->fields[1], "ro") == 0;
    if (!lun->read_only && strcmp(line->fields[1], "rw") != 0)
        return wrong(line, "%s is neither ro nor rw", line->fields[1]);
    if (!netmask_normal(line->fields[3], lun->network))
        return wrong(line, "%s is not a netmask, \"any\" or \"all\"", line->fields[3]);
    return check_same_target(line, lun) && take_piece(line, line->fields[2], &lun->storage);
}

static bool add_target(struct line *line)
{
    struct targets_file *file = line->file;
    struct targets_lun lun = {0};
    struct targets_lun *luns;

    if (!read_target(line, &lun))
        return false;
    if (file->lun_count == TARGETS_DEFINITIONS_MAX)
        return wrong(line, "more than %d definitions", TARGETS_DEFINITIONS_MAX);
    luns = os_grow(file->luns, (file->lun_count + 1) * sizeof *luns);
    if (luns == NULL)
        return wrong(line, "out of memory");
    luns[file->lun_count++] = lun;
    file->luns = luns;
    return true;
}

/* --- lines --- */

/* A field that begins with # is the first of a comment. */
static bool cut_fields(struct line *line, char *text)
{
    static const char blanks[] = " \t\r\v\f";

    line->count = 0;
    for (;;) {
        text += strspn(text, blanks);
        if (*text == '\0' || *text == '#')
            return true;
        if (line->count == FIELDS_MAX)
            return wrong(line, "more than %d fields", FIELDS_MAX);
        line->fields[line->count++] = text;
        text += strcspn(text, blanks);
        if (*text == '\0')
            return true;
        *text++ = '\0';
    }
}

static bool read_line(struct line *line, char *text)
{
    if (!cut_fields(line, text))
        return false;
    if (line->count == 0)
        return true;
    if (is_name(line->fields[0], "extent"))
        return add_extent(line);
    if (is_name(line->fields[0], "device"))
        return add_device(line);
    return add_target(line);
}

static bool read_lines(struct line *line, char *text)
{
    for (line->number = 1; text != NULL; line->number++) {
        char *end = strchr(text, '\n');

        if (end != NULL)
            *end++ = '\0';
        if (!read_line(line, text))
            return false;
        text = end;
    }
    return true;
}

bool targets_file_parse(struct targets_file *file, const char *text, size_t length, char *error,
                        size_t room)
{
    struct line line = {.file = file, .number = 1, .error = error, .room = room};
    bool good;

    memset(file, 0, sizeof *file);
    error[0] = '\0';
    if (length > 0 && memchr(text, '\0', length) != NULL)
        return wrong(&line, "a NUL character is somewhere in the text");
    file->text = os_alloc(length + 1);
    if (file->text == NULL)
        return wrong(&line, "out of memory");
    if (length > 0)
        memcpy(file->text, text, length);
    good = read_lines(&line, file->text);
    if (!good)
        targets_file_clear(file);
    return good;
}

void targets_file_clear(struct targets_file *file)
{
    for (size_t i = 0; i < file->device_count; i++)
        os_free(file->devices[i].pieces);
    os_free(file->extents);
    os_free(file->devices);
    os_free(file->luns);
    os_free(file->words);
    os_free(file->text);
    memset(file, 0, sizeof *file);
}
