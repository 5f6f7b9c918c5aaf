/*
 * Login and logout, SendTargets and INQUIRY beside libiscsi, on the same target in the same
 * run: runs are interleaved, medians are printed, and the ratio to libiscsi.
 *
 * Usage: bench_initiator PORTAL TARGET MANY-PORTAL
 */
#include "contender.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define ROUNDS 15

static const struct contender *const contenders[] = {
    &contender_libiscsi,
    &contender_api,
    &contender_core,
};
enum { CONTENDERS = sizeof contenders / sizeof *contenders };

struct sample {
    double wall; /* microseconds for one */
    double cpu;  /* user and system, all threads of the process */
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

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const struct sample *samples, int cpu)
{
    double values[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        values[i] = cpu ? samples[i].cpu : samples[i].wall;
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

struct job {
    const char *title;
    const char *unit;
    int repeats; /* in one sample */
    int (*begin)(const struct contender *contender);
    int (*once)(const struct contender *contender);
    int (*end)(const struct contender *contender);
};

static const char *portal, *target, *many_portal;

static int nothing(const struct contender *contender)
{
    (void)contender;
    return 0;
}

static int login_logout(const struct contender *contender)
{
    return contender->login_logout(portal, target);
}

static int discover(const struct contender *contender)
{
    int count = contender->discover(many_portal);

    if (count < 1000) {
        fprintf(stderr, "%s found %d targets where 1000 are\n", contender->name, count);
        return -1;
    }
    return 0;
}

static int open_session(const struct contender *contender)
{
    return contender->open(portal, target);
}

static int inquiry(const struct contender *contender)
{
    return contender->inquiry();
}

static int close_session(const struct contender *contender)
{
    return contender->close();
}

static const struct job jobs[] = {
    {"login + logout", "us", 100, nothing, login_logout, nothing},
    {"SendTargets, 1,000 targets", "us", 5, nothing, discover, nothing},
    {"INQUIRY round trip", "us", 2000, open_session, inquiry, close_session},
};

static int measure(const struct job *job, const struct contender *contender, struct sample *sample)
{
    double wall, cpu;

    if (job->begin(contender) != 0)
        return -1;
    wall = wall_now();
    cpu = cpu_now();
    for (int i = 0; i < job->repeats; i++)
        if (job->once(contender) != 0)
            return -1;
    sample->wall = (wall_now() - wall) / job->repeats;
    sample->cpu = (cpu_now() - cpu) / job->repeats;
    return job->end(contender);
}

static int run(const struct job *job)
{
    static struct sample samples[CONTENDERS][ROUNDS];
    double wall, cpu;

    for (int round = -1; round < ROUNDS; round++) /* round -1 warms up */
        for (int i = 0; i < CONTENDERS; i++)
            if (measure(job, contenders[i], &samples[i][round < 0 ? 0 : round]) != 0)
                return -1;
    wall = median(samples[0], 0);
    cpu = median(samples[0], 1);
    printf("%s\n", job->title);
    for (int i = 0; i < CONTENDERS; i++)
        printf("  %-16s %10.1f %s  (x %.2f)   cpu %9.1f us  (x %.2f)   %9.0f /s\n",
               contenders[i]->name, median(samples[i], 0), job->unit, median(samples[i], 0) / wall,
               median(samples[i], 1), median(samples[i], 1) / cpu, 1e6 / median(samples[i], 0));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s PORTAL TARGET PORTAL-WITH-1000-TARGETS\n", argv[0]);
        return 2;
    }
    portal = argv[1];
    target = argv[2];
    many_portal = argv[3];
    printf("medians of %d interleaved runs; in brackets the ratio to libiscsi (less is better)\n",
           ROUNDS);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        if (run(&jobs[i]) != 0)
            return 1;
    return 0;
}
