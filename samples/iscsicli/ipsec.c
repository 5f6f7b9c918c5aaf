/* Preshared keys and tunnel addresses for IPsec. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"

ISDSC_STATUS run_tunnel_address(int count, char **arguments)
{
    (void)count;
    return SetIScsiTunnelModeOuterAddressA(argument_text(arguments[0]), argument_port(arguments[1]),
                                           argument_text(arguments[2]), argument_text(arguments[3]),
                                           argument_boolean(arguments[4], true));
}

ISDSC_STATUS run_group_key(int count, char **arguments)
{
    PCHAR key;
    ULONG length;

    (void)count;
    argument_key(arguments[0], &key, &length);
    return SetIScsiGroupPresharedKey(length, (PUCHAR)key, argument_boolean(arguments[1], true));
}

/* An IKE identity; `address` holds it if it is one. */
static bool set_identity(char *type, char *id, IKE_AUTHENTICATION_PRESHARED_KEY *key,
                         UCHAR *address)
{
    key->IdType = (IKE_IDENTIFICATION_PAYLOAD_TYPE)argument_number(type);
    key->Id = address;
    switch (argument_number(type)) {
    case ID_IPV4_ADDR:
        key->IdLengthInBytes = platform_ipv4(id, address);
        return key->IdLengthInBytes > 0;
    case ID_IPV6_ADDR:
        key->IdLengthInBytes = platform_ipv6(id, address);
        return key->IdLengthInBytes > 0;
    default:
        key->Id = (PUCHAR)id;
        key->IdLengthInBytes = (ULONG)strlen(id);
        return true;
    }
}

static bool supported_type(const char *type)
{
    ULONG number = argument_number(type);

    if (number == ID_IPV4_ADDR || number == ID_FQDN || number == ID_USER_FQDN ||
        number == ID_IPV6_ADDR)
        return true;
    puts("Id type must be 1 (IPv4 address), 2 (FQDN), 3 (user FQDN) or 5 (IPv6 address)");
    return false;
}

ISDSC_STATUS run_set_key(int count, char **arguments)
{
    IKE_AUTHENTICATION_INFORMATION info = {.AuthMethod = IKE_AUTHENTICATION_PRESHARED_KEY_METHOD};
    UCHAR address[16];

    (void)count;
    if (!supported_type(arguments[3]))
        return ERROR_SUCCESS;
    if (!set_identity(arguments[3], arguments[4], &info.PsKey, address))
        return ERROR_INVALID_PARAMETER;
    info.PsKey.SecurityFlags = argument_number(arguments[2]);
    info.PsKey.Key = (PUCHAR)argument_text(arguments[5]);
    info.PsKey.KeyLengthInBytes = info.PsKey.Key ? (ULONG)strlen(arguments[5]) : 0;
    return SetIScsiIKEInfoA(argument_text(arguments[0]), argument_port(arguments[1]), &info,
                            argument_boolean(arguments[6], true));
}

ISDSC_STATUS run_get_key(int count, char **arguments)
{
    IKE_AUTHENTICATION_INFORMATION info = {.AuthMethod = IKE_AUTHENTICATION_PRESHARED_KEY_METHOD};
    UCHAR address[16];
    ISDSC_STATUS status;

    (void)count;
    if (!supported_type(arguments[2]))
        return ERROR_SUCCESS;
    if (!set_identity(arguments[2], arguments[3], &info.PsKey, address))
        return ERROR_INVALID_PARAMETER;
    status =
        GetIScsiIKEInfoA(argument_text(arguments[0]), argument_port(arguments[1]), NULL, &info);
    if (status == ERROR_SUCCESS)
        print_security_flags(4, info.PsKey.SecurityFlags);
    return status;
}
