/* Portals that come and go, and sessions that go from one to the other: by themselves, and because
 * somebody sends them. */
#include "failover_target.h"

#define QUICK "DelayBetweenReconnect = 0\nErrorRecoveryLevel = 0\n"

static uint8_t data[64 * BLOCK], back[64 * BLOCK];

static void expect_at(int portal)
{
    wait_until(where() == portal);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
}

static void run_mute(unsigned portal)
{
    (void)portal;
    target_fault_mute(orders.connection);
}

/* --- sent there --- */

static void a_session_is_sent_to_another_portal(void **state)
{
    uint8_t isid[6];
    (void)state;
    open_portals(QUICK);
    log_in();
    assert_int_equal(where(), 0);
    memcpy(isid, last_listed_text[5], sizeof isid);
    fill(data, sizeof data, 1);
    assert_status(transfer(IO_WRITE, 9, 64, data), STATUS_OK);
    assert_status(switch_to(1), STATUS_OK);
    assert_int_equal(where(), 1);
    assert_memory_equal(last_listed_text[5], isid, sizeof isid);
    assert_int_equal(listed_id.specific, last_session.specific);
    assert_int_equal(orders.connections, 3); /* discovery, and one at each portal */
    assert_status(transfer(IO_READ, 9, 64, back), STATUS_OK);
    assert_memory_equal(back, data, sizeof data);
    assert_status(switch_to(1), STATUS_OK); /* there it is */
    assert_int_equal(orders.connections, 3);
    assert_status(switch_to(0), STATUS_OK);
    assert_int_equal(where(), 0);
}

static void by_bus_and_target_id_as_well(void **state)
{
    char address[100];
    (void)state;
    open_portals(QUICK);
    log_in();
    struct request_switch_portal request = {.bus = 0, .target = 0, .address = hosts[1]};
    assert_status(ask(OPERATION_switch_portal, &request, NULL), STATUS_OK);
    assert_int_equal(where(), 1);
    request.target = 1;
    assert_status(ask(OPERATION_switch_portal, &request, NULL), STATUS_SESSION_NOT_FOUND);
    request.target = 0;
    request.bus = 1;
    assert_status(ask(OPERATION_switch_portal, &request, NULL), STATUS_SESSION_NOT_FOUND);
    request.bus = 0;
    snprintf(address, sizeof address, "%s:%u", hosts[0], portals[1].port);
    static const char *const wrong[] = {"", "a b", "1.2.3.4:0", "[1.2.3.4", NULL};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        request.address = wrong[i];
        assert_status(ask(OPERATION_switch_portal, &request, NULL), STATUS_INVALID_ADDRESS);
    }
    request.address = address;
    assert_status(ask(OPERATION_switch_portal, &request, NULL), STATUS_NO_PORTAL);
    request.address = "10.1.2.3";
    assert_status(ask(OPERATION_switch_portal, &request, NULL), STATUS_NO_PORTAL);
    assert_int_equal(where(), 1);
}

static atomic_bool enough;
static atomic_uint transfers, failures;

/* What may not be carried out twice: each loss would show. */
static void stream(void *argument)
{
    uint32_t number = (uint32_t)(uintptr_t)argument;
    uint8_t mine[4 * BLOCK], got[4 * BLOCK];
    for (uint32_t i = 0; !enough; i++) {
        fill(mine, sizeof mine, i * 16 + number);
        enum status written = transfer(IO_WRITE, 1000 + number * 4, 4, mine);
        enum status read = transfer(IO_READ, 1000 + number * 4, 4, got);
        bool good =
            written == STATUS_OK && read == STATUS_OK && memcmp(mine, got, sizeof mine) == 0;
        if (!good)
            fprintf(stderr, "stream %u: write %s, read %s\n", (unsigned)number,
                    status_name(written), status_name(read));
        failures += !good;
        transfers++;
    }
}

static void no_command_is_lost_on_the_way(void **state)
{
    enum { STREAMS = 3, MOVES = 20 };
    struct os_thread *threads[STREAMS];
    (void)state;
    open_portals(QUICK);
    log_in();
    enough = false;
    transfers = failures = 0;
    for (uintptr_t i = 0; i < STREAMS; i++)
        threads[i] = os_thread_start(stream, (void *)i);
    for (unsigned i = 0; i < MOVES; i++) {
        unsigned before = transfers;
        assert_status(switch_to((i + 1) % 2), STATUS_OK);
        wait_until(transfers > before + STREAMS);
    }
    enough = true;
    for (unsigned i = 0; i < STREAMS; i++)
        os_thread_join(threads[i]);
    assert_int_equal(failures, 0);
    assert_int_equal(orders.connections, 2 + MOVES);
}

/* --- what is under way --- */

static struct pdu answer;

