/* Mode pages: how a disk is set, and what of it can be changed (SPC-4, SBC-3). */
#include "protocol/scsi.h"

#include "target/internal.h"

enum {
    PAGE_RECOVERY = 0x01,
    PAGE_CACHING = 0x08,
    PAGE_CONTROL = 0x0a,
    PAGE_EXCEPTIONS = 0x1c,
    PAGE_ALL = 0x3f
};
enum { CACHING_WCE = 0x04, CONTROL_SWP = 0x08 };
enum { CHANGEABLE = 1, DEFAULT = 2, SAVED = 3 }; /* page control */

/* Each returns its length. `control`: which values. */
static size_t caching_page(const struct target_disk *disk, uint8_t *page, unsigned control)
{
    memset(page, 0, 20);
    page[0] = PAGE_CACHING;
    page[1] = 18;
    if (control == CHANGEABLE || control == DEFAULT || !disk->write_through)
        page[2] = CACHING_WCE; /* SYNCHRONIZE CACHE and FUA make data durable */
    return 20;
}

static size_t control_page(const struct target_disk *disk, uint8_t *page, unsigned control)
{
    memset(page, 0, 12);
    page[0] = PAGE_CONTROL;
    page[1] = 10;
    if (control == CHANGEABLE || (control != DEFAULT && disk->write_protect))
        page[4] = CONTROL_SWP;
    return 12;
}

/* Read-write error recovery: nothing is reallocated, and nothing is tried twice. */
static size_t recovery_page(uint8_t *page)
{
    memset(page, 0, 12);
    page[0] = PAGE_RECOVERY;
    page[1] = 10;
    return 12;
}

static size_t exceptions_page(uint8_t *page)
{
    memset(page, 0, 12);
    page[0] = PAGE_EXCEPTIONS;
    page[1] = 10;
    return 12;
}

/* Returns the length, 0 for a page that there is not. */
static size_t mode_pages(const struct target_disk *disk, uint8_t *out, const uint8_t *cdb)
{
    uint8_t page = cdb[2] & 0x3f;
    unsigned control = cdb[2] >> 6;
    size_t length = 0;

    if (cdb[3] != 0 && cdb[3] != 0xff)
        return 0;
    if (page == PAGE_RECOVERY || page == PAGE_ALL)
        length += recovery_page(out);
    if (page == PAGE_CACHING || page == PAGE_ALL)
        length += caching_page(disk, out + length, control);
    if (page == PAGE_CONTROL || page == PAGE_ALL)
        length += control_page(disk, out + length, control);
    if (page == PAGE_EXCEPTIONS || page == PAGE_ALL)
        length += exceptions_page(out + length);
    return length;
}

/* The short descriptor; with `is_long` the one of LLBAA (SBC-3, 6.3.2). */
static size_t block_descriptor(uint8_t *out, const struct target_disk *disk, bool is_long)
{
    if (is_long) {
        put_be64(out, disk->blocks);
        put_be32(out + 12, disk->block_length);
        return 16;
    }
    put_be32(out, disk->blocks > 0xffffffffu ? 0xffffffffu : (uint32_t)disk->blocks);
    put_be32(out + 4, disk->block_length); /* byte 4 is reserved, and 0 as lengths are below 2^24 */
    return 8;
}

