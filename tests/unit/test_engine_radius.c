/* RADIUS servers as the engine keeps and asks them, with an embedded target and scripted servers.
 */
#include "engine_test.h"
#include "radius_server.h"

#include "engine/options.h"

/* Wine's WSAPoll does not tell that nobody listens: the next server's turn comes a second later. */
#ifdef _WIN32
enum { PROMPT = 1900 };
#else
enum { PROMPT = 900 };
#endif

static struct target_host host;
static struct radius_server first, second;
static struct target_connection *_Atomic latest; /* of the target */
static atomic_uint connections;

static const struct radius_account accounts[] = {
    {"user", "chapsecret123"},
    {"target", "targetsecret1"},
    {"liar", "notthesecret1"},
    {NULL, NULL},
};

static void on_connected(void *context, struct target_connection *connection)
{
    (void)context;
    latest = connection;
    connections++;
}

static const struct target_fault fault = {.connected = on_connected};

static void start_host(void)
{
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
    target_entity_settings(host.entity)->offers.default_time2wait = 0;
    struct target *target = target_host_add(&host, BASE ":a");
    target_access_add(target_access_of(target), "user", "chapsecret123");
    target_access_add(target_access_of(target), "liar", "chapsecret123");
    target_access_identity(target_access_of(target), "target", "targetsecret1");
}

static int start(void **state)
{
    (void)state;
    connections = 0;
    new_directory();
    write_text("iscsi.conf", "RadiusTimeout = 2\n");
    assert_status(engine_start(&engine, directory), STATUS_OK);
    start_host();
    radius_server_start(&first, accounts);
    radius_server_start(&second, accounts);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    radius_server_stop(&first);
    radius_server_stop(&second);
    return 0;
}

/* --- shorter forms --- */

static enum status add_server(const char *address)
{
    const struct request_add_radius_server request = {.address = address};
    return ask(OPERATION_add_radius_server, &request, NULL);
}

static enum status remove_server(const char *address)
{
    const struct request_remove_radius_server request = {.address = address};
    return ask(OPERATION_remove_radius_server, &request, NULL);
}

static void expect_servers(const char *expected)
{
    const struct request_list_radius_servers request = {0};
    assert_status(ask(OPERATION_list_radius_servers, &request, copy_names), STATUS_OK);
    assert_string_equal(names, expected);
}

static enum status set_secret(const char *secret)
{
    const struct request_set_radius_secret request = {
        .secret = {(const uint8_t *)secret, (uint32_t)strlen(secret)}};
    return ask(OPERATION_set_radius_secret, &request, NULL);
}

static struct login_options options_with(uint32_t type, uint32_t flags, const char *user)
{
    struct login_options options = {
        .specified = OPTION_AUTH_TYPE | OPTION_USERNAME,
        .auth_type = type,
        .flags = flags,
        .username = {(const uint8_t *)user, (uint32_t)strlen(user)},
    };
    if (flags & LOGIN_FLAG_RADIUS_RESPONSE)
        return options;
    options.specified |= OPTION_PASSWORD;
    options.password = (struct blob){(const uint8_t *)"chapsecret123", 13};
    return options;
}

static struct login_options response_by(const char *user)
{
    return options_with(AUTH_CHAP, LOGIN_FLAG_RADIUS_RESPONSE, user);
}

static struct login_options verification(void)
{
    return options_with(AUTH_MUTUAL, LOGIN_FLAG_RADIUS_VERIFICATION, "user");
}

static void configure(void)
{
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(add_server(first.address), STATUS_OK);
    assert_status(set_secret(RADIUS_SERVER_SECRET), STATUS_OK);
    connections = 0;
}

static void lets_in(const struct login_options *options, uint32_t type)
{
    assert_status(login_with(BASE ":a", options), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, type);
    assert_status(logout(&last_session), STATUS_OK);
}

static void refuses(const struct login_options *options, enum status status)
{
    assert_status(login_with(BASE ":a", options), status);
    assert_int_equal(count_sessions(), 0);
}

/* --- the list and the secret --- */

