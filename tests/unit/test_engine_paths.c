/* Several sessions to one unit: which of them carries what, and what becomes of it when one of them
 * is lost and comes back. */
#include "io_target.h"

enum { PATHS = 3, COUNT = 96 };

static uint8_t data[COUNT * BLOCK];
static uint8_t back[COUNT * BLOCK];
static struct unique_id ids[PATHS];
static struct target_connection *connections[PATHS];

/* --- several sessions --- */

static void open_paths(unsigned count, const char *settings)
{
    open_volume(settings);
    ids[0] = last_session;
    connections[0] = orders.connection;
    for (unsigned i = 1; i < count; i++) {
        open_session(0);
        ids[i] = last_session;
        connections[i] = orders.connection;
    }
}

static struct target_connection *cutting;

static void run_cut_one(struct os_job *job)
{
    (void)job;
    target_fault_end(cutting, TARGET_END_RESET);
}

/* With its session: no login is answered until `orders.no_logins` is false again. */
static void cut_path(unsigned index)
{
    cutting = connections[index];
    orders.no_logins = true;
    host.job.run = run_cut_one;
    os_loop_post(host.loop, &host.job);
}

static struct path *path_of(unsigned index)
{
    const struct engine_session *session = engine_session_find(engine, &ids[index]);
    if (session == NULL || list_empty(&session->units->all))
        return NULL;
    return &LIST_OWNER(session->units->all.next, struct unit, link)->path;
}

struct view {
    unsigned count; /* of paths that the volume has */
    bool same[PATHS];
    enum path_state state[PATHS];
    uint64_t reads[PATHS];
};

static struct view view;

static void run_look(void *context)
{
    (void)context;
    memset(&view, 0, sizeof view);
    LIST_EACH(node, &volume->paths)
    {
        view.count += node != NULL;
    }
    for (unsigned i = 0; i < PATHS; i++) {
        const struct path *path = path_of(i);
        view.state[i] = PATH_REMOVED;
        if (path == NULL)
            continue;
        view.same[i] = path->volume == volume;
        view.state[i] = path_state(path);
        view.reads[i] = path->statistics.reads;
    }
}

static const struct view *look(void)
{
    in_engine(run_look, NULL);
    return &view;
}

static void run_policy(void *context)
{
    if (volume_set_policy(volume, *(enum path_policy *)context) != STATUS_OK)
        volume = NULL;
}

static void set_policy(enum path_policy policy)
{
    in_engine(run_policy, &policy);
    assert_non_null(volume);
}

static void run_prefer(void *context)
{
    path_prefer(path_of(*(unsigned *)context));
}

static void prefer(unsigned index)
{
    in_engine(run_prefer, &index);
}

static void read_some(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_status(transfer(IO_READ, i, 1, back), STATUS_OK);
}

/* --- policies --- */

static void sessions_to_one_unit_are_paths_of_one_volume(void **state)
{
    (void)state;
    open_paths(3, NULL);
    assert_int_equal(look()->count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(view.same[i]);
        assert_int_equal(view.state[i], PATH_ACTIVE);
    }
    assert_status(logout(&ids[1]), STATUS_OK);
    assert_int_equal(look()->count, 2);
    assert_int_equal(view.state[1], PATH_REMOVED);
    read_some(4);
}

static void run_wrong_policy(void *context)
{
    *(enum status *)context = volume_set_policy(volume, (enum path_policy)3);
}

static void round_robin_takes_all_in_turn(void **state)
{
    enum status status = STATUS_OK;
    (void)state;
    open_paths(3, NULL);
    assert_int_equal(volume->policy, PATH_ROUND_ROBIN);
    read_some(30);
    look();
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(view.reads[i], 10);
    in_engine(run_wrong_policy, &status);
    assert_status(status, STATUS_INVALID_PARAMETER);
}

static void fail_over_only_uses_one(void **state)
{
    (void)state;
    open_paths(2, "LoadBalancePolicy = 1\n");
    read_some(10);
    look();
    unsigned used = view.reads[0] > 0 ? 0 : 1;
    assert_int_equal(view.reads[used], 10);
    assert_int_equal(view.reads[1 - used], 0);
    assert_int_equal(view.state[used], PATH_ACTIVE);
    assert_int_equal(view.state[1 - used], PATH_STANDBY);
    prefer(1 - used);
    read_some(10);
    assert_int_equal(look()->reads[1 - used], 10);
    assert_int_equal(view.state[used], PATH_STANDBY);
}

