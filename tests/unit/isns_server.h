/* An iSNS server on an event loop for tests: keeps a few targets, and misbehaves to order. */
#ifndef ISNS_SERVER_H
#define ISNS_SERVER_H

#include "os_test.h"

#include "discovery/connector.h"
#include "discovery/isns_link.h"
#include "protocol/isns_messages.h"

#include <stdlib.h>

enum server_fault {
    FAULT_NONE,
    FAULT_SILENCE,
    FAULT_CLOSE,
    FAULT_RESET,
    FAULT_GARBAGE,
    FAULT_VERSION,
    FAULT_TRANSACTION,
    FAULT_FUNCTION,
    FAULT_NO_STATUS,
    FAULT_CUT_ATTRIBUTE,
    FAULT_CUT_PDU, /* then closes */
    FAULT_SEQUENCE,
    FAULT_ENDLESS,     /* the message has no last PDU */
    FAULT_SAME_TARGET, /* DevGetNext never gets on */
    FAULT_AUTHENTICATION,
    FAULT_TWICE, /* the answer comes twice */
};

#define SERVER_TARGETS_MOST 600u
#define SERVER_CALLERS_MOST 8u
#define SERVER_PAYLOAD_MOST (1u << 20)

struct server_target {
    char name[64];
    char alias[32];
    uint8_t portals; /* 10.0.0.1, 10.0.0.2 ..., port 3260 */
    uint16_t tag;    /* 0: NULL, no access */
};

struct isns_server;

struct server_caller {
    struct isns_server *server;
    struct isns_link link;
};

struct isns_server {
    struct os_loop *loop;
    struct os_watch watch;
    struct os_address at;
    struct server_caller callers[SERVER_CALLERS_MOST];
    unsigned connections; /* accepted so far */

    struct server_target targets[SERVER_TARGETS_MOST];
    size_t target_count;
    size_t answer_most;         /* targets that fit into one answer; 0: any number */
    size_t pdu_most;            /* bytes of one PDU's payload; 0: any number */
    bool plain;                 /* knows nothing of portal groups */
    bool compatible;            /* writes IPv4 as ::10.0.0.1 */
    bool slow_leave;            /* takes its time to take somebody off its books */
    bool no_inquiries;          /* refuses who wants them */
    uint32_t period;            /* that it grants; 0: it says nothing of it */
    enum isns_error errors[16]; /* by function */
    enum server_fault fault;
    unsigned fault_at; /* function */

    char log[4096]; /* what it was asked, a word for each; the same one in a row is counted */
    char last[32];
    unsigned repeated;
    bool registered;
    char node[ISNS_TEXT_ROOM];
    char entity[ISNS_TEXT_ROOM];
    char alias[ISNS_TEXT_ROOM];
    uint8_t address[ISNS_ADDRESS_LENGTH];
    uint32_t scn_port, esi_port, esi_interval, asked_period, bitmap;
    void (*asked)(struct isns_server *server, unsigned function); /* may be NULL */
    void *context;

    struct isns_link *endless; /* gets the message without an end */
    unsigned endless_sequence;
    uint8_t endless_header[ISNS_HEADER_LENGTH];
    struct os_timer timer;

    struct isns_link *leaving;
    struct isns_header leave;
    struct os_timer leave_timer;
};

/* --- what it keeps --- */

static inline struct server_target *server_add(struct isns_server *server, const char *name,
                                               uint8_t portals, uint16_t tag)
{
    struct server_target *target = &server->targets[server->target_count++];
    *target = (struct server_target){.portals = portals, .tag = tag};
    snprintf(target->name, sizeof target->name, "%s", name);
    snprintf(target->alias, sizeof target->alias, "alias of %.20s", strchr(name, ':') + 1);
    return target;
}

static inline void server_remove(struct isns_server *server, const char *name)
{
    for (size_t i = 0; i < server->target_count; i++) {
        if (strcmp(server->targets[i].name, name) == 0) {
            server->target_count--;
            memmove(&server->targets[i], &server->targets[i + 1],
                    (server->target_count - i) * sizeof *server->targets);
            return;
        }
    }
    fail_msg("the server has no %s", name);
}

