#include "os_loop_test.h"
#include "os/poller.h"

struct end {
    struct os_watch watch;
    int calls;
    unsigned seen;
    struct end *other;
};

static struct end *end_of(struct os_watch *watch)
{
    return (struct end *)(void *)watch;
}

static void count_and_stop_other(struct os_watch *watch, unsigned events)
{
    struct end *end = end_of(watch);
    end->calls++;
    end->seen |= events;
    os_watch_stop(watch);
    os_watch_stop(&end->other->watch);
    os_watch_stop(&end->other->watch);
}

static void a_watch_stopped_by_another_is_not_called(void **state)
{
    struct os_loop *loop = *state;
    struct os_address at;
    enum status status;
    os_socket listener = listener_new(&at);
    struct pair a = pair_new(listener, &at), b = pair_new(listener, &at);
    struct end ends[2] = {{.watch = {.socket = a.server, .ready = count_and_stop_other}},
                          {.watch = {.socket = b.server, .ready = count_and_stop_other}}};
    ends[0].other = &ends[1];
    ends[1].other = &ends[0];
    send_text(a.client, "x", &status);
    send_text(b.client, "x", &status);
    assert_true(os_watch_start(loop, &ends[0].watch, OS_READABLE | OS_WRITABLE));
    assert_true(os_watch_start(loop, &ends[1].watch, OS_READABLE | OS_WRITABLE));
    run_for_a_while(loop);
    assert_int_equal(ends[0].calls + ends[1].calls, 1);
    assert_null(ends[0].watch.loop);
    assert_null(ends[1].watch.loop);
    pair_close(a);
    pair_close(b);
    os_close(listener);
}

/* The second event of the round is for a watch that has gone; a new one has taken its slot. */
static struct {
    struct end fresh;
    os_socket quiet;
} replaced;

static void count_call(struct os_watch *watch, unsigned events)
{
    end_of(watch)->calls++;
    end_of(watch)->seen |= events;
}

static void replace_other(struct os_watch *watch, unsigned events)
{
    struct end *end = end_of(watch), *other = end->other;
    (void)events;
    end->calls++;
    os_watch_stop(watch);
    os_watch_stop(&other->watch); /* last, so that its slot is the next to be taken */
    replaced.fresh = (struct end){.watch = {.socket = replaced.quiet, .ready = count_call}};
    assert_true(os_watch_start(guard.loop, &replaced.fresh.watch, OS_READABLE));
    os_free(other);
    os_free(end);
}

static void an_event_does_not_reach_who_took_the_slot(void **state)
{
    struct os_loop *loop = *state;
    struct os_address at;
    enum status status;
    os_socket listener = listener_new(&at);
    struct pair pairs[3] = {pair_new(listener, &at), pair_new(listener, &at),
                            pair_new(listener, &at)};
    struct end *ends[2] = {os_alloc(sizeof *ends[0]), os_alloc(sizeof *ends[1])};
    replaced.quiet = pairs[2].server;
    for (size_t i = 0; i < 2; i++) {
        send_text(pairs[i].client, "x", &status);
        ends[i]->watch = (struct os_watch){.socket = pairs[i].server, .ready = replace_other};
        ends[i]->other = ends[1 - i];
        assert_true(os_watch_start(loop, &ends[i]->watch, OS_READABLE));
    }
    run_for_a_while(loop);
    assert_int_equal(replaced.fresh.calls, 0);
    send_text(pairs[2].client, "x", &status);
    run_for_a_while(loop);
    assert_true(replaced.fresh.calls > 0);
    os_watch_stop(&replaced.fresh.watch);
    for (size_t i = 0; i < 3; i++)
        pair_close(pairs[i]);
    os_close(listener);
}

