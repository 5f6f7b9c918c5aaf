/* Sessions of several connections in the engine: what happens when one of them is lost, refused,
 * redirected or removed. */
#include "engine_test.h"

#include "engine/options.h"

#include <stdatomic.h>

enum { CIDS = 8, MOST = 4 /* connections that a login asks for */ };

static struct target_host host;

/* What the target does. Two threads see it. */
static struct {
    atomic_uint logins[CIDS]; /* that came to full feature phase */
    atomic_uint cut[CIDS];    /* the number of the latest one that is to end */
    atomic_uint lost_opcode;  /* PDUs that are not sent ... */
    atomic_uint lost_cid;     /* ... on this connection; 0: on any */
    atomic_uint refusal;      /* of logins that join a session: class, detail */
    atomic_uint refusals;
    atomic_uint slow;        /* milliseconds that Data-In takes on CID 2 */
    atomic_uint deaf;        /* CID of a connection that nothing is heard on */
    atomic_bool one_only;    /* a session may have one connection from now on */
    const char *_Atomic way; /* joining logins are sent there */
} orders;

/* --- the target --- */

enum { MEMORY_CID, MEMORY_JOINS, MEMORY_NUMBER };
enum { LOOK_AGAIN = 2 /* milliseconds */ };

static void on_full_feature(void *context, struct target_connection *connection)
{
    uint32_t *memory = target_fault_memory(connection);
    (void)context;
    if (memory[MEMORY_CID] >= CIDS)
        return;
    memory[MEMORY_NUMBER] = ++orders.logins[memory[MEMORY_CID]];
    target_fault_timer(connection, LOOK_AGAIN);
}

static void on_timer(void *context, struct target_connection *connection)
{
    const uint32_t *memory = target_fault_memory(connection);
    (void)context;
    if (memory[MEMORY_NUMBER] <= orders.cut[memory[MEMORY_CID]])
        target_fault_end(connection, TARGET_END_RESET);
    else
        target_fault_timer(connection, LOOK_AGAIN);
}

static void on_incoming(void *context, struct target_connection *connection,
                        struct target_fault_in *in)
{
    uint32_t *memory = target_fault_memory(connection);
    (void)context;
    if (in->pdu->opcode == PDU_LOGIN_REQUEST) {
        memory[MEMORY_CID] = in->pdu->login_request.cid;
        memory[MEMORY_JOINS] = in->pdu->login_request.tsih != 0;
    }
    in->swallow = orders.deaf != 0 && memory[MEMORY_CID] == orders.deaf;
}

static void say_one_only(struct target_fault_out *out)
{
    static const char key[] = "MaxConnections=4";
    uint8_t text[4096];
    if (out->length > sizeof text)
        return;
    memcpy(text, out->data, out->length);
    for (uint32_t i = 0; i + sizeof key <= out->length; i++) {
        if (memcmp(text + i, key, sizeof key) == 0)
            text[i + sizeof key - 2] = '1';
    }
    assert_true(target_fault_data(out, text, out->length));
}

static void answer_join(struct target_fault_out *out)
{
    struct pdu_login_response *response = &out->pdu->login_response;
    const char *way = orders.way;
    if (way != NULL) {
        char text[300];
        int length = snprintf(text, sizeof text, "TargetAddress=%s", way);
        response->status_class = 1;
        response->status_detail = 1;
        assert_true(target_fault_data(out, text, (uint32_t)length + 1));
        orders.way = NULL;
    } else if (orders.refusal != 0) {
        response->status_class = (uint8_t)(orders.refusal >> 8);
        response->status_detail = (uint8_t)orders.refusal;
        orders.refusals++;
    }
    if (response->status_class != 0)
        out->end = TARGET_END_CLOSE;
    out->end_at = SIZE_MAX;
}

