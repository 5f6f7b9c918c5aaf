/* CRC32C with the instructions of ARMv8. */
#include "protocol/crc32c_methods.h"

#ifdef CRC32C_ARM

#include <arm_acle.h>
#include <string.h>

#if defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif

int crc32c_has_armv8(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}
#else
/* Mandatory from ARMv8.1 on, and there on every other system that runs on this processor. */
int crc32c_has_armv8(void)
{
    return 1;
}
#endif

__attribute__((target("+crc"))) uint32_t crc32c_armv8(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *p = data;

    crc = ~crc;
    for (; length >= 8; p += 8, length -= 8) {
        uint64_t word;

        memcpy(&word, p, sizeof word);
        crc = __crc32cd(crc, word);
    }
    for (; length > 0; p++, length--)
        crc = __crc32cb(crc, *p);
    return ~crc;
}

#endif
