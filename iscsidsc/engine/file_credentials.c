#include "engine/file_credentials.h"

#include <string.h>

bool file_has_credentials(const struct scoped_parameters *parameters, enum configuration_scope from)
{
    static const enum scoped_parameter all[] = {PARAMETER_Username, PARAMETER_Password,
                                                PARAMETER_IncomingUsername,
                                                PARAMETER_IncomingPassword};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (parameters->origins[all[i]].scope >= from)
            return true;
    }
    return false;
}

static size_t copy_secret(uint8_t out[CHAP_SECRET_MAX], const char *secret)
{
    size_t length = strlen(secret);
    memcpy(out, secret, length);
    return length;
}

/* Nobody who wants a target to prove itself may get a login in which it did not. */
static enum status set_peer(struct option_settings *out)
{
    const struct scoped_parameters *parameters = &out->parameters;
    struct chap_credentials *chap = &out->session.chap;
    if (parameters->incoming_password[0] == '\0')
        return parameters->incoming_username[0] == '\0' ? STATUS_OK
                                                        : STATUS_INVALID_INITIATOR_SECRET;
    /* RFC 7143, 9.2.1: a secret may not serve both directions. */
    if (strcmp(parameters->incoming_password, parameters->password) == 0)
        return STATUS_INVALID_SECRET;
    chap->peer_secret_length = copy_secret(out->peer_secret, parameters->incoming_password);
    chap->peer_secret = out->peer_secret;
    if (parameters->incoming_username[0] != '\0') {
        memcpy(out->peer_name, parameters->incoming_username, sizeof out->peer_name);
        chap->peer_name = out->peer_name;
    }
    out->session.auth = SESSION_AUTH_MUTUAL;
    out->session.auth_methods = NULL;
    return STATUS_OK;
}

enum status file_credentials(struct engine *engine, struct option_settings *out)
{
    const struct scoped_parameters *parameters = &out->parameters;
    struct chap_credentials *chap = &out->session.chap;
    if (parameters->password[0] == '\0')
        return STATUS_INVALID_TARGET_SECRET;
    out->session.auth = SESSION_AUTH_CHAP;
    /* A password for everything must not keep us from those that ask for none. */
    out->session.auth_methods = "CHAP,None";
    chap->memory = &engine->challenges;
    chap->name = out->initiator_name;
    if (parameters->username[0] != '\0') {
        memcpy(out->user_name, parameters->username, sizeof out->user_name);
        chap->name = out->user_name;
    }
    chap->secret_length = copy_secret(out->secret, parameters->password);
    chap->secret = out->secret;
    return set_peer(out);
}
