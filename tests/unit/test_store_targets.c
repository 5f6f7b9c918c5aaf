/* The store's static targets: what comes back of them, what is merged, what is not taken for one.
 */
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
    snprintf(directory, sizeof directory, "%s/targets%u", root, directories++);
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
    char *message = NULL;
    snprintf(path, sizeof path, "%s/store.db", directory);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    /* The store holds the journal open, and Windows deletes no open file. */
    sqlite3_exec(handle, "PRAGMA journal_mode = TRUNCATE", NULL, NULL, NULL);
    if (sqlite3_exec(handle, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(handle);
}

static const struct portal portals[] = {
    {"left", "192.0.2.1", 3260}, {"", "fe80::1", 3261}, {"r\xc3\xa9serve", "Storage.example", 860}};
static const struct mapped_lun luns[] = {{3, 4}, {0xffffffff, UINT64_C(0xfedcba9876543210)}};
static const struct mapping mapping = {"\\\\.\\Scsi5:", 6, 7, {luns, 2}};
static const struct login_options options = {
    .version = 1,
    .specified = 0xff,
    .flags = 2,
    .auth_type = 1,
    .header_digest = 1,
    .data_digest = 0,
    .maximum_connections = 5,
    .default_time2wait = 6,
    .default_time2retain = 7,
    .username = {(const uint8_t *)"us\0er", 5},
    .password = {(const uint8_t *)"password1234", 12},
};

static const struct static_target full = {.target = "iqn.2026-11.org.example:Full",
                                          .alias = "Regal \xc3\xbc",
                                          .flags = 2,
                                          .persistent = 1,
                                          .mapping = &mapping,
                                          .options = &options,
                                          .grouped = 1,
                                          .portals = {portals, 3}};

static void put(struct store *store, const struct static_target *target)
{
    assert_status(store_put_static_target(store, target, NULL), STATUS_OK);
}

static const struct static_target *get(struct store *store, struct os_arena *arena,
                                       const char *name, bool secrets)
{
    const struct static_target *target;
    assert_status(store_static_target(store, name, arena, secrets, &target), STATUS_OK);
    return target;
}

/* `expected`: name and number of portals of each, each followed by a space. */
static void assert_targets(struct store *store, const char *expected)
{
    struct os_arena arena = {0};
    struct static_target_list list;
    char got[1024] = "";
    assert_status(store_static_targets(store, &arena, &list), STATUS_OK);
    for (uint32_t i = 0; i < list.count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s %u ", list.items[i].target,
                 (unsigned)list.items[i].portals.count);
    assert_string_equal(got, expected);
    os_arena_clear(&arena);
}

static void assert_full(const struct static_target *got, bool secrets)
{
    assert_non_null(got);
    assert_string_equal(got->target, full.target);
    assert_string_equal(got->alias, full.alias);
    assert_int_equal(got->flags, 2);
    assert_true(got->persistent);
    assert_true(got->grouped);
    assert_int_equal(got->portals.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(got->portals.items[i].symbolic_name, portals[i].symbolic_name);
        assert_string_equal(got->portals.items[i].address, portals[i].address);
        assert_int_equal(got->portals.items[i].socket, portals[i].socket);
    }
    assert_non_null(got->mapping);
    assert_string_equal(got->mapping->os_device, mapping.os_device);
    assert_int_equal(got->mapping->os_bus, 6);
    assert_int_equal(got->mapping->os_target, 7);
    assert_int_equal(got->mapping->luns.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(got->mapping->luns.items[i].os_lun, luns[i].os_lun);
        assert_true(got->mapping->luns.items[i].target_lun == luns[i].target_lun);
    }
    assert_non_null(got->options);
    assert_int_equal(got->options->specified, 0xff);
    assert_int_equal(got->options->maximum_connections, 5);
    assert_int_equal(got->options->username.length, 5);
    assert_memory_equal(got->options->username.data, "us\0er", 5);
    assert_int_equal(got->options->password.length, secrets ? 12 : 0);
}

static void a_target_comes_back_as_it_was(void **state)
{
    const struct static_target bare = {.target = "iqn.bare"};
    const struct static_target empty = {.target = "iqn.empty", .grouped = 1};
    struct os_arena arena = {0};
    (void)state;
    struct store *store = open_store();
    assert_targets(store, "");
    put(store, &bare);
    put(store, &full);
    put(store, &empty);
    store_close(store);
    store = open_store();
    assert_targets(store, "iqn.bare 0 iqn.2026-11.org.example:Full 3 iqn.empty 0 ");
    assert_full(get(store, &arena, "IQN.2026-11.org.example:full", true), true);
    assert_full(get(store, &arena, full.target, false), false);
    const struct static_target *got = get(store, &arena, "iqn.bare", true);
    assert_string_equal(got->alias, "");
    assert_null(got->options);
    assert_null(got->mapping);
    assert_false(got->grouped);
    assert_true(get(store, &arena, "iqn.empty", true)->grouped);
    assert_null(get(store, &arena, "iqn.none", true));
    os_arena_clear(&arena);
    store_close(store);
}

static void the_list_tells_no_password(void **state)
{
    struct os_arena arena = {0};
    struct static_target_list list;
    (void)state;
    struct store *store = open_store();
    put(store, &full);
    assert_status(store_static_targets(store, &arena, &list), STATUS_OK);
    assert_int_equal(list.count, 1);
    assert_full(&list.items[0], false);
    os_arena_clear(&arena);
    store_close(store);
}

static void a_name_is_there_once(void **state)
{
    struct static_target other = full;
    struct os_arena arena = {0};
    (void)state;
    struct store *store = open_store();
    put(store, &full);
    put(store, &(struct static_target){.target = "iqn.b"});
    other.target = "IQN.2026-11.ORG.EXAMPLE:FULL";
    other.alias = NULL;
    other.mapping = NULL;
    other.options = NULL;
    other.portals.count = 1;
    put(store, &other);
    assert_targets(store, "IQN.2026-11.ORG.EXAMPLE:FULL 1 iqn.b 0 ");
    const struct static_target *got = get(store, &arena, full.target, true);
    assert_null(got->options);
    assert_null(got->mapping);
    assert_string_equal(got->alias, "");
    os_arena_clear(&arena);
    store_close(store);
}

static unsigned merges;

static enum status take_stored_alias(const struct static_target *target,
                                     const struct static_target *stored, struct os_arena *arena,
                                     const struct static_target **out)
{
    struct static_target *merged = os_arena_copy(arena, target, sizeof *merged);
    assert_non_null(merged);
    assert_int_equal(stored->options->password.length, 12);
    merged->alias = stored->alias;
    merged->options = stored->options;
    *out = merged;
    merges++;
    return STATUS_OK;
}

static enum status refuse(const struct static_target *target, const struct static_target *stored,
                          struct os_arena *arena, const struct static_target **out)
{
    (void)target, (void)stored, (void)arena, (void)out;
    return STATUS_INVALID_PARAMETER;
}

static void merging_sees_what_is_stored(void **state)
{
    const struct static_target bare = {.target = full.target};
    struct os_arena arena = {0};
    (void)state;
    struct store *store = open_store();
    merges = 0;
    assert_status(store_put_static_target(store, &full, take_stored_alias), STATUS_OK);
    assert_int_equal(merges, 0);
    assert_status(store_put_static_target(store, &bare, take_stored_alias), STATUS_OK);
    assert_int_equal(merges, 1);
    const struct static_target *got = get(store, &arena, full.target, true);
    assert_string_equal(got->alias, full.alias);
    assert_int_equal(got->options->password.length, 12);
    assert_int_equal(got->portals.count, 0);
    assert_status(store_put_static_target(store, &full, refuse), STATUS_INVALID_PARAMETER);
    assert_int_equal(get(store, &arena, full.target, true)->portals.count, 0);
    os_arena_clear(&arena);
    store_close(store);
}

static void what_is_removed_is_gone_with_its_portals(void **state)
{
    bool found;
    (void)state;
    struct store *store = open_store();
    put(store, &full);
    put(store, &(struct static_target){.target = "iqn.b", .portals = {portals, 2}});
    assert_status(store_delete_static_target(store, "iqn.c", &found), STATUS_OK);
    assert_false(found);
    assert_status(store_delete_static_target(store, "IQN.2026-11.org.example:full", &found),
                  STATUS_OK);
    assert_true(found);
    assert_targets(store, "iqn.b 2 ");
    put(store, &(struct static_target){.target = full.target});
    assert_targets(store, "iqn.b 2 iqn.2026-11.org.example:Full 0 ");
    store_close(store);
}

static void another_process_sees_it_at_once(void **state)
{
    uint64_t seen = 0;
    (void)state;
    struct store *store = open_store();
    struct store *other = open_store();
    store_unchanged(other, &seen);
    put(store, &full);
    assert_false(store_unchanged(other, &seen));
    assert_targets(other, "iqn.2026-11.org.example:Full 3 ");
    store_close(other);
    store_close(store);
}

static void what_nobody_can_have_put_there_is_damage(void **state)
{
    static const char *const changes[] = {
        "UPDATE static_targets SET target = 'a b'",
        "UPDATE static_targets SET target = ''",
        "UPDATE static_targets SET alias = x'41'",
        "UPDATE static_targets SET alias = zeroblob(2000)",
        "UPDATE static_targets SET grouped = 2",
        "UPDATE static_targets SET target_flags = -1",
        "UPDATE static_targets SET password = 'text'",
        "UPDATE static_targets SET luns = zeroblob(1000000)",
        "UPDATE static_portals SET address = 'not an address'",
        "UPDATE static_portals SET socket = 0",
        "UPDATE static_portals SET socket = 65536",
    };
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct os_arena arena = {0};
        const struct static_target *target;
        make_directory(NULL);
        struct store *store = open_store();
        put(store, &full);
        run_sql(changes[i]);
        if (strstr(changes[i], "SET target =") == NULL) {
            enum status status = store_static_target(store, full.target, &arena, true, &target);
            if (status != STATUS_STORE_DAMAGED || target != NULL)
                fail_msg("%s: %s", changes[i], status_name(status));
        }
        struct static_target_list list;
        enum status status = store_static_targets(store, &arena, &list);
        /* Without its password nobody looks at it. */
        bool unseen = strstr(changes[i], "password") != NULL;
        if (status != (unseen ? STATUS_OK : STATUS_STORE_DAMAGED))
            fail_msg("%s: %s", changes[i], status_name(status));
        os_arena_clear(&arena);
        store_close(store);
    }
}

