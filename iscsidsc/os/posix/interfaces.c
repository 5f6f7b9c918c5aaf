/* getifaddrs tells names and addresses; what Linux tells of the rest is read from its files. */
#include "os/interfaces.h"
#include "os/memory.h"
#include "os/net.h"

#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_ROOM = 512, PATH_ROOM = 128 };

/* --- files --- */

/* The first line of an attribute; false: there is none. */
static bool read_attribute(const char *name, const char *attribute, char line[LINE_ROOM])
{
    char path[PATH_ROOM];
    int length = snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, attribute);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "r") : NULL;
    if (file == NULL)
        return false;
    bool found = fgets(line, LINE_ROOM, file) != NULL;
    fclose(file);
    return found;
}

static uint32_t read_number(const char *name, const char *attribute)
{
    char line[LINE_ROOM];
    long value = read_attribute(name, attribute, line) ? strtol(line, NULL, 10) : 0;
    return value > 0 ? (uint32_t)value : 0; /* -1: it is not known */
}

static void read_mac(const char *name, uint8_t mac[6])
{
    char line[LINE_ROOM];
    unsigned bytes[6];
    if (!read_attribute(name, "address", line) ||
        sscanf(line, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
               &bytes[4], &bytes[5]) != 6)
        return;
    for (size_t i = 0; i < 6; i++)
        mac[i] = (uint8_t)bytes[i];
}

/* Calls `each` with every line until it returns false. */
static void each_line(const char *path, bool (*each)(char *line, void *context), void *context)
{
    char line[LINE_ROOM];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL && each(line, context))
        continue;
    fclose(file);
}

/* --- gateways --- */

struct interfaces {
    struct os_interface *items;
    size_t count;
};

static struct os_interface *find(const struct interfaces *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i].name, name) == 0)
            return &all->items[i];
    }
    return NULL;
}

static void take_gateway(const struct interfaces *all, const char *name, const char *host)
{
    struct os_interface *interface = find(all, name);
    if (interface != NULL && !interface->has_gateway)
        interface->has_gateway = os_address_parse(&interface->gateway, host, 0);
}

/* /proc/net/route: interface, destination, gateway, ... in the byte order of the machine. */
static bool take_route(char *line, void *context)
{
    char name[64], host[OS_HOST_TEXT];
    unsigned long destination, gateway;
    if (sscanf(line, "%63s %lx %lx", name, &destination, &gateway) != 3 || destination != 0 ||
        gateway == 0)
        return true;
    const struct in_addr address = {.s_addr = (in_addr_t)gateway};
    if (inet_ntop(AF_INET, &address, host, sizeof host) != NULL)
        take_gateway(context, name, host);
    return true;
}

/* /proc/net/ipv6_route: destination, its prefix, source, its prefix, next hop, four numbers,
 * interface. */
static bool take_route6(char *line, void *context)
{
    char destination[40], hop[40], name[64], host[OS_HOST_TEXT];
    struct in6_addr address;
    unsigned prefix;
    if (sscanf(line, "%39s %x %*s %*s %39s %*s %*s %*s %*s %63s", destination, &prefix, hop,
               name) != 4 ||
        prefix != 0 || strspn(hop, "0") == 32 || strlen(hop) != 32)
        return true;
    for (size_t i = 0; i < 16; i++) {
        unsigned byte = 0;
        sscanf(hop + 2 * i, "%2x", &byte);
        address.s6_addr[i] = (uint8_t)byte;
    }
    if (inet_ntop(AF_INET6, &address, host, sizeof host) != NULL)
        take_gateway(context, name, host);
    return true;
}

/* --- name servers: those of the machine serve every interface but the loopback --- */

static bool take_server(char *line, void *context)
{
    struct os_interface *all = context;
    char host[OS_HOST_TEXT];
    if (sscanf(line, "nameserver %63s", host) == 1 &&
        os_address_parse(&all->servers[all->server_count], host, 0))
        all->server_count++;
    return all->server_count < OS_INTERFACE_SERVERS;
}

/* --- interfaces --- */

static uint8_t prefix_of(const struct sockaddr *mask)
{
    const uint8_t *bytes;
    size_t length = mask->sa_family == AF_INET6 ? 16 : 4;
    uint8_t bits = 0;
    if (mask->sa_family == AF_INET6)
        bytes = ((const struct sockaddr_in6 *)(const void *)mask)->sin6_addr.s6_addr;
    else
        bytes = (const uint8_t *)&((const struct sockaddr_in *)(const void *)mask)->sin_addr;
    for (size_t i = 0; i < length * 8 && (bytes[i / 8] >> (7 - i % 8) & 1) != 0; i++)
        bits++;
    return bits;
}

static void take_address(struct os_interface *interface, const struct ifaddrs *from)
{
    if (from->ifa_addr == NULL || interface->address_count == OS_INTERFACE_ADDRESSES)
        return;
    int family = from->ifa_addr->sa_family;
    struct os_interface_address *out = &interface->addresses[interface->address_count];
    size_t length = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if ((family != AF_INET && family != AF_INET6) ||
        !os_address_from_native(from->ifa_addr, length, &out->address))
        return;
    if (from->ifa_netmask != NULL)
        out->prefix = prefix_of(from->ifa_netmask);
    interface->address_count++;
}

static void describe(struct os_interface *interface, const char *name, unsigned flags)
{
    snprintf(interface->name, sizeof interface->name, "%s", name);
    interface->up = (flags & IFF_UP) != 0;
    interface->linked = interface->up && (flags & IFF_RUNNING) != 0;
    interface->mtu = read_number(name, "mtu");
    interface->speed = read_number(name, "speed");
    read_mac(name, interface->mac);
}

static size_t count_names(const struct ifaddrs *list)
{
    size_t count = 0;
    for (; list != NULL; list = list->ifa_next)
        count++;
    return count;
}

static void collect(const struct ifaddrs *list, struct interfaces *all)
{
    struct os_interface machine = {0};
    each_line("/etc/resolv.conf", take_server, &machine);
    for (; list != NULL; list = list->ifa_next) {
        struct os_interface *interface = find(all, list->ifa_name);
        if (interface == NULL) {
            interface = &all->items[all->count++];
            describe(interface, list->ifa_name, list->ifa_flags);
            if ((list->ifa_flags & IFF_LOOPBACK) == 0) {
                memcpy(interface->servers, machine.servers, sizeof machine.servers);
                interface->server_count = machine.server_count;
            }
        }
        take_address(interface, list);
    }
    each_line("/proc/net/route", take_route, all);
    each_line("/proc/net/ipv6_route", take_route6, all);
}

bool os_interfaces(struct os_interface **out, size_t *count)
{
    struct ifaddrs *list;
    struct interfaces all = {NULL, 0};
    if (getifaddrs(&list) != 0)
        return false;
    all.items = os_alloc((count_names(list) + 1) * sizeof *all.items);
    if (all.items != NULL)
        collect(list, &all);
    freeifaddrs(list);
    *out = all.items;
    *count = all.count;
    return all.items != NULL;
}