static void run_answer(unsigned portal)
{
    (void)portal;
    target_fault_send(orders.connection, &answer, NULL, 0, true);
}

static atomic_uint swallowed_itt;

static void note_itt(void *context, struct target_connection *connection,
                     struct target_fault_in *in)
{
    if (in->pdu->opcode == PDU_SCSI_COMMAND && in->pdu->scsi_command.cdb[0] == orders.cdb)
        swallowed_itt = in->pdu->itt;
    on_incoming(context, connection, in);
}

static const struct target_fault noting = {
    .connected = on_connected, .incoming = note_itt, .outgoing = on_outgoing};

static struct later write;
static struct ask move;

/* A write that the target does not answer, and a move that waits for it. */
static void begin_to_move(void)
{
    static char address[100];
    static struct request_switch_portal request;
    open_portals(QUICK);
    target_entity_settings(host.entity)->fault = &noting;
    log_in();
    orders.cdb = SCSI_WRITE_10;
    orders.swallows = 1;
    begin_io(&write, IO_WRITE, 1, 1, data);
    io_post(engine, &write.io);
    wait_until(orders.commands == 1);
    assert_true(portal_format(&portals[1], address, sizeof address));
    request = (struct request_switch_portal){.session = &last_session, .address = address};
    ask_start(&move, OPERATION_switch_portal, &request, NULL);
    assert_status(switch_to(1), STATUS_SESSION_BUSY); /* behind the first */
    assert_int_equal(where(), 0);
    assert_false(write.ended);
}

static void answer_the_write(void)
{
    answer = (struct pdu){.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = swallowed_itt};
    in_host(run_answer, 0);
    assert_status(await_io(&write), STATUS_OK);
}

static void a_command_under_way_is_waited_for(void **state)
{
    (void)state;
    begin_to_move();
    answer_the_write();
    assert_status(ask_wait(&move), STATUS_OK);
    assert_int_equal(orders.commands, 1);
    assert_int_equal(where(), 1);
}

static void one_that_does_not_end_is_lost(void **state)
{
    static struct later read;
    (void)state;
    begin_to_move();
    begin_io(&read, IO_READ, 1, 1, back);
    io_post(engine, &read.io);
    assert_status(ask_wait(&move), STATUS_OK);
    assert_status(await_io(&write), STATUS_OUTCOME_UNKNOWN);
    assert_status(await_io(&read), STATUS_OK);
    assert_int_equal(where(), 1);
}

/* --- when it cannot --- */

static void a_portal_that_refuses_changes_nothing(void **state)
{
    (void)state;
    open_portals(QUICK);
    log_in();
    down(1);
    unsigned before = orders.connections;
    assert_status(switch_to(1), STATUS_CONNECT_REFUSED);
    assert_int_equal(where(), 0);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
    assert_int_equal(orders.connections, before);
}

static void a_lost_session_goes_there_first(void **state)
{
    char address[100];
    (void)state;
    open_portals(QUICK);
    log_in();
    down(1);
    down(0);
    wait_until(where() == -1);
    assert_true(portal_format(&portals[1], address, sizeof address));
    const struct request_switch_portal request = {.session = &last_session, .address = address};
    ask_start(&move, OPERATION_switch_portal, &request, NULL);
    up(1);
    assert_status(ask_wait(&move), STATUS_OK);
    expect_at(1);
}

static void a_logout_ends_the_move(void **state)
{
    (void)state;
    begin_to_move();
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(ask_wait(&move), STATUS_SESSION_NOT_FOUND);
    assert_status(await_io(&write), STATUS_OUTCOME_UNKNOWN);
}

static void who_asked_may_go_away(void **state)
{
    (void)state;
    begin_to_move();
    ask_give_up(&move);
    assert_status(ask_wait(&move), STATUS_CANCELLED);
    answer_the_write();
    expect_at(1);
}

static void copy_nothing(const void *reply)
{
    (void)reply;
}

/* The login to the other portal would end the connections that it does not make. */
static void a_session_of_two_connections_stays(void **state)
{
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT};
    (void)state;
    open_portals_of(2, QUICK);
    assert_status(add_portal(&portals[0]), STATUS_OK);
    log_in_with(&(struct request_login){
        .target = BASE ":a", .initiator_port = ANY_PORT, .options = &options});
    const struct request_add_connection another = {.session = &last_session,
                                                   .initiator_port = ANY_PORT};
    assert_status(ask(OPERATION_add_connection, &another, copy_nothing), STATUS_OK);
    assert_status(switch_to(1), STATUS_SESSION_BUSY);
    assert_int_equal(where(), 0);
    assert_int_equal(last_listed.connections.count, 2);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
    down(0);
    expect_at(1); /* lost with all of them, it goes wherever it can */
}

