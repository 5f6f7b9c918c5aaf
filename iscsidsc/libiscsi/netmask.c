#include "libiscsi/netmask.h"

#include "os/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { V4_BITS = 32, V6_BITS = 128, MAPPED_BITS = V6_BITS - V4_BITS };

/* "10.4" is 10.4.0.0 where its length in bits is told. */
static void fill_up(char host[NETMASK_ROOM])
{
    size_t dots = 0;

    for (const char *at = host; *at != '\0'; at++)
        dots += *at == '.';
    for (; dots < 3; dots++)
        strcat(host, ".0");
}

static bool read_bits(const char *text, unsigned most, unsigned *bits)
{
    size_t length = strlen(text);

    if (length == 0 || length > 3 || strspn(text, "0123456789") != length)
        return false;
    *bits = (unsigned)strtoul(text, NULL, 10);
    return *bits <= most;
}

/* Host and number of bits, as far as they were given. */
static bool split(const char *text, char host[NETMASK_ROOM], bool v6, unsigned *bits)
{
    char *slash;

    if (strlen(text) + sizeof ".0.0.0" > NETMASK_ROOM)
        return false;
    snprintf(host, NETMASK_ROOM, "%s", text);
    slash = strchr(host, '/');
    if (slash == NULL)
        return true;
    *slash = '\0';
    if (!read_bits(slash + 1, *bits, bits))
        return false;
    if (!v6)
        fill_up(host);
    return true;
}

static void clear_behind(uint8_t ip[OS_IP_LENGTH], unsigned bits)
{
    for (unsigned i = bits; i < V6_BITS; i++)
        ip[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
}

bool netmask_normal(const char *text, char out[NETMASK_ROOM])
{
    char host[NETMASK_ROOM];
    bool v6 = strchr(text, ':') != NULL;
    unsigned bits = v6 ? V6_BITS : V4_BITS;
    struct os_address address;
    uint8_t ip[OS_IP_LENGTH];
    uint16_t port;

    snprintf(out, NETMASK_ROOM, "any");
    if (strcmp(text, "any") == 0 || strcmp(text, "all") == 0)
        return true;
    if (!split(text, host, v6, &bits) || !os_address_parse(&address, host, 0) ||
        strchr(host, '%') != NULL)
        return false;
    if (bits == 0) /* 0/0 is everybody, whichever way they come */
        return true;
    os_address_to_ip(&address, ip);
    clear_behind(ip, v6 ? bits : bits + MAPPED_BITS);
    os_address_from_ip(&address, ip, 0);
    os_address_format(&address, host, &port);
    snprintf(out, NETMASK_ROOM, "%.60s/%u", host, bits);
    return true;
}