void target_scsi_mode_sense(struct target_scsi *scsi, struct target_disk *disk)
{
    bool ten = scsi->cdb[0] == SCSI_MODE_SENSE_10;
    bool is_long = ten && scsi->cdb[1] & 0x10;
    size_t header = ten ? 8 : 4;
    uint8_t data[128] = {0};
    uint8_t specific = (uint8_t)(disk->read_only || disk->write_protect ? 0x90 : 0x10);
    size_t descriptor = 0;
    size_t pages;

    if (scsi->cdb[2] >> 6 == SAVED) {
        target_scsi_illegal(scsi, SCSI_ASC(0x39, 0x00));
        return;
    }
    if ((scsi->cdb[1] & 0x08) == 0) /* DBD */
        descriptor = block_descriptor(data + header, disk, is_long);
    pages = mode_pages(disk, data + header + descriptor, scsi->cdb);
    if (pages == 0) {
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    pages += header + descriptor;
    if (ten) {
        put_be16(data, (uint16_t)(pages - 2));
        data[3] = specific;
        data[4] = is_long && descriptor > 0;
        data[7] = (uint8_t)descriptor;
    } else {
        data[0] = (uint8_t)(pages - 1);
        data[2] = specific;
        data[3] = (uint8_t)descriptor;
    }
    target_scsi_answer(scsi, data, pages, ten ? get_be16(scsi->cdb + 7) : scsi->cdb[4]);
}

/* --- MODE SELECT --- */

/* Only what may change may differ from what is. */
static bool page_acceptable(const uint8_t *page, const uint8_t *now, const uint8_t *changeable,
                            size_t length)
{
    for (size_t i = 2; i < length; i++) {
        if ((page[i] ^ now[i]) & ~changeable[i])
            return false;
    }
    return true;
}

/* Checks or, with `apply`, takes one page; 0: it is not right. Returns its length. */
static size_t take_page(struct target_disk *disk, const uint8_t *page, size_t left, bool apply)
{
    uint8_t now[20], changeable[20];
    size_t length;

    if (left < 2)
        return 0;
    switch (page[0] & 0x7f) {
    case PAGE_CACHING:
        length = caching_page(disk, now, 0);
        caching_page(disk, changeable, CHANGEABLE);
        break;
    case PAGE_CONTROL:
        length = control_page(disk, now, 0);
        control_page(disk, changeable, CHANGEABLE);
        break;
    case PAGE_RECOVERY:
        length = recovery_page(now);
        memset(changeable, 0, sizeof changeable);
        break;
    case PAGE_EXCEPTIONS:
        length = exceptions_page(now);
        memset(changeable, 0, sizeof changeable);
        break;
    default:
        return 0;
    }
    if (length > left || page[1] != length - 2 || !page_acceptable(page, now, changeable, length))
        return 0;
    if (apply && (page[0] & 0x3f) == PAGE_CACHING)
        disk->write_through = (page[2] & CACHING_WCE) == 0;
    if (apply && (page[0] & 0x3f) == PAGE_CONTROL)
        disk->write_protect = (page[4] & CONTROL_SWP) != 0;
    return length;
}

static bool take_pages(struct target_disk *disk, const uint8_t *data, size_t length, bool apply)
{
    for (size_t at = 0; at < length;) {
        size_t page = take_page(disk, data + at, length - at, apply);

        if (page == 0)
            return false;
        at += page;
    }
    return true;
}

/* Zero blocks stand for what there is. */
static bool descriptor_fits(const uint8_t *data, size_t length, const struct target_disk *disk)
{
    uint32_t blocks = disk->blocks > 0xffffffffu ? 0xffffffffu : (uint32_t)disk->blocks;

    if (length == 0)
        return true;
    return length == 8 && get_be24(data + 5) == disk->block_length &&
           (get_be32(data) == 0 || get_be32(data) == blocks);
}

void target_scsi_mode_select(struct target_scsi *scsi, struct target_disk *disk)
{
    bool ten = scsi->cdb[0] == SCSI_MODE_SELECT_10;
    uint64_t length = ten ? get_be16(scsi->cdb + 7) : scsi->cdb[4];
    size_t header = ten ? 8 : 4;
    const uint8_t *data = scsi->data_out;
    size_t descriptor;

    if ((scsi->cdb[1] & 0x10) == 0 || scsi->cdb[1] & 1) { /* PF is a must, SP cannot be had */
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (length == 0 || !target_scsi_has(scsi, length))
        return;
    descriptor = length < header ? 0 : ten ? get_be16(data + 6) : data[3];
    if (length < header + descriptor) {
        target_scsi_illegal(scsi, SCSI_ASC_PARAMETER_LENGTH);
        return;
    }
    if (!descriptor_fits(data + header, descriptor, disk) ||
        !take_pages(disk, data + header + descriptor, (size_t)length - header - descriptor,
                    false)) {
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_PARAMETER);
        return;
    }
    take_pages(disk, data + header + descriptor, (size_t)length - header - descriptor, true);
    if (disk->write_through && !target_disk_flush(disk, 0, disk->blocks * disk->block_length))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
    target_attention_all(scsi->target, scsi->session, scsi_lun_encode((uint32_t)scsi->lun),
                         SCSI_ASC_MODE_CHANGED);
}
