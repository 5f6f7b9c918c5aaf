/*
 * Reads and writes beside libiscsi, on the same target in the same run, and beside a bare TCP
 * stream that moves the same bytes: runs are interleaved, medians are printed. The target shares
 * the machine and is the bottleneck: what counts is the client's CPU time and its system calls.
 *
 * Usage: bench_io LABEL PORTAL TARGET LUN BLOCKS SMALL-TARGET DIGEST-TARGET
 * SMALL-TARGET is one that takes no more than 8 KiB in a PDU, DIGEST-TARGET has CRC32C digests.
 */
#include "io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ROUNDS = 7 };

/* --- what the contenders share --- */

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

uint8_t *io_buffer(const struct io_job *job, unsigned slot)
{
    static uint8_t *buffers;
    const size_t most = 128u << 20;

    if (buffers == NULL && (buffers = malloc(most)) != NULL)
        memset(buffers, 0x5a, most);
    if (buffers == NULL || (slot + 1) * (size_t)job->size > most) {
        fprintf(stderr, "no memory for the buffers\n");
        exit(1);
    }
    return buffers + slot * (size_t)job->size;
}

/* --- one sample --- */

struct sample {
    double wall, cpu, calls; /* microseconds, microseconds, number; of one command */
};

static double wall_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double cpu_now(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static uint64_t commands_of(const struct io_job *job)
{
    uint64_t commands = (96u << 20) / job->size;

    if (job->depth == 1)
        return commands < 4000 ? commands : 4000;
    return commands < 20000 ? commands : 20000;
}

static int measure(const struct io_contender *contender, const struct io_job *job,
                   struct sample *sample)
{
    uint64_t commands = commands_of(job);
    double wall, cpu;
    uint64_t calls;

    if (contender->open(job) != 0 || contender->pump(commands / 8 + job->depth) != 0)
        return -1;
    wall = wall_now();
    cpu = cpu_now();
    calls = io_system_calls();
    if (contender->pump(commands) != 0)
        return -1;
    sample->calls = (double)(io_system_calls() - calls) / (double)commands;
    sample->cpu = (cpu_now() - cpu) / (double)commands;
    sample->wall = (wall_now() - wall) / (double)commands;
    return contender->close();
}

/* --- tables --- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median_of(const struct sample *samples, size_t offset)
{
    double values[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        memcpy(&values[i], (const char *)&samples[i] + offset, sizeof values[i]);
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static struct sample median(const struct sample *samples)
{
    return (struct sample){median_of(samples, offsetof(struct sample, wall)),
                           median_of(samples, offsetof(struct sample, cpu)),
                           median_of(samples, offsetof(struct sample, calls))};
}

struct entrant {
    const struct io_contender *contender;
    struct io_job job;
    const char *note;
    struct sample samples[ROUNDS];
};

/* The first one is what the others are compared with. */
static int run(const char *title, struct entrant *entrants, size_t count)
{
    struct sample base;

    for (int round = -1; round < ROUNDS; round++) { /* round -1 warms up */
        for (size_t i = 0; i < count; i++) {
            struct entrant *entrant = &entrants[i];
            if (measure(entrant->contender, &entrant->job,
                        &entrant->samples[round < 0 ? 0 : round]) != 0)
                return -1;
        }
    }
    base = median(entrants[0].samples);
    printf("%s\n", title);
    for (size_t i = 0; i < count; i++) {
        struct sample got = median(entrants[i].samples);
        printf("  %-16s %-14s cpu %8.2f us (x %.2f)  calls %7.3f (x %.2f)  %9.0f /s (x %.2f)"
               "  %7.0f MB/s\n",
               entrants[i].contender->name, entrants[i].note, got.cpu, got.cpu / base.cpu,
               got.calls, got.calls / base.calls, 1e6 / got.wall, base.wall / got.wall,
               entrants[i].job.size / got.wall);
    }
    fflush(stdout);
    return 0;
}

static struct io_job standard;
static const char *small_target, *digest_target;

/* libiscsi, the core and the bare stream. */
static int compare(const char *title, struct io_job job)
{
    struct entrant entrants[] = {{.contender = &io_libiscsi, .job = job, .note = ""},
                                 {.contender = &io_core, .job = job, .note = ""},
                                 {.contender = &io_bare, .job = job, .note = ""}};

    return run(title, entrants, 3);
}

static struct io_job job_of(bool write, bool random, uint32_t size, unsigned depth)
{
    struct io_job job = standard;

    job.write = write;
    job.random = random;
    job.size = size;
    job.depth = depth;
    return job;
}

static int small_blocks(void)
{
    static const unsigned depths[] = {1, 32, 128};
    char title[80];

    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        for (int write = 0; write < 2; write++) {
            snprintf(title, sizeof title, "4 KiB random %s, depth %u", write ? "write" : "read",
                     depths[i]);
            if (compare(title, job_of(write, true, 4096, depths[i])) != 0)
                return -1;
        }
    }
    return 0;
}

