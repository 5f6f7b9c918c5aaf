/*
 * Reads and writes through the devices that a service makes of a unit, beside the initiator's own
 * data path on the same target. Runs are interleaved; medians of the speed are compared, and what
 * all runs have cost is shown by who has paid it: the client, the service, and what belongs to no
 * process that is known here (the kernel's own threads, and whatever else the machine does). The
 * target is left out.
 *
 * Usage: bench_devices BLOCKS PORTAL TARGET TARGET-PID SERVICE-PID [FORM=PATH]...
 */
#include "io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7, WAYS_MOST = 6 };

static pid_t target_pid, service_pid;

/* --- what the processor does, in microseconds --- */

enum payer { CLIENT, CLIENT_KERNEL, SERVICE, SERVICE_KERNEL, TARGET, MACHINE, PAYERS };

struct bill {
    double of[PAYERS];
};

static double clock_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double process_clock(pid_t pid)
{
    clockid_t clock;

    return clock_getcpuclockid(pid, &clock) == 0 ? clock_of(clock) : 0;
}

static double tick(void)
{
    return 1e6 / (double)sysconf(_SC_CLK_TCK);
}

/* In ticks, which is why bills are summed up before anybody looks at them. */
static double kernel_part(pid_t pid)
{
    char path[40], line[1024] = "";
    unsigned long user = 0, kernel = 0;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "r");
    const char *rest = file != NULL && fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    if (file != NULL)
        fclose(file);
    if (rest != NULL && sscanf(rest + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu",
                               &user, &kernel) != 2)
        return 0;
    return (double)kernel * tick();
}

static double machine_busy(void)
{
    unsigned long long user = 0, nice = 0, kernel = 0, hard = 0, soft = 0;
    FILE *file = fopen("/proc/stat", "r");

    if (file == NULL)
        return 0;
    int count =
        fscanf(file, "cpu %llu %llu %llu %*u %*u %llu %llu", &user, &nice, &kernel, &hard, &soft);
    fclose(file);
    return count == 5 ? (double)(user + nice + kernel + hard + soft) * tick() : 0;
}

static struct bill bill_now(void)
{
    struct bill bill;
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    bill.of[CLIENT_KERNEL] = (double)usage.ru_stime.tv_sec * 1e6 + (double)usage.ru_stime.tv_usec;
    bill.of[CLIENT] = process_clock(getpid());
    bill.of[SERVICE] = process_clock(service_pid);
    bill.of[SERVICE_KERNEL] = kernel_part(service_pid);
    bill.of[TARGET] = process_clock(target_pid);
    bill.of[MACHINE] = machine_busy();
    return bill;
}

/* --- a way to the unit --- */

struct way {
    const char *name;
    const struct io_contender *contender;
    const char *path;
    double goal;
    double walls[ROUNDS];
    struct bill sum;
    double commands;
};

