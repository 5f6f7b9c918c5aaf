#include "engine/probe.h"
#include "discovery/sendtargets.h"
#include "engine/adapter.h"
#include "engine/mechanism.h"
#include "engine/ipsec.h"
#include "engine/options.h"
#include "engine/sessions.h"
#include "engine/watched_portals.h"
#include "os/crypto.h"
#include "os/memory.h"

#include <string.h>

/* A target that does not answer our logout must not hold up the caller: it has its list already. */
enum { LOGOUT_MOST = 2000 };

struct probe {
    struct list link;
    struct engine *engine;
    struct mechanism *mechanism;
    struct discovery *discovery;
    uint64_t began;
    struct list waiters;
    struct probe_follower *follower; /* NULL: nobody follows it */
    bool stays;                      /* the session, after the answer */
    bool asking;                     /* an answer is to come */
    bool leaving;                    /* a session that has stayed says goodbye */
};

static void leave_mechanism(struct probe *probe)
{
    if (probe->mechanism != NULL)
        probe->mechanism->probes--;
    probe->mechanism = NULL;
}

static void probe_free(struct probe *probe)
{
    LIST_EACH_SAFE(node, &probe->waiters)
    {
        list_remove(node);
    }
    leave_mechanism(probe);
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

static void finish_leaving(struct probe *probe)
{
    struct engine *engine = probe->engine;
    probe_free(probe);
    engine_drained(engine);
}

/* The discovery is over, or its session stays for the next question. */
static void settle(struct probe *probe, bool answered)
{
    struct probe_follower *follower = probe->follower;
    probe->asking = false;
    if (answered && probe->stays)
        return;
    if (follower != NULL)
        follower->probe = NULL;
    probe_free(probe);
}

static void on_answer(void *context, enum status status, const struct discovery_records *records)
{
    struct probe *probe = context;
    struct engine *engine = probe->engine;
    struct mechanism *mechanism = probe->mechanism;
    struct probe_follower *follower = probe->follower;
    struct list waiters;
    bool answered = status == STATUS_OK;
    if (probe->leaving) {
        finish_leaving(probe);
        return;
    }
    if (probe->asking)
        mechanism->answered = answered;
    if (answered)
        status = catalogue_replace(&engine->catalogue, mechanism, records);
    move_list(&probe->waiters, &waiters);
    settle(probe, answered);
    if (status == STATUS_OK)
        watched_portals_answered(engine, mechanism);
    if (follower != NULL)
        follower->told(follower, answered ? STATUS_OK : status);
    tell_waiters(&waiters, status);
}

static void on_changed(void *context)
{
    const struct probe *probe = context;
    probe->follower->changed(probe->follower);
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
        .buffers = options->parameters.tcp_window_size,
        .credentials_stay = probe->engine->parameters.redirect_credentials == 0,
    };
    memcpy(portal.host, entry->portal->address, strlen(entry->portal->address) + 1);
    const struct discovery_stay stay = {
        .changed = on_changed,
        .idle = options->parameters.idle_timeout * 1000,
        .patience = options->parameters.ping_timeout * 1000,
    };
    probe->discovery = discovery_follow(&probe->engine->links, &settings, on_answer,
                                        probe->stays ? &stay : NULL, probe);
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
    const struct mechanism_key key = mechanism_of_portal(entry);
    const struct configuration_subject subject = subject_of_portal(entry);
    struct option_settings options;
    probe->mechanism = catalogue_make_mechanism(&probe->engine->catalogue, &key);
    if (probe->mechanism == NULL)
        return STATUS_NO_MEMORY;
    probe->mechanism->asked = true;
    probe->mechanism->answered = false;
    probe->mechanism->probes++;
    enum status status = ipsec_check_flags(entry->security_flags);
    if (status == STATUS_OK)
        status = options_check(entry->options);
    if (status == STATUS_OK)
        status = options_settings(probe->engine, entry->options, &subject, &options);
    if (status != STATUS_OK)
        return status;
    choose_isid(options.session.isid);
    if (options.session.timeouts.logout > LOGOUT_MOST)
        options.session.timeouts.logout = LOGOUT_MOST;
    status = start_discovery(probe, entry, &options);
    options_wipe(&options);
    return status;
}

static enum status open_probe(struct engine *engine, const struct discovery_portal *entry,
                              struct probe_follower *follower, struct probe **out)
{
    struct probe *probe = os_alloc(sizeof *probe);
    if (probe == NULL)
        return STATUS_NO_MEMORY;
    probe->engine = engine;
    probe->began = os_now();
    probe->asking = true;
    probe->follower = follower;
    probe->stays = follower != NULL && follower->stays;
    list_init(&probe->waiters);
    list_append(&engine->probes, &probe->link);
    enum status status = start(probe, entry);
    if (status != STATUS_OK)
        probe_free(probe);
    *out = status == STATUS_OK ? probe : NULL;
    return status;
}

static bool ask_again(struct probe *probe)
{
    if (probe->asking)
        return false;
    probe->asking = true;
    probe->began = os_now();
    discovery_ask(probe->discovery);
    return true;
}

/* The session that stays, for the portal that it is of. */
static struct probe *find_staying(struct engine *engine, const struct discovery_portal *entry)
{
    const struct mechanism_key key = mechanism_of_portal(entry);
    const struct mechanism *mechanism = catalogue_mechanism(&engine->catalogue, &key);
    LIST_EACH(node, &engine->probes)
    {
        struct probe *probe = LIST_OWNER(node, struct probe, link);
        if (probe->mechanism == mechanism && probe->stays && !probe->leaving)
            return probe;
    }
    return NULL;
}

enum status probe_start(struct engine *engine, const struct discovery_portal *entry,
                        struct probe_waiter *waiter)
{
    enum status status = STATUS_OK;
    struct probe *probe = find_staying(engine, entry);
    if (probe != NULL)
        ask_again(probe);
    else
        status = open_probe(engine, entry, NULL, &probe);
    if (status == STATUS_OK && waiter != NULL)
        list_append(&probe->waiters, &waiter->link);
    return status;
}

enum status probe_follow(struct engine *engine, const struct discovery_portal *entry,
                         struct probe_follower *follower)
{
    return open_probe(engine, entry, follower, &follower->probe);
}

bool probe_ask(struct probe_follower *follower)
{
    return ask_again(follower->probe);
}

void probe_leave(struct probe_follower *follower)
{
    struct probe *probe = follower->probe;
    struct list waiters;
    if (probe == NULL)
        return;
    follower->probe = NULL;
    probe->follower = NULL;
    if (!probe->stays) /* it ends with the answer */
        return;
    probe->leaving = discovery_leave(probe->discovery);
    leave_mechanism(probe);
    move_list(&probe->waiters, &waiters);
    if (!probe->leaving)
        probe_free(probe);
    tell_waiters(&waiters, STATUS_CANCELLED);
}

bool probes_left(const struct engine *engine)
{
    LIST_EACH(node, &engine->probes)
    {
        if (LIST_OWNER(node, struct probe, link)->leaving)
            return false;
    }
    return true;
}

bool probe_join(struct engine *engine, const struct mechanism *mechanism, uint64_t most,
                struct probe_waiter *waiter)
{
    LIST_EACH(node, &engine->probes)
    {
        struct probe *probe = LIST_OWNER(node, struct probe, link);
        if (probe->mechanism == mechanism && probe->asking && !probe->leaving &&
            os_now() - probe->began < most) {
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
