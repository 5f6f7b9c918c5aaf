/*
 * The carrier that the engine's users have: struct io on a volume, from another thread. Connections
 * come back by themselves; reads and writes that may be repeated survive every loss.
 */
#include "carrier.h"

#include "engine/engine.h"
#include "engine/io.h"
#include "engine/options.h"
#include "engine/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOGIN_TRIES = 30, /* harm begins at once, and a login looks at the units, too */
    PERIOD = 100,     /* milliseconds */
};

struct order {
    struct request *request;
    struct carrier *carrier;
    struct io io;
    struct iov pieces[2];
    struct os_job job; /* back to our thread */
    bool used;
};

struct carrier {
    struct carrier_settings settings;
    struct os_loop *loop;
    struct engine *engine;
    struct volume *volume;
    struct unique_id session;
    char directory[256];
    struct order orders[LOAD_DEPTH_MOST];
    unsigned under_way;
    struct carrier_counts counts;
};

bool carrier_repeats(const struct carrier_settings *settings)
{
    return settings->seed / 3 % 2 == 0;
}

static _Noreturn void fail(const char *what, enum status status)
{
    fprintf(stderr, "%s: %s\n", what, status_text(status));
    exit(1);
}

/* --- on the engine's thread --- */

struct errand {
    struct os_job job;
    struct os_loop_waiter waiter;
    struct carrier *carrier;
    struct engine_call call;
    void (*copy)(struct carrier *carrier, const void *reply);
    void (*run)(struct carrier *carrier);
    enum status status;
};

static void on_errand(struct os_job *job)
{
    struct errand *errand = LIST_OWNER(job, struct errand, job);

    errand->run(errand->carrier);
    os_loop_finish(engine_loop(errand->carrier->engine), &errand->waiter);
}

static void on_finished(struct engine_call *call, enum status status, const void *reply)
{
    struct errand *errand = call->client;

    if (status == STATUS_OK && errand->copy != NULL)
        errand->copy(errand->carrier, reply);
    os_arena_clear(&call->arena);
    errand->status = status;
    os_loop_finish(engine_loop(errand->carrier->engine), &errand->waiter);
}

static void on_call(struct os_job *job)
{
    struct errand *errand = LIST_OWNER(job, struct errand, job);

    errand->call.operation->run(&errand->call);
}

static void do_errand(struct errand *errand)
{
    if (!os_loop_waiter_init(&errand->waiter))
        fail("an errand", STATUS_NO_MEMORY);
    os_loop_call(engine_loop(errand->carrier->engine), &errand->job, &errand->waiter);
    os_loop_waiter_clear(&errand->waiter);
}

static void in_engine(struct carrier *carrier, void (*run)(struct carrier *carrier))
{
    struct errand errand = {.job.run = on_errand, .carrier = carrier, .run = run};

    do_errand(&errand);
}

static enum status ask(struct carrier *carrier, enum operation operation, const void *request,
                       void (*copy)(struct carrier *carrier, const void *reply))
{
    struct errand errand = {.job.run = on_call, .carrier = carrier, .copy = copy};

    errand.call = (struct engine_call){.engine = carrier->engine,
                                       .operation = operation_find(operation),
                                       .request = request,
                                       .finished = on_finished,
                                       .client = &errand};
    do_errand(&errand);
    return errand.status;
}

/* --- the session --- */

static void write_settings(const struct carrier *carrier)
{
    const struct key_offers *offers = &carrier->settings.session.offers;
    char path[300];
    FILE *file;

    snprintf(path, sizeof path, "%s/iscsi.conf", carrier->directory);
    file = fopen(path, "w");
    if (file == NULL)
        fail(path, STATUS_STORE_FAILED);
    /* A stream that has lost bytes is noticed by its silence, after 15 s: commands live longer. */
    fprintf(file,
            "DelayBetweenReconnect = 0\nDeviceTimeout = 60\nAbortTimeout = 2\nResetTimeout = 2\n"
            "LinkDownTime = 2\nMaxRequestHoldTime = 30\nErrorRecoveryLevel = %u\n"
            "MaxBurstLength = %u\nFirstBurstLength = %u\nMaxRecvDataSegmentLength = %u\n"
            "InitialR2T = %d\nImmediateData = %d\n",
            offers->error_recovery_level, offers->max_burst_length,
            offers->first_burst_length < offers->max_burst_length ? offers->first_burst_length
                                                                  : offers->max_burst_length,
            offers->max_recv_data_segment_length, offers->initial_r2t, offers->immediate_data);
    fclose(file);
}

