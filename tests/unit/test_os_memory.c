#include "os_test.h"
#include "os/list.h"

static void blocks_are_zero_filled(void **state)
{
    (void)state;
    unsigned char *block = os_alloc(4096);
    assert_non_null(block);
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(block[i], 0);
    os_free(block);
    block = os_alloc(0);
    assert_non_null(block);
    os_free(block);
    os_free(NULL);
}

static void growing_keeps_the_contents(void **state)
{
    (void)state;
    char *block = os_copy_text("portal");
    block = os_grow(block, 100000);
    assert_string_equal(block, "portal");
    os_free(block);
    char *copy = os_copy("ab\0cd", 5);
    assert_memory_equal(copy, "ab\0cd", 5);
    os_free(copy);
}

static void the_nth_allocation_fails_and_only_that(void **state)
{
    (void)state;
    os_alloc_fail_at(3);
    void *first = os_alloc(1);
    char *second = os_copy_text("x");
    void *third = os_alloc(1);
    void *fourth = os_alloc(1);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(third);
    assert_non_null(fourth);
    os_alloc_fail_at(1);
    assert_null(os_grow(first, 10000)); /* still ours: freed below */
    os_alloc_fail_at(2);
    os_alloc_fail_at(0);
    for (int i = 0; i < 10; i++) {
        void *block = os_alloc(1);
        assert_non_null(block);
        os_free(block);
    }
    os_free(first);
    os_free(second);
    os_free(fourth);
}

static void arena_blocks_are_aligned_cleared_and_apart(void **state)
{
    (void)state;
    enum { BLOCKS = 600 };
    struct os_arena arena = {0};
    unsigned char *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = i * 7 % 300;
        blocks[i] = os_arena_alloc(&arena, size);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(blocks[i][k], 0);
        memset(blocks[i], (int)(i & 0xFF), size);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        for (size_t k = 0; k < i * 7 % 300; k++)
            assert_int_equal(blocks[i][k], i & 0xFF);
    }
    os_arena_clear(&arena);
    assert_null(arena.chunks);
}

static void arena_takes_large_and_refuses_absurd_blocks(void **state)
{
    (void)state;
    struct os_arena arena = {0};
    char *name = os_arena_text(&arena, "iqn.2001-04.com.example:disk");
    char *large = os_arena_alloc(&arena, 1 << 20);
    assert_non_null(large);
    large[(1 << 20) - 1] = 'z';
    struct os_arena_chunk *newest = arena.chunks;
    assert_non_null(os_arena_alloc(&arena, 16));
    assert_ptr_equal(arena.chunks, newest); /* the large block did not end the small one's chunk */
    assert_null(os_arena_alloc(&arena, SIZE_MAX));
    assert_null(os_arena_alloc(&arena, SIZE_MAX - 20));
    assert_string_equal(name, "iqn.2001-04.com.example:disk");
    assert_memory_equal(os_arena_copy(&arena, "1234", 4), "1234", 4);
    os_arena_clear(&arena);
}

static void arena_survives_failing_allocations(void **state)
{
    (void)state;
    struct os_arena arena = {0};
    os_alloc_fail_at(1);
    assert_null(os_arena_alloc(&arena, 10));
    assert_non_null(os_arena_alloc(&arena, 10));
    os_alloc_fail_at(1);
    assert_null(os_arena_alloc(&arena, 100000));
    assert_non_null(arena.chunks);
    os_alloc_fail_at(0);
    os_arena_clear(&arena);
}

static void a_list_node_may_go_while_walking(void **state)
{
    (void)state;
    struct list head, nodes[4];
    list_init(&head);
    for (size_t i = 0; i < 4; i++)
        list_append(&head, &nodes[i]);
    size_t seen = 0;
    LIST_EACH_SAFE(node, &head)
    {
        assert_ptr_equal(node, &nodes[seen++]);
        list_remove(node);
        list_remove(node);
    }
    assert_int_equal(seen, 4);
    assert_true(list_empty(&head));
    assert_null(list_first(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zero_filled),
        cmocka_unit_test(growing_keeps_the_contents),
        cmocka_unit_test(the_nth_allocation_fails_and_only_that),
        cmocka_unit_test(arena_blocks_are_aligned_cleared_and_apart),
        cmocka_unit_test(arena_takes_large_and_refuses_absurd_blocks),
        cmocka_unit_test(arena_survives_failing_allocations),
        cmocka_unit_test(a_list_node_may_go_while_walking),
    };
    return cmocka_run_group_tests_name("os_memory", tests, NULL, NULL);
}
