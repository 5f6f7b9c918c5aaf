#include "os_test.h"
#include "os/poller.h"

/* --- one loop a test, ended by a guard when nothing else ends it --- */

struct guard {
    struct os_timer timer;
    struct os_loop *loop;
    bool expired;
};

static struct guard guard;

static void guard_fire(struct os_timer *timer)
{
    (void)timer;
    guard.expired = true;
    os_loop_stop(guard.loop);
}

static int loop_setup(void **state)
{
    guard = (struct guard){.loop = os_loop_new(), .timer = {.fire = guard_fire}};
    *state = guard.loop;
    return guard.loop == NULL;
}

static int loop_teardown(void **state)
{
    (void)state;
    os_loop_free(guard.loop);
    return 0;
}

static void run(struct os_loop *loop)
{
    assert_true(os_timer_set(loop, &guard.timer, os_now() + BOUND));
    os_loop_run(loop);
    os_timer_clear(&guard.timer);
    if (guard.expired)
        fail_msg("the loop was not stopped within %u ms", BOUND);
}

/* --- timers --- */

enum { TIMERS = 500 };

static struct {
    struct os_timer timers[TIMERS];
    size_t fired[TIMERS + 1];
    size_t count;
    size_t expected;
} timing;

static void note_timer(struct os_timer *timer)
{
    assert_true(timer->loop == NULL);
    assert_true(os_now() >= timer->due);
    timing.fired[timing.count++] = (size_t)(timer - timing.timers);
    if (timing.count == timing.expected)
        os_loop_stop(guard.loop);
}

static void timers_fire_in_order_of_time_then_of_setting(void **state)
{
    struct os_loop *loop = *state;
    uint64_t start = os_now();
    memset(&timing, 0, sizeof timing);
    uint32_t seed = 1;
    size_t cleared = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        seed = seed * 1103515245u + 12345u;
        timing.timers[i].fire = note_timer;
        assert_true(os_timer_set(loop, &timing.timers[i], start + 5 + (seed >> 16) % 40));
    }
    for (size_t i = 0; i < TIMERS; i += 7, cleared++) {
        os_timer_clear(&timing.timers[i]);
        os_timer_clear(&timing.timers[i]);
    }
    for (size_t i = 1; i < TIMERS; i += 7) { /* moved: counts as set anew */
        seed = seed * 1103515245u + 12345u;
        assert_true(os_timer_set(loop, &timing.timers[i], start + (seed >> 16) % 60));
    }
    timing.expected = TIMERS - cleared;
    run(loop);
    assert_int_equal(timing.count, timing.expected);
    for (size_t i = 1; i < timing.count; i++) {
        const struct os_timer *a = &timing.timers[timing.fired[i - 1]];
        const struct os_timer *b = &timing.timers[timing.fired[i]];
        bool a_moved = timing.fired[i - 1] % 7 == 1, b_moved = timing.fired[i] % 7 == 1;
        assert_true(a->due <= b->due);
        if (a->due == b->due && a_moved == b_moved)
            assert_true(a < b);
        if (a->due == b->due)
            assert_true(!a_moved || b_moved);
    }
}

static struct {
    struct os_timer again;
    struct os_timer other;
    int again_fired;
    int fired_before_job;
    struct os_job job;
} past;

static void fire_again(struct os_timer *timer)
{
    past.again_fired++;
    if (past.again_fired < 100)
        os_timer_set(guard.loop, timer, 0);
    else
        os_loop_stop(guard.loop);
}

static void fire_other(struct os_timer *timer)
{
    (void)timer;
    assert_int_equal(past.again_fired, 1); /* the re-set timer did not overtake within the round */
    os_loop_post(guard.loop, &past.job);
}

static void note_job(struct os_job *job)
{
    (void)job;
    past.fired_before_job = past.again_fired;
}

