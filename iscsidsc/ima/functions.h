/* clang-format off */
/*
 * The 98 functions of the API, in the order of the standard. From this table come the functions
 * that the library exports, the interface of plugins and how it is found in a loaded one, and what
 * a plugin of our own exports.
 *
 *   F(name, dispatch, oid, types, result, parameters, arguments, valid)
 *
 * name      without IMA_
 * dispatch  LIBRARY  the library does it, plugins do not have it
 *           SHARED   the library does it, with the help of plugins
 *           MERGED   the lists of all plugins behind one another
 *           OWNER    the plugin that owns the object does it
 *           LIST, OBJECT, KEYS
 *                    as OWNER, and what it returns (a list of objects, one object, address keys)
 *                    is looked at, and lists become memory of the library
 * oid       the parameter that says who the owner is
 * types     of object that the function takes
 * result    types of the objects that it returns
 * valid     what must hold for the parameters, whatever the object is
 *
 * All that have an owner check in the order that ima.h promises (ima_begin). Of an OBJECT the
 * parameter for the result is pResult, and the plugin gets &theirs instead.
 */
#ifndef IMA_FUNCTIONS_H
#define IMA_FUNCTIONS_H

#define IMA_IS(TYPE) (1u << IMA_OBJECT_TYPE_##TYPE)

