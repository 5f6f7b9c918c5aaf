/* The threads, and the end of it all. */
#include "parallel.h"

#include <time.h>

unsigned long total_calls(void);
const char *never_called(void);

static struct action actions[256];
static size_t action_count;
static struct worker workers[WORKERS];

static void collect(const struct action *more)
{
    for (; more->name != NULL; more++)
        actions[action_count++] = *more;
}

static size_t common_divisor(size_t a, size_t b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

/* First each action once, in an order of the worker's own, however long that takes; then at random.
 */
static void work(void *argument)
{
    struct worker *worker = argument;
    size_t offset = draw(worker, (uint32_t)action_count);
    size_t stride = 1 + draw(worker, (uint32_t)action_count);
    while (common_divisor(stride, action_count) != 1)
        stride++;
    for (size_t i = 0; i < action_count && !failed(); i++)
        actions[(offset + i * stride) % action_count].run(worker);
    while (!stopped(worker))
        actions[draw(worker, (uint32_t)action_count)].run(worker);
}

static void begin(unsigned seconds, uint64_t seed)
{
    uint64_t deadline = milliseconds() + seconds * 1000;
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].number = i;
        workers[i].random = (seed + i + 1) * 0x9E3779B97F4A7C15ull;
        workers[i].deadline = deadline;
        workers[i].room_size = 64;
        workers[i].room = malloc(workers[i].room_size);
        if (workers[i].room == NULL)
            abort();
    }
}

static int report_problems(void)
{
    int problems = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        if (workers[i].problem[0] != '\0') {
            printf("worker %u: %s\n", i, workers[i].problem);
            problems++;
        }
    }
    const char *impossible = problems == 0 ? history_check() : NULL;
    if (impossible != NULL) {
        printf("%s\n", impossible);
        problems++;
    }
    return problems;
}

/* The workers are gone: nothing may differ from their models any more. */
static bool check_final(void)
{
    return final_portals(workers) && final_targets(workers) && final_sessions(workers) &&
           final_logins(workers) && final_servers(workers);
}

int main(int argc, char **argv)
{
    struct thread *threads[WORKERS];
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    struct endpoint at = main_portal();

    collect(discovery_actions);
    collect(target_actions);
    collect(session_actions);
    collect(setting_actions);
    collect(server_actions);
    collect(device_actions);
    printf("%u threads, %lu actions, %u s, seed %llu\n", (unsigned)WORKERS,
           (unsigned long)action_count, seconds, (unsigned long long)seed);
    fflush(stdout);
    ISDSC_STATUS status = add_portal(&at, NULL);
    if (status != ERROR_SUCCESS) {
        printf("discovery failed with 0x%lx\n", (unsigned long)status);
        return 1;
    }
    history_add(NODE_NAME_SET, history_now(), 0);
    begin(seconds, seed);
    for (unsigned i = 0; i < WORKERS; i++)
        threads[i] = thread_start(work, &workers[i]);
    for (unsigned i = 0; i < WORKERS; i++)
        thread_join(threads[i]);
    if (!failed())
        check_final();
    int problems = report_problems();
    const char *forgotten = never_called();
    printf("%lu calls, %d problems\n", total_calls(), problems);
    if (forgotten != NULL)
        printf("%s was never called\n", forgotten);
    for (unsigned i = 0; i < WORKERS; i++)
        free(workers[i].room);
    return problems > 0 || forgotten != NULL;
}
