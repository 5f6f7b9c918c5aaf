/* A disk: a file of the native service, and what the files beside it tell of it. */
#include "disk.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK_STANDARD = 512 };

NTSYSAPI NTSTATUS NTAPI ZwFlushBuffersFile(HANDLE file, PIO_STATUS_BLOCK io);

/* --- files of the service --- */

static NTSTATUS open_file(HANDLE *out, ULONG number, const char *name, ACCESS_MASK access)
{
    WCHAR path[DISK_WORD_ROOM];
    UNICODE_STRING text;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    _snwprintf(path, DISK_WORD_ROOM - 1, L"\\??\\iscsidisk%u\\%S", number, name);
    path[DISK_WORD_ROOM - 1] = 0;
    RtlInitUnicodeString(&text, path);
    InitializeObjectAttributes(&attributes, &text, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    return ZwCreateFile(out, access | SYNCHRONIZE, &attributes, &io, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN,
                        FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE, NULL, 0);
}

/* The first line of generic/<name>; empty when there is none. */
static void read_fact(ULONG number, const char *name, char *out, size_t room)
{
    char path[DISK_WORD_ROOM];
    HANDLE file;
    IO_STATUS_BLOCK io = {0};
    LARGE_INTEGER start = {0};
    char text[DISK_TEXT_ROOM];
    out[0] = '\0';
    _snprintf(path, sizeof path, "generic\\%s", name);
    if (!NT_SUCCESS(open_file(&file, number, path, GENERIC_READ)))
        return;
    NTSTATUS status = ZwReadFile(file, NULL, NULL, NULL, &io, text, sizeof text - 1, &start, NULL);
    ZwClose(file);
    if (!NT_SUCCESS(status))
        return;
    size_t length = io.Information < room ? io.Information : room - 1;
    memcpy(out, text, length);
    out[length] = '\0';
    for (char *c = out; *c != '\0'; c++) {
        if (*c == '\r' || *c == '\n')
            *c = '\0';
    }
}

static ULONG read_number(ULONG number, const char *name, ULONG standard)
{
    char text[DISK_WORD_ROOM];
    ULONG value = 0;
    read_fact(number, name, text, sizeof text);
    if (text[0] < '0' || text[0] > '9')
        return standard;
    for (const char *c = text; *c >= '0' && *c <= '9'; c++)
        value = value * 10 + (ULONG)(*c - '0');
    return value;
}

/* "3:0:1:2": SCSI port, bus, target id and LUN, of the first way to it. */
static void read_address(struct disk *disk)
{
    char text[DISK_WORD_ROOM];
    ULONG parts[4] = {0};
    unsigned part = 0;
    read_fact(disk->number, "address", text, sizeof text);
    for (const char *c = text; *c != '\0' && part < 4; c++) {
        if (*c == ':')
            part++;
        else if (*c >= '0' && *c <= '9')
            parts[part] = parts[part] * 10 + (ULONG)(*c - '0');
    }
    disk->has_address = part >= 3;
    disk->bus = parts[1];
    disk->target = parts[2];
    disk->lun = parts[3];
}

static void read_facts(struct disk *disk)
{
    ULONG number = disk->number;
    read_fact(number, "vendor", disk->vendor, sizeof disk->vendor);
    read_fact(number, "model", disk->product, sizeof disk->product);
    read_fact(number, "revision", disk->revision, sizeof disk->revision);
    read_fact(number, "serial", disk->serial, sizeof disk->serial);
    disk->block = read_number(number, "block_size", BLOCK_STANDARD);
    if (disk->block == 0)
        disk->block = BLOCK_STANDARD;
    read_address(disk);
}

/* --- opening --- */

NTSTATUS disk_measure(struct disk *disk)
{
    IO_STATUS_BLOCK io;
    FILE_STANDARD_INFORMATION found;
    NTSTATUS status =
        ZwQueryInformationFile(disk->file, &io, &found, sizeof found, FileStandardInformation);
    if (NT_SUCCESS(status))
        disk->size = (ULONGLONG)found.EndOfFile.QuadPart;
    return status;
}

/* A disk that may not be written is opened all the same: who writes to it is told then. */
NTSTATUS disk_open(struct disk *disk, ULONG number, BOOLEAN writing)
{
    memset(disk, 0, sizeof *disk);
    disk->number = number;
    NTSTATUS status = STATUS_ACCESS_DENIED;
    if (writing)
        status = open_file(&disk->file, number, "disk", GENERIC_READ | GENERIC_WRITE);
    disk->read_only = !NT_SUCCESS(status);
    if (disk->read_only)
        status = open_file(&disk->file, number, "disk", GENERIC_READ);
    if (!NT_SUCCESS(status))
        return status == STATUS_ACCESS_DENIED ? status : STATUS_NO_SUCH_DEVICE;
    read_facts(disk);
    status = disk_measure(disk);
    if (!NT_SUCCESS(status))
        disk_close(disk);
    return status;
}

void disk_close(struct disk *disk)
{
    ZwClose(disk->file);
}

/* --- data --- */

static NTSTATUS all_of(NTSTATUS status, const IO_STATUS_BLOCK *io, ULONG length)
{
    if (!NT_SUCCESS(status))
        return status == STATUS_END_OF_FILE ? STATUS_INVALID_PARAMETER : STATUS_IO_DEVICE_ERROR;
    return io->Information == length ? STATUS_SUCCESS : STATUS_IO_DEVICE_ERROR;
}

NTSTATUS disk_read(struct disk *disk, ULONGLONG offset, void *out, ULONG length)
{
    IO_STATUS_BLOCK io = {0};
    LARGE_INTEGER at = {.QuadPart = (LONGLONG)offset};
    if (length == 0)
        return STATUS_SUCCESS;
    return all_of(ZwReadFile(disk->file, NULL, NULL, NULL, &io, out, length, &at, NULL), &io,
                  length);
}

NTSTATUS disk_write(struct disk *disk, ULONGLONG offset, const void *data, ULONG length)
{
    IO_STATUS_BLOCK io = {0};
    LARGE_INTEGER at = {.QuadPart = (LONGLONG)offset};
    if (length == 0)
        return STATUS_SUCCESS;
    return all_of(
        ZwWriteFile(disk->file, NULL, NULL, NULL, &io, (void *)(ULONG_PTR)data, length, &at, NULL),
        &io, length);
}

NTSTATUS disk_flush(struct disk *disk)
{
    IO_STATUS_BLOCK io = {0};
    return disk->read_only ? STATUS_SUCCESS : ZwFlushBuffersFile(disk->file, &io);
}
