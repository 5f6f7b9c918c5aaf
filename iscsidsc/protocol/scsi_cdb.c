#include "protocol/scsi.h"

#include <string.h>

#define BIT_FORCE_UNIT_ACCESS 0x08
#define BIT_WRITE_SAME_UNMAP  0x08

static void start(struct scsi_cdb *cdb, uint8_t opcode)
{
    memset(cdb, 0, sizeof *cdb);
    cdb->bytes[0] = opcode;
    cdb->length = (uint8_t)scsi_cdb_length(opcode);
}

unsigned scsi_cdb_length(uint8_t opcode)
{
    static const uint8_t lengths[8] = {6, 10, 10, 0, 16, 12, 0, 0};

    return lengths[opcode >> 5];
}

void scsi_test_unit_ready(struct scsi_cdb *cdb)
{
    start(cdb, SCSI_TEST_UNIT_READY);
}

void scsi_inquiry(struct scsi_cdb *cdb, uint8_t flags, uint8_t page, uint16_t length)
{
    start(cdb, SCSI_INQUIRY);
    cdb->bytes[1] = flags & 3;
    cdb->bytes[2] = page;
    put_be16(cdb->bytes + 3, length);
}

void scsi_read_capacity_10(struct scsi_cdb *cdb)
{
    start(cdb, SCSI_READ_CAPACITY_10);
}

void scsi_read_capacity_16(struct scsi_cdb *cdb, uint32_t length)
{
    start(cdb, SCSI_SERVICE_ACTION_IN_16);
    cdb->bytes[1] = SCSI_SERVICE_ACTION_READ_CAPACITY_16;
    put_be32(cdb->bytes + 10, length);
}

void scsi_report_luns(struct scsi_cdb *cdb, uint32_t length)
{
    start(cdb, SCSI_REPORT_LUNS);
    put_be32(cdb->bytes + 6, length);
}

/* READ, WRITE and SYNCHRONIZE CACHE share their layout. */
static void blocks_command(struct scsi_cdb *cdb, uint8_t opcode_10, uint8_t opcode_16, uint64_t lba,
                           uint32_t blocks)
{
    if (lba <= UINT32_MAX && blocks <= UINT16_MAX) {
        start(cdb, opcode_10);
        put_be32(cdb->bytes + 2, (uint32_t)lba);
        put_be16(cdb->bytes + 7, (uint16_t)blocks);
    } else {
        start(cdb, opcode_16);
        put_be64(cdb->bytes + 2, lba);
        put_be32(cdb->bytes + 10, blocks);
    }
}

void scsi_read(struct scsi_cdb *cdb, uint64_t lba, uint32_t blocks)
{
    blocks_command(cdb, SCSI_READ_10, SCSI_READ_16, lba, blocks);
}

void scsi_write(struct scsi_cdb *cdb, uint64_t lba, uint32_t blocks, bool force_unit_access)
{
    blocks_command(cdb, SCSI_WRITE_10, SCSI_WRITE_16, lba, blocks);
    if (force_unit_access)
        cdb->bytes[1] |= BIT_FORCE_UNIT_ACCESS;
}

void scsi_synchronize_cache(struct scsi_cdb *cdb, uint64_t lba, uint32_t blocks)
{
    blocks_command(cdb, SCSI_SYNCHRONIZE_CACHE_10, SCSI_SYNCHRONIZE_CACHE_16, lba, blocks);
}

void scsi_write_same(struct scsi_cdb *cdb, uint64_t lba, uint32_t blocks, bool unmap)
{
    start(cdb, SCSI_WRITE_SAME_16);
    if (unmap)
        cdb->bytes[1] |= BIT_WRITE_SAME_UNMAP;
    put_be64(cdb->bytes + 2, lba);
    put_be32(cdb->bytes + 10, blocks);
}

void scsi_compare_and_write(struct scsi_cdb *cdb, uint64_t lba, uint8_t blocks,
                            bool force_unit_access)
{
    start(cdb, SCSI_COMPARE_AND_WRITE);
    put_be64(cdb->bytes + 2, lba);
    cdb->bytes[13] = blocks;
    if (force_unit_access)
        cdb->bytes[1] |= BIT_FORCE_UNIT_ACCESS;
}

void scsi_unmap(struct scsi_cdb *cdb, uint8_t data[SCSI_UNMAP_ONE], uint64_t lba, uint32_t blocks)
{
    start(cdb, SCSI_UNMAP);
    put_be16(cdb->bytes + 7, SCSI_UNMAP_ONE);
    memset(data, 0, SCSI_UNMAP_ONE);
    put_be16(data, SCSI_UNMAP_ONE - 2);
    put_be16(data + 2, SCSI_UNMAP_ONE - 8);
    put_be64(data + 8, lba);
    put_be32(data + 16, blocks);
}

void scsi_mode_sense(struct scsi_cdb *cdb, uint8_t length)
{
    start(cdb, SCSI_MODE_SENSE_6);
    cdb->bytes[2] = 0x3f;
    cdb->bytes[4] = length;
}

#define LUN_FLAT               0x4000u
#define LUN_EXTENDED_FLAT      0xd2u /* method 11b, length 01b, extended method 2h */
#define LUN_LONG_EXTENDED_FLAT 0xe2u /* length 10b */

uint64_t scsi_lun_encode(uint32_t number)
{
    if (number < 256)
        return (uint64_t)number << 48;
    if (number < 0x4000)
        return (uint64_t)(LUN_FLAT | number) << 48;
    if (number < 0x1000000)
        return (uint64_t)LUN_EXTENDED_FLAT << 56 | (uint64_t)number << 32;
    return (uint64_t)LUN_LONG_EXTENDED_FLAT << 56 | (uint64_t)number << 16;
}

int64_t scsi_lun_number(uint64_t lun)
{
    uint64_t first = lun >> 48;

    if (lun << 16 == 0 && first < 256)
        return (int64_t)first;
    if (lun << 16 == 0 && first >> 14 == 1)
        return (int64_t)(first & 0x3fff);
    if (lun << 32 == 0 && lun >> 56 == LUN_EXTENDED_FLAT)
        return (int64_t)(lun >> 32 & 0xffffff);
    if (lun << 48 == 0 && lun >> 56 == LUN_LONG_EXTENDED_FLAT)
        return (int64_t)(lun >> 16 & 0xffffffffff);
    return -1;
}

enum { LUNS_SPELT_AS_NUMBERS = 0x4000 };

uint64_t scsi_lun_spelling(uint64_t lun)
{
    int64_t number = scsi_lun_number(lun);

    if (number < 0 || number >= LUNS_SPELT_AS_NUMBERS || scsi_lun_encode((uint32_t)number) != lun)
        return lun;
    return (uint64_t)number;
}

uint64_t scsi_lun_from_spelling(uint64_t spelling)
{
    return spelling < LUNS_SPELT_AS_NUMBERS ? scsi_lun_encode((uint32_t)spelling) : spelling;
}
