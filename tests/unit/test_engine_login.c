/* Discovery, logins, sessions and SCSI commands of the engine against an embedded target. */
#include "engine_test.h"

#ifndef _WIN32
#include <sys/resource.h>
#endif

#include "engine/options.h"

#include <stdatomic.h>

static struct target_host host;

/* What the tests order the target to do wrong, and for how many PDUs. Two threads see it. */
static struct {
    _Atomic uint8_t opcode;
    atomic_uint left;
    atomic_bool drop;
    _Atomic enum target_end end;
    _Atomic uint8_t scsi_status; /* of SCSI responses */
    atomic_bool attention;       /* commands end with UNIT ATTENTION */
    atomic_bool deaf;            /* from now on */
    atomic_uint seen;
} orders;

/* What the target answers becomes that of a disk after a power-on. */
static void make_attention(struct target_fault_out *out)
{
    uint8_t sense[20] = {0, 18};
    struct pdu answer = {.opcode = PDU_SCSI_RESPONSE, .final = true, .itt = out->pdu->itt};
    if (out->pdu->opcode == PDU_DATA_IN && !out->pdu->data_in.status_present) {
        out->copies = 0;
        return;
    }
    if (out->pdu->opcode == PDU_DATA_IN)
        answer.scsi_response.sn = out->pdu->data_in.sn;
    else
        answer.scsi_response.sn = out->pdu->scsi_response.sn;
    answer.scsi_response.status = SCSI_CHECK_CONDITION;
    scsi_sense_encode(sense + 2, SCSI_UNIT_ATTENTION, SCSI_ASC_POWER_ON_RESET);
    *out->pdu = answer;
    target_fault_data(out, sense, sizeof sense);
    orders.left--;
    orders.seen++;
}

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    uint8_t opcode = out->pdu->opcode;
    (void)context;
    (void)connection;
    if (orders.left == 0)
        return;
    if (orders.attention && (opcode == PDU_DATA_IN || opcode == PDU_SCSI_RESPONSE)) {
        make_attention(out);
        return;
    }
    if (opcode != orders.opcode)
        return;
    orders.left--;
    orders.seen++;
    if (orders.drop)
        out->copies = 0;
    out->end = orders.end;
    out->end_at = orders.end != TARGET_END_NONE && orders.drop ? 0 : SIZE_MAX;
    if (orders.scsi_status != 0)
        out->pdu->scsi_response.status = orders.scsi_status;
}

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    (void)context;
    (void)connection;
    if (orders.deaf)
        in->swallow = true;
}

static const struct target_fault fault = {.outgoing = on_outgoing, .incoming = on_incoming};

static int start(void **state)
{
    (void)state;
    memset(&orders, 0, sizeof orders);
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
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

/* Starts the target with what was added to it, and has the engine find it. */
static void discover(void)
{
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
}

/* Bound, with time for the other side. */
static void wait_for_sessions(uint32_t wanted)
{
    uint64_t end = os_now() + BOUND;
    while (count_sessions() != wanted) {
        if (os_now() > end)
            fail_msg("%u sessions are listed, %u expected", sessions, wanted);
        os_thread_yield();
    }
}

/* --- discovery --- */

static char portals_text[4000];

static void copy_target_portals(const void *reply)
{
    const struct reply_list_target_portals *list = reply;
    size_t length = 0;
    portals_text[0] = '\0';
    for (uint32_t i = 0; i < list->portals.count; i++)
        length += (size_t)snprintf(portals_text + length, sizeof portals_text - length, "%s%s:%u",
                                   i ? " " : "", list->portals.items[i].address,
                                   list->portals.items[i].socket);
}

static void targets_and_their_portals_are_found(void **state)
{
    char expected[100];
    struct request_list_target_portals request = {.target = "IQN.2026-11.org.example:B"};
    (void)state;
    target_host_add(&host, BASE ":a");
    target_host_add(&host, BASE ":b");
    discover();
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a " BASE ":b");
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, BASE ":a " BASE ":b");
    assert_status(ask(OPERATION_list_target_portals, &request, copy_target_portals), STATUS_OK);
    snprintf(expected, sizeof expected, "127.0.0.1:%u", host.portal.port);
    assert_string_equal(portals_text, expected);
    request.tag_given = 1;
    request.tag = 1;
    assert_status(ask(OPERATION_list_target_portals, &request, copy_target_portals), STATUS_OK);
    assert_string_equal(portals_text, expected);
    request.tag = 2;
    assert_status(ask(OPERATION_list_target_portals, &request, copy_target_portals), STATUS_OK);
    assert_string_equal(portals_text, "");
}

