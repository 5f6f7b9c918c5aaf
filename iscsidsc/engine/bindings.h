/*
 * Persistent target binding: the file iscsi.bindings says which SCSI bus and target id a target
 * has, so that it is the same in each run. Everybody may edit it at any time, and several engines
 * may share it.
 */
#ifndef ENGINE_BINDINGS_H
#define ENGINE_BINDINGS_H

#include "engine/binding_table.h"
#include "os/loop.h"

struct engine;

/* Of the engine. */
struct bindings {
    char *path;       /* NULL: not found out yet */
    char *configured; /* BindingsFile, when it was */
    char *text;       /* of the file, as it was read or written last; NULL: there is none */
    size_t length;
    bool read;
    bool stamped; /* `stamp` tells whether it is still so */
    uint64_t stamp;
    uint64_t seen; /* when another text was seen there */
    uint64_t half; /* when a text was that somebody seems to be writing; 0: none */
    size_t half_length;
    struct binding_table table;
    struct os_timer timer; /* set: the file is to be written then */
    uint64_t written;      /* when it was */
    unsigned tries;        /* in a row that others were in the way */
    enum status failure;   /* that was told */
};

void bindings_init(struct bindings *bindings);

/* SCSI bus * 256 + target id of the target; NUMBERS_NONE: it has none. */
uint32_t bindings_find(struct engine *engine, const char *target);
/* The smallest that no target has, and no session; NUMBERS_NONE: there is none. */
uint32_t bindings_free_place(const struct engine *engine);
/* From now on the target, that has none, has this one. What cannot be written is told in the log,
 * and tried again. */
void bindings_add(struct engine *engine, const char *target, uint32_t place);

/* The engine ends: writes what is still to be written, within a bound. */
void bindings_end(struct engine *engine);
void bindings_clear(struct bindings *bindings);

#endif
