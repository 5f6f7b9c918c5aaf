/* How many answers a link waits for: contact and embedded target on one loop. */
#include "discovery/contact.h"
#include "os_test.h"

#include "os/crypto.h"
#include "os/memory.h"
#include "target/target.h"

#include <string.h>

#define TARGET "iqn.2026-11.org.example:link"

enum {
    TASKS = 32,
    READ = 64 << 10,
    WRITE = 4096,
    DISK = 8 << 20,
    MISSING_LUN = 5,
    CONNECTIONS = 4,
};

static struct os_loop *loop;
static struct link_base base;
static struct target_entity *entity;
static struct target_server *server;
static struct target_disk *disk;
static struct contact *contact;
static struct portal_address portal;
static enum status told;
static struct os_timer watchdog;

static void on_watchdog(struct os_timer *timer)
{
    (void)timer;
    told = STATUS_COMMAND_TIMEOUT;
    os_loop_stop(loop);
}

/* Until somebody stops the loop, within a bound. */
static void run(const char *what)
{
    watchdog.fire = on_watchdog;
    assert_true(os_timer_set(loop, &watchdog, os_now() + BOUND));
    os_loop_run(loop);
    os_timer_clear(&watchdog);
    if (told != STATUS_OK)
        fail_msg("%s: %s", what, status_text(told));
}

static void on_event(void *context, enum status status)
{
    (void)context;
    told = status;
    os_loop_stop(loop);
}

static const struct contact_events events = {.ready = on_event, .over = on_event};

static int start(void **state)
{
    struct target *target;
    struct session_settings session = {
        .initiator_name = "iqn.2026-11.org.example:test",
        .target_name = TARGET,
        .isid = {0x40, 0, 1, 0x37, 0, 1},
        .offers = {.header_digest = "None",
                   .data_digest = "None",
                   .max_recv_data_segment_length = 262144,
                   .max_connections = CONNECTIONS,
                   .immediate_data = true,
                   .max_burst_length = 262144,
                   .first_burst_length = 65536,
                   .default_time2wait = 2,
                   .default_time2retain = 20,
                   .max_outstanding_r2t = 1,
                   .data_pdu_in_order = true,
                   .data_sequence_in_order = true},
        .timeouts = {.login = BOUND, .command = BOUND, .logout = BOUND},
    };
    struct contact_settings settings = {
        .session = &session, .portal = &portal, .connect_timeout = BOUND};

    (void)state;
    loop = os_loop_new();
    assert_non_null(loop);
    assert_true(link_base_open(&base, loop));
    entity = target_entity_new(&os_crypto);
    assert_non_null(entity);
    assert_status(target_add(entity, TARGET, &target), STATUS_OK);
    assert_status(target_disk_ram(DISK, 512, &disk), STATUS_OK);
    for (unsigned i = 0; i < DISK; i++)
        target_disk_memory(disk)[i] = (uint8_t)(i >> 9);
    assert_status(target_add_disk(target, 0, disk), STATUS_OK);
    server = target_server_new(loop, entity);
    assert_non_null(server);
    assert_status(target_server_listen(server, "127.0.0.1", 0, 1, &portal), STATUS_OK);
    contact = contact_open(&base, &settings, CONTACT_FIRST_CID, &events, NULL);
    assert_non_null(contact);
    run("login");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    contact_close(contact);
    target_server_free(server);
    target_entity_free(entity);
    link_base_close(&base);
    os_loop_free(loop);
    return 0;
}

static struct contact_connection *joined[CONNECTIONS];

static void on_over(void *context, enum status status)
{
    (void)context, (void)status;
}

static const struct contact_events joined_events = {.ready = on_event, .over = on_over};

static void join_others(void)
{
    struct contact_settings settings = {.portal = &portal, .connect_timeout = BOUND};
    for (unsigned i = 1; i < CONNECTIONS; i++) {
        uint16_t cid = session_new_cid(contact_session(contact));
        joined[i] = contact_join(contact, &settings, cid, &joined_events, NULL);
        assert_non_null(joined[i]);
        run("login of another connection");
    }
}

/* --- reads --- */

static struct read {
    struct task task;
    struct iov piece;
    uint8_t data[READ];
} reads[TASKS];
static unsigned under_way;

static void on_done(struct task *task)
{
    (void)task;
    if (--under_way == 0)
        os_loop_stop(loop);
}

/* Submits them all at once: those of the last `missing` ask a unit that is not there, which answers
 * without the data that the link expects. */
static void read_all(unsigned count, unsigned missing)
{
    told = STATUS_OK;
    under_way = count;
    contact_hold(contact);
    for (unsigned i = 0; i < count; i++) {
        struct read *read = &reads[i];
        memset(read->data, 0xee, sizeof read->data);
        read->piece = (struct iov){read->data, READ};
        read->task = (struct task){
            .data_in = &read->piece, .data_in_count = 1, .data_in_length = READ, .done = on_done};
        if (i >= count - missing)
            read->task.lun = (uint64_t)MISSING_LUN << 48;
        scsi_read(&read->task.cdb, i * (READ / 512), READ / 512);
        session_submit(contact_session(contact), &read->task, os_now());
    }
    contact_release(contact);
    run("reads");
}

static void check_all(unsigned count, unsigned missing)
{
    for (unsigned i = 0; i < count; i++) {
        const struct read *read = &reads[i];
        if (i >= count - missing) {
            assert_status(read->task.status, STATUS_SCSI_STATUS);
            continue;
        }
        assert_status(read->task.status, STATUS_OK);
        assert_int_equal(read->task.transferred, READ);
        for (unsigned at = 0; at < READ; at++)
            assert_int_equal(read->data[at], (uint8_t)((i * READ + at) >> 9));
    }
}

