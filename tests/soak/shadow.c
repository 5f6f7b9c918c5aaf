#include "shadow.h"

#include "protocol/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = SHADOW_BLOCK / 8 };

struct shadow *shadow_new(uint64_t seed, uint32_t blocks)
{
    struct shadow *shadow = calloc(1, sizeof *shadow);

    if (shadow != NULL)
        shadow->block = calloc(blocks, sizeof *shadow->block);
    if (shadow == NULL || shadow->block == NULL) {
        fprintf(stderr, "no memory for the shadow of %u blocks\n", blocks);
        exit(1);
    }
    shadow->seed = seed;
    shadow->blocks = blocks;
    return shadow;
}

void shadow_free(struct shadow *shadow)
{
    free(shadow->block);
    free(shadow);
}

/* --- who uses what --- */

static bool is_free(const struct shadow *shadow, uint32_t first, uint32_t count, bool write)
{
    for (uint32_t i = first; i < first + count; i++) {
        uint16_t users = shadow->block[i].users;

        if (users == SHADOW_WRITER || (write && users > 0))
            return false;
    }
    return true;
}

bool shadow_take(struct shadow *shadow, uint32_t first, uint32_t count, bool write)
{
    if (!is_free(shadow, first, count, write))
        return false;
    for (uint32_t i = first; i < first + count; i++)
        shadow->block[i].users = write ? SHADOW_WRITER : (uint16_t)(shadow->block[i].users + 1);
    return true;
}

void shadow_release(struct shadow *shadow, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        uint16_t *users = &shadow->block[i].users;

        *users = *users == SHADOW_WRITER ? 0 : (uint16_t)(*users - 1);
    }
}

/* --- what blocks hold --- */

/* The words behind the first two follow from these; a step for each. */
static uint64_t begin(const struct shadow *shadow, uint32_t block, uint32_t generation)
{
    uint64_t mixed = shadow->seed ^ ((uint64_t)generation << 32 | block);

    mixed = (mixed ^ mixed >> 31) * UINT64_C(0x7fb5d329728ea185);
    return mixed ^ mixed >> 27;
}

static uint64_t step(uint64_t state)
{
    return state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
}

/* Tells blocks of this run from those of others. */
static uint32_t mark(const struct shadow *shadow)
{
    return (uint32_t)(shadow->seed ^ shadow->seed >> 32) | 1;
}

static void fill_block(const struct shadow *shadow, uint32_t block, uint32_t generation,
                       uint8_t *data)
{
    uint64_t state = begin(shadow, block, generation);

    put_be64(data, (uint64_t)mark(shadow) << 32 | generation);
    put_be64(data + 8, block);
    for (unsigned i = 2; i < WORDS; i++) {
        state = step(state);
        memcpy(data + 8u * i, &state, sizeof state);
    }
}

static bool is_original(uint32_t block, const uint8_t *data)
{
    for (unsigned i = 0; i < WORDS; i++)
        if (get_be64(data + 8u * i) != (uint64_t)block * SHADOW_BLOCK + 8u * i)
            return false;
    return true;
}

uint32_t shadow_fill(struct shadow *shadow, uint32_t first, uint32_t count, uint8_t *data)
{
    shadow->generation++;
    for (uint32_t i = 0; i < count; i++)
        fill_block(shadow, first + i, shadow->generation, data + (size_t)i * SHADOW_BLOCK);
    return shadow->generation;
}

void shadow_wrote(struct shadow *shadow, uint32_t first, uint32_t count, uint32_t generation,
                  enum shadow_ending ending)
{
    for (uint32_t i = first; i < first + count && ending != SHADOW_NOTHING; i++) {
        struct shadow_block *block = &shadow->block[i];

        block->high = generation;
        if (ending != SHADOW_UNKNOWN)
            block->low = generation;
        if (ending == SHADOW_DURABLE)
            block->durable = generation;
    }
}

/* --- checking --- */

static bool complain(struct shadow *shadow, uint32_t block, const char *what, uint32_t found)
{
    const struct shadow_block *expected = &shadow->block[block];

    if (shadow->wrong[0] == '\0')
        snprintf(shadow->wrong, sizeof shadow->wrong,
                 "block %" PRIu32 " is %s: it has %" PRIu32 " where generation %" PRIu32
                 " to %" PRIu32 " was expected",
                 block, what, found, expected->low, expected->high);
    return false;
}

/* Where the block stops to be what its head says. */
static unsigned first_wrong_word(const struct shadow *shadow, uint32_t block, uint32_t generation,
                                 const uint8_t *data)
{
    uint8_t right[SHADOW_BLOCK];
    unsigned word = 0;

    fill_block(shadow, block, generation, right);
    while (word < WORDS && memcmp(right + 8u * word, data + 8u * word, 8) == 0)
        word++;
    return word;
}

static bool check_block(struct shadow *shadow, uint32_t number, const uint8_t *data)
{
    struct shadow_block *block = &shadow->block[number];
    uint32_t generation = get_be32(data + 4);
    uint64_t place = get_be64(data + 8);
    unsigned word;

    if (is_original(number, data))
        generation = 0;
    else if (get_be32(data) != mark(shadow) || generation == 0)
        return complain(shadow, number, "not of this run", generation);
    else if (place != number)
        return complain(shadow, number, "another one", (uint32_t)place);
    else if ((word = first_wrong_word(shadow, number, generation, data)) < WORDS)
        return complain(shadow, number, "torn (at that word)", word);
    if (generation < block->low)
        return complain(shadow, number, "stale", generation);
    if (generation > block->high)
        return complain(shadow, number, "of a write that was not carried out", generation);
    block->low = block->high = generation;
    return true;
}

bool shadow_check(struct shadow *shadow, uint32_t first, uint32_t count, const uint8_t *data)
{
    bool right = true;

    for (uint32_t i = 0; i < count; i++)
        right &= check_block(shadow, first + i, data + (size_t)i * SHADOW_BLOCK);
    return right;
}

/* --- what lasts --- */

void shadow_before_flush(const struct shadow *shadow, uint32_t first, uint32_t count,
                         uint32_t *generations)
{
    for (uint32_t i = 0; i < count; i++)
        generations[i] = shadow->block[first + i].low;
}

void shadow_flushed(struct shadow *shadow, uint32_t first, uint32_t count,
                    const uint32_t *generations)
{
    for (uint32_t i = 0; i < count; i++) {
        struct shadow_block *block = &shadow->block[first + i];

        if (block->durable < generations[i])
            block->durable = generations[i];
    }
}

void shadow_power_lost(struct shadow *shadow)
{
    for (uint32_t i = 0; i < shadow->blocks; i++)
        shadow->block[i].low = shadow->block[i].durable;
}

void shadow_settled(struct shadow *shadow)
{
    for (uint32_t i = 0; i < shadow->blocks; i++)
        shadow->block[i].durable = shadow->block[i].low;
}

uint32_t shadow_unsettled(const struct shadow *shadow)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < shadow->blocks; i++)
        count += shadow->block[i].low != shadow->block[i].high;
    return count;
}
