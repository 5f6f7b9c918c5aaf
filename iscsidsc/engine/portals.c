/* The list of discovery portals: add, remove, refresh, list. */
#include "engine/adapter.h"
#include "engine/adapter_settings.h"
#include "engine/checks.h"
#include "engine/events.h"
#include "engine/mechanism.h"
#include "engine/options.h"
#include "engine/probe.h"
#include "engine/watched_portals.h"
#include "os/memory.h"

/* A call that waits for one portal's answer. */
struct portal_call {
    struct probe_waiter waiter;
    struct engine_call *call;
};

static enum status check_initiator(const char *initiator, uint32_t port)
{
    struct os_address source;
    bool has_source;
    return adapter_source(initiator, port, &source, &has_source);
}

/* --- waiting for the answer --- */

static void on_answer(struct probe_waiter *waiter, enum status status)
{
    struct portal_call *state = LIST_OWNER(waiter, struct portal_call, waiter);
    struct engine_call *call = state->call;
    os_free(state);
    engine_finish(call, status, NULL);
}

static void cancel(struct engine_call *call)
{
    struct portal_call *state = call->state;
    list_remove(&state->waiter.link);
    os_free(state);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static void ask(struct engine_call *call, const struct discovery_portal *entry)
{
    struct portal_call *state = os_alloc(sizeof *state);
    enum status status = STATUS_NO_MEMORY;
    if (state != NULL) {
        state->call = call;
        state->waiter.done = on_answer;
        status = probe_start(call->engine, entry, &state->waiter);
    }
    if (status != STATUS_OK) {
        os_free(state);
        engine_finish(call, status, NULL);
        return;
    }
    engine_pend(call, cancel, state);
}

/* --- finding what is listed --- */

/* How well the entry fits what was named: 0 not at all. No instance or port named means any; an
 * entry for any instance is the next best when a named one has none of its own. */
static int fit(const struct discovery_portal *entry, const struct request_remove_portal *wanted)
{
    if (entry->portal->socket != wanted->portal->socket ||
        !name_equal(entry->portal->address, wanted->portal->address))
        return 0;
    if (wanted->initiator_port != ANY_INITIATOR_PORT &&
        entry->initiator_port != wanted->initiator_port)
        return 0;
    if (adapter_any(wanted->initiator) || name_equal(entry->initiator, wanted->initiator))
        return 2;
    return adapter_any(entry->initiator) ? 1 : 0;
}

static int best_fit(const struct discovery_portal_list *portals,
                    const struct request_remove_portal *wanted)
{
    int best = 0;
    for (uint32_t i = 0; i < portals->count; i++) {
        int found = fit(&portals->items[i], wanted);
        best = found > best ? found : best;
    }
    return best;
}

static const struct discovery_portal *find_entry(const struct discovery_portal_list *portals,
                                                 const struct request_refresh_portal *request)
{
    struct request_remove_portal wanted = {.initiator = request->initiator,
                                           .initiator_port = request->initiator_port,
                                           .portal = request->portal};
    int best = best_fit(portals, &wanted);
    for (uint32_t i = 0; best > 0 && i < portals->count; i++) {
        if (fit(&portals->items[i], &wanted) == best)
            return &portals->items[i];
    }
    return NULL;
}

/* --- add --- */

static enum status check_entry(const struct discovery_portal *entry)
{
    if (entry == NULL)
        return STATUS_INVALID_PARAMETER;
    enum status status = check_portal(entry->portal);
    if (status == STATUS_OK)
        status = check_initiator(entry->initiator, entry->initiator_port);
    if (status == STATUS_OK)
        status = options_check(entry->options);
    return status;
}

/* Mutual CHAP without a secret is an error of the caller: nothing may be stored then. */
static enum status check_settings(struct engine *engine, const struct discovery_portal *entry)
{
    const struct configuration_subject subject = subject_of_portal(entry);
    struct option_settings settings;
    enum status status = options_settings(engine, entry->options, &subject, &settings);
    if (status == STATUS_OK)
        options_wipe(&settings);
    return status;
}

/* Without waiting: one that is listed stays as it is, and is asked again. */
static bool ask_listed(struct engine_call *call, const struct discovery_portal *given)
{
    const struct request_refresh_portal wanted = {.initiator_port = ANY_INITIATOR_PORT,
                                                  .portal = given->portal};
    struct discovery_portal_list portals;
    struct store *store;
    if (engine_store(call->engine, &store) != STATUS_OK ||
        store_portals(store, &call->arena, true, &portals) != STATUS_OK)
        return false;
    const struct discovery_portal *entry = find_entry(&portals, &wanted);
    if (entry == NULL)
        return false;
    if (discovery_enabled(call->engine, DISCOVERY_SENDTARGETS))
        probe_start(call->engine, entry, NULL);
    engine_finish(call, STATUS_OK, NULL);
    return true;
}

/* The portal stays on the list when the discovery fails. */
void engine_add_portal(struct engine_call *call)
{
    const struct request_add_portal *request = call->request;
    struct store *store;
    enum status status = check_entry(request->entry);
    if (status == STATUS_OK)
        status = check_settings(call->engine, request->entry);
    if (status == STATUS_OK && request->unwaited && ask_listed(call, request->entry))
        return;
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_put_portal(store, request->entry);
    if (status != STATUS_OK) {
        engine_finish(call, status, NULL);
        return;
    }
    events_portal(call->engine, request->entry->portal, EVENT_PORTAL_ADDED);
    if (!discovery_enabled(call->engine, DISCOVERY_SENDTARGETS)) {
        engine_finish(call, STATUS_OK, NULL);
    } else if (request->unwaited) {
        probe_start(call->engine, request->entry, NULL);
        engine_finish(call, STATUS_OK, NULL);
    } else {
        ask(call, request->entry);
    }
}

/* --- remove --- */

static enum status check_named(const char *initiator, const struct portal *portal)
{
    if (!adapter_any(initiator) && !name_equal(initiator, INITIATOR_INSTANCE))
        return STATUS_INITIATOR_NOT_FOUND;
    return check_portal(portal);
}

static enum status remove_entry(struct engine *engine, struct store *store,
                                const struct discovery_portal *entry)
{
    bool found;
    enum status status = store_delete_portal(store, entry, &found);
    if (status == STATUS_OK && found)
        events_portal(engine, entry->portal, EVENT_PORTAL_REMOVED);
    return status;
}

static enum status remove_fitting(struct engine *engine, struct store *store,
                                  const struct discovery_portal_list *portals,
                                  const struct request_remove_portal *wanted)
{
    int best = best_fit(portals, wanted);
    enum status status = STATUS_OK;
    if (best == 0)
        status = watched_portal_fits(engine, wanted->portal) ? STATUS_ACCESS_DENIED
                                                             : STATUS_PORTAL_NOT_FOUND;
    for (uint32_t i = 0; status == STATUS_OK && i < portals->count; i++) {
        if (fit(&portals->items[i], wanted) == best)
            status = remove_entry(engine, store, &portals->items[i]);
    }
    return status;
}

/* What was found through the portal stays known. One of iscsi.conf is removed there. */
void engine_remove_portal(struct engine_call *call)
{
    const struct request_remove_portal *request = call->request;
    struct discovery_portal_list portals;
    struct store *store;
    struct os_arena arena = {0};
    enum status status = check_named(request->initiator, request->portal);
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = store_portals(store, &arena, false, &portals);
    if (status == STATUS_OK)
        status = remove_fitting(call->engine, store, &portals, request);
    os_arena_clear(&arena);
    engine_finish(call, status, NULL);
}

/* --- refresh --- */

/* A portal need not be on the list, and does not get on it by this. */
void engine_refresh_portal(struct engine_call *call)
{
    const struct request_refresh_portal *request = call->request;
    struct discovery_portal_list portals;
    struct discovery_portal unlisted = {.initiator = request->initiator,
                                        .initiator_port = request->initiator_port,
                                        .portal = request->portal};
    struct store *store;
    enum status status = check_named(request->initiator, request->portal);
    if (status == STATUS_OK && !discovery_enabled(call->engine, DISCOVERY_SENDTARGETS))
        status = STATUS_NOT_SUPPORTED;
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = watched_portals_list(call->engine, store, &call->arena, true, &portals);
    if (status != STATUS_OK) {
        engine_finish(call, status, NULL);
        return;
    }
    const struct discovery_portal *entry = find_entry(&portals, request);
    ask(call, entry != NULL ? entry : &unlisted);
}

/* --- list --- */

void engine_list_portals(struct engine_call *call)
{
    struct reply_list_portals reply = {0};
    struct store *store;
    enum status status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status = watched_portals_list(call->engine, store, &call->arena, false, &reply.portals);
    engine_finish(call, status, &reply);
}
