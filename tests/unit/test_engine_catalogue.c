/* The catalogue: who found which target where. */
#include "os_test.h"

#include "engine/catalogue.h"

#define RECORD(of, at, to, tag)                                                                    \
    {                                                                                              \
        .target = (of), .host = (at), .port = (to), .group = (tag)                                 \
    }

static struct catalogue catalogue;

static int make(void **state)
{
    (void)state;
    catalogue_init(&catalogue);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    catalogue_clear(&catalogue);
    return 0;
}

static struct mechanism *mechanism(const char *address)
{
    const struct mechanism_key key = {
        .initiator_port = 0xffffffff, .address = address, .socket = 3260};
    struct mechanism *made = catalogue_make_mechanism(&catalogue, &key);
    assert_non_null(made);
    return made;
}

static enum status replace(struct mechanism *by, struct discovery_record *items, size_t count)
{
    const struct discovery_records records = {items, count};
    return catalogue_replace(&catalogue, by, &records);
}

#define REPLACE(by, ...)                                                                           \
    do {                                                                                           \
        struct discovery_record items[] = {__VA_ARGS__};                                           \
        assert_status(replace(by, items, sizeof items / sizeof *items), STATUS_OK);                \
    } while (0)

/* The names in their order, with a blank between them. */
static void assert_names(const char *expected)
{
    char names[1000] = "";
    size_t count = 0;
    LIST_EACH(node, &catalogue.targets)
    {
        const struct known_target *target = LIST_OWNER(node, struct known_target, link);
        assert_ptr_equal(catalogue_find(&catalogue, target->name), target);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", count ? " " : "",
                 target->name);
        count++;
    }
    assert_string_equal(names, expected);
    assert_int_equal(catalogue.target_count, count);
}

static void assert_portals(const char *name, const uint16_t *tag, const char *expected)
{
    struct os_arena arena = {0};
    const struct target_portal **portals;
    char text[1000] = "";
    size_t count;
    struct known_target *target = catalogue_find(&catalogue, name);
    assert_non_null(target);
    assert_status(catalogue_portals(target, tag, &arena, &portals, &count), STATUS_OK);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s:%u,%u", i ? " " : "",
                 portals[i]->host, portals[i]->port, portals[i]->group);
    os_arena_clear(&arena);
    assert_string_equal(text, expected);
}

static void an_empty_catalogue_knows_nothing(void **state)
{
    (void)state;
    assert_null(catalogue_find(&catalogue, "iqn.a"));
    assert_names("");
}

static void names_are_found_without_case_in_the_order_first_seen(void **state)
{
    (void)state;
    struct mechanism *one = mechanism("10.0.0.1");
    REPLACE(one, RECORD("iqn.b", "10.0.0.1", 3260, 1), RECORD("iqn.a", "10.0.0.1", 3260, 1));
    assert_names("iqn.b iqn.a");
    assert_non_null(catalogue_find(&catalogue, "IQN.A"));
    assert_null(catalogue_find(&catalogue, "iqn.aa"));
    REPLACE(one, RECORD("iqn.a", "10.0.0.1", 3260, 1), RECORD("iqn.c", "10.0.0.1", 3260, 1),
            RECORD("iqn.b", "10.0.0.1", 3260, 1));
    assert_names("iqn.b iqn.a iqn.c");
}

static void what_nobody_names_any_more_drops_out(void **state)
{
    (void)state;
    struct mechanism *one = mechanism("10.0.0.1");
    struct mechanism *two = mechanism("10.0.0.2");
    REPLACE(one, RECORD("iqn.a", "10.0.0.1", 3260, 1), RECORD("iqn.b", "10.0.0.1", 3260, 1));
    REPLACE(two, RECORD("iqn.b", "10.0.0.2", 3260, 2), RECORD("iqn.c", "10.0.0.2", 3260, 2));
    assert_names("iqn.a iqn.b iqn.c");
    REPLACE(one, RECORD("iqn.d", "10.0.0.1", 3260, 1));
    assert_names("iqn.b iqn.c iqn.d");
    assert_portals("iqn.b", NULL, "10.0.0.2:3260,2");
    assert_status(replace(two, NULL, 0), STATUS_OK);
    assert_names("iqn.d");
    catalogue_drop_mechanism(&catalogue, one);
    assert_names("");
}

