/*
 * Sessions that have lost their connection get another one: a login with the same ISID and without
 * a TSIH makes the target reinstate the session (RFC 7143, 6.3.5). Not before Time2Wait has passed;
 * then at once, and again and again with growing pauses.
 */
#ifndef ENGINE_RECOVERY_H
#define ENGINE_RECOVERY_H

#include "engine/sessions.h"

void recovery_init(struct engine_session *session);
/* The connection of a live session is over. */
void recovery_begin(struct engine_session *session);
/* The session goes away. */
void recovery_end(struct engine_session *session);

/* The session has a connection. */
void recovery_connected(struct engine_session *session);
/* A command has ended as commands do: the connection is of use. */
void recovery_useful(struct engine_session *session);
/* Nothing at all came for as long as a command may take: the connection is dropped soon. */
void recovery_suspect(struct engine_session *session);

/* The pause before a try, in milliseconds, when so many before it were in vain: none before the
 * first, then from 100 on twice as long each time, up to `most`. */
uint32_t recovery_pause(unsigned tries, uint32_t most);

#endif
