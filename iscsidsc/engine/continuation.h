/*
 * A session that has lost all of its connections at error recovery level 2: for Time2Retain after
 * Time2Wait the target keeps it, and a connection with the CID of a lost one goes on with its tasks
 * (RFC 7143, 6.3.6 and 7.2.2). After that, or when the target does not know of it, the session is
 * reinstated, and its tasks are lost.
 */
#ifndef ENGINE_CONTINUATION_H
#define ENGINE_CONTINUATION_H

#include "engine/sessions.h"

void continuation_init(struct engine_session *session);
/* All connections are lost. False: it cannot go on. */
bool continuation_begin(struct engine_session *session);
/* It has a connection again, or is over. */
void continuation_end(struct engine_session *session);
/* May the next login still be to the session that there was? */
bool continuation_possible(const struct engine_session *session);
/* What became of such a login. */
void continuation_tried(struct engine_session *session, enum status status);

#endif
