/* Samples and their medians. */
#include "io.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

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
    const uint64_t most = job->depth == 1 ? 4000 : 20000, bytes = (96u << 20) / job->size;

    if (job->commands > 0)
        return job->commands;
    return bytes < most ? bytes : most;
}

static int sample(const struct io_contender *contender, const struct io_job *job,
                  struct io_figures *out)
{
    const uint64_t commands = commands_of(job);
    double wall, cpu;
    uint64_t calls;

    if (contender->open(job) != 0 || contender->pump(commands / 8 + job->depth) != 0)
        return -1;
    wall = wall_now();
    cpu = cpu_now();
    calls = io_system_calls();
    if (contender->pump(commands) != 0)
        return -1;
    out->calls = (double)(io_system_calls() - calls) / (double)commands;
    out->cpu = (cpu_now() - cpu) / (double)commands;
    out->wall = (wall_now() - wall) / (double)commands;
    return contender->close();
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median_of(const struct io_figures *samples, size_t offset)
{
    double values[IO_ROUNDS];

    for (int i = 0; i < IO_ROUNDS; i++)
        memcpy(&values[i], (const char *)&samples[i] + offset, sizeof values[i]);
    qsort(values, IO_ROUNDS, sizeof *values, by_value);
    return values[IO_ROUNDS / 2];
}

int io_measure(struct io_entrant *entrants, size_t count)
{
    for (int round = 0; round < IO_ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            struct io_entrant *entrant = &entrants[i];
            if (sample(entrant->contender, &entrant->job, &entrant->samples[round]) != 0)
                return -1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct io_figures *samples = entrants[i].samples;
        entrants[i].median =
            (struct io_figures){median_of(samples, offsetof(struct io_figures, wall)),
                                median_of(samples, offsetof(struct io_figures, cpu)),
                                median_of(samples, offsetof(struct io_figures, calls))};
    }
    return 0;
}

static size_t heap_now(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* The second time: what a library keeps for all of its sessions is there then. */
double io_heap(const struct io_contender *contender, const struct io_job *job)
{
    size_t before, after;

    if (contender->open(job) != 0 || contender->close() != 0)
        return -1;
    before = heap_now();
    if (contender->open(job) != 0)
        return -1;
    after = heap_now();
    if (contender->close() != 0)
        return -1;
    return ((double)after - (double)before) / job->sessions;
}
