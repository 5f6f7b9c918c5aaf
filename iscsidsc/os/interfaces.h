/* The network interfaces of the machine, as the system tells of them. */
#ifndef OS_INTERFACES_H
#define OS_INTERFACES_H

#include "os/socket.h"

enum { OS_INTERFACE_ADDRESSES = 16, OS_INTERFACE_SERVERS = 2, OS_INTERFACE_TEXT = 256 };

struct os_interface_address {
    struct os_address address; /* port 0 */
    uint8_t prefix;            /* bits of the network */
};

/* Numbers that the system does not tell are 0. */
struct os_interface {
    char name[OS_INTERFACE_TEXT];        /* what tells it from others; UTF-8 */
    char description[OS_INTERFACE_TEXT]; /* for people; maybe empty */
    bool up;                             /* switched on */
    bool linked;                         /* and with a carrier */
    bool dhcp; /* its IPv4 address is of a DHCP server; false: maybe not */
    uint8_t mac[6];
    uint32_t mtu;   /* bytes */
    uint32_t speed; /* Mbit/s */
    struct os_interface_address addresses[OS_INTERFACE_ADDRESSES];
    size_t address_count;
    struct os_address gateway; /* of its default route */
    bool has_gateway;
    struct os_address servers[OS_INTERFACE_SERVERS]; /* of names (DNS), in order */
    size_t server_count;
};

/* All of them, freed with os_free; loopback included. False: out of memory, or the system tells
 * nothing. */
bool os_interfaces(struct os_interface **out, size_t *count);

#endif
