/* What administrators should know of and no caller is told: lines for the log of the process. */
#ifndef ENGINE_LOG_H
#define ENGINE_LOG_H

#include "os/process.h"

#include <stdarg.h>

/* `pairs`: key, value, ..., NULL, all text. From any thread. */
typedef void engine_logger(enum os_log_level level, const char *event, va_list pairs);

/* Of all engines of the process, from now on; NULL, as in a program that only uses the library:
 * nobody is told. */
void engine_log_to(engine_logger *logger);

/* Pairs of key and value, ended by NULL. `event` is one word that stays the same. */
void engine_log(enum os_log_level level, const char *event, ...);

#endif
