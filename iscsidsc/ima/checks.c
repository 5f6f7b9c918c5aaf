#include "ima/checks.h"

#include <string.h>

bool ima_is_bool(IMA_BOOL value)
{
    return value == IMA_TRUE || value == IMA_FALSE;
}

bool ima_is_object_type(IMA_OBJECT_TYPE type)
{
    return (unsigned)type - IMA_OBJECT_TYPE_PLUGIN <
           IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET - IMA_OBJECT_TYPE_UNKNOWN;
}

bool ima_is_image_type(IMA_PHBA_DOWNLOAD_IMAGE_TYPE type)
{
    return (unsigned)type <= IMA_DOWNLOAD_IMAGE_TYPE_ALL;
}

static bool is_method(IMA_AUTHMETHOD method)
{
    return (unsigned)method <= IMA_AUTHMETHOD_SPKM2;
}

bool ima_has_parameters(IMA_AUTHMETHOD method)
{
    return is_method(method) && method != IMA_AUTHMETHOD_NONE;
}

/* --- addresses --- */

bool ima_is_ip_address(const IMA_IP_ADDRESS *address)
{
    static const IMA_BYTE zeros[sizeof address->ipAddress];
    size_t length = address->ipv4Address ? 4 : sizeof zeros;
    return ima_is_bool(address->ipv4Address) && memcmp(address->ipAddress, zeros, length) != 0;
}

/* Not empty, and ended within its array. */
static bool is_text(const IMA_WCHAR *text, size_t room)
{
    size_t length = 0;
    while (length < room && text[length] != 0)
        length++;
    return length > 0 && length < room;
}

bool ima_is_host(const IMA_HOST_ID *host)
{
    if (!ima_is_bool(host->hostnameInUse))
        return false;
    return host->hostnameInUse ? is_text(host->id.hostname, IMA_HOST_NAME_LEN)
                               : ima_is_ip_address(&host->id.ipAddress);
}

bool ima_is_target_address(const IMA_TARGET_ADDRESS *address)
{
    return ima_is_host(&address->hostnameIpAddress);
}

bool ima_is_static_target(const IMA_STATIC_DISCOVERY_TARGET *target)
{
    return is_text(target->targetName, IMA_NODE_NAME_LEN) &&
           ima_is_target_address(&target->targetAddress) &&
           ima_is_bool(target->portalGroupTagValid);
}

static bool same_address(const IMA_IP_ADDRESS *a, const IMA_IP_ADDRESS *b)
{
    return a->ipv4Address == b->ipv4Address &&
           memcmp(a->ipAddress, b->ipAddress, a->ipv4Address ? 4 : sizeof a->ipAddress) == 0;
}

bool ima_is_dns_pair(const IMA_IP_ADDRESS *primary, const IMA_IP_ADDRESS *alternate)
{
    if (primary == NULL)
        return alternate == NULL;
    if (!ima_is_ip_address(primary))
        return false;
    return alternate == NULL || (ima_is_ip_address(alternate) && !same_address(primary, alternate));
}

/* SNIA's clients hand over zeros when they name no host: whether that will do is for the owner to
 * say. */
bool ima_is_isns_choice(IMA_BOOL enable, IMA_ISNS_DISCOVERY_METHOD method, const IMA_HOST_ID *host)
{
    if (!ima_is_bool(enable))
        return false;
    if (!enable)
        return true;
    if ((unsigned)method > IMA_ISNS_DISCOVERY_METHOD_SLP)
        return false;
    return method != IMA_ISNS_DISCOVERY_METHOD_STATIC ||
           (host != NULL && ima_is_bool(host->hostnameInUse));
}

/* --- lists and buffers --- */

bool ima_is_method_room(const IMA_UINT *count, const IMA_AUTHMETHOD *list)
{
    return count != NULL && (list != NULL || *count == 0);
}

static bool has_method(IMA_UINT count, const IMA_AUTHMETHOD *list, IMA_AUTHMETHOD method)
{
    for (IMA_UINT i = 0; i < count; i++) {
        if (list[i] == method)
            return true;
    }
    return false;
}

bool ima_is_method_list(IMA_UINT count, const IMA_AUTHMETHOD *list)
{
    if (count == 0 || count > IMA_AUTHMETHOD_SPKM2 + 1 || list == NULL)
        return false;
    for (IMA_UINT i = 0; i < count; i++) {
        if (!is_method(list[i]) || has_method(i, list, list[i]))
            return false;
    }
    return true;
}

bool ima_is_room(const IMA_BYTE *buffer, const IMA_UINT *length)
{
    return buffer != NULL && length != NULL && *length > 0;
}

bool ima_is_sense_room(const IMA_BYTE *buffer, const IMA_UINT *length)
{
    return buffer != NULL ? length != NULL : length == NULL || *length == 0;
}

bool ima_is_ioctl(const void *input, IMA_UINT input_length, const void *output,
                  const IMA_UINT *output_length)
{
    if (output_length == NULL)
        return output == NULL && input == NULL && input_length == 0;
    if (input == NULL && input_length != 0)
        return false;
    return (output != NULL) == (*output_length > 0);
}
