#include "engine/units.h"

enum { PATIENCE = 1000 /* milliseconds for the scan of the units to end */ };

/* Ended by the answer or the end of the connection: either way the session is gone. */
static enum status result_of(enum status status)
{
    switch (status) {
    case STATUS_CONNECTION_CLOSED:
    case STATUS_CONNECTION_RESET:
        return STATUS_OK;
    default:
        return status;
    }
}

void engine_session_logged_out(struct engine_session *session, enum status status)
{
    struct engine_call *call = session->logout;
    session->logout = NULL;
    if (call != NULL)
        engine_finish(call, result_of(status), NULL);
    engine_session_remove(session);
}

/* The caller is gone: the logout goes on. */
static void cancel(struct engine_call *call)
{
    struct engine_session *session = call->state;
    session->logout = NULL;
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static enum status check(struct engine_session *session)
{
    if (session == NULL)
        return STATUS_SESSION_NOT_FOUND;
    if (session->state == ENGINE_SESSION_LOGOUT)
        return STATUS_SESSION_BUSY;
    return units_in_use(session) ? STATUS_DEVICE_BUSY : STATUS_OK;
}

static struct engine_session *session_of(struct engine_call *call)
{
    const struct request_logout *request = call->request;
    return engine_session_find(call->engine, request->session);
}

static void log_out(struct engine_call *call, bool late)
{
    struct engine_session *session = session_of(call);
    enum status status = check(session);
    if (status != STATUS_OK) {
        engine_finish(call, status, NULL);
        return;
    }
    units_stop(session, late);
    if (!engine_session_say_farewell(session)) { /* without a connection there is nobody to tell */
        engine_session_remove(session);
        engine_finish(call, STATUS_OK, NULL);
        return;
    }
    session->logout = call;
    engine_pend(call, cancel, session);
}

static bool is_quiet(struct engine_call *call)
{
    const struct engine_session *session = session_of(call);
    return session == NULL || session->state != ENGINE_SESSION_LIVE || !units_scanning(session);
}

void engine_logout(struct engine_call *call)
{
    struct engine_session *session = session_of(call);
    enum status status = check(session);
    if (status != STATUS_OK) {
        engine_finish(call, status, NULL);
        return;
    }
    units_stop(session, false);
    units_wait(call, PATIENCE, is_quiet, log_out);
}
