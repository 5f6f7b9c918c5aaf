#include "peer.h"

#include "protocol/text.h"

#include <stdio.h>

uint16_t closed_port;

/* --- text --- */

void set_key(struct target_fault_out *out, const char *key, const char *value)
{
    char text[16384];
    size_t length = 0;
    size_t offset = 0;
    struct text_pair pair;

    while (text_next((const char *)out->data, out->length, &offset, &pair) == 1) {
        size_t size = pair.key_length + 1 + pair.value_length + 1;

        if (text_key_is(&pair, key))
            continue;
        memcpy(text + length, pair.key, size);
        length += size;
    }
    if (value != NULL)
        text_append(text, sizeof text, &length, key, value);
    target_fault_data(out, text, (uint32_t)length);
}

void add_text(struct target_fault_out *out, const char *form)
{
    char text[16384];
    size_t length = out->length;

    if (length > 0)
        memcpy(text, out->data, length);
    for (const char *c = form; *c != '\0'; c++)
        text[length++] = *c == '\n' ? '\0' : *c;
    target_fault_data(out, text, (uint32_t)length);
}

bool get_key(const uint8_t *text, size_t length, const char *key, char *value, size_t room)
{
    size_t offset = 0;
    struct text_pair pair;

    while (text_next((const char *)text, length, &offset, &pair) == 1) {
        if (!text_key_is(&pair, key) || pair.value_length >= room)
            continue;
        memcpy(value, pair.value, pair.value_length + 1);
        return true;
    }
    return false;
}

uint32_t fill_text(const struct scene *scene, const char *form, char *out, size_t room)
{
    size_t length = 0;

    for (const char *c = form; *c != '\0'; c++) {
        int put = 1;

        if (length + 256 > room)
            die(EXIT_USAGE, "%s: the text has no room", scene->name);
        if (*c == '@')
            put = snprintf(out + length, room - length, MISBEHAVIOUR_TARGET "%s", scene->name);
        else
            out[length] = *c == '\n' ? '\0' : *c;
        length += (size_t)put;
    }
    return (uint32_t)length;
}

/* --- PDUs --- */

void keep(struct scene *scene, struct target_fault_out *out)
{
    if (out->length > SCENE_KEPT)
        die(EXIT_USAGE, "%s: too long to be kept", scene->name);
    scene->kept = *out->pdu;
    scene->kept_length = out->length;
    if (out->length > 0)
        memcpy(scene->kept_data, out->data, out->length);
    out->copies = 0;
}

void send_kept(struct scene *scene, struct target_connection *connection)
{
    target_fault_send(connection, &scene->kept, scene->kept_data, scene->kept_length, false);
}

static void send_ping(struct target_connection *connection, uint32_t ttt)
{
    struct pdu pdu = {.opcode = PDU_NOP_IN, .final = true, .itt = PDU_RESERVED_TAG};

    pdu.nop_in.ttt = ttt;
    target_fault_send(connection, &pdu, NULL, 0, true);
}

void send_pings(struct target_connection *connection, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        send_ping(connection, i);
}

void send_reject(struct target_connection *connection, const struct pdu *request, uint32_t twist)
{
    struct pdu pdu = {.opcode = PDU_REJECT, .final = true, .itt = PDU_RESERVED_TAG};
    struct pdu rejected = *request;
    uint8_t header[PDU_BHS_LENGTH];

    pdu.reject.reason = REJECT_PROTOCOL_ERROR;
    rejected.itt ^= twist;
    pdu_encode(&rejected, header);
    target_fault_send(connection, &pdu, header, sizeof header, true);
}

void send_bare(struct target_connection *connection, uint8_t opcode, const struct pdu *request)
{
    struct pdu pdu = {.opcode = opcode, .final = true, .itt = request->itt};

    target_fault_send(connection, &pdu, NULL, 0, true);
}

void make_too_long(struct target_connection *connection, struct target_fault_out *out)
{
    static const char zeros[1 << 20];
    uint32_t limit = target_connection_values(connection)->max_send_data_segment_length;

    target_fault_data(out, zeros, limit + 4);
}

/* --- shared callbacks --- */

void byte_by_byte(struct scene *scene, struct target_connection *connection)
{
    (void)scene;
    target_fault_dribble(connection, 1, 0);
}

void slow_drip(struct scene *scene, struct target_connection *connection)
{
    (void)scene;
    target_fault_dribble(connection, 1, 300);
}

enum { PING = 0x1234 };

void answer_after_ping_in(struct scene *scene, struct target_connection *connection,
                          struct target_fault_in *in)
{
    if (in->pdu->opcode != PDU_NOP_OUT || in->pdu->nop_out.ttt != PING)
        return;
    in->swallow = true;
    send_kept(scene, connection);
}

void answer_after_ping_out(struct scene *scene, struct target_connection *connection,
                           struct target_fault_out *out)
{
    if (out->pdu->opcode != scene->play->number)
        return;
    keep(scene, out);
    send_ping(connection, PING);
}

bool is_login_response(const struct target_fault_out *out)
{
    return out->pdu->opcode == PDU_LOGIN_RESPONSE && out->pdu->login_response.status_class == 0;
}

static void refuse(struct target_fault_out *out, uint32_t status)
{
    struct pdu_login_response *response = &out->pdu->login_response;

    response->status_class = (uint8_t)(status >> 8);
    response->status_detail = (uint8_t)status;
    response->transit = false;
    response->next_stage = 0;
    target_fault_data(out, "", 0);
    out->end = TARGET_END_CLOSE;
}

void refuse_login(struct scene *scene, struct target_connection *connection,
                  struct target_fault_out *out)
{
    (void)connection;
    if (is_login_response(out))
        refuse(out, scene->play->number);
}

static void redirect_address(const struct scene *scene, char *address, size_t room)
{
    const char *text = scene->play->text;
    uint16_t port = scene->ports[scene->arrivals % SCENE_PORTS];

    if (text != NULL && strcmp(text, "self") == 0)
        port = scene->ports[0];
    else if (text != NULL && strcmp(text, "circle") == 0)
        port = scene->ports[scene->arrivals % 2];
    else if (text != NULL && strcmp(text, "closed") == 0)
        port = closed_port;
    else if (text != NULL) {
        snprintf(address, room, "%s", text);
        return;
    }
    snprintf(address, room, "127.0.0.1:%u,1", port);
}

void redirect_login(struct scene *scene, struct target_connection *connection,
                    struct target_fault_out *out)
{
    char address[256];
    bool permanent = scene->play->value != NULL;

    (void)connection;
    if (!is_login_response(out) || scene->arrivals > scene->play->number)
        return;
    refuse(out, permanent ? 0x0102 : 0x0101);
    redirect_address(scene, address, sizeof address);
    set_key(out, "TargetAddress", address);
}
