/* Partitions, as Windows tells of them: what the tables of the disk say now. */
#include "disk.h"

#include <ntdddisk.h>
#include <stddef.h>
#include <string.h>

enum {
    SECTOR_MOST = 4096,
    MBR_TABLE = 446,
    MBR_SIGNATURE = 440,
    PRIMARY = 4,
    LOGICAL_MOST = 60,
    ENTRY_LENGTH = 128,
    ENTRIES_MOST = 128,
    HEADER_LENGTH = 92,
};

struct layout {
    struct disk *disk;
    DRIVE_LAYOUT_INFORMATION_EX *out;
    ULONG room; /* for entries */
    ULONG count;
    ULONG partitions; /* that are some */
};

static ULONG get_le32(const UCHAR *at)
{
    return (ULONG)at[0] | (ULONG)at[1] << 8 | (ULONG)at[2] << 16 | (ULONG)at[3] << 24;
}

static ULONGLONG get_le64(const UCHAR *at)
{
    return get_le32(at) | (ULONGLONG)get_le32(at + 4) << 32;
}

static BOOLEAN read_block(struct disk *disk, ULONGLONG block, UCHAR out[SECTOR_MOST])
{
    ULONGLONG blocks = disk->size / disk->block;
    return disk->block <= SECTOR_MOST && block < blocks &&
           NT_SUCCESS(disk_read(disk, block * disk->block, out, disk->block));
}

/* Counted, also when there is no room for it. */
static PARTITION_INFORMATION_EX *add(struct layout *layout)
{
    PARTITION_INFORMATION_EX *entry = NULL;
    if (layout->count < layout->room) {
        entry = &layout->out->PartitionEntry[layout->count];
        memset(entry, 0, sizeof *entry);
    }
    layout->count++;
    return entry;
}

/* --- MBR --- */

static BOOLEAN is_extended(UCHAR type)
{
    return type == 0x05 || type == 0x0f;
}

/* Blocks count from `base`. */
static void add_mbr(struct layout *layout, const UCHAR *raw, ULONGLONG base)
{
    UCHAR type = raw[4];
    ULONG number = type != 0 && !is_extended(type) ? ++layout->partitions : 0;
    PARTITION_INFORMATION_EX *entry = add(layout);
    if (entry == NULL || type == 0)
        return;
    ULONG block = layout->disk->block;
    entry->PartitionStyle = PARTITION_STYLE_MBR;
    entry->StartingOffset.QuadPart = (LONGLONG)((base + get_le32(raw + 8)) * block);
    entry->PartitionLength.QuadPart = (LONGLONG)((ULONGLONG)get_le32(raw + 12) * block);
    entry->PartitionNumber = number;
    entry->Mbr.PartitionType = type;
    entry->Mbr.BootIndicator = raw[0] == 0x80;
    entry->Mbr.RecognizedPartition = number != 0;
    entry->Mbr.HiddenSectors = get_le32(raw + 8);
}

/* Each table names one partition and the next table; a ring ends with the count. */
static void add_logical(struct layout *layout, ULONGLONG first)
{
    UCHAR sector[SECTOR_MOST];
    ULONGLONG at = first;
    for (int i = 0; i < LOGICAL_MOST && read_block(layout->disk, at, sector); i++) {
        if (sector[510] != 0x55 || sector[511] != 0xaa)
            return;
        for (int j = 0; j < PRIMARY; j++)
            add_mbr(layout, sector + MBR_TABLE + 16 * j, j == 0 ? at : first);
        ULONG next = get_le32(sector + MBR_TABLE + 16 + 8);
        if (!is_extended(sector[MBR_TABLE + 16 + 4]) || next == 0)
            return;
        at = first + next;
    }
}

static void list_mbr(struct layout *layout, const UCHAR *sector)
{
    layout->out->PartitionStyle = PARTITION_STYLE_MBR;
    layout->out->Mbr.Signature = get_le32(sector + MBR_SIGNATURE);
    for (int i = 0; i < PRIMARY; i++)
        add_mbr(layout, sector + MBR_TABLE + 16 * i, 0);
    for (int i = 0; i < PRIMARY; i++) {
        const UCHAR *raw = sector + MBR_TABLE + 16 * i;
        if (is_extended(raw[4]))
            add_logical(layout, get_le32(raw + 8));
    }
}

/* --- GPT (UEFI 2.10, 5.3) --- */

