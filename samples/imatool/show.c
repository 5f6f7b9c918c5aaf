/* Properties and statistics of each kind of object. */
#include "imatool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void line_address(const char *name, IMA_BOOL valid, const IMA_IP_ADDRESS *address)
{
    char text[64] = "-";
    if (valid)
        address_text(address, text, sizeof text);
    line(name, "%s", text);
}

static void line_target_address(const char *name, const IMA_TARGET_ADDRESS *address)
{
    char host[1024];
    host_text(&address->hostnameIpAddress, host, sizeof host);
    line(name, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, address->portNumber);
}

static void line_mac(const IMA_MAC_ADDRESS mac)
{
    line("MAC address", "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
         mac[5]);
}

static void show_collection(IMA_OID oid)
{
    IMA_STATISTICS_PROPERTIES properties;
    if (IMA_ERROR(IMA_GetStatisticsProperties(oid, &properties)))
        return;
    line_flag("statistics collected", properties.statisticsCollectionEnabled);
    line_flag("statistics settable", properties.statisticsCollectionSettable);
}

static void show_ipsec(IMA_OID oid)
{
    IMA_IPSEC_PROPERTIES properties;
    if (IMA_ERROR(IMA_GetIpsecProperties(oid, &properties)))
        return;
    line_flag("IPsec supported", properties.ipsecSupported);
    if (properties.ipsecSupported) {
        line_flag("IPsec in hardware", properties.implementedInHardware);
        line_flag("IPsec in software", properties.implementedInSoftware);
    }
}

static void show_discovery(IMA_OID oid)
{
    static const char *const methods[] = {"static", "DHCP", "SLP"};
    IMA_DISCOVERY_PROPERTIES p;
    char host[1024];
    if (IMA_ERROR(IMA_GetDiscoveryProperties(oid, &p)))
        return;
    line_flag("iSNS discovery", p.iSnsDiscoveryEnabled);
    if (p.iSnsDiscoveryEnabled == IMA_TRUE) {
        host_text(&p.iSnsHost, host, sizeof host);
        line("iSNS server", "%s, %s", host,
             (unsigned)p.iSnsDiscoveryMethod < 3 ? methods[p.iSnsDiscoveryMethod] : "?");
    }
    line_flag("SLP discovery", p.slpDiscoveryEnabled);
    line_flag("static discovery", p.staticDiscoveryEnabled);
    line_flag("SendTargets discovery", p.sendTargetsDiscoveryEnabled);
    line("settable", "%s%s%s%s", p.iSnsDiscoverySettable ? "iSNS " : "",
         p.slpDiscoverySettable ? "SLP " : "", p.staticDiscoverySettable ? "static " : "",
         p.sendTargetsDiscoverySettable ? "SendTargets" : "");
}

/* --- one function a kind --- */

static IMA_STATUS show_plugin(IMA_OID oid)
{
    IMA_PLUGIN_PROPERTIES p;
    IMA_STATUS status = IMA_GetPluginProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line("IMA version", "%u", (unsigned)p.supportedImaVersion);
    line_wide("vendor", p.vendor, 256);
    line_wide("version", p.implementationVersion, 256);
    line_wide("file", p.fileName, 256);
    line_time("built", &p.buildTime);
    return status;
}

static IMA_STATUS show_node(IMA_OID oid)
{
    IMA_NODE_PROPERTIES p;
    IMA_STATUS status = IMA_GetNodeProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line_flag("initiator", p.runningInInitiatorMode);
    line_flag("target", p.runningInTargetMode);
    if (p.nameValid)
        line_wide("name", p.name, IMA_NODE_NAME_LEN);
    if (p.aliasValid)
        line_wide("alias", p.alias, IMA_NODE_ALIAS_LEN);
    line_flag("name and alias settable", p.nameAndAliasSettable);
    return status;
}

static IMA_STATUS show_lhba(IMA_OID oid)
{
    IMA_LHBA_PROPERTIES p;
    IMA_STATUS status = IMA_GetLhbaProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line_wide("device of the system", p.osDeviceName, 256);
    line_flag("units can be exposed", p.luExposingSupported);
    line_flag("stale data removable", p.staleDataRemovable);
    line("stale data", "about %u bytes", (unsigned)p.staleDataSize);
    line_flag("methods settable", p.initiatorAuthMethodsSettable);
    show_discovery(oid);
    show_ipsec(oid);
    show_parameters(oid);
    show_authentication(oid);
    return status;
}

