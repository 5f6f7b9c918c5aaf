/* A logical unit as a file: any offset and length, where units have blocks. */
#ifndef DISK_H
#define DISK_H

#include "devices/fuse/fuse_tree.h"
#include "iscsi.h"

/* False: out of memory. */
bool disk_file(iscsi_initiator_t *initiator, uint64_t target, int lun, const iscsi_unit_t *unit,
               struct fuse_tree_file *out);
/* When no file is served any more. */
void disk_free_all(void);

#endif
