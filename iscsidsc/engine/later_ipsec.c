/* Operations that are not available yet. */
#include "engine/model.h"

void engine_set_group_key(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_set_ike_info(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_get_ike_info(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_set_tunnel_address(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}