/* A portal of some target on the host's loop. */
static void remove_b(struct os_job *job)
{
    struct target_host *at = LIST_OWNER(job, struct target_host, job);
    target_remove(target_find(at->entity, BASE ":b"));
}

static void targets_stay_until_a_refresh(void **state)
{
    const struct portal portal = {NULL, host.portal.host, host.portal.port};
    struct request_remove_portal request = {.initiator_port = ANY_PORT, .portal = &portal};
    (void)state;
    target_host_add(&host, BASE ":a");
    target_host_add(&host, BASE ":b");
    discover();
    host.job.run = remove_b;
    os_loop_post(host.loop, &host.job);
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a " BASE ":b");
    assert_status(ask(OPERATION_refresh_portal, &request, NULL), STATUS_OK);
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a");
    assert_status(ask(OPERATION_remove_portal, &request, NULL), STATUS_OK);
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, BASE ":a");
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, "");
}

static void a_new_engine_asks_its_portals(void **state)
{
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    /* Two at once: both wait for the same answer. */
    const struct request_list_targets request = {0};
    struct ask asked[2];
    for (unsigned i = 0; i < 2; i++)
        ask_start(&asked[i], OPERATION_list_targets, &request, copy_names);
    for (unsigned i = 0; i < 2; i++)
        assert_status(ask_wait(&asked[i]), STATUS_OK);
    assert_string_equal(names, BASE ":a");
}

static void one_portal_that_answers_is_enough(void **state)
{
    os_socket listener;
    struct os_address at;
    struct portal_address closed = {.host = "127.0.0.1"};
    (void)state;
    listener = listener_new(&at);
    closed.port = os_address_port(&at);
    os_close(listener);
    target_host_add(&host, BASE ":a");
    discover();
    assert_status(add_portal(&closed), STATUS_CONNECT_REFUSED);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, BASE ":a");
}

static void a_close_during_discovery_is_a_failed_connection(void **state)
{
    static const uint8_t opcodes[] = {PDU_LOGIN_RESPONSE, PDU_TEXT_RESPONSE};
    static const enum target_end ends[] = {TARGET_END_CLOSE, TARGET_END_RESET};
    (void)state;
    target_host_add(&host, BASE ":a");
    target_host_start(&host);
    for (unsigned i = 0; i < 4; i++) {
        orders.opcode = opcodes[i / 2];
        orders.end = ends[i % 2];
        orders.drop = true;
        orders.left = 1;
        assert_status(add_portal(&host.portal), STATUS_CONNECT_FAILED);
    }
    /* What the answer said counts, however the session ends. */
    orders.opcode = PDU_LOGOUT_RESPONSE;
    orders.left = 1;
    assert_status(add_portal(&host.portal), STATUS_OK);
    assert_int_equal(orders.seen, 5);
}

static void two_hundred_targets_are_found(void **state)
{
    char name[64];
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        struct target *target;
        snprintf(name, sizeof name, BASE ":many-%03u", i);
        assert_status(target_add(host.entity, name, &target), STATUS_OK);
    }
    discover();
    assert_status(list_targets(false), STATUS_OK);
    assert_int_equal(strlen(names), 200 * strlen(BASE ":many-000") + 199);
    assert_memory_equal(names, BASE ":many-000 " BASE ":many-001 ", 2 * strlen(BASE ":many-000 "));
}

/* --- sessions --- */

