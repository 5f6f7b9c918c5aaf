/*
 * A driver for Wine that owns \\.\PhysicalDrive<N> and answers what Wine itself cannot: the disk
 * and storage control codes, and SCSI commands. What it reads and writes are the files
 *
 *   <prefix>/dosdevices/iscsidisk<N>/disk
 *
 * which lead to the devices of the native service (docs/devices.md).
 */
#ifndef ISCSIDISK_DISK_H
#define ISCSIDISK_DISK_H

#include <ntddk.h>

enum {
    DISK_TAG = 0x6b736469, /* of memory: "idsk" */
    DISK_PORT = 3,         /* of SCSI addresses: as the library tells them */
    DISK_FIRST = 1,
    DISK_LAST = 63,
    DISK_WORD_ROOM = 64,
    DISK_TEXT_ROOM = 256,
};

/* Of a device: its number. */
struct disk_device {
    ULONG number;
};

/* Opened once, by one handle of a program. */
struct disk {
    ULONG number;
    HANDLE file;
    BOOLEAN read_only;
    ULONG block; /* bytes */
    ULONGLONG size;
    BOOLEAN has_address;
    ULONG bus, target, lun;
    char vendor[9], product[17], revision[5];
    char serial[DISK_WORD_ROOM];
};

/* STATUS_NO_SUCH_DEVICE: there is no such disk (any more). */
NTSTATUS disk_open(struct disk *disk, ULONG number, BOOLEAN writing);
void disk_close(struct disk *disk);
/* All of it, or a status. */
NTSTATUS disk_read(struct disk *disk, ULONGLONG offset, void *out, ULONG length);
NTSTATUS disk_write(struct disk *disk, ULONGLONG offset, const void *data, ULONG length);
NTSTATUS disk_flush(struct disk *disk);
/* Its size as it is now. */
NTSTATUS disk_measure(struct disk *disk);

/* A control code with its buffer, which holds the input and takes the output. */
struct control {
    struct disk *disk;
    ULONG code;
    UCHAR *buffer;
    ULONG in_length, out_length;
    ULONG_PTR written;
    PIRP irp;
};

/* STATUS_INVALID_DEVICE_REQUEST: not known here. */
NTSTATUS disk_control(struct control *control);
NTSTATUS layout_control(struct control *control);
NTSTATUS pass_control(struct control *control);

/* A command; `data` holds what is written, or takes what is read. */
struct command {
    const UCHAR *cdb;
    ULONG cdb_length;
    UCHAR *data;
    ULONG length; /* of data; set to what was moved */
    BOOLEAN out;  /* the data is the caller's */
    UCHAR status; /* of SCSI */
    UCHAR sense[18];
};
void scsi_run(struct disk *disk, struct command *command);

#endif
