/*
 * How a client and the service prove to each other, on loopback TCP, that both know the key that
 * lies in a file which only its owner can read. The key itself never travels.
 *
 *     client -> service   HELLO   client's nonce
 *     service -> client   HELLO   service's nonce, service's proof
 *     client -> service   PROOF   client's proof
 *     service -> client   PROOF
 *
 * A proof is HMAC-SHA-256 under the key over: the role ("iscsidsc door client" or "... service",
 * with its NUL), the version, the service's instance id, its port, and both nonces. The service
 * proves itself first, so who has taken over the port of a service that is gone learns nothing
 * that would be worth anything elsewhere. Fresh nonces from both sides make a recorded handshake
 * worthless; instance and port keep one service's proofs from being passed on as another's.
 *
 * Messages have the door's header (door/door.h) with an operation from below and the parts above as
 * they are behind it.
 */
#ifndef DOOR_HANDSHAKE_H
#define DOOR_HANDSHAKE_H

#include "door/door.h"
#include "os/runtime.h"

enum {
    HANDSHAKE_KEY = 32,
    HANDSHAKE_INSTANCE = 16,
    HANDSHAKE_NONCE = 32,
    HANDSHAKE_PROOF = 32,
    /* The longest message before both have proved themselves. */
    HANDSHAKE_MESSAGE_MAX = 512,
};

/* What the files beside the socket tell. */
struct door_credentials {
    uint16_t port;
    uint8_t instance[HANDSHAKE_INSTANCE];
    uint8_t key[HANDSHAKE_KEY];
};

struct handshake {
    struct door_credentials credentials;
    uint8_t client_nonce[HANDSHAKE_NONCE];
    uint8_t service_nonce[HANDSHAKE_NONCE];
};

/* Each writes or reads the body of one message, in this order. INTERNAL: no randomness or no
 * HMAC to be had. */
enum { HANDSHAKE_HELLO = HANDSHAKE_NONCE, HANDSHAKE_ANSWER = HANDSHAKE_NONCE + HANDSHAKE_PROOF };

enum status handshake_client_hello(struct handshake *handshake, uint8_t body[HANDSHAKE_HELLO]);
enum status handshake_service_answer(struct handshake *handshake,
                                     const uint8_t hello[HANDSHAKE_HELLO],
                                     uint8_t body[HANDSHAKE_ANSWER]);
/* ACCESS_DENIED: the other side does not know the key; then `body` is not written. */
enum status handshake_client_proof(struct handshake *handshake,
                                   const uint8_t answer[HANDSHAKE_ANSWER],
                                   uint8_t body[HANDSHAKE_PROOF]);
/* ACCESS_DENIED: the client does not know the key. */
enum status handshake_service_check(const struct handshake *handshake,
                                    const uint8_t proof[HANDSHAKE_PROOF]);
void handshake_clear(struct handshake *handshake);

/*
 * The files. The port's is "port 12345\ninstance <32 hexadecimal digits>\n", the key's 64
 * hexadecimal digits and a newline.
 *
 * For the client: SERVICE_NOT_RUNNING when one is not there or not valid, ACCESS_DENIED.
 */
enum status door_credentials_read(struct door_credentials *credentials,
                                  const struct os_place *place);
/* For the service: takes the key there is or makes one, and a new instance id; no port yet. */
enum status door_credentials_make(struct door_credentials *credentials,
                                  const struct os_place *place);
/* Writes the files, for the service's user and a `group` that is not OS_NO_GROUP. The port says
 * that the service answers there. */
enum status door_credentials_publish(const struct door_credentials *credentials,
                                     const struct os_place *place, uint32_t group);
void door_credentials_withdraw(const struct os_place *place);
void door_credentials_clear(struct door_credentials *credentials);

#endif
