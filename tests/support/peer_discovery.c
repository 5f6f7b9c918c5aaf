/* What goes wrong while targets are discovered. */
#include "peer.h"

#include <stdio.h>

/* --- the connection --- */

static void close_at_once(struct scene *scene, struct target_connection *connection)
{
    (void)scene;
    target_fault_end(connection, TARGET_END_CLOSE);
}

static void reset_at_once(struct scene *scene, struct target_connection *connection)
{
    (void)scene;
    target_fault_end(connection, TARGET_END_RESET);
}

static void swallow_all(struct scene *scene, struct target_connection *connection,
                        struct target_fault_in *in)
{
    (void)scene;
    (void)connection;
    in->swallow = true;
}

static void send_garbage(struct scene *scene, struct target_connection *connection)
{
    uint8_t bytes[4096];
    uint32_t state = 1;

    (void)scene;
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 1103515245u + 12345u;
        bytes[i] = (uint8_t)(state >> 16);
    }
    target_fault_send_bytes(connection, bytes, sizeof bytes);
}

static void send_banner(struct scene *scene, struct target_connection *connection)
{
    char banner[600];
    int length = snprintf(banner, sizeof banner,
                          "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n"
                          "Content-Length: 400\r\n\r\n%400s",
                          "");

    (void)scene;
    target_fault_send_bytes(connection, banner, (size_t)length);
}

static void close_within(struct scene *scene, struct target_connection *connection,
                         struct target_fault_out *out)
{
    (void)connection;
    if (out->pdu->opcode != scene->play->number)
        return;
    out->end = TARGET_END_CLOSE;
    out->end_at = scene->play->number == PDU_TEXT_RESPONSE ? PDU_BHS_LENGTH + 10 : 20;
}

static void close_when_asked(struct scene *scene, struct target_connection *connection,
                             struct target_fault_in *in)
{
    (void)scene;
    if (in->pdu->opcode == PDU_TEXT_REQUEST)
        target_fault_end(connection, TARGET_END_CLOSE);
}

/* --- the header of the answer --- */

enum {
    UNDEFINED_OPCODE,
    STAT_SN_GAP,
    LONG_SEGMENT,
    C_NO_TTT,
    TTT_FINAL,
    C_FINAL,
    WRONG_ITT,
    TWICE,
    NO_NUL
};

static void change_answer(struct scene *scene, struct target_connection *connection,
                          struct target_fault_out *out)
{
    struct pdu_text_response *response = &out->pdu->text_response;

    if (out->pdu->opcode != PDU_TEXT_RESPONSE)
        return;
    switch (scene->play->number) {
    case UNDEFINED_OPCODE:
        out->pdu->opcode = CODE_OPCODE;
        break;
    case STAT_SN_GAP:
        response->sn.stat_sn += 5;
        break;
    case LONG_SEGMENT:
        make_too_long(connection, out);
        break;
    case C_NO_TTT:
        response->more = true;
        out->pdu->final = false;
        break;
    case TTT_FINAL:
        response->ttt = 5;
        break;
    case C_FINAL:
        response->more = true;
        break;
    case WRONG_ITT:
        out->pdu->itt ^= 0x10000;
        break;
    case TWICE:
        out->copies = 2;
        break;
    default:
        target_fault_data(out, out->data, out->length - 1);
        break;
    }
}

static void reject_request(struct scene *scene, struct target_connection *connection,
                           struct target_fault_in *in)
{
    (void)scene;
    if (in->pdu->opcode != PDU_TEXT_REQUEST)
        return;
    in->answered = true;
    send_reject(connection, in->pdu, 0);
}

/* --- answers of our own --- */

static void send_piece(struct target_connection *connection, const struct pdu *request,
                       const char *text, uint32_t length, bool last)
{
    struct pdu pdu = {.opcode = PDU_TEXT_RESPONSE, .final = last, .itt = request->itt};

    pdu.text_response.more = !last;
    pdu.text_response.ttt = last ? PDU_RESERVED_TAG : 7;
    target_fault_send(connection, &pdu, text, length, true);
}

/* Answers with `text`, in pieces of `number` bytes if that is not 0. */
static void serve_text(struct scene *scene, struct target_connection *connection,
                       struct target_fault_in *in)
{
    char text[16384];
    uint32_t length = fill_text(scene, scene->play->text, text, sizeof text);
    uint32_t *sent = &target_fault_memory(connection)[1];
    uint32_t piece = length - *sent;

