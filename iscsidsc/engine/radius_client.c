#include "engine/radius_client.h"
#include "engine/radius.h"
#include "os/crypto.h"
#include "os/memory.h"

#include <string.h>

enum {
    FIRST_PAUSE = 1000, /* milliseconds until the next server is asked, or the same one again */
    LAST_PAUSE = 4000,  /* it doubles up to this */
    PREFERENCE = 60000, /* how long the server that answered is asked first */
    READ_MOST = 64,     /* datagrams in one go: garbage must not keep the thread busy */
};

/* One server of an inquiry. */
struct radius_peer {
    struct chap_inquiry *inquiry;
    const struct portal_address *server;
    struct os_resolve *resolve; /* NULL: not being looked up */
    struct os_address *addresses;
    size_t count; /* 0: not known yet */
    size_t next;  /* address to try */
    size_t tried; /* addresses, in this turn */
    struct os_watch watch;
    uint8_t identifier; /* of the request that went to the address the socket is for */
    uint8_t authenticator[RADIUS_AUTHENTICATOR_LENGTH];
};

struct chap_inquiry {
    struct engine *engine;
    chap_answered *answered;
    void *context;
    struct os_arena arena; /* the texts and the challenge, the servers and their addresses */
    struct radius_configuration configuration;
    enum status failure; /* found out in `ask`, to be told afterwards */
    struct chap_question question;
    const char *nas_identifier;
    const char *called_station;
    struct os_timer timer; /* the next turn */
    uint64_t deadline;
    uint32_t pause;
    struct radius_peer *peers; /* in the order in which they are asked */
    size_t count;
    size_t next;                 /* whose turn it will be */
    struct radius_peer *current; /* whose turn it is */
};

static bool md5(const struct iov *pieces, size_t count, uint8_t digest[16])
{
    uint8_t out[CHAP_DIGEST_MAX];
    if (!os_crypto.hash(CHAP_MD5, pieces, count, out))
        return false;
    memcpy(digest, out, 16);
    return true;
}

static const struct radius_crypto crypto = {.md5 = md5, .hmac_md5 = os_hmac_md5};

static struct radius_secret secret_of(const struct chap_inquiry *inquiry)
{
    return (struct radius_secret){inquiry->configuration.secret,
                                  inquiry->configuration.secret_length};
}

/* --- the end --- */

static void close_peer(struct radius_peer *peer)
{
    os_watch_stop(&peer->watch);
    if (peer->watch.socket != OS_NO_SOCKET)
        os_close(peer->watch.socket);
    peer->watch.socket = OS_NO_SOCKET;
}

static void inquiry_free(struct chap_inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->count; i++) {
        if (inquiry->peers[i].resolve != NULL)
            os_resolve_cancel(inquiry->peers[i].resolve);
        close_peer(&inquiry->peers[i]);
    }
    os_timer_clear(&inquiry->timer);
    os_wipe(&inquiry->configuration, sizeof inquiry->configuration);
    os_arena_clear(&inquiry->arena);
    os_free(inquiry);
}

static void finish(struct chap_inquiry *inquiry, enum status status, const uint8_t *response)
{
    chap_answered *answered = inquiry->answered;
    void *context = inquiry->context;
    inquiry_free(inquiry);
    answered(context, status, response);
}

/* --- answers --- */

static enum status no_to(const struct chap_inquiry *inquiry)
{
    return inquiry->question.asking == CHAP_ASK_VERDICT ? STATUS_TARGET_AUTHENTICATION_FAILED
                                                        : STATUS_AUTHENTICATION_FAILED;
}

/* A challenge is a "no" to those who cannot go on from there (RFC 2865, 4.4). */
static void conclude(struct radius_peer *peer, const struct radius_reply *reply)
{
    struct chap_inquiry *inquiry = peer->inquiry;
    struct radius_client *client = &inquiry->engine->radius;
    bool verdict = inquiry->question.asking == CHAP_ASK_VERDICT;
    bool usable =
        verdict || (reply->has_response && reply->response_to == inquiry->question.identifier);
    if (client->alive_until <= os_now())
        client->alive_until = os_now() + PREFERENCE;
    client->alive = *peer->server;
    if (reply->code == RADIUS_ACCESS_ACCEPT && usable)
        finish(inquiry, STATUS_OK, verdict ? NULL : reply->response);
    else
        finish(inquiry, no_to(inquiry), NULL);
}

static struct radius_request request_of(const struct radius_peer *peer)
{
    struct radius_request request = {
        .identifier = peer->identifier,
        .question = peer->inquiry->question,
        .nas_identifier = peer->inquiry->nas_identifier,
        .called_station = peer->inquiry->called_station,
    };
    memcpy(request.authenticator, peer->authenticator, sizeof request.authenticator);
    return request;
}

/* What is not by somebody who knows the secret, and without a Message-Authenticator could have been
 * made without knowing it (CVE-2024-3596), counts for nothing. */
