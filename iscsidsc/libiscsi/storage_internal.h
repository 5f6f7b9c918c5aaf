/* Inside storage*.c. */
#ifndef LIBISCSI_STORAGE_INTERNAL_H
#define LIBISCSI_STORAGE_INTERNAL_H

#include "libiscsi/storage.h"
#include "os/storage.h"

enum storage_kind {
    STORAGE_FILE,
    STORAGE_MEMORY,
    STORAGE_CONCATENATION,
    STORAGE_MIRROR,
};

struct storage {
    enum storage_kind kind;
    char *name;
    uint64_t size;
    bool fresh; /* made, or made longer, at this start */
    /* of a file */
    char *path;
    uint64_t offset;
    struct os_storage *file;
    /* of memory */
    uint8_t *memory;
    /* of others */
    struct storage **pieces;
    size_t count;
    /* of copies */
    bool *lost;  /* by piece */
    size_t turn; /* which copy is read next */
    storage_lost *tell;
    void *context;
};

/* A storage of the pieces, which it owns also after a failure. */
enum status storage_group(const char *name, enum storage_kind kind, struct storage **pieces,
                          size_t count, struct storage **out);

/* --- mirror.c --- */

bool mirror_read(struct storage *mirror, uint64_t offset, void *out, size_t length);
bool mirror_write(struct storage *mirror, uint64_t offset, const void *data, size_t length);
bool mirror_flush(struct storage *mirror);

#endif
