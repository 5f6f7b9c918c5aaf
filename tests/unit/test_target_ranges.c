/* What is missing of a transfer, and in which order data are sent: no connection needed. */
#include "target_client.h"

#include "target/task.h"

static void expect(const struct target_ranges *ranges, uint32_t begin, uint32_t end,
                   uint32_t first_begin, uint32_t first_end)
{
    struct target_range range;

    assert_true(target_ranges_first(ranges, begin, end, &range));
    assert_int_equal(range.begin, first_begin);
    assert_int_equal(range.end, first_end);
}

static void pieces_are_taken_out(void **state)
{
    struct target_ranges ranges;
    struct target_range range;

    (void)state;
    target_ranges_init(&ranges, 100, 1000);
    assert_true(target_ranges_has(&ranges, 100, 1000));
    assert_false(target_ranges_has(&ranges, 99, 101));
    assert_true(target_ranges_take(&ranges, 100, 200));  /* its begin */
    assert_true(target_ranges_take(&ranges, 900, 1000)); /* its end */
    assert_true(target_ranges_take(&ranges, 500, 600));  /* its middle */
    assert_false(target_ranges_has(&ranges, 450, 550));
    expect(&ranges, 0, 2000, 200, 500);
    expect(&ranges, 300, 400, 300, 400);
    expect(&ranges, 500, 2000, 600, 900);
    assert_true(target_ranges_take(&ranges, 200, 500)); /* all of a piece */
    assert_true(target_ranges_take(&ranges, 600, 900));
    assert_false(target_ranges_first(&ranges, 0, 2000, &range));
    assert_int_equal(ranges.count, 0);
    target_ranges_clear(&ranges);
}

/* Every second byte of 8,000 comes: 4,000 gaps; then more than there is room for. */
static void many_gaps(void **state)
{
    struct target_ranges ranges;
    uint32_t taken = 0;

    (void)state;
    target_ranges_init(&ranges, 0, 20000);
    for (uint32_t at = 1; at < 8000; at += 2)
        assert_true(target_ranges_take(&ranges, at, at + 1));
    assert_int_equal(ranges.count, 4001);
    for (uint32_t at = 0; at < 7998; at += 2)
        expect(&ranges, at, 20000, at, at + 1);
    for (uint32_t at = 8001; at < 20000; at += 2)
        taken += target_ranges_take(&ranges, at, at + 1);
    assert_in_range(taken, 1, 8192);
    assert_true(taken < 6000);
    target_ranges_clear(&ranges);
}

static void nothing_is_missing_of_nothing(void **state)
{
    struct target_ranges ranges;
    struct target_range range;

    (void)state;
    target_ranges_init(&ranges, 5, 5);
    assert_false(target_ranges_first(&ranges, 0, 100, &range));
    target_ranges_clear(&ranges);
}

static void every_order_visits_each_once(void **state)
{
    (void)state;
    for (uint32_t count = 1; count < 70; count++) {
        for (int order = TARGET_ORDER_INCREASING; order <= TARGET_ORDER_SHUFFLED; order++) {
            for (uint32_t seed = 0; seed < 5; seed++) {
                uint8_t seen[70] = {0};

                for (uint32_t i = 0; i < count; i++) {
                    uint32_t at = target_order_at((enum target_order)order, seed * 77, count, i);

                    assert_true(at < count);
                    assert_int_equal(seen[at]++, 0);
                }
            }
        }
    }
}

/* All bytes exactly once, sequences whole and within MaxBurstLength, F where each ends. */
static void check_plan(const struct target_plan *plan)
{
    uint8_t seen[5000] = {0};
    uint32_t in_sequence = 0;
    uint32_t sequence = UINT32_MAX;

    for (uint32_t i = 0; i < plan->count; i++) {
        struct target_piece piece = target_plan_piece(plan, i);

        assert_true(piece.offset >= plan->base);
        assert_in_range(piece.length, 1, plan->segment);
        assert_true(piece.offset - plan->base + piece.length <= plan->length);
        if (sequence == UINT32_MAX)
            sequence = (piece.offset - plan->base) / plan->burst;
        assert_int_equal((piece.offset - plan->base) / plan->burst, sequence);
        for (uint32_t at = 0; at < piece.length; at++)
            assert_int_equal(seen[piece.offset - plan->base + at]++, 0);
        in_sequence += piece.length;
        if (piece.final) {
            uint32_t left = plan->length - sequence * plan->burst;

            assert_int_equal(in_sequence, left < plan->burst ? left : plan->burst);
            in_sequence = 0;
            sequence = UINT32_MAX;
        }
    }
    assert_int_equal(in_sequence, 0);
    for (uint32_t at = 0; at < plan->length; at++)
        assert_int_equal(seen[at], 1);
}

static void plans_cover_all_data(void **state)
{
    static const uint32_t lengths[] = {1, 99, 100, 101, 512, 1000, 1024, 4096, 4999};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (unsigned way = 0; way < 9; way++) {
            struct target_plan plan = {.first_sn = 7,
                                       .base = 300,
                                       .length = lengths[i],
                                       .segment = 100,
                                       .burst = way % 2 == 0 ? 1000 : 750,
                                       .sequence_order = (uint8_t)(way / 3),
                                       .pdu_order = (uint8_t)(way % 3),
                                       .seed = 12345 + way};

            target_plan_make(&plan);
            check_plan(&plan);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_taken_out),
        cmocka_unit_test(many_gaps),
        cmocka_unit_test(nothing_is_missing_of_nothing),
        cmocka_unit_test(every_order_visits_each_once),
        cmocka_unit_test(plans_cover_all_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