static inline void server_note(struct isns_server *server, const char *word)
{
    size_t length = strlen(server->log);
    if (strcmp(word, server->last) == 0) {
        server->repeated++;
        return;
    }
    snprintf(server->last, sizeof server->last, "%s", word);
    server->repeated = 1;
    snprintf(server->log + length, sizeof server->log - length, "%s ", word);
}

/* --- answering --- */

struct answer {
    struct isns_writer writer;
    uint8_t *bytes;
};

static inline void answer_begin(struct answer *answer, const struct isns_header *request,
                                enum isns_error error)
{
    answer->bytes = malloc(SERVER_PAYLOAD_MOST);
    assert_non_null(answer->bytes);
    isns_begin(&answer->writer, answer->bytes, SERVER_PAYLOAD_MOST,
               request->function | (unsigned)ISNS_RESPONSE, ISNS_FROM_SERVER, request->transaction);
    isns_put_error(&answer->writer, error);
}

static inline void put_header(uint8_t *out, const uint8_t *from, size_t length, unsigned flags,
                              unsigned sequence)
{
    memcpy(out, from, ISNS_HEADER_LENGTH);
    out[4] = (uint8_t)(length >> 8);
    out[5] = (uint8_t)length;
    out[6] = (uint8_t)(0x40u | flags >> 8);
    out[10] = (uint8_t)(sequence >> 8);
    out[11] = (uint8_t)sequence;
}

/* In as many PDUs as it takes. */
static inline void send_message(struct isns_server *server, struct isns_link *link,
                                const uint8_t *bytes, size_t length)
{
    size_t most = server->pdu_most > 0 ? server->pdu_most : ISNS_PAYLOAD_MOST;
    const uint8_t *payload = bytes + ISNS_HEADER_LENGTH;
    size_t left = length - ISNS_HEADER_LENGTH;
    uint8_t *pdu = malloc(ISNS_HEADER_LENGTH + most);
    assert_non_null(pdu);
    for (unsigned sequence = 0; left > 0 || sequence == 0; sequence++) {
        size_t size = left < most ? left : most;
        unsigned flags =
            (sequence == 0 ? ISNS_FIRST_PDU : 0u) | (size == left ? (unsigned)ISNS_LAST_PDU : 0u);
        put_header(pdu, bytes, size, flags, sequence);
        memcpy(pdu + ISNS_HEADER_LENGTH, payload, size);
        isns_link_send(link, pdu, ISNS_HEADER_LENGTH + size);
        payload += size;
        left -= size;
    }
    free(pdu);
}

/* False: the caller is gone. */
static inline bool misbehave(struct isns_server *server, struct isns_link *link,
                             struct answer *answer)
{
    static const char garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    uint8_t *bytes = answer->bytes;
    size_t length = answer->writer.length;
    switch (server->fault) {
    case FAULT_SILENCE:
        return true;
    case FAULT_CLOSE:
        isns_link_close(link);
        return false;
    case FAULT_RESET:
        os_watch_stop(&link->watch);
        os_abort(link->watch.socket);
        link->watch.socket = OS_NO_SOCKET;
        isns_link_close(link);
        return false;
    case FAULT_GARBAGE:
        isns_link_send(link, (const uint8_t *)garbage, sizeof garbage - 1);
        return true;
    case FAULT_VERSION:
        bytes[1] = 2;
        break;
    case FAULT_TRANSACTION:
        bytes[9] ^= 1;
        break;
    case FAULT_FUNCTION:
        bytes[3] = ISNS_HEARTBEAT;
        break;
    case FAULT_NO_STATUS:
        length = ISNS_HEADER_LENGTH;
        break;
    case FAULT_CUT_ATTRIBUTE:
        isns_put_number(&answer->writer, ISNS_NODE_NAME, 0);
        bytes[length + 7] = 200; /* its length */
        length = answer->writer.length;
        break;
    case FAULT_CUT_PDU:
        put_header(bytes, bytes, length, ISNS_FIRST_PDU | ISNS_LAST_PDU, 0);
        isns_link_send(link, bytes, length - 2);
        isns_link_close(link);
        return false;
    case FAULT_SEQUENCE:
        put_header(bytes, bytes, 4, ISNS_FIRST_PDU, 0);
        isns_link_send(link, bytes, ISNS_HEADER_LENGTH + 4);
        put_header(bytes, bytes, 4, ISNS_LAST_PDU, 7);
        isns_link_send(link, bytes, ISNS_HEADER_LENGTH + 4);
        return true;
    case FAULT_ENDLESS:
        server->endless = link;
        server->endless_sequence = 0;
        memcpy(server->endless_header, bytes, ISNS_HEADER_LENGTH);
        assert_true(os_timer_set(server->loop, &server->timer, 0));
        return true;
    case FAULT_AUTHENTICATION:
        put_header(bytes, bytes, length - ISNS_HEADER_LENGTH,
                   ISNS_FIRST_PDU | ISNS_LAST_PDU | ISNS_AUTHENTICATION, 0);
        isns_link_send(link, bytes, length);
        return true;
    case FAULT_TWICE:
        send_message(server, link, bytes, length);
        break;
    default:
        break;
    }
    send_message(server, link, bytes, length);
    return true;
}

