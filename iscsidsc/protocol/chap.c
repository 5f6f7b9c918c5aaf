#include "protocol/chap.h"

#include <string.h>

#define CHALLENGE_LEAST 16u
#define VALUE_ROOM      (2u + 2u * CHAP_CHALLENGE_MAX + 1u)

static bool secret_valid(const uint8_t *secret, size_t length)
{
    return secret && length > 0 && length <= CHAP_SECRET_MAX;
}

enum status chap_credentials_check(const struct chap_credentials *credentials, bool mutual)
{
    size_t length = credentials->secret_length;

    if (!credentials->name || !*credentials->name || strlen(credentials->name) > CHAP_NAME_MAX)
        return STATUS_INVALID_CHAP_NAME;
    if (!credentials->ask_response && !secret_valid(credentials->secret, length))
        return STATUS_INVALID_SECRET;
    if (!mutual || credentials->ask_verdict)
        return STATUS_OK;
    if (!secret_valid(credentials->peer_secret, credentials->peer_secret_length))
        return STATUS_INVALID_SECRET;
    if (!credentials->ask_response && length == credentials->peer_secret_length &&
        chap_equal(credentials->secret, credentials->peer_secret, length))
        return STATUS_INVALID_SECRET;
    return STATUS_OK;
}

void chap_start_initiator(struct chap *chap, const struct chap_crypto *crypto,
                          const struct chap_credentials *credentials, bool mutual)
{
    bool md5_only = credentials->ask_response || (mutual && credentials->ask_verdict);
    size_t count = 0;

    memset(chap, 0, sizeof *chap);
    chap->crypto = crypto;
    chap->credentials = *credentials;
    chap->state = CHAP_START;
    chap->initiator = true;
    chap->mutual = mutual;
    chap->pending = true;
    for (const unsigned *p = chap_default_preference; *p; p++)
        if (chap_available(crypto, *p) && (!md5_only || *p == CHAP_MD5) &&
            (credentials->algorithm == 0 || *p == credentials->algorithm))
            chap->offered[count++] = *p;
}

void chap_start_target(struct chap *chap, const struct chap_crypto *crypto)
{
    memset(chap, 0, sizeof *chap);
    chap->crypto = crypto;
    chap->state = CHAP_WAIT_ALGORITHMS;
}

/* --- what came --- */

enum { CHAP_A, CHAP_I, CHAP_C, CHAP_N, CHAP_R, CHAP_KEY_COUNT };
static const char *const key_names[CHAP_KEY_COUNT] = {"CHAP_A", "CHAP_I", "CHAP_C", "CHAP_N",
                                                      "CHAP_R"};

/* The CHAP pairs of one text; a key of NULL is absent. */
struct received {
    struct text_pair pairs[CHAP_KEY_COUNT];
    unsigned mask; /* 1 << CHAP_A and so on */
};

#define HAS(key) (1u << (key))

/* Sorts the pairs; a CHAP_* key that is unknown or comes twice is an error. */
static enum status collect(struct received *received, const char *text, size_t length)
{
    struct text_pair pair;
    size_t offset = 0;
    int more;

    received->mask = 0;
    while ((more = text_next(text, length, &offset, &pair)) == 1) {
        unsigned key = 0;

        if (pair.key_length < 5 || memcmp(pair.key, "CHAP_", 5) != 0)
            continue;
        while (key < CHAP_KEY_COUNT && !text_key_is(&pair, key_names[key]))
            key++;
        if (key == CHAP_KEY_COUNT || received->mask & HAS(key))
            return STATUS_PROTOCOL_ERROR;
        received->pairs[key] = pair;
        received->mask |= HAS(key);
    }
    return more < 0 ? STATUS_INVALID_TEXT : STATUS_OK;
}

/* CHAP_I and CHAP_C. */
static bool read_challenge(struct chap *chap, const struct received *received)
{
    const struct text_pair *identifier = &received->pairs[CHAP_I];
    const struct text_pair *challenge = &received->pairs[CHAP_C];
    uint64_t number;
    long length;

    if (!text_number(identifier->value, identifier->value_length, &number) || number > 255)
        return false;
    length = text_binary_decode(challenge->value, challenge->value_length, chap->peer_challenge,
                                sizeof chap->peer_challenge);
    if (length < 1)
        return false;
    chap->peer_identifier = (uint8_t)number;
    chap->peer_challenge_length = (size_t)length;
    return true;
}

static bool read_name(struct chap *chap, const struct received *received)
{
    const struct text_pair *name = &received->pairs[CHAP_N];

    if (name->value_length == 0 || name->value_length > CHAP_NAME_MAX)
        return false;
    memcpy(chap->peer_name, name->value, name->value_length);
    chap->peer_name[name->value_length] = '\0';
    return true;
}

