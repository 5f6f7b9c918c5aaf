/* Persistent logins: those that a service makes whenever it starts. */
#ifndef ENGINE_PERSISTENT_H
#define ENGINE_PERSISTENT_H

#include "engine/model.h"

/* Stores the login with all its parameters. Statuses of the store. */
enum status persistent_add(struct engine *engine, const struct request_login *request);

#endif
