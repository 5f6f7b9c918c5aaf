/*
 * Below error recovery level 2 a lost connection ends its commands, while the session goes on with
 * the others. The target may not have noticed, and carry them out much later: after their owner has
 * been told of a failure, and has read or written the same blocks since. So they end only when the
 * target has confirmed that the connection is no more (RFC 7143, 11.14.1).
 */
#include "initiator/internal.h"

bool fence_needed(const struct session *session)
{
    return session->values.error_recovery_level < 2;
}

static void keep_sent(struct connection *connection, enum status status)
{
    LIST_EACH_SAFE(node, &connection->session->active)
    {
        struct task *task = LIST_OWNER(node, struct task, link);

        if (task->connection != connection || !task->sent)
            continue;
        task->lost_cid = connection->cid;
        task->status = status;
        recover_keep_task(task);
    }
}

void fence_lost(struct connection *connection, enum status status, bool carried)
{
    struct session *session = connection->session;
    bool go_on = session_hopeful(session) && !session->failing && !session->broken;

    if (!fence_needed(session))
        return;
    if (go_on && carried && !session->logout)
        keep_sent(connection, status);
    if (list_empty(&session->kept))
        return;
    if (go_on) {
        session->kept_until = connection->now + session->settings.timeouts.logout;
        recover_go_on(session);
    } else { /* with the session they are over, too */
        session->kept_until = INITIATOR_NEVER;
        recover_fail_kept(session, NULL);
    }
}
