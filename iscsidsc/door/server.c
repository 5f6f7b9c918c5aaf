/* The service's listening sockets, and who may come in. */
#include "door/server_internal.h"

#include <string.h>

enum { ACCEPT_BATCH = 64 /* between two looks at everything else */ };

/* --- reports --- */

void server_report(struct door_server *server, enum door_event event, enum status status,
                   const struct os_peer *peer)
{
    if (server->options.event != NULL)
        server->options.event(server->options.context, event, status, peer);
}

static void set_idle_timer(struct door_server *server)
{
    if (server->options.idle_time > 0 && server->client_count == 0)
        os_timer_set(server->options.loop, &server->idle_timer,
                     os_now() + server->options.idle_time);
}

void server_client_gone(struct door_server *server)
{
    set_idle_timer(server);
}

static void on_idle_timer(struct os_timer *timer)
{
    struct door_server *server = LIST_OWNER(timer, struct door_server, idle_timer);
    bool busy = server->options.busy != NULL && server->options.busy(server->options.engine);
    set_idle_timer(server);
    if (server->client_count == 0 && !busy)
        server_report(server, DOOR_EVENT_IDLE, STATUS_OK, NULL);
}

/* --- who may come in --- */

static enum door_access access_of(const struct door_server *server, const struct os_peer *peer)
{
    const struct door_server_options *options = &server->options;
    if (peer->own || os_peer_in_group(peer, options->group))
        return DOOR_CHANGES;
    return os_peer_in_group(peer, options->read_group) ? DOOR_READS : DOOR_NOTHING;
}

static void admit(struct door_server *server, os_socket socket)
{
    struct os_peer peer;
    enum door_access access =
        os_local_peer(socket, &peer) ? access_of(server, &peer) : DOOR_NOTHING;
    bool full = server->client_count >= DOOR_CONNECTION_MAX;
    if (access != DOOR_NOTHING && !full) {
        server_client_new(server, socket, CLIENT_OPEN, access);
        return;
    }
    struct server_client *client = server_client_new(server, socket, CLIENT_LEAVING, DOOR_NOTHING);
    if (client == NULL)
        return;
    server_client_refuse(client, access == DOOR_NOTHING ? STATUS_ACCESS_DENIED : STATUS_BUSY,
                         &peer);
    server_client_settle(client);
}

static void take_waiting(struct door_server *server, const struct os_watch *listener)
{
    os_socket socket;
    for (int i = 0; i < ACCEPT_BATCH && os_accept(listener->socket, &socket, NULL); i++) {
        if (listener == &server->local)
            admit(server, socket);
        else
            server_client_new(server, socket, CLIENT_HELLO, DOOR_NOTHING);
    }
}

static void on_local(struct os_watch *watch, unsigned events)
{
    (void)events;
    take_waiting(LIST_OWNER(watch, struct door_server, local), watch);
}

static void on_loopback(struct os_watch *watch, unsigned events)
{
    (void)events;
    take_waiting(LIST_OWNER(watch, struct door_server, loopback), watch);
}

/* --- on the loop's thread, for other threads --- */

struct errand {
    struct os_job job;
    void (*run)(struct errand *errand);
    struct os_mutex *mutex;
    struct os_condition *condition;
    bool done;

    struct door_server *server;
    os_socket local;
    os_socket loopback;
    const struct door_credentials *credentials;
    uint32_t group;
    uint32_t read_group;
    bool pause;
    bool good;
    size_t count;
};

static void run_errand(struct os_job *job)
{
    struct errand *errand = LIST_OWNER(job, struct errand, job);
    errand->run(errand);
    os_mutex_lock(errand->mutex);
    errand->done = true;
    os_condition_signal(errand->condition);
    os_mutex_unlock(errand->mutex);
}

/* False: out of memory, it did not run. */
static bool send_on(struct errand *errand)
{
    errand->job.run = run_errand;
    errand->mutex = os_mutex_new();
    errand->condition = os_condition_new();
    bool good = errand->mutex != NULL && errand->condition != NULL;
    if (good) {
        os_loop_post(errand->server->options.loop, &errand->job);
        os_mutex_lock(errand->mutex);
        while (!errand->done)
            os_condition_wait(errand->condition, errand->mutex);
        os_mutex_unlock(errand->mutex);
    }
    if (errand->condition != NULL)
        os_condition_free(errand->condition);
    if (errand->mutex != NULL)
        os_mutex_free(errand->mutex);
    return good;
}

