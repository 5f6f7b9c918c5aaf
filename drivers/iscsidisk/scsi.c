/* SCSI commands, carried out on the disk's file: SPC-4 and SBC-3 as far as programs that look at
 * disks ask. */
#include "disk.h"

#include <string.h>

enum {
    GOOD = 0x00,
    CHECK_CONDITION = 0x02,
    SENSE_MEDIUM_ERROR = 3,
    SENSE_ILLEGAL_REQUEST = 5,
    SENSE_DATA_PROTECT = 7,
    ASC_NONE = 0x0000,
    ASC_UNRECOVERED_READ = 0x1100,
    ASC_WRITE_ERROR = 0x0c00,
    ASC_INVALID_OPCODE = 0x2000,
    ASC_OUT_OF_RANGE = 0x2100,
    ASC_INVALID_FIELD = 0x2400,
    ASC_WRITE_PROTECTED = 0x2700,
    RESPONSE_ROOM = 255,
};

static void put_be32(UCHAR *at, ULONG value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        at[i] = (UCHAR)value;
}

static void put_be64(UCHAR *at, ULONGLONG value)
{
    put_be32(at, (ULONG)(value >> 32));
    put_be32(at + 4, (ULONG)value);
}

static ULONG get_be16(const UCHAR *at)
{
    return (ULONG)at[0] << 8 | at[1];
}

static ULONG get_be32(const UCHAR *at)
{
    return get_be16(at) << 16 | get_be16(at + 2);
}

static ULONGLONG get_be64(const UCHAR *at)
{
    return (ULONGLONG)get_be32(at) << 32 | get_be32(at + 4);
}

/* --- how it ends --- */

static void fail(struct command *command, UCHAR key, ULONG asc)
{
    command->length = 0;
    command->status = CHECK_CONDITION;
    memset(command->sense, 0, sizeof command->sense);
    command->sense[0] = 0x70; /* fixed format, current */
    command->sense[2] = key;
    command->sense[7] = sizeof command->sense - 8;
    command->sense[12] = (UCHAR)(asc >> 8);
    command->sense[13] = (UCHAR)asc;
}

/* No more than the command allows and the caller takes. */
static void give(struct command *command, const UCHAR *data, ULONG length, ULONG allowed)
{
    ULONG given = length < allowed ? length : allowed;
    if (given > command->length)
        given = command->length;
    memcpy(command->data, data, given);
    command->length = given;
}

/* --- what it is --- */

static void pad(UCHAR *out, size_t room, const char *text)
{
    size_t length = strlen(text);
    memset(out, ' ', room);
    memcpy(out, text, length < room ? length : room);
}

static ULONG standard_inquiry(const struct disk *disk, UCHAR *out)
{
    out[2] = 0x06; /* SPC-4 */
    out[3] = 0x02;
    out[4] = 36 - 5;
    out[7] = 0x02; /* CMDQUE */
    pad(out + 8, 8, disk->vendor);
    pad(out + 16, 16, disk->product);
    pad(out + 32, 4, disk->revision);
    return 36;
}

static ULONG page_serial(const struct disk *disk, UCHAR *out)
{
    ULONG length = (ULONG)strlen(disk->serial);
    out[3] = (UCHAR)length;
    memcpy(out + 4, disk->serial, length);
    return 4 + length;
}

/* T10 vendor identification: the vendor and the serial number. */
static ULONG page_identity(const struct disk *disk, UCHAR *out)
{
    ULONG length = 8 + (ULONG)strlen(disk->serial);
    out[3] = (UCHAR)(4 + length);
    out[4] = 0x02; /* ASCII */
    out[5] = 0x01;
    out[7] = (UCHAR)length;
    pad(out + 8, 8, disk->vendor);
    memcpy(out + 16, disk->serial, length - 8);
    return 8 + length;
}

