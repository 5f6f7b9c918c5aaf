/*
 * Events. A thread waits for what the engine tells and looks at the network interfaces now and
 * then; what it announces, and what not, is decided by what was announced before. No lock is held
 * while a client function is called.
 */
#include "ima/builtin/builtin.h"

#include "engine/events.h"
#include "os/interfaces.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/system.h"
#include "os/thread.h"

#include <string.h>

enum {
    FUNCTIONS_MOST = 64,
    WAIT = 2000, /* milliseconds, after which the interfaces are looked at */
    PAUSE = 200, /* before the engine is asked again that did not answer */
};

static const IMA_OID shared_node = {IMA_OBJECT_TYPE_NODE, IMA_LIBRARY_OWNER_ID, 0};

static struct {
    struct os_lock lock; /* guards the functions and what follows */
    IMA_OBJECT_VISIBILITY_FN visibility[FUNCTIONS_MOST];
    size_t visibility_count;
    IMA_OBJECT_PROPERTY_FN property[FUNCTIONS_MOST];
    size_t property_count;
    uint32_t process; /* in which the thread runs; 0: there is none */
    unsigned calling; /* functions that are being called */
    bool ended;
} clients;

/* What was announced of an object. */
struct seen {
    uint64_t sequence;
    bool visible;
    bool marked; /* found by the look under way */
    uint32_t digest;
};

/* The thread's own; before it starts, of who starts it. */
static struct {
    uint64_t position; /* in the engine's events */
    struct seen **targets;
    size_t target_room; /* sequence numbers below it */
    struct seen **interfaces;
    size_t interface_room;
} known;

/* --- calling --- */

static void call_visibility(IMA_BOOL visible, IMA_OID oid)
{
    IMA_OBJECT_VISIBILITY_FN functions[FUNCTIONS_MOST];
    os_lock_take(&clients.lock);
    size_t count = clients.ended ? 0 : clients.visibility_count;
    memcpy(functions, clients.visibility, sizeof functions);
    clients.calling++;
    os_lock_release(&clients.lock);
    for (size_t i = 0; i < count; i++)
        functions[i](visible, oid);
    os_lock_take(&clients.lock);
    clients.calling--;
    os_lock_release(&clients.lock);
}

static void call_property(IMA_OID oid)
{
    IMA_OBJECT_PROPERTY_FN functions[FUNCTIONS_MOST];
    os_lock_take(&clients.lock);
    size_t count = clients.ended ? 0 : clients.property_count;
    memcpy(functions, clients.property, sizeof functions);
    clients.calling++;
    os_lock_release(&clients.lock);
    for (size_t i = 0; i < count; i++)
        functions[i](oid);
    os_lock_take(&clients.lock);
    clients.calling--;
    os_lock_release(&clients.lock);
}

/* --- what was seen --- */

/* NULL: out of memory. */
static struct seen *seen_of(struct seen ***table, size_t *room, uint64_t sequence)
{
    if (sequence >= *room) {
        size_t more = *room > 0 ? *room : 64;
        while (sequence >= more)
            more *= 2;
        struct seen **grown = os_grow(*table, more * sizeof(*grown));
        if (grown == NULL)
            return NULL;
        memset(grown + *room, 0, (more - *room) * sizeof(*grown));
        *table = grown;
        *room = more;
    }
    if ((*table)[sequence] == NULL) {
        (*table)[sequence] = os_alloc(sizeof(struct seen));
        if ((*table)[sequence] != NULL)
            (*table)[sequence]->sequence = sequence;
    }
    return (*table)[sequence];
}

static struct seen *seen_target(const char *name, IMA_OID *oid)
{
    const struct object *object =
        builtin_object(IMA_OBJECT_TYPE_TARGET, &(struct identity){.name = name});
    if (object == NULL)
        return NULL;
    *oid = builtin_oid(object);
    return seen_of(&known.targets, &known.target_room, object->sequence);
}

static void set_visible(struct seen *seen, bool visible, IMA_OID oid, bool quietly)
{
    if (seen->visible == visible)
        return;
    seen->visible = visible;
    if (!quietly)
        call_visibility(visible ? IMA_TRUE : IMA_FALSE, oid);
}

