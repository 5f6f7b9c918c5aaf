/* Commands that move blocks (SBC-3). */
#include "protocol/scsi.h"

#include "target/internal.h"

/* A range of blocks as a READ, WRITE or SYNCHRONIZE CACHE names it. */
struct range {
    uint64_t lba;
    uint32_t blocks;
    bool protect; /* protection information, which we have none of, is to be checked */
    bool force_unit_access;
};

static void illegal(struct target_scsi *scsi, uint16_t asc)
{
    target_scsi_fail(scsi, SCSI_ILLEGAL_REQUEST, asc);
}

/* --- ranges --- */

static void take_flags(struct range *range, uint8_t flags)
{
    range->protect = (flags & 0xe0) != 0;
    range->force_unit_access = (flags & 0x08) != 0;
}

static struct range range_of(const uint8_t *cdb)
{
    struct range range = {0};

    switch (cdb[0] == SCSI_VARIABLE_LENGTH ? 32 : scsi_cdb_length(cdb[0])) {
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
    case 32:
        range.lba = get_be64(cdb + 12);
        range.blocks = get_be32(cdb + 28);
        take_flags(&range, cdb[10]);
        return range;
    default:
        range.lba = get_be64(cdb + 2);
        range.blocks = get_be32(cdb + 10);
        break;
    }
    take_flags(&range, cdb[1]);
    return range;
}

static bool range_fits(const struct target_disk *disk, const struct range *range)
{
    return range->lba <= disk->blocks && range->blocks <= disk->blocks - range->lba;
}

static uint64_t bytes_of(const struct target_disk *disk, const struct range *range)
{
    return (uint64_t)range->blocks * disk->block_length;
}

/* Checks the range of a data command, and fails it when it does not hold. */
static bool range_valid(struct target_scsi *scsi, const struct target_disk *disk,
                        const struct range *range)
{
    if (!range_fits(disk, range)) {
        illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
        return false;
    }
    if (range->protect || bytes_of(disk, range) > TARGET_TRANSFER_MAX) {
        illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return false;
    }
    return true;
}

/* --- reading and writing --- */

static void do_read(struct target_scsi *scsi, struct target_disk *disk)
{
    struct range range = range_of(scsi->cdb);
    size_t length;

    if (!range_valid(scsi, disk, &range))
        return;
    scsi->in_length = bytes_of(disk, &range);
    length =
        scsi->in_length < scsi->expected_length ? (size_t)scsi->in_length : scsi->expected_length;
    /* A copy, as a write may change the disk while the data wait to be sent, digests computed. */
    if (length == 0 || !target_scsi_room(scsi, length))
        return;
    if (!target_disk_read(disk, range.lba * disk->block_length, scsi->buffer->bytes, length)) {
        scsi->in_length = 0;
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x11, 0x00));
    }
}

/* May the command write there? */
static bool write_allowed(struct target_scsi *scsi, const struct target_disk *disk,
                          const struct range *range)
{
    if (disk->read_only) {
        target_scsi_fail(scsi, SCSI_DATA_PROTECT, SCSI_ASC_WRITE_PROTECTED);
        return false;
    }
    if (!range_valid(scsi, disk, range))
        return false;
    scsi->out_length = bytes_of(disk, range);
    return true;
}

static void put(struct target_scsi *scsi, struct target_disk *disk, const struct range *range,
                const uint8_t *data, size_t length)
{
    if (length > bytes_of(disk, range))
        length = (size_t)bytes_of(disk, range);
    length -= length % disk->block_length; /* an initiator that sends less than it names blocks */
    if (length > 0 && !target_disk_write(disk, range->lba * disk->block_length, data, length))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
    else if (range->force_unit_access && !target_disk_flush(disk))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
}

static void do_write(struct target_scsi *scsi, struct target_disk *disk)
{
    struct range range = range_of(scsi->cdb);

    if (write_allowed(scsi, disk, &range))
        put(scsi, disk, &range, scsi->data_out, scsi->data_out_length);
}

