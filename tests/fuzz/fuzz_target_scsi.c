/*
 * The units of a target before two initiators who send any command with any data: CDBs and
 * parameter lists are the input's. One disk can be ejected, one is in a file, one is protected.
 */
#include "os/crypto.h"
#include "os/storage.h"
#include "protocol/scsi.h"
#include "target/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOGIN "InitiatorName=iqn.2026-11.test:i\0TargetName=iqn.2026-11.test:t\0"

enum { DISK_BYTES = 65536, DATA_MOST = 1024, COMMANDS_MOST = 64, KEPT_BYTES = 131072 };

struct input {
    const uint8_t *data;
    size_t left;
};

struct initiator {
    struct target_connection *connection;
    uint32_t cmd_sn;
    uint32_t itt;
    uint8_t number;
};

static char disk_path[64], kept_path[64];

static uint8_t take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++;
}

static void woken(void *owner)
{
    (void)owner;
}

static void drain(struct initiator *initiator)
{
    struct iov pieces[16];
    size_t count;

    while ((count = target_connection_write_pieces(initiator->connection, pieces, 16, 1)) > 0) {
        size_t length = 0;

        for (size_t i = 0; i < count; i++)
            length += pieces[i].length;
        target_connection_written(initiator->connection, length);
    }
}

static void feed(struct initiator *initiator, const uint8_t *bytes, size_t length)
{
    static uint8_t look_ahead[65536];
    struct iov pieces[8];

    while (length > 0) {
        size_t fed = 0;
        size_t count;

        target_connection_read_begin(initiator->connection, look_ahead, sizeof look_ahead);
        count = target_connection_read_pieces(initiator->connection, pieces, 8);
        for (size_t i = 0; i < count && fed < length; i++) {
            size_t now = pieces[i].length < length - fed ? pieces[i].length : length - fed;

            memcpy(pieces[i].base, bytes + fed, now);
            fed += now;
        }
        target_connection_read(initiator->connection, fed, 1);
        target_connection_read_end(initiator->connection);
        bytes += fed;
        length -= fed;
    }
    drain(initiator);
}

static void say(struct initiator *initiator, struct pdu *pdu, const void *data, size_t length)
{
    uint8_t wire[PDU_BHS_LENGTH + DATA_MOST + 4] = {0};

    pdu->data_length = (uint32_t)length;
    pdu_encode(pdu, wire);
    if (length > 0)
        memcpy(wire + PDU_BHS_LENGTH, data, length);
    feed(initiator, wire, PDU_BHS_LENGTH + length + padding_of((uint32_t)length));
}

static void log_in(struct target_entity *entity, struct initiator *initiator, uint8_t number)
{
    struct pdu pdu = {.opcode = PDU_LOGIN_REQUEST, .immediate = true, .itt = 1};
    struct pdu_login_request *login = &pdu.login_request;

    initiator->number = number;
    initiator->cmd_sn = 1;
    initiator->connection = target_connection_new(entity, 1, woken, NULL, 1);
    if (initiator->connection == NULL)
        abort();
    login->transit = true;
    login->current_stage = 1;
    login->next_stage = 3;
    login->isid[0] = 0x40;
    login->isid[5] = number;
    login->cmd_sn = 1;
    say(initiator, &pdu, LOGIN, sizeof LOGIN - 1);
    if (!target_connection_full_feature(initiator->connection))
        abort();
}

static void say_command(struct initiator *initiator, struct input *input)
{
    struct pdu pdu = {.opcode = PDU_SCSI_COMMAND, .final = true, .itt = ++initiator->itt};
    struct pdu_scsi_command *command = &pdu.scsi_command;
    uint8_t data[DATA_MOST];
    uint8_t flags = take(input);
    size_t length = 0;

    pdu.lun = (uint64_t)(flags & 3) << 48;
    command->read = flags & 4;
    command->write = flags & 8;
    for (size_t i = 0; i < PDU_CDB_LENGTH; i++)
        command->cdb[i] = take(input);
    if (command->write)
        length = (size_t)(take(input) << 8 | take(input)) % DATA_MOST;
    for (size_t i = 0; i < length; i++)
        data[i] = take(input);
    command->expected_length = command->write ? (uint32_t)length : 4096;
    command->cmd_sn = initiator->cmd_sn++;
    say(initiator, &pdu, data, length);
}

static void add_disk(struct target *target, uint32_t lun, struct target_disk *disk)
{
    if (target_add_disk(target, lun, disk) != STATUS_OK)
        abort();
}

static void add_disks(struct target *target)
{
    struct target_disk *disk;
    bool made;

    if (target_disk_ram(DISK_BYTES, 512, &disk) != STATUS_OK)
        abort();
    target_disk_set_removable(disk);
    add_disk(target, 0, disk);
    unlink(kept_path);
    if (os_storage_make(disk_path, DISK_BYTES, &made) != STATUS_OK ||
        target_disk_file(disk_path, 512, false, &disk) != STATUS_OK ||
        target_disk_keep_reservations(disk, kept_path) != STATUS_OK)
        abort();
    add_disk(target, 1, disk);
    if (target_disk_ram(DISK_BYTES, 4096, &disk) != STATUS_OK)
        abort();
    target_disk_set_read_only(disk);
    add_disk(target, 2, disk);
}

/* A file of reservations that says anything, too. */
static void load_reservations(struct input *input)
{
    struct target_disk *disk;
    struct os_storage *file;
    uint64_t size;
    bool made;

    unlink(kept_path);
    if (target_disk_ram(512, 512, &disk) != STATUS_OK ||
        os_storage_make(kept_path, KEPT_BYTES, &made) != STATUS_OK ||
        os_storage_open(kept_path, false, &file, &size) != STATUS_OK)
        abort();
    os_storage_write(file, 0, input->data, input->left < KEPT_BYTES ? input->left : KEPT_BYTES);
    os_storage_close(file);
    target_disk_keep_reservations(disk, kept_path);
    target_disk_free(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct initiator initiators[2] = {{0}};
    struct target_entity *entity;
    struct target *target;

    snprintf(disk_path, sizeof disk_path, "/tmp/fuzz-scsi-%d.disk", (int)getpid());
    snprintf(kept_path, sizeof kept_path, "/tmp/fuzz-scsi-%d.kept", (int)getpid());
    if (take(&input) == 0xff) {
        load_reservations(&input);
        return 0;
    }
    entity = target_entity_new(&os_crypto);
    if (entity == NULL || target_add(entity, "iqn.2026-11.test:t", &target) != STATUS_OK)
        abort();
    add_disks(target);
    log_in(entity, &initiators[0], 1);
    log_in(entity, &initiators[1], 2);
    for (int i = 0; i < COMMANDS_MOST && input.left > 0; i++)
        say_command(&initiators[input.data[0] >> 7], &input);
    target_connection_free(initiators[0].connection);
    target_connection_free(initiators[1].connection);
    target_entity_free(entity);
    unlink(disk_path);
    unlink(kept_path);
    return 0;
}
