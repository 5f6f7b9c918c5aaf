/* CHAP as iSCSI uses it (RFC 7143, 12.1; RFC 1994). Hashing and randomness are handed in. */
#ifndef PROTOCOL_CHAP_H
#define PROTOCOL_CHAP_H

#include "protocol/bytes.h"
#include "protocol/status.h"
#include "protocol/text.h"

#include <stdbool.h>

#define CHAP_CHALLENGE_MAX  1024u
#define CHAP_DIGEST_MAX     32u
#define CHAP_NAME_MAX       255u
#define CHAP_SECRET_MAX     255u
#define CHAP_MD5_LENGTH     16u
#define CHAP_SECRET_MINIMUM 12u /* 96 bits: the least without IPsec */

/* CHAP_A numbers (IANA "PPP Authentication Algorithms"). */
enum chap_algorithm {
    CHAP_MD5 = 5,
    CHAP_SHA1 = 6,
    CHAP_SHA256 = 7,
    CHAP_SHA3_256 = 8,
};

struct chap_crypto {
    /* Digest of the pieces, one after the other. False when the algorithm is not available. */
    bool (*hash)(enum chap_algorithm algorithm, const struct iov *pieces, size_t count,
                 uint8_t digest[CHAP_DIGEST_MAX]);
    bool (*random)(void *out, size_t length);
    bool (*has)(enum chap_algorithm algorithm);
};

/* 16, 20, 32, 32; 0 for an unknown one. */
size_t chap_digest_length(unsigned algorithm);

/* Known, and there. */
bool chap_available(const struct chap_crypto *crypto, unsigned algorithm);

/* 5, 7, 8, 6, 0-terminated. MD5 stands first because a target takes the first that it knows, and
 * tgt 1.0.85 believes to know 7 but computes SHA-1 for it. */
extern const unsigned chap_default_preference[];

/* Writes the list for CHAP_A, such as "5,7,8,6": those of `preferred` (0-terminated; NULL is the
 * default) that `crypto` has, in that order. False when there are none or `room` is too small. */
bool chap_algorithm_list(const struct chap_crypto *crypto, const unsigned *preferred, char *out,
                         size_t room);

/* response = H(identifier | secret | challenge) */
bool chap_response(const struct chap_crypto *crypto, unsigned algorithm, uint8_t identifier,
                   const void *secret, size_t secret_length, const uint8_t *challenge,
                   size_t challenge_length, uint8_t digest[CHAP_DIGEST_MAX]);

/* Compares in time that depends on the length only. */
bool chap_equal(const void *a, const void *b, size_t length);

/*
 * The challenges that there were in all logins, ours and those of peers: none may come again, at
 * the same time or later (RFC 1994, 2.3; RFC 7143, 9.2.1). The latest ones are known. Zero at
 * first.
 */
#define CHAP_MEMORY          1024u
#define CHAP_MEMORABLE_LEAST 8u /* shorter ones come again by chance, and are not remembered */
struct chap_memory {
    uint8_t digests[CHAP_MEMORY][CHAP_MD5_LENGTH];
    size_t count; /* ever */
};

/* AUTHENTICATION_FAILED: it was there before. INTERNAL: the platform gives no hash. `memory` NULL:
 * nothing is remembered. */
enum status chap_remember(struct chap_memory *memory, const struct chap_crypto *crypto,
                          const uint8_t *challenge, size_t length);

/* One side's configuration, borrowed for the length of a login. On a target `secret` may be NULL:
 * then it cannot prove itself, and an initiator that asks for it is refused. */
struct chap_credentials {
    const char *name;      /* CHAP_N that we send */
    const uint8_t *secret; /* proves who we are */
    size_t secret_length;
    const char *peer_name;      /* CHAP_N the peer must send, or NULL for any */
    const uint8_t *peer_secret; /* proves who the peer is; NULL when the peer is not asked
                                   (initiator, one-way) */
    size_t peer_secret_length;
    /* On an initiator: somebody else has the secret, who is asked (struct chap_question). */
    bool ask_response; /* instead of secret */
    bool ask_verdict;  /* instead of peer_secret */
    /* On an initiator. */
    unsigned algorithm;         /* the only one to offer; 0: the default preference */
    struct chap_memory *memory; /* NULL: challenges may come again */
};

enum chap_state {
    CHAP_START,
    CHAP_WAIT_CHALLENGE,  /* initiator: algorithms offered */
    CHAP_WAIT_PROOF,      /* initiator: answered and, for mutual, challenged */
    CHAP_WAIT_ALGORITHMS, /* target: before CHAP_A */
    CHAP_WAIT_RESPONSE,   /* target: challenged */
    CHAP_DONE,
    CHAP_FAILED,
};

