/* The login phase, security and operational stages (RFC 7143, 6.3, 11.12, 11.13). */
#include "initiator/internal.h"
#include "os/crypto.h"
#include "os/memory.h"

#include <string.h>

#define LOGIN_TEXT_MAX     8192u  /* one PDU: the peer's limit until the login is over */
#define LOGIN_RECEIVED_MAX 65536u /* over any number of C bits */
#define LOGIN_ROUNDS_MAX   64u    /* a target that never ends is stopped before the deadline */

struct login {
    struct negotiation negotiation;
    struct chap chap;
    uint8_t stage;
    bool transit;        /* the last request had the T bit */
    bool method_settled; /* AuthMethod was answered */
    bool unproved;       /* the target would not do CHAP, and need not */
    bool asking;         /* somebody who has a CHAP secret; nothing is due from the target */
    bool proving;        /* the answer that is awaited is one to what authenticates */
    uint32_t other_time; /* milliseconds left for the other waits: of those that prove, or not */
    bool moved_on;       /* the answer before that had the T bit */
    unsigned rounds;
    size_t received_length; /* text collected over C bits */
    char *received;
    size_t length; /* of the next request's text */
    char text[LOGIN_TEXT_MAX];
};

void login_free(struct connection *connection)
{
    struct login *login = connection->login;

    if (!login)
        return;
    connection->login = NULL;
    os_free(login->received);
    os_wipe(&login->chap, sizeof login->chap);
    os_free(login);
}

static uint8_t next_stage(const struct login *login)
{
    return login->stage == LOGIN_STAGE_SECURITY ? LOGIN_STAGE_OPERATIONAL
                                                : LOGIN_STAGE_FULL_FEATURE;
}

/* Each of the two kinds of wait has its time. */
static void count_as(struct connection *connection, bool proving)
{
    struct login *login = connection->login;
    uint64_t now = connection->now;
    uint64_t left = connection->due > now ? connection->due - now : 0;

    if (proving == login->proving || connection_settings(connection)->timeouts.auth == 0)
        return;
    login->proving = proving;
    connection->due = now + login->other_time;
    login->other_time = (uint32_t)left;
}

static bool is_authenticated(const struct connection *connection)
{
    return connection_settings(connection)->auth != SESSION_AUTH_NONE &&
           !connection->login->unproved;
}

static void send_request(struct connection *connection, bool transit)
{
    struct session *session = connection->session;
    struct login *login = connection->login;
    struct pdu pdu = {.opcode = PDU_LOGIN_REQUEST, .immediate = true, .itt = 0};
    size_t length = login->length;

    count_as(connection, login->stage == LOGIN_STAGE_SECURITY && is_authenticated(connection) &&
                             login->chap.state != CHAP_START);
    login->transit = transit;
    login->length = 0;
    pdu.data_length = (uint32_t)length;
    pdu.login_request.transit = transit;
    pdu.login_request.current_stage = login->stage;
    pdu.login_request.next_stage = transit ? next_stage(login) : 0;
    memcpy(pdu.login_request.isid, session->settings.isid, PDU_ISID_LENGTH);
    pdu.login_request.tsih = session->tsih;
    pdu.login_request.cid = connection->cid;
    pdu.login_request.cmd_sn = session->cmd_sn;
    pdu.login_request.exp_stat_sn = connection->stat_sn.next;
    output_send(connection, &pdu, login->text, length);
}

static bool say(struct login *login, const char *key, const char *value)
{
    return text_append(login->text, sizeof login->text, &login->length, key, value);
}

static void no_room(struct connection *connection)
{
    connection_fail(connection, STATUS_INTERNAL, "the login text does not fit into one PDU");
}

/* The session's, whatever the connection has of its own: it is one initiator and one target. */
static bool say_names(struct login *login, const struct session_settings *settings)
{
    bool fits = say(login, "InitiatorName", settings->initiator_name);

    if (settings->initiator_alias)
        fits = fits && say(login, "InitiatorAlias", settings->initiator_alias);
    if (login->negotiation.leading)
        fits = fits && say(login, "SessionType", settings->discovery ? "Discovery" : "Normal");
    if (!settings->discovery)
        fits = fits && say(login, "TargetName", settings->target_name);
    return fits;
}

static bool make_offers(struct login *login)
{
    return negotiation_offer(&login->negotiation, login->text, sizeof login->text, &login->length);
}

/* Without authentication there is no security stage, which saves a round trip; a target that wants
 * one answers with status 0201. On a further connection there is: without it tgt 1.0.85 makes
 * another session of it. */
static bool has_security_stage(const struct connection *connection)
{
    return is_authenticated(connection) || connection->session->tsih != 0;
}

