/* What logins know of the logins before them: CHAP's algorithm, and its challenges. */
#include "engine_test.h"

#include "engine/options.h"
#include "protocol/text.h"

#include <stdatomic.h>

static struct target_host host;

enum { OFFERS_MOST = 8, OFFER_ROOM = 32 };

/* Two threads see it; each waits for the other in between. */
static struct {
    char offers[OFFERS_MOST][OFFER_ROOM]; /* CHAP_A of each login */
    atomic_size_t count;
    const char *answer;            /* the algorithm that the target names instead of its own */
    char challenge[200];           /* the first */
    bool repeats;                  /* that one is sent in each login */
    struct target_connection *one; /* the latest connection */
} seen;

static const struct login_options chap = {
    .specified = OPTION_AUTH_TYPE | OPTION_USERNAME | OPTION_PASSWORD,
    .flags = LOGIN_FLAG_MULTIPATH,
    .auth_type = AUTH_CHAP,
    .username = {(const uint8_t *)"user", 4},
    .password = {(const uint8_t *)"chapsecret123", 13},
};

static bool find(const uint8_t *data, uint32_t length, const char *key, struct text_pair *pair)
{
    size_t offset = 0;
    while (text_next((const char *)data, length, &offset, pair) == 1) {
        if (text_key_is(pair, key))
            return true;
    }
    return false;
}

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    struct text_pair pair;
    (void)context;
    seen.one = connection;
    if (in->pdu->opcode != PDU_LOGIN_REQUEST || !find(in->data, in->length, "CHAP_A", &pair))
        return;
    if (seen.count == OFFERS_MOST)
        return;
    snprintf(seen.offers[seen.count], OFFER_ROOM, "%.*s", (int)pair.value_length, pair.value);
    seen.count++;
}

/* The answer to the offer, changed. */
static void answer(struct target_fault_out *out, const char *challenge, size_t challenge_length)
{
    struct text_pair pair;
    char text[600];
    size_t length = 0;
    bool fits = find(out->data, out->length, "CHAP_A", &pair);
    fits = fits && text_append(text, sizeof text, &length, "CHAP_A",
                               seen.answer != NULL ? seen.answer : pair.value);
    fits = fits && find(out->data, out->length, "CHAP_I", &pair) &&
           text_append(text, sizeof text, &length, "CHAP_I", pair.value);
    char value[200];
    snprintf(value, sizeof value, "%.*s", (int)challenge_length, challenge);
    fits = fits && text_append(text, sizeof text, &length, "CHAP_C", value);
    if (!fits || !target_fault_data(out, text, (uint32_t)length))
        abort();
}

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    struct text_pair pair;
    (void)context;
    (void)connection;
    if (out->pdu->opcode != PDU_LOGIN_RESPONSE || !find(out->data, out->length, "CHAP_C", &pair))
        return;
    if (seen.challenge[0] == '\0')
        snprintf(seen.challenge, sizeof seen.challenge, "%.*s", (int)pair.value_length, pair.value);
    if (seen.repeats)
        answer(out, seen.challenge, strlen(seen.challenge));
    else if (seen.answer != NULL)
        answer(out, pair.value, pair.value_length);
}

static const struct target_fault fault = {.incoming = on_incoming, .outgoing = on_outgoing};