/* CHAP_R, as long as a digest. */
static enum status read_response(const struct chap *chap, const struct received *received,
                                 uint8_t response[CHAP_CHALLENGE_MAX], enum status failure)
{
    const struct text_pair *value = &received->pairs[CHAP_R];
    long length =
        text_binary_decode(value->value, value->value_length, response, CHAP_CHALLENGE_MAX);

    if (length < 0)
        return STATUS_PROTOCOL_ERROR;
    return (size_t)length == chap_digest_length(chap->algorithm) ? STATUS_OK : failure;
}

/* Is the response to our challenge the one that this secret gives? */
static enum status compare_response(const struct chap *chap, const uint8_t *response,
                                    const uint8_t *secret, size_t secret_length, bool *equal)
{
    uint8_t expected[CHAP_DIGEST_MAX];

    if (!chap_response(chap->crypto, chap->algorithm, chap->identifier, secret, secret_length,
                       chap->challenge, chap->challenge_length, expected))
        return STATUS_INTERNAL;
    *equal = chap_equal(response, expected, chap_digest_length(chap->algorithm));
    return STATUS_OK;
}

/* The response must not be ours for our own secret (9.2.1: the same secret both ways would let a
 * peer prove itself by our own answers). */
static enum status check_foreign(const struct chap *chap, const uint8_t *response,
                                 enum status failure)
{
    const struct chap_credentials *credentials = &chap->credentials;
    bool own = false;
    enum status status = STATUS_OK;

    if (credentials->secret)
        status =
            compare_response(chap, response, credentials->secret, credentials->secret_length, &own);
    return own ? failure : status;
}

/* The response has to be the one for the peer's secret, which is not ours. */
static enum status check_response(struct chap *chap, const struct received *received,
                                  enum status failure)
{
    const struct chap_credentials *credentials = &chap->credentials;
    uint8_t response[CHAP_CHALLENGE_MAX];
    enum status status = read_response(chap, received, response, failure);
    bool right = false;

    if (status == STATUS_OK && credentials->peer_secret)
        status = compare_response(chap, response, credentials->peer_secret,
                                  credentials->peer_secret_length, &right);
    if (status != STATUS_OK)
        return status;
    return right ? check_foreign(chap, response, failure) : failure;
}

/* The peer has to be who we expect, and not call itself by our own name. */
static bool name_acceptable(const struct chap *chap)
{
    const struct chap_credentials *credentials = &chap->credentials;

    if (credentials->peer_name && strcmp(credentials->peer_name, chap->peer_name) != 0)
        return false;
    return !credentials->name || strcmp(credentials->name, chap->peer_name) != 0;
}

static enum status compute_response(struct chap *chap)
{
    if (!chap_response(chap->crypto, chap->algorithm, chap->peer_identifier,
                       chap->credentials.secret, chap->credentials.secret_length,
                       chap->peer_challenge, chap->peer_challenge_length, chap->response))
        return STATUS_INTERNAL;
    return STATUS_OK;
}

/* Our own challenge, as long as the digest and of no less than 16 bytes. An initiator's differs
 * from the one it got in both parts: a target has to refuse a challenge that comes back to it. */
static enum status make_challenge(struct chap *chap)
{
    size_t length = chap_digest_length(chap->algorithm);

    chap->challenge_length = length < CHALLENGE_LEAST ? CHALLENGE_LEAST : length;
    if (!chap->crypto->random(&chap->identifier, 1) ||
        !chap->crypto->random(chap->challenge, chap->challenge_length))
        return STATUS_INTERNAL;
    if (chap->peer_challenge_length > 0 && chap->identifier == chap->peer_identifier)
        chap->identifier ^= 0x80;
    if (chap->peer_challenge_length == chap->challenge_length &&
        chap_equal(chap->challenge, chap->peer_challenge, chap->challenge_length))
        return STATUS_INTERNAL; /* that is not random */
    return chap_remember(chap->credentials.memory, chap->crypto, chap->challenge,
                         chap->challenge_length) == STATUS_OK
               ? STATUS_OK
               : STATUS_INTERNAL;
}

/* --- the initiator's steps --- */

static bool was_offered(const struct chap *chap, uint64_t algorithm)
{
    for (const unsigned *p = chap->offered; *p; p++)
        if (*p == algorithm)
            return true;
    return false;
}

static enum status take_challenge(struct chap *chap, const struct received *received)
{
    const struct text_pair *chosen = &received->pairs[CHAP_A];
    enum status status = chap_credentials_check(&chap->credentials, chap->mutual);
    uint64_t algorithm;

