/* The order in which the portals of a target are tried. */
#include "os_test.h"

#include "engine/portal_order.h"

enum { MOST = 8 };

static struct portal_address portals[MOST + 1];

/* "a:1 b:2" and so on. */
static size_t read_portals(const char *text)
{
    char copy[400];
    size_t count = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        assert_status(server_parse(word, 3260, &portals[count++]), STATUS_OK);
    return count;
}

static void expect(size_t count, const char *wanted)
{
    char text[400] = "";
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(text);
        if (i > 0)
            text[length++] = ' ';
        assert_true(portal_format(&portals[i], text + length, sizeof text - length));
    }
    assert_string_equal(text, wanted);
}

static struct portal_preference prefer(const char *portal, const char *network)
{
    struct portal_preference preference;
    portal_preference_set(&preference, portal, network);
    return preference;
}

struct sort_case {
    const char *portal, *network, *from, *to;
};

static void the_preferred_ones_come_first(void **state)
{
    static const struct sort_case cases[] = {
        {"", "", "10.0.0.1:3260 10.0.0.2:3260", "10.0.0.1:3260 10.0.0.2:3260"},
        {"10.0.0.2", "", "10.0.0.1:3260 10.0.0.2:3260", "10.0.0.2:3260 10.0.0.1:3260"},
        {"10.0.0.2:3261", "", "10.0.0.1:1 10.0.0.2:3260 10.0.0.2:3261",
         "10.0.0.2:3261 10.0.0.1:1 10.0.0.2:3260"},
        {"10.0.0.2", "", "10.0.0.1:1 10.0.0.2:3260 10.0.0.2:3261",
         "10.0.0.2:3260 10.0.0.2:3261 10.0.0.1:1"},
        {"", "10.1.0.0/16", "10.0.0.1:1 10.1.0.2:1 10.0.0.3:1 10.1.9.4:1",
         "10.1.0.2:1 10.1.9.4:1 10.0.0.1:1 10.0.0.3:1"},
        {"10.0.0.3", "10.1.0.0&ffff0000", "10.0.0.1:1 10.1.0.2:1 10.0.0.3:1 10.1.9.4:1",
         "10.0.0.3:1 10.1.0.2:1 10.1.9.4:1 10.0.0.1:1"},
        {"10.1.9.4", "10.1.0.0/16", "10.0.0.1:1 10.1.0.2:1 10.1.9.4:1",
         "10.1.9.4:1 10.1.0.2:1 10.0.0.1:1"},
        {"storage.example:7", "", "10.0.0.1:7 Storage.Example:7", "Storage.Example:7 10.0.0.1:7"},
        {"[fd00::1]", "fd00:1::/32", "10.0.0.1:1 [fd00:1::9]:1 [fd00:0:0::1]:1",
         "[fd00:0:0::1]:1 [fd00:1::9]:1 10.0.0.1:1"},
        {"10.9.9.9", "172.16.0.0/12", "10.0.0.1:1 10.0.0.2:1", "10.0.0.1:1 10.0.0.2:1"},
        {"no such thing!", "300.1.1.1/99", "10.0.0.1:1 10.0.0.2:1", "10.0.0.1:1 10.0.0.2:1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct portal_preference preference = prefer(cases[i].portal, cases[i].network);
        size_t count = read_portals(cases[i].from);
        portals_sort(&preference, portals, count);
        expect(count, cases[i].to);
    }
}

struct after_case {
    const char *portal, *network, *last;
    bool last_first;
    const char *from, *to;
};

static void after_a_loss_the_next_one_has_its_turn(void **state)
{
    static const struct after_case cases[] = {
        {"", "", "a:1", false, "a:1 b:1 c:1", "b:1 c:1 a:1"},
        {"", "", "b:1", false, "a:1 b:1 c:1", "c:1 a:1 b:1"},
        {"", "", "c:1", false, "a:1 b:1 c:1", "a:1 b:1 c:1"},
        {"", "", "b:1", true, "a:1 b:1 c:1", "b:1 c:1 a:1"},
        {"a", "", "b:1", false, "a:1 b:1 c:1", "a:1 c:1 b:1"},
        {"a", "", "b:1", true, "a:1 b:1 c:1", "b:1 a:1 c:1"},
        {"a", "", "a:1", false, "a:1 b:1 c:1", "b:1 c:1 a:1"},
        {"c", "10.0.0.0/8", "c:1", false, "a:1 10.0.0.1:1 b:1 10.0.0.2:1 c:1",
         "10.0.0.1:1 10.0.0.2:1 a:1 b:1 c:1"},
        {"", "10.0.0.0/8", "10.0.0.1:1", false, "a:1 10.0.0.1:1 b:1 10.0.0.2:1",
         "10.0.0.2:1 b:1 a:1 10.0.0.1:1"},
        {"", "", "z:1", false, "a:1 b:1", "a:1 b:1 z:1"},
        {"", "", "z:1", true, "a:1 b:1", "z:1 a:1 b:1"},
        {"", "", "a:1", false, "a:1", "a:1"},
        {"", "", "a:1", true, "", "a:1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct after_case *the = &cases[i];
        struct portal_preference preference = prefer(the->portal, the->network);
        struct portal_address last;
        assert_status(server_parse(the->last, 3260, &last), STATUS_OK);
        size_t count = read_portals(the->from);
        expect(portals_after(&preference, portals, count, &last, the->last_first), the->to);
    }
}

/* Whichever fails next: within as many losses as there are portals each of them is tried first. */
static void nobody_is_left_out(void **state)
{
    struct portal_preference preference = prefer("", "");
    bool seen[3] = {false};
    (void)state;
    struct portal_address last;
    assert_status(server_parse("p0:1", 1, &last), STATUS_OK);
    for (unsigned loss = 0; loss < 3; loss++) {
        size_t count = read_portals("p0:1 p1:1 p2:1");
        portals_after(&preference, portals, count, &last, false);
        last = portals[0];
        seen[last.host[1] - '0'] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

static void addresses_are_compared_as_such(void **state)
{
    struct portal_address portal, wanted;
    (void)state;
    assert_status(server_parse("[fd00::0001]:3260", 1, &portal), STATUS_OK);
    assert_true(portal_wanted("fd00::1", &wanted));
    assert_int_equal(wanted.port, 0);
    assert_true(portal_is(&portal, &wanted));
    assert_true(portal_wanted("[fd00::1]:3261", &wanted));
    assert_false(portal_is(&portal, &wanted));
    assert_false(portal_wanted("", &wanted));
    assert_false(portal_wanted("1.2.3.4:0", &wanted));
    assert_false(portal_wanted("1.2.3.4:70000", &wanted));
    assert_string_equal(wanted.host, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_preferred_ones_come_first),
        cmocka_unit_test(after_a_loss_the_next_one_has_its_turn),
        cmocka_unit_test(nobody_is_left_out),
        cmocka_unit_test(addresses_are_compared_as_such),
    };
    return cmocka_run_group_tests_name("portal_order", tests, NULL, NULL);
}
