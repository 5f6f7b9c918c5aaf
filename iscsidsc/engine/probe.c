#include "engine/probe.h"
#include "discovery/sendtargets.h"
#include "engine/adapter.h"
#include "engine/options.h"
#include "engine/sessions.h"
#include "os/crypto.h"
#include "os/memory.h"

#include <string.h>

/* A target that does not answer our logout must not hold up the caller: it has its list already. */
enum { LOGOUT_MOST = 2000 };

static struct mechanism_key key_of(const struct discovery_portal *entry)
{
    return (struct mechanism_key){
        .kind = MECHANISM_SENDTARGETS,
        .initiator = entry->initiator,
        .initiator_port = entry->initiator_port,
        .address = entry->portal->address,
        .socket = entry->portal->socket,
    };
}

struct probe {
    struct list link;
    struct engine *engine;
    struct mechanism *mechanism;
    struct discovery *discovery;
    struct list waiters;
};

static void probe_free(struct probe *probe)
{
    LIST_EACH_SAFE(node, &probe->waiters)
    {
        list_remove(node);
    }
    if (probe->mechanism != NULL)
        probe->mechanism->probes--;
    list_remove(&probe->link);
    discovery_free(probe->discovery);
    os_free(probe);
}

static void tell_waiters(struct list *waiters, enum status status)
{
    struct list *first;
    while ((first = list_first(waiters)) != NULL) {
        struct probe_waiter *waiter = LIST_OWNER(first, struct probe_waiter, link);
        list_remove(first);
        waiter->done(waiter, status);
    }
}

static void move_list(struct list *from, struct list *to)
{
    struct list *first;
    list_init(to);
    while ((first = list_first(from)) != NULL) {
        list_remove(first);
        list_append(to, first);
    }
}

static void on_answer(void *context, enum status status, const struct discovery_records *records)
{
    struct probe *probe = context;
    struct list waiters;
    if (status == STATUS_OK)
        probe->mechanism->answered = true;
    if (status == STATUS_OK)
        status = catalogue_replace(&probe->engine->catalogue, probe->mechanism, records);
    move_list(&probe->waiters, &waiters);
    probe_free(probe);
    tell_waiters(&waiters, status);
}

