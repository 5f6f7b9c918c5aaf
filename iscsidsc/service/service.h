/* The service: an engine with a door that other processes come in by. */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "service/options.h"

#define SERVICE_NAME "MSiSCSI" /* as Windows' own is called, for which tools look */

/* Runs until it is told to stop, or has been idle. Returns the exit code. Before the program starts
 * a thread. */
int service_run(const struct service_options *options);
/* Whether iscsi.conf is valid, on standard output, and what is not on standard error. `path` NULL:
 * the file that a service would read. Returns the exit code. */
int service_check(const char *path);

/* Has the running service read iscsi.conf again. Returns the exit code: 1 when there is none, or
 * the file is not valid, and standard error says why. */
int service_reload(void);

#endif