static void show_phba_texts(const IMA_PHBA_PROPERTIES *p)
{
    line_wide("vendor", p->vendor, 64);
    line_wide("model", p->model, 256);
    line_wide("description", p->description, 256);
    line_wide("serial number", p->serialNumber, 64);
    line_wide("hardware version", p->hardwareVersion, 256);
    line_wide("ASIC version", p->asicVersion, 256);
    line_wide("firmware version", p->firmwareVersion, 256);
    line_wide("option ROM version", p->optionRomVersion, 256);
    line_wide("driver", p->driverName, 256);
    line_wide("driver version", p->driverVersion, 256);
}

static void show_download(IMA_OID oid)
{
    IMA_PHBA_DOWNLOAD_PROPERTIES p;
    if (IMA_ERROR(IMA_GetPhbaDownloadProperties(oid, &p)))
        return;
    line_flag("images can be examined", p.isPhbaDownloadFileSupported);
    line_flag("option ROM download", p.optionRomDownloadSupported);
    line_flag("firmware download", p.firmwareDownloadSupported);
}

static IMA_STATUS show_phba(IMA_OID oid)
{
    IMA_PHBA_PROPERTIES p;
    IMA_PHBA_STATUS working;
    IMA_STATUS status = IMA_GetPhbaProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    show_phba_texts(&p);
    line("upper level protocols", "%s%s%s", p.supportedUlps & IMA_ULP_TCP ? "TCP " : "",
         p.supportedUlps & IMA_ULP_SCTP ? "SCTP " : "", p.supportedUlps & IMA_ULP_UDP ? "UDP" : "");
    line_flag("bidirectional transfers", p.bidirectionalTransfersSupported);
    line("longest CDB", "%u bytes", (unsigned)p.maximumCdbLength);
    line_flag("can be a NIC", p.canBeNic);
    line_flag("is a NIC", p.isNic);
    line_flag("is an initiator", p.isInitiator);
    line_flag("is a target", p.isTarget);
    line_flag("TCP offload", p.usingTcpOffloadEngine);
    line_flag("iSCSI offload", p.usingIscsiOffloadEngine);
    if (IMA_SUCCESS(IMA_GetPhbaStatus(oid, &working)))
        line("status", "%s", working == IMA_PHBA_STATUS_WORKING ? "working" : "failed");
    show_discovery(oid);
    show_download(oid);
    return status;
}

static void show_port_status(IMA_OID oid)
{
    static const char *const names[] = {"working", "degraded", "critical", "failed",
                                        "disconnected"};
    IMA_NETWORK_PORT_STATUS status;
    if (IMA_SUCCESS(IMA_GetNetworkPortStatus(oid, &status)))
        line("status", "%s", (unsigned)status < 5 ? names[status] : "?");
}

static IMA_STATUS show_lnp(IMA_OID oid)
{
    IMA_LNP_PROPERTIES p;
    IMA_STATUS status = IMA_GetLnpProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line_mac(p.macAddress);
    show_port_status(oid);
    return status;
}

static void show_ip(IMA_OID oid)
{
    IMA_IP_PROPERTIES p;
    if (IMA_ERROR(IMA_GetIpProperties(oid, &p)))
        return;
    line_flag("DHCP", p.dhcpConfigurationEnabled);
    line_address("subnet mask", p.subnetMaskValid, &p.subnetMask);
    line_address("default gateway", p.defaultGatewayValid, &p.defaultGateway);
    line_address("DNS server", p.primaryDnsServerAddressValid, &p.primaryDnsServerAddress);
    line_address("alternate DNS server", p.alternateDnsServerAddressValid,
                 &p.alternateDnsServerAddress);
}

static IMA_STATUS show_pnp(IMA_OID oid)
{
    IMA_PNP_PROPERTIES p;
    IMA_STATUS status = IMA_GetPnpProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line_object("PHBA", p.associatedPhbaOid);
    line_mac(p.macAddress);
    line("rate", "%u of %u Mbit/s", (unsigned)p.currentTransferRate,
         (unsigned)p.maximumTransferRate);
    line("largest frame", "%u bytes", (unsigned)p.maximumFrameSize);
    show_port_status(oid);
    show_ip(oid);
    show_ipsec(oid);
    show_collection(oid);
    return status;
}

static IMA_STATUS show_portal(IMA_OID oid)
{
    IMA_NETWORK_PORTAL_PROPERTIES p;
    IMA_STATUS status = IMA_GetNetworkPortalProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line_address("address", IMA_TRUE, &p.ipAddress);
    line_object("LNP", p.associatedLnp);
    return status;
}

static void show_keys(IMA_OID oid)
{
    IMA_ADDRESS_KEYS *keys;
    char address[64], text[128];
    if (IMA_ERROR(IMA_GetAddressKeys(oid, &keys)))
        return;
    for (IMA_UINT i = 0; i < keys->addressKeyCount; i++) {
        const IMA_ADDRESS_KEY *key = &keys->addressKeys[i];
        address_text(&key->ipAddress, address, sizeof address);
        snprintf(text, sizeof text, strchr(address, ':') != NULL ? "[%s]:%u" : "%s:%u", address,
                 key->portNumberValid ? key->portNumber : 3260u);
        if (key->portalGroupTagValid)
            line("address", "%s,%u", text, key->portalGroupTag);
        else
            line("address", "%s", text);
    }
    IMA_FreeMemory(keys);
}

