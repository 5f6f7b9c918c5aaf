#include "engine/automatic_logins.h"
#include "engine/units.h"
#include "engine/withdrawal.h"

enum {
    /* Milliseconds in which a device is found free by whoever has just closed it: the kernel tells
     * of a file's end, and a socket of its peer's, a moment later. */
    CLOSING_PATIENCE = 100,
    PATIENCE = 1000,             /* the same for the scan of the units to end */
    WITHDRAWAL_PATIENCE = 30000, /* for their devices to go: a file system may have much to write */
};

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
    engine_session_remove(session); /* with its devices: whoever is answered sees none of them */
    if (call != NULL)
        engine_finish(call, result_of(status), NULL);
}

/* The caller is gone: the logout goes on. */
static void cancel(struct engine_call *call)
{
    struct engine_session *session = call->state;
    session->logout = NULL;
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static struct engine_session *session_of(struct engine_call *call)
{
    const struct request_logout *request = call->request;
    return engine_session_find(call->engine, request->session);
}

/* Does the logout take devices from whoever uses them? */
static bool is_forced(const struct engine_call *call)
{
    return call->operation->number == OPERATION_force_logout;
}

static enum status check(const struct engine_call *call, const struct engine_session *session)
{
    if (session == NULL)
        return STATUS_SESSION_NOT_FOUND;
    if (session->state == ENGINE_SESSION_LOGOUT)
        return STATUS_SESSION_BUSY;
    return !is_forced(call) && units_in_use(session) ? STATUS_DEVICE_BUSY : STATUS_OK;
}

/* --- the third step: the target is told --- */

static enum withdrawal withdraw(const struct engine_call *call, struct engine_session *session)
{
    enum withdrawal now = units_withdraw(session, is_forced(call));
    return is_forced(call) ? WITHDRAWN : now;
}

static void refuse(struct engine_call *call, struct engine_session *session, enum status status)
{
    if (session != NULL && session->state != ENGINE_SESSION_LOGOUT)
        units_readmit(session);
    engine_finish(call, status, NULL);
}

static void log_out(struct engine_call *call, bool late)
{
    struct engine_session *session = session_of(call);
    enum status status = check(call, session);
    if (status == STATUS_OK && withdraw(call, session) != WITHDRAWN)
        status = STATUS_DEVICE_BUSY;
    if (status != STATUS_OK) {
        refuse(call, session, status);
        return;
    }
    units_stop(session, late);
    automatic_login_left(session);
    if (!engine_session_say_farewell(session)) { /* without a connection there is nobody to tell */
        engine_session_remove(session);
        engine_finish(call, STATUS_OK, NULL);
        return;
    }
    session->logout = call;
    engine_pend(call, cancel, session);
}

/* --- the second: nothing is under way that a logout could overtake --- */

static void readmit(struct engine_call *call)
{
    struct engine_session *session = session_of(call);
    if (session != NULL && session->state != ENGINE_SESSION_LOGOUT)
        units_readmit(session);
}

static bool is_quiet(struct engine_call *call)
{
    const struct engine_session *session = session_of(call);
    return session == NULL || session->state != ENGINE_SESSION_LIVE || !units_scanning(session);
}

static void become_quiet(struct engine_call *call, bool late)
{
    struct engine_session *session = session_of(call);
    enum status status = check(call, session);
    if (status == STATUS_OK && late && !is_forced(call))
        status = STATUS_DEVICE_BUSY;
    if (status != STATUS_OK) {
        refuse(call, session, status);
        return;
    }
    units_stop(session, false);
    units_wait_undoing(call, PATIENCE, is_quiet, log_out, readmit);
}

/* --- the first: what was written to the devices reaches the target --- */

static bool is_withdrawn(struct engine_call *call)
{
    struct engine_session *session = session_of(call);
    return session == NULL || session->state == ENGINE_SESSION_LOGOUT ||
           units_withdraw(session, is_forced(call)) != WITHDRAWING;
}

static bool is_free(struct engine_call *call)
{
    return check(call, session_of(call)) != STATUS_DEVICE_BUSY;
}

static void begin(struct engine_call *call, bool late)
{
    enum status status = check(call, session_of(call));
    (void)late;
    if (status != STATUS_OK)
        engine_finish(call, status, NULL);
    else
        units_wait_undoing(call, WITHDRAWAL_PATIENCE, is_withdrawn, become_quiet, readmit);
}

void engine_logout(struct engine_call *call)
{
    units_wait(call, CLOSING_PATIENCE, is_free, begin);
}

void engine_force_logout(struct engine_call *call)
{
    engine_logout(call);
}
