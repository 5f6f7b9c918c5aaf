/* A set of numbers that are taken, where the smallest free one is wanted: target ids, disk numbers.
 * Zero-initialise, use, clear. */
#ifndef ENGINE_NUMBERS_H
#define ENGINE_NUMBERS_H

#include "protocol/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBERS_NONE UINT32_MAX

struct numbers {
    uint64_t *words;
    size_t count;
};

bool numbers_taken(const struct numbers *numbers, uint32_t number);
/* BUSY: it is taken already; NO_MEMORY. */
enum status numbers_take(struct numbers *numbers, uint32_t number);
/* The smallest one from `least` on that is not taken, and is now; NUMBERS_NONE when it would be
 * above `most`, or out of memory. */
uint32_t numbers_take_free(struct numbers *numbers, uint32_t least, uint32_t most);
/* Harmless when it is not taken. */
void numbers_release(struct numbers *numbers, uint32_t number);
void numbers_clear(struct numbers *numbers);

#endif
