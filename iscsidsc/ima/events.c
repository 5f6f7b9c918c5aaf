/*
 * Registrations of client functions, and the way from plugins to them.
 *
 * With each plugin the library registers a function of its own, at the first registration of a
 * client and for good: a plugin that holds a lock while it reports an event can so not be entered
 * again by a client function that deregisters.
 */
#include "ima/checks.h"
#include "ima/library.h"

#include "os/memory.h"

enum kind { VISIBILITY, PROPERTY, KINDS };
enum { DEREGISTER_WAITS_MS = 10000 };

typedef void (*client_function)(void);

struct registration {
    struct registration *next;
    enum kind kind;
    client_function function;
    uint64_t serial; /* ascending along the list */
};

/* A client function that is being called; on the stack of the thread that calls it. */
struct running {
    struct running *next;
    enum kind kind;
    client_function function;
    uintptr_t thread;
};

struct ima_events {
    struct os_mutex *mutex; /* guards the rest, and is not held in calls to clients and plugins */
    struct os_condition *returned;
    struct registration *registrations;
    struct running *running;
    uint64_t last_serial;
    bool listening[KINDS]; /* our functions are registered with the plugins */
};

struct ima_events *ima_events_new(void)
{
    struct ima_events *events = os_alloc(sizeof *events);
    if (events == NULL)
        return NULL;
    events->mutex = os_mutex_new();
    events->returned = os_condition_new();
    if (events->mutex != NULL && events->returned != NULL)
        return events;
    ima_events_free(events);
    return NULL;
}

void ima_events_free(struct ima_events *events)
{
    os_mutex_free(events->mutex);
    os_condition_free(events->returned);
    os_free(events);
}

/* --- delivery --- */

struct event {
    enum kind kind;
    IMA_BOOL becoming_visible;
    IMA_OID oid;
};

static void call_client(client_function function, const struct event *event)
{
    if (event->kind == VISIBILITY)
        ((IMA_OBJECT_VISIBILITY_FN)function)(event->becoming_visible, event->oid);
    else
        ((IMA_OBJECT_PROPERTY_FN)function)(event->oid);
}

/* Functions come and go while others are called: the next one is that with the next serial number.
 */
static const struct registration *next_of(const struct ima_events *events, enum kind kind,
                                          uint64_t after, uint64_t last)
{
    const struct registration *each = events->registrations;
    while (each != NULL && (each->kind != kind || each->serial <= after))
        each = each->next;
    return each != NULL && each->serial <= last ? each : NULL;
}

static void forget_running(struct ima_events *events, const struct running *gone)
{
    struct running **link = &events->running;
    while (*link != gone)
        link = &(*link)->next;
    *link = gone->next;
    os_condition_broadcast(events->returned);
}

static void call_one(struct ima_events *events, client_function function, const struct event *event)
{
    struct running running = {events->running, event->kind, function, os_thread_id()};
    events->running = &running;
    os_mutex_unlock(events->mutex);
    call_client(function, event);
    os_mutex_lock(events->mutex);
    forget_running(events, &running);
}

static void deliver(const struct event *event)
{
    struct ima_library *library = ima_library();
    if (library == NULL)
        return;
    struct ima_events *events = library->events;
    os_mutex_lock(events->mutex);
    uint64_t last = events->last_serial, serial = 0;
    const struct registration *each;
    while ((each = next_of(events, event->kind, serial, last)) != NULL) {
        serial = each->serial;
        call_one(events, each->function, event);
    }
    os_mutex_unlock(events->mutex);
}

/* From an owner that there is; of the library's own objects only the built-in plugin can tell. */
static bool is_plausible(IMA_OID oid)
{
    if (oid.ownerId == IMA_LIBRARY_OWNER_ID)
        return oid.objectType == IMA_OBJECT_TYPE_NODE && oid.objectSequenceNumber == 0;
    return ima_is_object_type(oid.objectType) && ima_plugin_of(oid.ownerId) != NULL;
}

static void on_visibility(IMA_BOOL becomingVisible, IMA_OID oid)
{
    if (ima_is_bool(becomingVisible) && is_plausible(oid))
        deliver(&(struct event){VISIBILITY, becomingVisible, oid});
}

static void on_property(IMA_OID oid)
{
    if (is_plausible(oid))
        deliver(&(struct event){PROPERTY, IMA_FALSE, oid});
}

/* --- registration --- */

static IMA_STATUS listen_to(const struct ima_plugin *plugin, enum kind kind)
{
    const struct ima_plugin_functions *functions = &plugin->functions;
    if (kind == VISIBILITY && functions->RegisterForObjectVisibilityChanges != NULL)
        return functions->RegisterForObjectVisibilityChanges(on_visibility);
    if (kind == PROPERTY && functions->RegisterForObjectPropertyChanges != NULL)
        return functions->RegisterForObjectPropertyChanges(on_property);
    return IMA_ERROR_NOT_SUPPORTED;
}

