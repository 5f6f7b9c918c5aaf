#include "os_test.h"

#ifndef _WIN32
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

static void literals_are_parsed_and_printed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *printed;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::1", "::1"},
        {"::", "::"},
        {"2001:DB8:0:0:0:0:0:10", "2001:db8::10"},
        {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"fe80::1%4294967295", "fe80::1%4294967295"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct os_address address;
        char host[OS_HOST_TEXT];
        uint16_t port = 0;
        if (!os_address_parse(&address, rows[i].text, 3260))
            fail_msg("'%s' was not understood", rows[i].text);
        os_address_format(&address, host, &port);
        assert_string_equal(host, rows[i].printed);
        assert_int_equal(port, 3260);
        assert_int_equal(os_address_port(&address), 3260);
        assert_int_equal(os_address_is_ipv6(&address), strchr(rows[i].text, ':') != NULL);
    }
}

static void what_is_no_literal_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "127.0.0",
        "127.0.0.1 ",
        " 127.0.0.1",
        "127.0.0.256",
        "127.0.0.1.1",
        "0x7f.0.0.1",
        "1",
        "localhost",
        "[::1]",
        ":::1",
        "::1::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "::12345",
        "::g",
        "fe80::1%",
        "fe80::1%4294967296",
        "fe80::1%99999999999999999999",
        "fe80::1%no-such-interface",
        "%1",
        "127.0.0.1%1",
        "::1.2.3",
        "::ffff:1.2.3.4.5",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff:1111"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct os_address address;
        if (os_address_parse(&address, rows[i], 1))
            fail_msg("'%s' was taken for an address", rows[i]);
    }
}

static void zones_by_number_and_name_meet(void **state)
{
    (void)state;
    struct os_address numbered, again;
    char host[OS_HOST_TEXT];
    assert_true(os_address_parse(&numbered, "fe80::1%1", 1));
    os_address_format(&numbered, host, NULL);
    assert_non_null(strchr(host, '%'));
    assert_true(os_address_parse(&again, host, 2));
    assert_true(os_address_same_host(&numbered, &again));
    assert_true(os_address_parse(&again, "fe80::1%2", 1));
    assert_false(os_address_same_host(&numbered, &again));
}

static void same_host_leaves_the_port_out(void **state)
{
    (void)state;
    struct os_address a = loopback(1), b = loopback(2), c, none = {0};
    assert_true(os_address_same_host(&a, &b));
    assert_true(os_address_parse(&c, "127.0.0.2", 1));
    assert_false(os_address_same_host(&a, &c));
    assert_true(os_address_parse(&c, "::1", 1));
    assert_false(os_address_same_host(&a, &c));
    assert_false(os_address_same_host(&none, &none));
    assert_false(os_address_is_ipv6(&none));
    assert_int_equal(os_address_port(&none), 0);
    char host[OS_HOST_TEXT] = "x";
    uint16_t port = 7;
    os_address_format(&none, host, &port);
    assert_string_equal(host, "");
    assert_int_equal(port, 0);
}

static void bytes_go_both_ways_in_pieces(void **state)
{
    (void)state;
    struct os_address at;
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    enum status status = STATUS_OK;
    struct iov out[] = {{"head", 4}, {NULL, 0}, {"-", 1}, {"tail", 4}};
    assert_int_equal(os_send(pair.client, out, 4, &status), 9);
    char head[3], tail[16];
    size_t got = 0;
    uint64_t end = os_now() + BOUND;
    while (got < 9 && os_now() < end) { /* loopback hands it over at once, or nearly */
        struct iov in[] = {{head, sizeof head}, {tail, sizeof tail}};
        long step = got == 0
                        ? os_receive(pair.server, in, 2, &status)
                        : os_receive(pair.server, &(struct iov){tail + got - 3, 16}, 1, &status);
        assert_true(step >= 0);
        got += (size_t)step;
    }
    assert_memory_equal(head, "hea", 3);
    assert_memory_equal(tail, "d-tail", 6);
    char none[4];
    assert_int_equal(os_receive(pair.server, &(struct iov){none, 4}, 1, &status), 0);
    assert_int_equal(os_receive(pair.server, &(struct iov){none, 0}, 1, &status), 0);
    assert_int_equal(os_send(pair.server, NULL, 0, &status), 0);
    assert_status(status, STATUS_OK);
    pair_close(pair);
    os_close(listener);
}