/* As fast as it is taken, and without ever keeping much. */
static inline void server_on_timer(struct os_timer *timer)
{
    struct isns_server *server = LIST_OWNER(timer, struct isns_server, timer);
    static uint8_t bytes[ISNS_HEADER_LENGTH + ISNS_PAYLOAD_MOST];
    unsigned sequence = server->endless_sequence;
    if (!isns_link_is_open(server->endless))
        return;
    put_header(bytes, server->endless_header, ISNS_PAYLOAD_MOST, sequence == 0 ? ISNS_FIRST_PDU : 0,
               sequence);
    if (isns_link_send(server->endless, bytes, sizeof bytes))
        server->endless_sequence++;
    assert_true(os_timer_set(server->loop, timer, 0));
}

static inline bool answer_end(struct isns_server *server, struct isns_link *link,
                              struct answer *answer, unsigned function)
{
    bool alive = true;
    assert_false(answer->writer.overflow);
    if (server->fault != FAULT_NONE && function == server->fault_at)
        alive = misbehave(server, link, answer);
    else
        send_message(server, link, answer->bytes, answer->writer.length);
    free(answer->bytes);
    return alive;
}

static inline void put_target(struct isns_server *server, struct isns_writer *writer,
                              const struct server_target *target, bool groups)
{
    isns_put_text(writer, ISNS_NODE_NAME, target->name);
    isns_put_number(writer, ISNS_NODE_TYPE, ISNS_NODE_TARGET);
    isns_put_text(writer, ISNS_NODE_ALIAS, target->alias);
    for (uint8_t i = 1; i <= target->portals; i++) {
        const uint8_t mapped = server->compatible ? 0 : 0xff;
        const uint8_t address[16] = {[10] = mapped, [11] = mapped, [12] = 10, [15] = i};
        if (groups && !server->plain) {
            isns_put_text(writer, ISNS_PG_NODE_NAME, target->name);
            isns_put_bytes(writer, ISNS_PG_PORTAL_ADDRESS, address, sizeof address);
            isns_put_number(writer, ISNS_PG_PORTAL_PORT, 3260);
            if (target->tag != 0)
                isns_put_number(writer, ISNS_PG_TAG, target->tag);
            else
                isns_put_empty(writer, ISNS_PG_TAG);
        } else if (!groups) {
            isns_put_bytes(writer, ISNS_PORTAL_ADDRESS, address, sizeof address);
            isns_put_number(writer, ISNS_PORTAL_PORT, 3260);
        }
    }
}

/* --- requests --- */

/* What it needs of the attributes: source, key, and what is registered. */
struct asked {
    char source[ISNS_TEXT_ROOM];
    struct isns_attribute key;
    bool groups; /* portal groups are wanted */
};

