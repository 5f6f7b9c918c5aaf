/* The engine's operations: what is refused before anything is sent, what lasts, what an end does.
 */
#include "engine_test.h"

#include "engine/model.h"
#include "engine/options.h"

static os_socket refusing; /* a port that nobody listens on, kept from others */
static struct portal_address nobody;

static int start_engine(void **state)
{
    (void)state;
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    return 0;
}

static int stop_engine(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    return 0;
}

static void restart_engine(void)
{
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

/* Bound, but not listened on: connections are refused. */
static int find_refusing_port(void **state)
{
    struct os_address at;
    (void)state;
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    os_close(listener);
    assert_true(os_local_address(pair.client, &at));
    nobody = (struct portal_address){.port = os_address_port(&at)};
    strcpy(nobody.host, "127.0.0.1");
    refusing = pair.client;
    os_close(pair.server);
    return 0;
}

static int free_refusing_port(void **state)
{
    (void)state;
    os_close(refusing);
    return 0;
}

/* --- settings --- */

static char name[300];

static void copy_name(const void *reply)
{
    const struct reply_get_node_name *got = reply;
    snprintf(name, sizeof name, "%s", got->name);
}

static enum status get_name(void)
{
    const struct request_get_node_name request = {0};
    return ask(OPERATION_get_node_name, &request, copy_name);
}

static enum status set_name(const char *wanted)
{
    const struct request_set_node_name request = {.name = wanted};
    return ask(OPERATION_set_node_name, &request, NULL);
}

static void the_node_name_is_kept_until_reset(void **state)
{
    char standard[300], longest[225];
    (void)state;
    assert_status(get_name(), STATUS_OK);
    snprintf(standard, sizeof standard, "%s", name);
    assert_true(strncmp(standard, "iqn.", 4) == 0 && strlen(standard) > 4);
    assert_status(set_name("IQN.2026-11.org.example:Me"), STATUS_OK);
    restart_engine();
    assert_status(get_name(), STATUS_OK);
    assert_string_equal(name, "iqn.2026-11.org.example:me");
    assert_status(set_name("no-form-at-all"), STATUS_OK);
    memset(longest, 'a', 224);
    longest[224] = '\0';
    assert_status(set_name(longest), STATUS_INVALID_NAME);
    assert_status(set_name("a b"), STATUS_INVALID_NAME);
    assert_status(set_name("a\nb"), STATUS_INVALID_NAME);
    assert_status(get_name(), STATUS_OK);
    assert_string_equal(name, "no-form-at-all");
    assert_status(set_name(longest + 1), STATUS_OK);
    assert_status(get_name(), STATUS_OK);
    assert_string_equal(name, longest + 1);
    assert_status(set_name(NULL), STATUS_OK);
    assert_status(get_name(), STATUS_OK);
    assert_string_equal(name, standard);
    assert_status(set_name("x"), STATUS_OK);
    assert_status(set_name(""), STATUS_OK);
    assert_status(get_name(), STATUS_OK);
    assert_string_equal(name, standard);
}

static enum status set_secret(uint32_t length)
{
    const struct request_set_chap_secret request = {
        .secret = {length > 0 ? (const uint8_t *)"0123456789abcdefgh" : NULL, length}};
    return ask(OPERATION_set_chap_secret, &request, NULL);
}

static void a_chap_secret_has_12_to_16_bytes(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 18; length++)
        assert_status(set_secret(length), length == 0 || (length >= 12 && length <= 16)
                                              ? STATUS_OK
                                              : STATUS_INVALID_INITIATOR_SECRET);
}

static void copy_version(const void *reply)
{
    const struct reply_version *version = reply;
    assert_true(version->major >= 6);
    assert_true(version->build > 0);
}

static void there_is_one_initiator_of_some_version(void **state)
{
    const struct request_version version = {0};
    const struct request_list_initiators initiators = {0};
    (void)state;
    assert_status(ask(OPERATION_version, &version, copy_version), STATUS_OK);
    assert_status(ask(OPERATION_list_initiators, &initiators, copy_names), STATUS_OK);
    assert_string_equal(names, "Root\\ISCSIPRT\\0000_0");
}

/* --- portals --- */

static uint32_t portals; /* in the latest list */
static char listed[10][300];
static struct login_options listed_options;

