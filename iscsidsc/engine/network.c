#include "engine/network.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_ROOM = 128, V4_BYTES = 4, V6_BITS = 128, V4_BITS = 32 };

static size_t first_byte(const struct network *network)
{
    return network->ipv6 ? 0 : OS_IP_LENGTH - V4_BYTES;
}

static bool take_length(const char *text, struct network *network)
{
    unsigned long most = network->ipv6 ? V6_BITS : V4_BITS;
    size_t digits = strspn(text, "0123456789");
    unsigned long bits = strtoul(text, NULL, 10);
    if (digits == 0 || digits > 3 || text[digits] != '\0' || bits > most)
        return false;
    for (size_t i = first_byte(network); i < OS_IP_LENGTH; i++) {
        network->mask[i] = (uint8_t)(bits >= 8 ? 0xff : 0xff00u >> bits);
        bits -= bits >= 8 ? 8 : bits;
    }
    return true;
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)((at - digits) % 16) : -1;
}

/* The mask itself, in hexadecimal; leading zeroes may be left out. */
static bool take_mask(const char *text, struct network *network)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    size_t length = strlen(text);
    if (length == 0 || length > 2 * (OS_IP_LENGTH - first_byte(network)))
        return false;
    for (size_t i = 0; i < length; i++) {
        int value = digit(text[length - 1 - i]);
        if (value < 0)
            return false;
        network->mask[OS_IP_LENGTH - 1 - i / 2] |= (uint8_t)(value << 4 * (i % 2));
    }
    return true;
}

static bool take_host(const char *host, struct network *network)
{
    struct os_address address;
    size_t length = strlen(host);
    char bare[TEXT_ROOM];
    if (host[0] == '[' && length > 2 && host[length - 1] == ']') {
        memcpy(bare, host + 1, length - 2);
        bare[length - 2] = '\0';
        host = bare;
    }
    if (strchr(host, '%') != NULL || !os_address_parse(&address, host, 0))
        return false;
    network->ipv6 = os_address_is_ipv6(&address);
    os_address_to_ip(&address, network->ip);
    return true;
}

bool network_parse(const char *text, struct network *out)
{
    char host[TEXT_ROOM];
    size_t length = strcspn(text, "/&");
    *out = (struct network){0};
    if (length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (!take_host(host, out))
        return false;
    if (text[length] == '&')
        return take_mask(text + length + 1, out);
    if (text[length] == '/')
        return take_length(text + length + 1, out);
    return take_length(out->ipv6 ? "128" : "32", out);
}

static bool same_under(const uint8_t *a, const uint8_t *b, const uint8_t *mask)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < OS_IP_LENGTH; i++)
        difference |= (uint8_t)((a[i] ^ b[i]) & mask[i]);
    return difference == 0;
}

bool network_contains(const struct network *network, const char *host)
{
    struct os_address address;
    uint8_t ip[OS_IP_LENGTH];
    if (host == NULL || !os_address_parse(&address, host, 0) ||
        os_address_is_ipv6(&address) != network->ipv6)
        return false;
    os_address_to_ip(&address, ip);
    return same_under(network->ip, ip, network->mask);
}

bool network_same(const struct network *a, const struct network *b)
{
    return a->ipv6 == b->ipv6 && memcmp(a->mask, b->mask, sizeof a->mask) == 0 &&
           same_under(a->ip, b->ip, a->mask);
}

unsigned network_bits(const struct network *network)
{
    unsigned bits = 0;
    for (size_t i = first_byte(network); i < OS_IP_LENGTH; i++) {
        for (unsigned byte = network->mask[i]; byte != 0; byte &= byte - 1)
            bits++;
    }
    return bits;
}

bool network_is_host(const struct network *network)
{
    return network_bits(network) == (network->ipv6 ? V6_BITS : V4_BITS);
}
