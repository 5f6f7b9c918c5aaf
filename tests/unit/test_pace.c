/* How a link waits: with patience when many tasks are under way, awake when one is. */
#include "discovery/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { MANY = 32, ANSWER = 4096, BYTES = MANY * ANSWER, QUICK = 500, SLOW = PATIENCE_LIMIT };

/* --- patience --- */

/* One wait that takes so long; what it waited for. */
static unsigned wait_for(struct patience *patience, uint64_t *now, uint64_t time)
{
    unsigned least = patience_begin(patience, MANY, BYTES, *now);

    patience_end(patience, *now += time);
    return least;
}

static void waits_for_a_part_of_what_comes(void **state)
{
    struct patience patience;
    unsigned least;

    (void)state;
    patience_init(&patience);
    least = patience_begin(&patience, MANY, BYTES, 1);
    assert_in_range(least, ANSWER, BYTES / 2);
    assert_int_equal(least & (least - 1), 0);
}

static void few_tasks_are_not_waited_for(void **state)
{
    struct patience patience;

    (void)state;
    patience_init(&patience);
    assert_int_equal(patience_begin(&patience, 1, 1 << 20, 1), 1);
    assert_int_equal(patience_begin(&patience, 7, 1 << 20, 1), 1);
    assert_int_not_equal(patience_begin(&patience, 8, 1 << 20, 1), 1);
}

static void nothing_sure_to_come_is_not_waited_for(void **state)
{
    struct patience patience;

    (void)state;
    patience_init(&patience);
    assert_int_equal(patience_begin(&patience, MANY, 0, 1), 1);
}

static void what_comes_quickly_keeps_it_patient(void **state)
{
    struct patience patience;
    uint64_t now = 1;

    (void)state;
    patience_init(&patience);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(wait_for(&patience, &now, QUICK), BYTES / 2);
}

/* A target that needs `each` microseconds for an answer: how many are waited for in the end? */
static unsigned settle(struct patience *patience, uint64_t *now, unsigned each)
{
    unsigned least = 0;

    for (int i = 0; i < 20; i++) {
        least = patience_begin(patience, MANY, BYTES, *now);
        patience_end(patience, *now += (uint64_t)least * each / ANSWER);
    }
    return least / ANSWER;
}

static void the_part_is_what_comes_in_a_moment(void **state)
{
    struct patience patience;
    uint64_t now = 1;

    (void)state;
    patience_init(&patience);
    assert_int_equal(settle(&patience, &now, 10), 16);
    assert_int_equal(settle(&patience, &now, 100), 8);
    assert_int_equal(settle(&patience, &now, 200), 4);
    assert_int_equal(settle(&patience, &now, 10), 16);
}

static unsigned hasty_rounds(struct patience *patience, uint64_t *now)
{
    unsigned rounds = 0;

    while (wait_for(patience, now, SLOW) != 1)
        ;
    for (rounds = 1; wait_for(patience, now, SLOW) == 1; rounds++)
        ;
    return rounds;
}

static void what_comes_slowly_makes_it_hasty_for_longer_and_longer(void **state)
{
    struct patience patience;
    uint64_t now = 1;
    unsigned first;

    (void)state;
    patience_init(&patience);
    first = hasty_rounds(&patience, &now);
    assert_in_range(first, 1, 100);
    for (unsigned i = 1; i < 4; i++)
        assert_in_range(hasty_rounds(&patience, &now), (first - 1) << i, (first + 1) << i);
    for (int i = 0; i < 20; i++)
        assert_in_range(hasty_rounds(&patience, &now), first, 10000);
}

/* Whoever submits tasks all the time must not put the end of the wait off for ever. */
static void a_wait_that_goes_on_began_when_it_began(void **state)
{
    struct patience patience;

    (void)state;
    patience_init(&patience);
    patience_begin(&patience, MANY, BYTES, 1000);
    for (uint64_t now = 1001; now < 1000 + SLOW; now++)
        patience_begin(&patience, MANY, BYTES, now);
    assert_int_equal(patience.since, 1000);
    patience_end(&patience, 1000 + SLOW);
    assert_in_range(patience_begin(&patience, MANY, BYTES, 1000 + SLOW), 1, BYTES / 4);
}