static void copy_portals(const void *reply)
{
    const struct reply_list_portals *list = reply;
    portals = list->portals.count;
    for (uint32_t i = 0; i < portals && i < 10; i++) {
        const struct discovery_portal *entry = &list->portals.items[i];
        snprintf(listed[i], sizeof listed[i], "%s/%s:%u/%s/%x/%llx", entry->portal->symbolic_name,
                 entry->portal->address, entry->portal->socket, entry->initiator,
                 entry->initiator_port, (unsigned long long)entry->security_flags);
        listed_options = *entry->options;
        assert_null(entry->options->password.data);
    }
}

static uint32_t list_portals(void)
{
    const struct request_list_portals request = {0};
    assert_status(ask(OPERATION_list_portals, &request, copy_portals), STATUS_OK);
    return portals;
}

static void a_portal_that_refuses_stays_on_the_list(void **state)
{
    char expected[100];
    const struct login_options options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD,
                                          .auth_type = AUTH_CHAP,
                                          .password = {(const uint8_t *)"password1234", 12}};
    const struct portal portal = {"my portal", nobody.host, nobody.port};
    const struct discovery_portal entry = {"root\\iscsiprt\\0000_0", ANY_PORT, &portal, 0x41,
                                           &options};
    const struct request_add_portal request = {.entry = &entry};
    (void)state;
    assert_int_equal(list_portals(), 0);
    assert_status(ask(OPERATION_add_portal, &request, NULL), STATUS_CONNECT_REFUSED);
    assert_status(ask(OPERATION_add_portal, &request, NULL), STATUS_CONNECT_REFUSED);
    restart_engine();
    assert_int_equal(list_portals(), 1);
    snprintf(expected, sizeof expected, "my portal/127.0.0.1:%u/root\\iscsiprt\\0000_0/ffffffff/41",
             nobody.port);
    assert_string_equal(listed[0], expected);
    assert_int_equal(listed_options.specified, OPTION_AUTH_TYPE | OPTION_PASSWORD);
    assert_int_equal(listed_options.auth_type, AUTH_CHAP);
}

/* What is asked for, and how it may be wrong. */
struct request_parts {
    struct portal portal;
    struct login_options options;
    const char *initiator;
    uint32_t port;
    enum status expected;
};

#define SECRET(length)                                                                             \
    {                                                                                              \
        (const uint8_t *)"0123456789abcdefgh", length                                              \
    }
#define PARTS(...)                                                                                 \
    {                                                                                              \
        .portal = {NULL, "127.0.0.1", 3260}, .port = ANY_PORT, __VA_ARGS__                         \
    }
#define INITIATOR "Root\\ISCSIPRT\\0000_0"

static char long_text[600];

static const struct request_parts wrong_portals[] = {
    {{NULL, NULL, 3260}, {0}, NULL, ANY_PORT, STATUS_INVALID_PARAMETER},
    {{NULL, "", 3260}, {0}, NULL, ANY_PORT, STATUS_INVALID_PARAMETER},
    {{NULL, long_text, 3260}, {0}, NULL, ANY_PORT, STATUS_INVALID_PARAMETER},
    {{long_text, "127.0.0.1", 3260}, {0}, NULL, ANY_PORT, STATUS_INVALID_PARAMETER},
    {{NULL, "127.0.0.1", 0}, {0}, NULL, ANY_PORT, STATUS_INVALID_PARAMETER},
    {{NULL, "no host", 3260}, {0}, NULL, ANY_PORT, STATUS_INVALID_ADDRESS},
    {{NULL, "a/b", 3260}, {0}, NULL, ANY_PORT, STATUS_INVALID_ADDRESS},
    {{NULL, "127.0.0.1", 3260}, {0}, NULL, 0, STATUS_INVALID_PARAMETER},
    {{NULL, "127.0.0.1", 3260}, {0}, "", 0, STATUS_INVALID_PARAMETER},
    {{NULL, "127.0.0.1", 3260}, {0}, "Root\\OTHER\\0000_0", ANY_PORT, STATUS_INITIATOR_NOT_FOUND},
    {{NULL, "127.0.0.1", 3260}, {0}, INITIATOR, 100000, STATUS_INVALID_PORT},
};