static enum status start_discovery(struct probe *probe, const struct discovery_portal *entry,
                                   const struct option_settings *options)
{
    struct portal_address portal = {.port = entry->portal->socket};
    struct os_address source;
    bool has_source;
    enum status status =
        adapter_source(entry->initiator, entry->initiator_port, &source, &has_source);
    if (status != STATUS_OK)
        return status;
    struct contact_settings settings = {
        .session = &options->session,
        .portal = &portal,
        .source = has_source ? &source : NULL,
        .connect_timeout = probe->engine->parameters.tcp_connect_time * 1000,
    };
    memcpy(portal.host, entry->portal->address, strlen(entry->portal->address) + 1);
    probe->discovery = discovery_start(&probe->engine->links, &settings, on_answer, probe);
    return probe->discovery != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Any will do, but two discoveries of one portal at a time must not take each other's place. */
static void choose_isid(uint8_t isid[PDU_ISID_LENGTH])
{
    uint16_t qualifier = 0;
    os_random(&qualifier, sizeof qualifier);
    engine_session_isid(qualifier, isid);
}

static enum status start(struct probe *probe, const struct discovery_portal *entry)
{
    const struct mechanism_key key = key_of(entry);
    struct option_settings options;
    probe->mechanism = catalogue_make_mechanism(&probe->engine->catalogue, &key);
    if (probe->mechanism == NULL)
        return STATUS_NO_MEMORY;
    probe->mechanism->asked = true;
    probe->mechanism->answered = false;
    probe->mechanism->probes++;
    enum status status = options_settings(probe->engine, entry->options, true, &options);
    if (status != STATUS_OK)
        return status;
    choose_isid(options.session.isid);
    if (options.session.timeouts.logout > LOGOUT_MOST)
        options.session.timeouts.logout = LOGOUT_MOST;
    status = start_discovery(probe, entry, &options);
    options_wipe(&options);
    return status;
}

enum status probe_start(struct engine *engine, const struct discovery_portal *entry,
                        struct probe_waiter *waiter)
{
    struct probe *probe = os_alloc(sizeof *probe);
    if (probe == NULL)
        return STATUS_NO_MEMORY;
    probe->engine = engine;
    list_init(&probe->waiters);
    list_append(&engine->probes, &probe->link);
    enum status status = start(probe, entry);
    if (status == STATUS_OK)
        list_append(&probe->waiters, &waiter->link);
    else
        probe_free(probe);
    return status;
}

static bool probe_join(struct engine *engine, const struct mechanism *mechanism,
                       struct probe_waiter *waiter)
{
    LIST_EACH(node, &engine->probes)
    {
        struct probe *probe = LIST_OWNER(node, struct probe, link);
        if (probe->mechanism == mechanism) {
            list_append(&probe->waiters, &waiter->link);
            return true;
        }
    }
    return false;
}

void probes_drop(struct engine *engine)
{
    struct list *first;
    while ((first = list_first(&engine->probes)) != NULL)
        probe_free(LIST_OWNER(first, struct probe, link));
}

/* --- explorations --- */

struct part {
    struct probe_waiter waiter;
    struct exploration *exploration;
};

struct exploration {
    struct engine *engine;
    enum exploration_mode mode;
    explored *done;
    void *context;
    size_t running;
    size_t answered;
    enum status failure; /* the first */
    size_t count;
    struct part parts[];
};

void exploration_cancel(struct exploration *exploration)
{
    if (exploration == NULL)
        return;
    for (size_t i = 0; i < exploration->count; i++)
        list_remove(&exploration->parts[i].waiter.link);
    os_free(exploration);
}

static bool is_listed(const struct mechanism *mechanism, const struct catalogue *catalogue,
                      const struct discovery_portal_list *portals)
{
    for (uint32_t i = 0; i < portals->count; i++) {
        const struct mechanism_key key = key_of(&portals->items[i]);
        if (catalogue_mechanism(catalogue, &key) == mechanism)
            return true;
    }
    return false;
}

/* Portals that are on the list no longer, or never were, are not asked again: what they said goes.
 */
static void drop_unlisted(struct engine *engine)
{
    struct store *store;
    struct os_arena arena = {0};
    struct discovery_portal_list portals;
    if (engine_store(engine, &store) == STATUS_OK &&
        store_portals(store, &arena, false, &portals) == STATUS_OK) {
        LIST_EACH_SAFE(node, &engine->catalogue.mechanisms)
        {
            struct mechanism *mechanism = LIST_OWNER(node, struct mechanism, link);
            if (mechanism->key.kind == MECHANISM_SENDTARGETS && mechanism->probes == 0 &&
                !is_listed(mechanism, &engine->catalogue, &portals))
                catalogue_drop_mechanism(&engine->catalogue, mechanism);
        }
    }
    os_arena_clear(&arena);
}

static enum status result_of(const struct exploration *exploration)
{
    if (exploration->mode == EXPLORE_NEW)
        return STATUS_OK;
    if (exploration->mode == EXPLORE_UNANSWERED)
        return exploration->failure;
    if (exploration->answered == 0 && exploration->failure != STATUS_OK)
        return exploration->failure;
    drop_unlisted(exploration->engine);
    return STATUS_OK;
}

static void count_answer(struct exploration *exploration, enum status status)
{
    if (status == STATUS_OK)
        exploration->answered++;
    else if (exploration->failure == STATUS_OK)
        exploration->failure = status;
}

static void on_part(struct probe_waiter *waiter, enum status status)
{
    struct exploration *exploration = LIST_OWNER(waiter, struct part, waiter)->exploration;
    count_answer(exploration, status);
    if (--exploration->running > 0)
        return;
    explored *done = exploration->done;
    void *context = exploration->context;
    status = result_of(exploration);
    exploration_cancel(exploration);
    done(context, status);
}

static bool is_asked_already(const struct mechanism *mechanism, enum exploration_mode mode)
{
    switch (mode) {
    case EXPLORE_NEW:
        return mechanism->asked;
    case EXPLORE_UNANSWERED:
        return mechanism->answered || mechanism->probes > 0;
    default:
        return false;
    }
}

static void ask(struct exploration *exploration, struct part *part,
                const struct discovery_portal *entry)
{
    struct engine *engine = exploration->engine;
    const struct mechanism_key key = key_of(entry);
    const struct mechanism *mechanism = catalogue_mechanism(&engine->catalogue, &key);
    if (mechanism != NULL && is_asked_already(mechanism, exploration->mode)) {
        if (probe_join(engine, mechanism, &part->waiter))
            exploration->running++;
        return;
    }
    enum status status = probe_start(engine, entry, &part->waiter);
    if (status == STATUS_OK)
        exploration->running++;
    else
        count_answer(exploration, status);
}

static struct exploration *exploration_new(struct engine *engine, enum exploration_mode mode,
                                           explored *done, void *context, size_t count)
{
    struct exploration *exploration =
        os_alloc(sizeof *exploration + count * sizeof *exploration->parts);
    if (exploration == NULL)
        return NULL;
    exploration->engine = engine;
    exploration->mode = mode;
    exploration->done = done;
    exploration->context = context;
    exploration->count = count;
    for (size_t i = 0; i < count; i++) {
        exploration->parts[i].exploration = exploration;
        exploration->parts[i].waiter.done = on_part;
        list_init(&exploration->parts[i].waiter.link);
    }
    return exploration;
}

static enum status ask_all(struct engine *engine, const struct discovery_portal_list *portals,
                           enum exploration_mode mode, explored *done, void *context,
                           struct exploration **out)
{
    struct exploration *exploration = exploration_new(engine, mode, done, context, portals->count);
    if (exploration == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < portals->count; i++)
        ask(exploration, &exploration->parts[i], &portals->items[i]);
    if (exploration->running > 0) {
        *out = exploration;
        return STATUS_OK;
    }
    enum status status = result_of(exploration);
    exploration_cancel(exploration);
    return status;
}

enum status exploration_start(struct engine *engine, enum exploration_mode mode, explored *done,
                              void *context, struct exploration **out)
{
    struct store *store;
    struct os_arena arena = {0};
    struct discovery_portal_list portals;
    *out = NULL;
    enum status status = engine_store(engine, &store);
    if (status != STATUS_OK || (mode == EXPLORE_NEW && store_unchanged(store, &engine->explored)))
        return status;
    status = store_portals(store, &arena, true, &portals);
    if (status == STATUS_OK)
        status = ask_all(engine, &portals, mode, done, context, out);
    if (mode != EXPLORE_NEW || status != STATUS_OK || *out != NULL)
        engine->explored = 0; /* look again next time */
    os_arena_clear(&arena);
    return status;
}
