#include "protocol/radius.h"

#include <string.h>

enum {
    HEADER_LENGTH = 20, /* code, identifier, length, authenticator */
    AUTHENTICATOR_AT = 4,
    DIGEST_LENGTH = 16,
    CHAP_PASSWORD_LENGTH = 1 + CHAP_MD5_LENGTH,
    PORT_TYPE_VIRTUAL = 5, /* RFC 2865, 5.41 */
};

enum attribute {
    USER_NAME = 1,
    CHAP_PASSWORD = 3,
    NAS_IP_ADDRESS = 4,
    CALLED_STATION_ID = 30,
    NAS_IDENTIFIER = 32,
    CHAP_CHALLENGE = 60,
    NAS_PORT_TYPE = 61,
    MESSAGE_AUTHENTICATOR = 80,
    NAS_IPV6_ADDRESS = 95, /* RFC 3162 */
};

/* struct iov serves both directions and has no const; hashes only read. */
static struct iov piece(const void *data, size_t length)
{
    return (struct iov){(void *)(uintptr_t)data, length};
}

/* --- requests --- */

struct writer {
    uint8_t *packet;
    size_t length;
    bool failed;
};

static void put_attribute(struct writer *writer, enum attribute type, const void *value,
                          size_t length)
{
    if (length == 0 || length > RADIUS_VALUE_MAX ||
        writer->length + 2 + length > RADIUS_PACKET_MAX) {
        writer->failed = true;
        return;
    }
    uint8_t *at = writer->packet + writer->length;
    at[0] = (uint8_t)type;
    at[1] = (uint8_t)(2 + length);
    memcpy(at + 2, value, length);
    writer->length += 2 + length;
}

static void put_text(struct writer *writer, enum attribute type, const char *text)
{
    put_attribute(writer, type, text, strlen(text));
}

static void put_optional_text(struct writer *writer, enum attribute type, const char *text)
{
    if (text != NULL && text[0] != '\0')
        put_text(writer, type, text);
}

static void put_chap(struct writer *writer, const struct chap_question *question)
{
    uint8_t password[CHAP_PASSWORD_LENGTH] = {question->identifier};
    if (question->response != NULL)
        memcpy(password + 1, question->response, CHAP_MD5_LENGTH);
    put_attribute(writer, CHAP_PASSWORD, password, sizeof password);
    if (question->challenge_length == 0 || question->challenge_length > CHAP_CHALLENGE_MAX) {
        writer->failed = true;
        return;
    }
    for (size_t done = 0; done < question->challenge_length;) {
        size_t left = question->challenge_length - done;
        size_t length = left < RADIUS_VALUE_MAX ? left : RADIUS_VALUE_MAX;
        put_attribute(writer, CHAP_CHALLENGE, question->challenge + done, length);
        done += length;
    }
}

static void put_nas(struct writer *writer, const struct radius_request *request)
{
    uint8_t port_type[4];
    put_be32(port_type, PORT_TYPE_VIRTUAL);
    put_optional_text(writer, NAS_IDENTIFIER, request->nas_identifier);
    if (request->nas_address_length == 4)
        put_attribute(writer, NAS_IP_ADDRESS, request->nas_address, 4);
    else if (request->nas_address_length == 16)
        put_attribute(writer, NAS_IPV6_ADDRESS, request->nas_address, 16);
    put_attribute(writer, NAS_PORT_TYPE, port_type, sizeof port_type);
    put_optional_text(writer, CALLED_STATION_ID, request->called_station);
}

size_t radius_encode_request(const struct radius_request *request,
                             const struct radius_crypto *crypto, struct radius_secret secret,
                             uint8_t out[RADIUS_PACKET_MAX])
{
    static const uint8_t zeros[DIGEST_LENGTH];
    struct writer writer = {.packet = out, .length = HEADER_LENGTH};
    out[0] = RADIUS_ACCESS_REQUEST;
    out[1] = request->identifier;
    memcpy(out + AUTHENTICATOR_AT, request->authenticator, RADIUS_AUTHENTICATOR_LENGTH);
    /* First, so that no prefix of the packet can be made to collide with another. */
    put_attribute(&writer, MESSAGE_AUTHENTICATOR, zeros, sizeof zeros);
    put_text(&writer, USER_NAME, request->question.name);
    put_chap(&writer, &request->question);
    put_nas(&writer, request);
    if (writer.failed)
        return 0;
    put_be16(out + 2, (uint16_t)writer.length);
    uint8_t digest[DIGEST_LENGTH];
    struct iov whole = piece(out, writer.length);
    if (!crypto->hmac_md5(secret.data, secret.length, &whole, 1, digest))
        return 0;
    memcpy(out + HEADER_LENGTH + 2, digest, sizeof digest);
    return writer.length;
}

