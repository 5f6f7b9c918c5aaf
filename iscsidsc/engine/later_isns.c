/* Operations that are not available yet. */
#include "engine/model.h"

void engine_add_isns_server(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_remove_isns_server(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_refresh_isns_server(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}

void engine_list_isns_servers(struct engine_call *call)
{
    engine_finish(call, STATUS_NOT_IMPLEMENTED, NULL);
}