static inline void take_attribute(struct isns_server *server, unsigned function,
                                  const struct isns_attribute *attribute)
{
    switch (function == ISNS_DEV_ATTR_REG || function == ISNS_SCN_REG ? attribute->tag : 0) {
    case ISNS_ENTITY_IDENTIFIER:
        assert_true(isns_text(attribute, server->entity, sizeof server->entity));
        break;
    case ISNS_REGISTRATION_PERIOD:
        assert_true(isns_number(attribute, &server->asked_period));
        break;
    case ISNS_PORTAL_ADDRESS:
        assert_int_equal(attribute->length, sizeof server->address);
        memcpy(server->address, attribute->value, sizeof server->address);
        break;
    case ISNS_SCN_PORT:
        assert_true(isns_number(attribute, &server->scn_port));
        break;
    case ISNS_ESI_PORT:
        assert_true(isns_number(attribute, &server->esi_port));
        break;
    case ISNS_ESI_INTERVAL:
        assert_true(isns_number(attribute, &server->esi_interval));
        break;
    case ISNS_NODE_NAME:
        assert_true(isns_text(attribute, server->node, sizeof server->node));
        break;
    case ISNS_NODE_ALIAS:
        assert_true(isns_text(attribute, server->alias, sizeof server->alias));
        break;
    case ISNS_NODE_SCN_BITMAP:
        assert_true(isns_number(attribute, &server->bitmap));
        break;
    default:
        break;
    }
}

static inline void read_request(struct isns_server *server, unsigned function,
                                const uint8_t *payload, size_t length, struct asked *asked)
{
    struct isns_cursor cursor = {payload, length, false};
    struct isns_attribute attribute;
    *asked = (struct asked){0};
    assert_true(isns_next(&cursor, &attribute) && attribute.tag == ISNS_NODE_NAME);
    assert_true(isns_text(&attribute, asked->source, sizeof asked->source));
    server->esi_interval = server->esi_port = function == ISNS_DEV_ATTR_REG ? 0 : server->esi_port;
    for (bool first = true; isns_next(&cursor, &attribute); first = false) {
        if (first)
            asked->key = attribute;
        asked->groups = asked->groups || attribute.tag == ISNS_PG_TAG;
        take_attribute(server, function, &attribute);
    }
    assert_false(cursor.malformed);
}

static inline enum isns_error answer_query(struct isns_server *server, struct isns_writer *writer,
                                           const struct asked *asked)
{
    char name[ISNS_TEXT_ROOM] = "";
    bool all = asked->key.tag == ISNS_NODE_TYPE;
    if (!all)
        assert_true(isns_text(&asked->key, name, sizeof name));
    if (all && server->answer_most > 0 && server->target_count > server->answer_most)
        return ISNS_INTERNAL_ERROR;
    isns_put_bytes(writer, (enum isns_tag)asked->key.tag, asked->key.value, asked->key.length);
    isns_put_empty(writer, ISNS_DELIMITER);
    for (size_t i = 0; i < server->target_count; i++) {
        if (all || strcmp(name, server->targets[i].name) == 0)
            put_target(server, writer, &server->targets[i], asked->groups);
    }
    return ISNS_SUCCESSFUL;
}

static inline enum isns_error answer_next(struct isns_server *server, struct isns_writer *writer,
                                          const struct asked *asked)
{
    char name[ISNS_TEXT_ROOM] = "";
    size_t next = 0;
    assert_true(isns_text(&asked->key, name, sizeof name));
    for (size_t i = 0; i < server->target_count && name[0] != '\0'; i++) {
        if (strcmp(name, server->targets[i].name) == 0)
            next = i + (server->fault == FAULT_SAME_TARGET ? 0 : 1);
    }
    if (next >= server->target_count)
        return ISNS_NO_SUCH_ENTRY;
    isns_put_text(writer, ISNS_NODE_NAME, server->targets[next].name);
    isns_put_empty(writer, ISNS_DELIMITER);
    isns_put_number(writer, ISNS_NODE_TYPE, ISNS_NODE_TARGET);
    return ISNS_SUCCESSFUL;
}

static inline enum isns_error answer_registration(struct isns_server *server,
                                                  struct isns_writer *writer)
{
    if (server->no_inquiries && server->esi_interval != 0)
        return ISNS_ESI_NOT_AVAILABLE;
    server->registered = true;
    isns_put_text(writer, ISNS_ENTITY_IDENTIFIER, server->entity);
    isns_put_empty(writer, ISNS_DELIMITER);
    if (server->period != 0)
        isns_put_number(writer, ISNS_REGISTRATION_PERIOD, server->period);
    return ISNS_SUCCESSFUL;
}

