/* iSNS servers in the engine: the list, and what becomes of servers that come, go and change. */
#include "engine_test.h"
#include "isns_server.h"

#include "engine/events.h"

/* --- a server on a thread of its own --- */

struct server_host {
    struct isns_server server;
    struct os_loop *loop;
    struct os_thread *thread;
    struct os_job job;
    void (*run)(struct isns_server *server);
    struct os_mutex *mutex;
    struct os_condition *condition;
    bool done;
    bool down;
    char address[64];
};

static struct server_host one, two;

static void run_host(void *argument)
{
    os_loop_run(((struct server_host *)argument)->loop);
}

static void run_job(struct os_job *job)
{
    struct server_host *host = LIST_OWNER(job, struct server_host, job);
    host->run(&host->server);
    os_mutex_lock(host->mutex);
    host->done = true;
    os_condition_signal(host->condition);
    os_mutex_unlock(host->mutex);
}

/* On the server's thread, and to its end. */
static void on_server(struct server_host *host, void (*run)(struct isns_server *server))
{
    host->run = run;
    host->done = false;
    host->job.run = run_job;
    os_loop_post(host->loop, &host->job);
    os_mutex_lock(host->mutex);
    while (!host->done)
        os_condition_wait(host->condition, host->mutex);
    os_mutex_unlock(host->mutex);
}

static void host_start(struct server_host *host)
{
    host->loop = os_loop_new();
    host->mutex = os_mutex_new();
    host->condition = os_condition_new();
    assert_non_null(host->loop);
    server_start(&host->server, host->loop);
    snprintf(host->address, sizeof host->address, "127.0.0.1:%u",
             os_address_port(&host->server.at));
    host->down = false;
    host->thread = os_thread_start(run_host, host);
    assert_non_null(host->thread);
}

static void host_stop(struct server_host *host)
{
    os_loop_stop(host->loop);
    os_thread_join(host->thread);
    if (!host->down)
        server_stop(&host->server);
    os_loop_free(host->loop);
    os_mutex_free(host->mutex);
    os_condition_free(host->condition);
}

static void host_down(struct server_host *host)
{
    on_server(host, server_stop);
    host->down = true;
}

static void host_up(struct server_host *host)
{
    on_server(host, server_restart);
    host->down = false;
}

static const char *changed_name;

static void run_add(struct isns_server *server)
{
    server_add(server, changed_name, 1, 1);
}

static void run_add_and_tell(struct isns_server *server)
{
    server_add(server, changed_name, 1, 1);
    server_tell(server, ISNS_SCN, changed_name, ISNS_SCN_OBJECT_ADDED);
}

static void run_remove(struct isns_server *server)
{
    server_remove(server, changed_name);
}

static void run_remove_and_tell(struct isns_server *server)
{
    server_remove(server, changed_name);
    server_tell(server, ISNS_SCN, changed_name, ISNS_SCN_OBJECT_REMOVED);
}

static void change(struct server_host *host, void (*run)(struct isns_server *server),
                   const char *name)
{
    changed_name = name;
    on_server(host, run);
}

static char log_copy[4096], node_copy[ISNS_TEXT_ROOM];

static void run_copy(struct isns_server *server)
{
    memcpy(log_copy, server->log, sizeof log_copy);
    memcpy(node_copy, server->node, sizeof node_copy);
}

static void run_forget(struct isns_server *server)
{
    server->log[0] = server->last[0] = '\0';
}

static const char *log_of(struct server_host *host)
{
    on_server(host, run_copy);
    return log_copy;
}

static void wait_log(struct server_host *host, const char *expected)
{
    uint64_t end = os_now() + BOUND;
    while (strcmp(log_of(host), expected) != 0) {
        if (os_now() > end)
            fail_msg("the server was asked \"%s\", not \"%s\"", log_copy, expected);
        os_thread_yield();
    }
}

static enum server_fault fault;

static void run_fault(struct isns_server *server)
{
    server->fault = fault;
    server->fault_at = ISNS_DEV_ATTR_QRY;
}

static void misbehave_so(struct server_host *host, enum server_fault how)
{
    fault = how;
    on_server(host, run_fault);
}

/* --- the engine --- */

static int start(void **state)
{
    (void)state;
    new_directory();
    write_text("iscsi.conf", "DelayBetweenReconnect = 1\n");
    host_start(&one);
    host_start(&two);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_stop(engine);
    engine = NULL;
    host_stop(&one);
    host_stop(&two);
    return 0;
}

