#include "devices/device.h"

bool device_in_use(const struct local_device *device)
{
    return (device->nbd != NULL && nbd_in_use(device->nbd)) ||
           (device->file != NULL && tree_users(device->file) > 0);
}
