#include "devices/nbd_internal.h"
#include "engine/model.h"
#include "os/memory.h"
#include "os/runtime.h"

#include <string.h>

enum {
    ACCEPT_BATCH = 16,
    BACKLOG = 16,
    CLIENTS_MOST = 64,
    REQUEST_MOST = 32 << 20,
    OPTIMAL_LEAST = 4096,
};

void nbd_facts(const struct nbd_export *export, struct nbd_facts *facts)
{
    const struct disk *disk = export->disk;
    const struct unit_facts *unit = &disk->volume->facts;
    *facts = (struct nbd_facts){
        .name = export->name,
        .size = disk->size,
        .optimal = disk->block < OPTIMAL_LEAST ? OPTIMAL_LEAST : disk->block,
        .most = REQUEST_MOST,
        .read_only = disk->read_only,
        .trims = unit->limits.unmap > 0,
    };
}

static void free_export(struct nbd_export *export)
{
    disk_release(export->disk);
    os_free(export->path);
    os_free(export->name);
    os_free(export);
}

void nbd_client_gone(struct nbd_export *export)
{
    if (export->closing && list_empty(&export->clients))
        free_export(export);
}

static void on_listener(struct os_watch *watch, unsigned events)
{
    struct nbd_export *export = LIST_OWNER(watch, struct nbd_export, listener);
    os_socket socket;
    (void)events;
    for (int i = 0; i < ACCEPT_BATCH && os_accept(watch->socket, &socket, NULL); i++) {
        if (export->client_count < export->most)
            nbd_client_new(export, socket);
        else
            os_close(socket);
    }
}

/* STATUS_OK: the export listens. */
static enum status listen_at(struct nbd_export *export, const struct nbd_settings *settings)
{
    enum status status =
        os_local_listen(&export->listener.socket, export->path, settings->group, false, BACKLOG);
    if (status != STATUS_OK)
        return status;
    export->listener.ready = on_listener;
    if (os_watch_start(export->loop, &export->listener, OS_READABLE))
        return STATUS_OK;
    os_close(export->listener.socket);
    os_remove_file(export->path);
    return STATUS_NO_MEMORY;
}

enum status nbd_open(struct nbd_export **out, struct disk *disk,
                     const struct nbd_settings *settings)
{
    if (strlen(settings->name) > NBD_NAME_MOST)
        return STATUS_INVALID_PARAMETER;
    struct nbd_export *export = os_alloc(sizeof *export);
    if (export == NULL)
        return STATUS_NO_MEMORY;
    list_init(&export->clients);
    export->loop = disk->volume->engine->loop;
    export->disk = disk;
    disk_hold(disk);
    export->most = settings->most > 0 ? settings->most : CLIENTS_MOST;
    export->path = os_copy_text(settings->path);
    export->name = os_copy_text(settings->name);
    enum status status = STATUS_NO_MEMORY;
    if (export->path != NULL && export->name != NULL)
        status = listen_at(export, settings);
    if (status != STATUS_OK) {
        free_export(export);
        return status;
    }
    *out = export;
    return STATUS_OK;
}

void nbd_close(struct nbd_export *export)
{
    os_watch_stop(&export->listener);
    os_close(export->listener.socket);
    os_remove_file(export->path);
    nbd_clients_drop(export);
    export->closing = true;
    nbd_client_gone(export);
}

bool nbd_in_use(const struct nbd_export *export)
{
    return export->client_count > 0;
}
