/* The store's servers: what is kept of each kind, and what is not taken for one. */
#include "os_test.h"

#include "engine/store.h"

#include <sqlite3.h>
#include <stdlib.h>

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
    snprintf(directory, sizeof directory, "%s/servers%u", root, directories++);
    return 0;
}

static struct store *open_store(void)
{
    struct store *store;
    assert_status(store_open(&store, directory), STATUS_OK);
    return store;
}

/* Behind the store's back. */
static void run_sql(const char *sql)
{
    char path[700];
    sqlite3 *handle;
    snprintf(path, sizeof path, "%s/store.db", directory);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    /* The store holds the journal open, and Windows deletes no open file. */
    sqlite3_exec(handle, "PRAGMA journal_mode = TRUNCATE", NULL, NULL, NULL);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

static bool add(struct store *store, enum server_kind kind, const char *address)
{
    bool added;
    assert_status(store_add_server(store, kind, address, &added), STATUS_OK);
    return added;
}

static bool removed(struct store *store, enum server_kind kind, const char *address)
{
    bool found;
    assert_status(store_remove_server(store, kind, address, &found), STATUS_OK);
    return found;
}

/* `expected`: the addresses, each followed by a space. */
static void assert_servers(struct store *store, enum server_kind kind, const char *expected)
{
    struct os_arena arena = {0};
    struct text_list list;
    char got[512] = "";
    assert_status(store_servers(store, kind, &arena, &list), STATUS_OK);
    for (uint32_t i = 0; i < list.count; i++) {
        strcat(got, list.items[i]);
        strcat(got, " ");
    }
    assert_string_equal(got, expected);
    os_arena_clear(&arena);
}

static void servers_come_back_in_the_order_added(void **state)
{
    struct store *store = open_store();
    (void)state;
    assert_servers(store, SERVER_ISNS, "");
    assert_true(add(store, SERVER_ISNS, "isns.example"));
    assert_true(add(store, SERVER_ISNS, "192.0.2.7:4711"));
    assert_true(add(store, SERVER_ISNS, "fe80::1"));
    store_close(store);
    store = open_store();
    assert_servers(store, SERVER_ISNS, "isns.example 192.0.2.7:4711 fe80::1 ");
    store_close(store);
}

static void kinds_are_apart(void **state)
{
    struct store *store = open_store();
    (void)state;
    assert_true(add(store, SERVER_ISNS, "one.example"));
    assert_true(add(store, SERVER_RADIUS, "one.example"));
    assert_true(add(store, SERVER_RADIUS, "two.example"));
    assert_servers(store, SERVER_ISNS, "one.example ");
    assert_servers(store, SERVER_RADIUS, "one.example two.example ");
    assert_true(removed(store, SERVER_RADIUS, "one.example"));
    assert_servers(store, SERVER_ISNS, "one.example ");
    assert_servers(store, SERVER_RADIUS, "two.example ");
    store_close(store);
}

static void a_server_is_there_once(void **state)
{
    struct store *store = open_store();
    (void)state;
    assert_true(add(store, SERVER_ISNS, "Isns.Example"));
    assert_false(add(store, SERVER_ISNS, "isns.example"));
    assert_servers(store, SERVER_ISNS, "Isns.Example ");
    assert_true(removed(store, SERVER_ISNS, "ISNS.example"));
    assert_false(removed(store, SERVER_ISNS, "isns.example"));
    assert_servers(store, SERVER_ISNS, "");
    store_close(store);
}

static void what_is_no_server_is_damage(void **state)
{
    static const char *const bad[] = {"'no host'", "''", "'h:0'", "'h:'", "x'ff'", "'1.2.3'"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char sql[128];
        struct os_arena arena = {0};
        struct text_list list;
        struct store *store = open_store();
        snprintf(sql, sizeof sql, "DELETE FROM servers; INSERT INTO servers VALUES (1, 1, %s)",
                 bad[i]);
        run_sql(sql);
        enum status status = store_servers(store, SERVER_ISNS, &arena, &list);
        if (status != STATUS_STORE_DAMAGED || list.count != 0)
            fail_msg("%s: %s", bad[i], status_name(status));
        os_arena_clear(&arena);
        store_close(store);
    }
}

static void want_of_memory_is_told(void **state)
{
    struct store *store = open_store();
    enum status status = STATUS_NO_MEMORY;
    (void)state;
    add(store, SERVER_ISNS, "isns.example");
    for (long nth = 1; status != STATUS_OK; nth++) {
        struct os_arena arena = {0};
        struct text_list list;
        os_alloc_fail_at(nth);
        status = store_servers(store, SERVER_ISNS, &arena, &list);
        os_alloc_fail_at(0);
        if (status != STATUS_OK)
            assert_status(status, STATUS_NO_MEMORY);
        assert_int_equal(list.count, status == STATUS_OK);
        os_arena_clear(&arena);
    }
    store_close(store);
}

#define STORE_TEST(name) cmocka_unit_test_setup(name, make_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(servers_come_back_in_the_order_added),
        STORE_TEST(kinds_are_apart),
        STORE_TEST(a_server_is_there_once),
        STORE_TEST(what_is_no_server_is_damage),
        STORE_TEST(want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
