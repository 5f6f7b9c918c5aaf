/* The iSNS client against a server that plays by the rules, and one that does not. */
#include "isns_server.h"
#include "os_loop_test.h"

#include "discovery/isns.h"

#define NODE "iqn.2026-11.org.example:initiator"
#define BASE "iqn.2026-11.org.example:"

static struct isns_server server;
static struct isns_client *client;

/* What the client has told. */
static struct {
    unsigned found;
    unsigned changed;
    unsigned ended;
    enum status status;
    size_t count;     /* records of the last event */
    char text[8192];  /* the first of them */
    char target[256]; /* of the last change */
    unsigned wanted;  /* events to stop after */
    bool close_in_event;
} told;

static void write_records(const struct discovery_records *records)
{
    size_t length = 0;
    told.count = records->count;
    told.text[0] = '\0';
    for (size_t i = 0; i < records->count && length < sizeof told.text - 400; i++) {
        const struct discovery_record *r = &records->items[i];
        length += (size_t)snprintf(told.text + length, sizeof told.text - length, "%s(%s)%s:%u,%u ",
                                   r->target + sizeof BASE - 1, r->alias != NULL ? r->alias : "-",
                                   r->host != NULL ? r->host : "-", r->port, r->group);
    }
}

static void count_event(void)
{
    if (told.close_in_event) {
        isns_close(client);
        client = NULL;
    }
    if (told.wanted > 0 && --told.wanted == 0)
        os_loop_stop(guard.loop);
}

static void on_found(void *context, const struct discovery_records *records)
{
    (void)context;
    told.found++;
    write_records(records);
    count_event();
}

static void on_changed(void *context, const char *target, const struct discovery_records *records)
{
    (void)context;
    told.changed++;
    snprintf(told.target, sizeof told.target, "%s", target);
    write_records(records);
    count_event();
}

static void on_ended(void *context, enum status status)
{
    (void)context;
    told.ended++;
    told.status = status;
    count_event();
}

static const struct isns_events events = {
    .found = on_found, .changed = on_changed, .ended = on_ended};

static struct isns_client *open_client(struct os_loop *loop, uint16_t port, uint32_t patience)
{
    const struct isns_settings settings = {.host = "127.0.0.1",
                                           .port = port,
                                           .node = NODE,
                                           .alias = "here",
                                           .connect_timeout = patience,
                                           .answer_timeout = patience};
    memset(&told, 0, sizeof told);
    return isns_open(loop, &settings, &events, NULL);
}

static void wait_events(struct os_loop *loop, unsigned count)
{
    told.wanted = count;
    run(loop);
}

/* Up to the first list of targets. */
static void start(struct os_loop *loop)
{
    client = open_client(loop, os_address_port(&server.at), BOUND);
    assert_non_null(client);
    wait_events(loop, 1);
    if (told.found != 1)
        fail_msg("no targets were found: %s", status_name(told.status));
}

static int set_up(void **state)
{
    int result = loop_setup(state);
    if (result == 0)
        server_start(&server, guard.loop);
    return result;
}

static int tear_down(void **state)
{
    isns_close(client);
    client = NULL;
    server_stop(&server);
    return loop_teardown(state);
}

/* --- a server that plays by the rules --- */

static void an_initiator_registers_and_finds_targets(void **state)
{
    static const uint8_t here[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    server_add(&server, BASE "one", 2, 7);
    server_add(&server, BASE "two", 1, 1);
    start(*state);
    assert_string_equal(server.log, "replace subscribe all ");
    assert_string_equal(told.text, "one(alias of one)10.0.0.1:3260,7 one(alias of one)10.0.0.2:3260"
                                   ",7 two(alias of two)10.0.0.1:3260,1 ");
    assert_string_equal(server.node, NODE);
    assert_string_equal(server.entity, NODE);
    assert_string_equal(server.alias, "here");
    assert_memory_equal(server.address, here, sizeof here);
    assert_in_range(server.scn_port, 1, 65535);
    assert_int_equal(server.bitmap, 0x5c);
    assert_int_not_equal(server.asked_period, 0);
}

static void no_targets_are_an_answer(void **state)
{
    start(*state);
    assert_int_equal(told.count, 0);
    assert_int_equal(told.ended, 0);
}

static void addresses_may_be_of_the_compatible_form(void **state)
{
    server_add(&server, BASE "one", 2, 1);
    server.compatible = true;
    start(*state);
    assert_string_equal(told.text, "one(alias of one)10.0.0.1:3260,1 one(alias of one)10.0.0.2:3260"
                                   ",1 ");
}

static void a_target_that_gives_no_access_has_no_portals(void **state)
{
    server_add(&server, BASE "one", 1, 0);
    start(*state);
    assert_string_equal(told.text, "one(alias of one)-:0,0 ");
    assert_string_equal(server.log, "replace subscribe all ");
}

static void add_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, BASE "%03u", i);
        server_add(&server, name, 2, 1);
    }
}