/* CHAP alone when CHAP is wanted, unless the owner says otherwise: with "CHAP,None" a target can
 * let us in unasked. */
static const char *methods(const struct connection *connection)
{
    const char *wanted = connection_settings(connection)->auth_methods;

    if (!is_authenticated(connection))
        return "None";
    return wanted ? wanted : "CHAP";
}

static bool first_text(struct connection *connection)
{
    struct login *login = connection->login;

    if (!say_names(login, &connection->session->settings))
        return false;
    if (!has_security_stage(connection))
        return make_offers(login);
    return say(login, "AuthMethod", methods(connection));
}

void login_start(struct connection *connection)
{
    struct session *session = connection->session;
    const struct session_settings *settings = connection_settings(connection);
    struct login *login = os_alloc(sizeof *login);

    connection->login = login;
    if (!login) {
        connection_fail(connection, STATUS_NO_MEMORY, "no memory for the login");
        return;
    }
    login->other_time = settings->timeouts.auth;
    negotiation_start(&login->negotiation, true, session->settings.discovery, session->tsih == 0,
                      &settings->offers);
    if (settings->auth != SESSION_AUTH_NONE)
        chap_start_initiator(&login->chap, session->crypto, &settings->chap,
                             settings->auth == SESSION_AUTH_MUTUAL);
    login->stage = has_security_stage(connection) ? LOGIN_STAGE_SECURITY : LOGIN_STAGE_OPERATIONAL;
    if (first_text(connection))
        send_request(connection, !is_authenticated(connection));
    else
        no_room(connection);
}

/* --- a refusal --- */

static void take_redirect(struct connection *connection, const char *text, size_t length)
{
    struct portal_address address;
    struct text_pair pair;
    size_t offset = 0;

    while (text_next(text, length, &offset, &pair) == 1) {
        if (!text_key_is(&pair, "TargetAddress"))
            continue;
        if (portal_parse(pair.value, pair.value_length, true, false, &address) != STATUS_OK)
            continue;
        os_free(connection->redirect);
        connection->redirect = os_copy(&address, sizeof address);
        return;
    }
}

static void refused(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const struct pdu_login_response *response = &pdu->login_response;

    if (response->status_class == 1)
        take_redirect(connection, (const char *)connection->segment, pdu->data_length);
    connection_fail(connection, login_status(response->status_class, response->status_detail),
                    "Login Response with status %02x%02x", response->status_class,
                    response->status_detail);
}

/* --- the header of an answer --- */

/* What is wrong with it, or NULL. */
static const char *header_fault(const struct connection *connection)
{
    const struct login *login = connection->login;
    const struct pdu_login_response *response = &connection->framer.pdu.login_response;

    if (connection->framer.pdu.itt != 0)
        return "wrong ITT in Login Response";
    if (login->asking)
        return "Login Response that answers nothing";
    if (response->status_class != 0)
        return NULL; /* tgt refuses with an ISID of zeros */
    if (memcmp(response->isid, connection->session->settings.isid, PDU_ISID_LENGTH) != 0)
        return "wrong ISID in Login Response";
    if (response->version_active != 0)
        return "a protocol version that was not offered";
    if (response->current_stage != login->stage)
        return "wrong stage in Login Response";
    if (response->transit && response->more)
        return "T and C bit together in Login Response";
    if (response->transit && !login->transit)
        return "T bit in Login Response that was not asked for";
    if (response->transit && response->next_stage != next_stage(login))
        return "wrong next stage in Login Response";
    return NULL;
}

/* --- the text of an answer --- */

static bool append_received(struct connection *connection)
{
    struct login *login = connection->login;
    uint32_t length = connection->framer.pdu.data_length;
    char *received;

    if (login->received_length + length > LOGIN_RECEIVED_MAX) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "more login text than can be");
        return false;
    }
    received = os_grow(login->received, login->received_length + length + 1);
    if (!received) {
        connection_fail(connection, STATUS_NO_MEMORY, "no memory for login text");
        return false;
    }
    memcpy(received + login->received_length, connection->segment, length);
    login->received = received;
    login->received_length += length;
    return true;
}

static void keep_alias(struct session *session, const struct text_pair *pair)
{
    char *alias = os_alloc(pair->value_length + 1);

    if (!alias)
        return;
    memcpy(alias, pair->value, pair->value_length);
    os_free(session->target_alias);
    session->target_alias = alias;
}

static enum status check_method(struct connection *connection, const struct text_pair *pair)
{
    /* A target that will not do CHAP, or not without it, refuses the authentication. */
    static const char refusals[] = "None,CHAP,Reject,NotUnderstood,Irrelevant";
    bool chap = is_authenticated(connection);

