#include "engine/withdrawal.h"

enum {
    /* Milliseconds: a file system may have much to write. */
    PATIENCE_FOR_ALL = 30000,
    PATIENCE_BY_FORCE = 15000,
};

#define UNIT(node)    LIST_OWNER(node, struct unit, link)
#define SESSION(node) LIST_OWNER(node, struct engine_session, link)

static enum withdrawal worse(enum withdrawal a, enum withdrawal b)
{
    return a > b ? a : b;
}

enum withdrawal unit_withdraw(struct unit *unit, bool forced)
{
    const struct exposure *exposure = unit->session->engine->units.exposure;
    if (exposure == NULL || exposure->withdraw == NULL || unit->hidden)
        return WITHDRAWN;
    return exposure->withdraw(exposure->context, unit, forced);
}

enum withdrawal units_withdraw(struct engine_session *session, bool forced)
{
    enum withdrawal worst = WITHDRAWN;
    if (session->units == NULL)
        return worst;
    LIST_EACH(node, &session->units->all)
    {
        worst = worse(worst, unit_withdraw(UNIT(node), forced));
    }
    return worst;
}

void unit_readmit(struct unit *unit)
{
    const struct exposure *exposure = unit->session->engine->units.exposure;
    if (exposure != NULL && exposure->readmit != NULL && !unit->hidden)
        exposure->readmit(exposure->context, unit);
}

void units_readmit(struct engine_session *session)
{
    if (session->units == NULL)
        return;
    LIST_EACH(node, &session->units->all)
    {
        unit_readmit(UNIT(node));
    }
}

/* --- all of them --- */

struct findings {
    bool withdrawing;
    bool in_use;
};

/* They stay marked: none of them is to come back before whoever makes devices is gone. */
static void mark(struct engine_session *session)
{
    if (session->units == NULL)
        return;
    LIST_EACH(node, &session->units->all)
    {
        UNIT(node)->leaving = true;
    }
}

static void withdraw_each(struct engine_session *session, bool forced, struct findings *found)
{
    if (session->units == NULL)
        return;
    LIST_EACH(node, &session->units->all)
    {
        enum withdrawal now = unit_withdraw(UNIT(node), forced);
        found->withdrawing = found->withdrawing || now == WITHDRAWING;
        found->in_use = found->in_use || now == DEVICE_IN_USE;
    }
}

/* All are marked before the first is asked: none of them is another way then. */
static struct findings withdraw_all(struct engine *engine, bool forced)
{
    struct findings found = {false, false};
    LIST_EACH(node, &engine->sessions)
    {
        mark(SESSION(node));
    }
    LIST_EACH(node, &engine->sessions)
    {
        withdraw_each(SESSION(node), forced, &found);
    }
    return found;
}

static void conclude(struct engine *engine)
{
    void (*then)(void *context) = engine->withdrawal.then;
    engine->withdrawal.then = NULL;
    os_timer_clear(&engine->withdrawal.timer);
    then(engine->withdrawal.context);
}

static bool wait_for(struct engine *engine, uint64_t patience)
{
    return os_timer_set(engine->loop, &engine->withdrawal.timer, os_now() + patience);
}

static void use_force(struct engine *engine)
{
    engine->withdrawal.forced = true;
    if (!withdraw_all(engine, true).withdrawing || !wait_for(engine, PATIENCE_BY_FORCE))
        conclude(engine);
}

/* Force would also cut short what is still written elsewhere: that has its time. */
void withdrawal_look(struct engine *engine)
{
    struct withdrawing *withdrawing = &engine->withdrawal;
    if (withdrawing->then == NULL)
        return;
    struct findings found = withdraw_all(engine, withdrawing->forced);
    if (found.withdrawing)
        return;
    if (found.in_use && !withdrawing->forced)
        use_force(engine);
    else
        conclude(engine);
}

static void on_timer(struct os_timer *timer)
{
    struct engine *engine = LIST_OWNER(timer, struct engine, withdrawal.timer);
    if (engine->withdrawal.forced)
        conclude(engine);
    else
        use_force(engine);
}

void withdrawal_of_all(struct engine *engine, void (*then)(void *context), void *context)
{
    engine->withdrawal.then = then;
    engine->withdrawal.context = context;
    engine->withdrawal.forced = false;
    if (wait_for(engine, PATIENCE_FOR_ALL))
        withdrawal_look(engine);
    else
        conclude(engine);
}

void withdrawal_init(struct engine *engine)
{
    engine->withdrawal.timer.fire = on_timer;
}