static void restart(bool service)
{
    engine_stop(engine);
    engine = NULL;
    enum status status =
        service ? engine_start_service(&engine, directory) : engine_start(&engine, directory);
    assert_status(status, STATUS_OK);
}

static enum status add_server(const char *address)
{
    const struct request_add_isns_server request = {.address = address};
    return ask(OPERATION_add_isns_server, &request, NULL);
}

static enum status remove_server(const char *address)
{
    const struct request_remove_isns_server request = {.address = address};
    return ask(OPERATION_remove_isns_server, &request, NULL);
}

static enum status refresh_server(const char *address)
{
    const struct request_refresh_isns_server request = {.address = address};
    return ask(OPERATION_refresh_isns_server, &request, NULL);
}

static char servers[1024];

static void copy_servers(const void *reply)
{
    const struct reply_list_isns_servers *list = reply;
    servers[0] = '\0';
    for (uint32_t i = 0; i < list->names.count; i++) {
        strcat(servers, list->names.items[i]);
        strcat(servers, ";");
    }
}

static const char *list_servers(void)
{
    const struct request_list_isns_servers request = {0};
    assert_status(ask(OPERATION_list_isns_servers, &request, copy_servers), STATUS_OK);
    return servers;
}

/* Of a cached list. */
static void assert_targets(const char *expected)
{
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, expected);
}

static void wait_targets(const char *expected)
{
    uint64_t end = os_now() + BOUND;
    do {
        assert_status(list_targets(false), STATUS_OK);
        if (os_now() > end)
            fail_msg("known are \"%s\", not \"%s\"", names, expected);
        os_thread_yield();
    } while (strcmp(names, expected) != 0);
}

static const char *with_semicolon(const char *address)
{
    static char text[80];
    snprintf(text, sizeof text, "%s;", address);
    return text;
}

/* --- add --- */

static char portals[300];

static void copy_portals(const void *reply)
{
    const struct reply_list_target_portals *list = reply;
    size_t length = 0;
    portals[0] = '\0';
    for (uint32_t i = 0; i < list->portals.count; i++)
        length += (size_t)snprintf(portals + length, sizeof portals - length, "%s:%u;",
                                   list->portals.items[i].address, list->portals.items[i].socket);
}

static void a_server_is_asked_when_it_is_added(void **state)
{
    const struct request_list_target_portals request = {.target = BASE ":a"};
    (void)state;
    server_add(&one.server, BASE ":a", 2, 1);
    server_add(&one.server, BASE ":b", 1, 1);
    assert_status(add_server(one.address), STATUS_OK);
    assert_string_equal(list_servers(), with_semicolon(one.address));
    assert_targets(BASE ":a " BASE ":b");
    assert_status(ask(OPERATION_list_target_portals, &request, copy_portals), STATUS_OK);
    assert_string_equal(portals, "10.0.0.1:3260;10.0.0.2:3260;");
    assert_string_equal(log_of(&one), "replace subscribe all ");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {NULL,      "",     "*",     "a b", "h:0",
                                      "h:65536", "[::1", "1.2.3", "h,1"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_status(add_server(bad[i]), STATUS_INVALID_PARAMETER);
        assert_status(remove_server(bad[i]), STATUS_INVALID_PARAMETER);
        if (bad[i] != NULL && bad[i][0] != '*')
            assert_status(refresh_server(bad[i]), STATUS_INVALID_PARAMETER);
    }
    assert_string_equal(list_servers(), "");
}

static void the_same_server_is_listed_once(void **state)
{
    char other[80];
    (void)state;
    snprintf(other, sizeof other, "LOCALHOST:%u", os_address_port(&one.server.at));
    assert_status(add_server(one.address), STATUS_OK);
    change(&one, run_add, BASE ":a");
    assert_status(add_server(one.address), STATUS_OK);
    assert_targets(BASE ":a");
    assert_string_equal(list_servers(), with_semicolon(one.address));
    assert_status(add_server("isns.invalid"), STATUS_NAME_UNRESOLVED);
    assert_status(add_server("ISNS.invalid:3205"), STATUS_NAME_UNRESOLVED);
    snprintf(other, sizeof other, "%s;isns.invalid;", one.address);
    assert_string_equal(list_servers(), other);
}

