/* The target on an event loop: listeners, sockets, timers. */
#include "os/memory.h"
#include "target/connection.h"

#include "os/list.h"

#include <string.h>

enum {
    LOOK_AHEAD = 65536,
    BACKLOG = 1024,
    READS_IN_A_ROW = 8, /* then others get their turn */
    LINGER_TIME = 2000, /* milliseconds that an initiator gets to close its side */
};

struct target_server {
    struct os_loop *loop;
    struct target_entity *entity;
    struct list listeners;
    struct list peers;
    struct os_timer timer; /* of the entity */
    uint8_t *look_ahead;   /* LOOK_AHEAD bytes, shared by all connections */
    struct os_timer stop_timer;
    bool impatient;              /* who is not gone is dropped */
    target_server_stopped *done; /* not NULL: it is stopping */
    void *done_context;
};

struct listener {
    struct list link;
    struct target_server *server;
    struct portal_address portal;
    struct os_watch watch;
};

struct peer {
    struct list link;
    struct target_server *server;
    struct target_connection *connection; /* NULL: lingering */
    struct os_watch watch;
    struct os_timer timer;
};

/* --- one connection --- */

static void close_peer(struct peer *peer, bool reset)
{
    os_timer_clear(&peer->timer);
    os_watch_stop(&peer->watch);
    if (reset)
        os_abort(peer->watch.socket);
    else
        os_close(peer->watch.socket);
    target_connection_free(peer->connection);
    list_remove(&peer->link);
    if (peer->server->done != NULL && list_empty(&peer->server->peers)) /* it was the last one */
        os_timer_set(peer->server->loop, &peer->server->stop_timer, os_now());
    os_free(peer);
}

/* Closing with bytes unread would send RST, and take our last PDU away from the initiator. */
static void linger(struct peer *peer)
{
    target_connection_free(peer->connection);
    peer->connection = NULL;
    os_shutdown_send(peer->watch.socket);
    os_watch_events(&peer->watch, OS_READABLE);
    if (!os_timer_set(peer->server->loop, &peer->timer, os_now() + LINGER_TIME))
        close_peer(peer, false);
}

static void drain(struct peer *peer)
{
    struct iov piece = {peer->server->look_ahead, LOOK_AHEAD};
    enum status status;

    if (os_receive(peer->watch.socket, &piece, 1, &status) < 0)
        close_peer(peer, false);
}

/* False: the connection is lost. */
static bool receive(struct peer *peer)
{
    struct target_connection *connection = peer->connection;
    struct iov pieces[OS_IOV_MAX];
    bool more = target_connection_wants_input(connection);
    bool alive = true;

    target_connection_read_begin(connection, peer->server->look_ahead, LOOK_AHEAD);
    for (int i = 0; more && i < READS_IN_A_ROW; i++) {
        size_t count = target_connection_read_pieces(connection, pieces, OS_IOV_MAX);
        enum status status;
        long got = os_receive(peer->watch.socket, pieces, count, &status);

        alive = got >= 0;
        more = got > 0 && target_connection_read(connection, (size_t)got, os_now());
    }
    target_connection_read_end(connection);
    return alive;
}

/* False: the connection is lost. `*blocked`: the socket takes no more. */
static bool flush(struct peer *peer, bool *blocked)
{
    struct iov pieces[OS_IOV_MAX];
    size_t count;

    *blocked = false;
    while (!*blocked && (count = target_connection_write_pieces(peer->connection, pieces,
                                                                OS_IOV_MAX, os_now())) > 0) {
        enum status status;
        long sent = os_send(peer->watch.socket, pieces, count, &status);

        if (sent < 0)
            return false;
        *blocked = sent == 0;
        if (sent > 0)
            target_connection_written(peer->connection, (size_t)sent);
    }
    return true;
}