static bool acceptable(const struct radius_peer *peer, const uint8_t *packet, size_t length,
                       struct radius_reply *reply)
{
    const struct chap_inquiry *inquiry = peer->inquiry;
    struct radius_request request = request_of(peer);
    return radius_decode_reply(packet, length, &request, &crypto, secret_of(inquiry), reply) &&
           (reply->has_authenticator || !inquiry->engine->parameters.radius_require_authenticator);
}

/* --- one server --- */

static enum status send_request(struct radius_peer *peer)
{
    uint8_t packet[RADIUS_PACKET_MAX], ip[OS_IP_LENGTH];
    struct radius_request request = request_of(peer);
    struct os_address local;
    if (os_local_address(peer->watch.socket, &local)) {
        os_address_to_ip(&local, ip);
        request.nas_address_length = os_address_is_ipv6(&local) ? 16 : 4;
        memcpy(request.nas_address, ip + sizeof ip - request.nas_address_length,
               request.nas_address_length);
    }
    size_t length = radius_encode_request(&request, &crypto, secret_of(peer->inquiry), packet);
    if (length == 0)
        return STATUS_INTERNAL;
    return os_datagram_send(peer->watch.socket, packet, length, NULL);
}

/* A request of its own for each address: nobody else can know what an answer has to look like. */
static bool open_address(struct radius_peer *peer)
{
    const struct os_address *address = &peer->addresses[peer->next];
    peer->next = (peer->next + 1) % peer->count;
    peer->tried++;
    close_peer(peer);
    if (!os_random(&peer->identifier, 1) ||
        !os_random(peer->authenticator, sizeof peer->authenticator))
        return false;
    if (os_datagram_connect(&peer->watch.socket, address, NULL) != STATUS_OK)
        return false;
    if (os_watch_start(peer->inquiry->engine->loop, &peer->watch, OS_READABLE) &&
        send_request(peer) == STATUS_OK)
        return true;
    close_peer(peer);
    return false;
}

/* False: none of its addresses that were not tried in this turn can be asked. */
static bool try_addresses(struct radius_peer *peer)
{
    while (peer->tried < peer->count) {
        if (open_address(peer))
            return true;
    }
    return false;
}

static void on_resolved(void *context, enum status status, const struct os_address *addresses,
                        size_t count);

/* False: there is nothing to wait for. The same request goes to the same address once more, so that
 * the server sees that it is the same (RFC 5080, 2.2.1). */
static bool ask_peer(struct radius_peer *peer)
{
    struct chap_inquiry *inquiry = peer->inquiry;
    peer->tried = 0;
    if (peer->resolve != NULL)
        return true;
    if (peer->count == 0) {
        peer->resolve = os_resolve(inquiry->engine->loop, peer->server->host, peer->server->port,
                                   on_resolved, peer);
        return peer->resolve != NULL;
    }
    if (peer->count == 1 && peer->watch.socket != OS_NO_SOCKET && send_request(peer) == STATUS_OK)
        return true;
    return try_addresses(peer);
}

/* --- turns --- */

static struct radius_peer *next_peer(struct chap_inquiry *inquiry)
{
    struct radius_peer *peer = &inquiry->peers[inquiry->next++];
    if (inquiry->next == inquiry->count)
        inquiry->next = 0;
    return peer;
}

/* The next server is asked; if that cannot be done, those behind it, up to the end of the list. */
static void take_turn(struct chap_inquiry *inquiry)
{
    uint64_t due = os_now() + inquiry->pause;
    if (!os_timer_set(inquiry->engine->loop, &inquiry->timer,
                      due < inquiry->deadline ? due : inquiry->deadline)) {
        finish(inquiry, STATUS_NO_MEMORY, NULL);
        return;
    }
    do
        inquiry->current = next_peer(inquiry);
    while (!ask_peer(inquiry->current) && inquiry->next != 0);
    if (inquiry->next == 0 && inquiry->pause < LAST_PAUSE)
        inquiry->pause *= 2;
}

static void on_timer(struct os_timer *timer)
{
    struct chap_inquiry *inquiry = LIST_OWNER(timer, struct chap_inquiry, timer);
    if (inquiry->failure != STATUS_OK)
        finish(inquiry, inquiry->failure, NULL);
    else if (os_now() >= inquiry->deadline)
        finish(inquiry, STATUS_RADIUS_UNAVAILABLE, NULL);
    else
        take_turn(inquiry);
}

/* This server cannot be asked. Nobody waits for that if there is another one. */
static void give_way(struct radius_peer *peer)
{
    struct chap_inquiry *inquiry = peer->inquiry;
    close_peer(peer);
    if (inquiry->current == peer && inquiry->next != 0)
        take_turn(inquiry);
}

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct radius_peer *peer = LIST_OWNER(watch, struct radius_peer, watch);
    uint8_t packet[RADIUS_PACKET_MAX];
    struct radius_reply reply;
    enum status status = STATUS_OK;
    long got = 0;
    (void)events;
    for (int i = 0; i < READ_MOST; i++) {
        got = os_datagram_receive(watch->socket, packet, sizeof packet, NULL, &status);
        if (got <= 0)
            break;
        if (acceptable(peer, packet, (size_t)got, &reply)) {
            conclude(peer, &reply);
            return;
        }
    }
    if (got < 0 && !try_addresses(peer))
        give_way(peer);
}

