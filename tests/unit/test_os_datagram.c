/* Datagrams between sockets of this process. */
#include "os_test.h"

static os_socket open_at(const char *host, struct os_address *at)
{
    struct os_address any;
    os_socket socket;
    assert_true(os_address_parse(&any, host, 0));
    assert_status(os_datagram_open(&socket, &any), STATUS_OK);
    assert_true(os_local_address(socket, at));
    assert_int_not_equal(os_address_port(at), 0);
    return socket;
}

/* What one receive gives, waiting for it. */
static long receive(os_socket socket, void *out, size_t room, struct os_address *from,
                    enum status *status)
{
    uint64_t end = os_now() + BOUND;
    long got;
    while ((got = os_datagram_receive(socket, out, room, from, status)) == 0) {
        if (os_now() > end)
            fail_msg("nothing received within %u ms", BOUND);
        os_thread_yield();
    }
    return got;
}

static void expect(os_socket socket, const char *text, struct os_address *from)
{
    char got[64] = "";
    enum status status = STATUS_OK;
    long length = receive(socket, got, sizeof got - 1, from, &status);
    if (length < 0)
        fail_msg("expected \"%s\", got %s", text, status_name(status));
    assert_string_equal(got, text);
    assert_int_equal(length, (long)strlen(text));
}

static void send_to(os_socket socket, const char *text, const struct os_address *to)
{
    assert_status(os_datagram_send(socket, text, strlen(text), to), STATUS_OK);
}

static void questions_and_answers(const char *host)
{
    struct os_address at, client_at, from;
    os_socket client, server = open_at(host, &at);
    assert_status(os_datagram_connect(&client, &at, NULL), STATUS_OK);
    assert_true(os_local_address(client, &client_at));
    send_to(client, "question", NULL);
    expect(server, "question", &from);
    assert_true(os_address_same_host(&from, &client_at));
    assert_int_equal(os_address_port(&from), os_address_port(&client_at));
    send_to(server, "answer", &from);
    expect(client, "answer", NULL);
    os_close(client);
    os_close(server);
}

static void both_families_carry_datagrams(void **state)
{
    (void)state;
    questions_and_answers("127.0.0.1");
    questions_and_answers("::1");
}

static void a_connected_socket_hears_its_peer_alone(void **state)
{
    struct os_address at, other_at, client_at;
    os_socket client, server = open_at("127.0.0.1", &at), other = open_at("127.0.0.1", &other_at);
    (void)state;
    assert_status(os_datagram_connect(&client, &at, NULL), STATUS_OK);
    assert_true(os_local_address(client, &client_at));
    send_to(other, "forged", &client_at);
    send_to(server, "genuine", &client_at);
    expect(client, "genuine", NULL);
    os_close(client);
    os_close(other);
    os_close(server);
}

static void empty_and_overlong_ones_are_dropped(void **state)
{
    static const char long_text[] = "more than what the receiver has room for";
    struct os_address at;
    char got[16];
    enum status status = STATUS_OK;
    os_socket client, server = open_at("127.0.0.1", &at);
    (void)state;
    assert_status(os_datagram_connect(&client, &at, NULL), STATUS_OK);
    send_to(client, "", NULL);
    send_to(client, long_text, NULL);
    send_to(client, "short", NULL);
    assert_int_equal(receive(server, got, sizeof got, NULL, &status), 5);
    assert_memory_equal(got, "short", 5);
    assert_int_equal(os_datagram_receive(server, got, sizeof got, NULL, &status), 0);
    os_close(client);
    os_close(server);
}

/* However many there are of them: they come to an end, and what is behind them arrives. */
static void a_flood_of_what_is_dropped_holds_nothing_up(void **state)
{
    struct os_address at;
    os_socket client, server = open_at("127.0.0.1", &at);
    (void)state;
    assert_status(os_datagram_connect(&client, &at, NULL), STATUS_OK);
    for (int i = 0; i < 100; i++)
        send_to(client, "", NULL);
    send_to(client, "behind", NULL);
    expect(server, "behind", NULL);
    os_close(client);
    os_close(server);
}

