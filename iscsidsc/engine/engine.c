/* The engine's thread, and its start and end. */
#include "engine/model.h"
#include "engine/events.h"
#include "engine/io.h"
#include "engine/ipsec.h"
#include "engine/isns.h"
#include "engine/probe.h"
#include "engine/readiness.h"
#include "engine/restore.h"
#include "engine/statistics.h"
#include "engine/temporary_targets.h"
#include "engine/units.h"
#include "engine/watched_portals.h"
#include "engine/withdrawal.h"
#include "os/crypto.h"
#include "os/system.h"

enum { PATH_ROOM = 4096, STOP_WAIT = 2000 /* milliseconds for all logouts together */ };

struct os_loop *engine_loop(struct engine *engine)
{
    return engine->loop;
}

bool engine_stopping(const struct engine *engine)
{
    return engine->stopping;
}

bool engine_busy(struct engine *engine)
{
    return !list_empty(&engine->sessions) || !list_empty(&engine->pending) ||
           !list_empty(&engine->probes) || !list_empty(&engine->isns_servers) ||
           !list_empty(&engine->temporary_targets) || !list_empty(&engine->watched.portals) ||
           restore_wanted(engine);
}

/* --- calls --- */

void engine_pend(struct engine_call *call, void (*cancel)(struct engine_call *call), void *state)
{
    call->cancel = cancel;
    call->state = state;
    list_append(&call->engine->pending, &call->link);
}

void engine_finish(struct engine_call *call, enum status status, const void *reply)
{
    if (call->link.next != NULL)
        list_remove(&call->link);
    call->finished(call, status, reply);
}

static void cancel_pending(struct engine *engine)
{
    struct list *first;
    while ((first = list_first(&engine->pending)) != NULL) {
        struct engine_call *call = LIST_OWNER(first, struct engine_call, link);
        call->cancel(call);
    }
}

/* --- what is read at its first use --- */

enum status engine_parameters(struct engine *engine, const struct parameters **out)
{
    struct configuration_first first = {engine->problem, sizeof engine->problem};
    const struct configuration_teller teller = {configuration_tell_first, &first};
    struct configuration *configuration;
    enum status status = STATUS_OK;
    engine->problem[0] = '\0';
    if (engine->configuration == NULL)
        status = configuration_load(&configuration, engine->directory, &teller);
    if (status == STATUS_OK && engine->configuration == NULL)
        engine_configure(engine, configuration);
    *out = &engine->parameters;
    return status;
}

void engine_configure(struct engine *engine, struct configuration *configuration)
{
    configuration_free(engine->configuration);
    engine->configuration = configuration;
    engine->parameters = *configuration_parameters(configuration);
    watched_portals_reload(engine);
}

enum status engine_store(struct engine *engine, struct store **out)
{
    enum status status = STATUS_OK;
    if (engine->directory == NULL)
        return STATUS_STORE_FAILED;
    if (engine->store == NULL)
        status = store_open(&engine->store, engine->directory);
    *out = engine->store;
    return status;
}

/* --- the end --- */

static void finish_stop(struct engine *engine)
{
    if (engine->stopped)
        return;
    engine->stopped = true;
    os_timer_clear(&engine->stop_timer);
    engine_sessions_drop(engine);
    bindings_end(engine);
    probes_drop(engine);
    isns_servers_drop(engine);
    os_loop_stop(engine->loop);
}

void engine_drained(struct engine *engine)
{
    if (engine->draining && list_empty(&engine->sessions) && isns_servers_left(engine) &&
        probes_left(engine))
        finish_stop(engine);
}

static void on_stop_timer(struct os_timer *timer)
{
    finish_stop(LIST_OWNER(timer, struct engine, stop_timer));
}

static void on_stop(struct os_job *job)
{
    struct engine *engine = LIST_OWNER(job, struct engine, stop_job);
    engine->stopping = true;
    cancel_pending(engine);
    readiness_end(engine);
    restore_end(engine);
    watched_portals_end(engine);
    engine_sessions_logout(engine);
    isns_servers_leave(engine);
    engine->draining = true;
    if (!os_timer_set(engine->loop, &engine->stop_timer, os_now() + STOP_WAIT))
        finish_stop(engine);
    engine_drained(engine);
}

static void engine_free(struct engine *engine)
{
    /* Runs what was posted too late: it is told CANCELLED. */
    os_loop_free(engine->loop);
    events_clear(&engine->events);
    temporary_targets_forget(engine);
    ipsec_clear(engine);
    units_base_clear(&engine->units);
    bindings_clear(&engine->bindings);
    statistics_clear(&engine->statistics);
    store_close(engine->store);
    configuration_free(engine->configuration);
    engine->catalogue.changed = NULL;
    catalogue_clear(&engine->catalogue);
    link_base_close(&engine->links);
    os_free(engine->directory);
    os_free(engine);
}