static void the_list_lasts(void **state)
{
    (void)state;
    expect_servers("");
    assert_status(add_server("radius.example"), STATUS_OK);
    assert_status(add_server("192.0.2.1:1645"), STATUS_OK);
    assert_status(add_server("2001:db8::1"), STATUS_OK);
    assert_status(add_server("[2001:db8::2]:1645"), STATUS_OK);
    assert_status(add_server("RADIUS.example"), STATUS_OK);      /* known */
    assert_status(add_server("radius.example:1812"), STATUS_OK); /* known */
    expect_servers("radius.example 192.0.2.1:1645 2001:db8::1 [2001:db8::2]:1645");
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    expect_servers("radius.example 192.0.2.1:1645 2001:db8::1 [2001:db8::2]:1645");
    assert_status(remove_server("Radius.EXAMPLE"), STATUS_OK);
    assert_status(remove_server("[2001:db8::1]:1812"), STATUS_OK);
    assert_status(remove_server("192.0.2.1"), STATUS_RADIUS_SERVER_NOT_FOUND); /* another port */
    assert_status(remove_server("radius.example"), STATUS_RADIUS_SERVER_NOT_FOUND);
    expect_servers("192.0.2.1:1645 [2001:db8::2]:1645");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const rows[] = {
        NULL,
        "",
        " ",
        "a b",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "[2001:db8::1",
        "2001:db8::1]:1",
        "host:port",
        "http://host",
        "192.0.2.1,1",
        "\xc3\xa4.example",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (add_server(rows[i]) != STATUS_INVALID_PARAMETER)
            fail_msg("\"%s\" was not refused", rows[i] != NULL ? rows[i] : "(null)");
        assert_status(remove_server(rows[i]), STATUS_INVALID_PARAMETER);
    }
    expect_servers("");
}

static void the_secret_has_a_length(void **state)
{
    static const char text[] = "abcdefghijklmnopqrstuvwxyz0";
    (void)state;
    for (uint32_t length = 1; length <= 27; length++) {
        const struct request_set_radius_secret request = {
            .secret = {(const uint8_t *)text, length}};
        assert_status(ask(OPERATION_set_radius_secret, &request, NULL),
                      length >= 22 && length <= 26 ? STATUS_OK : STATUS_INVALID_PARAMETER);
    }
    assert_status(set_secret(""), STATUS_OK);
}

/* --- before anything is sent --- */

static void nothing_is_sent_without_server_and_secret(void **state)
{
    struct login_options response = response_by("user"), verdict = verification();
    (void)state;
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    connections = 0;
    refuses(&response, STATUS_RADIUS_NOT_CONFIGURED);
    assert_status(add_server(first.address), STATUS_OK);
    refuses(&response, STATUS_RADIUS_NOT_CONFIGURED);
    refuses(&verdict, STATUS_RADIUS_NOT_CONFIGURED);
    assert_status(set_secret(RADIUS_SERVER_SECRET), STATUS_OK);
    assert_status(remove_server(first.address), STATUS_OK);
    refuses(&response, STATUS_RADIUS_NOT_CONFIGURED);
    refuses(&verdict, STATUS_RADIUS_NOT_CONFIGURED);
    assert_int_equal(connections, 0);
    assert_int_equal(first.requests, 0);
    assert_status(add_server(first.address), STATUS_OK);
    lets_in(&response, AUTH_CHAP);
    assert_status(set_secret(""), STATUS_OK);
    refuses(&response, STATUS_RADIUS_NOT_CONFIGURED);
}

/* A login in which RADIUS has no part must not look like one in which it had. */
static void flags_without_their_authentication_are_refused(void **state)
{
    static char long_name[255];
    struct login_options verdict_one_way =
        options_with(AUTH_CHAP, LOGIN_FLAG_RADIUS_VERIFICATION, "user");
    struct login_options verdict_none =
        options_with(AUTH_NONE, LOGIN_FLAG_RADIUS_VERIFICATION, "user");
    struct login_options response_none =
        options_with(AUTH_NONE, LOGIN_FLAG_RADIUS_RESPONSE, "user");
    struct login_options no_password = verification();
    memset(long_name, 'n', sizeof long_name - 1);
    struct login_options too_long = response_by(long_name);
    (void)state;
    configure();
    no_password.specified &= ~(uint32_t)OPTION_PASSWORD;
    refuses(&verdict_one_way, STATUS_INVALID_AUTH_TYPE);
    refuses(&verdict_none, STATUS_INVALID_AUTH_TYPE);
    refuses(&response_none, STATUS_INVALID_AUTH_TYPE);
    refuses(&no_password, STATUS_INVALID_TARGET_SECRET);
    refuses(&too_long, STATUS_INVALID_CHAP_NAME);
    assert_int_equal(connections, 0);
    too_long.username.length--; /* as long as an attribute */
    refuses(&too_long, STATUS_AUTHENTICATION_FAILED);
}

