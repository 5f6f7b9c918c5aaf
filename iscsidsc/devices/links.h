/*
 * The links by which people find devices, as the classic Linux driver made them, and by what units
 * say of themselves:
 *
 *   bus<B>/target<T>/lun<L>/disk, part1 ... part15, generic
 *   by-name/<target>-lun-<L>[-part<N>]
 *   by-id/scsi-<kind><designator>[-part<N>]      of VPD page 83h, as udev names them
 *   by-serial/<vendor>_<product>_<serial>[-part<N>]
 *
 * Where two units say the same of themselves the name is that of the first. Partitions have their
 * links whether they are there or not. All of it may block.
 */
#ifndef DEVICES_LINKS_H
#define DEVICES_LINKS_H

#include "engine/units.h"
#include "os/block.h"

enum { LINKS_PARTITIONS = 15, LINK_NAME_ROOM = 320, LINK_PLACE_ROOM = 48 };

struct links {
    char place[LINK_PLACE_ROOM]; /* bus0/target0/lun0 */
    char name[LINK_NAME_ROOM];   /* below by-name, without the part; "": none, as of the rest */
    char id[LINK_NAME_ROOM];     /* by-id */
    char serial[LINK_NAME_ROOM]; /* by-serial */
    const char *directory;       /* of the links */
    const char *files;           /* of the devices' own files: <files>/<place>/disk */
    const char *disk;            /* the block device; NULL: the files themselves */
};

/* The names; directories and disk are the caller's. */
void links_describe(struct links *links, const char *place, const char *target,
                    const struct unit_facts *facts);
/* Each link: its path below the directory, and what it leads to. */
void links_each(const struct links *links,
                void (*found)(void *context, const char *name, const char *text), void *context);

/* The first thing that went wrong. */
enum status links_make(struct links *links);
/* Those that are still ours, and directories that are empty then. */
void links_remove(const struct links *links);

enum { LINKS_LOOPS_MOST = 64 };

/* What a service that was killed had: its files, and loop devices that may go only when their last
 * user does, such as a mount(8) on its way. */
struct links_left {
    const char *files;
    struct os_loopback loops[LINKS_LOOPS_MOST];
    size_t count;
};

/* After a process that was killed: those that lead nowhere, or to what it had. */
void links_remove_remains(const char *directory, const struct links_left *left);

#endif