    connection->login->method_settled = true;
    if (chap && connection_settings(connection)->auth_methods && strcmp(pair->value, "None") == 0) {
        connection->login->unproved = true;
        return STATUS_OK;
    }
    if (strcmp(pair->value, chap ? "CHAP" : "None") == 0)
        return STATUS_OK;
    return text_list_has(refusals, sizeof refusals - 1, pair->value) ? STATUS_AUTHENTICATION_FAILED
                                                                     : STATUS_NEGOTIATION_FAILED;
}

/* The keys that the login itself understands. */
static bool take_login_keys(struct connection *connection)
{
    struct login *login = connection->login;
    struct session *session = connection->session;
    struct text_pair pair;
    size_t offset = 0;
    uint64_t tag;
    int next;

    while ((next = text_next(login->received, login->received_length, &offset, &pair)) == 1) {
        enum status status = STATUS_OK;

        if (text_key_is(&pair, "AuthMethod"))
            status = check_method(connection, &pair);
        else if (text_key_is(&pair, "TargetAlias"))
            keep_alias(session, &pair);
        else if (text_key_is(&pair, "TargetPortalGroupTag") &&
                 text_number(pair.value, pair.value_length, &tag) && tag <= UINT16_MAX)
            session->portal_group = (uint16_t)tag;
        if (status != STATUS_OK) {
            connection_fail(connection, status, "AuthMethod=%.40s is not acceptable", pair.value);
            return false;
        }
    }
    if (next < 0)
        connection_fail(connection, STATUS_INVALID_TEXT, "login text that is not key=value");
    return next == 0;
}

static bool negotiate(struct connection *connection)
{
    struct login *login = connection->login;
    unsigned phase = login->stage == LOGIN_STAGE_SECURITY ? KEY_IN_SECURITY : KEY_IN_OPERATIONAL;
    enum status status =
        negotiation_receive(&login->negotiation, login->received, login->received_length, phase,
                            login->text, sizeof login->text, &login->length);

    if (status != STATUS_OK)
        connection_fail(connection, status, "%s is not acceptable", login->negotiation.detail);
    return status == STATUS_OK;
}

/* --- the stages --- */

static bool take_chap(struct connection *connection)
{
    struct login *login = connection->login;
    enum status status = STATUS_OK;

    if (login->chap.state != CHAP_START)
        status = chap_receive(&login->chap, login->received, login->received_length, NULL);
    if (status != STATUS_OK)
        connection_fail(connection, status, "CHAP failed");
    return status == STATUS_OK;
}

static void enter_operational(struct connection *connection)
{
    struct login *login = connection->login;

    login->stage = LOGIN_STAGE_OPERATIONAL;
    login->length = 0;
    if (make_offers(login))
        send_request(connection, true);
    else
        no_room(connection);
}

/* CHAP knows what to say. */
static void answer_chap(struct connection *connection, bool moved_on)
{
    struct login *login = connection->login;
    enum session_auth auth = connection_settings(connection)->auth;

    if (!chap_send(&login->chap, login->text, sizeof login->text, &login->length)) {
        no_room(connection);
        return;
    }
    if (!moved_on) {
        send_request(connection,
                     login->chap.state == CHAP_DONE || login->chap.state == CHAP_WAIT_PROOF);
        return;
    }
    if (login->chap.state == CHAP_DONE)
        enter_operational(connection);
    else /* authentication fails closed (RFC 7143, 9.2.1) */
        connection_fail(connection,
                        auth == SESSION_AUTH_MUTUAL ? STATUS_TARGET_AUTHENTICATION_FAILED
                                                    : STATUS_AUTHENTICATION_FAILED,
                        "the target moved on without finishing CHAP");
}

static void ask(struct connection *connection, const struct chap_question *question)
{
    const struct session_callbacks *callbacks = connection->session->callbacks;

    connection->login->asking = true;
    if (callbacks->ask)
        callbacks->ask(connection->owner, connection, question);
    else
        connection_fail(connection, STATUS_INTERNAL, "nobody to ask for a CHAP secret");
}

void connection_answer(struct connection *connection, enum status status,
                       const uint8_t response[CHAP_MD5_LENGTH], uint64_t now)
{
    struct login *login = connection->login;

    if (!login || !login->asking)
        return;
    connection->now = now;
    login->asking = false;
    status = chap_answer(&login->chap, status, response);
    if (status == STATUS_OK)
        answer_chap(connection, login->moved_on);
    else
        connection_fail(connection, status, "who has the CHAP secret: %s", status_text(status));
}

