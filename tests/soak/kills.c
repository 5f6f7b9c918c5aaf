/*
 * kills [options]: the target is killed while it writes, and started again, over and over. What it
 * told to last has to be on its disk each time, and each block has to be whole.
 *
 *   --kills N       (30)
 *   --seed N
 *   --target PATH   iscsi-test-target; by default the one beside this program
 *   --verbose
 *
 * docs/testing.md tells how to read what it prints.
 */
#include "carrier.h"
#include "victim.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCKS = 4096,
    LIFE_MOST = 60,     /* milliseconds of writing before the kill */
    QUIET_MOST = 30000, /* milliseconds without a command that ended */
};

enum phase {
    WRITING,
    DYING,   /* killed and started again; commands of before end */
    READING, /* what the new one has */
};

struct run {
    unsigned kills, wanted;
    uint64_t seed;
    bool verbose, cached;
    enum phase phase;
    struct dice dice;
    struct victim victim;
    struct os_loop *loop;
    struct carrier *carrier;
    struct shadow *shadow;
    struct load load;
    struct os_job turn;
    struct os_timer death, watchdog;
    bool posted;
    uint64_t progress, quiet_since;
    uint8_t *disk;
    uint64_t in_doubt; /* blocks, over all kills */
    char problem[400];
};

static void on_changed(void *context)
{
    struct run *run = context;

    if (run->posted)
        return;
    run->posted = true;
    os_loop_post(run->loop, &run->turn);
}

static bool on_submit(void *context, struct request *request)
{
    struct run *run = context;

    return carrier_submit(run->carrier, request);
}

static void end(struct run *run, const char *problem)
{
    snprintf(run->problem, sizeof run->problem, "%s", problem);
    os_loop_stop(run->loop);
}

/* --- the course of it --- */

static void begin_writing(struct run *run)
{
    const struct load_settings settings = {
        .depth = 1u << dice_below(&run->dice, 6),
        .blocks_most = dice_one_in(&run->dice, 2) ? 8 : 256,
        .reads = 20,
        .force = dice_one_in(&run->dice, 2) ? 2 : 10,
        .flush = 20,
        .bytes = UINT64_MAX,
        .all_lasts = !run->cached,
        .changed = on_changed,
        .submit = on_submit,
        .context = run,
    };

    load_set(&run->load, &settings);
    run->phase = WRITING;
    os_timer_set(run->loop, &run->death, os_now() + dice_between(&run->dice, 1, LIFE_MOST));
}

static void start_victim(struct run *run)
{
    run->cached = dice_one_in(&run->dice, 2);
    victim_start(&run->victim, run->cached);
}

static void on_death(struct os_timer *timer)
{
    struct run *run = LIST_OWNER(timer, struct run, death);

    victim_kill(&run->victim);
    victim_read(&run->victim, run->disk, BLOCKS);
    run->kills++;
    run->phase = DYING;
    run->load.paused = true;
    /* At level 2 commands wait for it; none of them may be given to the one that comes now. */
    start_victim(run);
    on_changed(run);
}

/* All that was under way has ended, so what the disk may have held is known. */
static void begin_reading(struct run *run)
{
    shadow_power_lost(run->shadow);
    run->in_doubt += shadow_unsettled(run->shadow);
    shadow_check(run->shadow, 0, BLOCKS, run->disk);
    shadow_settled(run->shadow);
    run->phase = READING;
    run->load.paused = false;
    load_read_all(&run->load);
}

static void on_turn(struct os_job *job)
{
    struct run *run = LIST_OWNER(job, struct run, turn);

    run->posted = false;
    if (run->phase == DYING && run->load.busy == 0)
        begin_reading(run);
    if (run->shadow->wrong[0] != '\0') {
        end(run, run->shadow->wrong);
        return;
    }
    if (run->phase == READING && load_is_over(&run->load)) {
        if (run->kills >= run->wanted) {
            end(run, "");
            return;
        }
        begin_writing(run);
    }
    carrier_hold(run->carrier);
    load_pump(&run->load);
    carrier_release(run->carrier);
}

static void on_watchdog(struct os_timer *timer)
{
    struct run *run = LIST_OWNER(timer, struct run, watchdog);
    uint64_t progress = run->load.reads + run->load.writes + run->load.failed + run->kills;
    uint64_t now = os_now();
    char text[200];

    if (progress != run->progress)
        run->quiet_since = now;
    run->progress = progress;
    if (now - run->quiet_since > QUIET_MOST) {
        carrier_describe(run->carrier, text, sizeof text);
        end(run, text);
        return;
    }
    on_changed(run);
    os_timer_set(run->loop, timer, now + 200);
}

