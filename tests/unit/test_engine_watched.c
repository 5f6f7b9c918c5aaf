/* The discovery addresses of iscsi.conf, which a service watches, and the logins that it makes. */
#include "engine_test.h"

#include "engine/adapter_settings.h"
#include "engine/configuration.h"

#include <stdatomic.h>

enum { AT_ONCE = 16 /* logins to targets of one address */ };

static struct target_host host;
static uint16_t port; /* of the host, also while it is down */

/* What the host does wrong, and what it has seen. */
static struct {
    bool ends_discovery; /* with the answer */
    bool falls_silent;   /* the first discovery session, after the answer */
    unsigned refused;    /* logins that are cut off, behind the first, which is a discovery */
    uint32_t delay;      /* of logins */
    bool changes_before_answer; /* to the second question, which takes long */
    atomic_uint discoveries;
    atomic_uint logins;
    atomic_uint questions;
    atomic_int running; /* logins to targets */
    atomic_int most;
} odd;

/* A login is over when its initiator says something else: it has our answer then. */
static void count_logins(uint32_t *memory, bool is_login)
{
    if (is_login && memory[0]++ == 0) {
        int running = atomic_fetch_add(&odd.running, 1) + 1;
        if (running > atomic_load(&odd.most))
            atomic_store(&odd.most, running);
    } else if (!is_login && memory[1]++ == 0) {
        atomic_fetch_sub(&odd.running, 1);
    }
}

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    bool is_login = in->pdu->opcode == PDU_LOGIN_REQUEST;
    (void)context;
    count_logins(target_fault_memory(connection), is_login);
    if (in->pdu->opcode == PDU_TEXT_REQUEST && atomic_fetch_add(&odd.questions, 1) == 1 &&
        odd.changes_before_answer) {
        target_announce(host.entity);
        in->delay = 1500; /* longer than a change waits */
    }
    if (!is_login)
        return;
    in->delay = odd.delay;
    unsigned before =
        target_fault_memory(connection)[0] == 1 ? atomic_fetch_add(&odd.logins, 1) : 0;
    in->swallow = before > 0 && before <= odd.refused;
    if (in->swallow)
        target_fault_end(connection, TARGET_END_RESET);
}

static void on_full_feature(void *context, struct target_connection *connection)
{
    (void)context;
    if (target_connection_discovery(connection))
        atomic_fetch_add(&odd.discoveries, 1);
}

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    (void)context;
    if (out->pdu->opcode != PDU_TEXT_RESPONSE)
        return;
    if (odd.ends_discovery) {
        out->end = TARGET_END_CLOSE;
        out->end_at = SIZE_MAX;
    }
    out->tell_sent = odd.falls_silent && atomic_load(&odd.discoveries) == 1;
    (void)connection;
}

static void on_sent(void *context, struct target_connection *connection)
{
    (void)context;
    /* Not before it is out. */
    target_fault_timer(connection, 100);
}

static void on_timer(void *context, struct target_connection *connection)
{
    (void)context;
    target_fault_mute(connection);
}

static const struct target_fault fault = {.incoming = on_incoming,
                                          .full_feature = on_full_feature,
                                          .outgoing = on_outgoing,
                                          .sent = on_sent,
                                          .timer = on_timer};

/* --- the host --- */

static void prepare_host(void)
{
    host = (struct target_host){0};
    host.loop = os_loop_new();
    host.entity = target_entity_new(&os_crypto);
    host.server = target_server_new(host.loop, host.entity);
    assert_non_null(host.server);
    target_entity_settings(host.entity)->fault = &fault;
    assert_status(target_server_listen(host.server, "127.0.0.1", port, 1, &host.portal), STATUS_OK);
    port = host.portal.port;
    target_host_add(&host, BASE ":a");
}

static void start_host(void)
{
    prepare_host();
    target_host_start(&host);
}

static void run_add(struct os_job *job)
{
    struct target_host *owner = LIST_OWNER(job, struct target_host, job);
    target_host_add(owner, BASE ":b");
    target_announce(owner->entity);
}

static void announce_another(void)
{
    host.job.run = run_add;
    os_loop_post(host.loop, &host.job);
}

/* --- the service --- */

static char file[1024];

/* "%u" is the port. */
static const char *file_of(const char *form)
{
    snprintf(file, sizeof file, form, port);
    return file;
}

static void serve(const char *form)
{
    write_text("iscsi.conf", file_of(form));
    assert_status(engine_start_service(&engine, directory), STATUS_OK);
}

