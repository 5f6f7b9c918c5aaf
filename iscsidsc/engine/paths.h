/*
 * The ways to a volume: each is a logical unit of a session. Which of them an io takes is the
 * volume's policy; a path whose session has lost its connections is none for as long, and after a
 * login none before the unit is known to be the same as before (docs/data-path.md).
 */
#ifndef ENGINE_PATHS_H
#define ENGINE_PATHS_H

#include "engine/sessions.h"

struct unit;
struct volume;

/* The numbers of Windows' MPIO. */
enum path_policy {
    PATH_FAIL_OVER_ONLY = 1,    /* one path, the preferred one when it can be had */
    PATH_ROUND_ROBIN = 2,       /* all in turn */
    PATH_LEAST_QUEUE_DEPTH = 4, /* that with the fewest commands under way */
};

enum path_state {
    PATH_ACTIVE,
    PATH_STANDBY, /* it could carry commands, but another one does */
    PATH_FAILED,  /* its session has no connection, or it is not known yet what is behind it now */
    PATH_REMOVED, /* it has no volume */
};

struct io_statistics {
    uint64_t reads, writes, others; /* commands that ended well */
    uint64_t bytes_read, bytes_written;
    uint64_t errors;  /* commands that failed */
    uint64_t retries; /* that were sent once more */
};

/* Of a unit. */
struct path {
    struct list link; /* of its volume */
    struct volume *volume;
    struct unit *unit;
    bool verified; /* there is the unit that there was */
    bool preferred;
    uint64_t verify_until; /* while it is not: who waits for it does so until then */
    uint32_t outstanding;  /* commands under way */
    struct io_statistics statistics;
};

/* --- the life of a path --- */

/* The unit was found: its path joins the volume that it is of, or a new one. Out of memory: none,
 * and no io goes there. */
void path_join(struct unit *unit);
/* It is there no more. */
void path_leave(struct unit *unit);
/* The unit behind it is the same as ever, and its facts may be new. */
void path_verify(struct unit *unit);
/* It may be another one by now. */
void path_doubt(struct unit *unit);
/* Is it doubted, and does anybody wait for it? */
bool path_is_awaited(const struct unit *unit);

/* --- choosing --- */

/* The path for the next command; `avoid`, if there is another. NULL: none can be had. */
struct path *path_choose(struct volume *volume, const struct path *avoid);
/* Until when it is worth while to wait for one; 0: it is not. */
uint64_t path_hope(const struct volume *volume);
/* Somebody waits for one: what is behind those that are doubted is asked, unless it is already. */
void path_ask(struct volume *volume);

enum path_state path_state(const struct path *path);
/* At most one of a volume is. */
void path_prefer(struct path *path);

#endif