static void a_timer_set_for_the_past_fires_in_the_next_round(void **state)
{
    struct os_loop *loop = *state;
    memset(&past, 0, sizeof past);
    past.again.fire = fire_again;
    past.other.fire = fire_other;
    past.job.run = note_job;
    assert_true(os_timer_set(loop, &past.again, 0));
    assert_true(os_timer_set(loop, &past.other, 1));
    run(loop);
    assert_int_equal(past.again_fired, 100);
    assert_int_equal(past.fired_before_job, 1); /* jobs come before the timers of the next round */
}

static void clear_other(struct os_timer *timer)
{
    (void)timer;
    os_timer_clear(&timing.timers[1]);
    os_loop_stop(guard.loop);
}

static void a_timer_cleared_by_another_does_not_fire(void **state)
{
    struct os_loop *loop = *state;
    memset(&timing, 0, sizeof timing);
    timing.timers[0].fire = clear_other;
    timing.timers[1].fire = note_timer;
    assert_true(os_timer_set(loop, &timing.timers[0], 0));
    assert_true(os_timer_set(loop, &timing.timers[1], 0));
    run(loop);
    assert_int_equal(timing.count, 0);
}

static void timers_need_memory_only_when_set(void **state)
{
    struct os_loop *loop = *state;
    struct os_timer one = {.fire = note_timer};
    os_alloc_fail_at(1);
    bool set = os_timer_set(loop, &one, OS_NEVER);
    os_alloc_fail_at(0);
    assert_false(set);
    assert_null(one.loop);
    assert_true(os_timer_set(loop, &one, OS_NEVER));
    os_alloc_fail_at(1);
    set = os_timer_set(loop, &one, OS_NEVER - 1);
    os_alloc_fail_at(0);
    assert_true(set);
    os_timer_clear(&one);
}

/* --- jobs --- */

enum { POSTERS = 8, JOBS = 2000 };

struct posted {
    struct os_job job;
    size_t poster;
    size_t number;
};

static struct {
    struct posted jobs[POSTERS][JOBS];
    size_t next[POSTERS];
    size_t count;
    bool out_of_order;
} posting;

static void run_posted(struct os_job *job)
{
    struct posted *posted = (struct posted *)(void *)job;
    if (!os_loop_is_current(guard.loop) || posted->number != posting.next[posted->poster]++)
        posting.out_of_order = true;
    if (++posting.count == (size_t)POSTERS * JOBS)
        os_loop_stop(guard.loop);
}

static void post_all(void *argument)
{
    struct posted *jobs = argument;
    for (size_t i = 0; i < JOBS; i++) {
        os_loop_post(guard.loop, &jobs[i].job);
        if (i % 16 == 0)
            os_thread_yield();
    }
}

static void jobs_of_eight_threads_run_in_order(void **state)
{
    struct os_loop *loop = *state;
    struct os_thread *threads[POSTERS];
    memset(&posting, 0, sizeof posting);
    for (size_t i = 0; i < POSTERS; i++) {
        for (size_t k = 0; k < JOBS; k++)
            posting.jobs[i][k] = (struct posted){{.run = run_posted}, i, k};
        assert_non_null(threads[i] = os_thread_start(post_all, posting.jobs[i]));
    }
    assert_false(os_loop_is_current(loop));
    run(loop);
    for (size_t i = 0; i < POSTERS; i++)
        os_thread_join(threads[i]);
    assert_int_equal(posting.count, POSTERS * JOBS);
    assert_false(posting.out_of_order);
    assert_false(os_loop_is_current(loop));
}

struct chain {
    struct os_job job;
    int left;
};

static void post_itself(struct os_job *job)
{
    struct chain *chain = (struct chain *)(void *)job;
    if (--chain->left > 0)
        os_loop_post(guard.loop, job);
    else
        os_loop_stop(guard.loop);
}

static void a_job_may_post_itself(void **state)
{
    struct chain chain = {{.run = post_itself}, 1000};
    os_loop_post(*state, &chain.job);
    run(*state);
    assert_int_equal(chain.left, 0);
}

static void a_stop_before_the_start_counts(void **state)
{
    struct chain chain = {{.run = post_itself}, 1};
    os_loop_stop(*state);
    os_loop_post(*state, &chain.job);
    run(*state);
    assert_int_equal(chain.left, 1);
    run(*state); /* and counts once */
    assert_int_equal(chain.left, 0);
}

