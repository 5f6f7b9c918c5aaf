/*
 * fstab.iscsi: which file systems of devices are mounted where. The format is that of fstab(5):
 *
 *     # device                                      mount point   type  options   dump  pass
 *     /dev/iscsi/by-name/iqn.2026-11.org:x-lun-0    /mnt/data     ext4  noatime   0     2
 *     UUID=0a3407de-014b-458b-b5c1-848e92a327a3     /srv/b\040c   auto  defaults
 */
#ifndef DEVICES_FSTAB_H
#define DEVICES_FSTAB_H

#include "os/memory.h"
#include "protocol/status.h"

#include <stdbool.h>

struct fstab_entry {
    const char *device; /* a path, or LABEL=, UUID=, PARTLABEL=, PARTUUID= */
    const char *point;
    const char *type;
    const char *options;
    unsigned pass; /* 0: not checked before it is mounted */
    unsigned line;
};

struct fstab {
    struct fstab_entry *entries;
    size_t count;
};

enum { FSTAB_ENTRIES_MOST = 1024 };

/* Of each line that is not understood and is left out: what is wrong with it. */
typedef void fstab_problem(void *context, unsigned line, const char *what);

/* In the arena. NO_MEMORY; CONFIGURATION: something was left out. */
enum status fstab_parse(struct fstab *fstab, struct os_arena *arena, const char *text,
                        fstab_problem *problem, void *context);
/* Is it to be mounted by itself? Swap space and "noauto" are not. */
bool fstab_is_automatic(const struct fstab_entry *entry);
/* Is the device named by what is in it? */
bool fstab_is_tag(const char *device);

#endif
