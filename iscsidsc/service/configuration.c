#include "service/configuration.h"

#include <stdio.h>

static enum status find_group(const char *parameter, const char *name, uint32_t *group,
                              char problem[PROBLEM_ROOM])
{
    *group = OS_NO_GROUP;
    if (name[0] == '\0' || os_group_find(name, group))
        return STATUS_OK;
    snprintf(problem, PROBLEM_ROOM, "%s: there is no group \"%s\"", parameter, name);
    return STATUS_CONFIGURATION;
}

enum status configuration_load(struct configuration *configuration, const char *state,
                               char problem[PROBLEM_ROOM])
{
    const struct parameters *parameters = &configuration->parameters;
    problem[0] = '\0';
    enum status status = parameters_load(&configuration->parameters, state, problem, PROBLEM_ROOM);
    if (status == STATUS_OK)
        status =
            find_group("ServiceGroup", parameters->service_group, &configuration->group, problem);
    if (status == STATUS_OK)
        status = find_group("ServiceReadGroup", parameters->service_read_group,
                            &configuration->read_group, problem);
    if (status != STATUS_OK && problem[0] == '\0')
        snprintf(problem, PROBLEM_ROOM, "%s", status_text(status));
    return status;
}
