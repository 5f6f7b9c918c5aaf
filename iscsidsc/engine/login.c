/* Logging in: what must hold, which portals are tried, and what comes of it. */
#include "engine/login.h"
#include "engine/adapter.h"
#include "engine/attempt.h"
#include "engine/checks.h"
#include "engine/connections.h"
#include "engine/exploration.h"
#include "engine/login_portals.h"
#include "engine/mechanism.h"
#include "engine/ipsec.h"
#include "engine/options.h"
#include "engine/persistent.h"
#include "engine/static_targets.h"
#include "engine/units.h"
#include "os/memory.h"

#include <string.h>

struct engine_login {
    struct engine *engine;
    const struct request_login *request;
    const struct login_again *again; /* NULL: somebody asks */
    engine_login_done *done;
    void *context;
    struct exploration *exploration; /* while the catalogue is being filled */
    struct engine_session *session;  /* NULL before */
    struct attempt attempt;
    struct login_defaults defaults; /* what counts, whoever said it */
    struct option_settings settings;
    char target[ISCSI_NAME_MAX + 1]; /* as the catalogue spells it */
    struct os_address source;
    bool has_source;
    struct os_arena arena; /* the portals, and what was stored */
};

/* --- the end --- */

void engine_login_free(struct engine_login *login)
{
    if (login == NULL)
        return;
    exploration_cancel(login->exploration);
    attempt_end(&login->attempt);
    if (login->session != NULL)
        engine_session_remove(login->session);
    options_wipe(&login->settings);
    os_arena_wipe(&login->arena);
    os_free(login);
}

static void finish(struct engine_login *login, enum status status, struct engine_session *session)
{
    engine_login_done *done = login->done;
    void *context = login->context;
    engine_login_free(login);
    done(context, status, session);
}

static void fail(struct engine_login *login, enum status status)
{
    finish(login, status, NULL);
}

static void on_done(struct attempt *attempt, enum status status)
{
    struct engine_login *login = LIST_OWNER(attempt, struct engine_login, attempt);
    struct engine_session *session = login->session;
    if (status == STATUS_OK)
        status = units_place(session);
    if (status == STATUS_OK && !engine_session_went_live(session))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        login->session = NULL;
    finish(login, status, status == STATUS_OK ? session : NULL);
}

/* --- the session --- */

static bool has_flag(const struct engine_login *login, uint32_t flag)
{
    const struct login_options *options = login->defaults.options;
    return options != NULL && (options->flags & flag) != 0;
}

static enum status take_portals(struct engine_login *login, const struct known_target *target)
{
    const struct portal *given = login->request->portal;
    struct attempt *attempt = &login->attempt;
    struct portal_preference preference;
    enum status status =
        login_portals(target, given, has_flag(login, LOGIN_FLAG_PORTAL_HOPPING), &login->defaults,
                      &login->arena, &attempt->portals, &attempt->count);
    if (status != STATUS_OK || portal_given(given))
        return status;
    failover_preference(&login->settings.parameters, &preference);
    portals_sort(&preference, attempt->portals, attempt->count);
    return STATUS_OK;
}

/* A further session to a target that was described with a mapping gets another place than the
 * first. */
static enum status make_units(struct engine_login *login)
{
    struct engine_session *session = login->session;
    const struct mapping *mapping = login->defaults.mapping;
    enum status status = units_new(session, mapping);
    if (status == STATUS_MAPPING_EXISTS && login->request->mapping == NULL &&
        units_of_target(login->engine, mapping, login->target))
        status = units_new(session, NULL);
    return status;
}

static void use_settings(struct engine_login *login)
{
    struct engine_session *session = login->session;
    login->settings.session.target_name = login->target;
    memcpy(login->settings.session.isid, session->isid, PDU_ISID_LENGTH);
    session->parameters = login->settings.parameters;
    scoped_parameters_forget(&session->parameters);
}

