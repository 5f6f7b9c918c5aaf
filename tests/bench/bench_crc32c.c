/*
 * CRC32C in GB/s: every method of ours, the chosen one, and ISA-L's, interleaved so that all see
 * the same weather; medians. Sizes in bytes as arguments, or 48, 4096 and 65536: a header and
 * typical data segments. Exits with 1 when the chosen one is slower than 0.9 of ISA-L's somewhere.
 */
#include "protocol/crc32c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <isa-l/crc.h>

#define ROUNDS      31
#define ROUND_BYTES (32u << 20)
#define ROUND_CALLS 400000u
#define CONTENDERS  16
#define GOAL        0.9

typedef uint32_t compute(uint32_t crc, const void *data, size_t length);

/* ISA-L wants and gives the bare register: the inversions are the caller's, as in our methods. */
static uint32_t isal(uint32_t crc, const void *data, size_t length)
{
    return ~crc32_iscsi((unsigned char *)(uintptr_t)data, (int)length, ~crc);
}

static struct contender {
    const char *name;
    compute *function;
    double rates[ROUNDS]; /* GB/s */
} contenders[CONTENDERS];
static size_t contender_count;

static void enter(const char *name, compute *function)
{
    contenders[contender_count].name = name;
    contenders[contender_count++].function = function;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static volatile uint32_t sink; /* keeps the results alive */

static double measure(compute *function, const uint8_t *data, size_t size)
{
    size_t calls = ROUND_BYTES / size;
    double start;

    if (calls == 0)
        calls = 1;
    if (calls > ROUND_CALLS)
        calls = ROUND_CALLS;
    start = now();
    for (size_t i = 0; i < calls; i++)
        sink = function((uint32_t)i, data, size);
    return (double)(calls * size) / (now() - start) / 1e9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *rates)
{
    qsort(rates, ROUNDS, sizeof *rates, compare);
    return rates[ROUNDS / 2];
}

/* Prints one line; gives the ratio of the chosen one (next to last) to ISA-L's (last). */
static double run(const uint8_t *data, size_t size)
{
    double rate = 0, chosen = 0;

    for (int round = 0; round < ROUNDS; round++)
        for (size_t c = 0; c < contender_count; c++)
            contenders[c].rates[round] = measure(contenders[c].function, data, size);
    printf("%8zu B ", size);
    for (size_t c = 0; c < contender_count; c++) {
        chosen = rate;
        rate = median(contenders[c].rates);
        printf("  %s %.2f", contenders[c].name, rate);
    }
    printf("  ratio %.2f\n", chosen / rate);
    return chosen / rate;
}

static int agree(const uint8_t *data, size_t size)
{
    for (size_t c = 1; c < contender_count; c++)
        if (contenders[c].function(1, data, size) != contenders[0].function(1, data, size)) {
            fprintf(stderr, "%s computes something else over %zu bytes\n", contenders[c].name,
                    size);
            return 0;
        }
    return 1;
}

int main(int argc, char **argv)
{
    static const size_t usual[] = {48, 4096, 65536};
    size_t count = argc > 1 ? (size_t)argc - 1 : sizeof usual / sizeof usual[0];
    int result = 0;

    for (size_t m = 0; m < crc32c_method_count && m < CONTENDERS - 2; m++)
        if (crc32c_methods[m].available())
            enter(crc32c_methods[m].name, crc32c_methods[m].compute);
    enter("chosen", crc32c);
    enter("isa-l", isal);
    printf("CRC32C, GB/s, medians of %d interleaved rounds\n", ROUNDS);
    for (size_t i = 0; i < count; i++) {
        size_t size = argc > 1 ? strtoul(argv[i + 1], NULL, 10) : usual[i];
        uint8_t *data = size > 0 && size <= INT32_MAX ? malloc(size) : NULL;

        if (!data) {
            fprintf(stderr, "usage: bench_crc32c [SIZE...]\n");
            return 2;
        }
        for (size_t b = 0; b < size; b++)
            data[b] = (uint8_t)(b * 31 + b / 256);
        if (!agree(data, size))
            return 2;
        if (run(data, size) < GOAL)
            result = 1;
        free(data);
    }
    return result;
}
