/*
 * The target side of connections: login with and without CHAP, commands, data, text and control
 * PDUs. The input is what initiators say on two connections of one entity: raw bytes, or PDUs that
 * are right in what the fuzzer could not guess (CmdSN, tags, ISID). Where CHAP is demanded nobody
 * may ever get in.
 */
#include "protocol/framer.h"
#include "target/connection.h"

#include <stdlib.h>
#include <string.h>

#define NAMES  "InitiatorName=iqn.2026-11.test:i\0"
#define TARGET "TargetName=iqn.2026-11.test:t\0"

struct input {
    const uint8_t *data;
    size_t left;
};

struct initiator {
    struct target_connection *connection;
    uint32_t cmd_sn;
    uint32_t ttt; /* the last one seen */
    uint16_t tsih;
    bool digests;
};

static uint32_t take(struct input *input, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | (input->left > 0 ? *input->data : 0);
        if (input->left > 0) {
            input->data++;
            input->left--;
        }
    }
    return value;
}

/* --- crypto: nothing that costs time, nothing that differs from run to run --- */

static bool weak_hash(enum chap_algorithm algorithm, const struct iov *pieces, size_t count,
                      uint8_t digest[CHAP_DIGEST_MAX])
{
    uint32_t state = (uint32_t)algorithm;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < pieces[i].length; j++)
            state = (state ^ ((const uint8_t *)pieces[i].base)[j]) * 16777619u + 12345u;
    for (size_t i = 0; i < CHAP_DIGEST_MAX; i++) {
        state = state * 1103515245u + 12345u;
        digest[i] = (uint8_t)(state >> 16);
    }
    return true;
}

static bool no_random(void *out, size_t length)
{
    memset(out, 0x5c, length);
    return true;
}

static bool has_all(enum chap_algorithm algorithm)
{
    (void)algorithm;
    return true;
}

static const struct chap_crypto crypto = {weak_hash, no_random, has_all};

/* --- one connection --- */

static void on_wake(void *owner)
{
    (void)owner;
}

/* Looks at what the target says, for the tags. */
static void hear(struct initiator *initiator)
{
    struct iov pieces[16];
    size_t count;

    while ((count = target_connection_write_pieces(initiator->connection, pieces, 16, 0)) > 0) {
        size_t total = 0;

        for (size_t i = 0; i < count; i++) {
            struct pdu pdu;

            if ((pieces[i].length == 48 || pieces[i].length == 52) &&
                pdu_decode(&pdu, pieces[i].base) == STATUS_OK) {
                if (pdu.opcode == PDU_R2T)
                    initiator->ttt = pdu.r2t.ttt;
                if (pdu.opcode == PDU_TEXT_RESPONSE)
                    initiator->ttt = pdu.text_response.ttt;
                if (pdu.opcode == PDU_LOGIN_RESPONSE)
                    initiator->tsih = pdu.login_response.tsih;
            }
            total += pieces[i].length;
        }
        target_connection_written(initiator->connection, total);
    }
}

static void say(struct initiator *initiator, const uint8_t *bytes, size_t length, size_t step)
{
    static uint8_t look_ahead[8192];
    struct iov pieces[4];

    while (length > 0 && target_connection_ending(initiator->connection) == TARGET_END_NONE) {
        size_t fed = 0;
        size_t count;

        target_connection_read_begin(initiator->connection, look_ahead, sizeof look_ahead);
        count = target_connection_read_pieces(initiator->connection, pieces, 4);
        for (size_t i = 0; i < count && fed < length && fed < step; i++) {
            size_t now = pieces[i].length;

            if (now > length - fed)
                now = length - fed;
            if (now > step - fed)
                now = step - fed;
            memcpy(pieces[i].base, bytes + fed, now);
            fed += now;
        }
        target_connection_read(initiator->connection, fed, 0);
        target_connection_read_end(initiator->connection);
        hear(initiator);
        bytes += fed;
        length -= fed;
    }
}

