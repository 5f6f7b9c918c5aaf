#include "engine/units.h"
#include "engine/devices.h"
#include "engine/events.h"
#include "engine/log.h"
#include "engine/mappings.h"
#include "engine/unit_scan.h"
#include "os/memory.h"

#include <string.h>

enum { FRESH = 1000 /* milliseconds for which nobody asks again without a reason */ };

#define UNIT(node) LIST_OWNER(node, struct unit, link)

uint8_t units_bus(const struct units *units)
{
    return (uint8_t)(units->place / MAPPING_TARGETS);
}

uint8_t units_target(const struct units *units)
{
    return (uint8_t)(units->place % MAPPING_TARGETS);
}

static void publish(const struct unit *unit, enum event_kind kind)
{
    events_unit(unit->session->engine, unit->session->target, unit->facts.lun, kind);
}

/* --- real devices --- */

/* NULL: nobody makes devices, or none is to be made of this unit. */
static const struct exposure *exposure_of(const struct unit *unit)
{
    return unit->hidden ? NULL : unit->session->engine->units.exposure;
}

static void tell_added(struct unit *unit)
{
    const struct exposure *exposure = exposure_of(unit);
    if (exposure != NULL)
        exposure->added(exposure->context, unit);
}

static void tell_changed(struct unit *unit)
{
    const struct exposure *exposure = exposure_of(unit);
    if (exposure != NULL)
        exposure->changed(exposure->context, unit);
}

static void tell_removed(struct unit *unit)
{
    const struct exposure *exposure = exposure_of(unit);
    if (exposure != NULL)
        exposure->removed(exposure->context, unit);
}

bool unit_in_use(const struct unit *unit)
{
    const struct exposure *exposure = exposure_of(unit);
    return exposure != NULL && exposure->in_use(exposure->context, unit);
}

enum status unit_hide(struct unit *unit, bool hidden)
{
    if (unit->hidden == hidden)
        return STATUS_OK;
    if (hidden && unit_in_use(unit))
        return STATUS_DEVICE_BUSY;
    if (hidden)
        tell_removed(unit);
    unit->hidden = hidden;
    unit->since = os_time();
    if (!hidden)
        tell_added(unit);
    publish(unit, EVENT_UNIT_CHANGED);
    return STATUS_OK;
}

bool units_in_use(const struct engine_session *session)
{
    if (session->units == NULL)
        return false;
    LIST_EACH(node, &session->units->all)
    {
        if (unit_in_use(UNIT(node)))
            return true;
    }
    return false;
}

static void tell_all(struct engine *engine, void (*tell)(struct unit *unit))
{
    LIST_EACH(node, &engine->sessions)
    {
        struct units *units = LIST_OWNER(node, struct engine_session, link)->units;
        if (units == NULL)
            continue;
        LIST_EACH(unit, &units->all)
        {
            tell(UNIT(unit));
        }
    }
}

static void stay(struct unit *unit)
{
    unit->leaving = false;
}

void units_expose(struct engine *engine, const struct exposure *exposure)
{
    tell_all(engine, tell_removed);
    tell_all(engine, stay);
    engine->units.exposure = exposure;
    tell_all(engine, tell_added);
}

/* --- one unit --- */

static void unit_remove(struct unit *unit)
{
    struct engine *engine = unit->session->engine;
    tell_removed(unit);
    publish(unit, EVENT_UNIT_REMOVED);
    path_leave(unit);
    list_remove(&unit->link);
    if (unit->class != NULL)
        numbers_release(&engine->units.numbers[unit->class->family], unit->number);
    os_free(unit);
}

static bool choose_number(struct engine *engine, struct unit *unit)
{
    unit->class = unit_class_of(unit->facts.inquiry.device_type);
    if (unit->class == NULL)
        return true;
    unit->number = numbers_take_free(&engine->units.numbers[unit->class->family], UNIT_NUMBER_FIRST,
                                     UINT32_MAX - 1);
    return unit->number != NUMBERS_NONE;
}