static void more_targets_than_fit_are_asked_for_one_by_one(void **state)
{
    add_many(500);
    server.answer_most = 20;
    start(*state);
    assert_int_equal(told.count, 1000);
    assert_true(
        strncmp(told.text, "000(alias of 000)10.0.0.1:3260,1 000(alias of 000)10.0.0.2", 58) == 0);
}

static void an_answer_may_take_many_pdus(void **state)
{
    add_many(500);
    server.pdu_most = 1000;
    start(*state);
    assert_int_equal(told.count, 1000);
    assert_string_equal(server.log, "replace subscribe all ");
}

static void a_server_without_portal_groups_is_asked_for_portals(void **state)
{
    server_add(&server, BASE "one", 2, 7);
    server_add(&server, BASE "none", 0, 7);
    server.plain = true;
    start(*state);
    assert_string_equal(told.text, "one(alias of one)10.0.0.1:3260,0 one(alias of one)10.0.0.2:3260"
                                   ",0 none(alias of none)-:0,0 ");
    assert_string_equal(server.log,
                        "replace subscribe all next one portals next one portals next ");
}

static void asking_again_finds_what_is_new(void **state)
{
    start(*state);
    server_add(&server, BASE "new", 1, 1);
    isns_ask(client);
    wait_events(*state, 1);
    assert_int_equal(told.found, 2);
    assert_string_equal(told.text, "new(alias of new)10.0.0.1:3260,1 ");
}

/* --- notices --- */

static void notices_are_followed(void **state)
{
    server_add(&server, BASE "one", 1, 1);
    start(*state);
    server_add(&server, BASE "new", 1, 5);
    server_tell(&server, ISNS_SCN, BASE "new", ISNS_SCN_OBJECT_ADDED);
    wait_events(*state, 1);
    assert_int_equal(told.changed, 1);
    assert_string_equal(told.target, BASE "new");
    assert_string_equal(told.text, "new(alias of new)10.0.0.1:3260,5 ");
    server_remove(&server, BASE "one");
    server_tell(&server, ISNS_SCN, BASE "one", ISNS_SCN_OBJECT_REMOVED);
    wait_events(*state, 1);
    assert_int_equal(told.changed, 2);
    assert_string_equal(told.target, BASE "one");
    assert_int_equal(told.count, 0);
    assert_int_equal(told.found, 1);
    run_for_a_while(*state);
    assert_non_null(strstr(server.log, "scn-response"));
    assert_null(strstr(server.log, "?"));
}

static void a_notice_may_come_on_the_connection_there_is(void **state)
{
    start(*state);
    server_add(&server, BASE "new", 1, 5);
    server_tell_there(&server, ISNS_SCN, BASE "new", ISNS_SCN_OBJECT_ADDED);
    wait_events(*state, 1);
    assert_string_equal(told.text, "new(alias of new)10.0.0.1:3260,5 ");
    assert_non_null(strstr(server.log, "scn-response"));
    assert_int_equal(server.connections, 1);
}

static void a_notice_of_something_else_asks_for_all(void **state)
{
    start(*state);
    server_add(&server, BASE "new", 1, 5);
    server_tell(&server, ISNS_SCN, NULL, ISNS_SCN_DD_MEMBER_ADDED);
    wait_events(*state, 1);
    assert_int_equal(told.found, 2);
    assert_int_equal(told.count, 1);
}

static void a_flood_of_notices_is_one_question(void **state)
{
    start(*state);
    server.log[0] = server.last[0] = '\0';
    for (unsigned i = 0; i < 500; i++) {
        char name[64];
        snprintf(name, sizeof name, BASE "%03u", i);
        server_tell_there(&server, ISNS_SCN, name, ISNS_SCN_OBJECT_ADDED);
    }
    add_many(500);
    while (told.found < 2)
        wait_events(*state, 1);
    assert_int_equal(told.count, 1000);
    assert_in_range(told.changed, 0, 400);
}

static void who_was_taken_off_the_books_registers_again(void **state)
{
    start(*state);
    server.log[0] = server.last[0] = '\0';
    server.registered = false;
    server_tell_there(&server, ISNS_SCN, NODE, ISNS_SCN_OBJECT_REMOVED);
    wait_events(*state, 1);
    assert_int_equal(told.found, 2);
    assert_string_equal(server.log, "scn-response register subscribe all ");
}

