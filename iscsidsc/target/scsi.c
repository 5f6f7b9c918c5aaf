/* SCSI commands of a disk (SPC-4, SBC-3). */
#include "protocol/scsi.h"

#include "target/internal.h"

/* A range of blocks as a READ, WRITE or SYNCHRONIZE CACHE names it. */
struct range {
    uint64_t lba;
    uint32_t blocks;
    bool protect; /* protection information, which we have none of, is to be checked */
    bool force_unit_access;
};

void target_scsi_fail(struct target_scsi *scsi, uint8_t key, uint16_t asc)
{
    scsi->status = SCSI_CHECK_CONDITION;
    scsi->sense_length = sizeof scsi->sense;
    scsi_sense_encode(scsi->sense, key, asc);
}

static void illegal(struct target_scsi *scsi, uint16_t asc)
{
    target_scsi_fail(scsi, SCSI_ILLEGAL_REQUEST, asc);
}

void target_scsi_answer(struct target_scsi *scsi, const uint8_t *data, size_t length,
                        uint32_t allocation)
{
    if (length > allocation)
        length = allocation;
    scsi->data_length = length;
    if (length == 0)
        return;
    scsi->buffer = target_buffer_new(length);
    if (scsi->buffer == NULL) {
        scsi->status = SCSI_BUSY;
        scsi->data_length = 0;
        return;
    }
    memcpy(scsi->buffer->bytes, data, length);
    scsi->data = scsi->buffer->bytes;
}

static struct range range_of(const uint8_t *cdb)
{
    struct range range = {0};

    switch (scsi_cdb_length(cdb[0])) {
    case 6:
        range.lba = get_be24(cdb + 1) & 0x1fffff;
        range.blocks = cdb[4] == 0 ? 256 : cdb[4];
        return range;
    case 10:
        range.lba = get_be32(cdb + 2);
        range.blocks = get_be16(cdb + 7);
        break;
    case 12:
        range.lba = get_be32(cdb + 2);
        range.blocks = get_be32(cdb + 6);
        break;
    default:
        range.lba = get_be64(cdb + 2);
        range.blocks = get_be32(cdb + 10);
        break;
    }
    range.protect = (cdb[1] & 0xe0) != 0;
    range.force_unit_access = (cdb[1] & 0x08) != 0;
    return range;
}

static bool range_fits(const struct target_disk *disk, const struct range *range)
{
    return range->lba <= disk->blocks && range->blocks <= disk->blocks - range->lba;
}

/* Checks the range of a data command, and fails it when it does not hold. */
static bool range_valid(struct target_scsi *scsi, const struct target_disk *disk,
                        const struct range *range)
{
    if (!range_fits(disk, range)) {
        illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
        return false;
    }
    if (range->protect || (uint64_t)range->blocks * disk->block_length > TARGET_TRANSFER_MAX) {
        illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return false;
    }
    return true;
}

static bool is_write(uint8_t opcode)
{
    return opcode == SCSI_WRITE_6 || opcode == SCSI_WRITE_10 || opcode == SCSI_WRITE_12 ||
           opcode == SCSI_WRITE_16;
}

uint32_t target_scsi_takes(const struct target *target, int64_t lun, const uint8_t *cdb)
{
    const struct target_disk *disk = target_disk_at(target, lun);
    struct range range;

    if (disk == NULL || !is_write(cdb[0]) || disk->read_only)
        return 0;
    range = range_of(cdb);
    if (!range_fits(disk, &range) ||
        (uint64_t)range.blocks * disk->block_length > TARGET_TRANSFER_MAX)
        return 0;
    return range.blocks * disk->block_length;
}

static void do_read(struct target_scsi *scsi, struct target_disk *disk)
{
    struct range range = range_of(scsi->cdb);
    uint64_t offset = range.lba * disk->block_length;
    size_t length;

    if (!range_valid(scsi, disk, &range))
        return;
    scsi->data_length = (uint64_t)range.blocks * disk->block_length;
    length = scsi->data_length < scsi->expected_length ? (size_t)scsi->data_length
                                                       : scsi->expected_length;
    if (length == 0)
        return;
    /* A copy, as a write may change the disk while the data wait to be sent, digests computed. */
    scsi->buffer = target_buffer_new(length);
    if (scsi->buffer == NULL) {
        scsi->status = SCSI_BUSY;
        scsi->data_length = 0;
        return;
    }
    scsi->data = scsi->buffer->bytes;
    if (!target_disk_read(disk, offset, scsi->buffer->bytes, length)) {
        scsi->data_length = 0;
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x11, 0x00));
    }
}