static const struct request_parts wrong_options[] = {
    PARTS(.options = {.specified = OPTION_AUTH_TYPE, .auth_type = 3},
          .expected = STATUS_INVALID_AUTH_TYPE),
    PARTS(.options = {.specified = OPTION_HEADER_DIGEST, .header_digest = 2},
          .expected = STATUS_INVALID_LOGIN_OPTIONS),
    PARTS(.options = {.specified = OPTION_DATA_DIGEST, .data_digest = 2},
          .expected = STATUS_INVALID_LOGIN_OPTIONS),
    PARTS(.options = {.specified = OPTION_MAXIMUM_CONNECTIONS},
          .expected = STATUS_INVALID_LOGIN_OPTIONS),
    PARTS(.options = {.specified = OPTION_MAXIMUM_CONNECTIONS, .maximum_connections = 65536},
          .expected = STATUS_INVALID_LOGIN_OPTIONS),
    PARTS(.options = {.specified = OPTION_DEFAULT_TIME2WAIT, .default_time2wait = 3601},
          .expected = STATUS_INVALID_LOGIN_OPTIONS),
    PARTS(.options = {.specified = OPTION_DEFAULT_TIME2RETAIN, .default_time2retain = 3601},
          .expected = STATUS_INVALID_LOGIN_OPTIONS),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE, .auth_type = 1},
          .expected = STATUS_INVALID_TARGET_SECRET),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE, .auth_type = 1, .password = SECRET(12)},
          .expected = STATUS_INVALID_TARGET_SECRET),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD,
                      .auth_type = 1,
                      .password = SECRET(11)},
          .expected = STATUS_INVALID_TARGET_SECRET),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD,
                      .auth_type = 1,
                      .password = SECRET(17)},
          .expected = STATUS_INVALID_TARGET_SECRET),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD | OPTION_USERNAME,
                      .auth_type = 1,
                      .password = SECRET(12)},
          .expected = STATUS_INVALID_CHAP_NAME),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD | OPTION_USERNAME,
                      .auth_type = 1,
                      .username = {(const uint8_t *)"a\0b", 3},
                      .password = SECRET(12)},
          .expected = STATUS_INVALID_CHAP_NAME),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD | OPTION_USERNAME,
                      .auth_type = 1,
                      .username = {(const uint8_t *)long_text, 256},
                      .password = SECRET(12)},
          .expected = STATUS_INVALID_CHAP_NAME),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD,
                      .auth_type = 2,
                      .password = SECRET(12)},
          .expected = STATUS_INVALID_INITIATOR_SECRET),
    PARTS(.options = {.flags = LOGIN_FLAG_REQUIRE_IPSEC}, .expected = STATUS_NO_IPSEC),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD,
                      .flags = LOGIN_FLAG_RADIUS_RESPONSE,
                      .auth_type = 1,
                      .password = SECRET(12)},
          .expected = STATUS_RADIUS_NOT_CONFIGURED),
    PARTS(.options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD,
                      .flags = LOGIN_FLAG_RADIUS_VERIFICATION,
                      .auth_type = 1,
                      .password = SECRET(12)},
          .expected = STATUS_INVALID_AUTH_TYPE),
    PARTS(.options = {.flags = LOGIN_FLAG_RADIUS_RESPONSE}, .expected = STATUS_INVALID_AUTH_TYPE),
};

static void assert_refused(enum status got, const struct request_parts *parts, size_t index)
{
    if (got != parts->expected)
        fail_msg("case %u: expected %s, got %s", (unsigned)index, status_name(parts->expected),
                 status_name(got));
}

static enum status add_parts(const struct request_parts *parts)
{
    const struct discovery_portal entry = {parts->initiator, parts->port, &parts->portal, 0,
                                           &parts->options};
    const struct request_add_portal request = {.entry = &entry};
    return ask(OPERATION_add_portal, &request, NULL);
}

