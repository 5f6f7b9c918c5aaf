/* Where services and clients meet, the files there, and sockets that tell who is at the other end.
 */
#include "os_test.h"

#include "os/crypto.h"
#include "os/local_socket.h"
#include "os/process.h"
#include "os/runtime.h"

#include <stdlib.h>

static char directory[3000];
static struct os_place place;

static int setup(void **state)
{
    char base[2048];
    uint64_t number;
    (void)state;
    if (!os_environment("TEST_DIR", base, sizeof base) &&
        !os_environment("TMPDIR", base, sizeof base))
        strcpy(base, "/tmp");
    if (!os_random(&number, sizeof number))
        return 1;
    snprintf(directory, sizeof directory, "%s/runtime-%016llx", base, (unsigned long long)number);
    memset(&place, 0, sizeof place);
    snprintf(place.base, sizeof place.base, "%s/door", directory);
    return os_make_private_directory(directory) != STATUS_OK;
}

/* --- places: the environment is put back afterwards --- */

static const char *const variables[] = {"ISCSIDSC_SOCKET", "ISCSIDSC_STATE", "XDG_RUNTIME_DIR",
                                        "XDG_STATE_HOME"};
enum { VARIABLES = sizeof variables / sizeof *variables };
static char saved[VARIABLES][4096];

static int clear_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIABLES; i++) {
        if (!os_environment(variables[i], saved[i], sizeof saved[i]))
            saved[i][0] = '\0';
        os_set_environment(variables[i], NULL);
    }
    return 0;
}

static int restore_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIABLES; i++)
        os_set_environment(variables[i], saved[i][0] != '\0' ? saved[i] : NULL);
    return 0;
}

static struct os_place places[OS_PLACE_MAX];

