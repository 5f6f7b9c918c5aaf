#include "engine/devices.h"
#include "engine/adapter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define UNIT(node) LIST_OWNER(node, struct unit, link)

/* --- kinds --- */

const struct unit_class *unit_class_of(uint8_t type)
{
    static const struct unit_class classes[] = {
        {0x00, UNIT_DISK, "disk", 0x53f56307},    {0x01, UNIT_TAPE, "sequential", 0x53f5630b},
        {0x04, UNIT_DISK, "worm", 0x53f5630c},    {0x05, UNIT_CDROM, "cdrom", 0x53f56308},
        {0x07, UNIT_DISK, "optical", 0x53f56307}, {0x08, UNIT_CHANGER, "changer", 0x53f56310},
        {0x0e, UNIT_DISK, "disk", 0x53f56307},
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (classes[i].type == type)
            return &classes[i];
    }
    return NULL;
}

/* --- names --- */

/* As Windows makes identifiers of INQUIRY texts, in lower case as its symbolic links are. */
static void identifier(const char *text, char out[17])
{
    size_t i = 0;
    for (; text[i] != '\0' && i < 16; i++) {
        char c = text[i];
        bool odd = c <= ' ' || c == ',' || c == '#' || c == '\\' || c == '/';
        out[i] = odd ? '_' : (char)tolower((unsigned char)c);
    }
    out[i] = '\0';
}

/* FNV-1a over what the unit is: it has the same name in each run if it has the same place. */
static uint32_t identity_hash(const struct unit *unit)
{
    uint32_t hash = 2166136261u;
    for (const char *c = unit->session->target; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    for (size_t i = 0; i < unit->facts.identity_length; i++)
        hash = (hash ^ unit->facts.identity[i]) * 16777619u;
    return hash;
}

void unit_interface_name(const struct unit *unit, char out[UNIT_NAME_ROOM])
{
    char vendor[17], product[17];
    const struct units *units = unit->session->units;
    identifier(unit->facts.inquiry.vendor, vendor);
    identifier(unit->facts.inquiry.product, product);
    snprintf(out, UNIT_NAME_ROOM,
             "\\\\?\\scsi#%s&ven_%s&prod_%s#1&%08lx&0&%02x%02x%02x#"
             "{%08lx-b6bf-11d0-94f2-00a0c91efb8b}",
             unit->class->enumerator, vendor, product, (unsigned long)identity_hash(unit),
             units_bus(units), units_target(units), unit->os_lun, (unsigned long)unit->class->guid);
}

void unit_legacy_name(const struct unit *unit, char out[UNIT_NAME_ROOM])
{
    static const char *const names[UNIT_FAMILIES] = {
        [UNIT_DISK] = "PhysicalDrive",
        [UNIT_TAPE] = "Tape",
        [UNIT_CDROM] = "CdRom",
        [UNIT_CHANGER] = "Changer",
    };
    snprintf(out, UNIT_NAME_ROOM, "\\\\.\\%s%lu", names[unit->class->family],
             (unsigned long)unit->number);
}

bool unit_path(const struct unit *unit, struct os_arena *arena, const char **out)
{
    const struct exposure *exposure = unit->session->engine->units.exposure;
    const char *path = NULL;
    if (exposure != NULL && exposure->path != NULL && !unit->hidden)
        path = exposure->path(exposure->context, unit);
    *out = path != NULL ? os_arena_text(arena, path) : NULL;
    return path == NULL || *out != NULL;
}

/* --- paths --- */

/* What follows "\\.\" or "\\?\", which may be missing. */
static const char *strip_prefix(const char *path)
{
    bool prefixed =
        path[0] == '\\' && path[1] == '\\' && (path[2] == '.' || path[2] == '?') && path[3] == '\\';
    return prefixed ? path + 4 : path;
}

/* Without (ASCII) case, and with or without a backslash at the end. */
static bool same_path(const char *a, const char *b)
{
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b))
        a++, b++;
    return *b == '\0' && (*a == '\0' || (a[0] == '\\' && a[1] == '\0'));
}

static bool is_called(const struct unit *unit, const char *path)
{
    char name[UNIT_NAME_ROOM];
    if (unit->class == NULL || unit->hidden)
        return false;
    unit_legacy_name(unit, name);
    if (same_path(path, strip_prefix(name)))
        return true;
    unit_interface_name(unit, name);
    return same_path(path, strip_prefix(name));
}

