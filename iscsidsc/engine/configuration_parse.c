/* Reads the text of iscsi.conf. */
#include "engine/configuration_internal.h"
#include "os/crypto.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SECTIONS_MOST = 4096,
    PROBLEMS_MOST = 100, /* told of one file */
    TOLD_ROOM = 1024,
    SHOWN_MOST = 80, /* bytes of a name or value in a problem */
};

struct parse {
    struct configuration *configuration;
    const struct configuration_teller *teller; /* NULL: nobody listens */
    struct section *section;                   /* that indented lines belong to */
    struct section *last;
    size_t sections;
    uint32_t ended; /* the line at which a section ended; 0: none did */
    unsigned problems;
    enum status status;
    struct file_line line;
    struct assignment assignment;
};

/* --- problems --- */

static void tell(struct parse *parse, struct place at, bool warning, const char *format, ...)
{
    char text[TOLD_ROOM];
    va_list arguments;
    if (!warning && parse->status == STATUS_OK)
        parse->status = STATUS_CONFIGURATION;
    if (parse->teller == NULL || ++parse->problems > PROBLEMS_MOST)
        return;
    int used = snprintf(text, sizeof text, "%.512s:%lu:%lu: ", parse->configuration->file,
                        (unsigned long)at.line, (unsigned long)at.column);
    va_start(arguments, format);
    vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
    va_end(arguments);
    parse->teller->tell(parse->teller->context, warning, text);
}

static void out_of_memory(struct parse *parse)
{
    parse->status = STATUS_NO_MEMORY;
}

/* Of a value that may be long; cut between characters. */
static int shown(const char *text)
{
    size_t length = strlen(text);
    if (length <= SHOWN_MOST)
        return (int)length;
    length = SHOWN_MOST;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return (int)length;
}

#define SHOW(text) shown(text), (text)

static void bad_value(struct parse *parse, const char *expected)
{
    const struct assignment *it = &parse->assignment;
    tell(parse, it->value_at, false, "%.*s is \"%.*s\", not %s", SHOW(it->name), SHOW(it->value),
         expected);
}

/* --- settings --- */

static void twice(struct parse *parse, const char *name, uint32_t line)
{
    const struct assignment *it = &parse->assignment;
    if (name_equal(name, it->name))
        tell(parse, it->name_at, false, "\"%s\" is set twice: line %lu sets it", it->name,
             (unsigned long)line);
    else
        tell(parse, it->name_at, false, "\"%s\" is set twice: it is %s, which line %lu sets",
             it->name, name, (unsigned long)line);
}

/* It belongs to nobody if it could be meant for the section that ended, or for everything. */
static void not_here(struct parse *parse, const struct scoped_info *info,
                     enum configuration_scope scope)
{
    char where[128] = "";
    for (int i = SCOPE_SUBNET; i <= SCOPE_TARGET_NAME; i++) {
        if ((info->scopes & SCOPE_BIT(i)) != 0)
            snprintf(where + strlen(where), sizeof where - strlen(where), "%s%s",
                     where[0] != '\0' ? " and " : "",
                     configuration_scope_name((enum configuration_scope)i));
    }
    tell(parse, parse->assignment.name_at, false,
         "%s means nothing for a %s: it can be set for %s, or for everything", info->name,
         configuration_scope_name(scope), where);
}

static void bad_scoped_value(struct parse *parse, const struct scoped_info *info)
{
    char expected[EXPECTED_ROOM];
    scoped_value_expected(info, expected);
    if (info->kind == KIND_SECRET)
        tell(parse, parse->assignment.value_at, false, "%s is not %s", info->name, expected);
    else
        bad_value(parse, expected);
}

static bool read_scoped(struct parse *parse, const struct scoped_info *info,
                        struct setting *setting)
{
    const char *value = parse->assignment.value;
    if (info->room == 0)
        return scoped_value_number(info, value, &setting->number);
    char *text = os_arena_alloc(&parse->configuration->arena, info->room);
    if (text == NULL)
        out_of_memory(parse);
    setting->text = text;
    return text != NULL && scoped_value_text(info, value, text);
}

static void take_scoped(struct parse *parse, const struct scoped_info *info)
{
    struct section *section = parse->section;
    enum scoped_parameter parameter = (enum scoped_parameter)(info - scoped_table);
    const struct setting *earlier = section_find(section, parameter);
    if (earlier != NULL) {
        twice(parse, info->name, earlier->line);
        return;
    }
    if ((info->scopes & SCOPE_BIT(section->scope)) == 0) {
        not_here(parse, info, section->scope);
        return;
    }
    struct setting *setting = os_arena_alloc(&parse->configuration->arena, sizeof *setting);
    if (setting == NULL) {
        out_of_memory(parse);
        return;
    }
    setting->parameter = parameter;
    setting->line = parse->assignment.name_at.line;
    setting->place = parse->assignment.value_at;
    if (!read_scoped(parse, info, setting) && parse->status != STATUS_NO_MEMORY)
        bad_scoped_value(parse, info);
    setting->next = section->settings;
    section->settings = setting;
}

