/*
 * integrity [options]: reads and writes that go through a proxy which does harm to them, round
 * after round, each with parameters of its own. Whatever is told to have succeeded must be true.
 *
 *   --seed N         of the first round; each next one has the next number
 *   --rounds N, --seconds N, --bytes SIZE   when to end (the first that is reached; default 6
 * rounds)
 *   --round SIZE     bytes of a round (16M)
 *   --threads        the target and the proxy on a thread of their own
 *   --verbose        tells why connections end
 *   --level N        only rounds of this error recovery level
 *   --peer HOST:PORT --target NAME --lun N [--digests none|header|data|both]
 *                    not the embedded target, but this one, at level 0; its disk holds at first
 * what those of the test harness hold
 *
 * docs/testing.md tells how to read what it prints.
 */
#include "carrier.h"
#include "far.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCKS = 16384,
    QUIET_MOST = 40000, /* milliseconds without a command that ended */
    LEVELS = 3,
};

struct options {
    uint64_t seed, bytes, round_bytes;
    uint64_t until; /* time */
    unsigned rounds;
    int level; /* -1: all */
    bool threads, verbose;
    const char *peer; /* its name in the environment; NULL: embedded */
    bool header_digest, data_digest;
};

/* What a round is like. */
struct shape {
    unsigned level, connections;
    const char *harm;  /* what kinds of */
    bool all_recovers; /* no command may fail */
    struct far_settings far;
    struct carrier_settings carrier;
    struct load_settings load;
};

struct round {
    const struct options *options;
    uint64_t seed;
    struct shape shape;
    struct os_loop *loop;
    struct far *far;
    struct carrier *carrier;
    struct shadow *shadow;
    struct load load;
    struct os_job turn;
    struct os_timer watchdog;
    bool posted;
    bool reading;
    uint64_t progress, quiet_since, begun;
    struct proxy_counts harm;
    struct carrier_counts counts;
    char hung[200];
};

/* Over all rounds, by level. */
struct sum {
    uint64_t rounds, bytes, commands, failed, unknown, losses, sessions, retries;
    uint64_t damaged, cut;
};

static struct sum sums[LEVELS];

/* --- what a round is like --- */

static void choose_harm(struct shape *shape, struct dice *dice, const struct options *options,
                        bool repeats)
{
    static const uint32_t data[HARM_COUNT] = {
        [HARM_DATA] = 60, [HARM_SWAP] = 5, [HARM_DELAY] = 800};
    static const uint32_t cuts[HARM_COUNT] = {
        [HARM_STALL] = 20000, [HARM_END] = 600, [HARM_RESET] = 600, [HARM_SWAP] = 20};
    static const uint32_t stalls[HARM_COUNT] = {[HARM_STALL] = 700, [HARM_SWAP] = 20};
    static const uint32_t all[HARM_COUNT] = {
        [HARM_HEADER] = 1500, [HARM_DATA] = 300,    [HARM_LOSE] = 3000, [HARM_SWAP] = 10,
        [HARM_DELAY] = 1000,  [HARM_STALL] = 20000, [HARM_END] = 3000,  [HARM_RESET] = 3000};
    uint32_t *chance = shape->far.proxy.chance;
    unsigned which = dice_below(dice, 5);
    unsigned severity = dice_between(dice, 1, 4);
    static const struct {
        const char *name;
        const uint32_t *chance;
    } kinds[] = {{"all", all}, {"data", data}, {"cuts", cuts}, {"all", all}, {"stalls", stalls}};

    if (repeats) /* a command is lost so and so often at most */
        severity *= 8;
    shape->harm = kinds[which].name;
    memcpy(chance, kinds[which].chance, sizeof all);
    for (unsigned i = 0; i < HARM_COUNT; i++)
        chance[i] *= severity;
    shape->all_recovers = shape->level == 2 || (shape->level == 1 && which == 1);
    shape->far.proxy.header_digest = options->header_digest;
    shape->far.proxy.data_digest = options->data_digest;
}

