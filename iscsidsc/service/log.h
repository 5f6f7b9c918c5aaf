/* The service's log: one line an event, `level=info event=started socket=/run/iscsidsc/door.sock`.
 */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include "os/process.h"

#include <stdarg.h>

/* To the system's log (syslog, Windows' event log) or, until then, to standard error. */
void log_to_system(bool system);

/* Pairs of key and value, ended by NULL. Values are quoted where they must be. From any thread. */
void log_event(enum os_log_level level, const char *event, ...);
void log_pairs(enum os_log_level level, const char *event, va_list pairs);

#endif
