#include "engine/exploration.h"
#include "engine/adapter_settings.h"
#include "engine/isns.h"
#include "engine/mechanism.h"
#include "engine/probe.h"
#include "engine/static_targets.h"
#include "engine/watched_portals.h"
#include "os/memory.h"

/* One that does not answer at all must not hold up who asks what is known: see EXPLORE_SOON. */
enum { SOON = 5000 };

struct listed {
    struct discovery_portal_list portals;
    struct text_list servers; /* of iSNS */
};

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
    struct os_timer timer;
    size_t count;
    struct part parts[];
};

void exploration_cancel(struct exploration *exploration)
{
    if (exploration == NULL)
        return;
    for (size_t i = 0; i < exploration->count; i++)
        list_remove(&exploration->parts[i].waiter.link);
    os_timer_clear(&exploration->timer);
    os_free(exploration);
}

static bool is_listed(const struct mechanism *mechanism, const struct catalogue *catalogue,
                      const struct discovery_portal_list *portals)
{
    for (uint32_t i = 0; i < portals->count; i++) {
        const struct mechanism_key key = mechanism_of_portal(&portals->items[i]);
        if (catalogue_mechanism(catalogue, &key) == mechanism)
            return true;
    }
    return false;
}

/* Who is on no list any more, or never was, is not asked again: what they said goes. */
static void drop_unlisted(struct engine *engine)
{
    struct store *store;
    struct os_arena arena = {0};
    struct discovery_portal_list portals;
    struct text_list servers;
    if (engine_store(engine, &store) != STATUS_OK)
        return;
    if (discovery_isns_servers(engine, &arena, &servers) == STATUS_OK)
        isns_servers_keep(engine, &servers, true);
    if (watched_portals_list(engine, store, &arena, false, &portals) == STATUS_OK) {
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

/* Is it about what is new, whatever comes of it? */
static bool is_lenient(enum exploration_mode mode)
{
    return mode == EXPLORE_NEW || mode == EXPLORE_SOON;
}

static enum status result_of(const struct exploration *exploration)
{
    if (is_lenient(exploration->mode))
        return STATUS_OK;
    if (exploration->mode == EXPLORE_UNANSWERED)
        return exploration->failure;
    if (exploration->answered == 0 && exploration->failure != STATUS_OK)
        return exploration->failure;
    if (exploration->mode == EXPLORE_ALL)
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

static void end(struct exploration *exploration)
{
    explored *done = exploration->done;
    void *context = exploration->context;
    enum status status = result_of(exploration);
    exploration_cancel(exploration);
    done(context, status);
}

static void on_part(struct probe_waiter *waiter, enum status status)
{
    struct exploration *exploration = LIST_OWNER(waiter, struct part, waiter)->exploration;
    count_answer(exploration, status);
    if (--exploration->running == 0)
        end(exploration);
}

/* The discoveries go on, for the catalogue's sake. */
static void on_soon(struct os_timer *timer)
{
    end(LIST_OWNER(timer, struct exploration, timer));
}

static bool is_asked_already(const struct mechanism *mechanism, enum exploration_mode mode)
{
    switch (mode) {
    case EXPLORE_NEW:
    case EXPLORE_SOON:
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
    const struct mechanism_key key = mechanism_of_portal(entry);
    const struct mechanism *mechanism = catalogue_mechanism(&engine->catalogue, &key);
    if (mechanism != NULL && is_asked_already(mechanism, exploration->mode)) {
        uint64_t most = exploration->mode == EXPLORE_SOON ? SOON : UINT64_MAX;
        if (probe_join(engine, mechanism, most, &part->waiter))
            exploration->running++;
        return;
    }
    enum status status = probe_start(engine, entry, &part->waiter);
    if (status == STATUS_OK)
        exploration->running++;
    else
        count_answer(exploration, status);
}

static void ask_server(struct exploration *exploration, struct part *part, const char *address)
{
    uint64_t most = exploration->mode == EXPLORE_SOON ? SOON : UINT64_MAX;
    bool waiting;
    enum status status = isns_servers_ask(exploration->engine, address, exploration->mode, most,
                                          &part->waiter, &waiting);
    if (waiting)
        exploration->running++;
    else if (status != STATUS_OK)
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
    exploration->timer.fire = on_soon;
    for (size_t i = 0; i < count; i++) {
        exploration->parts[i].exploration = exploration;
        exploration->parts[i].waiter.done = on_part;
        list_init(&exploration->parts[i].waiter.link);
    }
    return exploration;
}

static enum status ask_all(struct engine *engine, const struct listed *listed,
                           enum exploration_mode mode, explored *done, void *context,
                           struct exploration **out)
{
    size_t count = (size_t)listed->portals.count + listed->servers.count;
    struct exploration *exploration = exploration_new(engine, mode, done, context, count);
    if (exploration == NULL)
        return STATUS_NO_MEMORY;
    struct part *part = exploration->parts;
    for (uint32_t i = 0; i < listed->portals.count; i++)
        ask(exploration, part++, &listed->portals.items[i]);
    for (uint32_t i = 0; i < listed->servers.count; i++)
        ask_server(exploration, part++, listed->servers.items[i]);
    enum status status = STATUS_OK;
    if (exploration->running > 0 && mode == EXPLORE_SOON &&
        !os_timer_set(engine->loop, &exploration->timer, os_now() + SOON))
        status = STATUS_NO_MEMORY;
    if (exploration->running > 0 && status == STATUS_OK) {
        *out = exploration;
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = result_of(exploration);
    exploration_cancel(exploration);
    return status;
}

static enum status read_lists(struct engine *engine, struct store *store,
                              enum exploration_mode mode, struct os_arena *arena,
                              struct listed *listed)
{
    enum status status = discovery_isns_servers(engine, arena, &listed->servers);
    if (status == STATUS_OK && mode != EXPLORE_ISNS &&
        discovery_enabled(engine, DISCOVERY_SENDTARGETS))
        status = watched_portals_list(engine, store, arena, true, &listed->portals);
    return status;
}

enum status exploration_start(struct engine *engine, enum exploration_mode mode, explored *done,
                              void *context, struct exploration **out)
{
    struct store *store;
    struct os_arena arena = {0};
    struct listed listed = {0};
    *out = NULL;
    enum status status = static_targets_sync(engine);
    if (status == STATUS_OK)
        status = engine_store(engine, &store);
    if (status != STATUS_OK || (is_lenient(mode) && store_unchanged(store, &engine->explored)))
        return status;
    status = read_lists(engine, store, mode, &arena, &listed);
    if (status == STATUS_OK)
        isns_servers_keep(engine, &listed.servers, false);
    if (status == STATUS_OK)
        status = ask_all(engine, &listed, mode, done, context, out);
    if (!is_lenient(mode) || status != STATUS_OK || *out != NULL)
        engine->explored = 0; /* look again next time */
    os_arena_clear(&arena);
    return status;
}
