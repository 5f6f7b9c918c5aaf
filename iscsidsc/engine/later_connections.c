/* Operations that are not available yet. */
#include "engine/model.h"

void engine_add_connection(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_remove_connection(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}
