/* iSNS and RADIUS servers that are not there, and devices that wait for nobody. */
#include "parallel.h"

/* With a port at which, surely, nobody listens. */
static const char *server_of(unsigned worker, unsigned index)
{
    static _Thread_local char address[NAME_ROOM];
    snprintf(address, sizeof address, "%s:%u", address_of(worker, index), refused_portal().port);
    return address;
}

#define FORM_FILE "parallel/servers.inc"
#include "../msapi_forms.h"

static void bind_devices(struct worker *worker)
{
    GIVES(worker, ERROR_SUCCESS, USE(SetupPersistentIScsiDevices)());
    GIVES(worker, ERROR_SUCCESS, USE(SetupPersistentIScsiVolumes)());
    GIVES(worker, ERROR_SUCCESS, USE(ClearPersistentIScsiDevices)());
}

#define BOTH(function)                                                                             \
    {#function "A", function##A},                                                                  \
    {                                                                                              \
#function "W", function##W                                                                 \
    }

const struct action server_actions[] = {BOTH(add_radius),  BOTH(remove_radius), BOTH(add_isns),
                                        BOTH(remove_isns), BOTH(refresh_isns),  BOTH(list_servers),
                                        {NULL, NULL}};
const struct action device_actions[] = {
    BOTH(bind_nothing), {"bind_devices", bind_devices}, {NULL, NULL}};

bool final_servers(struct worker *workers)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        list_serversA(&workers[i]);
        if (workers[i].problem[0] != '\0')
            return false;
    }
    return true;
}