static struct key_offers choose_offers(struct dice *dice, const struct options *options,
                                       const struct shape *shape)
{
    static const uint32_t segments[] = {1024, 4096, 8192, 65536, 262144};
    bool in_order = options->peer != NULL || dice_one_in(dice, 2);

    return (struct key_offers){
        .header_digest = options->header_digest ? "CRC32C" : "None",
        .data_digest = options->data_digest ? "CRC32C" : "None",
        .max_recv_data_segment_length = segments[dice_below(dice, 5)],
        .max_connections = shape->connections,
        .initial_r2t = dice_one_in(dice, 2),
        .immediate_data = dice_one_in(dice, 2),
        .max_burst_length = dice_one_in(dice, 2) ? 16384 : 262144,
        .first_burst_length = dice_one_in(dice, 2) ? 4096 : 65536,
        .default_time2retain = 20,
        .max_outstanding_r2t = dice_between(dice, 1, 8),
        .data_pdu_in_order = in_order || dice_one_in(dice, 2),
        .data_sequence_in_order = in_order,
        .error_recovery_level = (uint8_t)shape->level,
    };
}

static struct session_settings session_of(const struct options *options,
                                          const struct key_offers *offers)
{
    return (struct session_settings){
        .initiator_name = "iqn.2026-11.org.example:soak-initiator",
        .target_name = options->peer != NULL ? "iqn.2026-11.org.example:open" : FAR_TARGET,
        .isid = {0x40, 0, 1, 0x37, 0, 7},
        .offers = *offers,
        .keep_tasks = true,
        .timeouts = {.login = 10000,
                     .command = 20000,
                     .logout = 5000,
                     .abort = 3000,
                     .reset = 3000,
                     .idle = 500,
                     .ping = 700},
    };
}

static void on_changed(void *context);
static bool on_submit(void *context, struct request *request);

static struct shape choose_shape(struct round *round)
{
    const struct options *options = round->options;
    struct dice dice = {round->seed};
    struct shape shape = {.level = (unsigned)(round->seed % LEVELS)};

    if (options->level >= 0)
        shape.level = (unsigned)options->level;
    shape.connections = options->peer != NULL ? 1 : dice_between(&dice, 1, 3);
    shape.carrier.seed = round->seed;
    choose_harm(&shape, &dice, options, carrier_repeats(&shape.carrier));
    shape.far.proxy.seed = round->seed;
    shape.far.embedded = options->peer == NULL;
    shape.far.thread = options->threads;
    shape.far.bytes = (uint64_t)BLOCKS * SHADOW_BLOCK;
    shape.far.shuffled = dice_one_in(&dice, 2);
    shape.far.separate_status = dice_one_in(&dice, 3);
    shape.far.offers = choose_offers(&dice, options, &shape);
    shape.carrier.session = session_of(options, &shape.far.offers);
    shape.carrier.session.offers.max_recv_data_segment_length =
        dice_one_in(&dice, 2) ? 262144 : 8192;
    shape.carrier.connections = shape.connections;
    shape.carrier.verbose = options->verbose;
    shape.all_recovers = shape.all_recovers || carrier_repeats(&shape.carrier);
    shape.carrier.changed = on_changed;
    shape.carrier.context = round;
    shape.load = (struct load_settings){
        .depth = 1u << dice_below(&dice, 6),
        .blocks_most = dice_one_in(&dice, 2) ? 1024 : 128,
        .reads = dice_between(&dice, 30, 70),
        .force = 8,
        .flush = 200,
        .bytes = options->round_bytes,
        .changed = on_changed,
        .submit = on_submit,
        .context = round,
    };
    return shape;
}

/* --- its course --- */

static bool on_submit(void *context, struct request *request)
{
    struct round *round = context;

    return carrier_submit(round->carrier, request);
}