static IMA_STATUS show_target(IMA_OID oid)
{
    IMA_TARGET_PROPERTIES p;
    IMA_STATUS status = IMA_GetTargetProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line_wide("name", p.name, IMA_NODE_NAME_LEN);
    line_wide("alias", p.alias, IMA_NODE_ALIAS_LEN);
    line_object("LHBA", p.associatedLhbaOid);
    line_object("node", p.associatedNodeOid);
    line("found by", "%s%s%s%s",
         p.discoveryMethodFlags & IMA_TARGET_DISCOVERY_METHOD_STATIC ? "static " : "",
         p.discoveryMethodFlags & IMA_TARGET_DISCOVERY_METHOD_SLP ? "SLP " : "",
         p.discoveryMethodFlags & IMA_TARGET_DISCOVERY_METHOD_ISNS ? "iSNS " : "",
         p.discoveryMethodFlags & IMA_TARGET_DISCOVERY_METHOD_SENDTARGETS ? "SendTargets" : "");
    line_flag("asked for others", p.sendTargetsDiscoveryEnabled);
    show_keys(oid);
    show_parameters(oid);
    show_collection(oid);
    return status;
}

static IMA_STATUS show_lu(IMA_OID oid)
{
    IMA_LU_PROPERTIES p;
    IMA_STATUS status = IMA_GetLuProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line_object("target", p.associatedTargetOid);
    line("LUN", "%02x%02x%02x%02x%02x%02x%02x%02x", p.targetLun[0], p.targetLun[1], p.targetLun[2],
         p.targetLun[3], p.targetLun[4], p.targetLun[5], p.targetLun[6], p.targetLun[7]);
    line_flag("exposed", p.exposedToOs);
    if (p.exposedToOs)
        line_time("exposed since", &p.timeExposedToOs);
    if (p.osDeviceNameValid)
        line_wide("device of the system", p.osDeviceName, 64);
    if (p.osParallelIdsValid)
        line("bus, target, LUN", "%u, %u, %u", (unsigned)p.osBusNumber, (unsigned)p.osTargetId,
             (unsigned)p.osLun);
    show_collection(oid);
    return status;
}

static IMA_STATUS show_address(IMA_OID oid)
{
    IMA_DISCOVERY_ADDRESS_PROPERTIES p;
    IMA_STATUS status = IMA_GetDiscoveryAddressProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line_target_address("address", &p.discoveryAddress);
    line_object("LHBA", p.associatedLhbaOid);
    line_object("node", p.associatedNodeOid);
    return status;
}

static IMA_STATUS show_static(IMA_OID oid)
{
    IMA_STATIC_DISCOVERY_TARGET_PROPERTIES p;
    IMA_STATUS status = IMA_GetStaticDiscoveryTargetProperties(oid, &p);
    if (IMA_ERROR(status))
        return status;
    line_wide("name", p.staticConfigTarget.targetName, IMA_NODE_NAME_LEN);
    line_target_address("address", &p.staticConfigTarget.targetAddress);
    if (p.staticConfigTarget.portalGroupTagValid)
        line("portal group tag", "%u", p.staticConfigTarget.portalGroupTag);
    line_object("LHBA", p.associatedLhbaOid);
    line_object("node", p.associatedNodeOid);
    return status;
}

static void show_plugin_of(IMA_OID oid)
{
    IMA_OID plugin;
    if (oid.objectType != IMA_OBJECT_TYPE_PLUGIN &&
        IMA_SUCCESS(IMA_GetAssociatedPluginOid(oid, &plugin)))
        line_object("plugin", plugin);
}

int show(int count, char **arguments)
{
    static IMA_STATUS (*const functions[])(IMA_OID oid) = {
        [IMA_OBJECT_TYPE_PLUGIN] = show_plugin,
        [IMA_OBJECT_TYPE_NODE] = show_node,
        [IMA_OBJECT_TYPE_LHBA] = show_lhba,
        [IMA_OBJECT_TYPE_PHBA] = show_phba,
        [IMA_OBJECT_TYPE_NETWORK_PORTAL] = show_portal,
        [IMA_OBJECT_TYPE_PORTAL_GROUP] = NULL,
        [IMA_OBJECT_TYPE_LNP] = show_lnp,
        [IMA_OBJECT_TYPE_PNP] = show_pnp,
        [IMA_OBJECT_TYPE_TARGET] = show_target,
        [IMA_OBJECT_TYPE_LU] = show_lu,
        [IMA_OBJECT_TYPE_DISCOVERY_ADDRESS] = show_address,
        [IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET] = show_static,
    };
    IMA_OID oid;
    IMA_OBJECT_TYPE type;
    (void)count;
    if (!find_object(arguments[0], &oid))
        return EXIT_FAILED;
    if (IMA_ERROR(IMA_GetObjectType(oid, &type)) || functions[type] == NULL)
        return finish(arguments[0], IMA_ERROR_INCORRECT_OBJECT_TYPE);
    puts(arguments[0]);
    show_plugin_of(oid);
    return finish(arguments[0], functions[type](oid));
}

