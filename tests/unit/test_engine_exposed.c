/* Targets and units as other interfaces show them: what is listed, counted, exposed and kept. */
#include "engine_test.h"

#include "engine/adapter_settings.h"
#include "engine/events.h"
#include "engine/login_parameters.h"
#include "engine/options.h"
#include "engine/statistics.h"

#include <stdatomic.h>

static struct target_host host;
static struct target_connection *_Atomic latest;

static void on_connected(void *context, struct target_connection *connection)
{
    (void)context;
    latest = connection;
}

static const struct target_fault fault = {.connected = on_connected};

static int start(void **state)
{
    struct target_disk *disk;
    (void)state;
    new_directory();
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
    target_entity_settings(host.entity)->offers.default_time2wait = 0;
    struct target *target = target_host_add(&host, BASE ":a");
    assert_status(target_set_alias(target, "Shelf"), STATUS_OK);
    assert_status(target_disk_ram(1 << 20, 512, &disk), STATUS_OK);
    assert_status(target_add_disk(target, 1, disk), STATUS_OK);
    target_host_add(&host, BASE ":b");
    target_host_start(&host);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(add_portal(&host.portal), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&host);
    return 0;
}

static void restart(void)
{
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

/* --- targets --- */

static char text[4000];

static void copy_summaries(const void *reply)
{
    const struct reply_describe_targets *list = reply;
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < list->targets.count; i++) {
        const struct target_summary *target = &list->targets.items[i];
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s %s %u",
                                   i > 0 ? ";" : "", target->name,
                                   target->alias != NULL ? target->alias : "-", target->methods);
    }
}

static enum status describe(const char *target, bool known)
{
    const struct request_describe_targets request = {.target = target, .known = known};
    return ask(OPERATION_describe_targets, &request, copy_summaries);
}

static enum status add_static(const char *name, const char *name_for_people,
                              const struct portal *portals, uint32_t count)
{
    const struct static_target target = {.target = name,
                                         .alias = name_for_people,
                                         .persistent = 1,
                                         .grouped = 1,
                                         .portals = {portals, count}};
    const struct request_add_static_target request = {.entry = &target};
    return ask(OPERATION_add_static_target, &request, NULL);
}

static void targets_are_listed_with_who_found_them(void **state)
{
    (void)state;
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    const struct request_remove_portal request = {.initiator_port = ANY_PORT, .portal = &portal};
    assert_status(add_static(BASE ":b", "Mine", &portal, 1), STATUS_OK);
    assert_status(describe(NULL, false), STATUS_OK);
    assert_string_equal(text, BASE ":a - 8;" BASE ":b Mine 9");
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_status(describe(BASE ":A", true), STATUS_OK);
    assert_string_equal(text, BASE ":a Shelf 8");
    assert_status(describe(BASE ":c", true), STATUS_TARGET_NOT_FOUND);
    assert_status(describe("", true), STATUS_INVALID_PARAMETER);
    /* One that nobody finds any more is still there with its session. */
    assert_status(ask(OPERATION_remove_portal, &request, NULL), STATUS_OK);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, BASE ":b");
    assert_status(describe(NULL, false), STATUS_OK);
    assert_string_equal(text, BASE ":b Mine 1;" BASE ":a Shelf 0");
    assert_status(describe(BASE ":a", true), STATUS_OK);
    assert_string_equal(text, BASE ":a Shelf 0");
}

static void copy_addresses(const void *reply)
{
    const struct reply_list_target_addresses *list = reply;
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < list->addresses.count; i++) {
        const struct target_address *address = &list->addresses.items[i];
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s%s %u %u %u", i > 0 ? ";" : "",
                             address->address, address->socket == host.portal.port ? 1 : 0,
                             address->grouped, address->tag);
    }
}

