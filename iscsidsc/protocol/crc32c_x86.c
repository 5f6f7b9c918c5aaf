/*
 * CRC32C on x86. The crc32 instruction eats a word a cycle but takes three cycles to answer, so
 * medium lengths run three streams side by side; large ones fold 64-byte vectors by carry-less
 * multiplication where the processor has AVX-512.
 *
 * Everything is bit-reflected: the lowest bit of a register is its highest power of x. A
 * carry-less product of two reflected numbers comes out one bit off, as if multiplied by x. With
 * c = crc32(0, w), w times x^32 modulo P is taken. Hence the odd exponents below.
 */
#include "protocol/crc32c_methods.h"

#ifdef CRC32C_X86

#include <immintrin.h>
#include <string.h>

#define TARGET_SSE42  __attribute__((target("sse4.2")))
#define TARGET_PCLMUL __attribute__((target("sse4.2,pclmul")))
#define INLINE        static inline __attribute__((always_inline))

int crc32c_has_sse42(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
}

int crc32c_has_pclmul(void)
{
    return crc32c_has_sse42() && __builtin_cpu_supports("pclmul");
}

/* --- one stream --- */

INLINE uint64_t load_64(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

INLINE TARGET_SSE42 uint32_t add_64(uint32_t crc, uint64_t word)
{
#ifdef __x86_64__
    return (uint32_t)_mm_crc32_u64(crc, word);
#else
    return _mm_crc32_u32(_mm_crc32_u32(crc, (uint32_t)word), (uint32_t)(word >> 32));
#endif
}

/* `crc` is the bare register, not inverted, here and below. */
INLINE TARGET_SSE42 uint32_t one_stream(uint32_t crc, const uint8_t *p, size_t length)
{
    for (; length >= 8; p += 8, length -= 8)
        crc = add_64(crc, load_64(p));
    if (length & 4) {
        uint32_t word;

        memcpy(&word, p, sizeof word);
        crc = _mm_crc32_u32(crc, word);
        p += 4;
    }
    if (length & 2) {
        uint16_t word;

        memcpy(&word, p, sizeof word);
        crc = _mm_crc32_u16(crc, word);
        p += 2;
    }
    if (length & 1)
        crc = _mm_crc32_u8(crc, *p);
    return crc;
}

TARGET_SSE42 uint32_t crc32c_sse42(uint32_t crc, const void *data, size_t length)
{
    return ~one_stream(~crc, data, length);
}

/* --- three streams --- */

#define STREAM_UNIT 64u /* a stream has 1 to STREAM_MOST of these */
#define STREAM_MOST 32u

/* x^(16 L - 33) and x^(8 L - 33) modulo P for streams of L = 64, 128, ... bytes: what the first and
 * the second of three streams are multiplied by to stand behind the third. */
static const uint32_t stream_shift[STREAM_MOST][2] = {
    {0x0d3b6092, 0x9e4addf8}, {0xb9e02b86, 0x0d3b6092}, {0xd270f1a2, 0xab7aff2a},
    {0xdd7e3b0c, 0xb9e02b86}, {0x6b749fb2, 0xbac2fd7b}, {0xd7a4825c, 0xd270f1a2},
    {0x68bce87a, 0x1b03397f}, {0x170076fa, 0xdd7e3b0c}, {0x86d8e4d2, 0x271d9844},
    {0xdd66cbbb, 0x6b749fb2}, {0xd813b325, 0xe6fc4e6a}, {0x9ef68d35, 0xd7a4825c},
    {0x363bd6b3, 0x26f6a60a}, {0xaa7c7ad5, 0x68bce87a}, {0xf48642e9, 0x3771e98f},
    {0xa51b6135, 0x170076fa}, {0xcbbe4ee1, 0xff0dba97}, {0xbedc6ba1, 0x86d8e4d2},
    {0x63d097e9, 0xb3af077a}, {0x22c3799f, 0xdd66cbbb}, {0x889774e1, 0xc9c8b782},
    {0x8515c07f, 0xd813b325}, {0xc00df280, 0x6d9a4957}, {0x359674f7, 0x9ef68d35},
    {0xf8448640, 0x2664fd8b}, {0x5f0e0438, 0x363bd6b3}, {0x7f47463d, 0x00bcf5f6},
    {0x96a1f19b, 0xaa7c7ad5}, {0xb58ac6fe, 0x6d390dec}, {0x23d5e7e5, 0xf48642e9},
    {0xc776b648, 0x9a5ede41}, {0x82f89c77, 0xa51b6135},
};

INLINE TARGET_PCLMUL uint64_t multiply(uint32_t a, uint32_t b)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)a), _mm_cvtsi32_si128((int)b), 0);
    uint64_t low;

    _mm_storel_epi64((__m128i *)&low, product);
    return low;
}

INLINE TARGET_PCLMUL uint32_t three_streams(uint32_t crc, const uint8_t *p, size_t units)
{
    size_t length = units * STREAM_UNIT;
    const uint32_t *shift = stream_shift[units - 1];
    uint32_t second = 0, third = 0;
    size_t i;

    for (i = 0; i < length - 8; i += 8) {
        crc = add_64(crc, load_64(p + i));
        second = add_64(second, load_64(p + length + i));
        third = add_64(third, load_64(p + 2 * length + i));
    }
    crc = add_64(crc, load_64(p + i));
    second = add_64(second, load_64(p + length + i));
    /* The last word of the third stream reduces the two products on its way. */
    return add_64(third, load_64(p + 2 * length + i) ^ multiply(crc, shift[0]) ^
                             multiply(second, shift[1]));
}