static void say_pdu(struct initiator *initiator, struct pdu *pdu, const void *data, size_t length)
{
    static uint8_t wire[PDU_BHS_LENGTH + 4 + 65536 + 3 + 4];
    struct iov piece = {(void *)(uintptr_t)data, length};
    struct frame_tail tail;
    size_t head = PDU_BHS_LENGTH;

    pdu->data_length = (uint32_t)length;
    pdu_encode(pdu, wire);
    initiator->digests = target_connection_full_feature(initiator->connection) &&
                         target_connection_values(initiator->connection)->header_digest != 0;
    if (initiator->digests) {
        frame_header_digest(wire, head);
        head += PDU_DIGEST_LENGTH;
    }
    memcpy(wire + head, data, length);
    frame_tail(&tail, &piece, 1,
               target_connection_full_feature(initiator->connection) &&
                   target_connection_values(initiator->connection)->data_digest != 0);
    memcpy(wire + head + length, tail.bytes, tail.length);
    say(initiator, wire, head + length + tail.length, sizeof wire);
}

/* --- PDUs made from the input --- */

static void say_login(struct initiator *initiator, struct input *input, bool plain)
{
    static const char normal[] = NAMES TARGET "MaxConnections=2\0";
    static const char discovery[] = NAMES "SessionType=Discovery\0";
    uint8_t flags = plain ? 0x13 : (uint8_t)take(input, 1);
    uint8_t text[1024];
    size_t length = 0;
    struct pdu pdu = {.opcode = PDU_LOGIN_REQUEST, .immediate = true};

    pdu.login_request.transit = flags & 1;
    pdu.login_request.current_stage = flags & 2 ? 1 : 0;
    pdu.login_request.next_stage = flags & 4 ? 1 : flags & 1 ? 3 : 0;
    pdu.login_request.more = flags & 8;
    pdu.login_request.isid[0] = 0x40;
    pdu.login_request.tsih = flags & 0x80 ? initiator->tsih : 0;
    pdu.login_request.cid = flags & 0x80 ? 2 : 1;
    pdu.login_request.cmd_sn = initiator->cmd_sn;
    if (flags & 0x10) {
        memcpy(text, flags & 0x20 ? discovery : normal,
               length = flags & 0x20 ? sizeof discovery - 1 : sizeof normal - 1);
    }
    if (!plain)
        for (size_t more = take(input, 2) % 512; more > 0 && input->left > 0; more--)
            text[length++] = (uint8_t)take(input, 1);
    say_pdu(initiator, &pdu, text, length);
}

static void say_command(struct initiator *initiator, struct input *input, struct pdu *pdu)
{
    struct pdu_scsi_command *command = &pdu->scsi_command;
    uint8_t flags = (uint8_t)take(input, 1);

    command->read = flags & 1;
    command->write = flags & 2;
    pdu->final = !(flags & 4);
    command->expected_length = take(input, flags & 8 ? 4 : 2);
    command->cmd_sn = initiator->cmd_sn + (flags & 0x10 ? take(input, 1) : 0);
    initiator->cmd_sn += !(flags & 0x10) && !pdu->immediate;
    for (size_t i = 0; i < 16; i++)
        command->cdb[i] = (uint8_t)take(input, 1);
}