static void only_what_is_asked_for_is_delivered(void **state)
{
    struct os_loop *loop = *state;
    struct os_address at;
    enum status status;
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    struct end end = {.watch = {.socket = pair.server, .ready = count_call}};
    send_text(pair.client, "x", &status);
    assert_true(os_watch_start(loop, &end.watch, OS_WRITABLE));
    run_for_a_while(loop);
    assert_true(end.calls > 1); /* level-triggered */
    assert_int_equal(end.seen, OS_WRITABLE);
    os_watch_events(&end.watch, 0);
    end.calls = 0;
    run_for_a_while(loop);
    assert_int_equal(end.calls, 0);
    end.seen = 0;
    os_watch_events(&end.watch, OS_READABLE);
    run_for_a_while(loop);
    assert_int_equal(end.seen, OS_READABLE);
    os_watch_stop(&end.watch);
    os_watch_events(&end.watch, OS_READABLE); /* harmless */
    pair_close(pair);
    os_close(listener);
}

/* A watch that wants nothing is not called when its peer resets. */
static void a_reset_reaches_a_paused_watch_when_it_resumes(void **state)
{
    struct os_loop *loop = *state;
    struct os_address at;
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    struct end end = {.watch = {.socket = pair.server, .ready = count_call}};
    assert_true(os_watch_start(loop, &end.watch, 0));
    os_abort(pair.client);
    run_for_a_while(loop);
    assert_int_equal(end.calls, 0);
    os_watch_events(&end.watch, OS_READABLE);
    run_for_a_while(loop);
    assert_true(end.calls > 0);
    os_watch_stop(&end.watch);
    os_close(pair.server);
    os_close(listener);
}

/* Beneath the loop, where the rounds can be counted. */
static void a_paused_watch_does_not_keep_the_loop_busy(void **state)
{
    (void)state;
    struct os_address at;
    struct os_ready ready[4];
    os_socket listener = listener_new(&at);
    struct pair pair = pair_new(listener, &at);
    struct os_poller *poller = os_poller_new();
    assert_non_null(poller);
    assert_true(os_poller_add(poller, pair.server, (struct os_token){0, 0}, 0));
    os_abort(pair.client);
    size_t rounds = 0;
    for (uint64_t end = os_now() + 60; os_now() < end; rounds++)
        os_poller_wait(poller, 20, ready, 4);
    assert_in_range(rounds, 1, 10);
    os_poller_change(poller, pair.server, (struct os_token){0, 0}, OS_READABLE);
    size_t found = 0; /* a signal may end the first wait */
    for (uint64_t end = os_now() + 1000; found == 0 && os_now() < end;)
        found = (size_t)os_poller_wait(poller, 1000, ready, 4);
    assert_int_equal(found, 1);
    os_poller_remove(poller, pair.server, (struct os_token){0, 0});
    os_poller_free(poller);
    os_close(pair.server);
    os_close(listener);
}

static void watches_need_memory_only_to_start(void **state)
{
    struct os_loop *loop = *state;
    struct os_address at;
    os_socket listener = listener_new(&at);
    struct end end = {.watch = {.socket = listener, .ready = count_call}};
    os_alloc_fail_at(1);
    bool started = os_watch_start(loop, &end.watch, OS_READABLE);
    os_alloc_fail_at(0);
    assert_false(started);
    assert_null(end.watch.loop);
    assert_true(os_watch_start(loop, &end.watch, 0));
    os_alloc_fail_at(1);
    os_watch_events(&end.watch, OS_READABLE | OS_WRITABLE);
    os_watch_events(&end.watch, OS_READABLE);
    os_alloc_fail_at(0);
    struct os_address to = at;
    os_socket client;
    assert_status(os_connect(&client, &to, NULL), STATUS_OK);
    run_for_a_while(loop);
    assert_true(end.calls > 0);
    os_watch_stop(&end.watch);
    os_close(client);
    os_close(listener);
}

/* --- connecting --- */

struct connecting {
    struct os_watch watch;
    enum status result;
    bool done;
};

static void connect_ready(struct os_watch *watch, unsigned events)
{
    struct connecting *connecting = (struct connecting *)(void *)watch;
    assert_int_equal(events, OS_WRITABLE);
    connecting->result = os_connect_result(watch->socket);
    connecting->done = true;
    os_watch_stop(watch);
    os_loop_stop(guard.loop);
}