static enum status make_session(struct engine_login *login)
{
    const struct login_again *again = login->again;
    struct engine *engine = login->engine;
    struct engine_session *session = engine_session_new(
        engine, login->target, again != NULL ? again->qualifier : engine->first_qualifier);
    login->session = session;
    if (session == NULL)
        return STATUS_NO_MEMORY;
    session->informational = login->request->informational;
    session->restored = again != NULL;
    session->automatic = again != NULL && again->automatic;
    use_settings(login);
    struct engine_connection *leading = engine_leading(session);
    if (!portal_given(login->request->portal) || session->automatic)
        failover_follow(session);
    else
        leading->one_portal = !has_flag(login, LOGIN_FLAG_PORTAL_HOPPING);
    leading->source = login->source;
    leading->has_source = login->has_source;
    return session->informational ? STATUS_OK : make_units(login);
}

/* What is stored with a portal of its own need not have been found by anybody, when it is stored
 * and when a service logs in again. */
static bool take_target(struct engine_login *login, const struct known_target *target)
{
    if (target != NULL)
        memcpy(login->target, target->name, strlen(target->name) + 1);
    else if ((login->again != NULL || login->request->persistent) &&
             portal_given(login->request->portal))
        name_fold(login->request->target, login->target);
    else
        return false;
    return true;
}

/* As they are for the portal; NULL: for none of them yet. */
static enum status take_settings(struct engine_login *login, const struct portal_address *portal)
{
    const struct configuration_subject subject =
        subject_of_target(login->engine, login->target, portal);
    options_wipe(&login->settings);
    return options_settings(login->engine, login->defaults.options, &subject, &login->settings);
}

/* Options that were not given with the login have not been looked at yet, nor who found the target.
 */
static enum status take_defaults(struct engine_login *login, const struct known_target *target)
{
    const struct request_login *request = login->request;
    struct login_defaults *defaults = &login->defaults;
    enum status status = login_defaults(login->engine, request, target, &login->arena, defaults);
    if (status == STATUS_OK && defaults->options != request->options)
        status = options_check(defaults->options);
    return status == STATUS_OK ? take_settings(login, NULL) : status;
}

/* Asked early, for nobody shall rely on a stored login that is refused each time it is tried, and
 * for all portals, whichever answers first. */
static enum status check_ipsec(struct engine_login *login)
{
    const struct os_address *source = login->has_source ? &login->source : NULL;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < login->attempt.count; i++)
        status = ipsec_check_portal(login->engine, login->attempt.portals[i].host,
                                    login->attempt.portals[i].port, source);
    return status;
}

static enum status prepare(struct engine_login *login)
{
    const struct request_login *request = login->request;
    const struct known_target *target = catalogue_find(&login->engine->catalogue, request->target);
    if (!take_target(login, target))
        return STATUS_TARGET_NOT_FOUND;
    enum status status = take_defaults(login, target);
    if (status != STATUS_OK)
        return status;
    if (login->again == NULL && !has_flag(login, LOGIN_FLAG_MULTIPATH) &&
        engine_session_exists(login->engine, login->target))
        return STATUS_ALREADY_LOGGED_IN;
    status = take_portals(login, target);
    if (status == STATUS_OK)
        status = check_ipsec(login);
    return status == STATUS_OK ? make_session(login) : status;
}

static uint32_t connect_timeout(const struct engine_login *login)
{
    uint32_t standard = login->engine->parameters.tcp_connect_time * 1000;
    uint32_t most = login->again != NULL ? login->again->connect_most : standard;
    return standard < most ? standard : most;
}

static enum status choose(struct attempt *attempt, const struct portal_address *portal)
{
    struct engine_login *login = LIST_OWNER(attempt, struct engine_login, attempt);
    enum status status = take_settings(login, portal);
    if (status == STATUS_OK)
        use_settings(login);
    return status;
}

static void start_attempt(struct engine_login *login)
{
    if (configuration_has_portals(login->engine->configuration))
        login->attempt.choose = choose;

    login->attempt.connection = engine_leading(login->session);
    login->attempt.settings = &login->settings.session;
    login->attempt.connect_timeout = connect_timeout(login);
    login->attempt.done = on_done;
    attempt_start(&login->attempt);
}

/* A target that has no portal may have one when it is logged in to. */
static enum status check_stored(struct engine_login *login, const struct known_target *target)
{
    enum status status =
        login_defaults(login->engine, login->request, target, &login->arena, &login->defaults);
    if (status == STATUS_OK)
        status = take_portals(login, target);
    if (status == STATUS_NO_PORTAL)
        return STATUS_OK;
    return status == STATUS_OK ? check_ipsec(login) : status;
}