static void a_session_is_listed_until_it_is_logged_out(void **state)
{
    static const uint8_t isid_start[] = {0x40, 0, 1, 0x37};
    (void)state;
    target_set_alias(target_host_add(&host, BASE ":a"), "An alias");
    discover();
    assert_int_equal(count_sessions(), 0);
    assert_status(login("IQN.2026-11.ORG.EXAMPLE:A"), STATUS_OK);
    assert_int_equal(last_session.adapter >> 32, 0xffffe001);
    assert_int_equal(last_session.specific >> 32, 0x40000137);
    assert_int_equal(last_connection.adapter, last_session.adapter);
    assert_int_equal(count_sessions(), 1);
    assert_string_equal(last_listed.target_name, BASE ":a");
    assert_string_equal(last_listed.target_alias, "An alias");
    assert_true(strncmp(last_listed.initiator_name, "iqn.", 4) == 0);
    assert_memory_equal(last_listed_text[5], isid_start, 4);
    assert_int_not_equal(last_listed.tsih, 0);
    assert_int_equal(last_listed.type, 2);
    assert_int_equal(last_listed.portal_group, 1);
    assert_int_equal(last_listed.max_burst_length, 262144);
    assert_int_equal(last_listed.first_burst_length, 65536);
    assert_int_equal(last_listed.connections.count, 1);
    assert_string_equal(last_listed_connection.target_address, "127.0.0.1");
    assert_int_equal(last_listed_connection.target_socket, host.portal.port);
    assert_string_equal(last_listed_connection.initiator_address, "127.0.0.1");
    assert_int_not_equal(last_listed_connection.initiator_socket, 0);
    assert_int_equal(last_listed_connection.cid, 1);
    assert_int_equal(last_listed_connection.state, 2);
    assert_status(logout(&last_session), STATUS_OK);
    assert_int_equal(count_sessions(), 0);
    assert_status(logout(&last_session), STATUS_SESSION_NOT_FOUND);
    struct unique_id old = last_session;
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_true(last_session.specific > old.specific);
}

/* The last two bytes of the ISID. */
static uint16_t last_qualifier(void)
{
    return get_be16((const uint8_t *)last_listed_text[5] + 4);
}

static void a_second_session_wants_multipath(void **state)
{
    const struct login_options multipath = {.flags = LOGIN_FLAG_MULTIPATH};
    (void)state;
    target_host_add(&host, BASE ":a");
    target_host_add(&host, BASE ":b");
    discover();
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    uint16_t first = last_qualifier();
    assert_status(login(BASE ":A"), STATUS_ALREADY_LOGGED_IN);
    assert_status(login(BASE ":b"), STATUS_OK);
    assert_status(login_with(BASE ":a", &multipath), STATUS_OK);
    assert_int_equal(count_sessions(), 3);
    assert_int_equal(last_qualifier(), (uint16_t)(first + 1));
    /* The first free ISID is taken again. */
    struct unique_id third = last_session;
    assert_status(logout(&third), STATUS_OK);
    assert_status(login_with(BASE ":a", &multipath), STATUS_OK);
    assert_int_equal(count_sessions(), 3);
    assert_int_equal(last_qualifier(), (uint16_t)(first + 1));
}

static void racing_logins_make_one_session(void **state)
{
    const struct request_login request = {.target = BASE ":a", .initiator_port = ANY_PORT};
    struct ask asked[8];
    unsigned successes = 0;
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    for (unsigned i = 0; i < 8; i++)
        ask_start(&asked[i], OPERATION_login, &request, copy_login);
    for (unsigned i = 0; i < 8; i++) {
        enum status status = ask_wait(&asked[i]);
        successes += status == STATUS_OK;
        if (status != STATUS_OK)
            assert_status(status, STATUS_ALREADY_LOGGED_IN);
    }
    assert_int_equal(successes, 1);
    assert_int_equal(count_sessions(), 1);
}

static void sixty_four_logins_at_once(void **state)
{
    const struct login_options multipath = {.flags = LOGIN_FLAG_MULTIPATH};
    const struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .options = &multipath};
    static struct ask asked[64];
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    for (unsigned i = 0; i < 64; i++)
        ask_start(&asked[i], OPERATION_login, &request, copy_login);
    for (unsigned i = 0; i < 64; i++)
        assert_status(ask_wait(&asked[i]), STATUS_OK);
    assert_int_equal(count_sessions(), 64);
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_int_equal(count_sessions(), 0);
}

static void what_kind_of_session_is_told(void **state)
{
    const struct login_options digests = {.specified = OPTION_HEADER_DIGEST | OPTION_DATA_DIGEST,
                                          .header_digest = 1,
                                          .data_digest = 1};
    const struct request_login request = {
        .target = BASE ":a", .informational = 1, .initiator_port = ANY_PORT, .options = &digests};
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    assert_status(ask(OPERATION_login, &request, copy_login), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed.type, 1);
    assert_int_equal(last_listed_connection.header_digest, 1);
    assert_int_equal(last_listed_connection.data_digest, 1);
    assert_int_equal(last_listed_connection.auth_type, 0);
}

