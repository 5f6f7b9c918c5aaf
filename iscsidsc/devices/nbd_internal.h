/* What the files of NBD exports share. */
#ifndef DEVICES_NBD_INTERNAL_H
#define DEVICES_NBD_INTERNAL_H

#include "devices/nbd.h"
#include "devices/nbd_wire.h"
#include "os/loop.h"

struct nbd_export {
    struct disk *disk; /* held */
    struct os_loop *loop;
    struct os_watch listener;
    struct list clients;
    unsigned client_count; /* those that have not been told to go */
    unsigned most;
    bool closing;
    char *path;
    char *name;
};

/* What clients are told. */
void nbd_facts(const struct nbd_export *export, struct nbd_facts *facts);
/* A closing export whose clients are gone goes, too. */
void nbd_client_gone(struct nbd_export *export);

/* nbd_client.c: takes the socket, which it closes when there is no memory. */
void nbd_client_new(struct nbd_export *export, os_socket socket);
/* Drops all of them. Their requests may still end later. */
void nbd_clients_drop(struct nbd_export *export);

#endif