static void want_of_memory_changes_nothing_by_halves(void **state)
{
    unsigned failures = 0;
    (void)state;
    struct store *store = open_store();
    put(store, &(struct static_target){.target = full.target, .portals = {portals, 2}});
    for (long nth = 1;; nth++) {
        os_alloc_fail_at(nth);
        enum status status = store_put_static_target(store, &full, NULL);
        os_alloc_fail_at(0);
        if (status == STATUS_OK)
            break;
        assert_status(status, STATUS_NO_MEMORY);
        assert_targets(store, "iqn.2026-11.org.example:Full 2 ");
        failures++;
    }
    assert_true(failures > 0);
    for (long nth = 1;; nth++) {
        struct os_arena arena = {0};
        struct static_target_list list;
        os_alloc_fail_at(nth);
        enum status status = store_static_targets(store, &arena, &list);
        os_alloc_fail_at(0);
        if (status == STATUS_OK)
            assert_full(&list.items[0], false);
        os_arena_clear(&arena);
        if (status == STATUS_OK)
            break;
        assert_status(status, STATUS_NO_MEMORY);
    }
    store_close(store);
}

#define STORE_TEST(name) cmocka_unit_test_setup(name, make_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_target_comes_back_as_it_was),
        STORE_TEST(the_list_tells_no_password),
        STORE_TEST(a_name_is_there_once),
        STORE_TEST(merging_sees_what_is_stored),
        STORE_TEST(what_is_removed_is_gone_with_its_portals),
        STORE_TEST(another_process_sees_it_at_once),
        STORE_TEST(what_nobody_can_have_put_there_is_damage),
        STORE_TEST(want_of_memory_changes_nothing_by_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
