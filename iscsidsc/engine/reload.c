/* Having the configuration read again: a service does it, on a thread of its own. */
#include "engine/model.h"

static void cancel(struct engine_call *call)
{
    engine_finish(call, STATUS_CANCELLED, NULL);
}

/* The number of a call is its state: whoever reads the file after that has read it for the call. */
void engine_reload(struct engine_call *call)
{
    struct reload_base *base = &call->engine->reload;
    if (base->run == NULL) {
        engine_finish(call, STATUS_SERVICE_NOT_RUNNING, NULL);
        return;
    }
    uintptr_t number = atomic_fetch_add(&base->asked, 1) + 1;
    engine_pend(call, cancel, (void *)number);
    base->run(base->context);
}

void engine_on_reload(struct engine *engine, void (*run)(void *context), void *context)
{
    engine->reload.run = run;
    engine->reload.context = context;
}

uintptr_t engine_reload_begins(struct engine *engine)
{
    return atomic_load(&engine->reload.asked);
}

/* --- the end --- */

struct ending {
    struct os_job job;
    struct os_loop_waiter waiter;
    struct engine *engine;
    uintptr_t begun;
    struct reply_reload reply;
};

static struct engine_call *first_done(const struct ending *ending)
{
    LIST_EACH(node, &ending->engine->pending)
    {
        struct engine_call *call = LIST_OWNER(node, struct engine_call, link);
        if (call->operation->number == OPERATION_reload && (uintptr_t)call->state <= ending->begun)
            return call;
    }
    return NULL;
}

static void end(struct os_job *job)
{
    struct ending *ending = LIST_OWNER(job, struct ending, job);
    struct engine_call *call;
    while ((call = first_done(ending)) != NULL)
        engine_finish(call, STATUS_OK, &ending->reply);
    os_loop_finish(ending->engine->loop, &ending->waiter);
}

/* Out of memory: the callers wait for the next time, or until they have enough of it. */
void engine_reloaded(struct engine *engine, uintptr_t begun, enum status outcome,
                     const struct text_list *problems)
{
    struct ending ending = {.job.run = end, .engine = engine, .begun = begun};
    ending.reply = (struct reply_reload){.outcome = (uint32_t)outcome, .problems = *problems};
    if (!os_loop_waiter_init(&ending.waiter))
        return;
    os_loop_call(engine->loop, &ending.job, &ending.waiter);
    os_loop_waiter_clear(&ending.waiter);
}
