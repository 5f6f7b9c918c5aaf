/* Persistent logins: how they are stored, what becomes of a store from before them, and what the
 * operations do. */
#include "engine_test.h"

#include "engine/options.h"
#include "engine/store.h"

#include <sqlite3.h>

#define INSTANCE "Root\\ISCSIPRT\\0000_0"

/* --- the store --- */

#define USER                                                                                       \
    {                                                                                              \
        (const uint8_t *)"us\0er", 5                                                               \
    }
#define PASSWORD                                                                                   \
    {                                                                                              \
        (const uint8_t *)"password1234", 12                                                        \
    }
static const struct blob password = PASSWORD;
static const struct blob key = {(const uint8_t *)"a k\0ey", 6};
static const struct login_options all_options = {1, 0xff, 2, 1, 1, 0, 3, 4, 5, USER, PASSWORD};
static const struct portal named = {"n\xc3\xa4me", "Storage.example", 3261};
static const struct mapped_lun luns[] = {{0, 0}, {0xffffffff, UINT64_C(0xfedcba9876543210)}};
static const struct mapping mapping = {"\\\\.\\Scsi5:", 6, 7, {luns, 2}};

static int make_directory(void **state)
{
    (void)state;
    new_directory();
    return 0;
}

static struct store *open_store(void)
{
    struct store *store;
    assert_status(store_open(&store, directory), STATUS_OK);
    return store;
}

static void assert_bytes(struct blob got, struct blob expected)
{
    assert_int_equal(got.length, expected.length);
    if (expected.length > 0)
        assert_memory_equal(got.data, expected.data, expected.length);
}

static void assert_login(const struct persistent_login *got, const struct persistent_login *put,
                         bool secrets)
{
    const struct blob nothing = {NULL, 0};
    assert_string_equal(got->target, put->target);
    assert_int_equal(got->informational, put->informational);
    assert_string_equal(got->initiator, put->initiator);
    assert_int_equal(got->initiator_port, put->initiator_port);
    assert_string_equal(got->portal->address, put->portal ? put->portal->address : "");
    assert_string_equal(got->portal->symbolic_name, put->portal ? put->portal->symbolic_name : "");
    assert_int_equal(got->portal->socket, put->portal ? put->portal->socket : 0);
    assert_true(got->security_flags == put->security_flags);
    assert_bytes(got->key, secrets ? put->key : nothing);
    if (put->options == NULL)
        return;
    assert_int_equal(got->options->specified, put->options->specified);
    assert_int_equal(got->options->flags, put->options->flags);
    assert_int_equal(got->options->default_time2retain, put->options->default_time2retain);
    assert_bytes(got->options->username, put->options->username);
    assert_bytes(got->options->password, secrets ? put->options->password : nothing);
}

static void assert_mapping(const struct mapping *got)
{
    assert_non_null(got);
    assert_string_equal(got->os_device, mapping.os_device);
    assert_int_equal(got->os_bus, 6);
    assert_int_equal(got->os_target, 7);
    assert_int_equal(got->luns.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(got->luns.items[i].os_lun, luns[i].os_lun);
        assert_true(got->luns.items[i].target_lun == luns[i].target_lun);
    }
}

static void a_login_comes_back_as_it_was(void **state)
{
    const struct persistent_login full = {"iqn.2026-11.org.example:A",
                                          1,
                                          INSTANCE,
                                          9,
                                          &named,
                                          UINT64_C(0xfedcba9876543210),
                                          &all_options,
                                          key,
                                          &mapping,
                                          .number = 0};
    const struct persistent_login bare = {
        .target = BASE ":b", .initiator = "", .initiator_port = ANY_PORT};
    struct os_arena arena = {0};
    struct persistent_login_list list;
    const struct persistent_login *one;
    (void)state;
    struct store *store = open_store();
    assert_status(store_logins(store, &arena, true, &list), STATUS_OK);
    assert_int_equal(list.count, 0);
    assert_status(store_add_login(store, &full), STATUS_OK);
    assert_status(store_add_login(store, &bare), STATUS_OK);
    store_close(store);
    store = open_store();
    for (int secrets = 0; secrets < 2; secrets++) {
        assert_status(store_logins(store, &arena, secrets != 0, &list), STATUS_OK);
        assert_int_equal(list.count, 2);
        assert_login(&list.items[0], &full, secrets != 0);
        assert_mapping(list.items[0].mapping);
        assert_login(&list.items[1], &bare, secrets != 0);
        assert_null(list.items[1].mapping);
    }
    assert_status(store_login(store, list.items[0].number, &arena, &one), STATUS_OK);
    assert_login(one, &full, true);
    assert_status(store_login(store, 77, &arena, &one), STATUS_OK);
    assert_null(one);
    os_arena_clear(&arena);
    store_close(store);
}