INLINE TARGET_PCLMUL uint32_t streams(uint32_t crc, const uint8_t *p, size_t length)
{
    while (length >= 3 * STREAM_UNIT) {
        size_t units = length / (3 * STREAM_UNIT);

        if (units > STREAM_MOST)
            units = STREAM_MOST;
        crc = three_streams(crc, p, units);
        p += units * 3 * STREAM_UNIT;
        length -= units * 3 * STREAM_UNIT;
    }
    return one_stream(crc, p, length);
}

TARGET_PCLMUL uint32_t crc32c_pclmul(uint32_t crc, const void *data, size_t length)
{
    return ~streams(~crc, data, length);
}

#endif

#ifdef CRC32C_AVX512

#define TARGET_AVX512 __attribute__((target("sse4.2,pclmul,avx512f,vpclmulqdq")))
#define FOLD_LEAST    512u

/* The builtin asks the operating system as well (XGETBV) whether it saves these registers. GCC does
 * not align the stack of Windows programs for vectors, which matters where they are kept there:
 * without optimisation. */
int crc32c_has_avx512(void)
{
#ifdef __OPTIMIZE__
    return crc32c_has_pclmul() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("vpclmulqdq");
#else
    return 0;
#endif
}

/* x^(8 D + 63) and x^(8 D - 1) modulo P: they move the halves of 16 bytes D bytes on. */
#define BY_16  0x3743f7bd00000000U, 0x3171d43000000000U
#define BY_32  0x33ccbbbc00000000U, 0xa2158b3400000000U
#define BY_48  0xa46ef4aa00000000U, 0x6051243f00000000U
#define BY_64  0x1c19243b00000000U, 0x75bba45b00000000U
#define BY_128 0x6577b24500000000U, 0x7417153f00000000U
#define BY_256 0xe9a5d8be00000000U, 0x1426a81500000000U
#define BY_512 0x75bda45400000000U, 0xe986c14800000000U

INLINE TARGET_AVX512 __m512i factors(uint64_t low, uint64_t high)
{
    return _mm512_set_epi64((long long)high, (long long)low, (long long)high, (long long)low,
                            (long long)high, (long long)low, (long long)high, (long long)low);
}

/* a, moved on by the distance of the factors, plus b. */
INLINE TARGET_AVX512 __m512i fold(__m512i a, __m512i by, __m512i b)
{
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(a, by, 0x00),
                                     _mm512_clmulepi64_epi128(a, by, 0x11), b, 0x96);
}

INLINE TARGET_AVX512 __m512i load(const uint8_t *p)
{
    return _mm512_loadu_si512(p);
}

/* For the first three lanes, from the lowest; nothing for the fourth. */
INLINE TARGET_AVX512 __m512i lane_factors(uint64_t low0, uint64_t high0, uint64_t low1,
                                          uint64_t high1, uint64_t low2, uint64_t high2)
{
    return _mm512_set_epi64(0, 0, (long long)high2, (long long)low2, (long long)high1,
                            (long long)low1, (long long)high0, (long long)low0);
}

/* The four 16-byte lanes become one, the lane that stands last. */
INLINE TARGET_AVX512 __m128i fold_lanes(__m512i a)
{
    const __m512i by = lane_factors(BY_48, BY_32, BY_16);
    __m512i moved = _mm512_xor_si512(_mm512_clmulepi64_epi128(a, by, 0x00),
                                     _mm512_clmulepi64_epi128(a, by, 0x11));
    __m128i x = _mm512_extracti32x4_epi32(a, 3); /* stays where it is: its factors are zero */

    x = _mm_xor_si128(x, _mm512_extracti32x4_epi32(moved, 0));
    x = _mm_xor_si128(x, _mm512_extracti32x4_epi32(moved, 1));
    return _mm_xor_si128(x, _mm512_extracti32x4_epi32(moved, 2));
}

/* Takes as many 64-byte vectors as there are, at least eight; what is left is less than one. */
INLINE TARGET_AVX512 uint32_t fold_vectors(uint32_t crc, const uint8_t *p, size_t length)
{
    const __m512i by_512 = factors(BY_512), by_256 = factors(BY_256);
    const __m512i by_128 = factors(BY_128), by_64 = factors(BY_64);
    __m512i a, b, c, d, e, f, g, h;
    __m128i last;

    a = _mm512_xor_si512(load(p), _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)crc)));
    b = load(p + 64);
    c = load(p + 128);
    d = load(p + 192);
    e = load(p + 256);
    f = load(p + 320);
    g = load(p + 384);
    h = load(p + 448);
    for (p += 512, length -= 512; length >= 512; p += 512, length -= 512) {
        a = fold(a, by_512, load(p));
        b = fold(b, by_512, load(p + 64));
        c = fold(c, by_512, load(p + 128));
        d = fold(d, by_512, load(p + 192));
        e = fold(e, by_512, load(p + 256));
        f = fold(f, by_512, load(p + 320));
        g = fold(g, by_512, load(p + 384));
        h = fold(h, by_512, load(p + 448));
    }
    a = fold(a, by_256, e);
    b = fold(b, by_256, f);
    c = fold(c, by_256, g);
    d = fold(d, by_256, h);
    a = fold(a, by_128, c);
    b = fold(b, by_128, d);
    a = fold(a, by_64, b);
    for (; length >= 64; p += 64, length -= 64)
        a = fold(a, by_64, load(p));
    last = fold_lanes(a);
    crc = add_64(0, (uint64_t)_mm_cvtsi128_si64(last));
    crc = add_64(crc, (uint64_t)_mm_extract_epi64(last, 1));
    return one_stream(crc, p, length);
}

TARGET_AVX512 uint32_t crc32c_avx512(uint32_t crc, const void *data, size_t length)
{
    if (length < FOLD_LEAST)
        return crc32c_pclmul(crc, data, length);
    return ~fold_vectors(~crc, data, length);
}

#endif
