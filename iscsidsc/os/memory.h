/* Allocation through one place, so that tests can make the Nth one fail. */
#ifndef OS_MEMORY_H
#define OS_MEMORY_H

#include <stddef.h>

/* 1 when a sanitizer watches the heap: blocks should be freed then, not kept for reuse. */
#if defined(__SANITIZE_ADDRESS__)
#define OS_MEMORY_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OS_MEMORY_WATCHED 1
#endif
#endif
#ifndef OS_MEMORY_WATCHED
#define OS_MEMORY_WATCHED 0
#endif

/* Zero-filled; NULL when out of memory. */
void *os_alloc(size_t size);
/* Grows; the new part is not cleared. NULL: out of memory, the old block is untouched. */
void *os_grow(void *block, size_t size);
char *os_copy_text(const char *text);
void *os_copy(const void *data, size_t length);
void os_free(void *block);

/* Tests: fail the `nth` allocation from now on (1 is the next), 0 to stop failing. */
void os_alloc_fail_at(long nth);

/*
 * An arena: many small blocks that go together. Zero-initialise, use, clear.
 */
struct os_arena {
    struct os_arena_chunk *chunks;
};
/* Aligned to 16, zero-filled; NULL when out of memory. */
void *os_arena_alloc(struct os_arena *arena, size_t size);
char *os_arena_text(struct os_arena *arena, const char *text);
void *os_arena_copy(struct os_arena *arena, const void *data, size_t length);
void os_arena_clear(struct os_arena *arena);
/* The same for one that held secrets: nothing of them stays in memory. */
void os_arena_wipe(struct os_arena *arena);

#endif