    if (status != STATUS_OK)
        return status;
    if (received->mask != (HAS(CHAP_A) | HAS(CHAP_I) | HAS(CHAP_C)) ||
        !text_number(chosen->value, chosen->value_length, &algorithm) ||
        !was_offered(chap, algorithm) || !read_challenge(chap, received))
        return STATUS_PROTOCOL_ERROR;
    chap->algorithm = (unsigned)algorithm;
    status = chap_remember(chap->credentials.memory, chap->crypto, chap->peer_challenge,
                           chap->peer_challenge_length);
    if (status == STATUS_OK && chap->credentials.ask_response)
        chap->asking = CHAP_ASK_RESPONSE;
    else if (status == STATUS_OK)
        status = compute_response(chap);
    if (status == STATUS_OK && chap->mutual)
        status = make_challenge(chap);
    chap->pending = chap->asking == CHAP_ASK_NOTHING;
    chap->state = CHAP_WAIT_PROOF;
    return status;
}

/* The response to our challenge, for somebody else to judge. */
static enum status keep_proof(struct chap *chap, const struct received *received)
{
    const enum status failure = STATUS_TARGET_AUTHENTICATION_FAILED;
    uint8_t response[CHAP_CHALLENGE_MAX];
    enum status status = read_response(chap, received, response, failure);

    if (status == STATUS_OK)
        status = check_foreign(chap, response, failure);
    if (status != STATUS_OK)
        return status;
    memcpy(chap->peer_response, response, CHAP_MD5_LENGTH);
    chap->asking = CHAP_ASK_VERDICT;
    return STATUS_OK;
}

static enum status take_proof(struct chap *chap, const struct received *received)
{
    enum status status;

    if (!chap->mutual || chap->pending) /* nothing was asked, or not yet */
        return received->mask ? STATUS_PROTOCOL_ERROR : STATUS_OK;
    if ((received->mask & (HAS(CHAP_N) | HAS(CHAP_R))) != (HAS(CHAP_N) | HAS(CHAP_R)))
        return STATUS_TARGET_AUTHENTICATION_FAILED;
    if (received->mask != (HAS(CHAP_N) | HAS(CHAP_R)) || !read_name(chap, received))
        return STATUS_PROTOCOL_ERROR;
    if (!name_acceptable(chap))
        return STATUS_TARGET_AUTHENTICATION_FAILED;
    if (chap->credentials.ask_verdict)
        return keep_proof(chap, received);
    status = check_response(chap, received, STATUS_TARGET_AUTHENTICATION_FAILED);
    if (status == STATUS_OK)
        chap->state = CHAP_DONE;
    return status;
}

/* --- the target's steps --- */

static enum status take_algorithms(struct chap *chap, const struct received *received)
{
    const struct text_pair *list = &received->pairs[CHAP_A];
    const char *item;
    size_t length;

    if (chap->pending || received->mask != HAS(CHAP_A))
        return received->mask ? STATUS_PROTOCOL_ERROR : STATUS_OK;
    for (size_t i = 0; text_list_item(list->value, list->value_length, i, &item, &length); i++) {
        uint64_t algorithm;

        if (i >= 64 || !text_number(item, length, &algorithm))
            return STATUS_PROTOCOL_ERROR;
        if (chap->algorithm == 0 && algorithm <= 255 &&
            chap_available(chap->crypto, (unsigned)algorithm))
            chap->algorithm = (unsigned)algorithm;
    }
    if (chap->algorithm == 0)
        return STATUS_AUTHENTICATION_FAILED;
    chap->pending = true;
    return make_challenge(chap);
}

/* The initiator wants a proof as well. */
static enum status answer_challenge(struct chap *chap, const struct received *received)
{
    if (!read_challenge(chap, received))
        return STATUS_PROTOCOL_ERROR;
    if (chap->peer_challenge_length == chap->challenge_length &&
        chap_equal(chap->peer_challenge, chap->challenge, chap->challenge_length))
        return STATUS_AUTHENTICATION_FAILED; /* reflected */
    if (chap_credentials_check(&chap->credentials, true) != STATUS_OK)
        return STATUS_AUTHENTICATION_FAILED;
    chap->mutual = true;
    chap->pending = true;
    return compute_response(chap);
}

