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
    target_reservations_init(&(*out)->reservations);
    return STATUS_OK;
}

static bool make_memory(struct target_disk *disk, uint64_t bytes)
{
    disk->ram = bytes <= SIZE_MAX ? target_buffer_zeros((size_t)bytes) : NULL;
    disk->memory = disk->ram != NULL ? disk->ram->bytes : NULL;
    return disk->memory != NULL;
}

enum status target_disk_ram(uint64_t bytes, uint32_t block_length, struct target_disk **out)
{
    enum status status = new_disk(block_length, out);

    if (status != STATUS_OK)
        return status;
    if (bytes == 0 || bytes % block_length != 0 || bytes > SIZE_MAX)
        status = STATUS_INVALID_PARAMETER;
    else if (!make_memory(*out, bytes))
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

enum status target_disk_cached(const char *path, uint32_t block_length, struct target_disk **out)
{
    enum status status = target_disk_file(path, block_length, false, out);
    struct target_disk *disk = *out;

    if (status != STATUS_OK)
        return status;
    disk->dirty = os_alloc((size_t)(disk->blocks / 8 + 1));
    if (disk->dirty == NULL || !make_memory(disk, target_disk_bytes(disk)))
        status = STATUS_NO_MEMORY;
    else if (!os_storage_read(disk->file, 0, disk->memory, (size_t)target_disk_bytes(disk)))
        status = STATUS_STORE_FAILED;
    if (status != STATUS_OK) {
        target_disk_free(disk);
        *out = NULL;
    }
    return status;
}

enum status target_disk_media(const struct target_media *media, void *context, uint64_t bytes,
                              uint32_t block_length, struct target_disk **out)
{
    enum status status = new_disk(block_length, out);

    if (status == STATUS_OK && (bytes == 0 || bytes % block_length != 0)) {
        target_disk_free(*out);
        *out = NULL;
        status = STATUS_INVALID_PARAMETER;
    }
    if (status != STATUS_OK)
        return status;
    (*out)->media = media;
    (*out)->media_context = context;
    (*out)->blocks = bytes / block_length;
    return STATUS_OK;
}

void target_disk_free(struct target_disk *disk)
{
    if (disk == NULL)
        return;
    if (disk->media != NULL)
        disk->media->release(disk->media_context);
    target_reservations_clear(&disk->reservations);
    os_storage_close(disk->reservations.file);
    os_storage_close(disk->file);
    os_free(disk->dirty);
    target_buffer_release(disk->ram);
    os_free(disk);
}

void target_disk_set_read_only(struct target_disk *disk)
{
    disk->read_only = true;
}

void target_disk_set_removable(struct target_disk *disk)
{
    disk->removable = true;
}

enum status target_disk_set_physical(struct target_disk *disk, uint32_t length)
{
    uint8_t exponent = 0;