static void both_ends_know_the_addresses(void **state)
{
    (void)state;
    struct os_address at, client, peer, accepted_peer;
    os_socket listener = listener_new(&at), server = OS_NO_SOCKET, socket;
    assert_status(os_connect(&socket, &at, NULL), STATUS_OK);
    uint64_t end = os_now() + BOUND;
    while (!os_accept(listener, &server, &accepted_peer) && os_now() < end)
        os_thread_yield();
    assert_true(server != OS_NO_SOCKET);
    assert_true(os_local_address(socket, &client));
    assert_true(os_peer_address(server, &peer));
    assert_int_equal(os_address_port(&client), os_address_port(&peer));
    assert_int_equal(os_address_port(&accepted_peer), os_address_port(&peer));
    assert_true(os_address_same_host(&client, &peer));
    assert_status(os_connect_result(socket), STATUS_OK);
    assert_false(os_accept(listener, &server, NULL));
    assert_false(os_local_address(OS_NO_SOCKET, &client));
    os_close(socket);
    os_close(listener);
}

static void the_source_address_is_used(void **state)
{
    (void)state;
    struct os_address at, source, peer;
    os_socket listener = listener_new(&at), socket;
    assert_true(os_address_parse(&source, "127.0.0.5", 0));
    assert_status(os_connect(&socket, &at, &source), STATUS_OK);
    os_socket server = accept_within_bound(listener);
    assert_true(os_peer_address(server, &peer));
    assert_true(os_address_same_host(&peer, &source));
    pair_close((struct pair){socket, server});
    assert_true(os_address_parse(&source, "192.0.2.254", 0)); /* not ours: RFC 5737 */
    assert_status(os_connect(&socket, &at, &source), STATUS_CONNECT_FAILED);
    assert_true(socket == OS_NO_SOCKET);
    os_close(listener);
}

static void each_direction_ends_by_itself(void **state)
{
    (void)state;
    struct os_address at;
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    enum status status = STATUS_OK;
    char bytes[8];
    assert_int_equal(send_text(pair.client, "bye", &status), 3);
    os_shutdown_send(pair.client);
    assert_int_equal(receive_within_bound(pair.server, bytes, sizeof bytes, &status), 3);
    assert_int_equal(receive_within_bound(pair.server, bytes, sizeof bytes, &status), -1);
    assert_status(status, STATUS_CONNECTION_CLOSED);
    assert_int_equal(send_text(pair.server, "ok", &status), 2); /* the other direction is open */
    assert_int_equal(receive_within_bound(pair.client, bytes, sizeof bytes, &status), 2);
    pair_close(pair);
    os_close(listener);
}

static size_t send_until_full(os_socket socket)
{
    static char block[1 << 18];
    enum status status = STATUS_OK;
    size_t total = 0;
    long sent;
    while ((sent = os_send(socket, &(struct iov){block, sizeof block}, 1, &status)) > 0)
        total += (size_t)sent;
    assert_int_equal(sent, 0);
    assert_status(status, STATUS_OK);
    return total;
}

static size_t receive_until_end(os_socket socket, enum status *status)
{
    static char block[1 << 18];
    size_t total = 0;
    long got;
    while ((got = receive_within_bound(socket, block, sizeof block, status)) > 0)
        total += (size_t)got;
    return total;
}

/* A close delivers what was sent before it, an abort drops it. Wine sends a FIN before the RST, so
 * that the peer may take the abort for an orderly end. */
static void an_abort_drops_what_a_close_delivers(void **state)
{
    (void)state;
    struct os_address at;
    os_socket listener = listener_new(&at);
    enum status status = STATUS_OK;
    struct pair pair = pair_new(listener, &at);
    size_t sent = send_until_full(pair.client);
    os_close(pair.client);
    assert_int_equal(receive_until_end(pair.server, &status), sent);
    assert_status(status, STATUS_CONNECTION_CLOSED);
    os_close(pair.server);

    pair = pair_new(listener, &at);
    sent = send_until_full(pair.client);
    os_abort(pair.client);
    assert_true(receive_until_end(pair.server, &status) < sent);
    if (status != STATUS_CONNECTION_CLOSED)
        assert_status(status, STATUS_CONNECTION_RESET);
    os_close(pair.server);
    os_close(listener);
}

/* SIGPIPE would end the test program here. */
static void sending_to_nobody_is_an_error_and_no_signal(void **state)
{
    (void)state;
    struct os_address at;
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    enum status status = STATUS_OK;
    os_abort(pair.server);
    uint64_t end = os_now() + BOUND;
    long sent = 0;
    while (sent >= 0 && os_now() < end)
        sent = send_text(pair.client, "anybody there?", &status);
    assert_int_equal(sent, -1);
    assert_status(status, STATUS_CONNECTION_RESET);
    status = STATUS_OK;
    assert_int_equal(send_text(pair.client, "again", &status), -1);
    assert_status(status, STATUS_CONNECTION_RESET);
    os_close(pair.client);
    os_close(listener);
}

