#include "os/interfaces.h"
#include "os/memory.h"
#include "os/net.h"
#include "os/system.h"

#include <stdio.h>
#include <string.h>

/* The caller frees; NULL when there are none to be had. */
static IP_ADAPTER_ADDRESSES *adapters_now(void)
{
    const ULONG flags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_INCLUDE_GATEWAYS;
    ULONG size = 16384;
    for (int attempt = 0; attempt < 4; attempt++) { /* the list may grow between two calls */
        IP_ADAPTER_ADDRESSES *adapters = os_alloc(size);
        if (adapters == NULL)
            return NULL;
        ULONG error = GetAdaptersAddresses(AF_UNSPEC, flags, NULL, adapters, &size);
        if (error == ERROR_SUCCESS)
            return adapters;
        os_free(adapters);
        if (error != ERROR_BUFFER_OVERFLOW)
            return NULL;
    }
    return NULL;
}

static bool take_socket_address(const SOCKET_ADDRESS *from, struct os_address *out)
{
    return from->lpSockaddr != NULL &&
           os_address_from_native(from->lpSockaddr, (size_t)from->iSockaddrLength, out);
}

static void take_addresses(const IP_ADAPTER_ADDRESSES *adapter, struct os_interface *out)
{
    for (const IP_ADAPTER_UNICAST_ADDRESS *one = adapter->FirstUnicastAddress;
         one != NULL && out->address_count < OS_INTERFACE_ADDRESSES; one = one->Next) {
        struct os_interface_address *address = &out->addresses[out->address_count];
        if (!take_socket_address(&one->Address, &address->address))
            continue;
        address->prefix = one->OnLinkPrefixLength;
        out->address_count++;
    }
}

static void take_servers(const IP_ADAPTER_ADDRESSES *adapter, struct os_interface *out)
{
    for (const IP_ADAPTER_DNS_SERVER_ADDRESS *one = adapter->FirstDnsServerAddress;
         one != NULL && out->server_count < OS_INTERFACE_SERVERS; one = one->Next) {
        if (take_socket_address(&one->Address, &out->servers[out->server_count]))
            out->server_count++;
    }
}

/* Two that say that they do not know (Wine's loopback and others) say all ones. */
static uint32_t megabits(ULONG64 bits)
{
    return bits == UINT64_MAX || bits / 1000000 > UINT32_MAX ? 0 : (uint32_t)(bits / 1000000);
}

static void describe(const IP_ADAPTER_ADDRESSES *adapter, struct os_interface *out)
{
    const IP_ADAPTER_GATEWAY_ADDRESS *gateway = adapter->FirstGatewayAddress;
    snprintf(out->name, sizeof out->name, "%s", adapter->AdapterName);
    if (adapter->FriendlyName != NULL)
        os_utf16_to_utf8((const uint16_t *)adapter->FriendlyName, out->description,
                         sizeof out->description);
    out->linked = adapter->OperStatus == IfOperStatusUp;
    out->up = adapter->OperStatus != IfOperStatusNotPresent;
    out->dhcp = (adapter->Flags & IP_ADAPTER_DHCP_ENABLED) != 0;
    if (adapter->PhysicalAddressLength == sizeof out->mac)
        memcpy(out->mac, adapter->PhysicalAddress, sizeof out->mac);
    out->mtu = adapter->Mtu == UINT32_MAX ? 0 : adapter->Mtu;
    out->speed = megabits(adapter->TransmitLinkSpeed);
    out->has_gateway = gateway != NULL && take_socket_address(&gateway->Address, &out->gateway);
    take_addresses(adapter, out);
    take_servers(adapter, out);
}

bool os_interfaces(struct os_interface **out, size_t *count)
{
    size_t room = 0;
    os_net_start();
    IP_ADAPTER_ADDRESSES *adapters = adapters_now();
    for (const IP_ADAPTER_ADDRESSES *each = adapters; each != NULL; each = each->Next)
        room++;
    *count = 0;
    *out = adapters != NULL ? os_alloc((room + 1) * sizeof **out) : NULL;
    if (*out != NULL) {
        for (const IP_ADAPTER_ADDRESSES *each = adapters; each != NULL; each = each->Next)
            describe(each, &(*out)[(*count)++]);
    }
    os_free(adapters);
    return *out != NULL;
}
