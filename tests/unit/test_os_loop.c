#include "os_loop_test.h"

/* --- timers --- */

enum { TIMERS = 500 };

static struct {
    struct os_timer timers[TIMERS];
    size_t fired[TIMERS + 1];
    size_t count;
    size_t expected;
} timing;

static void note_timer(struct os_timer *timer)
{
    assert_true(timer->loop == NULL);
    assert_true(os_now() >= timer->due);
    timing.fired[timing.count++] = (size_t)(timer - timing.timers);
    if (timing.count == timing.expected)
        os_loop_stop(guard.loop);
}

static void timers_fire_in_order_of_time_then_of_setting(void **state)
{
    struct os_loop *loop = *state;
    uint64_t start = os_now();
    memset(&timing, 0, sizeof timing);
    uint32_t seed = 1;
    size_t cleared = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        seed = seed * 1103515245u + 12345u;
        timing.timers[i].fire = note_timer;
        assert_true(os_timer_set(loop, &timing.timers[i], start + 5 + (seed >> 16) % 40));
    }
    for (size_t i = 0; i < TIMERS; i += 7, cleared++) {
        os_timer_clear(&timing.timers[i]);
        os_timer_clear(&timing.timers[i]);
    }
    for (size_t i = 1; i < TIMERS; i += 7) { /* moved: counts as set anew */
        seed = seed * 1103515245u + 12345u;
        assert_true(os_timer_set(loop, &timing.timers[i], start + (seed >> 16) % 60));
    }
    timing.expected = TIMERS - cleared;
    run(loop);
    assert_int_equal(timing.count, timing.expected);
    for (size_t i = 1; i < timing.count; i++) {
        const struct os_timer *a = &timing.timers[timing.fired[i - 1]];
        const struct os_timer *b = &timing.timers[timing.fired[i]];
        bool a_moved = timing.fired[i - 1] % 7 == 1, b_moved = timing.fired[i] % 7 == 1;
        assert_true(a->due <= b->due);
        if (a->due == b->due && a_moved == b_moved)
            assert_true(a < b);
        if (a->due == b->due)
            assert_true(!a_moved || b_moved);
    }
}

static struct {
    struct os_timer again;
    struct os_timer other;
    int again_fired;
    int fired_before_job;
    struct os_job job;
} past;

static void fire_again(struct os_timer *timer)
{
    past.again_fired++;
    if (past.again_fired < 100)
        os_timer_set(guard.loop, timer, 0);
    else
        os_loop_stop(guard.loop);
}

static void fire_other(struct os_timer *timer)
{
    (void)timer;
    assert_int_equal(past.again_fired, 1); /* the re-set timer did not overtake within the round */
    os_loop_post(guard.loop, &past.job);
}

static void note_job(struct os_job *job)
{
    (void)job;
    past.fired_before_job = past.again_fired;
}

static void a_timer_set_for_the_past_fires_in_the_next_round(void **state)
{
    struct os_loop *loop = *state;
    memset(&past, 0, sizeof past);
    past.again.fire = fire_again;
    past.other.fire = fire_other;
    past.job.run = note_job;
    assert_true(os_timer_set(loop, &past.again, 0));
    assert_true(os_timer_set(loop, &past.other, 1));
    run(loop);
    assert_int_equal(past.again_fired, 100);
    assert_int_equal(past.fired_before_job, 1); /* jobs come before the timers of the next round */
}

static void clear_other(struct os_timer *timer)
{
    (void)timer;
    os_timer_clear(&timing.timers[1]);
    os_loop_stop(guard.loop);
}

static void a_timer_cleared_by_another_does_not_fire(void **state)
{
    struct os_loop *loop = *state;
    memset(&timing, 0, sizeof timing);
    timing.timers[0].fire = clear_other;
    timing.timers[1].fire = note_timer;
    assert_true(os_timer_set(loop, &timing.timers[0], 0));
    assert_true(os_timer_set(loop, &timing.timers[1], 0));
    run(loop);
    assert_int_equal(timing.count, 0);
}

static void timers_need_memory_only_when_set(void **state)
{
    struct os_loop *loop = *state;
    struct os_timer one = {.fire = note_timer};
    os_alloc_fail_at(1);
    bool set = os_timer_set(loop, &one, OS_NEVER);
    os_alloc_fail_at(0);
    assert_false(set);
    assert_null(one.loop);
    assert_true(os_timer_set(loop, &one, OS_NEVER));
    os_alloc_fail_at(1);
    set = os_timer_set(loop, &one, OS_NEVER - 1);
    os_alloc_fail_at(0);
    assert_true(set);
    os_timer_clear(&one);
}

/* --- jobs --- */

enum { POSTERS = 8, JOBS = 2000 };

struct posted {
    struct os_job job;
    size_t poster;
    size_t number;
};

static struct {
    struct posted jobs[POSTERS][JOBS];
    size_t next[POSTERS];
    size_t count;
    bool out_of_order;
} posting;

static void run_posted(struct os_job *job)
{
    struct posted *posted = (struct posted *)(void *)job;
    if (!os_loop_is_current(guard.loop) || posted->number != posting.next[posted->poster]++)
        posting.out_of_order = true;
    if (++posting.count == (size_t)POSTERS * JOBS)
        os_loop_stop(guard.loop);
}

static void post_all(void *argument)
{
    struct posted *jobs = argument;
    for (size_t i = 0; i < JOBS; i++) {
        os_loop_post(guard.loop, &jobs[i].job);
        if (i % 16 == 0)
            os_thread_yield();
    }
}

