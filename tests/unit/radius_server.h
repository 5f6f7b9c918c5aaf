/*
 * A RADIUS server on a thread of its own that misbehaves to order. It reads and signs packets by
 * itself, so that what protocol/radius.c gets wrong is seen.
 */
#ifndef RADIUS_SERVER_H
#define RADIUS_SERVER_H

#include "os_test.h"

#include "os/crypto.h"
#include "protocol/radius.h"

#include <stdatomic.h>

#define RADIUS_SERVER_SECRET "radius secret, 22 byte"

enum radius_conduct {
    RADIUS_BEHAVE,
    RADIUS_SILENT,
    RADIUS_GARBAGE,             /* random bytes, an empty datagram, a header alone */
    RADIUS_OTHER_SECRET,        /* signed by somebody who does not know the secret */
    RADIUS_UNSIGNED,            /* without Message-Authenticator */
    RADIUS_WRONG_AUTHENTICATOR, /* with a wrong one, but a right Response Authenticator */
    RADIUS_OTHER_IDENTIFIER,
    RADIUS_REPLAYED,     /* the right answer to another request */
    RADIUS_OTHER_SOURCE, /* right, but from another socket */
    RADIUS_CHALLENGES,
    RADIUS_NO_RESPONSE,    /* Access-Accept and nothing else */
    RADIUS_OTHER_RESPONSE, /* for another CHAP identifier */
};

struct radius_account {
    const char *name;
    const char *secret;
};

struct radius_server {
    struct os_loop *loop;
    struct os_thread *thread;
    struct os_watch watch;
    os_socket other; /* another source */
    char address[64];
    const struct radius_account *accounts; /* ended by one without name */
    _Atomic enum radius_conduct conduct;
    atomic_bool then_behave; /* after each misbehaviour the right answer follows */
    atomic_uint ignore;      /* so many requests are lost */
    atomic_uint requests;
    atomic_uint different; /* requests that are not the one before once more */
    /* The last request; to be read when nothing is asked. */
    uint8_t last[RADIUS_PACKET_MAX];
    size_t last_length;
};

static inline const uint8_t *radius_attribute(const uint8_t *packet, size_t length, uint8_t type,
                                              size_t *value_length)
{
    for (size_t at = 20; at + 2 <= length && packet[at + 1] >= 2; at += packet[at + 1]) {
        if (packet[at] == type) {
            *value_length = packet[at + 1] - 2u;
            return packet + at + 2;
        }
    }
    *value_length = 0;
    return NULL;
}

static inline bool radius_attribute_is(const uint8_t *packet, size_t length, uint8_t type,
                                       const char *text)
{
    size_t value_length;
    const uint8_t *value = radius_attribute(packet, length, type, &value_length);
    return value != NULL && value_length == strlen(text) && memcmp(value, text, value_length) == 0;
}

/* All CHAP-Challenge attributes, one after the other. */
static inline size_t radius_challenge(const uint8_t *packet, size_t length, uint8_t *out)
{
    size_t total = 0;
    for (size_t at = 20; at + 2 <= length && packet[at + 1] >= 2; at += packet[at + 1]) {
        if (packet[at] != 60)
            continue;
        memcpy(out + total, packet + at + 2, packet[at + 1] - 2u);
        total += packet[at + 1] - 2u;
    }
    return total;
}

/* Did somebody make it who knows the secret? */
static inline bool radius_request_genuine(const uint8_t *packet, size_t length)
{
    uint8_t copy[RADIUS_PACKET_MAX], digest[16];
    size_t value_length;
    struct iov whole = {copy, length};
    if (length < 20 || get_be16(packet + 2) != length)
        return false;
    memcpy(copy, packet, length);
    const uint8_t *value = radius_attribute(packet, length, 80, &value_length);
    if (value == NULL || value_length != 16)
        return false;
    memset(copy + (value - packet), 0, 16);
    return os_hmac_md5(RADIUS_SERVER_SECRET, sizeof RADIUS_SERVER_SECRET - 1, &whole, 1, digest) &&
           memcmp(digest, value, 16) == 0;
}

/* Signs the reply in `out`, whose attributes begin with a Message-Authenticator unless `bare`. */
static inline void radius_sign(uint8_t *out, size_t length, const uint8_t *request,
                               const char *secret, bool bare)
{
    struct iov pieces[2] = {{out, length}, {(void *)(uintptr_t)secret, strlen(secret)}};
    uint8_t digest[CHAP_DIGEST_MAX];
    put_be16(out + 2, (uint16_t)length);
    memcpy(out + 4, request + 4, 16);
    if (!bare) {
        memset(out + 22, 0, 16);
        os_hmac_md5(secret, strlen(secret), pieces, 1, digest);
        memcpy(out + 22, digest, 16);
    }
    os_crypto.hash(CHAP_MD5, pieces, 2, digest);
    memcpy(out + 4, digest, 16);
}

static inline const char *radius_secret_of(const struct radius_server *server,
                                           const uint8_t *packet, size_t length)
{
    for (const struct radius_account *a = server->accounts; a->name != NULL; a++) {
        if (radius_attribute_is(packet, length, 1, a->name))
            return a->secret;
    }
    return NULL;
}

