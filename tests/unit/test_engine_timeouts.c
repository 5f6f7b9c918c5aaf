/* Each timeout of iscsi.conf ends what its name says: the others are an hour in the meantime, so
 * that what ends was ended by the one. None ends it early. */
#include "io_target.h"

#define HOUR "3600"

enum { SECOND = 1000, DELAY = 100 /* with which the peer may see what was sent */ };

static uint8_t back[8 * BLOCK];

/* --- what the target does, and when it saw what --- */

enum { SEEN_COMMAND, SEEN_ABORT, SEEN_RESET, SEEN_NOP, SEEN_KINDS };

static struct {
    atomic_ullong at[SEEN_KINDS]; /* the first */
    atomic_uint counts[SEEN_KINDS];
    atomic_bool no_nops;      /* NOP-Outs are not heard */
    atomic_int stage;         /* Login Responses of that stage: */
    atomic_uint login_delay;  /* milliseconds, or */
    atomic_bool login_silent; /* never */
} peer;

static void see(unsigned kind)
{
    if (peer.counts[kind]++ == 0)
        peer.at[kind] = os_now();
}

static void see_management(uint8_t function)
{
    see(function == TASK_ABORT_TASK ? SEEN_ABORT : SEEN_RESET);
}

static void look_in(void *context, struct target_connection *connection, struct target_fault_in *in)
{
    if (in->pdu->opcode == PDU_SCSI_COMMAND && in->pdu->scsi_command.cdb[0] == orders.cdb)
        see(SEEN_COMMAND);
    if (in->pdu->opcode == PDU_NOP_OUT) {
        see(SEEN_NOP);
        in->swallow = peer.no_nops;
    }
    on_incoming(context, connection, in);
}

static bool is_proof(const struct target_fault_out *out)
{
    return out->length > 5 && memcmp(out->data, "CHAP_", 5) == 0;
}

static void look_out(void *context, struct target_connection *connection,
                     struct target_fault_out *out)
{
    bool of_stage = out->pdu->opcode == PDU_LOGIN_RESPONSE &&
                    out->pdu->login_response.current_stage == peer.stage;
    if (of_stage && (peer.stage != LOGIN_STAGE_SECURITY || is_proof(out))) {
        out->delay = peer.login_delay;
        if (peer.login_silent)
            out->copies = 0;
    }
    on_outgoing(context, connection, out);
}

static const struct target_fault looking = {
    .connected = on_connected, .incoming = look_in, .outgoing = look_out};

static int begin(void **state)
{
    start(state);
    memset(&peer, 0, sizeof peer);
    peer.stage = -1;
    target_entity_settings(host.entity)->fault = &looking;
    orders.managed = see_management;
    return 0;
}

/* The times between what was seen, in milliseconds. */
static uint64_t between(unsigned first, unsigned second)
{
    assert_true(peer.at[first] > 0 && peer.at[second] >= peer.at[first]);
    return peer.at[second] - peer.at[first];
}