static void inquire(struct disk *disk, struct command *command)
{
    static const UCHAR pages[] = {0x00, 0x80, 0x83};
    const UCHAR *cdb = command->cdb;
    UCHAR out[RESPONSE_ROOM] = {0};
    ULONG length = 0;
    out[1] = cdb[2];
    if ((cdb[1] & 1) == 0 && cdb[2] == 0) {
        length = standard_inquiry(disk, out);
    } else if ((cdb[1] & 1) != 0 && cdb[2] == 0x00) {
        out[3] = sizeof pages;
        memcpy(out + 4, pages, sizeof pages);
        length = 4 + sizeof pages;
    } else if ((cdb[1] & 1) != 0 && cdb[2] == 0x80 && disk->serial[0] != '\0') {
        length = page_serial(disk, out);
    } else if ((cdb[1] & 1) != 0 && cdb[2] == 0x83) {
        length = page_identity(disk, out);
    }
    if (length > 0)
        give(command, out, length, get_be16(cdb + 3));
    else
        fail(command, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
}

static void read_capacity_10(struct disk *disk, struct command *command)
{
    ULONGLONG last = disk->size / disk->block - 1;
    UCHAR out[8];
    put_be32(out, last < 0xffffffff ? (ULONG)last : 0xffffffff);
    put_be32(out + 4, disk->block);
    give(command, out, sizeof out, sizeof out);
}

static void read_capacity_16(struct disk *disk, struct command *command)
{
    UCHAR out[32] = {0};
    if ((command->cdb[1] & 0x1f) != 0x10) {
        fail(command, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    put_be64(out, disk->size / disk->block - 1);
    put_be32(out + 8, disk->block);
    give(command, out, sizeof out, get_be32(command->cdb + 10));
}

/* The header alone: no page is told, and with it no wrong one. */
static void sense_mode(struct disk *disk, struct command *command)
{
    UCHAR out[8] = {0};
    UCHAR protect = disk->read_only ? 0x80 : 0x00;
    if ((command->cdb[2] & 0x3f) != 0x3f) {
        fail(command, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
    } else if (command->cdb[0] == 0x1a) {
        out[0] = 3;
        out[2] = protect;
        give(command, out, 4, command->cdb[4]);
    } else {
        out[1] = 6;
        out[3] = protect;
        give(command, out, 8, get_be16(command->cdb + 7));
    }
}

static void report_luns(struct disk *disk, struct command *command)
{
    UCHAR out[16] = {0};
    put_be32(out, 8);
    out[9] = (UCHAR)disk->lun;
    give(command, out, sizeof out, get_be32(command->cdb + 6));
}

static void request_sense(struct command *command)
{
    UCHAR allowed = command->cdb[4];
    UCHAR out[18] = {0x70, [7] = 10};
    give(command, out, sizeof out, allowed);
}

/* --- data --- */

struct range {
    ULONGLONG first;
    ULONG count; /* blocks */
};

static struct range range_of(const UCHAR *cdb)
{
    switch (cdb[0] >> 5) {
    case 0: /* 6 bytes; none means 256 */
        return (struct range){get_be32(cdb) & 0x1fffff, cdb[4] != 0 ? cdb[4] : 256};
    case 4:
        return (struct range){get_be64(cdb + 2), get_be32(cdb + 10)};
    case 5:
        return (struct range){get_be32(cdb + 2), get_be32(cdb + 6)};
    default:
        return (struct range){get_be32(cdb + 2), get_be16(cdb + 7)};
    }
}

static void move(struct disk *disk, struct command *command, BOOLEAN writing)
{
    struct range range = range_of(command->cdb);
    ULONGLONG blocks = disk->size / disk->block;
    NTSTATUS status;
    if (range.first > blocks || range.count > blocks - range.first) {
        fail(command, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
        return;
    }
    if (writing && disk->read_only) {
        fail(command, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
        return;
    }
    ULONGLONG length = (ULONGLONG)range.count * disk->block;
    if (length > command->length || (length > 0 && writing != command->out)) {
        fail(command, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    command->length = (ULONG)length;
    if (writing)
        status = disk_write(disk, range.first * disk->block, command->data, (ULONG)length);
    else
        status = disk_read(disk, range.first * disk->block, command->data, (ULONG)length);
    if (!NT_SUCCESS(status))
        fail(command, SENSE_MEDIUM_ERROR, writing ? ASC_WRITE_ERROR : ASC_UNRECOVERED_READ);
}

static void synchronize(struct disk *disk, struct command *command)
{
    command->length = 0;
    if (!NT_SUCCESS(disk_flush(disk)))
        fail(command, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
}

/* --- the table --- */

static ULONG cdb_length(UCHAR opcode)
{
    static const UCHAR lengths[8] = {6, 10, 10, 0, 16, 12, 0, 0};
    return lengths[opcode >> 5];
}

static void execute(struct disk *disk, struct command *command)
{
    switch (command->cdb[0]) {
    case 0x00: /* TEST UNIT READY */
        command->length = 0;
        return;
    case 0x03:
        request_sense(command);
        return;
    case 0x12:
        inquire(disk, command);
        return;
    case 0x1a:
    case 0x5a:
        sense_mode(disk, command);
        return;
    case 0x25:
        read_capacity_10(disk, command);
        return;
    case 0x9e:
        read_capacity_16(disk, command);
        return;
    case 0xa0:
        report_luns(disk, command);
        return;
    case 0x08:
    case 0x28:
    case 0x88:
    case 0xa8:
        move(disk, command, FALSE);
        return;
    case 0x0a:
    case 0x2a:
    case 0x8a:
    case 0xaa:
        move(disk, command, TRUE);
        return;
    case 0x35:
    case 0x91:
        synchronize(disk, command);
        return;
    default:
        fail(command, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
    }
}

void scsi_run(struct disk *disk, struct command *command)
{
    command->status = GOOD;
    ULONG needed = cdb_length(command->cdb[0]);
    if (needed == 0 || command->cdb_length < needed)
        fail(command, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
    else if (disk->size < disk->block)
        fail(command, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
    else
        execute(disk, command);
}