static void a_full_peer_blocks_without_an_error(void **state)
{
    (void)state;
    static char block[1 << 20];
    struct os_address at;
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    enum status status = STATUS_OK;
    struct iov pieces[OS_IOV_MAX + 10]; /* more than are looked at */
    for (size_t i = 0; i < OS_IOV_MAX + 10; i++)
        pieces[i] = (struct iov){block + 1000 * i, 1000};
    long first = os_send(pair.client, pieces, OS_IOV_MAX + 10, &status);
    assert_true(first > 0 && first <= (long)OS_IOV_MAX * 1000);
    size_t total = (size_t)first + send_until_full(pair.client);
    while (total > 0) {
        long got = receive_within_bound(pair.server, block, sizeof block, &status);
        assert_true(got > 0);
        total -= (size_t)got;
    }
    pair_close(pair);
    os_close(listener);
}

#ifdef __linux__
static int buffer_of(os_socket socket, int direction)
{
    int size = 0;
    socklen_t length = sizeof size;
    assert_int_equal(getsockopt((int)socket, SOL_SOCKET, direction, &size, &length), 0);
    return size;
}

/* Linux keeps twice as much, for its own bookkeeping: socket(7). */
static void buffers_are_as_large_as_is_said(void **state)
{
    static const uint32_t sizes[] = {20000, 40000, 100000};
    struct os_address address;
    os_socket listener = listener_new(&address), client;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_status(os_connect_buffered(&client, &address, NULL, sizes[i]), STATUS_OK);
        assert_int_equal(buffer_of(client, SO_RCVBUF), 2 * sizes[i]);
        assert_int_equal(buffer_of(client, SO_SNDBUF), 2 * sizes[i]);
        os_close(client);
    }
    os_close(listener);
}
#endif

static void listening_errors_are_told_apart(void **state)
{
    (void)state;
    struct os_address at, elsewhere, none = {0};
    os_socket listener = listener_new(&at), second;
    assert_status(os_listen(&second, &at, 5), STATUS_BUSY);
    assert_true(second == OS_NO_SOCKET);
    assert_true(os_address_parse(&elsewhere, "192.0.2.254", 0)); /* not ours: RFC 5737 */
    assert_status(os_listen(&second, &elsewhere, 5), STATUS_INVALID_ADDRESS);
    assert_status(os_listen(&second, &none, 5), STATUS_ADDRESS_FAMILY);
    assert_status(os_connect(&second, &none, NULL), STATUS_ADDRESS_FAMILY);
    os_close(listener);
    os_close(OS_NO_SOCKET);
    os_abort(OS_NO_SOCKET);
}

/* With no descriptor left the connection is refused instead of keeping the listener ready for ever.
 */
static void running_out_of_descriptors_refuses_connections(void **state)
{
    (void)state;
#ifdef _WIN32
    skip();
#else
    enum { MOST = 64 };
    struct rlimit before, few;
    struct os_address at;
    os_socket client, accepted, listener = listener_new(&at);
    enum status status = STATUS_OK;
    int files[MOST], count = 0;
    char byte;
    assert_status(os_connect(&client, &at, NULL), STATUS_OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)client + MOST / 2;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (count < MOST && (files[count] = dup(0)) >= 0)
        count++;
    bool took = os_accept(listener, &accepted, NULL);
    enum status connecting = os_connect(&accepted, &at, NULL);
    enum status asking = os_datagram_connect(&accepted, &at, NULL);
    enum status listening = os_listen(&accepted, &at, 1);
    setrlimit(RLIMIT_NOFILE, &before);
    while (count > 0)
        close(files[--count]);
    assert_false(took);
    assert_status(connecting, STATUS_NO_RESOURCES);
    assert_status(asking, STATUS_NO_RESOURCES);
    assert_status(listening, STATUS_NO_RESOURCES);
    assert_int_equal(receive_within_bound(client, &byte, 1, &status), -1);
    os_close(client);
    pair_close(pair_new(listener, &at)); /* and it goes on */
    os_close(listener);
#endif
}