static void on_outgoing(void *context, struct target_connection *connection,
                        struct target_fault_out *out)
{
    const uint32_t *memory = target_fault_memory(connection);
    uint8_t opcode = out->pdu->opcode;
    (void)context;
    if (opcode == PDU_LOGIN_RESPONSE && memory[MEMORY_JOINS])
        answer_join(out);
    else if (opcode == PDU_LOGIN_RESPONSE && orders.one_only)
        say_one_only(out);
    if (opcode == PDU_DATA_IN && memory[MEMORY_CID] == 2)
        out->delay = orders.slow;
    if (orders.lost_opcode == opcode &&
        (orders.lost_cid == 0 || orders.lost_cid == memory[MEMORY_CID]))
        out->copies = 0;
}

static const struct target_fault fault = {.full_feature = on_full_feature,
                                          .timer = on_timer,
                                          .incoming = on_incoming,
                                          .outgoing = on_outgoing};

/* Ends connections that stand; 0: all. They notice it themselves, for nobody else knows which of
 * them there still are. */
static void cut(unsigned cid)
{
    for (unsigned i = 1; i < CIDS; i++) {
        if (cid == 0 || i == cid)
            orders.cut[i] = orders.logins[i];
    }
}

/* --- the engine --- */

static int start(void **state)
{
    (void)state;
    memset(&orders, 0, sizeof orders);
    new_directory();
    assert_status(engine_start(&engine, directory), STATUS_OK);
    target_host_new(&host);
    target_entity_settings(host.entity)->fault = &fault;
    target_entity_settings(host.entity)->offers.default_time2wait = 0;
    target_entity_settings(host.entity)->offers.max_connections = MOST;
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

static struct unique_id added;

static void copy_connection(const void *reply)
{
    added = *((const struct reply_add_connection *)reply)->connection;
}

static struct portal at; /* the host's portal, after log_in */

static const struct request_add_connection *addition(const struct login_options *options)
{
    static struct request_add_connection request;
    request = (struct request_add_connection){
        .session = &last_session, .initiator_port = ANY_PORT, .portal = &at, .options = options};
    return &request;
}

static enum status add(void)
{
    return ask(OPERATION_add_connection, addition(NULL), copy_connection);
}

static enum status drop(const struct unique_id *connection)
{
    const struct request_remove_connection request = {.session = &last_session,
                                                      .connection = connection};
    return ask(OPERATION_remove_connection, &request, NULL);
}

/* Logs in to a disk; more connections follow. `wait` is the session's DefaultTime2Wait. */
static void log_in(unsigned more, uint32_t wait, const char *settings)
{
    const struct login_options options = {.specified = OPTION_DEFAULT_TIME2WAIT,
                                          .default_time2wait = wait};
    if (settings != NULL)
        write_text("iscsi.conf", settings);
    target_host_add(&host, BASE ":a");
    target_host_start(&host);
    assert_status(add_portal(&host.portal), STATUS_OK);
    /* Nobody looks at the units of such a session: all its commands are the test's. */
    const struct request_login request = {
        .target = BASE ":a", .informational = 1, .initiator_port = ANY_PORT, .options = &options};
    assert_status(ask(OPERATION_login, &request, copy_login), STATUS_OK);
    at = (struct portal){.address = host.portal.host, .socket = host.portal.port};
    for (unsigned i = 0; i < more; i++)
        assert_status(add(), STATUS_OK);
}

static enum status send_inquiry(void)
{
    struct scsi_cdb cdb;
    scsi_inquiry(&cdb, 0, 0, 36);
    const struct request_scsi request = {
        .session = &last_session, .cdb = {cdb.bytes, cdb.length}, .length = 36};
    return ask(OPERATION_scsi, &request, NULL);
}

/* --- what is listed --- */

static struct {
    bool there;
    char cids[64]; /* in order, such as "1 2 3"; one that is leaving in brackets */
    struct unique_id ids[CIDS];
    uint16_t sockets[CIDS];
    uint16_t tsih;
} listed;

static void copy_list(const void *reply)
{
    const struct reply_list_sessions *list = reply;
    listed.there = list->sessions.count > 0;
    listed.cids[0] = '\0';
    if (!listed.there)
        return;
    const struct session_info *session = &list->sessions.items[0];
    size_t length = 0;
    listed.tsih = session->tsih;
    for (uint32_t i = 0; i < session->connections.count; i++) {
        const struct connection_info *connection = &session->connections.items[i];
        length += (size_t)snprintf(listed.cids + length, sizeof listed.cids - length,
                                   connection->state == 2 ? "%s%u" : "%s(%u)", i > 0 ? " " : "",
                                   connection->cid);
        if (connection->cid < CIDS) {
            listed.ids[connection->cid] = *connection->id;
            listed.sockets[connection->cid] = connection->target_socket;
        }
    }
}

static const char *cids(void)
{
    const struct request_list_sessions request = {0};
    assert_status(ask(OPERATION_list_sessions, &request, copy_list), STATUS_OK);
    return listed.there ? listed.cids : "no session";
}

static void wait_for(const char *expected)
{
    uint64_t end = os_now() + BOUND;
    while (strcmp(cids(), expected) != 0) {
        if (os_now() > end)
            fail_msg("the connections are %s, %s expected", cids(), expected);
        os_thread_yield();
    }
}

static void wait_for_login(unsigned cid, unsigned number)
{
    uint64_t end = os_now() + BOUND;
    while (orders.logins[cid] < number) {
        if (os_now() > end)
            fail_msg("%u logins of connection %u, %u expected", (unsigned)orders.logins[cid], cid,
                     number);
        os_thread_yield();
    }
}

/* --- losses --- */

static void one_of_several_is_made_anew(void **state)
{
    (void)state;
    log_in(2, 1, NULL);
    wait_for("1 2 3");
    struct unique_id id = listed.ids[2];
    uint16_t tsih = listed.tsih;
    uint64_t began = os_now();
    cut(2);
    wait_for("1 3");
    assert_status(send_inquiry(), STATUS_OK); /* at once, on another one */
    wait_for("1 2 3");
    assert_in_range(os_now() - began, 1000, 4000); /* Time2Wait */
    assert_int_equal(listed.ids[2].specific, id.specific);
    assert_int_equal(listed.tsih, tsih);
    assert_int_equal(orders.logins[2], 2);
    assert_int_equal(orders.logins[1], 1 + 1 /* of the discovery */);
    for (int i = 0; i < 10; i++)
        assert_status(send_inquiry(), STATUS_OK);
}

static void the_leading_one_as_well(void **state)
{
    (void)state;
    log_in(1, 0, NULL);
    wait_for("1 2");
    struct unique_id id = listed.ids[1];
    uint16_t tsih = listed.tsih;
    orders.refusal = 0x0301;
    cut(1);
    wait_for("2");
    assert_status(send_inquiry(), STATUS_OK);
    assert_status(drop(&listed.ids[2]), STATUS_LAST_CONNECTION);
    assert_status(drop(&id), STATUS_LEADING_CONNECTION);
    orders.refusal = 0;
    wait_for("1 2");
    assert_int_equal(listed.ids[1].specific, id.specific);
    assert_int_equal(listed.tsih, tsih);
    assert_status(send_inquiry(), STATUS_OK);
}

static void when_all_are_lost_all_come_back(void **state)
{
    (void)state;
    log_in(2, 0, NULL);
    wait_for("1 2 3");
    struct unique_id ids[CIDS];
    memcpy(ids, listed.ids, sizeof ids);
    cut(0);
    wait_for_login(3, 2);
    wait_for("1 2 3");
    for (unsigned cid = 1; cid <= 3; cid++)
        assert_int_equal(listed.ids[cid].specific, ids[cid].specific);
    for (int i = 0; i < 10; i++)
        assert_status(send_inquiry(), STATUS_OK);
    assert_status(logout(&last_session), STATUS_OK);
    assert_string_equal(cids(), "no session");
}

static void a_session_without_any_waits(void **state)
{
    (void)state;
    log_in(2, 30, NULL);
    wait_for("1 2 3");
    struct unique_id second = listed.ids[2], third = listed.ids[3];
    cut(0);
    wait_for("");
    assert_status(add(), STATUS_NO_CONNECTION);
    assert_status(drop(&second), STATUS_OK); /* it will not come back */
    assert_status(drop(&second), STATUS_CONNECTION_NOT_FOUND);
    assert_status(drop(&third), STATUS_OK);
    assert_status(drop(&listed.ids[1]), STATUS_LAST_CONNECTION);
    assert_status(logout(&last_session), STATUS_OK);
}

static void a_target_may_want_fewer_from_then_on(void **state)
{
    (void)state;
    log_in(3, 0, NULL);
    wait_for("1 2 3 4");
    orders.one_only = true;
    cut(0);
    wait_for("1");
    assert_status(add(), STATUS_TOO_MANY_CONNECTIONS);
    assert_status(send_inquiry(), STATUS_OK);
}

/* The target has counted its refusal; the engine has heard of it, too, when it has two answers to
 * what it sent after that. */
static void hear_of_refusal(void)
{
    assert_status(send_inquiry(), STATUS_OK);
    assert_status(send_inquiry(), STATUS_OK);
}

/* What is lost and was never made anew does not keep its place for ever. */
static void retries_may_be_limited(void **state)
{
    (void)state;
    log_in(1, 0, "MaxConnectionRetries = 2\n");
    wait_for("1 2");
    struct unique_id second = listed.ids[2];
    orders.refusal = 0x0301;
    cut(2);
    wait_for("1");
    uint64_t end = os_now() + BOUND;
    while (orders.refusals < 2 && os_now() < end)
        os_thread_yield();
    orders.refusal = 0;
    wait_for("1");
    assert_int_equal(orders.refusals, 2);
    hear_of_refusal();
    assert_status(drop(&second), STATUS_CONNECTION_NOT_FOUND);
    assert_status(add(), STATUS_OK);
    wait_for("1 2");
}

static void a_target_may_refuse_it_for_good(void **state)
{
    (void)state;
    log_in(1, 0, NULL);
    wait_for("1 2");
    struct unique_id second = listed.ids[2];
    orders.refusal = 0x0204; /* the target was removed */
    cut(2);
    wait_for("1");
    uint64_t end = os_now() + BOUND;
    while (orders.refusals == 0 && os_now() < end)
        os_thread_yield();
    wait_for("1");
    assert_int_equal(orders.refusals, 1);
    hear_of_refusal();
    assert_status(drop(&second), STATUS_CONNECTION_NOT_FOUND);
    assert_status(send_inquiry(), STATUS_OK);
}

static void a_silent_one_is_found_out_alone(void **state)
{
    (void)state;
    log_in(1, 0, "WMIRequestTimeout = 1\n");
    wait_for("1 2");
    orders.deaf = 1; /* with nothing else to do, commands go there */
    assert_status(send_inquiry(), STATUS_COMMAND_TIMEOUT);
    orders.deaf = 0;
    wait_for_login(1, 3); /* with the discovery's */
    wait_for("1 2");
    assert_int_equal(orders.logins[2], 1);
    for (int i = 0; i < 10; i++)
        assert_status(send_inquiry(), STATUS_OK);
}

enum { CALLERS = 4, CUTS = 150 };

static atomic_bool enough;

struct caller {
    struct os_thread *thread;
    unsigned calls, failures;
    enum status failure; /* the latest */
};

static void stream(void *argument)
{
    struct caller *caller = argument;
    while (!enough) {
        enum status status = send_inquiry();
        caller->calls++;
        if (status == STATUS_OK)
            continue;
        caller->failures++;
        caller->failure = status;
    }
}

/* Others carry on, and nobody notices. */
static void losses_under_load(void **state)
{
    static struct caller callers[CALLERS];
    (void)state;
    memset(callers, 0, sizeof callers);
    enough = false;
    log_in(2, 0, "DelayBetweenReconnect = 0\n");
    for (unsigned i = 0; i < CALLERS; i++)
        callers[i].thread = os_thread_start(stream, &callers[i]);
    for (unsigned i = 0; i < CUTS; i++) {
        unsigned cid = i % 10 == 9 ? 0 : 1 + i % 3;
        unsigned last = cid == 0 ? 3 : cid;
        unsigned before = orders.logins[last];
        cut(cid);
        wait_for_login(last, before + 1);
    }
    wait_for("1 2 3");
    enough = true;
    for (unsigned i = 0; i < CALLERS; i++) {
        os_thread_join(callers[i].thread);
        if (callers[i].failures > 0)
            fail_msg("%u of %u commands failed: %s", callers[i].failures, callers[i].calls,
                     status_name(callers[i].failure));
        assert_true(callers[i].calls > CUTS);
    }
    assert_status(logout(&last_session), STATUS_OK);
}

/* --- additions --- */

static void a_joining_login_may_be_sent_elsewhere(void **state)
{
    char way[100];
    struct portal_address second;
    (void)state;
    assert_status(target_server_listen(host.server, "127.0.0.1", 0, 1, &second), STATUS_OK);
    snprintf(way, sizeof way, "127.0.0.1:%u,1", second.port);
    log_in(0, 0, NULL);
    orders.way = way;
    assert_status(add(), STATUS_OK);
    wait_for("1 2");
    assert_int_equal(listed.sockets[2], host.portal.port); /* as the caller knows it */
    assert_status(send_inquiry(), STATUS_OK);
    cut(2);
    wait_for_login(2, 2);
    wait_for("1 2");
}

static void but_not_in_circles(void **state)
{
    char way[100];
    (void)state;
    log_in(0, 0, NULL);
    snprintf(way, sizeof way, "127.0.0.1:%u,1", host.portal.port);
    orders.way = way;
    assert_status(add(), STATUS_REDIRECT_LOOP);
    wait_for("1");
    assert_status(send_inquiry(), STATUS_OK);
    assert_status(add(), STATUS_OK);
}

static void a_refused_one_leaves_the_session_alone(void **state)
{
    static const struct {
        unsigned refusal;
        enum status status;
    } cases[] = {
        {0x0201, STATUS_LOGIN_AUTHENTICATION_FAILED},
        {0x0202, STATUS_LOGIN_AUTHORIZATION_FAILED},
        {0x0206, STATUS_LOGIN_TOO_MANY_CONNECTIONS},
        {0x0208, STATUS_LOGIN_CANT_INCLUDE},
        {0x020a, STATUS_LOGIN_NO_SESSION},
        {0x0302, STATUS_LOGIN_OUT_OF_RESOURCES},
    };
    (void)state;
    log_in(0, 0, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        orders.refusal = cases[i].refusal;
        assert_status(add(), cases[i].status);
        assert_string_equal(cids(), "1");
    }
    orders.refusal = 0;
    assert_status(send_inquiry(), STATUS_OK);
    assert_status(add(), STATUS_OK);
}

/* A target that still counts a connection that has gone is asked again. */
static void room_that_was_just_made_is_waited_for(void **state)
{
    struct ask asked;
    (void)state;
    log_in(1, 0, NULL);
    assert_status(drop(&added), STATUS_OK);
    orders.refusal = 0x0208;
    ask_start(&asked, OPERATION_add_connection, addition(NULL), copy_connection);
    uint64_t end = os_now() + BOUND;
    while (orders.refusals < 2 && os_now() < end)
        os_thread_yield();
    orders.refusal = 0;
    assert_status(ask_wait(&asked), STATUS_OK);
    assert_true(orders.refusals >= 2);
    wait_for("1 2");
}

static void what_ends_an_addition(void **state)
{
    struct ask asked;
    (void)state;
    log_in(0, 0, NULL);
    orders.lost_opcode = PDU_LOGIN_RESPONSE;
    orders.lost_cid = 2;
    ask_start(&asked, OPERATION_add_connection, addition(NULL), copy_connection);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    assert_string_equal(cids(), "1");

    ask_start(&asked, OPERATION_add_connection, addition(NULL), copy_connection);
    cids();
    cut(1);
    assert_status(ask_wait(&asked), STATUS_NO_CONNECTION);
    wait_for("1");

    ask_start(&asked, OPERATION_add_connection, addition(NULL), copy_connection);
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(ask_wait(&asked), STATUS_SESSION_NOT_FOUND);
}

/* Those under way count. */
static void additions_at_the_same_time(void **state)
{
    struct ask asked[MOST];
    unsigned good = 0, refused = 0;
    (void)state;
    log_in(0, 0, NULL);
    for (unsigned i = 0; i < MOST; i++)
        ask_start(&asked[i], OPERATION_add_connection, addition(NULL), NULL);
    for (unsigned i = 0; i < MOST; i++) {
        enum status status = ask_wait(&asked[i]);
        good += status == STATUS_OK;
        refused += status == STATUS_TOO_MANY_CONNECTIONS;
    }
    assert_int_equal(good, MOST - 1);
    assert_int_equal(refused, 1);
    wait_for("1 2 3 4");
}

/* --- removals --- */

static void commands_end_before_their_connection(void **state)
{
    struct ask inquiries[4], asked;
    struct scsi_cdb cdb;
    (void)state;
    log_in(1, 0, NULL);
    scsi_inquiry(&cdb, 0, 0, 36);
    const struct request_scsi request = {
        .session = &last_session, .cdb = {cdb.bytes, cdb.length}, .length = 36};
    const struct request_remove_connection removal = {.session = &last_session,
                                                      .connection = &added};
    orders.slow = 300;
    uint64_t began = os_now();
    for (int i = 0; i < 4; i++)
        ask_start(&inquiries[i], OPERATION_scsi, &request, NULL);
    ask_start(&asked, OPERATION_remove_connection, &removal, NULL);
    assert_string_equal(cids(), "1 (2)");
    assert_status(drop(&added), STATUS_CONNECTION_LEAVING);
    for (int i = 0; i < 4; i++)
        assert_status(ask_wait(&inquiries[i]), STATUS_OK);
    assert_status(ask_wait(&asked), STATUS_OK);
    assert_true(os_now() - began >= 300);
    assert_string_equal(cids(), "1");
}

static void one_removal_at_a_time(void **state)
{
    struct ask asked;
    struct unique_id second;
    (void)state;
    log_in(2, 0, "TCPDisconnectTime = 1\n");
    cids();
    second = listed.ids[2];
    const struct request_remove_connection removal = {.session = &last_session,
                                                      .connection = &second};
    orders.deaf = 2;
    ask_start(&asked, OPERATION_remove_connection, &removal, NULL);
    assert_status(drop(&second), STATUS_CONNECTION_LEAVING);
    assert_status(drop(&added), STATUS_CONNECTION_LEAVING);
    assert_status(send_inquiry(), STATUS_OK);
    assert_status(ask_wait(&asked), STATUS_OK); /* it is gone, answered or not */
    assert_string_equal(cids(), "1 3");
    assert_status(drop(&added), STATUS_OK);
    assert_string_equal(cids(), "1");
}

static void a_removal_that_nobody_waits_for_goes_on(void **state)
{
    struct ask asked;
    (void)state;
    log_in(1, 0, "TCPDisconnectTime = 1\n");
    const struct request_remove_connection removal = {.session = &last_session,
                                                      .connection = &added};
    orders.deaf = 2;
    ask_start(&asked, OPERATION_remove_connection, &removal, NULL);
    ask_give_up(&asked);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    assert_string_equal(cids(), "1 (2)");
    wait_for("1");
}

static void a_leaving_one_may_be_lost(void **state)
{
    struct ask asked;
    (void)state;
    log_in(1, 0, NULL);
    const struct request_remove_connection removal = {.session = &last_session,
                                                      .connection = &added};
    orders.deaf = 2;
    ask_start(&asked, OPERATION_remove_connection, &removal, NULL);
    cids();
    cut(2);
    assert_status(ask_wait(&asked), STATUS_OK);
    assert_string_equal(cids(), "1");
}

static void the_session_may_go_first(void **state)
{
    struct ask asked;
    (void)state;
    log_in(1, 0, NULL);
    const struct request_remove_connection removal = {.session = &last_session,
                                                      .connection = &added};
    orders.deaf = 2;
    ask_start(&asked, OPERATION_remove_connection, &removal, NULL);
    cids();
    assert_status(logout(&last_session), STATUS_OK);
    assert_status(ask_wait(&asked), STATUS_OK);
    assert_string_equal(cids(), "no session");
}

/* --- the end of the session --- */

/* Whenever its connection dies, there is nobody to tell. */
static void a_logout_beside_a_loss(void **state)
{
    (void)state;
    log_in(0, 0, NULL);
    for (unsigned i = 0; i < 30; i++) {
        struct ask asked;
        const struct request_logout request = {.session = &last_session};
        struct unique_id gone = last_session;
        if (i % 2 == 0)
            assert_status(add(), STATUS_OK);
        cut(0);
        for (unsigned spin = 0; spin < i * 200; spin++)
            os_thread_yield();
        ask_start(&asked, OPERATION_logout, &request, NULL);
        assert_status(ask_wait(&asked), STATUS_OK);
        assert_status(logout(&gone), STATUS_SESSION_NOT_FOUND);
        assert_status(login(BASE ":a"), STATUS_OK);
    }
}

static void the_engine_may_stop_with_several(void **state)
{
    struct ask asked;
    (void)state;
    log_in(2, 0, NULL);
    cut(2);
    orders.lost_opcode = PDU_LOGIN_RESPONSE;
    orders.lost_cid = 4;
    ask_start(&asked, OPERATION_add_connection, addition(NULL), NULL);
    uint64_t began = os_now();
    engine_stop(engine);
    assert_status(ask_wait(&asked), STATUS_CANCELLED);
    assert_true(os_now() - began < 2500);
    assert_status(engine_start(&engine, directory), STATUS_OK);
}

/* --- want of memory --- */

static void want_of_memory_in_an_addition(void **state)
{
    const struct login_options options = {.specified = OPTION_HEADER_DIGEST, .header_digest = 1};
    (void)state;
    log_in(0, 0, NULL);
    for (long nth = 1; nth < 60; nth++) {
        failing_allocation = nth;
        enum status status =
            ask(OPERATION_add_connection, addition(nth % 2 ? &options : NULL), copy_connection);
        failing_allocation = 0;
        os_alloc_fail_at(0);
        if (status == STATUS_OK)
            assert_status(drop(&added), STATUS_OK);
        wait_for("1");
    }
    assert_status(send_inquiry(), STATUS_OK);
}

static void want_of_memory_in_a_recovery(void **state)
{
    (void)state;
    log_in(1, 0, "DelayBetweenReconnect = 0\n");
    for (long nth = 1; nth < 40; nth++) {
        unsigned before = orders.logins[2];
        wait_for("1 2");
        os_alloc_fail_at(nth);
        cut(2);
        uint64_t end = os_now() + BOUND;
        while (orders.logins[2] == before && os_now() < end)
            os_thread_yield();
        os_alloc_fail_at(0);
    }
    wait_for("1 2");
    assert_status(send_inquiry(), STATUS_OK);
}

#define CONNECTION_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECTION_TEST(one_of_several_is_made_anew),
        CONNECTION_TEST(the_leading_one_as_well),
        CONNECTION_TEST(when_all_are_lost_all_come_back),
        CONNECTION_TEST(a_session_without_any_waits),
        CONNECTION_TEST(a_target_may_want_fewer_from_then_on),
        CONNECTION_TEST(retries_may_be_limited),
        CONNECTION_TEST(a_target_may_refuse_it_for_good),
        CONNECTION_TEST(a_silent_one_is_found_out_alone),
        CONNECTION_TEST(losses_under_load),
        CONNECTION_TEST(a_joining_login_may_be_sent_elsewhere),
        CONNECTION_TEST(but_not_in_circles),
        CONNECTION_TEST(a_refused_one_leaves_the_session_alone),
        CONNECTION_TEST(room_that_was_just_made_is_waited_for),
        CONNECTION_TEST(what_ends_an_addition),
        CONNECTION_TEST(additions_at_the_same_time),
        CONNECTION_TEST(commands_end_before_their_connection),
        CONNECTION_TEST(one_removal_at_a_time),
        CONNECTION_TEST(a_removal_that_nobody_waits_for_goes_on),
        CONNECTION_TEST(a_leaving_one_may_be_lost),
        CONNECTION_TEST(the_session_may_go_first),
        CONNECTION_TEST(a_logout_beside_a_loss),
        CONNECTION_TEST(the_engine_may_stop_with_several),
        CONNECTION_TEST(want_of_memory_in_an_addition),
        CONNECTION_TEST(want_of_memory_in_a_recovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
