#include "os/local_socket.h"

bool os_peer_in_group(const struct os_peer *peer, uint32_t group)
{
    for (size_t i = 0; i < peer->group_count; i++) {
        if (peer->groups[i] == group && group != OS_NO_GROUP)
            return true;
    }
    return false;
}
