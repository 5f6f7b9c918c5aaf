/*
 * The initiator core and the embedded target, with a wire between them that damages and cuts what
 * it carries. Several tasks at a time write and read; whatever ends well must be true, and at error
 * recovery levels 1 and 2 everything must end well.
 */
#include "initiator_peer.h"
#include "target/connection.h"

#include <stdio.h>

enum {
    SLOTS = 6,
    BLOCK = 512,
    BLOCKS = 48, /* of each slot */
    WIRES = 3,
    WIRE_ROOM = 1 << 20,
};

/* One task at a time, in blocks of its own. */
struct slot_work {
    struct task task;
    struct iov pieces[3];
    uint8_t data[BLOCKS * BLOCK];
    bool busy, writing;
    uint32_t first, count;
    uint8_t version;              /* of the last write */
    uint8_t acknowledged[BLOCKS]; /* these versions at least */
};

struct wire {
    struct connection *connection;
    struct target_connection *target;
    bool logged_in;
    bool over;
    enum status status;
};

struct world {
    struct target_entity *entity;
    struct session_settings settings;
    struct session *session;
    struct wire wires[WIRES];
    struct slot_work slots[SLOTS];
    uint64_t now;
    uint64_t random;
    uint32_t chance_data, chance_header, chance_cut; /* one in so many; 0: never */
    unsigned failures, done, losses, connections;
    uint8_t *bytes;
    size_t length;
};

static uint32_t draw(struct world *world, uint32_t limit)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->random >> 33) % limit;
}

static bool happens(struct world *world, uint32_t chance)
{
    return chance > 0 && draw(world, chance) == 0;
}

/* --- the owner --- */

static void on_output(void *owner, struct connection *connection)
{
    (void)owner;
    (void)connection;
}

static void on_logged_in(void *owner, struct connection *connection)
{
    struct wire *wire = owner;

    (void)connection;
    wire->logged_in = true;
}

static void on_closed(void *owner, struct connection *connection, enum status status)
{
    struct wire *wire = owner;

    (void)connection;
    wire->over = true;
    wire->status = status;
}

static const struct session_callbacks callbacks = {
    .output = on_output, .logged_in = on_logged_in, .closed = on_closed};

static void on_wake(void *owner)
{
    (void)owner;
}

static void connect_wire(struct world *world, struct wire *wire, uint16_t cid)
{
    memset(wire, 0, sizeof *wire);
    wire->target = target_connection_new(world->entity, 1, on_wake, NULL, world->now);
    wire->connection = connection_new(world->session, cid, wire);
    assert_non_null(wire->target);
    assert_non_null(wire->connection);
    connection_start(wire->connection, world->now);
}

static void disconnect(struct world *world, struct wire *wire)
{
    (void)world;
    connection_lost(wire->connection, STATUS_CONNECTION_RESET);
    connection_free(wire->connection);
    target_connection_free(wire->target);
    memset(wire, 0, sizeof *wire);
}

/* --- the wire --- */

static void spoil(struct world *world, uint8_t *bytes, size_t length)
{
    bytes[draw(world, (uint32_t)length)] ^= (uint8_t)(1u << draw(world, 8));
}

/* Whole PDUs are in world->bytes: damages some. */
static void damage(struct world *world, bool digests)
{
    size_t at = 0;

    while (digests && at < world->length) {
        uint8_t *head = world->bytes + at;
        size_t head_length = PDU_BHS_LENGTH + 4u * head[4] + PDU_DIGEST_LENGTH;
        size_t data = get_be24(head + 5);

        data += data > 0 ? padding_of((uint32_t)data) + PDU_DIGEST_LENGTH : 0;
        assert_true(at + head_length + data <= world->length);
        at += head_length + data;
        if (data > 0 && happens(world, world->chance_data))
            spoil(world, head + head_length, data);
        if (happens(world, world->chance_header))
            spoil(world, head, head_length);
    }
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

static void collect(struct world *world, const struct iov *pieces, size_t count, size_t *taken)
{
    *taken = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(world->length + pieces[i].length <= WIRE_ROOM);
        memcpy(world->bytes + world->length, pieces[i].base, pieces[i].length);
        world->length += pieces[i].length;
        *taken += pieces[i].length;
    }
}

