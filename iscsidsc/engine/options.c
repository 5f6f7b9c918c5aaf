#include "engine/options.h"
#include "engine/adapter_settings.h"
#include "engine/file_credentials.h"
#include "engine/login_parameters.h"
#include "engine/radius.h"
#include "engine/settings.h"
#include "os/crypto.h"

#include <string.h>

enum { TIME_MOST = 3600, CONNECTIONS_MOST = 65535 }; /* RFC 7143, 13.2, 13.15 and 13.16 */

static bool given(const struct login_options *options, uint32_t option)
{
    return options != NULL && (options->specified & option) != 0;
}

static uint32_t auth_type(const struct login_options *options)
{
    return given(options, OPTION_AUTH_TYPE) ? options->auth_type : AUTH_NONE;
}

/* --- checks --- */

static enum status check_numbers(const struct login_options *options)
{
    if (given(options, OPTION_HEADER_DIGEST) && options->header_digest > DIGEST_CRC32C)
        return STATUS_INVALID_LOGIN_OPTIONS;
    if (given(options, OPTION_DATA_DIGEST) && options->data_digest > DIGEST_CRC32C)
        return STATUS_INVALID_LOGIN_OPTIONS;
    if (given(options, OPTION_MAXIMUM_CONNECTIONS) &&
        (options->maximum_connections == 0 || options->maximum_connections > CONNECTIONS_MOST))
        return STATUS_INVALID_LOGIN_OPTIONS;
    if (given(options, OPTION_DEFAULT_TIME2WAIT) && options->default_time2wait > TIME_MOST)
        return STATUS_INVALID_LOGIN_OPTIONS;
    if (given(options, OPTION_DEFAULT_TIME2RETAIN) && options->default_time2retain > TIME_MOST)
        return STATUS_INVALID_LOGIN_OPTIONS;
    return STATUS_OK;
}

bool chap_name_clean(const struct blob *name)
{
    for (uint32_t i = 0; i < name->length; i++) {
        if (name->data[i] < ' ' || name->data[i] == 0x7f)
            return false;
    }
    return true;
}

static bool user_name_valid(const struct blob *name)
{
    return name->data != NULL && name->length > 0 && name->length <= CHAP_NAME_MAX &&
           chap_name_clean(name);
}

/* Whoever wants the RADIUS server to judge must not get a login in which nothing is judged. */
static bool radius_has_its_part(const struct login_options *options)
{
    if (options->flags & LOGIN_FLAG_RADIUS_VERIFICATION)
        return auth_type(options) == AUTH_MUTUAL;
    return !(options->flags & LOGIN_FLAG_RADIUS_RESPONSE) || auth_type(options) != AUTH_NONE;
}

static enum status check_chap(const struct login_options *options)
{
    if (given(options, OPTION_USERNAME) && !user_name_valid(&options->username))
        return STATUS_INVALID_CHAP_NAME;
    if (options->flags & LOGIN_FLAG_RADIUS_RESPONSE)
        return given(options, OPTION_USERNAME) && options->username.length > RADIUS_VALUE_MAX
                   ? STATUS_INVALID_CHAP_NAME
                   : STATUS_OK;
    if (!given(options, OPTION_PASSWORD) || options->password.data == NULL ||
        options->password.length < SECRET_LEAST || options->password.length > SECRET_MOST)
        return STATUS_INVALID_TARGET_SECRET;
    return STATUS_OK;
}

enum status options_check(const struct login_options *options)
{
    if (options == NULL)
        return STATUS_OK;
    if (options->flags & LOGIN_FLAG_REQUIRE_IPSEC)
        return STATUS_NO_IPSEC;
    if (auth_type(options) > AUTH_MUTUAL || !radius_has_its_part(options))
        return STATUS_INVALID_AUTH_TYPE;
    enum status status = check_numbers(options);
    if (status == STATUS_OK && auth_type(options) != AUTH_NONE)
        status = check_chap(options);
    return status;
}

/* --- settings --- */

static const char *digest_list(const struct login_options *options, uint32_t option,
                               uint32_t digest, const char *standard)
{
    if (!given(options, option))
        return standard;
    return digest == DIGEST_CRC32C ? "CRC32C,None" : "None";
}

static uint32_t choose(const struct login_options *options, uint32_t option, uint32_t wanted,
                       uint32_t standard)
{
    return given(options, option) ? wanted : standard;
}

/* What is said for this login counts over what is set. */
static void set_offers(struct key_offers *offers, const struct login_options *options)
{
    static const struct login_options none;
    const struct login_options *o = options != NULL ? options : &none;
    offers->header_digest =
        digest_list(o, OPTION_HEADER_DIGEST, o->header_digest, offers->header_digest);
    offers->data_digest = digest_list(o, OPTION_DATA_DIGEST, o->data_digest, offers->data_digest);
    offers->max_connections =
        choose(o, OPTION_MAXIMUM_CONNECTIONS, o->maximum_connections, offers->max_connections);
    offers->default_time2wait =
        choose(o, OPTION_DEFAULT_TIME2WAIT, o->default_time2wait, offers->default_time2wait);
    offers->default_time2retain =
        choose(o, OPTION_DEFAULT_TIME2RETAIN, o->default_time2retain, offers->default_time2retain);
}

