/* Where this machine has the logical units of sessions, and which of them a service waits for. */
#include "msapi/mappings.h"
#include "os/system.h"

#include <string.h>

/* Values of STORAGE_DEVICE_NUMBER.DeviceType: FILE_DEVICE_CD_ROM and so on, which not every
 * platform's headers have. */
enum { STORAGE_CDROM = 0x02, STORAGE_DISK = 0x07, STORAGE_TAPE = 0x1f, STORAGE_CHANGER = 0x30 };

struct kind {
    uint32_t peripheral; /* SCSI device type */
    DWORD storage;
    ULONG interface; /* first part of the interface class's GUID */
};

static const struct kind *kind_of(uint32_t peripheral)
{
    static const struct kind kinds[] = {
        {0x00, STORAGE_DISK, 0x53f56307}, {0x01, STORAGE_TAPE, 0x53f5630b},
        {0x04, STORAGE_DISK, 0x53f5630c}, {0x05, STORAGE_CDROM, 0x53f56308},
        {0x07, STORAGE_DISK, 0x53f56307}, {0x08, STORAGE_CHANGER, 0x53f56310},
        {0x0e, STORAGE_DISK, 0x53f56307},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].peripheral == peripheral)
            return &kinds[i];
    }
    return NULL;
}

/* No class: zeros, as callers find in what they do not know. */
static void fill_kind(const struct device *from, GUID *interface, STORAGE_DEVICE_NUMBER *number)
{
    static const UCHAR rest[8] = {0x94, 0xf2, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b};
    const struct kind *kind = kind_of(from->type);
    number->DeviceNumber = from->number;
    number->PartitionNumber = from->partition;
    if (kind == NULL)
        return;
    number->DeviceType = kind->storage;
    interface->Data1 = kind->interface;
    interface->Data2 = 0xb6bf;
    interface->Data3 = 0x11d0;
    memcpy(interface->Data4, rest, sizeof rest);
}

static SCSI_ADDRESS address_of(const struct device *from)
{
    return (SCSI_ADDRESS){
        .Length = sizeof(SCSI_ADDRESS),
        .PortNumber = from->scsi_port,
        .PathId = from->scsi_bus,
        .TargetId = from->scsi_target,
        .Lun = from->scsi_lun,
    };
}

/* What the caller can open: a real device of his platform, else the name that Windows would give.
 */
static const char *name_to_open(const struct device *from)
{
    return from->path != NULL && os_has_device_files() ? from->path : from->legacy_name;
}

static ISDSC_STATUS change_list(enum text_form form, enum operation operation, const void *path)
{
    struct call call;
    call_begin(&call, form);
    struct request_add_persistent_device request = {.path = call_required_text(&call, path)};
    call_engine(&call, operation, &request, NULL);
    return call_end(&call);
}

static ISDSC_STATUS report_list(enum text_form form, ULONG *size, void *buffer)
{
    struct call call;
    struct request_list_persistent_devices request = {0};
    struct reply_list_persistent_devices reply;
    call_begin(&call, form);
    call_require(&call, size);
    if (!call_engine(&call, OPERATION_list_persistent_devices, &request, &reply))
        return call_end(&call);
    ISDSC_STATUS packed = pack_text_list(form, &reply.names, size, buffer);
    call_end(&call);
    return packed;
}

static ISDSC_STATUS bind_devices(void)
{
    struct call call;
    struct request_bind_persistent_devices request = {0};
    call_begin(&call, TEXT_ANSI);
    call_engine(&call, OPERATION_bind_persistent_devices, &request, NULL);
    return call_end(&call);
}

ISDSC_STATUS WINAPI SetupPersistentIScsiDevices(void)
{
    return bind_devices();
}

ISDSC_STATUS WINAPI SetupPersistentIScsiVolumes(void)
{
    return bind_devices();
}

ISDSC_STATUS WINAPI ClearPersistentIScsiDevices(void)
{
    struct call call;
    struct request_clear_persistent_devices request = {0};
    call_begin(&call, TEXT_ANSI);
    call_engine(&call, OPERATION_clear_persistent_devices, &request, NULL);
    return call_end(&call);
}

#define FORM_FILE "msapi/devices.inc"
#include "msapi/both_forms.h"