static void least_queue_depth_avoids_the_slow_one(void **state)
{
    static struct later slow;
    (void)state;
    open_paths(2, NULL);
    set_policy(PATH_LEAST_QUEUE_DEPTH);
    orders.cdb = SCSI_READ_10;
    orders.swallows = 1; /* its path has one under way from now on */
    begin_io(&slow, IO_READ, 0, 1, back);
    io_post(engine, &slow.io);
    wait_until(orders.commands == 1);
    read_some(20);
    look();
    assert_true(view.reads[0] == 20 || view.reads[1] == 20);
    assert_int_equal(view.reads[0] + view.reads[1], 20);
    assert_status(logout(&ids[0]), STATUS_OK);
    assert_status(await_io(&slow), STATUS_OK); /* it was on the first, and is on the second now */
}

/* --- fail-over --- */

static void what_is_under_way_takes_another_path(void **state)
{
    static struct io ios[COUNT];
    static struct iov pieces[COUNT];
    (void)state;
    open_paths(2, "ErrorRecoveryLevel = 0\n");
    fill(target_disk_memory(disk), sizeof data, 11);
    for (unsigned i = 0; i < COUNT; i++) {
        pieces[i] = (struct iov){back + i * BLOCK, BLOCK};
        ios[i] = io_of(IO_READ, i, 1, &pieces[i]);
    }
    lose(PDU_DATA_IN, TARGET_END_RESET, 1);
    orders.no_logins = true;
    assert_true(io_run(engine, ios, COUNT));
    for (unsigned i = 0; i < COUNT; i++)
        assert_status(ios[i].status, STATUS_OK);
    assert_memory_equal(back, target_disk_memory(disk), sizeof back);
    look();
    assert_true((view.state[0] == PATH_FAILED) != (view.state[1] == PATH_FAILED));
    orders.no_logins = false;
    wait_until(look()->state[0] == PATH_ACTIVE && view.state[1] == PATH_ACTIVE);
    uint64_t before[] = {view.reads[0], view.reads[1]};
    read_some(10); /* and both are used again */
    look();
    assert_int_equal(view.reads[0], before[0] + 5);
    assert_int_equal(view.reads[1], before[1] + 5);
}

static void but_no_write_is_carried_out_twice(void **state)
{
    struct iov piece = {data, BLOCK};
    (void)state;
    open_paths(2, "ErrorRecoveryLevel = 0\n");
    orders.cdb = SCSI_WRITE_10;
    fill(data, BLOCK, 12);
    struct io io = io_of(IO_WRITE, 3, 1, &piece);
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 1);
    orders.no_logins = true;
    assert_status(run_io(&io), STATUS_OUTCOME_UNKNOWN);
    assert_int_equal(orders.commands, 1);
    orders.no_logins = false;
    wait_until(look()->state[0] == PATH_ACTIVE && view.state[1] == PATH_ACTIVE);
    io.repeatable = true;
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 1);
    orders.no_logins = true;
    assert_status(run_io(&io), STATUS_OK); /* on the other path, at once */
    assert_int_equal(orders.commands, 3);
    assert_memory_equal(target_disk_memory(disk) + 3 * BLOCK, data, BLOCK);
}

/* At level 2 the write that may not be repeated waits for its own session, and reads do not. */
static void level_2_does_not_hold_up_what_may_move(void **state)
{
    static struct later write, read;
    (void)state;
    target_entity_settings(host.entity)->offers.error_recovery_level = 2;
    target_entity_settings(host.entity)->offers.default_time2retain = 20;
    open_paths(2, "LoadBalancePolicy = 1\nDelayBetweenReconnect = 0\n");
    orders.cdb = SCSI_WRITE_10;
    orders.no_logins = true;
    fill(data, BLOCK, 13);
    begin_io(&write, IO_WRITE, 7, 1, data);
    begin_io(&read, IO_READ, 7, 1, back);
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 1);
    io_post(engine, &write.io);
    io_post(engine, &read.io);
    assert_status(await_io(&read), STATUS_OK);
    wait_until(orders.left == 0);
    read_some(3);
    assert_false(write.ended);
    orders.no_logins = false;
    assert_status(await_io(&write), STATUS_OK);
    assert_int_equal(orders.commands, 1);
    assert_memory_equal(target_disk_memory(disk) + 7 * BLOCK, data, BLOCK);
}

static void a_preferred_path_is_taken_back(void **state)
{
    (void)state;
    open_paths(2, "LoadBalancePolicy = 1\nErrorRecoveryLevel = 0\nDelayBetweenReconnect = 0\n");
    prefer(0);
    read_some(5);
    assert_int_equal(look()->reads[0], 5);
    cut_path(0);
    wait_until(look()->state[0] == PATH_FAILED);
    read_some(5);
    assert_int_equal(look()->reads[1], 5);
    assert_int_equal(view.state[1], PATH_ACTIVE);
    orders.no_logins = false;
    wait_until(look()->state[0] == PATH_ACTIVE);
    assert_int_equal(view.state[1], PATH_STANDBY);
    read_some(5);
    assert_int_equal(look()->reads[0], 10);
    assert_int_equal(view.reads[1], 5);
}