/* --- questions and answers --- */

static void the_server_answers_for_us(void **state)
{
    struct login_options options = response_by("user"), liar = response_by("liar");
    struct login_options nobody = response_by("nobody");
    size_t length;
    (void)state;
    configure();
    lets_in(&options, AUTH_CHAP);
    assert_int_equal(first.requests, 1);
    assert_true(radius_attribute_is(first.last, first.last_length, 1, "user"));
    assert_true(radius_attribute_is(first.last, first.last_length, 30, BASE ":a"));
    assert_non_null(radius_attribute(first.last, first.last_length, 32, &length));
    const uint8_t *ip = radius_attribute(first.last, first.last_length, 4, &length);
    assert_int_equal(length, 4);
    assert_memory_equal(ip, "\x7f\0\0\1", 4);
    refuses(&liar, STATUS_LOGIN_AUTHENTICATION_FAILED); /* the target's word */
    refuses(&nobody, STATUS_AUTHENTICATION_FAILED);     /* the server's */
    assert_int_equal(first.requests, 3);
}

/* A password that is given as well is of no use, and does no harm. */
static void a_password_beside_it_is_not_used(void **state)
{
    struct login_options options = response_by("user");
    (void)state;
    configure();
    options.specified |= OPTION_PASSWORD;
    options.password = (struct blob){(const uint8_t *)"x", 1};
    lets_in(&options, AUTH_CHAP);
}

static void the_server_judges_the_target(void **state)
{
    struct login_options options = verification();
    (void)state;
    configure();
    lets_in(&options, AUTH_MUTUAL); /* without an initiator secret */
    assert_int_equal(first.requests, 1);
    assert_true(radius_attribute_is(first.last, first.last_length, 1, "target"));
}

static void a_target_that_lies_is_found_out(void **state)
{
    struct login_options options = verification();
    struct target *liar, *stranger;
    (void)state;
    liar = target_host_add(&host, BASE ":liar");
    target_access_add(target_access_of(liar), "user", "chapsecret123");
    target_access_identity(target_access_of(liar), "target", "targetsecret2");
    stranger = target_host_add(&host, BASE ":stranger");
    target_access_add(target_access_of(stranger), "user", "chapsecret123");
    target_access_identity(target_access_of(stranger), "stranger", "targetsecret1");
    configure();
    assert_status(login_with(BASE ":liar", &options), STATUS_TARGET_AUTHENTICATION_FAILED);
    assert_status(login_with(BASE ":stranger", &options), STATUS_TARGET_AUTHENTICATION_FAILED);
    assert_int_equal(count_sessions(), 0);
    lets_in(&options, AUTH_MUTUAL);
}

static void it_can_do_both(void **state)
{
    struct login_options options = options_with(
        AUTH_MUTUAL, LOGIN_FLAG_RADIUS_RESPONSE | LOGIN_FLAG_RADIUS_VERIFICATION, "user");
    (void)state;
    configure();
    lets_in(&options, AUTH_MUTUAL);
    assert_int_equal(first.requests, 2);
}

static enum status set_chap_secret(const char *secret)
{
    const struct request_set_chap_secret request = {
        .secret = {(const uint8_t *)secret, (uint32_t)strlen(secret)}};
    return ask(OPERATION_set_chap_secret, &request, NULL);
}

/* The response by RADIUS, the target judged by the secret of ours. */
static void each_for_itself(void **state)
{
    struct login_options options = options_with(AUTH_MUTUAL, LOGIN_FLAG_RADIUS_RESPONSE, "user");
    (void)state;
    configure();
    refuses(&options, STATUS_INVALID_INITIATOR_SECRET);
    assert_status(set_chap_secret("targetsecret1"), STATUS_OK);
    lets_in(&options, AUTH_MUTUAL);
    assert_status(set_chap_secret("targetsecret2"), STATUS_OK);
    refuses(&options, STATUS_TARGET_AUTHENTICATION_FAILED);
}

