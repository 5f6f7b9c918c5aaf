/* When a service may call itself started: who needs the bound devices starts after it. */
#ifndef ENGINE_READINESS_H
#define ENGINE_READINESS_H

#include "engine/model.h"

void readiness_init(struct engine *engine);
/* At the start of a service, when it has begun to make its logins. */
void readiness_begin(struct engine *engine);
/* A device may have come. */
void readiness_look(struct engine *engine);
/* Nobody is told any more. Harmless when it never began. */
void readiness_end(struct engine *engine);

#endif
