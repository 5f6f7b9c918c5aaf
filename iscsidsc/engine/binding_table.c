#include "engine/binding_table.h"
#include "engine/mappings.h"
#include "protocol/name.h"

#include <stdio.h>
#include <string.h>

enum { LINE_ROOM = sizeof "255 255 \n" + ISCSI_NAME_MAX, FIRST_BUCKETS = 64 };

/* --- the table --- */

/* Of a folded name. */
static size_t *bucket_of(const struct binding_table *table, const char *target)
{
    uint32_t hash = 2166136261u;
    for (const char *c = target; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    return &table->buckets[(hash ^ hash >> 16) % table->bucket_count];
}

static void hang(struct binding_table *table, size_t index)
{
    size_t *bucket = bucket_of(table, table->entries[index].target);
    table->entries[index].chain = *bucket;
    *bucket = index;
}

static bool more_buckets(struct binding_table *table)
{
    size_t count = table->bucket_count > 0 ? table->bucket_count * 2 : FIRST_BUCKETS;
    size_t *buckets = os_grow(table->buckets, count * sizeof *buckets);
    if (buckets == NULL)
        return false;
    table->buckets = buckets;
    table->bucket_count = count;
    for (size_t i = 0; i < count; i++)
        buckets[i] = BINDING_NONE;
    for (size_t i = 0; i < table->count; i++)
        hang(table, i);
    return true;
}

static bool more_room(struct binding_table *table)
{
    size_t room = table->room > 0 ? table->room * 2 : FIRST_BUCKETS;
    struct binding *entries = os_grow(table->entries, room * sizeof *entries);
    if (entries == NULL)
        return false;
    table->entries = entries;
    table->room = room;
    return true;
}

static const struct binding *find_folded(const struct binding_table *table, const char *folded)
{
    size_t i = table->bucket_count > 0 ? *bucket_of(table, folded) : BINDING_NONE;
    while (i != BINDING_NONE && strcmp(table->entries[i].target, folded) != 0)
        i = table->entries[i].chain;
    return i == BINDING_NONE ? NULL : &table->entries[i];
}

bool binding_name_valid(const char *target)
{
    return name_characters_valid(target) && target[0] != '#';
}

const struct binding *binding_table_find(const struct binding_table *table, const char *target)
{
    char folded[ISCSI_NAME_MAX + 1];
    if (!binding_name_valid(target))
        return NULL;
    name_fold(target, folded);
    return find_folded(table, folded);
}

static bool add(struct binding_table *table, const char *folded, uint32_t place, unsigned line)
{
    if ((table->count == table->room && !more_room(table)) ||
        (table->count >= table->bucket_count && !more_buckets(table)))
        return false;
    char *target = os_arena_text(&table->names, folded);
    if (target == NULL || numbers_take(&table->places, place) != STATUS_OK)
        return false;
    table->entries[table->count] = (struct binding){target, place, line, BINDING_NONE};
    hang(table, table->count++);
    return true;
}

bool binding_table_add(struct binding_table *table, const char *target, uint32_t place)
{
    char folded[ISCSI_NAME_MAX + 1];
    name_fold(target, folded);
    return add(table, folded, place, 0);
}

void binding_table_written(struct binding_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->entries[i].line == 0)
            table->entries[i].line = ++table->lines;
    }
}

void binding_table_clear(struct binding_table *table)
{
    os_free(table->entries);
    os_free(table->buckets);
    numbers_clear(&table->places);
    os_arena_clear(&table->names);
    *table = (struct binding_table){0};
}

/* --- reading --- */

struct reader {
    struct binding_table *table;
    binding_problem *problem;
    void *context;
    unsigned problems;
    bool exhausted; /* of memory */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The next word before `end`, and behind it; its length is 0 when there is none: a comment begins
 * where a word could. */
static const char *take_word(const char **at, const char *end, size_t *length)
{
    const char *from = *at;
    while (from < end && is_blank(*from))
        from++;
    if (from < end && *from == '#')
        from = end;
    const char *to = from;
    while (to < end && !is_blank(*to))
        to++;
    *at = to;
    *length = (size_t)(to - from);
    return from;
}

/* A number above 255 is MAPPING_BUSES. False: it is none. */
static bool take_number(const char **at, const char *end, uint32_t *number)
{
    size_t length;
    const char *word = take_word(at, end, &length);
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        if (word[i] < '0' || word[i] > '9')
            return false;
        *number = *number * 10 + (uint32_t)(word[i] - '0');
        if (*number > MAPPING_BUSES)
            *number = MAPPING_BUSES;
    }
    return length > 0;
}

