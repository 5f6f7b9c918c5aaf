/* What a logical unit says of itself: INQUIRY and its vital product data (SPC-4, SBC-3). */
#include "protocol/scsi.h"

#include "target/internal.h"

#include <stdio.h>

#define VENDOR   "ISCSIDSC"
#define PRODUCT  "Virtual disk    "
#define REVISION "1.0 "

enum { NO_UNIT = 0x7f }; /* peripheral qualifier 3, type 1Fh: there can be no unit */

/* The same for a unit in every run: its target's name and its number. */
static uint64_t identity_of(const struct target *target, uint32_t lun)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    for (const char *c = target->name; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    return (hash ^ (uint64_t)lun) * 1099511628211u;
}

/* Locally assigned (SPC-4, 7.8.6.6.4). */
uint64_t target_unit_naa(const struct target *target, uint32_t lun)
{
    return (identity_of(target, lun) & 0x0fffffffffffffffu) | 0x3000000000000000u;
}

static void serial_of(const struct target_scsi *scsi, char serial[17])
{
    uint64_t identity = identity_of(scsi->target, (uint32_t)scsi->lun);

    for (int i = 15; i >= 0; i--, identity >>= 4)
        serial[i] = "0123456789abcdef"[identity & 15];
    serial[16] = '\0';
}

static void standard_inquiry(struct target_scsi *scsi, const struct target_disk *disk)
{
    uint8_t data[96] = {0};

    data[0] = disk == NULL ? NO_UNIT : 0x00;
    data[1] = disk != NULL && disk->removable ? 0x80 : 0x00;
    data[2] = 0x06; /* SPC-4 */
    data[3] = 0x12; /* HiSup, response data format 2 */
    data[4] = sizeof data - 5;
    data[5] = 0x08; /* 3PC: third-party copies */
    data[7] = 0x02; /* CmdQue */
    memcpy(data + 8, VENDOR, 8);
    memcpy(data + 16, PRODUCT, 16);
    memcpy(data + 32, REVISION, 4);
    put_be16(data + 58, 0x00a0); /* SAM-5 */
    put_be16(data + 60, 0x0960); /* iSCSI */
    put_be16(data + 62, 0x0460); /* SPC-4 */
    put_be16(data + 64, 0x04c0); /* SBC-3 */
    target_scsi_answer(scsi, data, sizeof data, get_be16(scsi->cdb + 3));
}

/* Device identification: one designator, returns the new length of the page. */
static size_t designator(uint8_t *page, size_t length, uint8_t code_set, uint8_t kind,
                         const void *text, size_t text_length)
{
    page[length] = code_set;
    page[length + 1] = kind;
    page[length + 2] = 0;
    page[length + 3] = (uint8_t)text_length;
    memcpy(page + length + 4, text, text_length);
    return length + 4 + text_length;
}

static size_t identification_page(const struct target_scsi *scsi, uint8_t *page)
{
    char serial[17];
    char vendor[8 + 16 + 1];
    char name[ISCSI_NAME_MAX + 5] = {0};
    uint8_t naa[8];
    size_t length = 4;

    serial_of(scsi, serial);
    snprintf(vendor, sizeof vendor, "%s%s", VENDOR, serial);
    length = designator(page, length, 0x02, 0x01, vendor, 24);
    put_be64(naa, target_unit_naa(scsi->target, (uint32_t)scsi->lun));
    length = designator(page, length, 0x01, 0x03, naa, sizeof naa);
    /* The target device itself: a SCSI name string, NUL-padded to four bytes. */
    memcpy(name, scsi->target->name, strlen(scsi->target->name));
    return designator(page, length, 0x53, 0xa8, name, (strlen(name) / 4 + 1) * 4);
}

/* Less than a block of the file system takes up space still. */
static uint32_t unmap_granularity(const struct target_disk *disk)
{
    uint32_t physical = 1u << disk->physical_exponent;
    uint32_t file = disk->file != NULL ? 4096 / disk->block_length : 1;

    return file > physical ? file : physical;
}

/* Block limits (SBC-3, 6.5.3), in blocks. */
static size_t limits_page(const struct target_disk *disk, uint8_t *page)
{
    uint32_t most = TARGET_TRANSFER_MAX / disk->block_length;

    page[5] = 255;                                                 /* COMPARE AND WRITE */
    put_be16(page + 6, (uint16_t)(1u << disk->physical_exponent)); /* optimal granularity */
    put_be32(page + 8, most);
    put_be32(page + 12, 262144 / disk->block_length); /* optimal */
    put_be32(page + 20, 0xffffffffu);                 /* UNMAP: any number of blocks */
    put_be32(page + 24, 4095);                        /* descriptors in 64 KiB */
    put_be32(page + 28, unmap_granularity(disk));
    return 64;
}

/* Block device characteristics: no rotation. */
static size_t characteristics_page(uint8_t *page)
{
    put_be16(page + 4, 1);
    return 64;
}

/* Logical block provisioning: UNMAP, WRITE SAME with UNMAP (10 and 16), and they read as zeros. */
static size_t provisioning_page(uint8_t *page)
{
    page[5] = 0x80 | 0x40 | 0x20 | 0x04;
    page[6] = 0x02; /* thin */
    return 8;
}

static void product_data(struct target_scsi *scsi, const struct target_disk *disk)
{
    uint8_t page[4 + 4 * 3 + 24 + 8 + ISCSI_NAME_MAX + 5] = {0};
    uint8_t code = scsi->cdb[2];
    char serial[17];
    size_t length;

    if (disk == NULL && code > 0x83) /* pages of a disk */
        code = 0xff;

    page[0] = disk == NULL ? NO_UNIT : 0x00;
    page[1] = code;
    switch (code) {
    case 0x00:
        memcpy(page + 4, "\x00\x80\x83\x8f\xb0\xb1\xb2", 7);
        length = disk == NULL ? 7 : 11;
        break;
    case 0x80:
        serial_of(scsi, serial);
        memcpy(page + 4, serial, 16);
        length = 20;
        break;
    case 0x83:
        length = identification_page(scsi, page);
        break;
    case 0x8f:
        length = target_copy_page(disk, page);
        break;
    case 0xb0:
        length = limits_page(disk, page);
        break;
    case 0xb1:
        length = characteristics_page(page);
        break;
    case 0xb2:
        length = provisioning_page(page);
        break;
    default:
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    put_be16(page + 2, (uint16_t)(length - 4));
    target_scsi_answer(scsi, page, length, get_be16(scsi->cdb + 3));
}

void target_scsi_inquiry(struct target_scsi *scsi, struct target_disk *disk)
{
    bool evpd = (scsi->cdb[1] & 1) != 0;

    if ((scsi->cdb[1] & 2) != 0 || (!evpd && scsi->cdb[2] != 0))
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    else if (evpd)
        product_data(scsi, disk);
    else
        standard_inquiry(scsi, disk);
}
