/* Bound devices: which may be bound, what is stored of them, and how a service's start waits for
 * them. */
#include "unit_shelf.h"

#include "engine/options.h"
#include "engine/store.h"

#include <sqlite3.h>

#define LUN(number) ((uint64_t)(number) << 48)

static struct target_host host;
static uint16_t port; /* of the host, also while it is down */

static void start_host(void)
{
    host.loop = os_loop_new();
    host.entity = target_entity_new(&os_crypto);
    target_entity_settings(host.entity)->fault = &shelf_fault;
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
    shelf_clear();
    new_directory();
    start_host();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(add_portal(&host.portal), STATUS_OK);
    shelf_put((struct shelf_unit){.lun = LUN(0), .name = "first...", .blocks = 10});
    shelf_put((struct shelf_unit){.lun = LUN(1), .name = "second..", .blocks = 10});
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

static void keep_login(const char *target, bool informational)
{
    const struct portal portal = {NULL, "127.0.0.1", port};
    const struct request_login request = {.target = target,
                                          .informational = informational,
                                          .initiator_port = ANY_PORT,
                                          .portal = &portal,
                                          .persistent = 1};
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_OK);
}

static enum status add(const char *path)
{
    const struct request_add_persistent_device request = {.path = path};
    return ask(OPERATION_add_persistent_device, &request, NULL);
}

static enum status drop(const char *path)
{
    const struct request_remove_persistent_device request = {.path = path};
    return ask(OPERATION_remove_persistent_device, &request, NULL);
}

static enum status bind_all(void)
{
    const struct request_bind_persistent_devices request = {0};
    return ask(OPERATION_bind_persistent_devices, &request, NULL);
}

/* The paths with a blank between them. */
static const char *bound(void)
{
    const struct request_list_persistent_devices request = {0};
    assert_status(ask(OPERATION_list_persistent_devices, &request, copy_names), STATUS_OK);
    return names;
}

static char interface_names[2][200];

static void copy_interface_names(const void *reply)
{
    const struct reply_list_devices *list = reply;
    memset(interface_names, 0, sizeof interface_names);
    for (uint32_t i = 0; i < list->devices.count && i < 2; i++)
        snprintf(interface_names[i], sizeof *interface_names, "%s",
                 list->devices.items[i].interface_name);
}

static void log_in(const char *target)
{
    assert_status(login(target), STATUS_OK);
    const struct request_list_devices request = {.session = &last_session};
    assert_status(ask(OPERATION_list_devices, &request, copy_interface_names), STATUS_OK);
}

/* --- the list --- */

static void devices_are_bound_and_let_go(void **state)
{
    (void)state;
    keep_login(BASE ":A", false);
    log_in(BASE ":a");
    assert_string_equal(bound(), "");
    assert_status(add("\\\\.\\PHYSICALDRIVE1"), STATUS_OK);
    assert_status(add(interface_names[1]), STATUS_OK);
    assert_non_null(
        strstr(bound(), "\\\\.\\PHYSICALDRIVE1 \\\\?\\scsi#disk&ven_shelf&prod_disk#1&"));
    assert_non_null(strstr(names, "&0&000001#{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"));
    assert_status(drop("\\\\?\\physicaldrive1\\"), STATUS_OK);
    assert_string_equal(bound(), interface_names[1]);
    assert_status(drop("PhysicalDrive2"), STATUS_OK);
    assert_string_equal(bound(), "");
}

/* A device is the same one, whatever it is called. */
static void a_device_is_bound_once(void **state)
{
    (void)state;
    keep_login(BASE ":a", false);
    log_in(BASE ":a");
    assert_status(add("\\\\.\\PhysicalDrive1"), STATUS_OK);
    assert_status(add("\\\\.\\PhysicalDrive1"), STATUS_DEVICE_BOUND);
    assert_status(add(interface_names[0]), STATUS_DEVICE_BOUND);
    assert_string_equal(bound(), "\\\\.\\PhysicalDrive1");
    /* Also when it is not there. */
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(add("\\\\.\\physicaldrive1"), STATUS_DEVICE_BOUND);
    assert_status(drop("\\\\.\\physicaldrive1"), STATUS_OK);
    assert_status(drop("\\\\.\\physicaldrive1"), STATUS_DEVICE_NOT_FOUND);
}

