/*
 * The cases of recovery_cases.h: the initiator core against the embedded target that misbehaves by
 * script, coupled in memory on one clock. `test_recovery_cases NAME` plays one and tells what
 * happened.
 */
#include "initiator_peer.h"
#include "target/connection.h"
#include "target/script.h"

#include <stdio.h>

enum trait {
    DIGESTS = 1,
    ASKED = 2,          /* no immediate and no unsolicited data */
    IMMEDIATE_ONLY = 4, /* no unsolicited data */
    UNSOLICITED_ONLY = 8,
    SHUFFLED = 16, /* data in any order */
    BACKWARDS = 32,
    SEPARATE = 64, /* the status of a read comes apart */
    NO_ACK = 128,
    TWO = 256,  /* connections */
    LATE = 512, /* the target asks again for data that do not come */
    DRIBBLE = 1024,
    WINDOW_1 = 2048,
    ONE_R2T = 4096,
};

enum outcome {
    GOOD,
    AGAIN,
    FAILS,
    LOST,
};

static const char *const outcome_names[] = {"GOOD", "AGAIN", "FAILS", "LOST"};

struct recovery_case {
    const char *name;
    unsigned level;
    unsigned traits;
    enum outcome outcome;
    const char *script;
};

static const struct recovery_case cases[] = {
#define CASE(name, level, traits, outcome, script) {#name, level, traits, outcome, script},
#include "recovery_cases.h"
#undef CASE
};

enum {
    BLOCK = 512,
    DISK_BLOCKS = 2048,
    WORKS = 6,
    WIRES = 8, /* over all of a case */
    TURN = 10, /* milliseconds */
    LAST_TURN = 6000,
};

struct wire {
    struct connection *connection;
    struct target_connection *target;
    bool logged_in;
    bool over;
    char detail[200];
};

/* One command; its data in and out are each in three pieces. */
struct work {
    struct task task;
    const char *name;
    uint32_t lba;
    uint32_t write, read; /* blocks */
    struct iov pieces[2][3];
    uint8_t out[64 * BLOCK];
    uint8_t in[64 * BLOCK];
    bool done;
};

struct world {
    const struct recovery_case *now_played;
    struct target_entity *entity;
    struct target_script *script;
    struct target_disk *disk;
    struct session_settings settings;
    struct session *session;
    struct wire wires[WIRES];
    struct work works[WORKS];
    unsigned opened, lost, done;
    uint64_t now;
    uint8_t before[DISK_BLOCKS * BLOCK]; /* what the disk held */
};

static bool has(const struct world *world, enum trait trait)
{
    return (world->now_played->traits & (unsigned)trait) != 0;
}

/* --- the owner --- */

static void on_output(void *owner, struct connection *connection)
{
    (void)owner;
    (void)connection;
}

static void on_logged_in(void *owner, struct connection *connection)
{
    (void)connection;
    ((struct wire *)owner)->logged_in = true;
}

static void on_closed(void *owner, struct connection *connection, enum status status)
{
    struct wire *wire = owner;

    wire->over = true;
    snprintf(wire->detail, sizeof wire->detail, "%s: %s", status_text(status),
             connection_detail(connection));
}

static const struct session_callbacks callbacks = {
    .output = on_output, .logged_in = on_logged_in, .closed = on_closed};

static void on_wake(void *owner)
{
    (void)owner;
}

/* --- wires --- */

static void open_wire(struct world *world)
{
    struct wire *wire = &world->wires[world->opened];

    if (world->opened == WIRES) {
        for (size_t i = 0; i < WIRES; i++)
            print_message("  connection %u: %s\n", (unsigned)i + 1, world->wires[i].detail);
        fail_msg("%s: more than %d connections", world->now_played->name, WIRES);
    }
    world->opened++;
    wire->target = target_connection_new(world->entity, 1, on_wake, NULL, world->now);
    wire->connection = connection_new(world->session, session_new_cid(world->session), wire);
    assert_non_null(wire->target);
    assert_non_null(wire->connection);
    connection_start(wire->connection, world->now);
}

