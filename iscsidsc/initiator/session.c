/* A session: what its connections share. */
#include "initiator/internal.h"
#include "os/memory.h"

struct session *session_new(const struct session_settings *settings,
                            const struct chap_crypto *crypto,
                            const struct session_callbacks *callbacks, void *owner)
{
    struct session *session = os_alloc(sizeof *session);

    if (!session)
        return NULL;
    session->texts = settings_keep(&session->settings, settings);
    if (!session->texts) {
        os_free(session);
        return NULL;
    }
    session->crypto = crypto;
    session->callbacks = callbacks;
    session->owner = owner;
    session->cmd_sn = session->exp_cmd_sn = 1;
    session->max_cmd_sn = 0; /* closed until the login tells */
    session->next_due = session->trim_due = INITIATOR_NEVER;
    session->kept_until = session->recover_at = INITIATOR_NEVER;
    list_init(&session->kept);
    list_init(&session->holes);
    list_init(&session->managements);
    list_init(&session->deadlines);
    pool_init(&session->frames, sizeof(struct frame));
    pool_init(&session->bursts, sizeof(struct burst));
    list_init(&session->connections);
    list_init(&session->waiting);
    list_init(&session->active);
    key_values_default(&session->values);
    return session;
}

static void fail_all(struct list *tasks)
{
    struct list *first;

    while ((first = list_first(tasks)))
        task_finish(LIST_OWNER(first, struct task, link), STATUS_CANCELLED);
}

void session_free(struct session *session)
{
    struct list *first;

    if (!session)
        return;
    LIST_EACH(node, &session->connections)
    {
        struct connection *connection = LIST_OWNER(node, struct connection, link);

        connection->state = CONNECTION_CLOSED;
        output_clear(connection);
    }
    managements_fail(session, NULL, STATUS_CANCELLED);
    fail_all(&session->active);
    fail_all(&session->kept);
    fail_all(&session->waiting);
    text_finish(session, STATUS_CANCELLED);
    while ((first = list_first(&session->connections)))
        connection_free(LIST_OWNER(first, struct connection, link));
    recover_forget(session);
    pool_trim(&session->frames);
    pool_trim(&session->bursts);
    settings_forget(session->texts);
    tag_table_clear(&session->tags);
    os_free(session->target_alias);
    os_free(session);
}

const struct session_settings *session_settings(const struct session *session)
{
    return &session->settings;
}

const struct key_values *session_values(const struct session *session)
{
    return &session->values;
}

uint16_t session_tsih(const struct session *session)
{
    return session->tsih;
}

const char *session_target_alias(const struct session *session)
{
    return session->target_alias ? session->target_alias : "";
}

uint16_t session_portal_group(const struct session *session)
{
    return session->portal_group;
}

static bool is_alive(const struct connection *connection)
{
    return connection->state != CONNECTION_IDLE && connection->state != CONNECTION_CLOSED;
}

size_t session_connections(const struct session *session)
{
    size_t count = 0;

    LIST_EACH(node, &session->connections)
    {
        count += is_alive(LIST_OWNER(node, struct connection, link));
    }
    return count;
}

struct connection *session_connection(const struct session *session, uint16_t cid)
{
    LIST_EACH(node, &session->connections)
    {
        struct connection *connection = LIST_OWNER(node, struct connection, link);

        if (connection->cid == cid && is_alive(connection))
            return connection;
    }
    return NULL;
}

enum status session_may_connect(const struct session *session)
{
    size_t count = session_connections(session);

    if (session->logout)
        return STATUS_NO_CONNECTION;
    if (session->tsih == 0) /* a second login without TSIH would be another session */
        return count == 0 ? STATUS_OK : STATUS_SESSION_BUSY;
    return count < session->values.max_connections ? STATUS_OK : STATUS_TOO_MANY_CONNECTIONS;
}

static bool cid_is_taken(const struct session *session, uint16_t cid)
{
    LIST_EACH(node, &session->connections)
    {
        if (LIST_OWNER(node, struct connection, link)->cid == cid)
            return true;
    }
    return false;
}

uint16_t session_new_cid(struct session *session)
{
    do
        session->last_cid++;
    while (session->last_cid == 0 || cid_is_taken(session, session->last_cid));
    return session->last_cid;
}
