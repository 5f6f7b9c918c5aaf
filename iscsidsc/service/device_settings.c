#include "service/device_settings.h"
#include "os/block.h"
#include "os/system.h"

/* Block devices and links in /dev are the whole machine's: a service to whom somebody has given a
 * state directory of its own is one of several, and makes them only when it is told to. */
static bool is_the_systems(void)
{
    char own[OS_PATH_ROOM];
    return os_loopback_allowed() && !os_environment("ISCSIDSC_STATE", own, sizeof own);
}

void device_settings_loops(struct loop_devices_settings *out,
                           const struct service_configuration *configuration, const char *state)
{
    const struct parameters *parameters = &configuration->parameters;
    *out = (struct loop_devices_settings){
        .links = parameters->link_directory,
        .state = state,
        .attach = configuration->loops == LOOPS_AUTO ? is_the_systems()
                                                     : configuration->loops == LOOPS_YES,
        .retries = parameters->mount_retries,
        .interval = parameters->mount_interval,
    };
    if (out->links[0] == '\0' && is_the_systems())
        out->links = "/dev/iscsi";
}
