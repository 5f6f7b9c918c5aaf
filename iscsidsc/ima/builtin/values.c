/* Texts, addresses and hosts, both ways. */
#include "ima/builtin/builtin.h"

#include "ima/text.h"
#include "os/socket.h"
#include "protocol/name.h"

#include <string.h>

/* What does not fit or is no text comes as far as it goes. */
void builtin_from_text(const char *utf8, IMA_WCHAR *out, size_t room)
{
    ima_from_utf8(utf8 != NULL ? utf8 : "", out, room);
}

static bool is_mapped(const uint8_t ip[OS_IP_LENGTH])
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(ip, prefix, sizeof prefix) == 0;
}

bool builtin_to_ip(const char *text, IMA_IP_ADDRESS *out)
{
    struct os_address address;
    uint8_t ip[OS_IP_LENGTH];
    memset(out, 0, sizeof *out);
    if (text == NULL || !os_address_parse(&address, text, 0))
        return false;
    os_address_to_ip(&address, ip);
    out->ipv4Address = is_mapped(ip) ? IMA_TRUE : IMA_FALSE;
    memcpy(out->ipAddress, is_mapped(ip) ? ip + 12 : ip, is_mapped(ip) ? 4 : 16);
    return true;
}

void builtin_to_host(const char *text, IMA_HOST_ID *out)
{
    memset(out, 0, sizeof *out);
    if (text != NULL && builtin_to_ip(text, &out->id.ipAddress))
        return;
    out->hostnameInUse = IMA_TRUE;
    builtin_from_text(text, out->id.hostname, IMA_HOST_NAME_LEN);
}

static void from_ip(const IMA_IP_ADDRESS *ip, char out[BUILTIN_HOST_ROOM])
{
    struct os_address address;
    uint8_t bytes[OS_IP_LENGTH] = {0};
    uint16_t port;
    if (ip->ipv4Address) {
        bytes[10] = bytes[11] = 0xff;
        memcpy(bytes + 12, ip->ipAddress, 4);
    } else {
        memcpy(bytes, ip->ipAddress, 16);
    }
    os_address_from_ip(&address, bytes, 0);
    os_address_format(&address, out, &port);
}

bool builtin_is_empty_host(const IMA_HOST_ID *host)
{
    static const uint8_t zeros[16];
    if (host->hostnameInUse)
        return host->id.hostname[0] == 0;
    return memcmp(host->id.ipAddress.ipAddress, zeros, host->id.ipAddress.ipv4Address ? 4 : 16) ==
           0;
}

bool builtin_from_host(const IMA_HOST_ID *host, char out[BUILTIN_HOST_ROOM])
{
    out[0] = '\0';
    if (builtin_is_empty_host(host))
        return true;
    if (!host->hostnameInUse) {
        from_ip(&host->id.ipAddress, out);
        return true;
    }
    long length = ima_to_utf8(host->id.hostname, IMA_HOST_NAME_LEN, out, BUILTIN_HOST_ROOM);
    return length > 0 && length < BUILTIN_HOST_ROOM && host_valid(out);
}
