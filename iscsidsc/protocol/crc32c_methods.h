/* What each processor family brings to CRC32C. Private to crc32c*.c. */
#ifndef PROTOCOL_CRC32C_METHODS_H
#define PROTOCOL_CRC32C_METHODS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#define CRC32C_X86 1
uint32_t crc32c_sse42(uint32_t crc, const void *data, size_t length);
uint32_t crc32c_pclmul(uint32_t crc, const void *data, size_t length);
int crc32c_has_sse42(void);
int crc32c_has_pclmul(void);
#endif

#if defined(__x86_64__)
#define CRC32C_AVX512 1
uint32_t crc32c_avx512(uint32_t crc, const void *data, size_t length);
int crc32c_has_avx512(void);
#endif

#if defined(__aarch64__)
#define CRC32C_ARM 1
uint32_t crc32c_armv8(uint32_t crc, const void *data, size_t length);
int crc32c_has_armv8(void);
#endif

#endif