static void insert(struct list *all, struct unit *unit)
{
    struct list *before = all;
    LIST_EACH(node, all)
    {
        if (UNIT(node)->os_lun > unit->os_lun) {
            before = node;
            break;
        }
    }
    list_append(before, &unit->link); /* in front of it */
}

/* A store that cannot tell hides nothing. */
static bool is_hidden(struct engine *engine, const struct unit *unit)
{
    struct store *store;
    bool hidden = false;
    return engine_store(engine, &store) == STATUS_OK &&
           store_unit_hidden(store, unit->session->target, unit->facts.lun, &hidden) == STATUS_OK &&
           hidden;
}

/* False: out of memory. A unit for which there is no number left is not shown. */
static bool unit_add(struct units *units, const struct unit_facts *facts)
{
    struct engine *engine = units->session->engine;
    int os_lun = mapping_os_lun(units, facts->lun);
    struct unit *unit = os_alloc(sizeof *unit);
    if (unit == NULL || os_lun < 0) {
        os_free(unit);
        return os_lun < 0;
    }
    unit->session = units->session;
    unit->facts = *facts;
    unit->os_lun = (uint8_t)os_lun;
    if (!choose_number(engine, unit)) {
        os_free(unit);
        return false;
    }
    unit->instance = ++engine->units.last_instance;
    unit->hidden = is_hidden(engine, unit);
    unit->since = os_time();
    insert(&units->all, unit);
    path_join(unit);
    tell_added(unit);
    publish(unit, EVENT_UNIT_ADDED);
    return true;
}

/* --- what a scan has found --- */

static const struct unit_finding *find(const struct unit_finding *findings, size_t count,
                                       uint64_t lun)
{
    for (size_t i = 0; i < count; i++) {
        if (findings[i].facts.lun == lun)
            return &findings[i];
    }
    return NULL;
}

static bool is_known(const struct units *units, uint64_t lun)
{
    LIST_EACH(node, &units->all)
    {
        if (UNIT(node)->facts.lun == lun)
            return true;
    }
    return false;
}

/* One that was formatted with blocks of another length is another one: what is under way counts in
 * the old ones. */
static bool same_unit(const struct unit_facts *a, const struct unit_facts *b)
{
    uint32_t one = a->capacity.block_length;
    uint32_t other = b->capacity.block_length;
    if (one != other && one > 0 && other > 0)
        return false;
    return a->inquiry.device_type == b->inquiry.device_type &&
           a->identity_length == b->identity_length &&
           memcmp(a->identity, b->identity, a->identity_length) == 0;
}

/* As far as devices show it. */
static bool same_facts(const struct unit_facts *a, const struct unit_facts *b)
{
    return a->capacity.blocks == b->capacity.blocks &&
           a->capacity.block_length == b->capacity.block_length &&
           a->mode.write_protected == b->mode.write_protected;
}

static void unit_update(struct unit *unit, const struct unit_finding *finding)
{
    const struct scsi_capacity *capacity = &finding->facts.capacity;
    bool changed = !same_facts(&unit->facts, &finding->facts);
    /* A disk that had blocks and tells of none is not ready again yet. */
    bool unready = capacity->block_length == 0 && unit->facts.capacity.block_length > 0 &&
                   !unit->facts.inquiry.removable;
    if (!finding->certain || unready)
        return;
    unit->facts = finding->facts;
    if (!unit->session->units->doubtful)
        path_verify(unit);
    if (!changed)
        return;
    tell_changed(unit);
    publish(unit, EVENT_UNIT_CHANGED);
}

/* Those that are there no more, or are others now, go first: their numbers are free again. */
static bool take_findings(struct units *units, const struct unit_finding *findings, size_t count)
{
    LIST_EACH_SAFE(node, &units->all)
    {
        struct unit *unit = UNIT(node);
        const struct unit_finding *finding = find(findings, count, unit->facts.lun);
        if (finding != NULL && (!finding->certain || same_unit(&finding->facts, &unit->facts)))
            unit_update(unit, finding);
        else
            unit_remove(unit);
    }
    for (size_t i = 0; i < count; i++) {
        if (findings[i].certain && !is_known(units, findings[i].facts.lun) &&
            !unit_add(units, &findings[i].facts))
            return false;
    }
    return true;
}

