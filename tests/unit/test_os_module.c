/* Libraries loaded at run time, trials in a copy of the process, and memory that is not there. */
#include "os_test.h"

#include "os/module.h"
#include "os/system.h"
#include "os/thread.h"

#include <stdlib.h>
#include <string.h>

static bool is_good(void *argument)
{
    *(int *)argument += 1;
    return true;
}

static bool is_bad(void *argument)
{
    (void)argument;
    return false;
}

static bool crashes(void *argument)
{
    *(volatile int *)argument = 1;
    return true;
}

static bool hangs(void *argument)
{
    volatile int *never = argument;
    while (*never == 0)
        os_thread_yield();
    return true;
}

/* A copy has no effect on this process; without copies nothing runs. */
static void test_rehearsal(void **state)
{
    (void)state;
    int count = 0;
    assert_true(os_rehearse(is_good, &count, 10000));
    assert_int_equal(count, 0);
#ifndef _WIN32
    int never = 0;
    assert_false(os_rehearse(is_bad, NULL, 10000));
    assert_false(os_rehearse(crashes, NULL, 10000));
    uint64_t before = os_now();
    assert_false(os_rehearse(hangs, &never, 100));
    assert_in_range(os_now() - before, 100, 5000);
#else
    (void)hangs;
#endif
}

static void test_guard(void **state)
{
    (void)state;
    int count = 0;
    assert_true(os_guarded(is_good, &count));
    assert_int_equal(count, 1);
    assert_false(os_guarded(is_bad, NULL));
#ifdef _WIN32
    for (int i = 0; i < 3; i++)
        assert_false(os_guarded(crashes, NULL));
    assert_true(os_guarded(is_good, &count));
#else
    (void)crashes;
#endif
}

static void test_memory_that_is_not_there(void **state)
{
    (void)state;
    char from[] = "some text", out[sizeof from];
    assert_true(os_copy_memory(out, from, sizeof from));
    assert_string_equal(out, from);
    assert_false(os_copy_memory(out, (const void *)(uintptr_t)16, sizeof out));
    assert_true(os_copy_memory(out, NULL, 0));
}

static void test_modules(void **state)
{
    (void)state;
    assert_null(os_module_open("no-such-library-anywhere"));
#ifdef _WIN32
    static const char name[] = "ws2_32.dll", function[] = "closesocket";
#else
    static const char name[] = "libsqlite3.so.0", function[] = "sqlite3_open";
#endif
    struct os_module *module = os_module_open(name), *again = os_module_open(name);
    assert_non_null(module);
    assert_true(os_module_same(module, again));
    assert_non_null(os_module_function(module, function));
    assert_null(os_module_function(module, "no_such_function"));
    char path[4096];
    assert_true(os_code_path(os_module_function(module, function), path, sizeof path));
    assert_non_null(strstr(path, "s"));
    assert_true(path[0] == '/' || path[1] == ':');
    assert_false(os_code_path(os_module_function(module, function), path, 3));
    os_module_close(again);
    os_module_close(module);
    os_module_close(NULL);
}

static void test_system_file(void **state)
{
    (void)state;
    char path[4096];
    assert_true(os_system_file("ima.conf", path, sizeof path));
    assert_non_null(strstr(path, "etc"));
    assert_string_equal(path + strlen(path) - strlen("ima.conf"), "ima.conf");
    assert_false(os_system_file("ima.conf", path, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rehearsal),
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_memory_that_is_not_there),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_system_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