static struct {
    struct os_job job;
    struct configuration *configuration;
    atomic_bool done;
} reloading;

static void run_reload(struct os_job *job)
{
    (void)job;
    engine_configure(engine, reloading.configuration);
    atomic_store(&reloading.done, true);
}

static void reload(const char *form)
{
    uint64_t end = os_now() + BOUND;
    assert_status(configuration_parse(&reloading.configuration, file_of(form), "iscsi.conf", NULL),
                  STATUS_OK);
    reloading.job.run = run_reload;
    atomic_store(&reloading.done, false);
    os_loop_post(engine_loop(engine), &reloading.job);
    while (!atomic_load(&reloading.done)) {
        assert_true(os_now() < end);
        os_thread_yield();
    }
}

static void wait_for_sessions(uint32_t wanted)
{
    uint64_t end = os_now() + BOUND;
    while (count_sessions() != wanted) {
        if (os_now() > end)
            fail_msg("%u sessions after %u ms, %u expected", sessions, BOUND, wanted);
        os_thread_yield();
    }
}

static void wait_for(const atomic_uint *number, unsigned wanted, const char *what)
{
    uint64_t end = os_now() + BOUND;
    while (atomic_load(number) < wanted) {
        if (os_now() > end)
            fail_msg("%u %s after %u ms, %u expected", atomic_load(number), what, BOUND, wanted);
        os_thread_yield();
    }
}

static uint32_t portals; /* in the latest list */

static void copy_portals(const void *reply)
{
    portals = ((const struct reply_list_portals *)reply)->portals.count;
}

static uint32_t count_portals(void)
{
    const struct request_list_portals request = {0};
    assert_status(ask(OPERATION_list_portals, &request, copy_portals), STATUS_OK);
    return portals;
}

static int start(void **state)
{
    (void)state;
    memset(&odd, 0, sizeof odd);
    port = 0;
    new_directory();
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

#define WATCHED "DiscoveryInterval = 0\nDiscoveryAddress = 127.0.0.1:%u\n"

/* --- the tests --- */

static void what_they_find_is_logged_in_to(void **state)
{
    (void)state;
    start_host();
    serve(WATCHED);
    wait_for_sessions(1);
    assert_string_equal(last_listed.target_name, BASE ":a");
    assert_int_equal(count_portals(), 1);
}

static void only_a_service_asks_them(void **state)
{
    (void)state;
    start_host();
    write_text("iscsi.conf", file_of(WATCHED));
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, "");
    assert_int_equal(count_portals(), 0);
    assert_int_equal(atomic_load(&odd.discoveries), 0);
}

static void one_that_is_down_is_asked_until_it_is_there(void **state)
{
    (void)state;
    start_host();
    target_host_stop(&host);
    serve(WATCHED);
    assert_int_equal(count_sessions(), 0);
    start_host();
    wait_for_sessions(1);
}

static void a_target_that_is_announced_is_logged_in_to(void **state)
{
    (void)state;
    start_host();
    serve(WATCHED);
    wait_for_sessions(1);
    announce_another();
    wait_for_sessions(2);
    assert_int_equal(atomic_load(&odd.discoveries), 1);
}

static void a_lost_discovery_session_is_made_again(void **state)
{
    (void)state;
    start_host();
    serve(WATCHED);
    wait_for_sessions(1);
    target_host_stop(&host);
    prepare_host();
    target_host_add(&host, BASE ":b");
    target_host_start(&host);
    wait_for_sessions(2);
}

static void a_login_that_fails_is_tried_again(void **state)
{
    (void)state;
    prepare_host();
    odd.refused = 4;
    target_host_start(&host);
    serve(WATCHED);
    wait_for_sessions(1);
    assert_int_equal(atomic_load(&odd.logins), 1 + 4 + 1);
}

static void wait_for_questions(unsigned wanted)
{
    wait_for(&odd.questions, wanted, "questions");
}

/* What tells of the target and what lets in have other groups: a session is of its path's login
 * wherever it has got to. */