/* After anything happened: sends, ends, and waits for what comes next. */
static void attend(struct peer *peer)
{
    unsigned events = 0;
    bool blocked;
    uint64_t due;

    if (!flush(peer, &blocked)) {
        close_peer(peer, false);
        return;
    }
    if (target_connection_ending(peer->connection) != TARGET_END_NONE) {
        if (target_connection_ending(peer->connection) == TARGET_END_RESET)
            close_peer(peer, true);
        else
            linger(peer);
        return;
    }
    events |= blocked ? OS_WRITABLE : 0;
    events |= target_connection_wants_input(peer->connection) ? OS_READABLE : 0;
    os_watch_events(&peer->watch, events);
    due = target_connection_due(peer->connection);
    if (due == OS_NEVER)
        os_timer_clear(&peer->timer);
    else if (!os_timer_set(peer->server->loop, &peer->timer, due))
        close_peer(peer, true);
}

static void peer_ready(struct os_watch *watch, unsigned events)
{
    struct peer *peer = LIST_OWNER(watch, struct peer, watch);

    if (peer->connection == NULL)
        drain(peer);
    else if (events & OS_READABLE && !receive(peer))
        close_peer(peer, false);
    else
        attend(peer);
}

static void peer_timer(struct os_timer *timer)
{
    struct peer *peer = LIST_OWNER(timer, struct peer, timer);

    if (peer->connection == NULL) {
        close_peer(peer, false);
        return;
    }
    target_connection_tick(peer->connection, os_now());
    attend(peer);
}

/* Another connection, or a call from outside, changed this one: seen to in the loop's next round.
 */
static void peer_wake(void *owner)
{
    struct peer *peer = owner;

    os_timer_set(peer->server->loop, &peer->timer, os_now());
}

static void add_peer(struct target_server *server, os_socket socket, uint16_t group,
                     const struct os_address *from)
{
    struct peer *peer = os_alloc(sizeof *peer);
    uint8_t ip[OS_IP_LENGTH];

    if (peer == NULL) {
        os_abort(socket);
        return;
    }
    peer->server = server;
    peer->watch.socket = socket;
    peer->watch.ready = peer_ready;
    peer->timer.fire = peer_timer;
    list_append(&server->peers, &peer->link);
    peer->connection = target_connection_new(server->entity, group, peer_wake, peer, os_now());
    if (peer->connection == NULL || !os_watch_start(server->loop, &peer->watch, OS_READABLE)) {
        close_peer(peer, true);
        return;
    }
    os_address_to_ip(from, ip);
    target_connection_comes_from(peer->connection, ip);
    attend(peer);
}

/* --- listeners --- */

static void listener_ready(struct os_watch *watch, unsigned events)
{
    struct listener *listener = LIST_OWNER(watch, struct listener, watch);
    struct os_address from;
    os_socket socket;

    (void)events;
    while (os_accept(watch->socket, &socket, &from))
        add_peer(listener->server, socket, listener->portal.group, &from);
}

static void close_listener(struct listener *listener)
{
    os_watch_stop(&listener->watch);
    os_close(listener->watch.socket);
    target_remove_portal(listener->server->entity, &listener->portal);
    list_remove(&listener->link);
    os_free(listener);
}

static enum status start_listener(struct listener *listener, const char *host, uint16_t port)
{
    struct os_address address;
    enum status status;

