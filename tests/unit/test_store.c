/* The store: what is kept, what becomes of a damaged, foreign, locked, full or read-only file. */
#include "os_test.h"

#include "engine/store.h"

#include <sqlite3.h>
#include <stdlib.h>
#ifndef _WIN32
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

static char directory[600]; /* of the test under way: a new one for each */
static unsigned directories;

static int make_directory(void **state)
{
    const char *root = getenv("TEST_DIR");
    (void)state;
    if (root == NULL) {
        fprintf(stderr, "TEST_DIR is not set: run me through tests/harness/run.py\n");
        return -1;
    }
    snprintf(directory, sizeof directory, "%s/store%u", root, directories++);
    return 0;
}

static const char *store_path(void)
{
    static char path[700];
    snprintf(path, sizeof path, "%s/store.db", directory);
    return path;
}

static struct store *open_store(void)
{
    struct store *store;
    assert_status(store_open(&store, directory), STATUS_OK);
    return store;
}

static enum status try_open(void)
{
    struct store *store;
    enum status status = store_open(&store, directory);
    assert_true((store != NULL) == (status == STATUS_OK));
    store_close(store);
    return status;
}

/* The file's bytes, for comparing before and after. */
struct bytes {
    char *data;
    size_t length;
};

static struct bytes read_bytes(void)
{
    struct bytes bytes;
    assert_status(os_read_file(store_path(), &bytes.data, &bytes.length), STATUS_OK);
    assert_non_null(bytes.data);
    return bytes;
}

static void assert_untouched(struct bytes before)
{
    struct bytes after = read_bytes();
    assert_int_equal(after.length, before.length);
    assert_memory_equal(after.data, before.data, before.length);
    os_free(after.data);
    os_free(before.data);
}