void engine_stop(struct engine *engine)
{
    if (engine == NULL)
        return;
    os_loop_post(engine->loop, &engine->stop_job);
    os_thread_join(engine->thread);
    engine_free(engine);
}

/* --- the start --- */

static void run(void *argument)
{
    struct engine *engine = argument;
    os_loop_run(engine->loop);
}

/* Callers see it as the adapter's address in the kernel: the same for all ids, another in each run.
 */
static uint64_t new_adapter(void)
{
    uint32_t low = 0;
    os_random(&low, sizeof low);
    return UINT64_C(0xffffe00100000000) | (low & ~UINT32_C(0xf));
}

/* False: out of memory. It is no failure when the platform tells no directory. */
static bool take_directory(struct engine *engine, const char *directory)
{
    char path[PATH_ROOM];
    if (directory == NULL && os_state_directory(path, sizeof path))
        directory = path;
    if (directory == NULL)
        return true;
    engine->directory = os_copy_text(directory);
    return engine->directory != NULL;
}

/*
 * Two engines on a machine use one initiator name: with the same ISID they would take each other's
 * sessions over. There is only one service, which shall have the same ISIDs in each run.
 */
static uint16_t choose_qualifier(bool service)
{
    uint16_t qualifier = 0;
    if (!service)
        os_random(&qualifier, sizeof qualifier);
    return qualifier;
}

static void on_target(struct catalogue *catalogue, const char *target, enum catalogue_change change)
{
    static const enum event_kind kinds[] = {
        [CATALOGUE_ADDED] = EVENT_TARGET_ADDED,
        [CATALOGUE_REMOVED] = EVENT_TARGET_REMOVED,
        [CATALOGUE_REVISED] = EVENT_TARGET_CHANGED,
    };
    events_target(LIST_OWNER(catalogue, struct engine, catalogue), target, kinds[change]);
}

static void on_start(struct os_job *job)
{
    struct engine *engine = LIST_OWNER(job, struct engine, start_job);
    restore_begin(engine);
    watched_portals_begin(engine);
    readiness_begin(engine);
}

static struct engine *engine_new(const char *directory, bool service)
{
    struct engine *engine = os_alloc(sizeof *engine);
    if (engine == NULL)
        return NULL;
    engine->service = service;
    engine->first_qualifier = choose_qualifier(service);
    engine->start_job.run = on_start;
    list_init(&engine->pending);
    list_init(&engine->probes);
    watched_portals_init(engine);
    list_init(&engine->temporary_targets);
    ipsec_init(engine);
    list_init(&engine->isns_servers);
    list_init(&engine->isns_followers);
    list_init(&engine->sessions);
    for (size_t i = 0; i < SESSION_BUCKETS; i++) {
        list_init(&engine->sessions_by_id[i]);
        list_init(&engine->sessions_by_target[i]);
    }
    events_init(&engine->events);
    units_base_init(&engine->units);
    bindings_init(&engine->bindings);
    statistics_init(&engine->statistics);
    io_base_init(engine);
    readiness_init(engine);
    withdrawal_init(engine);
    catalogue_init(&engine->catalogue);
    engine->catalogue.changed = on_target;
    engine->stop_job.run = on_stop;
    engine->stop_timer.fire = on_stop_timer;
    engine->adapter = new_adapter();
    engine->loop = os_loop_new();
    if (engine->loop != NULL && take_directory(engine, directory) &&
        link_base_open(&engine->links, engine->loop)) {
        radius_client_init(&engine->radius);
        engine->links.authority = &engine->radius.authority;
        ipsec_gate_init(engine);
        engine->links.gate = &engine->gate;
        return engine;
    }
    engine_free(engine);
    return NULL;
}

static enum status start(struct engine **out, const char *state_directory, bool service)
{
    *out = NULL;
    struct engine *engine = engine_new(state_directory, service);
    if (engine == NULL)
        return STATUS_NO_MEMORY;
    os_pin_library();
    engine->thread = os_thread_start(run, engine);
    if (engine->thread == NULL) {
        engine_free(engine);
        return STATUS_NO_MEMORY;
    }
    if (service)
        os_loop_post(engine->loop, &engine->start_job);
    *out = engine;
    return STATUS_OK;
}

enum status engine_start(struct engine **out, const char *state_directory)
{
    return start(out, state_directory, false);
}

enum status engine_start_service(struct engine **out, const char *state_directory)
{
    return start(out, state_directory, true);
}
