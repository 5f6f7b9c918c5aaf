/* A connection to the service at one place, ready for calls. */
#include "door/handshake.h"
#include "door/remote.h"
#include "os/local_socket.h"

#include <string.h>

/* --- control messages --- */

static enum status send_control(os_socket socket, enum door_control control, const void *body,
                                size_t length)
{
    struct door_buffer message = {0};
    enum status status = door_control_encode(&message, control, 0, STATUS_OK, body, length);
    if (status == STATUS_OK)
        status = remote_send(socket, message.data, message.length);
    door_buffer_clear(&message);
    return status;
}

/* The answer, which must be this control with a body of this length. */
static enum status receive_control(os_socket socket, enum door_control control, void *body,
                                   size_t length, uint64_t due)
{
    struct door_buffer message = {0};
    struct door_header header;
    const uint8_t *found = NULL;
    size_t found_length = 0;
    enum status status = remote_receive(socket, &message, due);
    if (status == STATUS_OK)
        status = door_message_decode(&header, message.data, message.length, &found, &found_length);
    if (status == STATUS_OK && (header.operation != control || found_length != length))
        status = STATUS_MESSAGE_INVALID;
    if (status == STATUS_OK && length > 0)
        memcpy(body, found, length);
    door_buffer_clear(&message);
    return status;
}

/* A refusal may have been written before our message found the connection closed. */
static enum status exchange(os_socket socket, enum door_control control, const void *body,
                            size_t length, void *answer, size_t answer_length, uint64_t due)
{
    enum status sent = send_control(socket, control, body, length);
    enum status received = receive_control(socket, control, answer, answer_length, due);
    bool ended = received == STATUS_CONNECTION_CLOSED || received == STATUS_CONNECTION_RESET;
    return ended && sent != STATUS_OK ? sent : received;
}

/* --- loopback --- */

static enum status dial(os_socket *out, uint16_t port, uint64_t due)
{
    struct os_address at;
    *out = OS_NO_SOCKET;
    if (!os_address_parse(&at, "127.0.0.1", port))
        return STATUS_INTERNAL;
    enum status status = os_connect(out, &at, NULL);
    if (status != STATUS_OK)
        return STATUS_SERVICE_NOT_RUNNING;
    if (!os_socket_wait(*out, OS_WRITABLE, due))
        status = STATUS_SERVICE_TIMEOUT;
    else if (os_connect_result(*out) != STATUS_OK)
        status = STATUS_SERVICE_NOT_RUNNING;
    if (status != STATUS_OK) {
        os_close(*out);
        *out = OS_NO_SOCKET;
    }
    return status;
}

/* Who cannot prove itself is not the service, whatever else it may be. */
static enum status prove(os_socket socket, struct handshake *handshake, uint64_t due)
{
    uint8_t hello[HANDSHAKE_HELLO], answer[HANDSHAKE_ANSWER], proof[HANDSHAKE_PROOF];
    enum status status = handshake_client_hello(handshake, hello);
    if (status == STATUS_OK)
        status = exchange(socket, DOOR_HELLO, hello, sizeof hello, answer, sizeof answer, due);
    if (status != STATUS_OK)
        return status == STATUS_MESSAGE_INVALID ? STATUS_SERVICE_NOT_RUNNING : status;
    status = handshake_client_proof(handshake, answer, proof);
    if (status != STATUS_OK)
        return status == STATUS_ACCESS_DENIED ? STATUS_SERVICE_NOT_RUNNING : status;
    return exchange(socket, DOOR_PROOF, proof, sizeof proof, NULL, 0, due);
}

enum status remote_connect_loopback(os_socket *out, const struct os_place *place, uint64_t due)
{
    struct handshake handshake = {0};
    *out = OS_NO_SOCKET;
    enum status status = door_credentials_read(&handshake.credentials, place);
    if (status == STATUS_OK)
        status = dial(out, handshake.credentials.port, due);
    if (status == STATUS_OK)
        status = prove(*out, &handshake, due);
    handshake_clear(&handshake);
    if (status != STATUS_OK) {
        os_close(*out);
        *out = OS_NO_SOCKET;
    }
    return status;
}

/* --- either way --- */

/* The directory may be one in which others can put a socket: what listens there must be root's or
 * this user's. */
static enum status connect_local(os_socket *out, const struct os_place *place, uint64_t due)
{
    char path[OS_PATH_ROOM];
    struct os_peer peer;
    if (!os_place_path(place, ".sock", path))
        return STATUS_SERVICE_NOT_RUNNING;
    enum status status = os_local_connect(out, path, due);
    if (status == STATUS_OK && os_local_peer(*out, &peer) && !peer.own)
        status = STATUS_ACCESS_DENIED;
    return status;
}

static bool was_dropped(enum status status)
{
    return status == STATUS_CONNECTION_CLOSED || status == STATUS_CONNECTION_RESET;
}

static enum status connect_once(os_socket *out, const struct os_place *place, uint64_t due)
{
    *out = OS_NO_SOCKET;
    enum status status = connect_local(out, place, due);
    if (status == STATUS_NOT_SUPPORTED)
        status = remote_connect_loopback(out, place, due);
    if (status == STATUS_OK)
        status = exchange(*out, DOOR_PING, NULL, 0, NULL, 0, due);
    if (status != STATUS_OK) {
        os_close(*out);
        *out = OS_NO_SOCKET;
    }
    return status;
}

/* A service that is just ending, or that strangers keep busy, may drop a connection. */
enum status remote_connect(os_socket *out, const struct os_place *place, uint64_t due)
{
    enum { TRIES = 5 };
    enum status status = connect_once(out, place, due);
    for (int i = 1; i < TRIES && was_dropped(status) && os_now() < due; i++)
        status = connect_once(out, place, due);
    return was_dropped(status) ? STATUS_SERVICE_NOT_RUNNING : status;
}
