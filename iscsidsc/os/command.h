/* Running a program of the system to its end, within a bound. Never on a thread that others wait
 * for. */
#ifndef OS_COMMAND_H
#define OS_COMMAND_H

#include "protocol/status.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct os_command {
    const char *const *arguments; /* the program's name first, NULL last */
    uint64_t patience;            /* milliseconds; then it is killed */
    const atomic_bool *stop;      /* the same as soon as it is true; NULL: never */
    char *output;                 /* what it writes, both ways, as text; cut where the room ends */
    size_t room;
    int code; /* its exit code */
};

/*
 * OK: it ended by itself. NOT_SUPPORTED: there is no such program in the system's directories (or
 * no way to run it here); COMMAND_TIMEOUT: killed for its time; CANCELLED: for `stop`;
 * NO_RESOURCES; INTERNAL: it ended by a signal.
 */
enum status os_command_run(struct os_command *command);

#endif
