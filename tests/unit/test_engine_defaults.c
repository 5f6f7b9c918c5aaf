/* Where a login goes and as whom, when its caller does not say: static targets, discovery portals,
 * portals that fail, and initiator ports. */
#include "engine_test.h"

#include "engine/options.h"
#include "engine/static_targets.h"
#include "engine/store.h"
#include "os/socket.h"

#include <stdatomic.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"
#define NODE     "iqn.2026-11.org.example:initiator"

static struct target_host hosts[2];

/* What the targets do. Several threads see it. */
static struct {
    atomic_bool refuse; /* connections end as soon as they are made */
    atomic_uint connections;
    struct target_connection *_Atomic latest;
} orders[2];

static void on_connected(unsigned number, struct target_connection *connection)
{
    orders[number].connections++;
    orders[number].latest = connection;
    if (orders[number].refuse)
        target_fault_end(connection, TARGET_END_RESET);
}

static void on_first(void *context, struct target_connection *connection)
{
    (void)context;
    on_connected(0, connection);
}

static void on_second(void *context, struct target_connection *connection)
{
    (void)context;
    on_connected(1, connection);
}

static const struct target_fault faults[2] = {{.connected = on_first}, {.connected = on_second}};

/* Both have the target, in the same portal group. */
static int start(void **state)
{
    (void)state;
    memset(orders, 0, sizeof orders);
    new_directory();
    for (size_t i = 0; i < 2; i++) {
        target_host_new(&hosts[i]);
        target_entity_settings(hosts[i].entity)->fault = &faults[i];
        target_entity_settings(hosts[i].entity)->offers.default_time2wait = 0;
        target_host_add(&hosts[i], BASE ":a");
        struct target *chap = target_host_add(&hosts[i], BASE ":chap");
        assert_status(target_access_add(target_access_of(chap), NODE, "password1234"), STATUS_OK);
        target_host_start(&hosts[i]);
    }
    assert_status(engine_start(&engine, directory), STATUS_OK);
    const struct request_set_node_name name = {.name = NODE};
    assert_status(ask(OPERATION_set_node_name, &name, NULL), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&hosts[0]);
    target_host_stop(&hosts[1]);
    return 0;
}

/* --- shorter forms --- */

static struct portal portal_of(unsigned number)
{
    return (struct portal){NULL, hosts[number].portal.host, hosts[number].portal.port};
}

static void describe(const char *name, const struct portal *portals, uint32_t count,
                     const struct login_options *options, bool persistent)
{
    const struct static_target target = {.target = name,
                                         .persistent = persistent,
                                         .options = options,
                                         .grouped = 1,
                                         .portals = {portals, count}};
    const struct request_add_static_target request = {.entry = &target};
    assert_status(ask(OPERATION_add_static_target, &request, NULL), STATUS_OK);
}

static enum status login_at(const struct portal *portal, uint32_t flags)
{
    const struct login_options options = {.flags = flags};
    const struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .portal = portal, .options = &options};
    return ask(OPERATION_login, &request, copy_login);
}

/* Where the only session is connected: the number of the host, or -1. */
static int place(void)
{
    assert_int_equal(count_sessions(), 1);
    if (last_listed.connections.count == 0)
        return -1;
    return last_listed_connection.target_socket == hosts[0].portal.port ? 0 : 1;
}

static void run_refuse(struct os_job *job)
{
    (void)job;
    target_fault_end(orders[0].latest, TARGET_END_RESET);
}

/* The first host ends its connection and all that follow. */
static void close_first(void)
{
    orders[0].refuse = true;
    hosts[0].job.run = run_refuse;
    os_loop_post(hosts[0].loop, &hosts[0].job);
}

static void wait_for_place(int wanted)
{
    uint64_t end = os_now() + BOUND;
    while (place() != wanted) {
        if (os_now() > end)
            fail_msg("the session is at host %d after %u ms, %d expected", place(), BOUND, wanted);
        os_thread_yield();
    }
}

static void wait_for_tries(unsigned wanted)
{
    unsigned before = orders[0].connections;
    uint64_t end = os_now() + BOUND;
    while (orders[0].connections < before + wanted) {
        if (os_now() > end)
            fail_msg("%u tries in %u ms, %u expected", orders[0].connections - before, BOUND,
                     wanted);
        os_thread_yield();
    }
}

/* --- options --- */

static const struct login_options chap = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD,
                                          .auth_type = AUTH_CHAP,
                                          .password = {(const uint8_t *)"password1234", 12}};

static void the_node_name_is_the_user_of_a_described_password(void **state)
{
    const struct portal portal = portal_of(0);
    (void)state;
    describe(BASE ":chap", &portal, 1, NULL, false);
    assert_status(login(BASE ":chap"), STATUS_LOGIN_AUTHENTICATION_FAILED);
    describe(BASE ":chap", &portal, 1, &chap, false);
    assert_status(login(BASE ":chap"), STATUS_OK);
}

