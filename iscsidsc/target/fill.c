/* Commands that fill, free and compare blocks (SBC-3). */
#include "protocol/scsi.h"

#include "target/internal.h"

/* --- WRITE SAME --- */

uint64_t target_takes_block(const struct target_disk *disk, const uint8_t *cdb)
{
    bool without_data = cdb[0] == SCSI_WRITE_SAME_16 && cdb[1] & 1; /* NDOB */

    return without_data ? 0 : disk->block_length;
}

static bool is_zero(const uint8_t *data, size_t length)
{
    return length == 0 || (data[0] == 0 && memcmp(data, data + 1, length - 1) == 0);
}

/* As many copies of the block at a time as are not too many. */
static void write_copies(struct target_scsi *scsi, struct target_disk *disk,
                         const struct target_blocks *blocks)
{
    uint32_t most = 262144 / disk->block_length;
    uint8_t *copies = os_grow(NULL, most * disk->block_length);
    struct target_blocks now = *blocks;

    if (copies == NULL) {
        scsi->status = SCSI_BUSY;
        return;
    }
    for (uint32_t i = 0; i < most; i++)
        memcpy(copies + i * disk->block_length, scsi->data_out, disk->block_length);
    for (uint32_t done = 0; done < blocks->count && scsi->status == SCSI_GOOD; done += now.count) {
        now.lba = blocks->lba + done;
        now.count = blocks->count - done < most ? blocks->count - done : most;
        target_blocks_put(scsi, disk, &now, copies, now.count * disk->block_length);
    }
    os_free(copies);
}

static void zero(struct target_scsi *scsi, struct target_disk *disk,
                 const struct target_blocks *blocks)
{
    uint64_t offset = blocks->lba * disk->block_length;
    uint64_t length = target_blocks_bytes(disk, blocks);

    if (!target_disk_zero(disk, offset, length) ||
        (disk->write_through && !target_disk_flush(disk, offset, length)))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
}

