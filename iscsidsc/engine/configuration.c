/* iscsi.conf: which file it is, and what it says for whom. */
#include "engine/configuration_internal.h"
#include "os/crypto.h"
#include "os/system.h"

#include <stdio.h>
#include <string.h>

enum { PATH_ROOM = 4096, TEXT_ROOM = PATH_ROOM + 128 };

void configuration_free(struct configuration *configuration)
{
    if (configuration == NULL)
        return;
    os_arena_wipe(&configuration->arena);
    os_free(configuration);
}

/* --- the file --- */

static void tell(const struct configuration_teller *teller, bool warning, const char *path,
                 const char *what)
{
    char text[TEXT_ROOM];
    if (teller == NULL)
        return;
    snprintf(text, sizeof text, "%s: %s", path, what);
    teller->tell(teller->context, warning, text);
}

void configuration_tell_first(void *context, bool warning, const char *text)
{
    struct configuration_first *first = context;
    if (!warning && first->room > 0 && first->problem[0] == '\0')
        snprintf(first->problem, first->room, "%s", text);
}

static bool has_secret(const struct configuration *configuration)
{
    for (const struct section *s = &configuration->global; s != NULL; s = s->next) {
        if (section_find(s, PARAMETER_Password) != NULL ||
            section_find(s, PARAMETER_IncomingPassword) != NULL)
            return true;
    }
    return false;
}

static enum status take_text(struct configuration **out, const char *text, size_t length,
                             const char *path, const struct configuration_teller *teller)
{
    if (strlen(text) != length) {
        tell(teller, false, path, "not a text file");
        return STATUS_CONFIGURATION;
    }
    enum status status = configuration_parse(out, text, path, teller);
    if (status == STATUS_OK && has_secret(*out) && os_file_exposed(path))
        tell(teller, true, path, "holds passwords, and others can read it");
    return status;
}

/* *found: there was such a file. */
static enum status load(struct configuration **out, const char *path,
                        const struct configuration_teller *teller, bool *found)
{
    char *text;
    size_t length;
    enum status status = os_read_file(path, &text, &length);
    *found = text != NULL || status != STATUS_OK;
    if (status != STATUS_OK)
        tell(teller, false, path, status_text(status));
    if (text == NULL)
        return status;
    status = take_text(out, text, length, path, teller);
    os_wipe(text, length);
    os_free(text);
    return status;
}

enum status configuration_load_file(struct configuration **out, const char *path,
                                    const struct configuration_teller *teller)
{
    bool found;
    *out = NULL;
    enum status status = load(out, path, teller, &found);
    if (found)
        return status;
    tell(teller, false, path, "there is no such file");
    return STATUS_CONFIGURATION;
}

/* It may hold the passwords of the machine's service, which are not for the programs of others. */
static enum status load_of_machine(struct configuration **out, const char *path,
                                   const struct configuration_teller *teller, bool *found)
{
    if (!os_file_withheld(path))
        return load(out, path, teller, found);
    tell(teller, true, path, "is not for this user to read, and counts for nothing here");
    *found = false;
    return STATUS_OK;
}

enum status configuration_load(struct configuration **out, const char *directory,
                               const struct configuration_teller *teller)
{
    char path[PATH_ROOM];
    bool found = false;
    enum status status = STATUS_OK;
    *out = NULL;
    if (directory != NULL) {
        int length = snprintf(path, sizeof path, "%s/iscsi.conf", directory);
        if (length < 0 || (size_t)length >= sizeof path)
            return STATUS_INVALID_PARAMETER;
        status = load(out, path, teller, &found);
    }
    /* A directory that begins with a slash is a Unix one, and only there is /etc. */
    if (!found && directory != NULL && directory[0] == '/')
        status = load_of_machine(out, "/etc/iscsi.conf", teller, &found);
    return found ? status : configuration_parse(out, "", "", teller);
}

/* --- looking up --- */

const struct setting *section_find(const struct section *section, enum scoped_parameter parameter)
{
    const struct setting *setting = section->settings;
    while (setting != NULL && setting->parameter != parameter)
        setting = setting->next;
    return setting;
}

static void put(struct scoped_parameters *out, const struct scoped_info *info, uint32_t number,
                const char *text)
{
    char *member = (char *)out + info->offset;
    if (info->room == 0)
        memcpy(member, &number, sizeof number);
    else
        memcpy(member, text, strlen(text) + 1);
}