static void take_service(struct parse *parse, size_t index)
{
    const struct parameter_info *info = &parameter_table[index];
    struct configuration *configuration = parse->configuration;
    char expected[EXPECTED_ROOM];
    if (parse->section->scope != SCOPE_GLOBAL) {
        tell(parse, parse->assignment.name_at, false,
             "%s applies to the whole service and cannot be set for a %s", info->name,
             configuration_scope_name(parse->section->scope));
    } else if (configuration->lines[index] != 0) {
        twice(parse, info->name, configuration->lines[index]);
    } else {
        configuration->lines[index] = parse->assignment.name_at.line;
        configuration->places[index] = parse->assignment.value_at;
        service_value_expected(info, expected);
        if (!service_value(info, parse->assignment.value,
                           (char *)&configuration->parameters + info->offset))
            bad_value(parse, expected);
    }
}

static const struct scoped_info *find_scoped(const char *name)
{
    for (size_t i = 0; i < SCOPED_COUNT; i++) {
        if (name_equal(scoped_table[i].name, name) ||
            (scoped_table[i].other[0] != '\0' && name_equal(scoped_table[i].other, name)))
            return &scoped_table[i];
    }
    return NULL;
}

static size_t find_service(const char *name)
{
    size_t i = 0;
    while (i < PARAMETERS_COUNT && !name_equal(parameter_table[i].name, name))
        i++;
    return i;
}

static void take_setting(struct parse *parse)
{
    const struct assignment *it = &parse->assignment;
    const struct scoped_info *info = find_scoped(it->name);
    size_t index = find_service(it->name);
    if (info != NULL)
        take_scoped(parse, info);
    else if (index < PARAMETERS_COUNT)
        take_service(parse, index);
    else
        tell(parse, it->name_at, false, "\"%.*s\" is no known parameter", SHOW(it->name));
}

/* --- sections --- */

static const struct section *find_same(const struct configuration *configuration,
                                       const struct section *section)
{
    for (const struct section *s = configuration->global.next; s != NULL; s = s->next) {
        if (section_same(s, section))
            return s;
    }
    return NULL;
}

/* After a section that is wrong the lines that belong to it are still looked at. */
static void add_section(struct parse *parse, struct section *section)
{
    parse->section = section;
    parse->last->next = section;
    parse->last = section;
    parse->configuration->discovery_count += section->scope == SCOPE_DISCOVERY_ADDRESS;
}

static bool name_section(struct parse *parse, struct section *section)
{
    const char *value = parse->assignment.value;
    char folded[ISCSI_NAME_MAX + 1];
    const char *expected = section_read(section, value);
    if (expected != NULL) {
        bad_value(parse, expected);
        value = "";
    } else if (section->scope == SCOPE_TARGET_NAME && name_normalize(value, folded)) {
        value = folded;
    }
    section->name = os_arena_text(&parse->configuration->arena, value);
    if (section->name == NULL)
        out_of_memory(parse);
    return expected == NULL && section->name != NULL;
}

static void begin_section(struct parse *parse, enum configuration_scope scope)
{
    const struct assignment *it = &parse->assignment;
    struct section *section = os_arena_alloc(&parse->configuration->arena, sizeof *section);
    if (section == NULL) {
        out_of_memory(parse);
        return;
    }
    section->scope = scope;
    section->line = it->name_at.line;
    const struct section *same = NULL;
    if (name_section(parse, section))
        same = find_same(parse->configuration, section);
    if (same != NULL)
        tell(parse, it->name_at, false, "%s has a section for this already, at line %lu",
             configuration_scope_name(scope), (unsigned long)same->line);
    else if (++parse->sections == SECTIONS_MOST + 1)
        tell(parse, it->name_at, false, "there are more than %d sections", SECTIONS_MOST);
    if (parse->sections <= SECTIONS_MOST)
        add_section(parse, section);
    parse->ended = 0;
}

/* --- lines --- */

static void take_assignment(struct parse *parse)
{
    const struct assignment *it = &parse->assignment;
    struct section *global = &parse->configuration->global;
    enum configuration_scope scope = scope_of_name(it->name);
    if (scope != SCOPE_DEFAULT) {
        if (parse->line.indented)
            tell(parse, it->name_at, false, "%s begins a section and must not be indented",
                 configuration_scope_name(scope));
        begin_section(parse, scope);
        return;
    }
    if (parse->line.indented && parse->ended != 0)
        tell(parse, it->name_at, false, "indented, but the section ended at line %lu, which is not",
             (unsigned long)parse->ended);
    if (!parse->line.indented && parse->section != global) {
        parse->section = global;
        parse->ended = it->name_at.line;
    }
    take_setting(parse);
}

static void take_line(struct parse *parse)
{
    struct file_line *line = &parse->line;
    if (line->problem == NULL && strspn(line->text, " \t\r") == line->length)
        return;
    if (line->problem == NULL && file_line_split(line, &parse->assignment))
        take_assignment(parse);
    else
        tell(parse, line->problem_at, false, "%s", line->problem);
}

/* --- what must hold of the whole --- */