static void close_wire(struct wire *wire)
{
    if (wire->connection != NULL) {
        connection_lost(wire->connection, STATUS_CONNECTION_RESET);
        connection_free(wire->connection);
    }
    target_connection_free(wire->target);
    wire->connection = NULL;
    wire->target = NULL;
}

static size_t fill(const struct iov *pieces, size_t count, const uint8_t *bytes, size_t most)
{
    size_t filled = 0;

    for (size_t i = 0; i < count && filled < most; i++) {
        size_t now = pieces[i].length < most - filled ? pieces[i].length : most - filled;

        memcpy(pieces[i].base, bytes + filled, now);
        filled += now;
    }
    return filled;
}

static void tell_target(struct world *world, struct wire *wire, const uint8_t *bytes, size_t length)
{
    static uint8_t look_ahead[65536];
    struct iov pieces[16];

    while (length > 0 && target_connection_ending(wire->target) == TARGET_END_NONE) {
        size_t count, taken;

        target_connection_read_begin(wire->target, look_ahead, sizeof look_ahead);
        count = target_connection_read_pieces(wire->target, pieces, 16);
        taken = fill(pieces, count, bytes, length);
        target_connection_read(wire->target, taken, world->now);
        target_connection_read_end(wire->target);
        bytes += taken;
        length -= taken;
    }
}

static void tell_initiator(struct world *world, struct wire *wire, const uint8_t *bytes,
                           size_t length)
{
    static uint8_t look_ahead[65536];
    struct iov pieces[16];

    while (length > 0 && !wire->over) {
        size_t count, taken;

        connection_read_begin(wire->connection, look_ahead, sizeof look_ahead);
        count = connection_read_pieces(wire->connection, pieces, 16);
        taken = fill(pieces, count, bytes, length);
        connection_read(wire->connection, taken, world->now);
        if (!wire->over)
            connection_read_end(wire->connection);
        bytes += taken;
        length -= taken;
    }
}

/* Copies what is to be sent: it may go away while it is read. */
static size_t collect(const struct iov *pieces, size_t count, uint8_t *out, size_t room)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        size_t now = pieces[i].length < room - length ? pieces[i].length : room - length;

        memcpy(out + length, pieces[i].base, now);
        length += now;
    }
    return length;
}

static void carry(struct world *world, struct wire *wire)
{
    static uint8_t bytes[65536];
    struct iov pieces[16];
    size_t count, length;

    while (!wire->over && (count = connection_write_pieces(wire->connection, pieces, 16)) > 0) {
        length = collect(pieces, count, bytes, sizeof bytes);
        connection_written(wire->connection, length);
        tell_target(world, wire, bytes, length);
    }
    while (!wire->over &&
           (count = target_connection_write_pieces(wire->target, pieces, 16, world->now)) > 0) {
        length = collect(pieces, count, bytes, sizeof bytes);
        target_connection_written(wire->target, length);
        tell_initiator(world, wire, bytes, length);
    }
    if (!wire->over)
        connection_tick(wire->connection, world->now);
    target_connection_tick(wire->target, world->now);
    if (wire->over || target_connection_ending(wire->target) != TARGET_END_NONE) {
        world->lost++;
        close_wire(wire);
    }
}

/* --- works --- */

static void on_done(struct task *task)
{
    struct world *world = task->context;

    LIST_OWNER(task, struct work, task)->done = true;
    world->done++;
}

static void cut(struct iov pieces[3], uint8_t *data, size_t length)
{
    pieces[0] = (struct iov){data, length / 3};
    pieces[1] = (struct iov){data + length / 3, 7};
    pieces[2] = (struct iov){data + length / 3 + 7, length - length / 3 - 7};
}

