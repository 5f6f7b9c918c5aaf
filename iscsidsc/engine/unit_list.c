/* The units of all sessions, and which of them are devices of this machine. */
#include "engine/checks.h"
#include "engine/devices.h"
#include "engine/login.h"
#include "engine/persistent.h"
#include "engine/units.h"
#include "os/memory.h"

#define SESSION(node) LIST_OWNER(node, struct engine_session, link)
#define UNIT(node)    LIST_OWNER(node, struct unit, link)

/* Is it one of the target's (NULL: of any) that callers see? */
static bool is_of(const struct engine_session *session, const char *target)
{
    return session->units != NULL && session->state != ENGINE_SESSION_LOGIN &&
           session->state != ENGINE_SESSION_LOGOUT &&
           (target == NULL || name_equal(session->target, target));
}

/* --- listing --- */

static bool describe(const struct unit *unit, struct os_arena *arena, struct unit_summary *out)
{
    char name[UNIT_NAME_ROOM];
    *out = (struct unit_summary){
        .target = unit->session->target,
        .lun = unit->facts.lun,
        .exposed = !unit->hidden,
        .since = unit->since,
        .os_bus = units_bus(unit->session->units),
        .os_target = units_target(unit->session->units),
        .os_lun = unit->os_lun,
        .session = &unit->session->id,
    };
    if (unit->class == NULL)
        return true;
    unit_legacy_name(unit, name);
    out->device = os_arena_text(arena, name);
    return out->device != NULL && unit_path(unit, arena, &out->path);
}

static uint32_t count_units(const struct engine *engine, const char *target)
{
    uint32_t count = 0;
    LIST_EACH(node, &engine->sessions)
    {
        if (!is_of(SESSION(node), target))
            continue;
        LIST_EACH(unit, &SESSION(node)->units->all)
        {
            count++;
        }
    }
    return count;
}

