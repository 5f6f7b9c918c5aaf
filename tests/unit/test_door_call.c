/* Calls to the engine in this process: replies, refusals, many threads, want of memory, fork. */
#include "door/door.h"
#include "os/system.h"
#include "os/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef _WIN32
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

enum { THREADS = 16, ROUNDS = 200 };

static enum status get_version(struct reply_version *reply)
{
    struct request_version request = {0};
    return door_call(OPERATION_version, &request, reply, NULL);
}

static void a_reply_comes_back(void **state)
{
    (void)state;
    struct reply_version reply;
    uint32_t major, minor, build;
    os_version(&major, &minor, &build);
    memset(&reply, 0xff, sizeof reply);
    assert_int_equal(get_version(&reply), STATUS_OK);
    assert_int_equal(reply.major, major);
    assert_int_equal(reply.minor, minor);
    assert_int_equal(reply.build, build);
}

/* What a reply points to stays in the arena, and nothing else has to. */
static void pointers_live_in_the_arena(void **state)
{
    (void)state;
    struct os_arena arena = {0};
    struct request_list_initiators request = {0};
    struct reply_list_initiators first, second;
    assert_int_equal(door_call(OPERATION_list_initiators, &request, &first, &arena), STATUS_OK);
    assert_int_equal(door_call(OPERATION_list_initiators, &request, &second, &arena), STATUS_OK);
    assert_int_equal(first.names.count, 1);
    assert_string_equal(first.names.items[0], second.names.items[0]);
    assert_ptr_not_equal(first.names.items[0], second.names.items[0]);
    os_arena_clear(&arena);
}

static void failures_leave_the_reply_empty(void **state)
{
    (void)state;
    struct os_arena arena = {0};
    struct request_list_target_portals request = {.target = "iqn.2026-11.org.example:nowhere"};
    struct reply_list_target_portals reply, empty;
    memset(&reply, 0xff, sizeof reply);
    memset(&empty, 0, sizeof empty);
    assert_int_equal(door_call(OPERATION_list_target_portals, &request, &reply, &arena),
                     STATUS_TARGET_NOT_FOUND);
    assert_memory_equal(&reply, &empty, sizeof empty);
    os_arena_clear(&arena);
}

static void bad_calls_are_refused(void **state)
{
    (void)state;
    struct os_arena arena = {0};
    struct request_set_node_name bad_text = {.name = "iqn.\xff"};
    struct request_list_initiators request = {0};
    struct reply_list_initiators reply;
    assert_int_equal(door_call((enum operation)9999, &request, NULL, NULL), STATUS_NOT_IMPLEMENTED);
    assert_int_equal(door_call(OPERATION_set_node_name, &bad_text, NULL, NULL),
                     STATUS_MESSAGE_INVALID);
    /* Nowhere to keep what the reply would point to. */
    assert_int_equal(door_call(OPERATION_list_initiators, &request, &reply, NULL), STATUS_INTERNAL);
    os_arena_clear(&arena);
}

/* ------------------------------------------------------------------ threads */

static void call_often(void *argument)
{
    int *failures = argument;
    for (int i = 0; i < ROUNDS; i++) {
        struct reply_version reply;
        if (get_version(&reply) != STATUS_OK || reply.build == 0)
            ++*failures;
    }
}