    if (strlen(host) > PORTAL_HOST_MAX || !os_address_parse(&address, host, port))
        return STATUS_INVALID_ADDRESS;
    status = os_listen(&listener->watch.socket, &address, BACKLOG);
    if (status != STATUS_OK)
        return status;
    memcpy(listener->portal.host, host, strlen(host) + 1);
    if (os_local_address(listener->watch.socket, &address))
        port = os_address_port(&address);
    listener->portal.port = port;
    if (!os_watch_start(listener->server->loop, &listener->watch, OS_READABLE)) {
        os_close(listener->watch.socket);
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

enum status target_server_listen(struct target_server *server, const char *host, uint16_t port,
                                 uint16_t group, struct portal_address *bound)
{
    struct listener *listener = os_alloc(sizeof *listener);
    enum status status;

    if (listener == NULL)
        return STATUS_NO_MEMORY;
    listener->server = server;
    listener->portal.group = group;
    listener->watch.ready = listener_ready;
    status = start_listener(listener, host, port);
    if (status != STATUS_OK) {
        os_free(listener);
        return status;
    }
    list_append(&server->listeners, &listener->link);
    status = target_add_portal(server->entity, &listener->portal);
    if (status != STATUS_OK)
        close_listener(listener);
    else if (bound != NULL)
        *bound = listener->portal;
    return status;
}

/* --- the server --- */

static void await_entity(struct target_server *server)
{
    uint64_t due = target_entity_due(server->entity);

    if (due == OS_NEVER)
        os_timer_clear(&server->timer);
    else
        os_timer_set(server->loop, &server->timer, due);
}

static void entity_timer(struct os_timer *timer)
{
    struct target_server *server = LIST_OWNER(timer, struct target_server, timer);

    target_entity_tick(server->entity, os_now());
    await_entity(server);
}

/* Out of memory the timer stays unset: what was lost is kept longer, until the next wake. */
static void entity_wake(void *owner)
{
    await_entity(owner);
}

struct target_server *target_server_new(struct os_loop *loop, struct target_entity *entity)
{
    struct target_server *server = os_alloc(sizeof *server);

    if (server == NULL)
        return NULL;
    server->loop = loop;
    server->entity = entity;
    list_init(&server->listeners);
    list_init(&server->peers);
    server->timer.fire = entity_timer;
    target_entity_on_wake(entity, entity_wake, server);
    server->look_ahead = os_alloc(LOOK_AHEAD);
    if (server->look_ahead == NULL) {
        target_entity_on_wake(entity, NULL, NULL);
        os_free(server);
        return NULL;
    }
    return server;
}

void target_server_free(struct target_server *server)
{
    if (server == NULL)
        return;
    server->done = NULL;
    LIST_EACH_SAFE(node, &server->listeners)
    close_listener(LIST_OWNER(node, struct listener, link));
    LIST_EACH_SAFE(peer_node, &server->peers)
    close_peer(LIST_OWNER(peer_node, struct peer, link), false);
    target_entity_on_wake(server->entity, NULL, NULL);
    os_timer_clear(&server->timer);
    os_timer_clear(&server->stop_timer);
    os_free(server->look_ahead);
    os_free(server);
}

/* --- stopping --- */

static void drop_peers(struct target_server *server)
{
    server->impatient = true;
    LIST_EACH_SAFE(node, &server->peers)
    {
        struct peer *peer = LIST_OWNER(node, struct peer, link);

        if (peer->connection != NULL) {
            target_connection_drop(peer->connection);
            attend(peer);
        } else {
            close_peer(peer, false);
        }
    }
}

static void stop_timer(struct os_timer *timer)
{
    struct target_server *server = LIST_OWNER(timer, struct target_server, stop_timer);
    target_server_stopped *done = server->done;

    if (!list_empty(&server->peers) && !server->impatient) {
        drop_peers(server);
        os_timer_set(server->loop, timer, os_now() + LINGER_TIME);
        return;
    }
    server->done = NULL;
    LIST_EACH_SAFE(node, &server->peers)
    close_peer(LIST_OWNER(node, struct peer, link), true);
    done(server->done_context);
}

void target_server_stop(struct target_server *server, uint32_t patience,
                        target_server_stopped *done, void *context)
{
    server->done = done;
    server->done_context = context;
    server->stop_timer.fire = stop_timer;
    LIST_EACH_SAFE(listener, &server->listeners)
    close_listener(LIST_OWNER(listener, struct listener, link));
    LIST_EACH_SAFE(node, &server->peers)
    {
        struct peer *peer = LIST_OWNER(node, struct peer, link);

        if (peer->connection == NULL)
            continue;
        if (!target_connection_ask_logout(peer->connection, (patience + 999) / 1000))
            target_connection_drop(peer->connection);
        attend(peer);
    }
    os_timer_set(server->loop, &server->stop_timer,
                 list_empty(&server->peers) ? os_now() : os_now() + patience);
}

size_t target_server_connections(const struct target_server *server)
{
    size_t count = 0;

    LIST_EACH(node, &server->peers)
    count += LIST_OWNER(node, struct peer, link)->connection != NULL;
    return count;
}
