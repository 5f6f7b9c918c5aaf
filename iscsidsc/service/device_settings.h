/* How devices are to be made, of what iscsi.conf says and what the system allows. */
#ifndef SERVICE_DEVICE_SETTINGS_H
#define SERVICE_DEVICE_SETTINGS_H

#include "devices/loop_devices.h"
#include "engine/parameters.h"

/* The texts are those of `parameters` and `state`. False: LoopDevices is no word that it can be. */
bool device_settings_loops(struct loop_devices_settings *out, const struct parameters *parameters,
                           const char *state);

#endif