static void say_request(struct initiator *initiator, struct input *input)
{
    static const uint8_t opcodes[] = {PDU_SCSI_COMMAND, PDU_SCSI_COMMAND,   PDU_DATA_OUT,
                                      PDU_TEXT_REQUEST, PDU_TASK_REQUEST,   PDU_NOP_OUT,
                                      PDU_SNACK,        PDU_LOGOUT_REQUEST, 0x1e};
    static uint8_t data[4096];
    uint8_t flags = (uint8_t)take(input, 1);
    struct pdu pdu = {.opcode = opcodes[take(input, 1) % sizeof opcodes]};
    size_t length = take(input, 2) % sizeof data;

    pdu.immediate = flags & 1;
    pdu.final = flags & 2;
    pdu.itt = flags >> 4;
    pdu.lun = flags & 4 ? (uint64_t)take(input, 2) << 48 : 0;
    switch (pdu.opcode) {
    case PDU_SCSI_COMMAND:
        say_command(initiator, input, &pdu);
        break;
    case PDU_DATA_OUT:
        pdu.data_out.ttt = flags & 8 ? PDU_RESERVED_TAG : initiator->ttt;
        pdu.data_out.offset = take(input, 2);
        pdu.data_out.data_sn = take(input, 1);
        break;
    case PDU_TEXT_REQUEST:
        pdu.text_request.ttt = flags & 8 ? PDU_RESERVED_TAG : initiator->ttt;
        pdu.text_request.more = take(input, 1) & 1;
        pdu.text_request.cmd_sn = initiator->cmd_sn;
        initiator->cmd_sn += !pdu.immediate;
        break;
    case PDU_TASK_REQUEST:
        pdu.task_request.function = (uint8_t)take(input, 1);
        pdu.task_request.referenced_itt = take(input, 1) >> 4;
        pdu.task_request.cmd_sn = initiator->cmd_sn;
        initiator->cmd_sn += !pdu.immediate;
        break;
    default:
        pdu.nop_out.ttt = flags & 8 ? PDU_RESERVED_TAG : initiator->ttt;
        pdu.nop_out.cmd_sn = initiator->cmd_sn;
        break;
    }
    for (size_t i = 0; i < length; i++)
        data[i] = input->left > 0 ? (uint8_t)take(input, 1) : 0;
    say_pdu(initiator, &pdu, data, length);
}

/* --- the run --- */

static struct target_entity *new_entity(uint8_t flags)
{
    struct target_entity *entity = target_entity_new(&crypto);
    struct target *target;
    struct target_disk *disk;

    if (entity == NULL || target_add(entity, "iqn.2026-11.test:t", &target) != STATUS_OK ||
        target_disk_ram(16384, 512, &disk) != STATUS_OK)
        abort();
    target_add_disk(target, 0, disk);
    target_entity_settings(entity)->command_window = 4;
    if (flags & 2) {
        struct target_access *all[] = {target_access_of(target),
                                       target_access_of_discovery(entity)};

        for (size_t i = 0; i < 2; i++) {
            target_access_add(all[i], "user", "secretsecret1");
            target_access_identity(all[i], "target", "targetsecret");
        }
    }
    return entity;
}

static void play(struct initiator *both, struct input *input, uint8_t flags)
{
    while (input->left > 0) {
        struct initiator *one = &both[take(input, 1) & 1];

        if (flags & 1) {
            size_t length = take(input, 2) % 1024;

            if (length > input->left)
                length = input->left;
            say(one, input->data, length, 1 + (flags >> 4));
            input->data += length;
            input->left -= length;
        } else if (target_connection_full_feature(one->connection)) {
            say_request(one, input);
        } else {
            say_login(one, input, false);
        }
        if (flags & 2 && target_connection_full_feature(one->connection))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint8_t flags = (uint8_t)take(&input, 1);
    struct target_entity *entity = new_entity(flags);
    struct initiator both[2];

    memset(both, 0, sizeof both);
    for (size_t i = 0; i < 2; i++) {
        both[i].connection = target_connection_new(entity, 1, on_wake, NULL, 0);
        if (both[i].connection == NULL)
            abort();
    }
    if (flags & 4)
        say_login(&both[0], &input, true);
    play(both, &input, flags);
    target_connection_tick(both[0].connection, 20000);
    hear(&both[0]);
    target_connection_free(both[flags >> 3 & 1].connection);
    target_connection_free(both[~flags >> 3 & 1].connection);
    target_entity_free(entity);
    return 0;
}
