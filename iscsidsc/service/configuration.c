#include "service/configuration.h"

#include <stdio.h>
#include <string.h>

enum { TOLD_ROOM = 512 };

/* The line that sets a text of the service. */
static uint32_t line_of(const struct configuration *whole, size_t offset)
{
    size_t i = 0;
    while (parameter_table[i].offset != offset)
        i++;
    return configuration_line(whole, i);
}

static enum status find_group(const struct configuration *whole, const char *parameter,
                              size_t offset, uint32_t *group,
                              const struct configuration_teller *teller)
{
    char problem[TOLD_ROOM];
    const char *name = (const char *)configuration_parameters(whole) + offset;
    *group = OS_NO_GROUP;
    if (name[0] == '\0' || os_group_find(name, group))
        return STATUS_OK;
    snprintf(problem, sizeof problem, "%.256s:%lu: %s: there is no group \"%s\"",
             configuration_file(whole), (unsigned long)line_of(whole, offset), parameter, name);
    teller->tell(teller->context, false, problem);
    return STATUS_CONFIGURATION;
}

static enum status find_groups(struct service_configuration *configuration,
                               const struct configuration *whole,
                               const struct configuration_teller *teller)
{
    enum status group =
        find_group(whole, "ServiceGroup", offsetof(struct parameters, service_group),
                   &configuration->group, teller);
    enum status read_group =
        find_group(whole, "ServiceReadGroup", offsetof(struct parameters, service_read_group),
                   &configuration->read_group, teller);
    return group != STATUS_OK ? group : read_group;
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
    status = find_groups(configuration, *whole, teller);
    if (status == STATUS_OK)
        return STATUS_OK;
    configuration_free(*whole);
    *whole = NULL;
    return status;
}
