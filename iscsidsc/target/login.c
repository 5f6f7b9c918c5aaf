/* Login, the target's side (RFC 7143, 6.3): requests in, stages, responses. */
#include "target/login.h"

/* --- responses --- */

static struct pdu response_pdu(const struct target_login *login)
{
    struct pdu pdu = {.opcode = PDU_LOGIN_RESPONSE, .itt = login->request.itt};
    const struct pdu_login_request *request = &login->request.login_request;

    memcpy(pdu.login_response.isid, request->isid, PDU_ISID_LENGTH);
    pdu.login_response.tsih = request->tsih;
    pdu.login_response.current_stage = request->current_stage;
    return pdu;
}

bool target_login_fail(struct target_connection *connection, uint16_t status)
{
    struct pdu pdu = response_pdu(connection->login);

    pdu.login_response.status_class = (uint8_t)(status >> 8);
    pdu.login_response.status_detail = (uint8_t)status;
    target_send(connection, &pdu, NULL, 0, NULL);
    target_connection_end(connection, TARGET_END_CLOSE);
    return false;
}

static void redirect(struct target_connection *connection, const struct target *target)
{
    struct pdu pdu = response_pdu(connection->login);
    char text[PORTAL_HOST_MAX + 64];
    size_t length = 0;

    pdu.login_response.status_class = 1;
    pdu.login_response.status_detail = target->redirect_permanent ? 2 : 1;
    if (!text_append(text, sizeof text, &length, "TargetAddress", target->redirect)) {
        target_login_fail(connection, LOGIN_TARGET_ERROR);
        return;
    }
    target_send_copy(connection, &pdu, text, (uint32_t)length);
    target_connection_end(connection, TARGET_END_CLOSE);
}

/* --- one request --- */

static bool same_login(const struct pdu_login_request *a, const struct pdu_login_request *b)
{
    return memcmp(a->isid, b->isid, PDU_ISID_LENGTH) == 0 && a->tsih == b->tsih && a->cid == b->cid;
}

/* What the header alone tells. */
static bool check_header(struct target_connection *connection, const struct pdu *pdu)
{
    struct target_login *login = connection->login;
    const struct pdu_login_request *request = &pdu->login_request;
    bool first = !login->started;
    bool same = first || same_login(request, &login->request.login_request);

    login->request = *pdu;
    connection->login_cmd_sn = request->cmd_sn;
    if (first) {
        login->stage = request->current_stage;
        connection->cid = request->cid;
        connection->exp_stat_sn = request->exp_stat_sn;
        connection->stat_sn = request->exp_stat_sn; /* the first StatSN is ours to choose */
        login->started = true;
    }
    if (request->version_min > 0)
        return target_login_fail(connection, LOGIN_UNSUPPORTED_VERSION);
    if (!same || request->current_stage != login->stage ||
        request->current_stage > LOGIN_STAGE_OPERATIONAL || (request->transit && request->more))
        return target_login_fail(connection, LOGIN_INITIATOR_ERROR);
    if (request->transit && (request->next_stage <= request->current_stage ||
                             request->next_stage == 2 || request->next_stage > 3))
        return target_login_fail(connection, LOGIN_INITIATOR_ERROR);
    return true;
}

static bool append_text(struct target_connection *connection, const char *data, size_t length)
{
    struct target_login *login = connection->login;
    char *text;

    if (length > LOGIN_TEXT_LIMIT - login->text_length)
        return target_login_fail(connection, LOGIN_INITIATOR_ERROR);
    text = os_grow(login->text, login->text_length + length + 1);
    if (text == NULL)
        return target_login_fail(connection, LOGIN_OUT_OF_RESOURCES);
    if (length > 0)
        memcpy(text + login->text_length, data, length);
    login->text = text;
    login->text_length += length;
    return true;
}

/* The session stands, or the connection is in it: the last response of the login. */
static bool enter_full_feature(struct target_connection *connection, struct pdu *pdu)
{
    struct target_login *login = connection->login;
    struct target_session *session = target_login_session(connection);

    if (session == NULL)
        return false;
    connection->values = login->negotiation.values;
    if (login->leading)
        session->values = connection->values;
    target_session_join(session, connection);
    pdu->login_response.tsih = session->tsih;
    return true;
}

static void start_full_feature(struct target_connection *connection)
{
    const struct target_fault *fault = connection->entity->settings.fault;
    const struct key_values *values = &connection->values;

    connection->framer.header_digest = values->header_digest == DIGEST_CRC32C;
    connection->framer.data_digest = values->data_digest == DIGEST_CRC32C;
    connection->framer.max_data_length = values->max_recv_data_segment_length;
    if (connection->state == TARGET_LOGIN)
        connection->state = TARGET_FULL_FEATURE;
    target_login_free(connection->login);
    connection->login = NULL;
    if (fault != NULL && fault->full_feature != NULL && connection->state == TARGET_FULL_FEATURE)
        fault->full_feature(fault->context, connection);
}

/* Sends what there is of the reply; a long one goes on with the initiator's next (empty) request.
 */
static void respond(struct target_connection *connection, bool ready)
{
    struct target_login *login = connection->login;
    const struct pdu_login_request *request = &login->request.login_request;
    struct pdu pdu = response_pdu(login);
    size_t left = login->reply_length - login->reply_sent;
    bool more = left > LOGIN_SEGMENT;
    uint32_t length = more ? LOGIN_SEGMENT : (uint32_t)left;
    bool transit = request->transit && ready && !more;
    bool done = transit && request->next_stage == LOGIN_STAGE_FULL_FEATURE;

    pdu.login_response.more = more;
    pdu.login_response.transit = transit;
    pdu.login_response.next_stage = transit ? request->next_stage : 0;
    if (done && !enter_full_feature(connection, &pdu))
        return;
    if (transit)
        login->stage = request->next_stage;
    target_send_copy(connection, &pdu, login->reply + login->reply_sent, length);
    login->reply_sent += length;
    if (!more)
        login->reply_length = login->reply_sent = 0;
    if (done)
        start_full_feature(connection);
}

void target_login_request(struct target_connection *connection, const struct pdu *pdu,
                          const char *data, size_t length)
{
    struct target_login *login = connection->login;
    bool ready;

    if (!check_header(connection, pdu))
        return;
    if (login->reply_length > 0) { /* our reply goes on */
        if (length > 0)
            target_login_fail(connection, LOGIN_INITIATOR_ERROR);
        else
            respond(connection, login->ready);
        return;
    }
    if (!append_text(connection, data, length))
        return;
    if (pdu->login_request.more) {
        respond(connection, false);
        return;
    }
    if (!target_login_stage(connection, &ready))
        return;
    login->text_length = 0;
    login->ready = ready;
    respond(connection, ready);
}

/* --- life --- */

struct target_login *target_login_new(struct target_connection *connection)
{
    struct target_login *login = os_alloc(sizeof *login);

    if (login != NULL)
        login->connection = connection;
    return login;
}

void target_login_free(struct target_login *login)
{
    if (login == NULL)
        return;
    os_free(login->text);
    os_free(login);
}

bool target_login_discovery(const struct target_login *login)
{
    return login->identified && login->target == NULL;
}

void target_login_forget(struct target_connection *connection, const struct target *target)
{
    if (connection->login == NULL || connection->login->target != target)
        return;
    connection->login->target = NULL;
    target_connection_end(connection, TARGET_END_CLOSE);
}

bool target_login_moved(struct target_connection *connection)
{
    const struct target *target = connection->login->target;

    if (target == NULL || target->redirect == NULL)
        return false;
    redirect(connection, target);
    return true;
}