/* Stored, and for most callers that is all: the service logs in when it starts. */
static enum status keep(struct engine_login *login, bool *is_all)
{
    const struct request_login *request = login->request;
    struct engine *engine = login->engine;
    const struct known_target *target = catalogue_find(&engine->catalogue, request->target);
    *is_all = request->persistent && !engine->parameters.persistent_login_also_logs_in;
    if (!request->persistent)
        return STATUS_OK;
    /* The target need not be reachable, but whoever names no portal must mean one that is known. */
    if (!portal_given(request->portal) && target == NULL)
        return STATUS_TARGET_NOT_FOUND;
    enum status status = check_stored(login, target);
    return status == STATUS_OK ? persistent_add(engine, request) : status;
}

static void begin(struct engine_login *login)
{
    bool is_all;
    enum status status = keep(login, &is_all);
    if (status == STATUS_OK && !is_all)
        status = prepare(login);
    if (status != STATUS_OK || is_all)
        finish(login, status, NULL);
    else
        start_attempt(login);
}

/* --- what must hold before anything is sent --- */

static enum status check(struct engine_login *login)
{
    const struct request_login *request = login->request;
    const struct configuration_subject subject = {.target = request->target};
    enum status status = check_target_name(request->target);
    if (status == STATUS_OK)
        status = adapter_source(request->initiator, request->initiator_port, &login->source,
                                &login->has_source);
    if (status == STATUS_OK && portal_given(request->portal))
        status = check_portal(request->portal);
    if (status == STATUS_OK)
        status = options_check(request->options);
    if (status == STATUS_OK)
        status = ipsec_check_flags(request->security_flags);
    if (status == STATUS_OK)
        status = check_mapping(request->mapping);
    if (status == STATUS_OK)
        status = options_settings(login->engine, request->options, &subject, &login->settings);
    return status;
}

static void on_explored(void *context, enum status status)
{
    struct engine_login *login = context;
    login->exploration = NULL;
    if (status == STATUS_OK)
        begin(login);
    else
        fail(login, status);
}

/* --- the start --- */

struct engine_login *engine_login_new(struct engine *engine, const struct request_login *request,
                                      engine_login_done *done, void *context)
{
    struct engine_login *login = os_alloc(sizeof *login);
    if (login == NULL)
        return NULL;
    login->engine = engine;
    login->request = request;
    login->done = done;
    login->context = context;
    return login;
}

/* What is only stored, with its portal, needs nobody's answer; a service asks the portals itself.
 */
static bool wants_catalogue(const struct engine_login *login)
{
    const struct request_login *request = login->request;
    if (login->again != NULL)
        return false;
    /* A portal that does not answer must not delay the login to a target that is known. */
    if (catalogue_find(&login->engine->catalogue, request->target) != NULL)
        return false;
    return !request->persistent || !portal_given(request->portal);
}

static void run(struct engine_login *login)
{
    enum status status = check(login);
    static_targets_sync(login->engine); /* the login itself reads from the store, and tells */
    if (status == STATUS_OK && wants_catalogue(login))
        status =
            exploration_start(login->engine, EXPLORE_NEW, on_explored, login, &login->exploration);
    if (status != STATUS_OK)
        fail(login, status);
    else if (login->exploration == NULL)
        begin(login);
}

void engine_login_run(struct engine_login *login)
{
    run(login);
}

void engine_login_run_again(struct engine_login *login, const struct login_again *again)
{
    login->again = again;
    run(login);
}

/* --- the operation --- */

static void on_login(void *context, enum status status, struct engine_session *session)
{
    struct engine_call *call = context;
    struct reply_login reply = {0};
    if (session != NULL) {
        reply.session = &session->id;
        reply.connection = &engine_leading(session)->id;
    }
    engine_finish(call, status, &reply);
}

static void cancel(struct engine_call *call)
{
    engine_login_free(call->state);
    engine_finish(call, STATUS_CANCELLED, NULL);
}

void engine_login(struct engine_call *call)
{
    struct engine_login *login = engine_login_new(call->engine, call->request, on_login, call);
    if (login == NULL) {
        engine_finish(call, STATUS_NO_MEMORY, NULL);
        return;
    }
    engine_pend(call, cancel, login);
    engine_login_run(login);
}
