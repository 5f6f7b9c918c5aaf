/*
 * What a logical unit keeps its blocks in: extents of files or memory, one behind the other
 * (RAID0) or as copies of each other (RAID1), and these in each other. A tree, owned by its root.
 */
#ifndef LIBISCSI_STORAGE_H
#define LIBISCSI_STORAGE_H

#include "target/target.h"

struct storage;

/* A copy has failed and is left out from now on; `name` is that of its extent or device. */
typedef void storage_lost(void *context, const char *name);

/* `name` and `file` are copied. `size` UINT64_MAX: all that is behind the offset; a regular file
 * that is shorter, or not there, is made as long when it is to be written. Statuses of
 * os_storage_open; INVALID_PARAMETER: nothing is behind the offset, or not that much. */
enum status storage_file(const char *name, const char *file, uint64_t offset, uint64_t size,
                         bool read_only, struct storage **out);
enum status storage_memory(const char *name, uint64_t size, struct storage **out);
/* The pieces belong to it from now on, also after a failure. */
enum status storage_concatenate(const char *name, struct storage **pieces, size_t count,
                                struct storage **out);
/*
 * INVALID_PARAMETER: the pieces are not of one size. A copy of which another one says that it was
 * lost is left out at once, and so is one that was not there while another was; BUSY: all copies
 * but one say of each other.
 */
enum status storage_mirror(const char *name, struct storage **pieces, size_t count,
                           storage_lost *lost, void *context, struct storage **out);
void storage_free(struct storage *storage);

uint64_t storage_size(const struct storage *storage);
bool storage_read(struct storage *storage, uint64_t offset, void *out, size_t length);
bool storage_write(struct storage *storage, uint64_t offset, const void *data, size_t length);
bool storage_flush(struct storage *storage);

/* Its context is the struct storage. */
extern const struct target_media storage_media;

#endif
