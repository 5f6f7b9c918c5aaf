/* Which challenges there were: none is good for two logins. */
#include "protocol/chap.h"

#include <string.h>

enum status chap_remember(struct chap_memory *memory, const struct chap_crypto *crypto,
                          const uint8_t *challenge, size_t length)
{
    struct iov piece = {(void *)(uintptr_t)challenge, length};
    uint8_t digest[CHAP_DIGEST_MAX];

    if (!memory || length < CHAP_MEMORABLE_LEAST)
        return STATUS_OK;
    if (!crypto->hash(CHAP_MD5, &piece, 1, digest))
        return STATUS_INTERNAL;
    for (size_t i = 0; i < CHAP_MEMORY && i < memory->count; i++)
        if (memcmp(memory->digests[i], digest, CHAP_MD5_LENGTH) == 0)
            return STATUS_AUTHENTICATION_FAILED;
    memcpy(memory->digests[memory->count++ % CHAP_MEMORY], digest, CHAP_MD5_LENGTH);
    return STATUS_OK;
}
