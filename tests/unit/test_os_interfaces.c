/* The network interfaces: held against what else the system tells of them. */
#include "os_test.h"

#include "os/interfaces.h"
#include "os/memory.h"
#include "os/system.h"

enum { ADDRESSES_MOST = 256 };

static bool has_address(const struct os_interface *all, size_t count,
                        const struct os_address *address)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t a = 0; a < all[i].address_count; a++) {
            if (os_address_same_host(&all[i].addresses[a].address, address))
                return true;
        }
    }
    return false;
}

static void every_local_address_is_of_an_interface(void **state)
{
    static struct os_address local[ADDRESSES_MOST];
    struct os_interface *all;
    size_t count;
    (void)state;
    size_t locals = os_local_addresses(local, ADDRESSES_MOST);
    assert_true(os_interfaces(&all, &count));
    assert_in_range(locals, 1, ADDRESSES_MOST);
    for (size_t i = 0; i < locals; i++)
        assert_true(has_address(all, count, &local[i]));
    os_free(all);
}

static void interfaces_are_told_apart_and_make_sense(void **state)
{
    struct os_interface *all;
    size_t count;
    (void)state;
    assert_true(os_interfaces(&all, &count));
    for (size_t i = 0; i < count; i++) {
        assert_true(all[i].name[0] != '\0');
        assert_true(os_utf8_valid(all[i].name, &(size_t){0}));
        assert_true(os_utf8_valid(all[i].description, &(size_t){0}));
        assert_true(all[i].up || !all[i].linked);
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(all[i].name, all[other].name);
        for (size_t a = 0; a < all[i].address_count; a++) {
            bool six = os_address_is_ipv6(&all[i].addresses[a].address);
            assert_in_range(all[i].addresses[a].prefix, 0, six ? 128 : 32);
            assert_int_equal(os_address_port(&all[i].addresses[a].address), 0);
        }
    }
    os_free(all);
}

static void the_loopback_is_what_it_is(void **state)
{
    struct os_address loopback;
    struct os_interface *all;
    size_t count, found = 0;
    (void)state;
    assert_true(os_address_parse(&loopback, "127.0.0.1", 0));
    assert_true(os_interfaces(&all, &count));
    for (size_t i = 0; i < count; i++) {
        if (!has_address(&all[i], 1, &loopback))
            continue;
        found++;
        assert_true(all[i].up);
        assert_true(all[i].linked);
        assert_false(all[i].has_gateway);
        assert_memory_equal(all[i].mac, "\0\0\0\0\0", 6);
    }
    assert_int_equal(found, 1);
    os_free(all);
}

static void no_memory_is_no_list(void **state)
{
    struct os_interface *all;
    size_t count;
    (void)state;
    os_alloc_fail_at(1);
    assert_false(os_interfaces(&all, &count));
    os_alloc_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_local_address_is_of_an_interface),
        cmocka_unit_test(interfaces_are_told_apart_and_make_sense),
        cmocka_unit_test(the_loopback_is_what_it_is),
        cmocka_unit_test(no_memory_is_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