static void a_server_that_is_down_is_listed_and_found_later(void **state)
{
    (void)state;
    server_add(&one.server, BASE ":a", 1, 1);
    host_down(&one);
    assert_status(add_server(one.address), STATUS_CONNECT_REFUSED);
    assert_string_equal(list_servers(), with_semicolon(one.address));
    assert_targets("");
    host_up(&one);
    wait_targets(BASE ":a");
}

static void a_silent_server_is_told(void **state)
{
    (void)state;
    write_text("iscsi.conf", "WMIRequestTimeout = 1\n");
    restart(false);
    misbehave_so(&one, FAULT_SILENCE);
    assert_status(add_server(one.address), STATUS_ISNS_SERVER_NOT_FOUND);
    assert_string_equal(list_servers(), with_semicolon(one.address));
}

static void a_caller_may_go_away(void **state)
{
    const struct request_add_isns_server request = {.address = one.address};
    const struct request_refresh_isns_server all = {0};
    struct ask asked;
    (void)state;
    misbehave_so(&one, FAULT_SILENCE);
    ask_start(&asked, OPERATION_add_isns_server, &request, NULL);
    wait_log(&one, "replace subscribe all ");
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    ask_start(&asked, OPERATION_refresh_isns_server, &all, NULL);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
}

static void a_silent_server_does_not_hold_up_the_end(void **state)
{
    const struct request_add_isns_server request = {.address = one.address};
    struct ask asked;
    (void)state;
    misbehave_so(&one, FAULT_SILENCE);
    ask_start(&asked, OPERATION_add_isns_server, &request, NULL);
    wait_log(&one, "replace subscribe all ");
    uint64_t began = os_now();
    engine_stop(engine);
    engine = NULL;
    assert_in_range(os_now() - began, 0, 10000);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
}

/* --- remove --- */

static void a_removed_server_is_left_but_its_targets_stay(void **state)
{
    (void)state;
    server_add(&one.server, BASE ":a", 1, 1);
    server_add(&two.server, BASE ":b", 1, 1);
    assert_status(add_server(one.address), STATUS_OK);
    assert_status(add_server(two.address), STATUS_OK);
    assert_status(remove_server(one.address), STATUS_OK);
    assert_string_equal(list_servers(), with_semicolon(two.address));
    wait_log(&one, "replace subscribe all leave ");
    assert_targets(BASE ":a " BASE ":b");
    assert_status(remove_server(one.address), STATUS_ISNS_SERVER_NOT_FOUND);
    assert_status(refresh_server(one.address), STATUS_ISNS_SERVER_NOT_FOUND);
    /* A full refresh forgets what nobody is asked for any more. */
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, BASE ":b");
}

static void what_another_program_removed_is_followed_no_longer(void **state)
{
    struct store *store;
    bool found;
    (void)state;
    server_add(&one.server, BASE ":a", 1, 1);
    assert_status(add_server(one.address), STATUS_OK);
    assert_status(store_open(&store, directory), STATUS_OK);
    assert_status(store_remove_server(store, SERVER_ISNS, one.address, &found), STATUS_OK);
    assert_true(found);
    store_close(store);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, "");
    wait_log(&one, "replace subscribe all leave ");
}

/* --- refresh --- */

static void a_refresh_replaces_what_the_server_gave(void **state)
{
    (void)state;
    server_add(&one.server, BASE ":a", 1, 1);
    server_add(&two.server, BASE ":z", 1, 1);
    assert_status(add_server(one.address), STATUS_OK);
    assert_status(add_server(two.address), STATUS_OK);
    change(&one, run_remove, BASE ":a");
    change(&one, run_add, BASE ":b");
    change(&two, run_add, BASE ":y");
    assert_status(refresh_server(one.address), STATUS_OK);
    assert_targets(BASE ":z " BASE ":b");
    assert_status(refresh_server(NULL), STATUS_OK);
    assert_targets(BASE ":z " BASE ":b " BASE ":y");
    change(&two, run_remove, BASE ":y");
    assert_status(refresh_server("*"), STATUS_OK);
    assert_targets(BASE ":z " BASE ":b");
    change(&two, run_remove, BASE ":z");
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, BASE ":b");
}

static void one_server_of_several_is_enough(void **state)
{
    (void)state;
    server_add(&one.server, BASE ":a", 1, 1);
    assert_status(refresh_server(NULL), STATUS_OK); /* of none */
    assert_status(add_server(one.address), STATUS_OK);
    assert_status(add_server(two.address), STATUS_OK);
    host_down(&two);
    assert_status(refresh_server(NULL), STATUS_OK);
    assert_status(list_targets(true), STATUS_OK);
    host_down(&one);
    assert_status(refresh_server(NULL), STATUS_CONNECT_REFUSED);
    assert_status(list_targets(true), STATUS_CONNECT_REFUSED);
    assert_targets(BASE ":a"); /* what was known stays */
}

