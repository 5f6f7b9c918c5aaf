#include "door/handshake.h"
#include "os/crypto.h"

#include <string.h>

static const char client_role[] = "iscsidsc door client";
static const char service_role[] = "iscsidsc door service";

static struct iov piece(const void *data, size_t length)
{
    return (struct iov){(void *)(uintptr_t)data, length};
}

static enum status make_proof(const struct handshake *handshake, const char *role,
                              size_t role_length, uint8_t out[HANDSHAKE_PROOF])
{
    const struct door_credentials *known = &handshake->credentials;
    const uint8_t numbers[4] = {DOOR_VERSION & 0xff, DOOR_VERSION >> 8 & 0xff,
                                (uint8_t)(known->port & 0xff), (uint8_t)(known->port >> 8)};
    const struct iov pieces[] = {
        piece(role, role_length),
        piece(numbers, sizeof numbers),
        piece(known->instance, sizeof known->instance),
        piece(handshake->client_nonce, sizeof handshake->client_nonce),
        piece(handshake->service_nonce, sizeof handshake->service_nonce),
    };
    bool made =
        os_hmac_sha256(known->key, sizeof known->key, pieces, sizeof pieces / sizeof *pieces, out);
    return made ? STATUS_OK : STATUS_INTERNAL;
}

static enum status check_proof(const struct handshake *handshake, const char *role,
                               size_t role_length, const uint8_t *proof)
{
    uint8_t expected[HANDSHAKE_PROOF];
    enum status status = make_proof(handshake, role, role_length, expected);
    if (status == STATUS_OK && !chap_equal(expected, proof, sizeof expected))
        status = STATUS_ACCESS_DENIED;
    os_wipe(expected, sizeof expected);
    return status;
}

enum status handshake_client_hello(struct handshake *handshake, uint8_t body[HANDSHAKE_HELLO])
{
    if (!os_random(handshake->client_nonce, HANDSHAKE_NONCE))
        return STATUS_INTERNAL;
    memcpy(body, handshake->client_nonce, HANDSHAKE_NONCE);
    return STATUS_OK;
}

enum status handshake_service_answer(struct handshake *handshake,
                                     const uint8_t hello[HANDSHAKE_HELLO],
                                     uint8_t body[HANDSHAKE_ANSWER])
{
    memcpy(handshake->client_nonce, hello, HANDSHAKE_NONCE);
    if (!os_random(handshake->service_nonce, HANDSHAKE_NONCE))
        return STATUS_INTERNAL;
    memcpy(body, handshake->service_nonce, HANDSHAKE_NONCE);
    return make_proof(handshake, service_role, sizeof service_role, body + HANDSHAKE_NONCE);
}

enum status handshake_client_proof(struct handshake *handshake,
                                   const uint8_t answer[HANDSHAKE_ANSWER],
                                   uint8_t body[HANDSHAKE_PROOF])
{
    memcpy(handshake->service_nonce, answer, HANDSHAKE_NONCE);
    enum status status =
        check_proof(handshake, service_role, sizeof service_role, answer + HANDSHAKE_NONCE);
    if (status != STATUS_OK)
        return status;
    return make_proof(handshake, client_role, sizeof client_role, body);
}

enum status handshake_service_check(const struct handshake *handshake,
                                    const uint8_t proof[HANDSHAKE_PROOF])
{
    return check_proof(handshake, client_role, sizeof client_role, proof);
}

void handshake_clear(struct handshake *handshake)
{
    os_wipe(handshake, sizeof *handshake);
}
