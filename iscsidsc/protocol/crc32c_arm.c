/* CRC32C with the instructions of ARMv8. In assembler, because GCC and clang spell the intrinsics'
 * target differently and clang 14 hides them without -march. */
#include "protocol/crc32c_methods.h"

#ifdef CRC32C_ARM

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

static uint32_t add_64(uint32_t crc, uint64_t word)
{
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
    return crc;
}

static uint32_t add_8(uint32_t crc, uint8_t byte)
{
    __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)byte));
    return crc;
}

uint32_t crc32c_armv8(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *p = data;

    crc = ~crc;
    for (; length >= 8; p += 8, length -= 8) {
        uint64_t word;

        memcpy(&word, p, sizeof word);
        crc = add_64(crc, word);
    }
    for (; length > 0; p++, length--)
        crc = add_8(crc, *p);
    return ~crc;
}

#endif
