#include "engine/readiness.h"
#include "engine/bound_devices.h"

static unsigned count_missing(const struct engine *engine)
{
    unsigned missing = 0;
    const struct bound_device_list *devices = &engine->readiness.devices;
    for (uint32_t i = 0; i < devices->count; i++)
        missing += !bound_is_present(engine, &devices->items[i]);
    return missing;
}

static void conclude(struct engine *engine, unsigned missing)
{
    struct readiness *readiness = &engine->readiness;
    engine_ready *ready = readiness->ready;
    os_timer_clear(&readiness->timer);
    readiness->ready = NULL;
    if (ready != NULL)
        ready(readiness->context, missing, 0);
}

static bool is_waiting(const struct readiness *readiness)
{
    return readiness->begun && readiness->ready != NULL;
}

void readiness_look(struct engine *engine)
{
    struct readiness *readiness = &engine->readiness;
    if (!is_waiting(readiness))
        return;
    unsigned missing = count_missing(engine);
    if (missing == 0 || readiness->timer.loop == NULL)
        conclude(engine, missing);
}

static void on_timer(struct os_timer *timer)
{
    struct engine *engine = LIST_OWNER(timer, struct engine, readiness.timer);
    if (is_waiting(&engine->readiness))
        conclude(engine, count_missing(engine));
}

/* --- the start --- */

/* A device to which the service does not log in by itself will not come of waiting. */
static void drop_hopeless(struct bound_device_list *devices, struct bound_device *items,
                          const struct persistent_login_list *logins)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < devices->count; i++) {
        if (bound_target_persists(logins, devices->items[i].target))
            items[kept++] = devices->items[i];
    }
    *devices = (struct bound_device_list){items, kept};
}

static enum status read_devices(struct engine *engine, struct bound_device_list *devices)
{
    struct store *store;
    struct os_arena *arena = &engine->readiness.arena;
    struct persistent_login_list logins;
    struct bound_device *items = NULL;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_devices(store, arena, devices);
    if (status == STATUS_OK)
        status = store_logins(store, arena, false, &logins);
    if (status != STATUS_OK || devices->count == 0)
        return status;
    items = os_arena_alloc(arena, devices->count * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    drop_hopeless(devices, items, &logins);
    return STATUS_OK;
}

void readiness_begin(struct engine *engine)
{
    struct readiness *readiness = &engine->readiness;
    struct bound_device_list devices = {NULL, 0};
    const struct parameters *parameters;
    readiness->begun = true;
    /* Whoever cannot read what is bound waits for nothing: the calls will tell what is wrong. */
    if (read_devices(engine, &devices) == STATUS_OK)
        readiness->devices = devices;
    engine_parameters(engine, &parameters); /* the defaults, when the file is wrong */
    uint64_t time = parameters->persistent_device_time * UINT64_C(1000);
    if (readiness->devices.count > 0 && time > 0)
        os_timer_set(engine->loop, &readiness->timer, os_now() + time);
    readiness_look(engine);
}

static void on_wanted(struct os_job *job)
{
    struct engine *engine = LIST_OWNER(job, struct engine, readiness.job);
    struct readiness *readiness = &engine->readiness;
    readiness->ready = readiness->asked;
    readiness_look(engine);
    if (!is_waiting(readiness))
        return;
    uint64_t now = os_now(), due = readiness->timer.due;
    uint32_t left = due > now ? (uint32_t)(due - now) : 1;
    readiness->ready(readiness->context, count_missing(engine), left);
}

void engine_when_ready(struct engine *engine, engine_ready *ready, void *context)
{
    engine->readiness.asked = ready;
    engine->readiness.context = context;
    os_loop_post(engine->loop, &engine->readiness.job);
}

void readiness_init(struct engine *engine)
{
    engine->readiness.job.run = on_wanted;
    engine->readiness.timer.fire = on_timer;
}

void readiness_end(struct engine *engine)
{
    struct readiness *readiness = &engine->readiness;
    readiness->ready = NULL;
    os_timer_clear(&readiness->timer);
    readiness->devices = (struct bound_device_list){NULL, 0};
    os_arena_clear(&readiness->arena);
}
