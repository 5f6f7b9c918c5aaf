/* A connection that is to leave its session: its commands end first, then it is logged out. */
#include "engine/connections.h"

/* However it ended: it is gone. */
void engine_removal_over(struct engine_connection *connection)
{
    struct engine_call *call = connection->removal;
    connection->removal = NULL;
    if (call != NULL)
        engine_finish(call, STATUS_OK, NULL);
}

/* The caller is gone: the removal goes on. */
static void cancel(struct engine_call *call)
{
    struct engine_connection *connection = call->state;
    connection->removal = NULL;
    engine_finish(call, STATUS_CANCELLED, NULL);
}

static bool is_removing(const struct engine_session *session)
{
    LIST_EACH(node, &session->connections)
    {
        if (ENGINE_CONNECTION(node)->state == ENGINE_CONNECTION_LEAVING)
            return true;
    }
    return false;
}

/* Would the session be left without a connection? */
static bool is_last(const struct engine_connection *connection)
{
    const struct engine_session *session = connection->session;
    return engine_connections_count(session) == 1 ||
           (connection->state == ENGINE_CONNECTION_LIVE && engine_connections_live(session) == 1);
}

static enum status check(const struct engine_session *session,
                         const struct engine_connection *connection)
{
    if (session->state == ENGINE_SESSION_LOGOUT)
        return STATUS_SESSION_BUSY;
    if (connection == NULL)
        return STATUS_CONNECTION_NOT_FOUND;
    if (is_removing(session))
        return STATUS_CONNECTION_LEAVING;
    if (is_last(connection))
        return STATUS_LAST_CONNECTION;
    return connection == engine_leading(session) ? STATUS_LEADING_CONNECTION : STATUS_OK;
}

void engine_remove_connection(struct engine_call *call)
{
    const struct request_remove_connection *request = call->request;
    struct engine_session *session = engine_session_find(call->engine, request->session);
    struct engine_connection *connection = NULL;
    enum status status = STATUS_SESSION_NOT_FOUND;
    if (session != NULL) {
        connection = engine_connection_find(session, request->connection);
        status = check(session, connection);
    }
    if (status != STATUS_OK) {
        engine_finish(call, status, NULL);
        return;
    }
    bool lives = connection->state == ENGINE_CONNECTION_LIVE;
    connection->state = ENGINE_CONNECTION_LEAVING;
    connection->removal = call;
    engine_pend(call, cancel, connection);
    if (lives && contact_part(connection->contact))
        return;
    engine_removal_over(connection); /* there is nothing to log out */
    engine_connection_free(connection);
}
