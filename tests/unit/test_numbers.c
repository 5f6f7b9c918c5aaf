/* Sets of numbers of which the smallest free one is given. */
#include "engine/numbers.h"
#include "os/memory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void the_smallest_free_one_is_given(void **state)
{
    struct numbers numbers = {0};
    (void)state;
    for (uint32_t i = 0; i < 300; i++)
        assert_int_equal(numbers_take_free(&numbers, 0, 1000), i);
    numbers_release(&numbers, 7);
    numbers_release(&numbers, 70);
    assert_false(numbers_taken(&numbers, 7));
    assert_true(numbers_taken(&numbers, 8));
    assert_int_equal(numbers_take_free(&numbers, 8, 1000), 70);
    assert_int_equal(numbers_take_free(&numbers, 0, 1000), 7);
    assert_int_equal(numbers_take_free(&numbers, 0, 1000), 300);
    numbers_release(&numbers, 5000); /* never taken */
    numbers_clear(&numbers);
}

static void a_wanted_one_is_taken_once(void **state)
{
    struct numbers numbers = {0};
    (void)state;
    assert_int_equal(numbers_take(&numbers, 100000), STATUS_OK);
    assert_int_equal(numbers_take(&numbers, 100000), STATUS_BUSY);
    assert_int_equal(numbers_take(&numbers, 100001), STATUS_OK);
    assert_int_equal(numbers_take_free(&numbers, 100000, 100002), 100002);
    assert_int_equal(numbers_take_free(&numbers, 100000, 100002), NUMBERS_NONE);
    numbers_clear(&numbers);
    assert_int_equal(numbers_take(&numbers, 100000), STATUS_OK);
    numbers_clear(&numbers);
}

static void without_memory_nothing_is_taken(void **state)
{
    struct numbers numbers = {0};
    (void)state;
    os_alloc_fail_at(1);
    assert_int_equal(numbers_take(&numbers, 1), STATUS_NO_MEMORY);
    os_alloc_fail_at(1);
    assert_int_equal(numbers_take_free(&numbers, 0, 10), NUMBERS_NONE);
    os_alloc_fail_at(0);
    assert_int_equal(numbers_take_free(&numbers, 0, 10), 0);
    numbers_clear(&numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_free_one_is_given),
        cmocka_unit_test(a_wanted_one_is_taken_once),
        cmocka_unit_test(without_memory_nothing_is_taken),
    };
    return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
