/* How devices are to be made, of what iscsi.conf says and what the system allows. */
#ifndef SERVICE_DEVICE_SETTINGS_H
#define SERVICE_DEVICE_SETTINGS_H

#include "devices/loop_devices.h"
#include "service/configuration.h"

/* The texts are those of `configuration` and `state`. */
void device_settings_loops(struct loop_devices_settings *out,
                           const struct service_configuration *configuration, const char *state);

#endif
