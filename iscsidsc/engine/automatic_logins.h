/*
 * Logins that a service makes by itself to the targets that a discovery address of iscsi.conf
 * finds (watched_portals.h): tried until they succeed, and again when a session is lost for good. A
 * target whose session a caller logs out is left alone until the configuration is read again. With
 * Multipath (multipath.h) the same holds for each path by itself.
 */
#ifndef ENGINE_AUTOMATIC_LOGINS_H
#define ENGINE_AUTOMATIC_LOGINS_H

#include "engine/model.h"

/* Of one discovery address: so many of its targets are logged in to at a time. Part of its owner.
 */
struct login_queue {
    struct engine *engine;
    const char *host; /* of the address; the owner's */
    uint16_t port;
    struct list waiting; /* struct automatic_login, by `turn` */
    unsigned running;
    bool starting;
};

void automatic_logins_init(struct automatic_base *base);
/* The engine stops: no login is under way or will be. */
void automatic_logins_end(struct engine *engine);

void login_queue_init(struct login_queue *queue, struct engine *engine, const char *host,
                      uint16_t port);
/* The mechanism of the address has found these targets. */
void automatic_logins_look(struct login_queue *queue, const struct mechanism *mechanism);
/* The address is watched no longer: logins that are not made yet are given up, sessions stay. */
void automatic_logins_drop(struct login_queue *queue);
/* The configuration has been read again: nothing counts any more of what was tried or logged out
 * before. automatic_logins_look is to follow. */
void automatic_logins_renew(struct engine *engine);

struct engine_session;
/* A caller logs the session out. */
void automatic_login_left(const struct engine_session *session);
/* It is gone, for whatever reason, and no longer among the others. */
void automatic_login_over(const struct engine_session *session);

#endif
