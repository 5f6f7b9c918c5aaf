/* Random access to files that stand for disks: any size, no file position. */
#ifndef OS_STORAGE_H
#define OS_STORAGE_H

#include "protocol/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os_storage;

/* An existing file or block device. ACCESS_DENIED, STORE_READ_ONLY, NO_MEMORY, STORE_FAILED. */
enum status os_storage_open(const char *path, bool read_only, struct os_storage **out,
                            uint64_t *size);
/*
 * Sees to a regular file of at least that size: makes it, or makes it longer, with zeros that take
 * no room yet. `*made`: it did either. What is no regular file stays as it is. Statuses as above,
 * and STORE_FULL.
 */
enum status os_storage_make(const char *path, uint64_t size, bool *made);
void os_storage_close(struct os_storage *storage);
/* All of it or false; reading behind the end fails. */
bool os_storage_read(struct os_storage *storage, uint64_t offset, void *out, size_t length);
bool os_storage_write(struct os_storage *storage, uint64_t offset, const void *data, size_t length);
/* Makes zeros of it and gives the space back. False: that cannot be done here, and nothing changed
 * or some of it reads as zeros. */
bool os_storage_free(struct os_storage *storage, uint64_t offset, uint64_t length);
/* Is there space behind the byte at `offset`, and how many bytes further is that so? Where the
 * system does not tell, all of it has space. `*length` is at least 1, and may reach over the end.
 */
bool os_storage_allocated(struct os_storage *storage, uint64_t offset, uint64_t *length);
/* What was written is on the medium when this returns true. */
bool os_storage_flush(struct os_storage *storage);

#endif
