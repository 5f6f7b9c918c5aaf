#include "discovery/isns_listener.h"
#include "os/list.h"
#include "os/memory.h"

enum {
    BACKLOG = 16,
    CALLERS_MOST = 16,    /* anybody may connect: the oldest one makes room */
    SILENCE_MOST = 300000 /* milliseconds that a caller may say nothing */
};

struct isns_listener {
    struct os_loop *loop;
    struct os_watch watch;
    struct list callers; /* oldest first */
    size_t count;
    isns_changed *changed;
    void *context;
};

struct caller {
    struct list list;
    struct isns_listener *listener;
    struct isns_link link;
    struct os_timer timer;
};

/* --- answering --- */

enum status isns_answer(struct isns_link *link, const struct isns_header *header,
                        const uint8_t *payload, size_t length, isns_changed *changed, void *context)
{
    bool scn = header->function == ISNS_SCN;
    bool known = scn || header->function == ISNS_ESI;
    enum status status = STATUS_OK;
    if ((header->function & ISNS_RESPONSE) != 0)
        return STATUS_PROTOCOL_ERROR;
    if (scn)
        status = isns_read_scn(payload, length, changed, context);
    size_t room = ISNS_HEADER_LENGTH + 4 + length;
    uint8_t *answer = status == STATUS_OK ? os_alloc(room) : NULL;
    if (status == STATUS_OK && answer == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        size_t size = isns_encode_response(answer, room, header, known ? payload : NULL, length);
        if (size == 0)
            status = STATUS_PROTOCOL_ERROR;
        else if (!isns_link_send(link, answer, size))
            status = STATUS_NO_MEMORY;
    }
    os_free(answer);
    return status;
}

/* --- callers --- */

static void drop_caller(struct caller *caller)
{
    caller->listener->count--;
    list_remove(&caller->list);
    os_timer_clear(&caller->timer);
    isns_link_close(&caller->link);
    os_free(caller);
}

static bool keep(struct caller *caller)
{
    return os_timer_set(caller->listener->loop, &caller->timer, os_now() + SILENCE_MOST);
}

static void on_message(struct isns_link *link, const struct isns_header *header,
                       const uint8_t *payload, size_t length)
{
    struct caller *caller = LIST_OWNER(link, struct caller, link);
    struct isns_listener *listener = caller->listener;
    enum status status =
        isns_answer(link, header, payload, length, listener->changed, listener->context);
    if (status != STATUS_OK || !keep(caller))
        drop_caller(caller);
}

static void on_failed(struct isns_link *link, enum status status)
{
    (void)status;
    drop_caller(LIST_OWNER(link, struct caller, link));
}

static void on_timer(struct os_timer *timer)
{
    drop_caller(LIST_OWNER(timer, struct caller, timer));
}

static const struct isns_link_events link_events = {.message = on_message, .failed = on_failed};

static void add_caller(struct isns_listener *listener, os_socket socket)
{
    struct caller *caller = os_alloc(sizeof *caller);
    if (caller == NULL) {
        os_close(socket);
        return;
    }
    if (listener->count == CALLERS_MOST)
        drop_caller(LIST_OWNER(list_first(&listener->callers), struct caller, list));
    caller->listener = listener;
    caller->timer.fire = on_timer;
    list_append(&listener->callers, &caller->list);
    listener->count++;
    if (!isns_link_open(&caller->link, listener->loop, socket, &link_events, ISNS_NOTICE_MOST) ||
        !keep(caller))
        drop_caller(caller);
}

static void on_ready(struct os_watch *watch, unsigned events)
{
    struct isns_listener *listener = LIST_OWNER(watch, struct isns_listener, watch);
    os_socket socket;
    (void)events;
    if (os_accept(watch->socket, &socket, NULL))
        add_caller(listener, socket);
}

/* --- the listener --- */

static enum status listen_at(struct isns_listener *listener, const struct os_address *address)
{
    enum status status = os_listen(&listener->watch.socket, address, BACKLOG);
    if (status != STATUS_OK) {
        listener->watch.socket = OS_NO_SOCKET;
        return status;
    }
    return os_watch_start(listener->loop, &listener->watch, OS_READABLE) ? STATUS_OK
                                                                         : STATUS_NO_MEMORY;
}

struct isns_listener *isns_listener_new(struct os_loop *loop, const struct os_address *address,
                                        isns_changed *changed, void *context, enum status *status)
{
    struct isns_listener *listener = os_alloc(sizeof *listener);
    *status = STATUS_NO_MEMORY;
    if (listener == NULL)
        return NULL;
    listener->loop = loop;
    listener->changed = changed;
    listener->context = context;
    listener->watch.ready = on_ready;
    list_init(&listener->callers);
    *status = listen_at(listener, address);
    if (*status == STATUS_OK)
        return listener;
    isns_listener_free(listener);
    return NULL;
}

void isns_listener_free(struct isns_listener *listener)
{
    struct list *first;
    if (listener == NULL)
        return;
    while ((first = list_first(&listener->callers)) != NULL)
        drop_caller(LIST_OWNER(first, struct caller, list));
    os_watch_stop(&listener->watch);
    if (listener->watch.socket != OS_NO_SOCKET)
        os_close(listener->watch.socket);
    os_free(listener);
}

uint16_t isns_listener_port(const struct isns_listener *listener)
{
    struct os_address address;
    return os_local_address(listener->watch.socket, &address) ? os_address_port(&address) : 0;
}
