/* What the library answers without a plugin. */
#include "ima/about.h"
#include "ima/library.h"
#include "ima/text.h"

#include "engine/settings.h"
#include "os/memory.h"

#include <string.h>

IMA_STATUS IMA_GetLibraryProperties(IMA_LIBRARY_PROPERTIES *pProps)
{
    if (pProps == NULL)
        return IMA_ERROR_INVALID_PARAMETER;
    memset(pProps, 0, sizeof *pProps);
    pProps->supportedImaVersion = IMA_VERSION;
    ima_about((os_function)IMA_GetLibraryProperties, pProps->vendor, pProps->implementationVersion,
              pProps->fileName, &pProps->buildTime);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_GetPluginOidList(IMA_OID_LIST **ppList)
{
    if (ppList == NULL)
        return IMA_ERROR_INVALID_PARAMETER;
    const struct ima_library *library = ima_library();
    *ppList = library != NULL ? ima_new_list((IMA_UINT)library->plugin_count) : NULL;
    if (*ppList == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    for (IMA_UINT i = 0; i < (*ppList)->oidCount; i++)
        (*ppList)->oids[i] = (IMA_OID){IMA_OBJECT_TYPE_PLUGIN, library->plugins[i].owner, 0};
    return IMA_STATUS_SUCCESS;
}

static IMA_STATUS check_owner(IMA_UINT32 owner)
{
    if (ima_library() == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    return ima_plugin_of(owner) != NULL ? IMA_STATUS_SUCCESS : IMA_ERROR_OBJECT_NOT_FOUND;
}

IMA_STATUS IMA_GetAssociatedPluginOid(IMA_OID oid, IMA_OID *pPluginOid)
{
    if (pPluginOid == NULL)
        return IMA_ERROR_INVALID_PARAMETER;
    IMA_STATUS status = ima_check_type(oid, ~0u);
    if (status == IMA_STATUS_SUCCESS && oid.ownerId == IMA_LIBRARY_OWNER_ID)
        status = IMA_ERROR_INVALID_PARAMETER;
    if (status == IMA_STATUS_SUCCESS)
        status = check_owner(oid.ownerId);
    if (status == IMA_STATUS_SUCCESS)
        *pPluginOid = (IMA_OID){IMA_OBJECT_TYPE_PLUGIN, oid.ownerId, 0};
    return status;
}

IMA_STATUS IMA_GetObjectType(IMA_OID oid, IMA_OBJECT_TYPE *pObjectType)
{
    if (pObjectType == NULL)
        return IMA_ERROR_INVALID_PARAMETER;
    IMA_STATUS status = ima_check_type(oid, ~0u);
    if (status == IMA_STATUS_SUCCESS && oid.ownerId != IMA_LIBRARY_OWNER_ID)
        status = check_owner(oid.ownerId);
    if (status == IMA_STATUS_SUCCESS)
        *pObjectType = oid.objectType;
    return status;
}

IMA_STATUS IMA_FreeMemory(void *pMemory)
{
    os_free(pMemory);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_GenerateNodeName(IMA_NODE_NAME generatedName)
{
    char name[ISCSI_NAME_MAX + 1];
    if (generatedName == NULL)
        return IMA_ERROR_INVALID_PARAMETER;
    settings_default_node_name(name);
    ima_from_utf8(name, generatedName, IMA_NODE_NAME_LEN);
    return IMA_STATUS_SUCCESS;
}