static bool esi_answered;

static void on_asked(struct isns_server *of, unsigned function)
{
    (void)of;
    esi_answered = esi_answered || function == (ISNS_ESI | ISNS_RESPONSE);
    if (esi_answered)
        os_loop_stop(guard.loop);
}

static void inquiries_are_answered(void **state)
{
    start(*state);
    esi_answered = false;
    server.asked = on_asked;
    assert_int_equal(server.esi_port, server.scn_port);
    server_tell(&server, ISNS_ESI, NULL, 0);
    run(*state);
    assert_true(esi_answered);
}

static void a_server_may_refuse_inquiries(void **state)
{
    server.no_inquiries = true;
    start(*state);
    assert_string_equal(server.log, "replace subscribe all ");
    assert_int_equal(server.esi_port, 0);
}

static void a_server_may_refuse_notices(void **state)
{
    server.errors[ISNS_SCN_REG] = ISNS_SCN_REGISTRATION_REJECTED;
    server_add(&server, BASE "one", 1, 1);
    start(*state);
    assert_int_equal(told.count, 1);
}

/* --- the registration's life --- */

static void a_registration_is_renewed_in_time(void **state)
{
    server.period = 1;
    uint64_t began = os_now();
    start(*state);
    server.log[0] = server.last[0] = '\0';
    wait_events(*state, 1);
    assert_in_range(os_now() - began, 900, 1000 + BOUND / 2);
    assert_string_equal(server.log, "register subscribe all ");
    assert_int_equal(server.connections, 1);
}

static void who_leaves_is_taken_off_the_books(void **state)
{
    start(*state);
    isns_leave(client);
    wait_events(*state, 1);
    assert_int_equal(told.ended, 1);
    assert_status(told.status, STATUS_OK);
    assert_string_equal(server.log, "replace subscribe all leave ");
    assert_false(server.registered);
}

static void who_never_came_can_leave(void **state)
{
    client = open_client(*state, os_address_port(&server.at), BOUND);
    isns_leave(client);
    wait_events(*state, 1);
    assert_status(told.status, STATUS_OK);
    assert_string_equal(server.log, "");
}

static void a_client_can_be_closed_in_its_events(void **state)
{
    client = open_client(*state, os_address_port(&server.at), BOUND);
    told.close_in_event = true;
    wait_events(*state, 1);
    assert_int_equal(told.found, 1);
    server.errors[ISNS_DEV_ATTR_REG] = ISNS_INVALID_REGISTRATION;
    client = open_client(*state, os_address_port(&server.at), BOUND);
    told.close_in_event = true;
    wait_events(*state, 1);
    assert_int_equal(told.ended, 1);
}

/* --- servers that refuse --- */

static void refusals_are_told(void **state)
{
    static const struct {
        unsigned function;
        enum isns_error error;
        enum status status;
    } rows[] = {
        {ISNS_DEV_ATTR_REG, ISNS_INVALID_REGISTRATION, STATUS_REJECTED},
        {ISNS_DEV_ATTR_REG, ISNS_SOURCE_UNAUTHORIZED, STATUS_ACCESS_DENIED},
        {ISNS_DEV_ATTR_REG, ISNS_VERSION_NOT_SUPPORTED, STATUS_ISNS_VERSION},
        {ISNS_DEV_ATTR_REG, ISNS_BUSY, STATUS_BUSY},
        {ISNS_SCN_REG, ISNS_SOURCE_UNKNOWN, STATUS_REJECTED},
        {ISNS_DEV_ATTR_QRY, ISNS_SOURCE_UNAUTHORIZED, STATUS_ACCESS_DENIED},
        {ISNS_DEV_ATTR_QRY, ISNS_SOURCE_UNKNOWN, STATUS_REJECTED},
        {ISNS_DEV_GET_NEXT, ISNS_INTERNAL_ERROR, STATUS_REJECTED},
    };
    server_add(&server, BASE "one", 1, 1);
    server_add(&server, BASE "two", 1, 1);
    server.answer_most = 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memset(server.errors, 0, sizeof server.errors);
        server.errors[rows[i].function] = rows[i].error;
        client = open_client(*state, os_address_port(&server.at), BOUND);
        wait_events(*state, 1);
        if (told.ended != 1 || told.status != rows[i].status)
            fail_msg("row %zu: ended %u, %s", i, told.ended, status_name(told.status));
        isns_close(client);
        client = NULL;
        run_for_a_while(*state); /* the server sees it */
    }
}

