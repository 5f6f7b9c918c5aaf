#include "os/memory.h"
#include "os/crypto.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Allocations left until one fails; nothing fails while it is not positive. */
static atomic_long fail_countdown;

void os_alloc_fail_at(long nth)
{
    atomic_store(&fail_countdown, nth);
}

static bool fails_now(void)
{
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0)
        return false;
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

void *os_alloc(size_t size)
{
    if (fails_now())
        return NULL;
    return calloc(1, size > 0 ? size : 1);
}

void *os_grow(void *block, size_t size)
{
    if (fails_now())
        return NULL;
    return realloc(block, size > 0 ? size : 1);
}

void *os_copy(const void *data, size_t length)
{
    void *copy = os_alloc(length);
    if (copy != NULL && length > 0)
        memcpy(copy, data, length);
    return copy;
}

char *os_copy_text(const char *text)
{
    return os_copy(text, strlen(text) + 1);
}

void os_free(void *block)
{
    free(block);
}

/* --- arena --- */

enum { ARENA_ALIGN = 16, ARENA_CHUNK_FIRST = 1024, ARENA_CHUNK_MOST = 32768 };

struct os_arena_chunk {
    struct os_arena_chunk *next;
    size_t size; /* of data */
    size_t used;
    unsigned char data[];
};

/* malloc aligns to 8 only on 32-bit Windows, so the address itself is rounded up. */
static void *chunk_take(struct os_arena_chunk *chunk, size_t size)
{
    uintptr_t free_space = (uintptr_t)(chunk->data + chunk->used);
    size_t gap = (size_t)(0u - free_space) & (ARENA_ALIGN - 1);
    size_t left = chunk->size - chunk->used;
    if (gap > left || size > left - gap)
        return NULL;
    unsigned char *block = chunk->data + chunk->used + gap;
    chunk->used += gap + size;
    return block;
}

static size_t next_chunk_size(const struct os_arena_chunk *newest, size_t wanted)
{
    size_t size = ARENA_CHUNK_FIRST;
    if (newest != NULL && newest->size >= ARENA_CHUNK_FIRST)
        size = newest->size < ARENA_CHUNK_MOST / 2 ? newest->size * 2 : ARENA_CHUNK_MOST;
    return size < wanted ? wanted : size;
}

void *os_arena_alloc(struct os_arena *arena, size_t size)
{
    struct os_arena_chunk *newest = arena->chunks;
    void *block = newest != NULL ? chunk_take(newest, size) : NULL;
    if (block != NULL)
        return block;
    if (size > SIZE_MAX / 2)
        return NULL;

    size_t chunk_size = next_chunk_size(newest, size + ARENA_ALIGN);
    struct os_arena_chunk *chunk = os_alloc(sizeof *chunk + chunk_size);
    if (chunk == NULL)
        return NULL;
    chunk->size = chunk_size;
    block = chunk_take(chunk, size);
    if (newest != NULL && size >= ARENA_CHUNK_MOST / 2) {
        /* A large block has its chunk to itself: the newest keeps serving small ones. */
        chunk->next = newest->next;
        newest->next = chunk;
    } else {
        chunk->next = newest;
        arena->chunks = chunk;
    }
    return block;
}

void *os_arena_copy(struct os_arena *arena, const void *data, size_t length)
{
    void *copy = os_arena_alloc(arena, length);
    if (copy != NULL && length > 0)
        memcpy(copy, data, length);
    return copy;
}

char *os_arena_text(struct os_arena *arena, const char *text)
{
    return os_arena_copy(arena, text, strlen(text) + 1);
}

void os_arena_clear(struct os_arena *arena)
{
    struct os_arena_chunk *chunk = arena->chunks;
    arena->chunks = NULL;
    while (chunk != NULL) {
        struct os_arena_chunk *next = chunk->next;
        os_free(chunk);
        chunk = next;
    }
}

void os_arena_wipe(struct os_arena *arena)
{
    for (struct os_arena_chunk *chunk = arena->chunks; chunk != NULL; chunk = chunk->next)
        os_wipe(chunk->data, chunk->used);
    os_arena_clear(arena);
}
