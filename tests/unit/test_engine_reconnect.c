/* Sessions whose connection is lost: they get another one, and what callers see meanwhile. */
#include "engine_test.h"

#include "engine/options.h"

#include <stdatomic.h>
#ifdef __linux__
#include <dirent.h>
#include <malloc.h>
#endif

static struct target_host host;

/* What the target does wrong. Two threads see it. */
static struct {
    struct target_connection *_Atomic connection; /* the latest one, or that of commands */
    atomic_uint connections;
    _Atomic uint8_t opcode; /* of PDUs that are not sent */
    atomic_uint left;       /* how many of them */
    _Atomic enum target_end end;
    atomic_bool random; /* ends connections here and there */
    atomic_uint ended;
    atomic_uint time2wait; /* in Logout Responses */
    atomic_bool removed;   /* logins are told that the target is gone */
    atomic_bool deaf;
} orders;

static uint32_t seed = 1;

static uint32_t any(uint32_t most)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % most;
}

static void on_connected(void *context, struct target_connection *connection)
{
    (void)context;
    orders.connection = connection;
    orders.connections++;
}

static void end_somewhere(struct target_fault_out *out)
{
    if (out->pdu->opcode == PDU_LOGIN_RESPONSE ? any(40) != 0 : any(4) != 0)
        return;
    orders.ended++;
    if (orders.ended % 100 == 0) {
        out->copies = 0; /* nothing more comes: a stall */
        orders.deaf = true;
        return;
    }
    out->end = any(2) ? TARGET_END_RESET : TARGET_END_CLOSE;
    out->end_at = any(2) ? any(48) : SIZE_MAX;
}

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    uint8_t opcode = out->pdu->opcode;
    (void)context;
    (void)connection;
    if (orders.random)
        end_somewhere(out);
    if (opcode == PDU_LOGOUT_RESPONSE)
        out->pdu->logout_response.time2wait = (uint16_t)orders.time2wait;
    if (opcode == PDU_LOGIN_RESPONSE && orders.removed) {
        out->pdu->login_response.status_class = 2;
        out->pdu->login_response.status_detail = 4;
    }
    if (orders.left == 0 || opcode != orders.opcode)
        return;
    orders.left--;
    out->copies = 0;
    out->end = orders.end;
    out->end_at = 0;
}

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    (void)context;
    if (in->pdu->opcode == PDU_LOGIN_REQUEST)
        orders.deaf = false;
    if (in->pdu->opcode == PDU_SCSI_COMMAND) /* another one may have come and gone meanwhile */
        orders.connection = connection;
    in->swallow = orders.deaf && connection == orders.connection;
}

static const struct target_fault fault = {
    .connected = on_connected, .incoming = on_incoming, .outgoing = on_outgoing};

static void prepare_host(struct target_host *at)
{
    target_host_new(at);
    target_entity_settings(at->entity)->fault = &fault;
    target_entity_settings(at->entity)->offers.default_time2wait = 0;
}

static int start(void **state)
{
    (void)state;
    memset(&orders, 0, sizeof orders);
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    prepare_host(&host);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    return 0;
}

/* Logs in to a disk; `wait` is the session's DefaultTime2Wait in seconds. */
static void log_in(uint32_t wait, const char *settings)
{
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT,
                                          .default_time2wait = wait};
    if (settings != NULL)
        write_text("iscsi.conf", settings);
    target_host_add(&host, BASE ":a");
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(login_with(BASE ":a", &options), STATUS_OK);
    settle();
}

static void run_cut(struct os_job *job)
{
    (void)job;
    target_fault_end(orders.connection, TARGET_END_RESET);
}

static void cut(void)
{
    host.job.run = run_cut;
    os_loop_post(host.loop, &host.job);
}

/* The session's connections as listed; -1: it is not listed. */
static int connections(void)
{
    return count_sessions() == 0 ? -1 : (int)last_listed.connections.count;
}

