/* What Linux and Windows do differently. */
#ifndef ISCSI_TARGET_PLATFORM_H
#define ISCSI_TARGET_PLATFORM_H

#include <stdbool.h>

/* The next option letter, '?' for a wrong one, -1 at the end; and its argument. */
int platform_option(int argc, char **argv, const char *letters);
const char *platform_argument(void);

/* Goes on without a terminal. Windows has no such thing: programs are started so. */
bool platform_daemon(void);

/* Calls `end` once, on a thread of its own, when the program is told to end (SIGINT, SIGTERM;
 * Ctrl+C). Before other threads are started. */
bool platform_at_end(void (*end)(void *argument), void *argument);
/* Until that call has returned. */
void platform_wait_for_end(void);

#endif
