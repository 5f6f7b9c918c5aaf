/* Which sessions there are to be to a target with several paths. */
#include "os_test.h"

#include "engine/multipath.h"

#define NAME "iqn.2026-11.org.example:a"

static struct catalogue catalogue;

static const struct known_target *find(void)
{
    const struct known_target *target = catalogue_find(&catalogue, NAME);
    assert_non_null(target);
    return target;
}

/* Two discovery portals, which both tell of the second portal. */
static int make(void **state)
{
    static struct discovery_record first[] = {
        {.target = NAME, .host = "10.0.0.1", .port = 3260, .group = 1},
        {.target = NAME, .host = "10.0.0.2", .port = 3260, .group = 1},
        {.target = NAME, .host = "10.1.0.1", .port = 3260, .group = 2}};
    static struct discovery_record second[] = {
        {.target = NAME, .host = "10.0.0.2", .port = 3260, .group = 1},
        {.target = NAME, .host = "10.1.0.2", .port = 3261, .group = 2}};
    const struct discovery_records records[] = {{first, 3}, {second, 2}};
    (void)state;
    catalogue_init(&catalogue);
    for (unsigned i = 0; i < 2; i++) {
        const struct mechanism_key key = {
            .initiator_port = 0xffffffff, .address = "discovery.example", .socket = (uint16_t)i};
        struct mechanism *mechanism = catalogue_make_mechanism(&catalogue, &key);
        assert_non_null(mechanism);
        assert_status(catalogue_replace(&catalogue, mechanism, &records[i]), STATUS_OK);
    }
    return 0;
}

static int clear(void **state)
{
    (void)state;
    catalogue_clear(&catalogue);
    return 0;
}

static void expect(const struct scoped_parameters *parameters, const char *wanted)
{
    struct os_arena arena = {0};
    struct portal_address *portals;
    size_t count;
    char text[400] = "";
    assert_status(multipath_portals(find(), parameters, &arena, &portals, &count), STATUS_OK);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s:%u,%u", i > 0 ? " " : "",
                 portals[i].host, portals[i].port, portals[i].group);
    os_arena_clear(&arena);
    assert_string_equal(text, wanted);
}

static void each_portal_once(void **state)
{
    struct scoped_parameters parameters = {.multipath = MULTIPATH_PORTAL};
    (void)state;
    expect(&parameters, "10.0.0.1:3260,1 10.0.0.2:3260,1 10.1.0.1:3260,2 10.1.0.2:3261,2");
    snprintf(parameters.preferred_portal, sizeof parameters.preferred_portal, "10.1.0.2");
    expect(&parameters, "10.1.0.2:3261,2 10.0.0.1:3260,1 10.0.0.2:3260,1 10.1.0.1:3260,2");
}

static void each_group_by_its_best_portal(void **state)
{
    struct scoped_parameters parameters = {.multipath = MULTIPATH_PORTAL_GROUP};
    (void)state;
    expect(&parameters, "10.0.0.1:3260,1 10.1.0.1:3260,2");
    snprintf(parameters.preferred_subnet, sizeof parameters.preferred_subnet, "10.1.0.2/32");
    expect(&parameters, "10.1.0.2:3261,2 10.0.0.1:3260,1");
}

static void none_without_multipath(void **state)
{
    const struct scoped_parameters parameters = {.multipath = MULTIPATH_NO};
    (void)state;
    expect(&parameters, "");
}

static void the_portals_of_a_group_take_turns(void **state)
{
    struct scoped_parameters parameters = {.multipath = MULTIPATH_PORTAL_GROUP};
    const struct portal_address path = {.host = "10.1.0.1", .port = 3260, .group = 2};
    struct portal_address at;
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        multipath_turn(find(), &parameters, &path, i, &at);
        assert_string_equal(at.host, i % 2 == 0 ? "10.1.0.1" : "10.1.0.2");
        assert_int_equal(at.group, 2);
    }
    parameters.multipath = MULTIPATH_PORTAL;
    multipath_turn(find(), &parameters, &path, 1, &at);
    assert_string_equal(at.host, "10.1.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_portal_once, make, clear),
        cmocka_unit_test_setup_teardown(each_group_by_its_best_portal, make, clear),
        cmocka_unit_test_setup_teardown(none_without_multipath, make, clear),
        cmocka_unit_test_setup_teardown(the_portals_of_a_group_take_turns, make, clear),
    };
    return cmocka_run_group_tests_name("multipath", tests, NULL, NULL);
}