static void discovery_asks_too(void **state)
{
    struct login_options options = response_by("user"), nobody = response_by("nobody");
    size_t length;
    (void)state;
    target_access_add(target_access_of_discovery(host.entity), "user", "chapsecret123");
    target_host_start(&host);
    assert_status(add_portal_with(&host.portal, &options), STATUS_RADIUS_NOT_CONFIGURED);
    assert_status(add_server(first.address), STATUS_OK);
    assert_status(set_secret(RADIUS_SERVER_SECRET), STATUS_OK);
    assert_status(add_portal_with(&host.portal, &nobody), STATUS_AUTHENTICATION_FAILED);
    assert_status(add_portal_with(&host.portal, &options), STATUS_OK);
    assert_null(radius_attribute(first.last, first.last_length, 30, &length)); /* no target */
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a");
}

/* --- servers that do not do their work --- */

static void a_lost_request_is_sent_again(void **state)
{
    struct login_options options = verification();
    (void)state;
    configure();
    first.ignore = 1;
    lets_in(&options, AUTH_MUTUAL);
    assert_int_equal(first.requests, 2);
    assert_int_equal(first.different, 1); /* the same one */
}

static void the_next_server_is_asked(void **state)
{
    struct login_options options = verification();
    (void)state;
    configure();
    assert_status(add_server(second.address), STATUS_OK);
    first.conduct = RADIUS_SILENT;
    lets_in(&options, AUTH_MUTUAL);
    assert_int_equal(first.requests, 1);
    assert_int_equal(second.requests, 1);
    /* From now on the one that answers comes first. */
    lets_in(&options, AUTH_MUTUAL);
    assert_int_equal(first.requests, 1);
    assert_int_equal(second.requests, 2);
    /* The other one is asked again when this one is silent. */
    first.conduct = RADIUS_BEHAVE;
    second.conduct = RADIUS_SILENT;
    lets_in(&options, AUTH_MUTUAL);
    assert_int_equal(first.requests, 2);
    assert_int_equal(second.requests, 3);
}

/* A "no" is an answer: nobody else is asked for a better one. */
static void a_no_is_final(void **state)
{
    struct login_options options = response_by("nobody");
    (void)state;
    configure();
    assert_status(add_server(second.address), STATUS_OK);
    refuses(&options, STATUS_AUTHENTICATION_FAILED);
    assert_int_equal(first.requests, 1);
    assert_int_equal(second.requests, 0);
}

/* Nobody listens there: that is told at once, and nobody waits for a second. */
static void a_server_that_is_down_costs_no_time(void **state)
{
    struct login_options options = verification();
    (void)state;
    configure();
    assert_status(add_server(second.address), STATUS_OK);
    radius_server_stop(&first);
    uint64_t began = os_now();
    lets_in(&options, AUTH_MUTUAL);
    assert_true(os_now() - began < PROMPT);
    assert_int_equal(second.requests, 1);
}

static void a_name_that_means_nothing_is_passed_over(void **state)
{
    struct login_options options = verification();
    (void)state;
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(set_secret(RADIUS_SERVER_SECRET), STATUS_OK);
    assert_status(add_server("no-such-host.invalid"), STATUS_OK);
    assert_status(add_server(first.address), STATUS_OK);
    lets_in(&options, AUTH_MUTUAL);
}

/* "localhost" may be ::1 first, where nobody listens. */
static void names_and_all_their_addresses_are_tried(void **state)
{
    char address[80];
    struct login_options options = verification();
    (void)state;
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(set_secret(RADIUS_SERVER_SECRET), STATUS_OK);
    snprintf(address, sizeof address, "localhost%s", strchr(first.address, ':'));
    assert_status(add_server(address), STATUS_OK);
    lets_in(&options, AUTH_MUTUAL);
}

static void silence_has_an_end(void **state)
{
    struct login_options response = response_by("user"), verdict = verification();
    (void)state;
    configure();
    assert_status(add_server(second.address), STATUS_OK);
    first.conduct = second.conduct = RADIUS_SILENT;
    uint64_t began = os_now();
    refuses(&response, STATUS_RADIUS_UNAVAILABLE);
    assert_true(os_now() - began >= 1900 && os_now() - began < 10000);
    assert_true(first.requests >= 1 && second.requests >= 1);
    refuses(&verdict, STATUS_RADIUS_UNAVAILABLE);
}