/* --- begin and end --- */

static struct carrier_settings session_of(struct run *run)
{
    struct carrier_settings settings = {
        .session = {.initiator_name = "iqn.2026-11.org.example:soak-initiator",
                    .target_name = VICTIM_TARGET,
                    .isid = {0x40, 0, 1, 0x37, 0, 8},
                    .offers = {.header_digest = "CRC32C",
                               .data_digest = "CRC32C",
                               .max_recv_data_segment_length = 65536,
                               .max_connections = CARRIER_CONNECTIONS_MOST,
                               .immediate_data = true,
                               .max_burst_length = 65536,
                               .first_burst_length = 16384,
                               .default_time2retain = 20,
                               .max_outstanding_r2t = 4,
                               .data_pdu_in_order = true,
                               .data_sequence_in_order = true},
                    .keep_tasks = true,
                    .timeouts = {.login = 5000, .command = 15000, .logout = 2000}},
        .connections = dice_between(&run->dice, 1, 3),
        .seed = run->seed,
        .verbose = run->verbose,
        .changed = on_changed,
        .context = run,
    };

    settings.session.offers.error_recovery_level = dice_one_in(&run->dice, 2) ? 2 : 0;
    snprintf(settings.portal.host, sizeof settings.portal.host, "127.0.0.1");
    settings.portal.port = run->victim.port;
    return settings;
}

static void open_run(struct run *run, const char *program)
{
    struct carrier_settings settings;

    run->dice.state = run->seed;
    run->shadow = shadow_new(run->seed, BLOCKS);
    run->disk = malloc((size_t)BLOCKS * SHADOW_BLOCK);
    run->loop = os_loop_new();
    if (run->disk == NULL || run->loop == NULL)
        exit(1);
    run->turn.run = on_turn;
    run->death.fire = on_death;
    run->watchdog.fire = on_watchdog;
    load_open(&run->load, run->shadow, run->seed);
    victim_prepare(&run->victim, program, BLOCKS);
    start_victim(run);
    settings = session_of(run);
    printf("seed %" PRIu64 ": level %u, %u connections\n", run->seed,
           settings.session.offers.error_recovery_level, settings.connections);
    run->carrier = carrier_open(run->loop, &settings);
    run->quiet_since = os_now();
    begin_writing(run);
    os_timer_set(run->loop, &run->watchdog, os_now() + 200);
}

static void close_run(struct run *run)
{
    run->load.paused = true;
    carrier_close(run->carrier);
    victim_kill(&run->victim);
    victim_remove(&run->victim);
    load_close(&run->load);
    os_loop_free(run->loop);
    shadow_free(run->shadow);
    free(run->disk);
}

static void print_result(const struct run *run, double seconds)
{
    const struct load *load = &run->load;

    printf("%u kills in %.1f s: %" PRIu64 " writes, %" PRIu64 " flushes and %" PRIu64
           " reads were acknowledged; %" PRIu64 " commands failed, %" PRIu64
           " writes among them in doubt; %" PRIu64 " blocks were allowed to be old or new\n",
           run->kills, seconds, load->writes, load->flushes, load->reads, load->failed,
           load->unknown, run->in_doubt);
    if (run->problem[0] != '\0')
        printf("FAILED after kill %u: %s\n(again: --seed %" PRIu64 " --kills %u)\n", run->kills,
               run->problem, run->seed, run->wanted);
    else
        puts("what was acknowledged to last was on the disk each time");
}

/* Beside this program. */
static const char *default_target(const char *self)
{
    static char path[512];
    const char *slash = strrchr(self, '/');

    snprintf(path, sizeof path, "%.*siscsi-test-target",
             slash != NULL ? (int)(slash - self + 1) : 0, self);
    return path;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {{"kills", 1, NULL, 'k'},
                                          {"seed", 1, NULL, 's'},
                                          {"target", 1, NULL, 't'},
                                          {"verbose", 0, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    static struct run run = {.wanted = 30};
    const char *program = default_target(argv[0]);
    uint64_t begun = os_now();
    bool good;
    int code;

    run.seed = os_now_us() % 1000000;
    while ((code = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (code == 'k')
            run.wanted = (unsigned)strtoul(optarg, NULL, 0);
        else if (code == 's')
            run.seed = strtoull(optarg, NULL, 0);
        else if (code == 't')
            program = optarg;
        else if (code == 'v')
            run.verbose = true;
        else
            return 2;
    }
    open_run(&run, program);
    os_loop_run(run.loop);
    good = run.problem[0] == '\0' && run.kills >= run.wanted;
    print_result(&run, (double)(os_now() - begun) / 1000);
    close_run(&run);
    return good ? 0 : 1;
}