static inline enum isns_error answer_to(struct isns_server *server, unsigned function,
                                        struct isns_writer *writer, const struct asked *asked)
{
    if (server->errors[function] != ISNS_SUCCESSFUL)
        return server->errors[function];
    if (function != ISNS_DEV_ATTR_REG && !server->registered)
        return ISNS_SOURCE_UNKNOWN;
    switch (function) {
    case ISNS_DEV_ATTR_REG:
        return answer_registration(server, writer);
    case ISNS_DEV_ATTR_QRY:
        return answer_query(server, writer, asked);
    case ISNS_DEV_GET_NEXT:
        return answer_next(server, writer, asked);
    case ISNS_DEV_DEREG:
        server->registered = false;
        return ISNS_SUCCESSFUL;
    default:
        return ISNS_SUCCESSFUL;
    }
}

static inline const char *word_of(const struct isns_header *header, const struct asked *asked)
{
    switch (header->function) {
    case ISNS_DEV_ATTR_REG:
        return header->flags & ISNS_REPLACE ? "replace" : "register";
    case ISNS_SCN_REG:
        return "subscribe";
    case ISNS_DEV_ATTR_QRY:
        if (asked->key.tag == ISNS_NODE_TYPE)
            return "all";
        return asked->groups ? "one" : "portals";
    case ISNS_DEV_GET_NEXT:
        return "next";
    case ISNS_DEV_DEREG:
        return "leave";
    case ISNS_SCN | ISNS_RESPONSE:
        return "scn-response";
    case ISNS_ESI | ISNS_RESPONSE:
        return "esi-response";
    default:
        return "?";
    }
}

static inline void server_on_message(struct isns_link *link, const struct isns_header *header,
                                     const uint8_t *payload, size_t length)
{
    struct isns_server *server = LIST_OWNER(link, struct server_caller, link)->server;
    struct asked asked = {0};
    struct answer answer;
    unsigned function = header->function;
    if ((function & ISNS_RESPONSE) == 0)
        read_request(server, function, payload, length, &asked);
    server_note(server, word_of(header, &asked));
    if (function == ISNS_DEV_DEREG && server->slow_leave) {
        server->leaving = link;
        server->leave = *header;
        assert_true(os_timer_set(server->loop, &server->leave_timer, os_now() + 100));
    } else if ((function & ISNS_RESPONSE) == 0) {
        answer_begin(&answer, header, ISNS_SUCCESSFUL);
        enum isns_error error = answer_to(server, function, &answer.writer, &asked);
        if (error != ISNS_SUCCESSFUL) {
            free(answer.bytes);
            answer_begin(&answer, header, error);
        }
        answer_end(server, link, &answer, function);
    }
    if (server->asked != NULL)
        server->asked(server, function);
}

static inline void server_on_leave_timer(struct os_timer *timer)
{
    struct isns_server *server = LIST_OWNER(timer, struct isns_server, leave_timer);
    struct isns_link *link = server->leaving;
    struct answer answer;
    server->registered = false;
    server->leaving = NULL;
    if (!isns_link_is_open(link))
        return;
    answer_begin(&answer, &server->leave, ISNS_SUCCESSFUL);
    answer_end(server, link, &answer, ISNS_DEV_DEREG);
}

static inline void server_on_failed(struct isns_link *link, enum status status)
{
    (void)status;
    isns_link_close(link);
}

static const struct isns_link_events server_link_events = {.message = server_on_message,
                                                           .failed = server_on_failed};

static inline struct server_caller *server_free_place(struct isns_server *server)
{
    for (size_t i = 0; i < SERVER_CALLERS_MOST; i++) {
        if (!isns_link_is_open(&server->callers[i].link))
            return &server->callers[i];
    }
    fail_msg("the server has too many callers");
    return NULL;
}

/* --- its life --- */

static inline void server_on_ready(struct os_watch *watch, unsigned events)
{
    struct isns_server *server = LIST_OWNER(watch, struct isns_server, watch);
    os_socket socket;
    (void)events;
    if (!os_accept(watch->socket, &socket, NULL))
        return;
    struct server_caller *caller = server_free_place(server);
    caller->server = server;
    server->connections++;
    /* Tests that let allocations fail take it as a server that does not answer. */
    isns_link_open(&caller->link, server->loop, socket, &server_link_events, SERVER_PAYLOAD_MOST);
}