/* Numbers are given anew: what the name means now counts. */
static void a_name_may_mean_another_device_later(void **state)
{
    (void)state;
    keep_login(BASE ":a", false);
    log_in(BASE ":a");
    assert_status(add("\\\\.\\PhysicalDrive1"), STATUS_OK);
    assert_status(logout(&last_session), STATUS_OK);
    SHELF(shelf_find(LUN(0))->name = "another.");
    log_in(BASE ":a");
    assert_status(add("\\\\.\\PhysicalDrive1"), STATUS_OK);
    assert_string_equal(bound(), "\\\\.\\PhysicalDrive1 \\\\.\\PhysicalDrive1");
    assert_status(drop("\\\\.\\PhysicalDrive1"), STATUS_OK);
    SHELF(shelf_find(LUN(0))->name = "first...");
    assert_status(logout(&last_session), STATUS_OK);
    log_in(BASE ":a");
    assert_status(add("\\\\.\\PhysicalDrive1"), STATUS_DEVICE_BOUND);
}

static void what_cannot_be_bound(void **state)
{
    static char path[1100];
    (void)state;
    memset(path, 'x', sizeof path - 1);
    assert_status(add(NULL), STATUS_INVALID_PARAMETER);
    assert_status(add(""), STATUS_INVALID_PARAMETER);
    assert_status(add(path), STATUS_INVALID_PARAMETER);
    assert_status(drop(NULL), STATUS_INVALID_PARAMETER);
    assert_status(drop(""), STATUS_INVALID_PARAMETER);
    assert_status(drop(path), STATUS_INVALID_PARAMETER);
    path[1023] = '\0';
    assert_status(add(path), STATUS_DEVICE_NOT_ISCSI);
    assert_status(drop(path), STATUS_DEVICE_NOT_FOUND);
    /* The machine's own disk, a drive letter of it, and what is no device at all. */
    assert_status(add("\\\\.\\PhysicalDrive0"), STATUS_DEVICE_NOT_ISCSI);
    assert_status(add("C:"), STATUS_DEVICE_NOT_ISCSI);
    assert_status(add("\\\\.\\"), STATUS_DEVICE_NOT_ISCSI);
    /* A target without a stored login, and one whose stored login shows no units. */
    log_in(BASE ":a");
    assert_status(add("\\\\.\\PhysicalDrive1"), STATUS_DEVICE_NOT_ISCSI);
    keep_login(BASE ":a", true);
    keep_login(BASE ":b", false);
    assert_status(add("\\\\.\\PhysicalDrive1"), STATUS_DEVICE_NOT_ISCSI);
    keep_login(BASE ":a", false);
    assert_status(add("\\\\.\\PhysicalDrive11"), STATUS_DEVICE_NOT_ISCSI);
    assert_status(add("\\\\.\\PhysicalDrive"), STATUS_DEVICE_NOT_ISCSI);
    assert_status(add("\\\\.\\PhysicalDrive1\\\\"), STATUS_DEVICE_NOT_ISCSI);
    assert_string_equal(bound(), "");
}

static void all_of_persistent_targets_are_bound(void **state)
{
    (void)state;
    keep_login(BASE ":a", false);
    shelf_put((struct shelf_unit){.lun = LUN(2), .first = 0x0c}); /* no device */
    log_in(BASE ":b");
    log_in(BASE ":a");
    assert_status(add("\\\\.\\PhysicalDrive3"), STATUS_OK);
    char expected[500];
    snprintf(expected, sizeof expected, "%s %s", interface_names[0], interface_names[1]);
    assert_status(bind_all(), STATUS_OK); /* in place of what there is */
    assert_string_equal(bound(), expected);
    const struct request_clear_persistent_devices clear = {0};
    assert_status(ask(OPERATION_clear_persistent_devices, &clear, NULL), STATUS_OK);
    assert_string_equal(bound(), "");
    assert_status(ask(OPERATION_clear_persistent_devices, &clear, NULL), STATUS_OK);
}