    if (in->pdu->opcode != PDU_TEXT_REQUEST)
        return;
    in->answered = true;
    if (scene->play->number != 0 && piece > scene->play->number)
        piece = scene->play->number;
    send_piece(connection, in->pdu, text + *sent, piece, *sent + piece == length);
    *sent += piece;
}

enum { ENDLESS_PAIRS, ENDLESS_PAIR, ENDLESS_NOTHING };

static void serve_endlessly(struct scene *scene, struct target_connection *connection,
                            struct target_fault_in *in)
{
    static char text[1 << 20];
    uint32_t length = target_connection_values(connection)->max_send_data_segment_length;

    if (in->pdu->opcode != PDU_TEXT_REQUEST)
        return;
    in->answered = true;
    if (length > sizeof text)
        length = sizeof text;
    memset(text, 'a', length);
    if (scene->play->number == ENDLESS_PAIRS) {
        memcpy(text, "X-pair=", 7);
        for (uint32_t i = 1000; i + 1000 < length; i += 1000)
            memcpy(text + i - 1, "\0X-pair=", 8);
        text[length - 1] = '\0';
    }
    if (scene->play->number == ENDLESS_NOTHING) {
        in->delay = 10; /* spares the processor */
        length = 0;
    }
    send_piece(connection, in->pdu, text, length, false);
}

static void serve_long(struct scene *scene, struct target_connection *connection,
                       struct target_fault_in *in)
{
    char text[16384];
    char form[12288];
    uint32_t length;

    if (in->pdu->opcode != PDU_TEXT_REQUEST)
        return;
    in->answered = true;
    snprintf(form, sizeof form, "%s%0*u\n%s", scene->play->text, (int)scene->play->number, 0,
             scene->play->value);
    length = fill_text(scene, form, text, sizeof text);
    send_piece(connection, in->pdu, text, length, true);
}

/* --- what there is to discover --- */

static void no_targets(struct scene *scene)
{
    target_remove(scene->target);
    scene->target = NULL;
}

static void many_targets(struct scene *scene)
{
    for (unsigned i = 1; i < MISBEHAVIOUR_LARGE_COUNT; i++) {
        char name[128];
        struct target *target;

        snprintf(name, sizeof name, MISBEHAVIOUR_TARGET "%s-%05u", scene->name, i);
        if (target_add(scene->entity, name, &target) != STATUS_OK)
            die(EXIT_NOT_HAD, "%s: no target", name);
    }
}

#define ADDRESS "TargetAddress=127.0.0.1:3260,1\n"
#define GOOD    "TargetName=@\n" ADDRESS

