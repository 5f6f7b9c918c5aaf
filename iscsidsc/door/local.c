/* The engine in this process: messages cross to its thread by reference, and the caller waits. */
#include "door/transport.h"
#include "engine/engine.h"
#include "os/crypto.h"
#include "os/thread.h"

#include <string.h>

/* What a caller waits by; kept for the next one, so that a call makes no locks. */
struct waiter {
    struct waiter *next;
    struct os_loop_waiter loop;
};

struct local_transport {
    struct door_transport transport;
    struct engine *engine;
    struct os_mutex *mutex; /* guards spare */
    struct waiter *spare;
};

/* One call, on its caller's stack; the engine's thread owns it from the post until it wakes the
 * waiter. */
struct local_call {
    struct os_job job;
    struct engine_call call;
    const uint8_t *message;
    size_t length;
    struct door_header header;
    struct door_buffer *reply;
    enum status status; /* of the transport */
    struct waiter *waiter;
};

/* ----------------------------------------------------------------- waiters */

static void waiter_free(struct waiter *waiter)
{
    os_loop_waiter_clear(&waiter->loop);
    os_free(waiter);
}

static struct waiter *waiter_new(void)
{
    struct waiter *waiter = os_alloc(sizeof *waiter);
    if (waiter != NULL && os_loop_waiter_init(&waiter->loop))
        return waiter;
    os_free(waiter);
    return NULL;
}

static struct waiter *waiter_take(struct local_transport *local)
{
    os_mutex_lock(local->mutex);
    struct waiter *waiter = local->spare;
    if (waiter != NULL)
        local->spare = waiter->next;
    os_mutex_unlock(local->mutex);
    return waiter != NULL ? waiter : waiter_new();
}

static void waiter_put(struct local_transport *local, struct waiter *waiter)
{
    os_mutex_lock(local->mutex);
    waiter->next = local->spare;
    local->spare = waiter;
    os_mutex_unlock(local->mutex);
}

/* ------------------------------------------------- on the engine's thread */

static void answer(struct local_call *local, enum status outcome, const void *reply)
{
    const struct operation_info *operation = local->call.operation;
    struct door_header header = local->header;
    header.status = (uint32_t)outcome;
    local->status = door_message_encode(local->reply, &header,
                                        operation != NULL ? operation->reply : NULL, reply);
    os_arena_clear(&local->call.arena);
    /* From here on the call is its caller's again. */
    os_loop_finish(engine_loop(local->call.engine), &local->waiter->loop);
}

static void call_finished(struct engine_call *call, enum status status, const void *reply)
{
    bool has_reply = status == STATUS_OK || status == STATUS_SCSI_STATUS;
    answer(call->client, status, has_reply ? reply : NULL);
}

/* Decodes the request into the call. */
static enum status open_call(struct local_call *local)
{
    struct engine_call *call = &local->call;
    const uint8_t *record;
    size_t length;
    enum status status =
        door_message_decode(&local->header, local->message, local->length, &record, &length);
    if (status != STATUS_OK)
        return status;
    call->operation = operation_find(local->header.operation);
    if (call->operation == NULL)
        return STATUS_NOT_IMPLEMENTED;
    void *request = os_arena_alloc(&call->arena, call->operation->request->size);
    if (request == NULL)
        return STATUS_NO_MEMORY;
    call->request = request;
    return door_decode(call->operation->request, record, length, request, &call->arena);
}

static void run_call(struct os_job *job)
{
    struct local_call *local = LIST_OWNER(job, struct local_call, job);
    enum status status = open_call(local);
    if (status == STATUS_OK)
        local->call.operation->run(&local->call);
    else
        answer(local, status, NULL);
}

/* -------------------------------------------------- on the caller's thread */

static enum status local_call(struct door_transport *transport, const uint8_t *request,
                              size_t length, struct door_buffer *reply)
{
    struct local_transport *local = LIST_OWNER(transport, struct local_transport, transport);
    if (os_loop_is_current(engine_loop(local->engine)))
        return STATUS_INTERNAL; /* it would wait for itself */
    struct waiter *waiter = waiter_take(local);
    if (waiter == NULL)
        return STATUS_NO_MEMORY;
    struct local_call call = {
        .job = {.run = run_call},
        .call = {.engine = local->engine, .finished = call_finished, .client = &call},
        .message = request,
        .length = length,
        .reply = reply,
        .waiter = waiter,
    };
    list_init(&call.call.link);
    os_loop_call(engine_loop(local->engine), &call.job, &waiter->loop);
    waiter_put(local, waiter);
    return call.status;
}

static void local_free(struct door_transport *transport)
{
    struct local_transport *local = LIST_OWNER(transport, struct local_transport, transport);
    engine_stop(local->engine);
    for (struct waiter *next; local->spare != NULL; local->spare = next) {
        next = local->spare->next;
        waiter_free(local->spare);
    }
    os_mutex_free(local->mutex);
    os_free(local);
}

enum status door_local_new(struct door_transport **out)
{
    struct local_transport *local = os_alloc(sizeof *local);
    if (local == NULL)
        return STATUS_NO_MEMORY;
    local->transport =
        (struct door_transport){.call = local_call, .free = local_free, .in_process = true};
    local->mutex = os_mutex_new();
    enum status status =
        local->mutex != NULL ? engine_start(&local->engine, NULL) : STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        if (local->mutex != NULL)
            os_mutex_free(local->mutex);
        os_free(local);
        return status;
    }
    *out = &local->transport;
    return STATUS_OK;
}
