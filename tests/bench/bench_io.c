/*
 * Reads and writes beside libiscsi, on the same target in the same run, beside a client that parses
 * nothing, and beside a bare TCP stream that moves the same bytes. Runs are interleaved, medians
 * are compared. The target shares the machine and is the bottleneck: what counts is the client's
 * CPU time and its system calls.
 *
 * Usage: bench_io LABEL LUN BLOCKS PORTAL/TARGET SMALL-PORTAL/TARGET DIGEST-PORTAL/TARGET
 * The second one takes no more than 8 KiB in a PDU, the third one has CRC32C digests.
 */
#include "io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
    const char *portal, *target;
};

static struct io_job standard;
static struct place large, small, digest;

static struct io_job job_of(bool write, bool random, uint32_t size, unsigned depth)
{
    struct io_job job = standard;

    job.write = write;
    job.random = random;
    job.size = size;
    job.depth = depth;
    return job;
}

static void go_to(struct io_job *job, struct place place)
{
    job->portal = place.portal;
    job->target = place.target;
}

static const char *verb(bool write)
{
    return write ? "write" : "read";
}

/* BENCH_ONLY in the environment: only rows that have it in their name. */
static bool is_wanted(const char *what)
{
    const char *only = getenv("BENCH_ONLY");

    return only == NULL || strstr(what, only) != NULL;
}

static int compare(const char *what, struct io_job job, struct io_goals goals)
{
    struct io_entrant entrants[] = {{.contender = &io_libiscsi, .job = job},
                                    {.contender = &io_core, .job = job},
                                    {.contender = &io_blind, .job = job},
                                    {.contender = &io_bare, .job = job}};

    if (!is_wanted(what))
        return 0;
    if (io_measure(entrants, 4) != 0)
        return -1;
    io_row(what, &entrants[0].median, &entrants[1].median, &entrants[2].median, &entrants[3].median,
           &goals);
    return 0;
}

static int small_blocks(void)
{
    static const unsigned depths[] = {1, 32, 128};
    static const struct io_goals goals[] = {{1, 1, 0.97}, {0.35, 0.5, 1.3}, {0.35, 0.5, 1.3}};
    char what[80];

    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        for (int write = 0; write < 2; write++) {
            snprintf(what, sizeof what, "4 KiB random %s, depth %u", verb(write), depths[i]);
            if (compare(what, job_of(write, true, 4096, depths[i]), goals[i]) != 0)
                return -1;
        }
    }
    return 0;
}

static int large_block(uint32_t size, bool write, bool in_small_segments)
{
    struct io_job job = job_of(write, false, size, 16);
    struct io_goals goals = {!write ? 0.7 : in_small_segments ? 0.5 : 0.9, 0, 1.2};
    char what[80];

    go_to(&job, in_small_segments ? small : large);
    snprintf(what, sizeof what, "%u KiB sequential %s, depth 16, segments of %s", size >> 10,
             verb(write), in_small_segments ? "8 KiB" : "256 KiB");
    return compare(what, job, goals);
}

static int large_blocks(void)
{
    static const uint32_t sizes[] = {64 << 10, 256 << 10, 1 << 20};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (large_block(sizes[i], false, false) != 0 || large_block(sizes[i], true, false) != 0 ||
            large_block(sizes[i], true, true) != 0)
            return -1;
    }
    return 0;
}

static int digests(void)
{
    static const uint32_t sizes[] = {4096, 64 << 10};
    static const struct io_goals goals = {1.15, 0, 0};
    char what[80];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int write = 0; write < 2; write++) {
            struct io_job plain = job_of(write, true, sizes[i], 32), checked = plain;
            checked.digests = true;
            go_to(&checked, digest);
            struct io_entrant entrants[] = {{.contender = &io_core, .job = plain},
                                            {.contender = &io_core, .job = checked}};
            snprintf(what, sizeof what, "%u KiB random %s, depth 32, digests", sizes[i] >> 10,
                     verb(write));
            if (!is_wanted(what))
                continue;
            if (io_measure(entrants, 2) != 0)
                return -1;
            io_row(what, &entrants[0].median, &entrants[1].median, NULL, NULL, &goals);
        }
    }
    return 0;
}

/* More of something, with as many commands under way for each of them. */
static int several(const char *what, const struct io_job *jobs, const char *const *names,
                   size_t count)
{
    static const struct io_goals goals = {1.1, 0, 0};
    struct io_entrant entrants[4] = {0};
    char text[80];

    if (!is_wanted(what))
        return 0;
    for (size_t i = 0; i < count; i++)
        entrants[i] = (struct io_entrant){.contender = &io_core, .job = jobs[i]};
    if (io_measure(entrants, count) != 0)
        return -1;
    for (size_t i = 1; i < count; i++) {
        snprintf(text, sizeof text, "%s, %s", names[i], what);
        io_row(text, &entrants[0].median, &entrants[i].median, NULL, NULL, &goals);
    }
    return 0;
}

