/* Error recovery level 2 in the engine, and commands that are late: what is carried out exactly
 * once though every connection was lost, and what the engine does when that cannot be had. */
#include "io_target.h"

static uint8_t data[256 << 10];
static uint8_t back[256 << 10];
static atomic_uint written;

static void on_change(void *context, enum target_disk_change change, uint64_t offset,
                      uint64_t length, const void *bytes)
{
    (void)context, (void)offset, (void)length, (void)bytes;
    written += change == TARGET_DISK_WRITTEN;
}

static void open_level(unsigned level, const char *settings)
{
    char text[200];
    struct key_offers *offers = &target_entity_settings(host.entity)->offers;
    offers->error_recovery_level = 2;
    if (offers->default_time2retain == 0)
        offers->default_time2retain = 20;
    offers->first_burst_length = 512; /* so that the target has to ask for most of a write */
    snprintf(text, sizeof text, "ErrorRecoveryLevel = %u\n%s", level, settings);
    written = 0;
    target_disk_on_change(disk, on_change, NULL);
    open_volume(text);
}

static struct key_values values;
static struct session_settings settings;

static void look(void *context)
{
    const struct engine_session *session = engine_session_find(engine, context);
    values = *session_values(contact_session(session->contact));
    settings = *session_settings(contact_session(session->contact));
}

static void as_much_recovery_as_is_set(void **state)
{
    unsigned level = 0;
    (void)state;
    open_level(level, "EnableNOPOut = 0\nAbortTimeout = 7\nResetTimeout = 8\n");
    in_engine(look, &last_session);
    assert_int_equal(values.error_recovery_level, 0);
    assert_int_equal(settings.timeouts.idle, 0);
    assert_int_equal(settings.timeouts.abort, 7000);
    assert_int_equal(settings.timeouts.reset, 8000);
    in_engine(run_release, volume);
    volume = NULL;
    for (level = 1; level <= 2; level++) {
        char text[40];
        engine_stop(engine);
        snprintf(text, sizeof text, "ErrorRecoveryLevel = %u\n", level);
        write_text("iscsi.conf", text);
        assert_status(engine_start(&engine, directory), STATUS_OK);
        open_session(0);
        in_engine(look, &last_session);
        assert_int_equal(values.error_recovery_level, level);
        assert_int_equal(settings.timeouts.idle, 15000);
        assert_int_equal(settings.timeouts.ping, 15000);
    }
}

/* The answer is lost with the connection; the write must not be carried out again, and its caller
 * has not allowed that either. */
static void a_write_goes_on_where_it_was(void **state)
{
    (void)state;
    open_level(2, "");
    struct unique_id id = last_session;
    fill(data, sizeof data, 1);
    orders.cdb = SCSI_WRITE_10;
    for (unsigned i = 1; i <= 3; i++) {
        unsigned before = orders.connections;
        lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 1);
        assert_status(transfer(IO_WRITE, i, 64, data), STATUS_OK);
        assert_int_equal(orders.commands, i);
        assert_int_equal(written, i);
        assert_int_equal(orders.connections, before + 1);
        assert_memory_equal(target_disk_memory(disk) + i * BLOCK, data, 64 * BLOCK);
    }
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_session.specific, id.specific);
    assert_int_equal(last_listed.connections.count, 1);
}

static void so_does_one_in_the_middle_of_its_data(void **state)
{
    (void)state;
    open_level(2, "");
    fill(data, sizeof data, 2);
    orders.cdb = SCSI_WRITE_10;
    lose(PDU_R2T, TARGET_END_RESET, 2);
    assert_status(transfer(IO_WRITE, 9, 512, data), STATUS_OK);
    assert_memory_equal(target_disk_memory(disk) + 9 * BLOCK, data, sizeof data);
    assert_int_equal(orders.left, 0);
    lose(PDU_DATA_IN, TARGET_END_CLOSE, 2);
    assert_status(transfer(IO_READ, 9, 512, back), STATUS_OK);
    assert_memory_equal(back, data, sizeof data);
}

static void many_at_a_time_are_each_carried_out_once(void **state)
{
    enum { COUNT = 64 };
    static struct io ios[COUNT];
    static struct iov pieces[COUNT];
    (void)state;
    open_level(2, "");
    fill(data, sizeof data, 3);
    orders.cdb = SCSI_WRITE_10;
    for (unsigned i = 0; i < COUNT; i++) {
        pieces[i] = (struct iov){data + i * 8 * BLOCK, 8 * BLOCK};
        ios[i] = io_of(IO_WRITE, i * 8, 8, &pieces[i]);
    }
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 5);
    assert_true(io_run(engine, ios, COUNT));
    for (unsigned i = 0; i < COUNT; i++)
        assert_status(ios[i].status, STATUS_OK);
    assert_int_equal(written, COUNT);
    assert_memory_equal(target_disk_memory(disk), data, sizeof data);
}

