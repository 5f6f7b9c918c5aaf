/* One engine, or one way to it, for the process; and how a call becomes messages. */
#include "door/door.h"

#include "door/remote.h"
#include "os/process.h"
#include "os/system.h"

#include <stdatomic.h>
#include <string.h>

/* ------------------------------------------------------ finding the engine */

/*
 * The transport belongs to one process, with all the libraries that this code is linked into. After
 * a fork the child sees its parent's pid here, and builds its own: nothing of the old one may be
 * touched, for its locks may have been held when the fork came. That is also why no lock guards
 * this: `builder` is the pid of the process in which a thread builds.
 */
static struct door_transport *current(void)
{
    return (struct door_transport *)atomic_load(os_common(OS_COMMON_ENGINE));
}

/* The pid for which it was built. */
static unsigned owner(void)
{
    return (unsigned)atomic_load(os_common(OS_COMMON_OWNER));
}

/* True: this thread is the one that builds. False: another one did while we waited. */
static bool become_builder(unsigned pid)
{
    _Atomic(uintptr_t) *builder = os_common(OS_COMMON_BUILDER);
    for (;;) {
        uintptr_t seen = atomic_load(builder);
        if (seen != pid && atomic_compare_exchange_strong(builder, &seen, pid))
            return true;
        if (seen == pid)
            os_sleep(1); /* a service may have to be started */
        if (owner() == pid)
            return false;
    }
}

static enum status find_transport(struct door_transport **out)
{
    unsigned pid = os_process_id();
    enum status status = STATUS_OK;
    if (owner() != pid && become_builder(pid)) {
        struct door_transport *built;
        if (owner() != pid) { /* another may have built between our look and our turn */
            status = door_find(&built);
            if (status == STATUS_OK) {
                atomic_store(os_common(OS_COMMON_ENGINE), (uintptr_t)built);
                atomic_store(os_common(OS_COMMON_OWNER), pid);
            }
        }
        atomic_store(os_common(OS_COMMON_BUILDER), 0);
    }
    *out = current();
    return status;
}

bool door_in_process(void)
{
    struct door_transport *transport;
    return find_transport(&transport) == STATUS_OK && transport->in_process;
}

/* ------------------------------------------------------------------- calls */

static enum status encode_request(struct door_buffer *message, const struct operation_info *info,
                                  const void *request)
{
    struct door_header header = {.operation = info->number, .call = 1};
    return door_message_encode(message, &header, info->request, request);
}

static bool carries_reply(uint32_t status)
{
    return status == STATUS_OK || status == STATUS_SCSI_STATUS;
}

/* Does a decoded record lead into the message it came in? */
static bool has_pointers(const struct record_info *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].kind > FIELD_U64)
            return true;
    }
    return false;
}

/* The record is copied, because what is decoded points into it and `message` goes away. */
static enum status decode_reply(const struct door_buffer *message,
                                const struct operation_info *info, void *reply,
                                struct os_arena *arena)
{
    struct door_header header;
    const uint8_t *record;
    size_t length;
    enum status status =
        door_message_decode(&header, message->data, message->length, &record, &length);
    if (status != STATUS_OK)
        return status;
    if (header.operation != info->number || header.status >= STATUS_COUNT)
        return STATUS_MESSAGE_INVALID;
    if (reply == NULL || !carries_reply(header.status))
        return (enum status)header.status;
    if (arena == NULL && has_pointers(info->reply))
        return STATUS_INTERNAL;
    if (arena != NULL && length > 0) {
        record = os_arena_copy(arena, record, length);
        if (record == NULL)
            return STATUS_NO_MEMORY;
    }
    status = door_decode(info->reply, record, length, reply, arena);
    return status == STATUS_OK ? (enum status)header.status : status;
}

static enum status exchange(const struct operation_info *info, const void *request, void *reply,
                            struct os_arena *arena)
{
    struct door_buffer sent = {0}, received = {0};
    struct door_transport *transport;
    enum status status = find_transport(&transport);
    if (status == STATUS_OK)
        status = encode_request(&sent, info, request);
    if (status == STATUS_OK)
        status = transport->call(transport, sent.data, sent.length, &received);
    if (status == STATUS_OK)
        status = decode_reply(&received, info, reply, arena);
    door_buffer_clear(&sent);
    door_buffer_clear(&received);
    return status;
}

enum status door_call(enum operation operation, const void *request, void *reply,
                      struct os_arena *arena)
{
    const struct operation_info *info = operation_find(operation);
    if (info == NULL)
        return STATUS_NOT_IMPLEMENTED;
    if (reply != NULL)
        memset(reply, 0, info->reply->size);
    return exchange(info, request, reply, arena);
}