void target_scsi_write_same(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = target_blocks_of(scsi->cdb);
    bool anchor = (scsi->cdb[1] & 0x10) != 0;
    uint64_t wanted = target_takes_block(disk, scsi->cdb);

    blocks.force_unit_access = false;
    if (anchor || blocks.protect) {
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (!target_blocks_fit(disk, &blocks)) {
        target_scsi_illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
        return;
    }
    if (blocks.count == 0) { /* to the end */
        if (disk->blocks - blocks.lba > UINT32_MAX) {
            target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
            return;
        }
        blocks.count = (uint32_t)(disk->blocks - blocks.lba);
    }
    if (!target_scsi_has_just(scsi, wanted))
        return;
    /* With UNMAP set the block has to be what unmapped blocks read as, else it is written. */
    if (wanted == 0 || is_zero(scsi->data_out, disk->block_length))
        zero(scsi, disk, &blocks);
    else
        write_copies(scsi, disk, &blocks);
}

/* --- UNMAP (SBC-3, 5.31) --- */

enum { UNMAP_HEADER = 8, UNMAP_DESCRIPTOR = 16 };

static struct target_blocks unmap_range(const uint8_t *descriptor)
{
    return (struct target_blocks){.lba = get_be64(descriptor), .count = get_be32(descriptor + 8)};
}

void target_scsi_unmap(struct target_scsi *scsi, struct target_disk *disk)
{
    uint64_t length = get_be16(scsi->cdb + 7);
    const uint8_t *data = scsi->data_out;
    uint32_t listed;

    if (scsi->cdb[1] & 1) { /* ANCHOR */
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (length == 0 || !target_scsi_has(scsi, length))
        return;
    if (length < UNMAP_HEADER) {
        target_scsi_illegal(scsi, SCSI_ASC_PARAMETER_LENGTH);
        return;
    }
    listed = get_be16(data + 2);
    if (listed > length - UNMAP_HEADER)
        listed = (uint32_t)length - UNMAP_HEADER;
    for (uint32_t at = 0; at + UNMAP_DESCRIPTOR <= listed; at += UNMAP_DESCRIPTOR) {
        struct target_blocks blocks = unmap_range(data + UNMAP_HEADER + at);

        if (blocks.count > 0 && !target_blocks_fit(disk, &blocks)) {
            target_scsi_illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
            return;
        }
    }
    for (uint32_t at = 0; at + UNMAP_DESCRIPTOR <= listed && scsi->status == SCSI_GOOD;
         at += UNMAP_DESCRIPTOR) {
        struct target_blocks blocks = unmap_range(data + UNMAP_HEADER + at);

        if (blocks.count > 0)
            zero(scsi, disk, &blocks);
    }
}

/* --- COMPARE AND WRITE (SBC-3, 5.3): the old data, then the new --- */

static struct target_blocks compared_range(const uint8_t *cdb)
{
    struct target_blocks blocks = target_blocks_of(cdb);

    blocks.count = cdb[13];
    return blocks;
}

uint64_t target_takes_compare(const struct target_disk *disk, const uint8_t *cdb)
{
    struct target_blocks blocks = compared_range(cdb);

    return target_blocks_fit(disk, &blocks) ? 2 * target_blocks_bytes(disk, &blocks) : 0;
}

void target_scsi_compare_write(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = compared_range(scsi->cdb);
    size_t length = (size_t)target_blocks_bytes(disk, &blocks);
    uint8_t *old;

    if (!target_blocks_valid(scsi, disk, &blocks))
        return;
    if (length == 0) { /* data all the same: a number of blocks that its byte does not hold */
        if (scsi->out_expected > 0)
            target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (!target_scsi_has_just(scsi, 2 * (uint64_t)length))
        return;
    old = os_grow(NULL, length);
    if (old == NULL) {
        scsi->status = SCSI_BUSY;
        return;
    }
    if (!target_disk_read(disk, blocks.lba * disk->block_length, old, length))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x11, 0x00));
    for (size_t at = 0; at < length && scsi->status == SCSI_GOOD; at++) {
        if (old[at] != scsi->data_out[at])
            target_scsi_fail_at(scsi, SCSI_MISCOMPARE, SCSI_ASC(0x1d, 0x00), (uint32_t)at);
    }
    os_free(old);
    if (scsi->status == SCSI_GOOD)
        target_blocks_put(scsi, disk, &blocks, scsi->data_out + length, length);
}

/* --- ORWRITE (SBC-3, 5.9) --- */

void target_scsi_or_write(struct target_scsi *scsi, struct target_disk *disk)
{
    struct target_blocks blocks = target_blocks_of(scsi->cdb);
    size_t length = (size_t)target_blocks_bytes(disk, &blocks);
    uint8_t *data;

    if (!target_blocks_valid(scsi, disk, &blocks) || length == 0 || !target_scsi_has(scsi, length))
        return;
    data = os_grow(NULL, length);
    if (data == NULL) {
        scsi->status = SCSI_BUSY;
        return;
    }
    if (!target_disk_read(disk, blocks.lba * disk->block_length, data, length)) {
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x11, 0x00));
    } else {
        for (size_t i = 0; i < length; i++)
            data[i] |= scsi->data_out[i];
        target_blocks_put(scsi, disk, &blocks, data, length);
    }
    os_free(data);
}

/* --- GET LBA STATUS (SBC-3, 5.4) --- */

enum { STATUS_HEADER = 8, STATUS_DESCRIPTOR = 16, STATUS_MOST = 256, RUNS_MOST = 256 };

/* One run of blocks that are alike; returns how many. */
static uint32_t describe_run(struct target_disk *disk, uint64_t lba, uint8_t *out)
{
    uint64_t count, more;
    bool mapped = target_disk_mapped(disk, lba, &count);

    for (int i = 0; i < RUNS_MOST && lba + count < disk->blocks && count < UINT32_MAX &&
                    target_disk_mapped(disk, lba + count, &more) == mapped;
         i++)
        count += more;
    if (count > UINT32_MAX)
        count = UINT32_MAX;
    put_be64(out, lba);
    put_be32(out + 8, (uint32_t)count);
    out[12] = mapped ? 0 : 1;
    return (uint32_t)count;
}

void target_scsi_lba_status(struct target_scsi *scsi, struct target_disk *disk)
{
    uint8_t data[STATUS_HEADER + STATUS_MOST * STATUS_DESCRIPTOR] = {0};
    uint32_t allocation = get_be32(scsi->cdb + 10);
    uint64_t lba = get_be64(scsi->cdb + 2);
    size_t length = STATUS_HEADER;

    if (lba >= disk->blocks) {
        target_scsi_illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
        return;
    }
    do {
        lba += describe_run(disk, lba, data + length);
        length += STATUS_DESCRIPTOR;
    } while (lba < disk->blocks && length < sizeof data && length < allocation);
    put_be32(data, (uint32_t)length - 4);
    target_scsi_answer(scsi, data, length, allocation);
}