/* The one place there is, with separators of either kind made slashes. */
static const char *only_place(void)
{
    assert_int_equal(os_service_places(places, OS_PLACE_MAX), 1);
    assert_true(places[0].own);
    struct os_place serving;
    assert_true(os_serving_place(&serving));
    assert_string_equal(serving.base, places[0].base);
    for (char *p = places[0].base; *p != '\0'; p++) {
        if (*p == '\\')
            *p = '/';
    }
    return places[0].base;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static void test_a_named_place_is_the_only_one(void **state)
{
    (void)state;
    assert_true(os_set_environment("XDG_RUNTIME_DIR", "/somewhere/else"));
    assert_true(os_set_environment("ISCSIDSC_STATE", "/tmp/a state"));
    if (!ends_with(only_place(), "/tmp/a state/door"))
        fail_msg("the place is %s", places[0].base);
    assert_true(os_set_environment("ISCSIDSC_SOCKET", "/tmp/other.sock"));
    if (!ends_with(only_place(), "/tmp/other"))
        fail_msg("the place is %s", places[0].base);
    assert_true(os_set_environment("ISCSIDSC_SOCKET", "/tmp/without-ending"));
    if (!ends_with(only_place(), "/tmp/without-ending"))
        fail_msg("the place is %s", places[0].base);
    /* Empty means not set. */
    assert_true(os_set_environment("ISCSIDSC_SOCKET", ""));
    if (!ends_with(only_place(), "/tmp/a state/door"))
        fail_msg("the place is %s", places[0].base);
}

static void test_relative_names_become_absolute(void **state)
{
    (void)state;
    assert_true(os_set_environment("ISCSIDSC_STATE", "here"));
    const char *base = only_place();
    if (!ends_with(base, "/here/door") || (base[0] != '/' && base[1] != ':'))
        fail_msg("the place is %s", base);
}

static void test_without_names_the_systems_place_is_among_them(void **state)
{
    (void)state;
    size_t count = os_service_places(places, OS_PLACE_MAX);
    size_t shared = 0;
    assert_true(count >= 1);
    for (size_t i = 0; i < count; i++) {
        shared += places[i].shared;
        if (places[i].shared)
            assert_true(ends_with(places[i].base, "iscsidsc/door") ||
                        ends_with(places[i].base, "iscsidsc\\door"));
    }
    assert_true(shared <= 1);
    assert_int_equal(os_service_places(places, 1), 1);
    assert_int_equal(os_service_places(places, 0), 0);
}

static void test_paths_have_an_end(void **state)
{
    (void)state;
    char path[OS_PATH_ROOM];
    struct os_place full;
    assert_true(os_place_path(&place, ".sock", path));
    assert_true(ends_with(path, "door.sock"));
    memset(&full, 0, sizeof full);
    memset(full.base, 'x', sizeof full.base - 1);
    assert_false(os_place_path(&full, ".sock", path));
}

static void test_a_name_that_is_too_long_is_no_place(void **state)
{
    (void)state;
    static char name[OS_PATH_ROOM + 10];
    memset(name, 'x', sizeof name - 1);
    name[0] = '/';
    assert_true(os_set_environment("ISCSIDSC_STATE", name));
    /* And not as if nothing had been told. */
    assert_int_equal(os_service_places(places, OS_PLACE_MAX), 0);
    struct os_place serving;
    assert_false(os_serving_place(&serving));
}

/* --- files --- */

static void expect_text(const char *path, const char *expected)
{
    char *text;
    size_t length;
    assert_status(os_read_own_file(path, &text, &length), STATUS_OK);
    assert_non_null(text);
    assert_string_equal(text, expected);
    os_free(text);
}

static void test_files_are_published_whole(void **state)
{
    (void)state;
    char path[OS_PATH_ROOM], *text;
    size_t length;
    assert_true(os_place_path(&place, ".text", path));
    assert_status(os_read_own_file(path, &text, &length), STATUS_OK);
    assert_null(text);
    assert_status(os_publish_file(path, "first\n", OS_NO_GROUP), STATUS_OK);
    expect_text(path, "first\n");
    assert_status(os_publish_file(path, "2\n", OS_NO_GROUP), STATUS_OK);
    expect_text(path, "2\n");
    os_remove_file(path);
    assert_status(os_read_own_file(path, &text, &length), STATUS_OK);
    assert_null(text);
    os_remove_file(path);
}

static void test_nothing_is_published_where_there_is_no_directory(void **state)
{
    (void)state;
    char path[OS_PATH_ROOM];
    snprintf(path, sizeof path, "%s/not-there/file", directory);
    assert_true(os_publish_file(path, "text", OS_NO_GROUP) != STATUS_OK);
}

static void test_runtime_directories_are_made_once(void **state)
{
    (void)state;
    struct os_place deep;
    memset(&deep, 0, sizeof deep);
    snprintf(deep.base, sizeof deep.base, "%s/one/two/door", directory);
    for (char *p = deep.base; *p != '\0'; p++) {
        if (*p == '/' && directory[1] == ':')
            *p = '\\';
    }
    assert_status(os_make_runtime_directory(&deep), STATUS_OK);
    assert_status(os_make_runtime_directory(&deep), STATUS_OK);
    char path[OS_PATH_ROOM];
    assert_true(os_place_path(&deep, ".text", path));
    assert_status(os_publish_file(path, "text", OS_NO_GROUP), STATUS_OK);
}

/* --- Unix sockets --- */

static os_socket listen_at(const char *path)
{
    os_socket listener;
    enum status status = os_local_listen(&listener, path, OS_NO_GROUP, false, 16);
    if (status == STATUS_NOT_SUPPORTED)
        skip();
    assert_status(status, STATUS_OK);
    return listener;
}

static void test_who_connects_is_known(void **state)
{
    (void)state;
    char path[OS_PATH_ROOM];
    struct os_peer peer;
    os_socket client;
    assert_true(os_place_path(&place, ".sock", path));
    os_socket listener = listen_at(path);
    assert_status(os_local_connect(&client, path, os_now() + BOUND), STATUS_OK);
    os_socket server = accept_within_bound(listener);
    assert_true(os_local_peer(server, &peer));
    assert_true(peer.own);
    assert_int_equal(peer.process, os_process_id());
    assert_true(peer.group_count > 0);
    assert_true(os_peer_in_group(&peer, peer.groups[0]));
    assert_false(os_peer_in_group(&peer, OS_NO_GROUP));
    assert_false(os_peer_in_group(&peer, 0x7ffffff1));
    assert_true(os_local_peer(client, &peer));
    assert_true(peer.own);
    pair_close((struct pair){client, server});
    os_close(listener);
}

static void test_what_is_there_is_not_replaced(void **state)
{
    (void)state;
    char path[OS_PATH_ROOM];
    os_socket second, client;
    assert_true(os_place_path(&place, ".sock", path));
    os_socket listener = listen_at(path);
    assert_status(os_local_listen(&second, path, OS_NO_GROUP, false, 16), STATUS_BUSY);
    assert_status(os_local_connect(&client, path, os_now() + BOUND), STATUS_OK);
    os_close(client);
    os_close(listener);
    /* The file stays, and nobody listens. */
    assert_status(os_local_connect(&client, path, os_now() + BOUND), STATUS_SERVICE_NOT_RUNNING);
    assert_status(os_local_listen(&second, path, OS_NO_GROUP, false, 16), STATUS_BUSY);
    os_remove_file(path);
    assert_status(os_local_connect(&client, path, os_now() + BOUND), STATUS_SERVICE_NOT_RUNNING);
    os_close(listen_at(path));
}

/* A queue that nobody takes from: the client waits no longer than it wants to. */
static void test_a_full_queue_is_given_up(void **state)
{
    (void)state;
    enum { CLIENTS = 64 };
    char path[OS_PATH_ROOM];
    os_socket clients[CLIENTS];
    int count = 0;
    enum status status = STATUS_OK;
    assert_true(os_place_path(&place, ".sock", path));
    os_socket listener = listen_at(path);
    while (count < CLIENTS && status == STATUS_OK)
        status = os_local_connect(&clients[count++], path, os_now() + 200);
    assert_status(status, STATUS_SERVICE_TIMEOUT);
    while (count > 0)
        os_close(clients[--count]);
    os_close(listener);
}

static void test_paths_of_any_length_will_do(void **state)
{
    (void)state;
    char path[OS_PATH_ROOM], deep[OS_PATH_ROOM];
    os_socket client;
    char name[61];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(deep, sizeof deep, "%s/%s/%s/%s", directory, name, name, name);
    assert_status(os_make_private_directory(deep), STATUS_OK);
    assert_true(snprintf(path, sizeof path, "%s/door.sock", deep) < (int)sizeof path);
    os_socket listener = listen_at(path);
    assert_status(os_local_connect(&client, path, os_now() + BOUND), STATUS_OK);
    assert_true(os_local_permit(path, OS_NO_GROUP, true));
    os_close(client);
    os_close(listener);
    assert_status(os_local_connect(&client, "", os_now() + BOUND), STATUS_SERVICE_NOT_RUNNING);
}

/* --- waiting --- */

static void test_waiting_for_a_socket(void **state)
{
    (void)state;
    struct os_address at;
    enum status status;
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    assert_true(os_socket_wait(pair.client, OS_WRITABLE, os_now() + BOUND));
    assert_false(os_socket_wait(pair.client, OS_READABLE, 0));
    uint64_t begin = os_now();
    assert_false(os_socket_wait(pair.client, OS_READABLE, begin + 50));
    assert_true(os_now() - begin >= 50);
    assert_int_equal(send_text(pair.server, "x", &status), 1);
    assert_true(os_socket_wait(pair.client, OS_READABLE, os_now() + BOUND));
    os_close(pair.server);
    assert_true(os_socket_wait(pair.client, OS_READABLE, os_now() + BOUND));
    os_close(pair.client);
    os_close(listener);
}

/* --- small things --- */

static void test_the_time_is_told(void **state)
{
    (void)state;
    char text[OS_TIME_ROOM];
    os_time_text(text);
    assert_int_equal(strlen(text), 20);
    assert_true(text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[19] == 'Z');
    assert_true(strncmp(text, "2024", 4) >= 0);
}

static void test_groups(void **state)
{
    (void)state;
    uint32_t group = 0;
    assert_false(os_group_find("no such group at all", &group));
    assert_false(os_group_find("", &group));
    assert_false(os_group_find("4294967295", &group));
    assert_false(os_group_find("12x", &group));
    assert_false(os_group_find("-1", &group));
}

int main(void)
{
#define ENVIRONMENT(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, clear_environment, restore_environment)
#define FILES(test) cmocka_unit_test_setup(test, setup)
    const struct CMUnitTest tests[] = {
        ENVIRONMENT(test_a_named_place_is_the_only_one),
        ENVIRONMENT(test_relative_names_become_absolute),
        ENVIRONMENT(test_without_names_the_systems_place_is_among_them),
        ENVIRONMENT(test_a_name_that_is_too_long_is_no_place),
        FILES(test_paths_have_an_end),
        FILES(test_files_are_published_whole),
        FILES(test_nothing_is_published_where_there_is_no_directory),
        FILES(test_runtime_directories_are_made_once),
        FILES(test_who_connects_is_known),
        FILES(test_what_is_there_is_not_replaced),
        FILES(test_a_full_queue_is_given_up),
        FILES(test_paths_of_any_length_will_do),
        cmocka_unit_test(test_waiting_for_a_socket),
        cmocka_unit_test(test_the_time_is_told),
        cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests_name("os, runtime", tests, NULL, NULL);
}
