/* Operations that are not available yet. */
#include "engine/model.h"

void engine_add_radius_server(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_remove_radius_server(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_list_radius_servers(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_set_radius_secret(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}