static void do_write(struct target_scsi *scsi, struct target_disk *disk)
{
    struct range range = range_of(scsi->cdb);
    uint64_t offset = range.lba * disk->block_length;
    size_t length = scsi->data_out_length;

    if (disk->read_only) {
        target_scsi_fail(scsi, SCSI_DATA_PROTECT, SCSI_ASC_WRITE_PROTECTED);
        return;
    }
    if (!range_valid(scsi, disk, &range))
        return;
    scsi->data_length = (uint64_t)range.blocks * disk->block_length;
    length -= length % disk->block_length; /* an initiator that sends less than it names blocks */
    if (length > 0 && !target_disk_write(disk, offset, scsi->data_out, length))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
    else if (range.force_unit_access && !target_disk_flush(disk))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
}

static void do_synchronize(struct target_scsi *scsi, struct target_disk *disk)
{
    struct range range = range_of(scsi->cdb);

    if (!range_fits(disk, &range))
        illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
    else if (!target_disk_flush(disk))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
}

static void do_read_capacity_10(struct target_scsi *scsi, const struct target_disk *disk)
{
    uint64_t last = disk->blocks - 1;
    uint8_t data[8];

    put_be32(data, last > 0xffffffffu ? 0xffffffffu : (uint32_t)last);
    put_be32(data + 4, disk->block_length);
    target_scsi_answer(scsi, data, sizeof data, sizeof data);
}

static void do_service_action_in(struct target_scsi *scsi, const struct target_disk *disk)
{
    uint8_t data[32] = {0};

    if ((scsi->cdb[1] & 0x1f) != SCSI_SERVICE_ACTION_READ_CAPACITY_16) {
        illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    put_be64(data, disk->blocks - 1);
    put_be32(data + 8, disk->block_length);
    target_scsi_answer(scsi, data, sizeof data, get_be32(scsi->cdb + 10));
}

static void do_request_sense(struct target_scsi *scsi, const struct target_disk *disk)
{
    uint8_t data[18];

    /* Sense of failed commands travels with their status, so none is left; but a unit that is
     * not there says so here (SPC-4, 6.39). */
    if (disk == NULL)
        scsi_sense_encode(data, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LUN_NOT_SUPPORTED);
    else
        scsi_sense_encode(data, SCSI_NO_SENSE, 0);
    target_scsi_answer(scsi, data, sizeof data, scsi->cdb[4]);
}

void target_scsi_report_luns(struct target_scsi *scsi)
{
    uint8_t data[8 + 8 * (TARGET_LUN_MAX + 1)] = {0};
    size_t length = 8;

    if (scsi->cdb[2] > 0x02) {
        illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    /* Report 1 asks for well-known units, which there are none of. */
    for (uint32_t lun = 0; lun < scsi->target->disk_room && scsi->cdb[2] != 1; lun++) {
        if (scsi->target->disks[lun] == NULL)
            continue;
        put_be64(data + length, scsi_lun_encode(lun));
        length += 8;
    }
    put_be32(data, (uint32_t)length - 8);
    target_scsi_answer(scsi, data, length, get_be32(scsi->cdb + 6));
}

static void execute_on_disk(struct target_scsi *scsi, struct target_disk *disk)
{
    switch (scsi->cdb[0]) {
    case SCSI_TEST_UNIT_READY:
    case SCSI_START_STOP_UNIT:
        break;
    case SCSI_READ_CAPACITY_10:
        do_read_capacity_10(scsi, disk);
        break;
    case SCSI_SERVICE_ACTION_IN_16:
        do_service_action_in(scsi, disk);
        break;
    case SCSI_MODE_SENSE_6:
    case SCSI_MODE_SENSE_10:
        target_scsi_mode_sense(scsi, disk);
        break;
    case SCSI_READ_6:
    case SCSI_READ_10:
    case SCSI_READ_12:
    case SCSI_READ_16:
        do_read(scsi, disk);
        break;
    case SCSI_WRITE_6:
    case SCSI_WRITE_10:
    case SCSI_WRITE_12:
    case SCSI_WRITE_16:
        do_write(scsi, disk);
        break;
    case SCSI_SYNCHRONIZE_CACHE_10:
    case SCSI_SYNCHRONIZE_CACHE_16:
        do_synchronize(scsi, disk);
        break;
    default:
        illegal(scsi, SCSI_ASC_INVALID_OPCODE);
        break;
    }
}

void target_scsi_execute(struct target_scsi *scsi)
{
    struct target_disk *disk = target_disk_at(scsi->target, scsi->lun);

    scsi->status = SCSI_GOOD;
    /* These work without a logical unit (SAM-5, 4.7.4). */
    switch (scsi->cdb[0]) {
    case SCSI_INQUIRY:
        target_scsi_inquiry(scsi, disk);
        return;
    case SCSI_REPORT_LUNS:
        target_scsi_report_luns(scsi);
        return;
    case SCSI_REQUEST_SENSE:
        do_request_sense(scsi, disk);
        return;
    default:
        break;
    }
    if (disk == NULL)
        illegal(scsi, SCSI_ASC_LUN_NOT_SUPPORTED);
    else
        execute_on_disk(scsi, disk);
}