static void one_that_redirects_gets_one_session_for_each_path(void **state)
{
    static struct target_host second;
    static const char form[] =
        "Multipath = portalgroup\nDiscoveryInterval = 1\nDiscoveryAddress = 127.0.0.1:%u\n";
    char address[300];
    (void)state;
    second = (struct target_host){.loop = os_loop_new(), .entity = target_entity_new(&os_crypto)};
    second.server = target_server_new(second.loop, second.entity);
    assert_status(target_server_listen(second.server, "127.0.0.1", 0, 7, &second.portal),
                  STATUS_OK);
    target_host_add(&second, BASE ":a");
    target_host_start(&second);
    prepare_host();
    assert_true(portal_format(&second.portal, address, sizeof address));
    assert_status(target_set_redirect(target_find(host.entity, BASE ":a"), address, false),
                  STATUS_OK);
    target_host_start(&host);
    serve(form);
    wait_for_sessions(1);
    unsigned before = atomic_load(&odd.questions);
    wait_for_questions(before + 2);
    reload(form);
    wait_for_questions(before + 4);
    uint32_t count = count_sessions();
    engine_stop(engine);
    engine = NULL;
    target_host_stop(&second);
    assert_int_equal(count, 1); /* two, and three after the reload, if groups were compared */
}

/* The answer that is on its way does not tell of it. */
static void a_change_during_an_answer_is_looked_at(void **state)
{
    (void)state;
    prepare_host();
    odd.changes_before_answer = true;
    target_host_start(&host);
    serve(WATCHED "    Enabled = no\n");
    wait_for_questions(1);
    announce_another();
    wait_for_questions(2);
    wait_for_questions(3);
}

/* Who restores logins knows only of those that were there when the service started. */
static void one_with_a_login_stored_since_is_logged_in_to(void **state)
{
    (void)state;
    start_host();
    serve(WATCHED);
    wait_for_sessions(1);
    const struct portal portal = {NULL, "127.0.0.1", port};
    const struct request_login request = {
        .target = BASE ":b", .initiator_port = ANY_PORT, .portal = &portal, .persistent = 1};
    assert_status(ask(OPERATION_login, &request, NULL), STATUS_OK);
    announce_another();
    wait_for_sessions(2);
}

static void run_remove(struct os_job *job)
{
    struct target_host *owner = LIST_OWNER(job, struct target_host, job);
    target_remove(target_find(owner->entity, BASE ":a"));
    target_announce(owner->entity);
}

static void a_target_that_is_not_found_any_more_is_not_tried(void **state)
{
    (void)state;
    prepare_host();
    odd.refused = UINT32_MAX - 1;
    target_host_start(&host);
    serve(WATCHED);
    wait_for(&odd.logins, 4, "logins");
    host.job.run = run_remove;
    os_loop_post(host.loop, &host.job);
    wait_for(&odd.questions, 2, "questions");
    assert_status(list_targets(false), STATUS_OK);
    while (names[0] != '\0')
        assert_status(list_targets(false), STATUS_OK);
    unsigned before = atomic_load(&odd.logins);
    uint64_t end = os_now() + 2300; /* the pauses grow to a second */
    while (os_now() < end)
        os_thread_yield();
    assert_true(atomic_load(&odd.logins) <= before + 1); /* one may have been under way */
}

static void a_session_that_is_given_up_is_made_anew(void **state)
{
    (void)state;
    start_host();
    serve("MaxConnectionRetries = 0\n" WATCHED);
    wait_for_sessions(1);
    struct unique_id before = listed_id;
    target_host_stop(&host);
    wait_for_sessions(0);
    start_host();
    wait_for_sessions(1);
    assert_memory_not_equal(&before, &listed_id, sizeof before);
}

static void who_logs_out_is_left_alone_until_a_reload(void **state)
{
    (void)state;
    start_host();
    serve(WATCHED);
    wait_for_sessions(1);
    assert_status(logout(&listed_id), STATUS_OK);
    assert_status(list_targets(true), STATUS_OK); /* it is found once more */
    announce_another();
    wait_for_sessions(1);
    assert_string_equal(last_listed.target_name, BASE ":b");
    reload(WATCHED);
    wait_for_sessions(2);
}

static void a_removed_address_leaves_its_sessions(void **state)
{
    (void)state;
    start_host();
    serve(WATCHED);
    wait_for_sessions(1);
    struct unique_id before = listed_id;
    reload("# port %u\n");
    assert_int_equal(count_portals(), 0);
    announce_another();
    assert_int_equal(count_sessions(), 1);
    assert_memory_equal(&before, &listed_id, sizeof before);
    assert_status(logout(&before), STATUS_OK);
    reload(WATCHED);
    wait_for_sessions(2);
}

static void targets_may_be_left_out(void **state)
{
    (void)state;
    start_host();
    serve(WATCHED "TargetName = " BASE ":a\n    Enabled = no\n");
    announce_another();
    wait_for_sessions(1);
    assert_string_equal(last_listed.target_name, BASE ":b");
    reload(WATCHED);
    wait_for_sessions(2);
}

