/* Control codes of disks and of storage, but for partitions (layout.c). */
#include "disk.h"

#include <ntdddisk.h>
#include <ntddscsi.h>
#include <ntddstor.h>
#include <stddef.h>
#include <string.h>

enum {
    HEADS = 255,
    SECTORS = 63,
    TRANSFER_MOST = 1 << 20,
    SCSI_DISK = 0,
};

/* As much of it as there is room for, and at least `least`. */
static NTSTATUS answer(struct control *control, const void *data, ULONG length, ULONG least)
{
    if (control->out_length < least)
        return STATUS_BUFFER_TOO_SMALL;
    control->written = control->out_length < length ? control->out_length : length;
    memcpy(control->buffer, data, control->written);
    return STATUS_SUCCESS;
}

/* --- size --- */

static DISK_GEOMETRY geometry_of(const struct disk *disk)
{
    DISK_GEOMETRY geometry = {
        .MediaType = FixedMedia,
        .TracksPerCylinder = HEADS,
        .SectorsPerTrack = SECTORS,
        .BytesPerSector = disk->block,
    };
    geometry.Cylinders.QuadPart =
        (LONGLONG)(disk->size / ((ULONGLONG)disk->block * HEADS * SECTORS));
    return geometry;
}

static NTSTATUS get_length(struct control *control)
{
    GET_LENGTH_INFORMATION length = {.Length.QuadPart = (LONGLONG)control->disk->size};
    return answer(control, &length, sizeof length, sizeof length);
}

static NTSTATUS get_geometry(struct control *control)
{
    DISK_GEOMETRY geometry = geometry_of(control->disk);
    return answer(control, &geometry, sizeof geometry, sizeof geometry);
}

static NTSTATUS get_geometry_ex(struct control *control)
{
    DISK_GEOMETRY_EX geometry = {.Geometry = geometry_of(control->disk)};
    geometry.DiskSize.QuadPart = (LONGLONG)control->disk->size;
    return answer(control, &geometry, sizeof geometry, offsetof(DISK_GEOMETRY_EX, Data));
}

static NTSTATUS get_capacity(struct control *control)
{
    const struct disk *disk = control->disk;
    STORAGE_READ_CAPACITY capacity = {
        .Version = sizeof capacity, .Size = sizeof capacity, .BlockLength = disk->block};
    capacity.NumberOfBlocks.QuadPart = (LONGLONG)(disk->size / disk->block);
    capacity.DiskLength.QuadPart = (LONGLONG)disk->size;
    return answer(control, &capacity, sizeof capacity, sizeof capacity);
}

/* --- what it is --- */

static NTSTATUS get_number(struct control *control)
{
    const STORAGE_DEVICE_NUMBER number = {.DeviceType = FILE_DEVICE_DISK,
                                          .DeviceNumber = control->disk->number};
    return answer(control, &number, sizeof number, sizeof number);
}

static NTSTATUS get_hotplug(struct control *control)
{
    const STORAGE_HOTPLUG_INFO hotplug = {.Size = sizeof hotplug, .DeviceHotplug = TRUE};
    return answer(control, &hotplug, sizeof hotplug, sizeof hotplug);
}

/* Behind a fixed part the texts, each with its offset. */
struct description {
    STORAGE_DEVICE_DESCRIPTOR fixed;
    char texts[9 + 17 + 5 + DISK_WORD_ROOM];
};

static ULONG add_text(struct description *out, ULONG *used, const char *text)
{
    ULONG length = (ULONG)strlen(text) + 1;
    ULONG offset = (ULONG)offsetof(struct description, texts) + *used;
    if (length == 1)
        return 0;
    memcpy(out->texts + *used, text, length);
    *used += length;
    return offset;
}

static NTSTATUS describe_device(struct control *control)
{
    const struct disk *disk = control->disk;
    struct description out = {0};
    ULONG used = 0;
    out.fixed = (STORAGE_DEVICE_DESCRIPTOR){.Version = sizeof out.fixed,
                                            .DeviceType = SCSI_DISK,
                                            .CommandQueueing = TRUE,
                                            .BusType = BusTypeiScsi};
    out.fixed.VendorIdOffset = add_text(&out, &used, disk->vendor);
    out.fixed.ProductIdOffset = add_text(&out, &used, disk->product);
    out.fixed.ProductRevisionOffset = add_text(&out, &used, disk->revision);
    out.fixed.SerialNumberOffset = add_text(&out, &used, disk->serial);
    out.fixed.Size = (ULONG)offsetof(struct description, texts) + used;
    /* Who asks for the size alone has room for a header. */
    return answer(control, &out, out.fixed.Size, sizeof(STORAGE_DESCRIPTOR_HEADER));
}