static int sample(struct way *way, struct io_job job, uint64_t commands, int round)
{
    job.path = way->path;
    if (way->contender->open(&job) != 0 || way->contender->pump(commands / 8 + job.depth) != 0)
        return -1;
    struct bill before = bill_now();
    double begin = clock_of(CLOCK_MONOTONIC);
    if (way->contender->pump(commands) != 0)
        return -1;
    way->walls[round] = (clock_of(CLOCK_MONOTONIC) - begin) / (double)commands;
    struct bill after = bill_now();
    for (int i = 0; i < PAYERS; i++)
        way->sum.of[i] += after.of[i] - before.of[i];
    way->commands += (double)commands;
    return way->contender->close();
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print(const char *what, const struct way *way, const struct way *core, uint32_t size)
{
    double wall = way->walls[ROUNDS / 2], speed = core->walls[ROUNDS / 2] / wall, each[PAYERS];

    for (int i = 0; i < PAYERS; i++)
        each[i] = way->sum.of[i] / way->commands;
    double others = each[MACHINE] - each[CLIENT] - each[SERVICE] - each[TARGET];
    printf("| %s: %s | %.0f | %.0f | **%.2f**", what, way->name, 1e6 / wall,
           size / wall * 1e6 / (1 << 20), speed);
    if (way->goal > 0)
        printf(" (≥ %.1f) %s", way->goal, speed >= way->goal ? "met" : "missed");
    printf(" | %.2f (%.2f) | %.2f (%.2f) | %.2f | %.2f |\n", each[CLIENT], each[CLIENT_KERNEL],
           each[SERVICE], each[SERVICE_KERNEL], others > 0 ? others : 0, each[TARGET]);
    fflush(stdout);
}

static int compare(const char *what, struct way *ways, size_t count, const struct io_job *job)
{
    const uint64_t commands = job->size > 65536 ? 1000 : 60000;
    const char *only = getenv("BENCH_ONLY");

    if (only != NULL && strstr(what, only) == NULL)
        return 0;
    for (size_t i = 0; i < count; i++) {
        ways[i].sum = (struct bill){{0}};
        ways[i].commands = 0;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++)
            if (sample(&ways[i], *job, commands, round) != 0)
                return -1;
    }
    for (size_t i = 0; i < count; i++)
        qsort(ways[i].walls, ROUNDS, sizeof *ways[i].walls, by_value);
    for (size_t i = 0; i < count; i++)
        print(what, &ways[i], &ways[0], job->size);
    return 0;
}

static int run(struct way *ways, size_t count, struct io_job job)
{
    static const struct {
        const char *what;
        uint32_t size;
        unsigned depth;
        bool random, write;
    } rows[] = {{"4 KiB random read, depth 32", 4096, 32, true, false},
                {"4 KiB random write, depth 32", 4096, 32, true, true},
                {"1 MiB sequential read, depth 16", 1 << 20, 16, false, false},
                {"1 MiB sequential write, depth 16", 1 << 20, 16, false, true}};

    printf("| | per second | MiB/s | ratio (goal) | CPU, us: client (in the kernel) | "
           "service (in the kernel) | others | target |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        job.size = rows[i].size;
        job.depth = rows[i].depth;
        job.random = rows[i].random;
        job.write = rows[i].write;
        if (compare(rows[i].what, ways, count, &job) != 0)
            return -1;
    }
    return 0;
}

static struct way way_of(char *text)
{
    char *path = strchr(text, '=');

    if (path == NULL) {
        fprintf(stderr, "bench_devices: %s is not FORM=PATH\n", text);
        exit(2);
    }
    *path++ = '\0';
    bool nbd = strncmp(text, "NBD", 3) == 0;
    return (struct way){.name = text,
                        .contender = nbd ? &io_nbd : &io_file,
                        .path = path,
                        .goal = strcmp(text, "NBD") == 0    ? 0.8
                                : strcmp(text, "FUSE") == 0 ? 0.7
                                                            : 0};
}

int main(int argc, char **argv)
{
    struct way ways[WAYS_MOST] = {{.name = "core", .contender = &io_core},
                                  {.name = "engine", .contender = &io_engine}};
    size_t count = 2;

    if (argc < 6 || argc > 6 + WAYS_MOST - 2) {
        fprintf(stderr, "usage: %s BLOCKS PORTAL TARGET TARGET-PID SERVICE-PID [FORM=PATH]...\n",
                argv[0]);
        return 2;
    }
    target_pid = (pid_t)atol(argv[4]);
    service_pid = (pid_t)atol(argv[5]);
    for (int i = 6; i < argc; i++)
        ways[count++] = way_of(argv[i]);
    const struct io_job job = {.portal = argv[2],
                               .target = argv[3],
                               .blocks = strtoull(argv[1], NULL, 10),
                               .connections = 1,
                               .sessions = 1};
    return run(ways, count, job) == 0 ? 0 : 1;
}