static void wait_for_connections(int wanted)
{
    uint64_t end = os_now() + BOUND;
    int got;
    while ((got = connections()) != wanted) {
        if (os_now() > end)
            fail_msg("%d connections are listed, %d expected", got, wanted);
        os_thread_yield();
    }
}

static enum status send(uint8_t opcode)
{
    struct scsi_cdb cdb = {.length = 6, .bytes = {opcode}};
    if (opcode == SCSI_INQUIRY)
        scsi_inquiry(&cdb, 0, 0, 36);
    const struct request_scsi request = {.session = &last_session,
                                         .cdb = {cdb.bytes, cdb.length},
                                         .length = opcode == SCSI_INQUIRY ? 36 : 0};
    return ask(OPERATION_scsi, &request, NULL);
}

/* --- coming back --- */

static void a_session_comes_back_as_itself(void **state)
{
    uint8_t isid[6];
    (void)state;
    log_in(1, NULL);
    assert_int_equal(connections(), 1);
    memcpy(isid, last_listed_text[5], 6);
    uint64_t cut_at = os_now();
    cut();
    wait_for_connections(0);
    assert_memory_equal(last_listed_text[5], isid, 6);
    assert_string_equal(last_listed.target_name, BASE ":a");
    assert_int_equal(last_listed.max_burst_length, 262144);
    assert_status(login(BASE ":a"), STATUS_ALREADY_LOGGED_IN);
    wait_for_connections(1);
    assert_in_range(os_now() - cut_at, 1000, 4000); /* Time2Wait */
    assert_memory_equal(last_listed_text[5], isid, 6);
    assert_int_equal(last_listed_connection.state, 2);
    assert_int_equal(orders.connections, 3); /* discovery, the old one, the new one */
    assert_status(send(SCSI_INQUIRY), STATUS_OK);
    assert_status(logout(&last_session), STATUS_OK);
    assert_int_equal(connections(), -1);
}

static void commands_wait_for_the_connection(void **state)
{
    (void)state;
    log_in(1, NULL);
    cut();
    wait_for_connections(0);
    uint64_t asked = os_now();
    assert_status(send(SCSI_INQUIRY), STATUS_OK);
    assert_true(os_now() - asked > 500);
}

static void but_no_longer_than_they_may_take(void **state)
{
    (void)state;
    log_in(30, "WMIRequestTimeout = 1\n");
    cut();
    wait_for_connections(0);
    uint64_t asked = os_now();
    assert_status(send(SCSI_INQUIRY), STATUS_NO_CONNECTION);
    assert_in_range(os_now() - asked, 900, 3000);
    assert_int_equal(connections(), 0);
}

static void nor_longer_than_requests_are_held(void **state)
{
    (void)state;
    log_in(30, "MaxRequestHoldTime = 0\n");
    cut();
    wait_for_connections(0);
    uint64_t asked = os_now();
    assert_status(send(SCSI_INQUIRY), STATUS_NO_CONNECTION);
    assert_true(os_now() - asked < 1000);
}

static void what_changes_nothing_is_asked_again(void **state)
{
    (void)state;
    log_in(0, NULL);
    orders.opcode = PDU_DATA_IN;
    orders.end = TARGET_END_RESET;
    orders.left = 2;
    assert_status(send(SCSI_INQUIRY), STATUS_OK);
    assert_int_equal(orders.left, 0);
    assert_int_equal(orders.connections, 4);
    orders.opcode = PDU_SCSI_RESPONSE;
    orders.end = TARGET_END_CLOSE;
    orders.left = 1;
    enum status status = send(0x03); /* REQUEST SENSE: the answer differs the second time */
    if (status != STATUS_CONNECTION_CLOSED && status != STATUS_CONNECTION_RESET)
        fail_msg("expected a lost connection, got %s", status_name(status));
    wait_for_connections(1);
}