static bool start_watch(struct door_server *server, struct os_watch *watch, os_socket socket)
{
    watch->socket = socket;
    return socket == OS_NO_SOCKET || os_watch_start(server->options.loop, watch, OS_READABLE);
}

static void stop_watch(struct os_watch *watch)
{
    os_watch_stop(watch);
    os_close(watch->socket);
    watch->socket = OS_NO_SOCKET;
}

static void run_listen(struct errand *errand)
{
    struct door_server *server = errand->server;
    server->credentials = *errand->credentials;
    bool local = start_watch(server, &server->local, errand->local);
    bool loopback = start_watch(server, &server->loopback, errand->loopback);
    errand->good = local && loopback;
    set_idle_timer(server);
}

enum status door_server_listen(struct door_server *server, os_socket local, os_socket loopback,
                               const struct door_credentials *credentials)
{
    struct errand errand = {.run = run_listen,
                            .server = server,
                            .local = local,
                            .loopback = loopback,
                            .credentials = credentials};
    if (!send_on(&errand)) {
        os_close(local);
        os_close(loopback);
    }
    return errand.good ? STATUS_OK : STATUS_NO_MEMORY;
}

static void run_pause(struct errand *errand)
{
    struct door_server *server = errand->server;
    os_watch_events(&server->local, errand->pause ? 0 : OS_READABLE);
    os_watch_events(&server->loopback, errand->pause ? 0 : OS_READABLE);
    errand->count = server->client_count;
}

size_t door_server_pause(struct door_server *server, bool pause)
{
    struct errand errand = {.run = run_pause, .server = server, .pause = pause};
    return send_on(&errand) ? errand.count : SIZE_MAX;
}

/* Who has connected believes that the service is there: they are still served. */
static void run_unlisten(struct errand *errand)
{
    struct door_server *server = errand->server;
    take_waiting(server, &server->local);
    take_waiting(server, &server->loopback);
    stop_watch(&server->local);
    stop_watch(&server->loopback);
    os_timer_clear(&server->idle_timer);
    errand->count = server->client_count;
}

size_t door_server_unlisten(struct door_server *server)
{
    struct errand errand = {.run = run_unlisten, .server = server};
    return send_on(&errand) ? errand.count : SIZE_MAX;
}

static void run_groups(struct errand *errand)
{
    errand->server->options.group = errand->group;
    errand->server->options.read_group = errand->read_group;
}

void door_server_groups(struct door_server *server, uint32_t group, uint32_t read_group)
{
    struct errand errand = {
        .run = run_groups, .server = server, .group = group, .read_group = read_group};
    send_on(&errand);
}

/* --- the server --- */

enum status door_server_new(struct door_server **out, const struct door_server_options *options)
{
    struct door_server *server = os_alloc(sizeof *server);
    *out = server;
    if (server == NULL)
        return STATUS_NO_MEMORY;
    server->options = *options;
    if (server->options.find == NULL)
        server->options.find = operation_find;
    server->local = (struct os_watch){.socket = OS_NO_SOCKET, .ready = on_local};
    server->loopback = (struct os_watch){.socket = OS_NO_SOCKET, .ready = on_loopback};
    server->idle_timer.fire = on_idle_timer;
    list_init(&server->clients);
    list_init(&server->unproved);
    return STATUS_OK;
}

void door_server_free(struct door_server *server)
{
    struct list *first;
    if (server == NULL)
        return;
    server->options.idle_time = 0; /* no timers any more */
    while ((first = list_first(&server->clients)) != NULL)
        server_client_close(LIST_OWNER(first, struct server_client, link));
    stop_watch(&server->local);
    stop_watch(&server->loopback);
    os_timer_clear(&server->idle_timer);
    door_credentials_clear(&server->credentials);
    os_free(server);
}

void door_server_adopt(struct door_server *server, os_socket socket, enum door_access access)
{
    server_client_new(server, socket, access != DOOR_NOTHING ? CLIENT_OPEN : CLIENT_HELLO, access);
}

size_t door_server_connections(const struct door_server *server)
{
    return server->client_count;
}
