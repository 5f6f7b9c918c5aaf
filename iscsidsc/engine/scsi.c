/*
 * SCSI commands that move no data or read, for callers and for the engine itself. While the session
 * has no connection they wait for the next one, as long as their time lasts.
 */
#include "engine/commands.h"
#include "engine/recovery.h"
#include "engine/statistics.h"
#include "engine/units.h"
#include "os/memory.h"

#include <string.h>

enum {
    LENGTH_MOST = 16 << 20,
    BUSY_RETRIES = 6,
    BUSY_PAUSE = 50, /* milliseconds, doubled each time */
    ATTENTION_RETRIES = 3,
    SCAN_PATIENCE = 1000, /* milliseconds that a caller's command waits for the first scan */
};

struct command {
    struct list link;      /* of its session */
    struct command **slot; /* the submitter's */
    command_done *done;
    void *context;
    struct engine_session *session;
    struct task task;
    struct iov data;
    struct os_timer pause; /* until it is submitted again, or has waited too long */
    uint64_t deadline;
    uint64_t sent;       /* when it was submitted */
    enum status loss;    /* of the connection it was lost with; OK: it was not sent yet */
    bool held;           /* waits for a connection */
    unsigned busy;       /* times the target was */
    unsigned attentions; /* unit attentions seen */
    bool submitted;
    bool cancelled;
};

/* --- the end --- */

static void command_free(struct command *command)
{
    list_remove(&command->link);
    os_timer_clear(&command->pause);
    os_free(command->data.base);
    os_free(command);
}

static void finish(struct command *command, enum status status)
{
    const struct task *task = &command->task;
    struct reply_scsi reply = {
        .status = task->scsi_status,
        .data = {command->data.base, task->transferred},
        .sense = {task->sense, task->sense_length},
        .overflow = task->overflow,
        .residual = task->residual,
    };
    *command->slot = NULL;
    command->done(command->context, status, &reply);
    command_free(command);
}

/* --- sending --- */

static void finish_held(struct command *command)
{
    finish(command, command->loss != STATUS_OK ? command->loss : STATUS_NO_CONNECTION);
}

static uint64_t hold_limit(const struct command *command)
{
    const struct engine_session *session = command->session;
    uint64_t until = session->hold_until;
    bool counts = session->state == ENGINE_SESSION_RECONNECT;
    return counts && until < command->deadline ? until : command->deadline;
}

/* False: out of memory. */
static bool hold(struct command *command)
{
    command->held = true;
    return os_timer_set(command->session->engine->loop, &command->pause, hold_limit(command));
}

static void submit(struct command *command)
{
    struct contact *contact = command->session->contact;
    uint64_t now = os_now();
    if (command->session->state != ENGINE_SESSION_LIVE || !contact_usable(contact)) {
        if (!hold(command))
            finish(command, STATUS_NO_MEMORY);
        return;
    }
    command->submitted = true;
    command->sent = now;
    command->task.timeout = now < command->deadline ? (uint32_t)(command->deadline - now) : 1;
    contact_hold(contact);
    session_submit(contact_session(contact), &command->task, now);
    contact_release(contact);
}

static void on_pause_over(struct os_timer *timer)
{
    struct command *command = LIST_OWNER(timer, struct command, pause);
    if (command->held)
        finish_held(command);
    else
        submit(command);
}

void engine_commands_hold(struct engine_session *session)
{
    LIST_EACH_SAFE(node, &session->commands)
    {
        struct command *command = LIST_OWNER(node, struct command, link);
        if (command->held && !hold(command))
            finish_held(command);
    }
    units_look(session->engine); /* who waited for answers need not any more */
}

void engine_commands_resume(struct engine_session *session)
{
    contact_hold(session->contact); /* sent in one go, and none ends meanwhile */
    LIST_EACH_SAFE(node, &session->commands)
    {
        struct command *command = LIST_OWNER(node, struct command, link);
        if (!command->held)
            continue;
        command->held = false;
        os_timer_clear(&command->pause);
        submit(command);
    }
    contact_release(session->contact);
}

/* --- lost with the connection --- */