/* What of it gets through: all, or up to the cut. */
static size_t cut(struct world *world, bool *cuts)
{
    *cuts = world->length > 0 && happens(world, world->chance_cut);
    return *cuts ? draw(world, (uint32_t)world->length) : world->length;
}

static size_t step_of(struct world *world)
{
    return 1 + draw(world, draw(world, 4) == 0 ? 50 : 20000);
}

/* False: nothing was under way. */
static bool to_target(struct world *world, struct wire *wire, bool *cuts)
{
    static uint8_t look_ahead[65536];
    struct iov pieces[16];
    size_t count, taken, length;

    world->length = 0;
    while ((count = connection_write_pieces(wire->connection, pieces, 16)) > 0) {
        collect(world, pieces, count, &taken);
        connection_written(wire->connection, taken);
    }
    damage(world, wire->logged_in);
    length = cut(world, cuts);
    for (size_t at = 0; at < length && target_connection_wants_input(wire->target);) {
        size_t step = step_of(world);

        target_connection_read_begin(wire->target, look_ahead, sizeof look_ahead);
        count = target_connection_read_pieces(wire->target, pieces, 16);
        taken = fill(pieces, count, world->bytes + at, step < length - at ? step : length - at);
        target_connection_read(wire->target, taken, world->now);
        target_connection_read_end(wire->target);
        at += taken;
    }
    return world->length > 0;
}

static bool to_initiator(struct world *world, struct wire *wire, bool *cuts)
{
    static uint8_t look_ahead[65536];
    bool digests = wire->logged_in;
    struct iov pieces[16];
    size_t count, taken, length;

    world->length = 0;
    while ((count = target_connection_write_pieces(wire->target, pieces, 16, world->now)) > 0) {
        collect(world, pieces, count, &taken);
        target_connection_written(wire->target, taken);
    }
    damage(world, digests);
    length = cut(world, cuts);
    for (size_t at = 0; at < length && !wire->over;) {
        size_t step = step_of(world);

        connection_read_begin(wire->connection, look_ahead, sizeof look_ahead);
        count = connection_read_pieces(wire->connection, pieces, 16);
        taken = fill(pieces, count, world->bytes + at, step < length - at ? step : length - at);
        connection_read(wire->connection, taken, world->now);
        if (!wire->over) /* what it has not read is lost with it */
            connection_read_end(wire->connection);
        at += taken;
    }
    return world->length > 0;
}

static void carry(struct world *world, struct wire *wire)
{
    bool cut_there = false, cut_back = false;

    to_target(world, wire, &cut_there);
    if (!wire->over && !cut_there)
        to_initiator(world, wire, &cut_back);
    if (!wire->over)
        connection_tick(wire->connection, world->now);
    target_connection_tick(wire->target, world->now);
    if (wire->over || cut_there || cut_back || target_connection_ending(wire->target)) {
        world->losses++;
        disconnect(world, wire);
    }
}

/* --- the work --- */

static uint8_t byte_of(const struct slot_work *slot, uint32_t block, uint8_t version, uint32_t i)
{
    (void)slot;
    return version == 0 ? 0 : (uint8_t)(version * 31 + block * 7 + i % 251);
}

static bool block_is(const struct slot_work *slot, const uint8_t *data, uint32_t block,
                     uint8_t version)
{
    for (uint32_t i = 0; i < BLOCK; i++)
        if (data[i] != byte_of(slot, block, version, i))
            return false;
    return true;
}

static void check_read(struct world *world, struct slot_work *slot)
{
    (void)world;
    assert_int_equal(slot->task.transferred, slot->count * BLOCK);
    for (uint32_t i = 0; i < slot->count; i++) {
        uint32_t block = slot->first + i;
        uint8_t version = slot->acknowledged[block];
        bool right = false;

        /* A write that failed may have been carried out. */
        for (; !right && version <= slot->version; version++)
            right = block_is(slot, slot->data + (size_t)i * BLOCK, block, version);
        if (!right)
            fail_msg("block %u of slot %d is none of the versions %u to %u", block,
                     (int)(slot - world->slots), slot->acknowledged[block], slot->version);
    }
}

static void on_done(struct task *task)
{
    struct slot_work *slot = LIST_OWNER(task, struct slot_work, task);
    struct world *world = task->context;

    slot->busy = false;
    world->done++;
    if (task->status != STATUS_OK) {
        world->failures++;
        return;
    }
    if (!slot->writing) {
        check_read(world, slot);
        return;
    }
    for (uint32_t i = 0; i < slot->count; i++)
        slot->acknowledged[slot->first + i] = slot->version;
}

