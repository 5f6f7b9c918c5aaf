/*
 * Devices: what programs of this machine open of the units that sessions have. Each volume gets
 * one, under the place of the first of its units, whichever paths lead to it; a unit whose place is
 * still another device's has none until that is gone:
 *
 *   <directory>/bus<B>/target<T>/lun<L>/disk   a file that is the disk
 *   <directory>/bus<B>/target<T>/lun<L>/nbd    a socket that serves it by NBD
 *
 * Without file systems in user space there is only the socket. Everything is done on the engine's
 * thread, but for what devices_start and devices_stop do.
 */
#ifndef DEVICES_DEVICES_H
#define DEVICES_DEVICES_H

#include "devices/loop_devices.h"
#include "engine/engine.h"

struct devices;

struct devices_settings {
    const char *directory; /* made when it is missing */
    /* Whose the files are: as of struct tree_settings. */
    uint32_t owner;
    uint32_t group;
    uint32_t mode;
    /* Without what devices_start knows better: `loop`, `files` and who is told of changes. */
    struct loop_devices_settings loops;
    /* A device could not be made, or (OK) is there now; may be NULL. */
    void (*told)(void *context, const char *path, enum status status);
    /* There will be no files, and why; may be NULL. */
    void (*without_tree)(void *context, enum status status);
    /* Wine prefixes, where devices get the names that Windows programs know (wine.h): those that
     * the administrator names, a colon between two; where those that clients tell of are kept; and
     * who is told which are used. */
    const char *prefixes;
    const char *prefixes_file;
    void (*prefix_told)(void *context, const char *path, enum status status);
    void *context;
};

/* What a process that was killed has left behind in the directory is removed first. NO_MEMORY,
 * INVALID_PARAMETER (the path is too long), BUSY (another process serves devices there), and what
 * os_make_private_directory gives. */
enum status devices_start(struct devices **out, struct engine *engine,
                          const struct devices_settings *settings);
/* Before engine_stop: all devices are withdrawn within a bound, and then removed. NULL is harmless.
 */
void devices_stop(struct devices *devices);

#endif