static void a_portal_that_makes_no_sense_is_not_stored(void **state)
{
    const struct request_add_portal nothing = {0};
    const struct discovery_portal empty = {.initiator_port = ANY_PORT};
    const struct request_add_portal no_portal = {.entry = &empty};
    (void)state;
    memset(long_text, 'a', 500);
    for (size_t i = 0; i < sizeof wrong_portals / sizeof *wrong_portals; i++)
        assert_refused(add_parts(&wrong_portals[i]), &wrong_portals[i], i);
    for (size_t i = 0; i < sizeof wrong_options / sizeof *wrong_options; i++)
        assert_refused(add_parts(&wrong_options[i]), &wrong_options[i], i);
    assert_status(ask(OPERATION_add_portal, &nothing, NULL), STATUS_INVALID_PARAMETER);
    assert_status(ask(OPERATION_add_portal, &no_portal, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(list_portals(), 0);
}

static enum status on_portal(enum operation operation, const char *initiator, uint32_t port,
                             const char *host, uint16_t socket)
{
    const struct portal portal = {"garbage", host, socket};
    const struct request_remove_portal request = {
        .initiator = initiator, .initiator_port = port, .portal = &portal};
    return ask(operation, &request, NULL);
}

static enum status remove_portal(const char *initiator, uint32_t port)
{
    return on_portal(OPERATION_remove_portal, initiator, port, "127.0.0.1", nobody.port);
}

static void add_refusing(const char *initiator, uint32_t port)
{
    struct request_parts parts = PARTS(.initiator = initiator, .expected = STATUS_CONNECT_REFUSED);
    parts.portal.socket = nobody.port;
    parts.port = port;
    assert_refused(add_parts(&parts), &parts, 0);
}

static void removal_takes_what_it_names(void **state)
{
    (void)state;
    assert_status(remove_portal(NULL, ANY_PORT), STATUS_PORTAL_NOT_FOUND);
    add_refusing(NULL, ANY_PORT);
    assert_status(remove_portal("nobody", ANY_PORT), STATUS_INITIATOR_NOT_FOUND);
    assert_status(remove_portal(NULL, 3), STATUS_PORTAL_NOT_FOUND);
    assert_status(remove_portal("", ANY_PORT), STATUS_OK);
    assert_int_equal(list_portals(), 0);
    /* The entry with the instance's name goes before the one for any. */
    add_refusing(NULL, ANY_PORT);
    add_refusing(INITIATOR, ANY_PORT);
    assert_int_equal(list_portals(), 2);
    assert_status(remove_portal("ROOT\\ISCSIPRT\\0000_0", ANY_PORT), STATUS_OK);
    assert_int_equal(list_portals(), 1);
    assert_status(remove_portal(INITIATOR, ANY_PORT), STATUS_OK);
    assert_int_equal(list_portals(), 0);
    /* No name: all entries. */
    add_refusing(NULL, ANY_PORT);
    add_refusing(INITIATOR, ANY_PORT);
    assert_status(remove_portal(NULL, ANY_PORT), STATUS_OK);
    assert_int_equal(list_portals(), 0);
    assert_status(on_portal(OPERATION_remove_portal, NULL, ANY_PORT, "", 3260),
                  STATUS_INVALID_PARAMETER);
}

static void a_refresh_stores_nothing(void **state)
{
    (void)state;
    assert_status(on_portal(OPERATION_refresh_portal, NULL, ANY_PORT, "127.0.0.1", nobody.port),
                  STATUS_CONNECT_REFUSED);
    assert_int_equal(list_portals(), 0);
}

static void unresolved_names_are_told(void **state)
{
    (void)state;
    assert_status(on_portal(OPERATION_refresh_portal, NULL, ANY_PORT, "no-such-host.invalid", 3260),
                  STATUS_NAME_UNRESOLVED);
}

static void a_forced_update_tells_when_no_portal_answers(void **state)
{
    (void)state;
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, "");
    add_refusing(NULL, ANY_PORT);
    assert_status(list_targets(true), STATUS_CONNECT_REFUSED);
    assert_status(list_targets(false), STATUS_OK);
    restart_engine();
    assert_status(list_targets(false), STATUS_OK);
}

/* --- logins that cannot be --- */

static enum status login_parts(const struct request_parts *parts, const char *target)
{
    const struct request_login request = {
        .target = target,
        .initiator = parts->initiator,
        .initiator_port = parts->port,
        .portal = &parts->portal,
        .options = &parts->options,
    };
    return ask(OPERATION_login, &request, NULL);
}

static void a_login_that_makes_no_sense_is_refused(void **state)
{
    static const struct request_parts good = PARTS(.expected = STATUS_OK);
    char too_long[225];
    (void)state;
    memset(too_long, 'a', 224);
    too_long[224] = '\0';
    memset(long_text, 'a', 500);
    assert_status(login_parts(&good, NULL), STATUS_INVALID_PARAMETER);
    assert_status(login_parts(&good, ""), STATUS_INVALID_PARAMETER);
    assert_status(login_parts(&good, too_long), STATUS_INVALID_NAME);
    assert_status(login_parts(&good, "iqn.2026-11.org.example:a b"), STATUS_INVALID_NAME);
    assert_status(login_parts(&good, too_long + 1), STATUS_TARGET_NOT_FOUND);
    for (size_t i = 0; i < sizeof wrong_portals / sizeof *wrong_portals; i++) {
        const struct portal *portal = &wrong_portals[i].portal;
        bool counts =
            portal->address != NULL && portal->address[0] != '\0' && portal->symbolic_name == NULL;
        if (counts)
            assert_refused(login_parts(&wrong_portals[i], BASE ":a"), &wrong_portals[i], i);
    }
    for (size_t i = 0; i < sizeof wrong_options / sizeof *wrong_options; i++)
        assert_refused(login_parts(&wrong_options[i], BASE ":a"), &wrong_options[i], i);
    assert_int_equal(count_sessions(), 0);
}

static void a_login_with_ipsec_is_not_made_without(void **state)
{
    const struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .security_flags = 3};
    (void)state;
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_NO_IPSEC);
}