static void submit(struct world *world, struct work *work)
{
    struct task *task = &work->task;

    *task = (struct task){.attribute = TASK_ATTRIBUTE_SIMPLE, .done = on_done, .context = world};
    if (work->write > 0 && work->read > 0) {
        static const struct scsi_cdb exchange = {{SCSI_XDWRITEREAD_10}, 10};

        task->cdb = exchange;
        put_be32(task->cdb.bytes + 2, work->lba);
        task->cdb.bytes[8] = (uint8_t)work->write;
    } else if (work->write > 0) {
        scsi_write(&task->cdb, work->lba, work->write, false);
    } else if (work->read > 0) {
        scsi_read(&task->cdb, work->lba, work->read);
    } else {
        scsi_test_unit_ready(&task->cdb);
    }
    if (work->write > 0) {
        for (uint32_t i = 0; i < work->write * BLOCK; i++)
            work->out[i] = (uint8_t)(work->lba + i * 7 + i / 251);
        cut(work->pieces[0], work->out, work->write * BLOCK);
        task->data_out = work->pieces[0];
        task->data_out_count = 3;
        task->data_out_length = work->write * BLOCK;
    }
    if (work->read > 0) {
        memset(work->in, 0xdb, sizeof work->in);
        cut(work->pieces[1], work->in, work->read * BLOCK);
        task->data_in = work->pieces[1];
        task->data_in_count = 3;
        task->data_in_length = work->read * BLOCK;
    }
    session_submit(world->session, task, world->now);
}

static void begin_works(struct world *world)
{
    static const struct {
        const char *name;
        uint32_t lba, write, read;
    } kinds[WORKS] = {{"small write", 0, 8, 0},   {"small read", 256, 0, 8},
                      {"large write", 16, 48, 0}, {"large read", 512, 0, 64},
                      {"no data", 0, 0, 0},       {"both ways", 1024, 4, 4}};

    for (size_t i = 0; i < WORKS; i++) {
        world->works[i].name = kinds[i].name;
        world->works[i].lba = kinds[i].lba;
        world->works[i].write = kinds[i].write;
        world->works[i].read = kinds[i].read;
        submit(world, &world->works[i]);
    }
}

/* --- what became of it --- */

static bool blocks_are(const struct world *world, const struct work *work, const uint8_t *data)
{
    return memcmp(target_disk_memory(world->disk) + work->lba * BLOCK, data, work->write * BLOCK) ==
           0;
}

/* A write that ended well is on the disk; one that did not is there or not, block by block. */
static void check_write(const struct world *world, const struct work *work)
{
    const uint8_t *disk = target_disk_memory(world->disk) + work->lba * BLOCK;

    if (work->task.status == STATUS_OK && !blocks_are(world, work, work->out))
        fail_msg("%s: the %s is not on the disk", world->now_played->name, work->name);
    for (uint32_t i = 0; i < work->write; i++) {
        if (memcmp(disk + i * BLOCK, work->out + i * BLOCK, BLOCK) != 0 &&
            memcmp(disk + i * BLOCK, world->before + (work->lba + i) * BLOCK, BLOCK) != 0)
            fail_msg("%s: block %u of the %s is neither old nor new", world->now_played->name, i,
                     work->name);
    }
}

static void check_read(const struct world *world, const struct work *work)
{
    if (work->task.status != STATUS_OK)
        return;
    assert_int_equal(work->task.transferred, work->read * BLOCK);
    for (uint32_t i = 0; i < work->read * BLOCK; i++) {
        uint8_t old = world->before[work->lba * BLOCK + i];
        uint8_t right = work->write > 0 ? (uint8_t)(old ^ work->out[i]) : old;

        if (work->in[i] != right)
            fail_msg("%s: byte %u of the %s is %02x, not %02x", world->now_played->name, i,
                     work->name, work->in[i], right);
    }
}

static unsigned count_failures(const struct world *world)
{
    unsigned failures = 0;

    for (size_t i = 0; i < WORKS; i++)
        failures += world->works[i].task.status != STATUS_OK;
    return failures;
}

