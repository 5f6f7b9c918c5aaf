#include "far.h"

#include "os/crypto.h"
#include "target/target.h"

#include <stdio.h>
#include <stdlib.h>

struct far {
    struct os_loop *own; /* NULL: another's */
    struct os_thread *thread;
    struct target_entity *entity;
    struct target_server *server;
    struct proxy *proxy;
    struct os_loop *loop;
    struct os_job calm;
};

static void require(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "no %s\n", what);
    exit(1);
}

static void set(struct target_entity *entity, const struct far_settings *settings)
{
    struct target_settings *own = target_entity_settings(entity);

    own->offers = settings->offers;
    own->separate_status = settings->separate_status;
    own->seed = (uint32_t)settings->proxy.seed;
    if (settings->shuffled)
        own->sequence_order = own->pdu_order = TARGET_ORDER_SHUFFLED;
    /* A wound that swallowed the last byte of a sequence is noticed by nobody else. */
    own->nop_interval = own->nop_timeout = 1500;
    own->recovery_timeout = 500;
    own->login_timeout = 5000;
}

static void add_disk(struct target *target, uint64_t bytes)
{
    struct target_disk *disk;
    uint8_t *memory;

    require(target_disk_ram(bytes, 512, &disk) == STATUS_OK, "memory for the disk");
    memory = target_disk_memory(disk);
    for (uint64_t offset = 0; offset < bytes; offset += 8)
        put_be64(memory + offset, offset);
    require(target_add_disk(target, 0, disk) == STATUS_OK, "disk");
}

static void open_target(struct far *far, struct os_loop *loop, const struct far_settings *settings,
                        struct portal_address *bound)
{
    struct target *target;

    far->entity = target_entity_new(&os_crypto);
    require(far->entity != NULL, "memory for the target");
    set(far->entity, settings);
    require(target_add(far->entity, FAR_TARGET, &target) == STATUS_OK, "target");
    add_disk(target, settings->bytes);
    far->server = target_server_new(loop, far->entity);
    require(far->server != NULL &&
                target_server_listen(far->server, "127.0.0.1", 0, 1, bound) == STATUS_OK,
            "listener of the target");
}

/* Who asks is told of the proxy alone. */
static void hide_target(struct far *far, struct portal_address *portal)
{
    target_remove_portal(far->entity, portal);
    portal->port = proxy_port(far->proxy);
    require(target_add_portal(far->entity, portal) == STATUS_OK, "memory for a portal");
}

static void run(void *loop)
{
    os_loop_run(loop);
}

static void on_calm(struct os_job *job)
{
    static const uint32_t none[HARM_COUNT];

    proxy_set_chances(LIST_OWNER(job, struct far, calm)->proxy, none);
}

void far_calm(struct far *far)
{
    os_loop_post(far->loop, &far->calm);
}

struct far *far_open(struct os_loop *loop, const struct far_settings *settings)
{
    struct far *far = calloc(1, sizeof *far);
    struct proxy_settings proxy = settings->proxy;
    struct portal_address bound;

    require(far != NULL, "memory");
    if (settings->thread)
        loop = far->own = os_loop_new();
    require(loop != NULL, "loop");
    far->loop = loop;
    far->calm.run = on_calm;
    if (settings->embedded) {
        open_target(far, loop, settings, &bound);
        os_address_parse(&proxy.target, "127.0.0.1", bound.port);
    }
    far->proxy = proxy_open(loop, &proxy);
    if (settings->embedded)
        hide_target(far, &bound);
    if (settings->thread)
        far->thread = os_thread_start(run, loop);
    require(!settings->thread || far->thread != NULL, "thread");
    return far;
}

void far_close(struct far *far, struct proxy_counts *counts)
{
    if (far->thread != NULL) {
        os_loop_stop(far->own);
        os_thread_join(far->thread);
    }
    *counts = *proxy_counts(far->proxy);
    proxy_close(far->proxy);
    target_server_free(far->server);
    if (far->entity != NULL)
        target_entity_free(far->entity);
    if (far->own != NULL)
        os_loop_free(far->own);
    free(far);
}

uint16_t far_port(const struct far *far)
{
    return proxy_port(far->proxy);
}
