/* Calls that wait until the units of sessions are known as they are. */
#include "engine/readiness.h"
#include "engine/withdrawal.h"
#include "os/memory.h"

struct wait {
    struct list link;
    struct engine_call *call;
    units_ready *ready;
    units_waited *run;
    void (*undo)(struct engine_call *call); /* NULL: nothing */
    struct os_timer timer;
};

#define WAIT(node) LIST_OWNER(node, struct wait, link)

static void wait_free(struct wait *wait)
{
    list_remove(&wait->link);
    os_timer_clear(&wait->timer);
    os_free(wait);
}

/* The call is no longer pending for our sake. */
static void run(struct wait *wait, bool late)
{
    struct engine_call *call = wait->call;
    units_waited *then = wait->run;
    wait_free(wait);
    list_remove(&call->link);
    then(call, late);
}

static void on_timer(struct os_timer *timer)
{
    struct wait *wait = LIST_OWNER(timer, struct wait, timer);
    run(wait, !wait->ready(wait->call));
}

static void cancel(struct engine_call *call)
{
    struct wait *wait = call->state;
    if (wait->undo != NULL)
        wait->undo(call);
    wait_free(wait);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

void units_wait(struct engine_call *call, uint32_t patience, units_ready *ready, units_waited *then)
{
    units_wait_undoing(call, patience, ready, then, NULL);
}

static void give_up(struct engine_call *call, void (*undo)(struct engine_call *call))
{
    if (undo != NULL)
        undo(call);
    engine_finish(call, STATUS_NO_MEMORY, NULL);
}

void units_wait_undoing(struct engine_call *call, uint32_t patience, units_ready *ready,
                        units_waited *then, void (*undo)(struct engine_call *call))
{
    struct engine *engine = call->engine;
    if (ready(call)) {
        then(call, false);
        return;
    }
    struct wait *wait = os_alloc(sizeof *wait);
    if (wait == NULL) {
        give_up(call, undo);
        return;
    }
    wait->call = call;
    wait->ready = ready;
    wait->run = then;
    wait->undo = undo;
    wait->timer.fire = on_timer;
    list_append(&engine->units.waiters, &wait->link);
    engine_pend(call, cancel, wait);
    if (!os_timer_set(engine->loop, &wait->timer, os_now() + patience)) {
        wait_free(wait);
        give_up(call, undo);
    }
}

bool units_all_settled(struct engine_call *call)
{
    LIST_EACH(node, &call->engine->sessions)
    {
        if (!units_settled(LIST_OWNER(node, struct engine_session, link)))
            return false;
    }
    return true;
}

/* --- looking --- */

static void on_look(struct os_job *job)
{
    struct engine *engine = LIST_OWNER(job, struct engine, units.job);
    struct unit_base *base = &engine->units;
    base->posted = false;
    LIST_EACH_SAFE(node, &base->waiters)
    {
        struct wait *wait = WAIT(node);
        if (wait->ready(wait->call))
            run(wait, false);
    }
    readiness_look(engine);
    withdrawal_look(engine);
}

/* In a round of its own: who tells is in the middle of something. */
void units_look(struct engine *engine)
{
    struct unit_base *base = &engine->units;
    bool wanted = !list_empty(&base->waiters) || engine->readiness.ready != NULL ||
                  engine->withdrawal.then != NULL;
    if (!wanted || base->posted)
        return;
    base->posted = true;
    os_loop_post(engine->loop, &base->job);
}

void units_base_init(struct unit_base *base)
{
    list_init(&base->waiters);
    base->job.run = on_look;
}

void units_base_clear(struct unit_base *base)
{
    numbers_clear(&base->places);
    numbers_clear(&base->wanted);
    for (size_t i = 0; i < UNIT_FAMILIES; i++)
        numbers_clear(&base->numbers[i]);
}