/* May it be sent twice? It changes nothing, and another answer does not come of the first one. */
static bool is_repeatable(const struct scsi_cdb *cdb)
{
    static const uint8_t opcodes[] = {
        0x00, /* TEST UNIT READY */
        0x12, /* INQUIRY */
        0x1a, /* MODE SENSE (6) */
        0x25, /* READ CAPACITY (10) */
        0x28, /* READ (10) */
        0x5a, /* MODE SENSE (10) */
        0x88, /* READ (16) */
        0x9e, /* SERVICE ACTION IN (16): READ CAPACITY (16) */
        0xa0, /* REPORT LUNS */
        0xa8, /* READ (12) */
    };
    return memchr(opcodes, cdb->bytes[0], sizeof opcodes) != NULL;
}

/* The connection went away under it: not by what the target answered, and not by our will. */
static bool is_lost(const struct command *command)
{
    if (command->cancelled)
        return false;
    switch (command->task.status) {
    case STATUS_CANCELLED:
    case STATUS_NO_CONNECTION:
    case STATUS_CONNECTION_CLOSED:
    case STATUS_CONNECTION_RESET:
    case STATUS_TRANSPORT_ERROR:
        return true;
    default:
        return false;
    }
}

/* Another connection takes it over, or it waits for one. False: it is of no use. */
static bool send_elsewhere(struct command *command)
{
    const struct engine_session *session = command->session;
    bool expected =
        session->state == ENGINE_SESSION_LIVE || session->state == ENGINE_SESSION_RECONNECT;
    /* What never left the machine was not carried out, whatever it is. */
    bool may_repeat = !command->task.sent || is_repeatable(&command->task.cdb);
    bool usable = contact_usable(session->contact);
    uint64_t due = os_now() + (usable ? 0 : engine_session_time2wait(session));
    if (!expected || !may_repeat || due >= command->deadline)
        return false;
    command->loss = command->task.status;
    if (!usable)
        return hold(command);
    submit(command);
    return true;
}

/* --- trying again after an answer --- */

/* BUSY and TASK SET FULL mean back off, not fail (SAM-5, 5.3.1). */
static bool retry_busy(struct command *command)
{
    const struct task *task = &command->task;
    uint64_t due = os_now() + ((uint64_t)BUSY_PAUSE << command->busy);
    if (task->scsi_status != SCSI_BUSY && task->scsi_status != SCSI_TASK_SET_FULL)
        return false;
    if (command->busy == BUSY_RETRIES || due >= command->deadline)
        return false;
    command->busy++;
    return os_timer_set(command->session->engine->loop, &command->pause, due);
}

/*
 * The first command after a login may be told of the power-on instead of being carried out. INQUIRY
 * and REPORT LUNS never are; READ CAPACITY, which callers expect to work at once, is asked again.
 */
static bool retry_attention(struct command *command)
{
    const struct task *task = &command->task;
    uint8_t opcode = task->cdb.bytes[0];
    struct scsi_sense sense;
    if (task->scsi_status != SCSI_CHECK_CONDITION || command->attentions == ATTENTION_RETRIES ||
        (opcode != SCSI_READ_CAPACITY_10 && opcode != SCSI_SERVICE_ACTION_IN_16))
        return false;
    scsi_sense_decode(&sense, task->sense, task->sense_length);
    if (!sense.valid || sense.key != SCSI_UNIT_ATTENTION)
        return false;
    command->attentions++;
    return os_timer_set(command->session->engine->loop, &command->pause, os_now());
}

/* Nothing came for as long as the command could take: nothing more is expected of that connection.
 */
static void judge_connection(const struct command *command)
{
    struct engine_session *session = command->session;
    enum status status = command->task.status;
    struct engine_connection *connection = engine_connection_of(session, &command->task);
    if (session->state != ENGINE_SESSION_LIVE || connection == NULL ||
        !contact_carries(connection->contact))
        return;
    if (status == STATUS_OK || status == STATUS_SCSI_STATUS)
        recovery_useful(connection);
    else if (status == STATUS_COMMAND_TIMEOUT &&
             contact_heard(connection->contact) <= command->sent)
        recovery_suspect(connection);
}

/* Somebody's command happens to be the one that is told what has changed. */
static void heed_attention(const struct command *command)
{
    struct scsi_sense sense;
    const struct task *task = &command->task;
    if (task->status != STATUS_SCSI_STATUS || task->scsi_status != SCSI_CHECK_CONDITION)
        return;
    scsi_sense_decode(&sense, task->sense, task->sense_length);
    if (sense.valid && sense.key == SCSI_UNIT_ATTENTION)
        units_attention(command->session, sense.asc);
}