static void one_target_that_cannot_be_asked_for_does_not_hide_the_others(void **state)
{
    server_add(&server, BASE "one", 1, 1);
    server_add(&server, BASE "two", 1, 1);
    server.errors[ISNS_DEV_ATTR_QRY] = ISNS_INTERNAL_ERROR;
    start(*state);
    assert_int_equal(told.count, 0);
    assert_string_equal(server.log,
                        "replace subscribe all next one portals next one portals next ");
}

/* --- servers that misbehave --- */

static void misbehaviour_is_told(void **state)
{
    static const struct {
        enum server_fault fault;
        enum status status;
    } rows[] = {
        {FAULT_SILENCE, STATUS_ISNS_SERVER_NOT_FOUND}, {FAULT_CLOSE, STATUS_CONNECTION_CLOSED},
        {FAULT_RESET, STATUS_CONNECTION_RESET},        {FAULT_GARBAGE, STATUS_PROTOCOL_ERROR},
        {FAULT_VERSION, STATUS_ISNS_VERSION},          {FAULT_TRANSACTION, STATUS_PROTOCOL_ERROR},
        {FAULT_FUNCTION, STATUS_PROTOCOL_ERROR},       {FAULT_NO_STATUS, STATUS_PROTOCOL_ERROR},
        {FAULT_CUT_ATTRIBUTE, STATUS_PROTOCOL_ERROR},  {FAULT_CUT_PDU, STATUS_CONNECTION_CLOSED},
        {FAULT_SEQUENCE, STATUS_PROTOCOL_ERROR},       {FAULT_ENDLESS, STATUS_PROTOCOL_ERROR},
        {FAULT_AUTHENTICATION, STATUS_PROTOCOL_ERROR}, {FAULT_TWICE, STATUS_PROTOCOL_ERROR},
        {FAULT_SAME_TARGET, STATUS_PROTOCOL_ERROR},
    };
    static const unsigned functions[] = {ISNS_DEV_ATTR_REG, ISNS_DEV_ATTR_QRY};
    server_add(&server, BASE "one", 1, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows * 2; i++) {
        server.fault = rows[i / 2].fault;
        server.fault_at = functions[i % 2];
        if (server.fault == FAULT_SAME_TARGET)
            server_add(&server, BASE "two", 1, 1);
        server.answer_most = server.fault == FAULT_SAME_TARGET ? 1 : 0;
        bool silent = server.fault == FAULT_SILENCE;
        client = open_client(*state, os_address_port(&server.at), silent ? 100 : BOUND);
        while (told.ended == 0)
            wait_events(*state, 1);
        /* Wine takes a reset for an end now and then. */
        if (server.fault == FAULT_RESET && told.status == STATUS_CONNECTION_CLOSED)
            told.status = STATUS_CONNECTION_RESET;
        if (told.status != rows[i / 2].status)
            fail_msg("fault %d at function %u: %s, not %s", server.fault, server.fault_at,
                     status_name(told.status), status_name(rows[i / 2].status));
        isns_close(client);
        client = NULL;
        run_for_a_while(*state);
    }
}

static void servers_that_are_not_there_are_told(void **state)
{
    uint16_t port = os_address_port(&server.at);
    server_stop(&server);
    client = open_client(*state, port, BOUND);
    wait_events(*state, 1);
    assert_status(told.status, STATUS_CONNECT_REFUSED);
    isns_close(client);
    client = NULL;
    server_restart(&server);
}

static void a_server_that_goes_is_noticed(void **state)
{
    start(*state);
    server_stop(&server);
    wait_events(*state, 1);
    assert_int_equal(told.ended, 1);
    assert_status(told.status, STATUS_CONNECTION_CLOSED);
    server_restart(&server);
}

/* --- who else calls --- */

static unsigned dropped;

static void on_dropped(struct isns_link *link, enum status status)
{
    (void)status;
    isns_link_close(link);
    dropped++;
    os_loop_stop(guard.loop);
}

static void on_answered(struct isns_link *link, const struct isns_header *header,
                        const uint8_t *payload, size_t length)
{
    (void)link;
    assert_int_equal(header->function, ISNS_DD_REG | ISNS_RESPONSE);
    assert_int_equal(length, 4);
    assert_int_equal(payload[3], ISNS_MESSAGE_NOT_SUPPORTED);
    os_loop_stop(guard.loop);
}

static const struct isns_link_events stranger_events = {.message = on_answered,
                                                        .failed = on_dropped};
static struct isns_link strangers[20];
static struct isns_link *connecting;

static void on_stranger(void *context, enum status status, os_socket socket)
{
    (void)context;
    assert_status(status, STATUS_OK);
    assert_true(isns_link_open(connecting, guard.loop, socket, &stranger_events, 1000));
    os_loop_stop(guard.loop);
}

