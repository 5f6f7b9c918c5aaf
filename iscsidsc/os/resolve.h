/* Between the resolver and the loop: for this floor's own use. */
#ifndef OS_RESOLVE_H
#define OS_RESOLVE_H

#include "os/loop.h"

/* The loop goes away: lookups under way or waiting will not report to it. */
void os_resolve_forget(struct os_loop *loop);

#endif
