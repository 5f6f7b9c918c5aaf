/* What the tests that run an event loop share: one loop a test, ended by a guard when nothing else
 * ends it. */
#ifndef OS_LOOP_TEST_H
#define OS_LOOP_TEST_H

#include "os_test.h"

struct guard {
    struct os_timer timer;
    struct os_loop *loop;
    bool expired;
};

static struct guard guard;

static inline void guard_fire(struct os_timer *timer)
{
    (void)timer;
    guard.expired = true;
    os_loop_stop(guard.loop);
}

static inline int loop_setup(void **state)
{
    guard = (struct guard){.loop = os_loop_new(), .timer = {.fire = guard_fire}};
    *state = guard.loop;
    return guard.loop == NULL;
}

static inline int loop_teardown(void **state)
{
    (void)state;
    os_loop_free(guard.loop);
    return 0;
}

static inline void run(struct os_loop *loop)
{
    assert_true(os_timer_set(loop, &guard.timer, os_now() + BOUND));
    os_loop_run(loop);
    os_timer_clear(&guard.timer);
    if (guard.expired)
        fail_msg("the loop was not stopped within %u ms", BOUND);
}

static inline void stop_loop_soon(struct os_timer *timer)
{
    (void)timer;
    os_loop_stop(guard.loop);
}

/* Runs until nothing more is ready: the timer comes after many rounds. */
static inline void run_for_a_while(struct os_loop *loop)
{
    struct os_timer timer = {.fire = stop_loop_soon};
    assert_true(os_timer_set(loop, &timer, os_now() + 50));
    run(loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, loop_setup, loop_teardown)

#endif
