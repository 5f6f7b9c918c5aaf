#include "engine/watched_portals.h"
#include "engine/adapter_settings.h"
#include "engine/automatic_logins.h"
#include "engine/configuration.h"
#include "engine/log.h"
#include "engine/mechanism.h"
#include "engine/probe.h"
#include "engine/recovery.h"
#include "os/memory.h"

#include <string.h>

enum {
    LASTING = 5000,       /* milliseconds: a session that stays so long is of use */
    CHANGES_EVERY = 1000, /* a target may tell of changes as often as it likes */
    LEAST_PAUSE = 1000,   /* what the pauses between tries grow to at least */
    BRIEF_MOST = 3,       /* sessions that ended at once: the target does not want them to stay */
};

struct watched_portal {
    struct list link;
    struct engine *engine;
    struct portal portal; /* its address is behind the structure */
    struct discovery_portal entry;
    struct probe_follower follower;
    struct login_queue queue;
    struct os_timer timer; /* the next time it is asked */
    uint64_t asked;
    bool changed;    /* since then; the change is still to be looked at */
    uint64_t since;  /* when the session that stays has told something first; 0: not yet */
    unsigned tries;  /* in vain, one after the other */
    unsigned briefs; /* sessions that ended at once, the same */
    bool down;       /* and the log has been told */
};

#define WATCHED(node) LIST_OWNER(node, struct watched_portal, link)

static struct mechanism *mechanism_of(const struct watched_portal *watched)
{
    const struct mechanism_key key = mechanism_of_portal(&watched->entry);
    return catalogue_mechanism(&watched->engine->catalogue, &key);
}

/* --- when --- */

static void look_after(struct watched_portal *watched, uint64_t pause)
{
    os_timer_set(watched->engine->loop, &watched->timer, os_now() + pause);
}

static void try_later(struct watched_portal *watched)
{
    uint32_t most = watched->engine->parameters.delay_between_reconnect * 1000;
    look_after(watched, recovery_pause(++watched->tries, most > LEAST_PAUSE ? most : LEAST_PAUSE));
}

static void look_from_time_to_time(struct watched_portal *watched)
{
    uint32_t interval = watched->engine->parameters.discovery_interval;
    if (interval > 0)
        look_after(watched, interval * UINT64_C(1000));
}

/* --- asking --- */

static void take_parameters(struct watched_portal *watched)
{
    struct scoped_parameters parameters;
    const struct configuration_subject subject = {.discovery_address = watched->portal.address,
                                                  .discovery_port = watched->portal.socket};
    configuration_resolve(watched->engine->configuration, &subject, &parameters);
    watched->follower.stays = parameters.continuous != 0 && watched->briefs < BRIEF_MOST;
    scoped_parameters_wipe(&parameters);
}

/* An answer that was on its way when something changed may not tell of it. */
static void ask_again(struct watched_portal *watched)
{
    watched->changed = !probe_ask(&watched->follower);
    if (!watched->changed)
        watched->asked = os_now();
}

static void look(struct watched_portal *watched)
{
    struct engine *engine = watched->engine;
    if (!discovery_enabled(engine, DISCOVERY_SENDTARGETS)) {
        look_from_time_to_time(watched);
        return;
    }
    os_timer_clear(&watched->timer);
    if (watched->follower.probe != NULL) {
        ask_again(watched);
        return;
    }
    watched->asked = os_now();
    watched->changed = false;
    watched->since = 0;
    take_parameters(watched);
    if (probe_follow(engine, &watched->entry, &watched->follower) != STATUS_OK)
        try_later(watched);
}

static void on_timer(struct os_timer *timer)
{
    look(LIST_OWNER(timer, struct watched_portal, timer));
}

/* --- what comes of it --- */

/* Once, however often it is tried. */
static void tell(struct watched_portal *watched, enum status status)
{
    struct portal_address where = {.port = watched->portal.socket};
    char portal[PORTAL_HOST_MAX + 16];
    bool down = status != STATUS_OK;
    if (watched->down == down)
        return;
    watched->down = down;
    memcpy(where.host, watched->portal.address, strlen(watched->portal.address) + 1);
    if (!portal_format(&where, portal, sizeof portal))
        return;
    if (down)
        engine_log(OS_LOG_WARNING, "discovery-failed", "address", portal, "status",
                   status_name(status), NULL);
    else
        engine_log(OS_LOG_INFO, "discovery-works", "address", portal, NULL);
}

/* A target that ends the session after each answer is asked from time to time instead. */
static void lost(struct watched_portal *watched, enum status status)
{
    if (watched->since == 0)
        tell(watched, status);
    bool lasted = watched->since != 0 && os_now() - watched->since >= LASTING;
    bool brief = watched->since != 0 && !lasted;
    watched->briefs = brief ? watched->briefs + 1 : 0;
    if (lasted)
        watched->tries = 0;
    try_later(watched);
}

static void look_at_change(struct watched_portal *watched)
{
    watched->changed =
        os_timer_set(watched->engine->loop, &watched->timer, watched->asked + CHANGES_EVERY);
}

static void on_told(struct probe_follower *follower, enum status status)
{
    struct watched_portal *watched = LIST_OWNER(follower, struct watched_portal, follower);
    if (status != STATUS_OK) {
        lost(watched, status);
        return;
    }
    tell(watched, STATUS_OK);
    if (watched->since == 0)
        watched->since = os_now();
    if (!follower->stays)
        watched->tries = 0;
    if (watched->changed)
        look_at_change(watched);
    else
        look_from_time_to_time(watched);
}

static void on_changed(struct probe_follower *follower)
{
    look_at_change(LIST_OWNER(follower, struct watched_portal, follower));
}

