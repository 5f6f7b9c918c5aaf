#include "libiscsi/storage_internal.h"

#include "os/memory.h"

#include <string.h>

/* --- making --- */

static enum status new_storage(const char *name, enum storage_kind kind, struct storage **out)
{
    *out = os_alloc(sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    (*out)->kind = kind;
    (*out)->name = os_copy_text(name);
    if ((*out)->name != NULL)
        return STATUS_OK;
    os_free(*out);
    *out = NULL;
    return STATUS_NO_MEMORY;
}

/* Opens the file, made longer first where that is what the size asks for. */
static enum status open_file(struct storage *storage, bool read_only)
{
    uint64_t end = 0;
    enum status status = STATUS_OK;

    if (!read_only && storage->size != UINT64_MAX)
        status = os_storage_make(storage->path, storage->offset + storage->size, &storage->fresh);
    if (status == STATUS_OK)
        status = os_storage_open(storage->path, read_only, &storage->file, &end);
    if (status != STATUS_OK)
        return status;
    if (end <= storage->offset)
        return STATUS_INVALID_PARAMETER;
    if (storage->size == UINT64_MAX)
        storage->size = end - storage->offset;
    return storage->size <= end - storage->offset ? STATUS_OK : STATUS_INVALID_PARAMETER;
}

enum status storage_file(const char *name, const char *file, uint64_t offset, uint64_t size,
                         bool read_only, struct storage **out)
{
    enum status status = new_storage(name, STORAGE_FILE, out);

    if (status != STATUS_OK)
        return status;
    (*out)->path = os_copy_text(file);
    (*out)->offset = offset;
    (*out)->size = size;
    status = (*out)->path != NULL ? open_file(*out, read_only) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        return status;
    storage_free(*out);
    *out = NULL;
    return status;
}

enum status storage_memory(const char *name, uint64_t size, struct storage **out)
{
    enum status status = new_storage(name, STORAGE_MEMORY, out);

    if (status != STATUS_OK)
        return status;
    (*out)->size = size;
    (*out)->fresh = true;
    (*out)->memory = size <= SIZE_MAX ? os_alloc((size_t)size) : NULL;
    if ((*out)->memory != NULL)
        return STATUS_OK;
    storage_free(*out);
    *out = NULL;
    return STATUS_NO_MEMORY;
}

enum status storage_group(const char *name, enum storage_kind kind, struct storage **pieces,
                          size_t count, struct storage **out)
{
    enum status status = new_storage(name, kind, out);

    if (status == STATUS_OK) {
        (*out)->pieces = os_copy(pieces, count * sizeof(struct storage *));
        (*out)->count = count;
        if ((*out)->pieces != NULL)
            return STATUS_OK;
        (*out)->count = 0;
        status = STATUS_NO_MEMORY;
    }
    storage_free(*out);
    *out = NULL;
    for (size_t i = 0; i < count; i++)
        storage_free(pieces[i]);
    return status;
}

enum status storage_concatenate(const char *name, struct storage **pieces, size_t count,
                                struct storage **out)
{
    enum status status = storage_group(name, STORAGE_CONCATENATION, pieces, count, out);

    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        (*out)->fresh |= pieces[i]->fresh;
        if (pieces[i]->size > INT64_MAX - (*out)->size)
            status = STATUS_INVALID_PARAMETER;
        else
            (*out)->size += pieces[i]->size;
    }
    if (status != STATUS_OK) {
        storage_free(*out);
        *out = NULL;
    }
    return status;
}

void storage_free(struct storage *storage)
{
    if (storage == NULL)
        return;
    for (size_t i = 0; i < storage->count; i++)
        storage_free(storage->pieces[i]);
    os_storage_close(storage->file);
    os_free(storage->memory);
    os_free(storage->lost);
    os_free(storage->pieces);
    os_free(storage->path);
    os_free(storage->name);
    os_free(storage);
}

uint64_t storage_size(const struct storage *storage)
{
    return storage->size;
}

/* --- one behind the other --- */

static bool transfer(struct storage *storage, uint64_t offset, uint8_t *in, const uint8_t *out,
                     size_t length)
{
    return in != NULL ? storage_read(storage, offset, in, length)
                      : storage_write(storage, offset, out, length);
}

/* The part of each piece that the range touches; `in` or `out` is NULL. */
static bool each_part(struct storage *storage, uint64_t offset, uint8_t *in, const uint8_t *out,
                      size_t length)
{
    for (size_t i = 0; i < storage->count && length > 0; i++) {
        struct storage *piece = storage->pieces[i];
        size_t now = length;

        if (offset >= piece->size) {
            offset -= piece->size;
            continue;
        }
        if (now > piece->size - offset)
            now = (size_t)(piece->size - offset);
        if (!transfer(piece, offset, in, out, now))
            return false;
        in = in != NULL ? in + now : NULL;
        out = out != NULL ? out + now : NULL;
        length -= now;
        offset = 0;
    }
    return length == 0;
}

static bool flush_pieces(struct storage *storage)
{
    bool done = true;

    for (size_t i = 0; i < storage->count; i++)
        done &= storage_flush(storage->pieces[i]);
    return done;
}

/* --- reading and writing --- */

static bool within(const struct storage *storage, uint64_t offset, size_t length)
{
    return offset <= storage->size && length <= storage->size - offset;
}

bool storage_read(struct storage *storage, uint64_t offset, void *out, size_t length)
{
    if (!within(storage, offset, length))
        return false;
    switch (storage->kind) {
    case STORAGE_FILE:
        return os_storage_read(storage->file, storage->offset + offset, out, length);
    case STORAGE_MEMORY:
        memcpy(out, storage->memory + offset, length);
        return true;
    case STORAGE_CONCATENATION:
        return each_part(storage, offset, out, NULL, length);
    default:
        return mirror_read(storage, offset, out, length);
    }
}

bool storage_write(struct storage *storage, uint64_t offset, const void *data, size_t length)
{
    if (!within(storage, offset, length))
        return false;
    switch (storage->kind) {
    case STORAGE_FILE:
        return os_storage_write(storage->file, storage->offset + offset, data, length);
    case STORAGE_MEMORY:
        memcpy(storage->memory + offset, data, length);
        return true;
    case STORAGE_CONCATENATION:
        return each_part(storage, offset, NULL, data, length);
    default:
        return mirror_write(storage, offset, data, length);
    }
}

bool storage_flush(struct storage *storage)
{
    switch (storage->kind) {
    case STORAGE_FILE:
        return os_storage_flush(storage->file);
    case STORAGE_MEMORY:
        return true;
    case STORAGE_CONCATENATION:
        return flush_pieces(storage);
    default:
        return mirror_flush(storage);
    }
}

/* --- as a disk's media --- */

static bool media_read(void *context, uint64_t offset, void *out, size_t length)
{
    return storage_read(context, offset, out, length);
}

static bool media_write(void *context, uint64_t offset, const void *data, size_t length)
{
    return storage_write(context, offset, data, length);
}

static bool media_flush(void *context)
{
    return storage_flush(context);
}

static void media_release(void *context)
{
    storage_free(context);
}

const struct target_media storage_media = {media_read, media_write, media_flush, media_release};
