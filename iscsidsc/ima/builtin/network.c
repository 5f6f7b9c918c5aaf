/* PHBAs, PNPs, LNPs and network portals: the network interfaces of this machine. What they are set
 * to is the system's business. */
#include "ima/builtin/builtin.h"

#include "engine/statistics.h"
#include "os/interfaces.h"
#include "os/memory.h"

#include <string.h>

enum { ETHERNET_HEADER = 14, CDB_MOST = 16 };

IMA_STATUS builtin_interfaces(struct os_interface **out, size_t *count)
{
    return os_interfaces(out, count) ? IMA_STATUS_SUCCESS : IMA_ERROR_UNEXPECTED_OS_ERROR;
}

static void address_text(const struct os_address *address, char out[OS_HOST_TEXT])
{
    uint16_t port;
    os_address_format(address, out, &port);
}

/* --- finding --- */

/* The interface of the object; OBJECT_NOT_FOUND: it is gone, or none was ever there. */
static IMA_STATUS find_interface(IMA_OID oid, struct os_interface *out)
{
    const struct object *object = builtin_find(oid);
    struct os_interface *all;
    size_t count;
    if (object == NULL)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    IMA_STATUS status = builtin_interfaces(&all, &count);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    status = IMA_ERROR_OBJECT_NOT_FOUND;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].name, object->identity.name) == 0) {
            *out = all[i];
            status = IMA_STATUS_SUCCESS;
        }
    }
    os_free(all);
    return status;
}

static bool has_address(const struct os_interface *interface, const char *wanted)
{
    char text[OS_HOST_TEXT];
    for (size_t i = 0; i < interface->address_count; i++) {
        address_text(&interface->addresses[i].address, text);
        if (strcmp(text, wanted) == 0)
            return true;
    }
    return false;
}

IMA_STATUS builtin_check_port(IMA_OID oid)
{
    struct os_interface interface;
    IMA_STATUS status = find_interface(oid, &interface);
    if (status == IMA_STATUS_SUCCESS && oid.objectType == IMA_OBJECT_TYPE_NETWORK_PORTAL &&
        !has_address(&interface, builtin_find(oid)->identity.address))
        status = IMA_ERROR_OBJECT_NOT_FOUND;
    return status;
}

/* --- lists --- */

static IMA_STATUS list_all(IMA_OBJECT_TYPE type, IMA_OID_LIST **out)
{
    struct os_interface *all;
    size_t count;
    *out = NULL;
    IMA_STATUS status = builtin_interfaces(&all, &count);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    IMA_OID_LIST *list = builtin_list_new(count);
    for (size_t i = 0; list != NULL && status == IMA_STATUS_SUCCESS && i < count; i++) {
        if (!builtin_list_add(list, type, &(struct identity){.name = all[i].name}))
            status = IMA_ERROR_INSUFFICIENT_MEMORY;
    }
    os_free(all);
    return builtin_list_return(status, list, out);
}

IMA_STATUS builtin_GetPhbaOidList(IMA_OID_LIST **ppList)
{
    return list_all(IMA_OBJECT_TYPE_PHBA, ppList);
}

IMA_STATUS builtin_GetLnpOidList(IMA_OID_LIST **ppList)
{
    return list_all(IMA_OBJECT_TYPE_LNP, ppList);
}

IMA_STATUS builtin_GetPnpOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    struct os_interface interface;
    IMA_STATUS status = find_interface(oid, &interface);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    IMA_OID_LIST *list = builtin_list_new(1);
    if (list != NULL &&
        !builtin_list_add(list, IMA_OBJECT_TYPE_PNP, &(struct identity){.name = interface.name}))
        status = IMA_ERROR_INSUFFICIENT_MEMORY;
    return builtin_list_return(status, list, ppList);
}

