/* What the service takes from iscsi.conf, and where it keeps what lasts. */
#ifndef SERVICE_CONFIGURATION_H
#define SERVICE_CONFIGURATION_H

#include "engine/configuration.h"
#include "os/runtime.h"

enum loop_wish { LOOPS_AUTO, LOOPS_NO, LOOPS_YES };

struct service_configuration {
    struct parameters parameters;
    uint32_t group;        /* ServiceGroup, OS_NO_GROUP when not set */
    uint32_t read_group;   /* ServiceReadGroup */
    uint32_t device_owner; /* DeviceOwner, DeviceGroup: OS_NO_GROUP when not set */
    uint32_t device_group;
    uint32_t device_mode; /* DeviceMode: 0 when not set */
    uint32_t loops;       /* LoopDevices: enum loop_wish */
};

/*
 * The file `path`, or NULL: that of the state directory, else /etc/iscsi.conf. OK: *whole is the
 * caller's. CONFIGURATION and the errors of os_read_file, after each problem was told.
 */
enum status service_configuration_load(struct service_configuration *configuration,
                                       struct configuration **whole, const char *state,
                                       const char *path, const struct configuration_teller *teller);

#endif
