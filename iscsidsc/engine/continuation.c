#include "engine/continuation.h"
#include "engine/io.h"

/* While no connection has a clock, the core is told the time from here. Out of memory: the next
 * login is a new session. */
static void set_timer(struct engine_session *session)
{
    uint64_t due = session_due(contact_session(session->contact));
    if (due == INITIATOR_NEVER)
        os_timer_clear(&session->continuation);
    else if (!os_timer_set(session->engine->loop, &session->continuation, due))
        session->refused = true;
}

static void on_timer(struct os_timer *timer)
{
    struct engine_session *session = LIST_OWNER(timer, struct engine_session, continuation);
    struct session *core = contact_session(session->contact);
    bool possible = continuation_possible(session);
    session_tick(core, os_now());
    if (possible && !continuation_possible(session))
        units_doubt(session);
    set_timer(session);
}

void continuation_init(struct engine_session *session)
{
    session->continuation.fire = on_timer;
}

bool continuation_possible(const struct engine_session *session)
{
    return session->state == ENGINE_SESSION_RECONNECT && !session->refused &&
           session_continues(contact_session(session->contact));
}

bool continuation_begin(struct engine_session *session)
{
    session->refused = false;
    if (!continuation_possible(session))
        return false;
    set_timer(session);
    engine_ios_move(session);
    return continuation_possible(session);
}

void continuation_end(struct engine_session *session)
{
    os_timer_clear(&session->continuation);
}

/* What the network is to blame for is tried again. */
static bool is_refusal(enum status status)
{
    return status >= STATUS_LOGIN_INITIATOR_ERROR && status <= STATUS_LOGIN_FAILED;
}

void continuation_tried(struct engine_session *session, enum status status)
{
    if (!is_refusal(status))
        return;
    session->refused = true;
    continuation_end(session);
    units_doubt(session);
    engine_ios_abandon(session);
}