IMA_STATUS builtin_GetNetworkPortalOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    struct os_interface interface;
    IMA_STATUS status = find_interface(oid, &interface);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    IMA_OID_LIST *list = builtin_list_new(interface.address_count);
    for (size_t i = 0; list != NULL && status == IMA_STATUS_SUCCESS && i < interface.address_count;
         i++) {
        char text[OS_HOST_TEXT];
        address_text(&interface.addresses[i].address, text);
        const struct identity identity = {.name = interface.name, .address = text};
        if (!builtin_list_add(list, IMA_OBJECT_TYPE_NETWORK_PORTAL, &identity))
            status = IMA_ERROR_INSUFFICIENT_MEMORY;
    }
    return builtin_list_return(status, list, ppList);
}

/* --- properties --- */

static IMA_STATUS sibling(const struct os_interface *interface, IMA_OBJECT_TYPE type, IMA_OID *out)
{
    const struct object *object = builtin_object(type, &(struct identity){.name = interface->name});
    if (object == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    *out = builtin_oid(object);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS builtin_GetPhbaProperties(IMA_OID phbaOid, IMA_PHBA_PROPERTIES *pProps)
{
    struct os_interface interface;
    IMA_STATUS status = find_interface(phbaOid, &interface);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    memset(pProps, 0, sizeof *pProps);
    builtin_from_text(interface.description[0] != '\0' ? interface.description : interface.name,
                      pProps->description, 256);
    builtin_from_text(interface.name, pProps->model, 256);
    pProps->supportedUlps = IMA_ULP_TCP;
    pProps->bidirectionalTransfersSupported = IMA_FALSE;
    pProps->maximumCdbLength = CDB_MOST;
    pProps->canBeNic = IMA_TRUE;
    pProps->isNic = IMA_TRUE;
    pProps->isInitiator = IMA_TRUE;
    pProps->isTarget = IMA_FALSE;
    pProps->usingTcpOffloadEngine = IMA_UNKNOWN;
    pProps->usingIscsiOffloadEngine = IMA_FALSE;
    return status;
}

/* An interface that is there works; whether it has a carrier is its port's status. */
IMA_STATUS builtin_GetPhbaStatus(IMA_OID hbaOid, IMA_PHBA_STATUS *pStatus)
{
    IMA_STATUS status = builtin_check_port(hbaOid);
    if (status == IMA_STATUS_SUCCESS)
        *pStatus = IMA_PHBA_STATUS_WORKING;
    return status;
}

IMA_STATUS builtin_GetNetworkPortStatus(IMA_OID portOid, IMA_NETWORK_PORT_STATUS *pStatus)
{
    struct os_interface interface;
    IMA_STATUS status = find_interface(portOid, &interface);
    if (status == IMA_STATUS_SUCCESS)
        *pStatus = interface.linked ? IMA_NETWORK_PORT_STATUS_WORKING
                                    : IMA_NETWORK_PORT_STATUS_DISCONNECTED;
    return status;
}

IMA_STATUS builtin_GetLnpProperties(IMA_OID lnpOid, IMA_LNP_PROPERTIES *pProps)
{
    struct os_interface interface;
    IMA_STATUS status = find_interface(lnpOid, &interface);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    memset(pProps, 0, sizeof *pProps);
    memcpy(pProps->macAddress, interface.mac, sizeof pProps->macAddress);
    return status;
}

/* The system tells the size of packets; on what has a MAC address a frame is longer. */
static IMA_UINT frame_size(const struct os_interface *interface)
{
    static const uint8_t none[6];
    bool framed = memcmp(interface->mac, none, sizeof none) != 0;
    return interface->mtu > 0 && framed ? interface->mtu + ETHERNET_HEADER : interface->mtu;
}

IMA_STATUS builtin_GetPnpProperties(IMA_OID pnpOid, IMA_PNP_PROPERTIES *pProps)
{
    struct os_interface interface;
    IMA_STATUS status = find_interface(pnpOid, &interface);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    memset(pProps, 0, sizeof *pProps);
    memcpy(pProps->macAddress, interface.mac, sizeof pProps->macAddress);
    pProps->maximumTransferRate = interface.speed;
    pProps->currentTransferRate = interface.linked ? interface.speed : 0;
    pProps->maximumFrameSize = frame_size(&interface);
    return sibling(&interface, IMA_OBJECT_TYPE_PHBA, &pProps->associatedPhbaOid);
}

IMA_STATUS builtin_GetNetworkPortalProperties(IMA_OID networkPortalOid,
                                              IMA_NETWORK_PORTAL_PROPERTIES *pProps)
{
    struct os_interface interface;
    IMA_STATUS status = find_interface(networkPortalOid, &interface);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_check_port(networkPortalOid);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    memset(pProps, 0, sizeof *pProps);
    builtin_to_ip(builtin_find(networkPortalOid)->identity.address, &pProps->ipAddress);
    return sibling(&interface, IMA_OBJECT_TYPE_LNP, &pProps->associatedLnp);
}

/* --- IP --- */

static IMA_BOOL tell_address(const struct os_address *address, IMA_IP_ADDRESS *out)
{
    char text[OS_HOST_TEXT];
    address_text(address, text);
    return builtin_to_ip(text, out) ? IMA_TRUE : IMA_FALSE;
}

/* Of the first IPv4 address, else of the first. */
static void tell_mask(const struct os_interface *interface, IMA_IP_PROPERTIES *out)
{
    size_t chosen = 0;
    while (chosen < interface->address_count &&
           os_address_is_ipv6(&interface->addresses[chosen].address))
        chosen++;
    if (chosen == interface->address_count)
        chosen = 0;
    if (interface->address_count == 0)
        return;
    const struct os_interface_address *address = &interface->addresses[chosen];
    out->subnetMaskValid = IMA_TRUE;
    out->subnetMask.ipv4Address = os_address_is_ipv6(&address->address) ? IMA_FALSE : IMA_TRUE;
    for (unsigned i = 0; i < address->prefix && i < 128; i++)
        out->subnetMask.ipAddress[i / 8] |= (IMA_BYTE)(0x80u >> i % 8);
}

IMA_STATUS builtin_GetIpProperties(IMA_OID oid, IMA_IP_PROPERTIES *pProps)
{
    struct os_interface interface;
    IMA_STATUS status = find_interface(oid, &interface);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    memset(pProps, 0, sizeof *pProps);
    pProps->dhcpConfigurationEnabled = interface.dhcp ? IMA_TRUE : IMA_FALSE;
    tell_mask(&interface, pProps);
    if (interface.has_gateway)
        pProps->defaultGatewayValid = tell_address(&interface.gateway, &pProps->defaultGateway);
    if (interface.server_count > 0)
        pProps->primaryDnsServerAddressValid =
            tell_address(&interface.servers[0], &pProps->primaryDnsServerAddress);
    if (interface.server_count > 1)
        pProps->alternateDnsServerAddressValid =
            tell_address(&interface.servers[1], &pProps->alternateDnsServerAddress);
    return status;
}

/* --- statistics --- */

/* Its addresses as texts, whose connections are counted. */
static IMA_STATUS list_addresses(const struct os_interface *interface, struct os_arena *arena,
                                 struct text_list *out)
{
    const char **items = os_arena_alloc(arena, OS_INTERFACE_ADDRESSES * sizeof(*items));
    if (items == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    *out = (struct text_list){items, 0};
    for (size_t i = 0; i < interface->address_count; i++) {
        char text[OS_HOST_TEXT];
        address_text(&interface->addresses[i].address, text);
        items[out->count] = os_arena_text(arena, text);
        if (items[out->count++] == NULL)
            return IMA_ERROR_INSUFFICIENT_MEMORY;
    }
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS builtin_GetPnpStatistics(IMA_OID pnpOid, IMA_PNP_STATISTICS *pStats)
{
    struct os_interface interface;
    struct os_arena arena = {0};
    struct reply_get_statistics reply;
    struct request_get_statistics request = {.kind = COUNTED_INTERFACE};
    IMA_STATUS status = find_interface(pnpOid, &interface);
    if (status == IMA_STATUS_SUCCESS)
        status = list_addresses(&interface, &arena, &request.addresses);
    request.name = interface.name;
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_get_statistics, &request, &reply, &arena);
    if (status == IMA_STATUS_SUCCESS)
        *pStats = (IMA_PNP_STATISTICS){.bytesSent = reply.bytes_sent,
                                       .pdusSent = (IMA_UINT32)reply.pdus_sent,
                                       .bytesReceived = reply.bytes_received,
                                       .pdusReceived = (IMA_UINT32)reply.pdus_received};
    os_arena_clear(&arena);
    return status;
}

IMA_STATUS builtin_set_port_counting(IMA_OID oid, IMA_BOOL enabled)
{
    struct os_interface interface;
    struct os_arena arena = {0};
    struct request_set_counting request = {.kind = COUNTED_INTERFACE, .enabled = enabled != 0};
    IMA_STATUS status = find_interface(oid, &interface);
    if (status == IMA_STATUS_SUCCESS)
        status = list_addresses(&interface, &arena, &request.addresses);
    request.name = interface.name;
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_set_counting, &request, NULL, NULL);
    os_arena_clear(&arena);
    return status;
}

/* --- what is not to be had --- */

static IMA_STATUS refuse(IMA_OID oid)
{
    IMA_STATUS status = builtin_check_port(oid);
    return status == IMA_STATUS_SUCCESS ? IMA_ERROR_NOT_SUPPORTED : status;
}

IMA_STATUS builtin_GetPhbaDownloadProperties(IMA_OID phbaOid, IMA_PHBA_DOWNLOAD_PROPERTIES *pProps)
{
    IMA_STATUS status = builtin_check_port(phbaOid);
    if (status == IMA_STATUS_SUCCESS)
        memset(pProps, 0, sizeof *pProps);
    return status;
}

IMA_STATUS builtin_IsPhbaDownloadFile(IMA_OID phbaOid, const IMA_WCHAR *pFileName,
                                      IMA_PHBA_DOWNLOAD_IMAGE_PROPERTIES *pProps)
{
    (void)pFileName, (void)pProps;
    return refuse(phbaOid);
}

IMA_STATUS builtin_PhbaDownload(IMA_OID phbaOid, IMA_PHBA_DOWNLOAD_IMAGE_TYPE imageType,
                                const IMA_WCHAR *pFileName)
{
    (void)imageType, (void)pFileName;
    return refuse(phbaOid);
}

IMA_STATUS builtin_SetDefaultGateway(IMA_OID oid, IMA_IP_ADDRESS defaultGateway)
{
    (void)defaultGateway;
    return refuse(oid);
}

IMA_STATUS builtin_SetDnsServerAddress(IMA_OID oid, const IMA_IP_ADDRESS *pPrimaryDnsServerAddress,
                                       const IMA_IP_ADDRESS *pAlternateDnsServerAddress)
{
    (void)pPrimaryDnsServerAddress, (void)pAlternateDnsServerAddress;
    return refuse(oid);
}

IMA_STATUS builtin_SetIpConfigMethod(IMA_OID oid, IMA_BOOL enableDhcpIpConfiguration)
{
    (void)enableDhcpIpConfiguration;
    return refuse(oid);
}

IMA_STATUS builtin_SetSubnetMask(IMA_OID oid, IMA_IP_ADDRESS subnetMask)
{
    (void)subnetMask;
    return refuse(oid);
}

IMA_STATUS builtin_SetNetworkPortalIpAddress(IMA_OID networkPortalOid,
                                             const IMA_IP_ADDRESS NewIpAddress)
{
    (void)NewIpAddress;
    return refuse(networkPortalOid);
}

/* IPsec is the machine's, too: an LHBA or a PNP that is there has none of its own. */
IMA_STATUS builtin_GetIpsecProperties(IMA_OID oid, IMA_IPSEC_PROPERTIES *pProps)
{
    IMA_STATUS status =
        oid.objectType == IMA_OBJECT_TYPE_LHBA ? builtin_check_lhba(oid) : builtin_check_port(oid);
    if (status == IMA_STATUS_SUCCESS)
        memset(pProps, 0, sizeof *pProps);
    return status;
}
