#include "engine/recovery.h"
#include "engine/attempt.h"
#include "engine/continuation.h"
#include "engine/events.h"
#include "engine/io.h"
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
    bool moves;            /* it began while the connection still stood */
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

static uint32_t pause_of(const struct engine_connection *connection)
{
    const struct parameters *parameters = &connection->session->engine->parameters;
    return recovery_pause(connection->recovery.tries, parameters->delay_between_reconnect * 1000);
}

/* --- the tries --- */

static void forget_try(struct engine_connection *connection)
{
    struct reconnect *reconnect = connection->recovery.running;
    connection->recovery.running = NULL;
    if (reconnect == NULL)
        return;
    attempt_end(&reconnect->attempt);
    os_arena_clear(&reconnect->arena);
    os_free(reconnect);
}

/* Without its other connections there is nothing left of the session. */
static void give_up(struct engine_connection *connection)
{
    struct engine_session *session = connection->session;
    if (session->state == ENGINE_SESSION_RECONNECT)
        engine_session_remove(session);
    else
        engine_connection_free(connection);
}

static void try_after(struct engine_connection *connection, uint32_t pause)
{
    struct os_loop *loop = connection->session->engine->loop;
    if (!os_timer_set(loop, &connection->recovery.timer, os_now() + pause))
        give_up(connection);
}

static bool may_try_again(const struct engine_connection *connection)
{
    uint32_t most = connection->session->engine->parameters.max_connection_retries;
    return most == UINT32_MAX || connection->recovery.failures < most;
}

/* Also behind a login that began before the loss: not before Time2Wait is over. */
static void try_soon(struct engine_connection *connection)
{
    uint64_t now = os_now(), earliest = connection->recovery.earliest;
    uint32_t wait = earliest > now ? (uint32_t)(earliest - now) : 0;
    uint32_t pause = pause_of(connection);
    try_after(connection, wait > pause ? wait : pause);
}

static void failed(struct engine_connection *connection, enum status status)
{
    forget_try(connection);
    connection->recovery.tries++;
    connection->recovery.failures++;
    if (status == STATUS_LOGIN_TARGET_REMOVED || !may_try_again(connection))
        give_up(connection);
    else
        try_soon(connection);
}

static bool took(struct engine_connection *connection, bool joined)
{
    struct engine_session *session = connection->session;
    if (!joined)
        return engine_session_came_back(session);
    if (session->state == ENGINE_SESSION_RECONNECT)
        return engine_session_went_on(session);
    bool good = engine_connection_took(connection);
    if (good)
        engine_ios_resume(session); /* should the others be lost without our having heard of it */
    return good;
}

static void tell_move(struct engine_connection *connection, enum status status)
{
    if (connection == engine_leading(connection->session))
        portal_move_tried(connection->session, status);
}

static void on_done(struct attempt *attempt, enum status status)
{
    struct engine_connection *connection = attempt->connection;
    struct engine_session *session = connection->session;
    bool joined = attempt->joins;
    bool moved = recovery_moving(connection);
    if (status == STATUS_OK && !took(connection, joined))
        status = STATUS_NO_MEMORY;
    if (joined && session->state == ENGINE_SESSION_RECONNECT)
        continuation_tried(session, status);
    if (status == STATUS_OK || moved)
        tell_move(connection, status);
    if (status != STATUS_OK && connection->state == ENGINE_CONNECTION_LOST)
        failed(connection, status);
    else
        forget_try(connection);
}