#define assert_least(got, least)                                                                   \
    do {                                                                                           \
        unsigned long long took = (unsigned long long)(got);                                       \
        if (took + DELAY < (unsigned long long)(least))                                            \
            fail_msg("%s: %llu ms, expected at least %u", #got, took, (unsigned)(least));          \
    } while (0)

/* --- logins --- */

static const struct login_options chap = {
    .specified = OPTION_AUTH_TYPE | OPTION_USERNAME | OPTION_PASSWORD,
    .auth_type = AUTH_CHAP,
    .username = {(const uint8_t *)"user", 4},
    .password = {(const uint8_t *)"chapsecret123", 13},
};

static void open_chap(const char *settings, int stage)
{
    write_text("iscsi.conf", settings);
    struct target *target = target_host_add(&host, BASE ":c");
    assert_status(target_access_add(target_access_of(target), "user", "chapsecret123"), STATUS_OK);
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    peer.stage = stage;
}

static void auth_timeout_is_for_the_answer_to_what_authenticates(void **state)
{
    (void)state;
    open_chap("AuthTimeout = 1\nLoginTimeout = " HOUR "\n", LOGIN_STAGE_SECURITY);
    peer.login_silent = true;
    uint64_t began = os_now();
    assert_status(login_with(BASE ":c", &chap), STATUS_LOGIN_TIMEOUT);
    assert_least(os_now() - began, SECOND);
    peer.login_silent = false;
    assert_status(login_with(BASE ":c", &chap), STATUS_OK);
}

static void login_timeout_is_for_the_rest(void **state)
{
    (void)state;
    open_chap("AuthTimeout = " HOUR "\nLoginTimeout = 1\n", LOGIN_STAGE_OPERATIONAL);
    peer.login_silent = true;
    uint64_t began = os_now();
    assert_status(login_with(BASE ":c", &chap), STATUS_LOGIN_TIMEOUT);
    assert_least(os_now() - began, SECOND);
}

static void which_does_not_count_the_authentication(void **state)
{
    (void)state;
    open_chap("AuthTimeout = " HOUR "\nLoginTimeout = 1\n", LOGIN_STAGE_SECURITY);
    peer.login_delay = SECOND + SECOND / 2;
    uint64_t began = os_now();
    assert_status(login_with(BASE ":c", &chap), STATUS_OK);
    assert_least(os_now() - began, SECOND + SECOND / 2);
}

/* --- silence --- */

static void idle_timeout_and_ping_timeout(void **state)
{
    (void)state;
    open_volume("IdleTimeout = 1\nPingTimeout = 2\nErrorRecoveryLevel = 0\n");
    peer.no_nops = true;
    orders.cdb = SCSI_READ_10;
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
    unsigned before = orders.connections;
    wait_until(orders.connections > before);
    uint64_t lost = os_now();
    assert_least(between(SEEN_COMMAND, SEEN_NOP), SECOND);
    assert_least(lost - peer.at[SEEN_NOP], 2 * SECOND);
    assert_int_equal(peer.counts[SEEN_NOP], 1);
}

/* --- without a connection --- */

static void lose_it(void)
{
    orders.no_logins = true;
    cut();
    wait_until(count_sessions() == 1 && last_listed.connections.count == 0);
}

static void conn_fail_timeout_ends_what_waits(void **state)
{
    struct later later;
    (void)state;
    open_volume("ConnFailTimeout = 1\nErrorRecoveryLevel = 0\n");
    uint64_t began = os_now();
    lose_it();
    begin_io(&later, IO_READ, 0, 1, back);
    io_post(engine, &later.io);
    assert_status(await_io(&later), STATUS_NO_CONNECTION);
    assert_least(os_now() - began, SECOND);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_NO_CONNECTION); /* at once */
    orders.no_logins = false;
    wait_until(transfer(IO_READ, 0, 1, back) == STATUS_OK);
}

static void or_nothing_does(void **state)
{
    struct later later;
    (void)state;
    open_volume("ConnFailTimeout = infinite\nErrorRecoveryLevel = 0\nDelayBetweenReconnect = 0\n");
    lose_it();
    begin_io(&later, IO_READ, 0, 1, back);
    io_post(engine, &later.io);
    unsigned tries = orders.connections;
    wait_until(orders.connections > tries + 8);
    assert_false(later.ended);
    orders.no_logins = false;
    assert_status(await_io(&later), STATUS_OK);
}

/* --- late commands --- */

static void open_deaf(const char *settings)
{
    open_volume(settings);
    orders.cdb = SCSI_READ_10;
    orders.swallows = 1;
    orders.deaf_to = DEAF_TO_ALL;
}

