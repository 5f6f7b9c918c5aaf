#include "engine/bound_devices.h"
#include "engine/devices.h"
#include "engine/restore.h"

#include <string.h>

enum {
    PATH_MOST = 1023,
    PATIENCE = 10000, /* milliseconds for the logins and units that are to be bound */
};

#define SESSION(node) LIST_OWNER(node, struct engine_session, link)
#define UNIT(node)    LIST_OWNER(node, struct unit, link)

static struct bound_device device_of(const struct unit *unit, const char *path)
{
    return (struct bound_device){
        .path = path,
        .target = unit->session->target,
        .identity = {unit->facts.identity, unit->facts.identity_length},
    };
}

bool bound_target_persists(const struct persistent_login_list *logins, const char *target)
{
    for (uint32_t i = 0; i < logins->count; i++) {
        if (!logins->items[i].informational && name_equal(logins->items[i].target, target))
            return true;
    }
    return false;
}

/* --- which are there --- */

static bool is_device(const struct unit *unit, const struct bound_device *device)
{
    const struct unit_facts *facts = &unit->facts;
    return facts->identity_length == device->identity.length &&
           memcmp(facts->identity, device->identity.data, facts->identity_length) == 0;
}

/* Who makes real devices of units may need a moment more. */
static bool is_usable(const struct unit *unit)
{
    const struct exposure *exposure = unit->session->engine->units.exposure;
    if (exposure == NULL || exposure->is_ready == NULL)
        return exposure == NULL || unit->exposed != NULL;
    return exposure->is_ready(exposure->context, unit);
}

static bool has_device(const struct engine_session *session, const struct bound_device *device)
{
    if (session->units == NULL || !name_equal(session->target, device->target))
        return false;
    LIST_EACH(node, &session->units->all)
    {
        if (is_device(UNIT(node), device) && is_usable(UNIT(node)))
            return true;
    }
    return false;
}

bool bound_is_present(const struct engine *engine, const struct bound_device *device)
{
    LIST_EACH(node, &engine->sessions)
    {
        if (has_device(SESSION(node), device))
            return true;
    }
    return false;
}

/* --- add --- */

static enum status check_path(const char *path)
{
    if (path == NULL || path[0] == '\0' || strlen(path) > PATH_MOST)
        return STATUS_INVALID_PARAMETER;
    return STATUS_OK;
}

static enum status check_persistent(struct store *store, const char *target)
{
    struct os_arena arena = {0};
    struct persistent_login_list logins;
    enum status status = store_logins(store, &arena, false, &logins);
    if (status == STATUS_OK && !bound_target_persists(&logins, target))
        status = STATUS_DEVICE_NOT_ISCSI;
    os_arena_clear(&arena);
    return status;
}

/* The path of a bound device that is not there now is as good as its device. */
static enum status why_not(struct store *store, struct os_arena *arena, const char *path)
{
    struct bound_device_list devices;
    enum status status = store_devices(store, arena, &devices);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < devices.count; i++) {
        if (name_equal(devices.items[i].path, path))
            return STATUS_DEVICE_BOUND;
    }
    return STATUS_DEVICE_NOT_ISCSI;
}

static void add(struct engine_call *call, bool late)
{
    const struct request_add_persistent_device *request = call->request;
    const struct unit *unit = unit_by_path(call->engine, request->path);
    struct store *store;
    enum status status = engine_store(call->engine, &store);
    (void)late;
    if (status == STATUS_OK && unit == NULL)
        status = why_not(store, &call->arena, request->path);
    if (status == STATUS_OK)
        status = check_persistent(store, unit->session->target);
    if (status == STATUS_OK) {
        struct bound_device device = device_of(unit, request->path);
        status = store_add_device(store, &device);
    }
    engine_finish(call, status, NULL);
}

/* A device that was just logged in to may not have its name yet. */
void engine_add_persistent_device(struct engine_call *call)
{
    const struct request_add_persistent_device *request = call->request;
    enum status status = check_path(request->path);
    if (status != STATUS_OK)
        engine_finish(call, status, NULL);
    else
        units_wait(call, UNITS_PATIENCE, units_all_settled, add);
}

/* --- remove --- */

/* What the path means now counts more than what it meant when it was stored. */
static enum status remove_device(struct engine *engine, struct store *store, const char *path)
{
    const struct unit *unit = unit_by_path(engine, path);
    struct bound_device device = {.path = path};
    bool found = false;
    enum status status = STATUS_OK;
    if (unit != NULL) {
        device = device_of(unit, path);
        status = store_remove_device(store, &device, &found);
    }
    if (status == STATUS_OK && !found) {
        device = (struct bound_device){.path = path};
        status = store_remove_device(store, &device, &found);
    }
    return status == STATUS_OK && !found ? STATUS_DEVICE_NOT_FOUND : status;
}

