/* What goes wrong in full feature phase: commands, digests, logout. */
#include "peer.h"

#include "protocol/scsi.h"

enum { STORM = 1000, NOWHERE = 0x5a5a0000 };

static const uint8_t plain_inquiry[36] = "\x00\x00\x06\x02\x1f\x00\x00\x00"
                                         "ISCSIDSCMade by the peer1.0";

static bool is_inquiry(const struct target_fault_in *in)
{
    return in->pdu->opcode == PDU_SCSI_COMMAND && in->pdu->scsi_command.cdb[0] == SCSI_INQUIRY;
}

/* --- changes to the right answer --- */

enum {
    BEYOND,
    OVERFLOWS,
    OFFSET_GAP,
    TOO_MUCH,
    DATA_SN_GAP,
    STAT_SN_GAP,
    UNDERFLOW,
    OVERFLOW,
    CHECK_IN_DATA,
    UNKNOWN_TASK,
    LONG_SEGMENT,
    CUT,
    TINY,
    EMPTY_FIRST,
    NO_DIGESTS,
};

/* The same data, a byte in each PDU. */
static void send_tiny(struct target_connection *connection, struct target_fault_out *out)
{
    for (uint32_t i = 0; i < out->length; i++) {
        struct pdu pdu = *out->pdu;

        pdu.data_in.data_sn = pdu.data_in.offset = i;
        if (i + 1 < out->length) {
            pdu.final = pdu.data_in.status_present = pdu.data_in.underflow = false;
            pdu.data_in.residual = pdu.data_in.sn.stat_sn = 0;
        }
        target_fault_send(connection, &pdu, out->data + i, 1, false);
    }
    out->copies = 0;
}

static void send_empty(struct target_connection *connection, struct target_fault_out *out)
{
    struct pdu pdu = {.opcode = PDU_DATA_IN, .itt = out->pdu->itt};

    pdu.data_in.ttt = PDU_RESERVED_TAG;
    target_fault_send(connection, &pdu, NULL, 0, true);
    out->pdu->data_in.data_sn = 1;
}

static void send_without_digests(struct target_connection *connection, struct target_fault_out *out)
{
    uint8_t header[PDU_BHS_LENGTH];

    out->copies = 0;
    out->pdu->data_length = out->length;
    pdu_encode(out->pdu, header);
    target_fault_send_bytes(connection, header, sizeof header);
    target_fault_send_bytes(connection, out->data, out->length);
}

static void resize(struct target_fault_out *out, uint32_t length, uint32_t residual)
{
    uint8_t data[300] = {0};

    memcpy(data, out->data, out->length < length ? out->length : length);
    target_fault_data(out, data, length);
    out->pdu->data_in.residual = residual;
}

static void change_numbers(const struct scene *scene, struct pdu *pdu)
{
    switch (scene->play->number) {
    case BEYOND:
        pdu->data_in.offset = 250;
        break;
    case OVERFLOWS:
        pdu->data_in.offset = 0xfffffff0;
        break;
    case OFFSET_GAP:
        pdu->data_in.offset = 4;
        break;
    case DATA_SN_GAP:
        pdu->data_in.data_sn = 1;
        break;
    case STAT_SN_GAP:
        pdu->data_in.sn.stat_sn += 3;
        break;
    case CHECK_IN_DATA:
        pdu->data_in.status = SCSI_CHECK_CONDITION;
        break;
    case UNKNOWN_TASK:
        pdu->itt ^= NOWHERE;
        break;
    default:
        break;
    }
}

static void change_data(struct scene *scene, struct target_connection *connection,
                        struct target_fault_out *out)
{
    if (out->pdu->opcode != PDU_DATA_IN)
        return;
    switch (scene->play->number) {
    case TOO_MUCH:
        resize(out, 300, 0);
        break;
    case UNDERFLOW:
        resize(out, 20, 235);
        break;
    case OVERFLOW:
        resize(out, 255, 1000);
        out->pdu->data_in.underflow = false;
        out->pdu->data_in.overflow = true;
        break;
    case LONG_SEGMENT:
        make_too_long(connection, out);
        break;
    case CUT:
        out->end = TARGET_END_CLOSE;
        out->end_at = 60;
        break;
    case TINY:
        send_tiny(connection, out);
        break;
    case EMPTY_FIRST:
        send_empty(connection, out);
        break;
    case NO_DIGESTS:
        send_without_digests(connection, out);
        break;
    default:
        change_numbers(scene, out->pdu);
        break;
    }
}

