/* Socket addresses as values: literals, comparison. No lookup happens here. */
#include "os/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct sockaddr_in6) <= sizeof((struct os_address){0}.bytes),
               "an os_address holds every address we know");

bool os_address_to_native(const struct os_address *address, struct os_native_address *native)
{
    memset(native, 0, sizeof *native);
    if (address->length > sizeof native->u)
        return false;
    memcpy(&native->u, address->bytes, address->length);
    native->length = (socklen_t)address->length;
    return (address->length == sizeof native->u.v4 && native->u.any.sa_family == AF_INET) ||
           (address->length == sizeof native->u.v6 && native->u.any.sa_family == AF_INET6);
}

bool os_address_from_native(const struct sockaddr *native, size_t length,
                            struct os_address *address)
{
    struct os_native_address copy;
    memset(address, 0, sizeof *address);
    if (native->sa_family == AF_INET && length >= sizeof copy.u.v4)
        address->length = sizeof copy.u.v4;
    else if (native->sa_family == AF_INET6 && length >= sizeof copy.u.v6)
        address->length = sizeof copy.u.v6;
    else
        return false;
    memcpy(address->bytes, native, address->length);
    if (native->sa_family == AF_INET)
        memset(address->bytes + 8, 0, 8); /* sin_zero: Windows hands out what was there */
    return true;
}

static bool parse_v4(struct os_address *address, const char *host, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &v4.sin_addr) != 1)
        return false;
    address->length = sizeof v4;
    memcpy(address->bytes, &v4, sizeof v4);
    return true;
}

/* A zone is an interface's index or name (RFC 4007, 11). */
static bool parse_zone(const char *zone, uint32_t *scope)
{
    if (zone[0] == '\0')
        return false;
    if (strspn(zone, "0123456789") == strlen(zone)) {
        unsigned long long number = strtoull(zone, NULL, 10);
        *scope = (uint32_t)number;
        return strlen(zone) <= 10 && number <= UINT32_MAX;
    }
    *scope = if_nametoindex(zone);
    return *scope != 0;
}

static bool parse_v6(struct os_address *address, const char *host, uint16_t port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    char text[INET6_ADDRSTRLEN];
    size_t length = strcspn(host, "%");
    if (length >= sizeof text)
        return false;
    memcpy(text, host, length);
    text[length] = '\0';
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
        return false;
    uint32_t scope = 0;
    if (host[length] == '%' && !parse_zone(host + length + 1, &scope))
        return false;
    v6.sin6_scope_id = scope;
    address->length = sizeof v6;
    memcpy(address->bytes, &v6, sizeof v6);
    return true;
}

bool os_address_parse(struct os_address *address, const char *host, uint16_t port)
{
    os_net_start();
    memset(address, 0, sizeof *address);
    return parse_v4(address, host, port) || parse_v6(address, host, port);
}

static void append_zone(char host[OS_HOST_TEXT], uint32_t scope)
{
    size_t length = strlen(host);
    char name[IF_NAMESIZE] = "";
#ifndef _WIN32
    /* Windows' interface names are long GUID-like texts: its users know zones by number. */
    if (if_indextoname(scope, name) == NULL)
        name[0] = '\0';
#endif
    if (name[0] != '\0')
        snprintf(host + length, OS_HOST_TEXT - length, "%%%s", name);
    else
        snprintf(host + length, OS_HOST_TEXT - length, "%%%lu", (unsigned long)scope);
}

void os_address_format(const struct os_address *address, char host[OS_HOST_TEXT], uint16_t *port)
{
    struct os_native_address native;
    os_net_start();
    host[0] = '\0';
    if (port != NULL)
        *port = os_address_port(address);
    if (!os_address_to_native(address, &native))
        return;
    if (native.u.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &native.u.v4.sin_addr, host, OS_HOST_TEXT);
        return;
    }
    inet_ntop(AF_INET6, &native.u.v6.sin6_addr, host, OS_HOST_TEXT);
    if (native.u.v6.sin6_scope_id != 0)
        append_zone(host, native.u.v6.sin6_scope_id);
}

