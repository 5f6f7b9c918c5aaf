/* Fault scripts from anywhere: what is not a rule is refused with a message, and what is one can be
 * obeyed. */
#include "os/crypto.h"
#include "target/connection.h"
#include "target/script.h"

#include <stdlib.h>
#include <string.h>

static void on_wake(void *owner)
{
    (void)owner;
}

/* A login, and some requests behind it, so that rules meet something. */
static void talk(struct target_connection *connection)
{
    static const char keys[] = "InitiatorName=iqn.2026-11.test:i\0TargetName=iqn.2026-11.test:t\0";
    uint8_t wire[1024] = {0};
    static uint8_t look_ahead[8192];
    struct pdu pdu = {.opcode = PDU_LOGIN_REQUEST, .immediate = true};
    struct iov pieces[4];
    size_t length = PDU_BHS_LENGTH + (sizeof keys - 1 + 3) / 4 * 4;

    pdu.login_request.transit = true;
    pdu.login_request.current_stage = LOGIN_STAGE_OPERATIONAL;
    pdu.login_request.next_stage = LOGIN_STAGE_FULL_FEATURE;
    pdu.data_length = sizeof keys - 1;
    pdu_encode(&pdu, wire);
    memcpy(wire + PDU_BHS_LENGTH, keys, sizeof keys - 1);
    for (uint32_t i = 0; i < 4; i++) {
        pdu = (struct pdu){.opcode = PDU_SCSI_COMMAND, .final = true, .itt = i};
        pdu.scsi_command.cmd_sn = i;
        pdu.scsi_command.read = true;
        pdu.scsi_command.expected_length = 1024;
        pdu.scsi_command.cdb[0] = i == 0 ? 0x00 : 0x28;
        pdu.scsi_command.cdb[8] = 2;
        pdu_encode(&pdu, wire + length);
        length += PDU_BHS_LENGTH;
    }
    target_connection_read_begin(connection, look_ahead, sizeof look_ahead);
    target_connection_read_pieces(connection, pieces, 4);
    memcpy(pieces[0].base, wire, length);
    target_connection_read(connection, length, 1);
    target_connection_read_end(connection);
}

static void drain(struct target_connection *connection)
{
    struct iov pieces[16];
    size_t count;
    unsigned rounds = 0;

    for (uint64_t now = 1; now < 5000 && ++rounds < 1000; now += 500) {
        target_connection_tick(connection, now);
        while ((count = target_connection_write_pieces(connection, pieces, 16, now)) > 0 &&
               ++rounds < 1000) {
            size_t total = 0;

            for (size_t i = 0; i < count; i++)
                total += pieces[i].length;
            target_connection_written(connection, total);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_script *script = target_script_new(1);
    char *text = malloc(size + 1);
    char error[64] = "";
    struct target_entity *entity;
    struct target_connection *connection;
    struct target *target;
    struct target_disk *disk;

    if (script == NULL || text == NULL)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    if (!target_script_add(script, text, error, sizeof error)) {
        if (error[0] == '\0')
            abort(); /* refused without a word */
        target_script_free(script);
        free(text);
        return 0;
    }
    entity = target_entity_new(&os_crypto);
    if (entity == NULL || target_add(entity, "iqn.2026-11.test:t", &target) != STATUS_OK ||
        target_disk_ram(16384, 512, &disk) != STATUS_OK)
        abort();
    target_add_disk(target, 0, disk);
    target_entity_settings(entity)->fault = target_script_fault(script);
    connection = target_connection_new(entity, 1, on_wake, NULL, 0);
    if (connection == NULL)
        abort();
    talk(connection);
    drain(connection);
    target_connection_free(connection);
    target_entity_free(entity);
    target_script_free(script);
    free(text);
    return 0;
}
