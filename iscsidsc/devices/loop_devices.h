/*
 * Loop devices: block devices of the system on the files of our devices, so that they can be
 * partitioned, formatted and mounted as any disk; the links that lead to them, and the file systems
 * that fstab.iscsi names. On the engine's thread, but for the start and the end; what may block is
 * done by a worker.
 */
#ifndef DEVICES_LOOP_DEVICES_H
#define DEVICES_LOOP_DEVICES_H

#include "engine/units.h"

struct loop_devices;
struct loop_device;

struct loop_devices_settings {
    struct os_loop *loop;
    const char *files; /* the directory of the devices' files: <files>/<place>/disk */
    const char *links; /* that of the links; "": there are none */
    const char *state; /* where fstab.iscsi is; else it is in /etc */
    bool attach;       /* else there are only the links, which lead to the files */
    uint32_t retries;  /* of a mount */
    uint32_t interval; /* seconds between them */
    /* Something of a device is otherwise now: whether it is ready, or withdrawn. */
    void (*changed)(void *context);
    void *context;
};

/* Before the files are there: what a process that was killed has left behind is removed. NO_MEMORY,
 * INVALID_PARAMETER (a path is too long). */
enum status loop_devices_new(struct loop_devices **out,
                             const struct loop_devices_settings *settings);
/* On the loop's thread, which ends. */
void loop_devices_leave(struct loop_devices *devices);
/* After the loop's end; what is under way is waited for. NULL is harmless. */
void loop_devices_free(struct loop_devices *devices);

/* Of the unit whose file is there now, at `place` (bus0/target0/lun0). NULL: out of memory. */
struct loop_device *loop_device_open(struct loop_devices *devices, const char *place,
                                     const struct unit *unit);
/* The file has another size, or its partitions may be others. One that may be written to now, or
 * no more, is attached anew; in use it stays as it is until it is renewed the next time. */
void loop_device_renew(struct loop_device *device, bool write_protected);
/* There is no way to the unit any more: what is left of the device goes by itself. */
void loop_device_close(struct loop_device *device);

/* As of struct exposure. */
bool loop_device_is_ready(const struct loop_device *device);
enum withdrawal loop_device_withdraw(struct loop_device *device, bool forced);
void loop_device_readmit(struct loop_device *device);
/* NULL: there is no loop device, or not any more. */
const char *loop_device_path(const struct loop_device *device);
/* Does the path mean the device: its node or a partition's, a link, a mount point? */
bool loop_device_is_called(struct loop_device *device, const char *path);

#endif