static void on_changed(void *context)
{
    struct round *round = context;

    if (round->posted)
        return;
    round->posted = true;
    os_loop_post(round->loop, &round->turn);
}

/* The harm is over: what does the disk hold? */
static void begin_reading(struct round *round)
{
    round->reading = true;
    far_calm(round->far);
    load_read_all(&round->load);
}

static void on_turn(struct os_job *job)
{
    struct round *round = LIST_OWNER(job, struct round, turn);
    struct load *load = &round->load;

    round->posted = false;
    if (round->shadow->wrong[0] != '\0') {
        os_loop_stop(round->loop);
        return;
    }
    if (!round->reading && os_now() >= round->options->until)
        load->settings.bytes = load->moved;
    if (!round->reading && load_is_over(load))
        begin_reading(round);
    if (round->reading && load_is_over(load)) {
        os_loop_stop(round->loop);
        return;
    }
    carrier_hold(round->carrier);
    load_pump(load);
    carrier_release(round->carrier);
}

static void on_watchdog(struct os_timer *timer)
{
    struct round *round = LIST_OWNER(timer, struct round, watchdog);
    const struct load *load = &round->load;
    uint64_t progress = load->moved + load->flushes + load->failed;
    uint64_t now = os_now();

    if (progress != round->progress)
        round->quiet_since = now;
    round->progress = progress;
    if (now - round->quiet_since > QUIET_MOST) {
        carrier_describe(round->carrier, round->hung, sizeof round->hung);
        os_loop_stop(round->loop);
        return;
    }
    on_changed(round); /* what was in the way may be gone */
    os_timer_set(round->loop, timer, now + 200);
}

static void open_carrier(struct round *round)
{
    struct carrier_settings *settings = &round->shape.carrier;

    snprintf(settings->portal.host, sizeof settings->portal.host, "127.0.0.1");
    settings->portal.port = far_port(round->far);
    round->carrier = carrier_open(round->loop, settings);
}

static const char *of_peer(const char *peer, const char *what)
{
    char name[64];
    const char *value;

    snprintf(name, sizeof name, "TEST_%s_%s", peer, what);
    value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "no %s in the environment\n", name);
        exit(2);
    }
    return value;
}

static void use_peer(struct shape *shape, const char *peer)
{
    const char *portal_text = of_peer(peer, "PORTAL");
    struct portal_address portal;

    shape->carrier.lun = scsi_lun_encode((uint32_t)atoi(of_peer(peer, "LUN")));
    if (portal_parse(portal_text, strlen(portal_text), false, false, &portal) != STATUS_OK ||
        !os_address_parse(&shape->far.proxy.target, portal.host, portal.port)) {
        fprintf(stderr, "%s: not an address and a port\n", portal_text);
        exit(2);
    }
}

static void run_round(struct round *round)
{
    round->begun = round->quiet_since = os_now();
    round->shape = choose_shape(round);
    if (round->options->peer != NULL)
        use_peer(&round->shape, round->options->peer);
    round->loop = os_loop_new();
    if (round->loop == NULL)
        exit(1);
    round->turn.run = on_turn;
    round->watchdog.fire = on_watchdog;
    load_open(&round->load, round->shadow, round->seed);
    load_set(&round->load, &round->shape.load);
    round->far = far_open(round->loop, &round->shape.far);
    open_carrier(round);
    os_timer_set(round->loop, &round->watchdog, os_now() + 200);
    os_loop_run(round->loop);
    round->load.paused = true;
    carrier_counts(round->carrier, &round->counts);
    carrier_close(round->carrier);
    far_close(round->far, &round->harm);
    os_loop_free(round->loop);
    load_close(&round->load);
}

/* --- what came of it --- */

static void print_harm(const struct proxy_counts *harm)
{
    for (unsigned i = 0; i < HARM_COUNT; i++) {
        if (harm->harm[i] > 0)
            printf(", %" PRIu64 " %s", harm->harm[i], harm_names[i]);
    }
}