/* Two paths to the same units are not bound twice; and the list lasts. */
static void the_list_lasts(void **state)
{
    const struct login_options multipath = {.flags = LOGIN_FLAG_MULTIPATH};
    (void)state;
    keep_login(BASE ":a", false);
    log_in(BASE ":a");
    assert_status(login_with(BASE ":a", &multipath), STATUS_OK);
    assert_status(bind_all(), STATUS_OK);
    char expected[500];
    snprintf(expected, sizeof expected, "%s %s", interface_names[0], interface_names[1]);
    assert_string_equal(bound(), expected);
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_string_equal(bound(), expected);
}

/* What is still being logged in to would be missing: the list stays as it was. */
static void logins_under_way_are_waited_for(void **state)
{
    (void)state;
    keep_login(BASE ":a", false);
    log_in(BASE ":a");
    assert_status(add("\\\\.\\PhysicalDrive2"), STATUS_OK);
    target_host_stop(&host);
    start_service();
    assert_status(bind_all(), STATUS_PERSISTENT_LOGIN_TIMEOUT);
    assert_string_equal(bound(), "\\\\.\\PhysicalDrive2");
    struct ask asked;
    const struct request_bind_persistent_devices request = {0};
    ask_start(&asked, OPERATION_bind_persistent_devices, &request, NULL);
    start_host();
    assert_status(ask_wait(&asked), STATUS_OK);
    bound();
    assert_non_null(strstr(names, "&0&000000#"));
    assert_non_null(strstr(names, "&0&000001#"));
}

/* --- the store --- */

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
    static const char *const changes[] = {"path = ''",       "path = x'00'",
                                          "target = ''",     "target = 'a b'",
                                          "identity = x''",  "identity = zeroblob(100)",
                                          "identity = 'te'", "path = zeroblob(5000)"};
    const struct bound_device device = {"\\\\.\\x", BASE ":a", {(const uint8_t *)"\3x", 2}};
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char sql[200];
        struct store *store;
        struct os_arena arena = {0};
        struct bound_device_list list;
        new_directory();
        assert_status(store_open(&store, directory), STATUS_OK);
        assert_status(store_add_device(store, &device), STATUS_OK);
        assert_status(store_devices(store, &arena, &list), STATUS_OK);
        assert_int_equal(list.count, 1);
        snprintf(sql, sizeof sql, "UPDATE devices SET %s", changes[i]);
        run_sql(sql);
        enum status status = store_devices(store, &arena, &list);
        if (status != STATUS_STORE_DAMAGED)
            fail_msg("%s: got %s", changes[i], status_name(status));
        os_arena_clear(&arena);
        store_close(store);
    }
}

/* --- the start of a service --- */

static struct {
    struct os_mutex *mutex;
    unsigned times, missing;
    uint64_t when;
    uint32_t left; /* as was told before; 0: it was not */
} readiness;

static void on_ready(void *context, unsigned missing, uint32_t left)
{
    (void)context;
    os_mutex_lock(readiness.mutex);
    if (left > 0) {
        readiness.left = left;
        os_mutex_unlock(readiness.mutex);
        return;
    }
    readiness.times++;
    readiness.missing = missing;
    readiness.when = os_now();
    os_mutex_unlock(readiness.mutex);
}

static unsigned times_ready(void)
{
    os_mutex_lock(readiness.mutex);
    unsigned times = readiness.times;
    os_mutex_unlock(readiness.mutex);
    return times;
}

/* The time of the start. */
static uint64_t start_waiting(void)
{
    if (readiness.mutex == NULL)
        readiness.mutex = os_mutex_new();
    readiness.times = readiness.missing = readiness.left = 0;
    uint64_t began = os_now();
    start_service();
    engine_when_ready(engine, on_ready, NULL);
    return began;
}

static void await_ready(unsigned missing)
{
    uint64_t end = os_now() + BOUND;
    while (times_ready() == 0 && os_now() < end)
        os_thread_yield();
    assert_int_equal(times_ready(), 1);
    assert_int_equal(readiness.missing, missing);
}

