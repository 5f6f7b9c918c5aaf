/* SCSI commands of a disk (SPC-4, SBC-3). */
#include "protocol/scsi.h"

#include "target/internal.h"

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

bool target_scsi_room(struct target_scsi *scsi, size_t length)
{
    scsi->buffer = target_buffer_new(scsi->pool, length);
    if (scsi->buffer == NULL) {
        scsi->status = SCSI_BUSY;
        scsi->in_length = 0;
        return false;
    }
    scsi->data = scsi->buffer->bytes;
    return true;
}

void target_scsi_answer(struct target_scsi *scsi, const uint8_t *data, size_t length,
                        uint32_t allocation)
{
    if (length > allocation)
        length = allocation;
    scsi->in_length = length;
    if (length > 0 && target_scsi_room(scsi, length))
        memcpy(scsi->buffer->bytes, data, length);
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
    default:
        if (!target_scsi_blocks(scsi, disk))
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