static void options_of_a_portal_serve_what_it_found(void **state)
{
    const struct portal elsewhere = portal_of(1);
    const struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .portal = &elsewhere};
    struct login_options digests = {.specified = OPTION_HEADER_DIGEST, .header_digest = 1};
    (void)state;
    assert_status(add_portal_with(&hosts[0].portal, &digests), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(place(), 0);
    assert_int_equal(last_listed_connection.header_digest, 1);
    assert_status(logout(&last_session), STATUS_OK);
    /* Who told of the portal that is named counts more than who was first. */
    digests.header_digest = 0;
    assert_status(add_portal_with(&hosts[1].portal, &digests), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(place(), 0);
    assert_int_equal(last_listed_connection.header_digest, 1);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(ask(OPERATION_login, &request, copy_login), STATUS_OK);
    assert_int_equal(place(), 1);
    assert_int_equal(last_listed_connection.header_digest, 0);
}

static void a_described_mutual_login_needs_the_initiator_secret(void **state)
{
    const struct portal portal = portal_of(0);
    struct login_options mutual = chap;
    (void)state;
    mutual.auth_type = AUTH_MUTUAL;
    describe(BASE ":chap", &portal, 1, &mutual, false);
    assert_status(login(BASE ":chap"), STATUS_INVALID_INITIATOR_SECRET);
    assert_int_equal(count_sessions(), 0);
}

static void a_service_takes_them_when_it_logs_in_again(void **state)
{
    const struct portal portal = portal_of(0);
    const struct request_login request = {
        .target = BASE ":chap", .initiator_port = ANY_PORT, .persistent = 1};
    uint64_t end = os_now() + BOUND;
    (void)state;
    describe(BASE ":chap", &portal, 1, &chap, true);
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_OK);
    engine_stop(engine);
    assert_status(engine_start_service(&engine, directory), STATUS_OK);
    while (count_sessions() != 1) {
        if (os_now() > end)
            fail_msg("no session %u ms after the start of the service", BOUND);
        os_thread_yield();
    }
}

/* --- portals --- */

static void described_portals_are_the_ones_to_log_in_to(void **state)
{
    const struct portal second = portal_of(1);
    (void)state;
    assert_status(add_portal(&hosts[0].portal), STATUS_OK);
    describe(BASE ":a", &second, 1, NULL, false);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(place(), 1);
    assert_status(logout(&last_session), STATUS_OK);
    /* Without any, those that were found are. */
    describe(BASE ":a", NULL, 0, NULL, false);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(place(), 0);
}

static void described_portals_are_tried_in_their_order(void **state)
{
    const struct portal both[] = {portal_of(0), portal_of(1)};
    (void)state;
    orders[0].refuse = true;
    describe(BASE ":a", both, 2, NULL, false);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(place(), 1);
    assert_int_equal(orders[0].connections, 1);
}

static void a_lost_session_moves_to_another_described_portal(void **state)
{
    const struct portal both[] = {portal_of(0), portal_of(1)};
    (void)state;
    describe(BASE ":a", both, 2, NULL, false);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(place(), 0);
    close_first();
    wait_for_place(1);
}

static void a_session_with_a_named_portal_stays_there(void **state)
{
    const struct portal first = portal_of(0);
    (void)state;
    assert_status(add_portal(&hosts[0].portal), STATUS_OK);
    assert_status(add_portal(&hosts[1].portal), STATUS_OK);
    assert_status(login_at(&first, 0), STATUS_OK);
    unsigned elsewhere = orders[1].connections;
    close_first();
    wait_for_tries(4);
    assert_int_equal(place(), -1);
    assert_int_equal(orders[1].connections, elsewhere);
    orders[0].refuse = false;
    wait_for_place(0);
}

static void portal_hopping_lets_it_move(void **state)
{
    const struct portal first = portal_of(0);
    (void)state;
    assert_status(add_portal(&hosts[0].portal), STATUS_OK);
    assert_status(add_portal(&hosts[1].portal), STATUS_OK);
    assert_status(login_at(&first, LOGIN_FLAG_PORTAL_HOPPING), STATUS_OK);
    assert_int_equal(place(), 0);
    close_first();
    wait_for_place(1);
}

static void remove_portal(unsigned number)
{
    const struct portal portal = portal_of(number);
    const struct request_remove_portal request = {.initiator_port = ANY_PORT, .portal = &portal};
    assert_status(ask(OPERATION_remove_portal, &request, NULL), STATUS_OK);
}

/* The target is known no longer, but the session has not forgotten where it is. */
static void what_was_found_serves_when_its_portals_are_removed(void **state)
{
    (void)state;
    assert_status(add_portal(&hosts[0].portal), STATUS_OK);
    assert_status(add_portal(&hosts[1].portal), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(place(), 0);
    remove_portal(0);
    remove_portal(1);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, "");
    close_first();
    wait_for_place(1);
}

