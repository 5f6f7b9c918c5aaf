/* Takes a unit out of the devices of this machine, in all sessions to its target or in none: what
 * programs have written to it reaches the target first. */
#include "engine/checks.h"
#include "engine/withdrawal.h"

#define SESSION(node) LIST_OWNER(node, struct engine_session, link)
#define UNIT(node)    LIST_OWNER(node, struct unit, link)

enum { PATIENCE = 30000 /* milliseconds: a file system may have much to write */ };

static bool is_meant(const struct engine_call *call, const struct engine_session *session)
{
    const struct request_unexpose_unit *request = call->request;
    return session->units != NULL && session->state != ENGINE_SESSION_LOGIN &&
           session->state != ENGINE_SESSION_LOGOUT && name_equal(session->target, request->target);
}

/* Those that are devices now. */
static void each_unit(const struct engine_call *call,
                      void (*visit)(struct unit *unit, void *context), void *context)
{
    const struct request_unexpose_unit *request = call->request;
    LIST_EACH(node, &call->engine->sessions)
    {
        if (!is_meant(call, SESSION(node)))
            continue;
        LIST_EACH(inner, &SESSION(node)->units->all)
        {
            if (UNIT(inner)->facts.lun == request->lun && !UNIT(inner)->hidden)
                visit(UNIT(inner), context);
        }
    }
}

/* --- the second step --- */

static void mark(struct unit *unit, void *context)
{
    bool *found = context;
    unit->leaving = true;
    *found = true;
}

static void withdraw(struct unit *unit, void *context)
{
    enum withdrawal *worst = context;
    enum withdrawal now = unit_in_use(unit) ? DEVICE_IN_USE : unit_withdraw(unit, false);
    *worst = now > *worst ? now : *worst;
}

/* All are marked before the first is asked: none of them is another way then. */
static enum withdrawal withdraw_all(const struct engine_call *call)
{
    enum withdrawal worst = WITHDRAWN;
    bool found = false;
    each_unit(call, mark, &found);
    each_unit(call, withdraw, &worst);
    return worst;
}

static void stay(struct unit *unit, void *context)
{
    (void)context;
    unit->leaving = false;
    unit_readmit(unit);
}

static void undo(struct engine_call *call)
{
    each_unit(call, stay, NULL);
}

static void hide(struct unit *unit, void *context)
{
    (void)context;
    unit_hide(unit, true);
    unit->leaving = false;
}

static bool is_withdrawn(struct engine_call *call)
{
    return withdraw_all(call) != WITHDRAWING;
}

static void hide_all(struct engine_call *call, bool late)
{
    const struct request_unexpose_unit *request = call->request;
    struct store *store;
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK && (late || withdraw_all(call) != WITHDRAWN))
        status = STATUS_DEVICE_BUSY;
    if (status == STATUS_OK)
        status = store_hide_unit(store, request->target, request->lun, true);
    if (status == STATUS_OK)
        each_unit(call, hide, NULL);
    else
        undo(call);
    engine_finish(call, status, NULL);
}

/* --- the first: which units there are --- */

static bool is_known(struct engine_call *call)
{
    LIST_EACH(node, &call->engine->sessions)
    {
        if (is_meant(call, SESSION(node)) && units_unknown(SESSION(node)))
            return false;
    }
    return true;
}

static void begin(struct engine_call *call, bool late)
{
    bool found = false;
    (void)late;
    each_unit(call, mark, &found);
    if (found)
        units_wait_undoing(call, PATIENCE, is_withdrawn, hide_all, undo);
    else
        engine_finish(call, STATUS_UNIT_NOT_EXPOSED, NULL);
}

void engine_unexpose_unit(struct engine_call *call)
{
    const struct request_unexpose_unit *request = call->request;
    enum status status = check_target_name(request->target);
    if (status == STATUS_OK)
        units_wait(call, UNITS_PATIENCE, is_known, begin);
    else
        engine_finish(call, status, NULL);
}
