#include "engine/events.h"
#include "engine/connections.h"
#include "os/memory.h"
#include "os/process.h"

#include <stdatomic.h>
#include <string.h>

/* One that is kept, its texts behind it. */
struct entry {
    struct list link;
    struct event event;
    struct unique_id session;
    struct portal portal;
    char texts[];
};

/* A call that waits. */
struct waiter {
    struct list link;
    struct engine_call *call;
    struct os_timer timer;
};

#define ENTRY(node) LIST_OWNER(node, struct entry, link)

unsigned events_revision(void)
{
    return (unsigned)atomic_load(os_common(OS_COMMON_REVISION));
}

/* --- keeping --- */

static void drop_oldest(struct events *events)
{
    struct entry *entry = ENTRY(list_first(&events->entries));
    list_remove(&entry->link);
    events->count--;
    os_free(entry);
}

/* Out of memory: the number is taken all the same, and whoever waits is told that something is
 * missing. */
static void keep(struct events *events, const struct event *event)
{
    const char *target = event->target != NULL ? event->target : "";
    const char *address = event->portal != NULL ? event->portal->address : "";
    size_t target_size = strlen(target) + 1, address_size = strlen(address) + 1;
    struct entry *entry = os_alloc(sizeof *entry + target_size + address_size);
    if (entry == NULL)
        return;
    entry->event = *event;
    memcpy(entry->texts, target, target_size);
    memcpy(entry->texts + target_size, address, address_size);
    if (event->target != NULL)
        entry->event.target = entry->texts;
    if (event->session != NULL) {
        entry->session = *event->session;
        entry->event.session = &entry->session;
    }
    if (event->portal != NULL) {
        entry->portal = (struct portal){NULL, entry->texts + target_size, event->portal->socket};
        entry->event.portal = &entry->portal;
    }
    list_append(&events->entries, &entry->link);
    if (++events->count > EVENTS_KEPT)
        drop_oldest(events);
}

/* Those who wait are told in a round of their own: who publishes is in the middle of something. */
static void publish(struct engine *engine, struct event event)
{
    struct events *events = &engine->events;
    atomic_fetch_add(os_common(OS_COMMON_REVISION), 1);
    if (!events->wanted)
        return;
    event.sequence = ++events->last;
    event.time = os_now();
    keep(events, &event);
    if (list_empty(&events->waiters) || events->posted)
        return;
    events->posted = true;
    os_loop_post(engine->loop, &events->job);
}

void events_session(const struct engine_session *session, enum event_kind kind)
{
    const struct engine_connection *leading = engine_leading(session);
    struct portal portal = {0};
    if (leading != NULL)
        portal = (struct portal){NULL, leading->address, leading->socket};
    publish(session->engine, (struct event){.kind = kind,
                                            .session = &session->id,
                                            .target = session->target,
                                            .portal = &portal});
}

void events_target(struct engine *engine, const char *target, enum event_kind kind)
{
    publish(engine, (struct event){.kind = kind, .target = target});
}

void events_portal(struct engine *engine, const struct portal *portal, enum event_kind kind)
{
    publish(engine, (struct event){.kind = kind, .portal = portal});
}

void events_adapter(struct engine *engine, enum event_kind kind)
{
    publish(engine, (struct event){.kind = kind});
}

void events_unit(struct engine *engine, const char *target, uint64_t lun, enum event_kind kind)
{
    publish(engine, (struct event){.kind = kind, .target = target, .lun = lun});
}

/* --- answering --- */

static bool is_wanted(const struct request_wait_events *request, const struct event *event)
{
    return event->sequence > request->after &&
           (request->kinds == 0 || (request->kinds >> event->kind & 1) != 0);
}

/* Are events behind that number missing? Numbers are given without gaps. */
static bool has_gap(const struct events *events, uint64_t after)
{
    uint64_t expected = after + 1;
    if (after > events->last) /* the number is that of another engine */
        return true;
    LIST_EACH(node, &events->entries)
    {
        uint64_t sequence = ENTRY(node)->event.sequence;
        if (sequence > expected)
            return true;
        expected = sequence == expected ? expected + 1 : expected;
    }
    return expected <= events->last;
}

static enum status collect(const struct events *events, const struct request_wait_events *request,
                           struct os_arena *arena, struct reply_wait_events *reply)
{
    struct event *items = NULL;
    uint32_t count = 0;
    LIST_EACH(node, &events->entries)
    {
        count += is_wanted(request, &ENTRY(node)->event);
    }
    reply->last = events->last;
    reply->lost = has_gap(events, request->after);
    if (count == 0)
        return STATUS_OK;
    items = os_arena_alloc(arena, count * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    LIST_EACH(node, &events->entries)
    {
        if (is_wanted(request, &ENTRY(node)->event))
            items[reply->events.count++] = ENTRY(node)->event;
    }
    reply->events.items = items;
    return STATUS_OK;
}

/* --- waiting --- */

static void waiter_free(struct waiter *waiter)
{
    os_timer_clear(&waiter->timer);
    list_remove(&waiter->link);
    os_free(waiter);
}

/* `anyway`: also when there is nothing to tell. False: it is to wait (on). */
static bool answer(struct engine_call *call, bool anyway)
{
    struct reply_wait_events reply = {0};
    enum status status = collect(&call->engine->events, call->request, &call->arena, &reply);
    if (status == STATUS_OK && reply.events.count == 0 && !reply.lost && !anyway)
        return false;
    engine_finish(call, status, &reply);
    return true;
}

static void on_news(struct os_job *job)
{
    struct events *events = LIST_OWNER(job, struct events, job);
    events->posted = false;
    LIST_EACH_SAFE(node, &events->waiters)
    {
        struct waiter *waiter = LIST_OWNER(node, struct waiter, link);
        if (answer(waiter->call, false))
            waiter_free(waiter);
    }
}

static void on_timer(struct os_timer *timer)
{
    struct waiter *waiter = LIST_OWNER(timer, struct waiter, timer);
    answer(waiter->call, true);
    waiter_free(waiter);
}

static void cancel(struct engine_call *call)
{
    waiter_free(call->state);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static void wait(struct engine_call *call, uint32_t timeout)
{
    struct waiter *waiter = os_alloc(sizeof *waiter);
    if (waiter == NULL) {
        engine_finish(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    waiter->call = call;
    waiter->timer.fire = on_timer;
    list_append(&call->engine->events.waiters, &waiter->link);
    engine_pend(call, cancel, waiter);
    if (!os_timer_set(call->engine->loop, &waiter->timer, os_now() + timeout)) {
        waiter_free(waiter);
        engine_finish(call, STATUS_NO_MEMORY, NULL);
    }
}

void engine_wait_events(struct engine_call *call)
{
    const struct request_wait_events *request = call->request;
    struct events *events = &call->engine->events;
    events->wanted = true;
    if (request->after == EVENTS_FROM_NOW) {
        const struct reply_wait_events begin = {.last = events->last};
        engine_finish(call, STATUS_OK, &begin);
        return;
    }
    if (!answer(call, request->timeout == 0))
        wait(call, request->timeout);
}

/* --- the whole --- */

void events_init(struct events *events)
{
    list_init(&events->entries);
    list_init(&events->waiters);
    events->job.run = on_news;
}

void events_clear(struct events *events)
{
    while (!list_empty(&events->entries))
        drop_oldest(events);
}
