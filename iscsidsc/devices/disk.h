/*
 * A volume as a disk of bytes, for who hands it on to programs: requests of any alignment. What
 * does not fit the blocks is read, changed and written back, and meanwhile nothing else changes
 * those blocks. On the engine's thread.
 */
#ifndef DEVICES_DISK_H
#define DEVICES_DISK_H

#include "engine/io.h"

enum { DISK_NAME_ROOM = 48 };

struct disk {
    char
        name[DISK_NAME_ROOM]; /* in the log, which is told of requests that failed; "": it is not */
    unsigned holds;
    struct volume *volume; /* held */
    uint32_t block;        /* bytes */
    uint64_t size;         /* the same */
    bool read_only;
    struct list changes;  /* requests under way that change something */
    struct list waiting;  /* those that would change the same blocks */
    unsigned unaligned;   /* of `changes`, those that change parts of blocks */
    unsigned outstanding; /* requests that have not ended */
    uint64_t told_since;  /* lines of the log are counted from then on (os_now): */
    unsigned told;
    unsigned untold; /* failures without a line */
};

/* Held once. NULL: out of memory. All that hand on one volume share its disk: only then are
 * changes to parts of one block kept apart. */
struct disk *disk_new(struct volume *volume);
void disk_hold(struct disk *disk);
/* It goes when nobody holds it and nothing is outstanding. NULL is harmless. */
void disk_release(struct disk *disk);
/* The volume's facts may be others. */
void disk_renew(struct disk *disk);

enum disk_request_kind {
    DISK_READ,
    DISK_WRITE,
    DISK_FLUSH,
    DISK_DISCARD, /* the blocks that are wholly inside */
    DISK_ZERO,
};

/* Owned by the submitter until `done`. */
struct disk_request {
    /* Set by the submitter. */
    struct disk *disk;
    enum disk_request_kind kind;
    uint64_t offset;
    uint64_t length;
    uint8_t *data; /* not changed by a write */
    bool force_unit_access;
    bool may_unmap; /* DISK_ZERO: as of an io */
    void (*done)(struct disk_request *request);
    void *context;

    /* The result: OK, OUT_OF_RANGE, WRITE_PROTECTED, NO_MEMORY, or what the last of the ios ended
     * with, which io.task.sense tells more of. */
    enum status status;

    /* Inside. */
    struct list link;
    struct io io;
    struct iov piece;
    uint8_t *scratch; /* a block, while one is changed in part */
    uint64_t at;
    uint64_t step; /* bytes that are under way */
    bool unaligned;
    bool writes_back;
    bool changing; /* it is in `changes` */
    bool flushed;  /* the flush behind what knows no FUA */
};

/* What the log is to call it. */
void disk_name(struct disk *disk, const char *name);

/* Of a request that failed by what became of its commands. For disk.c. */
void disk_log_failure(const struct disk_request *request);

/* `done` may be called from inside when there is nothing to be done. */
void disk_submit(struct disk_request *request);
/* Ends it with CANCELLED, from inside. */
void disk_cancel(struct disk_request *request);

#endif
