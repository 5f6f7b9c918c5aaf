/* What a service does when it starts: it makes the stored logins and asks the portals, and goes on
 * trying. */
#include "engine_test.h"

#include "engine/options.h"

static struct target_host host;
static uint16_t port; /* of the host, also while it is down */

static void start_host(void)
{
    host.loop = os_loop_new();
    host.entity = target_entity_new(&os_crypto);
    host.server = target_server_new(host.loop, host.entity);
    assert_non_null(host.server);
    assert_status(target_server_listen(host.server, "127.0.0.1", port, 1, &host.portal), STATUS_OK);
    port = host.portal.port;
    target_host_add(&host, BASE ":a");
    target_host_add(&host, BASE ":b");
    target_host_start(&host);
}

static int start(void **state)
{
    (void)state;
    port = 0;
    new_directory();
    start_host();
    assert_status(engine_start(&engine, directory), STATUS_OK);
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

static void start_service(void)
{
    engine_stop(engine);
    assert_status(engine_start_service(&engine, directory), STATUS_OK);
}

static void keep_with(const char *target, bool at_portal, const struct login_options *options)
{
    const struct portal portal = {NULL, "127.0.0.1", port};
    const struct request_login request = {.target = target,
                                          .initiator_port = ANY_PORT,
                                          .portal = at_portal ? &portal : NULL,
                                          .options = options,
                                          .persistent = 1};
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_OK);
}

static void keep_login(const char *target, bool at_portal)
{
    keep_with(target, at_portal, NULL);
}

static enum status remove_login(const char *target)
{
    const struct request_remove_persistent request = {.target = target, .initiator_port = ANY_PORT};
    return ask(OPERATION_remove_persistent, &request, NULL);
}

static void wait_for_sessions(uint32_t wanted, uint64_t most)
{
    uint64_t end = os_now() + most;
    while (count_sessions() != wanted) {
        if (os_now() > end)
            fail_msg("%u sessions after %u ms, %u expected", sessions, (unsigned)most, wanted);
        os_thread_yield();
    }
}

static unsigned qualifiers; /* of the latest list: bit n for n */

static void copy_qualifiers(const void *reply)
{
    const struct reply_list_sessions *list = reply;
    qualifiers = 0;
    for (uint32_t i = 0; i < list->sessions.count; i++) {
        assert_int_equal(list->sessions.items[i].isid.length, 6);
        uint16_t qualifier = get_be16(list->sessions.items[i].isid.data + 4);
        assert_true(qualifier < 32);
        qualifiers |= 1u << qualifier;
    }
}

static unsigned list_qualifiers(void)
{
    const struct request_list_sessions request = {0};
    assert_status(ask(OPERATION_list_sessions, &request, copy_qualifiers), STATUS_OK);
    return qualifiers;
}

static void each_stored_login_is_a_session(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        keep_login(BASE ":a", true);
    start_service();
    wait_for_sessions(3, BOUND);
    assert_int_equal(list_qualifiers(), 7);
    /* And again, with the same ISIDs: the target has as many sessions as before. */
    start_service();
    wait_for_sessions(3, BOUND);
    assert_int_equal(list_qualifiers(), 7);
}

static void only_a_service_makes_them(void **state)
{
    (void)state;
    keep_login(BASE ":a", true);
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(list_targets(false), STATUS_OK);
    assert_int_equal(count_sessions(), 0);
}

static void with_secrets_and_all(void **state)
{
    const struct login_options chap = {.specified = OPTION_AUTH_TYPE | OPTION_USERNAME |
                                                    OPTION_PASSWORD | OPTION_HEADER_DIGEST,
                                       .auth_type = AUTH_CHAP,
                                       .header_digest = 1,
                                       .username = {(const uint8_t *)"user", 4},
                                       .password = {(const uint8_t *)"chapsecret123", 13}};
    (void)state;
    target_host_stop(&host);
    target_host_new(&host);
    port = host.portal.port;
    struct target *target = target_host_add(&host, BASE ":a");
    target_access_add(target_access_of(target), "user", "chapsecret123");
    target_host_start(&host);
    keep_with(BASE ":a", true, &chap);
    start_service();
    wait_for_sessions(1, BOUND);
    assert_int_equal(last_listed_connection.auth_type, 1);
    assert_int_equal(last_listed_connection.header_digest, 1);
}

