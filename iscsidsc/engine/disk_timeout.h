/* How long a command of a disk may take: MinDiskCommandTimeout and MaxDiskCommandTimeout. */
#ifndef ENGINE_DISK_TIMEOUT_H
#define ENGINE_DISK_TIMEOUT_H

#include "engine/sessions.h"

/*
 * Milliseconds, or TASK_FOREVER. DeviceTimeout, but not less than the one, which 0 makes infinite,
 * and not more than the other, which 0 leaves open. The least is infinite for the sessions that a
 * service makes because iscsi.conf has their target found, unless the file says otherwise.
 */
uint32_t disk_timeout_of(const struct engine_session *session);
/* Is a command that is late to fail, and not to be tried again where it was? */
bool disk_timeout_is_final(const struct engine_session *session);

#endif
