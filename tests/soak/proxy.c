#include "proxy.h"

#include "os/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INITIATOR, /* the ends of a pair; flow i comes from end i */
    TARGET,
    STALL_LEAST = 100, /* milliseconds */
    STALL_MOST = 2500,
};

struct end {
    struct pair *pair;
    struct os_watch watch;
};

struct pair {
    struct list link;
    struct proxy *proxy;
    struct end ends[2];
    struct flow flows[2];
    struct dice dice;
    struct os_timer timer;
    uint64_t stalled; /* until then; 0: not */
    bool connecting;
};

struct proxy {
    struct os_loop *loop;
    struct proxy_settings settings;
    struct os_watch listener;
    uint16_t port;
    struct list pairs;
    struct proxy_counts counts;
};

/* --- pairs --- */

static void close_pair(struct pair *pair, bool reset)
{
    os_timer_clear(&pair->timer);
    for (unsigned i = 0; i < 2; i++) {
        os_watch_stop(&pair->ends[i].watch);
        if (pair->ends[i].watch.socket != OS_NO_SOCKET)
            (reset ? os_abort : os_close)(pair->ends[i].watch.socket);
        free(pair->flows[i].bytes);
    }
    list_remove(&pair->link);
    free(pair);
}

static void set_watches(struct pair *pair, uint64_t now)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct flow *in = &pair->flows[i], *out = &pair->flows[1 - i];
        unsigned events = 0;

        if (!in->ended && in->filled < FLOW_ROOM)
            events |= OS_READABLE;
        if (out->passed > 0 && out->earliest <= now)
            events |= OS_WRITABLE;
        os_watch_events(&pair->ends[i].watch, events);
    }
}

/* When it has to be looked at though nothing comes. */
static void set_timer(struct pair *pair, uint64_t now)
{
    uint64_t due = pair->stalled > 0 ? pair->stalled : UINT64_MAX;

    for (unsigned i = 0; i < 2; i++) {
        const struct flow *flow = &pair->flows[i];

        if (flow->passed > 0 && flow->earliest > now && flow->earliest < due)
            due = flow->earliest;
    }
    if (due == UINT64_MAX)
        os_timer_clear(&pair->timer);
    else if (!os_timer_set(pair->proxy->loop, &pair->timer, due))
        exit(1);
}

/* --- bytes --- */

/* False: the connection is lost. */
static bool fill(struct pair *pair, unsigned from)
{
    struct flow *flow = &pair->flows[from];
    struct iov room = {flow->bytes + flow->filled, FLOW_ROOM - flow->filled};
    enum status status = STATUS_OK;
    long got;

    if (flow->ended || room.length == 0)
        return true;
    got = os_receive(pair->ends[from].watch.socket, &room, 1, &status);
    if (got < 0 && status != STATUS_CONNECTION_CLOSED)
        return false;
    if (got < 0)
        flow->ended = true;
    else
        flow->filled += (size_t)got;
    return true;
}

static void flush_flow(struct pair *pair, unsigned from, uint64_t now, bool *lost)
{
    struct flow *flow = &pair->flows[from];
    enum status status = STATUS_OK;

    while (flow->passed > 0 && flow->earliest <= now) {
        struct iov piece = {flow->bytes, flow->passed};
        long sent = os_send(pair->ends[1 - from].watch.socket, &piece, 1, &status);

        *lost = *lost || sent < 0;
        if (sent <= 0)
            return;
        flow_sent(flow, (size_t)sent);
    }
}

static void begin_stall(struct pair *pair, uint64_t now)
{
    pair->stalled = now + dice_between(&pair->dice, STALL_LEAST, STALL_MOST);
    os_watch_stop(&pair->ends[INITIATOR].watch);
    os_watch_stop(&pair->ends[TARGET].watch);
}

/* False: the pair is over. */
static bool look(struct pair *pair, unsigned from, uint64_t now)
{
    struct flow *flow = &pair->flows[from];
    struct proxy *proxy = pair->proxy;
    enum flow_event event;

    while (pair->stalled == 0 &&
           flow_step(flow, &proxy->settings, &pair->dice, &proxy->counts, now, &event)) {
        bool lost = false;

        if (event == FLOW_LOGGED_IN)
            pair->flows[INITIATOR].full_feature = pair->flows[TARGET].full_feature = true;
        else if (event == FLOW_STALL)
            begin_stall(pair, now);
        if (event == FLOW_END)
            flush_flow(pair, from, now, &lost);
        if (event == FLOW_END || event == FLOW_RESET) {
            close_pair(pair, event == FLOW_RESET);
            return false;
        }
    }
    /* What is no PDU any more will never be whole. */
    if (flow->ended)
        flow->passed = flow->filled;
    return true;
}

