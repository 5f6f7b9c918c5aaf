#include "engine/numbers.h"
#include "os/memory.h"

#include <string.h>

enum { BITS = 64 };

static uint64_t word_at(const struct numbers *numbers, size_t index)
{
    return index < numbers->count ? numbers->words[index] : 0;
}

bool numbers_taken(const struct numbers *numbers, uint32_t number)
{
    return (word_at(numbers, number / BITS) >> number % BITS & 1) != 0;
}

static bool make_room(struct numbers *numbers, size_t index)
{
    if (index < numbers->count)
        return true;
    size_t count = index + 1 + numbers->count / 2;
    uint64_t *words = os_grow(numbers->words, count * sizeof *words);
    if (words == NULL)
        return false;
    memset(words + numbers->count, 0, (count - numbers->count) * sizeof *words);
    numbers->words = words;
    numbers->count = count;
    return true;
}

enum status numbers_take(struct numbers *numbers, uint32_t number)
{
    if (numbers_taken(numbers, number))
        return STATUS_BUSY;
    if (!make_room(numbers, number / BITS))
        return STATUS_NO_MEMORY;
    numbers->words[number / BITS] |= UINT64_C(1) << number % BITS;
    return STATUS_OK;
}

uint32_t numbers_take_free(struct numbers *numbers, uint32_t least, uint32_t most)
{
    uint32_t number = least;
    while (number <= most && numbers_taken(numbers, number)) {
        bool full = word_at(numbers, number / BITS) == UINT64_MAX;
        number += number % BITS == 0 && full ? BITS : 1;
    }
    if (number > most || numbers_take(numbers, number) != STATUS_OK)
        return NUMBERS_NONE;
    return number;
}

void numbers_release(struct numbers *numbers, uint32_t number)
{
    if (number / BITS < numbers->count)
        numbers->words[number / BITS] &= ~(UINT64_C(1) << number % BITS);
}

void numbers_clear(struct numbers *numbers)
{
    os_free(numbers->words);
    *numbers = (struct numbers){0};
}
