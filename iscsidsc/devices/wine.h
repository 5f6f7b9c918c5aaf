/*
 * The names of devices in Wine prefixes: links in the directory where Wine looks for them,
 *
 *   <prefix>/dosdevices/physicaldrive<N>   to the device, and it is \\.\PhysicalDrive<N> at once
 *   <prefix>/dosdevices/cdrom<N>           of a CD drive
 *   <prefix>/dosdevices/iscsidisk<N>       to the directory of the device, for the driver of disks
 *
 * Where that driver, iscsidisk.sys, is installed, \\.\PhysicalDrive<N> is its: no such links then.
 *
 * Clients tell which prefix they run in, and iscsi.conf may name some. What is there under one of
 * these names and is no link of ours stays as it is. The prefixes are kept in a file: the next
 * start of the service uses them again, and removes what was left behind by one that was killed.
 */
#ifndef DEVICES_WINE_H
#define DEVICES_WINE_H

#include "devices/worker.h"
#include "protocol/status.h"

struct unit;
struct wine;

struct wine_settings {
    struct worker *worker;
    const char *root; /* of the directories of all devices */
    const char *file; /* NULL: nothing is kept */
    /* A link or prefix that cannot be had, or (OK) a prefix that is used from now on. */
    void (*told)(void *context, const char *path, enum status status);
    /* wine_is_current() has become true; from worker_free, too. */
    void (*changed)(void *changed_context);
    void *changed_context;
    void *context;
};

enum { WINE_PREFIXES_MOST = 64 };

/* NULL: out of memory. All calls but this one and wine_free on the engine's thread. */
struct wine *wine_new(const struct wine_settings *settings);
/* After worker_free; NULL is harmless. */
void wine_free(struct wine *wine);

/* Before the first call of others: prefixes that an administrator has named, a colon between two.
 */
void wine_name_prefixes(struct wine *wine, const char *paths);
/* What is kept is read now, links that were left behind go. */
void wine_begin(struct wine *wine);

/* A client says that he runs in it. INVALID_PARAMETER, BUSY (too many of them), NO_MEMORY; whether
 * the prefix may be used turns out later. */
enum status wine_use(struct wine *wine, const char *prefix);

/* The unit's device is that directory's `disk`; harmless for a unit that has no name there. */
void wine_add(struct wine *wine, const struct unit *unit, const char *directory);
void wine_remove(struct wine *wine, const struct unit *unit);

/* Is everything in the prefixes as it is to be? */
bool wine_is_current(const struct wine *wine);

#endif
