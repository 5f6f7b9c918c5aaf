/* A login, whoever wants it: a caller, or a service that makes one again. */
#ifndef ENGINE_LOGIN_H
#define ENGINE_LOGIN_H

#include "engine/sessions.h"

struct engine_login;

/* The login is gone by then. The session is there with OK, unless the login was only stored. */
typedef void engine_login_done(void *context, enum status status, struct engine_session *session);

/* NULL: out of memory. The request lives until the end. */
struct engine_login *engine_login_new(struct engine *engine, const struct request_login *request,
                                      engine_login_done *done, void *context);
/* `done` will not be called. */
void engine_login_free(struct engine_login *login);

/* `done` may be called from inside. */
void engine_login_run(struct engine_login *login);

/* What a service that makes a stored login does differently. */
struct login_again {
    uint16_t qualifier;    /* of the ISID that it is to have if that is free */
    uint32_t connect_most; /* milliseconds */
    bool automatic;        /* nobody has ever asked for it: iscsi.conf has the target found */
};
/* Whatever other sessions there are, and whether or not the target has been found. `again` lives
 * until the end. */
void engine_login_run_again(struct engine_login *login, const struct login_again *again);

#endif