static void jobs_of_eight_threads_run_in_order(void **state)
{
    struct os_loop *loop = *state;
    struct os_thread *threads[POSTERS];
    memset(&posting, 0, sizeof posting);
    for (size_t i = 0; i < POSTERS; i++) {
        for (size_t k = 0; k < JOBS; k++)
            posting.jobs[i][k] = (struct posted){{.run = run_posted}, i, k};
        assert_non_null(threads[i] = os_thread_start(post_all, posting.jobs[i]));
    }
    assert_false(os_loop_is_current(loop));
    run(loop);
    for (size_t i = 0; i < POSTERS; i++)
        os_thread_join(threads[i]);
    assert_int_equal(posting.count, POSTERS * JOBS);
    assert_false(posting.out_of_order);
    assert_false(os_loop_is_current(loop));
}

struct chain {
    struct os_job job;
    int left;
};

static void post_itself(struct os_job *job)
{
    struct chain *chain = (struct chain *)(void *)job;
    if (--chain->left > 0)
        os_loop_post(guard.loop, job);
    else
        os_loop_stop(guard.loop);
}

static void a_job_may_post_itself(void **state)
{
    struct chain chain = {{.run = post_itself}, 1000};
    os_loop_post(*state, &chain.job);
    run(*state);
    assert_int_equal(chain.left, 0);
}

static void a_stop_before_the_start_counts(void **state)
{
    struct chain chain = {{.run = post_itself}, 1};
    os_loop_stop(*state);
    os_loop_post(*state, &chain.job);
    run(*state);
    assert_int_equal(chain.left, 1);
    run(*state); /* and counts once */
    assert_int_equal(chain.left, 0);
}

static void what_is_posted_at_the_end_still_runs(void **state)
{
    (void)state;
    struct os_loop *loop = os_loop_new();
    struct os_timer timer = {.fire = note_timer};
    struct chain chain = {{.run = post_itself}, 3};
    assert_true(os_timer_set(loop, &timer, OS_NEVER - 1));
    os_loop_post(loop, &chain.job);
    struct os_loop *kept = guard.loop;
    guard.loop = loop;
    os_loop_free(loop);
    guard.loop = kept;
    assert_int_equal(chain.left, 0);
    assert_null(timer.loop);
}

/* --- waiting awake --- */

enum { AWAKE = 20 * 1000 }; /* milliseconds: a loop that did not look meanwhile would be late */

static void post_end(void *argument)
{
    os_loop_post(guard.loop, argument);
}

struct expectation {
    struct os_job job;
    struct chain end;
    struct os_thread *thread;
};

static void expect_then_post(struct os_job *job)
{
    struct expectation *expectation = (struct expectation *)(void *)job;
    os_loop_expect(guard.loop, AWAKE * 1000);
    expectation->thread = os_thread_start(post_end, &expectation->end.job);
}

static void a_job_runs_though_an_event_is_expected(void **state)
{
    struct expectation expectation = {.job.run = expect_then_post,
                                      .end = {{.run = post_itself}, 1}};
    uint64_t start = os_now();
    os_loop_post(*state, &expectation.job);
    run(*state);
    assert_in_range(os_now() - start, 0, AWAKE / 2);
    assert_non_null(expectation.thread);
    os_thread_join(expectation.thread);
}

static void what_is_expected_in_vain_keeps_nothing_from_its_time(void **state)
{
    struct os_timer timer = {.fire = stop_loop_soon};
    uint64_t start = os_now();
    os_loop_expect(*state, 1000);
    assert_true(os_timer_set(*state, &timer, start + 50));
    run(*state);
    assert_true(os_now() >= start + 50);
}

/* A thread of its own runs the loop and frees it as soon as it is told to, while the teller is
 * still inside os_loop_post: what the sanitizers are to watch. */
static void stop_current(struct os_job *job)
{
    (void)job;
    os_loop_stop(guard.loop);
}

static void run_and_free(void *argument)
{
    os_loop_run(argument);
    os_loop_free(argument);
}

static void a_loop_may_be_freed_by_what_was_posted(void **state)
{
    struct os_loop *kept = *state;
    for (int i = 0; i < 300; i++) {
        struct chain chain = {{.run = stop_current}, 0};
        guard.loop = os_loop_new();
        assert_non_null(guard.loop);
        struct os_thread *thread = os_thread_start(run_and_free, guard.loop);
        assert_non_null(thread);
        if (i % 2 == 0)
            os_thread_yield();
        os_loop_post(guard.loop, &chain.job);
        os_thread_join(thread);
    }
    guard.loop = kept;
}

static void a_loop_needs_its_memory(void **state)
{
    (void)state;
    for (long nth = 1;; nth++) {
        os_alloc_fail_at(nth);
        struct os_loop *loop = os_loop_new();
        os_alloc_fail_at(0);
        if (loop != NULL) {
            assert_true(nth > 2);
            os_loop_free(loop);
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_in_order_of_time_then_of_setting),
        TEST(a_timer_set_for_the_past_fires_in_the_next_round),
        TEST(a_timer_cleared_by_another_does_not_fire),
        TEST(timers_need_memory_only_when_set),
        TEST(jobs_of_eight_threads_run_in_order),
        TEST(a_job_may_post_itself),
        TEST(a_stop_before_the_start_counts),
        TEST(what_is_posted_at_the_end_still_runs),
        TEST(a_job_runs_though_an_event_is_expected),
        TEST(what_is_expected_in_vain_keeps_nothing_from_its_time),
        TEST(a_loop_may_be_freed_by_what_was_posted),
        TEST(a_loop_needs_its_memory),
    };
    return cmocka_run_group_tests_name("os_loop", tests, NULL, NULL);
}
