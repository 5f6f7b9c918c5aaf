/* Events: what is published, who is told, and what happens to who is late. */
#include "engine_test.h"

#include "engine/events.h"
#include "engine/options.h"

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
    (void)state;
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
    target_entity_settings(host.entity)->offers.default_time2wait = 0;
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

static uint64_t last;
static bool lost;
static uint32_t count;
static char told[4000]; /* "kind target address session" of each, with semicolons between them */

static void copy_events(const void *reply)
{
    const struct reply_wait_events *got = reply;
    size_t length = 0;
    last = got->last;
    lost = got->lost;
    count = got->events.count;
    told[0] = '\0';
    for (uint32_t i = 0; i < count && length < sizeof told - 600; i++) {
        const struct event *event = &got->events.items[i];
        const struct portal *portal = event->portal;
        length += (size_t)snprintf(told + length, sizeof told - length, "%s%u %s %s %d",
                                   i ? ";" : "", event->kind, event->target ? event->target : "-",
                                   portal ? portal->address : "-",
                                   event->session ? (int)(event->session->specific & 0xff) : -1);
        if (i > 0) {
            assert_true(event->sequence > got->events.items[i - 1].sequence);
            assert_true(event->time >= got->events.items[i - 1].time);
        }
    }
}

/* What the units of sessions do is another matter. */
enum { COMING_AND_GOING = (2 << EVENT_PORTAL_REMOVED) - (1 << EVENT_SESSION_ADDED) };

/* `kinds` 0: of all those. */
static enum status wait_for(uint64_t after, uint32_t timeout, uint32_t kinds)
{
    kinds = kinds != 0 ? kinds : COMING_AND_GOING;
    const struct request_wait_events request = {.after = after, .timeout = timeout, .kinds = kinds};
    return ask(OPERATION_wait_events, &request, copy_events);
}

static void subscribe(void)
{
    assert_status(wait_for(EVENTS_FROM_NOW, 1000000, 0), STATUS_OK);
    assert_int_equal(count, 0);
    assert_false(lost);
}

/* The next ones, as many as there are by then. */
static void expect(const char *expected)
{
    assert_status(wait_for(last, BOUND, 0), STATUS_OK);
    assert_string_equal(told, expected);
    assert_false(lost);
}

static void run_cut(struct os_job *job)
{
    (void)job;
    target_fault_end(latest, TARGET_END_RESET);
}

static void all_that_comes_and_goes_is_told(void **state)
{
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT,
                                          .default_time2wait = 1};
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    struct request_remove_portal request = {.initiator_port = ANY_PORT, .portal = &portal};
    (void)state;
    target_host_add(&host, BASE ":a");
    target_host_start(&host);
    subscribe();
    assert_status(add_portal(&host.portal), STATUS_OK);
    expect("7 - 127.0.0.1 -1;5 " BASE ":a - -1");
    assert_status(login_with(BASE ":a", &options), STATUS_OK);
    expect("1 " BASE ":a 127.0.0.1 1");
    host.job.run = run_cut;
    os_loop_post(host.loop, &host.job);
    expect("4 " BASE ":a 127.0.0.1 1");
    expect("3 " BASE ":a 127.0.0.1 1");
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(ask(OPERATION_remove_portal, &request, NULL), STATUS_OK);
    expect("2 " BASE ":a 127.0.0.1 1;8 - 127.0.0.1 -1");
    assert_status(list_targets(true), STATUS_OK);
    expect("6 " BASE ":a - -1");
    assert_status(wait_for(last - 2, 0, 1u << EVENT_PORTAL_REMOVED), STATUS_OK);
    assert_string_equal(told, "8 - 127.0.0.1 -1");
    assert_status(wait_for(last, 0, 0), STATUS_OK);
    assert_int_equal(count, 0);
}

static void who_waits_is_woken(void **state)
{
    const uint32_t kinds[] = {0, 1u << EVENT_SESSION_ADDED};
    struct request_wait_events requests[2];
    struct ask asked[2];
    (void)state;
    target_host_add(&host, BASE ":a");
    target_host_start(&host);
    subscribe();
    for (unsigned i = 0; i < 2; i++) {
        requests[i] =
            (struct request_wait_events){.after = last, .timeout = 60000, .kinds = kinds[i]};
        ask_start(&asked[i], OPERATION_wait_events, &requests[i], copy_events);
    }
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(ask_wait(&asked[0]), STATUS_OK);
    assert_memory_equal(told, "7 ", 2);
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_status(ask_wait(&asked[1]), STATUS_OK);
    assert_string_equal(told, "1 " BASE ":a 127.0.0.1 1");
}

static void nothing_ends_in_an_empty_answer(void **state)
{
    struct ask asked;
    (void)state;
    subscribe();
    uint64_t began = os_now();
    assert_status(wait_for(last, 200, 0), STATUS_OK);
    assert_int_equal(count, 0);
    assert_in_range(os_now() - began, 190, 2000);
    const struct request_wait_events request = {.after = last, .timeout = UINT32_MAX};
    ask_start(&asked, OPERATION_wait_events, &request, copy_events);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    ask_start(&asked, OPERATION_wait_events, &request, copy_events);
    engine_stop(engine);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

static void who_is_late_is_told_so(void **state)
{
    char name[64];
    (void)state;
    for (unsigned i = 0; i < EVENTS_KEPT + 10; i++) {
        struct target *target;
        snprintf(name, sizeof name, BASE ":many-%u", i);
        assert_status(target_add(host.entity, name, &target), STATUS_OK);
    }
    target_host_start(&host);
    subscribe();
    uint64_t before = last;
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_status(wait_for(before, 0, 0), STATUS_OK);
    assert_int_equal(count, EVENTS_KEPT);
    assert_true(lost);
    assert_int_equal(last - before, EVENTS_KEPT + 11);
    assert_status(wait_for(last - 5, 0, 0), STATUS_OK);
    assert_int_equal(count, 5);
    assert_false(lost);
    /* A number from before a restart. */
    assert_status(wait_for(last + 1, BOUND, 0), STATUS_OK);
    assert_int_equal(count, 0);
    assert_true(lost);
}

#define EVENT_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENT_TEST(all_that_comes_and_goes_is_told),
        EVENT_TEST(who_waits_is_woken),
        EVENT_TEST(nothing_ends_in_an_empty_answer),
        EVENT_TEST(who_is_late_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
