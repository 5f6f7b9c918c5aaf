/*
 * Work on files that this process itself may have to answer for (its tree of devices, and the loop
 * devices above it). A thread that waits there when the process is killed would never end: its
 * descriptors stay open, so nobody is told that there will be no answer. So the work is done in a
 * process of its own that has none of them.
 */
#ifndef OS_APART_H
#define OS_APART_H

#include "protocol/status.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Runs work(argument) in a copy of this process and brings what it has made of the `size` bytes of
 * the argument back; whatever else it changes in memory is lost. Only what is safe in a copy of a
 * process that had threads: no allocation, no logging, no locks. Waits `patience` milliseconds, or
 * for as long as it takes (OS_NEVER). COMMAND_TIMEOUT: it still runs, and is killed once the system
 * lets it go; NO_MEMORY, INTERNAL (it was killed): the argument is as it was.
 */
enum status os_apart(void (*work)(void *argument), void *argument, size_t size, uint64_t patience);

#endif