static void explain(const struct world *world)
{
    for (size_t i = 0; i < WORKS; i++) {
        const struct task *task = &world->works[i].task;

        print_message("  %-12s %s%s", world->works[i].name,
                      world->works[i].done ? status_text(task->status) : "not done", "\n");
    }
    for (size_t i = 0; i < world->opened; i++)
        if (world->wires[i].over)
            print_message("  connection %u: %s\n", (unsigned)i + 1, world->wires[i].detail);
    for (unsigned i = 0; target_script_hits(world->script, i) > 0; i++)
        print_message("  rule %u: %u times\n", i + 1,
                      (unsigned)target_script_hits(world->script, i));
}

static void check_outcome(const struct world *world)
{
    const struct recovery_case *played = world->now_played;
    unsigned failures = count_failures(world);
    enum outcome outcome =
        world->lost > 0 ? (failures > 0 ? LOST : AGAIN) : (failures > 0 ? FAILS : GOOD);
    unsigned rules = 0;

    for (const char *at = played->script; *at != '\0'; at++)
        rules += *at == '\n' || at[1] == '\0';
    for (unsigned i = 0; i < rules; i++) {
        if (target_script_hits(world->script, i) == 0) {
            explain(world);
            fail_msg("%s: rule %u was never obeyed", played->name, i + 1);
        }
    }
    if (outcome != played->outcome) {
        explain(world);
        fail_msg("%s: %s, expected %s: %u commands failed, %u connections were lost", played->name,
                 outcome_names[outcome], outcome_names[played->outcome], failures, world->lost);
    }
    for (size_t i = 0; i < WORKS; i++) {
        check_write(world, &world->works[i]);
        check_read(world, &world->works[i]);
    }
}

/* --- the world --- */

static void set_target(struct world *world)
{
    struct target_settings *settings = target_entity_settings(world->entity);
    char error[128];

    settings->offers.error_recovery_level = 2;
    settings->offers.max_connections = 4;
    settings->offers.default_time2wait = 0;
    settings->offers.default_time2retain = 20;
    settings->offers.data_pdu_in_order = settings->offers.data_sequence_in_order = false;
    settings->sequence_order = settings->pdu_order =
        has(world, BACKWARDS) ? TARGET_ORDER_DECREASING : TARGET_ORDER_SHUFFLED;
    settings->seed = 5;
    settings->offers.max_recv_data_segment_length = 2048;
    settings->separate_status = has(world, SEPARATE);
    settings->no_data_ack = has(world, NO_ACK);
    settings->recovery_timeout = has(world, LATE) ? 300 : 0;
    settings->command_window = has(world, WINDOW_1) ? 1 : 32;
    world->script = target_script_new(7);
    assert_non_null(world->script);
    if (!target_script_add(world->script, world->now_played->script, error, sizeof error))
        fail_msg("%s: %s", world->now_played->name, error);
    if (has(world, DRIBBLE) &&
        !target_script_add(world->script, "on connect dribble 97 1", error, sizeof error))
        fail_msg("%s", error);
    settings->fault = target_script_fault(world->script);
}

static void set_initiator(struct world *world)
{
    struct key_offers *offers = &world->settings.offers;
    bool in_order = !has(world, SHUFFLED) && !has(world, BACKWARDS);

    world->settings = peer_settings;
    world->settings.keep_tasks = world->now_played->level == 2;
    world->settings.timeouts = (struct session_timeouts){.login = 5000,
                                                         .command = 20000,
                                                         .logout = 2000,
                                                         .abort = 2000,
                                                         .reset = 2000,
                                                         .idle = 500,
                                                         .ping = 1000};
    offers->error_recovery_level = (uint8_t)world->now_played->level;
    offers->header_digest = offers->data_digest = has(world, DIGESTS) ? "CRC32C" : "None";
    offers->max_recv_data_segment_length = 2048;
    offers->max_burst_length = 8192;
    offers->first_burst_length = 4096;
    offers->max_connections = 4;
    offers->default_time2wait = 0;
    offers->max_outstanding_r2t = has(world, ONE_R2T) ? 1 : 4;
    offers->immediate_data = !has(world, ASKED) && !has(world, UNSOLICITED_ONLY);
    offers->initial_r2t = has(world, ASKED) || has(world, IMMEDIATE_ONLY);
    offers->data_pdu_in_order = offers->data_sequence_in_order = in_order;
}

