#include "engine/log.h"

#include <stdatomic.h>
#include <stddef.h>

static engine_logger *_Atomic current;

void engine_log_to(engine_logger *logger)
{
    atomic_store(&current, logger);
}

void engine_log(enum os_log_level level, const char *event, ...)
{
    engine_logger *logger = atomic_load(&current);
    va_list pairs;
    if (logger == NULL)
        return;
    va_start(pairs, event);
    logger(level, event, pairs);
    va_end(pairs);
}