static int start(void **state)
{
    (void)state;
    memset((void *)&seen, 0, sizeof seen);
    new_directory();
    write_text("iscsi.conf", "DelayBetweenReconnect = 0\nMaxConnectionRetries = 3\n");
    assert_status(engine_start(&engine, directory), STATUS_OK);
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
    target_entity_settings(host.entity)->offers.default_time2wait = 0;
    target_access_add(target_access_of(target_host_add(&host, BASE ":a")), "user", "chapsecret123");
    target_host_start(&host);
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

static void log_in(void)
{
    struct login_options options = chap;
    options.specified |= OPTION_DEFAULT_TIME2WAIT;
    assert_status(login_with(BASE ":a", &options), STATUS_OK);
    settle();
}

static void run_cut(struct os_job *job)
{
    (void)job;
    target_fault_end(seen.one, TARGET_END_RESET);
}

static void cut(void)
{
    host.job.run = run_cut;
    os_loop_post(host.loop, &host.job);
}

static uint32_t connections(void)
{
    return count_sessions() > 0 ? last_listed.connections.count : 0;
}

static void wait_for(uint32_t wanted_sessions, uint32_t wanted_connections)
{
    uint64_t end = os_now() + BOUND;
    while (count_sessions() != wanted_sessions || connections() != wanted_connections) {
        if (os_now() > end)
            fail_msg("%u sessions, %u connections; expected %u and %u", count_sessions(),
                     connections(), wanted_sessions, wanted_connections);
        os_thread_yield();
    }
}

/* A connection may be there again before anybody has seen that it was gone. */
static void wait_for_offers(size_t wanted)
{
    uint64_t end = os_now() + BOUND;
    while (seen.count < wanted) {
        if (os_now() > end)
            fail_msg("%u offers, %u expected", (unsigned)seen.count, (unsigned)wanted);
        os_thread_yield();
    }
}

static void expect_offers(size_t count, const char *last)
{
    if (seen.count != count || strcmp(seen.offers[count - 1], last) != 0)
        fail_msg("%u offers, the last %s; expected %u, %s", (unsigned)seen.count,
                 seen.count > 0 ? seen.offers[seen.count - 1] : "none", (unsigned)count, last);
}

/* --- the algorithm --- */

static void a_session_comes_back_with_its_algorithm(void **state)
{
    (void)state;
    log_in();
    assert_non_null(strchr(seen.offers[0], ',')); /* all that there are */
    cut();
    wait_for_offers(2);
    wait_for(1, 1);
    expect_offers(2, "5");
    cut();
    wait_for_offers(3);
    wait_for(1, 1);
    expect_offers(3, "5");
}

static void a_session_does_not_come_back_with_another_one(void **state)
{
    (void)state;
    log_in();
    seen.answer = "6";
    cut();
    wait_for(0, 0); /* as often as it may be tried */
    expect_offers(4, "5");
}

static void an_added_connection_holds_on_to_it(void **state)
{
    const struct request_add_connection plain = {.session = &last_session,
                                                 .initiator_port = ANY_PORT};
    const struct request_add_connection own = {
        .session = &last_session, .initiator_port = ANY_PORT, .options = &chap};
    (void)state;
    log_in();
    assert_status(ask(OPERATION_add_connection, &plain, NULL), STATUS_OK);
    expect_offers(2, "5");
    /* With credentials of its own it has a first login of its own. */
    assert_status(ask(OPERATION_add_connection, &own, NULL), STATUS_OK);
    assert_non_null(strchr(seen.offers[2], ','));
    cut();
    wait_for_offers(4);
    wait_for(1, 3);
    expect_offers(4, "5");
}

static void a_new_login_may_choose_again(void **state)
{
    (void)state;
    log_in();
    assert_status(logout(&last_session), STATUS_OK);
    log_in();
    expect_offers(2, seen.offers[0]);
}

/* --- the challenges --- */

static void a_challenge_of_an_earlier_login_is_refused(void **state)
{
    (void)state;
    log_in();
    assert_status(logout(&last_session), STATUS_OK);
    seen.repeats = true;
    assert_status(login_with(BASE ":a", &chap), STATUS_AUTHENTICATION_FAILED);
    seen.repeats = false;
    log_in();
}

static void one_challenge_for_two_logins_at_once_is_refused(void **state)
{
    const struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .options = &chap};
    struct ask first, second;
    (void)state;
    seen.repeats = true;
    ask_start(&first, OPERATION_login, &request, copy_login);
    ask_start(&second, OPERATION_login, &request, copy_login);
    enum status one = ask_wait(&first), other = ask_wait(&second);
    assert_status(one == STATUS_OK ? other : one, STATUS_AUTHENTICATION_FAILED);
    assert_status(one == STATUS_OK ? one : other, STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_comes_back_with_its_algorithm, start, stop),
        cmocka_unit_test_setup_teardown(a_session_does_not_come_back_with_another_one, start, stop),
        cmocka_unit_test_setup_teardown(an_added_connection_holds_on_to_it, start, stop),
        cmocka_unit_test_setup_teardown(a_new_login_may_choose_again, start, stop),
        cmocka_unit_test_setup_teardown(a_challenge_of_an_earlier_login_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(one_challenge_for_two_logins_at_once_is_refused, start,
                                        stop),
    };
    return cmocka_run_group_tests_name("engine_chap", tests, NULL, NULL);
}
