/* What a login says: who comes, to what, with which proof, on which terms (RFC 7143, 6.3, 12.1). */
#include "target/login.h"

#include <stdio.h>

static const struct text_pair *find_key(const struct target_login *login, const char *key,
                                        struct text_pair *pair)
{
    size_t offset = 0;

    while (text_next(login->text, login->text_length, &offset, pair) == 1) {
        if (text_key_is(pair, key))
            return pair;
    }
    return NULL;
}

static bool value_is(const struct text_pair *pair, const char *text)
{
    return pair->value_length == strlen(text) && memcmp(pair->value, text, strlen(text)) == 0;
}

/* A name as it is compared. */
static bool read_name(const struct text_pair *pair, char out[ISCSI_NAME_MAX + 1])
{
    char name[ISCSI_NAME_MAX + 1];

    if (pair->value_length > ISCSI_NAME_MAX)
        return false;
    memcpy(name, pair->value, pair->value_length);
    name[pair->value_length] = '\0';
    return name_normalize(name, out);
}

static bool reply(struct target_login *login, const char *key, const char *value)
{
    return text_append(login->reply, sizeof login->reply, &login->reply_length, key, value);
}

/* --- the first request: who, and to what --- */

static bool check_access(struct target_connection *connection)
{
    const struct target_login *login = connection->login;

    return target_access_permits(login->access, login->initiator, connection) ||
           target_login_fail(connection, LOGIN_NOT_AUTHORIZED);
}

static bool find_target(struct target_connection *connection, bool discovery)
{
    struct target_login *login = connection->login;
    char name[ISCSI_NAME_MAX + 1];
    struct text_pair pair;

    if (discovery) {
        login->access = &connection->entity->discovery;
        return check_access(connection);
    }
    if (find_key(login, "TargetName", &pair) == NULL)
        return target_login_fail(connection, LOGIN_MISSING_PARAMETER);
    login->target = read_name(&pair, name) ? target_find(connection->entity, name) : NULL;
    if (login->target == NULL || !target_in_group(login->target, connection->group)) {
        login->target = NULL;
        return target_login_fail(connection, LOGIN_NOT_FOUND);
    }
    login->access = &login->target->access;
    return check_access(connection);
}

static bool identify(struct target_connection *connection)
{
    struct target_login *login = connection->login;
    struct text_pair pair;
    bool discovery = false;

    if (find_key(login, "InitiatorName", &pair) == NULL)
        return target_login_fail(connection, LOGIN_MISSING_PARAMETER);
    if (!read_name(&pair, login->initiator))
        return target_login_fail(connection, LOGIN_INITIATOR_ERROR);
    if (find_key(login, "SessionType", &pair) != NULL) {
        discovery = value_is(&pair, "Discovery");
        if (!discovery && !value_is(&pair, "Normal"))
            return target_login_fail(connection, LOGIN_SESSION_TYPE);
    }
    if (!find_target(connection, discovery) || target_login_moved(connection))
        return false;
    login->leading = login->request.login_request.tsih == 0;
    login->authenticated = list_empty(&login->access->accounts);
    negotiation_start(&login->negotiation, false, discovery, login->leading,
                      &connection->entity->settings.offers);
    login->identified = true;
    return true;
}

/* --- security --- */

static bool choose_method(struct target_connection *connection, const struct text_pair *offered)
{
    struct target_login *login = connection->login;
    const char *method = login->authenticated ? "None" : "CHAP";

    if (!text_list_has(offered->value, offered->value_length, method))
        return target_login_fail(connection, LOGIN_AUTHENTICATION_FAILURE);
    if (!login->authenticated) {
        chap_start_target(&login->chap, connection->entity->crypto);
        login->chap_started = true;
    }
    return reply(login, "AuthMethod", method) || target_login_fail(connection, LOGIN_TARGET_ERROR);
}

static uint16_t chap_failure(enum status status)
{
    switch (status) {
    case STATUS_AUTHENTICATION_FAILED:
        return LOGIN_AUTHENTICATION_FAILURE;
    case STATUS_INTERNAL:
        return LOGIN_TARGET_ERROR;
    default:
        return LOGIN_INITIATOR_ERROR;
    }
}

static bool do_chap(struct target_connection *connection)
{
    struct target_login *login = connection->login;
    /* The lookup hands the context back as it came; accounts are only read. */
    struct chap_lookup lookup = {target_access_find, (void *)(uintptr_t)login->access};
    enum status status = chap_receive(&login->chap, login->text, login->text_length, &lookup);

    if (status != STATUS_OK)
        return target_login_fail(connection, chap_failure(status));
    if (!chap_send(&login->chap, login->reply, sizeof login->reply, &login->reply_length))
        return target_login_fail(connection, LOGIN_TARGET_ERROR);
    login->authenticated = login->chap.state == CHAP_DONE;
    return true;
}

