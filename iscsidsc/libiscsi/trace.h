/* What the variable "debug" asks for: the traffic of a target, on standard error. */
#ifndef LIBISCSI_TRACE_H
#define LIBISCSI_TRACE_H

#include "target/fault.h"

/* Watches, and changes nothing. NULL: nothing is asked for. */
const struct target_fault *trace_of(const char *debug);
/* A line about the whole, when anything is asked for. */
void trace_say(const char *debug, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