/* Also when it is told at once that nobody is there, by all of them. */
static void refusal_has_an_end(void **state)
{
    struct login_options options = verification();
    (void)state;
    configure();
    assert_status(add_server(second.address), STATUS_OK);
    radius_server_stop(&first);
    radius_server_stop(&second);
    uint64_t began = os_now();
    refuses(&options, STATUS_RADIUS_UNAVAILABLE);
    assert_true(os_now() - began >= 1900 && os_now() - began < 10000);
}

/* A server that comes up meanwhile is found. */
static void start_late(void *argument)
{
    uint64_t end = os_now() + BOUND;
    (void)argument;
    while (second.requests == 0 && os_now() < end)
        os_thread_yield();
    second.conduct = RADIUS_BEHAVE;
}

static void a_server_that_comes_up_is_found(void **state)
{
    struct login_options options = verification();
    (void)state;
    write_text("iscsi.conf", "RadiusTimeout = 10\n");
    configure();
    assert_status(add_server(second.address), STATUS_OK);
    radius_server_stop(&first);
    second.conduct = RADIUS_SILENT;
    struct os_thread *thread = os_thread_start(start_late, NULL);
    assert_non_null(thread);
    lets_in(&options, AUTH_MUTUAL);
    os_thread_join(thread);
    assert_true(second.requests >= 2);
}

static const enum radius_conduct forgeries[] = {
    RADIUS_GARBAGE,          RADIUS_OTHER_SECRET, RADIUS_UNSIGNED,     RADIUS_WRONG_AUTHENTICATOR,
    RADIUS_OTHER_IDENTIFIER, RADIUS_REPLAYED,     RADIUS_OTHER_SOURCE,
};

static void forgeries_count_for_nothing(void **state)
{
    struct login_options response = response_by("user"), verdict = verification();
    (void)state;
    write_text("iscsi.conf", "RadiusTimeout = 1\n");
    configure();
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        first.conduct = forgeries[i];
        refuses(i % 2 == 0 ? &verdict : &response, STATUS_RADIUS_UNAVAILABLE);
    }
}

/* A forged "no" does not keep anybody out either. */
static void the_genuine_answer_behind_forgeries_counts(void **state)
{
    struct login_options response = response_by("user"), verdict = verification();
    (void)state;
    configure();
    first.then_behave = true;
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        first.conduct = forgeries[i];
        lets_in(&verdict, AUTH_MUTUAL);
        lets_in(&response, AUTH_CHAP);
    }
}

static void old_servers_can_be_trusted_by_configuration(void **state)
{
    struct login_options options = verification();
    (void)state;
    write_text("iscsi.conf", "RadiusTimeout = 1\nRadiusRequireMessageAuthenticator = No\n");
    configure();
    first.conduct = RADIUS_UNSIGNED;
    lets_in(&options, AUTH_MUTUAL);
    first.conduct = RADIUS_WRONG_AUTHENTICATOR;
    refuses(&options, STATUS_RADIUS_UNAVAILABLE);
}

static void answers_of_no_use_are_a_no(void **state)
{
    struct login_options response = response_by("user"), verdict = verification();
    (void)state;
    configure();
    first.conduct = RADIUS_CHALLENGES;
    refuses(&verdict, STATUS_TARGET_AUTHENTICATION_FAILED);
    refuses(&response, STATUS_AUTHENTICATION_FAILED);
    first.conduct = RADIUS_NO_RESPONSE;
    refuses(&response, STATUS_AUTHENTICATION_FAILED);
    first.conduct = RADIUS_OTHER_RESPONSE;
    refuses(&response, STATUS_AUTHENTICATION_FAILED);
}

static void a_wrong_shared_secret_finds_nobody(void **state)
{
    struct login_options options = verification();
    (void)state;
    configure();
    assert_status(set_secret("not the secret of theirs"), STATUS_OK);
    refuses(&options, STATUS_RADIUS_UNAVAILABLE);
    assert_int_equal(first.requests, 0);
    assert_status(set_secret(RADIUS_SERVER_SECRET), STATUS_OK);
    lets_in(&options, AUTH_MUTUAL);
}

/* --- what happens meanwhile, and afterwards --- */

