/*
 * Partition tables: MBR with logical partitions, and GPT. Reads nothing itself: it says what it
 * wants to see of the disk, and is given that, until it wants nothing more. Whatever is there, it
 * wants only what the disk has, and only so often.
 */
#ifndef DEVICES_PARTITIONS_H
#define DEVICES_PARTITIONS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PARTITIONS_MOST = 15,
    PARTITIONS_WANT_MOST = 256 << 10, /* bytes at a time */
};

struct partition {
    uint64_t start;  /* bytes, from the begin of the disk */
    uint64_t length; /* the same; 0: there is none of this number */
};

enum partitions_step {
    PARTITIONS_DONE,
    PARTITIONS_MBR,
    PARTITIONS_LOGICAL,
    PARTITIONS_GPT_HEADER,
    PARTITIONS_GPT_ENTRIES,
};

struct partitions {
    uint64_t size;  /* of the disk, in bytes */
    uint32_t block; /* the same */
    /* What is to be given next; want_length 0: nothing. */
    uint64_t want;
    uint32_t want_length;
    struct partition found[PARTITIONS_MOST]; /* by number, from 1 on */

    /* Inside. */
    enum partitions_step step;
    uint64_t extended; /* block that the extended partition begins with */
    unsigned links;    /* of its chain that were followed */
    unsigned logical;  /* number of the next logical partition */
    bool backup;       /* it is that header which is looked at */
    uint32_t entry_count;
    uint32_t entry_size;
    uint32_t entries_crc;
};

void partitions_begin(struct partitions *partitions, uint64_t size, uint32_t block);
/* want_length bytes of the disk from `want` on. */
void partitions_give(struct partitions *partitions, const uint8_t *data);

/* The CRC of GPT: of IEEE 802.3. */
uint32_t partitions_crc(uint32_t crc, const uint8_t *data, uint32_t length);

#endif