static uint32_t digest_text(uint32_t digest, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        digest = (digest ^ (uint8_t)*text) * 16777619u;
    return digest;
}

static uint32_t digest_of(const struct target_summary *target)
{
    return digest_text(2166136261u ^ target->methods, target->alias);
}

/* The target is there as the summary says. */
static void found_target(const struct target_summary *target, bool quietly)
{
    IMA_OID oid;
    struct seen *seen = seen_target(target->name, &oid);
    if (seen == NULL)
        return;
    uint32_t digest = digest_of(target);
    bool changed = seen->visible && seen->digest != digest;
    seen->digest = digest;
    seen->marked = true;
    set_visible(seen, true, oid, quietly);
    if (changed && !quietly)
        call_property(oid);
}

/* --- looking at everything --- */

static void lose_unmarked(struct seen **table, size_t room, IMA_OBJECT_TYPE type)
{
    for (size_t i = 0; i < room; i++) {
        if (table[i] != NULL && !table[i]->marked)
            set_visible(table[i], false, (IMA_OID){type, builtin_lhba.ownerId, i}, false);
    }
}

static void unmark(struct seen **table, size_t room)
{
    for (size_t i = 0; i < room; i++) {
        if (table[i] != NULL)
            table[i]->marked = false;
    }
}

/* `quietly`: nobody has been told of anything yet. */
static IMA_STATUS look_at_targets(bool quietly)
{
    struct os_arena arena = {0};
    const struct request_describe_targets request = {.known = 1};
    struct reply_describe_targets reply;
    IMA_STATUS status = builtin_ask(OPERATION_describe_targets, &request, &reply, &arena);
    if (status == IMA_STATUS_SUCCESS) {
        unmark(known.targets, known.target_room);
        for (uint32_t i = 0; i < reply.targets.count; i++)
            found_target(&reply.targets.items[i], quietly);
        lose_unmarked(known.targets, known.target_room, IMA_OBJECT_TYPE_TARGET);
    }
    os_arena_clear(&arena);
    return status;
}

static void tell_of_port(const struct os_interface *interface, IMA_OBJECT_TYPE type)
{
    const struct object *object = builtin_object(type, &(struct identity){.name = interface->name});
    if (object != NULL)
        call_property(builtin_oid(object));
}

/* The port's status and what it says of addresses; not what changes by itself. */
static uint32_t digest_of_interface(const struct os_interface *interface)
{
    uint32_t digest = digest_text(2166136261u, interface->description);
    digest = (digest ^ interface->linked) * 16777619u;
    digest = (digest ^ interface->mtu) * 16777619u;
    digest = (digest ^ interface->speed) * 16777619u;
    return (digest ^ (uint32_t)interface->address_count) * 16777619u;
}

static void found_interface(const struct os_interface *interface, bool quietly)
{
    const struct object *object =
        builtin_object(IMA_OBJECT_TYPE_PHBA, &(struct identity){.name = interface->name});
    struct seen *seen =
        object != NULL ? seen_of(&known.interfaces, &known.interface_room, object->sequence) : NULL;
    if (seen == NULL)
        return;
    uint32_t digest = digest_of_interface(interface);
    bool changed = seen->visible && seen->digest != digest;
    seen->digest = digest;
    seen->marked = true;
    set_visible(seen, true, builtin_oid(object), quietly);
    if (changed && !quietly) {
        tell_of_port(interface, IMA_OBJECT_TYPE_PNP);
        tell_of_port(interface, IMA_OBJECT_TYPE_LNP);
    }
}

static void look_at_interfaces(bool quietly)
{
    struct os_interface *all;
    size_t count;
    if (builtin_interfaces(&all, &count) != IMA_STATUS_SUCCESS)
        return;
    unmark(known.interfaces, known.interface_room);
    for (size_t i = 0; i < count; i++)
        found_interface(&all[i], quietly);
    lose_unmarked(known.interfaces, known.interface_room, IMA_OBJECT_TYPE_PHBA);
    os_free(all);
}