static bool security_stage(struct target_connection *connection)
{
    struct target_login *login = connection->login;
    struct text_pair pair;

    if (login->chap_started) {
        if (!login->authenticated && !do_chap(connection))
            return false;
    } else if (find_key(login, "AuthMethod", &pair) != NULL) {
        return choose_method(connection, &pair);
    }
    /* Moving on without a proof is refused, not ignored: the initiator believes that it is in. */
    if (login->request.login_request.transit && !login->authenticated && !login->chap_started)
        return target_login_fail(connection, LOGIN_AUTHENTICATION_FAILURE);
    return true;
}

/* --- terms --- */

static bool negotiate(struct target_connection *connection, unsigned phase)
{
    struct target_login *login = connection->login;
    enum status status =
        negotiation_receive(&login->negotiation, login->text, login->text_length, phase,
                            login->reply, sizeof login->reply, &login->reply_length);

    if (status != STATUS_OK)
        return target_login_fail(connection, LOGIN_INITIATOR_ERROR);
    return true;
}

/* RFC 7143, 13.9: in the first response of a normal session's leading login. */
static bool tell_target(struct target_connection *connection)
{
    struct target_login *login = connection->login;
    char group[8];

    if (login->group_told || login->target == NULL)
        return true;
    login->group_told = true;
    snprintf(group, sizeof group, "%u", connection->group);
    if (!reply(login, "TargetPortalGroupTag", group) ||
        (login->target->alias != NULL && !reply(login, "TargetAlias", login->target->alias)))
        return target_login_fail(connection, LOGIN_TARGET_ERROR);
    return true;
}

bool target_login_stage(struct target_connection *connection, bool *ready)
{
    struct target_login *login = connection->login;
    bool security = login->stage == LOGIN_STAGE_SECURITY;

    if (!login->identified && !identify(connection))
        return false;
    if (!security && !login->authenticated)
        return target_login_fail(connection, LOGIN_AUTHENTICATION_FAILURE);
    if (security && !security_stage(connection))
        return false;
    if (!negotiate(connection, security ? KEY_IN_SECURITY : KEY_IN_OPERATIONAL) ||
        !tell_target(connection))
        return false;
    *ready = login->authenticated;
    return true;
}

/* --- the session --- */

struct target_session *target_login_joins(const struct target_connection *connection)
{
    const struct target_login *login = connection->login;
    const struct pdu_login_request *request;

    if (login == NULL || !login->identified || login->leading)
        return NULL;
    request = &login->request.login_request;
    return target_session_find(connection, login->target, login->initiator, request->isid,
                               request->tsih);
}

/* A further connection of a session that is there. */
static struct target_session *join_session(struct target_connection *connection)
{
    struct target_session *session = target_login_joins(connection);
    struct target_connection *same;
    uint32_t count = 0;

    if (session == NULL) {
        target_login_fail(connection, LOGIN_NO_SESSION);
        return NULL;
    }
    same = target_session_connection(session, connection->cid);
    LIST_EACH(node, &session->connections)
    count += LIST_OWNER(node, struct target_connection, sibling)->state == TARGET_FULL_FEATURE;
    if (same != NULL) { /* connection reinstatement, RFC 7143, 6.3.4 */
        if (target_recovery_possible(same))
            target_recovery_keep(same);
        same->left = true;
        target_connection_end(same, TARGET_END_CLOSE);
    } else if (count >= session->values.max_connections) {
        target_login_fail(connection, LOGIN_TOO_MANY_CONNECTIONS);
        return NULL;
    }
    target_recovery_allow(session, connection->cid); /* logged out by this */
    return session;
}

static bool is_full(const struct target_entity *entity)
{
    uint32_t count = 0;

    if (entity->settings.max_sessions == 0)
        return false;
    LIST_EACH(node, &entity->sessions)
    count++;
    return count >= entity->settings.max_sessions;
}

struct target_session *target_login_session(struct target_connection *connection)
{
    struct target_login *login = connection->login;
    const struct pdu_login_request *request = &login->request.login_request;
    struct target_session *session = NULL;

    if (!negotiation_acceptable(&login->negotiation)) {
        target_login_fail(connection, LOGIN_INITIATOR_ERROR);
        return NULL;
    }
    if (!login->leading)
        return join_session(connection);
    /* The same initiator port again: session reinstatement, RFC 7143, 6.3.5. Discovery sessions of
     * one initiator may run side by side: there is nothing in them that could be mixed up. */
    if (login->target != NULL)
        session =
            target_session_find(connection, login->target, login->initiator, request->isid, 0);
    if (session != NULL)
        target_session_end(session);
    session = is_full(connection->entity)
                  ? NULL
                  : target_session_new(connection, login->target, login->initiator, request);
    if (session == NULL)
        target_login_fail(connection, LOGIN_OUT_OF_RESOURCES);
    return session;
}