static enum status list(const struct engine *engine, const char *target, struct os_arena *arena,
                        struct unit_summary_list *out)
{
    uint32_t count = 0;
    struct unit_summary *items =
        os_arena_alloc(arena, (count_units(engine, target) + 1u) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    LIST_EACH(node, &engine->sessions)
    {
        if (!is_of(SESSION(node), target))
            continue;
        LIST_EACH(unit, &SESSION(node)->units->all)
        {
            if (!describe(UNIT(unit), arena, &items[count++]))
                return STATUS_NO_MEMORY;
        }
    }
    *out = (struct unit_summary_list){items, count};
    return STATUS_OK;
}

/* The first scan of each session is waited for. */
static bool all_known(const struct engine *engine, const char *target)
{
    LIST_EACH(node, &engine->sessions)
    {
        if (is_of(SESSION(node), target) && units_unknown(SESSION(node)))
            return false;
    }
    return true;
}

static bool may_list(struct engine_call *call)
{
    const struct request_list_units *request = call->request;
    return all_known(call->engine, request->target);
}

static void answer(struct engine_call *call, bool late)
{
    const struct request_list_units *request = call->request;
    struct reply_list_units reply = {0};
    (void)late; /* what is known is told */
    enum status status = list(call->engine, request->target, &call->arena, &reply.units);
    engine_finish(call, status, &reply);
}

void engine_list_units(struct engine_call *call)
{
    units_wait(call, UNITS_PATIENCE, may_list, answer);
}

/* --- expose --- */

/* In all sessions to the target. `*found`: there is one; `*same`: all are devices already. */
static void show_all(struct engine *engine, const struct request_expose_unit *which, bool *found,
                     bool *same)
{
    *found = false;
    *same = true;
    LIST_EACH(node, &engine->sessions)
    {
        if (!is_of(SESSION(node), which->target))
            continue;
        LIST_EACH(inner, &SESSION(node)->units->all)
        {
            struct unit *unit = UNIT(inner);
            if (unit->facts.lun != which->lun)
                continue;
            *found = true;
            *same = *same && !unit->hidden;
            unit_hide(unit, false);
        }
    }
}

static enum status remember(struct engine *engine, const struct request_expose_unit *which)
{
    struct store *store;
    enum status status = engine_store(engine, &store);
    return status == STATUS_OK ? store_hide_unit(store, which->target, which->lun, false) : status;
}

/* A login that the exposing of a unit needs. */
struct exposing {
    struct engine_call *call;
    struct engine_login *login;
    struct request_login request;
};

static bool may_expose(struct engine_call *call)
{
    const struct request_expose_unit *request = call->request;
    return all_known(call->engine, request->target);
}

/* The service is to make the login again, whenever it starts: stored once, however often. */
static enum status keep_login(struct engine *engine, const char *target)
{
    const struct request_login request = {.target = target, .initiator_port = ANY_INITIATOR_PORT};
    struct os_arena arena = {0};
    struct store *store;
    struct persistent_login_list logins = {NULL, 0};
    bool kept = false;
    enum status status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_logins(store, &arena, false, &logins);
    for (uint32_t i = 0; status == STATUS_OK && i < logins.count; i++)
        kept =
            kept || (!logins.items[i].informational && name_equal(logins.items[i].target, target));
    os_arena_clear(&arena);
    return status != STATUS_OK || kept ? status : persistent_add(engine, &request);
}

/* After a login that was made for this every unit of the target is new: `same` says nothing. */
static void show(struct engine_call *call, bool logged_in)
{
    const struct request_expose_unit *request = call->request;
    bool found, same;
    show_all(call->engine, request, &found, &same);
    enum status status = found ? STATUS_OK : STATUS_UNIT_NOT_FOUND;
    if (status == STATUS_OK && same && !logged_in)
        status = STATUS_UNIT_EXPOSED;
    if (status == STATUS_OK && logged_in)
        status = keep_login(call->engine, request->target);
    if (status == STATUS_OK)
        status = remember(call->engine, request);
    engine_finish(call, status, NULL);
}

static void show_known(struct engine_call *call, bool late)
{
    (void)late;
    show(call, false);
}

static void show_new(struct engine_call *call, bool late)
{
    (void)late;
    show(call, true);
}

static void on_login(void *context, enum status status, struct engine_session *session)
{
    struct exposing *exposing = context;
    struct engine_call *call = exposing->call;
    (void)session;
    list_remove(&call->link);
    os_free(exposing);
    if (status == STATUS_OK)
        units_wait(call, UNITS_PATIENCE, may_expose, show_new);
    else
        engine_finish(call, status, NULL);
}

static void cancel(struct engine_call *call)
{
    struct exposing *exposing = call->state;
    engine_login_free(exposing->login);
    os_free(exposing);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static void log_in(struct engine_call *call)
{
    const struct request_expose_unit *request = call->request;
    struct exposing *exposing = os_alloc(sizeof *exposing);
    if (exposing != NULL) {
        exposing->call = call;
        exposing->request =
            (struct request_login){.target = request->target, .initiator_port = ANY_INITIATOR_PORT};
        exposing->login = engine_login_new(call->engine, &exposing->request, on_login, exposing);
    }
    if (exposing == NULL || exposing->login == NULL) {
        os_free(exposing);
        engine_finish(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    engine_pend(call, cancel, exposing);
    engine_login_run(exposing->login);
}

static bool has_session(const struct engine *engine, const char *target)
{
    LIST_EACH(node, &engine->sessions)
    {
        if (is_of(SESSION(node), target))
            return true;
    }
    return false;
}

/* Without a session one is made, which exposes all units of the target that were not hidden. */
void engine_expose_unit(struct engine_call *call)
{
    const struct request_expose_unit *request = call->request;
    enum status status = check_target_name(request->target);
    if (status != STATUS_OK)
        engine_finish(call, status, NULL);
    else if (has_session(call->engine, request->target))
        units_wait(call, UNITS_PATIENCE, may_expose, show_known);
    else
        log_in(call);
}
