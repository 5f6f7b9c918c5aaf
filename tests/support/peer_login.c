/* What goes wrong while the initiator logs in. */
#include "peer.h"

#include <stdio.h>

/* --- headers --- */

enum {
    WRONG_ITT,
    WRONG_ISID,
    WRONG_VERSION,
    WRONG_STAGE,
    BACKWARDS,
    STAGE_TWO,
    TRANSIT_AND_MORE,
    TSIH_ZERO,
    STAT_SN_GAP,
    TOO_LONG,
};

/* Of the response that ends the login. */
static void change_stages(struct scene *scene, struct pdu_login_response *response)
{
    switch (scene->play->number) {
    case WRONG_VERSION:
        response->version_active = 1;
        break;
    case WRONG_STAGE:
        response->current_stage = LOGIN_STAGE_SECURITY;
        break;
    case BACKWARDS:
        response->next_stage = LOGIN_STAGE_SECURITY;
        break;
    case STAGE_TWO:
        response->next_stage = 2;
        break;
    case TRANSIT_AND_MORE:
        response->more = true;
        break;
    default:
        break;
    }
}

static void change_login(struct scene *scene, struct target_connection *connection,
                         struct target_fault_out *out)
{
    struct pdu_login_response *response = &out->pdu->login_response;
    static const char zeros[9000];

    (void)connection;
    if (!is_login_response(out))
        return;
    switch (scene->play->number) {
    case WRONG_ITT:
        out->pdu->itt ^= 0x1000;
        break;
    case WRONG_ISID:
        response->isid[5] ^= 1;
        break;
    case TSIH_ZERO:
        response->tsih = 0;
        break;
    case STAT_SN_GAP:
        response->sn.stat_sn += response->transit ? 5 : 0; /* the first only sets it */
        break;
    case TOO_LONG:
        target_fault_data(out, zeros, sizeof zeros);
        break;
    default:
        change_stages(scene, response);
        break;
    }
}

/* --- answers of our own --- */

static void answer_login(struct target_connection *connection, const struct pdu *request,
                         const char *text, uint32_t length, bool more)
{
    struct pdu pdu = {.opcode = PDU_LOGIN_RESPONSE, .itt = request->itt};

    memcpy(pdu.login_response.isid, request->login_request.isid, PDU_ISID_LENGTH);
    pdu.login_response.tsih = request->login_request.tsih;
    pdu.login_response.current_stage = request->login_request.current_stage;
    pdu.login_response.more = more;
    target_fault_send(connection, &pdu, text, length, true);
}

/* Which Login Request of its connection is it? 0: none. */
static uint32_t login_request(struct target_connection *connection,
                              const struct target_fault_in *in)
{
    return in->pdu->opcode == PDU_LOGIN_REQUEST ? ++target_fault_memory(connection)[1] : 0;
}

/* Hides the T bit of the first `count` requests. True when this was one of them. */
static bool withhold(struct target_fault_in *in, uint32_t number, uint32_t count)
{
    if (number == 0 || number > count)
        return false;
    in->pdu->login_request.transit = false;
    return true;
}

static void withhold_transit(struct scene *scene, struct target_connection *connection,
                             struct target_fault_in *in)
{
    withhold(in, login_request(connection, in), scene->play->number);
}

static void withhold_one(struct scene *scene, struct target_connection *connection,
                         struct target_fault_in *in)
{
    (void)scene;
    withhold(in, login_request(connection, in), 1);
}

static void endless_text(struct scene *scene, struct target_connection *connection,
                         struct target_fault_in *in)
{
    static const char filler[4000];

    (void)scene;
    if (login_request(connection, in) == 0)
        return;
    in->swallow = true;
    answer_login(connection, in->pdu, filler, sizeof filler, true);
}

/* The last response in two pieces, cut within a key. */
static void cut_response(struct scene *scene, struct target_connection *connection,
                         struct target_fault_out *out)
{
    struct pdu_login_response *response = &out->pdu->login_response;
    uint32_t *length = &target_fault_memory(connection)[1];

    if (!is_login_response(out) || !response->transit)
        return;
    keep(scene, out);
    out->copies = 1;
    *length = 3;
    response->transit = false;
    response->next_stage = 0;
    response->tsih = 0;
    response->more = true;
    target_fault_data(out, scene->kept_data, *length);
}

/* A target may not set T in the answer to a request without it, as one that only asks for the rest
 * is. */
static void send_rest(struct scene *scene, struct target_connection *connection,
                      struct target_fault_in *in)
{
    uint32_t *sent = &target_fault_memory(connection)[1];

    if (in->pdu->opcode != PDU_LOGIN_REQUEST || *sent == 0)
        return;
    in->swallow = true;
    if (in->pdu->login_request.transit)
        target_fault_send(connection, &scene->kept, NULL, 0, true);
    else
        answer_login(connection, in->pdu, (const char *)scene->kept_data + *sent,
                     scene->kept_length - *sent, false);
}

