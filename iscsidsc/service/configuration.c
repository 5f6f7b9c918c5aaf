#include "service/configuration.h"

#include <stdio.h>
#include <string.h>

enum { TOLD_ROOM = 512 };

/* A text of the file, and how it is understood. */
struct name {
    size_t offset; /* of its row in parameter_table */
    bool (*find)(const char *text, uint32_t *out);
    const char *what; /* it is to name */
};

/* Octal: read and write bits. */
static bool find_mode(const char *text, uint32_t *mode)
{
    *mode = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '7' || *mode > 0666)
            return false;
        *mode = *mode * 8 + (uint32_t)(*c - '0');
    }
    return *mode != 0 && (*mode & ~0666u) == 0;
}

static bool find_wish(const char *text, uint32_t *wish)
{
    static const char *const words[] = {
        [LOOPS_AUTO] = "auto", [LOOPS_NO] = "no", [LOOPS_YES] = "yes"};
    *wish = 0;
    while (*wish < sizeof words / sizeof *words && !name_equal(words[*wish], text))
        ++*wish;
    return *wish < sizeof words / sizeof *words;
}

static size_t row_of(size_t offset)
{
    size_t i = 0;
    while (parameter_table[i].offset != offset)
        i++;
    return i;
}

static enum status find(const struct configuration *whole, const struct name *wanted,
                        uint32_t unset, uint32_t *out, const struct configuration_teller *teller)
{
    char problem[TOLD_ROOM];
    const char *text = (const char *)configuration_parameters(whole) + wanted->offset;
    *out = unset;
    if (text[0] == '\0' || wanted->find(text, out))
        return STATUS_OK;
    size_t row = row_of(wanted->offset);
    snprintf(problem, sizeof problem, "%s: %s \"%s\"", parameter_table[row].name, wanted->what,
             text);
    configuration_tell_value(whole, row, teller, problem);
    return STATUS_CONFIGURATION;
}

static enum status find_all(struct service_configuration *configuration,
                            const struct configuration *whole,
                            const struct configuration_teller *teller)
{
    static const struct {
        struct name name;
        size_t offset;
        uint32_t unset;
    } names[] = {
        {{offsetof(struct parameters, service_group), os_group_find, "there is no group"},
         offsetof(struct service_configuration, group),
         OS_NO_GROUP},
        {{offsetof(struct parameters, service_read_group), os_group_find, "there is no group"},
         offsetof(struct service_configuration, read_group),
         OS_NO_GROUP},
        {{offsetof(struct parameters, device_owner), os_user_find, "there is no user"},
         offsetof(struct service_configuration, device_owner),
         OS_NO_GROUP},
        {{offsetof(struct parameters, device_group), os_group_find, "there is no group"},
         offsetof(struct service_configuration, device_group),
         OS_NO_GROUP},
        {{offsetof(struct parameters, device_mode), find_mode,
          "no octal number of read and write bits:"},
         offsetof(struct service_configuration, device_mode),
         0},
        {{offsetof(struct parameters, loop_devices), find_wish, "neither yes, no nor auto:"},
         offsetof(struct service_configuration, loops),
         LOOPS_AUTO},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t found;
        if (find(whole, &names[i].name, names[i].unset, &found, teller) != STATUS_OK)
            status = STATUS_CONFIGURATION;
        memcpy((char *)configuration + names[i].offset, &found, sizeof found);
    }
    return status;
}

enum status service_configuration_load(struct service_configuration *configuration,
                                       struct configuration **whole, const char *state,
                                       const char *path, const struct configuration_teller *teller)
{
    enum status status = path != NULL ? configuration_load_file(whole, path, teller)
                                      : configuration_load(whole, state, teller);
    if (status != STATUS_OK)
        return status;
    configuration->parameters = *configuration_parameters(*whole);
    status = find_all(configuration, *whole, teller);
    if (status == STATUS_OK)
        return STATUS_OK;
    configuration_free(*whole);
    *whole = NULL;
    return status;
}
