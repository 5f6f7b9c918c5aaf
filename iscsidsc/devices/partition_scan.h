/* Reads the partition table of a disk. On the engine's thread. */
#ifndef DEVICES_PARTITION_SCAN_H
#define DEVICES_PARTITION_SCAN_H

#include "devices/disk.h"
#include "devices/partitions.h"

struct partition_scan;

/* NULL: out of memory. `found` is called after each time that the table was read. */
struct partition_scan *
partition_scan_new(struct disk *disk,
                   void (*found)(void *context, const struct partition *partitions), void *context);
/* Reads it, once more if that is being done. */
void partition_scan_start(struct partition_scan *scan);
/* `found` is not called any more. NULL is harmless. */
void partition_scan_free(struct partition_scan *scan);

#endif
