/* The table of SCSI commands, and what stands before each of them (SPC-4, SBC-3). */
#include "protocol/scsi.h"

#include "target/internal.h"

#define ACTION(code) ((code)&0x1f)
#define LBA_32       0xff, 0xff, 0xff, 0xff
#define LBA_64       LBA_32, LBA_32
#define WORD         0xff, 0xff
#define LONG         0xff, 0xff, 0xff, 0xff

enum {
    R = COMMAND_READS,
    W = COMMAND_WRITES,
    P = COMMAND_PROTECT,
    D = COMMAND_DRIVE,
};

static const struct target_command commands[] = {
    {SCSI_TEST_UNIT_READY, COMMAND_NO_ACTION, 6, 0, target_scsi_nothing, NULL, {0, 0, 0, 0, 4}},
    {SCSI_REQUEST_SENSE,
     COMMAND_NO_ACTION,
     6,
     COMMAND_ALWAYS,
     target_scsi_request_sense,
     NULL,
     {1, 0, 0, 0xff, 4}},
    {SCSI_READ_6, COMMAND_NO_ACTION, 6, R, target_scsi_read, NULL, {0x1f, WORD, 0xff, 4}},
    {SCSI_WRITE_6,
     COMMAND_NO_ACTION,
     6,
     W | P,
     target_scsi_write,
     target_takes_range,
     {0x1f, WORD, 0xff, 4}},
    {SCSI_INQUIRY,
     COMMAND_NO_ACTION,
     6,
     COMMAND_ALWAYS,
     target_scsi_inquiry,
     NULL,
     {1, 0xff, WORD, 4}},
    {SCSI_MODE_SELECT_6,
     COMMAND_NO_ACTION,
     6,
     W | D,
     target_scsi_mode_select,
     target_takes_list_6,
     {0x11, 0, 0, 0xff, 4}},
    {SCSI_RESERVE_6,
     COMMAND_NO_ACTION,
     6,
     COMMAND_RESERVES,
     target_scsi_reserve,
     NULL,
     {0, 0, 0, 0, 4}},
    {SCSI_RELEASE_6,
     COMMAND_NO_ACTION,
     6,
     COMMAND_RESERVES,
     target_scsi_release,
     NULL,
     {0, 0, 0, 0, 4}},
    {SCSI_MODE_SENSE_6,
     COMMAND_NO_ACTION,
     6,
     R | D,
     target_scsi_mode_sense,
     NULL,
     {8, WORD, 0xff, 4}},
    {SCSI_START_STOP_UNIT,
     COMMAND_NO_ACTION,
     6,
     D,
     target_scsi_start_stop,
     NULL,
     {1, 0, 0x0f, 0xf7, 4}},
    {SCSI_SEND_DIAGNOSTIC, COMMAND_NO_ACTION, 6, W | D, target_scsi_nothing, NULL, {4, 0, 0, 0, 4}},
    {SCSI_PREVENT_ALLOW, COMMAND_NO_ACTION, 6, D, target_scsi_prevent, NULL, {0, 0, 0, 3, 4}},
    {SCSI_READ_CAPACITY_10,
     COMMAND_NO_ACTION,
     10,
     0,
     target_scsi_read_capacity_10,
     NULL,
     {0, 0, 0, 0, 0, 0, 0, 0, 4}},
    {SCSI_READ_10, COMMAND_NO_ACTION, 10, R, target_scsi_read, NULL, {0x18, LBA_32, 0x1f, WORD, 4}},
    {SCSI_WRITE_10,
     COMMAND_NO_ACTION,
     10,
     W | P,
     target_scsi_write,
     target_takes_range,
     {0x18, LBA_32, 0x1f, WORD, 4}},
    {SCSI_WRITE_VERIFY_10,
     COMMAND_NO_ACTION,
     10,
     W | P,
     target_scsi_write_verify,
     target_takes_range,
     {0x16, LBA_32, 0x1f, WORD, 4}},
    {SCSI_VERIFY_10,
     COMMAND_NO_ACTION,
     10,
     R,
     target_scsi_verify,
     target_takes_verify,
     {0x16, LBA_32, 0x1f, WORD, 4}},
    {SCSI_PRE_FETCH_10,
     COMMAND_NO_ACTION,
     10,
     R,
     target_scsi_prefetch,
     NULL,
     {2, LBA_32, 0x1f, WORD, 4}},
    {SCSI_SYNCHRONIZE_CACHE_10,
     COMMAND_NO_ACTION,
     10,
     W,
     target_scsi_synchronize,
     NULL,
     {2, LBA_32, 0x1f, WORD, 4}},
    {SCSI_WRITE_SAME_10,
     COMMAND_NO_ACTION,
     10,
     W | P,
     target_scsi_write_same,
     target_takes_block,
     {0x08, LBA_32, 0x1f, WORD, 4}},
    {SCSI_UNMAP,
     COMMAND_NO_ACTION,
     10,
     W | P,
     target_scsi_unmap,
     target_takes_list_10,
     {0, 0, 0, 0, 0, 0x1f, WORD, 4}},
    {SCSI_READ_DEFECT_DATA_10,
     COMMAND_NO_ACTION,
     10,
     R,
     target_scsi_read_defects,
     NULL,
     {0, 0x1f, 0, 0, 0, 0, WORD, 4}},
    {SCSI_LOG_SELECT,
     COMMAND_NO_ACTION,
     10,
     D,
     target_scsi_log_select,
     target_takes_list_10,
     {2, 0xff, 0xff, 0, 0, 0, WORD, 4}},
    {SCSI_LOG_SENSE,
     COMMAND_NO_ACTION,
     10,
     D,
     target_scsi_log_sense,
     NULL,
     {0, 0xff, 0, 0, WORD, WORD, 4}},
    {SCSI_XDWRITEREAD_10,
     COMMAND_NO_ACTION,
     10,
     W | P,
     target_scsi_exchange,
     target_takes_range,
     {0x0c, LBA_32, 0x1f, WORD, 4}},
    {SCSI_MODE_SELECT_10,
     COMMAND_NO_ACTION,
     10,
     W | D,
     target_scsi_mode_select,
     target_takes_list_10,
     {0x11, 0, 0, 0, 0, 0, WORD, 4}},
    {SCSI_RESERVE_10,
     COMMAND_NO_ACTION,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve,
     NULL,
     {0, 0, 0, 0, 0, 0, 0, 0, 4}},
    {SCSI_RELEASE_10,
     COMMAND_NO_ACTION,
     10,
     COMMAND_RESERVES,
     target_scsi_release,
     NULL,
     {0, 0, 0, 0, 0, 0, 0, 0, 4}},
    {SCSI_MODE_SENSE_10,
     COMMAND_NO_ACTION,
     10,
     R | D,
     target_scsi_mode_sense,
     NULL,
     {0x18, WORD, 0, 0, 0, WORD, 4}},
    {SCSI_PERSISTENT_RESERVE_IN,
     0,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_in,
     NULL,
     {ACTION(0), 0, 0, 0, 0, 0, WORD, 4}},
    {SCSI_PERSISTENT_RESERVE_IN,
     1,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_in,
     NULL,
     {ACTION(1), 0, 0, 0, 0, 0, WORD, 4}},
    {SCSI_PERSISTENT_RESERVE_IN,
     2,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_in,
     NULL,
     {ACTION(2), 0, 0, 0, 0, 0, WORD, 4}},
    {SCSI_PERSISTENT_RESERVE_IN,
     3,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_in,
     NULL,
     {ACTION(3), 0, 0, 0, 0, 0, WORD, 4}},
    {SCSI_PERSISTENT_RESERVE_OUT,
     0,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_out,
     target_takes_list_32,
     {ACTION(0), 0xff, 0, 0, LONG, 4}},
    {SCSI_PERSISTENT_RESERVE_OUT,
     1,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_out,
     target_takes_list_32,
     {ACTION(1), 0xff, 0, 0, LONG, 4}},
    {SCSI_PERSISTENT_RESERVE_OUT,
     2,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_out,
     target_takes_list_32,
     {ACTION(2), 0xff, 0, 0, LONG, 4}},
    {SCSI_PERSISTENT_RESERVE_OUT,
     3,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_out,
     target_takes_list_32,
     {ACTION(3), 0xff, 0, 0, LONG, 4}},
    {SCSI_PERSISTENT_RESERVE_OUT,
     4,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_out,
     target_takes_list_32,
     {ACTION(4), 0xff, 0, 0, LONG, 4}},
    {SCSI_PERSISTENT_RESERVE_OUT,
     5,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_out,
     target_takes_list_32,
     {ACTION(5), 0xff, 0, 0, LONG, 4}},
    {SCSI_PERSISTENT_RESERVE_OUT,
     6,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_out,
     target_takes_list_32,
     {ACTION(6), 0xff, 0, 0, LONG, 4}},
    {SCSI_PERSISTENT_RESERVE_OUT,
     7,
     10,
     COMMAND_RESERVES,
     target_scsi_reserve_out,
     target_takes_list_32,
     {ACTION(7), 0, 0, 0, LONG, 4}},
    {SCSI_EXTENDED_COPY,
     0,
     16,
     W,
     target_scsi_extended_copy,
     target_takes_copy,
     {ACTION(0), 0, 0, 0, 0, 0, 0, 0, 0, LONG, 0, 4}},
    {SCSI_RECEIVE_COPY_RESULTS,
     SCSI_COPY_STATUS,
     16,
     R,
     target_scsi_copy_status,
     NULL,
     {ACTION(SCSI_COPY_STATUS), 0xff, 0, 0, 0, 0, 0, 0, 0, LONG, 0, 4}},
    {SCSI_RECEIVE_COPY_RESULTS,
     SCSI_COPY_PARAMETERS,
     16,
     R,
     target_scsi_copy_parameters,
     NULL,
     {ACTION(SCSI_COPY_PARAMETERS), 0, 0, 0, 0, 0, 0, 0, 0, LONG, 0, 4}},
    {SCSI_READ_16, COMMAND_NO_ACTION, 16, R, target_scsi_read, NULL, {0x18, LBA_64, LONG, 0x1f, 4}},
    {SCSI_COMPARE_AND_WRITE,
     COMMAND_NO_ACTION,
     16,
     W | P,
     target_scsi_compare_write,
     target_takes_compare,
     {0x18, LBA_64, 0, 0, 0, 0xff, 0x1f, 4}},
    {SCSI_WRITE_16,
     COMMAND_NO_ACTION,
     16,
     W | P,
     target_scsi_write,
     target_takes_range,
     {0x18, LBA_64, LONG, 0x1f, 4}},
    {SCSI_ORWRITE_16,
     COMMAND_NO_ACTION,
     16,
     W | P,
     target_scsi_or_write,
     target_takes_range,
     {0x18, LBA_64, LONG, 0x1f, 4}},
    {SCSI_WRITE_VERIFY_16,
     COMMAND_NO_ACTION,
     16,
     W | P,
     target_scsi_write_verify,
     target_takes_range,
     {0x16, LBA_64, LONG, 0x1f, 4}},
    {SCSI_VERIFY_16,
     COMMAND_NO_ACTION,
     16,
     R,
     target_scsi_verify,
     target_takes_verify,
     {0x16, LBA_64, LONG, 0x1f, 4}},
    {SCSI_PRE_FETCH_16,
     COMMAND_NO_ACTION,
     16,
     R,
     target_scsi_prefetch,
     NULL,
     {2, LBA_64, LONG, 0x1f, 4}},
    {SCSI_SYNCHRONIZE_CACHE_16,
     COMMAND_NO_ACTION,
     16,
     W,
     target_scsi_synchronize,
     NULL,
     {2, LBA_64, LONG, 0x1f, 4}},
    {SCSI_WRITE_SAME_16,
     COMMAND_NO_ACTION,
     16,
     W | P,
     target_scsi_write_same,
     target_takes_block,
     {0x09, LBA_64, LONG, 0x1f, 4}},
    {SCSI_SERVICE_ACTION_IN_16,
     SCSI_SERVICE_ACTION_READ_CAPACITY_16,
     16,
     0,
     target_scsi_read_capacity_16,
     NULL,
     {SCSI_SERVICE_ACTION_READ_CAPACITY_16, 0, 0, 0, 0, 0, 0, 0, 0, LONG, 0, 4}},
    {SCSI_SERVICE_ACTION_IN_16,
     SCSI_SERVICE_ACTION_GET_LBA_STATUS,
     16,
     R,
     target_scsi_lba_status,
     NULL,
     {SCSI_SERVICE_ACTION_GET_LBA_STATUS, LBA_64, LONG, 0, 4}},
    {SCSI_REPORT_LUNS,
     COMMAND_NO_ACTION,
     12,
     COMMAND_ALWAYS,
     target_scsi_report_luns,
     NULL,
     {0, 0xff, 0, 0, 0, LONG, 0, 4}},
    {SCSI_MAINTENANCE_IN,
     SCSI_MAINTENANCE_REPORT_OPCODES,
     12,
     D,
     target_scsi_report_opcodes,
     NULL,
     {SCSI_MAINTENANCE_REPORT_OPCODES, 0x87, 0xff, WORD, LONG, 0, 4}},
    {SCSI_MAINTENANCE_IN,
     SCSI_MAINTENANCE_REPORT_FUNCTIONS,
     12,
     D,
     target_scsi_report_functions,
     NULL,
     {SCSI_MAINTENANCE_REPORT_FUNCTIONS, 0x80, 0, 0, 0, LONG, 0, 4}},
    {SCSI_READ_DEFECT_DATA_12,
     COMMAND_NO_ACTION,
     12,
     R,
     target_scsi_read_defects,
     NULL,
     {0x1f, LONG, LONG, 0, 4}},
    {SCSI_READ_12, COMMAND_NO_ACTION, 12, R, target_scsi_read, NULL, {0x18, LBA_32, LONG, 0x1f, 4}},
    {SCSI_WRITE_12,
     COMMAND_NO_ACTION,
     12,
     W | P,
     target_scsi_write,
     target_takes_range,
     {0x18, LBA_32, LONG, 0x1f, 4}},
    {SCSI_WRITE_VERIFY_12,
     COMMAND_NO_ACTION,
     12,
     W | P,
     target_scsi_write_verify,
     target_takes_range,
     {0x16, LBA_32, LONG, 0x1f, 4}},
    {SCSI_VERIFY_12,
     COMMAND_NO_ACTION,
     12,
     R,
     target_scsi_verify,
     target_takes_verify,
     {0x16, LBA_32, LONG, 0x1f, 4}},
    {SCSI_VARIABLE_LENGTH,
     SCSI_VARIABLE_XDWRITEREAD_32,
     32,
     W | P,
     target_scsi_exchange,
     target_takes_range,
     {4, 0, 0, 0, 0, 0, 0x18, 0xff, 0xff, 0x0c, 0, LBA_32}},
    {SCSI_VARIABLE_LENGTH,
     SCSI_VARIABLE_READ_32,
     32,
     R,
     target_scsi_read,
     NULL,
     {4, 0, 0, 0, 0, 0, 0x18, 0xff, 0xff, 0x18, 0, LBA_32}},
    {SCSI_VARIABLE_LENGTH,
     SCSI_VARIABLE_WRITE_32,
     32,
     W | P,
     target_scsi_write,
     target_takes_range,
     {4, 0, 0, 0, 0, 0, 0x18, 0xff, 0xff, 0x18, 0, LBA_32}},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

const struct target_command *target_command_at(size_t index)
{
    return index < COMMANDS ? &commands[index] : NULL;
}

static uint16_t action_of(const struct target_command *command, const uint8_t *cdb)
{
    if (command->action == COMMAND_NO_ACTION)
        return COMMAND_NO_ACTION;
    return command->length == 32 ? get_be16(cdb + 8) : (uint16_t)(cdb[1] & 0x1f);
}

/* What comes often comes by its opcode alone. */
const struct target_command *target_command_find(const uint8_t *cdb)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].opcode == cdb[0] && commands[i].action == action_of(&commands[i], cdb))
            return &commands[i];
    }
    return NULL;
}

