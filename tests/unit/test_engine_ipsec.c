/* Who demands IPsec gets no connection without it, whatever way leads there. Each case counts the
 * connections that the target has got. */
#include "engine_test.h"
#include "radius_server.h"

#include "engine/ipsec.h"
#include "engine/options.h"

#define IPSEC    (SECURITY_VALID | SECURITY_IPSEC)
#define INSTANCE "Root\\ISCSIPRT\\0000_0"

enum { ID_IPV4 = 1, ID_NAME = 2, ID_IPV6 = 5 };

static struct target_host host, second;
static atomic_uint connections; /* of both */
static struct target_connection *_Atomic latest;

static void on_connected(void *context, struct target_connection *connection)
{
    (void)context;
    latest = connection;
    connections++;
}

static const struct target_fault fault = {.connected = on_connected};

static void prepare_host(struct target_host *at)
{
    target_host_new(at);
    target_entity_settings(at->entity)->fault = &fault;
    target_entity_settings(at->entity)->offers.default_time2wait = 0;
}

static int start(void **state)
{
    (void)state;
    connections = 0;
    new_directory();
    write_text("iscsi.conf", "DelayBetweenReconnect = 0\n");
    prepare_host(&host);
    prepare_host(&second);
    target_host_add(&second, BASE ":a");
    target_host_add(&second, BASE ":b");
    target_host_add(&second, BASE ":moved");
    assert_status(engine_start(&engine, directory), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    target_host_stop(&second);
    return 0;
}

static void start_hosts(void)
{
    target_host_add(&host, BASE ":a");
    target_host_add(&host, BASE ":b");
    target_host_start(&host);
    target_host_start(&second);
}

/* --- what can be set --- */

struct demand {
    uint8_t type;
    uint8_t length;
    const char *bytes;
};

static const struct demand ipv4 = {ID_IPV4, 4, "\x7f\0\0\1"};
static const struct demand mapped = {ID_IPV6, 16, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1"};
static const struct demand name = {ID_NAME, 9, "localhost"};
static const struct demand other_spelling = {ID_NAME, 10, "LocalHost."};

static enum status set_for(const struct demand *demand, const char *initiator, uint32_t port,
                           uint64_t flags, bool persistent, bool is_there)
{
    const struct ike_info info = {
        .auth_method = 1,
        .security_flags = flags,
        .id_type = demand->type,
        .id = {(const uint8_t *)demand->bytes, demand->length},
        .key = {(const uint8_t *)"key", is_there ? 3 : 0},
    };
    const struct request_set_ike_info request = {
        .initiator = initiator, .initiator_port = port, .info = &info, .persistent = persistent};
    return ask(OPERATION_set_ike_info, &request, NULL);
}

static void demand(const struct demand *what)
{
    assert_status(set_for(what, NULL, ANY_PORT, IPSEC, false, true), STATUS_OK);
}

static void forget(const struct demand *what)
{
    assert_status(set_for(what, NULL, ANY_PORT, 0, false, false), STATUS_OK);
}

/* --- what can be asked for --- */

static enum status log_in_at(const char *target, const char *address, uint16_t port,
                             bool persistent, const struct login_options *options)
{
    const struct portal portal = {NULL, address, port};
    const struct request_login request = {.target = target,
                                          .initiator_port = ANY_PORT,
                                          .portal = address != NULL ? &portal : NULL,
                                          .persistent = persistent,
                                          .options = options};
    return ask(OPERATION_login, &request, persistent ? NULL : copy_login);
}

static enum status log_in(const char *address)
{
    return log_in_at(BASE ":a", address, host.portal.port, false, NULL);
}

static enum status put_portal(uint64_t flags)
{
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    const struct discovery_portal entry = {
        .initiator_port = ANY_PORT, .portal = &portal, .security_flags = flags};
    const struct request_add_portal request = {.entry = &entry};
    return ask(OPERATION_add_portal, &request, NULL);
}

static enum status refresh(const char *address)
{
    const struct portal portal = {NULL, address, host.portal.port};
    const struct request_refresh_portal request = {.initiator_port = ANY_PORT, .portal = &portal};
    return ask(OPERATION_refresh_portal, &request, NULL);
}

static void expect_refused(const char *what, enum status status, unsigned most)
{
    if (status != STATUS_NO_IPSEC || connections != most)
        fail_msg("%s: %s with %u connections; expected %s with %u", what, status_name(status),
                 connections, status_name(STATUS_NO_IPSEC), most);
}

static uint32_t live_connections(void)
{
    return count_sessions() > 0 ? last_listed.connections.count : 0;
}

static void wait_for_connections(uint32_t wanted)
{
    uint64_t end = os_now() + BOUND;
    while (live_connections() != wanted) {
        if (os_now() > end)
            fail_msg("%u connections, %u expected", live_connections(), wanted);
        os_thread_yield();
    }
}

static void run_cut(struct os_job *job)
{
    (void)job;
    target_fault_end(latest, TARGET_END_RESET);
}

static void cut(void)
{
    host.job.run = run_cut;
    os_loop_post(host.loop, &host.job);
}

/* What is asked for here is refused behind tries to connect again, which begin without a pause. */
static void expect_no_more(unsigned most)
{
    for (int i = 0; i < 10; i++)
        expect_refused("a connection made again", refresh("127.0.0.1"), most);
}

/* --- spellings of a host --- */

static void every_spelling_of_an_address_is_that_address(void **state)
{
    static const struct demand *const demands[] = {&ipv4, &mapped};
    static const char *const spellings[] = {"127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1",
                                            "localhost", "LOCALHOST"};
    (void)state;
    start_hosts();
    assert_status(refresh("127.0.0.1"), STATUS_OK);
    for (size_t i = 0; i < sizeof demands / sizeof *demands; i++) {
        demand(demands[i]);
        for (size_t j = 0; j < sizeof spellings / sizeof *spellings; j++) {
            expect_refused(spellings[j], log_in(spellings[j]), 1);
            expect_refused(spellings[j], refresh(spellings[j]), 1);
        }
        forget(demands[i]);
    }
}

static void a_name_is_a_name_in_any_spelling(void **state)
{
    static const struct demand *const demands[] = {&name, &other_spelling};
    (void)state;
    start_hosts();
    assert_status(refresh("127.0.0.1"), STATUS_OK);
    for (size_t i = 0; i < sizeof demands / sizeof *demands; i++) {
        demand(demands[i]);
        expect_refused("login", log_in("localhost"), 1);
        expect_refused("login", log_in("LOCALHOST"), 1);
        expect_refused("discovery", refresh("localhost"), 1);
        forget(demands[i]);
    }
    assert_status(log_in("localhost"), STATUS_OK);
}

static void a_port_of_the_initiator_has_its_own(void **state)
{
    const struct portal portal = {NULL, "127.0.0.1", host.portal.port};
    const struct request_login from_there = {
        .target = BASE ":a", .initiator = INSTANCE, .initiator_port = 0, .portal = &portal};
    (void)state;
    start_hosts();
    assert_status(refresh("127.0.0.1"), STATUS_OK);
    assert_status(set_for(&ipv4, INSTANCE, 0, IPSEC, false, true), STATUS_OK);
    expect_refused("from any port", log_in("127.0.0.1"), 1);
    expect_refused("from that port", ask(OPERATION_login, &from_there, copy_login), 1);
    assert_status(set_for(&ipv4, INSTANCE, 0, 0, false, false), STATUS_OK);
    /* What is said of the instance comes before what is said of all. */
    assert_status(set_for(&ipv4, NULL, ANY_PORT, IPSEC, true, true), STATUS_OK);
    expect_refused("stored", log_in("127.0.0.1"), 1);
    assert_status(set_for(&ipv4, INSTANCE, ANY_PORT, 0, false, true), STATUS_OK);
    assert_status(log_in("127.0.0.1"), STATUS_OK);
}

/* --- ways to get there --- */

static void no_redirect_leads_there(void **state)
{
    char address[64];
    (void)state;
    snprintf(address, sizeof address, "localhost:%u", second.portal.port);
    assert_status(target_set_redirect(target_host_add(&host, BASE ":moved"), address, false),
                  STATUS_OK);
    start_hosts();
    demand(&name);
    assert_status(refresh("127.0.0.1"), STATUS_OK);
    expect_refused("redirect", login(BASE ":moved"), 2); /* discovery, and who told of the move */
    forget(&name);
    assert_status(login(BASE ":moved"), STATUS_OK);
}

static void a_lost_connection_is_not_made_again(void **state)
{
    (void)state;
    start_hosts();
    assert_status(refresh("127.0.0.1"), STATUS_OK);
    assert_status(log_in("127.0.0.1"), STATUS_OK);
    settle();
    demand(&ipv4);
    cut();
    wait_for_connections(0);
    expect_no_more(2);
    forget(&ipv4);
    wait_for_connections(1);
    assert_int_equal(connections, 3);
}

static void nor_is_one_added(void **state)
{
    const struct request_add_connection request = {.session = &last_session,
                                                   .initiator_port = ANY_PORT};
    const struct portal by_name = {NULL, "localhost", host.portal.port};
    const struct request_add_connection named = {
        .session = &last_session, .initiator_port = ANY_PORT, .portal = &by_name};
    const struct request_add_connection flagged = {
        .session = &last_session, .initiator_port = ANY_PORT, .security_flags = IPSEC};
    (void)state;
    start_hosts();
    assert_status(refresh("127.0.0.1"), STATUS_OK);
    assert_status(log_in("127.0.0.1"), STATUS_OK);
    settle();
    expect_refused("flags", ask(OPERATION_add_connection, &flagged, NULL), 2);
    demand(&ipv4);
    expect_refused("where the session is", ask(OPERATION_add_connection, &request, NULL), 2);
    expect_refused("by name", ask(OPERATION_add_connection, &named, NULL), 2);
    forget(&ipv4);
    assert_status(ask(OPERATION_add_connection, &request, NULL), STATUS_OK);
    assert_int_equal(connections, 3);
    demand(&ipv4);
    cut();
    wait_for_connections(1);
    expect_no_more(3);
    forget(&ipv4);
    wait_for_connections(2);
}

static void nor_is_a_static_target_reached(void **state)
{
    struct portal portal = {NULL, "localhost", host.portal.port};
    const struct static_target target = {.target = BASE ":a", .portals = {&portal, 1}};
    const struct request_add_static_target request = {.entry = &target};
    (void)state;
    start_hosts();
    assert_status(ask(OPERATION_add_static_target, &request, NULL), STATUS_OK);
    demand(&ipv4);
    expect_refused("static target", login(BASE ":a"), 0);
    forget(&ipv4);
    assert_status(login(BASE ":a"), STATUS_OK);
}

/* --- discovery portals with flags --- */

static void flags_stored_for_a_portal_count_for_logins(void **state)
{
    const struct login_options options = {.flags = LOGIN_FLAG_MULTIPATH};
    (void)state;
    start_hosts();
    assert_status(put_portal(0), STATUS_OK);
    assert_status(login(BASE ":b"), STATUS_OK);
    assert_status(put_portal(IPSEC), STATUS_NO_IPSEC);
    unsigned before = connections;
    expect_refused("what it found", login(BASE ":a"), before);
    expect_refused("at the portal", log_in("127.0.0.1"), before);
    expect_refused("at its name", log_in("localhost"), before);
    expect_refused("once more", log_in_at(BASE ":b", NULL, 0, false, &options), before);
    expect_refused("list", list_targets(true), before);
    assert_status(put_portal(0), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
}

/* Where the portal sends to is another host than its own. */
static void what_such_a_portal_has_told_of_is_not_reached_either(void **state)
{
    (void)state;
    assert_status(target_server_listen(host.server, "127.0.0.1", 0, 1, &second.portal), STATUS_OK);
    start_hosts();
    assert_status(put_portal(0), STATUS_OK);
    assert_status(put_portal(IPSEC), STATUS_NO_IPSEC);
    expect_refused("another portal of the target",
                   log_in_at(BASE ":a", "127.0.0.1", second.portal.port, false, NULL), 1);
}

/* --- stored logins --- */

static void copy_logins(const void *reply)
{
    sessions = ((const struct reply_list_persistent *)reply)->logins.count;
}

static uint32_t count_logins(void)
{
    assert_status(ask(OPERATION_list_persistent, NULL, copy_logins), STATUS_OK);
    return sessions;
}

static void what_would_be_refused_is_not_stored(void **state)
{
    (void)state;
    start_hosts();
    assert_status(put_portal(0), STATUS_OK);
    demand(&ipv4);
    expect_refused("with a portal", log_in_at(BASE ":a", "127.0.0.1", host.portal.port, true, NULL),
                   1);
    expect_refused("without", log_in_at(BASE ":a", NULL, 0, true, NULL), 1);
    assert_int_equal(count_logins(), 0);
    forget(&ipv4);
    assert_status(log_in_at(BASE ":a", NULL, 0, true, NULL), STATUS_OK);
    assert_int_equal(count_logins(), 1);
}

static void a_service_makes_no_such_login(void **state)
{
    uint64_t end = os_now() + BOUND;
    (void)state;
    start_hosts();
    assert_status(log_in_at(BASE ":a", "localhost", host.portal.port, true, NULL), STATUS_OK);
    assert_status(log_in_at(BASE ":b", "127.0.0.1", host.portal.port, true, NULL), STATUS_OK);
    assert_status(set_for(&name, NULL, ANY_PORT, IPSEC, true, true), STATUS_OK);
    engine_stop(engine);
    assert_status(engine_start_service(&engine, directory), STATUS_OK);
    wait_for_connections(1);
    assert_string_equal(last_listed.target_name, BASE ":b");
    assert_int_equal(connections, 1);
    assert_status(set_for(&name, NULL, ANY_PORT, 0, true, false), STATUS_OK);
    while (count_sessions() != 2) {
        if (os_now() > end)
            fail_msg("%u sessions, 2 expected", sessions);
        os_thread_yield();
    }
}

/* --- servers --- */

static void nothing_is_told_to_servers(void **state)
{
    static const struct radius_account accounts[] = {{"user", "chapsecret123"}, {NULL, NULL}};
    static struct radius_server radius;
    const struct login_options options = {.specified = OPTION_AUTH_TYPE | OPTION_USERNAME,
                                          .auth_type = AUTH_CHAP,
                                          .flags = LOGIN_FLAG_RADIUS_RESPONSE,
                                          .username = {(const uint8_t *)"user", 4}};
    const struct request_set_radius_secret secret = {
        .secret = {(const uint8_t *)"twenty-two characters!", 22}};
    char address[64], isns[64];
    const struct request_add_radius_server add = {.address = address};
    const struct request_add_isns_server add_isns = {.address = isns};
    const struct request_refresh_isns_server refresh_isns = {.address = isns};
    (void)state;
    struct target *target = target_host_add(&host, BASE ":chap");
    target_access_add(target_access_of(target), "user", "chapsecret123");
    start_hosts();
    radius_server_start(&radius, accounts);
    snprintf(address, sizeof address, "localhost%s", strchr(radius.address, ':'));
    snprintf(isns, sizeof isns, "localhost:%u", second.portal.port);
    enum status added = ask(OPERATION_add_radius_server, &add, NULL);
    enum status kept = ask(OPERATION_set_radius_secret, &secret, NULL);
    enum status found = refresh("127.0.0.1");
    demand(&name);
    enum status refused = login_with(BASE ":chap", &options);
    unsigned requests = radius.requests, before = connections;
    ask(OPERATION_add_isns_server, &add_isns, NULL);
    enum status not_asked = ask(OPERATION_refresh_isns_server, &refresh_isns, NULL);
    unsigned after = connections;
    radius_server_stop(&radius);
    assert_status(added, STATUS_OK);
    assert_status(kept, STATUS_OK);
    assert_status(found, STATUS_OK);
    assert_status(refused, STATUS_NO_IPSEC);
    assert_int_equal(requests, 0);
    assert_status(not_asked, STATUS_NO_IPSEC);
    assert_int_equal(after, before);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_spelling_of_an_address_is_that_address),
        CASE(a_name_is_a_name_in_any_spelling),
        CASE(a_port_of_the_initiator_has_its_own),
        CASE(no_redirect_leads_there),
        CASE(a_lost_connection_is_not_made_again),
        CASE(nor_is_one_added),
        CASE(nor_is_a_static_target_reached),
        CASE(flags_stored_for_a_portal_count_for_logins),
        CASE(what_such_a_portal_has_told_of_is_not_reached_either),
        CASE(what_would_be_refused_is_not_stored),
        CASE(a_service_makes_no_such_login),
        CASE(nothing_is_told_to_servers),
    };
    return cmocka_run_group_tests_name("engine_ipsec", tests, NULL, NULL);
}
