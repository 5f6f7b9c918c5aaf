/*
 * What lasts, and what a store that cannot be used gives. Each look at it is a process of its own,
 * as after a restart: this program again, with the name of what to do.
 */
#include "msapi_support.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef _WIN32
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 12345 }; /* some user that is not root: permissions stop root nowhere */
#endif

#define NODE "iqn.2026-11.org.example:lasting"

enum { GOOD = 0, WRONG = 1, UNKNOWN = 2 };

static const char *program;

/* ------------------------------------------------- what the other process does */

static int expect(ISDSC_STATUS expected, ISDSC_STATUS got)
{
    if (got == expected)
        return GOOD;
    fprintf(stderr, "    expected 0x%lx, got 0x%lx\n", (unsigned long)expected, (unsigned long)got);
    return WRONG;
}

static int store_things(void)
{
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, "lasting", "lasting secret");
    char node[] = NODE;
    UCHAR secret[] = "another secret";
    return expect(ISDSC_CONNECTION_FAILED, add_portal(&at, &options)) ||
           expect(ERROR_SUCCESS, SetIScsiInitiatorNodeNameA(node)) ||
           expect(ERROR_SUCCESS, SetIScsiInitiatorCHAPSharedSecret(14, secret));
}

static bool things_are_there(void)
{
    char node[MAX_ISCSI_NAME_LEN + 1];
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    ULONG count;
    PISCSI_TARGET_PORTAL_INFO_EXA portals = list_portals(&count);
    return GetIScsiInitiatorNodeNameA(node) == ERROR_SUCCESS && strcmp(node, NODE) == 0 &&
           count == 1 && strcmp(portals[0].Address, at.host) == 0 && portals[0].Socket == at.port &&
           portals[0].LoginOptions.UsernameLength == 7 &&
           memcmp(portals[0].LoginOptions.Username, "lasting", 7) == 0;
}

static int find_things(void)
{
    return things_are_there() ? GOOD : WRONG;
}

static int remove_things(void)
{
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    return expect(ERROR_SUCCESS, remove_portal(&at)) ||
           expect(ERROR_SUCCESS, SetIScsiInitiatorNodeNameA(NULL)) ||
           expect(ERROR_SUCCESS, SetIScsiInitiatorCHAPSharedSecret(0, NULL));
}

static int find_nothing(void)
{
    char node[MAX_ISCSI_NAME_LEN + 1];
    ULONG count = 9, size = 0;
    return expect(ERROR_SUCCESS, ReportIScsiSendTargetPortalsExA(&count, &size, NULL)) ||
           count != 0 || expect(ERROR_SUCCESS, GetIScsiInitiatorNodeNameA(node)) ||
           strcmp(node, NODE) == 0;
}

/* Every call that needs the store gives that code; those that do not go on. */
static int all_give(ISDSC_STATUS code)
{
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    char node[MAX_ISCSI_NAME_LEN + 1], given[] = NODE;
    ULONG count, size = 0;
    ISCSI_VERSION_INFO version;
    UCHAR secret[] = "another secret";
    return expect(code, GetIScsiInitiatorNodeNameA(node)) ||
           expect(code, SetIScsiInitiatorNodeNameA(given)) ||
           expect(code, SetIScsiInitiatorCHAPSharedSecret(14, secret)) ||
           expect(code, add_portal(&at, NULL)) || expect(code, remove_portal(&at)) ||
           expect(code, ReportIScsiSendTargetPortalsA(&size, NULL)) ||
           expect(code, ReportIScsiSendTargetPortalsExA(&count, &size, NULL)) ||
           expect(ERROR_SUCCESS, GetIScsiVersionInformation(&version)) ||
           expect(ERROR_SUCCESS, GetIScsiSessionListA(&size, &count, NULL));
}

static int find_damage(void)
{
    return all_give(ERROR_FILE_CORRUPT);
}

/* What is there can be read; nothing can be changed. */
static int change_nothing(void)
{
#ifndef _WIN32
    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        return UNKNOWN;
#endif
    struct endpoint at = endpoint_of("TEST_REFUSED_PORTAL");
    char given[] = "iqn.2026-11.org.example:other";
    UCHAR secret[] = "one more secret";
    return find_things() || expect(ERROR_WRITE_PROTECT, SetIScsiInitiatorNodeNameA(given)) ||
           expect(ERROR_WRITE_PROTECT, SetIScsiInitiatorCHAPSharedSecret(15, secret)) ||
           expect(ERROR_WRITE_PROTECT, remove_portal(&at)) ||
           expect(ERROR_WRITE_PROTECT, add_portal(&at, NULL)) || find_things();
}