static void what_is_posted_at_the_end_still_runs(void **state)
{
    (void)state;
    struct os_loop *loop = os_loop_new();
    struct os_timer timer = {.fire = note_timer};
    struct chain chain = {{.run = post_itself}, 3};
    assert_true(os_timer_set(loop, &timer, OS_NEVER - 1));
    os_loop_post(loop, &chain.job);
    struct os_loop *kept = guard.loop;
    guard.loop = loop;
    os_loop_free(loop);
    guard.loop = kept;
    assert_int_equal(chain.left, 0);
    assert_null(timer.loop);
}

/* A thread of its own runs the loop and frees it as soon as it is told to, while the teller is
 * still inside os_loop_post: what the sanitizers are to watch. */
static void stop_current(struct os_job *job)
{
    (void)job;
    os_loop_stop(guard.loop);
}

static void run_and_free(void *argument)
{
    os_loop_run(argument);
    os_loop_free(argument);
}

static void a_loop_may_be_freed_by_what_was_posted(void **state)
{
    struct os_loop *kept = *state;
    for (int i = 0; i < 300; i++) {
        struct chain chain = {{.run = stop_current}, 0};
        guard.loop = os_loop_new();
        assert_non_null(guard.loop);
        struct os_thread *thread = os_thread_start(run_and_free, guard.loop);
        assert_non_null(thread);
        if (i % 2 == 0)
            os_thread_yield();
        os_loop_post(guard.loop, &chain.job);
        os_thread_join(thread);
    }
    guard.loop = kept;
}

static void a_loop_needs_its_memory(void **state)
{
    (void)state;
    for (long nth = 1;; nth++) {
        os_alloc_fail_at(nth);
        struct os_loop *loop = os_loop_new();
        os_alloc_fail_at(0);
        if (loop != NULL) {
            assert_true(nth > 2);
            os_loop_free(loop);
            return;
        }
    }
}

/* --- watches --- */

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

static void stop_loop_soon(struct os_timer *timer)
{
    (void)timer;
    os_loop_stop(guard.loop);
}

/* Runs until nothing more is ready: the timer comes after many rounds. */
static void run_for_a_while(struct os_loop *loop)
{
    struct os_timer timer = {.fire = stop_loop_soon};
    assert_true(os_timer_set(loop, &timer, os_now() + 50));
    run(loop);
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
    assert_int_equal(os_poller_wait(poller, 1000, ready, 4), 1);
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

/* --- names --- */

struct lookup {
    struct os_resolve *handle;
    enum status status;
    size_t count;
    int calls;
    bool on_loop;
    struct os_address first;
};

static size_t lookups_left;

static void lookup_done(void *context, enum status status, const struct os_address *addresses,
                        size_t count)
{
    struct lookup *lookup = context;
    lookup->calls++;
    lookup->status = status;
    lookup->count = count;
    lookup->on_loop = os_loop_is_current(guard.loop);
    if (count > 0)
        lookup->first = addresses[0];
    os_resolve_cancel(lookup->handle); /* harmless in here */
    if (--lookups_left == 0)
        os_loop_stop(guard.loop);
}

static void look_up(struct lookup *lookup, const char *host)
{
    *lookup = (struct lookup){0};
    lookup->handle = os_resolve(guard.loop, host, 3260, lookup_done, lookup);
    assert_non_null(lookup->handle);
    assert_int_equal(lookup->calls, 0);
}

static void literals_answer_in_the_next_round(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1", "fe80::1%1"};
    struct lookup lookups[3];
    lookups_left = 3;
    for (size_t i = 0; i < 3; i++)
        look_up(&lookups[i], hosts[i]);
    run(*state);
    for (size_t i = 0; i < 3; i++) {
        struct os_address expected;
        assert_true(os_address_parse(&expected, hosts[i], 3260));
        assert_int_equal(lookups[i].calls, 1);
        assert_status(lookups[i].status, STATUS_OK);
        assert_int_equal(lookups[i].count, 1);
        assert_true(lookups[i].on_loop);
        assert_true(os_address_same_host(&lookups[i].first, &expected));
        assert_int_equal(os_address_port(&lookups[i].first), 3260);
    }
}

static void names_are_resolved_or_not(void **state)
{
    struct lookup lookups[33];
    lookups_left = 33;
    for (size_t i = 0; i < 33; i++) /* more than there are helpers */
        look_up(&lookups[i], i == 32 ? "" : i % 4 == 3 ? "no-such-host.invalid" : "localhost");
    run(*state);
    for (size_t i = 0; i < 33; i++) {
        bool good = i % 4 != 3 && i != 32;
        assert_int_equal(lookups[i].calls, 1);
        assert_status(lookups[i].status, good ? STATUS_OK : STATUS_NAME_UNRESOLVED);
        assert_int_equal(lookups[i].count > 0, good);
        assert_true(lookups[i].on_loop);
    }
}

static void cancelled_lookups_do_not_report(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "no-such-host.invalid"};
    struct lookup cancelled[24], last;
    for (size_t i = 0; i < 24; i++)
        look_up(&cancelled[i], hosts[i % 3]);
    for (size_t i = 0; i < 24; i++)
        os_resolve_cancel(cancelled[i].handle);
    os_resolve_cancel(NULL);
    lookups_left = 1;
    look_up(&last, "localhost");
    run(*state);
    run_for_a_while(*state);
    assert_int_equal(last.calls, 1);
    for (size_t i = 0; i < 24; i++)
        assert_int_equal(cancelled[i].calls, 0);
}