static void none_is_added_on_the_way(void **state)
{
    (void)state;
    begin_to_move();
    const struct request_add_connection another = {.session = &last_session,
                                                   .initiator_port = ANY_PORT};
    assert_status(ask(OPERATION_add_connection, &another, copy_nothing), STATUS_SESSION_BUSY);
    answer_the_write();
    assert_status(ask_wait(&move), STATUS_OK);
    assert_int_equal(where(), 1);
}

/* --- by itself --- */

static void the_next_portal_will_do(void **state)
{
    (void)state;
    open_portals(QUICK);
    log_in();
    for (unsigned i = 0; i < 4; i++) {
        begin_io(&write, IO_WRITE, i, 1, data);
        write.io.repeatable = true;
        down(i % 2);
        io_post(engine, &write.io);
        assert_status(await_io(&write), STATUS_OK);
        expect_at((int)(i + 1) % 2);
        up(i % 2);
    }
}

static void one_that_was_chosen_is_gone_back_to(void **state)
{
    (void)state;
    open_portals(QUICK "PortalFailbackTime = 1\n");
    log_in();
    assert_status(switch_to(1), STATUS_OK);
    down(1);
    expect_at(0);
    enough = false;
    transfers = failures = 0;
    struct os_thread *thread = os_thread_start(stream, (void *)(uintptr_t)1);
    up(1);
    expect_at(1);
    enough = true;
    os_thread_join(thread);
    assert_int_equal(failures, 0);
    assert_true(transfers > 0);
}

static atomic_bool silent;
static atomic_uint unanswered;

static void ignore_logins(void *context, struct target_connection *connection,
                          struct target_fault_in *in)
{
    on_incoming(context, connection, in);
    if (in->pdu->opcode != PDU_LOGIN_REQUEST || !silent)
        return;
    in->swallow = true;
    unanswered++;
}

static const struct target_fault silence = {
    .connected = on_connected, .incoming = ignore_logins, .outgoing = on_outgoing};

/* It can be called, but that is all: longer than a command waits for a connection. */
static void a_better_portal_that_does_not_answer_harms_nobody(void **state)
{
    (void)state;
    silent = false;
    unanswered = 0;
    open_portals(QUICK "PreferredPortal = 127.0.0.2\nPortalFailbackTime = 1\n"
                       "MaxRequestHoldTime = 1\n");
    target_entity_settings(host.entity)->fault = &silence;
    assert_status(add_portal(&portals[0]), STATUS_OK);
    down(1);
    log_in_to_known();
    enough = false;
    transfers = failures = 0;
    struct os_thread *thread = os_thread_start(stream, (void *)(uintptr_t)1);
    silent = true;
    up(1);
    wait_until(unanswered > 0);
    unsigned before = transfers;
    wait_until(transfers > before + 2);
    assert_int_equal(where(), 0);
    silent = false;
    expect_at(1);
    enough = true;
    os_thread_join(thread);
    assert_int_equal(failures, 0);
}

static void not_when_that_is_switched_off(void **state)
{
    (void)state;
    open_portals(QUICK "PortalFailbackTime = 0\n");
    log_in();
    assert_status(switch_to(1), STATUS_OK);
    down(1);
    expect_at(0);
    up(1);
    unsigned before = orders.connections;
    uint64_t end = os_now() + 1500; /* longer than the shortest time that there is */
    while (os_now() < end)
        assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
    assert_int_equal(where(), 0);
    assert_int_equal(orders.connections, before);
}

static void reload(void *text)
{
    struct configuration *configuration;
    if (configuration_parse(&configuration, text, "iscsi.conf", NULL) != STATUS_OK)
        abort();
    engine_configure(engine, configuration);
}

static void nor_when_a_reload_switches_it_off(void **state)
{
    static char off[] = QUICK "PreferredPortal = 127.0.0.2\nPortalFailbackTime = 0\n";
    (void)state;
    open_portals(QUICK "PreferredPortal = 127.0.0.2\nPortalFailbackTime = 1\n");
    assert_status(add_portal(&portals[0]), STATUS_OK);
    down(1);
    log_in_to_known();
    in_engine(reload, off);
    up(1);
    unsigned before = orders.connections;
    uint64_t end = os_now() + 1500; /* the look that was due when it was read */
    while (os_now() < end)
        assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
    assert_int_equal(where(), 0);
    assert_int_equal(orders.connections, before);
}

/* A caller of Windows' interface who names a portal means that one, until somebody sends it away.
 */
static void a_session_with_a_portal_of_its_own_stays(void **state)
{
    (void)state;
    open_portals(QUICK);
    assert_status(add_portal(&portals[0]), STATUS_OK);
    const struct portal own = {NULL, portals[0].host, portals[0].port};
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT};
    log_in_with(&(struct request_login){
        .target = BASE ":a", .initiator_port = ANY_PORT, .portal = &own, .options = &options});
    down(0);
    wait_until(where() == -1);
    up(0);
    expect_at(0);
    assert_status(switch_to(1), STATUS_OK);
    expect_at(1);
    down(1);
    wait_until(where() == -1);
    up(1);
    expect_at(1);
}