bool target_command_exists(uint8_t opcode)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].opcode == opcode)
            return true;
    }
    return false;
}

static bool is_protected(const struct target_disk *disk)
{
    return disk->read_only || disk->write_protect;
}

static bool lacks_medium(const struct target_disk *disk, const struct target_command *command)
{
    return disk->ejected && !(command->flags & (COMMAND_ALWAYS | COMMAND_RESERVES | COMMAND_DRIVE));
}

uint32_t target_scsi_takes(const struct target *target, int64_t lun, const uint8_t *cdb)
{
    const struct target_disk *disk = target_disk_at(target, lun);
    const struct target_command *command = target_command_find(cdb);
    uint64_t length;

    if (disk == NULL || command == NULL || command->takes == NULL || lacks_medium(disk, command) ||
        (command->flags & COMMAND_PROTECT && is_protected(disk)))
        return 0;
    length = command->takes(disk, cdb);
    return length <= TARGET_TRANSFER_MAX ? (uint32_t)length : 0;
}

/* --- admission --- */

/* NACA asks for an auto contingent allegiance, which there is not (SAM-5, 5.9). */
static bool wants_aca(const struct target_command *command, const uint8_t *cdb)
{
    size_t control = command->length == 32 ? 1 : command->length - 1u;

    return (cdb[control] & 0x04) != 0;
}