static inline void server_listen(struct isns_server *server)
{
    assert_status(os_listen(&server->watch.socket, &server->at, 16), STATUS_OK);
    assert_true(os_local_address(server->watch.socket, &server->at));
    server->watch.ready = server_on_ready;
    assert_true(os_watch_start(server->loop, &server->watch, OS_READABLE));
}

static inline void server_start(struct isns_server *server, struct os_loop *loop)
{
    *server = (struct isns_server){.loop = loop, .at = loopback(0), .period = 600};
    server->timer.fire = server_on_timer;
    server->leave_timer.fire = server_on_leave_timer;
    server_listen(server);
}

/* As a server that is killed: its callers notice at once, and nobody can connect. */
static inline void server_stop(struct isns_server *server)
{
    os_watch_stop(&server->watch);
    os_close(server->watch.socket);
    os_timer_clear(&server->timer);
    os_timer_clear(&server->leave_timer);
    for (size_t i = 0; i < SERVER_CALLERS_MOST; i++)
        isns_link_close(&server->callers[i].link);
}

static inline void server_restart(struct isns_server *server)
{
    server->registered = false;
    server_listen(server);
}

/* --- what it says unasked --- */

struct notice {
    struct isns_server *server;
    size_t length;
    uint8_t bytes[1024];
};

static inline void notice_connected(void *context, enum status status, os_socket socket)
{
    struct notice *notice = context;
    assert_status(status, STATUS_OK);
    struct server_caller *caller = server_free_place(notice->server);
    caller->server = notice->server;
    assert_true(isns_link_open(&caller->link, notice->server->loop, socket, &server_link_events,
                               SERVER_PAYLOAD_MOST));
    assert_true(isns_link_send(&caller->link, notice->bytes, notice->length));
    free(notice);
}

static inline void notice_write(struct notice *notice, unsigned function, const char *about,
                                uint32_t bitmap)
{
    const struct isns_server *server = notice->server;
    const uint8_t timestamp[8] = {0};
    struct isns_writer writer;
    isns_begin(&writer, notice->bytes, sizeof notice->bytes, function, ISNS_FROM_SERVER, 77);
    if (function == ISNS_SCN) {
        isns_put_text(&writer, ISNS_NODE_NAME, server->node);
        isns_put_bytes(&writer, ISNS_TIMESTAMP, timestamp, sizeof timestamp);
        isns_put_number(&writer, ISNS_NODE_SCN_BITMAP, bitmap);
        if (about != NULL)
            isns_put_text(&writer, ISNS_NODE_NAME, about);
        else
            isns_put_number(&writer, ISNS_DD_ID, 1);
    } else {
        isns_put_bytes(&writer, ISNS_TIMESTAMP, timestamp, sizeof timestamp);
        isns_put_text(&writer, ISNS_ENTITY_IDENTIFIER, server->entity);
    }
    notice->length = isns_end(&writer);
    assert_true(notice->length > 0);
}

/* To where the initiator takes notices. `about` NULL: a discovery domain. */
static inline void server_tell(struct isns_server *server, unsigned function, const char *about,
                               uint32_t bitmap)
{
    struct notice *notice = malloc(sizeof *notice);
    const struct connector_target to = {
        .host = "127.0.0.1", .port = (uint16_t)server->scn_port, .timeout = BOUND};
    assert_non_null(notice);
    notice->server = server;
    notice_write(notice, function, about, bitmap);
    assert_non_null(connector_start(server->loop, &to, notice_connected, notice));
}

/* On the connection that the initiator has made. */
static inline void server_tell_there(struct isns_server *server, unsigned function,
                                     const char *about, uint32_t bitmap)
{
    struct notice notice = {.server = server};
    notice_write(&notice, function, about, bitmap);
    for (size_t i = 0; i < SERVER_CALLERS_MOST; i++) {
        if (isns_link_is_open(&server->callers[i].link)) {
            assert_true(isns_link_send(&server->callers[i].link, notice.bytes, notice.length));
            return;
        }
    }
    fail_msg("nobody is connected to the server");
}

#endif
