/* How a link waits: with patience when many tasks are under way, awake when one is. */
#include "discovery/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { MANY = 32, BYTES = MANY * 4096, QUICK = 100, SLOW = PATIENCE_LIMIT + 500 };

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
    assert_in_range(least, 4096, BYTES / 2);
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
        assert_int_not_equal(wait_for(&patience, &now, QUICK), 1);
}

static unsigned hasty_rounds(struct patience *patience, uint64_t *now)
{
    unsigned rounds = 0;

    while (wait_for(patience, now, QUICK) == 1)
        rounds++;
    return rounds;
}

static void what_comes_slowly_makes_it_hasty_for_longer_and_longer(void **state)
{
    struct patience patience;
    uint64_t now = 1;
    unsigned first, second;

    (void)state;
    patience_init(&patience);
    wait_for(&patience, &now, SLOW);
    first = hasty_rounds(&patience, &now);
    assert_in_range(first, 1, 100);
    wait_for(&patience, &now, SLOW);
    second = hasty_rounds(&patience, &now);
    assert_int_equal(second, first); /* a quick wait was between them */
    for (int i = 0; i < 3; i++) {
        wait_for(&patience, &now, SLOW);
        for (unsigned round = 0; round < second << i; round++)
            assert_int_equal(patience_begin(&patience, MANY, BYTES, now), 1);
    }
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
    assert_int_equal(patience_begin(&patience, MANY, BYTES, 1000 + SLOW), 1);
}

/* --- eagerness --- */

enum { ANSWERS = 20000 };

/* So many answers, which take `asleep` or `awake` microseconds. Returns how many were waited for
 * awake. */
static unsigned answer(struct eagerness *eagerness, uint64_t asleep, uint64_t awake)
{
    uint64_t now = 1;
    unsigned count = 0;

    for (int i = 0; i < ANSWERS; i++) {
        bool is_awake = eagerness_begin(eagerness, 1, now);
        count += is_awake;
        eagerness_end(eagerness, now += is_awake ? awake : asleep);
    }
    return count;
}

static void stays_awake_where_that_is_quicker(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    assert_in_range(answer(&eagerness, 60, 30), ANSWERS * 9 / 10, ANSWERS);
}

static void sleeps_where_that_is_not_slower(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    assert_in_range(answer(&eagerness, 20, 20), 1, ANSWERS / 100);
    assert_in_range(answer(&eagerness, 20, 45), 0, ANSWERS / 100);
}

static void a_distant_target_is_not_waited_for_awake(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    assert_int_equal(answer(&eagerness, 5000, 4000), 0);
}

static void notices_that_the_world_has_changed(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    answer(&eagerness, 60, 30);
    answer(&eagerness, 20, 40);
    assert_in_range(answer(&eagerness, 20, 40), 0, ANSWERS / 100);
    answer(&eagerness, 60, 30);
    assert_in_range(answer(&eagerness, 60, 30), ANSWERS * 9 / 10, ANSWERS);
}

static void only_one_task_alone_keeps_it_awake(void **state)
{
    struct eagerness eagerness;

    (void)state;
    eagerness_init(&eagerness);
    answer(&eagerness, 60, 30);
    while (!eagerness_begin(&eagerness, 1, 1))
        eagerness_end(&eagerness, 61);
    assert_false(eagerness_begin(&eagerness, 0, 1));
    assert_false(eagerness_begin(&eagerness, 2, 1));
    assert_true(eagerness_begin(&eagerness, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_a_part_of_what_comes),
        cmocka_unit_test(few_tasks_are_not_waited_for),
        cmocka_unit_test(nothing_sure_to_come_is_not_waited_for),
        cmocka_unit_test(what_comes_quickly_keeps_it_patient),
        cmocka_unit_test(what_comes_slowly_makes_it_hasty_for_longer_and_longer),
        cmocka_unit_test(a_wait_that_goes_on_began_when_it_began),
        cmocka_unit_test(stays_awake_where_that_is_quicker),
        cmocka_unit_test(sleeps_where_that_is_not_slower),
        cmocka_unit_test(a_distant_target_is_not_waited_for_awake),
        cmocka_unit_test(notices_that_the_world_has_changed),
        cmocka_unit_test(only_one_task_alone_keeps_it_awake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
