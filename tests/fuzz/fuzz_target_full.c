/*
 * The target in full feature phase, before initiators who know the protocol and mean no good: three
 * connections, two of one session, at every error recovery level, with digests and in every order
 * of data. They send commands of all kinds, data that fit and data that do not, SNACK, task
 * management, logouts; they vanish, come back, and let time pass. What is looked at beside the
 * sanitizers: PDUs of the target are whole and its own, MaxCmdSN never goes back, a status number
 * is never skipped.
 */
#include "protocol/framer.h"
#include "os/crypto.h"
#include "target/connection.h"
#include "target/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES      "InitiatorName=iqn.2026-11.test:i\nTargetName=iqn.2026-11.test:t\n"
#define INITIATORS 3

struct input {
    const uint8_t *data;
    size_t left;
};

struct initiator {
    struct target_connection *connection;
    struct framer framer; /* what the target sends */
    uint8_t bhs[PDU_BHS_LENGTH];
    uint32_t ttts[4]; /* the last ones seen */
    uint32_t itts[4]; /* the last ones used */
    unsigned ttt_count, itt_count;
    uint32_t stat_sn; /* the next */
    uint32_t max_cmd_sn;
    bool in;     /* full feature phase was seen */
    bool honest; /* no faults: what is sent can be checked */
    uint8_t number;
};

