/* Logging in: what must hold, which portals are tried, and what comes of it. */
#include "engine/adapter.h"
#include "engine/options.h"
#include "engine/persistent.h"
#include "engine/probe.h"
#include "engine/sessions.h"
#include "os/memory.h"

#include <string.h>

/* Bits of security_flags, as ISCSI_SECURITY_FLAG_*. */
enum { SECURITY_VALID = 0x01, SECURITY_IPSEC = 0x02 };

struct login_call {
    struct engine_call *call;
    struct exploration *exploration; /* while the catalogue is being filled */
    struct engine_session *session;  /* NULL before */
    struct option_settings settings;
    char target[ISCSI_NAME_MAX + 1]; /* as the catalogue spells it */
    struct os_address source;
    bool has_source;
    struct os_arena arena;
    struct portal_address *portals; /* to try, in this order */
    size_t count;
    size_t next;
    enum status failure; /* the one to report when no portal works */
};

/* --- the end --- */

static void login_free(struct login_call *login)
{
    exploration_cancel(login->exploration);
    if (login->session != NULL)
        engine_session_remove(login->session);
    options_wipe(&login->settings);
    os_arena_clear(&login->arena);
    os_free(login);
}

static void fail(struct login_call *login, enum status status)
{
    struct engine_call *call = login->call;
    login_free(login);
    engine_finish(call, status, NULL);
}

static void cancel(struct engine_call *call)
{
    fail(call->state, STATUS_CANCELLED);
}

static void succeed(struct login_call *login)
{
    struct engine_session *session = login->session;
    struct engine_call *call = login->call;
    if (!engine_session_went_live(session, &login->portals[login->next - 1])) {
        fail(login, STATUS_NO_MEMORY);
        return;
    }
    struct reply_login reply = {.session = &session->id, .connection = &session->connection};
    login->session = NULL;
    login_free(login);
    engine_finish(call, STATUS_OK, &reply);
}

/* --- trying the portals --- */

/* What another portal of the same target would not do better. */
static bool is_final(enum status status)
{
    switch (status) {
    case STATUS_NO_MEMORY:
    case STATUS_CANCELLED:
    case STATUS_AUTHENTICATION_FAILED:
    case STATUS_TARGET_AUTHENTICATION_FAILED:
    case STATUS_LOGIN_AUTHENTICATION_FAILED:
    case STATUS_LOGIN_AUTHORIZATION_FAILED:
        return true;
    default:
        return false;
    }
}

static bool is_of_network(enum status status)
{
    switch (status) {
    case STATUS_NAME_UNRESOLVED:
    case STATUS_ADDRESS_FAMILY:
    case STATUS_CONNECT_REFUSED:
    case STATUS_CONNECT_TIMEOUT:
    case STATUS_CONNECT_UNREACHABLE:
    case STATUS_CONNECT_FAILED:
        return true;
    default:
        return false;
    }
}

/* The first failure counts, but what a target said counts more than that another was out of reach.
 */
static void note_failure(struct login_call *login, enum status status)
{
    if (login->failure == STATUS_OK || (is_of_network(login->failure) && !is_of_network(status)))
        login->failure = status;
}

static bool open_contact(struct login_call *login)
{
    struct engine *engine = login->call->engine;
    const struct contact_settings settings = {
        .session = &login->settings.session,
        .portal = &login->portals[login->next++],
        .source = login->has_source ? &login->source : NULL,
        .connect_timeout = engine->parameters.tcp_connect_time * 1000,
    };
    login->session->contact =
        contact_open(&engine->links, &settings, &engine_session_events, login->session);
    return login->session->contact != NULL;
}

static void try_next(struct login_call *login)
{
    if (login->next == login->count)
        fail(login, login->failure);
    else if (!open_contact(login))
        fail(login, STATUS_NO_MEMORY);
}

void engine_login_ready(struct login_call *login, enum status status)
{
    if (status == STATUS_OK) {
        succeed(login);
        return;
    }
    contact_close(login->session->contact);
    login->session->contact = NULL;
    if (is_final(status)) {
        fail(login, status);
        return;
    }
    note_failure(login, status);
    try_next(login);
}

/* --- choosing the portals --- */

static void set_portal(struct portal_address *out, const char *host, uint16_t port)
{
    memcpy(out->host, host, strlen(host) + 1);
    out->port = port;
}

/* A portal given is taken as it is: a host name may well stand for one of the target's addresses.
 */
static enum status take_given(struct login_call *login, const struct portal *portal)
{
    login->portals = os_arena_alloc(&login->arena, sizeof *login->portals);
    if (login->portals == NULL)
        return STATUS_NO_MEMORY;
    set_portal(&login->portals[0], portal->address, portal->socket);
    login->count = 1;
    return STATUS_OK;
}

static enum status take_known(struct login_call *login, const struct known_target *target)
{
    const struct target_portal **known;
    enum status status = catalogue_portals(target, NULL, &login->arena, &known, &login->count);
    if (status != STATUS_OK)
        return status;
    if (login->count == 0)
        return STATUS_NO_PORTAL;
    login->portals = os_arena_alloc(&login->arena, login->count * sizeof *login->portals);
    if (login->portals == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < login->count; i++)
        set_portal(&login->portals[i], known[i]->host, known[i]->port);
    return STATUS_OK;
}

