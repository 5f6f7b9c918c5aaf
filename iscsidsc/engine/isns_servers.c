/* Following iSNS servers. */
#include "discovery/isns.h"
#include "engine/isns.h"
#include "engine/recovery.h"
#include "engine/settings.h"
#include "os/memory.h"
#include "os/system.h"
#include "protocol/isns.h"

#include <string.h>

enum { LEAST_PAUSE = 1000 }; /* what the pauses between tries grow to at least, in milliseconds */

/* A conversation. Without `server` it only says goodbye. */
struct isns_follower {
    struct list list;
    struct engine *engine;
    struct isns_server *server;
    struct isns_client *client;
    struct portal_address where;
    char node[ISCSI_NAME_MAX + 1]; /* the initiator's name there */
};

struct isns_server {
    struct list list;
    struct engine *engine;
    struct mechanism *mechanism;
    struct portal_address where;
    struct isns_follower *follower; /* NULL: between two tries */
    bool deferred;                  /* until we have left that server */
    struct os_timer timer;          /* the next try */
    unsigned tries;
    uint64_t began;      /* to be followed */
    struct list waiters; /* struct probe_waiter */
};

#define SERVER(node)   LIST_OWNER(node, struct isns_server, list)
#define FOLLOWER(node) LIST_OWNER(node, struct isns_follower, list)

static bool same_place(const struct portal_address *left, const struct portal_address *right)
{
    return left->port == right->port && name_equal(left->host, right->host);
}

static void tell_waiters(struct isns_server *server, enum status status)
{
    struct list waiters;
    struct list *first;
    list_init(&waiters);
    while ((first = list_first(&server->waiters)) != NULL) {
        list_remove(first);
        list_append(&waiters, first);
    }
    /* The server may be gone after the first of them. */
    while ((first = list_first(&waiters)) != NULL) {
        struct probe_waiter *waiter = LIST_OWNER(first, struct probe_waiter, link);
        list_remove(first);
        waiter->done(waiter, status);
    }
}

static enum status follow(struct isns_server *server);

static void try_later(struct isns_server *server)
{
    const struct engine *engine = server->engine;
    uint32_t most =
        engine->configuration != NULL ? engine->parameters.delay_between_reconnect * 1000 : 0;
    uint32_t pause = recovery_pause(++server->tries, most > LEAST_PAUSE ? most : LEAST_PAUSE);
    /* Out of memory: it is tried again when somebody asks for it. */
    os_timer_set(engine->loop, &server->timer, os_now() + pause);
}

/* --- what a server says --- */

static void on_found(void *context, const struct discovery_records *records)
{
    struct isns_follower *follower = context;
    struct isns_server *server = follower->server;
    if (server == NULL)
        return;
    server->tries = 0;
    server->mechanism->answered = true;
    enum status status = catalogue_replace(&server->engine->catalogue, server->mechanism, records);
    tell_waiters(server, status);
}

static void on_changed(void *context, const char *target, const struct discovery_records *records)
{
    struct isns_follower *follower = context;
    struct isns_server *server = follower->server;
    if (server == NULL)
        return;
    enum status status =
        catalogue_update(&server->engine->catalogue, server->mechanism, target, records);
    if (status != STATUS_OK)
        isns_ask(follower->client);
}

static void follower_free(struct isns_follower *follower)
{
    isns_close(follower->client);
    list_remove(&follower->list);
    os_free(follower);
}

static struct isns_server *first_deferred(struct engine *engine)
{
    LIST_EACH(node, &engine->isns_servers)
    {
        if (SERVER(node)->deferred)
            return SERVER(node);
    }
    return NULL;
}

static void resume_deferred(struct engine *engine)
{
    struct isns_server *server;
    while ((server = first_deferred(engine)) != NULL) {
        server->deferred = false;
        if (os_timer_set(engine->loop, &server->timer, os_now()))
            continue;
        try_later(server);
        tell_waiters(server, STATUS_NO_MEMORY);
    }
}