/* --- as the file says --- */

static void the_preferred_portal_is_used_first(void **state)
{
    static const char *const preferences[] = {
        "PreferredPortal = 127.0.0.2\n",
        "PreferredSubnet = 127.0.0.2/31\n",
        "PreferredPortal = 127.0.0.2\nPreferredSubnet = 127.0.0.1/32\n",
        "TargetName = " BASE ":a\n  PreferredPortal = 127.0.0.2\n",
        "PreferredPortal = 127.0.0.1\nTargetName = " BASE ":a\n  PreferredPortal = 127.0.0.2\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof preferences / sizeof *preferences; i++) {
        stop_failover(state);
        start_failover(state);
        open_portals(preferences[i]);
        log_in();
        if (where() != 1)
            fail_msg("%s: at portal %d", preferences[i], where());
        assert_int_equal(orders.connections, 2);
    }
}

static void else_the_others_and_then_back(void **state)
{
    (void)state;
    open_portals(QUICK "PreferredSubnet = 127.0.0.2/31\nPortalFailbackTime = 1\n");
    assert_status(add_portal(&portals[0]), STATUS_OK);
    down(1);
    log_in_to_known();
    assert_int_equal(where(), 0);
    up(1);
    expect_at(1);
    down(1);
    expect_at(0);
    up(1);
    expect_at(1);
}

static void without_failover_it_stays(void **state)
{
    (void)state;
    open_portals(QUICK "PortalFailover = no\nPreferredPortal = 127.0.0.2\n"
                       "PortalFailbackTime = 1\n");
    log_in();
    assert_int_equal(where(), 1);
    unsigned before = orders.connections;
    down(1);
    wait_until(where() == -1);
    up(1);
    expect_at(1);
    assert_int_equal(orders.connections, before + 1);
    assert_status(switch_to(0), STATUS_OK);
    expect_at(0);
}

/* Nothing comes any more: the same portal again would be out of reach as well. */
static void a_silent_portal_is_left_at_once(void **state)
{
    (void)state;
    open_portals(QUICK "IdleTimeout = 1\nPingTimeout = 1\n");
    log_in();
    in_host(run_mute, 0);
    wait_until(where() == 1);
    assert_int_equal(orders.connections, 3); /* the first one was not tried again */
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
}

/* --- want of memory --- */

static void want_of_memory_is_survived(void **state)
{
    unsigned moved = 0;
    (void)state;
    open_portals(QUICK);
    log_in();
    for (long nth = 1; nth < 30; nth++) {
        failing_allocation = nth;
        enum status status = switch_to((unsigned)nth % 2);
        failing_allocation = 0;
        moved += status == STATUS_OK;
        os_alloc_fail_at(0);
        wait_until(where() >= 0);
        assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
    }
    assert_true(moved > 10);
}

#define FAILOVER_TEST(name) cmocka_unit_test_setup_teardown(name, start_failover, stop_failover)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAILOVER_TEST(a_session_is_sent_to_another_portal),
        FAILOVER_TEST(by_bus_and_target_id_as_well),
        FAILOVER_TEST(no_command_is_lost_on_the_way),
        FAILOVER_TEST(a_command_under_way_is_waited_for),
        FAILOVER_TEST(one_that_does_not_end_is_lost),
        FAILOVER_TEST(a_portal_that_refuses_changes_nothing),
        FAILOVER_TEST(a_lost_session_goes_there_first),
        FAILOVER_TEST(a_logout_ends_the_move),
        FAILOVER_TEST(who_asked_may_go_away),
        FAILOVER_TEST(a_session_of_two_connections_stays),
        FAILOVER_TEST(none_is_added_on_the_way),
        FAILOVER_TEST(the_next_portal_will_do),
        FAILOVER_TEST(one_that_was_chosen_is_gone_back_to),
        FAILOVER_TEST(a_better_portal_that_does_not_answer_harms_nobody),
        FAILOVER_TEST(not_when_that_is_switched_off),
        FAILOVER_TEST(nor_when_a_reload_switches_it_off),
        FAILOVER_TEST(a_session_with_a_portal_of_its_own_stays),
        FAILOVER_TEST(the_preferred_portal_is_used_first),
        FAILOVER_TEST(else_the_others_and_then_back),
        FAILOVER_TEST(without_failover_it_stays),
        FAILOVER_TEST(a_silent_portal_is_left_at_once),
        FAILOVER_TEST(want_of_memory_is_survived),
    };
    return cmocka_run_group_tests_name("engine_failover", tests, NULL, NULL);
}
