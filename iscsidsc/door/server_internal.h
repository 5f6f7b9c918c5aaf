/* The service's end from inside: what its files share. */
#ifndef DOOR_SERVER_INTERNAL_H
#define DOOR_SERVER_INTERNAL_H

#include "door/server.h"
#include "door/transport.h"

enum {
    SERVER_SCRATCH = 16384,
    /* Above these a client's messages wait in its socket until replies have gone out. */
    SERVER_CALL_MAX = 64,
    SERVER_OUTPUT_MAX = 1 << 20,
};

struct door_server {
    struct door_server_options options;
    struct door_credentials credentials; /* of loopback TCP */
    struct os_watch local;
    struct os_watch loopback;
    struct list clients;  /* struct server_client */
    struct list unproved; /* those among them without access, oldest first */
    size_t client_count;
    size_t unproved_count;
    struct os_timer idle_timer;
    uint8_t scratch[SERVER_SCRATCH];
};

enum client_stage {
    CLIENT_HELLO, /* loopback: nothing has come yet */
    CLIENT_PROOF, /* our proof has gone out, the client's is to come */
    CLIENT_OPEN,
    CLIENT_LEAVING, /* refused: what it still sends is thrown away until it closes */
};

/* One message, or a part of it, on its way out. */
struct server_output {
    struct list link;
    struct door_buffer message;
    size_t sent;
};

struct server_client {
    struct list link;
    struct list unproved; /* among the server's, empty when proved */
    struct door_server *server;
    struct os_watch watch;
    struct os_timer timer; /* until it has proved itself, or has left */
    enum client_stage stage;
    enum door_access access;
    struct handshake handshake;

    uint8_t header[DOOR_HEADER];
    struct door_buffer message; /* under way in, from its header on */
    size_t have;                /* bytes of the message that have come */
    size_t want;                /* bytes of the whole message, 0: the header is not complete */
    struct door_buffer
        waiting; /* bytes that came and are not looked at until replies have gone out */

    struct list calls; /* struct server_call */
    size_t call_count;
    struct list output;
    size_t output_bytes;
    unsigned depth; /* how many of its functions run: it is not freed then */
    bool broken;    /* to be closed as soon as none does */
};

/* server_client.c */
/* NULL: it could not be taken, and is closed. */
struct server_client *server_client_new(struct door_server *server, os_socket socket,
                                        enum client_stage stage, enum door_access access);
void server_client_close(struct server_client *client);
/* Says why, and lets the client go. `peer` may be NULL. */
void server_client_refuse(struct server_client *client, enum status status,
                          const struct os_peer *peer);
/* After a reply outside of the client's own events: closes it when it broke, takes new messages
 * when there is room for their replies again. */
void server_client_settle(struct server_client *client);
/* Takes the message over. */
void server_client_send(struct server_client *client, struct door_buffer *message);
void server_client_send_control(struct server_client *client, enum door_control control,
                                uint32_t call, enum status status, const void *body, size_t length);

/* server_calls.c: runs a whole message of an open client; takes it over. */
void server_call_run(struct server_client *client, struct door_buffer *message);
/* The client goes away. */
void server_calls_drop(struct server_client *client);

/* server.c */
void server_client_gone(struct door_server *server);
/* As the option's `event`, which may be NULL. */
void server_report(struct door_server *server, enum door_event event, enum status status,
                   const struct os_peer *peer);

#endif