/* --- without any --- */

static void all_paths_may_be_away_for_a_while(void **state)
{
    static struct later waiting;
    (void)state;
    open_paths(2, "ErrorRecoveryLevel = 0\nDelayBetweenReconnect = 0\n");
    cut_path(0);
    wait_until(look()->state[0] == PATH_FAILED);
    cut_path(1);
    wait_until(look()->state[1] == PATH_FAILED);
    fill(data, BLOCK, 14);
    begin_io(&waiting, IO_WRITE, 1, 1, data);
    io_post(engine, &waiting.io);
    look(); /* behind it */
    assert_false(waiting.ended);
    assert_status(logout(&ids[0]), STATUS_OK);
    assert_false(waiting.ended);
    orders.no_logins = false;
    assert_status(await_io(&waiting), STATUS_OK);
    assert_memory_equal(target_disk_memory(disk) + BLOCK, data, BLOCK);
    assert_status(logout(&ids[1]), STATUS_OK);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_NO_CONNECTION);
}

/* --- what is not the same --- */

static void another_unit_is_not_a_path(void **state)
{
    (void)state;
    open_paths(2, "ErrorRecoveryLevel = 0\nLoadBalancePolicy = 2\n");
    orders.another = true;
    orders.cdb = SCSI_READ_10;
    cutting = connections[1];
    host.job.run = run_cut_one;
    os_loop_post(host.loop, &host.job);
    wait_until(look()->state[1] == PATH_ACTIVE && !view.same[1]);
    assert_int_equal(view.count, 1);
    read_some(6);
    assert_int_equal(look()->reads[0], 6);
    assert_int_equal(view.reads[1], 0);
}

/* --- load --- */

static atomic_bool enough;
static atomic_uint transfers, failures;

static void stream(void *argument)
{
    uint32_t number = (uint32_t)(uintptr_t)argument;
    uint8_t mine[4 * BLOCK], got[4 * BLOCK];
    struct iov piece = {mine, sizeof mine}, into = {got, sizeof got};
    for (uint32_t i = 0; !enough; i++) {
        fill(mine, sizeof mine, i * 16 + number);
        struct io io = io_of(IO_WRITE, 1000 + number * 4, 4, &piece);
        io.repeatable = true;
        struct io read = io_of(IO_READ, 1000 + number * 4, 4, &into);
        bool good = io_run(engine, &io, 1) && io.status == STATUS_OK && io_run(engine, &read, 1) &&
                    read.status == STATUS_OK && memcmp(mine, got, sizeof mine) == 0;
        if (!good)
            fprintf(stderr, "stream %u: write %s (%s, %u losses), read %s (%s, %u losses)\n",
                    (unsigned)number, status_name(io.status), status_name(io.cause), io.losses,
                    status_name(read.status), status_name(read.cause), read.losses);
        failures += !good;
        transfers++;
    }
}

/* Connections end again and again; everybody reads what he has written. */
static void paths_come_and_go_under_load(void **state)
{
    enum { STREAMS = 4, ENDS = 40 };
    struct os_thread *threads[STREAMS];
    (void)state;
    open_paths(3, "ErrorRecoveryLevel = 0\nDelayBetweenReconnect = 0\n");
    enough = false;
    transfers = failures = 0;
    for (uintptr_t i = 0; i < STREAMS; i++)
        threads[i] = os_thread_start(stream, (void *)i);
    for (unsigned i = 0; i < ENDS; i++) {
        unsigned before = orders.connections;
        lose(i % 2 ? PDU_DATA_IN : PDU_SCSI_RESPONSE, i % 3 ? TARGET_END_RESET : TARGET_END_CLOSE,
             1 + i % 3);
        wait_until(orders.left == 0 && orders.connections > before);
        unsigned so_far = transfers; /* else all answers might be lost, and all be given up */
        wait_until(transfers > so_far + 4);
    }
    enough = true;
    for (unsigned i = 0; i < STREAMS; i++)
        os_thread_join(threads[i]);
    assert_int_equal(failures, 0);
    assert_true(volume->statistics.retries > 0);
}

#define PATHS_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PATHS_TEST(sessions_to_one_unit_are_paths_of_one_volume),
        PATHS_TEST(round_robin_takes_all_in_turn),
        PATHS_TEST(fail_over_only_uses_one),
        PATHS_TEST(least_queue_depth_avoids_the_slow_one),
        PATHS_TEST(what_is_under_way_takes_another_path),
        PATHS_TEST(but_no_write_is_carried_out_twice),
        PATHS_TEST(level_2_does_not_hold_up_what_may_move),
        PATHS_TEST(a_preferred_path_is_taken_back),
        PATHS_TEST(all_paths_may_be_away_for_a_while),
        PATHS_TEST(another_unit_is_not_a_path),
        PATHS_TEST(paths_come_and_go_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
