/* Commands that move blocks (SBC-3). */
#include "protocol/scsi.h"

#include "target/internal.h"

/* --- ranges --- */

static void take_flags(struct target_blocks *range, uint8_t flags)
{
    range->protect = (flags & 0xe0) != 0;
    range->force_unit_access = (flags & 0x08) != 0;
}

struct target_blocks target_blocks_of(const uint8_t *cdb)
{
    struct target_blocks range = {0};

    switch (cdb[0] == SCSI_VARIABLE_LENGTH ? 32 : scsi_cdb_length(cdb[0])) {
    case 6:
        range.lba = get_be24(cdb + 1) & 0x1fffff;
        range.count = cdb[4] == 0 ? 256 : cdb[4];
        return range;
    case 10:
        range.lba = get_be32(cdb + 2);
        range.count = get_be16(cdb + 7);
        break;
    case 12:
        range.lba = get_be32(cdb + 2);
        range.count = get_be32(cdb + 6);
        break;
    case 32:
        range.lba = get_be64(cdb + 12);
        range.count = get_be32(cdb + 28);
        take_flags(&range, cdb[10]);
        return range;
    default:
        range.lba = get_be64(cdb + 2);
        range.count = get_be32(cdb + 10);
        break;
    }
    take_flags(&range, cdb[1]);
    return range;
}

bool target_blocks_fit(const struct target_disk *disk, const struct target_blocks *range)
{
    return range->lba < disk->blocks && range->count <= disk->blocks - range->lba;
}

uint64_t target_blocks_bytes(const struct target_disk *disk, const struct target_blocks *range)
{
    return (uint64_t)range->count * disk->block_length;
}

bool target_blocks_valid(struct target_scsi *scsi, const struct target_disk *disk,
                         const struct target_blocks *blocks)
{
    if (!target_blocks_fit(disk, blocks)) {
        target_scsi_illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
        return false;
    }
    if (blocks->protect || target_blocks_bytes(disk, blocks) > TARGET_TRANSFER_MAX) {
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return false;
    }
    return true;
}

uint64_t target_takes_range(const struct target_disk *disk, const uint8_t *cdb)
{
    struct target_blocks blocks = target_blocks_of(cdb);

    return target_blocks_fit(disk, &blocks) ? target_blocks_bytes(disk, &blocks) : 0;
}

/* --- reading --- */

static void fetch(struct target_scsi *scsi, struct target_disk *disk,
                  const struct target_blocks *blocks, size_t length)
{
    if (length == 0 || !target_scsi_room(scsi, length))
        return;
    if (target_disk_read(disk, blocks->lba * disk->block_length, scsi->buffer->bytes, length))
        return;
    scsi->in_length = 0;
    target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x11, 0x00));
}

void target_scsi_read(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = target_blocks_of(scsi->cdb);
    size_t length;

    if (!target_blocks_valid(scsi, disk, &blocks))
        return;
    scsi->in_length = target_blocks_bytes(disk, &blocks);
    length =
        scsi->in_length < scsi->expected_length ? (size_t)scsi->in_length : scsi->expected_length;
    if (scsi->borrow && disk->ram != NULL && length > 0) {
        scsi->buffer = disk->ram;
        scsi->buffer->references++;
        scsi->data = disk->memory + blocks.lba * disk->block_length;
    } else { /* a copy, as a write may change the disk while the data wait to be sent */
        fetch(scsi, disk, &blocks, length);
    }
}

void target_scsi_prefetch(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = target_blocks_of(scsi->cdb);

    if (!target_blocks_fit(disk, &blocks))
        target_scsi_illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
    else
        scsi->status = SCSI_CONDITION_MET;
}

/* --- writing --- */

static void flush(struct target_scsi *scsi, struct target_disk *disk,
                  const struct target_blocks *blocks)
{
    if (!target_disk_flush(disk, blocks->lba * disk->block_length,
                           target_blocks_bytes(disk, blocks)))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
}

void target_blocks_put(struct target_scsi *scsi, struct target_disk *disk,
                       const struct target_blocks *blocks, const uint8_t *data, size_t length)
{
    if (length > target_blocks_bytes(disk, blocks))
        length = (size_t)target_blocks_bytes(disk, blocks);
    length -= length % disk->block_length; /* an initiator that sends less than it names blocks */
    if (length > 0 && !target_disk_write(disk, blocks->lba * disk->block_length, data, length))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
    else if (blocks->force_unit_access || disk->write_through)
        flush(scsi, disk, blocks);
}