static bool take_name(const char **at, const char *end, char out[ISCSI_NAME_MAX + 1])
{
    char name[ISCSI_NAME_MAX + 1];
    size_t length;
    const char *word = take_word(at, end, &length);
    if (length > ISCSI_NAME_MAX || memchr(word, '\0', length) != NULL)
        return false;
    memcpy(name, word, length);
    name[length] = '\0';
    if (!name_characters_valid(name))
        return false;
    name_fold(name, out);
    return true;
}

static void refuse(struct reader *reader, const char *why)
{
    if (reader->problems++ < BINDING_PROBLEMS_TOLD)
        reader->problem(reader->context, reader->table->lines, why);
}

static const struct binding *find_place(const struct binding_table *table, uint32_t place)
{
    size_t i = 0;
    while (i + 1 < table->count && table->entries[i].place != place)
        i++;
    return &table->entries[i];
}

static void refuse_again(struct reader *reader, const char *target, uint32_t place)
{
    char why[BINDING_PROBLEM_ROOM];
    const struct binding *same = find_folded(reader->table, target);
    if (reader->problems >= BINDING_PROBLEMS_TOLD)
        reader->problems++; /* who looks for the line, each time, takes long */
    else if (same != NULL) {
        snprintf(why, sizeof why, "%s has its place by line %u", target, same->line);
        refuse(reader, why);
    } else {
        snprintf(why, sizeof why, "bus %lu target %lu is of %s by line %u",
                 (unsigned long)(place / MAPPING_TARGETS), (unsigned long)(place % MAPPING_TARGETS),
                 find_place(reader->table, place)->target, find_place(reader->table, place)->line);
        refuse(reader, why);
    }
}

static void read_line(struct reader *reader, const char *at, const char *end)
{
    char target[ISCSI_NAME_MAX + 1];
    uint32_t bus, id;
    size_t length;
    const char *first = at;
    take_word(&first, end, &length);
    if (length == 0)
        return;
    if (!take_number(&at, end, &bus) || !take_number(&at, end, &id) ||
        !take_name(&at, end, target) || (take_word(&at, end, &length), length != 0)) {
        refuse(reader, "not of the form \"BusId TargetId TargetName\"");
        return;
    }
    uint32_t place = bus * MAPPING_TARGETS + id;
    if (bus >= MAPPING_BUSES || id >= MAPPING_TARGETS)
        refuse(reader,
               bus >= MAPPING_BUSES ? "the bus id is above 255" : "the target id is above 255");
    else if (find_folded(reader->table, target) != NULL ||
             numbers_taken(&reader->table->places, place))
        refuse_again(reader, target, place);
    else if (!add(reader->table, target, place, reader->table->lines))
        reader->exhausted = true;
}

bool binding_table_read(struct binding_table *table, const char *text, size_t length,
                        binding_problem *problem, void *context)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that some editors put before UTF-8 */
    struct reader reader = {.table = table, .problem = problem, .context = context};
    const char *end = text + length;
    char more[BINDING_PROBLEM_ROOM];
    if (length >= 3 && memcmp(text, mark, 3) == 0)
        text += 3;
    while (text < end && !reader.exhausted) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        table->lines++;
        read_line(&reader, text, stop != NULL ? stop : end);
        text = stop != NULL ? stop + 1 : end;
    }
    if (reader.problems > BINDING_PROBLEMS_TOLD) {
        snprintf(more, sizeof more, "%u more lines do not count",
                 reader.problems - BINDING_PROBLEMS_TOLD);
        problem(context, 0, more);
    }
    return !reader.exhausted;
}

/* --- writing --- */

char *binding_table_text(const struct binding_table *table, const char *text, size_t length,
                         size_t *out_length)
{
    size_t fresh = 0;
    for (size_t i = 0; i < table->count; i++)
        fresh += table->entries[i].line == 0;
    char *out = os_alloc(length + 1 + fresh * LINE_ROOM + 1);
    if (out == NULL)
        return NULL;
    if (length > 0)
        memcpy(out, text, length);
    if (length > 0 && out[length - 1] != '\n')
        out[length++] = '\n';
    for (size_t i = 0; i < table->count; i++) {
        const struct binding *entry = &table->entries[i];
        if (entry->line == 0)
            length +=
                (size_t)snprintf(out + length, LINE_ROOM, "%lu %lu %s\n",
                                 (unsigned long)(entry->place / MAPPING_TARGETS),
                                 (unsigned long)(entry->place % MAPPING_TARGETS), entry->target);
    }
    *out_length = length;
    return out;
}
