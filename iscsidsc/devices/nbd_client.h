/* A client of an NBD export and its requests: what nbd_client.c and nbd_request.c share. */
#ifndef DEVICES_NBD_CLIENT_H
#define DEVICES_NBD_CLIENT_H

#include "devices/nbd_internal.h"

enum { NBD_INPUT_ROOM = 128 << 10 /* holds any option, and many small writes */ };

enum client_state {
    CLIENT_FLAGS,   /* its flags are awaited */
    CLIENT_OPTIONS, /* it negotiates */
    CLIENT_REQUESTS,
    CLIENT_ENDING, /* nothing more is read; what is under way ends and is answered */
    CLIENT_GONE,   /* the socket is closed */
};

struct nbd_io {
    struct list link; /* under way, answered and not yet sent, or kept */
    struct nbd_client *client;
    struct nbd_request wire;
    struct disk_request disk;
    uint8_t *data;
    size_t room;
    size_t filled;  /* of a write's data */
    size_t charged; /* of the client's bytes */
    size_t reply_length;
    uint8_t reply[NBD_REPLY_LENGTH];
};

struct nbd_client {
    struct list link;
    struct nbd_export *export;
    struct os_watch watch;
    struct os_job job; /* which settles what has ended in a round of the loop */
    bool posted;
    enum client_state state;
    uint32_t flags;
    struct nbd_facts facts;

    struct list running;    /* struct nbd_io */
    struct list replies;    /* the same, ended */
    struct list kept;       /* the same, for reuse */
    struct nbd_io *filling; /* its data are being received */
    unsigned kept_count;
    unsigned request_count; /* running, filling, or not yet answered */
    size_t bytes;           /* of their data */
    size_t sent;            /* of the first reply */
    bool delivering;        /* requests are being submitted, or ended, in a batch */

    uint8_t output[NBD_ANSWER_MOST]; /* while it negotiates */
    size_t output_length;
    size_t output_sent;
    size_t input_length;
    uint8_t input[NBD_INPUT_ROOM];
};

/* False: there is no way to go on. */
bool nbd_io_begin(struct nbd_client *client, const struct nbd_request *wire);
/* All data of the write that is being received are here. */
void nbd_io_filled(struct nbd_client *client);
/* It is answered, or nobody waits for it any more. */
void nbd_io_put(struct nbd_client *client, struct nbd_io *request);
void nbd_io_free(struct nbd_io *request);

#endif