static int large_blocks(void)
{
    static const uint32_t sizes[] = {64 << 10, 256 << 10, 1 << 20};
    char title[80];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int write = 0; write < 2; write++) {
            struct io_job job = job_of(write, false, sizes[i], 16);
            snprintf(title, sizeof title, "%u KiB sequential %s, depth 16", sizes[i] >> 10,
                     write ? "write" : "read");
            if (compare(title, job) != 0)
                return -1;
            if (!write)
                continue;
            job.target = small_target;
            snprintf(title, sizeof title, "%u KiB sequential write in 8 KiB segments, depth 16",
                     sizes[i] >> 10);
            if (compare(title, job) != 0)
                return -1;
        }
    }
    return 0;
}

static int digests(void)
{
    static const uint32_t sizes[] = {4096, 64 << 10};
    char title[80];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int write = 0; write < 2; write++) {
            struct io_job plain = job_of(write, true, sizes[i], 32), checked = plain;
            struct entrant entrants[] = {{.contender = &io_core, .job = plain, .note = "no digest"},
                                         {.contender = &io_core, .job = checked, .note = "CRC32C"}};
            entrants[1].job.digests = true;
            entrants[1].job.target = digest_target;
            snprintf(title, sizeof title, "%u KiB %s with digests, depth 32", sizes[i] >> 10,
                     write ? "write" : "read");
            if (run(title, entrants, 2) != 0)
                return -1;
        }
    }
    return 0;
}

/* With the same number of commands under way in each session. */
static int several_sessions(void)
{
    static const char *const notes[] = {"1 session", "100 sessions", "1000 sessions"};
    static const unsigned sessions[] = {1, 100, 1000};
    static struct entrant entrants[3];

    for (int i = 0; i < 3; i++) {
        entrants[i] = (struct entrant){.contender = &io_core,
                                       .job = job_of(false, true, 4096, 8 * sessions[i]),
                                       .note = notes[i]};
        entrants[i].job.sessions = sessions[i];
    }
    return run("4 KiB random read, 8 commands under way in each session", entrants, 3);
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr, "usage: %s LABEL PORTAL TARGET LUN BLOCKS SMALL-TARGET DIGEST-TARGET\n",
                argv[0]);
        return 2;
    }
    standard = (struct io_job){.portal = argv[2],
                               .target = argv[3],
                               .lun = atoi(argv[4]),
                               .blocks = strtoull(argv[5], NULL, 10),
                               .connections = 1,
                               .sessions = 1};
    small_target = argv[6];
    digest_target = argv[7];
    printf("%s: medians of %d interleaved runs; in brackets the ratio to the first line of each "
           "block\n",
           argv[1], ROUNDS);
    return small_blocks() != 0 || large_blocks() != 0 || digests() != 0 || several_sessions() != 0;
}
