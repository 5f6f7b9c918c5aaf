/*
 * NBD exports: each a Unix socket that serves one disk to the programs of this machine that
 * speak the NBD protocol (qemu, libnbd, nbd-client). Everything on the engine's thread.
 */
#ifndef DEVICES_NBD_H
#define DEVICES_NBD_H

#include "devices/disk.h"
#include "os/local_socket.h"

struct nbd_export;

struct nbd_settings {
    const char *path; /* of the socket */
    const char *name; /* of the export: at most NBD_NAME_MOST bytes */
    uint32_t group;   /* may connect, too; OS_NO_GROUP */
    unsigned most;    /* clients at a time; 0: 64 */
};

/* The statuses of os_local_listen; INVALID_PARAMETER: the name is too long; NO_MEMORY. */
enum status nbd_open(struct nbd_export **out, struct disk *disk,
                     const struct nbd_settings *settings);
/* Its clients are dropped, what they have under way is cancelled, the socket is removed. */
void nbd_close(struct nbd_export *export);
bool nbd_in_use(const struct nbd_export *export);

#endif