static void abort_timeout_and_reset_timeout(void **state)
{
    (void)state;
    open_deaf("DeviceTimeout = 1\nAbortTimeout = 2\nResetTimeout = 1\nErrorRecoveryLevel = 0\n"
              "IdleTimeout = " HOUR "\n");
    unsigned before = orders.connections;
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK); /* in the session made anew */
    uint64_t ended = os_now();
    assert_int_equal(orders.connections, before + 1);
    assert_int_equal(peer.counts[SEEN_ABORT], 1);
    assert_int_equal(peer.counts[SEEN_RESET], 1);
    assert_least(between(SEEN_COMMAND, SEEN_ABORT), SECOND);
    assert_least(between(SEEN_ABORT, SEEN_RESET), 2 * SECOND);
    assert_least(ended - peer.at[SEEN_RESET], SECOND);
}

static void max_disk_command_timeout_fails_the_command(void **state)
{
    (void)state;
    open_volume("DeviceTimeout = " HOUR "\nMaxDiskCommandTimeout = 1\n");
    orders.cdb = SCSI_READ_10;
    orders.swallows = 1;
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_COMMAND_TIMEOUT);
    assert_int_equal(orders.commands, 1);
    assert_least(between(SEEN_COMMAND, SEEN_ABORT), SECOND);
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
}

static void unless_there_is_another_path(void **state)
{
    (void)state;
    open_volume("DeviceTimeout = " HOUR "\nMaxDiskCommandTimeout = 1\n");
    open_session(0);
    orders.cdb = SCSI_READ_10;
    orders.swallows = 1;
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK);
    assert_int_equal(orders.commands, 2);
}

static void min_disk_command_timeout_gives_more_time(void **state)
{
    (void)state;
    open_volume("DeviceTimeout = 1\nMinDiskCommandTimeout = 2\n");
    orders.cdb = SCSI_READ_10;
    orders.swallows = 1;
    assert_status(transfer(IO_READ, 0, 1, back), STATUS_OK); /* the second try */
    assert_int_equal(orders.commands, 2);
    assert_least(between(SEEN_COMMAND, SEEN_ABORT), 2 * SECOND);
}

/* Twenty losses are more than a command of limited time survives. */
static void or_all_the_time_there_is(void **state)
{
    struct later later;
    (void)state;
    open_volume("DeviceTimeout = 1\nMinDiskCommandTimeout = 0\nErrorRecoveryLevel = 0\n"
                "DelayBetweenReconnect = 0\n");
    orders.cdb = SCSI_READ_10;
    orders.swallow = true;
    begin_io(&later, IO_READ, 0, 1, back);
    io_post(engine, &later.io);
    wait_until(orders.commands == 1);
    uint64_t end = os_now() + SECOND + SECOND / 2; /* nothing is to happen in that time */
    while (os_now() < end)
        os_thread_yield();
    assert_int_equal(peer.counts[SEEN_ABORT], 0);
    assert_false(later.ended);
    for (unsigned i = 2; i <= 20; i++) {
        cut();
        wait_until(orders.commands == i);
    }
    orders.swallow = false;
    cut();
    assert_status(await_io(&later), STATUS_OK);
}

#define TIMEOUT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIMEOUT_TEST(auth_timeout_is_for_the_answer_to_what_authenticates),
        TIMEOUT_TEST(login_timeout_is_for_the_rest),
        TIMEOUT_TEST(which_does_not_count_the_authentication),
        TIMEOUT_TEST(idle_timeout_and_ping_timeout),
        TIMEOUT_TEST(conn_fail_timeout_ends_what_waits),
        TIMEOUT_TEST(or_nothing_does),
        TIMEOUT_TEST(abort_timeout_and_reset_timeout),
        TIMEOUT_TEST(max_disk_command_timeout_fails_the_command),
        TIMEOUT_TEST(unless_there_is_another_path),
        TIMEOUT_TEST(min_disk_command_timeout_gives_more_time),
        TIMEOUT_TEST(or_all_the_time_there_is),
    };
    return cmocka_run_group_tests_name("engine_timeouts", tests, NULL, NULL);
}
