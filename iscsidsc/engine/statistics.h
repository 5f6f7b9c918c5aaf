/*
 * What happened with targets, their units and the network interfaces, over all sessions that there
 * were since the engine started. What is not to be counted is kept in the store.
 */
#ifndef ENGINE_STATISTICS_H
#define ENGINE_STATISTICS_H

#include "engine/connections.h"

/* The numbers are stored and travel: never reuse one. */
enum counted {
    COUNTED_TARGET = 1,
    COUNTED_UNIT = 2,
    COUNTED_INTERFACE = 3, /* a network interface, by its name */
};

void statistics_init(struct statistics_base *base);
void statistics_clear(struct statistics_base *base);

/* Before what it counted goes away with it: the contact of a session, and each connection. Harmless
 * where there is none. */
void statistics_keep_session(const struct engine_session *session);
void statistics_keep_connection(const struct engine_connection *connection);

/* A task of the session has ended. */
void statistics_count_task(const struct engine_session *session, const struct task *task);
/* A login to one of its portals has failed. */
void statistics_login_failed(const struct engine_session *session);
/* A connection is over, and with it the session when it was the `last` one. */
void statistics_connection_over(const struct engine_session *session, enum status status,
                                bool last);

#endif