static void nobody_there_is_told(void **state)
{
    struct os_address at;
    os_socket client, server = open_at("127.0.0.1", &at);
    char got[16];
    enum status status = STATUS_OK;
    (void)state;
    os_close(server);
    assert_status(os_datagram_connect(&client, &at, NULL), STATUS_OK);
    send_to(client, "anybody there?", NULL);
    assert_int_equal(receive(client, got, sizeof got, NULL, &status), -1);
    assert_status(status, STATUS_CONNECT_REFUSED);
    os_close(client);
}

/* A socket for all does not suffer from one that has gone. */
static void an_open_socket_survives_those_who_leave(void **state)
{
    struct os_address at, gone_at;
    os_socket server = open_at("127.0.0.1", &at), gone = open_at("127.0.0.1", &gone_at), client;
    (void)state;
    os_close(gone);
    send_to(server, "are you there?", &gone_at);
    assert_status(os_datagram_connect(&client, &at, NULL), STATUS_OK);
    send_to(client, "I am", NULL);
    expect(server, "I am", NULL);
    os_close(client);
    os_close(server);
}

static void a_taken_port_is_busy(void **state)
{
    struct os_address at;
    os_socket again, server = open_at("127.0.0.1", &at);
    (void)state;
    assert_status(os_datagram_open(&again, &at), STATUS_BUSY);
    assert_true(again == OS_NO_SOCKET);
    os_close(server);
}

static void the_source_is_as_asked(void **state)
{
    struct os_address at, source, from;
    os_socket client, server = open_at("127.0.0.1", &at);
    (void)state;
    os_close(open_at("127.0.0.1", &source)); /* a port that is free */
    assert_status(os_datagram_connect(&client, &at, &source), STATUS_OK);
    send_to(client, "from there", NULL);
    expect(server, "from there", &from);
    assert_true(os_address_same_host(&from, &source));
    assert_int_equal(os_address_port(&from), os_address_port(&source));
    os_close(client);
    os_close(server);
}

/* --- in a loop --- */

struct watched {
    struct os_watch watch;
    char got[16];
};

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct watched *watched = LIST_OWNER(watch, struct watched, watch);
    enum status status = STATUS_OK;
    struct os_loop *loop = watch->loop;
    assert_int_equal(events, OS_READABLE);
    assert_int_equal(
        os_datagram_receive(watch->socket, watched->got, sizeof watched->got, NULL, &status), 5);
    os_watch_stop(watch);
    os_loop_stop(loop);
}

static void a_loop_tells_of_datagrams(void **state)
{
    struct os_address at;
    struct watched watched = {.watch.ready = on_ready};
    os_socket client, server = open_at("127.0.0.1", &at);
    struct os_loop *loop = os_loop_new();
    (void)state;
    assert_non_null(loop);
    watched.watch.socket = server;
    assert_true(os_watch_start(loop, &watched.watch, OS_READABLE));
    assert_status(os_datagram_connect(&client, &at, NULL), STATUS_OK);
    send_to(client, "hello", NULL);
    os_loop_run(loop);
    assert_memory_equal(watched.got, "hello", 5);
    os_loop_free(loop);
    os_close(client);
    os_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_families_carry_datagrams),
        cmocka_unit_test(a_connected_socket_hears_its_peer_alone),
        cmocka_unit_test(empty_and_overlong_ones_are_dropped),
        cmocka_unit_test(a_flood_of_what_is_dropped_holds_nothing_up),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(an_open_socket_survives_those_who_leave),
        cmocka_unit_test(a_taken_port_is_busy),
        cmocka_unit_test(the_source_is_as_asked),
        cmocka_unit_test(a_loop_tells_of_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