static void send_other_pdu(struct scene *scene, struct target_connection *connection,
                           struct target_fault_in *in)
{
    if (login_request(connection, in) == 0)
        return;
    in->swallow = true;
    if (scene->play->number == PDU_REJECT)
        send_reject(connection, in->pdu, 0);
    else
        send_bare(connection, (uint8_t)scene->play->number, in->pdu);
}

/* --- the connection --- */

/* Says nothing any more from the `number`th request on. */
static void fall_silent(struct scene *scene, struct target_connection *connection,
                        struct target_fault_in *in)
{
    uint32_t number = login_request(connection, in);

    if (!withhold(in, number, scene->play->number - 1))
        in->swallow = true;
}

static void close_early(struct scene *scene, struct target_connection *connection,
                        struct target_fault_in *in)
{
    uint32_t number = login_request(connection, in);

    if (number > 0 && !withhold(in, number, scene->play->number - 1))
        target_fault_end(connection,
                         scene->play->text != NULL ? TARGET_END_RESET : TARGET_END_CLOSE);
}

static void close_within(struct scene *scene, struct target_connection *connection,
                         struct target_fault_out *out)
{
    (void)scene;
    (void)connection;
    if (!is_login_response(out))
        return;
    out->end = TARGET_END_CLOSE;
    out->end_at = 50;
}

static void dribble(struct scene *scene, struct target_connection *connection,
                    struct target_fault_in *in)
{
    if (login_request(connection, in) != 1)
        return;
    if (scene->play->number > 0)
        slow_drip(scene, connection);
    else
        byte_by_byte(scene, connection);
}

/* --- text --- */

/* `text`=`value` instead of what was negotiated. */
static void set_in_text(struct scene *scene, struct target_connection *connection,
                        struct target_fault_out *out)
{
    (void)connection;
    if (is_login_response(out))
        set_key(out, scene->play->text, scene->play->value);
}

static void add_to_text(struct scene *scene, struct target_connection *connection,
                        struct target_fault_out *out)
{
    (void)connection;
    if (is_login_response(out))
        add_text(out, scene->play->text);
}

static void cut_nul(struct scene *scene, struct target_connection *connection,
                    struct target_fault_out *out)
{
    (void)scene;
    (void)connection;
    if (is_login_response(out) && out->length > 0)
        target_fault_data(out, out->data, out->length - 1);
}

static void double_nuls(struct scene *scene, struct target_connection *connection,
                        struct target_fault_out *out)
{
    char text[16384] = {0};
    uint32_t length = 2;

    (void)scene;
    (void)connection;
    if (out->pdu->opcode != PDU_LOGIN_RESPONSE)
        return;
    for (uint32_t i = 0; i < out->length; i++) {
        text[length++] = (char)out->data[i];
        length += out->data[i] == 0;
    }
    target_fault_data(out, text, length);
}

static void demand_chap(struct scene *scene)
{
    target_access_add(target_access_of(scene->target), STANDARD_USER, STANDARD_SECRET);
}

#define STATUS(code)                                                                               \
    {                                                                                              \
        "login-status-" #code, .outgoing = refuse_login, .number = 0x##code                        \
    }
#define HEADER(name, change)                                                                       \
    {                                                                                              \
        name, .outgoing = change_login, .number = change                                           \
    }
#define OTHER(name, opcode)                                                                        \
    {                                                                                              \
        name, .incoming = send_other_pdu, .number = opcode                                         \
    }
#define KEY(name, key, bad)                                                                        \
    {                                                                                              \
        name, .outgoing = set_in_text, .text = key, .value = bad                                   \
    }
#define LONG_KEY "KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK=1\n"