static void a_loop_may_go_while_names_are_looked_up(void **state)
{
    struct os_loop *kept = *state;
    struct lookup lookups[12];
    lookups_left = 1000;
    for (int round = 0; round < 20; round++) {
        guard.loop = os_loop_new();
        for (size_t i = 0; i < 12; i++)
            look_up(&lookups[i], i % 2 ? "localhost" : "no-such-host.invalid");
        os_loop_free(guard.loop);
    }
    guard.loop = kept;
    lookups_left = 1;
    look_up(&lookups[0], "localhost");
    run(kept);
    assert_status(lookups[0].status, STATUS_OK);
}

static void a_lookup_without_memory_says_so_at_once(void **state)
{
    struct lookup lookup = {0};
    for (long nth = 1; nth <= 2; nth++) {
        os_alloc_fail_at(nth);
        assert_null(os_resolve(*state, "localhost", 1, lookup_done, &lookup));
        os_alloc_fail_at(0);
    }
    run_for_a_while(*state);
    assert_int_equal(lookup.calls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, loop_setup, loop_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_in_order_of_time_then_of_setting),
        TEST(a_timer_set_for_the_past_fires_in_the_next_round),
        TEST(a_timer_cleared_by_another_does_not_fire),
        TEST(timers_need_memory_only_when_set),
        TEST(jobs_of_eight_threads_run_in_order),
        TEST(a_job_may_post_itself),
        TEST(a_stop_before_the_start_counts),
        TEST(what_is_posted_at_the_end_still_runs),
        TEST(a_loop_may_be_freed_by_what_was_posted),
        TEST(a_loop_needs_its_memory),
        TEST(a_watch_stopped_by_another_is_not_called),
        TEST(an_event_does_not_reach_who_took_the_slot),
        TEST(only_what_is_asked_for_is_delivered),
        TEST(a_reset_reaches_a_paused_watch_when_it_resumes),
        TEST(a_paused_watch_does_not_keep_the_loop_busy),
        TEST(watches_need_memory_only_to_start),
        TEST(connections_are_accepted_refused_and_unreachable),
        TEST(five_hundred_sockets_talk),
        TEST(literals_answer_in_the_next_round),
        TEST(names_are_resolved_or_not),
        TEST(cancelled_lookups_do_not_report),
        TEST(a_loop_may_go_while_names_are_looked_up),
        TEST(a_lookup_without_memory_says_so_at_once),
    };
    return cmocka_run_group_tests_name("os_loop", tests, NULL, NULL);
}
