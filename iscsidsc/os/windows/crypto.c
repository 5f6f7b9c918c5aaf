#include "os/crypto.h"

#include <windows.h>
#include <bcrypt.h>

static const wchar_t *digest_name(enum chap_algorithm algorithm)
{
    switch (algorithm) {
    case CHAP_MD5:
        return L"MD5";
    case CHAP_SHA1:
        return L"SHA1";
    case CHAP_SHA256:
        return L"SHA256";
    case CHAP_SHA3_256:
        return L"SHA3-256"; /* Windows 11 24H2; not in Wine 8 */
    default:
        return NULL;
    }
}

enum { STEP_MOST = 1 << 30 }; /* lengths are ULONGs here */

static bool add_piece(BCRYPT_HASH_HANDLE state, const struct iov *piece)
{
    uint8_t *p = piece->base;
    for (size_t left = piece->length; left > 0;) {
        ULONG step = left < STEP_MOST ? (ULONG)left : STEP_MOST;
        if (BCryptHashData(state, p, step, 0) < 0)
            return false;
        p += step;
        left -= step;
    }
    return true;
}

static bool finish(BCRYPT_HASH_HANDLE state, const struct iov *pieces, size_t count, uint8_t *out,
                   size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (!add_piece(state, &pieces[i]))
            return false;
    }
    return BCryptFinishHash(state, out, (ULONG)length, 0) >= 0;
}

static size_t digest_length(BCRYPT_HASH_HANDLE state)
{
    DWORD length = 0;
    ULONG written;
    if (BCryptGetProperty(state, BCRYPT_HASH_LENGTH, (PUCHAR)&length, sizeof length, &written, 0) <
        0)
        return 0;
    return length;
}

/* A digest, or with a key its HMAC. */
static bool compute(enum chap_algorithm algorithm, const void *key, size_t key_length, ULONG flags,
                    const struct iov *pieces, size_t count, uint8_t *out)
{
    BCRYPT_ALG_HANDLE provider;
    BCRYPT_HASH_HANDLE state;
    const wchar_t *name = digest_name(algorithm);
    if (name == NULL || key_length > STEP_MOST ||
        BCryptOpenAlgorithmProvider(&provider, name, NULL, flags) < 0)
        return false;
    bool done = false;
    if (BCryptCreateHash(provider, &state, NULL, 0, (PUCHAR)(uintptr_t)key, (ULONG)key_length, 0) >=
        0) {
        size_t length = digest_length(state);
        done = length > 0 && length <= CHAP_DIGEST_MAX && finish(state, pieces, count, out, length);
        BCryptDestroyHash(state);
    }
    BCryptCloseAlgorithmProvider(provider, 0);
    return done;
}

static bool hash(enum chap_algorithm algorithm, const struct iov *pieces, size_t count,
                 uint8_t out[CHAP_DIGEST_MAX])
{
    return compute(algorithm, NULL, 0, 0, pieces, count, out);
}

static bool has(enum chap_algorithm algorithm)
{
    uint8_t out[CHAP_DIGEST_MAX];
    return hash(algorithm, NULL, 0, out);
}

bool os_random(void *out, size_t length)
{
    uint8_t *p = out;
    while (length > 0) {
        ULONG step = length < STEP_MOST ? (ULONG)length : STEP_MOST;
        if (BCryptGenRandom(NULL, p, step, BCRYPT_USE_SYSTEM_PREFERRED_RNG) < 0)
            return false;
        p += step;
        length -= step;
    }
    return true;
}

const struct chap_crypto os_crypto = {.hash = hash, .random = os_random, .has = has};

bool os_hmac_sha256(const void *key, size_t key_length, const struct iov *pieces, size_t count,
                    uint8_t out[32])
{
    return compute(CHAP_SHA256, key, key_length, BCRYPT_ALG_HANDLE_HMAC_FLAG, pieces, count, out);
}

bool os_hmac_md5(const void *key, size_t key_length, const struct iov *pieces, size_t count,
                 uint8_t out[16])
{
    return compute(CHAP_MD5, key, key_length, BCRYPT_ALG_HANDLE_HMAC_FLAG, pieces, count, out);
}

void os_wipe(void *secret, size_t length)
{
    SecureZeroMemory(secret, length);
}
