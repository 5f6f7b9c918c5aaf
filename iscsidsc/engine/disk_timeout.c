#include "engine/disk_timeout.h"

static bool is_set(const struct engine_session *session, enum scoped_parameter parameter)
{
    return session->parameters.origins[parameter].scope != SCOPE_DEFAULT;
}

static bool has_least(const struct engine_session *session)
{
    return session->automatic || is_set(session, PARAMETER_MinDiskCommandTimeout);
}

static uint32_t milliseconds(uint32_t seconds)
{
    return seconds > 0 && seconds < TASK_FOREVER / 1000 ? seconds * 1000 : TASK_FOREVER;
}

uint32_t disk_timeout_of(const struct engine_session *session)
{
    uint32_t least = milliseconds(session->parameters.min_disk_command_timeout);
    uint32_t most = milliseconds(session->parameters.max_disk_command_timeout);
    uint32_t timeout = session->engine->parameters.device_timeout * 1000;
    if (has_least(session) && timeout < least)
        timeout = least;
    return timeout < most ? timeout : most;
}

bool disk_timeout_is_final(const struct engine_session *session)
{
    return session->parameters.max_disk_command_timeout > 0;
}