static void secrets_may_not_serve_both_ways(void **state)
{
    const struct request_parts parts =
        PARTS(.options = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD,
                          .auth_type = 2,
                          .password = SECRET(12)},
              .expected = STATUS_INVALID_SECRET);
    (void)state;
    assert_status(set_secret(12), STATUS_OK);
    assert_refused(login_parts(&parts, BASE ":a"), &parts, 0);
    assert_status(set_secret(13), STATUS_OK);
    assert_status(login_parts(&parts, BASE ":a"), STATUS_TARGET_NOT_FOUND);
}

static void sessions_that_are_not_there_are_not_found(void **state)
{
    const struct unique_id id = {1, 2};
    static const uint8_t cdb[6];
    struct request_scsi scsi = {.session = &id, .cdb = {cdb, 6}};
    const struct request_list_target_portals portals_of = {.target = BASE ":a"};
    const struct request_list_target_portals of_none = {.target = NULL};
    (void)state;
    assert_int_equal(count_sessions(), 0);
    assert_status(logout(&id), STATUS_SESSION_NOT_FOUND);
    assert_status(logout(NULL), STATUS_SESSION_NOT_FOUND);
    assert_status(ask(OPERATION_scsi, &scsi, NULL), STATUS_SESSION_NOT_FOUND);
    assert_status(ask(OPERATION_list_target_portals, &portals_of, NULL), STATUS_TARGET_NOT_FOUND);
    assert_status(ask(OPERATION_list_target_portals, &of_none, NULL), STATUS_INVALID_PARAMETER);
}

/* --- store and configuration --- */

static void a_damaged_store_fails_what_needs_it_and_nothing_else(void **state)
{
    static const char garbage[] = "this is no database, and long enough to be none at that";
    char path[700], *text;
    size_t length;
    const struct request_list_portals list = {0};
    const struct request_version version = {0};
    (void)state;
    write_text("store.db", garbage);
    assert_status(ask(OPERATION_list_portals, &list, NULL), STATUS_STORE_DAMAGED);
    assert_status(get_name(), STATUS_STORE_DAMAGED);
    assert_status(set_secret(12), STATUS_STORE_DAMAGED);
    assert_status(list_targets(false), STATUS_STORE_DAMAGED);
    assert_status(login(BASE ":a"), STATUS_STORE_DAMAGED);
    assert_status(ask(OPERATION_version, &version, NULL), STATUS_OK);
    assert_int_equal(count_sessions(), 0);
    snprintf(path, sizeof path, "%s/store.db", directory);
    assert_status(os_read_file(path, &text, &length), STATUS_OK);
    assert_string_equal(text, garbage);
    os_free(text);
}

static void a_bad_configuration_is_told_until_it_is_mended(void **state)
{
    (void)state;
    write_text("iscsi.conf", "LoginTimeout = never\n");
    assert_status(login(BASE ":a"), STATUS_CONFIGURATION);
    write_text("iscsi.conf", "LoginTimeout = 1\n");
    assert_status(login(BASE ":a"), STATUS_TARGET_NOT_FOUND);
}

/* --- the end --- */