static struct login_options options_of(const struct carrier *carrier)
{
    uint32_t digest = strcmp(carrier->settings.session.offers.header_digest, "CRC32C") == 0;

    return (struct login_options){
        .specified = OPTION_HEADER_DIGEST | OPTION_DATA_DIGEST | OPTION_MAXIMUM_CONNECTIONS |
                     OPTION_DEFAULT_TIME2WAIT | OPTION_DEFAULT_TIME2RETAIN,
        .header_digest = digest,
        .data_digest = digest,
        .maximum_connections = carrier->settings.connections,
        .default_time2wait = 0,
        .default_time2retain = 20};
}

static void copy_login(struct carrier *carrier, const void *reply)
{
    carrier->session = *((const struct reply_login *)reply)->session;
}

static enum status log_in(struct carrier *carrier)
{
    const struct login_options options = options_of(carrier);
    const struct request_login login = {.target = carrier->settings.session.target_name,
                                        .initiator_port = 0xffffffffu,
                                        .options = &options};
    enum status status = ask(carrier, OPERATION_login, &login, copy_login);

    carrier->counts.logins += status == STATUS_OK;
    carrier->counts.refusals += status != STATUS_OK;
    return status;
}

/* Those that fail are none the less: they are only fewer. */
static void add_connections(struct carrier *carrier)
{
    const struct portal portal = {NULL, carrier->settings.portal.host,
                                  carrier->settings.portal.port};
    const struct login_options options = {.specified = OPTION_HEADER_DIGEST | OPTION_DATA_DIGEST,
                                          .header_digest = 1,
                                          .data_digest = 1};
    const struct request_add_connection request = {.session = &carrier->session,
                                                   .initiator_port = 0xffffffffu,
                                                   .portal = &portal,
                                                   .options = &options};

    for (unsigned i = 1; i < carrier->settings.connections; i++)
        carrier->counts.logins +=
            ask(carrier, OPERATION_add_connection, &request, NULL) == STATUS_OK;
}

static void find_volume(struct carrier *carrier)
{
    const struct engine_session *session = engine_session_find(carrier->engine, &carrier->session);

    if (session == NULL)
        return;
    LIST_EACH(node, &session->units->all)
    {
        const struct unit *unit = LIST_OWNER(node, struct unit, link);

        if (unit->facts.lun == carrier->settings.lun && unit->facts.capacity.blocks > 0)
            carrier->volume = unit->path.volume;
    }
    if (carrier->volume != NULL)
        volume_hold(carrier->volume);
}

static void release_volume(struct carrier *carrier)
{
    volume_release(carrier->volume);
}

static void open_volume(struct carrier *carrier)
{
    const struct request_list_devices units = {.session = &carrier->session};
    enum status status = STATUS_OK;

    for (unsigned i = 0; i < LOGIN_TRIES && carrier->session.specific == 0; i++) {
        const struct portal portal = {NULL, carrier->settings.portal.host,
                                      carrier->settings.portal.port};
        const struct discovery_portal entry = {.initiator_port = 0xffffffffu, .portal = &portal};
        const struct request_add_portal request = {.entry = &entry};

        status = ask(carrier, OPERATION_add_portal, &request, NULL);
        if (status == STATUS_OK)
            status = log_in(carrier);
    }
    if (carrier->session.specific == 0)
        fail("login", status);
    for (unsigned i = 0; i < LOGIN_TRIES && carrier->volume == NULL; i++) {
        status = ask(carrier, OPERATION_list_devices, &units, NULL);
        in_engine(carrier, find_volume);
    }
    if (carrier->volume == NULL)
        fail("the unit", status);
    add_connections(carrier);
}

/* The engine has state that lasts; this one's does not. */
static void make_directory(struct carrier *carrier)
{
    const char *root = getenv("TEST_DIR");

    snprintf(carrier->directory, sizeof carrier->directory, "%s/engine.XXXXXX",
             root != NULL ? root : "/tmp");
    if (mkdtemp(carrier->directory) == NULL)
        fail(carrier->directory, STATUS_STORE_FAILED);
}

static void remove_directory(const struct carrier *carrier)
{
    char command[320];

    snprintf(command, sizeof command, "rm -r '%s'", carrier->directory);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", carrier->directory);
}

