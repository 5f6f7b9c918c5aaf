/*
 * Calls over connections to the service. A thread takes a connection that is idle, or makes one,
 * and puts it back when its reply has come: one call at a time on each.
 */
#include "door/remote.h"
#include "engine/engine.h"
#include "os/local_socket.h"

enum { IDLE_MOST = 4 };

struct remote {
    struct door_transport transport;
    enum status (*find)(os_socket *out);
    struct os_mutex *mutex; /* guards what follows */
    os_socket idle[IDLE_MOST];
    size_t idle_count;
};

/* --- the pool --- */

static os_socket take_idle(struct remote *remote)
{
    os_mutex_lock(remote->mutex);
    os_socket socket = remote->idle_count > 0 ? remote->idle[--remote->idle_count] : OS_NO_SOCKET;
    os_mutex_unlock(remote->mutex);
    return socket;
}

static void put_idle(struct remote *remote, os_socket socket)
{
    os_mutex_lock(remote->mutex);
    bool kept = remote->idle_count < IDLE_MOST;
    if (kept)
        remote->idle[remote->idle_count++] = socket;
    os_mutex_unlock(remote->mutex);
    if (!kept)
        os_close(socket);
}

/* Nothing comes unasked: what can be read is the end of the connection. */
static bool is_dead(os_socket socket)
{
    return os_socket_wait(socket, OS_READABLE, 0);
}

/* OS_NO_SOCKET: none that lives. */
static os_socket take_live(struct remote *remote)
{
    os_socket socket;
    while ((socket = take_idle(remote)) != OS_NO_SOCKET && is_dead(socket))
        os_close(socket);
    return socket;
}

/* --- calls --- */

/* May the request be sent again when nobody knows whether it was executed? */
static bool is_harmless(const uint8_t *request)
{
    struct door_header header;
    const struct operation_info *operation =
        door_header_decode(&header, request) == STATUS_OK ? operation_find(header.operation) : NULL;
    return operation != NULL && operation->effect == OPERATION_READS;
}

static bool answers(const struct door_buffer *reply, size_t start, const uint8_t *request)
{
    struct door_header asked, got;
    return door_header_decode(&asked, request) == STATUS_OK &&
           door_header_decode(&got, reply->data + start) == STATUS_OK && asked.call == got.call &&
           asked.operation == got.operation;
}

/* `executed` tells that the request may have been. */
static enum status converse(struct remote *remote, os_socket socket, const uint8_t *request,
                            size_t length, struct door_buffer *reply, bool *executed)
{
    size_t start = reply->length;
    enum status sent = remote_send(socket, request, length);
    *executed = sent == STATUS_OK;
    /* Who refuses does so without reading, so that a send can fail and there is still an answer. */
    enum status status = remote_receive(socket, reply, sent == STATUS_OK ? REMOTE_PATIENT : 0);
    if (status == STATUS_OK && !answers(reply, start, request))
        status = STATUS_MESSAGE_INVALID;
    if (status == STATUS_OK && sent == STATUS_OK) {
        put_idle(remote, socket);
        return STATUS_OK;
    }
    reply->length = start;
    os_close(socket);
    return status != STATUS_OK ? status : sent;
}

static bool was_lost(enum status status)
{
    return status == STATUS_CONNECTION_CLOSED || status == STATUS_CONNECTION_RESET ||
           status == STATUS_TRANSPORT_ERROR;
}

/*
 * The service may have been restarted since a connection was put back: then one try on a new
 * connection follows, but never when the request could have been executed and would change
 * something twice.
 */
static enum status remote_call(struct door_transport *transport, const uint8_t *request,
                               size_t length, struct door_buffer *reply)
{
    struct remote *remote = LIST_OWNER(transport, struct remote, transport);
    os_socket socket = take_live(remote);
    bool executed = false;
    enum status status = STATUS_CONNECTION_CLOSED;
    if (socket != OS_NO_SOCKET)
        status = converse(remote, socket, request, length, reply, &executed);
    if (was_lost(status) && (!executed || is_harmless(request))) {
        status = remote->find(&socket);
        if (status == STATUS_OK)
            status = converse(remote, socket, request, length, reply, &executed);
    }
    return was_lost(status) ? STATUS_SERVICE_NOT_RUNNING : status;
}

static void remote_free(struct door_transport *transport)
{
    struct remote *remote = LIST_OWNER(transport, struct remote, transport);
    for (size_t i = 0; i < remote->idle_count; i++)
        os_close(remote->idle[i]);
    os_mutex_free(remote->mutex);
    os_free(remote);
}

enum status remote_new(struct door_transport **out, enum status (*find)(os_socket *out),
                       os_socket first)
{
    struct remote *remote = os_alloc(sizeof *remote);
    if (remote != NULL)
        remote->mutex = os_mutex_new();
    if (remote == NULL || remote->mutex == NULL) {
        os_free(remote);
        os_close(first);
        return STATUS_NO_MEMORY;
    }
    remote->transport = (struct door_transport){.call = remote_call, .free = remote_free};
    remote->find = find;
    if (first != OS_NO_SOCKET)
        put_idle(remote, first);
    *out = &remote->transport;
    return STATUS_OK;
}