/* A target that has forgotten the session: it is made anew, and nobody is told a lie. */
static void a_session_that_is_gone_is_made_anew(void **state)
{
    (void)state;
    open_level(2, "");
    fill(data, sizeof data, 4);
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 1);
    orders.no_session = true;
    assert_status(transfer(IO_WRITE, 0, 8, data), STATUS_OUTCOME_UNKNOWN);
    lose(PDU_DATA_IN, TARGET_END_RESET, 1);
    assert_status(transfer(IO_READ, 0, 8, back), STATUS_OK);
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 1);
    struct iov piece = {data, 8 * BLOCK};
    struct io io = io_of(IO_WRITE, 0, 8, &piece);
    io.repeatable = true;
    assert_status(run_io(&io), STATUS_OK);
    assert_memory_equal(target_disk_memory(disk), data, 8 * BLOCK);
    assert_int_equal(orders.refused_logins, 3);
}

static void when_time2retain_is_over_too(void **state)
{
    static struct later later;
    (void)state;
    target_entity_settings(host.entity)->offers.default_time2retain = 1;
    open_level(2, "DelayBetweenReconnect = 0\n");
    fill(data, sizeof data, 5);
    begin_io(&later, IO_WRITE, 0, 8, data);
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 1);
    orders.no_logins = true;
    io_post(engine, &later.io);
    assert_status(await_io(&later), STATUS_OUTCOME_UNKNOWN);
    orders.no_logins = false;
    assert_status(transfer(IO_READ, 0, 8, back), STATUS_OK);
    assert_memory_equal(back, data, 8 * BLOCK);
}

static void a_logout_meanwhile_ends_what_is_kept(void **state)
{
    static struct later later;
    (void)state;
    open_level(2, "DelayBetweenReconnect = 0\n");
    begin_io(&later, IO_WRITE, 0, 8, data);
    lose(PDU_SCSI_RESPONSE, TARGET_END_RESET, 1);
    orders.no_logins = true;
    io_post(engine, &later.io);
    wait_until(count_sessions() == 1 && last_listed.connections.count == 0);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(await_io(&later), STATUS_OUTCOME_UNKNOWN);
}

/* --- late commands --- */

#define SHORT_TIMES "DeviceTimeout = 1\nAbortTimeout = 1\nResetTimeout = 1\n"

static struct pdu_count {
    atomic_uint aborts, resets;
} managed;

static void count_managed(uint8_t function)
{
    managed.aborts += function == TASK_ABORT_TASK;
    managed.resets += function == TASK_LUN_RESET;
}

static void open_late(void)
{
    memset(&managed, 0, sizeof managed);
    orders.managed = count_managed;
    open_level(0, SHORT_TIMES);
}

static void a_late_read_is_aborted_and_read_again(void **state)
{
    (void)state;
    open_late();
    orders.cdb = SCSI_READ_10;
    orders.swallows = 1;
    unsigned before = orders.connections;
    assert_status(transfer(IO_READ, 0, 8, back), STATUS_OK);
    assert_int_equal(orders.commands, 2);
    assert_int_equal(managed.aborts, 1);
    assert_int_equal(managed.resets, 0);
    assert_int_equal(orders.connections, before);
}

static void a_late_write_is_not(void **state)
{
    (void)state;
    open_late();
    orders.cdb = SCSI_WRITE_10;
    orders.swallows = 1;
    assert_status(transfer(IO_WRITE, 0, 8, data), STATUS_OUTCOME_UNKNOWN);
    assert_int_equal(orders.commands, 1);
    assert_status(transfer(IO_WRITE, 0, 8, data), STATUS_OK);
}

static void when_that_does_not_help_the_unit_is_reset(void **state)
{
    (void)state;
    open_late();
    orders.cdb = SCSI_READ_10;
    orders.swallows = 1;
    orders.deaf_to = TASK_ABORT_TASK;
    unsigned before = orders.connections;
    assert_status(transfer(IO_READ, 0, 8, back), STATUS_OK);
    assert_int_equal(managed.aborts, 1);
    assert_int_equal(managed.resets, 1);
    assert_int_equal(orders.connections, before);
}

static void and_at_last_the_session_is_made_anew(void **state)
{
    (void)state;
    open_late();
    orders.cdb = SCSI_READ_10;
    orders.swallows = 1;
    orders.deaf_to = DEAF_TO_ALL;
    unsigned before = orders.connections;
    assert_status(transfer(IO_READ, 0, 8, back), STATUS_OK);
    assert_int_equal(managed.resets, 1);
    assert_int_equal(orders.connections, before + 1);
}

#define LEVEL2_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEVEL2_TEST(as_much_recovery_as_is_set),
        LEVEL2_TEST(a_write_goes_on_where_it_was),
        LEVEL2_TEST(so_does_one_in_the_middle_of_its_data),
        LEVEL2_TEST(many_at_a_time_are_each_carried_out_once),
        LEVEL2_TEST(a_session_that_is_gone_is_made_anew),
        LEVEL2_TEST(when_time2retain_is_over_too),
        LEVEL2_TEST(a_logout_meanwhile_ends_what_is_kept),
        LEVEL2_TEST(a_late_read_is_aborted_and_read_again),
        LEVEL2_TEST(a_late_write_is_not),
        LEVEL2_TEST(when_that_does_not_help_the_unit_is_reset),
        LEVEL2_TEST(and_at_last_the_session_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