/* What a program prints that was started without them must not go to a target. */
static void standard_descriptors_stay_free(void **state)
{
    (void)state;
#ifdef _WIN32
    skip();
#else
    struct os_address at, any = loopback(0);
    os_socket listener, datagram = OS_NO_SOCKET;
    int kept[3], taken = 0;
    for (int i = 0; i < 3; i++) {
        assert_true((kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 100)) >= 100);
        close(i);
    }
    struct os_loop *loop = os_loop_new();
    enum status status = os_listen(&listener, &any, 5);
    bool told = os_local_address(listener, &at);
    struct pair pair = {OS_NO_SOCKET, OS_NO_SOCKET};
    if (status == STATUS_OK)
        status = os_connect(&pair.client, &at, NULL);
    uint64_t end = os_now() + BOUND;
    while (status == STATUS_OK && !os_accept(listener, &pair.server, NULL) && os_now() < end)
        os_thread_yield();
    if (status == STATUS_OK)
        status = os_datagram_open(&datagram, &any);
    for (int i = 0; i < 3; i++) {
        taken += fcntl(i, F_GETFD) >= 0;
        dup2(kept[i], i);
        close(kept[i]);
    }
    assert_int_equal(taken, 0);
    assert_true(told);
    assert_non_null(loop);
    assert_status(status, STATUS_OK);
    assert_true(pair.server != OS_NO_SOCKET);
    assert_int_not_equal(fcntl((int)pair.server, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_not_equal(fcntl((int)pair.server, F_GETFL) & O_NONBLOCK, 0);
    os_loop_free(loop);
    pair_close(pair);
    os_close(datagram);
    os_close(listener);
#endif
}

static void ipv6_listeners_take_no_ipv4(void **state)
{
    (void)state;
    struct os_address any, at6, at4;
    os_socket six, four;
    enum status status = STATUS_BUSY;
    assert_true(os_address_parse(&any, "::", 0));
    /* Somebody else on the machine may have just this port for IPv4. */
    for (int attempt = 0; status == STATUS_BUSY && attempt < 20; attempt++) {
        status = os_listen(&six, &any, 5);
        if (status == STATUS_ADDRESS_FAMILY)
            skip(); /* a machine without IPv6 */
        assert_status(status, STATUS_OK);
        assert_true(os_local_address(six, &at6));
        assert_true(os_address_parse(&at4, "0.0.0.0", os_address_port(&at6)));
        status = os_listen(&four, &at4, 5);
        if (status != STATUS_OK)
            os_close(six);
    }
    assert_status(status, STATUS_OK);
    assert_true(os_address_parse(&at6, "::1", os_address_port(&at6)));
    struct pair pair = pair_new(six, &at6);
    pair_close(pair);
    os_close(four);
    os_close(six);
}

static void names_are_looked_up_without_doubles(void **state)
{
    (void)state;
    struct os_address found[OS_RESOLVE_MAX];
    size_t count = 99;
    assert_status(os_lookup("localhost", 3260, found, OS_RESOLVE_MAX, &count), STATUS_OK);
    assert_true(count >= 1);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(os_address_port(&found[i]), 3260);
        for (size_t k = 0; k < i; k++)
            assert_false(os_address_same_host(&found[i], &found[k]));
    }
    assert_status(os_lookup("localhost", 1, found, 1, &count), STATUS_OK);
    assert_int_equal(count, 1);
    char endless[300];
    memset(endless, 'a', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    static const char *const bad[] = {"", "a b", "no-such-host.invalid", "fe80::1%nowhere"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_status(os_lookup(bad[i], 1, found, 1, &count), STATUS_NAME_UNRESOLVED);
    assert_status(os_lookup(endless, 1, found, 1, &count), STATUS_NAME_UNRESOLVED);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_parsed_and_printed),
        cmocka_unit_test(what_is_no_literal_is_refused),
        cmocka_unit_test(zones_by_number_and_name_meet),
        cmocka_unit_test(same_host_leaves_the_port_out),
        cmocka_unit_test(bytes_go_both_ways_in_pieces),
        cmocka_unit_test(both_ends_know_the_addresses),
        cmocka_unit_test(the_source_address_is_used),
        cmocka_unit_test(each_direction_ends_by_itself),
        cmocka_unit_test(an_abort_drops_what_a_close_delivers),
        cmocka_unit_test(sending_to_nobody_is_an_error_and_no_signal),
        cmocka_unit_test(a_full_peer_blocks_without_an_error),
#ifdef __linux__
        cmocka_unit_test(buffers_are_as_large_as_is_said),
#endif
        cmocka_unit_test(listening_errors_are_told_apart),
        cmocka_unit_test(running_out_of_descriptors_refuses_connections),
        cmocka_unit_test(standard_descriptors_stay_free),
        cmocka_unit_test(ipv6_listeners_take_no_ipv4),
        cmocka_unit_test(names_are_looked_up_without_doubles),
    };
    return cmocka_run_group_tests_name("os_socket", tests, NULL, NULL);
}
