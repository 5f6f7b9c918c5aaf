/*
 * Devices: what programs of this machine open of the units that sessions have. Each volume gets
 * one, under the place of the first of its units, whichever paths lead to it:
 *
 *   <directory>/bus<B>/target<T>/lun<L>/nbd   a socket that serves the unit by NBD
 *
 * Everything on the engine's thread, but for devices_start and devices_stop.
 */
#ifndef DEVICES_DEVICES_H
#define DEVICES_DEVICES_H

#include "engine/engine.h"

struct devices;

struct devices_settings {
    const char *directory; /* made when it is missing */
    /* A device could not be made, or (OK) is there now; may be NULL. */
    void (*told)(void *context, const char *path, enum status status);
    void *context;
};

/* What a process that was killed has left behind in the directory is removed first. NO_MEMORY,
 * INVALID_PARAMETER (the path is too long), and what os_make_private_directory gives. */
enum status devices_start(struct devices **out, struct engine *engine,
                          const struct devices_settings *settings);
/* After engine_stop; NULL is harmless. */
void devices_free(struct devices *devices);

#endif