static void try_now(struct engine_connection *connection)
{
    struct engine_session *session = connection->session;
    struct reconnect *reconnect = os_alloc(sizeof *reconnect);
    connection->recovery.running = reconnect;
    struct attempt *attempt = reconnect != NULL ? &reconnect->attempt : NULL;
    enum status status = STATUS_NO_MEMORY;
    if (attempt != NULL) {
        attempt->joins = session->state == ENGINE_SESSION_LIVE || continuation_possible(session);
        status = session_portals_choose(connection, attempt->joins, &reconnect->arena,
                                        &attempt->portals, &attempt->count);
    }
    if (status != STATUS_OK) {
        failed(connection, status);
        return;
    }
    attempt->connection = connection;
    if (!attempt->joins)
        attempt->settings = session_settings(contact_session(session->contact));
    else if (connection->own != NULL)
        attempt->settings = &connection->own->session;
    attempt->connect_timeout = session->engine->parameters.tcp_connect_time * 1000;
    attempt->done = on_done;
    attempt_start(attempt);
}

static void on_timer(struct os_timer *timer)
{
    struct engine_connection *connection =
        LIST_OWNER(timer, struct engine_connection, recovery.timer);
    if (connection->state == ENGINE_CONNECTION_LOST)
        try_now(connection);
    else if (connection->state == ENGINE_CONNECTION_LIVE)
        contact_drop(connection->contact, STATUS_TRANSPORT_ERROR);
}

/* --- for the others --- */

void recovery_move(struct engine_connection *connection)
{
    struct engine_session *session = connection->session;
    struct reconnect *reconnect = os_alloc(sizeof *reconnect);
    if (reconnect == NULL) {
        portal_move_tried(session, STATUS_NO_MEMORY);
        return;
    }
    connection->recovery.running = reconnect;
    reconnect->moves = true;
    reconnect->attempt = (struct attempt){
        .connection = connection,
        .settings = session_settings(contact_session(session->contact)),
        .portals = &session->move.to,
        .count = 1,
        .connect_timeout = session->engine->parameters.tcp_connect_time * 1000,
        .done = on_done,
    };
    attempt_start(&reconnect->attempt);
}

void recovery_stay(struct engine_connection *connection)
{
    if (recovery_moving(connection))
        forget_try(connection);
}

bool recovery_moving(const struct engine_connection *connection)
{
    return connection->recovery.running != NULL && connection->recovery.running->moves;
}

void recovery_hurry(struct engine_connection *connection)
{
    uint64_t now = os_now(), earliest = connection->recovery.earliest;
    if (connection->state != ENGINE_CONNECTION_LOST)
        return;
    forget_try(connection);
    try_after(connection, earliest > now ? (uint32_t)(earliest - now) : 0);
}

void recovery_init(struct engine_connection *connection)
{
    connection->recovery.timer.fire = on_timer;
}

void recovery_end(struct engine_connection *connection)
{
    os_timer_clear(&connection->recovery.timer);
    forget_try(connection);
}

void recovery_begin(struct engine_connection *connection)
{
    struct recovery *recovery = &connection->recovery;
    struct contact_connection *lost = connection->contact;
    uint32_t wait = lost != NULL ? contact_time2wait(lost) * 1000 : 0;
    /* A target that takes logins and then drops the connection is not asked without pause. */
    if (recovery->useful || os_now() - recovery->connected >= LASTING)
        recovery->tries = 0;
    recovery->earliest = os_now() + wait;
    if (recovery_moving(connection))
        return;
    if (may_try_again(connection))
        try_soon(connection);
    else
        give_up(connection);
}

void recovery_connected(struct engine_connection *connection)
{
    struct recovery *recovery = &connection->recovery;
    os_timer_clear(&recovery->timer);
    recovery->connected = os_now();
    recovery->useful = false;
    recovery->failures = 0;
    recovery->tries++;
}

void recovery_useful(struct engine_connection *connection)
{
    connection->recovery.useful = true;
}

void recovery_suspect(struct engine_connection *connection)
{
    /* Not from in here: the core is calling. Out of memory: then at the next timeout. */
    if (connection->state == ENGINE_CONNECTION_LIVE && connection->recovery.timer.loop == NULL)
        os_timer_set(connection->session->engine->loop, &connection->recovery.timer, os_now());
}
