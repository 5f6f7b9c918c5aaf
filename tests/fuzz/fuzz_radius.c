/* Replies of a RADIUS server, with hashes that say what they are told to, so that what stands
 * behind them is reached; and requests made of any names, which have to be well-formed. */
#include "protocol/radius.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do                                                                                             \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            abort();                                                                               \
        }                                                                                          \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t md5_says[16], hmac_says[16];
static size_t hashed; /* bytes, so that what is hashed is read */

static void read_pieces(const struct iov *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < pieces[i].length; at++)
            hashed += ((const uint8_t *)pieces[i].base)[at] + 1u;
    }
}

static bool say_md5(const struct iov *pieces, size_t count, uint8_t digest[16])
{
    read_pieces(pieces, count);
    memcpy(digest, md5_says, 16);
    return true;
}

static bool say_hmac(const void *key, size_t key_length, const struct iov *pieces, size_t count,
                     uint8_t digest[16])
{
    (void)key;
    (void)key_length;
    read_pieces(pieces, count);
    memcpy(digest, hmac_says, 16);
    return true;
}

static const struct radius_crypto crypto = {say_md5, say_hmac};
static const struct radius_secret secret = {"secret", 6};

/* The value of a Message-Authenticator there may be becomes what the hash says. */
static void agree(const uint8_t *packet, size_t length)
{
    memset(hmac_says, 0x5a, sizeof hmac_says);
    if (length >= 20)
        memcpy(md5_says, packet + 4, 16);
    for (size_t at = 20; at + 18 <= length; at++) {
        if (packet[at] == 80 && packet[at + 1] == 18) {
            memcpy(hmac_says, packet + at + 2, 16);
            return;
        }
    }
}

static void read_reply(const uint8_t *data, size_t size)
{
    struct radius_request request = {.identifier = 7};
    struct radius_reply reply;
    uint8_t *copy = malloc(size ? size : 1); /* its end is guarded */
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    agree(copy, size);
    if (radius_decode_reply(copy, size, &request, &crypto, secret, &reply)) {
        CHECK(size >= 20 && copy[1] == 7 && get_be16(copy + 2) <= size);
        CHECK(reply.code == RADIUS_ACCESS_ACCEPT || reply.code == RADIUS_ACCESS_REJECT ||
              reply.code == RADIUS_ACCESS_CHALLENGE);
        md5_says[0] ^= 1;
        CHECK(!radius_decode_reply(copy, size, &request, &crypto, secret, &reply));
        md5_says[0] ^= 1;
        hmac_says[15] ^= 1;
        CHECK(!radius_decode_reply(copy, size, &request, &crypto, secret, &reply) ||
              !reply.has_authenticator);
    }
    free(copy);
}

static void check_attributes(const uint8_t *packet, size_t length, size_t challenge_length)
{
    size_t challenge = 0;
    CHECK(length >= 20 && length <= RADIUS_PACKET_MAX && get_be16(packet + 2) == length);
    CHECK(packet[20] == 80 && packet[21] == 18);
    for (size_t at = 20; at < length; at += packet[at + 1]) {
        CHECK(length - at >= 3 && packet[at + 1] >= 3 && packet[at + 1] <= length - at);
        if (packet[at] == 60)
            challenge += packet[at + 1] - 2u;
    }
    CHECK(challenge == challenge_length);
}

/* Three texts, each ended by a NUL, then the challenge. */
static void write_request(const uint8_t *data, size_t size)
{
    static uint8_t packet[RADIUS_PACKET_MAX];
    struct radius_request request = {.nas_address_length = size % 3 == 0 ? 4 : 16};
    const char *texts[3];
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *end = memchr(data, 0, size);
        if (end == NULL)
            return;
        texts[i] = (const char *)data;
        size -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    request.question.name = texts[0];
    request.question.challenge = data;
    request.question.challenge_length = size;
    request.nas_identifier = texts[1];
    request.called_station = texts[2];
    size_t length = radius_encode_request(&request, &crypto, secret, packet);
    if (length > 0)
        check_attributes(packet, length, size);
    else
        CHECK(strlen(texts[0]) == 0 || strlen(texts[0]) > 253 || strlen(texts[1]) > 253 ||
              strlen(texts[2]) > 253 || size == 0 || size > CHAP_CHALLENGE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (data[0] & 1)
        read_reply(data + 1, size - 1);
    else
        write_request(data + 1, size - 1);
    return 0;
}
