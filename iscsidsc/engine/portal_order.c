#include "engine/portal_order.h"

#include <string.h>

void portal_preference_set(struct portal_preference *preference, const char *portal,
                           const char *network)
{
    *preference = (struct portal_preference){0};
    portal_wanted(portal, &preference->portal);
    preference->has_network = network_parse(network, &preference->network);
}

bool portal_wanted(const char *text, struct portal_address *out)
{
    bool good = server_parse(text, 0, out) == STATUS_OK;
    if (!good)
        *out = (struct portal_address){0};
    return good;
}

static bool same_host(const char *a, const char *b)
{
    struct os_address first, second;
    if (os_address_parse(&first, a, 0) && os_address_parse(&second, b, 0))
        return os_address_same_host(&first, &second);
    return name_equal(a, b);
}

bool portal_same(const struct portal_address *a, const struct portal_address *b)
{
    return a->port == b->port && same_host(a->host, b->host);
}

bool portal_is(const struct portal_address *portal, const struct portal_address *wanted)
{
    return (wanted->port == 0 || wanted->port == portal->port) &&
           same_host(portal->host, wanted->host);
}

unsigned portal_rank(const struct portal_preference *preference,
                     const struct portal_address *portal)
{
    if (preference->portal.host[0] != '\0' && portal_is(portal, &preference->portal))
        return 0;
    return preference->has_network && network_contains(&preference->network, portal->host) ? 1 : 2;
}

void portals_sort(const struct portal_preference *preference, struct portal_address *portals,
                  size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct portal_address moved = portals[i];
        unsigned rank = portal_rank(preference, &moved);
        size_t place = i;
        for (; place > 0 && portal_rank(preference, &portals[place - 1]) > rank; place--)
            portals[place] = portals[place - 1];
        portals[place] = moved;
    }
}

static void reverse(struct portal_address *portals, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct portal_address kept = portals[i];
        portals[i] = portals[count - 1 - i];
        portals[count - 1 - i] = kept;
    }
}

/* The first `by` of them go to the end. */
static void rotate(struct portal_address *portals, size_t count, size_t by)
{
    reverse(portals, by);
    reverse(portals + by, count - by);
    reverse(portals, count);
}

size_t portals_after(const struct portal_preference *preference, struct portal_address *portals,
                     size_t count, const struct portal_address *last, bool last_first)
{
    struct portal_address kept = *last;
    size_t at = 0;
    while (at < count && !portal_same(&portals[at], last))
        at++;
    if (at < count) {
        rotate(portals, count, at + 1);
        count--;
    }
    portals_sort(preference, portals, count);
    portals[count] = kept;
    if (last_first)
        rotate(portals, count + 1, count);
    return count + 1;
}
