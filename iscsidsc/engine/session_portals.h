/* Where a connection that is lost may be made anew. */
#ifndef ENGINE_SESSION_PORTALS_H
#define ENGINE_SESSION_PORTALS_H

#include "engine/connections.h"

/* The session is connected: its target's portals are remembered, for it may be that nobody tells of
 * them any more when they are needed. Out of memory: those remembered before stay. */
void session_portals_remember(struct engine_session *session);
void session_portals_forget(struct engine_session *session);

/* Those of the target, the session's portal group first, or that group alone. The array is in the
 * arena and has room for one more. */
enum status session_portals_known(const struct engine_session *session, bool group_only,
                                  struct os_arena *arena, struct portal_address **out,
                                  size_t *count);

/*
 * The portals to try, in this order: the one that the session is sent to, then as portals_after has
 * it. The one that was used last comes first, unless it may be out of reach: it fell silent. One
 * that is to stay where it is has no other. `joins`: the session that there is, which can be
 * continued at a portal of its own group only.
 */
enum status session_portals_choose(const struct engine_connection *connection, bool joins,
                                   struct os_arena *arena, struct portal_address **out,
                                   size_t *count);

#endif
