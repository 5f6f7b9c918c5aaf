/* The engine's own reads and writes: a session made by its operations, a volume, and ios on it. */
#include "io.h"

#include "engine/io.h"
#include "engine/options.h"
#include "protocol/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct engine *engine;
static const struct io_job *job;
static struct unique_id session;
static struct volume *volume;

/* --- something done on the engine's thread, and waited for --- */

struct errand {
    struct os_job job;
    struct os_loop_waiter waiter;
    void (*run)(struct errand *errand);
};

static void run_errand(struct os_job *posted)
{
    struct errand *errand = LIST_OWNER(posted, struct errand, job);

    errand->run(errand);
}

static void end_errand(struct errand *errand)
{
    os_loop_finish(engine_loop(engine), &errand->waiter);
}

static void do_errand(struct errand *errand, void (*run)(struct errand *errand))
{
    errand->run = run;
    errand->job.run = run_errand;
    if (!os_loop_waiter_init(&errand->waiter))
        abort();
    os_loop_call(engine_loop(engine), &errand->job, &errand->waiter);
    os_loop_waiter_clear(&errand->waiter);
}

/* --- operations --- */

struct ask {
    struct errand errand;
    struct engine_call call;
    enum status status;
};

static void on_answer(struct engine_call *call, enum status status, const void *reply)
{
    struct ask *ask = call->client;

    if (status == STATUS_OK && call->operation == operation_find(OPERATION_login))
        session = *((const struct reply_login *)reply)->session;
    os_arena_clear(&call->arena);
    ask->status = status;
    end_errand(&ask->errand);
}

static void run_ask(struct errand *errand)
{
    struct ask *ask = LIST_OWNER(errand, struct ask, errand);

    ask->call.operation->run(&ask->call);
}

static int ask(enum operation operation, const void *request)
{
    struct ask ask = {.call = {.engine = engine,
                               .operation = operation_find(operation),
                               .request = request,
                               .finished = on_answer,
                               .client = &ask}};

    do_errand(&ask.errand, run_ask);
    if (ask.status == STATUS_OK)
        return 0;
    fprintf(stderr, "engine: %s: %s\n", ask.call.operation->name, status_text(ask.status));
    return -1;
}

/* --- the session --- */

static void find_volume(struct errand *errand)
{
    const struct engine_session *found = engine_session_find(engine, &session);

    volume = NULL;
    LIST_EACH(node, &found->units->all)
    {
        struct unit *unit = LIST_OWNER(node, struct unit, link);
        if (unit->facts.lun == (uint64_t)job->lun << 48)
            volume = unit->path.volume;
    }
    if (volume != NULL)
        volume_hold(volume);
    end_errand(errand);
}

static int log_in(void)
{
    struct portal_address address;

    if (portal_parse(job->portal, strlen(job->portal), false, false, &address) != STATUS_OK)
        return -1;
    const struct portal portal = {NULL, address.host, address.port};
    const struct discovery_portal known = {.initiator_port = UINT32_MAX, .portal = &portal};
    const struct request_add_portal add = {.entry = &known};
    const struct login_options options = {.specified = 0};
    const struct request_login login = {.target = job->target,
                                        .initiator_port = UINT32_MAX,
                                        .portal = &portal,
                                        .options = &options};
    return ask(OPERATION_add_portal, &add) == 0 ? ask(OPERATION_login, &login) : -1;
}

static int open_session(const struct io_job *wanted)
{
    const struct request_list_devices devices = {.session = &session};
    struct errand errand;

    job = wanted;
    if (engine == NULL && engine_start(&engine, NULL) != STATUS_OK)
        return -1;
    /* The engine has looked at the units when it tells the devices. */
    if (log_in() != 0 || ask(OPERATION_list_devices, &devices) != 0)
        return -1;
    do_errand(&errand, find_volume);
    if (volume != NULL)
        return 0;
    fprintf(stderr, "engine: the target has no such unit\n");
    return -1;
}

static void release_volume(struct errand *errand)
{
    volume_release(volume);
    end_errand(errand);
}

static int close_session(void)
{
    const struct request_logout request = {.session = &session};
    struct errand errand;

    do_errand(&errand, release_volume);
    return ask(OPERATION_logout, &request);
}

/* --- running --- */

struct slot {
    struct io io;
    struct iov piece;
};

static struct slot slots[IO_DEPTH_MOST];
static uint64_t to_start, under_way;
static enum status outcome;
static struct errand running;

static void on_done(struct io *io);

static void start(struct slot *slot)
{
    slot->piece = (struct iov){io_buffer(job, (unsigned)(slot - slots)), job->size};
    slot->io = (struct io){.volume = volume,
                           .kind = job->write ? IO_WRITE : IO_READ,
                           .lba = io_next_block(job),
                           .blocks = job->size / IO_BLOCK,
                           .pieces = &slot->piece,
                           .piece_count = 1,
                           .repeatable = true,
                           .done = on_done,
                           .context = slot};
    to_start--;
    under_way++;
    io_submit(&slot->io);
}

static void on_done(struct io *io)
{
    under_way--;
    if (io->status != STATUS_OK)
        outcome = io->status;
    else if (to_start > 0)
        start(io->context);
    if (under_way == 0)
        end_errand(&running);
}

static void start_all(struct errand *errand)
{
    (void)errand;
    for (unsigned i = 0; i < job->depth && to_start > 0; i++)
        start(&slots[i]);
}

static int pump(uint64_t commands)
{
    outcome = STATUS_OK;
    to_start = commands;
    do_errand(&running, start_all);
    if (outcome == STATUS_OK)
        return 0;
    fprintf(stderr, "engine: an io: %s\n", status_text(outcome));
    return -1;
}

const struct io_contender io_engine = {
    .name = "iscsidsc engine", .open = open_session, .pump = pump, .close = close_session};