static bool attention_due(struct target_scsi *scsi, const struct target_command *command)
{
    uint16_t asc;

    if (command->flags & COMMAND_ALWAYS || scsi->lun < 0)
        return false;
    asc = target_attention_take(scsi->session, scsi_lun_encode((uint32_t)scsi->lun));
    if (asc != 0)
        target_scsi_fail(scsi, SCSI_UNIT_ATTENTION, asc);
    return asc != 0;
}

bool target_scsi_admit(struct target_scsi *scsi)
{
    const struct target_disk *disk = target_disk_at(scsi->target, scsi->lun);
    const struct target_command *command = target_command_find(scsi->cdb);

    scsi->command = command;
    scsi->status = SCSI_GOOD;
    if (disk == NULL && (command == NULL || !(command->flags & COMMAND_ALWAYS)))
        target_scsi_illegal(scsi, SCSI_ASC_LUN_NOT_SUPPORTED);
    else if (command == NULL)
        target_scsi_illegal(scsi, target_command_exists(scsi->cdb[0])
                                      ? SCSI_ASC_INVALID_FIELD_IN_CDB
                                      : SCSI_ASC_INVALID_OPCODE);
    else if (disk != NULL && target_reserved_against(disk, scsi->session, command->flags))
        scsi->status = SCSI_RESERVATION_CONFLICT;
    else if (attention_due(scsi, command))
        return false;
    else if (wants_aca(command, scsi->cdb))
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    else if (disk != NULL && lacks_medium(disk, command))
        target_scsi_fail(scsi, SCSI_NOT_READY, SCSI_ASC_NO_MEDIUM);
    return scsi->status == SCSI_GOOD;
}

void target_scsi_execute(struct target_scsi *scsi)
{
    struct target_disk *disk = target_disk_at(scsi->target, scsi->lun);
    const struct target_command *command = scsi->command;

    if (command->flags & COMMAND_PROTECT && is_protected(disk))
        target_scsi_fail(scsi, SCSI_DATA_PROTECT, SCSI_ASC_WRITE_PROTECTED);
    else
        command->execute(scsi, disk);
}