static void add_plain(struct store *store, const char *target, const struct portal *portal)
{
    const struct persistent_login login = {
        .target = target, .initiator = INSTANCE, .initiator_port = ANY_PORT, .portal = portal};
    assert_status(store_add_login(store, &login), STATUS_OK);
}

/* Numbers of what is left, with a blank between them. */
static void assert_numbers(struct store *store, const char *expected)
{
    char text[100] = "";
    struct os_arena arena = {0};
    struct persistent_login_list list;
    assert_status(store_logins(store, &arena, false, &list), STATUS_OK);
    for (uint32_t i = 0; i < list.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u", i ? " " : "",
                 (unsigned)list.items[i].number);
    os_arena_clear(&arena);
    assert_string_equal(text, expected);
}

static uint32_t remove_from(struct store *store, struct persistent_login login, bool all)
{
    uint32_t removed;
    assert_status(store_remove_logins(store, &login, all, &removed), STATUS_OK);
    return removed;
}

static void what_is_named_is_removed(void **state)
{
    const struct portal first = {NULL, "Host-1", 3260}, second = {NULL, "host-1", 3261};
    (void)state;
    struct store *store = open_store();
    add_plain(store, BASE ":A", &first);
    add_plain(store, BASE ":a", &first);
    add_plain(store, BASE ":a", &second);
    add_plain(store, BASE ":b", &first);
    struct persistent_login wanted = {
        .target = BASE ":a", .initiator = "root\\iscsiprt\\0000_0", .initiator_port = 3};
    wanted.portal = &first;
    assert_int_equal(remove_from(store, wanted, false), 0);
    wanted.initiator_port = ANY_PORT;
    assert_int_equal(remove_from(store, wanted, false), 1);
    assert_numbers(store, "2 3 4");
    wanted.portal = NULL;
    assert_int_equal(remove_from(store, wanted, true), 2);
    assert_numbers(store, "4");
    wanted.target = BASE ":b";
    wanted.initiator = "other";
    assert_int_equal(remove_from(store, wanted, true), 0);
    wanted.initiator = NULL;
    assert_int_equal(remove_from(store, wanted, true), 1);
    /* A number that was given out once never means another login. */
    add_plain(store, BASE ":c", NULL);
    assert_numbers(store, "5");
    store_close(store);
}

