/*
 * Targets side by side, with libiscsi as the client: how many commands each does in a second of its
 * own CPU time. Runs are interleaved, medians are printed; the first target is what the others are
 * compared with.
 *
 * Usage: bench_target BLOCKS {NAME PID PORTAL TARGET LUN}...
 */
#include "io.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, TARGETS_MOST = 8, SECONDS_MOST = 60 };

struct contestant {
    const char *name;
    const char *pid;
    struct io_job job;
    double rate[ROUNDS]; /* commands a second */
    double cpu[ROUNDS];  /* microseconds of the target for a command */
};

static struct contestant contestants[TARGETS_MOST];
static size_t count;

/* Nanoseconds that a thread has run. */
static double thread_time(const char *pid, const char *thread)
{
    char path[64 + sizeof(((struct dirent *)0)->d_name)];
    unsigned long long time = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, thread);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu", &time) != 1)
        time = 0;
    fclose(file);
    return (double)time;
}

/* Microseconds of CPU time that a process has used, all its threads together. */
static double cpu_of(const char *pid)
{
    char path[64];
    const struct dirent *entry;
    double time = 0;
    DIR *threads;

    snprintf(path, sizeof path, "/proc/%s/task", pid);
    threads = opendir(path);
    while (threads != NULL && (entry = readdir(threads)) != NULL) {
        if (entry->d_name[0] != '.')
            time += thread_time(pid, entry->d_name);
    }
    if (threads != NULL)
        closedir(threads);
    return time / 1e3;
}

static double wall_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int measure(struct contestant *contestant, int round)
{
    const struct io_job *job = &contestant->job;
    uint64_t commands = (192u << 20) / job->size < 20000 ? (192u << 20) / job->size : 20000;
    double wall, cpu;

    if (io_libiscsi.open(job) != 0 || io_libiscsi.pump(commands / 8) != 0)
        return -1;
    wall = wall_now();
    cpu = cpu_of(contestant->pid);
    if (io_libiscsi.pump(commands) != 0)
        return -1;
    contestant->cpu[round] = (cpu_of(contestant->pid) - cpu) / (double)commands;
    contestant->rate[round] = (double)commands / (wall_now() - wall) * 1e6;
    return io_libiscsi.close();
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static int run(const char *title, bool write, bool random, uint32_t size, unsigned depth)
{
    double base = 0;

    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            struct io_job *job = &contestants[i].job;

            job->write = write;
            job->random = random;
            job->size = size;
            job->depth = depth;
            if (measure(&contestants[i], round) != 0)
                return -1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        double cpu = median(contestants[i].cpu);
        double rate = median(contestants[i].rate);

        if (i == 0)
            base = cpu;
        printf("| %s | %s | %.0f | %.2f | %.0f | %.2f |\n", title, contestants[i].name, rate, cpu,
               1e6 / cpu * size / 1e6, base / cpu);
    }
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 2; i + 4 < argc && count < TARGETS_MOST; i += 5) {
        contestants[count].name = argv[i];
        contestants[count].pid = argv[i + 1];
        contestants[count++].job = (struct io_job){.portal = argv[i + 2],
                                                   .target = argv[i + 3],
                                                   .lun = atoi(argv[i + 4]),
                                                   .blocks = strtoull(argv[1], NULL, 10)};
    }
    if (count == 0) {
        fprintf(stderr, "usage: bench_target BLOCKS {NAME PID PORTAL TARGET LUN}...\n");
        return 2;
    }
    alarm(SECONDS_MOST); /* libiscsi waits forever for who has gone */
    printf("| workload | target | commands/s | target's CPU us for one | MB per CPU second | "
           "beside %s |\n"
           "| --- | --- | --- | --- | --- | --- |\n",
           contestants[0].name);
    return run("4 KiB random read, depth 32", false, true, 4096, 32) != 0 ||
                   run("4 KiB random write, depth 32", true, true, 4096, 32) != 0 ||
                   run("256 KiB sequential read, depth 8", false, false, 262144, 8) != 0 ||
                   run("256 KiB sequential write, depth 8", true, false, 262144, 8) != 0
               ? 1
               : 0;
}