/* Carried out or not: nobody can know, and the caller has to be told. */
static void what_changes_something_is_never_asked_again(void **state)
{
    static const struct {
        uint8_t opcode, length;
    } rows[] = {
        {0x5f, 10}, /* PERSISTENT RESERVE OUT */
        {0x89, 16}, /* COMPARE AND WRITE */
        {0x0a, 6},  /* WRITE (6), which a tape appends */
        {0x2a, 10}, /* WRITE (10) */
        {0x16, 6},  /* RESERVE (6) */
    };
    (void)state;
    log_in(0, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t cdb[16] = {rows[i].opcode};
        const struct request_scsi request = {.session = &last_session,
                                             .cdb = {cdb, rows[i].length}};
        unsigned before = orders.connections;
        orders.opcode = PDU_SCSI_RESPONSE;
        orders.end = TARGET_END_RESET;
        orders.left = 2; /* would be noticed */
        enum status status = ask(OPERATION_scsi, &request, NULL);
        if (status != STATUS_CONNECTION_CLOSED && status != STATUS_CONNECTION_RESET)
            fail_msg("%02x: expected a lost connection, got %s", rows[i].opcode,
                     status_name(status));
        orders.left = 0;
        assert_status(send(SCSI_INQUIRY), STATUS_OK); /* on the next connection */
        assert_int_equal(orders.connections, before + 1);
    }
}

static void a_held_command_can_be_given_up(void **state)
{
    struct scsi_cdb cdb;
    struct ask asked;
    (void)state;
    log_in(30, NULL);
    scsi_test_unit_ready(&cdb);
    const struct request_scsi request = {.session = &last_session, .cdb = {cdb.bytes, cdb.length}};
    cut();
    wait_for_connections(0);
    ask_start(&asked, OPERATION_scsi, &request, NULL);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    ask_start(&asked, OPERATION_scsi, &request, NULL);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(ask_wait(&asked), STATUS_NO_CONNECTION);
}

static void a_logout_meanwhile_just_ends_it(void **state)
{
    (void)state;
    log_in(30, NULL);
    cut();
    wait_for_connections(0);
    uint64_t asked = os_now();
    assert_status(logout(&last_session), STATUS_OK);
    assert_true(os_now() - asked < 1000);
    assert_int_equal(connections(), -1);
    assert_status(logout(&last_session), STATUS_SESSION_NOT_FOUND);
}