static void a_stored_login_at_once_needs_no_discovery(void **state)
{
    const struct portal portal = portal_of(0);
    struct request_login request = {
        .target = BASE ":A", .initiator_port = ANY_PORT, .portal = &portal, .persistent = 1};
    (void)state;
    engine_stop(engine);
    write_text("iscsi.conf", "PersistentLoginAlsoLogsIn = Yes\n");
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(ask(OPERATION_login, &request, copy_login), STATUS_OK);
    assert_int_equal(place(), 0);
    assert_string_equal(last_listed.target_name, BASE ":a");
    request.persistent = 0;
    request.target = BASE ":chap";
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_TARGET_NOT_FOUND);
}

/* --- silence --- */

static void a_silent_portal_does_not_hold_up_who_asks(void **state)
{
    enum { SOON = 5000, SLACK = 3000 };
    struct os_address address;
    os_socket silent;
    struct store *store;
    (void)state;
    assert_true(os_address_parse(&address, "127.0.0.1", 0));
    assert_status(os_listen(&silent, &address, 8), STATUS_OK);
    assert_true(os_local_address(silent, &address));
    const struct portal portals[] = {{"", "127.0.0.1", os_address_port(&address)}, portal_of(0)};
    engine_stop(engine);
    assert_status(store_open(&store, directory), STATUS_OK);
    for (size_t i = 0; i < 2; i++) {
        const struct discovery_portal entry = {.initiator_port = ANY_PORT, .portal = &portals[i]};
        assert_status(store_put_portal(store, &entry), STATUS_OK);
    }
    store_close(store);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    uint64_t begin = os_now();
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a " BASE ":chap");
    assert_true(os_now() - begin < SOON + SLACK);
    /* What has been waited for in vain is not waited for again. */
    begin = os_now();
    assert_status(list_targets(false), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_true(os_now() - begin < SLACK);
    os_close(silent);
}

/* --- initiator ports --- */

static int compare(const void *left, const void *right)
{
    const struct os_address *a = left, *b = right;
    int order = (int)os_address_is_ipv6(a) - (int)os_address_is_ipv6(b);
    return order != 0 ? order : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* IPv4 before IPv6, each in the order of their numbers. */
static void a_port_is_the_address_that_a_login_comes_from(void **state)
{
    struct os_address addresses[64];
    const struct portal portal = portal_of(0);
    struct request_login request = {
        .target = BASE ":a", .initiator = "root\\iscsiprt\\0000_0", .portal = &portal};
    size_t count = os_local_addresses(addresses, 64);
    (void)state;
    assert_status(add_portal(&hosts[0].portal), STATUS_OK);
    qsort(addresses, count, sizeof *addresses, compare);
    for (size_t i = 0; i < count; i++) {
        char expected[OS_HOST_TEXT];
        uint16_t port;
        request.initiator_port = (uint32_t)i;
        enum status status = ask(OPERATION_login, &request, copy_login);
        if (os_address_is_ipv6(&addresses[i])) {
            assert_status(status, STATUS_ADDRESS_FAMILY);
            continue;
        }
        assert_status(status, STATUS_OK);
        os_address_format(&addresses[i], expected, &port);
        assert_int_equal(count_sessions(), 1);
        assert_string_equal(last_listed_connection.initiator_address, expected);
        assert_status(logout(&last_session), STATUS_OK);
    }
    request.initiator_port = (uint32_t)count;
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_INVALID_PORT);
    request.initiator = NULL;
    request.initiator_port = 0;
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_INVALID_PARAMETER);
    request.initiator = "Root\\ISCSIPRT\\0001_0";
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_INITIATOR_NOT_FOUND);
    assert_int_equal(count_sessions(), 0);
}

#define ENGINE_TEST_CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST_CASE(the_node_name_is_the_user_of_a_described_password),
        ENGINE_TEST_CASE(options_of_a_portal_serve_what_it_found),
        ENGINE_TEST_CASE(a_described_mutual_login_needs_the_initiator_secret),
        ENGINE_TEST_CASE(a_service_takes_them_when_it_logs_in_again),
        ENGINE_TEST_CASE(described_portals_are_the_ones_to_log_in_to),
        ENGINE_TEST_CASE(described_portals_are_tried_in_their_order),
        ENGINE_TEST_CASE(a_lost_session_moves_to_another_described_portal),
        ENGINE_TEST_CASE(a_session_with_a_named_portal_stays_there),
        ENGINE_TEST_CASE(portal_hopping_lets_it_move),
        ENGINE_TEST_CASE(what_was_found_serves_when_its_portals_are_removed),
        ENGINE_TEST_CASE(a_stored_login_at_once_needs_no_discovery),
        ENGINE_TEST_CASE(a_silent_portal_does_not_hold_up_who_asks),
        ENGINE_TEST_CASE(a_port_is_the_address_that_a_login_comes_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