/* --- answers of our own --- */

static void send_status(struct target_connection *connection, uint32_t itt, uint8_t status,
                        const void *sense, uint32_t length)
{
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = itt};

    pdu.scsi_response.status = status;
    pdu.scsi_response.underflow = true;
    pdu.scsi_response.residual = 255;
    target_fault_send(connection, &pdu, sense, length, true);
}

enum { WITH_SENSE, WITHOUT_SENSE, SENSE_CUT, SENSE_LIES, SENSE_BYTE };

static void check_condition(struct scene *scene, struct target_connection *connection,
                            struct target_fault_in *in)
{
    uint8_t sense[2 + 18] = {0, 18};
    uint32_t length = sizeof sense;

    if (!is_inquiry(in))
        return;
    in->answered = true;
    scsi_sense_encode(sense + 2, SCSI_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
    switch (scene->play->number) {
    case WITHOUT_SENSE:
        length = 0;
        break;
    case SENSE_CUT:
        length = 7;
        break;
    case SENSE_LIES:
        sense[0] = sense[1] = 0xff;
        break;
    case SENSE_BYTE:
        length = 1;
        break;
    default:
        break;
    }
    send_status(connection, in->pdu->itt, SCSI_CHECK_CONDITION, sense, length);
}

/* Status `number`, each time or, with `text`, once. */
static void refuse_command(struct scene *scene, struct target_connection *connection,
                           struct target_fault_in *in)
{
    if (!is_inquiry(in) || (scene->play->text != NULL && scene->count++ > 0))
        return;
    in->answered = true;
    send_status(connection, in->pdu->itt, (uint8_t)scene->play->number, NULL, 0);
}

static void target_failure(struct scene *scene, struct target_connection *connection,
                           struct target_fault_in *in)
{
    struct pdu pdu = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = in->pdu->itt};

    (void)scene;
    if (!is_inquiry(in))
        return;
    in->answered = true;
    pdu.scsi_response.response = SCSI_RESPONSE_TARGET_FAILURE;
    target_fault_send(connection, &pdu, NULL, 0, true);
}

static void wrong_itt(struct scene *scene, struct target_connection *connection,
                      struct target_fault_in *in)
{
    (void)scene;
    if (!is_inquiry(in))
        return;
    in->answered = true;
    send_status(connection, in->pdu->itt ^ NOWHERE, SCSI_GOOD, NULL, 0);
}

/* Data, then the same status twice. */
static void answer_twice(struct scene *scene, struct target_connection *connection,
                         struct target_fault_out *out)
{
    struct pdu status = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = out->pdu->itt};
    struct pdu data = *out->pdu;

    (void)scene;
    if (out->pdu->opcode != PDU_DATA_IN)
        return;
    status.scsi_response.sn = data.data_in.sn;
    status.scsi_response.exp_data_sn = 1;
    status.scsi_response.underflow = true;
    status.scsi_response.residual = 255 - sizeof plain_inquiry;
    data.data_in.status_present = data.data_in.underflow = false;
    data.data_in.sn.stat_sn = data.data_in.residual = 0;
    out->copies = 0;
    target_fault_send(connection, &data, plain_inquiry, sizeof plain_inquiry, false);
    target_fault_send(connection, &status, NULL, 0, false);
    target_fault_send(connection, &status, NULL, 0, false);
}

/* --- the connection --- */

static void swallow_command(struct scene *scene, struct target_connection *connection,
                            struct target_fault_in *in)
{
    (void)scene;
    (void)connection;
    in->answered = is_inquiry(in);
}

static void answer_late(struct scene *scene, struct target_connection *connection,
                        struct target_fault_in *in)
{
    (void)connection;
    if (is_inquiry(in))
        in->delay = scene->play->number;
}

