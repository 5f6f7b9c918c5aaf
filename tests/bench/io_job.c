/* Where the commands of a job go. */
#include "io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t io_next_block(const struct io_job *job)
{
    static uint64_t state = 88172645463325252u, next;
    uint64_t unit = job->size / IO_BLOCK, units = job->blocks / unit;

    if (!job->random)
        return next++ % units * unit;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % units * unit;
}

/* More would not be in the processor's caches, which says nothing about who moves the data. */
enum { BUFFERS = 128 };

uint8_t *io_buffer(const struct io_job *job, unsigned slot)
{
    static uint8_t *buffers;
    const size_t most = 64u << 20;

    if (buffers == NULL && (buffers = aligned_alloc(4096, most)) != NULL)
        memset(buffers, 0x5a, most);
    if (buffers == NULL || (slot % BUFFERS + 1) * (size_t)job->size > most) {
        fprintf(stderr, "no memory for the buffers\n");
        exit(1);
    }
    return buffers + slot % BUFFERS * (size_t)job->size;
}