static void on_ended(void *context, enum status status)
{
    struct isns_follower *follower = context;
    struct isns_server *server = follower->server;
    struct engine *engine = follower->engine;
    follower_free(follower);
    if (server == NULL) {
        resume_deferred(engine);
        engine_drained(engine);
        return;
    }
    server->follower = NULL;
    bool worked = server->mechanism->answered;
    server->mechanism->answered = false;
    /* A server that was restarted is back already when it is asked for something. */
    if (worked && !list_empty(&server->waiters) && follow(server) == STATUS_OK)
        return;
    try_later(server);
    tell_waiters(server, status);
}

static const struct isns_events events = {
    .found = on_found, .changed = on_changed, .ended = on_ended};

/* --- connecting --- */

static enum status connect_to(struct isns_server *server, struct isns_follower *follower)
{
    const struct parameters *parameters;
    char alias[ISNS_TEXT_ROOM];
    enum status status = engine_parameters(server->engine, &parameters);
    if (status != STATUS_OK)
        return status;
    if (!os_host_name(alias, sizeof alias))
        alias[0] = '\0';
    const struct isns_settings settings = {
        .host = server->where.host,
        .port = server->where.port,
        .node = follower->node,
        .alias = alias,
        .gate = &server->engine->gate,
        .connect_timeout = parameters->tcp_connect_time * 1000,
        .answer_timeout = parameters->wmi_request_timeout * 1000,
    };
    follower->client = isns_open(server->engine->loop, &settings, &events, follower);
    return follower->client != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* A goodbye that is still on its way would take back what is registered now. */
static bool is_leaving(const struct engine *engine, const struct portal_address *where,
                       const char *node)
{
    LIST_EACH(entry, &engine->isns_followers)
    {
        const struct isns_follower *follower = FOLLOWER(entry);
        if (follower->server == NULL && same_place(&follower->where, where) &&
            name_equal(follower->node, node))
            return true;
    }
    return false;
}

/* OK, but deferred: the server's follower is made later. */
static enum status follow(struct isns_server *server)
{
    char node[ISCSI_NAME_MAX + 1];
    enum status status = settings_node_name(server->engine, node);
    if (status != STATUS_OK)
        return status;
    os_timer_clear(&server->timer);
    server->deferred = is_leaving(server->engine, &server->where, node);
    if (server->deferred)
        return STATUS_OK;
    struct isns_follower *follower = os_alloc(sizeof *follower);
    if (follower == NULL)
        return STATUS_NO_MEMORY;
    follower->engine = server->engine;
    follower->server = server;
    follower->where = server->where;
    memcpy(follower->node, node, sizeof node);
    list_append(&server->engine->isns_followers, &follower->list);
    status = connect_to(server, follower);
    server->mechanism->asked = true;
    if (status != STATUS_OK) {
        follower_free(follower);
        return status;
    }
    server->follower = follower;
    return STATUS_OK;
}

static void on_timer(struct os_timer *timer)
{
    struct isns_server *server = LIST_OWNER(timer, struct isns_server, timer);
    enum status status = server->follower == NULL ? follow(server) : STATUS_OK;
    if (status == STATUS_OK)
        return;
    try_later(server);
    tell_waiters(server, status);
}

/* --- the end --- */

static void say_goodbye(struct isns_server *server)
{
    struct isns_follower *follower = server->follower;
    server->follower = NULL;
    if (follower == NULL)
        return;
    follower->server = NULL;
    isns_leave(follower->client);
}

static void server_free(struct isns_server *server)
{
    say_goodbye(server);
    os_timer_clear(&server->timer);
    list_remove(&server->list);
    tell_waiters(server, STATUS_ISNS_SERVER_NOT_FOUND);
    os_free(server);
}

void isns_servers_leave(struct engine *engine)
{
    struct list *first;
    while ((first = list_first(&engine->isns_servers)) != NULL)
        server_free(SERVER(first));
}

bool isns_servers_left(const struct engine *engine)
{
    return list_empty(&engine->isns_followers);
}

void isns_servers_drop(struct engine *engine)
{
    struct list *first;
    isns_servers_leave(engine);
    while ((first = list_first(&engine->isns_followers)) != NULL)
        follower_free(FOLLOWER(first));
}

void isns_servers_renamed(struct engine *engine)
{
    char name[ISCSI_NAME_MAX + 1];
    if (settings_node_name(engine, name) != STATUS_OK)
        return;
    LIST_EACH(node, &engine->isns_servers)
    {
        struct isns_server *server = SERVER(node);
        if (server->follower == NULL || name_equal(server->follower->node, name))
            continue;
        say_goodbye(server);
        if (follow(server) != STATUS_OK)
            try_later(server);
    }
}

/* --- the list --- */

static struct mechanism_key key_of(const struct portal_address *where)
{
    return (struct mechanism_key){
        .kind = MECHANISM_ISNS, .address = where->host, .socket = where->port};
}

static struct isns_server *find(const struct engine *engine, const struct portal_address *where)
{
    LIST_EACH(node, &engine->isns_servers)
    {
        if (same_place(&SERVER(node)->where, where))
            return SERVER(node);
    }
    return NULL;
}

static struct isns_server *make(struct engine *engine, const struct portal_address *where)
{
    const struct mechanism_key key = key_of(where);
    struct isns_server *server = os_alloc(sizeof *server);
    if (server == NULL)
        return NULL;
    server->mechanism = catalogue_make_mechanism(&engine->catalogue, &key);
    if (server->mechanism == NULL) {
        os_free(server);
        return NULL;
    }
    server->mechanism->answered = false;
    server->engine = engine;
    server->began = os_now();
    server->where = *where;
    server->timer.fire = on_timer;
    list_init(&server->waiters);
    list_append(&engine->isns_servers, &server->list);
    return server;
}

/* Is there news to wait for? */
static enum status ask(struct isns_server *server, bool new, enum exploration_mode mode,
                       uint64_t most, bool *waiting)
{
    enum status status = STATUS_OK;
    bool under_way = server->follower != NULL || server->deferred;
    bool pending = under_way && !server->mechanism->answered && server->tries == 0 &&
                   os_now() - server->began < most;
    bool always = mode == EXPLORE_ALL || mode == EXPLORE_ISNS;
    if (server->follower == NULL && (new || always))
        status = follow(server);
    else if (always)
        isns_ask(server->follower->client);
    if (status != STATUS_OK)
        try_later(server);
    *waiting = status == STATUS_OK && mode != EXPLORE_UNANSWERED && (new || always || pending);
    return status;
}

enum status isns_servers_ask(struct engine *engine, const char *address, enum exploration_mode mode,
                             uint64_t most, struct probe_waiter *waiter, bool *waiting)
{
    struct portal_address where;
    *waiting = false;
    enum status status = server_parse(address, ISNS_DEFAULT_PORT, &where);
    if (status != STATUS_OK)
        return status;
    struct isns_server *server = find(engine, &where);
    bool new = server == NULL;
    if (new)
        server = make(engine, &where);
    if (server == NULL)
        return STATUS_NO_MEMORY;
    status = ask(server, new, mode, most, waiting);
    if (*waiting)
        list_append(&server->waiters, &waiter->link);
    return status;
}

static bool is_listed(const struct mechanism_key *key, const struct text_list *listed)
{
    for (uint32_t i = 0; i < listed->count; i++) {
        struct portal_address where;
        if (server_parse(listed->items[i], ISNS_DEFAULT_PORT, &where) == STATUS_OK &&
            where.port == key->socket && name_equal(where.host, key->address))
            return true;
    }
    return false;
}

static struct isns_server *first_unlisted(struct engine *engine, const struct text_list *listed)
{
    LIST_EACH(node, &engine->isns_servers)
    {
        if (!is_listed(&SERVER(node)->mechanism->key, listed))
            return SERVER(node);
    }
    return NULL;
}

static void forget_unlisted(struct engine *engine, const struct text_list *listed)
{
    LIST_EACH_SAFE(node, &engine->catalogue.mechanisms)
    {
        struct mechanism *mechanism = LIST_OWNER(node, struct mechanism, link);
        if (mechanism->key.kind == MECHANISM_ISNS && !is_listed(&mechanism->key, listed))
            catalogue_drop_mechanism(&engine->catalogue, mechanism);
    }
}

void isns_servers_keep(struct engine *engine, const struct text_list *listed, bool forget)
{
    struct isns_server *server;
    /* From the beginning each time: those who wait may do anything. */
    while ((server = first_unlisted(engine, listed)) != NULL)
        server_free(server);
    if (forget)
        forget_unlisted(engine, listed);
}