static void end_instead(struct scene *scene, struct target_connection *connection,
                        struct target_fault_in *in)
{
    uint8_t opcode = scene->phase == PHASE_LOGOUT ? PDU_LOGOUT_REQUEST : PDU_SCSI_COMMAND;

    if (in->pdu->opcode != opcode)
        return;
    in->answered = true;
    target_fault_end(connection, (enum target_end)scene->play->number);
}

static void dribble_command(struct scene *scene, struct target_connection *connection,
                            struct target_fault_in *in)
{
    if (is_inquiry(in))
        byte_by_byte(scene, connection);
}

/* --- other PDUs --- */

static void reject_command(struct scene *scene, struct target_connection *connection,
                           struct target_fault_in *in)
{
    (void)scene;
    if (!is_inquiry(in))
        return;
    in->answered = true;
    send_reject(connection, in->pdu, 0);
}

static void reject_others(struct scene *scene, struct target_connection *connection,
                          struct target_fault_in *in)
{
    for (uint32_t i = 0; is_inquiry(in) && i < scene->play->number; i++)
        send_reject(connection, in->pdu, NOWHERE + (i << 16));
}

static void send_opcode(struct scene *scene, struct target_connection *connection,
                        struct target_fault_in *in)
{
    if (!is_inquiry(in))
        return;
    in->answered = true;
    send_bare(connection, (uint8_t)scene->play->number, in->pdu);
}

static void ask_for_data(struct scene *scene, struct target_connection *connection,
                         struct target_fault_in *in)
{
    struct pdu pdu = {.opcode = PDU_R2T, .final = true, .itt = in->pdu->itt ^ scene->play->number};

    if (!is_inquiry(in))
        return;
    in->answered = true;
    pdu.r2t.ttt = 1;
    pdu.r2t.length = 255;
    target_fault_send(connection, &pdu, NULL, 0, true);
}

static void ping_often(struct scene *scene, struct target_connection *connection,
                       struct target_fault_in *in)
{
    if (is_inquiry(in) || in->pdu->opcode == PDU_LOGOUT_REQUEST)
        send_pings(connection, scene->play->number);
}

static void send_async(struct scene *scene, struct target_connection *connection,
                       struct target_fault_in *in)
{
    struct pdu_async_message message = {.event = (uint8_t)scene->play->number, .parameter3 = 1};
    bool drop = message.event == ASYNC_DROP_CONNECTION || message.event == ASYNC_DROP_SESSION;

    if (!is_inquiry(in))
        return;
    if (message.event == ASYNC_DROP_CONNECTION)
        message.parameter1 = 1; /* the CID */
    target_connection_async(connection, &message);
    in->answered = drop;
    if (drop)
        target_fault_end(connection, TARGET_END_CLOSE);
}

/* --- the window --- */

static bool is_last_login_response(const struct target_fault_out *out)
{
    return is_login_response(out) && out->pdu->login_response.transit;
}

static void close_window(struct scene *scene, struct target_connection *connection,
                         struct target_fault_out *out)
{
    struct pdu_sequence *sn = &out->pdu->login_response.sn;

    (void)connection;
    if (out->pdu->opcode != PDU_LOGIN_RESPONSE)
        return;
    if (is_last_login_response(out)) {
        scene->kept = (struct pdu){.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};
        scene->kept.nop_in.ttt = PDU_RESERVED_TAG;
        scene->kept.nop_in.sn = *sn;
        scene->kept.nop_in.sn.stat_sn++;
        out->then = &scene->kept;
        out->then_delay = 300;
    }
    sn->max_cmd_sn = sn->exp_cmd_sn - 1;
}

static void contradict_window(struct scene *scene, struct target_connection *connection,
                              struct target_fault_in *in)
{
    struct pdu pdu = {.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};

    (void)scene;
    if (!is_inquiry(in))
        return;
    pdu.nop_in.ttt = PDU_RESERVED_TAG;
    pdu.nop_in.sn.stat_sn = in->pdu->scsi_command.exp_stat_sn;
    pdu.nop_in.sn.exp_cmd_sn = in->pdu->scsi_command.cmd_sn + 1000;
    pdu.nop_in.sn.max_cmd_sn = in->pdu->scsi_command.cmd_sn - 10;
    target_fault_send(connection, &pdu, NULL, 0, false);
}

