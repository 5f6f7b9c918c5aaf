#include "discovery/connector.h"
#include "os/list.h"
#include "os/memory.h"

#include <string.h>

struct connector {
    struct os_loop *loop;
    connector_done *done;
    void *context;
    struct connect_gate *gate;
    char *host;
    uint16_t port;
    struct os_resolve *resolve; /* NULL once the name is looked up */
    struct os_watch watch;      /* of the address being tried */
    struct os_timer timer;
    uint64_t deadline;
    struct os_address source;
    bool has_source;
    struct os_address addresses[OS_RESOLVE_MAX];
    size_t count;
    size_t next; /* address to try */
    uint32_t buffers;
    enum status failure;
};

/* Of several failures the one that says most about the portal is reported. */
static int telling(enum status status)
{
    switch (status) {
    case STATUS_NO_RESOURCES:
        return 5;
    case STATUS_CONNECT_REFUSED:
        return 4;
    case STATUS_CONNECT_TIMEOUT:
        return 3;
    case STATUS_CONNECT_UNREACHABLE:
        return 2;
    case STATUS_ADDRESS_FAMILY:
        return 0;
    default:
        return 1;
    }
}

static void note_failure(struct connector *connector, enum status status)
{
    if (connector->failure == STATUS_OK || telling(status) > telling(connector->failure))
        connector->failure = status;
}

static void drop_socket(struct connector *connector)
{
    os_watch_stop(&connector->watch);
    if (connector->watch.socket != OS_NO_SOCKET)
        os_close(connector->watch.socket);
    connector->watch.socket = OS_NO_SOCKET;
}

void connector_cancel(struct connector *connector)
{
    if (connector == NULL)
        return;
    if (connector->resolve != NULL)
        os_resolve_cancel(connector->resolve);
    drop_socket(connector);
    os_timer_clear(&connector->timer);
    os_free(connector->host);
    os_free(connector);
}

static void finish(struct connector *connector, enum status status)
{
    connector_done *done = connector->done;
    void *context = connector->context;
    os_socket socket = OS_NO_SOCKET;
    if (status == STATUS_OK) {
        os_watch_stop(&connector->watch);
        socket = connector->watch.socket;
        connector->watch.socket = OS_NO_SOCKET;
    }
    connector_cancel(connector);
    done(context, status, socket);
}

static bool usable(const struct connector *connector, const struct os_address *address)
{
    return !connector->has_source ||
           os_address_is_ipv6(address) == os_address_is_ipv6(&connector->source);
}

static enum status try_address(struct connector *connector, const struct os_address *address)
{
    if (!usable(connector, address))
        return STATUS_ADDRESS_FAMILY;
    enum status status =
        os_connect_buffered(&connector->watch.socket, address,
                            connector->has_source ? &connector->source : NULL, connector->buffers);
    if (status != STATUS_OK) {
        connector->watch.socket = OS_NO_SOCKET;
        return status;
    }
    if (os_watch_start(connector->loop, &connector->watch, OS_WRITABLE))
        return STATUS_OK;
    drop_socket(connector);
    return STATUS_NO_MEMORY;
}

/* A silent address must leave time for those behind it: each gets its share of what is left. */
static uint64_t share_due(const struct connector *connector)
{
    uint64_t now = os_now();
    uint64_t left = connector->deadline > now ? connector->deadline - now : 0;
    return now + left / (connector->count - connector->next + 1);
}

static void try_next(struct connector *connector)
{
    while (connector->next < connector->count) {
        enum status status = try_address(connector, &connector->addresses[connector->next++]);
        if (status == STATUS_OK) {
            if (os_timer_set(connector->loop, &connector->timer, share_due(connector)))
                return;
            drop_socket(connector);
            status = STATUS_NO_MEMORY;
        }
        note_failure(connector, status);
    }
    finish(connector, connector->failure);
}

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct connector *connector = LIST_OWNER(watch, struct connector, watch);
    (void)events;
    enum status status = os_connect_result(watch->socket);
    if (status == STATUS_OK) {
        finish(connector, STATUS_OK);
        return;
    }
    note_failure(connector, status);
    drop_socket(connector);
    try_next(connector);
}

static void on_timer(struct os_timer *timer)
{
    struct connector *connector = LIST_OWNER(timer, struct connector, timer);
    if (connector->resolve != NULL) {
        finish(connector, STATUS_NAME_UNRESOLVED);
        return;
    }
    note_failure(connector, STATUS_CONNECT_TIMEOUT);
    drop_socket(connector);
    try_next(connector);
}

static enum status ask_gate(const struct connector *connector)
{
    const struct connect_place place = {
        .host = connector->host,
        .port = connector->port,
        .addresses = connector->addresses,
        .count = connector->count,
        .source = connector->has_source ? &connector->source : NULL,
    };
    return connector->gate != NULL ? connector->gate->ask(connector->gate, &place) : STATUS_OK;
}

static void on_resolved(void *context, enum status status, const struct os_address *addresses,
                        size_t count)
{
    struct connector *connector = context;
    connector->resolve = NULL;
    if (status != STATUS_OK) {
        finish(connector, status);
        return;
    }
    connector->count = count < OS_RESOLVE_MAX ? count : OS_RESOLVE_MAX;
    memcpy(connector->addresses, addresses, connector->count * sizeof *addresses);
    status = ask_gate(connector);
    if (status != STATUS_OK)
        finish(connector, status);
    else
        try_next(connector);
}

struct connector *connector_start(struct os_loop *loop, const struct connector_target *target,
                                  connector_done *done, void *context)
{
    struct connector *connector = os_alloc(sizeof *connector);
    if (connector == NULL)
        return NULL;
    connector->loop = loop;
    connector->done = done;
    connector->context = context;
    connector->watch.socket = OS_NO_SOCKET;
    connector->watch.ready = on_ready;
    connector->timer.fire = on_timer;
    connector->deadline = os_now() + target->timeout;
    if (target->source != NULL) {
        connector->source = *target->source;
        connector->has_source = true;
    }
    connector->buffers = target->buffers;
    connector->gate = target->gate;
    connector->port = target->port;
    connector->host = os_copy_text(target->host);
    if (connector->host != NULL && os_timer_set(loop, &connector->timer, connector->deadline))
        connector->resolve = os_resolve(loop, target->host, target->port, on_resolved, connector);
    if (connector->resolve == NULL) {
        connector_cancel(connector);
        return NULL;
    }
    return connector;
}