static void run_sql(const char *sql)
{
    char path[700], *message = NULL;
    sqlite3 *handle;
    snprintf(path, sizeof path, "%s/store.db", directory);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    /* The store holds the journal open, and Windows deletes no open file. */
    sqlite3_exec(handle, "PRAGMA journal_mode = TRUNCATE", NULL, NULL, NULL);
    if (sqlite3_exec(handle, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(handle);
}

static void rows_nobody_of_us_wrote_are_damage(void **state)
{
    static const char *const changes[] = {"target = 'a b'",    "target = ''",
                                          "informational = 2", "initiator_port = -1",
                                          "socket = 65536",    "address = 'a b'",
                                          "socket = 0",        "mapped = 7",
                                          "luns = 'text'",     "key = 5",
                                          "os_bus = -1",       "os_device = x'00'",
                                          "address = '::::'",  "luns = zeroblob(1e6)"};
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char sql[200];
        struct os_arena arena = {0};
        struct persistent_login_list list;
        new_directory();
        struct store *store = open_store();
        add_plain(store, BASE ":a", &named);
        snprintf(sql, sizeof sql, "UPDATE logins SET %s", changes[i]);
        run_sql(sql);
        enum status status = store_logins(store, &arena, true, &list);
        if (status != STATUS_STORE_DAMAGED)
            fail_msg("%s: got %s", changes[i], status_name(status));
        assert_int_equal(list.count, 0);
        os_arena_clear(&arena);
        store_close(store);
    }
}

/* As the first version wrote it: this text never changes. */
static const char first_version[] =
    "CREATE TABLE portals (id INTEGER PRIMARY KEY, initiator TEXT NOT NULL COLLATE NOCASE,"
    " initiator_port INTEGER NOT NULL, address TEXT NOT NULL COLLATE NOCASE, socket INTEGER NOT "
    "NULL,"
    " symbolic_name TEXT NOT NULL, security_flags INTEGER NOT NULL, version INTEGER NOT NULL,"
    " specified INTEGER NOT NULL, flags INTEGER NOT NULL, auth_type INTEGER NOT NULL,"
    " header_digest INTEGER NOT NULL, data_digest INTEGER NOT NULL,"
    " maximum_connections INTEGER NOT NULL, time2wait INTEGER NOT NULL,"
    " time2retain INTEGER NOT NULL, username BLOB, password BLOB,"
    " UNIQUE (address, socket, initiator, initiator_port));"
    "CREATE TABLE settings (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;"
    "INSERT INTO portals VALUES (1, '', 4294967295, 'storage.example', 3260, 'a name', 5, 0, 192,"
    " 0, 1, 0, 0, 0, 0, 0, NULL, 'password1234');"
    "UPDATE portals SET password = CAST(password AS BLOB);"
    "INSERT INTO settings VALUES ('node_name', CAST('iqn.2026-11.org.example:old' AS BLOB));"
    "PRAGMA application_id = 0x69534344; PRAGMA user_version = 1;";

static void check_upgraded(struct store *store)
{
    struct os_arena arena = {0};
    struct discovery_portal_list portals;
    struct blob value;
    assert_status(store_portals(store, &arena, true, &portals), STATUS_OK);
    assert_int_equal(portals.count, 1);
    assert_string_equal(portals.items[0].portal->address, "storage.example");
    assert_string_equal(portals.items[0].portal->symbolic_name, "a name");
    assert_bytes(portals.items[0].options->password, password);
    assert_status(store_setting(store, "node_name", &arena, &value), STATUS_OK);
    assert_int_equal(value.length, strlen("iqn.2026-11.org.example:old"));
    os_arena_clear(&arena);
}

static void a_store_of_the_first_version_is_upgraded(void **state)
{
    (void)state;
    run_sql(first_version);
    struct store *store = open_store();
    check_upgraded(store);
    add_plain(store, BASE ":a", NULL);
    store_close(store);
    store = open_store();
    check_upgraded(store);
    assert_numbers(store, "1");
    store_close(store);
}

static void an_upgrade_that_fails_changes_nothing(void **state)
{
    struct store *store;
    (void)state;
    run_sql(first_version);
    /* The new table's place is taken: the step cannot be done. */
    run_sql("CREATE TABLE logins (x)");
    assert_status(store_open(&store, directory), STATUS_STORE_DAMAGED);
    run_sql("DROP TABLE logins");
    store = open_store();
    check_upgraded(store);
    assert_numbers(store, "");
    store_close(store);
}

/* --- the operations --- */

static struct target_host host;

static int start(void **state)
{
    (void)state;
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    target_host_new(&host);
    target_host_add(&host, BASE ":a");
    target_host_start(&host);
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

static uint32_t logins; /* in the latest list */
static struct persistent_login last_login;
static char last_target[300], last_address[300];
static uint16_t last_socket;
static bool last_has_password;

static void copy_logins(const void *reply)
{
    const struct reply_list_persistent *list = reply;
    logins = list->logins.count;
    if (logins == 0)
        return;
    last_login = list->logins.items[logins - 1];
    snprintf(last_target, sizeof last_target, "%s", last_login.target);
    snprintf(last_address, sizeof last_address, "%s", last_login.portal->address);
    last_socket = last_login.portal->socket;
    last_has_password = last_login.options->password.data != NULL || last_login.key.data != NULL;
    assert_string_equal(last_login.initiator, INSTANCE);
}

static uint32_t count_logins(void)
{
    const struct request_list_persistent request = {0};
    assert_status(ask(OPERATION_list_persistent, &request, copy_logins), STATUS_OK);
    return logins;
}

static bool reply_had_ids;

static void copy_ids(const void *reply)
{
    const struct reply_login *got = reply;
    reply_had_ids = got->session != NULL || got->connection != NULL;
}

static const struct login_options chap = {.specified = OPTION_AUTH_TYPE | OPTION_PASSWORD,
                                          .auth_type = AUTH_CHAP,
                                          .password = {(const uint8_t *)"password1234", 12}};

static enum status keep_login(const char *target, const struct portal *portal)
{
    const struct request_login request = {.target = target,
                                          .initiator_port = ANY_PORT,
                                          .portal = portal,
                                          .options = &chap,
                                          .key = key,
                                          .persistent = 1};
    return ask(OPERATION_login, &request, copy_ids);
}

static enum status remove_login(const char *target, const struct portal *portal)
{
    const struct request_remove_persistent request = {
        .target = target, .initiator_port = ANY_PORT, .portal = portal};
    return ask(OPERATION_remove_persistent, &request, NULL);
}

static void a_persistent_login_is_only_stored(void **state)
{
    (void)state;
    assert_status(keep_login(BASE ":a", NULL), STATUS_TARGET_NOT_FOUND);
    assert_int_equal(count_logins(), 0);
    assert_status(add_portal(&host.portal), STATUS_OK);
    reply_had_ids = true;
    assert_status(keep_login("IQN.2026-11.org.Example:A", NULL), STATUS_OK);
    assert_false(reply_had_ids);
    assert_status(keep_login("IQN.2026-11.org.Example:A", NULL), STATUS_OK);
    assert_int_equal(count_logins(), 2);
    assert_int_equal(count_sessions(), 0);
    assert_string_equal(last_target, "IQN.2026-11.org.Example:A");
    assert_string_equal(last_address, "");
    assert_int_equal(last_login.initiator_port, ANY_PORT);
    assert_false(last_has_password);
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_int_equal(count_logins(), 2);
    assert_int_equal(count_sessions(), 0); /* only a service logs in when it starts */
}

static void a_portal_given_need_not_be_reachable(void **state)
{
    const struct portal nowhere = {"a name", "192.0.2.1", 3260};
    (void)state;
    uint64_t start_time = os_now();
    assert_status(keep_login(BASE ":never-seen", &nowhere), STATUS_OK);
    assert_true(os_now() - start_time < 1000);
    assert_int_equal(count_logins(), 1);
    assert_string_equal(last_address, "192.0.2.1");
    assert_int_equal(last_socket, 3260);
}

static void what_could_never_log_in_is_not_stored(void **state)
{
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    const struct portal nameless = {NULL, "a b", 3260};
    const struct login_options bad = {.specified = OPTION_AUTH_TYPE, .auth_type = AUTH_CHAP};
    struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .portal = &portal, .persistent = 1};
    const struct mapped_lun lun = {0, 0};
    const struct mapping too_many = {.luns = {&lun, STORE_LUNS_MOST + 1}};
    (void)state;
    request.options = &bad;
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_INVALID_TARGET_SECRET);
    request.options = NULL;
    request.portal = &nameless;
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_INVALID_ADDRESS);
    request.portal = &portal;
    request.target = "a b";
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_INVALID_NAME);
    request.target = BASE ":a";
    request.initiator = "none";
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_INITIATOR_NOT_FOUND);
    request.initiator = NULL;
    request.mapping = &too_many;
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_MAPPING_OUT_OF_RANGE);
    assert_int_equal(count_logins(), 0);
}

