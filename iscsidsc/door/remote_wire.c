/* Whole messages over a socket, for a thread that waits. */
#include "door/handshake.h"
#include "door/remote.h"
#include "os/crypto.h"

#include <string.h>

enum { PING_CALL = -1 };

enum status remote_send(os_socket socket, const void *data, size_t length)
{
    struct iov piece = {(void *)(uintptr_t)data, length};
    enum status status;
    while (piece.length > 0) {
        long sent = os_send(socket, &piece, 1, &status);
        if (sent < 0)
            return status;
        piece.base = (char *)piece.base + sent;
        piece.length -= (size_t)sent;
        if (sent == 0 && !os_socket_wait(socket, OS_WRITABLE, os_now() + REMOTE_SILENCE))
            return STATUS_SERVICE_TIMEOUT;
    }
    return STATUS_OK;
}

/* --- in --- */

struct listener {
    os_socket socket;
    uint64_t due;
    bool asked; /* whether it lives; it has not answered since */
};

static enum status ask(struct listener *listener)
{
    struct door_buffer message = {0};
    if (listener->asked)
        return STATUS_SERVICE_TIMEOUT;
    listener->asked = true;
    enum status status =
        door_control_encode(&message, DOOR_PING, (uint32_t)PING_CALL, STATUS_OK, NULL, 0);
    if (status == STATUS_OK)
        status = remote_send(listener->socket, message.data, message.length);
    door_buffer_clear(&message);
    return status;
}

static enum status wait_for_more(struct listener *listener)
{
    if (listener->due != REMOTE_PATIENT)
        return os_socket_wait(listener->socket, OS_READABLE, listener->due)
                   ? STATUS_OK
                   : STATUS_SERVICE_TIMEOUT;
    while (!os_socket_wait(listener->socket, OS_READABLE, os_now() + REMOTE_SILENCE)) {
        enum status status = ask(listener);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status receive_all(struct listener *listener, uint8_t *data, size_t length)
{
    struct iov piece = {data, length};
    while (piece.length > 0) {
        /* The answer takes longer than a look: waiting first saves one. */
        enum status status = wait_for_more(listener);
        if (status != STATUS_OK)
            return status;
        long got = os_receive(listener->socket, &piece, 1, &status);
        if (got < 0)
            return status;
        if (got > 0)
            listener->asked = false;
        piece.base = (char *)piece.base + got;
        piece.length -= (size_t)got;
    }
    return STATUS_OK;
}

static enum status receive_header(struct listener *listener, struct door_header *header,
                                  uint8_t bytes[DOOR_HEADER])
{
    enum status status = receive_all(listener, bytes, DOOR_HEADER);
    if (status != STATUS_OK)
        return status;
    status = door_header_decode(header, bytes);
    if (header->version != DOOR_VERSION)
        return STATUS_SERVICE_VERSION;
    /* What is not a reply to a call is short, and may come from who has proved nothing yet. */
    if (listener->due != REMOTE_PATIENT && header->length > HANDSHAKE_MESSAGE_MAX)
        return STATUS_MESSAGE_INVALID;
    if (status == STATUS_OK && header->operation == DOOR_REFUSAL)
        status = header->status != STATUS_OK && header->status < STATUS_COUNT
                     ? (enum status)header->status
                     : STATUS_MESSAGE_INVALID;
    return status;
}

static enum status receive_message(struct listener *listener, struct door_buffer *reply,
                                   struct door_header *header)
{
    uint8_t bytes[DOOR_HEADER];
    enum status status = receive_header(listener, header, bytes);
    size_t rest = status == STATUS_OK ? (size_t)header->length + 4 - DOOR_HEADER : 0;
    if (status == STATUS_OK)
        status = door_buffer_reserve(reply, DOOR_HEADER + rest);
    if (status != STATUS_OK)
        return status;
    memcpy(reply->data + reply->length, bytes, DOOR_HEADER);
    status = receive_all(listener, reply->data + reply->length + DOOR_HEADER, rest);
    if (status == STATUS_OK)
        reply->length += DOOR_HEADER + rest;
    else
        os_wipe(reply->data + reply->length, DOOR_HEADER + rest);
    return status;
}

enum status remote_receive(os_socket socket, struct door_buffer *reply, uint64_t due)
{
    struct listener listener = {.socket = socket, .due = due};
    size_t start = reply->length;
    for (;;) {
        struct door_header header;
        enum status status = receive_message(&listener, reply, &header);
        bool sign_of_life = status == STATUS_OK && header.operation == DOOR_PING &&
                            header.call == (uint32_t)PING_CALL;
        if (!sign_of_life)
            return status;
        reply->length = start;
    }
}