static void set_pieces(struct world *world, struct slot_work *slot)
{
    size_t length = (size_t)slot->count * BLOCK;
    size_t first = draw(world, (uint32_t)length + 1);
    size_t second = draw(world, (uint32_t)(length - first) + 1);

    slot->pieces[0] = (struct iov){slot->data, first};
    slot->pieces[1] = (struct iov){slot->data + first, second};
    slot->pieces[2] = (struct iov){slot->data + first + second, length - first - second};
}

static void begin(struct world *world, struct slot_work *slot)
{
    struct task *task = &slot->task;
    uint32_t lba = (uint32_t)(slot - world->slots) * BLOCKS;

    slot->first = draw(world, BLOCKS);
    slot->count = 1 + draw(world, BLOCKS - slot->first);
    slot->writing = draw(world, 2) == 0 && slot->version < 250;
    slot->busy = true;
    set_pieces(world, slot);
    *task = (struct task){.attribute = TASK_ATTRIBUTE_SIMPLE, .done = on_done, .context = world};
    if (slot->writing) {
        slot->version++;
        for (uint32_t i = 0; i < slot->count * BLOCK; i++)
            slot->data[i] = byte_of(slot, slot->first + i / BLOCK, slot->version, i % BLOCK);
        scsi_write(&task->cdb, lba + slot->first, slot->count, false);
        task->data_out = slot->pieces;
        task->data_out_count = 3;
        task->data_out_length = slot->count * BLOCK;
    } else {
        memset(slot->data, 0xdb, sizeof slot->data);
        scsi_read(&task->cdb, lba + slot->first, slot->count);
        task->data_in = slot->pieces;
        task->data_in_count = 3;
        task->data_in_length = slot->count * BLOCK;
    }
    session_submit(world->session, task, world->now);
}

/* --- the world --- */

static void world_open(struct world *world, unsigned level, uint64_t seed)
{
    struct target *target;
    struct target_disk *disk;
    struct target_settings *settings;

    memset(world, 0, sizeof *world);
    world->random = seed;
    world->now = 1000000;
    world->connections = 1;
    world->bytes = malloc(WIRE_ROOM);
    world->entity = target_entity_new(&os_crypto);
    assert_int_equal(target_add(world->entity, "iqn.2026-11.test:target", &target), STATUS_OK);
    assert_int_equal(target_disk_ram(SLOTS * BLOCKS * BLOCK, BLOCK, &disk), STATUS_OK);
    memset(target_disk_memory(disk), 0, SLOTS * BLOCKS * BLOCK);
    assert_int_equal(target_add_disk(target, 0, disk), STATUS_OK);
    settings = target_entity_settings(world->entity);
    settings->offers.error_recovery_level = 2;
    settings->offers.max_connections = WIRES;
    settings->offers.default_time2wait = 0;
    settings->offers.default_time2retain = 20;
    settings->offers.max_outstanding_r2t = 4;
    settings->offers.max_recv_data_segment_length = 1024;
    settings->offers.max_burst_length = 4096;
    settings->offers.first_burst_length = 3000;
    settings->offers.immediate_data = seed & 1;
    settings->offers.initial_r2t = (seed & 2) != 0;
    settings->offers.data_pdu_in_order = settings->offers.data_sequence_in_order = (seed & 4) == 0;
    settings->sequence_order = settings->pdu_order = TARGET_ORDER_SHUFFLED;
    settings->nop_interval = 0;
    world->settings = peer_settings;
    world->settings.keep_tasks = true;
    /* A damaged length makes its reader wait for bytes that only another question brings. */
    world->settings.timeouts = (struct session_timeouts){
        .login = 100000, .command = 10000000, .logout = 100000, .idle = 500, .ping = 500};
    world->settings.offers = settings->offers;
    world->settings.offers.error_recovery_level = (uint8_t)level;
    world->settings.offers.header_digest = world->settings.offers.data_digest = "CRC32C";
    world->settings.offers.max_recv_data_segment_length = 2048;
}

static void drop_session(struct world *world)
{
    for (size_t i = 0; i < WIRES; i++)
        if (world->wires[i].target)
            disconnect(world, &world->wires[i]);
    session_free(world->session);
    world->session = NULL;
}