static void print_round(const struct round *round)
{
    const struct shape *shape = &round->shape;
    const struct load *load = &round->load;
    const struct carrier_counts *counts = &round->counts;

    printf("round %" PRIu64 ": level %u, %u connections, depth %u, harm to %s: %" PRIu64
           " MB in %.1f s, %" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64 " flushes; %" PRIu64
           " PDUs",
           round->seed, shape->level, shape->connections, shape->load.depth, shape->harm,
           load->moved >> 20, (double)(os_now() - round->begun) / 1000, load->reads, load->writes,
           load->flushes, round->harm.pdus);
    print_harm(&round->harm);
    printf("; %" PRIu64 " connections lost, %" PRIu64 " sessions, %" PRIu64 " retries; %" PRIu64
           " commands failed (%" PRIu64 " writes in doubt)%s%s\n",
           counts->losses, counts->sessions, counts->statistics.retries, load->failed,
           load->unknown, load->failed > 0 ? ", the last by: " : "", load->error);
    fflush(stdout);
}

static void add_round(const struct round *round)
{
    struct sum *sum = &sums[round->shape.level];
    const uint64_t *harm = round->harm.harm;

    sum->rounds++;
    sum->bytes += round->load.moved;
    sum->commands += round->load.reads + round->load.writes + round->load.flushes;
    sum->failed += round->load.failed;
    sum->unknown += round->load.unknown;
    sum->losses += round->counts.losses;
    sum->sessions += round->counts.sessions;
    sum->retries += round->counts.statistics.retries;
    sum->damaged += harm[HARM_DATA] + harm[HARM_HEADER] + harm[HARM_LOSE];
    sum->cut += harm[HARM_STALL] + harm[HARM_END] + harm[HARM_RESET];
}

static const char *problem(const struct round *round)
{
    const struct load *load = &round->load;
    static char text[500];

    if (round->shadow->wrong[0] != '\0')
        return round->shadow->wrong;
    text[0] = '\0';
    if (round->hung[0] != '\0')
        snprintf(text, sizeof text, "no command has ended for %d s: %s", QUIET_MOST / 1000,
                 round->hung);
    else if (shadow_unsettled(round->shadow) > 0)
        snprintf(text, sizeof text, "%u blocks were not read at the end",
                 shadow_unsettled(round->shadow));
    else if (round->shape.all_recovers && load->failed > 0)
        snprintf(text, sizeof text,
                 "%" PRIu64
                 " commands failed that should not have at level %u (the last: %s; the last "
                 "connection: %s)",
                 load->failed, round->shape.level, load->error, round->counts.last);
    return text[0] != '\0' ? text : NULL;
}

static bool do_round(const struct options *options, uint64_t seed, struct shadow *shadow)
{
    static struct round round;
    const char *wrong;

    round = (struct round){.options = options, .seed = seed, .shadow = shadow};
    run_round(&round);
    print_round(&round);
    add_round(&round);
    wrong = problem(&round);
    if (wrong != NULL)
        printf("FAILED in round %" PRIu64 ": %s\n"
               "(again: --seed %" PRIu64 " --rounds 1 and the other options as they are)\n",
               seed, wrong, seed);
    return wrong == NULL;
}

static uint64_t print_sums(void)
{
    uint64_t bytes = 0;

    printf("%-6s %7s %9s %10s %9s %6s %7s %9s %8s %8s %9s\n", "level", "rounds", "MB", "commands",
           "damaged", "cut", "losses", "sessions", "retries", "failed", "in doubt");
    for (unsigned i = 0; i < LEVELS; i++) {
        const struct sum *sum = &sums[i];

        bytes += sum->bytes;
        printf("%-6u %7" PRIu64 " %9" PRIu64 " %10" PRIu64 " %9" PRIu64 " %6" PRIu64 " %7" PRIu64
               " %9" PRIu64 " %8" PRIu64 " %8" PRIu64 " %9" PRIu64 "\n",
               i, sum->rounds, sum->bytes >> 20, sum->commands, sum->damaged, sum->cut, sum->losses,
               sum->sessions, sum->retries, sum->failed, sum->unknown);
    }
    fflush(stdout);
    return bytes;
}