void watched_portals_answered(struct engine *engine, const struct mechanism *mechanism)
{
    LIST_EACH(node, &engine->watched.portals)
    {
        if (mechanism_of(WATCHED(node)) == mechanism)
            automatic_logins_look(&WATCHED(node)->queue, mechanism);
    }
}

/* --- the list --- */

static void add(struct engine *engine, const struct configuration_discovery *address)
{
    size_t size = strlen(address->host) + 1;
    struct watched_portal *watched = os_alloc(sizeof *watched + size);
    if (watched == NULL)
        return;
    watched->engine = engine;
    watched->portal = (struct portal){.address = memcpy(watched + 1, address->host, size),
                                      .socket = address->port};
    watched->entry = (struct discovery_portal){
        .initiator = "", .initiator_port = ANY_INITIATOR_PORT, .portal = &watched->portal};
    watched->follower.told = on_told;
    watched->follower.changed = on_changed;
    watched->timer.fire = on_timer;
    login_queue_init(&watched->queue, engine, watched->portal.address, watched->portal.socket);
    list_append(&engine->watched.portals, &watched->link);
    look(watched);
}

static void watched_free(struct watched_portal *watched)
{
    automatic_logins_drop(&watched->queue);
    probe_leave(&watched->follower);
    os_timer_clear(&watched->timer);
    list_remove(&watched->link);
    os_free(watched);
}

static struct watched_portal *find(const struct engine *engine, const char *host, uint16_t port)
{
    LIST_EACH(node, &engine->watched.portals)
    {
        const struct portal *portal = &WATCHED(node)->portal;
        if (portal->socket == port && name_equal(portal->address, host))
            return WATCHED(node);
    }
    return NULL;
}

static void add_new(struct engine *engine, const struct configuration_discovery *addresses,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (find(engine, addresses[i].host, addresses[i].port) == NULL)
            add(engine, &addresses[i]);
    }
}

static bool is_named(const struct configuration_discovery *addresses, size_t count,
                     const struct portal *portal)
{
    for (size_t i = 0; i < count; i++) {
        if (addresses[i].port == portal->socket && name_equal(addresses[i].host, portal->address))
            return true;
    }
    return false;
}

/* What an address that stays has found is looked at as if it came now. */
static void renew(struct watched_portal *watched)
{
    const struct mechanism *mechanism = mechanism_of(watched);
    bool stayed = watched->follower.stays;
    watched->briefs = watched->tries = 0;
    take_parameters(watched);
    if (watched->follower.stays != stayed)
        probe_leave(&watched->follower);
    if (mechanism != NULL)
        automatic_logins_look(&watched->queue, mechanism);
    look(watched);
}

void watched_portals_init(struct engine *engine)
{
    list_init(&engine->watched.portals);
    automatic_logins_init(&engine->automatic);
}

void watched_portals_begin(struct engine *engine)
{
    const struct configuration_discovery *addresses;
    const struct parameters *parameters;
    if (engine_parameters(engine, &parameters) != STATUS_OK)
        return;
    engine->watched.began = os_now();
    size_t count = configuration_discovery_addresses(engine->configuration, &addresses);
    add_new(engine, addresses, count);
}

void watched_portals_reload(struct engine *engine)
{
    const struct configuration_discovery *addresses;
    if (engine->watched.began == 0 || engine->stopping)
        return;
    size_t count = configuration_discovery_addresses(engine->configuration, &addresses);
    automatic_logins_renew(engine);
    LIST_EACH_SAFE(node, &engine->watched.portals)
    {
        if (!is_named(addresses, count, &WATCHED(node)->portal))
            watched_free(WATCHED(node));
    }
    LIST_EACH(node, &engine->watched.portals)
    {
        renew(WATCHED(node));
    }
    add_new(engine, addresses, count);
    engine->explored = 0; /* lists wait for the new ones */
}

void watched_portals_enable(struct engine *engine, bool enabled)
{
    LIST_EACH(node, &engine->watched.portals)
    {
        struct watched_portal *watched = WATCHED(node);
        if (enabled) {
            look(watched);
            continue;
        }
        os_timer_clear(&watched->timer);
        probe_leave(&watched->follower);
    }
}

void watched_portals_end(struct engine *engine)
{
    struct list *first;
    while ((first = list_first(&engine->watched.portals)) != NULL)
        watched_free(WATCHED(first));
    automatic_logins_end(engine);
}

/* --- for the lists of portals --- */

bool watched_portal_fits(const struct engine *engine, const struct portal *portal)
{
    return find(engine, portal->address, portal->socket) != NULL;
}

static bool is_stored(const struct discovery_portal_list *stored,
                      const struct watched_portal *watched)
{
    for (uint32_t i = 0; i < stored->count; i++) {
        const struct portal *portal = stored->items[i].portal;
        if (portal->socket == watched->portal.socket &&
            name_equal(portal->address, watched->portal.address))
            return true;
    }
    return false;
}

enum status watched_portals_list(const struct engine *engine, struct store *store,
                                 struct os_arena *arena, bool secrets,
                                 struct discovery_portal_list *out)
{
    size_t room = 0;
    enum status status = store_portals(store, arena, secrets, out);
    if (status != STATUS_OK || list_empty(&engine->watched.portals))
        return status;
    const struct discovery_portal_list stored = *out;
    LIST_EACH(node, &engine->watched.portals)
    {
        room++;
    }
    struct discovery_portal *items = os_arena_alloc(arena, (stored.count + room) * sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    if (stored.count > 0)
        memcpy(items, stored.items, stored.count * sizeof *items);
    *out = (struct discovery_portal_list){items, stored.count};
    LIST_EACH(node, &engine->watched.portals)
    {
        if (!is_stored(&stored, WATCHED(node)))
            items[out->count++] = WATCHED(node)->entry;
    }
    return STATUS_OK;
}