static enum status take_response(struct chap *chap, const struct received *received,
                                 const struct chap_lookup *lookup)
{
    unsigned proof = HAS(CHAP_N) | HAS(CHAP_R);
    unsigned question = HAS(CHAP_I) | HAS(CHAP_C);
    enum status status;

    if (chap->pending || (received->mask != proof && received->mask != (proof | question)) ||
        !read_name(chap, received))
        return STATUS_PROTOCOL_ERROR;
    if (lookup && !lookup->find(lookup->context, chap->peer_name, &chap->credentials))
        return STATUS_AUTHENTICATION_FAILED;
    if (!name_acceptable(chap))
        return STATUS_AUTHENTICATION_FAILED;
    status = check_response(chap, received, STATUS_AUTHENTICATION_FAILED);
    if (status == STATUS_OK && received->mask & question)
        status = answer_challenge(chap, received);
    if (status == STATUS_OK && !chap->pending)
        chap->state = CHAP_DONE;
    return status;
}

static enum status step(struct chap *chap, const struct received *received,
                        const struct chap_lookup *lookup)
{
    switch (chap->state) {
    case CHAP_WAIT_CHALLENGE:
        return take_challenge(chap, received);
    case CHAP_WAIT_PROOF:
        return take_proof(chap, received);
    case CHAP_WAIT_ALGORITHMS:
        return take_algorithms(chap, received);
    case CHAP_WAIT_RESPONSE:
        return take_response(chap, received, lookup);
    default: /* nothing is due */
        return received->mask ? STATUS_PROTOCOL_ERROR : STATUS_OK;
    }
}

enum status chap_receive(struct chap *chap, const char *text, size_t length,
                         const struct chap_lookup *lookup)
{
    struct received received;
    enum status status = collect(&received, text, length);

    if (chap->state == CHAP_FAILED)
        return STATUS_PROTOCOL_ERROR;
    if (status == STATUS_OK && chap->asking != CHAP_ASK_NOTHING)
        status = STATUS_PROTOCOL_ERROR;
    if (status == STATUS_OK)
        status = step(chap, &received, lookup);
    if (status != STATUS_OK)
        chap_fail(chap);
    return status;
}

/* --- what goes --- */

static bool append_binary(char *text, size_t room, size_t *length, const char *key,
                          const uint8_t *data, size_t data_length)
{
    char value[VALUE_ROOM];

    return text_hex_encode(data, data_length, value, sizeof value) &&
           text_append(text, room, length, key, value);
}

static bool send_algorithms(struct chap *chap, char *text, size_t room, size_t *length)
{
    char list[2 * sizeof chap->offered / sizeof chap->offered[0]];

    return chap_algorithm_list(chap->crypto, chap->offered, list, sizeof list) &&
           text_append(text, room, length, "CHAP_A", list);
}

static bool send_challenge(struct chap *chap, char *text, size_t room, size_t *length)
{
    return text_append_number(text, room, length, "CHAP_I", chap->identifier) &&
           append_binary(text, room, length, "CHAP_C", chap->challenge, chap->challenge_length);
}

static bool send_proof(struct chap *chap, char *text, size_t room, size_t *length)
{
    return text_append(text, room, length, "CHAP_N", chap->credentials.name) &&
           append_binary(text, room, length, "CHAP_R", chap->response,
                         chap_digest_length(chap->algorithm));
}

/* Sends what the state calls for; gives the state that follows, or CHAP_FAILED for want of room. */
static enum chap_state send_step(struct chap *chap, char *text, size_t room, size_t *length)
{
    bool sent = false;

    switch (chap->state) {
    case CHAP_START:
        sent = send_algorithms(chap, text, room, length);
        return sent ? CHAP_WAIT_CHALLENGE : CHAP_FAILED;
    case CHAP_WAIT_PROOF:
        sent = send_proof(chap, text, room, length) &&
               (!chap->mutual || send_challenge(chap, text, room, length));
        return !sent ? CHAP_FAILED : chap->mutual ? CHAP_WAIT_PROOF : CHAP_DONE;
    case CHAP_WAIT_ALGORITHMS:
        sent = text_append_number(text, room, length, "CHAP_A", chap->algorithm) &&
               send_challenge(chap, text, room, length);
        return sent ? CHAP_WAIT_RESPONSE : CHAP_FAILED;
    default: /* CHAP_WAIT_RESPONSE: a target's proof */
        sent = send_proof(chap, text, room, length);
        return sent ? CHAP_DONE : CHAP_FAILED;
    }
}

bool chap_send(struct chap *chap, char *text, size_t room, size_t *length)
{
    size_t end = *length;
    enum chap_state next;

    if (!chap->pending)
        return true;
    next = send_step(chap, text, room, &end);
    if (next == CHAP_FAILED)
        return false;
    *length = end;
    chap->state = next;
    chap->pending = false;
    return true;
}
