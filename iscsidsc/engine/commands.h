/* SCSI commands on a session, with the patience that callers expect: see scsi.c. */
#ifndef ENGINE_COMMANDS_H
#define ENGINE_COMMANDS_H

#include "engine/sessions.h"

struct command;

/* With OK and SCSI_STATUS the reply tells; it is gone when this returns. */
typedef void command_done(void *context, enum status status, const struct reply_scsi *reply);

/*
 * `request`: all but the session counts; its data have to live until the end. `*slot` is the
 * command for as long as it runs, then NULL; it has to live as long. `done` is called once, never
 * from inside, unless this fails: SESSION_NOT_FOUND (`session` NULL), SESSION_BUSY (it is being
 * logged out), INVALID_PARAMETER, NO_MEMORY.
 */
enum status command_start(struct engine_session *session, const struct request_scsi *request,
                          command_done *done, void *context, struct command **slot);
/* `done` is called from inside, with CANCELLED. */
void command_cancel(struct command *command);

#endif