/* --- scans --- */

static bool has_connection(const struct engine_session *session)
{
    return session->state == ENGINE_SESSION_LIVE;
}

/* Out of memory: somebody who asks for the units makes for another one. */
static void scan_at(struct units *units, uint64_t due)
{
    if (units->scan != NULL)
        units->again = true;
    else if (has_connection(units->session))
        os_timer_set(units->session->engine->loop, &units->timer, due);
}

/* Does anybody wait to hear what a unit is now? */
static bool is_awaited(const struct units *units)
{
    LIST_EACH(node, &units->all)
    {
        if (path_is_awaited(UNIT(node)))
            return true;
    }
    return false;
}

static void on_scanned(struct engine_session *session, enum status status,
                       const struct unit_finding *findings, size_t count)
{
    struct units *units = session->units;
    bool again = units->again;
    units->again = false;
    units->doubtful = again;
    units->scanned = os_now();
    if (status == STATUS_OK && take_findings(units, findings, count))
        units->known = true;
    if (again || is_awaited(units))
        scan_at(units, units->scanned + FRESH);
    units_look(session->engine);
}

static void on_timer(struct os_timer *timer)
{
    struct units *units = LIST_OWNER(timer, struct units, timer);
    if (has_connection(units->session))
        scan_start(units->session, on_scanned, &units->scan);
    else
        units_look(units->session->engine);
}

void units_stop(struct engine_session *session, bool at_once)
{
    struct units *units = session->units;
    if (units == NULL)
        return;
    os_timer_clear(&units->timer);
    units->again = false;
    if (at_once)
        scan_cancel(units->scan);
    else if (units->scan != NULL)
        scan_stop(units->scan);
}

bool units_scanning(const struct engine_session *session)
{
    return session->units != NULL && session->units->scan != NULL;
}

bool units_idle(const struct engine_session *session)
{
    return session->units != NULL && has_connection(session) && session->units->scan == NULL &&
           session->units->timer.loop == NULL;
}

void units_renew(struct engine_session *session)
{
    if (session->units != NULL)
        scan_at(session->units, os_now());
}

void units_refresh(struct engine_session *session)
{
    struct units *units = session->units;
    if (units == NULL || units->scan != NULL || units->timer.loop != NULL)
        return;
    if (!units->known || os_now() - units->scanned >= FRESH)
        scan_at(units, os_now());
}

void units_doubt(struct engine_session *session)
{
    if (session->units == NULL)
        return;
    LIST_EACH(node, &session->units->all)
    {
        path_doubt(UNIT(node));
    }
}

/* Not more often than once a FRESH: a target may say so with every answer. */
void units_look_again(struct engine_session *session)
{
    struct units *units = session->units;
    if (units == NULL || units->timer.loop != NULL)
        return;
    uint64_t now = os_now(), due = units->scanned + FRESH;
    scan_at(units, units->known && due > now ? due : now);
}

void units_attention(struct engine_session *session, uint16_t asc)
{
    struct units *units = session->units;
    bool others = asc == SCSI_ASC_REPORTED_LUNS_CHANGED || asc == SCSI_ASC_INQUIRY_CHANGED;
    bool concerns = others || asc == SCSI_ASC_CAPACITY_CHANGED || asc == SCSI_ASC_MODE_CHANGED ||
                    asc == SCSI_ASC_MEDIUM_CHANGED;
    if (units == NULL || !concerns)
        return;
    if (others)
        units_doubt(session);
    units_look_again(session);
}

bool units_settled(const struct engine_session *session)
{
    const struct units *units = session->units;
    if (units == NULL || session->state == ENGINE_SESSION_LOGOUT)
        return true;
    /* What was known still counts, and nothing better can be had now. */
    if (session->state == ENGINE_SESSION_RECONNECT)
        return units->known;
    return units->scan == NULL && units->timer.loop == NULL;
}

bool units_unknown(const struct engine_session *session)
{
    const struct units *units = session->units;
    return units != NULL && has_connection(session) && !units->known &&
           (units->scan != NULL || units->timer.loop != NULL);
}