/* --- digests: the bytes of the Data-In --- */

enum { HEADER_DIGEST, DATA_DIGEST, PAYLOAD, PADDING };

static void corrupt(struct scene *scene, const struct pdu *pdu, uint8_t *bytes, size_t length)
{
    const size_t head = PDU_BHS_LENGTH + PDU_DIGEST_LENGTH;

    if (pdu->opcode != PDU_DATA_IN)
        return;
    switch (scene->play->number) {
    case HEADER_DIGEST:
        bytes[PDU_BHS_LENGTH] ^= 0x01;
        break;
    case DATA_DIGEST:
        bytes[length - 1] ^= 0x80;
        break;
    case PAYLOAD:
        bytes[head + 9] ^= 0x10;
        break;
    default:
        bytes[head + pdu->data_length] ^= 0x01;
        break;
    }
}

static void make_padding(struct scene *scene, struct target_connection *connection,
                         struct target_fault_out *out)
{
    (void)scene;
    (void)connection;
    if (out->pdu->opcode == PDU_DATA_IN)
        resize(out, 37, 218);
}

/* --- logout --- */

static void change_response(struct scene *scene, struct target_connection *connection,
                            struct target_fault_out *out)
{
    (void)connection;
    if (out->pdu->opcode != PDU_LOGOUT_RESPONSE)
        return;
    if (scene->play->text != NULL)
        out->pdu->itt ^= NOWHERE;
    else
        out->pdu->logout_response.response = (uint8_t)scene->play->number;
}

static void on_logout(struct scene *scene, struct target_connection *connection,
                      struct target_fault_in *in)
{
    if (in->pdu->opcode != PDU_LOGOUT_REQUEST)
        return;
    in->answered = true;
    if (scene->play->number == PDU_REJECT)
        send_reject(connection, in->pdu, 0);
    else if (scene->play->number == PDU_LOGOUT_RESPONSE)
        send_bare(connection, PDU_LOGOUT_RESPONSE, in->pdu);
}

#define DATA(name, change)                                                                         \
    {                                                                                              \
        name, .outgoing = change_data, .number = change                                            \
    }
#define SENSE(name, form)                                                                          \
    {                                                                                              \
        name, .incoming = check_condition, .number = form                                          \
    }
#define ASYNC(name, event)                                                                         \
    {                                                                                              \
        name, .incoming = send_async, .number = event                                              \
    }
#define OPCODE(name, opcode)                                                                       \
    {                                                                                              \
        name, .incoming = send_opcode, .number = opcode                                            \
    }
#define LOGOUT(name, response)                                                                     \
    {                                                                                              \
        name, .outgoing = change_response, .number = response                                      \
    }