#define IMA_FUNCTIONS(F) \
    F(AddDiscoveryAddress, OBJECT, oid, IMA_IS(PNP) | IMA_IS(LHBA), IMA_IS(DISCOVERY_ADDRESS), (IMA_OID oid, const IMA_TARGET_ADDRESS discoveryAddress, IMA_OID *pResult), (oid, discoveryAddress, &theirs), ima_is_target_address(&discoveryAddress)) \
    F(AddStaticDiscoveryTarget, OBJECT, oid, IMA_IS(PNP) | IMA_IS(LHBA), IMA_IS(STATIC_DISCOVERY_TARGET), (IMA_OID oid, const IMA_STATIC_DISCOVERY_TARGET staticDiscoveryTarget, IMA_OID *pResult), (oid, staticDiscoveryTarget, &theirs), ima_is_static_target(&staticDiscoveryTarget)) \
    F(DeregisterForObjectPropertyChanges, SHARED, 0, 0, 0, (IMA_OBJECT_PROPERTY_FN pClientFn), (pClientFn), true) \
    F(DeregisterForObjectVisibilityChanges, SHARED, 0, 0, 0, (IMA_OBJECT_VISIBILITY_FN pClientFn), (pClientFn), true) \
    F(ExposeLu, OWNER, luOid, IMA_IS(LU), 0, (IMA_OID luOid), (luOid), true) \
    F(FreeMemory, SHARED, 0, 0, 0, (void *pMemory), (pMemory), true) \
    F(GenerateNodeName, LIBRARY, 0, 0, 0, (IMA_NODE_NAME generatedName), (generatedName), true) \
    F(GetAddressKeys, KEYS, targetOid, IMA_IS(TARGET), 0, (IMA_OID targetOid, IMA_ADDRESS_KEYS **ppKeys), (targetOid, ppKeys), ppKeys != NULL) \
    F(GetAssociatedPluginOid, LIBRARY, 0, 0, 0, (IMA_OID oid, IMA_OID *pPluginOid), (oid, pPluginOid), true) \
    F(GetDataPduInOrderProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_BOOL_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetDataSequenceInOrderProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_BOOL_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetDefaultTime2RetainProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_MIN_MAX_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetDefaultTime2WaitProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_MIN_MAX_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetDeviceStatistics, OWNER, oid, IMA_IS(TARGET) | IMA_IS(LU), 0, (IMA_OID oid, IMA_DEVICE_STATISTICS *pStats), (oid, pStats), pStats != NULL) \
    F(GetDiscoveryAddressOidList, LIST, oid, IMA_IS(LHBA) | IMA_IS(PNP), IMA_IS(DISCOVERY_ADDRESS), (IMA_OID oid, IMA_OID_LIST **ppList), (oid, ppList), ppList != NULL) \
    F(GetDiscoveryAddressProperties, OWNER, discoveryAddressOid, IMA_IS(DISCOVERY_ADDRESS), 0, (IMA_OID discoveryAddressOid, IMA_DISCOVERY_ADDRESS_PROPERTIES *pProps), (discoveryAddressOid, pProps), pProps != NULL) \
    F(GetDiscoveryProperties, OWNER, oid, IMA_IS(PHBA) | IMA_IS(LHBA), 0, (IMA_OID oid, IMA_DISCOVERY_PROPERTIES *pProps), (oid, pProps), pProps != NULL) \
    F(GetErrorRecoveryLevelProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_MIN_MAX_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetFirstBurstLengthProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_MIN_MAX_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetImmediateDataProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_BOOL_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetInitialR2TProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_BOOL_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetInitiatorAuthParms, OWNER, lhbaOid, IMA_IS(LHBA), 0, (IMA_OID lhbaOid, IMA_AUTHMETHOD method, IMA_INITIATOR_AUTHPARMS *pParms), (lhbaOid, method, pParms), ima_has_parameters(method) && pParms != NULL) \
    F(GetInUseInitiatorAuthMethods, OWNER, lhbaOid, IMA_IS(LHBA), 0, (IMA_OID lhbaOid, IMA_UINT *pMethodCount, IMA_AUTHMETHOD *pMethodList), (lhbaOid, pMethodCount, pMethodList), ima_is_method_room(pMethodCount, pMethodList)) \
    F(GetIpProperties, OWNER, oid, IMA_IS(PNP), 0, (IMA_OID oid, IMA_IP_PROPERTIES *pProps), (oid, pProps), pProps != NULL) \
    F(GetIpsecProperties, OWNER, oid, IMA_IS(PNP) | IMA_IS(LHBA), 0, (IMA_OID oid, IMA_IPSEC_PROPERTIES *pProps), (oid, pProps), pProps != NULL) \
    F(GetLhbaOidList, MERGED, IMA_NO_OID, 0, IMA_IS(LHBA), (IMA_OID_LIST **ppList), (ppList), ppList != NULL) \
    F(GetLhbaProperties, OWNER, lhbaOid, IMA_IS(LHBA), 0, (IMA_OID lhbaOid, IMA_LHBA_PROPERTIES *pProps), (lhbaOid, pProps), pProps != NULL) \
    F(GetLibraryProperties, LIBRARY, 0, 0, 0, (IMA_LIBRARY_PROPERTIES *pProps), (pProps), true) \
    F(GetLnpOidList, MERGED, IMA_NO_OID, 0, IMA_IS(LNP), (IMA_OID_LIST **ppList), (ppList), ppList != NULL) \
    F(GetLnpProperties, OWNER, lnpOid, IMA_IS(LNP), 0, (IMA_OID lnpOid, IMA_LNP_PROPERTIES *pProps), (lnpOid, pProps), pProps != NULL) \
    F(GetLuOid, OBJECT, targetOid, IMA_IS(TARGET), IMA_IS(LU), (IMA_OID targetOid, IMA_BYTE lun[8], IMA_OID *pResult), (targetOid, lun, &theirs), lun != NULL && pResult != NULL) \
    F(GetLuOidList, LIST, oid, IMA_IS(LHBA) | IMA_IS(TARGET), IMA_IS(LU), (IMA_OID oid, IMA_OID_LIST **ppList), (oid, ppList), ppList != NULL) \
    F(GetLuProperties, OWNER, luOid, IMA_IS(LU), 0, (IMA_OID luOid, IMA_LU_PROPERTIES *pProps), (luOid, pProps), pProps != NULL) \
    F(GetMaxBurstLengthProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_MIN_MAX_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetMaxConnectionsProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_MIN_MAX_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetMaxOutstandingR2TProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_MIN_MAX_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetMaxRecvDataSegmentLengthProperties, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_MIN_MAX_VALUE *pProps), (oid, pProps), pProps != NULL) \
    F(GetNetworkPortalOidList, LIST, oid, IMA_IS(LNP), IMA_IS(NETWORK_PORTAL), (IMA_OID oid, IMA_OID_LIST **ppList), (oid, ppList), ppList != NULL) \
    F(GetNetworkPortalProperties, OWNER, networkPortalOid, IMA_IS(NETWORK_PORTAL), 0, (IMA_OID networkPortalOid, IMA_NETWORK_PORTAL_PROPERTIES *pProps), (networkPortalOid, pProps), pProps != NULL) \
    F(GetNetworkPortStatus, OWNER, portOid, IMA_IS(LNP) | IMA_IS(PNP), 0, (IMA_OID portOid, IMA_NETWORK_PORT_STATUS *pStatus), (portOid, pStatus), pStatus != NULL) \
    F(GetNodeProperties, SHARED, 0, 0, 0, (IMA_OID nodeOid, IMA_NODE_PROPERTIES *pProps), (nodeOid, pProps), true) \
    F(GetNonSharedNodeOidList, MERGED, IMA_NO_OID, 0, IMA_IS(NODE), (IMA_OID_LIST **ppList), (ppList), ppList != NULL) \
    F(GetObjectType, LIBRARY, 0, 0, 0, (IMA_OID oid, IMA_OBJECT_TYPE *pObjectType), (oid, pObjectType), true) \
    F(GetPhbaDownloadProperties, OWNER, phbaOid, IMA_IS(PHBA), 0, (IMA_OID phbaOid, IMA_PHBA_DOWNLOAD_PROPERTIES *pProps), (phbaOid, pProps), pProps != NULL) \
    F(GetPhbaOidList, MERGED, IMA_NO_OID, 0, IMA_IS(PHBA), (IMA_OID_LIST **ppList), (ppList), ppList != NULL) \
    F(GetPhbaProperties, OWNER, phbaOid, IMA_IS(PHBA), 0, (IMA_OID phbaOid, IMA_PHBA_PROPERTIES *pProps), (phbaOid, pProps), pProps != NULL) \
    F(GetPhbaStatus, OWNER, hbaOid, IMA_IS(PHBA), 0, (IMA_OID hbaOid, IMA_PHBA_STATUS *pStatus), (hbaOid, pStatus), pStatus != NULL) \
    F(GetPluginOidList, LIBRARY, 0, 0, 0, (IMA_OID_LIST **ppList), (ppList), true) \
    F(GetPluginProperties, OWNER, pluginOid, IMA_IS(PLUGIN), 0, (IMA_OID pluginOid, IMA_PLUGIN_PROPERTIES *pProps), (pluginOid, pProps), pProps != NULL) \
    F(GetPnpOidList, LIST, oid, IMA_IS(PHBA) | IMA_IS(LNP), IMA_IS(PNP), (IMA_OID oid, IMA_OID_LIST **ppList), (oid, ppList), ppList != NULL) \
    F(GetPnpProperties, OWNER, pnpOid, IMA_IS(PNP), 0, (IMA_OID pnpOid, IMA_PNP_PROPERTIES *pProps), (pnpOid, pProps), pProps != NULL) \
    F(GetPnpStatistics, OWNER, pnpOid, IMA_IS(PNP), 0, (IMA_OID pnpOid, IMA_PNP_STATISTICS *pStats), (pnpOid, pStats), pStats != NULL) \
    F(GetSharedNodeOid, LIBRARY, 0, 0, 0, (IMA_OID *pSharedNodeOid), (pSharedNodeOid), true) \
    F(GetStaticDiscoveryTargetOidList, LIST, oid, IMA_IS(LHBA) | IMA_IS(PNP), IMA_IS(STATIC_DISCOVERY_TARGET), (IMA_OID oid, IMA_OID_LIST **ppList), (oid, ppList), ppList != NULL) \
    F(GetStaticDiscoveryTargetProperties, OWNER, staticDiscoveryTargetOid, IMA_IS(STATIC_DISCOVERY_TARGET), 0, (IMA_OID staticDiscoveryTargetOid, IMA_STATIC_DISCOVERY_TARGET_PROPERTIES *pProps), (staticDiscoveryTargetOid, pProps), pProps != NULL) \
    F(GetStatisticsProperties, OWNER, oid, IMA_IS(TARGET) | IMA_IS(LU) | IMA_IS(PNP), 0, (IMA_OID oid, IMA_STATISTICS_PROPERTIES *pProps), (oid, pProps), pProps != NULL) \
    F(GetSupportedAuthMethods, OWNER, lhbaOid, IMA_IS(LHBA), 0, (IMA_OID lhbaOid, IMA_BOOL getSettableMethods, IMA_UINT *pMethodCount, IMA_AUTHMETHOD *pMethodList), (lhbaOid, getSettableMethods, pMethodCount, pMethodList), ima_is_bool(getSettableMethods) && ima_is_method_room(pMethodCount, pMethodList)) \
    F(GetTargetErrorStatistics, OWNER, targetOid, IMA_IS(TARGET), 0, (IMA_OID targetOid, IMA_TARGET_ERROR_STATISTICS *pStats), (targetOid, pStats), pStats != NULL) \
    F(GetTargetOidList, LIST, oid, IMA_IS(LHBA) | IMA_IS(LNP), IMA_IS(TARGET), (IMA_OID oid, IMA_OID_LIST **ppList), (oid, ppList), ppList != NULL) \
    F(GetTargetProperties, OWNER, targetOid, IMA_IS(TARGET), 0, (IMA_OID targetOid, IMA_TARGET_PROPERTIES *pProps), (targetOid, pProps), pProps != NULL) \
    F(IsPhbaDownloadFile, OWNER, phbaOid, IMA_IS(PHBA), 0, (IMA_OID phbaOid, const IMA_WCHAR *pFileName, IMA_PHBA_DOWNLOAD_IMAGE_PROPERTIES *pProps), (phbaOid, pFileName, pProps), pFileName != NULL && pProps != NULL) \
    F(LuInquiry, OWNER, deviceOid, IMA_IS(TARGET) | IMA_IS(LU), 0, (IMA_OID deviceOid, IMA_BOOL evpd, IMA_BOOL cmddt, IMA_BYTE pageCode, IMA_BYTE *pOutputBuffer, IMA_UINT *pOutputBufferLength, IMA_BYTE *pSenseBuffer, IMA_UINT *pSenseBufferLength), (deviceOid, evpd, cmddt, pageCode, pOutputBuffer, pOutputBufferLength, pSenseBuffer, pSenseBufferLength), ima_is_bool(evpd) && ima_is_bool(cmddt) && ima_is_room(pOutputBuffer, pOutputBufferLength) && ima_is_sense_room(pSenseBuffer, pSenseBufferLength)) \
    F(LuReadCapacity, OWNER, deviceOid, IMA_IS(TARGET) | IMA_IS(LU), 0, (IMA_OID deviceOid, IMA_UINT cdbLength, IMA_BYTE *pOutputBuffer, IMA_UINT *pOutputBufferLength, IMA_BYTE *pSenseBuffer, IMA_UINT *pSenseBufferLength), (deviceOid, cdbLength, pOutputBuffer, pOutputBufferLength, pSenseBuffer, pSenseBufferLength), (cdbLength == 10 || cdbLength == 16) && ima_is_room(pOutputBuffer, pOutputBufferLength) && ima_is_sense_room(pSenseBuffer, pSenseBufferLength)) \
    F(LuReportLuns, OWNER, deviceOid, IMA_IS(TARGET) | IMA_IS(LU), 0, (IMA_OID deviceOid, IMA_BOOL sendToWellKnownLu, IMA_BYTE selectReport, IMA_BYTE *pOutputBuffer, IMA_UINT *pOutputBufferLength, IMA_BYTE *pSenseBuffer, IMA_UINT *pSenseBufferLength), (deviceOid, sendToWellKnownLu, selectReport, pOutputBuffer, pOutputBufferLength, pSenseBuffer, pSenseBufferLength), ima_is_bool(sendToWellKnownLu) && ima_is_room(pOutputBuffer, pOutputBufferLength) && ima_is_sense_room(pSenseBuffer, pSenseBufferLength)) \
    F(PhbaDownload, OWNER, phbaOid, IMA_IS(PHBA), 0, (IMA_OID phbaOid, IMA_PHBA_DOWNLOAD_IMAGE_TYPE imageType, const IMA_WCHAR *pFileName), (phbaOid, imageType, pFileName), ima_is_image_type(imageType) && pFileName != NULL) \
    F(PluginIOctl, OWNER, pluginOid, IMA_IS(PLUGIN), 0, (IMA_OID pluginOid, IMA_UINT command, const void *pInputBuffer, IMA_UINT inputBufferLength, void *pOutputBuffer, IMA_UINT *pOutputBufferLength), (pluginOid, command, pInputBuffer, inputBufferLength, pOutputBuffer, pOutputBufferLength), ima_is_ioctl(pInputBuffer, inputBufferLength, pOutputBuffer, pOutputBufferLength)) \
    F(RegisterForObjectPropertyChanges, SHARED, 0, 0, 0, (IMA_OBJECT_PROPERTY_FN pClientFn), (pClientFn), true) \
    F(RegisterForObjectVisibilityChanges, SHARED, 0, 0, 0, (IMA_OBJECT_VISIBILITY_FN pClientFn), (pClientFn), true) \
    F(RemoveDiscoveryAddress, OWNER, discoveryAddressOid, IMA_IS(DISCOVERY_ADDRESS), 0, (IMA_OID discoveryAddressOid), (discoveryAddressOid), true) \
    F(RemoveStaleData, OWNER, lhbaOid, IMA_IS(LHBA), 0, (IMA_OID lhbaOid), (lhbaOid), true) \
    F(RemoveStaticDiscoveryTarget, OWNER, staticDiscoveryTargetOid, IMA_IS(STATIC_DISCOVERY_TARGET), 0, (IMA_OID staticDiscoveryTargetOid), (staticDiscoveryTargetOid), true) \
    F(SetDataPduInOrder, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_BOOL dataPduInOrder), (oid, dataPduInOrder), ima_is_bool(dataPduInOrder)) \
    F(SetDataSequenceInOrder, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_BOOL dataSequenceInOrder), (oid, dataSequenceInOrder), ima_is_bool(dataSequenceInOrder)) \
    F(SetDefaultGateway, OWNER, oid, IMA_IS(PNP), 0, (IMA_OID oid, IMA_IP_ADDRESS defaultGateway), (oid, defaultGateway), ima_is_ip_address(&defaultGateway)) \
    F(SetDefaultTime2Retain, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_UINT defaultTime2Retain), (oid, defaultTime2Retain), true) \
    F(SetDefaultTime2Wait, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_UINT defaultTime2Wait), (oid, defaultTime2Wait), true) \
    F(SetDnsServerAddress, OWNER, oid, IMA_IS(PNP), 0, (IMA_OID oid, const IMA_IP_ADDRESS *pPrimaryDnsServerAddress, const IMA_IP_ADDRESS *pAlternateDnsServerAddress), (oid, pPrimaryDnsServerAddress, pAlternateDnsServerAddress), ima_is_dns_pair(pPrimaryDnsServerAddress, pAlternateDnsServerAddress)) \
    F(SetErrorRecoveryLevel, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_UINT errorRecoveryLevel), (oid, errorRecoveryLevel), true) \
    F(SetFirstBurstLength, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_UINT firstBurstLength), (oid, firstBurstLength), true) \
    F(SetImmediateData, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_BOOL immediateData), (oid, immediateData), ima_is_bool(immediateData)) \
    F(SetInitialR2T, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_BOOL initialR2T), (oid, initialR2T), ima_is_bool(initialR2T)) \
    F(SetInitiatorAuthMethods, OWNER, lhbaOid, IMA_IS(LHBA), 0, (IMA_OID lhbaOid, IMA_UINT methodCount, const IMA_AUTHMETHOD *pMethodList), (lhbaOid, methodCount, pMethodList), ima_is_method_list(methodCount, pMethodList)) \
    F(SetInitiatorAuthParms, OWNER, lhbaOid, IMA_IS(LHBA), 0, (IMA_OID lhbaOid, IMA_AUTHMETHOD method, const IMA_INITIATOR_AUTHPARMS *pParms), (lhbaOid, method, pParms), ima_has_parameters(method) && pParms != NULL) \
    F(SetIpConfigMethod, OWNER, oid, IMA_IS(PNP), 0, (IMA_OID oid, IMA_BOOL enableDhcpIpConfiguration), (oid, enableDhcpIpConfiguration), ima_is_bool(enableDhcpIpConfiguration)) \
    F(SetIsnsDiscovery, OWNER, oid, IMA_IS(PHBA) | IMA_IS(LHBA), 0, (IMA_OID oid, IMA_BOOL enableIsnsDiscovery, IMA_ISNS_DISCOVERY_METHOD discoveryMethod, const IMA_HOST_ID *iSnsHost), (oid, enableIsnsDiscovery, discoveryMethod, iSnsHost), ima_is_isns_choice(enableIsnsDiscovery, discoveryMethod, iSnsHost)) \
    F(SetMaxBurstLength, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_UINT maxBurstLength), (oid, maxBurstLength), true) \
    F(SetMaxConnections, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_UINT maxConnections), (oid, maxConnections), true) \
    F(SetMaxRecvDataSegmentLength, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_UINT maxRecvDataSegmentLength), (oid, maxRecvDataSegmentLength), true) \
    F(SetMaxOutstandingR2T, OWNER, oid, IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_UINT maxOutstandingR2T), (oid, maxOutstandingR2T), true) \
    F(SetNetworkPortalIpAddress, OWNER, networkPortalOid, IMA_IS(NETWORK_PORTAL), 0, (IMA_OID networkPortalOid, const IMA_IP_ADDRESS NewIpAddress), (networkPortalOid, NewIpAddress), ima_is_ip_address(&NewIpAddress)) \
    F(SetNodeAlias, SHARED, 0, 0, 0, (IMA_OID nodeOid, const IMA_NODE_ALIAS newAlias), (nodeOid, newAlias), true) \
    F(SetNodeName, SHARED, 0, 0, 0, (IMA_OID nodeOid, const IMA_NODE_NAME newName), (nodeOid, newName), true) \
    F(SetSendTargetsDiscovery, OWNER, oid, IMA_IS(PHBA) | IMA_IS(LHBA) | IMA_IS(TARGET), 0, (IMA_OID oid, IMA_BOOL enableSendTargetsDiscovery), (oid, enableSendTargetsDiscovery), ima_is_bool(enableSendTargetsDiscovery)) \
    F(SetSlpDiscovery, OWNER, oid, IMA_IS(PHBA) | IMA_IS(LHBA), 0, (IMA_OID oid, IMA_BOOL enableSlpDiscovery), (oid, enableSlpDiscovery), ima_is_bool(enableSlpDiscovery)) \
    F(SetStaticDiscovery, OWNER, oid, IMA_IS(PHBA) | IMA_IS(LHBA), 0, (IMA_OID oid, IMA_BOOL enableStaticDiscovery), (oid, enableStaticDiscovery), ima_is_bool(enableStaticDiscovery)) \
    F(SetStatisticsCollection, OWNER, oid, IMA_IS(PHBA) | IMA_IS(PNP) | IMA_IS(TARGET) | IMA_IS(LU), 0, (IMA_OID oid, IMA_BOOL enableStatisticsCollection), (oid, enableStatisticsCollection), ima_is_bool(enableStatisticsCollection)) \
    F(SetSubnetMask, OWNER, oid, IMA_IS(PNP), 0, (IMA_OID oid, IMA_IP_ADDRESS subnetMask), (oid, subnetMask), ima_is_ip_address(&subnetMask)) \
    F(UnexposeLu, OWNER, luOid, IMA_IS(LU), 0, (IMA_OID luOid), (luOid), true)
/* clang-format on */

#endif