const struct play discovery_plays[] = {
    {.name = "discovery-good"},
    {.name = "discovery-refused"},
    {"discovery-silent", .incoming = swallow_all},
    {"discovery-closes-at-once", .connected = close_at_once},
    {"discovery-resets-at-once", .connected = reset_at_once},
    {"discovery-closes-in-header", .outgoing = close_within, .number = PDU_LOGIN_RESPONSE},
    {"discovery-closes-in-text", .outgoing = close_within, .number = PDU_TEXT_RESPONSE},
    {"discovery-closes-before-text", .incoming = close_when_asked},
    {"discovery-garbage", .connected = send_garbage, .incoming = swallow_all},
    {"discovery-http", .connected = send_banner, .incoming = swallow_all},
    {"discovery-byte-by-byte", .connected = byte_by_byte},
    {"discovery-slow-drip", .connected = slow_drip},
    {"discovery-undefined-opcode", .outgoing = change_answer, .number = UNDEFINED_OPCODE},
    {"discovery-unavailable", .outgoing = refuse_login, .number = 0x0301},
    {"discovery-not-allowed", .outgoing = refuse_login, .number = 0x0202},
    {"discovery-type-refused", .outgoing = refuse_login, .number = 0x0209},
    {"discovery-redirect", .outgoing = redirect_login, .number = 1, .more_ports = 1},
    {"discovery-redirect-loop", .outgoing = redirect_login, .number = UINT32_MAX, .text = "self"},
    {"discovery-nop-in", .incoming = answer_after_ping_in, .outgoing = answer_after_ping_out,
     .number = PDU_TEXT_RESPONSE},
    {"discovery-stat-sn-gap", .outgoing = change_answer, .number = STAT_SN_GAP},
    {"discovery-long-segment", .outgoing = change_answer, .number = LONG_SEGMENT},
    {"sendtargets-empty", .setup = no_targets},
    {"sendtargets-large", .setup = many_targets},
    {"sendtargets-split-key", .incoming = serve_text, .number = 7,
     .text = GOOD "TargetName=@-1\n" ADDRESS},
    {"sendtargets-endless", .incoming = serve_endlessly, .number = ENDLESS_PAIRS},
    {"sendtargets-endless-empty", .incoming = serve_endlessly, .number = ENDLESS_NOTHING},
    {"sendtargets-c-without-ttt", .outgoing = change_answer, .number = C_NO_TTT},
    {"sendtargets-ttt-when-final", .outgoing = change_answer, .number = TTT_FINAL},
    {"sendtargets-c-when-final", .outgoing = change_answer, .number = C_FINAL},
    {"sendtargets-wrong-itt", .outgoing = change_answer, .number = WRONG_ITT},
    {"sendtargets-answers-twice", .outgoing = change_answer, .number = TWICE},
    {"sendtargets-reject", .incoming = reject_request},
    {"sendtargets-refused", .incoming = serve_text, .text = "SendTargets=Reject\n"},
    {"sendtargets-no-nul", .outgoing = change_answer, .number = NO_NUL},
    {"sendtargets-no-equals", .incoming = serve_text, .text = "TargetName\n" GOOD},
    {"sendtargets-long-pair", .incoming = serve_long, .text = "X-pair=", .value = GOOD,
     .number = 10000},
    {"sendtargets-endless-pair", .incoming = serve_endlessly, .number = ENDLESS_PAIR},
    {"sendtargets-address-first", .incoming = serve_text, .text = ADDRESS GOOD},
    {"sendtargets-bad-names", .incoming = serve_text,
     .text = "TargetName=\n" ADDRESS "TargetName=disk\n" ADDRESS "TargetName=iqn.\n" ADDRESS
             "TargetName=iqn.2026-13.org:x\n" ADDRESS "TargetName=eui.123\n" ADDRESS GOOD},
    {"sendtargets-control-characters", .incoming = serve_text,
     .text = "TargetName=@-\x01\n" ADDRESS "TargetName=@-\x1b[2J\n" ADDRESS
             "TargetName=@-\x7f\n" ADDRESS "TargetName=@-\r\n" ADDRESS GOOD},
    {"sendtargets-paths", .incoming = serve_text,
     .text = "TargetName=@-/../../etc/passwd\n" ADDRESS "TargetName=@-\\..\\x\n" ADDRESS
             "TargetName=/etc/passwd\n" ADDRESS GOOD},
    {"sendtargets-long-name", .incoming = serve_long, .text = "TargetName=@-", .value = GOOD,
     .number = 250},
    {"sendtargets-extra-nuls", .incoming = serve_text,
     .text = "\n\n\nTargetName=@\n\n\n" ADDRESS "\n\n"},
    {"sendtargets-unknown-keys", .incoming = serve_text,
     .text = "X-org.example.One=1\nTargetName=@\nTargetAlias=disk\n" ADDRESS "Z=\n"},
    {"sendtargets-duplicates", .incoming = serve_text, .text = GOOD GOOD GOOD},
    {"sendtargets-no-address", .incoming = serve_text, .text = "TargetName=@\n"},
    {"sendtargets-address-forms", .incoming = serve_text,
     .text = "TargetName=@\nTargetAddress=[2001:db8::1]:3260,1\nTargetAddress=[fe80::1],2\n"
             "TargetAddress=storage.example.org:3260,1\nTargetAddress=192.0.2.1,1\n"
             "TargetAddress=192.0.2.2:3261\n"},
    {"sendtargets-bad-addresses", .incoming = serve_text,
     .text = "TargetName=@\nTargetAddress=\nTargetAddress=192.0.2.1:99999,1\n"
             "TargetAddress=[::1:3260,1\nTargetAddress=a b:3260,1\nTargetAddress=:3260,1\n"
             "TargetAddress=192.0.2.1:3260,70000\n" ADDRESS},
};
const size_t discovery_play_count = sizeof discovery_plays / sizeof discovery_plays[0];