static enum status set_peer_secret(struct engine *engine, struct option_settings *out)
{
    struct chap_credentials *chap = &out->session.chap;
    size_t length = 0;
    enum status status = settings_chap_secret(engine, out->peer_secret, &length);
    if (status != STATUS_OK)
        return status;
    if (length == 0)
        return STATUS_INVALID_INITIATOR_SECRET;
    /* RFC 7143, 9.2.1: a secret may not serve both directions. */
    if (length == chap->secret_length && chap_equal(chap->secret, out->peer_secret, length))
        return STATUS_INVALID_SECRET;
    chap->peer_secret = out->peer_secret;
    chap->peer_secret_length = length;
    out->session.auth = SESSION_AUTH_MUTUAL;
    return STATUS_OK;
}

static enum status set_peer(struct engine *engine, const struct login_options *options,
                            struct option_settings *out)
{
    if (!(options->flags & LOGIN_FLAG_RADIUS_VERIFICATION))
        return set_peer_secret(engine, out);
    out->session.chap.ask_verdict = true;
    out->session.auth = SESSION_AUTH_MUTUAL;
    return STATUS_OK;
}

/* A password beside the RADIUS server that makes the response is of no use. */
static void set_secret(const struct login_options *options, struct option_settings *out)
{
    struct chap_credentials *chap = &out->session.chap;
    if (options->flags & LOGIN_FLAG_RADIUS_RESPONSE) {
        chap->ask_response = true;
        return;
    }
    memcpy(out->secret, options->password.data, options->password.length);
    chap->secret = out->secret;
    chap->secret_length = options->password.length;
}

static enum status set_chap(struct engine *engine, const struct login_options *options,
                            struct option_settings *out)
{
    struct chap_credentials *chap = &out->session.chap;
    out->session.auth = SESSION_AUTH_CHAP;
    chap->memory = &engine->challenges;
    chap->name = out->initiator_name;
    if (given(options, OPTION_USERNAME)) {
        memcpy(out->user_name, options->username.data, options->username.length);
        out->user_name[options->username.length] = '\0';
        chap->name = out->user_name;
    }
    if (options->flags & (LOGIN_FLAG_RADIUS_RESPONSE | LOGIN_FLAG_RADIUS_VERIFICATION)) {
        enum status status = radius_check(engine);
        if (status != STATUS_OK)
            return status;
    }
    set_secret(options, out);
    return auth_type(options) == AUTH_MUTUAL ? set_peer(engine, options, out) : STATUS_OK;
}

/* A discovery session has no commands, and is over before it could be silent for long. */
static void set_times(const struct parameters *parameters, struct option_settings *out)
{
    const struct scoped_parameters *scoped = &out->parameters;
    struct session_settings *session = &out->session;
    bool proofs_timed = scoped->origins[PARAMETER_AuthTimeout].scope != SCOPE_DEFAULT;
    session->keep_tasks = !session->discovery;
    session->timeouts = (struct session_timeouts){
        .login = scoped->login_timeout * 1000,
        .auth = (proofs_timed ? scoped->auth_timeout : scoped->login_timeout) * 1000,
        .command = parameters->wmi_request_timeout * 1000,
        .logout = parameters->tcp_disconnect_time * 1000,
        .ping = scoped->ping_timeout * 1000,
    };
    if (session->discovery)
        return;
    session->timeouts.abort = scoped->abort_timeout * 1000;
    session->timeouts.reset = scoped->reset_timeout * 1000;
    session->timeouts.idle = scoped->idle_timeout * 1000;
}

static enum status set_names(struct engine *engine, struct option_settings *out)
{
    const struct adapter_settings *adapter;
    enum status status = settings_node_name(engine, out->initiator_name);
    if (status == STATUS_OK)
        status = adapter_settings(engine, &adapter);
    if (status != STATUS_OK)
        return status;
    out->session.initiator_name = out->initiator_name;
    if (adapter->alias[0] != '\0') {
        memcpy(out->initiator_alias, adapter->alias, sizeof adapter->alias);
        out->session.initiator_alias = out->initiator_alias;
    }
    return STATUS_OK;
}

static enum status set_authentication(struct engine *engine, const struct login_options *options,
                                      struct option_settings *out)
{
    const struct adapter_settings *adapter;
    if (given(options, OPTION_AUTH_TYPE))
        return options->auth_type != AUTH_NONE ? set_chap(engine, options, out) : STATUS_OK;
    enum status status = adapter_settings(engine, &adapter);
    if (status != STATUS_OK)
        return status;
    /* What is said for some beats what is set for the adapter, and that what is said for all. */
    if (file_has_credentials(&out->parameters, adapter->methods_set ? SCOPE_SUBNET : SCOPE_GLOBAL))
        return file_credentials(engine, out);
    return adapter_authentication(engine, out);
}

enum status options_settings(struct engine *engine, const struct login_options *options,
                             const struct configuration_subject *subject,
                             struct option_settings *out)
{
    const struct parameters *parameters;
    *out = (struct option_settings){.session.discovery = subject->target == NULL};
    enum status status = engine_parameters(engine, &parameters);
    if (status != STATUS_OK)
        return status;
    configuration_resolve(engine->configuration, subject, &out->parameters);
    status = set_names(engine, out);
    if (status == STATUS_OK)
        status = login_parameters_offers(engine, subject->target, &out->parameters,
                                         &out->session.offers);
    if (status != STATUS_OK)
        return status;
    set_times(parameters, out);
    set_offers(&out->session.offers, options);
    status = set_authentication(engine, options, out);
    if (status != STATUS_OK)
        options_wipe(out);
    return status;
}

void options_wipe(struct option_settings *settings)
{
    os_wipe(settings, sizeof *settings);
}