void engine_remove_persistent_device(struct engine_call *call)
{
    const struct request_remove_persistent_device *request = call->request;
    struct store *store;
    enum status status = check_path(request->path);
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = remove_device(call->engine, store, request->path);
    engine_finish(call, status, NULL);
}

void engine_clear_persistent_devices(struct engine_call *call)
{
    const struct bound_device_list none = {NULL, 0};
    struct store *store;
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_replace_devices(store, &none);
    engine_finish(call, status, NULL);
}

/* --- list --- */

void engine_list_persistent_devices(struct engine_call *call)
{
    struct reply_list_persistent_devices reply = {0};
    struct bound_device_list devices = {NULL, 0};
    struct store *store;
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_devices(store, &call->arena, &devices);
    const char **names = os_arena_alloc(&call->arena, (devices.count + 1u) * sizeof *names);
    if (status == STATUS_OK && names == NULL)
        status = STATUS_NO_MEMORY;
    for (uint32_t i = 0; status == STATUS_OK && i < devices.count; i++)
        names[i] = devices.items[i].path;
    reply.names = (struct text_list){names, devices.count};
    engine_finish(call, status, &reply);
}

/* --- bind all --- */

static uint32_t count_units(const struct engine *engine)
{
    uint32_t count = 0;
    LIST_EACH(node, &engine->sessions)
    {
        if (SESSION(node)->units == NULL)
            continue;
        LIST_EACH(unit, &SESSION(node)->units->all)
        {
            count++;
        }
    }
    return count;
}

/* Is everything made that is to be made of the units? */
static bool are_usable(const struct units *units)
{
    LIST_EACH(node, &units->all)
    {
        const struct unit *unit = UNIT(node);
        if (!unit->hidden && unit->class != NULL && !is_usable(unit))
            return false;
    }
    return true;
}

static bool take_units(const struct units *units, struct os_arena *arena, struct bound_device *out,
                       uint32_t *count)
{
    char name[UNIT_NAME_ROOM];
    LIST_EACH(node, &units->all)
    {
        const char *path;
        if (UNIT(node)->class == NULL || UNIT(node)->hidden)
            continue;
        unit_interface_name(UNIT(node), name);
        path = os_arena_text(arena, name);
        if (path == NULL)
            return false;
        out[(*count)++] = device_of(UNIT(node), path);
    }
    return true;
}

static enum status collect(const struct engine *engine, const struct persistent_login_list *logins,
                           struct os_arena *arena, struct bound_device_list *out)
{
    uint32_t count = 0;
    struct bound_device *items = os_arena_alloc(arena, (count_units(engine) + 1u) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    LIST_EACH(node, &engine->sessions)
    {
        const struct units *units = SESSION(node)->units;
        if (units == NULL || !bound_target_persists(logins, SESSION(node)->target))
            continue;
        if (!units->known || !are_usable(units))
            return STATUS_PERSISTENT_LOGIN_TIMEOUT;
        if (!take_units(units, arena, items, &count))
            return STATUS_NO_MEMORY;
    }
    *out = (struct bound_device_list){items, count};
    return STATUS_OK;
}

/* Half a list in place of a whole one would do harm: then nothing is changed. */
static void bind_all(struct engine_call *call, bool late)
{
    struct store *store;
    struct persistent_login_list logins;
    struct bound_device_list devices;
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK && late && restore_pending(call->engine))
        status = STATUS_PERSISTENT_LOGIN_TIMEOUT;
    if (status == STATUS_OK)
        status = store_logins(store, &call->arena, false, &logins);
    if (status == STATUS_OK)
        status = collect(call->engine, &logins, &call->arena, &devices);
    if (status == STATUS_OK)
        status = store_replace_devices(store, &devices);
    engine_finish(call, status, NULL);
}

static bool all_usable(const struct engine *engine)
{
    LIST_EACH(node, &engine->sessions)
    {
        if (SESSION(node)->units != NULL && !are_usable(SESSION(node)->units))
            return false;
    }
    return true;
}

static bool is_complete(struct engine_call *call)
{
    return !restore_pending(call->engine) && units_all_settled(call) && all_usable(call->engine);
}

void engine_bind_persistent_devices(struct engine_call *call)
{
    units_wait(call, PATIENCE, is_complete, bind_all);
}