const struct play command_plays[] = {
    {.name = "command-good"},
    {"command-byte-by-byte", .incoming = dribble_command},
    DATA("command-tiny-pdus", TINY),
    DATA("command-empty-data", EMPTY_FIRST),
    {"command-wrong-itt", .incoming = wrong_itt},
    DATA("command-data-unknown-task", UNKNOWN_TASK),
    {"command-answers-twice", .outgoing = answer_twice},
    DATA("command-offset-beyond", BEYOND),
    DATA("command-offset-overflow", OVERFLOWS),
    DATA("command-offset-gap", OFFSET_GAP),
    DATA("command-too-much-data", TOO_MUCH),
    DATA("command-data-sn-gap", DATA_SN_GAP),
    DATA("command-stat-sn-gap", STAT_SN_GAP),
    DATA("command-underflow", UNDERFLOW),
    DATA("command-overflow", OVERFLOW),
    {"command-target-failure", .incoming = target_failure},
    SENSE("command-check-condition", WITH_SENSE),
    DATA("command-check-in-data", CHECK_IN_DATA),
    SENSE("command-no-sense", WITHOUT_SENSE),
    SENSE("command-sense-cut", SENSE_CUT),
    SENSE("command-sense-lies", SENSE_LIES),
    SENSE("command-sense-one-byte", SENSE_BYTE),
    {"command-busy", .incoming = refuse_command, .number = SCSI_BUSY},
    {"command-busy-once", .incoming = refuse_command, .number = SCSI_BUSY, .text = "once"},
    {"command-task-set-full", .incoming = refuse_command, .number = SCSI_TASK_SET_FULL,
     .text = "once"},
    {"command-reservation-conflict", .incoming = refuse_command,
     .number = SCSI_RESERVATION_CONFLICT},
    {"command-silent", .incoming = swallow_command},
    {"command-late", .incoming = answer_late, .number = 2500},
    {"command-closes", .incoming = end_instead, .number = TARGET_END_CLOSE},
    {"command-resets", .incoming = end_instead, .number = TARGET_END_RESET},
    DATA("command-closes-in-data", CUT),
    {"command-reject", .incoming = reject_command},
    {"command-rejects-another", .incoming = reject_others, .number = 2},
    {"command-reject-storm", .incoming = reject_others, .number = STORM},
    OPCODE("command-undefined-opcode", CODE_OPCODE),
    OPCODE("command-initiator-opcode", PDU_SCSI_COMMAND),
    DATA("command-long-segment", LONG_SEGMENT),
    {"command-nop-in", .incoming = answer_after_ping_in, .outgoing = answer_after_ping_out,
     .number = PDU_DATA_IN},
    {"command-nop-storm", .incoming = ping_often, .number = STORM},
    OPCODE("command-nop-unasked", PDU_NOP_IN),
    ASYNC("command-async-scsi", ASYNC_SCSI),
    ASYNC("command-async-logout", ASYNC_LOGOUT_REQUESTED),
    ASYNC("command-async-drop-connection", ASYNC_DROP_CONNECTION),
    ASYNC("command-async-drop-session", ASYNC_DROP_SESSION),
    ASYNC("command-async-renegotiate", ASYNC_RENEGOTIATE),
    ASYNC("command-async-vendor", ASYNC_VENDOR),
    ASYNC("command-async-unknown", 77),
    {"command-window-closed", .outgoing = close_window},
    {"command-window-contradiction", .incoming = contradict_window},
    {"command-r2t", .incoming = ask_for_data},
    {"command-r2t-unknown-task", .incoming = ask_for_data, .number = NOWHERE},
    OPCODE("command-login-response", PDU_LOGIN_RESPONSE),
    OPCODE("command-text-response", PDU_TEXT_RESPONSE),
    OPCODE("command-task-response", PDU_TASK_RESPONSE),
    OPCODE("command-logout-response", PDU_LOGOUT_RESPONSE),
    {.name = "digest-good"},
    {"digest-header", .encoded = corrupt, .number = HEADER_DIGEST},
    {"digest-data", .encoded = corrupt, .number = DATA_DIGEST},
    {"digest-payload", .encoded = corrupt, .number = PAYLOAD},
    {"digest-padding", .outgoing = make_padding, .encoded = corrupt, .number = PADDING},
    DATA("digest-missing", NO_DIGESTS),
    {.name = "logout-good"},
    LOGOUT("logout-no-cid", LOGOUT_NO_CID),
    LOGOUT("logout-no-recovery", LOGOUT_NO_RECOVERY),
    LOGOUT("logout-cleanup-failed", LOGOUT_CLEANUP_FAILED),
    LOGOUT("logout-response-unknown", 77),
    {"logout-reject", .incoming = on_logout, .number = PDU_REJECT},
    {"logout-silent", .incoming = on_logout},
    {"logout-closes", .incoming = end_instead, .number = TARGET_END_CLOSE},
    {"logout-resets", .incoming = end_instead, .number = TARGET_END_RESET},
    {"logout-wrong-itt", .outgoing = change_response, .text = "itt"},
    {"logout-after-nops", .incoming = ping_often, .number = 100},
    {"logout-stays-open", .incoming = on_logout, .number = PDU_LOGOUT_RESPONSE},
};
const size_t command_play_count = sizeof command_plays / sizeof command_plays[0];
