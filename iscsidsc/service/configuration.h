/* What the service takes from iscsi.conf, and where it keeps what lasts. */
#ifndef SERVICE_CONFIGURATION_H
#define SERVICE_CONFIGURATION_H

#include "engine/parameters.h"
#include "os/runtime.h"

enum { PROBLEM_ROOM = 512 };

struct configuration {
    struct parameters parameters;
    uint32_t group;      /* ServiceGroup, OS_NO_GROUP when not set */
    uint32_t read_group; /* ServiceReadGroup */
};

/* STATUS_CONFIGURATION and the errors of os_read_file, with the problem in words. */
enum status configuration_load(struct configuration *configuration, const char *state,
                               char problem[PROBLEM_ROOM]);

#endif
