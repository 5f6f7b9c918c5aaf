/* Starting the service program. */
#ifndef OS_PROGRAM_H
#define OS_PROGRAM_H

#include "os/runtime.h"

enum os_program_kind {
    OS_PROGRAM,         /* of this platform */
    OS_PROGRAM_NATIVE,  /* of the system below Wine */
    OS_PROGRAM_SERVICE, /* registered with Windows' service control manager; `path` is its name
                           there */
};

struct os_program {
    enum os_program_kind kind;
    char path[OS_PATH_ROOM];
};

/*
 * The service programs that are installed, best first: beside the library (or program) that holds
 * this code, and where it was installed to; absolute paths, never looked for elsewhere. One that
 * all users may change is none.
 */
#define OS_PROGRAM_MAX 4u
size_t os_service_programs(struct os_program *out, size_t room);

/*
 * Starts it for the place that this process' ISCSIDSC_STATE and ISCSIDSC_SOCKET name. Where the
 * platform can tell, waits at most until `due` for it to be ready; else returns at once. STATUS_OK,
 * SERVICE_NOT_RUNNING (it did not come up), SERVICE_TIMEOUT, NO_MEMORY.
 */
enum status os_program_start(const struct os_program *program, uint64_t due);

#endif
