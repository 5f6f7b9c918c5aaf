/* Text exchanges: SendTargets, whose answer may be megabytes, and renegotiation (RFC
 * 7143, 11.10, 11.11, C). */
#include "target/internal.h"

#include <stdio.h>

enum {
    REQUEST_LIMIT = 65536, /* bytes of one request over all its PDUs */
    REPLY_ROOM = 16384,    /* answers to keys other than SendTargets */
    LINE_ROOM = 512,       /* one TargetName or TargetAddress */
};

/* --- a text that grows --- */

struct growing {
    char *text;
    size_t length;
    size_t room;
    bool failed;
};

static void grow_line(struct growing *growing, const char *key, const char *value)
{
    size_t needed = growing->length + strlen(key) + strlen(value) + 2;

    if (needed > growing->room) {
        size_t room = needed * 2 < LINE_ROOM ? LINE_ROOM : needed * 2;
        char *text = os_grow(growing->text, room);

        if (text == NULL) {
            growing->failed = true;
            return;
        }
        growing->text = text;
        growing->room = room;
    }
    growing->failed |= !text_append(growing->text, growing->room, &growing->length, key, value);
}

/* --- SendTargets --- */

static bool is_any_address(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static void tell_addresses(struct growing *answer, const struct target *target)
{
    LIST_EACH(node, &target->entity->portals)
    {
        const struct portal_address *portal =
            &LIST_OWNER(node, struct target_portal, link)->address;
        char address[PORTAL_HOST_MAX + 32];
        char line[sizeof address + 8];

        /* Where we listen on any address, the one that was asked will do: none is told. */
        if (!target_in_group(target, portal->group) || is_any_address(portal->host) ||
            !portal_format(portal, address, sizeof address))
            continue;
        snprintf(line, sizeof line, "%s,%u", address, portal->group);
        grow_line(answer, "TargetAddress", line);
    }
}

/* Who may not come in is not told. */
static void tell_target(struct growing *answer, const struct target *target,
                        const struct target_connection *connection)
{
    if (!target_access_permits(&target->access, connection->session->initiator, connection))
        return;
    grow_line(answer, "TargetName", target->name);
    tell_addresses(answer, target);
}

static bool value_is(const struct text_pair *pair, const char *text)
{
    return pair->value_length == strlen(text) && memcmp(pair->value, text, strlen(text)) == 0;
}

static void tell_all(struct growing *answer, const struct target_connection *connection)
{
    LIST_EACH(node, &connection->entity->targets)
    tell_target(answer, LIST_OWNER(node, struct target, link), connection);
}

/* RFC 7143, C: All in discovery sessions only, an empty value in normal ones only. */
static void send_targets(const struct target_connection *connection, const struct text_pair *pair,
                         struct growing *answer)
{
    const struct target_session *session = connection->session;
    char name[ISCSI_NAME_MAX + 1];
    const struct target *target = NULL;

    if (session->target == NULL && value_is(pair, "All")) {
        tell_all(answer, connection);
    } else if (session->target != NULL && pair->value_length == 0) {
        tell_target(answer, session->target, connection);
    } else if (value_is(pair, "All") || pair->value_length == 0) {
        grow_line(answer, "SendTargets", "Reject");
    } else if (pair->value_length <= ISCSI_NAME_MAX) {
        memcpy(name, pair->value, pair->value_length);
        name[pair->value_length] = '\0';
        target = target_find(session->entity, name);
        if (target != NULL)
            tell_target(answer, target, connection);
    }
}

/* False: the text is not valid. */
static bool answer_send_targets(const struct target_connection *connection, const char *text,
                                size_t length, struct growing *answer)
{
    struct text_pair pair;
    size_t offset = 0;
    int more;

    while ((more = text_next(text, length, &offset, &pair)) == 1) {
        if (text_key_is(&pair, "SendTargets"))
            send_targets(connection, &pair, answer);
    }
    return more == 0;
}

/* --- other keys --- */

static bool negotiate(struct target_connection *connection, const char *text, size_t length,
                      struct growing *answer)
{
    struct negotiation negotiation;
    char *reply = os_alloc(REPLY_ROOM);
    size_t reply_length = 0;
    struct text_pair pair;
    size_t offset = 0;
    enum status status;

    if (reply == NULL)
        return false;
    negotiation_start(&negotiation, false, connection->session->target == NULL, true,
                      &connection->entity->settings.offers);
    negotiation.values = connection->values;
    status = negotiation_receive(&negotiation, text, length, KEY_IN_FULL_FEATURE, reply, REPLY_ROOM,
                                 &reply_length);
    if (status == STATUS_OK)
        connection->values = negotiation.values;
    while (status == STATUS_OK && text_next(reply, reply_length, &offset, &pair) == 1) {
        char key[TEXT_KEY_MAX + 1];

        memcpy(key, pair.key, pair.key_length);
        key[pair.key_length] = '\0';
        grow_line(answer, key, pair.value);
    }
    os_free(reply);
    return status == STATUS_OK;
}

/* --- the exchange --- */

void target_text_reset(struct target_connection *connection)
{
    struct target_text *text = &connection->text;

    os_free(text->request);
    target_buffer_release(text->answer);
    memset(text, 0, sizeof *text);
    text->ttt = PDU_RESERVED_TAG;
}

/* `more`: this answer goes on (C bit). `final`: the exchange is over (F bit). */
static void respond(struct target_connection *connection, uint32_t length, bool more, bool final)
{
    struct target_text *text = &connection->text;
    struct pdu pdu = {.opcode = PDU_TEXT_RESPONSE, .final = final, .itt = text->itt};

    pdu.text_response.more = more;
    pdu.text_response.ttt = final ? PDU_RESERVED_TAG : text->ttt;
    target_send(connection, &pdu, length > 0 ? text->answer->bytes + text->sent : NULL, length,
                text->answer);
    text->sent += length;
}

/* All of an answer is out: the exchange ends when the initiator said so, else it may ask more. */
static void answered(struct target_text *text)
{
    target_buffer_release(text->answer);
    text->answer = NULL;
    text->sent = text->request_length = 0;
}

/* The next piece of the answer, as long as the initiator takes. */
static void respond_piece(struct target_connection *connection)
{
    struct target_text *text = &connection->text;
    uint32_t limit = connection->values.max_send_data_segment_length;
    size_t left = text->answer->length - text->sent;
    bool more = left > limit;

    respond(connection, more ? limit : (uint32_t)left, more, !more && text->final);
    if (more)
        return;
    if (text->final)
        target_text_reset(connection);
    else
        answered(text);
}

static void refuse(struct target_connection *connection, enum reject_reason reason)
{
    target_reject(connection, reason);
    target_text_reset(connection);
}

static void make_answer(struct target_connection *connection)
{
    struct target_text *text = &connection->text;
    struct growing answer = {0};
    bool valid = answer_send_targets(connection, text->request, text->request_length, &answer) &&
                 negotiate(connection, text->request, text->request_length, &answer);

    if (valid && !answer.failed)
        text->answer = target_buffer_new(NULL, answer.length);
    if (text->answer != NULL && answer.length > 0)
        memcpy(text->answer->bytes, answer.text, answer.length);
    os_free(answer.text);
    if (text->answer != NULL)
        respond_piece(connection);
    else
        refuse(connection, valid ? REJECT_LONG_OPERATION : REJECT_PROTOCOL_ERROR);
}

static bool append_request(struct target_text *text, const char *data, size_t length)
{
    char *request;

    if (length > REQUEST_LIMIT - text->request_length)
        return false;
    request = os_grow(text->request, text->request_length + length + 1);
    if (request == NULL)
        return false;
    if (length > 0)
        memcpy(request + text->request_length, data, length);
    text->request = request;
    text->request_length += length;
    return true;
}

/* A request with the reserved TTT begins anew; else it has to continue what is under way. */
static bool begin_or_continue(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_text *text = &connection->text;

    if (pdu->text_request.ttt != PDU_RESERVED_TAG)
        return text->ttt == pdu->text_request.ttt && text->itt == pdu->itt;
    target_text_reset(connection);
    text->itt = pdu->itt;
    text->ttt = target_session_ttt(connection->session);
    return true;
}

void target_text_request(struct target_connection *connection, const struct pdu *pdu,
                         const char *data, size_t length)
{
    struct target_text *text = &connection->text;

    if (!begin_or_continue(connection, pdu)) {
        target_reject(connection, REJECT_PROTOCOL_ERROR);
        return;
    }
    if (text->answer != NULL) { /* our answer goes on: there is nothing to say meanwhile */
        if (length == 0 && !pdu->text_request.more)
            respond_piece(connection);
        else
            refuse(connection, REJECT_NEGOTIATION_RESET);
        return;
    }
    if (!append_request(text, data, length)) {
        refuse(connection, REJECT_PROTOCOL_ERROR);
        return;
    }
    text->final = pdu->final;
    if (pdu->text_request.more)
        respond(connection, 0, false, false);
    else
        make_answer(connection);
}