static void wait_for_requests(const struct radius_server *server, unsigned wanted)
{
    uint64_t end = os_now() + BOUND;
    while (server->requests < wanted) {
        if (os_now() > end)
            fail_msg("%u requests within %u ms, %u expected", server->requests, BOUND, wanted);
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

static void a_lost_connection_asks_again(void **state)
{
    struct login_options options = options_with(
        AUTH_MUTUAL, LOGIN_FLAG_RADIUS_RESPONSE | LOGIN_FLAG_RADIUS_VERIFICATION, "user");
    (void)state;
    configure();
    assert_status(login_with(BASE ":a", &options), STATUS_OK);
    assert_int_equal(first.requests, 2);
    cut();
    wait_for_requests(&first, 4);
    uint64_t end = os_now() + BOUND;
    while (count_sessions() != 1 || last_listed.connections.count != 1) {
        if (os_now() > end)
            fail_msg("the session did not come back within %u ms", BOUND);
        os_thread_yield();
    }
    assert_int_equal(last_listed_connection.auth_type, AUTH_MUTUAL);
}

/* Each connection of a session logs in by itself. */
static void further_connections_ask_too(void **state)
{
    struct login_options options = options_with(
        AUTH_MUTUAL, LOGIN_FLAG_RADIUS_RESPONSE | LOGIN_FLAG_RADIUS_VERIFICATION, "user");
    struct login_options nobody = response_by("nobody");
    (void)state;
    configure();
    assert_status(login_with(BASE ":a", &options), STATUS_OK);
    const struct request_add_connection more = {.session = &last_session,
                                                .initiator_port = ANY_PORT};
    const struct request_add_connection refused = {
        .session = &last_session, .initiator_port = ANY_PORT, .options = &nobody};
    assert_status(ask(OPERATION_add_connection, &more, NULL), STATUS_OK);
    assert_int_equal(first.requests, 4);
    assert_status(ask(OPERATION_add_connection, &refused, NULL), STATUS_AUTHENTICATION_FAILED);
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed.connections.count, 2);
}

/* To where the server was asked, and says nothing. */
static void start_asking(struct ask *asked, struct request_login *request,
                         const struct login_options *options)
{
    first.conduct = RADIUS_SILENT;
    *request =
        (struct request_login){.target = BASE ":a", .initiator_port = ANY_PORT, .options = options};
    ask_start(asked, OPERATION_login, request, NULL);
    wait_for_requests(&first, 1);
}

static void a_login_that_asks_can_be_given_up(void **state)
{
    struct login_options options = verification();
    struct request_login request;
    struct ask asked;
    (void)state;
    configure();
    start_asking(&asked, &request, &options);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    first.conduct = RADIUS_BEHAVE;
    lets_in(&options, AUTH_MUTUAL);
}

static void an_engine_that_asks_can_be_stopped(void **state)
{
    struct login_options options = verification();
    struct request_login request;
    struct ask asked;
    (void)state;
    configure();
    start_asking(&asked, &request, &options);
    engine_stop(engine);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

/* The target does not wait for the server: the login fails, and the late answer meets nobody. */
static void a_target_that_leaves_meanwhile_is_a_failed_connection(void **state)
{
    struct login_options options = verification();
    struct request_login request;
    struct ask asked;
    (void)state;
    configure();
    start_asking(&asked, &request, &options);
    cut();
    assert_status(ask_wait(&asked), STATUS_CONNECT_FAILED);
    first.conduct = RADIUS_BEHAVE;
    lets_in(&options, AUTH_MUTUAL);
}

/* The login's own time is the shorter one. */
static void the_login_does_not_wait_longer_than_it_may(void **state)
{
    struct login_options options = verification();
    (void)state;
    write_text("iscsi.conf", "RadiusTimeout = 60\nLoginTimeout = 1\n");
    configure();
    first.conduct = RADIUS_SILENT;
    refuses(&options, STATUS_LOGIN_TIMEOUT);
}

static void many_ask_at_once(void **state)
{
    enum { LOGINS = 32 };
    static struct ask asked[LOGINS];
    struct login_options options = options_with(
        AUTH_MUTUAL, LOGIN_FLAG_RADIUS_RESPONSE | LOGIN_FLAG_RADIUS_VERIFICATION, "user");
    (void)state;
    options.flags |= LOGIN_FLAG_MULTIPATH;
    const struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .options = &options};
    configure();
    for (unsigned i = 0; i < LOGINS; i++)
        ask_start(&asked[i], OPERATION_login, &request, NULL);
    for (unsigned i = 0; i < LOGINS; i++)
        assert_status(ask_wait(&asked[i]), STATUS_OK);
    assert_int_equal(count_sessions(), LOGINS);
    assert_true(first.requests >= 2 * LOGINS);
}

/* What a service makes again when it starts asks as well. */
static void stored_logins_ask(void **state)
{
    struct login_options options = options_with(
        AUTH_MUTUAL, LOGIN_FLAG_RADIUS_RESPONSE | LOGIN_FLAG_RADIUS_VERIFICATION, "user");
    (void)state;
    configure();
    const struct portal portal = {NULL, "127.0.0.1", host.portal.port};
    const struct request_login request = {.target = BASE ":a",
                                          .initiator_port = ANY_PORT,
                                          .portal = &portal,
                                          .options = &options,
                                          .persistent = 1};
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_OK);
    assert_int_equal(first.requests, 0);
    engine_stop(engine);
    assert_status(engine_start_service(&engine, directory), STATUS_OK);
    wait_for_requests(&first, 2);
    uint64_t end = os_now() + BOUND;
    while (count_sessions() != 1) {
        if (os_now() > end)
            fail_msg("the stored login was not made within %u ms", BOUND);
        os_thread_yield();
    }
    assert_int_equal(last_listed_connection.auth_type, AUTH_MUTUAL);
}