static ULONG crc32(ULONG crc, const UCHAR *data, ULONG length)
{
    crc = ~crc;
    for (ULONG i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static BOOLEAN is_header(const UCHAR *sector, ULONGLONG at)
{
    static const UCHAR zeros[4];
    if (memcmp(sector, "EFI PART", 8) != 0 || get_le32(sector + 12) != HEADER_LENGTH)
        return FALSE;
    ULONG crc = crc32(0, sector, 16);
    crc = crc32(crc, zeros, 4);
    crc = crc32(crc, sector + 20, HEADER_LENGTH - 20);
    return crc == get_le32(sector + 16) && get_le64(sector + 24) == at &&
           get_le32(sector + 84) == ENTRY_LENGTH && get_le32(sector + 80) <= ENTRIES_MOST;
}

/* NULL: they cannot be read, or are not what the header says. Freed by the caller. */
static UCHAR *read_entries(struct disk *disk, const UCHAR *header)
{
    ULONG length = get_le32(header + 80) * ENTRY_LENGTH;
    ULONG whole = (length + disk->block - 1) / disk->block * disk->block;
    ULONGLONG block = get_le64(header + 72);
    UCHAR *entries = whole > 0 ? ExAllocatePoolWithTag(NonPagedPool, whole, DISK_TAG) : NULL;
    if (entries == NULL)
        return NULL;
    if (block < disk->size / disk->block &&
        NT_SUCCESS(disk_read(disk, block * disk->block, entries, whole)) &&
        crc32(0, entries, length) == get_le32(header + 88))
        return entries;
    ExFreePoolWithTag(entries, DISK_TAG);
    return NULL;
}

static void add_gpt(struct layout *layout, const UCHAR *raw)
{
    PARTITION_INFORMATION_EX *entry = add(layout);
    ULONG number = ++layout->partitions;
    ULONGLONG first = get_le64(raw + 32), last = get_le64(raw + 40);
    ULONG block = layout->disk->block;
    if (entry == NULL)
        return;
    entry->PartitionStyle = PARTITION_STYLE_GPT;
    entry->StartingOffset.QuadPart = (LONGLONG)(first * block);
    entry->PartitionLength.QuadPart = (LONGLONG)((last - first + 1) * block);
    entry->PartitionNumber = number;
    memcpy(&entry->Gpt.PartitionType, raw, 16);
    memcpy(&entry->Gpt.PartitionId, raw + 16, 16);
    entry->Gpt.Attributes = get_le64(raw + 48);
    memcpy(entry->Gpt.Name, raw + 56, sizeof entry->Gpt.Name);
}

static BOOLEAN list_gpt_at(struct layout *layout, ULONGLONG at)
{
    static const UCHAR unused[16];
    UCHAR header[SECTOR_MOST];
    if (!read_block(layout->disk, at, header) || !is_header(header, at))
        return FALSE;
    UCHAR *entries = read_entries(layout->disk, header);
    if (entries == NULL)
        return FALSE;
    ULONGLONG first = get_le64(header + 40), last = get_le64(header + 48);
    DRIVE_LAYOUT_INFORMATION_GPT *gpt = &layout->out->Gpt;
    layout->out->PartitionStyle = PARTITION_STYLE_GPT;
    memcpy(&gpt->DiskId, header + 56, 16);
    gpt->StartingUsableOffset.QuadPart = (LONGLONG)(first * layout->disk->block);
    gpt->UsableLength.QuadPart = (LONGLONG)((last - first + 1) * layout->disk->block);
    gpt->MaxPartitionCount = get_le32(header + 80);
    for (ULONG i = 0; i < gpt->MaxPartitionCount; i++) {
        const UCHAR *raw = entries + i * ENTRY_LENGTH;
        if (memcmp(raw, unused, sizeof unused) != 0 && get_le64(raw + 40) >= get_le64(raw + 32))
            add_gpt(layout, raw);
    }
    ExFreePoolWithTag(entries, DISK_TAG);
    return TRUE;
}

/* --- either --- */

static void list(struct layout *layout)
{
    UCHAR sector[SECTOR_MOST];
    layout->out->PartitionStyle = PARTITION_STYLE_RAW;
    if (!read_block(layout->disk, 0, sector) || sector[510] != 0x55 || sector[511] != 0xaa)
        return;
    if (sector[MBR_TABLE + 4] != 0xee)
        list_mbr(layout, sector);
    else if (!list_gpt_at(layout, 1))
        list_gpt_at(layout, layout->disk->size / layout->disk->block - 1);
}

static NTSTATUS get_layout(struct control *control)
{
    const ULONG fixed = offsetof(DRIVE_LAYOUT_INFORMATION_EX, PartitionEntry);
    struct layout layout = {.disk = control->disk, .out = (void *)control->buffer};
    if (control->out_length < fixed)
        return STATUS_BUFFER_TOO_SMALL;
    memset(control->buffer, 0, fixed);
    layout.room = (control->out_length - fixed) / sizeof(PARTITION_INFORMATION_EX);
    list(&layout);
    if (layout.count > layout.room)
        return STATUS_BUFFER_TOO_SMALL;
    layout.out->PartitionCount = layout.count;
    control->written = fixed + layout.count * sizeof(PARTITION_INFORMATION_EX);
    return STATUS_SUCCESS;
}

/* The whole disk is partition 0. */
static NTSTATUS get_whole(struct control *control)
{
    PARTITION_INFORMATION_EX *whole = (void *)control->buffer;
    if (control->out_length < sizeof *whole)
        return STATUS_BUFFER_TOO_SMALL;
    memset(whole, 0, sizeof *whole);
    whole->PartitionStyle = PARTITION_STYLE_RAW;
    whole->PartitionLength.QuadPart = (LONGLONG)control->disk->size;
    control->written = sizeof *whole;
    return STATUS_SUCCESS;
}

NTSTATUS layout_control(struct control *control)
{
    if (control->code == IOCTL_DISK_GET_DRIVE_LAYOUT_EX)
        return get_layout(control);
    return control->code == IOCTL_DISK_GET_PARTITION_INFO_EX ? get_whole(control)
                                                             : STATUS_INVALID_DEVICE_REQUEST;
}
