#include "os_test.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { THREADS = 8, ROUNDS = 20000 };

static struct os_mutex *mutex;
static struct os_condition *condition;

static int setup(void **state)
{
    (void)state;
    mutex = os_mutex_new();
    condition = os_condition_new();
    return mutex == NULL || condition == NULL;
}

static int teardown(void **state)
{
    (void)state;
    os_condition_free(condition);
    os_mutex_free(mutex);
    return 0;
}

struct counts {
    long locked;
    long global;
};

static struct os_lock global_lock;

static void count_up(void *argument)
{
    struct counts *counts = argument;
    for (int i = 0; i < ROUNDS; i++) {
        os_mutex_lock(mutex);
        counts->locked++;
        os_mutex_unlock(mutex);
        os_lock_take(&global_lock);
        counts->global++;
        os_lock_release(&global_lock);
    }
}

static void locks_exclude(void **state)
{
    (void)state;
    struct os_thread *threads[THREADS];
    struct counts counts = {0, 0};
    for (size_t i = 0; i < THREADS; i++)
        assert_non_null(threads[i] = os_thread_start(count_up, &counts));
    for (size_t i = 0; i < THREADS; i++)
        os_thread_join(threads[i]);
    assert_int_equal(counts.locked, THREADS * ROUNDS);
    assert_int_equal(counts.global, THREADS * ROUNDS);
}

static void a_wait_ends_at_its_time_and_not_before(void **state)
{
    (void)state;
    os_mutex_lock(mutex);
    for (unsigned milliseconds = 0; milliseconds <= 60; milliseconds += 20) {
        uint64_t due = os_now() + milliseconds;
        while (os_condition_wait_until(condition, mutex, due))
            ; /* woken for nothing */
        uint64_t now = os_now();
        if (now < due || now > due + 5000)
            fail_msg("waited until %llu for %llu", (unsigned long long)now,
                     (unsigned long long)due);
    }
    assert_false(os_condition_wait_until(condition, mutex, 0));
    os_mutex_unlock(mutex);
}

struct ping {
    bool asked;
    bool answered;
};

static void answer(void *argument)
{
    struct ping *ping = argument;
    os_mutex_lock(mutex);
    while (!ping->asked)
        os_condition_wait(condition, mutex);
    ping->answered = true;
    os_condition_broadcast(condition);
    os_mutex_unlock(mutex);
}

static void a_signal_wakes(void **state)
{
    (void)state;
    struct ping ping = {false, false};
    struct os_thread *thread = os_thread_start(answer, &ping);
    assert_non_null(thread);
    os_mutex_lock(mutex);
    ping.asked = true;
    os_condition_signal(condition);
    while (!ping.answered)
        assert_true(os_condition_wait_until(condition, mutex, os_now() + BOUND));
    os_mutex_unlock(mutex);
    os_thread_join(thread);
}

static void waiting_for_ever_ends_with_a_signal(void **state)
{
    (void)state;
    struct ping ping = {true, false};
    struct os_thread *thread = os_thread_start(answer, &ping);
    os_mutex_lock(mutex);
    while (!ping.answered)
        assert_true(os_condition_wait_until(condition, mutex, OS_NEVER));
    os_mutex_unlock(mutex);
    os_thread_join(thread);
}

static struct os_once once, inner_once;
static atomic_int initialised, inner_initialised;

static void inner_init(void)
{
    atomic_fetch_add(&inner_initialised, 1);
}

static void slow_init(void)
{
    os_once(&inner_once, inner_init);
    uint64_t end = os_now() + 50; /* long enough that the other threads come in meanwhile */
    while (os_now() < end)
        os_thread_yield();
    atomic_fetch_add(&initialised, 1);
}

static void use_once(void *argument)
{
    os_once(&once, slow_init);
    atomic_fetch_add((atomic_int *)argument, atomic_load(&initialised));
}

static void once_is_once_and_everybody_waits_for_it(void **state)
{
    (void)state;
    struct os_thread *threads[THREADS];
    atomic_int seen = 0;
    for (size_t i = 0; i < THREADS; i++)
        assert_non_null(threads[i] = os_thread_start(use_once, &seen));
    for (size_t i = 0; i < THREADS; i++)
        os_thread_join(threads[i]);
    assert_int_equal(atomic_load(&initialised), 1);
    assert_int_equal(atomic_load(&inner_initialised), 1);
    assert_int_equal(atomic_load(&seen), THREADS);
}

struct identity {
    struct os_thread *_Atomic thread;
    atomic_int is_current; /* -1 until known */
    atomic_uintptr_t id;
};

static void tell_identity(void *argument)
{
    struct identity *identity = argument;
    struct os_thread *thread;
    while ((thread = atomic_load(&identity->thread)) == NULL)
        os_thread_yield();
    atomic_store(&identity->id, os_thread_id());
    atomic_store(&identity->is_current, os_thread_is_current(thread));
}

static void a_thread_knows_itself(void **state)
{
    (void)state;
    struct identity identity = {NULL, -1, 0};
    struct os_thread *thread = os_thread_start(tell_identity, &identity);
    assert_false(os_thread_is_current(thread));
    atomic_store(&identity.thread, thread);
    while (atomic_load(&identity.is_current) < 0)
        os_thread_yield();
    assert_int_equal(atomic_load(&identity.is_current), 1);
    assert_true(atomic_load(&identity.id) != 0);
    assert_true(atomic_load(&identity.id) != os_thread_id());
    assert_false(os_thread_is_current(thread));
    os_thread_join(thread);
}

static void set_flag(void *argument)
{
    os_mutex_lock(mutex);
    *(bool *)argument = true;
    os_condition_signal(condition);
    os_mutex_unlock(mutex);
}

static void detached_threads_run(void **state)
{
    (void)state;
    static bool flag;
    flag = false;
    assert_true(os_thread_start_detached(set_flag, &flag));
    os_mutex_lock(mutex);
    while (!flag)
        assert_true(os_condition_wait_until(condition, mutex, os_now() + BOUND));
    os_mutex_unlock(mutex);
}

static void must_not_run(void *argument)
{
    (void)argument;
    abort();
}

static void nothing_comes_of_failing_allocations(void **state)
{
    (void)state;
    os_alloc_fail_at(1);
    assert_null(os_mutex_new());
    os_alloc_fail_at(1);
    assert_null(os_condition_new());
    os_alloc_fail_at(1);
    assert_null(os_thread_start(must_not_run, NULL));
    os_alloc_fail_at(1);
    assert_false(os_thread_start_detached(must_not_run, NULL));
    os_alloc_fail_at(0);
}

static void the_clock_runs_forward_in_both_units(void **state)
{
    (void)state;
    uint64_t before = os_now(), before_us = os_now_us();
    while (os_now() < before + 20) {
        uint64_t now = os_now_us();
        assert_true(now >= before_us);
        before_us = now;
    }
    uint64_t difference = os_now_us() / 1000 - os_now();
    assert_true(difference <= 1 || difference == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(a_wait_ends_at_its_time_and_not_before),
        cmocka_unit_test(a_signal_wakes),
        cmocka_unit_test(waiting_for_ever_ends_with_a_signal),
        cmocka_unit_test(once_is_once_and_everybody_waits_for_it),
        cmocka_unit_test(a_thread_knows_itself),
        cmocka_unit_test(detached_threads_run),
        cmocka_unit_test(nothing_comes_of_failing_allocations),
        cmocka_unit_test(the_clock_runs_forward_in_both_units),
    };
    os_pin_library();
    return cmocka_run_group_tests_name("os_thread", tests, setup, teardown);
}