struct unit *unit_by_path(struct engine *engine, const char *path)
{
    const struct exposure *exposure = engine->units.exposure;
    LIST_EACH(session, &engine->sessions)
    {
        struct units *units = LIST_OWNER(session, struct engine_session, link)->units;
        if (units == NULL)
            continue;
        LIST_EACH(node, &units->all)
        {
            if (is_called(UNIT(node), strip_prefix(path)))
                return UNIT(node);
        }
    }
    return exposure != NULL ? exposure->resolve(exposure->context, path) : NULL;
}

/* --- the devices of a session --- */

static bool describe(const struct unit *unit, struct os_arena *arena, struct device *out)
{
    char interface[UNIT_NAME_ROOM], legacy[UNIT_NAME_ROOM];
    const struct units *units = unit->session->units;
    unit_interface_name(unit, interface);
    unit_legacy_name(unit, legacy);
    *out = (struct device){
        .initiator = INITIATOR_INSTANCE,
        .target = unit->session->target,
        .type = unit->facts.inquiry.device_type,
        .scsi_port = ADAPTER_SCSI_PORT,
        .scsi_bus = units_bus(units),
        .scsi_target = units_target(units),
        .scsi_lun = unit->os_lun,
        .interface_name = os_arena_text(arena, interface),
        .legacy_name = os_arena_text(arena, legacy),
        .number = unit->number,
        .partition = unit->class->family == UNIT_DISK ? 0 : UINT32_MAX, /* not to be partitioned */
        .instance = unit->instance,
    };
    return out->interface_name != NULL && out->legacy_name != NULL &&
           unit_path(unit, arena, &out->path);
}

static enum status list(const struct units *units, struct os_arena *arena, struct device_list *out)
{
    uint32_t count = 0;
    struct device *items = os_arena_alloc(arena, UNITS_MOST * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    LIST_EACH(node, &units->all)
    {
        const struct unit *unit = UNIT(node);
        if (unit->class != NULL && !unit->hidden && !describe(unit, arena, &items[count++]))
            return STATUS_NO_MEMORY;
    }
    *out = (struct device_list){items, count};
    return STATUS_OK;
}

static struct engine_session *session_of(const struct engine_call *call, enum status *status)
{
    const struct request_list_devices *request = call->request;
    struct engine_session *session = engine_session_find(call->engine, request->session);
    *status = STATUS_OK;
    if (session == NULL)
        *status = STATUS_SESSION_NOT_FOUND;
    else if (session->state == ENGINE_SESSION_LOGOUT)
        *status = STATUS_SESSION_BUSY;
    return session;
}

static bool is_named(const struct engine *engine)
{
    const struct exposure *exposure = engine->units.exposure;
    return exposure == NULL || exposure->is_named == NULL || exposure->is_named(exposure->context);
}

static bool is_ready(struct engine_call *call)
{
    enum status status;
    const struct engine_session *session = session_of(call, &status);
    return status != STATUS_OK || (units_settled(session) && is_named(call->engine));
}

/* Devices that nothing is known of yet may be there soon: callers ask again. */
static void answer(struct engine_call *call, bool late)
{
    enum status status;
    struct reply_list_devices reply = {0};
    const struct engine_session *session = session_of(call, &status);
    (void)late;
    if (status == STATUS_OK && session->units != NULL)
        status = session->units->known ? list(session->units, &call->arena, &reply.devices)
                                       : STATUS_SESSION_BUSY;
    engine_finish(call, status, &reply);
}

void engine_list_devices(struct engine_call *call)
{
    enum status status;
    struct engine_session *session = session_of(call, &status);
    if (status == STATUS_OK)
        units_refresh(session);
    units_wait(call, UNITS_PATIENCE, is_ready, answer);
}

/* --- Wine --- */

static bool is_made(struct engine_call *call)
{
    return is_named(call->engine);
}

static void tell_made(struct engine_call *call, bool late)
{
    (void)late;
    engine_finish(call, STATUS_OK, NULL);
}

void engine_use_wine_prefix(struct engine_call *call)
{
    const struct request_use_wine_prefix *request = call->request;
    const struct exposure *exposure = call->engine->units.exposure;
    enum status status = STATUS_NOT_SUPPORTED;
    if (request->path == NULL)
        status = STATUS_INVALID_PARAMETER;
    else if (exposure != NULL && exposure->use_prefix != NULL)
        status = exposure->use_prefix(exposure->context, request->path);
    if (status == STATUS_OK)
        units_wait(call, UNITS_PATIENCE, is_made, tell_made);
    else
        engine_finish(call, status, NULL);
}
