/* What bench_io measures: the same reads and writes done by several contenders. */
#ifndef BENCH_IO_H
#define BENCH_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IO_BLOCK 512u

struct io_job {
    const char *portal; /* host:port */
    const char *target;
    int lun;
    uint64_t blocks; /* of the disk */
    bool write;
    bool random;
    bool digests; /* CRC32C on headers and data */
    uint32_t size;
    unsigned depth; /* commands under way, over all sessions */
    unsigned connections;
    unsigned sessions;
};

struct io_contender {
    const char *name;
    bool digests; /* can do them on data */
    bool several; /* sessions and connections */
    /* Each returns 0, or -1 after a message to stderr. */
    int (*open)(const struct io_job *job);
    /* Does so many commands, `depth` of them at any time, and waits for the last one. */
    int (*pump)(uint64_t commands);
    int (*close)(void);
};

extern const struct io_contender io_core, io_libiscsi, io_bare;

/* The block where the next command begins. */
uint64_t io_next_block(const struct io_job *job);
/* A buffer for each of `depth` commands, at `slot`; never freed. */
uint8_t *io_buffer(const struct io_job *job, unsigned slot);
/* System calls of this process that move data or wait, until now. */
uint64_t io_system_calls(void);

#endif