static void open_world(struct world *world, const struct recovery_case *played)
{
    struct target *target;

    memset(world, 0, sizeof *world);
    world->now_played = played;
    world->now = 1000000;
    world->entity = target_entity_new(&os_crypto);
    assert_non_null(world->entity);
    assert_int_equal(target_add(world->entity, "iqn.2026-11.test:target", &target), STATUS_OK);
    assert_int_equal(target_disk_ram(DISK_BLOCKS * BLOCK, BLOCK, &world->disk), STATUS_OK);
    for (uint32_t i = 0; i < DISK_BLOCKS * BLOCK; i++)
        world->before[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
    memcpy(target_disk_memory(world->disk), world->before, sizeof world->before);
    assert_int_equal(target_add_disk(target, 0, world->disk), STATUS_OK);
    set_target(world);
    set_initiator(world);
    world->session = session_new(&world->settings, &os_crypto, &callbacks, world);
    assert_non_null(world->session);
}

static void close_world(struct world *world)
{
    for (size_t i = 0; i < WIRES; i++)
        close_wire(&world->wires[i]);
    session_free(world->session);
    target_entity_free(world->entity);
    target_script_free(world->script);
}

static unsigned live_wires(const struct world *world)
{
    unsigned live = 0;

    for (size_t i = 0; i < WIRES; i++)
        live += world->wires[i].target != NULL;
    return live;
}

/* At level 2 what was lost is replaced, as long as a task waits for that. */
static void keep_connected(struct world *world)
{
    unsigned wanted = has(world, TWO) ? 2 : 1;

    if (world->lost > 0 && (world->now_played->level < 2 ||
                            (live_wires(world) == 0 && session_kept(world->session) == 0)))
        return;
    while (live_wires(world) < wanted && session_may_connect(world->session) == STATUS_OK)
        open_wire(world);
}

static void turn(struct world *world)
{
    for (size_t i = 0; i < WIRES; i++)
        if (world->wires[i].target != NULL)
            carry(world, &world->wires[i]);
    session_tick(world->session, world->now);
    target_entity_tick(world->entity, world->now);
    world->now += TURN;
    keep_connected(world);
}

static bool all_logged_in(const struct world *world)
{
    unsigned count = 0;

    for (size_t i = 0; i < WIRES; i++)
        count += world->wires[i].logged_in;
    return count >= (has(world, TWO) ? 2u : 1u);
}

static void play(const struct recovery_case *played, bool tell)
{
    static struct world world;
    unsigned turns = 0;

    open_world(&world, played);
    open_wire(&world);
    while (!all_logged_in(&world) && turns++ < LAST_TURN)
        turn(&world);
    if (!all_logged_in(&world))
        fail_msg("%s: no login", played->name);
    begin_works(&world);
    for (turns = 0; world.done < WORKS; turns++) {
        if (turns == LAST_TURN) {
            explain(&world);
            fail_msg("%s: %u of %d commands are done after %d ms", played->name, world.done, WORKS,
                     LAST_TURN * TURN);
        }
        turn(&world);
    }
    for (turns = 0; turns < 100; turns++) /* what was under way comes to its end */
        turn(&world);
    if (tell)
        explain(&world);
    check_outcome(&world);
    close_world(&world);
}

static void play_case(void **state)
{
    play(*state, false);
}

int main(int argc, char **argv)
{
    enum { COUNT = sizeof cases / sizeof cases[0] };
    static struct CMUnitTest tests[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        tests[i] =
            (struct CMUnitTest){cases[i].name, play_case, NULL, NULL, (void *)(uintptr_t)&cases[i]};
        if (argc > 1 && strcmp(argv[1], cases[i].name) == 0)
            play(&cases[i], true);
    }
    return argc > 1 ? 0 : _cmocka_run_group_tests("recovery", tests, COUNT, NULL, NULL);
}
