#include "os/storage.h"

#include "os/memory.h"
#include "os/posix/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct os_storage {
    int file;
};

enum status os_storage_open(const char *path, bool read_only, struct os_storage **out,
                            uint64_t *size)
{
    struct os_storage *storage = os_alloc(sizeof *storage);
    off_t end;

    if (storage == NULL)
        return STATUS_NO_MEMORY;
    storage->file = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    /* Seeking tells the size of block devices too. */
    end = storage->file >= 0 ? lseek(storage->file, 0, SEEK_END) : -1;
    if (end < 0) {
        enum status status = os_file_status(errno);

        os_storage_close(storage);
        return status;
    }
    *size = (uint64_t)end;
    *out = storage;
    return STATUS_OK;
}

static enum status lengthen(int file, uint64_t size, bool *made)
{
    struct stat found;

    if (fstat(file, &found) != 0)
        return os_file_status(errno);
    *made = S_ISREG(found.st_mode) && (uint64_t)found.st_size < size;
    if (*made && ftruncate(file, (off_t)size) != 0)
        return os_file_status(errno);
    return STATUS_OK;
}

enum status os_storage_make(const char *path, uint64_t size, bool *made)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum status status;

    *made = false;
    if (file < 0)
        return os_file_status(errno);
    status = lengthen(file, size, made);
    close(file);
    return status;
}

void os_storage_close(struct os_storage *storage)
{
    if (storage == NULL)
        return;
    if (storage->file >= 0)
        close(storage->file);
    os_free(storage);
}

bool os_storage_read(struct os_storage *storage, uint64_t offset, void *out, size_t length)
{
    uint8_t *at = out;

    while (length > 0) {
        ssize_t got = pread(storage->file, at, length, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

bool os_storage_write(struct os_storage *storage, uint64_t offset, const void *data, size_t length)
{
    const uint8_t *at = data;

    while (length > 0) {
        ssize_t put = pwrite(storage->file, at, length, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        at += put;
        offset += (uint64_t)put;
        length -= (size_t)put;
    }
    return true;
}

bool os_storage_free(struct os_storage *storage, uint64_t offset, uint64_t length)
{
    int done;

    do
        done = fallocate(storage->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                         (off_t)length);
    while (done < 0 && errno == EINTR);
    return done == 0;
}

bool os_storage_allocated(struct os_storage *storage, uint64_t offset, uint64_t *length)
{
    off_t data = lseek(storage->file, (off_t)offset, SEEK_DATA);
    off_t hole = data == (off_t)offset ? lseek(storage->file, data, SEEK_HOLE) : -1;

    *length = UINT64_MAX - offset;
    if (data < 0) /* ENXIO: nothing but a hole is left */
        return errno != ENXIO;
    if (data > (off_t)offset) {
        *length = (uint64_t)data - offset;
        return false;
    }
    if (hole > (off_t)offset)
        *length = (uint64_t)hole - offset;
    return true;
}

bool os_storage_flush(struct os_storage *storage)
{
    return fdatasync(storage->file) == 0;
}
