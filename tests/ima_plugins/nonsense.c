/* A plugin that starts well and then answers nonsense, each function in its own way. */
#include "ima_plugin.h"

#include <stdint.h>
#include <stdlib.h>

static IMA_UINT32 owner;

IMA_STATUS Initialize(IMA_UINT32 ownerId)
{
    owner = ownerId;
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_FreeMemory(void *pMemory)
{
    free(pMemory);
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS list(IMA_OBJECT_TYPE type, IMA_UINT32 of, IMA_UINT count, IMA_OID_LIST **out)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    (*out)->oidCount = count;
    (*out)->oids[0].objectType = type;
    (*out)->oids[0].ownerId = of;
    (*out)->oids[0].objectSequenceNumber = 1;
    return IMA_STATUS_SUCCESS;
}

/* Success without a list. */
IMA_STATUS IMA_GetLhbaOidList(IMA_OID_LIST **ppList)
{
    (void)ppList;
    return IMA_STATUS_SUCCESS;
}

/* Another owner's objects. */
IMA_STATUS IMA_GetPhbaOidList(IMA_OID_LIST **ppList)
{
    return list(IMA_OBJECT_TYPE_PHBA, owner + 1, 1, ppList);
}

/* Objects of another type. */
IMA_STATUS IMA_GetLnpOidList(IMA_OID_LIST **ppList)
{
    return list(IMA_OBJECT_TYPE_LHBA, owner, 1, ppList);
}

/* The shared node. */
IMA_STATUS IMA_GetNonSharedNodeOidList(IMA_OID_LIST **ppList)
{
    return list(IMA_OBJECT_TYPE_NODE, IMA_LIBRARY_OWNER_ID, 1, ppList);
}

/* More than there can be, in memory that cannot be freed. */
IMA_STATUS IMA_GetTargetOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    static IMA_OID_LIST many = {0xFFFFFFFF, {{IMA_OBJECT_TYPE_TARGET, 0, 0}}};
    (void)oid;
    *ppList = &many;
    return IMA_STATUS_SUCCESS;
}

/* A type that there is not. */
IMA_STATUS IMA_GetLuOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    (void)oid;
    return list((IMA_OBJECT_TYPE)77, owner, 1, ppList);
}

/* Memory that is not there. */
IMA_STATUS IMA_GetPnpOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    (void)oid;
    *ppList = (IMA_OID_LIST *)(uintptr_t)64;
    return IMA_STATUS_SUCCESS;
}

/* An error, and yet a list. */
IMA_STATUS IMA_GetNetworkPortalOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    (void)oid;
    *ppList = (IMA_OID_LIST *)(uintptr_t)64;
    return IMA_ERROR_LU_IN_USE;
}

IMA_STATUS IMA_GetAddressKeys(IMA_OID targetOid, IMA_ADDRESS_KEYS **ppKeys)
{
    (void)targetOid;
    *ppKeys = (IMA_ADDRESS_KEYS *)(uintptr_t)64;
    return IMA_STATUS_SUCCESS;
}

/* Success without an object. */
IMA_STATUS IMA_AddDiscoveryAddress(IMA_OID oid, const IMA_TARGET_ADDRESS discoveryAddress,
                                   IMA_OID *pDiscoveryAddressOid)
{
    (void)oid;
    (void)discoveryAddress;
    (void)pDiscoveryAddressOid;
    return IMA_STATUS_SUCCESS;
}

/* The object that it was asked about. */
IMA_STATUS IMA_GetLuOid(IMA_OID targetOid, IMA_BYTE lun[8], IMA_OID *pluOid)
{
    (void)lun;
    *pluOid = targetOid;
    return IMA_STATUS_SUCCESS;
}

/* Events of objects that there cannot be, while the client registers. */
IMA_STATUS IMA_RegisterForObjectVisibilityChanges(IMA_OBJECT_VISIBILITY_FN pClientFn)
{
    IMA_OID oid = {IMA_OBJECT_TYPE_TARGET, 99, 1};
    pClientFn(IMA_TRUE, oid);
    oid.ownerId = owner;
    pClientFn(7, oid);
    oid.objectType = (IMA_OBJECT_TYPE)77;
    pClientFn(IMA_TRUE, oid);
    oid.ownerId = IMA_LIBRARY_OWNER_ID;
    oid.objectType = IMA_OBJECT_TYPE_LHBA;
    pClientFn(IMA_TRUE, oid);
    return IMA_ERROR_UNEXPECTED_OS_ERROR;
}
