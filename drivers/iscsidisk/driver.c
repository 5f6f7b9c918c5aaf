/* The devices, and the requests that programs make of them. */
#include "disk.h"

#include <stdio.h>

static NTSTATUS finish(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static struct disk *disk_of(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext;
}

/* --- opening and closing --- */

/* Wine gives programs a handle also when this fails: then all that is done with it does. */

static NTSTATUS NTAPI on_create(PDEVICE_OBJECT device, PIRP irp)
{
    const struct disk_device *own = device->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    ACCESS_MASK access = stack->Parameters.Create.SecurityContext != NULL
                             ? stack->Parameters.Create.SecurityContext->DesiredAccess
                             : FILE_READ_DATA | FILE_WRITE_DATA;
    BOOLEAN writing = (access & (FILE_WRITE_DATA | GENERIC_WRITE | GENERIC_ALL)) != 0;
    struct disk *disk = ExAllocatePoolWithTag(NonPagedPool, sizeof *disk, DISK_TAG);
    if (disk == NULL)
        return finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    NTSTATUS status = disk_open(disk, own->number, writing);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(disk, DISK_TAG);
        return finish(irp, status, 0);
    }
    stack->FileObject->FsContext = disk;
    return finish(irp, STATUS_SUCCESS, FILE_OPENED);
}

static NTSTATUS NTAPI on_close(PDEVICE_OBJECT device, PIRP irp)
{
    struct disk *disk = disk_of(irp);
    (void)device;
    if (disk != NULL) {
        disk_close(disk);
        ExFreePoolWithTag(disk, DISK_TAG);
    }
    IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext = NULL;
    return finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI on_cleanup(PDEVICE_OBJECT device, PIRP irp)
{
    (void)device;
    return finish(irp, STATUS_SUCCESS, 0);
}

/* --- moving data --- */

/* Whole blocks, as Windows asks of who opens a disk; what is behind the end is not there. */
static NTSTATUS check_range(const struct disk *disk, LONGLONG offset, ULONG length)
{
    if (offset < 0 || (ULONGLONG)offset % disk->block != 0 || length % disk->block != 0)
        return STATUS_INVALID_PARAMETER;
    if ((ULONGLONG)offset > disk->size || length > disk->size - (ULONGLONG)offset)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI on_read(PDEVICE_OBJECT device, PIRP irp)
{
    struct disk *disk = disk_of(irp);
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    ULONG length = stack->Parameters.Read.Length;
    LONGLONG offset = stack->Parameters.Read.ByteOffset.QuadPart;
    (void)device;
    NTSTATUS status = disk != NULL ? check_range(disk, offset, length) : STATUS_NO_SUCH_DEVICE;
    if (NT_SUCCESS(status))
        status = disk_read(disk, (ULONGLONG)offset, irp->AssociatedIrp.SystemBuffer, length);
    return finish(irp, status, NT_SUCCESS(status) ? length : 0);
}

static NTSTATUS NTAPI on_write(PDEVICE_OBJECT device, PIRP irp)
{
    struct disk *disk = disk_of(irp);
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    ULONG length = stack->Parameters.Write.Length;
    LONGLONG offset = stack->Parameters.Write.ByteOffset.QuadPart;
    (void)device;
    NTSTATUS status = disk != NULL ? check_range(disk, offset, length) : STATUS_NO_SUCH_DEVICE;
    if (NT_SUCCESS(status) && disk->read_only)
        status = STATUS_MEDIA_WRITE_PROTECTED;
    if (NT_SUCCESS(status))
        status = disk_write(disk, (ULONGLONG)offset, irp->AssociatedIrp.SystemBuffer, length);
    return finish(irp, status, NT_SUCCESS(status) ? length : 0);
}

static NTSTATUS NTAPI on_flush(PDEVICE_OBJECT device, PIRP irp)
{
    struct disk *disk = disk_of(irp);
    (void)device;
    return finish(irp, disk != NULL ? disk_flush(disk) : STATUS_NO_SUCH_DEVICE, 0);
}

/* --- control --- */

static NTSTATUS NTAPI on_control(PDEVICE_OBJECT device, PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    struct control control = {
        .disk = disk_of(irp),
        .code = stack->Parameters.DeviceIoControl.IoControlCode,
        .buffer = irp->AssociatedIrp.SystemBuffer,
        .in_length = stack->Parameters.DeviceIoControl.InputBufferLength,
        .out_length = stack->Parameters.DeviceIoControl.OutputBufferLength,
        .irp = irp,
    };
    (void)device;
    if (control.disk == NULL)
        return finish(irp, STATUS_NO_SUCH_DEVICE, 0);
    NTSTATUS status = disk_control(&control);
    if (status == STATUS_INVALID_DEVICE_REQUEST)
        status = layout_control(&control);
    if (status == STATUS_INVALID_DEVICE_REQUEST)
        status = pass_control(&control);
    return finish(irp, status, control.written);
}

/* --- the driver --- */

static void name_it(UNICODE_STRING *out, WCHAR room[DISK_WORD_ROOM], const WCHAR *format,
                    ULONG number)
{
    _snwprintf(room, DISK_WORD_ROOM - 1, format, number);
    room[DISK_WORD_ROOM - 1] = 0;
    RtlInitUnicodeString(out, room);
}

static void remove_device(PDEVICE_OBJECT device)
{
    WCHAR room[DISK_WORD_ROOM];
    UNICODE_STRING link;
    const struct disk_device *own = device->DeviceExtension;
    name_it(&link, room, L"\\DosDevices\\PhysicalDrive%u", own->number);
    IoDeleteSymbolicLink(&link);
    IoDeleteDevice(device);
}

/* A number that is another driver's stays so. */
static void add_device(PDRIVER_OBJECT driver, ULONG number)
{
    WCHAR name_room[DISK_WORD_ROOM], link_room[DISK_WORD_ROOM];
    UNICODE_STRING name, link;
    PDEVICE_OBJECT device;
    name_it(&name, name_room, L"\\Device\\IscsiDisk%u", number);
    name_it(&link, link_room, L"\\DosDevices\\PhysicalDrive%u", number);
    if (!NT_SUCCESS(IoCreateDevice(driver, sizeof(struct disk_device), &name, FILE_DEVICE_DISK, 0,
                                   FALSE, &device)))
        return;
    ((struct disk_device *)device->DeviceExtension)->number = number;
    device->Flags |= DO_BUFFERED_IO;
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    if (!NT_SUCCESS(IoCreateSymbolicLink(&link, &name)))
        IoDeleteDevice(device);
}

static void NTAPI on_unload(PDRIVER_OBJECT driver)
{
    while (driver->DeviceObject != NULL)
        remove_device(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry)
{
    (void)registry;
    driver->DriverUnload = on_unload;
    driver->MajorFunction[IRP_MJ_CREATE] = on_create;
    driver->MajorFunction[IRP_MJ_CLOSE] = on_close;
    driver->MajorFunction[IRP_MJ_CLEANUP] = on_cleanup;
    driver->MajorFunction[IRP_MJ_READ] = on_read;
    driver->MajorFunction[IRP_MJ_WRITE] = on_write;
    driver->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = on_flush;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = on_control;
    for (ULONG number = DISK_FIRST; number <= DISK_LAST; number++)
        add_device(driver, number);
    return STATUS_SUCCESS;
}
