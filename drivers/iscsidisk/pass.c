/* SCSI pass-through: the command, its data and its sense in one buffer. The direct form, with data
 * in the caller's memory, is refused: drivers of Wine run in a process of their own, and cannot
 * reach it. */
#include "disk.h"

#include <ntddscsi.h>
#include <stddef.h>
#include <string.h>

enum { DATA_MOST = 1 << 20 };

/* What the two forms, of 32 and of 64 bits, have in common. */
struct request {
    SCSI_PASS_THROUGH head;
    ULONG size; /* of the form */
    UCHAR *data;
};

/* The forms differ in the width of one member and in what is behind it. */
static NTSTATUS read_request(const struct control *control, BOOLEAN narrow, struct request *request)
{
    SCSI_PASS_THROUGH32 small;
    request->size = narrow ? sizeof small : sizeof request->head;
    if (control->in_length < request->size)
        return STATUS_BUFFER_TOO_SMALL;
    if (!narrow) {
        memcpy(&request->head, control->buffer, sizeof request->head);
    } else {
        memcpy(&small, control->buffer, sizeof small);
        memcpy(&request->head, &small, offsetof(SCSI_PASS_THROUGH, DataBufferOffset));
        request->head.DataBufferOffset = small.DataBufferOffset;
        request->head.SenseInfoOffset = small.SenseInfoOffset;
        memcpy(request->head.Cdb, small.Cdb, sizeof small.Cdb);
    }
    if (request->head.Length != request->size || request->head.CdbLength > 16)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* What the command has set. */
static void write_request(struct control *control, BOOLEAN narrow, const struct request *request)
{
    size_t at = narrow ? offsetof(SCSI_PASS_THROUGH32, DataTransferLength)
                       : offsetof(SCSI_PASS_THROUGH, DataTransferLength);
    control->buffer[offsetof(SCSI_PASS_THROUGH, ScsiStatus)] = request->head.ScsiStatus;
    control->buffer[offsetof(SCSI_PASS_THROUGH, SenseInfoLength)] = request->head.SenseInfoLength;
    memcpy(control->buffer + at, &request->head.DataTransferLength, sizeof(ULONG));
}

static BOOLEAN fits(ULONGLONG offset, ULONG length, ULONG least, ULONG room)
{
    return length == 0 || (offset >= least && offset <= room && length <= room - offset);
}

static NTSTATUS check(const struct control *control, const struct request *request)
{
    const SCSI_PASS_THROUGH *head = &request->head;
    BOOLEAN out = head->DataIn == SCSI_IOCTL_DATA_OUT;
    if (head->DataIn > SCSI_IOCTL_DATA_UNSPECIFIED || head->DataTransferLength > DATA_MOST)
        return STATUS_INVALID_PARAMETER;
    if (control->out_length < request->size ||
        !fits(head->SenseInfoOffset, head->SenseInfoLength, request->size, control->out_length))
        return STATUS_INVALID_PARAMETER;
    if (!fits(head->DataBufferOffset, head->DataTransferLength, request->size,
              out ? control->in_length : control->out_length))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* --- running it --- */

static void run(struct control *control, struct request *request)
{
    SCSI_PASS_THROUGH *head = &request->head;
    BOOLEAN out = head->DataIn == SCSI_IOCTL_DATA_OUT;
    struct command command = {.cdb = head->Cdb,
                              .cdb_length = head->CdbLength,
                              .data = request->data,
                              .length = head->DataTransferLength,
                              .out = out};
    if (out)
        memcpy(request->data, control->buffer + head->DataBufferOffset, head->DataTransferLength);
    scsi_run(control->disk, &command);
    head->ScsiStatus = command.status;
    head->DataTransferLength = command.length;
    if (!out)
        memcpy(control->buffer + head->DataBufferOffset, request->data, command.length);
    if (command.status == 0)
        head->SenseInfoLength = 0;
    else if (head->SenseInfoLength > sizeof command.sense)
        head->SenseInfoLength = sizeof command.sense;
    memcpy(control->buffer + head->SenseInfoOffset, command.sense, head->SenseInfoLength);
}

static NTSTATUS pass_through(struct control *control)
{
    struct request request = {0};
    BOOLEAN narrow = IoIs32bitProcess(control->irp);
    NTSTATUS status = read_request(control, narrow, &request);
    if (NT_SUCCESS(status))
        status = check(control, &request);
    if (!NT_SUCCESS(status))
        return status;
    ULONG room = request.head.DataTransferLength + 1;
    request.data = ExAllocatePoolWithTag(NonPagedPool, room, DISK_TAG);
    if (request.data == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memset(request.data, 0, room);
    run(control, &request);
    ExFreePoolWithTag(request.data, DISK_TAG);
    write_request(control, narrow, &request);
    control->written = control->out_length;
    return STATUS_SUCCESS;
}

NTSTATUS pass_control(struct control *control)
{
    if (control->code == IOCTL_SCSI_PASS_THROUGH)
        return pass_through(control);
    return control->code == IOCTL_SCSI_PASS_THROUGH_DIRECT ? STATUS_NOT_SUPPORTED
                                                           : STATUS_INVALID_DEVICE_REQUEST;
}
