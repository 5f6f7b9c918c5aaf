/*
 * The service's end of the door: takes connections and messages on the engine's loop, runs the
 * operations and sends the replies as they finish.
 *
 * On a Unix socket the credentials of the other process decide what it may do; on loopback TCP
 * both ends prove that they know the key (door/handshake.h). A connection may have several calls
 * under way. One that ends takes its calls with it: those that can be cancelled are.
 */
#ifndef DOOR_SERVER_H
#define DOOR_SERVER_H

#include "door/handshake.h"
#include "engine/engine.h"

enum door_access { DOOR_NOTHING, DOOR_READS, DOOR_CHANGES };

enum door_event {
    DOOR_EVENT_REFUSED, /* a client was sent away before it could call anything */
    DOOR_EVENT_IDLE,    /* nobody was connected and nothing to be done for the idle time */
};

struct door_server_options {
    struct engine *engine; /* handed to the handlers */
    struct os_loop *loop;  /* the engine's */
    /* Who may come in by Unix socket besides root and the service's own user: for everything,
     * and for operations that only read. OS_NO_GROUP: none. */
    uint32_t group;
    uint32_t read_group;
    uint64_t idle_time; /* milliseconds; 0: never idle */
    /* On the loop's thread; both may be NULL. `busy` tells that there is something to be done
     * though nobody is connected. */
    bool (*busy)(struct engine *engine);
    void (*event)(void *context, enum door_event event, enum status status,
                  const struct os_peer *peer);
    void *context;
    /* Tests have operations of their own. NULL: operation_find. */
    const struct operation_info *(*find)(unsigned number);
};

struct door_server;

/* From any thread but the loop's, while the loop runs. NO_MEMORY. */
enum status door_server_new(struct door_server **out, const struct door_server_options *options);
/* Takes connections from these listening sockets, either of which may be OS_NO_SOCKET. It owns
 * them, also after an error. `credentials` are those of loopback TCP. */
enum status door_server_listen(struct door_server *server, os_socket local, os_socket loopback,
                               const struct door_credentials *credentials);
/* Stops or resumes taking new clients. Returns how many are connected. */
size_t door_server_pause(struct door_server *server, bool pause);
/* Closes the listening sockets, after it has taken who was waiting there. Returns how many are
 * connected. */
size_t door_server_unlisten(struct door_server *server);
/* Who may come in from now on. */
void door_server_groups(struct door_server *server, uint32_t group, uint32_t read_group);
/* After the loop has ended, and with it all calls. */
void door_server_free(struct door_server *server);

/* On the loop's thread: a connection that has been accepted. For tests and fuzzers; the server does
 * the same with those it takes itself. */
void door_server_adopt(struct door_server *server, os_socket socket, enum door_access access);
size_t door_server_connections(const struct door_server *server);

/* Longest message of who may only read, most connections, most unproved ones, and how long these
 * have. */
#define DOOR_READER_MESSAGE_MAX (64u << 10)
#define DOOR_CONNECTION_MAX     1024u
#define DOOR_UNPROVED_MAX       64u
#define DOOR_UNPROVED_TIME      2000u

#endif