static void want_of_memory_ends_in_a_status(void **state)
{
    struct login_options options = options_with(
        AUTH_MUTUAL, LOGIN_FLAG_RADIUS_RESPONSE | LOGIN_FLAG_RADIUS_VERIFICATION, "user");
    unsigned failures = 0;
    (void)state;
    configure();
    assert_status(add_server(second.address), STATUS_OK);
    for (long nth = 1; nth <= 120; nth++) {
        failing_allocation = nth;
        enum status opened = login_with(BASE ":a", &options);
        failing_allocation = 0;
        os_alloc_fail_at(0);
        failures += opened != STATUS_OK;
        if (opened == STATUS_OK)
            assert_status(logout(&last_session), STATUS_OK);
    }
    assert_true(failures > 20);
    lets_in(&options, AUTH_MUTUAL);
}

#define RADIUS_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RADIUS_TEST(the_list_lasts),
        RADIUS_TEST(what_is_no_address_is_refused),
        RADIUS_TEST(the_secret_has_a_length),
        RADIUS_TEST(nothing_is_sent_without_server_and_secret),
        RADIUS_TEST(flags_without_their_authentication_are_refused),
        RADIUS_TEST(the_server_answers_for_us),
        RADIUS_TEST(a_password_beside_it_is_not_used),
        RADIUS_TEST(the_server_judges_the_target),
        RADIUS_TEST(a_target_that_lies_is_found_out),
        RADIUS_TEST(it_can_do_both),
        RADIUS_TEST(each_for_itself),
        RADIUS_TEST(discovery_asks_too),
        RADIUS_TEST(a_lost_request_is_sent_again),
        RADIUS_TEST(the_next_server_is_asked),
        RADIUS_TEST(a_no_is_final),
        RADIUS_TEST(a_server_that_is_down_costs_no_time),
        RADIUS_TEST(a_name_that_means_nothing_is_passed_over),
        RADIUS_TEST(names_and_all_their_addresses_are_tried),
        RADIUS_TEST(silence_has_an_end),
        RADIUS_TEST(refusal_has_an_end),
        RADIUS_TEST(a_server_that_comes_up_is_found),
        RADIUS_TEST(forgeries_count_for_nothing),
        RADIUS_TEST(the_genuine_answer_behind_forgeries_counts),
        RADIUS_TEST(old_servers_can_be_trusted_by_configuration),
        RADIUS_TEST(answers_of_no_use_are_a_no),
        RADIUS_TEST(a_wrong_shared_secret_finds_nobody),
        RADIUS_TEST(a_lost_connection_asks_again),
        RADIUS_TEST(further_connections_ask_too),
        RADIUS_TEST(a_login_that_asks_can_be_given_up),
        RADIUS_TEST(an_engine_that_asks_can_be_stopped),
        RADIUS_TEST(a_target_that_leaves_meanwhile_is_a_failed_connection),
        RADIUS_TEST(the_login_does_not_wait_longer_than_it_may),
        RADIUS_TEST(many_ask_at_once),
        RADIUS_TEST(stored_logins_ask),
        RADIUS_TEST(want_of_memory_ends_in_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
