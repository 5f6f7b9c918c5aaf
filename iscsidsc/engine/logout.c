#include "engine/sessions.h"

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

void engine_logout(struct engine_call *call)
{
    const struct request_logout *request = call->request;
    struct engine_session *session = engine_session_find(call->engine, request->session);
    if (session == NULL) {
        engine_finish(call, STATUS_SESSION_NOT_FOUND, NULL);
        return;
    }
    if (session->state == ENGINE_SESSION_LOGOUT) {
        engine_finish(call, STATUS_SESSION_BUSY, NULL);
        return;
    }
    if (!engine_session_say_farewell(session)) { /* without a connection there is nobody to tell */
        engine_session_remove(session);
        engine_finish(call, STATUS_OK, NULL);
        return;
    }
    session->logout = call;
    engine_pend(call, cancel, session);
}