/* --- authentication --- */

static const struct login_options chap = {
    .specified = OPTION_AUTH_TYPE | OPTION_USERNAME | OPTION_PASSWORD,
    .auth_type = AUTH_CHAP,
    .username = {(const uint8_t *)"user", 4},
    .password = {(const uint8_t *)"chapsecret123", 13},
};

static struct login_options chap_with(uint32_t type, const char *password)
{
    struct login_options options = chap;
    options.auth_type = type;
    options.password = (struct blob){(const uint8_t *)password, (uint32_t)strlen(password)};
    return options;
}

static enum status set_secret(const char *secret)
{
    const struct request_set_chap_secret request = {
        .secret = {(const uint8_t *)secret, (uint32_t)strlen(secret)}};
    return ask(OPERATION_set_chap_secret, &request, NULL);
}

static void chap_lets_in_who_knows_the_secret(void **state)
{
    struct login_options wrong = chap_with(AUTH_CHAP, "wrongsecret123");
    struct login_options mutual = chap_with(AUTH_MUTUAL, "chapsecret123");
    (void)state;
    struct target *target = target_host_add(&host, BASE ":a");
    target_access_add(target_access_of(target), "user", "chapsecret123");
    target_access_identity(target_access_of(target), "target", "targetsecret1");
    target_host_add(&host, BASE ":open");
    discover();
    assert_status(login(BASE ":a"), STATUS_LOGIN_AUTHENTICATION_FAILED);
    assert_status(login_with(BASE ":a", &wrong), STATUS_LOGIN_AUTHENTICATION_FAILED);
    assert_int_equal(count_sessions(), 0);
    assert_status(login_with(BASE ":a", &chap), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, 1);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(login_with(BASE ":a", &mutual), STATUS_INVALID_INITIATOR_SECRET);
    assert_status(set_secret("wrongsecret1"), STATUS_OK);
    assert_status(login_with(BASE ":a", &mutual), STATUS_TARGET_AUTHENTICATION_FAILED);
    assert_status(set_secret("targetsecret1"), STATUS_OK);
    assert_status(login_with(BASE ":a", &mutual), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.auth_type, 2);
}

static void discovery_authenticates_too(void **state)
{
    struct login_options wrong = chap_with(AUTH_CHAP, "wrongsecret123");
    (void)state;
    target_host_add(&host, BASE ":a");
    target_access_add(target_access_of_discovery(host.entity), "user", "chapsecret123");
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_LOGIN_AUTHENTICATION_FAILED);
    assert_status(add_portal_with(&host.portal, &wrong), STATUS_LOGIN_AUTHENTICATION_FAILED);
    assert_status(list_targets(false), STATUS_OK);
    assert_string_equal(names, "");
    assert_status(add_portal_with(&host.portal, &chap), STATUS_OK);
    /* The new options have taken the place of the old. */
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, BASE ":a");
}

/* --- portals and redirects --- */

