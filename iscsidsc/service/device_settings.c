#include "service/device_settings.h"
#include "os/block.h"
#include "os/system.h"
#include "protocol/name.h"

/* Block devices and links in /dev are the whole machine's: a service to whom somebody has given a
 * state directory of its own is one of several, and makes them only when it is told to. */
static bool is_the_systems(void)
{
    char own[OS_PATH_ROOM];
    return os_loopback_allowed() && !os_environment("ISCSIDSC_STATE", own, sizeof own);
}

bool device_settings_loops(struct loop_devices_settings *out, const struct parameters *parameters,
                           const char *state)
{
    const char *wanted = parameters->loop_devices;
    bool automatic = wanted[0] == '\0' || name_equal(wanted, "auto");
    if (!automatic && !name_equal(wanted, "yes") && !name_equal(wanted, "no"))
        return false;
    *out = (struct loop_devices_settings){
        .links = parameters->link_directory,
        .state = state,
        .attach = automatic ? is_the_systems() : name_equal(wanted, "yes"),
        .retries = parameters->mount_retries,
        .interval = parameters->mount_interval,
    };
    if (out->links[0] == '\0' && is_the_systems())
        out->links = "/dev/iscsi";
    return true;
}