/* --- the life of a session --- */

static struct mapped_lun_list copy_luns(const struct mapping *mapping, enum status *status)
{
    struct mapped_lun_list luns = {NULL, 0};
    if (mapping == NULL || mapping->luns.count == 0)
        return luns;
    luns.items = os_copy(mapping->luns.items, mapping->luns.count * sizeof *luns.items);
    if (luns.items == NULL)
        *status = STATUS_NO_MEMORY;
    else
        luns.count = mapping->luns.count;
    return luns;
}

static enum status take_place(struct units *units, const struct mapping *mapping)
{
    uint32_t place = mapping_place(mapping);
    enum status status = numbers_take(&units->session->engine->units.places, place);
    if (status == STATUS_BUSY)
        return STATUS_MAPPING_EXISTS;
    if (status == STATUS_OK)
        units->place = place;
    return status;
}

enum status units_new(struct engine_session *session, const struct mapping *mapping)
{
    enum status status = STATUS_OK;
    struct units *units = os_alloc(sizeof *units);
    if (units == NULL)
        return STATUS_NO_MEMORY;
    units->session = session;
    units->place = NUMBERS_NONE;
    units->timer.fire = on_timer;
    list_init(&units->all);
    units->mapped = copy_luns(mapping, &status);
    if (status == STATUS_OK && mapping != NULL)
        status = take_place(units, mapping);
    session->units = units;
    if (status != STATUS_OK)
        units_end(session);
    return status;
}

struct engine_session *units_session_at(const struct engine *engine, uint32_t bus, uint32_t target)
{
    LIST_EACH(node, &engine->sessions)
    {
        struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        if (!list_empty(&session->by_id) && session->units != NULL &&
            units_bus(session->units) == bus && units_target(session->units) == target)
            return session;
    }
    return NULL;
}

bool units_of_target(const struct engine *engine, const struct mapping *mapping, const char *target)
{
    LIST_EACH(node, &engine->sessions)
    {
        const struct engine_session *session = LIST_OWNER(node, struct engine_session, link);
        if (session->units != NULL && session->units->place == mapping_place(mapping))
            return name_equal(session->target, target);
    }
    return false;
}

/* The target's own, if it is free; a target that has none gets one. */
static bool take_bound_place(struct units *units)
{
    struct engine *engine = units->session->engine;
    struct unit_base *base = &engine->units;
    uint32_t place = bindings_find(engine, units->session->target);
    if (place == NUMBERS_NONE) {
        place = bindings_free_place(engine);
        if (place != NUMBERS_NONE)
            bindings_add(engine, units->session->target, place);
    }
    if (place == NUMBERS_NONE || numbers_taken(&base->wanted, place) ||
        numbers_take(&base->places, place) != STATUS_OK)
        return false;
    units->place = place;
    return true;
}

enum status units_place(struct engine_session *session)
{
    struct units *units = session->units;
    if (units == NULL || units->place != NUMBERS_NONE || take_bound_place(units))
        return STATUS_OK;
    uint32_t place = bindings_free_place(session->engine);
    if (place == NUMBERS_NONE) {
        engine_log(OS_LOG_WARNING, "no-place", "target", session->target, "reason",
                   "all ids of all buses are given away", NULL);
        return STATUS_TOO_MANY_SESSIONS;
    }
    enum status status = numbers_take(&session->engine->units.places, place);
    if (status == STATUS_OK)
        units->place = place;
    return status;
}

void units_end(struct engine_session *session)
{
    struct units *units = session->units;
    struct list *first;
    if (units == NULL)
        return;
    scan_cancel(units->scan);
    os_timer_clear(&units->timer);
    while ((first = list_first(&units->all)) != NULL)
        unit_remove(UNIT(first));
    if (units->place != NUMBERS_NONE)
        numbers_release(&session->engine->units.places, units->place);
    session->units = NULL;
    os_free((void *)(uintptr_t)units->mapped.items);
    os_free(units);
    units_look(session->engine);
}