static void connect_stranger(struct os_loop *loop, struct isns_link *stranger)
{
    const struct connector_target to = {
        .host = "127.0.0.1", .port = (uint16_t)server.scn_port, .timeout = BOUND};
    connecting = stranger;
    assert_non_null(connector_start(loop, &to, on_stranger, NULL));
    run(loop);
}

static void strangers_do_no_harm(void **state)
{
    static const char garbage[] = "GET / HTTP/1.1\r\n\r\n";
    uint8_t bytes[64];
    struct isns_writer writer;
    start(*state);
    dropped = 0;
    connect_stranger(*state, &strangers[0]);
    isns_link_send(&strangers[0], (const uint8_t *)garbage, sizeof garbage - 1);
    run(*state);
    assert_int_equal(dropped, 1);
    /* A response to nothing. */
    connect_stranger(*state, &strangers[0]);
    isns_begin(&writer, bytes, sizeof bytes, ISNS_SCN | ISNS_RESPONSE, ISNS_FROM_SERVER, 1);
    isns_link_send(&strangers[0], bytes, isns_end(&writer));
    run(*state);
    assert_int_equal(dropped, 2);
    /* A request that we are not there for. */
    connect_stranger(*state, &strangers[0]);
    isns_begin(&writer, bytes, sizeof bytes, ISNS_DD_REG, ISNS_FROM_SERVER, 1);
    isns_link_send(&strangers[0], bytes, isns_end(&writer));
    run(*state);
    isns_link_close(&strangers[0]);
    /* More than anybody needs: the oldest one has to go. */
    for (size_t i = 0; i < 17; i++)
        connect_stranger(*state, &strangers[i]);
    while (dropped < 3)
        run(*state);
    assert_false(isns_link_is_open(&strangers[0]));
    for (size_t i = 1; i < 17; i++) {
        assert_true(isns_link_is_open(&strangers[i]));
        isns_link_close(&strangers[i]);
    }
    assert_int_equal(told.ended, 0);
}

static void want_of_memory_is_told(void **state)
{
    bool found = false;
    server_add(&server, BASE "one", 2, 1);
    for (long nth = 1; !found; nth++) {
        assert_in_range(nth, 1, 500);
        os_alloc_fail_at(nth);
        /* The server's allocations fail as well: it may say nothing then. */
        client = open_client(*state, os_address_port(&server.at), 200);
        if (client != NULL)
            wait_events(*state, 1);
        os_alloc_fail_at(0);
        found = told.found == 1;
        isns_close(client);
        client = NULL;
        run_for_a_while(*state);
    }
    assert_int_equal(told.count, 2);
}

#define ISNS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ISNS_TEST(an_initiator_registers_and_finds_targets),
        ISNS_TEST(no_targets_are_an_answer),
        ISNS_TEST(addresses_may_be_of_the_compatible_form),
        ISNS_TEST(a_target_that_gives_no_access_has_no_portals),
        ISNS_TEST(more_targets_than_fit_are_asked_for_one_by_one),
        ISNS_TEST(an_answer_may_take_many_pdus),
        ISNS_TEST(a_server_without_portal_groups_is_asked_for_portals),
        ISNS_TEST(asking_again_finds_what_is_new),
        ISNS_TEST(notices_are_followed),
        ISNS_TEST(a_notice_may_come_on_the_connection_there_is),
        ISNS_TEST(a_notice_of_something_else_asks_for_all),
        ISNS_TEST(a_flood_of_notices_is_one_question),
        ISNS_TEST(who_was_taken_off_the_books_registers_again),
        ISNS_TEST(inquiries_are_answered),
        ISNS_TEST(a_server_may_refuse_inquiries),
        ISNS_TEST(a_server_may_refuse_notices),
        ISNS_TEST(a_registration_is_renewed_in_time),
        ISNS_TEST(who_leaves_is_taken_off_the_books),
        ISNS_TEST(who_never_came_can_leave),
        ISNS_TEST(a_client_can_be_closed_in_its_events),
        ISNS_TEST(refusals_are_told),
        ISNS_TEST(one_target_that_cannot_be_asked_for_does_not_hide_the_others),
        ISNS_TEST(misbehaviour_is_told),
        ISNS_TEST(servers_that_are_not_there_are_told),
        ISNS_TEST(a_server_that_goes_is_noticed),
        ISNS_TEST(strangers_do_no_harm),
        ISNS_TEST(want_of_memory_is_told),
    };
    return cmocka_run_group_tests_name("isns_client", tests, NULL, NULL);
}