static NTSTATUS describe_adapter(struct control *control)
{
    const STORAGE_ADAPTER_DESCRIPTOR out = {.Version = sizeof out,
                                            .Size = sizeof out,
                                            .MaximumTransferLength = TRANSFER_MOST,
                                            .MaximumPhysicalPages = TRANSFER_MOST / 4096,
                                            .CommandQueueing = TRUE,
                                            .BusType = BusTypeiScsi,
                                            .BusMajorVersion = 1};
    return answer(control, &out, sizeof out, sizeof(STORAGE_DESCRIPTOR_HEADER));
}

static NTSTATUS describe_alignment(struct control *control)
{
    const STORAGE_ACCESS_ALIGNMENT_DESCRIPTOR out = {.Version = sizeof out,
                                                     .Size = sizeof out,
                                                     .BytesPerLogicalSector = control->disk->block,
                                                     .BytesPerPhysicalSector =
                                                         control->disk->block};
    return answer(control, &out, sizeof out, sizeof(STORAGE_DESCRIPTOR_HEADER));
}

static NTSTATUS query_property(struct control *control)
{
    STORAGE_PROPERTY_QUERY query;
    if (control->in_length < offsetof(STORAGE_PROPERTY_QUERY, AdditionalParameters))
        return STATUS_INVALID_PARAMETER;
    memcpy(&query, control->buffer, offsetof(STORAGE_PROPERTY_QUERY, AdditionalParameters));
    if (query.QueryType != PropertyStandardQuery && query.QueryType != PropertyExistsQuery)
        return STATUS_NOT_SUPPORTED;
    switch (query.PropertyId) {
    case StorageDeviceProperty:
    case StorageAdapterProperty:
    case StorageAccessAlignmentProperty:
        break;
    default:
        return STATUS_NOT_SUPPORTED;
    }
    if (query.QueryType == PropertyExistsQuery)
        return STATUS_SUCCESS;
    if (query.PropertyId == StorageDeviceProperty)
        return describe_device(control);
    return query.PropertyId == StorageAdapterProperty ? describe_adapter(control)
                                                      : describe_alignment(control);
}

/* --- as SCSI --- */

static NTSTATUS get_address(struct control *control)
{
    const struct disk *disk = control->disk;
    const SCSI_ADDRESS address = {.Length = sizeof address,
                                  .PortNumber = DISK_PORT,
                                  .PathId = (UCHAR)disk->bus,
                                  .TargetId = (UCHAR)disk->target,
                                  .Lun = (UCHAR)disk->lun};
    if (!disk->has_address)
        return STATUS_NOT_SUPPORTED;
    return answer(control, &address, sizeof address, sizeof address);
}

static NTSTATUS get_capabilities(struct control *control)
{
    const IO_SCSI_CAPABILITIES out = {.Length = sizeof out,
                                      .MaximumTransferLength = TRANSFER_MOST,
                                      .MaximumPhysicalPages = TRANSFER_MOST / 4096,
                                      .TaggedQueuing = TRUE};
    return answer(control, &out, sizeof out, sizeof out);
}

NTSTATUS disk_control(struct control *control)
{
    disk_measure(control->disk);
    switch (control->code) {
    case IOCTL_DISK_GET_LENGTH_INFO:
        return get_length(control);
    case IOCTL_DISK_GET_DRIVE_GEOMETRY:
        return get_geometry(control);
    case IOCTL_DISK_GET_DRIVE_GEOMETRY_EX:
        return get_geometry_ex(control);
    case IOCTL_STORAGE_READ_CAPACITY:
        return get_capacity(control);
    case IOCTL_STORAGE_GET_DEVICE_NUMBER:
        return get_number(control);
    case IOCTL_STORAGE_GET_HOTPLUG_INFO:
        return get_hotplug(control);
    case IOCTL_STORAGE_QUERY_PROPERTY:
        return query_property(control);
    case IOCTL_SCSI_GET_ADDRESS:
        return get_address(control);
    case IOCTL_SCSI_GET_CAPABILITIES:
        return get_capabilities(control);
    case IOCTL_DISK_IS_WRITABLE:
        return control->disk->read_only ? STATUS_MEDIA_WRITE_PROTECTED : STATUS_SUCCESS;
    case IOCTL_DISK_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY2:
    case IOCTL_DISK_UPDATE_PROPERTIES:
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}
