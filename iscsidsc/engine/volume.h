/*
 * Volumes: what is behind the logical units. Units of several sessions that are the same thing are
 * paths of one volume: units of one target with the same identity and LUN, and units of different
 * targets whose identities (VPD page 83h) are of a kind that is unique in the world.
 */
#ifndef ENGINE_VOLUME_H
#define ENGINE_VOLUME_H

#include "engine/units.h"

struct volume {
    struct list link; /* of the engine */
    struct engine *engine;
    char *target;            /* of the first path */
    struct unit_facts facts; /* the latest of any path */
    enum path_policy policy;
    struct list paths;   /* struct path; the one used last is at the end */
    struct path *chosen; /* fail-over only */
    struct list waiting; /* struct io */
    unsigned holds;
    struct io_statistics statistics;
    void *exposed; /* of whoever makes a device of it */
};

/* It stays, with or without paths, until it is released as often. When the same thing is found
 * again later it is the same volume. On the engine's thread, as all here. */
void volume_hold(struct volume *volume);
void volume_release(struct volume *volume);

/* INVALID_PARAMETER: no such policy. */
enum status volume_set_policy(struct volume *volume, enum path_policy policy);

/* For paths.c. */
struct volume *volume_for(struct unit *unit);
void volume_forget_if_unused(struct volume *volume);

#endif
