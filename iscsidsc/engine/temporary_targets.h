/* Static targets that last until the engine stops. */
#ifndef ENGINE_TEMPORARY_TARGETS_H
#define ENGINE_TEMPORARY_TARGETS_H

#include "engine/model.h"

/* The one of that name; NULL: none. Holds its password. */
const struct static_target *temporary_target(const struct engine *engine, const char *name);
/* Of a node of engine->temporary_targets. */
const struct static_target *temporary_target_of(const struct list *node);
/* A copy in the arena of one that is there. */
enum status temporary_target_copy(const struct engine *engine, const char *name,
                                  struct os_arena *arena, bool secrets,
                                  const struct static_target **out);
/* Keeps a copy, in place of the one of that name, which stays when this fails. */
enum status temporary_target_keep(struct engine *engine, const struct static_target *target);
/* Does nothing when there is none. */
void temporary_target_drop(struct engine *engine, const char *name);
void temporary_targets_forget(struct engine *engine);

#endif