static void a_stop_meanwhile_waits_for_nobody(void **state)
{
    (void)state;
    log_in(30, NULL);
    cut();
    wait_for_connections(0);
    uint64_t asked = os_now();
    engine_stop(engine);
    assert_true(os_now() - asked < 1000);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

static void silence_is_taken_for_a_dead_connection(void **state)
{
    (void)state;
    log_in(0, "WMIRequestTimeout = 1\n");
    orders.deaf = true;
    assert_status(send(SCSI_INQUIRY), STATUS_COMMAND_TIMEOUT);
    assert_status(send(SCSI_INQUIRY), STATUS_OK);
    assert_int_equal(connections(), 1);
    assert_int_equal(orders.connections, 3);
}

/* --- what the target asks for --- */

static struct pdu message;

static void run_tell(struct os_job *job)
{
    (void)job;
    target_fault_send(orders.connection, &message, NULL, 0, true);
}

static void tell(uint8_t event, uint16_t parameter1, uint16_t parameter2)
{
    message = (struct pdu){.opcode = PDU_ASYNC_MESSAGE, .final = true, .itt = PDU_RESERVED_TAG};
    message.async_message.event = event;
    message.async_message.parameter1 = parameter1;
    message.async_message.parameter2 = parameter2;
    message.async_message.parameter3 = 5;
    host.job.run = run_tell;
    os_loop_post(host.loop, &host.job);
}

static void expect_back_after(uint64_t began, unsigned least)
{
    wait_for_connections(0);
    wait_for_connections(1);
    assert_in_range(os_now() - began, least, least + 3000);
    assert_status(send(SCSI_INQUIRY), STATUS_OK);
}

static void a_logout_that_the_target_wants_is_followed_by_a_login(void **state)
{
    (void)state;
    log_in(0, NULL);
    orders.time2wait = 1;
    uint64_t began = os_now();
    tell(ASYNC_LOGOUT_REQUESTED, 0, 0);
    expect_back_after(began, 1000);
    assert_status(logout(&last_session), STATUS_OK);
}

static void a_dropped_connection_tells_when_to_come_back(void **state)
{
    (void)state;
    log_in(0, NULL);
    uint64_t began = os_now();
    tell(ASYNC_DROP_CONNECTION, 1, 1);
    expect_back_after(began, 1000);
}

static void so_does_a_dropped_session(void **state)
{
    (void)state;
    log_in(0, NULL);
    uint64_t began = os_now();
    tell(ASYNC_DROP_SESSION, 0, 1);
    expect_back_after(began, 1000);
}

static void a_target_that_was_removed_ends_the_session(void **state)
{
    (void)state;
    log_in(0, NULL);
    orders.removed = true;
    cut();
    wait_for_connections(-1);
}

static void retries_may_be_limited(void **state)
{
    (void)state;
    log_in(0, "MaxConnectionRetries = 3\n");
    unsigned before = orders.connections;
    orders.opcode = PDU_LOGIN_RESPONSE;
    orders.end = TARGET_END_CLOSE;
    orders.left = 1000;
    cut();
    wait_for_connections(-1);
    assert_int_equal(orders.connections, before + 3);
}

/* A second host that offers the target on a portal of the same group. */
static void another_portal_of_the_group_will_do(void **state)
{
    static struct target_host second;
    (void)state;
    prepare_host(&second);
    target_host_add(&second, BASE ":a");
    assert_status(target_add_portal(host.entity, &second.portal), STATUS_OK);
    target_host_start(&second);
    log_in(0, NULL);
    assert_int_equal(connections(), 1);
    assert_int_equal(last_listed_connection.target_socket, host.portal.port);
    target_host_stop(&host);
    wait_for_connections(1);
    uint64_t end = os_now() + BOUND;
    while (connections() != 1 || last_listed_connection.target_socket != second.portal.port) {
        if (os_now() > end)
            fail_msg("the other portal was not tried");
        os_thread_yield();
    }
    enum status status = send(SCSI_INQUIRY);
    engine_stop(engine);
    target_host_stop(&second);
    prepare_host(&host);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(status, STATUS_OK);
}

/* Whichever allocation fails: the session comes back later, or is gone where nothing else can be
 * done, and the engine goes on. */
static void want_of_memory_is_survived(void **state)
{
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT};
    unsigned survivors = 0;
    (void)state;
    log_in(0, NULL);
    for (long nth = 1; nth < 40; nth++) {
        assert_status(send(SCSI_INQUIRY), STATUS_OK);
        unsigned before = orders.connections;
        os_alloc_fail_at(nth);
        cut();
        uint64_t end = os_now() + BOUND;
        while (orders.connections == before && os_now() < end)
            os_thread_yield();
        int got;
        while ((got = connections()) == 0 && os_now() < end)
            os_thread_yield();
        os_alloc_fail_at(0);
        survivors += got == 1;
        if (got == -1)
            assert_status(login_with(BASE ":a", &options), STATUS_OK);
        wait_for_connections(1);
    }
    assert_true(survivors > 25);
}

/* --- again and again --- */

enum { CALLERS = 4, ENDS = 500, DEADLINE = 1000 };

static atomic_bool enough;

struct caller {
    struct os_thread *thread;
    unsigned calls, successes, other;
    uint64_t longest;
};

static void stream(void *argument)
{
    struct caller *caller = argument;
    while (!enough) {
        uint64_t asked = os_now();
        enum status status = send(SCSI_INQUIRY);
        uint64_t took = os_now() - asked;
        caller->longest = took > caller->longest ? took : caller->longest;
        caller->calls++;
        caller->successes += status == STATUS_OK;
        caller->other += status != STATUS_OK && status != STATUS_COMMAND_TIMEOUT &&
                         status != STATUS_NO_CONNECTION && status != STATUS_CONNECTION_CLOSED &&
                         status != STATUS_CONNECTION_RESET && status != STATUS_TRANSPORT_ERROR;
    }
}

