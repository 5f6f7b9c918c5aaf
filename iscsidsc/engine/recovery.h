/*
 * Connections that are lost are made anew, again and again with growing pauses, and not before
 * Time2Wait has passed. While others of the session live, the login names the session and the same
 * CID: it takes the place of the lost one (RFC 7143, 6.3.4). When all are lost, it is the same at
 * error recovery level 2 (continuation.h); else the leading one logs in with the same ISID and
 * without a TSIH, and the target reinstates the session (6.3.5).
 */
#ifndef ENGINE_RECOVERY_H
#define ENGINE_RECOVERY_H

#include "engine/connections.h"

void recovery_init(struct engine_connection *connection);
/* The connection is over and its state LOST. Its session may be gone when this returns: when the
 * last of the tries allowed was in vain. */
void recovery_begin(struct engine_connection *connection);
/* A live connection is to be at the portal of its session's move: the session is made anew from
 * there while this one still stands; portal_move_tried tells what came of it. */
void recovery_move(struct engine_connection *connection);
/* Its login was not answered in time: it stays where it is. */
void recovery_stay(struct engine_connection *connection);
bool recovery_moving(const struct engine_connection *connection);
/* A lost one does not wait any longer for its next try. */
void recovery_hurry(struct engine_connection *connection);
/* No more tries. */
void recovery_end(struct engine_connection *connection);

/* It stands. */
void recovery_connected(struct engine_connection *connection);
/* A command has ended on it as commands do: it is of use. */
void recovery_useful(struct engine_connection *connection);
/* Nothing at all came for as long as a command may take: it is dropped soon. */
void recovery_suspect(struct engine_connection *connection);

/* The pause before a try, in milliseconds, when so many before it were in vain: none before the
 * first, then from 100 on twice as long each time, up to `most`. */
uint32_t recovery_pause(unsigned tries, uint32_t most);

#endif
