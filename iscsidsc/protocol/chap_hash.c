/* CHAP algorithms and what is computed with them. */
#include "protocol/chap.h"

const unsigned chap_default_preference[] = {CHAP_MD5, CHAP_SHA256, CHAP_SHA3_256, CHAP_SHA1, 0};

size_t chap_digest_length(unsigned algorithm)
{
    switch (algorithm) {
    case CHAP_MD5:
        return 16;
    case CHAP_SHA1:
        return 20;
    case CHAP_SHA256:
    case CHAP_SHA3_256:
        return 32;
    default:
        return 0;
    }
}

bool chap_available(const struct chap_crypto *crypto, unsigned algorithm)
{
    return chap_digest_length(algorithm) > 0 && crypto->has((enum chap_algorithm)algorithm);
}

/* Every number of CHAP_A that we know has one digit. */
bool chap_algorithm_list(const struct chap_crypto *crypto, const unsigned *preferred, char *out,
                         size_t room)
{
    size_t length = 0;

    for (const unsigned *p = preferred ? preferred : chap_default_preference; *p; p++) {
        if (!chap_available(crypto, *p))
            continue;
        if (room < length + 3)
            return false;
        if (length > 0)
            out[length++] = ',';
        out[length++] = (char)('0' + *p);
        out[length] = '\0';
    }
    return length > 0;
}

bool chap_response(const struct chap_crypto *crypto, unsigned algorithm, uint8_t identifier,
                   const void *secret, size_t secret_length, const uint8_t *challenge,
                   size_t challenge_length, uint8_t digest[CHAP_DIGEST_MAX])
{
    /* struct iov serves both directions and has no const; the hash only reads. */
    struct iov pieces[3] = {{&identifier, 1},
                            {(void *)(uintptr_t)secret, secret_length},
                            {(void *)(uintptr_t)challenge, challenge_length}};

    return chap_available(crypto, algorithm) &&
           crypto->hash((enum chap_algorithm)algorithm, pieces, 3, digest);
}

bool chap_equal(const void *a, const void *b, size_t length)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint8_t difference = 0;

    for (size_t i = 0; i < length; i++)
        difference |= (uint8_t)(x[i] ^ y[i]);
    return difference == 0;
}