int library(int count, char **arguments)
{
    IMA_LIBRARY_PROPERTIES p;
    IMA_STATUS status = IMA_GetLibraryProperties(&p);
    (void)count;
    (void)arguments;
    if (IMA_SUCCESS(status)) {
        line("IMA version", "%u", (unsigned)p.supportedImaVersion);
        line_wide("vendor", p.vendor, 256);
        line_wide("version", p.implementationVersion, 256);
        line_wide("file", p.fileName, 256);
        line_time("built", &p.buildTime);
    }
    return finish("library", status);
}

/* --- statistics --- */

static IMA_STATUS device_statistics(IMA_OID oid)
{
    IMA_DEVICE_STATISTICS s;
    IMA_STATUS status = IMA_GetDeviceStatistics(oid, &s);
    if (IMA_ERROR(status))
        return status;
    line("SCSI bytes sent", "%" PRIu64, s.scsiPayloadBytesSent);
    line("SCSI bytes received", "%" PRIu64, s.scsiPayloadBytesReceived);
    line("iSCSI bytes sent", "%" PRIu64, s.iScsiPduBytesSent);
    line("iSCSI bytes received", "%" PRIu64, s.iScsiPduBytesReceived);
    line("PDUs sent", "%" PRIu64, s.iScsiPdusSent);
    line("PDUs received", "%" PRIu64, s.iScsiPdusReceived);
    line("time sending", "%" PRIu64 " ms", s.millisecondsSpentSending);
    line("time receiving", "%" PRIu64 " ms", s.millisecondsSpentReceiving);
    return status;
}

static void line_count(const char *name, IMA_BOOL valid, IMA_UINT32 count)
{
    if (valid)
        line(name, "%u", (unsigned)count);
}

static IMA_STATUS target_statistics(IMA_OID oid)
{
    IMA_TARGET_ERROR_STATISTICS e;
    IMA_STATUS status = device_statistics(oid);
    if (IMA_SUCCESS(status))
        status = IMA_GetTargetErrorStatistics(oid, &e);
    if (IMA_ERROR(status))
        return status;
    line_count("failed logins", e.loginFailedCountValid, e.loginFailedCount);
    line_count("failed sessions", e.sessionFailedCountValid, e.sessionFailedCount);
    line_count("  digest errors", e.headerOrDigestSessionFailedCountValid,
               e.headerOrDigestSessionFailedCount);
    line_count("  time limits exceeded", e.timeLimitExceededSessionFailedCountValid,
               e.timeLimitExceededSessionFailedCount);
    line_count("  format errors", e.formatErrorSessionFailedCountValid,
               e.formatErrorSessionFailedCount);
    line_count("connections timed out", e.closedConnectionDueToTimeoutCountValid,
               e.closedConnectionDueToTimeoutCount);
    if (e.lastLoginFailureTimeValid)
        line_time("last failed login", &e.lastLoginFailureTime);
    return status;
}

static IMA_STATUS port_statistics(IMA_OID oid)
{
    IMA_PNP_STATISTICS s;
    IMA_STATUS status = IMA_GetPnpStatistics(oid, &s);
    if (IMA_ERROR(status))
        return status;
    line("iSCSI bytes sent", "%" PRIu64, s.bytesSent);
    line("iSCSI bytes received", "%" PRIu64, s.bytesReceived);
    line("PDUs sent", "%u", (unsigned)s.pdusSent);
    line("PDUs received", "%u", (unsigned)s.pdusReceived);
    return status;
}

int statistics(int count, char **arguments)
{
    IMA_OID oid;
    (void)count;
    if (!find_object(arguments[0], &oid))
        return EXIT_FAILED;
    puts(arguments[0]);
    if (oid.objectType == IMA_OBJECT_TYPE_PNP)
        return finish(arguments[0], port_statistics(oid));
    if (oid.objectType == IMA_OBJECT_TYPE_TARGET)
        return finish(arguments[0], target_statistics(oid));
    return finish(arguments[0], device_statistics(oid));
}
