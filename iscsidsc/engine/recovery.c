#include "engine/recovery.h"
#include "engine/attempt.h"
#include "engine/events.h"
#include "engine/session_portals.h"
#include "os/memory.h"

enum {
    FIRST_PAUSE = 100, /* milliseconds */
    DOUBLINGS_MOST = 16,
    LASTING = 5000, /* a connection that lasted so long was of use */
};

/* One try. */
struct reconnect {
    struct attempt attempt;
    struct os_arena arena; /* the portals */
};

uint32_t recovery_pause(unsigned tries, uint32_t most)
{
    if (tries == 0)
        return 0;
    unsigned doublings = tries - 1 < DOUBLINGS_MOST ? tries - 1 : DOUBLINGS_MOST;
    uint32_t pause = (uint32_t)FIRST_PAUSE << doublings;
    if (pause <= most)
        return pause;
    return most > FIRST_PAUSE ? most : FIRST_PAUSE;
}

static uint32_t pause_of(const struct engine_session *session)
{
    return recovery_pause(session->recovery.tries,
                          session->engine->parameters.delay_between_reconnect * 1000);
}

/* --- the tries --- */

static void forget_try(struct engine_session *session)
{
    struct reconnect *reconnect = session->recovery.running;
    session->recovery.running = NULL;
    if (reconnect == NULL)
        return;
    attempt_end(&reconnect->attempt);
    os_arena_clear(&reconnect->arena);
    os_free(reconnect);
}

static void try_after(struct engine_session *session, uint32_t pause)
{
    if (!os_timer_set(session->engine->loop, &session->recovery.timer, os_now() + pause))
        engine_session_remove(session);
}

static bool may_try_again(const struct engine_session *session)
{
    uint32_t most = session->engine->parameters.max_connection_retries;
    return most == UINT32_MAX || session->recovery.failures < most;
}

static void failed(struct engine_session *session, enum status status)
{
    forget_try(session);
    session->recovery.tries++;
    session->recovery.failures++;
    if (status == STATUS_LOGIN_TARGET_REMOVED || !may_try_again(session))
        engine_session_remove(session);
    else
        try_after(session, pause_of(session));
}

static void on_done(struct attempt *attempt, enum status status)
{
    struct engine_session *session = attempt->session;
    if (status == STATUS_OK && !engine_session_came_back(session))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        forget_try(session);
    else
        failed(session, status);
}

static void try_now(struct engine_session *session)
{
    struct reconnect *reconnect = os_alloc(sizeof *reconnect);
    session->recovery.running = reconnect;
    struct attempt *attempt = reconnect != NULL ? &reconnect->attempt : NULL;
    enum status status = STATUS_NO_MEMORY;
    if (attempt != NULL)
        status =
            session_portals_choose(session, &reconnect->arena, &attempt->portals, &attempt->count);
    if (status != STATUS_OK) {
        failed(session, status);
        return;
    }
    attempt->session = session;
    attempt->settings = session_settings(contact_session(session->contact));
    attempt->connect_timeout = session->engine->parameters.tcp_connect_time * 1000;
    attempt->done = on_done;
    attempt_start(attempt);
}

static void on_timer(struct os_timer *timer)
{
    struct engine_session *session = LIST_OWNER(timer, struct engine_session, recovery.timer);
    if (session->state == ENGINE_SESSION_RECONNECT)
        try_now(session);
    else if (session->state == ENGINE_SESSION_LIVE)
        contact_drop(session->contact, STATUS_TRANSPORT_ERROR);
}

/* --- for the others --- */

void recovery_init(struct engine_session *session)
{
    session->recovery.timer.fire = on_timer;
}

void recovery_end(struct engine_session *session)
{
    os_timer_clear(&session->recovery.timer);
    forget_try(session);
}

void recovery_begin(struct engine_session *session)
{
    struct recovery *recovery = &session->recovery;
    uint64_t now = os_now();
    uint32_t wait = contact_time2wait(session->contact) * 1000;
    /* A target that takes logins and then drops the connection is not asked without pause. */
    if (recovery->useful || now - recovery->connected >= LASTING)
        recovery->tries = 0;
    uint32_t pause = pause_of(session);
    session->state = ENGINE_SESSION_RECONNECT;
    recovery->hold_until = now + session->engine->parameters.max_request_hold_time * UINT64_C(1000);
    events_session(session, EVENT_SESSION_DISCONNECTED);
    engine_commands_hold(session);
    if (may_try_again(session))
        try_after(session, wait > pause ? wait : pause);
    else
        engine_session_remove(session);
}

void recovery_connected(struct engine_session *session)
{
    struct recovery *recovery = &session->recovery;
    os_timer_clear(&recovery->timer);
    recovery->connected = os_now();
    recovery->useful = false;
    recovery->failures = 0;
    recovery->tries++;
}

void recovery_useful(struct engine_session *session)
{
    session->recovery.useful = true;
}

void recovery_suspect(struct engine_session *session)
{
    /* Not from in here: the core is calling. Out of memory: then at the next timeout. */
    if (session->state == ENGINE_SESSION_LIVE && session->recovery.timer.loop == NULL)
        os_timer_set(session->engine->loop, &session->recovery.timer, os_now());
}
