#include "os/crypto.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>
#include <sys/random.h>

/* The names EVP_MD_fetch and HMAC know. */
static const char *digest_name(enum chap_algorithm algorithm)
{
    switch (algorithm) {
    case CHAP_MD5:
        return "MD5";
    case CHAP_SHA1:
        return "SHA1";
    case CHAP_SHA256:
        return "SHA256";
    case CHAP_SHA3_256:
        return "SHA3-256";
    default:
        return NULL;
    }
}

static bool hash_with(EVP_MD_CTX *context, const EVP_MD *digest, const struct iov *pieces,
                      size_t count, uint8_t *out)
{
    if (EVP_DigestInit_ex(context, digest, NULL) != 1)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (EVP_DigestUpdate(context, pieces[i].base, pieces[i].length) != 1)
            return false;
    }
    return EVP_DigestFinal_ex(context, out, NULL) == 1;
}

static bool hash(enum chap_algorithm algorithm, const struct iov *pieces, size_t count,
                 uint8_t out[CHAP_DIGEST_MAX])
{
    const char *name = digest_name(algorithm);
    EVP_MD *digest = name != NULL ? EVP_MD_fetch(NULL, name, NULL) : NULL;
    if (digest == NULL) /* unknown, or a provider that refuses it */
        return false;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context != NULL && hash_with(context, digest, pieces, count, out);
    EVP_MD_CTX_free(context);
    EVP_MD_free(digest);
    return done;
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
        ssize_t got = getrandom(p, length, 0);
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0) {
            p += got;
            length -= (size_t)got;
        }
    }
    return true;
}

const struct chap_crypto os_crypto = {.hash = hash, .random = os_random, .has = has};

static bool mac_with(EVP_MAC_CTX *context, const char *digest, const void *key, size_t key_length,
                     const struct iov *pieces, size_t count, uint8_t *out, size_t out_length)
{
    char name[16];
    strcpy(name, digest); /* OSSL_PARAM wants it writable */
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    /* A NULL key would mean "the one set before". */
    if (EVP_MAC_init(context, key_length > 0 ? key : "", key_length, parameters) != 1)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (EVP_MAC_update(context, pieces[i].base, pieces[i].length) != 1)
            return false;
    }
    size_t written = 0;
    return EVP_MAC_final(context, out, &written, out_length) == 1 && written == out_length;
}

static bool hmac(const char *digest, const void *key, size_t key_length, const struct iov *pieces,
                 size_t count, uint8_t *out, size_t out_length)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    bool done = context != NULL &&
                mac_with(context, digest, key, key_length, pieces, count, out, out_length);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return done;
}

bool os_hmac_sha256(const void *key, size_t key_length, const struct iov *pieces, size_t count,
                    uint8_t out[32])
{
    return hmac("SHA256", key, key_length, pieces, count, out, 32);
}

bool os_hmac_md5(const void *key, size_t key_length, const struct iov *pieces, size_t count,
                 uint8_t out[16])
{
    return hmac("MD5", key, key_length, pieces, count, out, 16);
}

void os_wipe(void *secret, size_t length)
{
    explicit_bzero(secret, length);
}
