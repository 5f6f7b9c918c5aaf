#include "os_loop_test.h"

struct lookup {
    struct os_resolve *handle;
    enum status status;
    size_t count;
    int calls;
    bool on_loop;
    struct os_address first;
};

static size_t lookups_left;

static void lookup_done(void *context, enum status status, const struct os_address *addresses,
                        size_t count)
{
    struct lookup *lookup = context;
    lookup->calls++;
    lookup->status = status;
    lookup->count = count;
    lookup->on_loop = os_loop_is_current(guard.loop);
    if (count > 0)
        lookup->first = addresses[0];
    os_resolve_cancel(lookup->handle); /* harmless in here */
    if (--lookups_left == 0)
        os_loop_stop(guard.loop);
}

static void look_up(struct lookup *lookup, const char *host)
{
    *lookup = (struct lookup){0};
    lookup->handle = os_resolve(guard.loop, host, 3260, lookup_done, lookup);
    assert_non_null(lookup->handle);
    assert_int_equal(lookup->calls, 0);
}

static void literals_answer_in_the_next_round(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1", "fe80::1%1"};
    struct lookup lookups[3];
    lookups_left = 3;
    for (size_t i = 0; i < 3; i++)
        look_up(&lookups[i], hosts[i]);
    run(*state);
    for (size_t i = 0; i < 3; i++) {
        struct os_address expected;
        assert_true(os_address_parse(&expected, hosts[i], 3260));
        assert_int_equal(lookups[i].calls, 1);
        assert_status(lookups[i].status, STATUS_OK);
        assert_int_equal(lookups[i].count, 1);
        assert_true(lookups[i].on_loop);
        assert_true(os_address_same_host(&lookups[i].first, &expected));
        assert_int_equal(os_address_port(&lookups[i].first), 3260);
    }
}

static void names_are_resolved_or_not(void **state)
{
    struct lookup lookups[33];
    lookups_left = 33;
    for (size_t i = 0; i < 33; i++) /* more than there are helpers */
        look_up(&lookups[i], i == 32 ? "" : i % 4 == 3 ? "no-such-host.invalid" : "localhost");
    run(*state);
    for (size_t i = 0; i < 33; i++) {
        bool good = i % 4 != 3 && i != 32;
        assert_int_equal(lookups[i].calls, 1);
        assert_status(lookups[i].status, good ? STATUS_OK : STATUS_NAME_UNRESOLVED);
        assert_int_equal(lookups[i].count > 0, good);
        assert_true(lookups[i].on_loop);
    }
}

static void cancelled_lookups_do_not_report(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "no-such-host.invalid"};
    struct lookup cancelled[24], last;
    for (size_t i = 0; i < 24; i++)
        look_up(&cancelled[i], hosts[i % 3]);
    for (size_t i = 0; i < 24; i++)
        os_resolve_cancel(cancelled[i].handle);
    os_resolve_cancel(NULL);
    lookups_left = 1;
    look_up(&last, "localhost");
    run(*state);
    run_for_a_while(*state);
    assert_int_equal(last.calls, 1);
    for (size_t i = 0; i < 24; i++)
        assert_int_equal(cancelled[i].calls, 0);
}

static void a_loop_may_go_while_names_are_looked_up(void **state)
{
    struct os_loop *kept = *state;
    struct lookup lookups[12];
    lookups_left = 1000;
    for (int round = 0; round < 20; round++) {
        guard.loop = os_loop_new();
        for (size_t i = 0; i < 12; i++)
            look_up(&lookups[i], i % 2 ? "localhost" : "no-such-host.invalid");
        os_loop_free(guard.loop);
    }
    guard.loop = kept;
    lookups_left = 1;
    look_up(&lookups[0], "localhost");
    run(kept);
    assert_status(lookups[0].status, STATUS_OK);
}

static void a_lookup_without_memory_says_so_at_once(void **state)
{
    struct lookup lookup = {0};
    for (long nth = 1; nth <= 2; nth++) {
        os_alloc_fail_at(nth);
        assert_null(os_resolve(*state, "localhost", 1, lookup_done, &lookup));
        os_alloc_fail_at(0);
    }
    run_for_a_while(*state);
    assert_int_equal(lookup.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(literals_answer_in_the_next_round),
        TEST(names_are_resolved_or_not),
        TEST(cancelled_lookups_do_not_report),
        TEST(a_loop_may_go_while_names_are_looked_up),
        TEST(a_lookup_without_memory_says_so_at_once),
    };
    return cmocka_run_group_tests_name("os_resolve", tests, NULL, NULL);
}
