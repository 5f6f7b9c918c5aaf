/*
 * A plugin as another vendor would write it, against ima_plugin.h alone: a node of its own, an
 * LHBA, two targets with a logical unit each, a discovery address. What it cannot do it does not
 * export.
 *
 * Commands of its ioctl: see example.h.
 */
#include "ima_plugin.h"

#include "example.h"

#include <stdlib.h>
#include <string.h>

static IMA_UINT32 owner;
static IMA_OBJECT_VISIBILITY_FN visibility;
static IMA_OBJECT_PROPERTY_FN property;
static IMA_NODE_PROPERTIES shared;
static IMA_UINT max_burst = 262144;
static IMA_BOOL shared_refused;

IMA_STATUS Initialize(IMA_UINT32 ownerId)
{
    owner = ownerId;
    return IMA_STATUS_SUCCESS;
}

void Terminate(void)
{
    visibility = NULL;
    property = NULL;
}

IMA_STATUS IMA_FreeMemory(void *pMemory)
{
    free(pMemory);
    return IMA_STATUS_SUCCESS;
}

static IMA_OID object(IMA_OBJECT_TYPE type, IMA_UINT64 number)
{
    IMA_OID oid;
    memset(&oid, 0, sizeof oid);
    oid.objectType = type;
    oid.ownerId = owner;
    oid.objectSequenceNumber = number;
    return oid;
}

/* Numbers 1 to count. */
static IMA_STATUS list(IMA_OBJECT_TYPE type, IMA_UINT count, IMA_OID_LIST **out)
{
    *out = calloc(1, sizeof **out + count * sizeof(IMA_OID));
    if (*out == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    (*out)->oidCount = count;
    for (IMA_UINT i = 0; i < count; i++)
        (*out)->oids[i] = object(type, i + 1);
    return IMA_STATUS_SUCCESS;
}

static void put(IMA_WCHAR *out, const char *text)
{
    while ((*out++ = (IMA_WCHAR)*text++) != 0)
        ;
}

IMA_STATUS IMA_GetNonSharedNodeOidList(IMA_OID_LIST **ppList)
{
    return list(IMA_OBJECT_TYPE_NODE, 1, ppList);
}

IMA_STATUS IMA_GetLhbaOidList(IMA_OID_LIST **ppList)
{
    return list(IMA_OBJECT_TYPE_LHBA, EXAMPLE_LHBAS, ppList);
}

IMA_STATUS IMA_GetPhbaOidList(IMA_OID_LIST **ppList)
{
    return list(IMA_OBJECT_TYPE_PHBA, 0, ppList);
}

IMA_STATUS IMA_GetTargetOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    if (oid.objectType != IMA_OBJECT_TYPE_LHBA || oid.objectSequenceNumber != 1)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    return list(IMA_OBJECT_TYPE_TARGET, EXAMPLE_TARGETS, ppList);
}