static void addresses_come_with_their_groups(void **state)
{
    (void)state;
    const struct portal portals[] = {{NULL, "192.0.2.7", 3260},
                                     {NULL, host.portal.host, host.portal.port}};
    struct request_list_target_addresses request = {.target = BASE ":a"};
    assert_status(ask(OPERATION_list_target_addresses, &request, copy_addresses), STATUS_OK);
    assert_string_equal(text, "127.0.0.1 1 1 1");
    assert_status(add_static(BASE ":a", NULL, portals, 2), STATUS_OK);
    assert_status(ask(OPERATION_list_target_addresses, &request, copy_addresses), STATUS_OK);
    assert_string_equal(text, "127.0.0.1 1 1 1;192.0.2.7 0 0 0");
    request.target = BASE ":c";
    assert_status(ask(OPERATION_list_target_addresses, &request, copy_addresses),
                  STATUS_TARGET_NOT_FOUND);
}

static void copy_static(const void *reply)
{
    const struct reply_list_static_targets *list = reply;
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < list->targets.count; i++) {
        const struct static_target *target = &list->targets.items[i];
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", i > 0 ? ";" : "",
                                   target->target);
        for (uint32_t p = 0; p < target->portals.count; p++)
            length += (size_t)snprintf(text + length, sizeof text - length, " %s",
                                       target->portals.items[p].address);
    }
}

static const char *static_targets(void)
{
    const struct request_list_static_targets request = {0};
    assert_status(ask(OPERATION_list_static_targets, &request, copy_static), STATUS_OK);
    return text;
}

static enum status remove_static_portal(const char *target, const char *address)
{
    const struct portal portal = {NULL, address, 3260};
    const struct request_remove_static_portal request = {
        .target = target, .portal = address != NULL ? &portal : NULL};
    return ask(OPERATION_remove_static_portal, &request, NULL);
}

static void the_last_portal_takes_its_static_target_along(void **state)
{
    (void)state;
    const struct portal portals[] = {{NULL, "192.0.2.1", 3260}, {NULL, "192.0.2.2", 3260}};
    assert_status(add_static(BASE ":s", NULL, portals, 2), STATUS_OK);
    assert_status(add_static(BASE ":bare", NULL, NULL, 0), STATUS_OK);
    assert_string_equal(static_targets(), BASE ":s 192.0.2.1 192.0.2.2;" BASE ":bare");
    assert_status(remove_static_portal(BASE ":s", "192.0.2.3"), STATUS_PORTAL_NOT_FOUND);
    assert_status(remove_static_portal(BASE ":s", NULL), STATUS_PORTAL_NOT_FOUND);
    assert_status(remove_static_portal(BASE ":t", "192.0.2.1"), STATUS_TARGET_NOT_FOUND);
    assert_status(remove_static_portal(BASE ":s", "192.0.2.1"), STATUS_OK);
    assert_string_equal(static_targets(), BASE ":s 192.0.2.2;" BASE ":bare");
    assert_status(remove_static_portal(BASE ":s", "192.0.2.2"), STATUS_OK);
    assert_status(remove_static_portal(BASE ":bare", NULL), STATUS_OK);
    assert_string_equal(static_targets(), "");
}

static void a_portal_need_not_be_waited_for(void **state)
{
    (void)state;
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    const struct discovery_portal entry = {.initiator_port = ANY_PORT, .portal = &portal};
    const struct request_add_portal request = {.entry = &entry, .unwaited = 1};
    engine_stop(engine);
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(ask(OPERATION_add_portal, &request, NULL), STATUS_OK);
    for (uint64_t end = os_now() + BOUND; describe(BASE ":a", true) != STATUS_OK;)
        assert_true(os_now() < end);
}

/* --- statistics --- */

static struct reply_get_statistics statistics;

static void copy_statistics(const void *reply)
{
    statistics = *(const struct reply_get_statistics *)reply;
}

static enum status get_statistics(uint32_t kind, const char *name, uint64_t lun)
{
    static const char *const addresses[] = {"127.0.0.1"};
    struct request_get_statistics request = {.kind = kind, .name = name, .lun = lun};
    if (kind == COUNTED_INTERFACE)
        request.addresses = (struct text_list){addresses, 1};
    return ask(OPERATION_get_statistics, &request, copy_statistics);
}