/* A plugin that reports no events, or cannot, does not keep the others from it. */
static IMA_STATUS listen_to_all(const struct ima_library *library, enum kind kind)
{
    if (!ima_enter())
        return IMA_ERROR_UNEXPECTED_OS_ERROR;
    IMA_STATUS status = listen_to(&library->plugins[0], kind);
    for (size_t i = 1; i < library->plugin_count && IMA_SUCCESS(status); i++)
        listen_to(&library->plugins[i], kind);
    ima_leave();
    return status;
}

static struct registration **find(struct ima_events *events, enum kind kind,
                                  client_function function)
{
    struct registration **link = &events->registrations;
    while (*link != NULL && ((*link)->kind != kind || (*link)->function != function))
        link = &(*link)->next;
    return link;
}

/* Several threads may come here at once: registering twice with a plugin does no harm. */
static IMA_STATUS listen(const struct ima_library *library, enum kind kind)
{
    struct ima_events *events = library->events;
    os_mutex_lock(events->mutex);
    bool listening = events->listening[kind];
    os_mutex_unlock(events->mutex);
    if (listening)
        return IMA_STATUS_SUCCESS;
    IMA_STATUS status = listen_to_all(library, kind);
    os_mutex_lock(events->mutex);
    events->listening[kind] = events->listening[kind] || IMA_SUCCESS(status);
    os_mutex_unlock(events->mutex);
    return IMA_SUCCESS(status) ? IMA_STATUS_SUCCESS : status;
}

/* Before plugins are listened to, so that what they report at once is not lost. */
static IMA_STATUS add(struct ima_events *events, enum kind kind, client_function function)
{
    os_mutex_lock(events->mutex);
    struct registration **link = find(events, kind, function);
    IMA_STATUS status = IMA_STATUS_SUCCESS;
    if (*link == NULL) {
        *link = os_alloc(sizeof **link);
        if (*link != NULL)
            **link = (struct registration){NULL, kind, function, ++events->last_serial};
        else
            status = IMA_ERROR_INSUFFICIENT_MEMORY;
    }
    os_mutex_unlock(events->mutex);
    return status;
}

static bool is_in_client(const struct ima_events *events, uintptr_t thread)
{
    const struct running *each = events->running;
    while (each != NULL && each->thread != thread)
        each = each->next;
    return each != NULL;
}

static bool is_running(const struct ima_events *events, enum kind kind, client_function function)
{
    const struct running *each = events->running;
    while (each != NULL && (each->kind != kind || each->function != function))
        each = each->next;
    return each != NULL;
}

/* Two client functions that deregister each other would wait forever: those do not wait. */
static bool wait_for_return(struct ima_events *events, enum kind kind, client_function function)
{
    uint64_t due = os_now() + DEREGISTER_WAITS_MS;
    if (is_in_client(events, os_thread_id()))
        return true;
    while (is_running(events, kind, function)) {
        if (!os_condition_wait_until(events->returned, events->mutex, due))
            return !is_running(events, kind, function);
    }
    return true;
}

static bool remove_registration(struct ima_events *events, enum kind kind, client_function function)
{
    os_mutex_lock(events->mutex);
    struct registration **link = find(events, kind, function), *gone = *link;
    if (gone != NULL)
        *link = gone->next;
    bool returned = wait_for_return(events, kind, function);
    os_mutex_unlock(events->mutex);
    os_free(gone);
    return returned;
}

static IMA_STATUS register_client(enum kind kind, client_function function)
{
    if (function == NULL)
        return IMA_ERROR_INVALID_PARAMETER;
    struct ima_library *library = ima_library();
    IMA_STATUS status = IMA_ERROR_INSUFFICIENT_MEMORY;
    if (library != NULL)
        status = add(library->events, kind, function);
    if (status == IMA_STATUS_SUCCESS) {
        status = listen(library, kind);
        if (status != IMA_STATUS_SUCCESS)
            remove_registration(library->events, kind, function);
    }
    return status;
}

static IMA_STATUS deregister_client(enum kind kind, client_function function)
{
    if (function == NULL)
        return IMA_ERROR_INVALID_PARAMETER;
    struct ima_library *library = ima_library();
    if (library == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    return remove_registration(library->events, kind, function) ? IMA_STATUS_SUCCESS
                                                                : IMA_ERROR_SYNC_TIMEOUT;
}

IMA_STATUS IMA_RegisterForObjectVisibilityChanges(IMA_OBJECT_VISIBILITY_FN pClientFn)
{
    return register_client(VISIBILITY, (client_function)pClientFn);
}

IMA_STATUS IMA_DeregisterForObjectVisibilityChanges(IMA_OBJECT_VISIBILITY_FN pClientFn)
{
    return deregister_client(VISIBILITY, (client_function)pClientFn);
}

IMA_STATUS IMA_RegisterForObjectPropertyChanges(IMA_OBJECT_PROPERTY_FN pClientFn)
{
    return register_client(PROPERTY, (client_function)pClientFn);
}

IMA_STATUS IMA_DeregisterForObjectPropertyChanges(IMA_OBJECT_PROPERTY_FN pClientFn)
{
    return deregister_client(PROPERTY, (client_function)pClientFn);
}