static int several_connections(bool write)
{
    static const char *const names[] = {"1", "2 connections", "4 connections"};
    struct io_job jobs[3];
    char what[80];

    for (unsigned i = 0; i < 3; i++) {
        jobs[i] = job_of(write, true, 4096, 128);
        jobs[i].connections = 1u << i;
    }
    snprintf(what, sizeof what, "4 KiB random %s, depth 128 over them", verb(write));
    return several(what, jobs, names, 3);
}

static int several_sessions(void)
{
    static const char *const names[] = {"1", "100 sessions", "1000 sessions"};
    static const unsigned sessions[] = {1, 100, 1000};
    struct io_job jobs[3];

    for (unsigned i = 0; i < 3; i++) {
        jobs[i] = job_of(false, true, 4096, 4 * sessions[i]);
        jobs[i].sessions = sessions[i];
    }
    return several("4 KiB random read, 4 commands under way in each", jobs, names, 3);
}

static int through_engine(void)
{
    static const struct {
        uint32_t size;
        unsigned depth;
    } rows[] = {{4096, 1}, {4096, 32}, {4096, 128}, {64 << 10, 16}, {1 << 20, 16}};
    static const struct io_goals goals = {0, 0, 0};
    char what[80];

    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct io_job job = job_of(i % 2 != 0, true, rows[i / 2].size, rows[i / 2].depth);
        struct io_entrant entrants[] = {{.contender = &io_core, .job = job},
                                        {.contender = &io_engine, .job = job}};
        snprintf(what, sizeof what, "%u KiB random %s, depth %u, engine", job.size >> 10,
                 verb(job.write), job.depth);
        if (!is_wanted(what))
            continue;
        if (io_measure(entrants, 2) != 0)
            return -1;
        io_row(what, &entrants[0].median, &entrants[1].median, NULL, NULL, &goals);
    }
    return 0;
}

static int heap(void)
{
    struct io_job job = job_of(false, true, 4096, 1);
    double ours, theirs;

    job.sessions = 200;
    ours = io_heap(&io_core, &job) / 1024;
    theirs = io_heap(&io_libiscsi, &job) / 1024;
    if (ours < 0 || theirs < 0)
        return -1;
    printf(
        "\nHeap of an idle session: libiscsi %.1f KiB, iscsidsc %.1f KiB (goal: at most 7 KiB)\n",
        theirs, ours);
    return 0;
}

static int run(const char *label)
{
    char title[160];

    snprintf(title, sizeof title, "Beside libiscsi, target %s", label);
    io_table(title, "libiscsi");
    if (small_blocks() != 0 || large_blocks() != 0)
        return -1;
    snprintf(title, sizeof title, "With digests of headers and data, target %s", label);
    io_table(title, "none");
    if (digests() != 0)
        return -1;
    snprintf(title, sizeof title, "Several connections and sessions, target %s", label);
    io_table(title, "one");
    if (several_connections(false) != 0 || several_connections(true) != 0 ||
        several_sessions() != 0)
        return -1;
    snprintf(title, sizeof title, "Through the engine (`engine/io.h`), target %s", label);
    io_table(title, "core");
    if (through_engine() != 0)
        return -1;
    return is_wanted("heap") ? heap() : 0;
}

static struct place place_of(char *text)
{
    char *slash = strchr(text, '/');

    if (slash == NULL) {
        fprintf(stderr, "bench_io: %s is not PORTAL/TARGET\n", text);
        exit(2);
    }
    *slash = '\0';
    return (struct place){text, slash + 1};
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr,
                "usage: %s LABEL LUN BLOCKS PORTAL/TARGET SMALL-PORTAL/TARGET "
                "DIGEST-PORTAL/TARGET\n",
                argv[0]);
        return 2;
    }
    large = place_of(argv[4]);
    small = place_of(argv[5]);
    digest = place_of(argv[6]);
    standard = (struct io_job){.lun = atoi(argv[2]),
                               .blocks = strtoull(argv[3], NULL, 10),
                               .connections = 1,
                               .sessions = 1};
    go_to(&standard, large);
    if (run(argv[1]) != 0)
        return 1;
    printf("\nGoals missed: %u rows\n", io_missed());
    return 0;
}