static void on_order_done(struct os_job *job);

struct carrier *carrier_open(struct os_loop *loop, const struct carrier_settings *settings)
{
    struct carrier *carrier = calloc(1, sizeof *carrier);
    enum status status;

    if (carrier == NULL)
        fail("carrier", STATUS_NO_MEMORY);
    carrier->settings = *settings;
    carrier->loop = loop;
    for (unsigned i = 0; i < LOAD_DEPTH_MOST; i++) {
        carrier->orders[i].carrier = carrier;
        carrier->orders[i].job.run = on_order_done;
    }
    make_directory(carrier);
    write_settings(carrier);
    status = engine_start(&carrier->engine, carrier->directory);
    if (status != STATUS_OK)
        fail("engine", status);
    open_volume(carrier);
    carrier->counts.sessions = 1;
    settings->changed(settings->context);
    return carrier;
}

/* --- requests --- */

static void take_result(const struct io *io, struct request *request)
{
    switch (io->status) {
    case STATUS_OK:
        request->result = REQUEST_GOOD;
        return;
    case STATUS_OUTCOME_UNKNOWN:
    case STATUS_SCSI_STATUS:
    case STATUS_CANCELLED:
        request->result = REQUEST_UNKNOWN;
        break;
    default:
        /* Parts of it may have been carried out. */
        request->result = io->finished > 0 ? REQUEST_UNKNOWN : REQUEST_NOT_DONE;
        break;
    }
    snprintf(request->error, sizeof request->error, "%s (%s)", status_text(io->status),
             status_text(io->cause));
}

static void on_order_done(struct os_job *job)
{
    struct order *order = LIST_OWNER(job, struct order, job);
    struct request *request = order->request;

    take_result(&order->io, request);
    order->used = false;
    order->carrier->under_way--;
    request->done(request);
}

static void on_io_done(struct io *io)
{
    struct order *order = io->context;

    os_loop_post(order->carrier->loop, &order->job);
}

static struct order *free_order(struct carrier *carrier)
{
    for (unsigned i = 0; i < LOAD_DEPTH_MOST; i++) {
        if (!carrier->orders[i].used)
            return &carrier->orders[i];
    }
    return NULL;
}

static void set_pieces(struct order *order)
{
    const struct request *request = order->request;
    uint32_t length = request->count * SHADOW_BLOCK;

    order->pieces[0] = (struct iov){request->data, length / 3};
    order->pieces[1] = (struct iov){request->data + length / 3, length - length / 3};
    order->io.lba = request->first;
    order->io.blocks = request->count;
    order->io.pieces = order->pieces;
    order->io.piece_count = 2;
    order->io.force_unit_access = request->kind == REQUEST_WRITE && request->force;
}

bool carrier_submit(struct carrier *carrier, struct request *request)
{
    static const enum io_kind kinds[] = {IO_READ, IO_WRITE, IO_FLUSH};
    struct order *order = free_order(carrier);

    if (order == NULL)
        return false;
    order->used = true;
    order->request = request;
    carrier->under_way++;
    order->io = (struct io){.volume = carrier->volume,
                            .kind = kinds[request->kind],
                            .repeatable = carrier_repeats(&carrier->settings),
                            .done = on_io_done,
                            .context = order};
    if (request->kind != REQUEST_FLUSH)
        set_pieces(order);
    io_post(carrier->engine, &order->io);
    return true;
}

void carrier_hold(struct carrier *carrier)
{
    (void)carrier;
}

void carrier_release(struct carrier *carrier)
{
    (void)carrier;
}

/* --- its end --- */

static void cancel_all(struct carrier *carrier)
{
    for (unsigned i = 0; i < LOAD_DEPTH_MOST; i++) {
        if (carrier->orders[i].used)
            io_cancel(&carrier->orders[i].io);
    }
}

void carrier_close(struct carrier *carrier)
{
    in_engine(carrier, cancel_all);
    in_engine(carrier, release_volume);
    engine_stop(carrier->engine);
    remove_directory(carrier);
    if (carrier->under_way == 0) /* else their ends are still posted */
        free(carrier);
}

void carrier_counts(struct carrier *carrier, struct carrier_counts *out)
{
    *out = carrier->counts;
}

void carrier_describe(const struct carrier *carrier, char *out, size_t room)
{
    snprintf(out, room, "%u ios under way", carrier->under_way);
}
