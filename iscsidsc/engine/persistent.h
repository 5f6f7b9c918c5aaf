/* Persistent logins: those that a service makes whenever it starts. */
#ifndef ENGINE_PERSISTENT_H
#define ENGINE_PERSISTENT_H

#include "engine/model.h"

/* Can the request be stored, should that be asked for? INVALID_MAPPING, MAPPING_OUT_OF_RANGE. */
enum status persistent_check(const struct request_login *request);
/* Stores the login with all its parameters. Statuses of the store. */
enum status persistent_add(struct engine *engine, const struct request_login *request);

#endif
