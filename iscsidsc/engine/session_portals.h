/* Where a connection that is lost may be made anew. */
#ifndef ENGINE_SESSION_PORTALS_H
#define ENGINE_SESSION_PORTALS_H

#include "engine/connections.h"

/* The session is connected: its target's portals are remembered, for it may be that nobody tells of
 * them any more when they are needed. Out of memory: those remembered before stay. */
void session_portals_remember(struct engine_session *session);
void session_portals_forget(struct engine_session *session);

/* The portal that it used last, and unless it is to stay there the others of the session's group.
 */
enum status session_portals_choose(const struct engine_connection *connection,
                                   struct os_arena *arena, struct portal_address **out,
                                   size_t *count);

#endif