static uint32_t number_of(const struct configuration *configuration, const struct section *section,
                          enum scoped_parameter parameter)
{
    const struct setting *setting = section_find(section, parameter);
    if (setting == NULL)
        setting = section_find(&configuration->global, parameter);
    return setting != NULL ? setting->number : scoped_table[parameter].standard;
}

/* RFC 7143, 13.14: the default of the first burst gives way to a shorter longest one. */
static void check_bursts(struct parse *parse, const struct section *section)
{
    const struct setting *first = section_find(section, PARAMETER_FirstBurstLength);
    uint32_t most = number_of(parse->configuration, section, PARAMETER_MaxBurstLength);
    if (first != NULL && first->number > most)
        tell(parse, first->place, false, "FirstBurstLength is %lu, more than MaxBurstLength, %lu",
             (unsigned long)first->number, (unsigned long)most);
}

static const struct setting *setting_of(const struct parse *parse, const struct section *section,
                                        enum scoped_parameter parameter)
{
    const struct setting *setting = section_find(section, parameter);
    return setting != NULL ? setting : section_find(&parse->configuration->global, parameter);
}

/* RFC 7143, 9.2.1: a secret may not serve both directions. */
static void check_secrets(struct parse *parse, const struct section *section)
{
    const struct setting *incoming = section_find(section, PARAMETER_IncomingPassword);
    const struct setting *outgoing = section_find(section, PARAMETER_Password);
    const struct setting *later = incoming != NULL ? incoming : outgoing;
    incoming = setting_of(parse, section, PARAMETER_IncomingPassword);
    outgoing = setting_of(parse, section, PARAMETER_Password);
    if (later != NULL && incoming != NULL && outgoing != NULL &&
        strcmp(incoming->text, outgoing->text) == 0)
        tell(parse, later->place, false, "IncomingPassword is the same as Password");
}

/* Another section may have what is missing here, so these are no errors. */
static void check_pairs(struct parse *parse, const struct section *section)
{
    static const struct {
        enum scoped_parameter set, missing;
    } pairs[] = {
        {PARAMETER_Username, PARAMETER_Password},
        {PARAMETER_IncomingUsername, PARAMETER_IncomingPassword},
        {PARAMETER_IncomingPassword, PARAMETER_Password},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct setting *set = section_find(section, pairs[i].set);
        if (set != NULL && setting_of(parse, section, pairs[i].missing) == NULL)
            tell(parse, set->place, true, "%s is set without %s", scoped_table[pairs[i].set].name,
                 scoped_table[pairs[i].missing].name);
    }
}

static void check_whole(struct parse *parse)
{
    for (const struct section *s = &parse->configuration->global; s != NULL; s = s->next) {
        check_bursts(parse, s);
        check_secrets(parse, s);
        check_pairs(parse, s);
    }
}

static void list_discovery(struct parse *parse)
{
    struct configuration *configuration = parse->configuration;
    size_t count = 0;
    if (configuration->discovery_count == 0)
        return;
    configuration->discovery = os_arena_alloc(
        &configuration->arena, configuration->discovery_count * sizeof *configuration->discovery);
    if (configuration->discovery == NULL) {
        out_of_memory(parse);
        return;
    }
    for (const struct section *s = configuration->global.next; s != NULL; s = s->next) {
        if (s->scope == SCOPE_DISCOVERY_ADDRESS)
            configuration->discovery[count++] = (struct configuration_discovery){
                .host = s->portal.host, .port = s->portal.port, .line = s->line};
    }
}

/* --- the file --- */

static void read_all(struct parse *parse, const char *text)
{
    struct file_reader reader;
    file_reader_begin(&reader, text);
    while (parse->status != STATUS_NO_MEMORY && file_reader_line(&reader, &parse->line))
        take_line(parse);
    if (parse->status == STATUS_OK)
        check_whole(parse);
    if (parse->status == STATUS_OK)
        list_discovery(parse);
}

static struct configuration *configuration_new(const char *file)
{
    struct configuration *configuration = os_alloc(sizeof *configuration);
    if (configuration == NULL)
        return NULL;
    parameters_default(&configuration->parameters);
    configuration->global.scope = SCOPE_GLOBAL;
    configuration->file = os_arena_text(&configuration->arena, file);
    if (configuration->file != NULL)
        return configuration;
    configuration_free(configuration);
    return NULL;
}

enum status configuration_parse(struct configuration **out, const char *text, const char *file,
                                const struct configuration_teller *teller)
{
    struct parse *parse = os_alloc(sizeof *parse);
    struct configuration *configuration = configuration_new(file);
    enum status status = STATUS_NO_MEMORY;
    *out = NULL;
    if (parse != NULL && configuration != NULL) {
        parse->configuration = configuration;
        parse->teller = teller;
        parse->section = parse->last = &configuration->global;
        read_all(parse, text);
        status = parse->status;
        os_wipe(parse, sizeof *parse);
    }
    os_free(parse);
    if (status == STATUS_OK)
        *out = configuration;
    else
        configuration_free(configuration);
    return status;
}