/* XDWRITEREAD: writes, unless DISABLE WRITE is set, and returns old XOR new (SBC-3, 5.56). */
static void do_exchange(struct target_scsi *scsi, struct target_disk *disk)
{
    struct range range = range_of(scsi->cdb);
    uint8_t flags = scsi->cdb[0] == SCSI_VARIABLE_LENGTH ? scsi->cdb[10] : scsi->cdb[1];
    bool write = (flags & 0x04) == 0;
    size_t length = scsi->data_out_length;

    if (!write_allowed(scsi, disk, &range))
        return;
    if (length > scsi->out_length)
        length = (size_t)scsi->out_length;
    length -= length % disk->block_length;
    scsi->in_length = length;
    if (length == 0 || !target_scsi_room(scsi, length))
        return;
    if (!target_disk_read(disk, range.lba * disk->block_length, scsi->buffer->bytes, length)) {
        scsi->in_length = 0;
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x11, 0x00));
        return;
    }
    for (size_t i = 0; i < length; i++)
        scsi->buffer->bytes[i] ^= scsi->data_out[i];
    if (write)
        put(scsi, disk, &range, scsi->data_out, length);
}

static void do_synchronize(struct target_scsi *scsi, struct target_disk *disk)
{
    struct range range = range_of(scsi->cdb);

    if (!range_fits(disk, &range))
        illegal(scsi, SCSI_ASC_LBA_OUT_OF_RANGE);
    else if (!target_disk_flush(disk))
        target_scsi_fail(scsi, SCSI_MEDIUM_ERROR, SCSI_ASC(0x0c, 0x00));
}

/* --- the table --- */

struct block_command {
    uint8_t opcode;
    uint16_t service_action; /* of those of variable length */
    bool takes;              /* as many bytes as its range has */
    void (*execute)(struct target_scsi *scsi, struct target_disk *disk);
};

static const struct block_command commands[] = {
    {SCSI_READ_6, 0, false, do_read},
    {SCSI_READ_10, 0, false, do_read},
    {SCSI_READ_12, 0, false, do_read},
    {SCSI_READ_16, 0, false, do_read},
    {SCSI_VARIABLE_LENGTH, SCSI_VARIABLE_READ_32, false, do_read},
    {SCSI_WRITE_6, 0, true, do_write},
    {SCSI_WRITE_10, 0, true, do_write},
    {SCSI_WRITE_12, 0, true, do_write},
    {SCSI_WRITE_16, 0, true, do_write},
    {SCSI_VARIABLE_LENGTH, SCSI_VARIABLE_WRITE_32, true, do_write},
    {SCSI_XDWRITEREAD_10, 0, true, do_exchange},
    {SCSI_VARIABLE_LENGTH, SCSI_VARIABLE_XDWRITEREAD_32, true, do_exchange},
    {SCSI_SYNCHRONIZE_CACHE_10, 0, false, do_synchronize},
    {SCSI_SYNCHRONIZE_CACHE_16, 0, false, do_synchronize},
};

static const struct block_command *find_command(const uint8_t *cdb)
{
    bool variable = cdb[0] == SCSI_VARIABLE_LENGTH;

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct block_command *command = &commands[i];

        if (command->opcode == cdb[0] &&
            (!variable || command->service_action == get_be16(cdb + 8)))
            return command;
    }
    return NULL;
}

uint32_t target_scsi_takes(const struct target *target, int64_t lun, const uint8_t *cdb)
{
    const struct target_disk *disk = target_disk_at(target, lun);
    const struct block_command *command = find_command(cdb);
    struct range range;

    if (disk == NULL || disk->read_only || command == NULL || !command->takes)
        return 0;
    range = range_of(cdb);
    if (!range_fits(disk, &range) || bytes_of(disk, &range) > TARGET_TRANSFER_MAX)
        return 0;
    return (uint32_t)bytes_of(disk, &range);
}

bool target_scsi_blocks(struct target_scsi *scsi, struct target_disk *disk)
{
    const struct block_command *command = find_command(scsi->cdb);

    if (command != NULL)
        command->execute(scsi, disk);
    return command != NULL;
}
