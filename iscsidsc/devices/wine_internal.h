/* What wine.c, on the engine's thread, has wine_links.c do, which may block. */
#ifndef DEVICES_WINE_INTERNAL_H
#define DEVICES_WINE_INTERNAL_H

#include "devices/wine.h"
#include "os/memory.h"

/* A link that is to be in every prefix. */
struct wine_name {
    const char *name;
    const char *text;
    bool fresh; /* nobody has been told yet that it cannot be had */
};

struct wine_place {
    const char *path;
    bool named;         /* by an administrator: it may be anybody's */
    bool retired;       /* nothing of ours is to be there any more */
    bool fresh;         /* as above */
    enum status status; /* how it went */
};

struct wine_problem {
    struct wine_problem *next;
    const char *path;
    enum status status;
};

/* All that is to be done once; everything that is pointed to lives in the arena. */
struct wine_plan {
    struct os_arena arena;
    const char *roots[2]; /* of devices: now, and of an earlier run (or NULL) */
    const char *file;
    const char *text; /* that the file is to hold; NULL: it stays */
    enum status text_status;
    struct wine_place *places;
    size_t place_count;
    struct wine_name *names;
    size_t name_count;
    struct wine_problem *problems;
};

void wine_run(struct wine_plan *plan);

#endif
