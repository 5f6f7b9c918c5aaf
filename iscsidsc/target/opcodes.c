/* What commands there are, told to initiators: REPORT SUPPORTED OPERATION CODES (SPC-4, 6.35) and
 * REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4, 6.36). */
#include "protocol/scsi.h"

#include "target/internal.h"

enum { DESCRIPTOR = 20 };

static size_t describe(const struct target_command *command, uint8_t *out, bool timeouts)
{
    bool action = command->action != COMMAND_NO_ACTION;
    size_t length = timeouts ? DESCRIPTOR : 8;

    memset(out, 0, length);
    out[0] = command->opcode;
    put_be16(out + 2, action ? command->action : 0);
    out[5] = (uint8_t)((timeouts ? 2 : 0) | (action ? 1 : 0));
    put_be16(out + 6, command->length);
    if (timeouts)
        put_be16(out + 8, 10); /* of the descriptor, which tells no times */
    return length;
}

static void report_all(struct target_scsi *scsi, bool timeouts)
{
    const struct target_command *command;
    uint32_t allocation = get_be32(scsi->cdb + 6);
    size_t count = 0;
    size_t length = 4;
    uint8_t *data;

    while (target_command_at(count) != NULL)
        count++;
    data = os_alloc(4 + count * DESCRIPTOR);
    if (data == NULL) {
        scsi->status = SCSI_BUSY;
        return;
    }
    for (size_t i = 0; (command = target_command_at(i)) != NULL; i++)
        length += describe(command, data + length, timeouts);
    put_be32(data, (uint32_t)length - 4);
    target_scsi_answer(scsi, data, length, allocation);
    os_free(data);
}

static void report_one(struct target_scsi *scsi, const struct target_command *command,
                       bool timeouts)
{
    uint8_t data[4 + 32 + 12] = {0};
    size_t length = 4;

    data[1] = (uint8_t)(command != NULL ? 3 : 1);
    if (command != NULL) {
        data[1] |= timeouts ? 0x80 : 0;
        put_be16(data + 2, command->length);
        data[4] = command->opcode;
        memcpy(data + 5, command->usage,
               command->length - 1u < sizeof command->usage ? command->length - 1u
                                                            : sizeof command->usage);
        if (command->length == 32) { /* the rest of LBA, and the transfer length */
            memset(data + 4 + 16, 0xff, 4);
            memset(data + 4 + 28, 0xff, 4);
        }
        length += command->length;
        if (timeouts) {
            put_be16(data + length, 10);
            length += 12;
        }
    }
    target_scsi_answer(scsi, data, length, get_be32(scsi->cdb + 6));
}

void target_scsi_report_opcodes(struct target_scsi *scsi, struct target_disk *disk)
{
    bool timeouts = (scsi->cdb[2] & 0x80) != 0;
    uint8_t asked[32] = {scsi->cdb[3]};
    const struct target_command *command;
    unsigned option = scsi->cdb[2] & 7;
    bool action;

    (void)disk;
    if (option == 0) {
        report_all(scsi, timeouts);
        return;
    }
    asked[1] = scsi->cdb[5];
    put_be16(asked + 8, get_be16(scsi->cdb + 4));
    command = target_command_find(asked);
    action =
        command != NULL ? command->action != COMMAND_NO_ACTION : target_command_exists(asked[0]);
    if (option > 3 || (option == 1 && action) ||
        (option == 2 && target_command_exists(asked[0]) && !action))
        target_scsi_illegal(scsi, SCSI_ASC_INVALID_FIELD_IN_CDB);
    else
        report_one(scsi, command, timeouts);
}

void target_scsi_report_functions(struct target_scsi *scsi, struct target_disk *disk)
{
    uint8_t data[16] = {0};
    bool extended = (scsi->cdb[2] & 0x80) != 0;

    (void)disk;
    data[0] = 0x80 | 0x40 | 0x10 | 0x08 | 0x02; /* ABORT TASK (SET), CLEAR TASK SET, LUN RESET,
                                                   TARGET RESET */
    data[3] = extended ? 12 : 0;
    target_scsi_answer(scsi, data, extended ? 16 : 4, get_be32(scsi->cdb + 6));
}