static void portals_are_replaced_and_listed_once(void **state)
{
    const uint16_t one_tag = 1, two_tag = 2, no_tag = 9;
    (void)state;
    struct mechanism *one = mechanism("10.0.0.1");
    struct mechanism *two = mechanism("10.0.0.2");
    REPLACE(one, RECORD("iqn.a", "old", 3260, 1));
    REPLACE(one, RECORD("iqn.a", "10.0.0.1", 3260, 1), RECORD("iqn.a", "10.0.0.9", 3260, 2),
            RECORD("iqn.a", "Host.example", 3260, 1));
    REPLACE(two, RECORD("iqn.a", "10.0.0.1", 3260, 1), RECORD("iqn.a", "10.0.0.1", 3261, 1),
            RECORD("iqn.a", "host.EXAMPLE", 3260, 1));
    /* The leading portal's group first. */
    assert_portals("iqn.a", NULL,
                   "10.0.0.1:3260,1 Host.example:3260,1 10.0.0.1:3261,1 10.0.0.9:3260,2");
    assert_portals("IQN.A", &one_tag, "10.0.0.1:3260,1 Host.example:3260,1 10.0.0.1:3261,1");
    assert_portals("iqn.a", &two_tag, "10.0.0.9:3260,2");
    assert_portals("iqn.a", &no_tag, "");
}

static void mechanisms_are_told_apart_by_what_they_ask(void **state)
{
    struct mechanism_key key = {
        .initiator_port = 0xffffffff, .address = "Host.example", .socket = 3260};
    (void)state;
    struct mechanism *first = mechanism("host.example");
    key.initiator = "";
    assert_ptr_equal(catalogue_mechanism(&catalogue, &key), first);
    key.initiator = "Root\\ISCSIPRT\\0000_0";
    assert_null(catalogue_mechanism(&catalogue, &key));
    key.initiator = NULL;
    key.initiator_port = 1;
    assert_null(catalogue_mechanism(&catalogue, &key));
    key.initiator_port = 0xffffffff;
    key.socket = 3261;
    assert_null(catalogue_mechanism(&catalogue, &key));
    key.socket = 3260;
    key.kind = MECHANISM_ISNS;
    assert_null(catalogue_mechanism(&catalogue, &key));
    struct mechanism *server = catalogue_make_mechanism(&catalogue, &key);
    assert_ptr_not_equal(server, first);
    assert_ptr_equal(catalogue_make_mechanism(&catalogue, &key), server);
    assert_string_equal(server->key.address, "Host.example");
    assert_string_equal(server->key.initiator, "");
}

static void an_instance_has_an_alias_and_names_of_portals(void **state)
{
    (void)state;
    struct mechanism *one = mechanism("10.0.0.1");
    struct mechanism *two = mechanism("10.0.0.2");
    REPLACE(one, RECORD("iqn.a", "10.0.0.1", 3260, 1),
            {.target = "iqn.a", .alias = "Shelf", .host = "::1", .symbolic_name = "left"},
            {.target = "iqn.a", .alias = "later"});
    REPLACE(two, {.target = "iqn.a"});
    const struct known_target *target = catalogue_find(&catalogue, "iqn.a");
    const struct instance *instance = catalogue_instance(target, one);
    assert_string_equal(instance->alias, "Shelf");
    assert_int_equal(instance->portal_count, 2);
    assert_null(instance->portals[0].symbolic_name);
    assert_string_equal(instance->portals[1].symbolic_name, "left");
    instance = catalogue_instance(target, two);
    assert_null(instance->alias);
    assert_int_equal(instance->portal_count, 0);
    REPLACE(one, RECORD("iqn.a", "10.0.0.1", 3260, 1));
    assert_null(catalogue_instance(target, one)->alias);
}

static int told;    /* arrivals minus departures */
static int revised; /* times */

static void on_change(struct catalogue *of, const char *target, enum catalogue_change change)
{
    assert_ptr_equal(of, &catalogue);
    assert_string_equal(target, "iqn.a");
    told += (change == CATALOGUE_ADDED) - (change == CATALOGUE_REMOVED);
    revised += change == CATALOGUE_REVISED;
}

static size_t shown(const char *name)
{
    const struct known_target *target = catalogue_find(&catalogue, name);
    return target != NULL ? target->shown : 0;
}

static void a_hidden_target_is_shown_by_who_finds_it_openly(void **state)
{
    (void)state;
    told = revised = 0;
    catalogue.changed = on_change;
    struct mechanism *user = mechanism("");
    struct mechanism *portal = mechanism("10.0.0.1");
    REPLACE(user, {.target = "iqn.a", .hidden = true});
    assert_int_equal(shown("iqn.a"), 0);
    assert_int_equal(told, 0);
    REPLACE(portal, RECORD("iqn.a", "10.0.0.1", 3260, 1));
    assert_int_equal(shown("iqn.a"), 1);
    assert_int_equal(told, 1);
    REPLACE(user, {.target = "iqn.a"});
    assert_int_equal(shown("iqn.a"), 2);
    assert_int_equal(told, 1);
    assert_int_equal(revised, 1);
    assert_status(replace(portal, NULL, 0), STATUS_OK);
    assert_int_equal(told, 1);
    assert_int_equal(revised, 2);
    REPLACE(user, {.target = "iqn.a", .alias = "Shelf"});
    REPLACE(user, {.target = "iqn.a", .alias = "Shelf"});
    assert_int_equal(revised, 3);
    assert_int_equal(told, 1);
    REPLACE(user, {.target = "iqn.a", .hidden = true});
    assert_int_equal(told, 0);
    assert_non_null(catalogue_find(&catalogue, "iqn.a"));
    catalogue_drop_mechanism(&catalogue, user);
    assert_int_equal(told, 0);
    assert_null(catalogue_find(&catalogue, "iqn.a"));
}

