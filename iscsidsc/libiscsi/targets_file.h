/*
 * The targets file of NetBSD's iscsi-target(8), see targets(5) there: text to lists. Knows
 * nothing of what the files in it hold.
 */
#ifndef LIBISCSI_TARGETS_FILE_H
#define LIBISCSI_TARGETS_FILE_H

#include "libiscsi/netmask.h"
#include "protocol/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TARGETS_DEPTH_MAX = 16,         /* devices of devices of devices */
    TARGETS_DEFINITIONS_MAX = 4096, /* lines that define something */
};

#define TARGETS_WHOLE UINT64_MAX /* size: all that the file has behind the offset */

struct targets_extent {
    const char *name;
    const char *file; /* or "ram:" */
    uint64_t offset;
    uint64_t size;
    unsigned line;
};

struct targets_piece {
    bool is_device; /* else an extent */
    size_t index;
};

struct targets_device {
    const char *name;
    unsigned level; /* 0: one behind the other; 1: copies of each other */
    struct targets_piece *pieces;
    size_t count;
    unsigned depth;
    unsigned line;
};

struct targets_lun {
    const char *name; /* "target0" */
    const char *iqn;  /* NULL: the library's name and this one */
    bool read_only;
    struct targets_piece storage;
    char network[NETMASK_ROOM]; /* netmask_normal */
    unsigned line;
};

struct targets_file {
    char *text; /* names and files lead into it */
    struct targets_extent *extents;
    size_t extent_count;
    struct targets_device *devices;
    size_t device_count;
    struct targets_lun *luns;
    size_t lun_count;
    struct targets_word *words; /* every name that was defined */
    size_t word_count;
};

/* False: `error` tells what, behind the number of the line ("3: ..."); the file is clear. */
bool targets_file_parse(struct targets_file *file, const char *text, size_t length, char *error,
                        size_t room);
void targets_file_clear(struct targets_file *file);

/* "100", "64MB" and so on. False: not a size, or too large. */
bool targets_size(const char *text, uint64_t *out);

#endif