static void a_portal_given_is_used(void **state)
{
    char port[100];
    const struct portal by_name = {NULL, "localhost", host.portal.port};
    const struct portal empty = {NULL, "", 0};
    struct request_login request = {
        .target = BASE ":a", .initiator_port = ANY_PORT, .portal = &by_name};
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    snprintf(port, sizeof port, "127.0.0.1:%u", host.portal.port);
    assert_status(ask(OPERATION_login, &request, copy_login), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    assert_string_equal(last_listed_connection.target_address, "localhost");
    assert_status(logout(&last_session), STATUS_OK);
    request.portal = &empty;
    assert_status(ask(OPERATION_login, &request, copy_login), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    assert_string_equal(last_listed_connection.target_address, "127.0.0.1");
}

/* The address of a local port is where the connection comes from. */
static void an_initiator_port_is_the_source_address(void **state)
{
    struct request_login request = {.target = BASE ":a", .initiator = "root\\iscsiprt\\0000_0"};
    unsigned successes = 0;
    enum status status;
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    while ((status = ask(OPERATION_login, &request, copy_login)) != STATUS_INVALID_PORT) {
        request.initiator_port++;
        if (status != STATUS_OK)
            continue;
        successes++;
        assert_int_equal(count_sessions(), 1);
        if (strcmp(last_listed_connection.initiator_address, "127.0.0.1") == 0)
            successes += 100;
        assert_status(logout(&last_session), STATUS_OK);
    }
    assert_in_range(successes, 100, 199); /* once from the loopback address */
}

static void the_next_portal_is_tried(void **state)
{
    struct portal_address dead = {.host = "127.0.0.1", .group = 1};
    struct os_address at;
    (void)state;
    os_socket listener = listener_new(&at);
    dead.port = os_address_port(&at);
    os_close(listener);
    target_host_add(&host, BASE ":a");
    /* The server's own portal comes first: it is told again behind the dead one. */
    target_remove_portal(host.entity, &host.portal);
    assert_status(target_add_portal(host.entity, &dead), STATUS_OK);
    assert_status(target_add_portal(host.entity, &host.portal), STATUS_OK);
    discover();
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(last_listed_connection.target_socket, host.portal.port);
}

static void redirect(struct target *target, const struct portal_address *to, bool permanent)
{
    char address[300];
    assert_true(portal_format(to, address, sizeof address));
    assert_status(target_set_redirect(target, address, permanent), STATUS_OK);
}

static void redirects_are_followed_but_not_in_circles(void **state)
{
    static struct target_host second;
    (void)state;
    target_host_new(&second);
    redirect(target_host_add(&host, BASE ":moved"), &second.portal, false);
    target_host_add(&second, BASE ":moved");
    redirect(target_host_add(&host, BASE ":for-good"), &second.portal, true);
    target_host_add(&second, BASE ":for-good");
    redirect(target_host_add(&host, BASE ":circle"), &second.portal, false);
    redirect(target_host_add(&second, BASE ":circle"), &host.portal, false);
    redirect(target_host_add(&host, BASE ":gone"), &second.portal, false);
    target_host_start(&second);
    discover();
    enum status circle = login(BASE ":circle");
    enum status gone = login(BASE ":gone");
    enum status for_good = login(BASE ":for-good");
    enum status moved = login(BASE ":moved");
    uint32_t count = count_sessions();
    engine_stop(engine);
    target_host_stop(&second);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(circle, STATUS_REDIRECT_LOOP);
    assert_status(gone, STATUS_LOGIN_NOT_FOUND);
    assert_status(for_good, STATUS_OK);
    assert_status(moved, STATUS_OK);
    assert_int_equal(count, 2);
    /* Callers compare with the portal that they know. */
    assert_int_equal(last_listed_connection.target_socket, host.portal.port);
}

static void credentials_stay_when_they_are_told_to(void **state)
{
    static struct target_host second;
    (void)state;
    engine_stop(engine);
    write_text("iscsi.conf", "RedirectCredentials = No\n");
    assert_status(engine_start(&engine, directory), STATUS_OK);
    target_host_new(&second);
    redirect(target_host_add(&host, BASE ":moved"), &second.portal, false);
    redirect(target_host_add(&host, BASE ":for-good"), &second.portal, true);
    target_host_add(&second, BASE ":moved");
    target_host_add(&second, BASE ":for-good");
    target_host_start(&second);
    discover();
    enum status moved = login_with(BASE ":moved", &chap);
    enum status for_good = login_with(BASE ":for-good", &chap);
    enum status open = login(BASE ":moved");
    engine_stop(engine);
    target_host_stop(&second);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(moved, STATUS_TARGET_MOVED_TEMPORARILY);
    assert_status(for_good, STATUS_TARGET_MOVED_PERMANENTLY);
    assert_status(open, STATUS_OK); /* nothing to keep */
}

/* --- targets that fail --- */

static void a_close_during_the_login_is_a_failed_connection(void **state)
{
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    orders.opcode = PDU_LOGIN_RESPONSE;
    orders.drop = true;
    orders.end = TARGET_END_CLOSE;
    orders.left = 1;
    assert_status(login(BASE ":a"), STATUS_CONNECT_FAILED);
    orders.end = TARGET_END_RESET;
    orders.left = 1;
    assert_status(login(BASE ":a"), STATUS_CONNECT_FAILED);
    assert_int_equal(count_sessions(), 0);
    assert_status(login(BASE ":a"), STATUS_OK);
}

static void want_of_descriptors_is_told(void **state)
{
    (void)state;
#ifdef _WIN32
    skip();
#else
    struct rlimit before, none;
    target_host_add(&host, BASE ":a");
    discover();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3; /* those that are open stay */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status status = login(BASE ":a");
    setrlimit(RLIMIT_NOFILE, &before);
    assert_status(status, STATUS_NO_RESOURCES);
    assert_status(login(BASE ":a"), STATUS_OK);
#endif
}

static void a_silent_login_times_out(void **state)
{
    (void)state;
    write_text("iscsi.conf", "LoginTimeout = 1\n");
    target_host_add(&host, BASE ":a");
    discover();
    orders.opcode = PDU_LOGIN_RESPONSE;
    orders.drop = true;
    orders.left = 1;
    assert_status(login(BASE ":a"), STATUS_LOGIN_TIMEOUT);
    assert_int_equal(count_sessions(), 0);
    assert_status(login(BASE ":a"), STATUS_OK);
}

static void a_login_can_be_given_up(void **state)
{
    const struct request_login request = {.target = BASE ":a", .initiator_port = ANY_PORT};
    struct ask asked;
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    orders.opcode = PDU_LOGIN_RESPONSE;
    orders.drop = true;
    orders.left = 1;
    ask_start(&asked, OPERATION_login, &request, copy_login);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    orders.left = 0;
    assert_status(login(BASE ":a"), STATUS_OK);
}

static void a_logout_ends_the_session_whatever_the_target_says(void **state)
{
    (void)state;
    write_text("iscsi.conf", "TCPDisconnectTime = 1\n");
    target_host_add(&host, BASE ":a");
    discover();
    orders.opcode = PDU_LOGOUT_RESPONSE;
    orders.drop = true;
    orders.end = TARGET_END_CLOSE;
    orders.left = 1;
    assert_status(login(BASE ":a"), STATUS_OK);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    orders.deaf = true;
    struct ask first;
    const struct request_logout request = {.session = &last_session};
    ask_start(&first, OPERATION_logout, &request, NULL);
    assert_status(logout(&last_session), STATUS_SESSION_BUSY);
    assert_status(ask_wait(&first), STATUS_LOGOUT_TIMEOUT);
    assert_int_equal(count_sessions(), 0);
    assert_status(logout(&last_session), STATUS_SESSION_NOT_FOUND);
}

static void a_stop_does_not_wait_for_ever(void **state)
{
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    assert_status(login(BASE ":a"), STATUS_OK);
    orders.deaf = true;
    uint64_t start_time = os_now();
    engine_stop(engine);
    assert_in_range(os_now() - start_time, 1900, 4000);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

/* --- SCSI --- */

static struct reply_scsi answer; /* of the latest command */
static uint8_t answer_data[4096], answer_sense[SCSI_SENSE_MAX];

static void copy_answer(const void *reply)
{
    answer = *(const struct reply_scsi *)reply;
    assert_true(answer.data.length <= sizeof answer_data);
    if (answer.data.length > 0)
        memcpy(answer_data, answer.data.data, answer.data.length);
    if (answer.sense.length > 0)
        memcpy(answer_sense, answer.sense.data, answer.sense.length);
}

static enum status scsi(const struct scsi_cdb *cdb, uint64_t lun, uint32_t length)
{
    const struct request_scsi request = {
        .session = &last_session, .lun = lun, .cdb = {cdb->bytes, cdb->length}, .length = length};
    return ask(OPERATION_scsi, &request, copy_answer);
}

static enum status read_capacity(void)
{
    struct scsi_cdb cdb;
    scsi_read_capacity_10(&cdb);
    return scsi(&cdb, 0, 8);
}

static void log_in_to_a_disk(void)
{
    target_host_add(&host, BASE ":a");
    discover();
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
}

static void commands_bring_data(void **state)
{
    struct scsi_cdb cdb;
    struct scsi_inquiry_data inquiry;
    struct scsi_capacity capacity;
    (void)state;
    log_in_to_a_disk();
    scsi_inquiry(&cdb, 0, 0, 255);
    assert_status(scsi(&cdb, 0, 255), STATUS_OK);
    assert_true(scsi_inquiry_decode(&inquiry, answer_data, answer.data.length));
    assert_int_equal(inquiry.device_type, 0);
    assert_int_equal(answer.residual, 255 - answer.data.length);
    assert_status(read_capacity(), STATUS_OK);
    assert_true(scsi_capacity_10_decode(&capacity, answer_data, answer.data.length));
    assert_int_equal(capacity.blocks, 2048);
    assert_int_equal(capacity.block_length, 512);
    scsi_report_luns(&cdb, 64);
    assert_status(scsi(&cdb, 0, 64), STATUS_OK);
    assert_int_equal(answer.data.length, 16);
    scsi_test_unit_ready(&cdb);
    assert_status(scsi(&cdb, 0, 0), STATUS_OK);
    assert_int_equal(answer.data.length, 0);
}

static void a_check_condition_brings_sense(void **state)
{
    struct scsi_cdb cdb;
    struct scsi_sense sense;
    (void)state;
    log_in_to_a_disk();
    scsi_read(&cdb, 1000000, 1);
    assert_status(scsi(&cdb, 0, 512), STATUS_SCSI_STATUS);
    assert_int_equal(answer.status, SCSI_CHECK_CONDITION);
    scsi_sense_decode(&sense, answer_sense, answer.sense.length);
    assert_true(sense.valid);
    assert_int_equal(sense.key, SCSI_ILLEGAL_REQUEST);
    assert_int_equal(sense.asc, SCSI_ASC_LBA_OUT_OF_RANGE);
}

static void commands_that_make_no_sense_are_refused(void **state)
{
    struct scsi_cdb cdb = {.length = 6};
    const struct request_scsi none = {.session = &last_session};
    (void)state;
    log_in_to_a_disk();
    assert_status(scsi(&cdb, 0, (16u << 20) + 1), STATUS_INVALID_PARAMETER);
    cdb.length = 7;
    assert_status(scsi(&cdb, 0, 0), STATUS_INVALID_PARAMETER);
    assert_status(ask(OPERATION_scsi, &none, NULL), STATUS_INVALID_PARAMETER);
}

/* BUSY and TASK SET FULL mean back off, not fail; but not for ever. */
static void a_busy_target_is_asked_again(void **state)
{
    static const uint8_t statuses[] = {SCSI_BUSY, SCSI_TASK_SET_FULL};
    struct scsi_cdb cdb;
    (void)state;
    log_in_to_a_disk();
    scsi_test_unit_ready(&cdb);
    orders.opcode = PDU_SCSI_RESPONSE;
    for (unsigned i = 0; i < 2; i++) {
        orders.scsi_status = statuses[i];
        orders.left = 3;
        assert_status(scsi(&cdb, 0, 0), STATUS_OK);
        assert_int_equal(orders.left, 0);
    }
    write_text("iscsi.conf", "WMIRequestTimeout = 1\n");
    engine_stop(engine);
    assert_status(engine_start(&engine, directory), STATUS_OK);
    assert_status(login(BASE ":a"), STATUS_OK);
    settle();
    orders.left = 1000;
    assert_status(scsi(&cdb, 0, 0), STATUS_SCSI_STATUS);
    assert_int_equal(answer.status, SCSI_TASK_SET_FULL);
}

static void a_unit_attention_does_not_spoil_read_capacity(void **state)
{
    (void)state;
    log_in_to_a_disk();
    orders.attention = true;
    orders.left = 1;
    assert_status(read_capacity(), STATUS_OK);
    assert_int_equal(orders.seen, 1);
    orders.left = 100;
    assert_status(read_capacity(), STATUS_SCSI_STATUS);
    assert_int_equal(answer.status, SCSI_CHECK_CONDITION);
    assert_int_equal(orders.seen, 5);
}

static void a_lost_connection_ends_commands_but_no_session(void **state)
{
    struct scsi_cdb cdb = {.length = 6,
                           .bytes = {0x03, 0, 0, 0, 0}}; /* REQUEST SENSE: not repeated */
    (void)state;
    log_in_to_a_disk();
    struct unique_id id = last_session;
    orders.opcode = PDU_SCSI_RESPONSE;
    orders.drop = true;
    orders.end = TARGET_END_RESET;
    orders.left = 1;
    enum status status = scsi(&cdb, 0, 0);
    if (status != STATUS_CONNECTION_RESET && status != STATUS_CONNECTION_CLOSED)
        fail_msg("expected a lost connection, got %s", status_name(status));
    assert_status(login(BASE ":a"), STATUS_ALREADY_LOGGED_IN);
    scsi_test_unit_ready(&cdb);
    assert_status(scsi(&cdb, 0, 0), STATUS_OK); /* waits for the new connection */
    assert_int_equal(count_sessions(), 1);
    assert_status(logout(&id), STATUS_OK);
    wait_for_sessions(0);
}

static void a_command_can_be_given_up(void **state)
{
    struct scsi_cdb cdb;
    struct ask asked;
    (void)state;
    log_in_to_a_disk();
    scsi_test_unit_ready(&cdb);
    const struct request_scsi request = {.session = &last_session, .cdb = {cdb.bytes, cdb.length}};
    orders.opcode = PDU_SCSI_RESPONSE;
    orders.scsi_status = SCSI_BUSY;
    orders.left = 1000;
    ask_start(&asked, OPERATION_scsi, &request, NULL);
    uint64_t end = os_now() + BOUND;
    while (orders.seen < 3 && os_now() < end)
        os_thread_yield();
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    orders.left = 0;
    assert_status(scsi(&cdb, 0, 0), STATUS_OK);
    /* One that is never answered. */
    orders.deaf = true;
    ask_start(&asked, OPERATION_scsi, &request, NULL);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    assert_int_equal(count_sessions(), 1);
}

/* Whichever allocation fails, the engine's or the target's: the call ends, and the next ones work.
 */
static void want_of_memory_ends_in_a_status(void **state)
{
    unsigned failures = 0;
    (void)state;
    target_host_add(&host, BASE ":a");
    discover();
    for (long nth = 1; nth < 80; nth++) {
        failing_allocation = nth;
        enum status found = add_portal(&host.portal);
        enum status opened = login(BASE ":a");
        enum status closed = opened == STATUS_OK ? logout(&last_session) : STATUS_OK;
        failing_allocation = 0;
        os_alloc_fail_at(0);
        failures += found != STATUS_OK || opened != STATUS_OK || closed != STATUS_OK;
        wait_for_sessions(0);
    }
    assert_true(failures > 20);
    assert_status(list_targets(true), STATUS_OK);
    assert_string_equal(names, BASE ":a");
    assert_status(login(BASE ":a"), STATUS_OK);
}

#define LOGIN_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOGIN_TEST(targets_and_their_portals_are_found),
        LOGIN_TEST(targets_stay_until_a_refresh),
        LOGIN_TEST(a_new_engine_asks_its_portals),
        LOGIN_TEST(one_portal_that_answers_is_enough),
        LOGIN_TEST(a_close_during_discovery_is_a_failed_connection),
        LOGIN_TEST(two_hundred_targets_are_found),
        LOGIN_TEST(a_session_is_listed_until_it_is_logged_out),
        LOGIN_TEST(a_second_session_wants_multipath),
        LOGIN_TEST(racing_logins_make_one_session),
        LOGIN_TEST(sixty_four_logins_at_once),
        LOGIN_TEST(what_kind_of_session_is_told),
        LOGIN_TEST(chap_lets_in_who_knows_the_secret),
        LOGIN_TEST(discovery_authenticates_too),
        LOGIN_TEST(a_portal_given_is_used),
        LOGIN_TEST(an_initiator_port_is_the_source_address),
        LOGIN_TEST(the_next_portal_is_tried),
        LOGIN_TEST(redirects_are_followed_but_not_in_circles),
        LOGIN_TEST(credentials_stay_when_they_are_told_to),
        LOGIN_TEST(a_close_during_the_login_is_a_failed_connection),
        LOGIN_TEST(want_of_descriptors_is_told),
        LOGIN_TEST(a_silent_login_times_out),
        LOGIN_TEST(a_login_can_be_given_up),
        LOGIN_TEST(a_logout_ends_the_session_whatever_the_target_says),
        LOGIN_TEST(a_stop_does_not_wait_for_ever),
        LOGIN_TEST(commands_bring_data),
        LOGIN_TEST(a_check_condition_brings_sense),
        LOGIN_TEST(commands_that_make_no_sense_are_refused),
        LOGIN_TEST(a_busy_target_is_asked_again),
        LOGIN_TEST(a_unit_attention_does_not_spoil_read_capacity),
        LOGIN_TEST(a_lost_connection_ends_commands_but_no_session),
        LOGIN_TEST(a_command_can_be_given_up),
        LOGIN_TEST(want_of_memory_ends_in_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