bool os_address_is_ipv6(const struct os_address *address)
{
    struct os_native_address native;
    return os_address_to_native(address, &native) && native.u.any.sa_family == AF_INET6;
}

uint16_t os_address_port(const struct os_address *address)
{
    struct os_native_address native;
    if (!os_address_to_native(address, &native))
        return 0;
    return ntohs(native.u.any.sa_family == AF_INET ? native.u.v4.sin_port : native.u.v6.sin6_port);
}

bool os_address_same_host(const struct os_address *a, const struct os_address *b)
{
    struct os_native_address x, y;
    if (!os_address_to_native(a, &x) || !os_address_to_native(b, &y) ||
        x.u.any.sa_family != y.u.any.sa_family)
        return false;
    if (x.u.any.sa_family == AF_INET)
        return x.u.v4.sin_addr.s_addr == y.u.v4.sin_addr.s_addr;
    return memcmp(&x.u.v6.sin6_addr, &y.u.v6.sin6_addr, sizeof x.u.v6.sin6_addr) == 0 &&
           x.u.v6.sin6_scope_id == y.u.v6.sin6_scope_id;
}

/* --- bare IP addresses --- */

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

void os_address_to_ip(const struct os_address *address, uint8_t ip[OS_IP_LENGTH])
{
    struct os_native_address native;
    memset(ip, 0, OS_IP_LENGTH);
    if (!os_address_to_native(address, &native))
        return;
    if (native.u.any.sa_family == AF_INET6) {
        memcpy(ip, &native.u.v6.sin6_addr, OS_IP_LENGTH);
        return;
    }
    memcpy(ip, mapped_prefix, sizeof mapped_prefix);
    memcpy(ip + sizeof mapped_prefix, &native.u.v4.sin_addr, 4);
}

void os_address_from_ip(struct os_address *address, const uint8_t ip[OS_IP_LENGTH], uint16_t port)
{
    struct os_native_address native = {0};
    if (memcmp(ip, mapped_prefix, sizeof mapped_prefix) == 0) {
        native.u.v4.sin_family = AF_INET;
        native.u.v4.sin_port = htons(port);
        memcpy(&native.u.v4.sin_addr, ip + sizeof mapped_prefix, 4);
        os_address_from_native(&native.u.any, sizeof native.u.v4, address);
    } else {
        native.u.v6.sin6_family = AF_INET6;
        native.u.v6.sin6_port = htons(port);
        memcpy(&native.u.v6.sin6_addr, ip, OS_IP_LENGTH);
        os_address_from_native(&native.u.any, sizeof native.u.v6, address);
    }
}

/* --- lookups --- */

static bool known(const struct os_address *list, size_t count, const struct os_address *address)
{
    for (size_t i = 0; i < count; i++) {
        if (os_address_same_host(&list[i], address))
            return true;
    }
    return false;
}

enum status os_lookup(const char *host, uint16_t port, struct os_address *out, size_t room,
                      size_t *count)
{
    os_net_start();
    *count = 0;
    /* An empty name means this machine to Windows. No name of the DNS is longer than 253. */
    if (host[0] == '\0' || strlen(host) > 253)
        return STATUS_NAME_UNRESOLVED;
    /* No AI_ADDRCONFIG: it would hide "localhost" on a machine without a network, and unreachable
     * families are sorted last anyway (RFC 6724). */
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, NULL, &hints, &found);
    if (error != 0)
        return error == EAI_MEMORY ? STATUS_NO_MEMORY : STATUS_NAME_UNRESOLVED;
    for (struct addrinfo *each = found; each != NULL && *count < room; each = each->ai_next) {
        struct os_address address;
        if (!os_address_from_native(each->ai_addr, each->ai_addrlen, &address))
            continue;
        put_be16(address.bytes + offsetof(struct sockaddr_in, sin_port), port);
        if (!known(out, *count, &address))
            out[(*count)++] = address;
    }
    freeaddrinfo(found);
    return *count > 0 ? STATUS_OK : STATUS_NAME_UNRESOLVED;
}