const struct play login_plays[] = {
    STATUS(0101),
    STATUS(0102),
    STATUS(0200),
    STATUS(0201),
    STATUS(0202),
    STATUS(0203),
    STATUS(0204),
    STATUS(0205),
    STATUS(0206),
    STATUS(0207),
    STATUS(0208),
    STATUS(0209),
    STATUS(020a),
    STATUS(020b),
    STATUS(02ff),
    STATUS(0300),
    STATUS(0301),
    STATUS(0302),
    STATUS(03ff),
    STATUS(0700),
    {"login-refused-late", .incoming = withhold_one, .outgoing = refuse_login, .number = 0x0301},
    {"login-chap-demanded", .setup = demand_chap},
    {"login-redirect", .outgoing = redirect_login, .number = 1, .more_ports = 1},
    {"login-redirect-permanent", .outgoing = redirect_login, .number = 1, .more_ports = 1,
     .value = "permanent"},
    {"login-redirect-twice", .outgoing = redirect_login, .number = 2, .more_ports = 2},
    {"login-redirect-self", .outgoing = redirect_login, .number = UINT32_MAX, .text = "self"},
    {"login-redirect-circle", .outgoing = redirect_login, .number = UINT32_MAX, .more_ports = 1,
     .text = "circle"},
    {"login-redirect-chain", .outgoing = redirect_login, .number = 20, .more_ports = 20},
    {"login-redirect-malformed", .outgoing = redirect_login, .number = UINT32_MAX,
     .text = "not an address:::"},
    {"login-redirect-closed", .outgoing = redirect_login, .number = UINT32_MAX, .text = "closed"},
    HEADER("login-wrong-itt", WRONG_ITT),
    HEADER("login-wrong-isid", WRONG_ISID),
    HEADER("login-wrong-version", WRONG_VERSION),
    HEADER("login-wrong-stage", WRONG_STAGE),
    HEADER("login-stage-backwards", BACKWARDS),
    HEADER("login-stage-two", STAGE_TWO),
    HEADER("login-transit-and-more", TRANSIT_AND_MORE),
    HEADER("login-tsih-zero", TSIH_ZERO),
    {"login-stat-sn-gap", .incoming = withhold_one, .outgoing = change_login,
     .number = STAT_SN_GAP},
    HEADER("login-long-segment", TOO_LONG),
    {"login-transit-late", .incoming = withhold_transit, .number = 2},
    {"login-endless", .incoming = withhold_transit, .number = UINT32_MAX},
    {"login-c-bit", .incoming = send_rest, .outgoing = cut_response},
    {"login-c-bit-endless", .incoming = endless_text},
    OTHER("login-async-message", PDU_ASYNC_MESSAGE),
    OTHER("login-reject", PDU_REJECT),
    OTHER("login-scsi-response", PDU_SCSI_RESPONSE),
    OTHER("login-nop-in", PDU_NOP_IN),
    {"login-closes", .incoming = close_early, .number = 2},
    {"login-closes-at-once", .incoming = close_early, .number = 1},
    {"login-closes-in-pdu", .outgoing = close_within},
    {"login-resets", .incoming = close_early, .number = 2, .text = "reset"},
    {"login-silent", .incoming = fall_silent, .number = 1},
    {"login-silent-later", .incoming = fall_silent, .number = 2},
    {"login-slow-drip", .incoming = dribble, .number = 1},
    {"login-byte-by-byte", .incoming = dribble},
    {"login-key-twice", .outgoing = add_to_text, .text = "InitialR2T=Yes\n"},
    KEY("login-segment-too-small", "MaxRecvDataSegmentLength", "1"),
    KEY("login-segment-too-large", "MaxRecvDataSegmentLength", "16777216"),
    KEY("login-number-negative", "MaxBurstLength", "-1"),
    KEY("login-number-overflow", "MaxBurstLength", "18446744073709551617"),
    KEY("login-number-empty", "MaxBurstLength", ""),
    KEY("login-burst-above-offer", "MaxBurstLength", "16777215"),
    KEY("login-first-burst-above-offer", "FirstBurstLength", "16777215"),
    KEY("login-connections-above-offer", "MaxConnections", "65535"),
    KEY("login-r2t-above-offer", "MaxOutstandingR2T", "65535"),
    KEY("login-recovery-level", "ErrorRecoveryLevel", "3"),
    KEY("login-time2wait-below-offer", "DefaultTime2Wait", "0"),
    KEY("login-boolean", "ImmediateData", "Maybe"),
    KEY("login-in-order-no", "DataPDUInOrder", "No"),
    KEY("login-digest-not-offered", "HeaderDigest", "CRC32C"),
    KEY("login-digest-unknown", "DataDigest", "MD5"),
    KEY("login-digest-list", "HeaderDigest", "None,CRC32C"),
    KEY("login-answers-rejected", "MaxOutstandingR2T", "Reject"),
    KEY("login-answers-irrelevant", "DefaultTime2Retain", "Irrelevant"),
    KEY("login-answers-not-understood", "MaxConnections", "NotUnderstood"),
    KEY("login-hexadecimal", "MaxRecvDataSegmentLength", "0x2000"),
    {"login-unknown-keys", .outgoing = add_to_text,
     .text = "X-org.example.Level=1\nOrg.Example=\n"},
    {"login-markers", .outgoing = add_to_text,
     .text = "IFMarker=Yes\nOFMarker=Yes\nOFMarkInt=2048\n"},
    {"login-text-nuls", .outgoing = double_nuls},
    {"login-text-no-equals", .outgoing = add_to_text, .text = "NoEquals\n"},
    {"login-text-no-nul", .outgoing = cut_nul},
    {"login-text-control", .outgoing = add_to_text, .text = "X-org.example.Level=a\x01z\n"},
    {"login-text-long-key", .outgoing = add_to_text, .text = LONG_KEY},
};
const size_t login_play_count = sizeof login_plays / sizeof login_plays[0];
