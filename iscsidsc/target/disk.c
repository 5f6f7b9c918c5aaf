/* What a logical unit stores its blocks in. */
#include "os/storage.h"
#include "target/internal.h"

static bool block_length_valid(uint32_t length)
{
    return length >= 512 && length <= 65536 && (length & (length - 1)) == 0;
}

static enum status new_disk(uint32_t block_length, struct target_disk **out)
{
    *out = NULL;
    if (!block_length_valid(block_length))
        return STATUS_INVALID_PARAMETER;
    *out = os_alloc(sizeof **out);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    (*out)->block_length = block_length;
    return STATUS_OK;
}

enum status target_disk_ram(uint64_t bytes, uint32_t block_length, struct target_disk **out)
{
    enum status status = new_disk(block_length, out);

    if (status != STATUS_OK)
        return status;
    if (bytes == 0 || bytes % block_length != 0 || bytes > SIZE_MAX)
        status = STATUS_INVALID_PARAMETER;
    else
        (*out)->memory = os_alloc((size_t)bytes);
    if (status == STATUS_OK && (*out)->memory == NULL)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        target_disk_free(*out);
        *out = NULL;
        return status;
    }
    (*out)->blocks = bytes / block_length;
    return STATUS_OK;
}

enum status target_disk_file(const char *path, uint32_t block_length, bool read_only,
                             struct target_disk **out)
{
    enum status status = new_disk(block_length, out);
    uint64_t size;

    if (status != STATUS_OK)
        return status;
    status = os_storage_open(path, read_only, &(*out)->file, &size);
    if (status == STATUS_OK && size < block_length)
        status = STATUS_INVALID_PARAMETER;
    if (status != STATUS_OK) {
        target_disk_free(*out);
        *out = NULL;
        return status;
    }
    (*out)->blocks = size / block_length;
    (*out)->read_only = read_only;
    return STATUS_OK;
}

void target_disk_free(struct target_disk *disk)
{
    if (disk == NULL)
        return;
    os_storage_close(disk->file);
    os_free(disk->memory);
    os_free(disk);
}

void target_disk_set_read_only(struct target_disk *disk)
{
    disk->read_only = true;
}

uint64_t target_disk_bytes(const struct target_disk *disk)
{
    return disk->blocks * disk->block_length;
}

uint8_t *target_disk_memory(struct target_disk *disk)
{
    return disk->memory;
}

bool target_disk_read(struct target_disk *disk, uint64_t offset, void *out, size_t length)
{
    if (disk->memory == NULL)
        return os_storage_read(disk->file, offset, out, length);
    memcpy(out, disk->memory + offset, length);
    return true;
}

bool target_disk_write(struct target_disk *disk, uint64_t offset, const void *data, size_t length)
{
    if (disk->memory == NULL)
        return os_storage_write(disk->file, offset, data, length);
    memcpy(disk->memory + offset, data, length);
    return true;
}

bool target_disk_flush(struct target_disk *disk)
{
    return disk->memory != NULL || os_storage_flush(disk->file);
}