static void a_setting_makes_it_log_in_too(void **state)
{
    const struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .persistent = 1};
    (void)state;
    engine_stop(engine);
    write_text("iscsi.conf", "PersistentLoginAlsoLogsIn = Yes\n");
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(ask(OPERATION_login, &request, copy_ids), STATUS_OK);
    assert_true(reply_had_ids);
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(count_logins(), 1);
    /* The login's failure is told; it is stored all the same. */
    assert_status(ask(OPERATION_login, &request, copy_ids), STATUS_ALREADY_LOGGED_IN);
    assert_int_equal(count_logins(), 2);
}

static void removal_takes_one_of_a_portal_or_all(void **state)
{
    const struct portal first = {NULL, "192.0.2.1", 3260}, second = {NULL, "192.0.2.2", 3260};
    const struct portal empty = {NULL, "", 0};
    (void)state;
    assert_status(keep_login(BASE ":a", &first), STATUS_OK);
    assert_status(keep_login(BASE ":a", &first), STATUS_OK);
    assert_status(keep_login(BASE ":a", &second), STATUS_OK);
    assert_status(keep_login(BASE ":a", &second), STATUS_OK);
    assert_status(remove_login(BASE ":a", &first), STATUS_OK);
    assert_status(remove_login(BASE ":a", &first), STATUS_OK);
    assert_status(remove_login(BASE ":a", &first), STATUS_LOGIN_NOT_STORED);
    assert_status(remove_login(BASE ":b", NULL), STATUS_TARGET_NOT_FOUND);
    assert_int_equal(count_logins(), 2);
    assert_status(remove_login("IQN.2026-11.ORG.EXAMPLE:A", &empty), STATUS_OK);
    assert_int_equal(count_logins(), 0);
    assert_status(remove_login(BASE ":a", NULL), STATUS_TARGET_NOT_FOUND);
    assert_status(remove_login(NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_status(remove_login("a b", NULL), STATUS_INVALID_NAME);
}

#define STORE_TEST(name)  cmocka_unit_test_setup(name, make_directory)
#define ENGINE_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_login_comes_back_as_it_was),
        STORE_TEST(what_is_named_is_removed),
        STORE_TEST(rows_nobody_of_us_wrote_are_damage),
        STORE_TEST(a_store_of_the_first_version_is_upgraded),
        STORE_TEST(an_upgrade_that_fails_changes_nothing),
        ENGINE_TEST(a_persistent_login_is_only_stored),
        ENGINE_TEST(a_portal_given_need_not_be_reachable),
        ENGINE_TEST(what_could_never_log_in_is_not_stored),
        ENGINE_TEST(a_setting_makes_it_log_in_too),
        ENGINE_TEST(removal_takes_one_of_a_portal_or_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