/* Without a service there is nothing to ask at all. */
static int find_no_service(void)
{
    ISCSI_VERSION_INFO version;
    ULONG count, size = 0;
    return expect(ISDSC_SERVICE_NOT_RUNNING, GetIScsiVersionInformation(&version)) ||
           expect(ISDSC_SERVICE_NOT_RUNNING, GetIScsiSessionListA(&size, &count, NULL)) ||
           expect(ISDSC_SERVICE_NOT_RUNNING, SetIScsiInitiatorNodeNameA(NULL));
}

static const struct {
    const char *name;
    int (*run)(void);
} deeds[] = {
    {"store", store_things},         {"find", find_things},   {"remove", remove_things},
    {"nothing", find_nothing},       {"damage", find_damage}, {"unchanged", change_nothing},
    {"no-service", find_no_service},
};

static int do_deed(const char *name)
{
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (strcmp(deeds[i].name, name) == 0)
            return deeds[i].run();
    }
    return UNKNOWN;
}

/* ------------------------------------------------------------ files of the store */

static const char *store_path(const char *directory)
{
    static char path[1200];
    snprintf(path, sizeof path, "%s/store.db", directory);
    return path;
}

/* A state directory of its own for each test, empty and not there yet. */
static const char *fresh_state(const char *name)
{
    static char directory[1024];
    const char *scratch = getenv("TEST_DIR");
    snprintf(directory, sizeof directory, "%s/%s", scratch != NULL ? scratch : ".", name);
    set_environment("ISCSIDSC_STATE", directory);
    return directory;
}

static void does(const char *deed)
{
    int code = run_self(program, deed);
    if (code != GOOD)
        fail_msg("\"%s\" in another process ended with %d", deed, code);
}

static unsigned char *read_whole(const char *path, size_t *length)
{
    static unsigned char room[1 << 20];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *length = fread(room, 1, sizeof room, file);
    fclose(file);
    return room;
}

static void overwrite(const char *path, long from, const char *text, size_t times)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, from, SEEK_SET), 0);
    for (size_t i = 0; i < times; i++)
        assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

/* ------------------------------------------------------------------- tests */

static void what_is_stored_lasts(void **state)
{
    (void)state;
    fresh_state("lasts");
    does("nothing");
    does("store");
    does("find");
    does("find");
    does("remove");
    does("nothing");
}

/* Something else where the store should be: it says so and leaves the file as it is. */
static void damage_is_told(void **state)
{
    (void)state;
    const char *path = store_path(fresh_state("damage"));
    size_t length, after;
    static unsigned char before[1 << 20];
    does("store");
    overwrite(path, 0, "this is no database ", 5000);
    memcpy(before, read_whole(path, &length), sizeof before);
    does("damage");
    const unsigned char *now = read_whole(path, &after);
    assert_int_equal(after, length);
    assert_memory_equal(now, before, length);
}

#ifndef _WIN32
/* The owner alone may read it: there are secrets in it. */
static void the_store_is_private(void **state)
{
    (void)state;
    struct stat info;
    const char *directory = fresh_state("private");
    does("store");
    assert_int_equal(stat(directory, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(store_path(directory), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

/* NOBODY gets the store, and a way to it. */
static void give_away(const char *directory)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/..", directory);
    assert_int_equal(chmod(path, 0711), 0);
    snprintf(path, sizeof path, "%s/../..", directory);
    assert_int_equal(chmod(path, 0711), 0);
    assert_int_equal(chown(store_path(directory), NOBODY, NOBODY), 0);
    assert_int_equal(chown(directory, NOBODY, NOBODY), 0);
}

static void a_read_only_store_is_left_alone(void **state)
{
    (void)state;
    const char *directory = fresh_state("read-only");
    size_t length, after;
    static unsigned char before[1 << 20];
    does("store");
    if (geteuid() == 0)
        give_away(directory);
    assert_int_equal(chmod(store_path(directory), 0400), 0);
    memcpy(before, read_whole(store_path(directory), &length), sizeof before);
    does("unchanged");
    const unsigned char *now = read_whole(store_path(directory), &after);
    assert_int_equal(after, length);
    assert_memory_equal(now, before, length);
}
#endif

static void a_service_that_is_required(void **state)
{
    (void)state;
    const char *before = getenv("ISCSIDSC_SERVICE");
    char saved[32];
    snprintf(saved, sizeof saved, "%s", before != NULL ? before : "never");
    if (strcmp(saved, "never") != 0)
        skip();
    fresh_state("service");
    set_environment("ISCSIDSC_SERVICE", "require");
    int code = run_self(program, "no-service");
    set_environment("ISCSIDSC_SERVICE", saved);
    assert_int_equal(code, GOOD);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_lasts),
        cmocka_unit_test(damage_is_told),
#ifndef _WIN32
        cmocka_unit_test(the_store_is_private),
        cmocka_unit_test(a_read_only_store_is_left_alone),
#endif
        cmocka_unit_test(a_service_that_is_required),
    };
    program = argv[0];
    if (argc > 1)
        return do_deed(argv[1]);
    return cmocka_run_group_tests_name("msapi store", tests, NULL, NULL);
}