static void set_sendtargets(bool enabled)
{
    const struct request_set_discovery isns = {.method = DISCOVERY_ISNS, .enabled = 1};
    const struct request_set_discovery request = {.method = DISCOVERY_SENDTARGETS,
                                                  .enabled = enabled};
    assert_status(ask(OPERATION_set_discovery, &isns, NULL), STATUS_OK);
    assert_status(ask(OPERATION_set_discovery, &request, NULL), STATUS_OK);
}

static void nothing_is_asked_without_sendtargets(void **state)
{
    (void)state;
    start_host();
    serve(WATCHED);
    wait_for_sessions(1);
    set_sendtargets(false);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, "");
    assert_int_equal(count_sessions(), 1);
    announce_another();
    set_sendtargets(true);
    wait_for_sessions(2);
    assert_int_equal(atomic_load(&odd.discoveries), 2);
}

static void few_are_logged_in_to_at_a_time(void **state)
{
    enum { TARGETS = 3 * AT_ONCE };
    (void)state;
    prepare_host();
    odd.delay = 20;
    for (unsigned i = 1; i < TARGETS; i++) {
        char name[64];
        snprintf(name, sizeof name, BASE ":n%u", i);
        target_host_add(&host, name);
    }
    target_host_start(&host);
    serve(WATCHED);
    wait_for_sessions(TARGETS);
    assert_true(atomic_load(&odd.most) <= AT_ONCE);
    assert_true(atomic_load(&odd.most) > AT_ONCE / 2);
}

/* One that does not keep discovery sessions gets three of them, and is asked from time to time
 * then.
 */
static void one_that_ends_its_sessions_is_not_pestered(void **state)
{
    (void)state;
    prepare_host();
    odd.ends_discovery = true;
    target_host_start(&host);
    serve("DiscoveryInterval = 3600\nDiscoveryAddress = 127.0.0.1:%u\n");
    wait_for(&odd.discoveries, 4, "discovery sessions");
    uint64_t end = os_now() + 1200; /* the next pause would be 800 ms */
    while (os_now() < end)
        os_thread_yield();
    assert_int_equal(atomic_load(&odd.discoveries), 4);
    wait_for_sessions(1);
}

static void one_that_falls_silent_is_asked_anew(void **state)
{
    (void)state;
    prepare_host();
    odd.falls_silent = true;
    target_host_start(&host);
    serve("IdleTimeout = 1\nPingTimeout = 1\n" WATCHED "    Enabled = no\n");
    wait_for(&odd.discoveries, 2, "discovery sessions");
}

static void one_that_answers_is_not_lost(void **state)
{
    (void)state;
    start_host();
    serve("IdleTimeout = 1\nPingTimeout = 5\n" WATCHED "    Enabled = no\n");
    wait_for(&odd.discoveries, 1, "discovery sessions");
    uint64_t end = os_now() + BOUND;
    while (atomic_load(&odd.questions) < 3) { /* two of them are signs of life */
        assert_true(os_now() < end);
        os_thread_yield();
    }
    assert_int_equal(atomic_load(&odd.discoveries), 1);
}

#define WATCHED_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHED_TEST(what_they_find_is_logged_in_to),
        WATCHED_TEST(only_a_service_asks_them),
        WATCHED_TEST(one_that_is_down_is_asked_until_it_is_there),
        WATCHED_TEST(a_target_that_is_announced_is_logged_in_to),
        WATCHED_TEST(a_lost_discovery_session_is_made_again),
        WATCHED_TEST(a_login_that_fails_is_tried_again),
        WATCHED_TEST(one_that_redirects_gets_one_session_for_each_path),
        WATCHED_TEST(a_change_during_an_answer_is_looked_at),
        WATCHED_TEST(one_with_a_login_stored_since_is_logged_in_to),
        WATCHED_TEST(a_target_that_is_not_found_any_more_is_not_tried),
        WATCHED_TEST(a_session_that_is_given_up_is_made_anew),
        WATCHED_TEST(who_logs_out_is_left_alone_until_a_reload),
        WATCHED_TEST(a_removed_address_leaves_its_sessions),
        WATCHED_TEST(targets_may_be_left_out),
        WATCHED_TEST(nothing_is_asked_without_sendtargets),
        WATCHED_TEST(few_are_logged_in_to_at_a_time),
        WATCHED_TEST(one_that_ends_its_sessions_is_not_pestered),
        WATCHED_TEST(one_that_falls_silent_is_asked_anew),
        WATCHED_TEST(one_that_answers_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