static void world_close(struct world *world)
{
    drop_session(world);
    target_entity_free(world->entity);
    free(world->bytes);
}

/* Connections are made until there are as many as wanted; what cannot go on begins anew. */
static void keep_connected(struct world *world)
{
    bool any = false;

    for (size_t i = 0; i < WIRES; i++)
        any = any || world->wires[i].target;
    if (!any && world->session && session_kept(world->session) == 0)
        drop_session(world);
    if (!world->session) {
        world->session = session_new(&world->settings, &os_crypto, &callbacks, world);
        assert_non_null(world->session);
    }
    for (size_t i = 0; i < world->connections; i++)
        if (!world->wires[i].target && session_may_connect(world->session) == STATUS_OK)
            connect_wire(world, &world->wires[i],
                         draw(world, 2) == 0 ? (uint16_t)(i + 1) : session_new_cid(world->session));
}

static bool busy(const struct world *world)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (world->slots[i].busy)
            return true;
    return false;
}

static void work(struct world *world, unsigned tasks)
{
    unsigned begun = 0;

    for (unsigned round = 0; begun < tasks || busy(world); round++) {
        if (round > 50000)
            fail_msg("no progress: %u of %u tasks done, %u lost connections", world->done, tasks,
                     world->losses);
        keep_connected(world);
        for (size_t i = 0; i < SLOTS && begun < tasks; i++) {
            if (world->slots[i].busy || !session_usable(world->session))
                continue;
            begin(world, &world->slots[i]);
            begun++;
        }
        for (size_t i = 0; i < WIRES; i++)
            if (world->wires[i].target)
                carry(world, &world->wires[i]);
        session_tick(world->session, world->now);
        target_entity_tick(world->entity, world->now);
        world->now += 5;
    }
    assert_int_equal(world->done, tasks);
    assert_int_equal(session_outstanding(world->session), 0);
}

/* --- the tests --- */

static void run(unsigned level, unsigned connections, uint32_t data, uint32_t header, uint32_t cuts,
                bool all_well)
{
    const char *given = getenv("WIRE_SEEDS"); /* more than usual, to search longer */
    unsigned seeds = given ? (unsigned)atoi(given) : 16;
    unsigned losses = 0;

    for (uint64_t seed = 0; seed < seeds; seed++) {
        static struct world world;

        world_open(&world, level, seed);
        world.connections = connections;
        world.chance_data = data;
        world.chance_header = header;
        world.chance_cut = cuts;
        work(&world, 120);
        if (all_well && world.failures > 0)
            fail_msg("seed %u: %u of %u tasks failed, %u connections were lost", (unsigned)seed,
                     world.failures, world.done, world.losses);
        if (header == 0 && cuts == 0 && (data == 0 || level > 0) && world.losses > 0)
            fail_msg("seed %u: %u connections were lost", (unsigned)seed, world.losses);
        losses += world.losses;
        world_close(&world);
    }
    if ((header > 0 || cuts > 0) && losses < 16)
        fail_msg("the wire did no harm");
}

static void nothing_fails_on_a_sound_wire(void **state)
{
    (void)state;
    for (unsigned level = 0; level <= 2; level++)
        run(level, 1 + level, 0, 0, 0, true);
}

static void level_0_reports_what_it_loses(void **state)
{
    (void)state;
    run(0, 1, 200, 300, 300, false);
}

static void level_1_recovers_damaged_data(void **state)
{
    (void)state;
    run(1, 1, 12, 0, 0, true);
}

static void level_1_recovers_on_several_connections(void **state)
{
    (void)state;
    run(1, 3, 12, 0, 0, true);
}

static void level_2_recovers_lost_connections(void **state)
{
    (void)state;
    run(2, 1, 0, 0, 40, true);
}

static void level_2_recovers_everything(void **state)
{
    (void)state;
    run(2, 3, 15, 60, 60, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_fails_on_a_sound_wire),
        cmocka_unit_test(level_0_reports_what_it_loses),
        cmocka_unit_test(level_1_recovers_damaged_data),
        cmocka_unit_test(level_1_recovers_on_several_connections),
        cmocka_unit_test(level_2_recovers_lost_connections),
        cmocka_unit_test(level_2_recovers_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