#ifdef __linux__
static unsigned descriptors(void)
{
    unsigned count = 0;
    DIR *list = opendir("/proc/self/fd");
    assert_non_null(list);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

static size_t heap(void)
{
    return mallinfo2().uordblks;
}
#else
static unsigned descriptors(void)
{
    return 0;
}

static size_t heap(void)
{
    return 0;
}
#endif

static void wait_for_ends(unsigned wanted)
{
    uint64_t end = os_now() + 60000;
    while (orders.ended < wanted) {
        if (os_now() > end)
            fail_msg("only %u connections were ended, %u expected", orders.ended, wanted);
        os_thread_yield();
    }
}

static void quiet(void)
{
    uint64_t end = os_now() + 30000;
    enum status status;
    orders.random = false;
    /* The last loss may have come with the order; a slow machine is a while over the login. */
    while ((status = send(SCSI_INQUIRY)) != STATUS_OK && os_now() < end)
        ;
    assert_status(status, STATUS_OK);
    wait_for_connections(1);
}

/* Cut, reset or stalled: no call outlasts its time, the session stays, nothing piles up. */
static void five_hundred_lost_connections(void **state)
{
    static struct caller callers[CALLERS];
    unsigned calls = 0, successes = 0;
    (void)state;
    memset(callers, 0, sizeof callers);
    enough = false;
    log_in(0, "WMIRequestTimeout = 1\n");
    struct unique_id id = last_session;
    for (unsigned i = 0; i < CALLERS; i++)
        callers[i].thread = os_thread_start(stream, &callers[i]);
    orders.random = true;
    wait_for_ends(ENDS / 4);
    unsigned descriptors_before = descriptors();
    size_t heap_before = heap();
    wait_for_ends(ENDS);
    unsigned descriptors_after = descriptors();
    size_t heap_after = heap();
    enough = true;
    for (unsigned i = 0; i < CALLERS; i++) {
        os_thread_join(callers[i].thread);
        calls += callers[i].calls;
        successes += callers[i].successes;
        assert_int_equal(callers[i].other, 0);
        assert_in_range(callers[i].longest, 0, DEADLINE + 1000);
    }
    quiet();
    assert_true(last_listed.id != NULL);
    assert_int_equal(last_session.specific, id.specific);
    assert_true(descriptors_after <= descriptors_before + 8);
    assert_true(heap_after <= heap_before + (256 << 10));
    if (successes < calls / 2)
        fail_msg("%u of %u calls succeeded", successes, calls);
    assert_status(logout(&id), STATUS_OK);
    assert_int_equal(connections(), -1);
}

#define RECONNECT_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECONNECT_TEST(a_session_comes_back_as_itself),
        RECONNECT_TEST(commands_wait_for_the_connection),
        RECONNECT_TEST(but_no_longer_than_they_may_take),
        RECONNECT_TEST(nor_longer_than_requests_are_held),
        RECONNECT_TEST(what_changes_nothing_is_asked_again),
        RECONNECT_TEST(what_changes_something_is_never_asked_again),
        RECONNECT_TEST(a_held_command_can_be_given_up),
        RECONNECT_TEST(a_logout_meanwhile_just_ends_it),
        RECONNECT_TEST(a_stop_meanwhile_waits_for_nobody),
        RECONNECT_TEST(silence_is_taken_for_a_dead_connection),
        RECONNECT_TEST(a_logout_that_the_target_wants_is_followed_by_a_login),
        RECONNECT_TEST(a_dropped_connection_tells_when_to_come_back),
        RECONNECT_TEST(so_does_a_dropped_session),
        RECONNECT_TEST(a_target_that_was_removed_ends_the_session),
        RECONNECT_TEST(retries_may_be_limited),
        RECONNECT_TEST(another_portal_of_the_group_will_do),
        RECONNECT_TEST(want_of_memory_is_survived),
        RECONNECT_TEST(five_hundred_lost_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
