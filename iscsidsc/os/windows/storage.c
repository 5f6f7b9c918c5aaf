#include "os/storage.h"

#include "os/windows/wide.h"

#include <winioctl.h>

struct os_storage {
    HANDLE file;
};

static enum status storage_status(DWORD error)
{
    switch (error) {
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
        return STATUS_ACCESS_DENIED;
    case ERROR_WRITE_PROTECT:
        return STATUS_STORE_READ_ONLY;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
        return STATUS_NO_MEMORY;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
        return STATUS_STORE_FULL;
    default:
        return STATUS_STORE_FAILED;
    }
}

enum status os_storage_open(const char *path, bool read_only, struct os_storage **out,
                            uint64_t *size)
{
    struct os_storage *storage = os_alloc(sizeof *storage);
    wchar_t *wide = os_wide(path);
    DWORD access = GENERIC_READ | (read_only ? 0 : GENERIC_WRITE);
    LARGE_INTEGER end;

    if (storage == NULL || wide == NULL) {
        os_free(storage);
        os_free(wide);
        return STATUS_NO_MEMORY;
    }
    storage->file = CreateFileW(wide, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    os_free(wide);
    if (storage->file == INVALID_HANDLE_VALUE || !GetFileSizeEx(storage->file, &end)) {
        enum status status = storage_status(GetLastError());

        os_storage_close(storage);
        return status;
    }
    *size = (uint64_t)end.QuadPart;
    *out = storage;
    return STATUS_OK;
}

static enum status lengthen(HANDLE file, uint64_t size, bool *made)
{
    LARGE_INTEGER end;

    if (!GetFileSizeEx(file, &end))
        return storage_status(GetLastError());
    *made = (uint64_t)end.QuadPart < size;
    end.QuadPart = (LONGLONG)size;
    if (*made && (!SetFilePointerEx(file, end, NULL, FILE_BEGIN) || !SetEndOfFile(file)))
        return storage_status(GetLastError());
    return STATUS_OK;
}

enum status os_storage_make(const char *path, uint64_t size, bool *made)
{
    wchar_t *wide = os_wide(path);
    HANDLE file;
    enum status status;

    *made = false;
    if (wide == NULL)
        return STATUS_NO_MEMORY;
    file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                       OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    os_free(wide);
    if (file == INVALID_HANDLE_VALUE)
        return storage_status(GetLastError());
    status = lengthen(file, size, made);
    CloseHandle(file);
    return status;
}

void os_storage_close(struct os_storage *storage)
{
    if (storage == NULL)
        return;
    if (storage->file != INVALID_HANDLE_VALUE)
        CloseHandle(storage->file);
    os_free(storage);
}

static OVERLAPPED place_of(uint64_t offset)
{
    OVERLAPPED place = {0};

    place.Offset = (DWORD)offset;
    place.OffsetHigh = (DWORD)(offset >> 32);
    return place;
}

static DWORD part_of(size_t length)
{
    return length > 1u << 30 ? 1u << 30 : (DWORD)length;
}

bool os_storage_read(struct os_storage *storage, uint64_t offset, void *out, size_t length)
{
    uint8_t *at = out;

    while (length > 0) {
        OVERLAPPED place = place_of(offset);
        DWORD got;

        if (!ReadFile(storage->file, at, part_of(length), &got, &place) || got == 0)
            return false;
        at += got;
        offset += got;
        length -= got;
    }
    return true;
}

bool os_storage_write(struct os_storage *storage, uint64_t offset, const void *data, size_t length)
{
    const uint8_t *at = data;

    while (length > 0) {
        OVERLAPPED place = place_of(offset);
        DWORD put;

        if (!WriteFile(storage->file, at, part_of(length), &put, &place) || put == 0)
            return false;
        at += put;
        offset += put;
        length -= put;
    }
    return true;
}

/* In a file that is not sparse it makes the zeros, but gives nothing back. */
bool os_storage_free(struct os_storage *storage, uint64_t offset, uint64_t length)
{
    FILE_ZERO_DATA_INFORMATION range;
    DWORD none;

    range.FileOffset.QuadPart = (LONGLONG)offset;
    range.BeyondFinalZero.QuadPart = (LONGLONG)(offset + length);
    return DeviceIoControl(storage->file, FSCTL_SET_ZERO_DATA, &range, sizeof range, NULL, 0, &none,
                           NULL) != 0;
}

bool os_storage_allocated(struct os_storage *storage, uint64_t offset, uint64_t *length)
{
    (void)storage;
    *length = UINT64_MAX - offset;
    return true;
}

bool os_storage_flush(struct os_storage *storage)
{
    return FlushFileBuffers(storage->file) != 0;
}