static enum status connect_through(struct os_loop *loop, const struct os_address *to)
{
    struct connecting connecting = {.watch = {.ready = connect_ready}};
    enum status status = os_connect(&connecting.watch.socket, to, NULL);
    if (status != STATUS_OK)
        return status;
    assert_true(os_watch_start(loop, &connecting.watch, OS_WRITABLE));
    run(loop);
    assert_true(connecting.done);
    os_close(connecting.watch.socket);
    return connecting.result;
}

static void connections_are_accepted_refused_and_unreachable(void **state)
{
    struct os_address at, multicast;
    os_socket listener = listener_new(&at);
    assert_status(connect_through(*state, &at), STATUS_OK);
    os_close(listener);
    uint64_t start = os_now();
    assert_status(connect_through(*state, &at), STATUS_CONNECT_REFUSED);
    /* Windows tries three times, half a second apart. */
    assert_true(os_now() - start < 5000);
    assert_true(os_address_parse(&multicast, "224.0.0.1", 3260));
    assert_status(connect_through(*state, &multicast), STATUS_CONNECT_UNREACHABLE);
}

/* --- many sockets --- */

enum { PAIRS = 250, EXCHANGES = 8 };

struct echo {
    struct os_watch server;
    struct os_watch client;
    int exchanges;
};

static size_t finished;

static void echo_back(struct os_watch *watch, unsigned events)
{
    char bytes[64];
    enum status status;
    assert_int_equal(events, OS_READABLE);
    long got = os_receive(watch->socket, &(struct iov){bytes, sizeof bytes}, 1, &status);
    if (got > 0)
        assert_int_equal(os_send(watch->socket, &(struct iov){bytes, (size_t)got}, 1, &status),
                         got);
}

static void next_exchange(struct os_watch *watch, unsigned events)
{
    struct echo *echo = (struct echo *)(void *)((char *)watch - offsetof(struct echo, client));
    char bytes[64];
    enum status status;
    (void)events;
    if (os_receive(watch->socket, &(struct iov){bytes, sizeof bytes}, 1, &status) <= 0)
        return;
    if (++echo->exchanges < EXCHANGES) {
        assert_int_equal(send_text(watch->socket, "ping", &status), 4);
        return;
    }
    os_watch_stop(watch);
    os_watch_stop(&echo->server);
    if (++finished == PAIRS)
        os_loop_stop(guard.loop);
}

static void five_hundred_sockets_talk(void **state)
{
    static struct echo echoes[PAIRS];
    struct os_loop *loop = *state;
    struct os_address at;
    enum status status;
    os_socket listener = listener_new(&at);
    finished = 0;
    for (size_t i = 0; i < PAIRS; i++) {
        struct pair pair = pair_new(listener, &at);
        echoes[i].server = (struct os_watch){.socket = pair.server, .ready = echo_back};
        echoes[i].client = (struct os_watch){.socket = pair.client, .ready = next_exchange};
        assert_true(os_watch_start(loop, &echoes[i].server, OS_READABLE));
        assert_true(os_watch_start(loop, &echoes[i].client, OS_READABLE));
        assert_int_equal(send_text(pair.client, "ping", &status), 4);
    }
    run(loop);
    for (size_t i = 0; i < PAIRS; i++) {
        assert_int_equal(echoes[i].exchanges, EXCHANGES);
        assert_null(echoes[i].server.loop);
        pair_close((struct pair){echoes[i].client.socket, echoes[i].server.socket});
    }
    os_close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_watch_stopped_by_another_is_not_called),
        TEST(an_event_does_not_reach_who_took_the_slot),
        TEST(only_what_is_asked_for_is_delivered),
        TEST(a_reset_reaches_a_paused_watch_when_it_resumes),
        TEST(a_paused_watch_does_not_keep_the_loop_busy),
        TEST(watches_need_memory_only_to_start),
        TEST(connections_are_accepted_refused_and_unreachable),
        TEST(five_hundred_sockets_talk),
    };
    return cmocka_run_group_tests_name("os_watch", tests, NULL, NULL);
}