static enum status ask_gate(const struct radius_peer *peer, const struct os_address *addresses,
                            size_t count)
{
    const struct connect_place place = {.host = peer->server->host,
                                        .port = peer->server->port,
                                        .addresses = addresses,
                                        .count = count};
    struct connect_gate *gate = &peer->inquiry->engine->gate;
    return gate->ask(gate, &place);
}

static void on_resolved(void *context, enum status status, const struct os_address *addresses,
                        size_t count)
{
    struct radius_peer *peer = context;
    enum status gate = status == STATUS_OK ? ask_gate(peer, addresses, count) : STATUS_OK;
    peer->resolve = NULL;
    if (gate != STATUS_OK) {
        finish(peer->inquiry, gate, NULL);
        return;
    }
    if (status == STATUS_OK) {
        peer->addresses =
            os_arena_copy(&peer->inquiry->arena, addresses, count * sizeof *addresses);
        peer->count = peer->addresses != NULL ? count : 0;
    }
    if (!try_addresses(peer))
        give_way(peer);
}

/* --- the start --- */

static bool is_alive(const struct radius_client *client, const struct portal_address *server)
{
    return client->alive_until > os_now() && client->alive.port == server->port &&
           strcmp(client->alive.host, server->host) == 0;
}

static void add_peer(struct chap_inquiry *inquiry, const struct portal_address *server)
{
    struct radius_peer *peer = &inquiry->peers[inquiry->count++];
    peer->inquiry = inquiry;
    peer->server = server;
    peer->watch.socket = OS_NO_SOCKET;
    peer->watch.ready = on_ready;
}

static enum status choose_order(struct chap_inquiry *inquiry)
{
    const struct radius_client *client = &inquiry->engine->radius;
    const struct radius_configuration *configuration = &inquiry->configuration;
    inquiry->peers = os_arena_alloc(&inquiry->arena, configuration->count * sizeof *inquiry->peers);
    if (inquiry->peers == NULL)
        return STATUS_NO_MEMORY;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < configuration->count; i++) {
            if (is_alive(client, &configuration->servers[i]) == (pass == 0))
                add_peer(inquiry, &configuration->servers[i]);
        }
    }
    return STATUS_OK;
}

/* The question and its connection are gone when the answer comes. */
static enum status copy_question(struct chap_inquiry *inquiry, const struct chap_question *question,
                                 const struct session_settings *settings)
{
    struct os_arena *arena = &inquiry->arena;
    struct chap_question *copy = &inquiry->question;
    const char *target = settings->target_name != NULL ? settings->target_name : "";
    *copy = *question;
    copy->name = os_arena_text(arena, question->name);
    copy->challenge = os_arena_copy(arena, question->challenge, question->challenge_length);
    if (question->response != NULL)
        copy->response = os_arena_copy(arena, question->response, CHAP_MD5_LENGTH);
    inquiry->nas_identifier = os_arena_text(arena, settings->initiator_name);
    inquiry->called_station = os_arena_text(arena, target);
    bool copied = copy->name != NULL && copy->challenge != NULL &&
                  inquiry->nas_identifier != NULL && inquiry->called_station != NULL &&
                  (copy->response != NULL) == (question->response != NULL);
    return copied ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status prepare(struct chap_inquiry *inquiry, const struct chap_question *question,
                           const struct session_settings *settings)
{
    const struct parameters *parameters;
    enum status status = engine_parameters(inquiry->engine, &parameters);
    if (status == STATUS_OK)
        status = copy_question(inquiry, question, settings);
    if (status == STATUS_OK)
        status = radius_configuration(inquiry->engine, &inquiry->arena, &inquiry->configuration);
    if (status == STATUS_OK)
        status = choose_order(inquiry);
    /* No account can have a name that no request can carry. */
    if (status == STATUS_OK && strlen(question->name) > RADIUS_VALUE_MAX)
        status = no_to(inquiry);
    if (status == STATUS_OK)
        inquiry->deadline = os_now() + parameters->radius_timeout * UINT64_C(1000);
    return status;
}

static struct chap_inquiry *ask(struct chap_authority *authority,
                                const struct connection *connection,
                                const struct chap_question *question, chap_answered *answered,
                                void *context)
{
    struct chap_inquiry *inquiry = os_alloc(sizeof *inquiry);
    if (inquiry == NULL)
        return NULL;
    inquiry->engine = LIST_OWNER(authority, struct engine, radius.authority);
    inquiry->answered = answered;
    inquiry->context = context;
    inquiry->pause = FIRST_PAUSE;
    inquiry->timer.fire = on_timer;
    inquiry->failure = prepare(inquiry, question, session_settings(connection_session(connection)));
    if (os_timer_set(inquiry->engine->loop, &inquiry->timer, os_now()))
        return inquiry;
    inquiry_free(inquiry);
    return NULL;
}

static void cancel(struct chap_authority *authority, struct chap_inquiry *inquiry)
{
    (void)authority;
    inquiry_free(inquiry);
}

void radius_client_init(struct radius_client *client)
{
    client->authority.ask = ask;
    client->authority.cancel = cancel;
}
