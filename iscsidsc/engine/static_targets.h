/*
 * Static targets: those that the user described. They are stored, or last until the engine stops;
 * of two with one name the latter counts.
 */
#ifndef ENGINE_STATIC_TARGETS_H
#define ENGINE_STATIC_TARGETS_H

#include "engine/model.h"

/* Bits of static_target.flags, as ISCSI_TARGET_FLAG_*. */
enum { TARGET_FLAG_HIDE = 0x02, TARGET_FLAG_MERGE = 0x04 };

/* Brings the catalogue up to date with what this or another process has changed. Statuses of the
 * store. */
enum status static_targets_sync(struct engine *engine);

/* The one that counts, in the arena; *out NULL when there is none. Statuses of the store. */
enum status static_target_find(struct engine *engine, const char *name, struct os_arena *arena,
                               bool secrets, const struct static_target **out);
#endif