/*
 * Can they be used? STATUS_INVALID_CHAP_NAME for an empty or overlong name, STATUS_INVALID_SECRET
 * for an empty or overlong secret or, with `mutual`, a missing peer_secret or one equal to
 * `secret` (RFC 7143, 9.2.1), unless somebody else has that secret. The 96-bit minimum is left to
 * who accepts a secret from the user.
 */
enum status chap_credentials_check(const struct chap_credentials *credentials, bool mutual);

enum chap_asking {
    CHAP_ASK_NOTHING,
    CHAP_ASK_RESPONSE, /* what is our response to the peer's challenge? */
    CHAP_ASK_VERDICT,  /* is this the peer's response to our challenge? */
};

/* What an initiator without the secret has to ask. Points into the exchange. The algorithm is MD5:
 * whoever can be asked (RADIUS, RFC 2865, 2.2) knows no other. */
struct chap_question {
    enum chap_asking asking;
    const char *name; /* whose secret it is about */
    uint8_t identifier;
    const uint8_t *challenge;
    size_t challenge_length;
    const uint8_t *response; /* CHAP_MD5_LENGTH bytes, VERDICT only */
};

/*
 * One exchange of either side. The caller feeds it the CHAP_* pairs of each login PDU (already
 * reassembled over C bits) with chap_receive, and asks with chap_send what to put in the next.
 */
struct chap {
    const struct chap_crypto *crypto;
    struct chap_credentials credentials;
    enum chap_state state;
    bool initiator;
    bool mutual;
    bool pending; /* chap_send has something to send */
    enum chap_asking asking;
    unsigned algorithm;
    unsigned offered[8];                   /* initiator: what CHAP_A lists, 0-terminated */
    uint8_t identifier;                    /* of the challenge we sent */
    uint8_t challenge[CHAP_CHALLENGE_MAX]; /* we sent */
    size_t challenge_length;
    uint8_t peer_identifier; /* of the challenge we got */
    uint8_t peer_challenge[CHAP_CHALLENGE_MAX];
    size_t peer_challenge_length;
    uint8_t response[CHAP_DIGEST_MAX];      /* to the peer's challenge */
    uint8_t peer_response[CHAP_MD5_LENGTH]; /* that somebody else judges */
    char peer_name[CHAP_NAME_MAX + 1];      /* CHAP_N we got */
};

/* Initiator side. `mutual` asks the target for proof with peer_secret. Offers the algorithm of the
 * credentials (a reconnect holds on to that of the first login), else the default preference, and
 * MD5 alone when somebody else has a secret. */
void chap_start_initiator(struct chap *chap, const struct chap_crypto *crypto,
                          const struct chap_credentials *credentials, bool mutual);
/* Target side. Credentials can be set later from the name (chap->peer_name) by `lookup`. */
struct chap_lookup {
    /* Finds the secrets of the initiator that calls itself `name`; false refuses. */
    bool (*find)(void *context, const char *name, struct chap_credentials *credentials);
    void *context;
};
void chap_start_target(struct chap *chap, const struct chap_crypto *crypto);

/*
 * Takes the pairs of one received text. Keys that are not CHAP_* are ignored. The exchange is won
 * when `state` is CHAP_DONE, and only then: an initiator that asked a target for proof must not
 * move on before, whatever the target says.
 * STATUS_AUTHENTICATION_FAILED on an initiator when the challenge is in its memory, on a target
 * when the peer's proof is wrong, it is unknown, offers no algorithm that we have, reflects our
 * challenge or our name, or uses our own secret, or asks for a proof that we cannot give;
 * STATUS_TARGET_AUTHENTICATION_FAILED (on an initiator) when a target that we asked gives a wrong
 * or no proof; STATUS_PROTOCOL_ERROR for missing, repeated, out-of-order or malformed keys, or an
 * algorithm that was not offered; what chap_credentials_check says of an initiator's own
 * credentials; STATUS_INTERNAL when the platform gives no randomness or no hash;
 * STATUS_INVALID_TEXT: not text at all. Equal identifiers alone are no reflection (one in 256 pairs
 * of honest peers has them): the challenge is what must differ (RFC 7143, 9.2.1). As an initiator
 * we send another one anyway.
 */
enum status chap_receive(struct chap *chap, const char *text, size_t length,
                         const struct chap_lookup *lookup);

/* The exchange is lost. */
void chap_fail(struct chap *chap);

/* False: there is nothing to ask. Else nothing is received or sent before chap_answer. */
bool chap_question(const struct chap *chap, struct chap_question *out);
/* The answer. `status` OK: `response` is the one asked for, or the peer's is right. Else the
 * exchange has failed. Returns the status. */
enum status chap_answer(struct chap *chap, enum status status,
                        const uint8_t response[CHAP_MD5_LENGTH]);

/* Appends what is to be sent next (maybe nothing). False when `room` is too small (nothing is
 * changed) or no algorithm is available to offer. */
bool chap_send(struct chap *chap, char *text, size_t room, size_t *length);

#endif