static enum status count(uint32_t kind, const char *name, bool on)
{
    const struct request_set_counting request = {.kind = kind, .name = name, .enabled = on};
    return ask(OPERATION_set_counting, &request, NULL);
}

/* READ (10) of 8 blocks. */
static void read_blocks(void)
{
    static const uint8_t cdb[10] = {0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0};
    const struct request_scsi request = {
        .session = &last_session, .cdb = {cdb, sizeof cdb}, .length = 4096};
    assert_status(ask(OPERATION_scsi, &request, NULL), STATUS_OK);
}

static void sessions_are_counted(void **state)
{
    (void)state;
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
    assert_status(get_statistics(COUNTED_UNIT, BASE ":a", 0), STATUS_OK);
    struct reply_get_statistics unit = statistics;
    assert_status(get_statistics(COUNTED_INTERFACE, "lo", 0), STATUS_OK);
    struct reply_get_statistics interface = statistics;
    assert_status(get_statistics(COUNTED_TARGET, BASE ":a", 0), STATUS_OK);
    struct reply_get_statistics target = statistics;
    assert_true(target.bytes_sent > unit.bytes_sent && unit.bytes_sent > 0);
    read_blocks();
    assert_status(get_statistics(COUNTED_UNIT, BASE ":a", 0), STATUS_OK);
    assert_int_equal(statistics.commands, unit.commands + 1);
    assert_int_equal(statistics.data_in_bytes, unit.data_in_bytes + 4096);
    assert_int_equal(statistics.bytes_sent, unit.bytes_sent + 48);
    assert_int_equal(statistics.pdus_sent, unit.pdus_sent + 1);
    assert_int_equal(statistics.bytes_received, unit.bytes_received + 48 + 4096);
    assert_int_equal(statistics.pdus_received, unit.pdus_received + 1);
    assert_status(get_statistics(COUNTED_TARGET, BASE ":a", 0), STATUS_OK);
    assert_int_equal(statistics.commands, target.commands + 1);
    assert_int_equal(statistics.bytes_sent, target.bytes_sent + 48);
    assert_int_equal(statistics.bytes_received, target.bytes_received + 48 + 4096);
    assert_int_equal(statistics.data_in_bytes, target.data_in_bytes + 4096);
    target = statistics;
    assert_status(get_statistics(COUNTED_INTERFACE, "lo", 0), STATUS_OK);
    assert_int_equal(statistics.bytes_received, interface.bytes_received + 48 + 4096);
    interface = statistics;
    /* What was counted stays when the session goes, with the logout on top. */
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(get_statistics(COUNTED_TARGET, BASE ":a", 0), STATUS_OK);
    assert_int_equal(statistics.commands, target.commands);
    assert_int_equal(statistics.pdus_sent, target.pdus_sent + 1);
    assert_int_equal(statistics.bytes_sent, target.bytes_sent + 48);
    assert_status(get_statistics(COUNTED_INTERFACE, "lo", 0), STATUS_OK);
    assert_int_equal(statistics.bytes_sent, interface.bytes_sent + 48);
    assert_int_equal(statistics.session_failures, 0);
}