/* --- eagerness --- */

enum { ANSWERS = 20000 };

/* What an answer takes. */
struct cost {
    unsigned time, used; /* of the processor */
};

static uint64_t now = 1, used = 1;

static void take_answer(struct eagerness *eagerness, struct cost cost)
{
    now += cost.time;
    used += cost.used;
    if (eagerness_end(eagerness, now))
        eagerness_judge(eagerness, used, 1);
}

/* Returns how many of many answers were waited for awake. */
static unsigned answer(struct eagerness *eagerness, struct cost asleep, struct cost awake)
{
    unsigned count = 0;

    for (int i = 0; i < ANSWERS; i++) {
        bool is_awake = eagerness_begin(eagerness, 1, now);
        count += is_awake;
        take_answer(eagerness, is_awake ? awake : asleep);
    }
    return count;
}

static const struct cost asleep = {60, 35}, quicker = {30, 28}, thirsty = {30, 40}, same = {60, 20};

static void stays_awake_where_that_is_quicker_and_takes_no_more(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    assert_in_range(answer(&eagerness, asleep, quicker), ANSWERS * 9 / 10, ANSWERS);
}

static void sleeps_where_that_is_not_slower(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    assert_in_range(answer(&eagerness, asleep, same), 1, ANSWERS / 100);
}

static void sleeps_where_waiting_awake_takes_more_of_the_processor(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    assert_in_range(answer(&eagerness, asleep, thirsty), 1, ANSWERS / 100);
}

static void a_distant_target_is_not_waited_for_awake(void **state)
{
    static const struct cost far = {5000, 35}, farther = {4000, 28};
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    assert_int_equal(answer(&eagerness, far, farther), 0);
}

static void notices_that_the_world_has_changed(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    answer(&eagerness, asleep, quicker);
    answer(&eagerness, asleep, same);
    assert_in_range(answer(&eagerness, asleep, same), 0, ANSWERS / 100);
    answer(&eagerness, asleep, quicker);
    assert_in_range(answer(&eagerness, asleep, quicker), ANSWERS * 9 / 10, ANSWERS);
}

static void sleeps_where_it_cannot_be_told(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    for (unsigned i = 0; i < 1000; i++) {
        assert_false(eagerness_begin(&eagerness, 1, now));
        now += 60;
        if (eagerness_end(&eagerness, now)) /* no time at all, or each phase on another thread */
            eagerness_judge(&eagerness, i < 500 ? 0 : now, i);
    }
}

static void only_one_task_alone_keeps_it_awake(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    answer(&eagerness, asleep, quicker);
    while (!eagerness_begin(&eagerness, 1, now))
        take_answer(&eagerness, asleep);
    assert_false(eagerness_begin(&eagerness, 0, now));
    assert_false(eagerness_begin(&eagerness, 2, now));
    assert_true(eagerness_begin(&eagerness, 1, now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_a_part_of_what_comes),
        cmocka_unit_test(few_tasks_are_not_waited_for),
        cmocka_unit_test(nothing_sure_to_come_is_not_waited_for),
        cmocka_unit_test(what_comes_quickly_keeps_it_patient),
        cmocka_unit_test(the_part_is_what_comes_in_a_moment),
        cmocka_unit_test(what_comes_slowly_makes_it_hasty_for_longer_and_longer),
        cmocka_unit_test(a_wait_that_goes_on_began_when_it_began),
        cmocka_unit_test(stays_awake_where_that_is_quicker_and_takes_no_more),
        cmocka_unit_test(sleeps_where_that_is_not_slower),
        cmocka_unit_test(sleeps_where_waiting_awake_takes_more_of_the_processor),
        cmocka_unit_test(a_distant_target_is_not_waited_for_awake),
        cmocka_unit_test(notices_that_the_world_has_changed),
        cmocka_unit_test(sleeps_where_it_cannot_be_told),
        cmocka_unit_test(only_one_task_alone_keeps_it_awake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
