/*
 * RADIUS as far as CHAP needs it: Access-Request and its answers (RFC 2865), each with a
 * Message-Authenticator (RFC 3579, 3.2). Hashing is handed in.
 */
#ifndef PROTOCOL_RADIUS_H
#define PROTOCOL_RADIUS_H

#include "protocol/bytes.h"
#include "protocol/chap.h"

#define RADIUS_PORT                 1812u
#define RADIUS_PACKET_MAX           4096u
#define RADIUS_AUTHENTICATOR_LENGTH 16u
#define RADIUS_VALUE_MAX            253u /* bytes of an attribute's value */

struct radius_crypto {
    bool (*md5)(const struct iov *pieces, size_t count, uint8_t digest[16]);
    bool (*hmac_md5)(const void *key, size_t key_length, const struct iov *pieces, size_t count,
                     uint8_t digest[16]);
};

/* The secret that client and server share. */
struct radius_secret {
    const void *data;
    size_t length;
};

enum radius_code {
    RADIUS_ACCESS_REQUEST = 1,
    RADIUS_ACCESS_ACCEPT = 2,
    RADIUS_ACCESS_REJECT = 3,
    RADIUS_ACCESS_CHALLENGE = 11,
};

/* What an Access-Request is made of; texts and challenge are borrowed. */
struct radius_request {
    uint8_t identifier;
    uint8_t authenticator[RADIUS_AUTHENTICATOR_LENGTH]; /* random */
    struct chap_question question; /* no response: CHAP-Password has zeros in its place */
    const char *nas_identifier;    /* NULL or empty: none */
    const char *called_station;    /* the same */
    uint8_t nas_address[16];
    size_t nas_address_length; /* 0 none, 4 IPv4, 16 IPv6 */
};

/*
 * Returns the length of the packet. 0: a name is empty or too long for an attribute, or the
 * challenge is empty or longer than CHAP_CHALLENGE_MAX, or there is no MD5. A challenge that does
 * not fit into one CHAP-Challenge goes into several, in order.
 */
size_t radius_encode_request(const struct radius_request *request,
                             const struct radius_crypto *crypto, struct radius_secret secret,
                             uint8_t out[RADIUS_PACKET_MAX]);

struct radius_reply {
    enum radius_code code;  /* one of the three answers */
    bool has_authenticator; /* a Message-Authenticator, and it is right */
    bool has_response;      /* exactly one CHAP-Password of the right length */
    uint8_t response_to;    /* its CHAP identifier */
    uint8_t response[CHAP_MD5_LENGTH];
};

/*
 * Is it a reply to the request with that identifier and authenticator, by somebody who knows the
 * secret? False: garbage, forged or meant for another request; to be treated as if it had never
 * come (RFC 2865, 3).
 */
bool radius_decode_reply(const uint8_t *packet, size_t length, const struct radius_request *request,
                         const struct radius_crypto *crypto, struct radius_secret secret,
                         struct radius_reply *out);

#endif
