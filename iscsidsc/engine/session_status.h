/* What an administrator sees of the sessions: who has which place, over which portal, with what. */
#ifndef ENGINE_SESSION_STATUS_H
#define ENGINE_SESSION_STATUS_H

#include "engine/engine.h"

enum session_status_state { SESSION_CONNECTED = 1, SESSION_DROPPED, SESSION_LEAVING };

/* Sessions with units, as they are known now: nobody is asked. NO_MEMORY. */
enum status session_status_list(const struct engine *engine, struct os_arena *arena,
                                struct reply_get_status *out);

#endif