static void on_done(struct task *task)
{
    struct command *command = task->context;
    command->submitted = false;
    statistics_count_task(command->session, task);
    judge_connection(command);
    heed_attention(command);
    if (task->status == STATUS_SCSI_STATUS && command->session->state == ENGINE_SESSION_LIVE &&
        (retry_busy(command) || retry_attention(command)))
        return;
    bool lost = is_lost(command);
    if (lost && send_elsewhere(command))
        return;
    finish(command, lost && task->status == STATUS_CANCELLED ? STATUS_NO_CONNECTION : task->status);
}

/* --- the start --- */

void command_cancel(struct command *command)
{
    command->cancelled = true;
    if (command->submitted) {
        struct contact *contact = command->session->contact;
        contact_hold(contact);
        session_cancel(contact_session(contact), &command->task); /* ends in on_done */
        contact_release(contact);
    } else {
        finish(command, STATUS_CANCELLED);
    }
}

/* The session is gone; what was submitted has been completed already. */
void engine_commands_over(struct engine_session *session)
{
    struct list *first;
    while ((first = list_first(&session->commands)) != NULL)
        finish_held(LIST_OWNER(first, struct command, link));
}

static enum status check(const struct request_scsi *request, const struct engine_session *session)
{
    if (session == NULL)
        return STATUS_SESSION_NOT_FOUND;
    if (session->state != ENGINE_SESSION_LIVE && session->state != ENGINE_SESSION_RECONNECT)
        return STATUS_SESSION_BUSY;
    uint32_t length = request->cdb.length;
    if (request->length > LENGTH_MOST ||
        (length != 6 && length != 10 && length != 12 && length != 16))
        return STATUS_INVALID_PARAMETER;
    return STATUS_OK;
}

static struct command *command_new(struct engine_session *session,
                                   const struct request_scsi *request)
{
    struct command *command = os_alloc(sizeof *command);
    void *data = request->length > 0 ? os_alloc(request->length) : NULL;
    if (command == NULL || (request->length > 0 && data == NULL)) {
        os_free(command);
        os_free(data);
        return NULL;
    }
    command->session = session;
    command->data = (struct iov){data, request->length};
    command->pause.fire = on_pause_over;
    command->deadline = os_now() + session->engine->parameters.wmi_request_timeout * 1000;
    list_append(&session->commands, &command->link);
    struct task *task = &command->task;
    task->lun = request->lun;
    task->attribute = TASK_ATTRIBUTE_SIMPLE;
    memcpy(task->cdb.bytes, request->cdb.data, request->cdb.length);
    task->cdb.length = (uint8_t)request->cdb.length;
    task->data_in = &command->data;
    task->data_in_count = request->length > 0 ? 1 : 0;
    task->data_in_length = request->length;
    task->done = on_done;
    task->context = command;
    return command;
}

enum status command_start(struct engine_session *session, const struct request_scsi *request,
                          command_done *done, void *context, struct command **slot)
{
    enum status status = check(request, session);
    if (status != STATUS_OK)
        return status;
    struct command *command = command_new(session, request);
    if (command == NULL)
        return STATUS_NO_MEMORY;
    command->done = done;
    command->context = context;
    command->slot = slot;
    *slot = command;
    submit(command);
    return STATUS_OK;
}

/* --- the operation --- */

static void on_call_done(void *context, enum status status, const struct reply_scsi *reply)
{
    /* The door copies the reply before it returns. */
    engine_finish(context, status, reply);
}

static void cancel(struct engine_call *call)
{
    struct command **slot = call->state;
    command_cancel(*slot);
}

static void begin(struct engine_call *call, bool late)
{
    const struct request_scsi *request = call->request;
    struct engine_session *session = engine_session_find(call->engine, request->session);
    struct command **slot = os_arena_alloc(&call->arena, sizeof *slot);
    (void)late;
    engine_pend(call, cancel, slot);
    enum status status = STATUS_NO_MEMORY;
    if (slot != NULL)
        status = command_start(session, request, on_call_done, call, slot);
    if (status != STATUS_OK)
        engine_finish(call, status, NULL);
}

static bool may_begin(struct engine_call *call)
{
    const struct request_scsi *request = call->request;
    const struct engine_session *session = engine_session_find(call->engine, request->session);
    return session == NULL || !units_unknown(session);
}

/* Behind the first scan of a session's units: a caller's command must not be the one that shows
 * what a target makes of several at a time. */
void engine_scsi(struct engine_call *call)
{
    units_wait(call, SCAN_PATIENCE, may_begin, begin);
}
