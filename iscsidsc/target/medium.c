/* The medium in its drive: loading, ejecting, keeping it in (SBC-3, 5.20; SPC-4, 6.15). A virtual
 * disk has no motor: it never spins down. */
#include "protocol/scsi.h"

#include "target/internal.h"

enum { START = 0x01, LOAD_EJECT = 0x02, NO_FLUSH = 0x04, POWER_CONDITION = 0xf0 };

static bool is_kept_in(const struct target_scsi *scsi)
{
    uint32_t lun = (uint32_t)scsi->lun;

    LIST_EACH(node, &scsi->target->entity->sessions)
    {
        const struct target_session *session = LIST_OWNER(node, struct target_session, link);

        if (session->target == scsi->target && session->prevents[lun / 8] & 1u << lun % 8)
            return true;
    }
    return false;
}

/* The others are told, as it could be another one now. */
static void load(const struct target_scsi *scsi, struct target_disk *disk)
{
    if (!disk->ejected)
        return;
    disk->ejected = false;
    target_attention_all(scsi->target, scsi->session, scsi_lun_encode((uint32_t)scsi->lun),
                         SCSI_ASC_MEDIUM_CHANGED);
}

void target_scsi_start_stop(struct target_scsi *scsi, struct target_disk *disk)
{
    uint8_t flags = scsi->cdb[4];

    if (flags & POWER_CONDITION) /* the other bits are ignored then, and power is not saved */
        return;
    if (flags & LOAD_EJECT && !disk->removable) {
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (!(flags & (START | NO_FLUSH)) && !disk->ejected && !disk->read_only &&
        !target_disk_flush(disk, 0, target_disk_bytes(disk))) {
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
        return;
    }
    if (!(flags & LOAD_EJECT))
        return;
    if (is_kept_in(scsi)) /* or kept out */
        target_scsi_illegal(scsi, SCSI_ASC_REMOVAL_PREVENTED);
    else if (flags & START)
        load(scsi, disk);
    else
        disk->ejected = true;
}

/* Each initiator for itself; its session's end takes it back. */
void target_scsi_prevent(struct target_scsi *scsi, struct target_disk *disk)
{
    uint32_t lun = (uint32_t)scsi->lun;
    uint8_t bit = (uint8_t)(1u << lun % 8);

    (void)disk;
    if (scsi->cdb[4] & 2) /* of medium changers, obsolete */
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    else if (scsi->cdb[4] & 1)
        scsi->session->prevents[lun / 8] |= bit;
    else
        scsi->session->prevents[lun / 8] &= (uint8_t)~bit;
}

void target_medium_allow(const struct target *target, uint32_t lun)
{
    LIST_EACH(node, &target->entity->sessions)
    {
        struct target_session *session = LIST_OWNER(node, struct target_session, link);

        if (session->target == target)
            session->prevents[lun / 8] &= (uint8_t) ~(1u << lun % 8);
    }
}

/* READ DEFECT DATA (10) and (12): both lists are empty in whatever format (SBC-3, 5.13, 5.14). */
void target_scsi_read_defects(struct target_scsi *scsi, struct target_disk *disk)
{
    bool ten = scsi->cdb[0] == SCSI_READ_DEFECT_DATA_10;
    uint8_t data[8] = {0};

    (void)disk;
    data[1] = scsi->cdb[ten ? 2 : 1] & 0x1f;
    target_scsi_answer(scsi, data, ten ? 4 : 8,
                       ten ? get_be16(scsi->cdb + 7) : get_be32(scsi->cdb + 6));
}
