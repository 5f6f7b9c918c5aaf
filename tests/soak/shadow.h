/*
 * What a disk may hold. Each block that is written carries its number and a generation of its own,
 * and all else in it follows from them: a block that is misplaced, stale or torn, or that holds
 * anything else, can be told from one that is right, and all of these from each other.
 */
#ifndef SOAK_SHADOW_H
#define SOAK_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHADOW_BLOCK 512u

struct shadow {
    uint64_t seed;
    uint32_t blocks;
    uint32_t generation; /* the last that was given away */
    struct shadow_block *block;
    char wrong[200]; /* what was found; "" when nothing was */
};

/* Generations; 0 is what the test targets' disks hold at first: each 8 bytes their own offset. */
struct shadow_block {
    uint32_t durable; /* what is on the disk after a loss of power is not older */
    uint32_t low;     /* the last that was acknowledged, or read since */
    uint32_t high;    /* writes between the two ended in an unknown way */
    uint16_t users;   /* commands under way; SHADOW_WRITER: one that writes */
};
#define SHADOW_WRITER UINT16_MAX

enum shadow_ending {
    SHADOW_WRITTEN,
    SHADOW_DURABLE, /* and lasts */
    SHADOW_UNKNOWN, /* maybe written */
    SHADOW_NOTHING, /* not carried out */
};

/* Exits when there is no memory. */
struct shadow *shadow_new(uint64_t seed, uint32_t blocks);
void shadow_free(struct shadow *shadow);

/* Commands that overlap may be carried out in any order, so a write has its blocks to itself.
 * False: others use them. */
bool shadow_take(struct shadow *shadow, uint32_t first, uint32_t count, bool write);
void shadow_release(struct shadow *shadow, uint32_t first, uint32_t count);

/* Data for a write of blocks that were taken. Returns their generation. */
uint32_t shadow_fill(struct shadow *shadow, uint32_t first, uint32_t count, uint8_t *data);
void shadow_wrote(struct shadow *shadow, uint32_t first, uint32_t count, uint32_t generation,
                  enum shadow_ending ending);
/* What was read of them settles what was unknown. False: shadow->wrong tells. */
bool shadow_check(struct shadow *shadow, uint32_t first, uint32_t count, const uint8_t *data);

/* The generations that a flush makes last when it succeeds: as they are when it is sent. */
void shadow_before_flush(const struct shadow *shadow, uint32_t first, uint32_t count,
                         uint32_t *generations);
void shadow_flushed(struct shadow *shadow, uint32_t first, uint32_t count,
                    const uint32_t *generations);
/* The target lost its power: what was not durable may be gone. */
void shadow_power_lost(struct shadow *shadow);
/* All of it was read from the medium itself: that lasts. */
void shadow_settled(struct shadow *shadow);
/* Blocks of which nobody knows what they hold. */
uint32_t shadow_unsettled(const struct shadow *shadow);

#endif