void target_scsi_write(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = target_blocks_of(scsi->cdb);

    if (!target_blocks_valid(scsi, disk, &blocks))
        return;
    scsi->out_length = target_blocks_bytes(disk, &blocks);
    target_blocks_put(scsi, disk, &blocks, scsi->data_out, scsi->data_out_length);
}

void target_scsi_synchronize(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = target_blocks_of(scsi->cdb);

    if (!target_blocks_fit(disk, &blocks)) {
        target_scsi_illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
        return;
    }
    if (blocks.count == 0) /* to the end (SBC-3, 5.18) */
        blocks.count = disk->blocks - blocks.lba < UINT32_MAX
                           ? (uint32_t)(disk->blocks - blocks.lba)
                           : UINT32_MAX;
    flush(scsi, disk, &blocks);
}

/* XDWRITEREAD: writes, unless DISABLE WRITE is set, and returns old XOR new (SBC-3, 5.56). */
void target_scsi_exchange(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = target_blocks_of(scsi->cdb);
    uint8_t flags = scsi->cdb[0] == SCSI_VARIABLE_LENGTH ? scsi->cdb[10] : scsi->cdb[1];
    bool write = (flags & 0x04) == 0;
    size_t length = scsi->data_out_length;

    if (!target_blocks_valid(scsi, disk, &blocks))
        return;
    scsi->out_length = target_blocks_bytes(disk, &blocks);
    if (length > scsi->out_length)
        length = (size_t)scsi->out_length;
    length -= length % disk->block_length;
    scsi->in_length = length;
    fetch(scsi, disk, &blocks, length);
    if (scsi->status != SCSI_GOOD || length == 0)
        return;
    for (size_t i = 0; i < length; i++)
        scsi->buffer->bytes[i] ^= scsi->data_out[i];
    if (write)
        target_blocks_put(scsi, disk, &blocks, scsi->data_out, length);
}

/* --- comparing --- */

static unsigned byte_check(const uint8_t *cdb)
{
    return cdb[1] >> 1 & 3;
}

/* BYTCHK 1: as much as is compared; 3: one block for all of them (SBC-3, 5.37). */
uint64_t target_takes_verify(const struct target_disk *disk, const uint8_t *cdb)
{
    switch (byte_check(cdb)) {
    case 1:
        return target_takes_range(disk, cdb);
    case 3:
        return disk->block_length;
    default:
        return 0;
    }
}

/* Compares with the disk, block by block; `step` 0: always with the same block. */
static void compare(struct target_scsi *scsi, struct target_disk *disk,
                    const struct target_blocks *blocks, size_t step)
{
    uint8_t *block = os_grow(NULL, disk->block_length);

    if (block == NULL) {
        scsi->status = SCSI_BUSY;
        return;
    }
    for (uint32_t i = 0; i < blocks->count && scsi->status == SCSI_GOOD; i++) {
        const uint8_t *expected = scsi->data_out + i * step;

        if (!target_disk_read(disk, (blocks->lba + i) * disk->block_length, block,
                              disk->block_length))
            target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x11, 0x00));
        for (uint32_t at = 0; at < disk->block_length && scsi->status == SCSI_GOOD; at++) {
            if (block[at] != expected[at])
                target_scsi_fail_at(scsi, SCSI_MISCOMPARE, SCSI_ASC(0x1d, 0x00),
                                    (uint32_t)(i * disk->block_length + at));
        }
    }
    os_free(block);
}

void target_scsi_verify(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = target_blocks_of(scsi->cdb);
    unsigned check = byte_check(scsi->cdb);

    if (check == 0) { /* the medium is as good as it ever was */
        if (blocks.protect)
            target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        else if (!target_blocks_fit(disk, &blocks))
            target_scsi_illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
        return;
    }
    if (!target_blocks_valid(scsi, disk, &blocks))
        return;
    if (check == 2)
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    else if (blocks.count > 0 && target_scsi_has(scsi, target_takes_verify(disk, scsi->cdb)))
        compare(scsi, disk, &blocks, check == 1 ? disk->block_length : 0);
}

void target_scsi_write_verify(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = target_blocks_of(scsi->cdb);

    if (!target_blocks_valid(scsi, disk, &blocks))
        return;
    if (byte_check(scsi->cdb) > 1) {
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    blocks.force_unit_access = true; /* it is verified on the medium */
    scsi->out_length = target_blocks_bytes(disk, &blocks);
    target_blocks_put(scsi, disk, &blocks, scsi->data_out, scsi->data_out_length);
    blocks.count = scsi->data_out_length / disk->block_length; /* what came of it */
    if (scsi->status == SCSI_GOOD)
        compare(scsi, disk, &blocks, disk->block_length);
}
