/* Input and output on the disks of real targets, over two sessions to one unit, whose connections
 * are lost again and again. */
#include "../unit/io_test.h"

#include "engine/connections.h"

enum { LARGE = 512, STREAMS = 8, CUTS = 4 };

static uint8_t data[LARGE * BLOCK];
static uint8_t back[LARGE * BLOCK];
static const char *peer;
static struct unique_id ids[2];

static struct portal_address portal_of(const char *name)
{
    struct portal_address portal = {.host = "127.0.0.1"};
    char variable[60];
    int length = snprintf(variable, sizeof variable, "TEST_%s_PORTAL", name);
    for (int i = 0; i < length; i++) {
        if (variable[i] >= 'a' && variable[i] <= 'z')
            variable[i] = (char)(variable[i] - 'a' + 'A');
    }
    const char *at = getenv(variable);
    if (at == NULL)
        fail_msg("%s is not set", variable);
    portal.port = (uint16_t)strtoul(strrchr(at, ':') + 1, NULL, 10);
    return portal;
}

static void open_sessions(void)
{
    const struct portal_address portal = portal_of(peer);
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT,
                                          .flags = LOGIN_FLAG_MULTIPATH};
    assert_status(add_portal(&portal), STATUS_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_status(login_with(BASE ":open", &options), STATUS_OK);
        settle();
        ids[i] = last_session;
    }
    in_engine(find_volume, &ids[0]);
    assert_non_null(volume);
    assert_true(volume->facts.capacity.blocks == 16384);
}

static int start(void **state)
{
    peer = *state;
    volume = NULL;
    new_directory();
    write_text("iscsi.conf", "DelayBetweenReconnect = 0\nErrorRecoveryLevel = 2\n");
    assert_status(engine_start(&engine, directory), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (volume != NULL)
        in_engine(run_release, volume);
    engine_stop(engine);
    engine = NULL;
    return 0;
}

static void run_count(void *context)
{
    LIST_EACH(node, &volume->paths)
    {
        *(unsigned *)context += node != NULL;
    }
}

static void expect_pattern(uint64_t lba, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i += 8)
        assert_true(get_be64(bytes + i) == lba * BLOCK + i);
}

static void disks_are_read_and_written(void **state)
{
    unsigned paths = 0;
    (void)state;
    open_sessions();
    in_engine(run_count, &paths);
    assert_int_equal(paths, 2);
    assert_status(transfer(IO_READ, 9000, LARGE, back), STATUS_OK);
    expect_pattern(9000, back, sizeof back);
    for (uint32_t blocks = 1; blocks <= LARGE; blocks *= 8) {
        fill(data, blocks * BLOCK, blocks);
        assert_status(transfer(IO_WRITE, 10, blocks, data), STATUS_OK);
        assert_status(transfer(IO_READ, 10, blocks, back), STATUS_OK);
        assert_memory_equal(back, data, blocks * BLOCK);
    }
    struct io io = io_of(IO_FLUSH, 0, 0, NULL);
    assert_status(run_io(&io), STATUS_OK);
    struct iov piece = {data, BLOCK};
    io = io_of(IO_WRITE, 5, 1, &piece);
    io.force_unit_access = true; /* by a flush where the unit does not know it */
    assert_status(run_io(&io), STATUS_OK);
    assert_status(transfer(IO_READ, 16384, 1, back), STATUS_OUT_OF_RANGE);
}

/* --- under load --- */

static atomic_bool enough;
static atomic_uint transfers, failures;

static void stream(void *argument)
{
    uint32_t number = (uint32_t)(uintptr_t)argument;
    uint8_t mine[8 * BLOCK], got[8 * BLOCK];
    struct iov piece = {mine, sizeof mine}, into = {got, sizeof got};
    for (uint32_t i = 0; !enough; i++) {
        fill(mine, sizeof mine, i * 16 + number);
        struct io write = io_of(IO_WRITE, 4000 + number * 8, 8, &piece);
        struct io read = io_of(IO_READ, 4000 + number * 8, 8, &into);
        write.repeatable = true;
        bool good = io_run(engine, &write, 1) && write.status == STATUS_OK &&
                    io_run(engine, &read, 1) && read.status == STATUS_OK &&
                    memcmp(mine, got, sizeof mine) == 0;
        if (!good)
            fprintf(stderr, "stream %u: write %s, read %s\n", (unsigned)number,
                    status_name(write.status), status_name(read.status));
        failures += !good;
        transfers++;
    }
}

/* As if the network had failed: what the target still works on is not waited for. */
static void run_drop(void *context)
{
    struct engine_session *session = engine_session_find(engine, context);
    if (session->state == ENGINE_SESSION_LIVE)
        contact_drop(engine_leading(session)->contact, STATUS_CONNECTION_RESET);
}

static void what_is_lost_is_found_again(void **state)
{
    struct os_thread *threads[STREAMS];
    (void)state;
    open_sessions();
    enough = false;
    transfers = failures = 0;
    for (uintptr_t i = 0; i < STREAMS; i++)
        threads[i] = os_thread_start(stream, (void *)i);
    for (unsigned i = 0; i < CUTS; i++) {
        unsigned before = transfers;
        in_engine(run_drop, &ids[i % 2]);
        wait_until(transfers > before + 20);
    }
    enough = true;
    for (unsigned i = 0; i < STREAMS; i++)
        os_thread_join(threads[i]);
    assert_int_equal(failures, 0);
}

enum { PEERS_MOST = 4, CASES = 2 };

int main(void)
{
    static char list[200];
    static char titles[PEERS_MOST * CASES][60];
    struct CMUnitTest tests[PEERS_MOST * CASES];
    size_t count = 0;
    const char *peers = getenv("TEST_PEERS");
    snprintf(list, sizeof list, "%s", peers != NULL ? peers : "");
    for (char *name = strtok(list, ","); name != NULL && count < PEERS_MOST * CASES;
         name = strtok(NULL, ",")) {
        snprintf(titles[count], sizeof *titles, "%s_disks_are_read_and_written", name);
        tests[count] =
            (struct CMUnitTest){titles[count], disks_are_read_and_written, start, stop, name};
        count++;
        snprintf(titles[count], sizeof *titles, "%s_what_is_lost_is_found_again", name);
        tests[count] =
            (struct CMUnitTest){titles[count], what_is_lost_is_found_again, start, stop, name};
        count++;
    }
    if (count == 0) {
        fprintf(stderr, "TEST_PEERS names none: run me through tests/harness/run.py\n");
        return 1;
    }
    return _cmocka_run_group_tests("peers", tests, count, NULL, NULL);
}
