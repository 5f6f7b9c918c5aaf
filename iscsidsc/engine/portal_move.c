/* A session goes to another portal of its target. While its connection still stands the session is
 * reinstated from there (RFC 7143, 6.3.5) when nothing is under way any more. */
#include "engine/connections.h"
#include "engine/io.h"
#include "engine/recovery.h"

enum {
    DRAIN_PATIENCE = 3000, /* milliseconds for commands to end, */
    LOGIN_PATIENCE = 5000, /* for the login that nobody has asked for, while they wait, */
    MOVE_PATIENCE = 60000, /* and for a session that is lost to be connected again */
};

static void finish(struct engine_session *session, enum status status)
{
    struct portal_move *move = &session->move;
    os_timer_clear(&move->timer);
    move->stage = MOVE_NONE;
    move->done(session, status);
}

/* Back to work where it is. */
static void give_up(struct engine_session *session, enum status status)
{
    finish(session, status);
    engine_ios_resume(session);
}

static bool is_drained(const struct engine_session *session)
{
    return session_outstanding(contact_session(session->contact)) == 0;
}

/* Fires when something may have changed, and at the latest. */
static void set_timer(struct engine_session *session, uint64_t due)
{
    if (!os_timer_set(session->engine->loop, &session->move.timer, due))
        give_up(session, STATUS_NO_MEMORY);
}

/* The login takes the whole session along, which is not what others of its connections expect. */
static bool may_move(const struct engine_session *session)
{
    const struct engine_connection *leading = engine_leading(session);
    return engine_connections_count(session) == 1 && leading->state == ENGINE_CONNECTION_LIVE &&
           leading->recovery.running == NULL;
}

static void go(struct engine_session *session)
{
    struct portal_move *move = &session->move;
    move->stage = MOVE_CONNECTING;
    os_timer_clear(&move->timer);
    if (!may_move(session))
        give_up(session, STATUS_SESSION_BUSY);
    else if (!move->forced &&
             !os_timer_set(session->engine->loop, &move->timer, os_now() + LOGIN_PATIENCE))
        give_up(session, STATUS_NO_MEMORY);
    else
        recovery_move(engine_leading(session));
}

/* The connection that stands is better than one that is not answered. */
static void stay(struct engine_session *session)
{
    recovery_stay(engine_leading(session));
    give_up(session, STATUS_CONNECT_TIMEOUT);
}

static void on_timer(struct os_timer *timer)
{
    struct engine_session *session = LIST_OWNER(timer, struct engine_session, move.timer);
    struct portal_move *move = &session->move;
    bool late = os_now() >= move->until;
    if (move->stage == MOVE_WAITING)
        finish(session, STATUS_CONNECT_TIMEOUT);
    else if (move->stage == MOVE_CONNECTING)
        stay(session);
    else if (is_drained(session) || (late && move->forced))
        go(session);
    else if (late)
        give_up(session, STATUS_COMMAND_TIMEOUT);
    else
        set_timer(session, move->until);
}

void portal_move_init(struct engine_session *session)
{
    session->move.timer.fire = on_timer;
}

bool portal_move_holds(const struct engine_session *session)
{
    return session->move.stage == MOVE_DRAINING || session->move.stage == MOVE_CONNECTING;
}

enum status portal_move_start(struct engine_session *session, const struct portal_address *to,
                              bool forced,
                              void (*done)(struct engine_session *session, enum status status))
{
    struct portal_move *move = &session->move;
    bool lives = session->state == ENGINE_SESSION_LIVE;
    if (move->stage != MOVE_NONE || (!lives && session->state != ENGINE_SESSION_RECONNECT))
        return STATUS_SESSION_BUSY;
    if (lives && !may_move(session))
        return STATUS_SESSION_BUSY;
    uint64_t now = os_now();
    move->to = *to;
    move->forced = forced;
    move->done = done;
    move->until = now + (lives ? DRAIN_PATIENCE : MOVE_PATIENCE);
    if (!os_timer_set(session->engine->loop, &move->timer, lives ? now : move->until))
        return STATUS_NO_MEMORY;
    move->stage = lives ? MOVE_DRAINING : MOVE_WAITING;
    if (!lives)
        recovery_hurry(engine_leading(session));
    return STATUS_OK;
}

/* Not from in here: the core is calling. */
void portal_move_look(struct engine_session *session)
{
    if (session->move.stage == MOVE_DRAINING && is_drained(session))
        set_timer(session, os_now());
}

void portal_move_lost(struct engine_session *session)
{
    struct portal_move *move = &session->move;
    if (move->stage == MOVE_CONNECTING)
        os_timer_clear(&move->timer); /* there is nothing to stay with */
    if (move->stage != MOVE_DRAINING)
        return;
    move->stage = MOVE_WAITING;
    move->until = os_now() + MOVE_PATIENCE;
    if (!os_timer_set(session->engine->loop, &move->timer, move->until))
        finish(session, STATUS_NO_MEMORY);
}

void portal_move_tried(struct engine_session *session, enum status status)
{
    const struct engine_connection *leading = engine_leading(session);
    struct portal_address here;
    if (session->move.stage == MOVE_NONE || session->move.stage == MOVE_DRAINING)
        return;
    if (status != STATUS_OK) {
        give_up(session, status);
        return;
    }
    engine_connection_portal(leading, &here);
    finish(session, portal_same(&here, &session->move.to) ? STATUS_OK : STATUS_CONNECT_FAILED);
}

void portal_move_end(struct engine_session *session)
{
    if (session->move.stage != MOVE_NONE)
        give_up(session, STATUS_SESSION_NOT_FOUND);
}