/* --- options --- */

static uint64_t read_size(const char *text)
{
    char *end;
    uint64_t size = strtoull(text, &end, 0);
    const char *units = "KMG", *unit = *end != '\0' ? strchr(units, *end) : NULL;

    if (end == text || (*end != '\0' && unit == NULL)) {
        fprintf(stderr, "%s: not a number\n", text);
        exit(2);
    }
    return unit != NULL ? size << (10 * (unit - units + 1)) : size;
}

static void set_digests(struct options *options, const char *text)
{
    options->header_digest = strcmp(text, "both") == 0 || strcmp(text, "header") == 0;
    options->data_digest = strcmp(text, "both") == 0 || strcmp(text, "data") == 0;
}

static void obey(struct options *options, int code)
{
    switch (code) {
    case 's':
        options->seed = read_size(optarg);
        break;
    case 'n':
        options->rounds = (unsigned)read_size(optarg);
        break;
    case 't':
        options->until = os_now() + 1000 * read_size(optarg);
        break;
    case 'b':
        options->bytes = read_size(optarg);
        break;
    case 'r':
        options->round_bytes = read_size(optarg);
        break;
    case 'T':
        options->threads = true;
        break;
    case 'v':
        options->verbose = true;
        break;
    case 'l':
        options->level = (int)read_size(optarg) % LEVELS;
        break;
    case 'p':
        options->peer = optarg;
        options->level = 0;
        break;
    case 'd':
        set_digests(options, optarg);
        break;
    default:
        exit(2);
    }
}

static struct options read_options(int argc, char **argv)
{
    static const struct option table[] = {
        {"seed", 1, NULL, 's'},    {"rounds", 1, NULL, 'n'}, {"seconds", 1, NULL, 't'},
        {"bytes", 1, NULL, 'b'},   {"round", 1, NULL, 'r'},  {"threads", 0, NULL, 'T'},
        {"level", 1, NULL, 'l'},   {"peer", 1, NULL, 'p'},   {"digests", 1, NULL, 'd'},
        {"verbose", 0, NULL, 'v'}, {NULL, 0, NULL, 0},
    };
    struct options options = {.round_bytes = 16u << 20,
                              .until = UINT64_MAX,
                              .level = -1,
                              .header_digest = true,
                              .data_digest = true};
    int code;

    options.seed = os_now_us() % 1000000 * 1000;
    while ((code = getopt_long(argc, argv, "", table, NULL)) != -1)
        obey(&options, code);
    if (options.rounds == 0)
        options.rounds = options.until == UINT64_MAX && options.bytes == 0 ? 6 : UINT32_MAX;
    if (options.bytes == 0)
        options.bytes = UINT64_MAX;
    return options;
}

int main(int argc, char **argv)
{
    const struct options options = read_options(argc, argv);
    struct shadow *shadow = NULL;
    uint64_t moved = 0;
    bool good = true;

    printf("seed %" PRIu64 "\n", options.seed);
    for (unsigned i = 0; good && i < options.rounds && moved < options.bytes; i++) {
        if (i > 0 && os_now() >= options.until)
            break;
        /* The embedded target begins anew each time. */
        if (shadow == NULL || options.peer == NULL) {
            if (shadow != NULL)
                shadow_free(shadow);
            shadow = shadow_new(options.seed + i, BLOCKS);
        }
        good = do_round(&options, options.seed + i, shadow);
        moved = sums[0].bytes + sums[1].bytes + sums[2].bytes;
    }
    if (shadow != NULL)
        shadow_free(shadow);
    print_sums();
    puts(good ? "every byte was right" : "FAILED");
    return good ? 0 : 1;
}