static void a_lying_target_cannot_name_portals_without_end(void **state)
{
    static struct discovery_record items[5000];
    struct os_arena arena = {0};
    const struct target_portal **portals;
    size_t count;
    (void)state;
    for (size_t i = 0; i < 5000; i++)
        items[i] = (struct discovery_record)RECORD("iqn.a", "10.0.0.1", (uint16_t)(i + 1), 1);
    assert_status(replace(mechanism("10.0.0.1"), items, 5000), STATUS_OK);
    struct known_target *target = catalogue_find(&catalogue, "iqn.a");
    assert_status(catalogue_portals(target, NULL, &arena, &portals, &count), STATUS_OK);
    assert_int_equal(count, TARGET_PORTALS_MOST);
    os_arena_clear(&arena);
}

/* Quadratic work on so many names would take minutes. */
static void a_hundred_thousand_targets_are_no_trouble(void **state)
{
    enum { TARGETS = 100000 };
    struct os_arena arena = {0};
    struct discovery_record *items = os_alloc(TARGETS * sizeof *items);
    (void)state;
    for (uint32_t i = 0; i < TARGETS; i++) {
        char name[64];
        snprintf(name, sizeof name, "iqn.2026-11.org.example:target-%u", i);
        items[i] =
            (struct discovery_record)RECORD(os_arena_text(&arena, name), "10.0.0.1", 3260, 1);
    }
    uint64_t start = os_now();
    struct mechanism *one = mechanism("10.0.0.1");
    for (unsigned round = 0; round < 3; round++)
        assert_status(replace(one, items, TARGETS), STATUS_OK);
    for (uint32_t i = 0; i < TARGETS; i++)
        assert_non_null(catalogue_find(&catalogue, items[i].target));
    assert_status(replace(one, items + TARGETS / 2, TARGETS / 2), STATUS_OK);
    assert_int_equal(catalogue.target_count, TARGETS / 2);
    assert_true(os_now() - start < BOUND);
    os_arena_clear(&arena);
    os_free(items);
}

static void want_of_memory_leaves_a_sound_catalogue(void **state)
{
    struct discovery_record items[] = {{.target = "iqn.a",
                                        .host = "10.0.0.1",
                                        .port = 3260,
                                        .alias = "Shelf",
                                        .symbolic_name = "left"},
                                       RECORD("iqn.b", "10.0.0.1", 3260, 1),
                                       RECORD("iqn.c", "10.0.0.1", 3260, 1)};
    unsigned failures = 0;
    (void)state;
    for (long nth = 1;; nth++) {
        const struct mechanism_key key = {.address = "10.0.0.1", .socket = 3260};
        os_alloc_fail_at(nth);
        struct mechanism *one = catalogue_make_mechanism(&catalogue, &key);
        enum status status = one != NULL ? replace(one, items, 3) : STATUS_NO_MEMORY;
        os_alloc_fail_at(0);
        LIST_EACH(node, &catalogue.targets)
        {
            const struct known_target *target = LIST_OWNER(node, struct known_target, link);
            assert_ptr_equal(catalogue_find(&catalogue, target->name), target);
            assert_false(list_empty(&target->instances));
        }
        if (status == STATUS_OK)
            break;
        assert_status(status, STATUS_NO_MEMORY);
        failures++;
        catalogue_clear(&catalogue);
    }
    assert_true(failures > 10);
    assert_names("iqn.a iqn.b iqn.c");
}

#define CATALOGUE_TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CATALOGUE_TEST(an_empty_catalogue_knows_nothing),
        CATALOGUE_TEST(names_are_found_without_case_in_the_order_first_seen),
        CATALOGUE_TEST(what_nobody_names_any_more_drops_out),
        CATALOGUE_TEST(portals_are_replaced_and_listed_once),
        CATALOGUE_TEST(mechanisms_are_told_apart_by_what_they_ask),
        CATALOGUE_TEST(an_instance_has_an_alias_and_names_of_portals),
        CATALOGUE_TEST(a_hidden_target_is_shown_by_who_finds_it_openly),
        CATALOGUE_TEST(a_lying_target_cannot_name_portals_without_end),
        CATALOGUE_TEST(a_hundred_thousand_targets_are_no_trouble),
        CATALOGUE_TEST(want_of_memory_leaves_a_sound_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
