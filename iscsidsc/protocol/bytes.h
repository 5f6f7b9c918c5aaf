/* Big-endian loads and stores, and a span of memory for scatter/gather I/O. */
#ifndef PROTOCOL_BYTES_H
#define PROTOCOL_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* One piece of a scatter/gather list. The layout is that of POSIX struct iovec. */
struct iov {
    void *base;
    size_t length;
};

static inline uint16_t get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t get_be64(const uint8_t *p)
{
    return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_be24(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 16);
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
    put_be16(p, (uint16_t)(v >> 16));
    put_be16(p + 2, (uint16_t)v);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
    put_be32(p, (uint32_t)(v >> 32));
    put_be32(p + 4, (uint32_t)v);
}

/* Little-endian 32 bits: digests are the only such field on the wire. */
static inline uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

/* Serial number arithmetic of RFC 1982 for CmdSN, StatSN and DataSN. */
static inline int serial_less(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline int serial_less_equal(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

/* Data segments are padded to a multiple of four bytes (RFC 7143, 11.2.3). */
static inline uint32_t padding_of(uint32_t length)
{
    return (0u - length) & 3u;
}

#endif