/* --- replies --- */

/* The attributes that matter. A value of NULL is absent. */
struct attributes {
    const uint8_t *authenticator;
    const uint8_t *chap_password;
    bool repeated_password;
};

static bool take_attribute(struct attributes *found, const uint8_t *at)
{
    size_t length = at[1] - 2u;
    if (at[0] == MESSAGE_AUTHENTICATOR) {
        if (length != DIGEST_LENGTH || found->authenticator != NULL)
            return false;
        found->authenticator = at + 2;
    } else if (at[0] == CHAP_PASSWORD && length == CHAP_PASSWORD_LENGTH) {
        found->repeated_password = found->chap_password != NULL;
        found->chap_password = at + 2;
    }
    return true;
}

static bool collect(const uint8_t *packet, size_t length, struct attributes *found)
{
    *found = (struct attributes){0};
    for (size_t at = HEADER_LENGTH; at < length; at += packet[at + 1]) {
        if (length - at < 2 || packet[at + 1] < 2 || packet[at + 1] > length - at ||
            !take_attribute(found, packet + at))
            return false;
    }
    return true;
}

/* MD5(code, identifier, length, request authenticator, attributes, secret): RFC 2865, 3. */
static bool response_authentic(const uint8_t *packet, size_t length,
                               const struct radius_request *request,
                               const struct radius_crypto *crypto, struct radius_secret secret)
{
    uint8_t digest[DIGEST_LENGTH];
    const struct iov pieces[] = {
        piece(packet, AUTHENTICATOR_AT),
        piece(request->authenticator, RADIUS_AUTHENTICATOR_LENGTH),
        piece(packet + HEADER_LENGTH, length - HEADER_LENGTH),
        piece(secret.data, secret.length),
    };
    return crypto->md5(pieces, sizeof pieces / sizeof *pieces, digest) &&
           chap_equal(digest, packet + AUTHENTICATOR_AT, sizeof digest);
}

/* HMAC over the packet with the request's authenticator, and zeros for its own value. */
static bool message_authentic(const uint8_t *packet, size_t length, const uint8_t *value,
                              const struct radius_request *request,
                              const struct radius_crypto *crypto, struct radius_secret secret)
{
    static const uint8_t zeros[DIGEST_LENGTH];
    uint8_t digest[DIGEST_LENGTH];
    const uint8_t *behind = value + DIGEST_LENGTH;
    const struct iov pieces[] = {
        piece(packet, AUTHENTICATOR_AT),
        piece(request->authenticator, RADIUS_AUTHENTICATOR_LENGTH),
        piece(packet + HEADER_LENGTH, (size_t)(value - packet) - HEADER_LENGTH),
        piece(zeros, sizeof zeros),
        piece(behind, (size_t)(packet + length - behind)),
    };
    return crypto->hmac_md5(secret.data, secret.length, pieces, sizeof pieces / sizeof *pieces,
                            digest) &&
           chap_equal(digest, value, sizeof digest);
}

static bool is_answer(uint8_t code)
{
    return code == RADIUS_ACCESS_ACCEPT || code == RADIUS_ACCESS_REJECT ||
           code == RADIUS_ACCESS_CHALLENGE;
}

static void take_response(const struct attributes *found, struct radius_reply *out)
{
    if (found->chap_password == NULL || found->repeated_password)
        return;
    out->has_response = true;
    out->response_to = found->chap_password[0];
    memcpy(out->response, found->chap_password + 1, CHAP_MD5_LENGTH);
}

bool radius_decode_reply(const uint8_t *packet, size_t length, const struct radius_request *request,
                         const struct radius_crypto *crypto, struct radius_secret secret,
                         struct radius_reply *out)
{
    struct attributes found;
    memset(out, 0, sizeof *out);
    if (length < HEADER_LENGTH || !is_answer(packet[0]) || packet[1] != request->identifier)
        return false;
    size_t told = get_be16(packet + 2);
    if (told < HEADER_LENGTH || told > length || told > RADIUS_PACKET_MAX)
        return false;
    /* What is behind the told length is padding. */
    if (!response_authentic(packet, told, request, crypto, secret) ||
        !collect(packet, told, &found))
        return false;
    if (found.authenticator != NULL &&
        !message_authentic(packet, told, found.authenticator, request, crypto, secret))
        return false;
    out->code = (enum radius_code)packet[0];
    out->has_authenticator = found.authenticator != NULL;
    take_response(&found, out);
    return true;
}
