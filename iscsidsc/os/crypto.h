/*
 * Hashes and randomness: OpenSSL's libcrypto on Linux (randomness from the kernel), CNG (bcrypt) on
 * Windows. False: the platform lacks the algorithm or refuses it (MD5 under FIPS rules).
 */
#ifndef OS_CRYPTO_H
#define OS_CRYPTO_H

#include "protocol/chap.h"

/* MD5, SHA-1, SHA-256, and SHA3-256 where the platform has it. */
extern const struct chap_crypto os_crypto;

bool os_random(void *out, size_t length);
/* HMAC-SHA-256 over the pieces. */
bool os_hmac_sha256(const void *key, size_t key_length, const struct iov *pieces, size_t count,
                    uint8_t out[32]);
/* HMAC-MD5: Message-Authenticator of RADIUS. */
bool os_hmac_md5(const void *key, size_t key_length, const struct iov *pieces, size_t count,
                 uint8_t out[16]);
/* Overwrites secrets; never optimised away. */
void os_wipe(void *secret, size_t length);

#endif