/* Of each parameter: how specific the section was that it is from. */
struct resolution {
    struct scoped_parameters *out;
    unsigned weights[SCOPED_COUNT];
};

static void take_section(struct resolution *resolution, const struct section *section)
{
    unsigned weight = section_weight(section);
    for (const struct setting *setting = section->settings; setting != NULL;
         setting = setting->next) {
        enum scoped_parameter parameter = setting->parameter;
        struct parameter_origin *origin = &resolution->out->origins[parameter];
        if (origin->scope > section->scope ||
            (origin->scope == section->scope && resolution->weights[parameter] > weight))
            continue;
        put(resolution->out, &scoped_table[parameter], setting->number, setting->text);
        *origin = (struct parameter_origin){section->scope, setting->line, section->line};
        resolution->weights[parameter] = weight;
    }
}

/* Windows' switch for what the driver does with a time: "no" is a time of 0 that nobody set. */
static void take_nop_out(const struct configuration *configuration, struct scoped_parameters *out)
{
    struct parameter_origin *origin = &out->origins[PARAMETER_IdleTimeout];
    for (size_t i = 0; i < PARAMETERS_COUNT; i++) {
        if (parameter_table[i].offset == offsetof(struct parameters, enable_nop_out) &&
            configuration->parameters.enable_nop_out == 0 && origin->scope == SCOPE_DEFAULT) {
            out->idle_timeout = 0;
            *origin = (struct parameter_origin){SCOPE_GLOBAL, configuration->lines[i], 0};
        }
    }
}

void configuration_resolve(const struct configuration *configuration,
                           const struct configuration_subject *subject,
                           struct scoped_parameters *out)
{
    struct resolution resolution = {.out = out};
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < SCOPED_COUNT; i++)
        put(out, &scoped_table[i], scoped_table[i].standard, scoped_table[i].standard_text);
    for (const struct section *s = &configuration->global; s != NULL; s = s->next) {
        if (section_matches(s, subject))
            take_section(&resolution, s);
    }
    take_nop_out(configuration, out);
}

bool configuration_has_portals(const struct configuration *configuration)
{
    for (const struct section *s = configuration->global.next; s != NULL; s = s->next) {
        if ((SCOPE_BIT(s->scope) & SCOPES_OF_PORTALS) != 0)
            return true;
    }
    return false;
}

void scoped_parameters_wipe(struct scoped_parameters *parameters)
{
    os_wipe(parameters, sizeof *parameters);
}

void scoped_parameters_forget(struct scoped_parameters *parameters)
{
    os_wipe(parameters->username, sizeof parameters->username);
    os_wipe(parameters->password, sizeof parameters->password);
    os_wipe(parameters->incoming_username, sizeof parameters->incoming_username);
    os_wipe(parameters->incoming_password, sizeof parameters->incoming_password);
}

size_t configuration_discovery_addresses(const struct configuration *configuration,
                                         const struct configuration_discovery **out)
{
    *out = configuration->discovery;
    return configuration->discovery_count;
}

bool configuration_has_discovery(const struct configuration *configuration, const char *host,
                                 uint16_t port)
{
    const struct configuration_subject subject = {.discovery_address = host,
                                                  .discovery_port = port};
    for (const struct section *s = configuration->global.next; s != NULL; s = s->next) {
        if (s->scope == SCOPE_DISCOVERY_ADDRESS && section_matches(s, &subject))
            return true;
    }
    return false;
}

const struct parameters *configuration_parameters(const struct configuration *configuration)
{
    return &configuration->parameters;
}

uint32_t configuration_line(const struct configuration *configuration, size_t parameter)
{
    return configuration->lines[parameter];
}

void configuration_tell_value(const struct configuration *configuration, size_t parameter,
                              const struct configuration_teller *teller, const char *what)
{
    char path[PATH_ROOM];
    const struct place *place = &configuration->places[parameter];
    snprintf(path, sizeof path, "%.*s:%lu:%lu", PATH_ROOM - 64, configuration->file,
             (unsigned long)place->line, (unsigned long)place->column);
    tell(teller, false, path, what);
}

const char *configuration_file(const struct configuration *configuration)
{
    return configuration->file;
}
