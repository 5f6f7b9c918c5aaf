/*
 * Tasks that are late: aborted first; when that does not help their logical unit is reset, and at
 * last the session is given up. Without times for that, they end at once and are aborted behind
 * their owner's back.
 */
#include "initiator/internal.h"
#include "os/memory.h"

static const char no_answer[] = "neither a command nor its abort nor a reset was answered in time";

enum { RESCUE_NONE, RESCUE_ABORT, RESCUE_RESET };

static void reset_done(struct management *reset)
{
    struct session *session = reset->session;
    bool refused = reset->status == STATUS_OK && reset->response != TASK_RESPONSE_COMPLETE;
    bool late = reset->status == STATUS_COMMAND_TIMEOUT;
    uint64_t lun = reset->lun;

    os_free(reset);
    if (refused || late)
        rescue_session(session, lun);
}

/* False: no memory or connection. */
static bool reset_unit(struct session *session, uint64_t lun, uint64_t now)
{
    struct management *reset;

    if (manage_holds(session, lun))
        return true; /* it is under way */
    reset = os_alloc(sizeof *reset);
    if (!reset)
        return false;
    reset->function = TASK_LUN_RESET;
    reset->lun = lun;
    reset->timeout = session->settings.timeouts.reset;
    reset->done = reset_done;
    if (session_manage(session, reset, now) == STATUS_OK)
        return true;
    os_free(reset);
    return false;
}

/* Nothing helps: what the target still does with this session's commands ends with the session. */
void session_give_up(struct session *session, const char *detail)
{
    session->failing = true;
    LIST_EACH_SAFE(node, &session->connections)
    {
        struct connection *connection = LIST_OWNER(node, struct connection, link);

        if (connection->state != CONNECTION_IDLE)
            connection_fail(connection, STATUS_COMMAND_TIMEOUT, "%s", detail);
    }
    session->failing = false;
}

void rescue_session(struct session *session, uint64_t lun)
{
    LIST_EACH(node, &session->active)
    {
        struct task *task = LIST_OWNER(node, struct task, link);

        if (task->lun == lun && task->rescue == RESCUE_RESET) {
            session_give_up(session, no_answer);
            return;
        }
    }
}

void rescue_go_on(struct task *task, uint64_t now)
{
    struct session *session = task->session;
    const struct session_timeouts *timeouts = &session->settings.timeouts;

    deadline_clear(&task->deadline);
    /* Noted first: what is sent may fail the connection, and then the task is over. */
    if (task->rescue == RESCUE_NONE) {
        task->rescue = RESCUE_ABORT;
        deadline_set(session, &task->deadline, now + timeouts->abort);
        if (manage_abort(task->connection, task))
            return;
        deadline_clear(&task->deadline);
    }
    if (task->rescue <= RESCUE_ABORT && timeouts->reset > 0) {
        task->rescue = RESCUE_RESET;
        deadline_set(session, &task->deadline, now + timeouts->reset);
        if (reset_unit(session, task->lun, now))
            return;
        deadline_clear(&task->deadline);
    }
    session_give_up(session, no_answer);
}

void task_late(struct task *task, uint64_t now)
{
    struct session *session = task->session;

    /* What was fenced ends when the target confirms, or with the session. */
    if (task->state == TASK_KEPT && fence_needed(session) && !task->impatient &&
        session->kept_until != INITIATOR_NEVER && session->kept_until > now) {
        deadline_set(session, &task->deadline, session->kept_until);
        return;
    }
    if (task->state == TASK_ACTIVE && task->rescue == RESCUE_NONE)
        task->connection->statistics.timeouts++;
    if (task->state == TASK_ACTIVE && session->settings.timeouts.abort > 0 && !task->impatient)
        rescue_go_on(task, now);
    else
        task_give_up(task, STATUS_COMMAND_TIMEOUT);
}
