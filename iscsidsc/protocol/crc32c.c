#include "protocol/crc32c.h"

#include "protocol/bytes.h"
#include "protocol/crc32c_methods.h"

#include <stdatomic.h>

/*
 * Eight tables of 256 entries (slicing by eight). Entry n of a table is the exclusive or of the
 * entries for n's bits, so each table is spelled by its eight basis values; they are the remainders
 * of single bits, reflected, for the polynomial 1EDC6F41h.
 */
#define ENTRY(n, a, b, c, d, e, f, g, h)                                                           \
    (((n)&1 ? a : 0) ^ ((n)&2 ? b : 0) ^ ((n)&4 ? c : 0) ^ ((n)&8 ? d : 0) ^ ((n)&16 ? e : 0) ^    \
     ((n)&32 ? f : 0) ^ ((n)&64 ? g : 0) ^ ((n)&128 ? h : 0))
#define ENTRIES_4(n, ...)                                                                          \
    ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), ENTRY((n) + 2, __VA_ARGS__),               \
        ENTRY((n) + 3, __VA_ARGS__)
#define ENTRIES_16(n, ...)                                                                         \
    ENTRIES_4(n, __VA_ARGS__), ENTRIES_4((n) + 4, __VA_ARGS__), ENTRIES_4((n) + 8, __VA_ARGS__),   \
        ENTRIES_4((n) + 12, __VA_ARGS__)
#define ENTRIES_64(n, ...)                                                                         \
    ENTRIES_16(n, __VA_ARGS__), ENTRIES_16((n) + 16, __VA_ARGS__),                                 \
        ENTRIES_16((n) + 32, __VA_ARGS__), ENTRIES_16((n) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                 \
    {                                                                                              \
        ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__),     \
            ENTRIES_64(192, __VA_ARGS__)                                                           \
    }

static const uint32_t tables[8][256] = {
    TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc,
          0x82f63b78),
    TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604,
          0xfbc3faf9),
    TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9,
          0x8b277743),
    TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7,
          0x52a0c93f),
    TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae,
          0x6ea2d55c),
    TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb,
          0x1c08b7d6),
    TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a,
          0xf56e0ef4),
    TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32,
          0x34019664),
};

static uint32_t portable(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *p = data;

    crc = ~crc;
    for (; length >= 8; p += 8, length -= 8) {
        uint32_t low = crc ^ get_le32(p);
        uint32_t high = get_le32(p + 4);

        crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^
              tables[4][low >> 24] ^ tables[3][high & 0xff] ^ tables[2][high >> 8 & 0xff] ^
              tables[1][high >> 16 & 0xff] ^ tables[0][high >> 24];
    }
    for (; length > 0; p++, length--)
        crc = crc >> 8 ^ tables[0][(crc ^ *p) & 0xff];
    return ~crc;
}

static int always(void)
{
    return 1;
}

/* From the slowest to the fastest. */
const struct crc32c_method crc32c_methods[] = {
    {"portable", portable, always},
#ifdef CRC32C_X86
    {"sse4.2", crc32c_sse42, crc32c_has_sse42},
    {"pclmul", crc32c_pclmul, crc32c_has_pclmul},
#endif
#ifdef CRC32C_AVX512
    {"avx512", crc32c_avx512, crc32c_has_avx512},
#endif
#ifdef CRC32C_ARM
    {"armv8", crc32c_armv8, crc32c_has_armv8},
#endif
};
const size_t crc32c_method_count = sizeof crc32c_methods / sizeof crc32c_methods[0];

typedef uint32_t compute(uint32_t crc, const void *data, size_t length);

static compute choose;
/* Several threads may choose at the same time; they all choose the same. */
static _Atomic(compute *) chosen = choose;

static uint32_t choose(uint32_t crc, const void *data, size_t length)
{
    size_t best = crc32c_method_count - 1;

    while (!crc32c_methods[best].available())
        best--;
    atomic_store_explicit(&chosen, crc32c_methods[best].compute, memory_order_relaxed);
    return crc32c_methods[best].compute(crc, data, length);
}

uint32_t crc32c(uint32_t crc, const void *data, size_t length)
{
    return atomic_load_explicit(&chosen, memory_order_relaxed)(crc, data, length);
}