/* The unit tells of its reset first. */
static void take_attention(void)
{
    read_all(1, 0);
    if (reads[0].task.status != STATUS_OK)
        assert_status(reads[0].task.status, STATUS_SCSI_STATUS);
}

static void many_reads_arrive_whole(void **state)
{
    (void)state;
    take_attention();
    for (unsigned round = 0; round < 20; round++) {
        read_all(TASKS, 0);
        check_all(TASKS, 0);
    }
}

/* Less comes than was asked for: without its timer the link would sleep on the last answers. */
static void answers_without_data_are_not_waited_for(void **state)
{
    (void)state;
    take_attention();
    for (unsigned missing = 0; missing <= TASKS; missing++) {
        read_all(TASKS, missing);
        check_all(TASKS, missing);
    }
}

static void reads_on_several_connections_arrive_whole(void **state)
{
    (void)state;
    take_attention();
    join_others();
    for (unsigned round = 0; round < 20; round++) {
        read_all(TASKS, round % 5);
        check_all(TASKS, round % 5);
    }
}

/* While one connection is read because another one had something to read. */
static void drop_joined(struct task *task)
{
    for (unsigned i = 1; i < CONNECTIONS - 1; i++)
        contact_drop(joined[i], STATUS_CONNECTION_RESET);
    on_done(task);
}

static void connections_may_be_dropped_by_what_another_brings(void **state)
{
    unsigned whole = 0;
    (void)state;
    take_attention();
    for (unsigned first = 0; first < TASKS; first += 5) {
        join_others();
        told = STATUS_OK;
        under_way = TASKS;
        contact_hold(contact);
        for (unsigned i = 0; i < TASKS; i++) {
            reads[i].piece = (struct iov){reads[i].data, READ};
            reads[i].task = (struct task){.data_in = &reads[i].piece,
                                          .data_in_count = 1,
                                          .data_in_length = READ,
                                          .done = i == first ? drop_joined : on_done};
            scsi_read(&reads[i].task.cdb, i * (READ / 512), READ / 512);
            session_submit(contact_session(contact), &reads[i].task, os_now());
        }
        contact_release(contact);
        run("reads");
        for (unsigned i = 0; i < TASKS; i++)
            whole += reads[i].task.status == STATUS_OK;
        for (unsigned i = 1; i < CONNECTIONS; i++)
            contact_leave(joined[i]);
    }
    assert_in_range(whole, TASKS / 4, TASKS * TASKS);
}

/* --- writes --- */

static void many_writes_are_answered(void **state)
{
    static uint8_t data[TASKS][WRITE];
    (void)state;
    take_attention();
    for (unsigned round = 1; round <= 20; round++) {
        told = STATUS_OK;
        under_way = TASKS;
        contact_hold(contact);
        for (unsigned i = 0; i < TASKS; i++) {
            memset(data[i], (int)(round + i), WRITE);
            reads[i].piece = (struct iov){data[i], WRITE};
            reads[i].task = (struct task){.data_out = &reads[i].piece,
                                          .data_out_count = 1,
                                          .data_out_length = WRITE,
                                          .done = on_done};
            scsi_write(&reads[i].task.cdb, i * (WRITE / 512), WRITE / 512, false);
            session_submit(contact_session(contact), &reads[i].task, os_now());
        }
        contact_release(contact);
        run("writes");
        for (unsigned i = 0; i < TASKS; i++)
            assert_status(reads[i].task.status, STATUS_OK);
        assert_memory_equal(target_disk_memory(disk), data, sizeof data);
    }
}

static void a_closed_connection_wakes_a_patient_link(void **state)
{
    (void)state;
    take_attention();
    told = STATUS_OK;
    under_way = 0;
    contact_hold(contact);
    for (unsigned i = 0; i < TASKS; i++) {
        reads[i].task = (struct task){.lun = (uint64_t)MISSING_LUN << 48,
                                      .data_in = &reads[i].piece,
                                      .data_in_count = 1,
                                      .data_in_length = READ,
                                      .done = on_done};
        scsi_read(&reads[i].task.cdb, 0, READ / 512);
        under_way++;
        session_submit(contact_session(contact), &reads[i].task, os_now());
    }
    contact_release(contact);
    target_server_free(server);
    server = NULL;
    told = STATUS_COMMAND_TIMEOUT;
    watchdog.fire = on_watchdog;
    assert_true(os_timer_set(loop, &watchdog, os_now() + BOUND));
    while (under_way > 0 && watchdog.loop != NULL)
        os_loop_run(loop);
    os_timer_clear(&watchdog);
    assert_int_equal(under_way, 0);
    for (unsigned i = 0; i < TASKS; i++)
        assert_int_not_equal(reads[i].task.status, STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_reads_arrive_whole, start, stop),
        cmocka_unit_test_setup_teardown(answers_without_data_are_not_waited_for, start, stop),
        cmocka_unit_test_setup_teardown(reads_on_several_connections_arrive_whole, start, stop),
        cmocka_unit_test_setup_teardown(connections_may_be_dropped_by_what_another_brings, start,
                                        stop),
        cmocka_unit_test_setup_teardown(many_writes_are_answered, start, stop),
        cmocka_unit_test_setup_teardown(a_closed_connection_wakes_a_patient_link, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