static void move(struct pair *pair)
{
    uint64_t now = os_now();
    bool lost = false;

    for (unsigned from = 0; from < 2; from++) {
        lost = lost || !fill(pair, from);
        if (!lost && !look(pair, from, now))
            return;
        if (pair->stalled > 0)
            break;
        flush_flow(pair, from, now, &lost);
        /* The end of one direction is that of the other: nobody here closes halves. */
        lost = lost || (pair->flows[from].ended && pair->flows[from].passed == 0);
    }
    if (lost) {
        close_pair(pair, false);
        return;
    }
    if (pair->stalled == 0)
        set_watches(pair, now);
    set_timer(pair, now);
}

static void start_watch(struct end *end, unsigned events)
{
    if (!os_watch_start(end->pair->proxy->loop, &end->watch, events))
        exit(1);
}

static void on_timer(struct os_timer *timer)
{
    struct pair *pair = LIST_OWNER(timer, struct pair, timer);

    if (pair->stalled > 0 && pair->stalled <= os_now()) {
        pair->stalled = 0;
        start_watch(&pair->ends[INITIATOR], OS_READABLE);
        start_watch(&pair->ends[TARGET], OS_READABLE);
    }
    if (pair->stalled == 0)
        move(pair);
    else
        set_timer(pair, os_now());
}

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct end *end = LIST_OWNER(watch, struct end, watch);
    struct pair *pair = end->pair;

    (void)events;
    if (pair->connecting && end != &pair->ends[TARGET])
        return;
    if (pair->connecting && os_connect_result(watch->socket) != STATUS_OK) {
        close_pair(pair, true);
        return;
    }
    pair->connecting = false;
    move(pair);
}

static struct pair *pair_new(struct proxy *proxy, os_socket initiator, os_socket target)
{
    struct pair *pair = calloc(1, sizeof *pair);

    if (pair == NULL)
        exit(1);
    pair->proxy = proxy;
    pair->dice.state = proxy->settings.seed ^ proxy->counts.connections << 32;
    pair->timer.fire = on_timer;
    pair->connecting = true;
    for (unsigned i = 0; i < 2; i++) {
        pair->ends[i].pair = pair;
        pair->ends[i].watch.socket = i == INITIATOR ? initiator : target;
        pair->ends[i].watch.ready = on_ready;
        pair->flows[i].last = SIZE_MAX;
        pair->flows[i].bytes = malloc(FLOW_ROOM);
        if (pair->flows[i].bytes == NULL)
            exit(1);
    }
    list_append(&proxy->pairs, &pair->link);
    return pair;
}

/* --- the proxy --- */

static void on_connection(struct os_watch *watch, unsigned events)
{
    struct proxy *proxy = LIST_OWNER(watch, struct proxy, listener);
    struct os_address peer;
    os_socket initiator, target;

    (void)events;
    while (os_accept(watch->socket, &initiator, &peer)) {
        struct pair *pair;

        if (os_connect(&target, &proxy->settings.target, NULL) != STATUS_OK) {
            os_abort(initiator);
            continue;
        }
        proxy->counts.connections++;
        pair = pair_new(proxy, initiator, target);
        start_watch(&pair->ends[INITIATOR], 0);
        start_watch(&pair->ends[TARGET], OS_WRITABLE);
    }
}

struct proxy *proxy_open(struct os_loop *loop, const struct proxy_settings *settings)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    struct os_address at;

    if (proxy == NULL || !os_address_parse(&at, "127.0.0.1", 0) ||
        os_listen(&proxy->listener.socket, &at, 64) != STATUS_OK ||
        !os_local_address(proxy->listener.socket, &at)) {
        fprintf(stderr, "the proxy cannot listen\n");
        exit(1);
    }
    proxy->loop = loop;
    proxy->settings = *settings;
    proxy->port = os_address_port(&at);
    proxy->listener.ready = on_connection;
    list_init(&proxy->pairs);
    if (!os_watch_start(loop, &proxy->listener, OS_READABLE))
        exit(1);
    return proxy;
}

void proxy_close(struct proxy *proxy)
{
    struct list *first;

    if (proxy == NULL)
        return;
    while ((first = list_first(&proxy->pairs)) != NULL)
        close_pair(LIST_OWNER(first, struct pair, link), true);
    os_watch_stop(&proxy->listener);
    os_close(proxy->listener.socket);
    free(proxy);
}

uint16_t proxy_port(const struct proxy *proxy)
{
    return proxy->port;
}

void proxy_set_chances(struct proxy *proxy, const uint32_t chance[HARM_COUNT])
{
    memcpy(proxy->settings.chance, chance, sizeof proxy->settings.chance);
}

const struct proxy_counts *proxy_counts(const struct proxy *proxy)
{
    return &proxy->counts;
}