static void security_stage(struct connection *connection, bool moved_on)
{
    struct login *login = connection->login;
    struct chap_question question;

    if (!login->method_settled) {
        connection_fail(connection, STATUS_AUTHENTICATION_FAILED, "AuthMethod was not answered");
        return;
    }
    if (!is_authenticated(connection)) {
        if (moved_on)
            enter_operational(connection);
        else
            send_request(connection, true);
        return;
    }
    if (!take_chap(connection))
        return;
    login->moved_on = moved_on;
    if (chap_question(&login->chap, &question))
        ask(connection, &question);
    else
        answer_chap(connection, moved_on);
}

/* What belongs to the session was settled by the leading login. */
static void take_values(struct connection *connection)
{
    struct session *session = connection->session;
    const struct key_values *negotiated = &connection->login->negotiation.values;

    if (session->tsih == 0)
        session->values = *negotiated;
    connection->values = session->values;
    connection->values.header_digest = negotiated->header_digest;
    connection->values.data_digest = negotiated->data_digest;
    connection->values.max_recv_data_segment_length = negotiated->max_recv_data_segment_length;
    connection->values.max_send_data_segment_length = negotiated->max_send_data_segment_length;
}

static void keep_authentication(struct connection *connection)
{
    struct session *session = connection->session;
    bool authenticated = is_authenticated(connection);

    connection->auth =
        (uint8_t)(authenticated ? connection_settings(connection)->auth : SESSION_AUTH_NONE);
    connection->chap_algorithm = (uint8_t)(authenticated ? connection->login->chap.algorithm : 0);
    if (session->tsih == 0)
        session->settings.chap.algorithm = connection->chap_algorithm;
}

static void logged_in(struct connection *connection)
{
    struct session *session = connection->session;
    const struct pdu_login_response *response = &connection->framer.pdu.login_response;

    if (response->tsih == 0 || (session->tsih != 0 && response->tsih != session->tsih)) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "TSIH %04x at the end of the login",
                        response->tsih);
        return;
    }
    take_values(connection);
    keep_authentication(connection);
    session->tsih = response->tsih;
    connection->framer.header_digest = connection->values.header_digest != DIGEST_NONE;
    connection->framer.data_digest = connection->values.data_digest != DIGEST_NONE;
    connection->framer.max_data_length = connection->values.max_recv_data_segment_length;
    connection->state = CONNECTION_FULL_FEATURE;
    alive_start(connection);
    login_free(connection);
    os_free(connection->segment);
    connection->segment = NULL;
    connection->segment_room = 0;
    recover_logged_in(connection);
    if (connection->state != CONNECTION_FULL_FEATURE)
        return;
    session->callbacks->logged_in(connection->owner, connection);
    tasks_pump(session);
}

static void operational_stage(struct connection *connection, bool moved_on)
{
    struct negotiation *negotiation = &connection->login->negotiation;

    if (!moved_on)
        send_request(connection, true);
    else if (negotiation_acceptable(negotiation))
        logged_in(connection);
    else /* an answer that was left out means None, where it was not offered */
        connection_fail(connection, STATUS_NEGOTIATION_FAILED, "%s is not acceptable",
                        negotiation->detail);
}

static void take_text(struct connection *connection, bool moved_on)
{
    struct login *login = connection->login;

    if (!take_login_keys(connection) || !negotiate(connection))
        return;
    if (login->stage == LOGIN_STAGE_SECURITY)
        security_stage(connection, moved_on);
    else
        operational_stage(connection, moved_on);
    if (connection->login)
        connection->login->received_length = 0;
}

void login_receive(struct connection *connection)
{
    const struct pdu *pdu = &connection->framer.pdu;
    const struct pdu_login_response *response = &pdu->login_response;
    const char *fault;

    if (pdu->opcode != PDU_LOGIN_RESPONSE) {
        connection_fail(connection,
                        pdu->opcode == PDU_REJECT ? STATUS_REJECTED : STATUS_PROTOCOL_ERROR,
                        "%s during the login", pdu_opcode_name(pdu->opcode));
        return;
    }
    fault = header_fault(connection);
    count_as(connection, false);
    if (!fault && ++connection->login->rounds > LOGIN_ROUNDS_MAX)
        fault = "a login without end";
    if (fault) {
        connection_fail(connection, STATUS_PROTOCOL_ERROR, "%s", fault);
        return;
    }
    if (response->status_class != 0) {
        refused(connection); /* its StatSN counts for nothing */
        return;
    }
    if (!stat_sn_accept(connection, response->sn.stat_sn))
        return;
    /* While a connection joins, its target may not know the session's numbers yet. */
    if (connection->session->tsih == 0)
        window_update(connection->session, &response->sn);
    if (!append_received(connection))
        return;
    if (response->more)
        send_request(connection, false);
    else
        take_text(connection, response->transit);
}
