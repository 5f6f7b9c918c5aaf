/* Operations that are not available yet. */
#include "engine/model.h"

void engine_add_static_target(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_remove_static_target(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_get_target(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}
