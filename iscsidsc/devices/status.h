/* The file `status` of the tree of devices: what the Linux driver's file in /proc/scsi/iscsi told.
 */
#ifndef DEVICES_STATUS_H
#define DEVICES_STATUS_H

#include "engine/engine.h"

/*
 * Our version, then a line for each unit: bus, target, LUN, address and port of the portal, target
 * name. A session of which no units are known has one line with '?' for the LUN; where there is no
 * connection address and port are '?'. On the engine's thread; NO_MEMORY.
 */
enum status devices_status_text(const struct engine *engine, struct os_arena *arena,
                                const char **text);

#endif