static void many_threads_call(void **state)
{
    (void)state;
    struct os_thread *threads[THREADS];
    int failures[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        threads[i] = os_thread_start(call_often, &failures[i]);
        assert_non_null(threads[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        os_thread_join(threads[i]);
        assert_int_equal(failures[i], 0);
    }
}

/* -------------------------------------------------------------------- memory */

/* Whichever allocation fails, the caller hears of it and the next call works. */
static void no_memory_is_reported(void **state)
{
    (void)state;
    int failures = 0;
    for (long nth = 1; nth < 1000; nth++) {
        struct os_arena arena = {0};
        struct request_list_initiators request = {0};
        struct reply_list_initiators reply;
        os_alloc_fail_at(nth);
        enum status status = door_call(OPERATION_list_initiators, &request, &reply, &arena);
        os_alloc_fail_at(0);
        os_arena_clear(&arena);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NO_MEMORY);
        failures++;
    }
    assert_true(failures >= 3 && failures < 900);
}

/* ---------------------------------------------------------------------- fork */

#ifndef _WIN32

enum { CHILD_SECONDS = 20 };

/* Ends the child for good if a call hangs. */
static int in_child(int (*run)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(CHILD_SECONDS);
        _exit(run());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status))
        fail_msg("the child was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static int call_once(void)
{
    struct reply_version reply;
    return get_version(&reply) == STATUS_OK && reply.build != 0 ? 0 : 1;
}

static int call_from_grandchild(void)
{
    return call_once() != 0 || in_child(call_once) != 0;
}

/* The engine's thread stays with the parent: the child gets an engine of its own. */
static void a_child_has_its_own_engine(void **state)
{
    (void)state;
    assert_int_equal(call_once(), 0);
    assert_int_equal(in_child(call_once), 0);
    assert_int_equal(in_child(call_from_grandchild), 0);
    assert_int_equal(call_once(), 0);
}

/* A sanitizer's own allocator has locks that fork leaves taken. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FORK_IS_SAFE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FORK_IS_SAFE 0
#endif
#endif
#ifndef FORK_IS_SAFE
#define FORK_IS_SAFE 1
#endif

/* Forks at any moment of other threads' calls: no lock that they hold may matter to the child. */
static void forks_in_the_middle_of_calls(void **state)
{
    (void)state;
    if (!FORK_IS_SAFE)
        skip();
    struct os_thread *threads[4];
    int failures[4] = {0};
    for (int i = 0; i < 4; i++) {
        threads[i] = os_thread_start(call_often, &failures[i]);
        assert_non_null(threads[i]);
    }
    for (int i = 0; i < 20; i++)
        assert_int_equal(in_child(call_once), 0);
    for (int i = 0; i < 4; i++) {
        os_thread_join(threads[i]);
        assert_int_equal(failures[i], 0);
    }
}

/* The very first calls of a process, by many threads at once, make one engine that serves them all.
 */
static int race_to_start(void)
{
    struct os_thread *threads[THREADS];
    int failures[THREADS] = {0}, all = 0;
    for (int i = 0; i < THREADS; i++)
        threads[i] = os_thread_start(call_often, &failures[i]);
    for (int i = 0; i < THREADS; i++) {
        if (threads[i] == NULL)
            return 1;
        os_thread_join(threads[i]);
        all += failures[i];
    }
    return all == 0 ? 0 : 1;
}

static void the_start_is_raced_for(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(in_child(race_to_start), 0);
}

/* Too little memory to start an engine: told, and no obstacle to the next try. */
static int start_without_memory(void)
{
    int failures = 0;
    for (long nth = 1; nth < 1000; nth++) {
        struct reply_version reply;
        os_alloc_fail_at(nth);
        enum status status = get_version(&reply);
        os_alloc_fail_at(0);
        if (status == STATUS_OK)
            return failures >= 5 ? 0 : 1;
        if (status != STATUS_NO_MEMORY)
            return 2;
        failures++;
    }
    return 3;
}

static void the_start_lacks_memory(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_without_memory), 0);
}

static int call_with_service(const char *service)
{
    struct reply_version reply;
    setenv("ISCSIDSC_SERVICE", service, 1);
    return (int)get_version(&reply);
}

static int require_service(void)
{
    return call_with_service("require");
}

static void a_service_can_be_required(void **state)
{
    (void)state;
    assert_int_equal(in_child(require_service), STATUS_SERVICE_NOT_RUNNING);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_comes_back),
        cmocka_unit_test(pointers_live_in_the_arena),
        cmocka_unit_test(failures_leave_the_reply_empty),
        cmocka_unit_test(bad_calls_are_refused),
        cmocka_unit_test(many_threads_call),
        cmocka_unit_test(no_memory_is_reported),
#ifndef _WIN32
        cmocka_unit_test(a_child_has_its_own_engine),
        cmocka_unit_test(forks_in_the_middle_of_calls),
        cmocka_unit_test(the_start_is_raced_for),
        cmocka_unit_test(the_start_lacks_memory),
        cmocka_unit_test(a_service_can_be_required),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