static bool portal_given(const struct portal *portal)
{
    return portal != NULL && portal->address != NULL && portal->address[0] != '\0';
}

static enum status make_session(struct login_call *login)
{
    const struct request_login *request = login->call->request;
    login->session = engine_session_new(login->call->engine, login->target);
    if (login->session == NULL)
        return STATUS_NO_MEMORY;
    login->session->login = login;
    login->session->informational = request->informational != 0;
    login->settings.session.target_name = login->target;
    memcpy(login->settings.session.isid, login->session->isid, PDU_ISID_LENGTH);
    return STATUS_OK;
}

static bool multipath(const struct request_login *request)
{
    return request->options != NULL && (request->options->flags & LOGIN_FLAG_MULTIPATH) != 0;
}

static enum status prepare(struct login_call *login)
{
    const struct request_login *request = login->call->request;
    struct engine *engine = login->call->engine;
    const struct known_target *target = catalogue_find(&engine->catalogue, request->target);
    if (target == NULL)
        return STATUS_TARGET_NOT_FOUND;
    memcpy(login->target, target->name, strlen(target->name) + 1);
    if (!multipath(request) && engine_session_exists(engine, login->target))
        return STATUS_ALREADY_LOGGED_IN;
    enum status status = portal_given(request->portal) ? take_given(login, request->portal)
                                                       : take_known(login, target);
    return status == STATUS_OK ? make_session(login) : status;
}

/* Stored, and for most callers that is all: the service logs in when it starts. */
static enum status keep(struct login_call *login, bool *done)
{
    const struct request_login *request = login->call->request;
    struct engine *engine = login->call->engine;
    *done = request->persistent && !engine->parameters.persistent_login_also_logs_in;
    if (!request->persistent)
        return STATUS_OK;
    /* The target need not be reachable, but whoever names no portal must mean one that is known. */
    if (!portal_given(request->portal) &&
        catalogue_find(&engine->catalogue, request->target) == NULL)
        return STATUS_TARGET_NOT_FOUND;
    return persistent_add(engine, request);
}

static void stored(struct login_call *login)
{
    const struct reply_login nothing = {0};
    struct engine_call *call = login->call;
    login_free(login);
    engine_finish(call, STATUS_OK, &nothing);
}

static void begin(struct login_call *login)
{
    bool done;
    enum status status = keep(login, &done);
    if (status == STATUS_OK && done) {
        stored(login);
        return;
    }
    if (status == STATUS_OK)
        status = prepare(login);
    if (status == STATUS_OK)
        try_next(login);
    else
        fail(login, status);
}

/* --- what must hold before anything is sent --- */

static enum status check_portal(const struct portal *portal)
{
    if (!portal_given(portal))
        return STATUS_OK;
    if (strlen(portal->address) > PORTAL_HOST_MAX || portal->socket == 0)
        return STATUS_INVALID_PARAMETER;
    return host_valid(portal->address) ? STATUS_OK : STATUS_INVALID_ADDRESS;
}

static enum status check_name(const char *name)
{
    if (name == NULL || name[0] == '\0')
        return STATUS_INVALID_PARAMETER;
    return name_characters_valid(name) ? STATUS_OK : STATUS_INVALID_NAME;
}

static enum status check_security(const struct request_login *request)
{
    uint64_t ipsec = SECURITY_VALID | SECURITY_IPSEC;
    return (request->security_flags & ipsec) == ipsec ? STATUS_NO_IPSEC : STATUS_OK;
}

static enum status check(struct login_call *login)
{
    const struct request_login *request = login->call->request;
    enum status status = check_name(request->target);
    if (status == STATUS_OK)
        status = adapter_source(request->initiator, request->initiator_port, &login->source,
                                &login->has_source);
    if (status == STATUS_OK)
        status = check_portal(request->portal);
    if (status == STATUS_OK)
        status = options_check(request->options);
    if (status == STATUS_OK)
        status = check_security(request);
    if (status == STATUS_OK)
        status = persistent_check(request);
    if (status == STATUS_OK)
        status = options_settings(login->call->engine, request->options, false, &login->settings);
    return status;
}

static void on_explored(void *context, enum status status)
{
    struct login_call *login = context;
    login->exploration = NULL;
    if (status == STATUS_OK)
        begin(login);
    else
        fail(login, status);
}

/* What is only stored, with its portal, needs nobody's answer. */
static bool wants_catalogue(const struct login_call *login)
{
    const struct request_login *request = login->call->request;
    return !request->persistent || !portal_given(request->portal) ||
           login->call->engine->parameters.persistent_login_also_logs_in;
}

void engine_login(struct engine_call *call)
{
    struct login_call *login = os_alloc(sizeof *login);
    if (login == NULL) {
        engine_finish(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    login->call = call;
    engine_pend(call, cancel, login);
    enum status status = check(login);
    if (status == STATUS_OK && wants_catalogue(login))
        status = exploration_start(call->engine, false, on_explored, login, &login->exploration);
    if (status != STATUS_OK)
        fail(login, status);
    else if (login->exploration == NULL)
        begin(login);
}
