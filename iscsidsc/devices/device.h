/* A volume as a device of this machine, and the forms in which programs can open it. */
#ifndef DEVICES_DEVICE_H
#define DEVICES_DEVICE_H

#include "devices/loop_devices.h"
#include "devices/nbd.h"
#include "devices/tree.h"
#include "os/runtime.h"

enum { DEVICE_PLACE_ROOM = 48 };

struct local_device {
    struct list link;
    struct volume *volume;
    struct disk *disk;             /* held; all forms are of this one */
    unsigned units;                /* of the volume that are there */
    char place[DEVICE_PLACE_ROOM]; /* bus0/target0/lun0 */

    struct tree_device *file;  /* NULL: there is no tree */
    char *path;                /* of that file; NULL: there is none */
    struct nbd_export *nbd;    /* NULL: it could not be made */
    struct loop_device *block; /* NULL: there is no tree, or no memory */
};

/* Does a program use it? Those that this process has open itself do not count. */
bool device_in_use(const struct local_device *device);

#endif