static void what_is_not_to_be_counted_is_not(void **state)
{
    (void)state;
    const struct request_get_counting request = {.kind = COUNTED_TARGET, .name = BASE ":a"};
    assert_status(count(0, BASE ":a", false), STATUS_INVALID_PARAMETER);
    assert_status(count(COUNTED_TARGET, "", false), STATUS_INVALID_PARAMETER);
    assert_status(count(COUNTED_TARGET, BASE ":a", false), STATUS_OK);
    assert_status(count(COUNTED_TARGET, BASE ":a", false), STATUS_OK);
    restart();
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
    assert_status(get_statistics(COUNTED_TARGET, BASE ":A", 0), STATUS_NOT_COUNTED);
    assert_status(get_statistics(COUNTED_TARGET, BASE ":b", 0), STATUS_OK);
    assert_status(get_statistics(COUNTED_UNIT, BASE ":a", 0), STATUS_OK);
    assert_status(count(COUNTED_TARGET, BASE ":a", true), STATUS_OK);
    assert_status(ask(OPERATION_get_counting, &request, NULL), STATUS_OK);
    assert_status(get_statistics(COUNTED_TARGET, BASE ":a", 0), STATUS_OK);
    assert_int_equal(statistics.commands, 0);
    read_blocks();
    assert_status(get_statistics(COUNTED_TARGET, BASE ":a", 0), STATUS_OK);
    assert_int_equal(statistics.commands, 1);
    assert_int_equal(statistics.bytes_received, 48 + 4096);
}

static void run_cut(struct os_job *job)
{
    (void)job;
    target_fault_end(latest, TARGET_END_RESET);
}

static void failures_are_counted(void **state)
{
    (void)state;
    const struct portal nowhere = {NULL, "127.0.0.1", 1};
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT,
                                          .default_time2wait = 0};
    const struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .portal = &nowhere};
    uint64_t before = os_time();
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_CONNECT_REFUSED);
    assert_status(get_statistics(COUNTED_TARGET, BASE ":a", 0), STATUS_OK);
    assert_int_equal(statistics.login_failures, 1);
    assert_in_range(statistics.last_failure, before, os_time());
    assert_status(login_with(BASE ":a", &options), STATUS_OK);
    settle();
    host.job.run = run_cut;
    os_loop_post(host.loop, &host.job);
    for (uint64_t end = os_now() + BOUND; statistics.session_failures == 0;) {
        assert_true(os_now() < end);
        assert_status(get_statistics(COUNTED_TARGET, BASE ":a", 0), STATUS_OK);
    }
    assert_int_equal(statistics.session_failures, 1);
    assert_int_equal(statistics.login_failures, 1);
    assert_int_equal(statistics.format_failures, 0);
    assert_int_equal(statistics.time_failures, 0);
}

/* --- units --- */

#define LUN(number) ((uint64_t)(number) << 48)

static void copy_units(const void *reply)
{
    const struct reply_list_units *list = reply;
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < list->units.count; i++) {
        const struct unit_summary *unit = &list->units.items[i];
        assert_in_range(unit->since, 1, os_time());
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s %u %s %u:%u:%u",
                                   i > 0 ? ";" : "", unit->target + strlen(BASE) + 1, unit->exposed,
                                   unit->device != NULL ? unit->device : "-", unit->os_bus,
                                   unit->os_target, unit->os_lun);
    }
}

static const char *units(const char *target)
{
    const struct request_list_units request = {.target = target};
    assert_status(ask(OPERATION_list_units, &request, copy_units), STATUS_OK);
    return text;
}

static void copy_devices(const void *reply)
{
    const struct reply_list_devices *list = reply;
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < list->devices.count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", i > 0 ? ";" : "",
                                   list->devices.items[i].legacy_name);
}

static const char *devices(void)
{
    const struct request_list_devices request = {.session = &last_session};
    assert_status(ask(OPERATION_list_devices, &request, copy_devices), STATUS_OK);
    return text;
}

static enum status expose(const char *target, uint64_t lun)
{
    const struct request_expose_unit request = {.target = target, .lun = lun};
    return ask(OPERATION_expose_unit, &request, NULL);
}

static enum status unexpose(const char *target, uint64_t lun)
{
    const struct request_unexpose_unit request = {.target = target, .lun = lun};
    return ask(OPERATION_unexpose_unit, &request, NULL);
}