/* --- notices --- */

static uint64_t last_event;
static char told[300];

static void copy_events(const void *reply)
{
    const struct reply_wait_events *got = reply;
    last_event = got->last;
    told[0] = '\0';
    if (got->events.count > 0)
        snprintf(told, sizeof told, "%u %s", got->events.items[0].kind,
                 got->events.items[0].target);
}

static enum status wait_event(uint64_t after)
{
    const struct request_wait_events request = {.after = after, .timeout = BOUND};
    return ask(OPERATION_wait_events, &request, copy_events);
}

static void notices_become_events(void **state)
{
    (void)state;
    assert_status(add_server(one.address), STATUS_OK);
    assert_status(wait_event(EVENTS_FROM_NOW), STATUS_OK);
    change(&one, run_add_and_tell, BASE ":new");
    assert_status(wait_event(last_event), STATUS_OK);
    assert_string_equal(told, "5 " BASE ":new");
    assert_targets(BASE ":new");
    change(&one, run_remove_and_tell, BASE ":new");
    assert_status(wait_event(last_event), STATUS_OK);
    assert_string_equal(told, "6 " BASE ":new");
    assert_targets("");
}

/* --- loss and return --- */

static void a_server_that_returns_is_told_everything_again(void **state)
{
    (void)state;
    server_add(&one.server, BASE ":a", 1, 1);
    assert_status(add_server(one.address), STATUS_OK);
    host_down(&one);
    on_server(&one, run_forget);
    assert_targets(BASE ":a");
    change(&one, run_remove, BASE ":a");
    change(&one, run_add, BASE ":b");
    host_up(&one);
    wait_targets(BASE ":b");
    assert_string_equal(log_of(&one), "replace subscribe all ");
    change(&one, run_add_and_tell, BASE ":c");
    wait_targets(BASE ":b " BASE ":c");
}

static void an_engine_that_ends_takes_its_leave(void **state)
{
    (void)state;
    assert_status(add_server(one.address), STATUS_OK);
    engine_stop(engine);
    assert_string_equal(log_of(&one), "replace subscribe all leave ");
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

static void stored_servers_are_asked_again(void **state)
{
    (void)state;
    server_add(&one.server, BASE ":a", 1, 1);
    assert_status(add_server(one.address), STATUS_OK);
    restart(false);
    on_server(&one, run_forget);
    assert_string_equal(list_servers(), with_semicolon(one.address));
    assert_string_equal(log_of(&one), ""); /* nobody has wanted to know */
    assert_targets(BASE ":a");
    assert_string_equal(log_of(&one), "replace subscribe all ");
    assert_targets(BASE ":a");
    assert_string_equal(log_of(&one), "replace subscribe all ");
}

static void a_service_follows_its_servers_by_itself(void **state)
{
    (void)state;
    server_add(&one.server, BASE ":a", 1, 1);
    assert_status(add_server(one.address), STATUS_OK);
    engine_stop(engine);
    on_server(&one, run_forget);
    host_down(&one);
    assert_status(engine_start_service(&engine, directory), STATUS_OK);
    host_up(&one);
    wait_log(&one, "replace subscribe all ");
    wait_targets(BASE ":a");
    restart(true);
    wait_log(&one, "replace subscribe all leave replace subscribe all ");
}

static bool busy, looked;

static void look_busy(struct os_job *job)
{
    (void)job;
    busy = engine_busy(engine);
    looked = true;
}

static bool is_busy(void)
{
    const struct request_list_sessions request = {0};
    struct os_job job = {.run = look_busy};
    looked = false;
    os_loop_post(engine_loop(engine), &job);
    /* Behind the job: when this is answered, the job has run. */
    assert_status(ask(OPERATION_list_sessions, &request, NULL), STATUS_OK);
    assert_true(looked);
    return busy;
}

static void a_followed_server_keeps_a_service_busy(void **state)
{
    (void)state;
    assert_false(is_busy());
    assert_status(add_server(one.address), STATUS_OK);
    assert_true(is_busy());
    assert_status(remove_server(one.address), STATUS_OK);
    assert_false(is_busy());
}

static void another_name_is_registered_anew(void **state)
{
    const struct request_set_node_name request = {.name = BASE ":renamed"};
    (void)state;
    assert_status(add_server(one.address), STATUS_OK);
    on_server(&one, run_forget);
    assert_status(ask(OPERATION_set_node_name, &request, NULL), STATUS_OK);
    uint64_t end = os_now() + BOUND;
    while (strstr(log_of(&one), "all") == NULL || strstr(log_copy, "leave") == NULL) {
        if (os_now() > end)
            fail_msg("the server was asked \"%s\"", log_copy);
        os_thread_yield();
    }
    assert_string_equal(node_copy, BASE ":renamed");
}

static void the_same_name_changes_nothing(void **state)
{
    const struct request_set_node_name request = {.name = BASE ":same"};
    (void)state;
    assert_status(ask(OPERATION_set_node_name, &request, NULL), STATUS_OK);
    assert_status(add_server(one.address), STATUS_OK);
    assert_status(ask(OPERATION_set_node_name, &request, NULL), STATUS_OK);
    assert_status(refresh_server(one.address), STATUS_OK);
    assert_string_equal(log_of(&one), "replace subscribe all ");
    assert_int_equal(one.server.connections, 1);
}

/* The goodbye must not take back what is registered after it. */
static void a_server_may_be_added_again_at_once(void **state)
{
    (void)state;
    one.server.slow_leave = true;
    server_add(&one.server, BASE ":a", 1, 1);
    assert_status(add_server(one.address), STATUS_OK);
    assert_status(remove_server(one.address), STATUS_OK);
    assert_status(add_server(one.address), STATUS_OK);
    assert_string_equal(log_of(&one), "replace subscribe all leave replace subscribe all ");
    assert_null(one.server.leaving);
    assert_true(one.server.registered);
    assert_status(remove_server(one.address), STATUS_OK);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, "");
    assert_status(add_server(one.address), STATUS_OK);
    assert_targets(BASE ":a");
    assert_true(one.server.registered);
}