/* --- one event --- */

/* A session has come or gone: the target may be known by it alone, or have its alias of it. */
static void look_at_target(const char *name)
{
    struct os_arena arena = {0};
    struct target_summary target;
    IMA_OID oid;
    IMA_STATUS status = builtin_describe(name, &arena, &target);
    struct seen *seen = seen_target(name, &oid);
    if (status == IMA_STATUS_SUCCESS)
        found_target(&target, false);
    else if (status == IMA_ERROR_OBJECT_NOT_FOUND && seen != NULL)
        set_visible(seen, false, oid, false);
    os_arena_clear(&arena);
}

/* Nobody finds it any more; one with a session is still there. If it is found again meanwhile, the
 * event that says so comes later. */
static void lose_target(const char *name)
{
    struct os_arena arena = {0};
    struct target_summary target;
    IMA_OID oid;
    IMA_STATUS status = builtin_describe(name, &arena, &target);
    struct seen *seen = seen_target(name, &oid);
    if (status == IMA_STATUS_SUCCESS && target.methods == 0)
        found_target(&target, false);
    else if (seen != NULL)
        set_visible(seen, false, oid, false);
    os_arena_clear(&arena);
}

static void show_target(const char *name)
{
    IMA_OID oid;
    struct seen *seen = seen_target(name, &oid);
    if (seen == NULL)
        return;
    if (seen->visible) /* by its session */
        look_at_target(name);
    else
        set_visible(seen, true, oid, false);
}

static void tell_of_target(const char *name)
{
    IMA_OID oid;
    const struct seen *seen = seen_target(name, &oid);
    if (seen != NULL && seen->visible)
        call_property(oid);
}

static void tell_of_unit(const struct event *event)
{
    const struct identity identity = {.name = event->target, .lun = event->lun};
    const struct object *object = builtin_object(IMA_OBJECT_TYPE_LU, &identity);
    if (object != NULL)
        call_property(builtin_oid(object));
}

static void tell(const struct event *event)
{
    switch (event->kind) {
    case EVENT_TARGET_ADDED:
        show_target(event->target);
        break;
    case EVENT_TARGET_REMOVED:
        lose_target(event->target);
        break;
    case EVENT_TARGET_CHANGED:
        tell_of_target(event->target);
        break;
    case EVENT_SESSION_ADDED:
    case EVENT_SESSION_REMOVED:
        look_at_target(event->target);
        break;
    case EVENT_NODE_CHANGED:
        call_property(shared_node);
        break;
    case EVENT_ADAPTER_CHANGED:
        call_property(builtin_lhba);
        break;
    case EVENT_UNIT_ADDED:
    case EVENT_UNIT_REMOVED:
    case EVENT_UNIT_CHANGED:
        tell_of_unit(event);
        break;
    default:
        break;
    }
}

/* --- the thread --- */

static IMA_STATUS begin_position(void)
{
    struct os_arena arena = {0};
    const struct request_wait_events request = {.after = EVENTS_FROM_NOW};
    struct reply_wait_events reply;
    IMA_STATUS status = builtin_ask(OPERATION_wait_events, &request, &reply, &arena);
    if (status == IMA_STATUS_SUCCESS)
        known.position = reply.last;
    os_arena_clear(&arena);
    return status;
}

/* Events were lost, or the engine is another one: what is there now counts. */
static void catch_up(void)
{
    if (begin_position() == IMA_STATUS_SUCCESS)
        look_at_targets(false);
}

static void wait_once(void)
{
    struct os_arena arena = {0};
    const struct request_wait_events request = {.after = known.position, .timeout = WAIT};
    struct reply_wait_events reply;
    enum status status = door_call(OPERATION_wait_events, &request, &reply, &arena);
    if (status != STATUS_OK) {
        os_sleep(PAUSE);
        catch_up();
    } else if (reply.lost) {
        catch_up();
    } else {
        known.position = reply.last;
        for (uint32_t i = 0; i < reply.events.count; i++)
            tell(&reply.events.items[i]);
    }
    os_arena_clear(&arena);
}