struct play {
    struct target_entity *entity;
    struct target_script *script;
    struct initiator initiators[INITIATORS];
    uint32_t cmd_sn[2]; /* of each session */
    uint16_t tsih[2];
    uint64_t now;
    uint8_t flags;
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

static void on_wake(void *owner)
{
    (void)owner;
}

static unsigned session_of(const struct initiator *initiator)
{
    return initiator->number / 2u;
}

/* --- what the target says --- */

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static bool is_numbered(const struct pdu *pdu)
{
    if (pdu->opcode == PDU_R2T)
        return false;
    if (pdu->opcode == PDU_NOP_IN)
        return pdu->itt != PDU_RESERVED_TAG;
    return pdu->opcode != PDU_DATA_IN || pdu->data_in.status_present;
}

static void note_tag(struct initiator *initiator, uint32_t ttt)
{
    if (ttt != PDU_RESERVED_TAG)
        initiator->ttts[initiator->ttt_count++ % 4] = ttt;
}

static void on_pdu(struct play *play, struct initiator *initiator)
{
    const struct pdu *pdu = &initiator->framer.pdu;
    /* The sequence fields lie in the same places of every response. */
    uint32_t stat_sn = get_be32(initiator->bhs + 24);
    uint32_t max_cmd_sn = get_be32(initiator->bhs + 32);

    check(initiator->framer.decoded == STATUS_OK && pdu_from_target(pdu->opcode), "not a response");
    if (pdu->opcode == PDU_R2T)
        note_tag(initiator, pdu->r2t.ttt);
    if (pdu->opcode == PDU_DATA_IN)
        note_tag(initiator, pdu->data_in.ttt);
    if (pdu->opcode == PDU_NOP_IN)
        note_tag(initiator, pdu->nop_in.ttt);
    if (pdu->opcode == PDU_TEXT_RESPONSE)
        note_tag(initiator, pdu->text_response.ttt);
    if (pdu->opcode == PDU_LOGIN_RESPONSE && pdu->login_response.tsih != 0)
        play->tsih[session_of(initiator)] = pdu->login_response.tsih;
    if (!initiator->honest || pdu->opcode == PDU_LOGIN_RESPONSE) {
        initiator->max_cmd_sn = max_cmd_sn;
        initiator->stat_sn = stat_sn + 1;
        return;
    }
    check(!serial_less(max_cmd_sn, initiator->max_cmd_sn), "MaxCmdSN went back");
    initiator->max_cmd_sn = max_cmd_sn;
    if (is_numbered(pdu)) {
        check(serial_less_equal(stat_sn, initiator->stat_sn), "a StatSN was skipped");
        if (stat_sn == initiator->stat_sn)
            initiator->stat_sn++;
    }
}

static void hear_bytes(struct play *play, struct initiator *initiator, const uint8_t *bytes,
                       size_t length)
{
    static uint8_t look_ahead[65536];
    enum framer_event event;

    framer_attach(&initiator->framer, look_ahead, sizeof look_ahead);
    while (length > 0) {
        struct iov pieces[2];
        size_t count = framer_buffers(&initiator->framer, pieces, 2);
        size_t now = pieces[count - 1].length < length ? pieces[count - 1].length : length;

        memcpy(pieces[count - 1].base, bytes, now);
        framer_filled(&initiator->framer, now);
        bytes += now;
        length -= now;
        while ((event = framer_next(&initiator->framer)) != FRAMER_MORE) {
            if (event == FRAMER_HEADER)
                memcpy(initiator->bhs, initiator->framer.bhs, PDU_BHS_LENGTH);
            if (event == FRAMER_PDU)
                on_pdu(play, initiator);
            else if (initiator->honest)
                check(event == FRAMER_HEADER, "a PDU that is not whole");
        }
    }
    framer_detach(&initiator->framer);
}

static void hear(struct play *play, struct initiator *initiator)
{
    struct iov pieces[16];
    size_t count;

    if (initiator->connection == NULL)
        return;
    while ((count = target_connection_write_pieces(initiator->connection, pieces, 16, play->now)) >
           0) {
        size_t total = 0;

        for (size_t i = 0; i < count; i++) {
            /* The last response of a login comes without digests, what follows with them. */
            if (initiator->honest)
                hear_bytes(play, initiator, pieces[i].base, pieces[i].length);
            total += pieces[i].length;
        }
        target_connection_written(initiator->connection, total);
    }
}

/* --- what the initiators say --- */

static void say(struct play *play, struct initiator *initiator, const uint8_t *bytes, size_t length)
{
    static uint8_t look_ahead[65536];
    struct iov pieces[4];

    while (length > 0 && initiator->connection != NULL &&
           target_connection_ending(initiator->connection) == TARGET_END_NONE) {
        size_t fed = 0;
        size_t count;

        target_connection_read_begin(initiator->connection, look_ahead, sizeof look_ahead);
        count = target_connection_read_pieces(initiator->connection, pieces, 4);
        for (size_t i = 0; i < count && fed < length; i++) {
            size_t now = pieces[i].length < length - fed ? pieces[i].length : length - fed;

            memcpy(pieces[i].base, bytes + fed, now);
            fed += now;
        }
        target_connection_read(initiator->connection, fed, play->now);
        target_connection_read_end(initiator->connection);
        bytes += fed;
        length -= fed;
    }
    for (unsigned i = 0; i < INITIATORS; i++)
        hear(play, &play->initiators[i]);
}

/* `broken`: the data digest is wrong. */
static void say_pdu(struct play *play, struct initiator *initiator, struct pdu *pdu,
                    const uint8_t *ahs, const void *data, size_t length, bool broken)
{
    static uint8_t wire[PDU_BHS_LENGTH + 64 + 4 + 65536 + 3 + 4];
    const struct key_values *values = target_connection_values(initiator->connection);
    bool full = target_connection_full_feature(initiator->connection);
    struct iov piece = {(void *)(uintptr_t)data, length};
    struct frame_tail tail;
    size_t head = PDU_BHS_LENGTH + pdu->ahs_length;

    pdu->data_length = (uint32_t)length;
    pdu_encode(pdu, wire);
    if (pdu->ahs_length > 0)
        memcpy(wire + PDU_BHS_LENGTH, ahs, pdu->ahs_length);
    if (full && values->header_digest) {
        frame_header_digest(wire, head);
        head += PDU_DIGEST_LENGTH;
    }
    if (length > 0)
        memcpy(wire + head, data, length);
    frame_tail(&tail, &piece, 1, full && values->data_digest);
    memcpy(wire + head + length, tail.bytes, tail.length);
    if (broken && tail.length > 0)
        wire[head + length + tail.length - 1] ^= 1;
    say(play, initiator, wire, head + length + tail.length);
}

static void log_in(struct play *play, struct initiator *initiator, struct input *input)
{
    static const char *const more[] = {
        "",
        "HeaderDigest=CRC32C\nDataDigest=CRC32C\n",
        "InitialR2T=Yes\nImmediateData=No\n",
        "MaxRecvDataSegmentLength=512\nMaxBurstLength=1024\nFirstBurstLength=512\n",
        "DataPDUInOrder=No\nDataSequenceInOrder=No\nMaxRecvDataSegmentLength=512\n",
    };
    char text[512];
    unsigned choice = take(input, 1);
    struct pdu pdu = {.opcode = PDU_LOGIN_REQUEST, .immediate = true, .itt = 1};
    int length;

    if (initiator->connection == NULL) {
        initiator->connection = target_connection_new(play->entity, 1, on_wake, NULL, play->now);
        check(initiator->connection != NULL, "no connection");
        framer_init(&initiator->framer);
        initiator->framer.max_data_length = PDU_DATA_MAX;
    }
    if (target_connection_full_feature(initiator->connection))
        return;
    length = snprintf(text, sizeof text,
                      NAMES "ErrorRecoveryLevel=%u\nMaxConnections=4\nDefaultTime2Retain=5\n%s",
                      choice % 3, more[choice / 4 % 5]);
    for (int i = 0; i < length; i++) {
        if (text[i] == '\n')
            text[i] = '\0';
    }
    pdu.login_request.transit = true;
    pdu.login_request.current_stage = LOGIN_STAGE_OPERATIONAL;
    pdu.login_request.next_stage = LOGIN_STAGE_FULL_FEATURE;
    pdu.login_request.isid[5] = (uint8_t)session_of(initiator);
    pdu.login_request.cid = choice & 128 ? 1 : initiator->number;
    pdu.login_request.tsih = choice & 64 ? play->tsih[session_of(initiator)] : 0;
    pdu.login_request.cmd_sn = play->cmd_sn[session_of(initiator)];
    say_pdu(play, initiator, &pdu, NULL, text, (size_t)length, false);
    initiator->honest = initiator->honest &&
                        target_connection_full_feature(initiator->connection) &&
                        target_connection_values(initiator->connection)->header_digest == 0 &&
                        target_connection_values(initiator->connection)->data_digest == 0;
}

static uint32_t some_itt(const struct initiator *initiator, unsigned choice)
{
    return choice & 8 ? choice : initiator->itts[choice % 4];
}

static uint32_t some_ttt(const struct initiator *initiator, unsigned choice)
{
    return choice & 8 ? PDU_RESERVED_TAG : initiator->ttts[choice % 4];
}

static uint32_t take_cmd_sn(struct play *play, const struct initiator *initiator, struct pdu *pdu,
                            unsigned flags)
{
    uint32_t *next = &play->cmd_sn[session_of(initiator)];

    pdu->immediate = flags & 1;
    if (flags & 2) /* one is left out */
        (*next)++;
    return pdu->immediate ? *next : (*next)++;
}

static void say_command(struct play *play, struct initiator *initiator, struct input *input)
{
    static const uint8_t opcodes[] = {
        0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x16, 0x17, 0x1a, 0x25, 0x28, 0x2a, 0x2e, 0x2f, 0x34,
        0x35, 0x41, 0x42, 0x4d, 0x53, 0x55, 0x5a, 0x5e, 0x5f, 0x7f, 0x88, 0x89, 0x8a, 0x8b, 0x8e,
        0x8f, 0x91, 0x93, 0x9e, 0xa0, 0xa3, 0xa8, 0xaa, 0xaf, 0x28, 0x2a, 0x28, 0x2a, 0x2a};
    static uint8_t data[4096];
    struct pdu pdu = {.opcode = PDU_SCSI_COMMAND};
    unsigned flags = take(input, 1);
    unsigned kind = take(input, 1);
    uint8_t ahs[64];
    size_t length = 0;

    pdu.final = !(flags & 4);
    pdu.itt = take(input, 1);
    pdu.lun = flags & 8 ? (uint64_t)1 << 48 : 0;
    pdu.scsi_command.read = flags & 16;
    pdu.scsi_command.write = flags & 32;
    pdu.scsi_command.expected_length = take(input, 2);
    pdu.scsi_command.cmd_sn = take_cmd_sn(play, initiator, &pdu, flags);
    pdu.scsi_command.cdb[0] = opcodes[kind % sizeof opcodes];
    for (unsigned i = 1; i < PDU_CDB_LENGTH; i++) /* small numbers, where they matter */
        pdu.scsi_command.cdb[i] =
            i == 1 || i == 5 || i == 8 || i == 9 || i == 13 ? (uint8_t)take(input, 1) : 0;
    if (flags & 64) {
        pdu.ahs_length = (uint16_t)(take(input, 1) % 8 * 4);
        for (unsigned i = 0; i < pdu.ahs_length; i++)
            ahs[i] = (uint8_t)take(input, 1);
    }
    if (flags & 128) {
        length = take(input, 2) % sizeof data;
        for (size_t i = 0; i < length && i < 32; i++)
            data[i] = (uint8_t)take(input, 1);
    }
    initiator->itts[initiator->itt_count++ % 4] = pdu.itt;
    say_pdu(play, initiator, &pdu, ahs, data, length, flags == 0xff);
}

static void say_data(struct play *play, struct initiator *initiator, struct input *input)
{
    static const uint8_t data[4096];
    unsigned flags = take(input, 1);
    struct pdu pdu = {.opcode = PDU_DATA_OUT, .final = flags & 64};

    pdu.itt = some_itt(initiator, take(input, 1));
    pdu.data_out.ttt = some_ttt(initiator, flags & 15);
    pdu.data_out.offset = flags & 16 ? take(input, 4) : take(input, 1) * 256;
    pdu.data_out.data_sn = take(input, 1);
    pdu.data_out.exp_stat_sn = initiator->stat_sn;
    say_pdu(play, initiator, &pdu, NULL, data, take(input, 1) * 16, flags & 128);
}

static void say_snack(struct play *play, struct initiator *initiator, struct input *input)
{
    unsigned flags = take(input, 1);
    struct pdu pdu = {.opcode = PDU_SNACK, .final = true};

    pdu.snack.type = (uint8_t)(flags & 7);
    pdu.itt = some_itt(initiator, take(input, 1));
    pdu.snack.ttt = some_ttt(initiator, flags >> 3 & 15);
    pdu.snack.begin_run = take(input, 1);
    if (pdu.snack.type == SNACK_STATUS)
        pdu.snack.begin_run = initiator->stat_sn - pdu.snack.begin_run;
    pdu.snack.run_length = take(input, 1);
    pdu.snack.exp_stat_sn = 0;
    say_pdu(play, initiator, &pdu, NULL, NULL, 0, false);
}

static void say_management(struct play *play, struct initiator *initiator, struct input *input)
{
    unsigned flags = take(input, 1);
    struct pdu pdu = {.opcode = PDU_TASK_REQUEST, .final = true, .itt = 0x700};

    pdu.task_request.function = (uint8_t)(flags >> 4);
    pdu.task_request.referenced_itt = some_itt(initiator, take(input, 1));
    pdu.task_request.cmd_sn = take_cmd_sn(play, initiator, &pdu, flags);
    pdu.task_request.ref_cmd_sn = pdu.task_request.cmd_sn - take(input, 1) % 8;
    pdu.task_request.exp_data_sn = take(input, 1);
    pdu.task_request.exp_stat_sn = flags & 4 ? initiator->stat_sn : 0;
    say_pdu(play, initiator, &pdu, NULL, NULL, 0, false);
}

static void say_other(struct play *play, struct initiator *initiator, struct input *input)
{
    static const uint8_t data[64] = "MaxRecvDataSegmentLength=1024";
    unsigned flags = take(input, 1);
    struct pdu pdu = {.final = true, .itt = 0x800};

    switch (flags >> 4 & 3) {
    case 0:
        pdu.opcode = PDU_NOP_OUT;
        pdu.itt = flags & 4 ? PDU_RESERVED_TAG : 0x800;
        pdu.nop_out.ttt = some_ttt(initiator, flags & 15);
        pdu.nop_out.exp_stat_sn = initiator->stat_sn;
        pdu.nop_out.cmd_sn = take_cmd_sn(play, initiator, &pdu, flags | 1);
        break;
    case 1:
        pdu.opcode = PDU_LOGOUT_REQUEST;
        pdu.logout_request.reason = (uint8_t)(flags & 3);
        pdu.logout_request.cid = (uint16_t)(take(input, 1) % 4);
        pdu.logout_request.cmd_sn = take_cmd_sn(play, initiator, &pdu, 1);
        break;
    case 2:
        pdu.opcode = PDU_TEXT_REQUEST;
        pdu.text_request.ttt = some_ttt(initiator, flags & 15);
        pdu.text_request.more = flags & 64;
        pdu.text_request.cmd_sn = take_cmd_sn(play, initiator, &pdu, flags);
        break;
    default:
        pdu.opcode = (uint8_t)take(input, 1) & 0x3f;
        break;
    }
    say_pdu(play, initiator, &pdu, NULL, data, take(input, 1) % sizeof data, flags & 128);
}

static void vanish(struct play *play, struct initiator *initiator)
{
    target_connection_free(initiator->connection);
    initiator->connection = NULL;
    initiator->honest = play->script == NULL;
}

static void pass_time(struct play *play, struct input *input)
{
    play->now += take(input, 2);
    for (unsigned i = 0; i < INITIATORS; i++) {
        if (play->initiators[i].connection == NULL)
            continue;
        target_connection_tick(play->initiators[i].connection, play->now);
        hear(play, &play->initiators[i]);
    }
    target_entity_tick(play->entity, play->now);
}

static void act(struct play *play, struct input *input)
{
    unsigned choice = take(input, 1);
    struct initiator *initiator = &play->initiators[choice % INITIATORS];

    if (initiator->connection != NULL &&
        target_connection_ending(initiator->connection) != TARGET_END_NONE)
        vanish(play, initiator);
    if (initiator->connection == NULL || !target_connection_full_feature(initiator->connection)) {
        log_in(play, initiator, input);
        return;
    }
    switch (choice >> 4) {
    case 0:
        vanish(play, initiator);
        break;
    case 1:
        pass_time(play, input);
        break;
    case 2:
    case 3:
        say_management(play, initiator, input);
        break;
    case 4:
    case 5:
        say_snack(play, initiator, input);
        break;
    case 6:
        say_other(play, initiator, input);
        break;
    case 7:
    case 8:
    case 9:
        say_data(play, initiator, input);
        break;
    default:
        say_command(play, initiator, input);
        break;
    }
}

/* --- the run --- */

static void set_up(struct play *play)
{
    static const char losses[] = "on status 2 omit\non data-in every 3 omit\non r2t 2 omit";
    static const char damage[] = "on data-out every 2 corrupt data-digest\n"
                                 "on scsi-command 3 answer busy";
    static const char disorder[] = "on any-response every 3 behind 2\n"
                                   "on any-response every 7 duplicate";
    static const char ends[] = "on time 100 async drop-connection 1 0 5\n"
                               "on scsi-response 2 window 1\non data-in 4 reset at 9";
    static const char *const faults[] = {losses, damage, disorder, ends};
    struct target_settings *settings;
    struct target *target;
    struct target_disk *disk;
    char error[64];

    play->entity = target_entity_new(&os_crypto);
    if (play->entity == NULL ||
        target_add(play->entity, "iqn.2026-11.test:t", &target) != STATUS_OK ||
        target_disk_ram(65536, 512, &disk) != STATUS_OK)
        abort();
    target_add_disk(target, 0, disk);
    settings = target_entity_settings(play->entity);
    settings->offers.error_recovery_level = 2;
    settings->offers.default_time2retain = 10;
    settings->offers.data_pdu_in_order = settings->offers.data_sequence_in_order = false;
    settings->sequence_order = settings->pdu_order = (enum target_order)(play->flags % 3);
    settings->seed = play->flags;
    settings->separate_status = play->flags & 8;
    settings->command_window = play->flags & 4 ? 2 : 16;
    settings->recovery_timeout = play->flags & 16 ? 200 : 0;
    settings->nop_interval = play->flags & 32 ? 1000 : 0;
    if (play->flags & 64) {
        play->script = target_script_new(play->flags);
        if (play->script == NULL ||
            !target_script_add(play->script, faults[play->flags & 3], error, sizeof error))
            abort();
        settings->fault = target_script_fault(play->script);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct play play = {.flags = (uint8_t)take(&input, 1), .now = 1};

    set_up(&play);
    for (unsigned i = 0; i < INITIATORS; i++) {
        play.initiators[i].number = (uint8_t)i;
        play.initiators[i].honest = play.script == NULL;
        log_in(&play, &play.initiators[i], &input);
    }
    while (input.left > 0)
        act(&play, &input);
    for (unsigned i = 0; i < INITIATORS; i++)
        target_connection_free(play.initiators[i].connection);
    target_entity_tick(play.entity, play.now + 100000);
    target_entity_tick(play.entity, play.now + 200000);
    target_entity_free(play.entity);
    target_script_free(play.script);
    return 0;
}
