/* What the parameters have become, for the whole service and for each session. */
#ifndef LS_EFFECTIVE_H
#define LS_EFFECTIVE_H

#include "engine/operations.h"
#include "os/memory.h"
#include "protocol/status.h"

#include <stdbool.h>

struct ls_effective {
    struct reply_effective_parameters service;
    struct reply_effective_parameters *sessions; /* in the order of the list */
};

/* What the replies point to is in the arena. */
enum status ls_effective_ask(struct ls_effective *effective,
                             const struct session_status_list *sessions, struct os_arena *arena);
/* Is it for the session what it is for the service? */
bool ls_effective_same(const struct ls_effective *effective,
                       const struct effective_parameter *parameter);
/* "default", "file", "adapter", "target" or "options". */
const char *ls_source_name(const struct effective_parameter *parameter);

#endif