static bool is_over(void)
{
    os_lock_take(&clients.lock);
    bool over = clients.ended;
    os_lock_release(&clients.lock);
    return over;
}

static void run(void *argument)
{
    (void)argument;
    uint64_t looked = os_now();
    while (!is_over()) {
        wait_once();
        if (os_now() - looked < WAIT)
            continue;
        looked = os_now();
        look_at_interfaces(false);
    }
}

/* What there is when the first function is registered is no news. A process made by fork has no
 * thread of its parent's. */
static IMA_STATUS start(void)
{
    uint32_t process = os_process_id();
    os_lock_take(&clients.lock);
    bool mine = clients.process != process;
    clients.process = process;
    os_lock_release(&clients.lock);
    if (!mine)
        return IMA_STATUS_SUCCESS;
    IMA_STATUS status = begin_position();
    if (status == IMA_STATUS_SUCCESS)
        status = look_at_targets(true);
    look_at_interfaces(true);
    if (status == IMA_STATUS_SUCCESS && !os_thread_start_detached(run, NULL))
        status = IMA_ERROR_INSUFFICIENT_MEMORY;
    if (status == IMA_STATUS_SUCCESS)
        return status;
    os_lock_take(&clients.lock);
    clients.process = 0;
    os_lock_release(&clients.lock);
    return status;
}

void builtin_end_events(void)
{
    os_lock_take(&clients.lock);
    clients.ended = true;
    bool calling = clients.calling > 0;
    os_lock_release(&clients.lock);
    for (uint64_t end = os_now() + WAIT; calling && os_now() < end;) {
        os_sleep(1);
        os_lock_take(&clients.lock);
        calling = clients.calling > 0;
        os_lock_release(&clients.lock);
    }
}

/* --- registration --- */

IMA_STATUS builtin_RegisterForObjectVisibilityChanges(IMA_OBJECT_VISIBILITY_FN pClientFn)
{
    IMA_STATUS status = start();
    size_t i = 0;
    if (status != IMA_STATUS_SUCCESS)
        return status;
    os_lock_take(&clients.lock);
    while (i < clients.visibility_count && clients.visibility[i] != pClientFn)
        i++;
    if (i == FUNCTIONS_MOST)
        status = IMA_ERROR_INSUFFICIENT_MEMORY;
    else if (i == clients.visibility_count)
        clients.visibility[clients.visibility_count++] = pClientFn;
    os_lock_release(&clients.lock);
    return status;
}

IMA_STATUS builtin_DeregisterForObjectVisibilityChanges(IMA_OBJECT_VISIBILITY_FN pClientFn)
{
    os_lock_take(&clients.lock);
    for (size_t i = 0; i < clients.visibility_count; i++) {
        if (clients.visibility[i] == pClientFn)
            clients.visibility[i] = clients.visibility[--clients.visibility_count];
    }
    os_lock_release(&clients.lock);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS builtin_RegisterForObjectPropertyChanges(IMA_OBJECT_PROPERTY_FN pClientFn)
{
    IMA_STATUS status = start();
    size_t i = 0;
    if (status != IMA_STATUS_SUCCESS)
        return status;
    os_lock_take(&clients.lock);
    while (i < clients.property_count && clients.property[i] != pClientFn)
        i++;
    if (i == FUNCTIONS_MOST)
        status = IMA_ERROR_INSUFFICIENT_MEMORY;
    else if (i == clients.property_count)
        clients.property[clients.property_count++] = pClientFn;
    os_lock_release(&clients.lock);
    return status;
}

IMA_STATUS builtin_DeregisterForObjectPropertyChanges(IMA_OBJECT_PROPERTY_FN pClientFn)
{
    os_lock_take(&clients.lock);
    for (size_t i = 0; i < clients.property_count; i++) {
        if (clients.property[i] == pClientFn)
            clients.property[i] = clients.property[--clients.property_count];
    }
    os_lock_release(&clients.lock);
    return IMA_STATUS_SUCCESS;
}
