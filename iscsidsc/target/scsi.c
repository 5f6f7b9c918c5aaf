/* What commands have in common, and the plain ones among them (SPC-4, SBC-3). */
#include "protocol/scsi.h"

#include "target/internal.h"

void target_scsi_fail(struct target_scsi *scsi, uint8_t key, uint16_t asc)
{
    scsi->status = SCSI_CHECK_CONDITION;
    scsi->sense_length = sizeof scsi->sense;
    scsi_sense_encode(scsi->sense, key, asc);
}

void target_scsi_fail_at(struct target_scsi *scsi, uint8_t key, uint16_t asc, uint32_t information)
{
    target_scsi_fail(scsi, key, asc);
    scsi->sense[0] |= 0x80;
    put_be32(scsi->sense + 3, information);
}

void target_scsi_illegal(struct target_scsi *scsi, uint16_t asc)
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

bool target_scsi_has(struct target_scsi *scsi, uint64_t length)
{
    scsi->out_length = length;
    if (scsi->data_out_length >= length)
        return true;
    target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    return false;
}

bool target_scsi_has_just(struct target_scsi *scsi, uint64_t length)
{
    if (scsi->out_expected == length)
        return target_scsi_has(scsi, length);
    scsi->out_length = length;
    target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    return false;
}

/* TEST UNIT READY, and what a disk of this kind need not do. */
void target_scsi_nothing(struct target_scsi *scsi, struct target_disk *disk)
{
    (void)scsi;
    (void)disk;
}

/* --- data-out that is a list --- */

uint64_t target_takes_list_6(const struct target_disk *disk, const uint8_t *cdb)
{
    (void)disk;
    return cdb[4];
}

uint64_t target_takes_list_10(const struct target_disk *disk, const uint8_t *cdb)
{
    (void)disk;
    return get_be16(cdb + 7);
}

uint64_t target_takes_list_32(const struct target_disk *disk, const uint8_t *cdb)
{
    (void)disk;
    return get_be32(cdb + 5);
}

/* --- capacity --- */

void target_scsi_read_capacity_10(struct target_scsi *scsi, struct target_disk *disk)
{
    uint64_t last = disk->blocks - 1;
    uint8_t data[8];

    put_be32(data, last > 0xffffffffu ? 0xffffffffu : (uint32_t)last);
    put_be32(data + 4, disk->block_length);
    target_scsi_answer(scsi, data, sizeof data, sizeof data);
}

void target_scsi_read_capacity_16(struct target_scsi *scsi, struct target_disk *disk)
{
    uint8_t data[32] = {0};

    put_be64(data, disk->blocks - 1);
    put_be32(data + 8, disk->block_length);
    data[13] = disk->physical_exponent;
    data[14] = 0xc0; /* LBPME, LBPRZ: UNMAP works, and leaves zeros */
    target_scsi_answer(scsi, data, sizeof data, get_be32(scsi->cdb + 10));
}

/* --- sense --- */

void target_scsi_request_sense(struct target_scsi *scsi, struct target_disk *disk)
{
    bool descriptor = (scsi->cdb[1] & 1) != 0;
    uint8_t data[18];
    uint16_t asc = 0;

    if (descriptor) { /* SPC-4, 4.5.2: that format is not had */
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    /* Sense of failed commands travels with their status, so none is left but for an attention; a
     * unit that is not there says so here (SPC-4, 6.39). */
    if (disk != NULL)
        asc = target_attention_take(scsi->session, scsi_lun_encode((uint32_t)scsi->lun));
    if (disk == NULL)
        scsi_sense_encode(data, SCSI_ILLEGAL_REQUEST, SCSI_ASC_LUN_NOT_SUPPORTED);
    else
        scsi_sense_encode(data, asc != 0 ? SCSI_UNIT_ATTENTION : SCSI_NO_SENSE, asc);
    target_scsi_answer(scsi, data, sizeof data, scsi->cdb[4]);
}

/* --- units --- */

void target_scsi_report_luns(struct target_scsi *scsi, struct target_disk *disk)
{
    uint8_t data[8 + 8 * (TARGET_LUN_MAX + 1)] = {0};
    size_t length = 8;

    (void)disk;
    if (scsi->cdb[2] > 0x02 || get_be32(scsi->cdb + 6) < 16) {
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
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