/* Somebody who accepts by the kernel's grace and never says a word. */
static struct portal_address silent_portal(os_socket *listener)
{
    struct os_address at;
    struct portal_address portal = {.host = "127.0.0.1"};
    *listener = listener_new(&at);
    portal.port = os_address_port(&at);
    return portal;
}

static void start_adding(struct ask *asked, struct request_add_portal *request,
                         struct discovery_portal *entry, struct portal *portal,
                         const struct portal_address *at)
{
    *portal = (struct portal){NULL, at->host, at->port};
    *entry = (struct discovery_portal){.initiator_port = ANY_PORT, .portal = portal};
    *request = (struct request_add_portal){.entry = entry};
    ask_start(asked, OPERATION_add_portal, request, NULL);
}

static void a_stop_cancels_what_is_pending(void **state)
{
    os_socket listener;
    struct ask asked[2];
    struct request_add_portal request[2];
    struct discovery_portal entry[2];
    struct portal portal[2];
    (void)state;
    struct portal_address at = silent_portal(&listener);
    for (unsigned i = 0; i < 2; i++)
        start_adding(&asked[i], &request[i], &entry[i], &portal[i], &at);
    os_socket first = accept_within_bound(listener);
    os_socket second = accept_within_bound(listener);
    uint64_t start = os_now();
    engine_stop(engine);
    assert_true(os_now() - start < 1500);
    engine = NULL;
    for (unsigned i = 0; i < 2; i++)
        assert_status(ask_wait(&asked[i]), STATUS_CANCELLED);
    os_close(first);
    os_close(second);
    os_close(listener);
}

static void a_caller_that_left_is_let_go(void **state)
{
    os_socket listener;
    struct ask asked, listing;
    struct request_add_portal request;
    struct discovery_portal entry;
    struct portal portal;
    const struct request_list_targets list = {.force_update = 1};
    (void)state;
    struct portal_address at = silent_portal(&listener);
    start_adding(&asked, &request, &entry, &portal, &at);
    os_socket first = accept_within_bound(listener);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    ask_start(&listing, OPERATION_list_targets, &list, copy_names);
    os_socket second = accept_within_bound(listener);
    ask_give_up(&listing);
    assert_status(ask_wait(&listing), STATUS_CANCELLED);
    os_close(first);
    os_close(second);
    os_close(listener);
}

static void silence_ends_in_a_timeout(void **state)
{
    os_socket listener;
    (void)state;
    write_text("iscsi.conf", "LoginTimeout = 1\n");
    struct portal_address at = silent_portal(&listener);
    uint64_t start = os_now();
    assert_status(add_portal(&at), STATUS_LOGIN_TIMEOUT);
    assert_in_range(os_now() - start, 900, 5000);
    os_close(listener);
}

static void an_unused_engine_stops_at_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        restart_engine();
}

#define ENGINE_TEST(name) cmocka_unit_test_setup_teardown(name, start_engine, stop_engine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(the_node_name_is_kept_until_reset),
        ENGINE_TEST(a_chap_secret_has_12_to_16_bytes),
        ENGINE_TEST(there_is_one_initiator_of_some_version),
        ENGINE_TEST(a_portal_that_refuses_stays_on_the_list),
        ENGINE_TEST(a_portal_that_makes_no_sense_is_not_stored),
        ENGINE_TEST(removal_takes_what_it_names),
        ENGINE_TEST(a_refresh_stores_nothing),
        ENGINE_TEST(unresolved_names_are_told),
        ENGINE_TEST(a_forced_update_tells_when_no_portal_answers),
        ENGINE_TEST(a_login_that_makes_no_sense_is_refused),
        ENGINE_TEST(a_login_with_ipsec_is_not_made_without),
        ENGINE_TEST(secrets_may_not_serve_both_ways),
        ENGINE_TEST(sessions_that_are_not_there_are_not_found),
        ENGINE_TEST(a_damaged_store_fails_what_needs_it_and_nothing_else),
        ENGINE_TEST(a_bad_configuration_is_told_until_it_is_mended),
        ENGINE_TEST(a_stop_cancels_what_is_pending),
        ENGINE_TEST(a_caller_that_left_is_let_go),
        ENGINE_TEST(silence_ends_in_a_timeout),
        ENGINE_TEST(an_unused_engine_stops_at_once),
    };
    return cmocka_run_group_tests(tests, find_refusing_port, free_refusing_port);
}
