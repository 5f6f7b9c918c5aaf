/* CRC32C (Castagnoli), the digest of RFC 7143, 13.1. */
#ifndef PROTOCOL_CRC32C_H
#define PROTOCOL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * Extends a checksum: start with 0, feed pieces in order. The result is the finished value
 * (bit-inverted), so that crc32c(crc32c(0, a), b) is the checksum of a followed by b.
 * The fastest way of this processor is chosen at the first call.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t length);

/* Implementations, for tests and benchmarks. */
struct crc32c_method {
    const char *name; /* "portable", "sse4.2", "pclmul", "avx512", "armv8" */
    uint32_t (*compute)(uint32_t crc, const void *data, size_t length);
    int (*available)(void);
};
extern const struct crc32c_method crc32c_methods[];
extern const size_t crc32c_method_count;

#endif
