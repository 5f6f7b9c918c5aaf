/*
 * SCSI commands for callers and for the engine itself: an io bound to
 * its session, and a time by which it has ended.
 */
#include "engine/commands.h"
#include "engine/io.h"
#include "os/memory.h"

#include <string.h>

enum {
    LENGTH_MOST = 16 << 20,
    SCAN_PATIENCE = 1000, /* milliseconds that a caller's command waits for the first scan */
};

struct command {
    struct command **slot; /* the submitter's */
    command_done *done;
    void *context;
    struct io io;
    void *room; /* for what is read */
    struct iov data;
};

static void command_free(struct command *command)
{
    os_free(command->room);
    os_free(command);
}

static void on_done(struct io *io)
{
    struct command *command = io->context;
    const struct task *task = &io->task;
    struct reply_scsi reply = {
        .status = task->scsi_status,
        .data = {command->room, command->room != NULL ? task->transferred : 0},
        .sense = {task->sense, task->sense_length},
        .overflow = task->overflow,
        .residual = task->residual,
    };
    *command->slot = NULL;
    command->done(command->context, io->status, &reply);
    command_free(command);
}

void command_cancel(struct command *command)
{
    io_cancel(&command->io);
}

static enum status check(const struct request_scsi *request, const struct engine_session *session)
{
    if (session == NULL)
        return STATUS_SESSION_NOT_FOUND;
    if (session->state != ENGINE_SESSION_LIVE && session->state != ENGINE_SESSION_RECONNECT)
        return STATUS_SESSION_BUSY;
    uint32_t length = request->cdb.length;
    if (request->length > LENGTH_MOST || request->data.length > LENGTH_MOST ||
        (request->length > 0 && request->data.length > 0) ||
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
    uint64_t patience = session->engine->parameters.wmi_request_timeout * UINT64_C(1000);
    command->room = data;
    command->data = (struct iov){data, request->length};
    if (request->data.length > 0) /* it is only read */
        command->data = (struct iov){(void *)(uintptr_t)request->data.data, request->data.length};
    command->io = (struct io){
        .session = session,
        .lun = request->lun,
        .kind = IO_COMMAND,
        .pieces = &command->data,
        .piece_count = command->data.length > 0 ? 1 : 0,
        .cdb.length = (uint8_t)request->cdb.length,
        .in_length = request->length,
        .out_length = request->data.length,
        .repeatable = request->repeatable != 0,
        .timeout = (uint32_t)patience,
        .deadline = os_now() + patience,
        .done = on_done,
        .context = command,
    };
    memcpy(command->io.cdb.bytes, request->cdb.data, request->cdb.length);
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
    io_submit(&command->io);
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