static void what_is_down_is_logged_in_to_when_it_comes_up(void **state)
{
    (void)state;
    assert_status(add_portal(&host.portal), STATUS_OK);
    keep_login(BASE ":a", true);
    keep_login(BASE ":b", false); /* has to be found first */
    target_host_stop(&host);
    start_service();
    /* So long that the pauses between the tries have grown to their longest. */
    uint64_t end = os_now() + 3000;
    while (os_now() < end) {
        assert_int_equal(count_sessions(), 0);
        os_thread_yield();
    }
    start_host();
    wait_for_sessions(2, 2000);
}

static void portals_are_asked_until_they_answer(void **state)
{
    (void)state;
    assert_status(add_portal(&host.portal), STATUS_OK);
    target_host_stop(&host);
    start_service();
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, "");
    start_host();
    uint64_t end = os_now() + 2000;
    while (names[0] == '\0' && os_now() < end)
        assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a " BASE ":b");
}

static void a_login_that_was_removed_is_given_up(void **state)
{
    (void)state;
    keep_login(BASE ":a", true);
    keep_login(BASE ":b", true);
    target_host_stop(&host);
    start_service();
    assert_int_equal(count_sessions(), 0);
    assert_status(remove_login(BASE ":a"), STATUS_OK);
    start_host();
    wait_for_sessions(1, 2000);
    assert_string_equal(last_listed.target_name, BASE ":b");
    /* The longest pause has passed: the other one does not come. */
    uint64_t end = os_now() + 1500;
    while (os_now() < end) {
        assert_int_equal(count_sessions(), 1);
        os_thread_yield();
    }
}

static void who_logs_in_by_hand_gets_no_second_session(void **state)
{
    const struct portal portal = {NULL, "127.0.0.1", port};
    const struct login_options multipath = {.flags = LOGIN_FLAG_MULTIPATH};
    (void)state;
    assert_status(add_portal(&host.portal), STATUS_OK);
    keep_login(BASE ":a", true);
    keep_with(BASE ":b", true, &multipath);
    target_host_stop(&host);
    start_service();
    assert_int_equal(count_sessions(), 0);
    start_host();
    for (unsigned i = 0; i < 2; i++) {
        const struct request_login request = {.target = i ? BASE ":b" : BASE ":a",
                                              .initiator_port = ANY_PORT,
                                              .portal = &portal,
                                              .options = i ? &multipath : NULL};
        enum status status;
        uint64_t end = os_now() + BOUND;
        do
            status = ask(OPERATION_login, &request, NULL);
        while (status == STATUS_TARGET_NOT_FOUND && os_now() < end);
        if (status != STATUS_ALREADY_LOGGED_IN)
            assert_status(status, STATUS_OK);
    }
    wait_for_sessions(3, 2000); /* one to a, two to b */
    uint64_t end = os_now() + 1500;
    while (os_now() < end) {
        assert_int_equal(count_sessions(), 3);
        os_thread_yield();
    }
}

static void a_hundred_are_back_soon(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        keep_login(i % 2 ? BASE ":a" : BASE ":b", true);
    engine_stop(engine);
    uint64_t began = os_now();
    assert_status(engine_start_service(&engine, directory), STATUS_OK);
    wait_for_sessions(100, 5000);
    assert_true(os_now() - began < 5000);
}

static void a_stop_ends_the_tries(void **state)
{
    (void)state;
    assert_status(add_portal(&host.portal), STATUS_OK);
    keep_login(BASE ":a", true);
    keep_login(BASE ":a", false);
    target_host_stop(&host);
    start_service();
    uint64_t began = os_now();
    engine_stop(engine);
    assert_true(os_now() - began < 1000);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

#define RESTORE_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESTORE_TEST(each_stored_login_is_a_session),
        RESTORE_TEST(only_a_service_makes_them),
        RESTORE_TEST(with_secrets_and_all),
        RESTORE_TEST(what_is_down_is_logged_in_to_when_it_comes_up),
        RESTORE_TEST(portals_are_asked_until_they_answer),
        RESTORE_TEST(a_login_that_was_removed_is_given_up),
        RESTORE_TEST(who_logs_in_by_hand_gets_no_second_session),
        RESTORE_TEST(a_hundred_are_back_soon),
        RESTORE_TEST(a_stop_ends_the_tries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