/* Makes the answer to a request, as the conduct says. Returns its length. */
static inline size_t radius_answer(const struct radius_server *server, const uint8_t *request,
                                   size_t length, enum radius_conduct conduct, uint8_t out[256])
{
    static const uint8_t zeros[16];
    uint8_t challenge[CHAP_CHALLENGE_MAX], expected[CHAP_DIGEST_MAX] = {0};
    size_t value_length, end = 38;
    const char *secret = radius_secret_of(server, request, length);
    const uint8_t *password = radius_attribute(request, length, 3, &value_length);
    size_t count = radius_challenge(request, length, challenge);
    bool wanted = password != NULL && memcmp(password + 1, zeros, 16) == 0;
    if (secret != NULL && value_length == 17)
        chap_response(&os_crypto, CHAP_MD5, password[0], secret, strlen(secret), challenge, count,
                      expected);
    else
        secret = NULL;
    bool yes = secret != NULL && (wanted || memcmp(password + 1, expected, 16) == 0);
    memset(out, 0, 256);
    out[0] = conduct == RADIUS_CHALLENGES ? 11 : yes ? 2 : 3;
    out[1] = (uint8_t)(request[1] + (conduct == RADIUS_OTHER_IDENTIFIER));
    out[20] = 80;
    out[21] = 18;
    bool bare = conduct == RADIUS_UNSIGNED;
    if (bare)
        end = 20;
    if (yes && wanted && conduct != RADIUS_NO_RESPONSE) {
        out[end] = 3;
        out[end + 1] = 19;
        out[end + 2] = (uint8_t)(password[0] + (conduct == RADIUS_OTHER_RESPONSE));
        memcpy(out + end + 3, expected, 16);
        end += 19;
    }
    radius_sign(out, end, request,
                conduct == RADIUS_OTHER_SECRET ? "another secret, 22 byte" : RADIUS_SERVER_SECRET,
                bare);
    if (conduct == RADIUS_WRONG_AUTHENTICATOR) {
        uint8_t digest[CHAP_DIGEST_MAX];
        struct iov pieces[2] = {
            {out, end}, {(void *)(uintptr_t)RADIUS_SERVER_SECRET, sizeof RADIUS_SERVER_SECRET - 1}};
        memcpy(out + 4, request + 4, 16);
        out[22] ^= 1;
        os_crypto.hash(CHAP_MD5, pieces, 2, digest);
        memcpy(out + 4, digest, 16);
    }
    return end;
}

static inline void radius_send_garbage(os_socket socket, const struct os_address *to)
{
    uint8_t bytes[64] = {2, 0, 0, 20};
    os_datagram_send(socket, bytes, 0, to);
    os_datagram_send(socket, bytes, 1, to);
    os_datagram_send(socket, bytes, 20, to);
    os_random(bytes + 1, sizeof bytes - 1);
    os_datagram_send(socket, bytes, sizeof bytes, to);
}

static inline void radius_respond(struct radius_server *server, const struct os_address *to,
                                  const uint8_t *request, size_t length,
                                  enum radius_conduct conduct)
{
    uint8_t out[256], other[RADIUS_PACKET_MAX];
    if (conduct == RADIUS_SILENT)
        return;
    if (conduct == RADIUS_GARBAGE) {
        radius_send_garbage(server->watch.socket, to);
        return;
    }
    memcpy(other, request, length);
    if (conduct == RADIUS_REPLAYED)
        other[4] ^= 0xff; /* what was asked then had another authenticator */
    size_t end = radius_answer(server, other, length, conduct, out);
    os_datagram_send(conduct == RADIUS_OTHER_SOURCE ? server->other : server->watch.socket, out,
                     end, to);
}

static inline void radius_on_ready(struct os_watch *watch, unsigned events)
{
    struct radius_server *server = LIST_OWNER(watch, struct radius_server, watch);
    uint8_t packet[RADIUS_PACKET_MAX];
    struct os_address from;
    enum status status;
    long got;
    (void)events;
    while ((got = os_datagram_receive(watch->socket, packet, sizeof packet, &from, &status)) > 0) {
        size_t length = (size_t)got;
        if (!radius_request_genuine(packet, length))
            continue;
        if (length != server->last_length || memcmp(server->last, packet, length) != 0)
            server->different++;
        memcpy(server->last, packet, length);
        server->last_length = length;
        server->requests++;
        if (server->ignore > 0) {
            server->ignore--;
            continue;
        }
        radius_respond(server, &from, packet, length, server->conduct);
        if (server->conduct != RADIUS_BEHAVE && server->then_behave)
            radius_respond(server, &from, packet, length, RADIUS_BEHAVE);
    }
}

static inline void radius_run(void *argument)
{
    struct radius_server *server = argument;
    os_loop_run(server->loop);
}

static inline void radius_server_start(struct radius_server *server,
                                       const struct radius_account *accounts)
{
    struct os_address any = loopback(0), at;
    memset(server, 0, sizeof *server);
    server->accounts = accounts;
    assert_status(os_datagram_open(&server->watch.socket, &any), STATUS_OK);
    assert_status(os_datagram_open(&server->other, &any), STATUS_OK);
    assert_true(os_local_address(server->watch.socket, &at));
    snprintf(server->address, sizeof server->address, "127.0.0.1:%u", os_address_port(&at));
    server->watch.ready = radius_on_ready;
    server->loop = os_loop_new();
    assert_non_null(server->loop);
    assert_true(os_watch_start(server->loop, &server->watch, OS_READABLE));
    server->thread = os_thread_start(radius_run, server);
    assert_non_null(server->thread);
}

static inline void radius_server_stop(struct radius_server *server)
{
    if (server->loop == NULL)
        return;
    os_loop_stop(server->loop);
    os_thread_join(server->thread);
    os_watch_stop(&server->watch);
    os_loop_free(server->loop);
    os_close(server->watch.socket);
    os_close(server->other);
    server->loop = NULL;
}

#endif