static void a_hidden_unit_is_no_device_in_any_session(void **state)
{
    (void)state;
    assert_string_equal(units(NULL), "");
    assert_status(unexpose(BASE ":a", LUN(1)), STATUS_UNIT_NOT_EXPOSED);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_string_equal(units(BASE ":a"),
                        "a 1 \\\\.\\PhysicalDrive1 0:0:0;a 1 \\\\.\\PhysicalDrive2 0:0:1");
    assert_string_equal(devices(), "\\\\.\\PhysicalDrive1;\\\\.\\PhysicalDrive2");
    assert_status(unexpose(BASE ":a", LUN(2)), STATUS_UNIT_NOT_EXPOSED);
    assert_status(unexpose(BASE ":a", LUN(1)), STATUS_OK);
    assert_status(unexpose(BASE ":a", LUN(1)), STATUS_UNIT_NOT_EXPOSED);
    assert_string_equal(devices(), "\\\\.\\PhysicalDrive1");
    restart();
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_string_equal(units(NULL),
                        "a 1 \\\\.\\PhysicalDrive1 0:0:0;a 0 \\\\.\\PhysicalDrive2 0:0:1");
    assert_string_equal(devices(), "\\\\.\\PhysicalDrive1");
    assert_string_equal(units(BASE ":b"), "");
    assert_status(expose(BASE ":a", LUN(0)), STATUS_UNIT_EXPOSED);
    assert_status(expose(BASE ":a", LUN(5)), STATUS_UNIT_NOT_FOUND);
    assert_status(expose(BASE ":a", LUN(1)), STATUS_OK);
    assert_string_equal(devices(), "\\\\.\\PhysicalDrive1;\\\\.\\PhysicalDrive2");
}

static uint32_t persistent;

static void copy_persistent(const void *reply)
{
    persistent = ((const struct reply_list_persistent *)reply)->logins.count;
}