IMA_STATUS IMA_GetLuOid(IMA_OID targetOid, IMA_BYTE lun[8], IMA_OID *pluOid)
{
    if (targetOid.objectSequenceNumber - 1 >= EXAMPLE_TARGETS)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    *pluOid = object(IMA_OBJECT_TYPE_LU, targetOid.objectSequenceNumber * 256 + lun[1]);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_GetTargetProperties(IMA_OID targetOid, IMA_TARGET_PROPERTIES *pProps)
{
    if (targetOid.objectSequenceNumber - 1 >= EXAMPLE_TARGETS)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    memset(pProps, 0, sizeof *pProps);
    pProps->associatedNodeOid = object(IMA_OBJECT_TYPE_NODE, 1);
    pProps->associatedLhbaOid = object(IMA_OBJECT_TYPE_LHBA, 1);
    put(pProps->name, EXAMPLE_TARGET_NAME);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_GetAddressKeys(IMA_OID targetOid, IMA_ADDRESS_KEYS **ppKeys)
{
    static const IMA_BYTE address[] = {192, 0, 2, 1};
    if (targetOid.objectSequenceNumber - 1 >= EXAMPLE_TARGETS)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    *ppKeys = calloc(1, sizeof **ppKeys);
    if (*ppKeys == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    (*ppKeys)->addressKeyCount = 1;
    (*ppKeys)->addressKeys[0].ipAddress.ipv4Address = IMA_TRUE;
    memcpy((*ppKeys)->addressKeys[0].ipAddress.ipAddress, address, sizeof address);
    (*ppKeys)->addressKeys[0].portNumberValid = IMA_TRUE;
    (*ppKeys)->addressKeys[0].portNumber = 3260;
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_AddDiscoveryAddress(IMA_OID oid, const IMA_TARGET_ADDRESS discoveryAddress,
                                   IMA_OID *pDiscoveryAddressOid)
{
    (void)oid;
    if (pDiscoveryAddressOid != NULL)
        *pDiscoveryAddressOid =
            object(IMA_OBJECT_TYPE_DISCOVERY_ADDRESS, discoveryAddress.portNumber);
    return IMA_STATUS_REBOOT_NECESSARY;
}

IMA_STATUS IMA_GetMaxBurstLengthProperties(IMA_OID oid, IMA_MIN_MAX_VALUE *pProps)
{
    (void)oid;
    memset(pProps, 0, sizeof *pProps);
    pProps->currentValueValid = pProps->settable = IMA_TRUE;
    pProps->currentValue = max_burst;
    pProps->defaultValue = 262144;
    pProps->minimumValue = 512;
    pProps->maximumValue = 16777215;
    pProps->incrementValue = 1;
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_SetMaxBurstLength(IMA_OID oid, IMA_UINT maxBurstLength)
{
    (void)oid;
    if (maxBurstLength < 512 || maxBurstLength > 16777215)
        return IMA_ERROR_INVALID_PARAMETER;
    max_burst = maxBurstLength;
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_GetPluginProperties(IMA_OID pluginOid, IMA_PLUGIN_PROPERTIES *pProps)
{
    (void)pluginOid;
    memset(pProps, 0, sizeof *pProps);
    pProps->supportedImaVersion = 1;
    put(pProps->vendor, EXAMPLE_VENDOR);
    return IMA_STATUS_SUCCESS;
}

/* --- nodes --- */

static IMA_BOOL is_shared(IMA_OID oid)
{
    return oid.ownerId == IMA_LIBRARY_OWNER_ID;
}

IMA_STATUS IMA_GetNodeProperties(IMA_OID nodeOid, IMA_NODE_PROPERTIES *pProps)
{
    if (is_shared(nodeOid)) {
        if (!shared.nameValid && !shared.aliasValid)
            return IMA_ERROR_OBJECT_NOT_FOUND; /* nobody has told us of it */
        *pProps = shared;
        return IMA_STATUS_SUCCESS;
    }
    memset(pProps, 0, sizeof *pProps);
    pProps->runningInInitiatorMode = pProps->nameValid = IMA_TRUE;
    put(pProps->name, EXAMPLE_NODE_NAME);
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS keep(IMA_OID node, const IMA_WCHAR *text, IMA_WCHAR *out, IMA_BOOL *valid)
{
    if (!is_shared(node))
        return IMA_ERROR_NOT_SUPPORTED;
    if (shared_refused)
        return IMA_ERROR_UNEXPECTED_OS_ERROR;
    *valid = text[0] != 0;
    wcscpy(out, text);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_SetNodeName(IMA_OID nodeOid, const IMA_NODE_NAME newName)
{
    return keep(nodeOid, newName, shared.name, &shared.nameValid);
}

IMA_STATUS IMA_SetNodeAlias(IMA_OID nodeOid, const IMA_NODE_ALIAS newAlias)
{
    return keep(nodeOid, newAlias, shared.alias, &shared.aliasValid);
}

/* --- events --- */

IMA_STATUS IMA_RegisterForObjectVisibilityChanges(IMA_OBJECT_VISIBILITY_FN pClientFn)
{
    visibility = pClientFn;
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_RegisterForObjectPropertyChanges(IMA_OBJECT_PROPERTY_FN pClientFn)
{
    property = pClientFn;
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS report(IMA_UINT command, IMA_OID oid)
{
    if (command == EXAMPLE_REPORT_PROPERTY && property != NULL)
        property(oid);
    else if (command != EXAMPLE_REPORT_PROPERTY && visibility != NULL)
        visibility(command == EXAMPLE_REPORT_APPEARANCE, oid);
    return IMA_STATUS_SUCCESS;
}

/* SNIA's spelling. */
IMA_STATUS IMA_PluginIOCtl(IMA_OID pluginOid, IMA_UINT command, const void *pInputBuffer,
                           IMA_UINT inputBufferLength, void *pOutputBuffer,
                           IMA_UINT *pOutputBufferLength)
{
    IMA_OID oid = object(IMA_OBJECT_TYPE_TARGET, 1);
    (void)pluginOid;
    if (inputBufferLength == sizeof oid)
        memcpy(&oid, pInputBuffer, sizeof oid);
    switch (command) {
    case EXAMPLE_ECHO:
        if (pOutputBufferLength == NULL || *pOutputBufferLength < inputBufferLength)
            return IMA_ERROR_INVALID_PARAMETER;
        memcpy(pOutputBuffer, pInputBuffer, inputBufferLength);
        *pOutputBufferLength = inputBufferLength;
        return IMA_STATUS_SUCCESS;
    case EXAMPLE_REPORT_APPEARANCE:
    case EXAMPLE_REPORT_DISAPPEARANCE:
    case EXAMPLE_REPORT_PROPERTY:
        return report(command, oid);
    case EXAMPLE_DISAGREE:
        put(shared.name, "iqn.2026-11.org.example:another");
        shared.nameValid = IMA_TRUE;
        return IMA_STATUS_SUCCESS;
    case EXAMPLE_REFUSE:
    case EXAMPLE_ACCEPT:
        shared_refused = command == EXAMPLE_REFUSE;
        return IMA_STATUS_SUCCESS;
    default:
        return IMA_ERROR_INVALID_PARAMETER;
    }
}
