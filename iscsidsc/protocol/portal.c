#include "protocol/name.h"
#include "protocol/pdu.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_host_character(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
}

/* The length of the dotted quad that `text` begins with, or 0. */
static size_t ipv4_length(const char *text)
{
    size_t n = 0;

    for (int part = 0; part < 4; part++) {
        unsigned value = 0;
        size_t start;

        if (part > 0 && text[n++] != '.')
            return 0;
        start = n;
        while (is_digit(text[n]) && n - start < 4)
            value = value * 10 + (unsigned)(text[n++] - '0');
        if (n == start || value > 255 || (n - start > 1 && text[start] == '0'))
            return 0;
    }
    return n;
}

bool host_is_ipv4(const char *host)
{
    size_t length = ipv4_length(host);

    return length > 0 && host[length] == '\0';
}

/* "%zone" of a link-local address, or nothing. */
static bool zone_valid(const char *zone)
{
    if (*zone == '\0')
        return true;
    if (*zone++ != '%' || *zone == '\0')
        return false;
    while (is_host_character(*zone))
        zone++;
    return *zone == '\0';
}

/* RFC 4291, 2.2: groups of hex digits, one "::", the last two groups maybe a dotted quad. */
bool host_is_ipv6(const char *host)
{
    int groups = 0;
    bool gap = false;

    if (host[0] == ':' && host[1] != ':')
        return false;
    while (*host && *host != '%') {
        size_t digits = 0;

        if (host[0] == ':' && host[1] == ':') {
            if (gap)
                return false;
            gap = true;
            host += 2;
            if (*host == ':')
                return false;
            continue;
        }
        if (host[0] == ':')
            host++;
        if (ipv4_length(host) > 0) {
            host += ipv4_length(host);
            groups += 2;
            break;
        }
        while (is_hex(host[digits]) && digits < 5)
            digits++;
        if (digits == 0 || digits > 4 || strchr(":%", host[digits]) == NULL)
            return false;
        host += digits;
        groups++;
    }
    return zone_valid(host) && (gap ? groups < 8 : groups == 8);
}

/* Digits and dots alone that are no IPv4 address would be read as something else by a resolver. */
static bool is_dns_name(const char *host)
{
    size_t length = strlen(host);
    bool numeric = true;

    if (length == 0 || length > PORTAL_HOST_MAX || host[0] == '.' || host[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_host_character(host[i]) || (host[i] == '.' && host[i + 1] == '.'))
            return false;
        numeric = numeric && (is_digit(host[i]) || host[i] == '.');
    }
    return !numeric;
}

bool host_valid(const char *host)
{
    return host_is_ipv4(host) || is_dns_name(host) ||
           (strlen(host) <= PORTAL_HOST_MAX && host_is_ipv6(host));
}

/* 1 to 5 decimal digits that make a 16-bit number. */
static bool read_16_bits(const char *text, size_t length, uint16_t *out)
{
    uint32_t value = 0;

    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i]))
            return false;
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    *out = (uint16_t)value;
    return value <= UINT16_MAX;
}

static bool read_host(const char *text, size_t length, bool bracketed, struct portal_address *out)
{
    if (length > PORTAL_HOST_MAX || memchr(text, '\0', length))
        return false;
    memcpy(out->host, text, length);
    out->host[length] = '\0';
    return bracketed ? host_is_ipv6(out->host) : host_valid(out->host);
}

/* "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 literal. */
static bool read_host_and_port(const char *text, size_t length, struct portal_address *out)
{
    bool bracketed = length > 0 && text[0] == '[';
    const char *host = bracketed ? text + 1 : text;
    const char *end = text + length;
    const char *host_end, *colon;

    if (bracketed) {
        host_end = memchr(text, ']', length);
        if (!host_end)
            return false;
        colon = host_end + 1;
    } else {
        colon = memchr(text, ':', length);
        if (!colon || memchr(colon + 1, ':', (size_t)(end - colon) - 1))
            colon = end; /* no colon, or the colons of an IPv6 literal */
        host_end = colon;
    }
    if (!read_host(host, (size_t)(host_end - host), bracketed, out))
        return false;
    if (colon == end)
        return true;
    return *colon == ':' && read_16_bits(colon + 1, (size_t)(end - colon) - 1, &out->port) &&
           out->port != 0;
}

enum status portal_parse(const char *text, size_t length, bool with_group, bool group_required,
                         struct portal_address *out)
{
    const char *comma = length > 0 ? memchr(text, ',', length) : NULL;
    size_t address_length = comma ? (size_t)(comma - text) : length;

    *out = (struct portal_address){.port = ISCSI_DEFAULT_PORT, .group = PORTAL_ANY_GROUP};
    if (comma ? !with_group : with_group && group_required)
        return STATUS_INVALID_ADDRESS;
    if (comma && !read_16_bits(comma + 1, length - address_length - 1, &out->group))
        return STATUS_INVALID_ADDRESS;
    if (!read_host_and_port(text, address_length, out))
        return STATUS_INVALID_ADDRESS;
    return STATUS_OK;
}

enum status server_parse(const char *text, uint16_t default_port, struct portal_address *out)
{
    *out = (struct portal_address){.port = default_port, .group = PORTAL_ANY_GROUP};
    return read_host_and_port(text, strlen(text), out) ? STATUS_OK : STATUS_INVALID_ADDRESS;
}

bool portal_format(const struct portal_address *address, char *out, size_t room)
{
    bool brackets = strchr(address->host, ':') != NULL;
    size_t host_length = strlen(address->host);
    char digits[6];
    size_t first = sizeof digits - 1;
    unsigned port = address->port;

    digits[first] = '\0';
    do {
        digits[--first] = (char)('0' + port % 10);
        port /= 10;
    } while (port > 0);
    if (host_length + (brackets ? 2 : 0) + 1 + sizeof digits - first > room)
        return false;
    if (brackets)
        *out++ = '[';
    memcpy(out, address->host, host_length);
    out += host_length;
    if (brackets)
        *out++ = ']';
    *out++ = ':';
    memcpy(out, digits + first, sizeof digits - first);
    return true;
}