static void bind_both(void)
{
    keep_login(BASE ":a", false);
    log_in(BASE ":a");
    assert_status(bind_all(), STATUS_OK);
}

static void without_bound_devices_a_start_is_quick(void **state)
{
    (void)state;
    keep_login(BASE ":a", false);
    target_host_stop(&host);
    uint64_t began = start_waiting();
    await_ready(0);
    assert_true(readiness.when - began < 1000);
    assert_int_equal(readiness.left, 0);
}

static void a_start_waits_for_bound_devices(void **state)
{
    (void)state;
    bind_both();
    target_host_stop(&host);
    start_waiting();
    /* Calls are answered meanwhile. */
    assert_int_equal(count_sessions(), 0);
    assert_int_equal(times_ready(), 0);
    start_host();
    await_ready(0);
    assert_int_equal(count_sessions(), 1);
    /* And one that comes later makes no difference. */
    assert_status(logout(&listed_id), STATUS_OK);
    assert_int_equal(times_ready(), 1);
}

static void a_unit_that_is_missing_is_waited_for(void **state)
{
    (void)state;
    bind_both();
    shelf_take(LUN(1));
    shelf_put((struct shelf_unit){.lun = LUN(1), .name = "another.", .blocks = 10});
    start_waiting();
    while (count_sessions() == 0)
        os_thread_yield();
    last_session = listed_id;
    settle();
    assert_int_equal(times_ready(), 0);
    /* In another place, but the same. */
    shelf_put((struct shelf_unit){.lun = LUN(5), .name = "second..", .blocks = 10});
    uint64_t end = os_now() + BOUND;
    while (times_ready() == 0 && os_now() < end)
        settle();
    await_ready(0);
}

static void a_start_does_not_wait_for_ever(void **state)
{
    (void)state;
    bind_both();
    write_text("iscsi.conf", "PersistentDeviceTime = 1\n");
    target_host_stop(&host);
    uint64_t began = start_waiting();
    await_ready(2);
    assert_true(readiness.when - began >= 1000 && readiness.when - began < 3000);
    assert_true(readiness.left > 0 && readiness.left <= 1000);
    write_text("iscsi.conf", "PersistentDeviceTime = 0\n");
    began = start_waiting();
    await_ready(2);
    assert_true(readiness.when - began < 1000);
}

static void devices_of_removed_logins_are_not_waited_for(void **state)
{
    const struct request_remove_persistent request = {.target = BASE ":a",
                                                      .initiator_port = ANY_PORT};
    (void)state;
    bind_both();
    assert_status(ask(OPERATION_remove_persistent, &request, NULL), STATUS_OK);
    uint64_t began = start_waiting();
    await_ready(0);
    assert_true(readiness.when - began < 1000);
}

static void a_stop_meanwhile_tells_nobody(void **state)
{
    (void)state;
    bind_both();
    target_host_stop(&host);
    start_waiting();
    engine_stop(engine);
    assert_int_equal(times_ready(), 0);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

#define BOUND_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUND_TEST(devices_are_bound_and_let_go),
        BOUND_TEST(a_device_is_bound_once),
        BOUND_TEST(a_name_may_mean_another_device_later),
        BOUND_TEST(what_cannot_be_bound),
        BOUND_TEST(all_of_persistent_targets_are_bound),
        BOUND_TEST(the_list_lasts),
        BOUND_TEST(logins_under_way_are_waited_for),
        BOUND_TEST(rows_nobody_of_us_wrote_are_damage),
        BOUND_TEST(without_bound_devices_a_start_is_quick),
        BOUND_TEST(a_start_waits_for_bound_devices),
        BOUND_TEST(a_unit_that_is_missing_is_waited_for),
        BOUND_TEST(a_start_does_not_wait_for_ever),
        BOUND_TEST(devices_of_removed_logins_are_not_waited_for),
        BOUND_TEST(a_stop_meanwhile_tells_nobody),
    };
    return cmocka_run_group_tests_name("engine_bound", tests, NULL, NULL);
}