static void exposing_makes_the_session_that_it_needs(void **state)
{
    (void)state;
    const struct request_list_persistent request = {0};
    assert_status(expose(BASE ":c", LUN(0)), STATUS_TARGET_NOT_FOUND);
    assert_status(expose(BASE ":a", LUN(1)), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    assert_string_equal(last_listed.target_name, BASE ":a");
    assert_status(ask(OPERATION_list_persistent, &request, copy_persistent), STATUS_OK);
    assert_int_equal(persistent, 1);
    assert_status(expose(BASE ":a", LUN(1)), STATUS_UNIT_EXPOSED);
}

static void a_login_is_kept_once_and_not_for_nothing(void **state)
{
    (void)state;
    const struct request_list_persistent request = {0};
    assert_status(expose(BASE ":a", LUN(9)), STATUS_UNIT_NOT_FOUND);
    assert_status(ask(OPERATION_list_persistent, &request, copy_persistent), STATUS_OK);
    assert_int_equal(persistent, 0);
    for (int i = 0; i < 3; i++) {
        if (count_sessions() > 0)
            assert_status(logout(&listed_id), STATUS_OK);
        assert_status(expose(BASE ":a", LUN(1)), STATUS_OK);
        assert_status(ask(OPERATION_list_persistent, &request, copy_persistent), STATUS_OK);
        assert_int_equal(persistent, 1);
    }
}

static char kinds[400];
static uint64_t last;

static void copy_events(const void *reply)
{
    const struct reply_wait_events *got = reply;
    size_t length = strlen(kinds);
    last = got->last;
    for (uint32_t i = 0; i < got->events.count; i++)
        length +=
            (size_t)snprintf(kinds + length, sizeof kinds - length, "%u:%u ",
                             got->events.items[i].kind, (unsigned)(got->events.items[i].lun >> 48));
}

static void expect_events(const char *expected)
{
    for (uint64_t end = os_now() + BOUND; strcmp(kinds, expected) != 0;) {
        const struct request_wait_events request = {.after = last, .timeout = 1000};
        if (os_now() >= end)
            fail_msg("expected %s, not %s", expected, kinds);
        assert_status(ask(OPERATION_wait_events, &request, copy_events), STATUS_OK);
    }
    kinds[0] = '\0';
}

static void changes_are_told(void **state)
{
    (void)state;
    const struct request_wait_events begin = {.after = EVENTS_FROM_NOW};
    const struct request_set_login_parameter of_target = {
        .target = BASE ":a", .number = LOGIN_PARAMETER_MAX_CONNECTIONS, .value = 1};
    const struct request_set_login_parameter of_adapter = {
        .number = LOGIN_PARAMETER_MAX_CONNECTIONS, .value = 1};
    const struct request_set_node_alias alias = {.alias = "x"};
    kinds[0] = '\0';
    assert_status(ask(OPERATION_wait_events, &begin, copy_events), STATUS_OK);
    unsigned revision = events_revision();
    assert_status(ask(OPERATION_set_login_parameter, &of_target, NULL), STATUS_OK);
    assert_true(events_revision() != revision);
    assert_status(ask(OPERATION_set_login_parameter, &of_adapter, NULL), STATUS_OK);
    assert_status(ask(OPERATION_set_node_alias, &alias, NULL), STATUS_OK);
    expect_events("9:0 11:0 10:0 ");
    assert_status(login(BASE ":a"), STATUS_OK);
    expect_events("1:0 12:0 12:1 ");
    assert_status(unexpose(BASE ":a", LUN(1)), STATUS_OK);
    expect_events("14:1 ");
    assert_status(logout(&last_session), STATUS_OK);
    expect_events("2:0 13:0 13:1 ");
}

/* --- stale data --- */

static uint32_t stale;

static void copy_stale(const void *reply)
{
    stale = ((const struct reply_get_stale_data *)reply)->size;
}

static uint32_t stale_size(void)
{
    const struct request_get_stale_data request = {0};
    assert_status(ask(OPERATION_get_stale_data, &request, copy_stale), STATUS_OK);
    return stale;
}

static bool parameter_set;

static void copy_set(const void *reply)
{
    const struct reply_list_login_parameters *list = reply;
    parameter_set = false;
    for (uint32_t i = 0; i < list->parameters.count; i++)
        parameter_set = parameter_set || list->parameters.items[i].set;
}

static bool has_parameters(const char *target)
{
    const struct request_list_login_parameters request = {.target = target};
    assert_status(ask(OPERATION_list_login_parameters, &request, copy_set), STATUS_OK);
    return parameter_set;
}

static void what_is_kept_of_absent_targets_can_go(void **state)
{
    (void)state;
    const struct request_remove_stale_data request = {0};
    static const char *const of[] = {BASE ":a", BASE ":gone", NULL};
    for (size_t i = 0; i < 3; i++) {
        const struct request_set_login_parameter set = {
            .target = of[i], .number = LOGIN_PARAMETER_MAX_CONNECTIONS, .value = 1};
        assert_int_equal(stale_size() > 0, i == 2);
        assert_status(ask(OPERATION_set_login_parameter, &set, NULL), STATUS_OK);
    }
    assert_true(has_parameters(BASE ":gone"));
    assert_status(ask(OPERATION_remove_stale_data, &request, NULL), STATUS_OK);
    assert_int_equal(stale_size(), 0);
    assert_false(has_parameters(BASE ":gone"));
    assert_true(has_parameters(BASE ":a"));
    assert_true(has_parameters(NULL));
}

#define EXPOSED_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPOSED_TEST(targets_are_listed_with_who_found_them),
        EXPOSED_TEST(addresses_come_with_their_groups),
        EXPOSED_TEST(the_last_portal_takes_its_static_target_along),
        EXPOSED_TEST(a_portal_need_not_be_waited_for),
        EXPOSED_TEST(sessions_are_counted),
        EXPOSED_TEST(what_is_not_to_be_counted_is_not),
        EXPOSED_TEST(failures_are_counted),
        EXPOSED_TEST(a_hidden_unit_is_no_device_in_any_session),
        EXPOSED_TEST(exposing_makes_the_session_that_it_needs),
        EXPOSED_TEST(a_login_is_kept_once_and_not_for_nothing),
        EXPOSED_TEST(changes_are_told),
        EXPOSED_TEST(what_is_kept_of_absent_targets_can_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