    while (exponent < 15 && disk->block_length << exponent < length)
        exponent++;
    if (disk->block_length << exponent != length)
        return STATUS_INVALID_PARAMETER;
    disk->physical_exponent = exponent;
    return STATUS_OK;
}

void target_disk_on_change(struct target_disk *disk, target_disk_watch *watch, void *context)
{
    disk->watch = watch;
    disk->watch_context = context;
}

uint64_t target_disk_bytes(const struct target_disk *disk)
{
    return disk->blocks * disk->block_length;
}

uint8_t *target_disk_memory(struct target_disk *disk)
{
    return disk->memory;
}

void target_disk_reset(struct target_disk *disk)
{
    disk->reservations.legacy = NULL;
    disk->write_protect = disk->write_through = false;
}

/* --- reading and writing --- */

static bool medium_read(struct target_disk *disk, uint64_t offset, void *out, size_t length)
{
    if (disk->media != NULL)
        return disk->media->read(disk->media_context, offset, out, length);
    return os_storage_read(disk->file, offset, out, length);
}

static bool medium_write(struct target_disk *disk, uint64_t offset, const void *data, size_t length)
{
    if (disk->media != NULL)
        return disk->media->write(disk->media_context, offset, data, length);
    return os_storage_write(disk->file, offset, data, length);
}

static bool medium_flush(struct target_disk *disk)
{
    if (disk->media != NULL)
        return disk->media->flush(disk->media_context);
    return disk->file == NULL || os_storage_flush(disk->file);
}

static void tell(const struct target_disk *disk, enum target_disk_change change, uint64_t offset,
                 uint64_t length, const void *data)
{
    if (disk->watch != NULL)
        disk->watch(disk->watch_context, change, offset, length, data);
}

bool target_disk_read(struct target_disk *disk, uint64_t offset, void *out, size_t length)
{
    if (disk->memory == NULL)
        return medium_read(disk, offset, out, length);
    memcpy(out, disk->memory + offset, length);
    return true;
}

static void mark(struct target_disk *disk, uint64_t offset, uint64_t length)
{
    if (disk->dirty == NULL)
        return;
    for (uint64_t block = offset / disk->block_length; block * disk->block_length < offset + length;
         block++)
        disk->dirty[block / 8] |= (uint8_t)(1u << block % 8);
}

bool target_disk_write(struct target_disk *disk, uint64_t offset, const void *data, size_t length)
{
    if (disk->memory == NULL) {
        if (!medium_write(disk, offset, data, length))
            return false;
    } else {
        memcpy(disk->memory + offset, data, length);
        mark(disk, offset, length);
    }
    tell(disk, TARGET_DISK_WRITTEN, offset, length, data);
    return true;
}

static bool write_zeros(struct target_disk *disk, uint64_t offset, uint64_t length)
{
    static const uint8_t zeros[65536];

    while (length > 0) {
        size_t now = length < sizeof zeros ? (size_t)length : sizeof zeros;

        if (!medium_write(disk, offset, zeros, now))
            return false;
        offset += now;
        length -= now;
    }
    return true;
}

bool target_disk_zero(struct target_disk *disk, uint64_t offset, uint64_t length)
{
    if (disk->memory == NULL) {
        if ((disk->file == NULL || !os_storage_free(disk->file, offset, length)) &&
            !write_zeros(disk, offset, length))
            return false;
    } else {
        memset(disk->memory + offset, 0, (size_t)length);
        mark(disk, offset, length);
    }
    tell(disk, TARGET_DISK_ZEROED, offset, length, NULL);
    return true;
}

/* Space for a part of a block is space for the block. */
bool target_disk_mapped(struct target_disk *disk, uint64_t lba, uint64_t *count)
{
    uint64_t length;
    bool mapped;

    *count = disk->blocks - lba;
    if (disk->memory != NULL || disk->file == NULL)
        return true;
    mapped = os_storage_allocated(disk->file, lba * disk->block_length, &length);
    if (!mapped && length < disk->block_length) {
        *count = 1;
        return true;
    }
    length = length / disk->block_length + (mapped && length % disk->block_length != 0);
    if (length < *count)
        *count = length;
    return mapped;
}

/* What the file does not have of those blocks. */
static bool write_back(struct target_disk *disk, uint64_t offset, uint64_t length)
{
    uint64_t end = (offset + length) / disk->block_length;

    for (uint64_t block = offset / disk->block_length; block < end; block++) {
        if (!(disk->dirty[block / 8] & 1u << block % 8))
            continue;
        if (!medium_write(disk, block * disk->block_length,
                          disk->memory + block * disk->block_length, disk->block_length))
            return false;
        disk->dirty[block / 8] &= (uint8_t) ~(1u << block % 8);
    }
    return true;
}

bool target_disk_flush(struct target_disk *disk, uint64_t offset, uint64_t length)
{
    if (disk->dirty != NULL && !write_back(disk, offset, length))
        return false;
    if (!medium_flush(disk))
        return false;
    tell(disk, TARGET_DISK_FLUSHED, offset, length, NULL);
    return true;
}