static void write_bytes(const void *data, size_t length)
{
    FILE *file = fopen(store_path(), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Behind the store's back. */
static void run_sql(const char *sql)
{
    sqlite3 *handle;
    char *message = NULL;
    assert_int_equal(sqlite3_open(store_path(), &handle), SQLITE_OK);
    /* The store holds the journal open, and Windows deletes no open file. */
    sqlite3_exec(handle, "PRAGMA journal_mode = TRUNCATE", NULL, NULL, NULL);
    if (sqlite3_exec(handle, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(handle);
}

/* --- portals --- */

static const struct blob user = {(const uint8_t *)"us\0er", 5};
static const struct blob password = {(const uint8_t *)"password1234", 12};

static struct discovery_portal portal_at(struct portal *portal, const char *address,
                                         uint16_t socket)
{
    *portal = (struct portal){"", address, socket};
    return (struct discovery_portal){
        .initiator = "", .initiator_port = 0xffffffff, .portal = portal};
}

static enum status put(struct store *store, const char *address, uint16_t socket)
{
    struct portal portal;
    struct discovery_portal entry = portal_at(&portal, address, socket);
    return store_put_portal(store, &entry);
}

static uint32_t count(struct store *store)
{
    struct os_arena arena = {0};
    struct discovery_portal_list list;
    assert_status(store_portals(store, &arena, true, &list), STATUS_OK);
    os_arena_clear(&arena);
    return list.count;
}

static void assert_blob_equal(struct blob got, struct blob expected)
{
    assert_int_equal(got.length, expected.length);
    assert_memory_equal(got.data, expected.data, expected.length);
}

static void a_portal_comes_back_as_it_was(void **state)
{
    const struct portal portal = {"n\xc3\xa4me", "Storage.example", 3261};
    const struct login_options options = {1, 0xff, 2, 2, 1, 1, 65535, 3600, 0, user, password};
    const struct discovery_portal entry = {"Root\\ISCSIPRT\\0000_0", 7, &portal,
                                           UINT64_C(0xfedcba9876543210), &options};
    struct os_arena arena = {0};
    struct discovery_portal_list list;
    (void)state;
    struct store *store = open_store();
    assert_status(store_put_portal(store, &entry), STATUS_OK);
    store_close(store);
    store = open_store();
    assert_status(store_portals(store, &arena, true, &list), STATUS_OK);
    assert_int_equal(list.count, 1);
    const struct discovery_portal *got = list.items;
    assert_string_equal(got->initiator, entry.initiator);
    assert_int_equal(got->initiator_port, 7);
    assert_string_equal(got->portal->address, portal.address);
    assert_string_equal(got->portal->symbolic_name, portal.symbolic_name);
    assert_int_equal(got->portal->socket, 3261);
    assert_true(got->security_flags == entry.security_flags);
    assert_int_equal(got->options->version, 1);
    assert_int_equal(got->options->specified, 0xff);
    assert_int_equal(got->options->flags, 2);
    assert_int_equal(got->options->auth_type, 2);
    assert_int_equal(got->options->header_digest, 1);
    assert_int_equal(got->options->data_digest, 1);
    assert_int_equal(got->options->maximum_connections, 65535);
    assert_int_equal(got->options->default_time2wait, 3600);
    assert_int_equal(got->options->default_time2retain, 0);
    assert_blob_equal(got->options->username, user);
    assert_blob_equal(got->options->password, password);
    assert_status(store_portals(store, &arena, false, &list), STATUS_OK);
    assert_blob_equal(list.items->options->username, user);
    assert_null(list.items->options->password.data);
    os_arena_clear(&arena);
    store_close(store);
}

static void the_same_portal_is_replaced_in_its_place(void **state)
{
    struct portal portal;
    struct discovery_portal entry = portal_at(&portal, "B.example", 3260);
    struct os_arena arena = {0};
    struct discovery_portal_list list;
    (void)state;
    struct store *store = open_store();
    assert_status(put(store, "b.example", 3260), STATUS_OK);
    assert_status(put(store, "a.example", 3260), STATUS_OK);
    assert_status(put(store, "b.example", 3261), STATUS_OK);
    entry.security_flags = 5;
    assert_status(store_put_portal(store, &entry), STATUS_OK);
    entry.initiator_port = 1;
    assert_status(store_put_portal(store, &entry), STATUS_OK);
    assert_status(store_portals(store, &arena, true, &list), STATUS_OK);
    assert_int_equal(list.count, 4);
    assert_string_equal(list.items[0].portal->address, "b.example");
    assert_int_equal(list.items[0].security_flags, 5);
    assert_string_equal(list.items[1].portal->address, "a.example");
    assert_int_equal(list.items[2].portal->socket, 3261);
    assert_int_equal(list.items[3].initiator_port, 1);
    os_arena_clear(&arena);
    store_close(store);
}

static void only_the_portal_named_is_deleted(void **state)
{
    struct portal portal;
    struct discovery_portal entry = portal_at(&portal, "A.EXAMPLE", 3260);
    bool found;
    (void)state;
    struct store *store = open_store();
    assert_status(put(store, "a.example", 3260), STATUS_OK);
    assert_status(put(store, "a.example", 3261), STATUS_OK);
    entry.initiator = "other";
    assert_status(store_delete_portal(store, &entry, &found), STATUS_OK);
    assert_false(found);
    entry.initiator = "";
    assert_status(store_delete_portal(store, &entry, &found), STATUS_OK);
    assert_true(found);
    assert_int_equal(count(store), 1);
    assert_status(store_delete_portal(store, &entry, &found), STATUS_OK);
    assert_false(found);
    store_close(store);
    store = open_store();
    assert_int_equal(count(store), 1);
    store_close(store);
}

/* --- settings --- */

static void settings_are_kept_and_removed(void **state)
{
    struct os_arena arena = {0};
    struct blob value;
    (void)state;
    struct store *store = open_store();
    assert_status(store_setting(store, "name", &arena, &value), STATUS_OK);
    assert_null(value.data);
    assert_status(store_set_setting(store, "name", &user), STATUS_OK);
    assert_status(store_set_setting(store, "other", &password), STATUS_OK);
    store_close(store);
    store = open_store();
    assert_status(store_setting(store, "name", &arena, &value), STATUS_OK);
    assert_blob_equal(value, user);
    assert_status(store_set_setting(store, "name", &password), STATUS_OK);
    assert_status(store_setting(store, "name", &arena, &value), STATUS_OK);
    assert_blob_equal(value, password);
    assert_status(store_set_setting(store, "name", NULL), STATUS_OK);
    assert_status(store_set_setting(store, "name", NULL), STATUS_OK);
    assert_status(store_setting(store, "name", &arena, &value), STATUS_OK);
    assert_null(value.data);
    os_arena_clear(&arena);
    store_close(store);
}

static bool holds(struct bytes bytes, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= bytes.length; i++) {
        if (memcmp(bytes.data + i, text, strlen(text)) == 0)
            return true;
    }
    return false;
}

static void a_removed_secret_leaves_the_file(void **state)
{
    (void)state;
    struct store *store = open_store();
    assert_status(store_set_setting(store, "name", &password), STATUS_OK);
    struct bytes bytes = read_bytes();
    assert_true(holds(bytes, "password1234"));
    os_free(bytes.data);
    assert_status(store_set_setting(store, "name", NULL), STATUS_OK);
    store_close(store);
    bytes = read_bytes();
    assert_false(holds(bytes, "password1234"));
    os_free(bytes.data);
}

static void two_users_see_each_others_changes(void **state)
{
    struct os_arena arena = {0};
    struct blob value;
    (void)state;
    struct store *one = open_store();
    struct store *two = open_store();
    assert_status(put(one, "a.example", 3260), STATUS_OK);
    assert_int_equal(count(two), 1);
    assert_status(put(two, "b.example", 3260), STATUS_OK);
    assert_status(store_set_setting(two, "name", &user), STATUS_OK);
    assert_int_equal(count(one), 2);
    assert_status(store_setting(one, "name", &arena, &value), STATUS_OK);
    assert_blob_equal(value, user);
    os_arena_clear(&arena);
    store_close(one);
    store_close(two);
}

/* --- files that are not what they should be --- */

static void garbage_is_damage(void **state)
{
    /* Not 1: SQLite takes a file of one byte for an empty one. */
    static const size_t lengths[] = {2, 15, 100, 511, 512, 4096, 20000};
    static char garbage[20000];
    (void)state;
    assert_status(os_make_private_directory(directory), STATUS_OK);
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (char)(i * 7 + 3);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_bytes(garbage, lengths[i]);
        struct bytes before = read_bytes();
        enum status status = try_open();
        if (status != STATUS_STORE_DAMAGED)
            fail_msg("%u bytes of garbage: %s", (unsigned)lengths[i], status_name(status));
        assert_untouched(before);
    }
}

/* Wherever a page is overwritten: never a crash, never a changed file, and in the end somebody
 * notices. */
static void damage_inside_is_noticed(void **state)
{
    unsigned noticed = 0;
    (void)state;
    struct store *store = open_store();
    for (uint16_t i = 1; i <= 300; i++)
        assert_status(put(store, "a.example", i), STATUS_OK);
    store_close(store);
    struct bytes good = read_bytes();
    for (size_t at = 0; at < good.length; at += 512) {
        struct os_arena arena = {0};
        struct discovery_portal_list list;
        char *bad = os_copy(good.data, good.length);
        memset(bad + at, 0xa5, 256);
        write_bytes(bad, good.length);
        struct bytes before = read_bytes();
        enum status status = store_open(&store, directory);
        if (status == STATUS_OK)
            status = store_portals(store, &arena, true, &list);
        store_close(store);
        os_arena_clear(&arena);
        if (status != STATUS_OK && status != STATUS_STORE_DAMAGED)
            fail_msg("damage at %u: %s", (unsigned)at, status_name(status));
        noticed += status == STATUS_STORE_DAMAGED;
        assert_untouched(before);
        os_free(bad);
    }
    assert_true(noticed > 10);
    os_free(good.data);
}

static void a_truncated_file_is_damage(void **state)
{
    (void)state;
    struct store *store = open_store();
    for (uint16_t i = 1; i <= 300; i++)
        assert_status(put(store, "a.example", i), STATUS_OK);
    store_close(store);
    struct bytes good = read_bytes();
    write_bytes(good.data, good.length - 4096);
    struct bytes before = read_bytes();
    assert_status(try_open(), STATUS_STORE_DAMAGED);
    assert_untouched(before);
    os_free(good.data);
}

static void a_newer_store_is_left_alone(void **state)
{
    (void)state;
    store_close(open_store());
    run_sql("PRAGMA user_version = 1000");
    struct bytes before = read_bytes();
    assert_status(try_open(), STATUS_STORE_TOO_NEW);
    assert_untouched(before);
}

static void another_programs_database_is_left_alone(void **state)
{
    (void)state;
    assert_status(os_make_private_directory(directory), STATUS_OK);
    run_sql("CREATE TABLE bookmarks (url TEXT)");
    struct bytes before = read_bytes();
    assert_status(try_open(), STATUS_STORE_DAMAGED);
    assert_untouched(before);
    run_sql("PRAGMA user_version = 1");
    before = read_bytes();
    assert_status(try_open(), STATUS_STORE_DAMAGED);
    assert_untouched(before);
}

static void rows_nobody_of_us_wrote_are_damage(void **state)
{
    static const char *const changes[] = {
        "UPDATE portals SET socket = 70000",
        "UPDATE portals SET socket = 0",
        "UPDATE portals SET socket = -1",
        "UPDATE portals SET socket = 'x'",
        "UPDATE portals SET address = ''",
        "UPDATE portals SET address = 'a b'",
        "UPDATE portals SET address = CAST(x'ff41' AS TEXT)",
        "UPDATE portals SET address = CAST(x'410042' AS TEXT)",
        "UPDATE portals SET address = printf('%01000d', 1)",
        "UPDATE portals SET symbolic_name = printf('%02000d', 1)",
        "UPDATE portals SET symbolic_name = x'41'",
        "UPDATE portals SET initiator_port = 4294967296",
        "UPDATE portals SET password = 'text'",
        "UPDATE portals SET password = zeroblob(70000)",
        "UPDATE portals SET auth_type = 1e300",
        "DROP TABLE portals",
    };
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct os_arena arena = {0};
        struct discovery_portal_list list;
        assert_int_equal(make_directory(NULL), 0);
        struct store *store = open_store();
        assert_status(put(store, "a.example", 3260), STATUS_OK);
        run_sql(changes[i]);
        enum status status = store_portals(store, &arena, true, &list);
        if (status != STATUS_STORE_DAMAGED || list.count != 0)
            fail_msg("%s: %s", changes[i], status_name(status));
        os_arena_clear(&arena);
        store_close(store);
    }
}

static void a_locked_store_is_busy(void **state)
{
    sqlite3 *handle;
    (void)state;
    struct store *store = open_store();
    assert_int_equal(sqlite3_open(store_path(), &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    assert_status(put(store, "a.example", 3260), STATUS_STORE_BUSY);
    assert_int_equal(sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
    assert_status(put(store, "a.example", 3260), STATUS_OK);
    store_close(store);
}

static void want_of_memory_is_told(void **state)
{
    struct portal portal;
    struct discovery_portal entry = portal_at(&portal, "a.example", 3260);
    const struct login_options options = {.username = user, .password = password};
    unsigned failures = 0;
    (void)state;
    struct store *store = open_store();
    entry.options = &options;
    assert_status(store_put_portal(store, &entry), STATUS_OK);
    for (long nth = 1;; nth++) {
        struct os_arena arena = {0};
        struct discovery_portal_list list;
        os_alloc_fail_at(nth);
        enum status status = store_portals(store, &arena, true, &list);
        os_alloc_fail_at(0);
        os_arena_clear(&arena);
        if (status == STATUS_OK)
            break;
        assert_status(status, STATUS_NO_MEMORY);
        failures++;
    }
    assert_true(failures >= 1);
    store_close(store);
    os_alloc_fail_at(1);
    enum status status = store_open(&store, directory);
    os_alloc_fail_at(0);
    assert_status(status, STATUS_NO_MEMORY);
}

static void an_overlong_path_is_refused(void **state)
{
    struct store *store;
    static char path[5000];
    (void)state;
    memset(path, 'x', sizeof path - 1);
    assert_status(store_open(&store, path), STATUS_INVALID_PARAMETER);
    assert_null(store);
}

#ifndef _WIN32

static void the_file_is_private(void **state)
{
    struct stat found;
    (void)state;
    mode_t old = umask(0);
    struct store *store = open_store();
    assert_status(put(store, "a.example", 3260), STATUS_OK);
    umask(old);
    store_close(store);
    assert_int_equal(stat(store_path(), &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(stat(directory, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
}

/* In a process without root's right to write everywhere; its exit code is the number of the check
 * that failed. */
static void as_nobody(int (*check)(void), uid_t uid)
{
    int result;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(uid) != 0 || setuid(uid) != 0))
            _exit(99);
        _exit(check());
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    if (!WIFEXITED(result) || WEXITSTATUS(result) != 0)
        fail_msg("check %d failed (wait status %#x)", WEXITSTATUS(result), (unsigned)result);
}

static int read_but_not_write(void)
{
    struct os_arena arena = {0};
    struct discovery_portal_list list;
    struct store *store;
    if (store_open(&store, directory) != STATUS_OK)
        return 1;
    if (store_portals(store, &arena, true, &list) != STATUS_OK || list.count != 1)
        return 2;
    os_arena_clear(&arena);
    if (put(store, "b.example", 3260) != STATUS_STORE_READ_ONLY)
        return 3;
    if (store_set_setting(store, "name", &user) != STATUS_STORE_READ_ONLY)
        return 4;
    store_close(store);
    return 0;
}

/* The test's own directory must be reachable for the unprivileged process. */
static void open_the_way(void)
{
    char path[600];
    const char *root = getenv("TEST_DIR");
    snprintf(path, sizeof path, "%s", root);
    for (char *slash = strrchr(path, '/'); slash != NULL && slash != path;
         slash = strrchr(path, '/')) {
        struct stat found;
        if (stat(path, &found) == 0 && found.st_uid == geteuid() && (found.st_mode & 01) == 0)
            chmod(path, (found.st_mode & 07777) | 01);
        *slash = '\0';
    }
}

static void prepare_read_only(mode_t directory_mode, mode_t file_mode)
{
    struct store *store = open_store();
    assert_status(put(store, "a.example", 3260), STATUS_OK);
    store_close(store);
    open_the_way();
    if (geteuid() == 0) {
        assert_int_equal(chown(store_path(), 12345, 12345), 0);
        assert_int_equal(chown(directory, 12345, 12345), 0);
    }
    assert_int_equal(chmod(store_path(), file_mode), 0);
    assert_int_equal(chmod(directory, directory_mode), 0);
}

static void a_read_only_file_can_be_read(void **state)
{
    (void)state;
    prepare_read_only(0700, 0400);
    struct bytes before = read_bytes();
    as_nobody(read_but_not_write, 12345);
    assert_untouched(before);
}

static void a_read_only_directory_can_be_read(void **state)
{
    char journal[800];
    (void)state;
    prepare_read_only(0500, 0600);
    /* A journal left over from earlier could be written to: without it a new one would have to be
     * made. */
    snprintf(journal, sizeof journal, "%s-journal", store_path());
    unlink(journal);
    struct bytes before = read_bytes();
    as_nobody(read_but_not_write, 12345);
    assert_untouched(before);
}

static int cannot_create(void)
{
    char path[800];
    struct store *store;
    snprintf(path, sizeof path, "%s/sub", directory);
    return store_open(&store, path) == STATUS_ACCESS_DENIED ? 0 : 1;
}

static void no_place_for_a_store_is_told(void **state)
{
    (void)state;
    prepare_read_only(0500, 0600);
    as_nobody(cannot_create, 12345);
}

static void a_full_disk_is_told(void **state)
{
    enum status status = STATUS_OK;
    (void)state;
    assert_status(os_make_private_directory(directory), STATUS_OK);
    if (geteuid() != 0 || mount("none", directory, "tmpfs", 0, "size=128k,mode=0700") != 0)
        skip();
    struct store *store = NULL;
    enum status opened = store_open(&store, directory);
    uint16_t stored = 0;
    while (opened == STATUS_OK && stored < 60000 &&
           (status = put(store, "a.example", (uint16_t)(stored + 1))) == STATUS_OK)
        stored++;
    uint32_t found = opened == STATUS_OK ? count(store) : 0;
    store_close(store);
    assert_int_equal(umount(directory), 0);
    assert_status(opened, STATUS_OK);
    assert_status(status, STATUS_STORE_FULL);
    assert_int_equal(found, stored);
}

/* --- kill -9 --- */

/* Stores portals with sockets `first`, `first` + 1, ... and tells of each once it is stored. */
static void store_until_killed(int told, uint16_t first)
{
    struct store *store;
    if (store_open(&store, directory) != STATUS_OK)
        _exit(1);
    for (uint16_t i = first;; i++) {
        const struct blob value = {(const uint8_t *)&i, sizeof i};
        if (put(store, "a.example", i) != STATUS_OK ||
            store_set_setting(store, "last", &value) != STATUS_OK ||
            write(told, &i, sizeof i) != sizeof i)
            _exit(2);
    }
}

/* The last socket that the killed process told of. */
static uint16_t kill_a_writer(uint16_t first, unsigned microseconds)
{
    int ends[2], result;
    uint16_t last = (uint16_t)(first - 1);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        store_until_killed(ends[1], first);
    }
    close(ends[1]);
    /* It is at work once it has told of the first. */
    if (read(ends[0], &last, sizeof last) != sizeof last)
        fail_msg("the writer ended by itself");
    usleep(microseconds);
    kill(child, SIGKILL);
    while (read(ends[0], &last, sizeof last) == sizeof last)
        ;
    close(ends[0]);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result));
    return last;
}

static uint16_t check_after_kill(uint16_t told)
{
    struct os_arena arena = {0};
    struct discovery_portal_list list;
    struct blob value;
    uint16_t last;
    struct store *store = open_store();
    assert_status(store_portals(store, &arena, true, &list), STATUS_OK);
    for (uint32_t i = 0; i < list.count; i++)
        assert_int_equal(list.items[i].portal->socket, i + 1);
    assert_in_range(list.count, told, told + 1u);
    assert_status(store_setting(store, "last", &arena, &value), STATUS_OK);
    assert_int_equal(value.length, sizeof last);
    memcpy(&last, value.data, sizeof last);
    assert_in_range(last, told, list.count);
    os_arena_clear(&arena);
    store_close(store);
    return (uint16_t)list.count;
}

static void what_was_stored_survives_kill_9(void **state)
{
    uint16_t stored = 0;
    (void)state;
    srand(1);
    for (unsigned round = 0; round < 60; round++) {
        uint16_t told = kill_a_writer((uint16_t)(stored + 1), (unsigned)rand() % 8000);
        stored = check_after_kill(told);
    }
    assert_true(stored >= 60);
}

#endif

#define STORE_TEST(name) cmocka_unit_test_setup(name, make_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_portal_comes_back_as_it_was),
        STORE_TEST(the_same_portal_is_replaced_in_its_place),
        STORE_TEST(only_the_portal_named_is_deleted),
        STORE_TEST(settings_are_kept_and_removed),
        STORE_TEST(a_removed_secret_leaves_the_file),
        STORE_TEST(two_users_see_each_others_changes),
        STORE_TEST(garbage_is_damage),
        STORE_TEST(damage_inside_is_noticed),
        STORE_TEST(a_truncated_file_is_damage),
        STORE_TEST(a_newer_store_is_left_alone),
        STORE_TEST(another_programs_database_is_left_alone),
        STORE_TEST(rows_nobody_of_us_wrote_are_damage),
        STORE_TEST(a_locked_store_is_busy),
        STORE_TEST(want_of_memory_is_told),
        STORE_TEST(an_overlong_path_is_refused),
#ifndef _WIN32
        STORE_TEST(the_file_is_private),
        STORE_TEST(a_read_only_file_can_be_read),
        STORE_TEST(a_read_only_directory_can_be_read),
        STORE_TEST(no_place_for_a_store_is_told),
        STORE_TEST(a_full_disk_is_told),
        STORE_TEST(what_was_stored_survives_kill_9),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