static void want_of_memory_is_told(void **state)
{
    enum status status = STATUS_NO_MEMORY;
    (void)state;
    write_text("iscsi.conf", "WMIRequestTimeout = 1\nDelayBetweenReconnect = 1\n");
    restart(false);
    server_add(&one.server, BASE ":a", 1, 1);
    for (long nth = 1; status != STATUS_OK; nth++) {
        assert_in_range(nth, 1, 200);
        failing_allocation = nth;
        status = add_server(one.address);
        failing_allocation = 0;
        os_alloc_fail_at(0);
        /* The server's allocations fail as well: it may be silent, or close the connection. */
        if (status != STATUS_OK && status != STATUS_NO_MEMORY &&
            status != STATUS_ISNS_SERVER_NOT_FOUND && status != STATUS_CONNECTION_CLOSED &&
            status != STATUS_CONNECTION_RESET)
            fail_msg("allocation %ld: %s", nth, status_name(status));
        if (status != STATUS_OK)
            restart(false);
    }
    assert_targets(BASE ":a");
}

#define ISNS_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ISNS_TEST(a_server_is_asked_when_it_is_added),
        ISNS_TEST(what_is_no_address_is_refused),
        ISNS_TEST(the_same_server_is_listed_once),
        ISNS_TEST(a_server_that_is_down_is_listed_and_found_later),
        ISNS_TEST(a_silent_server_is_told),
        ISNS_TEST(a_caller_may_go_away),
        ISNS_TEST(a_silent_server_does_not_hold_up_the_end),
        ISNS_TEST(a_removed_server_is_left_but_its_targets_stay),
        ISNS_TEST(what_another_program_removed_is_followed_no_longer),
        ISNS_TEST(a_refresh_replaces_what_the_server_gave),
        ISNS_TEST(one_server_of_several_is_enough),
        ISNS_TEST(notices_become_events),
        ISNS_TEST(a_server_that_returns_is_told_everything_again),
        ISNS_TEST(an_engine_that_ends_takes_its_leave),
        ISNS_TEST(stored_servers_are_asked_again),
        ISNS_TEST(a_service_follows_its_servers_by_itself),
        ISNS_TEST(a_followed_server_keeps_a_service_busy),
        ISNS_TEST(another_name_is_registered_anew),
        ISNS_TEST(the_same_name_changes_nothing),
        ISNS_TEST(a_server_may_be_added_again_at_once),
        ISNS_TEST(want_of_memory_is_told),
    };
    return cmocka_run_group_tests_name("engine_isns", tests, NULL, NULL);
}
