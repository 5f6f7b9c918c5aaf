/* The logical HBA, the node that it uses, and what both are set to. */
#include "ima/builtin/builtin.h"

#include "ima/text.h"
#include "protocol/name.h"

#include <string.h>

static const IMA_OID shared_node = {IMA_OBJECT_TYPE_NODE, IMA_LIBRARY_OWNER_ID, 0};

/* --- the shared node --- */

static bool is_shared(IMA_OID node)
{
    return node.ownerId == shared_node.ownerId && node.objectSequenceNumber == 0;
}

IMA_STATUS builtin_GetNodeProperties(IMA_OID nodeOid, IMA_NODE_PROPERTIES *pProps)
{
    struct os_arena arena = {0};
    struct reply_get_node_name name;
    struct reply_get_node_alias alias;
    const struct request_get_node_name name_request = {0};
    const struct request_get_node_alias alias_request = {0};
    if (!is_shared(nodeOid))
        return IMA_ERROR_OBJECT_NOT_FOUND;
    IMA_STATUS status = builtin_ask(OPERATION_get_node_name, &name_request, &name, &arena);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_get_node_alias, &alias_request, &alias, &arena);
    if (status == IMA_STATUS_SUCCESS) {
        memset(pProps, 0, sizeof *pProps);
        pProps->runningInInitiatorMode = IMA_TRUE;
        pProps->nameValid = IMA_TRUE;
        builtin_from_text(name.name, pProps->name, IMA_NODE_NAME_LEN);
        pProps->aliasValid = alias.alias != NULL ? IMA_TRUE : IMA_FALSE;
        builtin_from_text(alias.alias, pProps->alias, IMA_NODE_ALIAS_LEN);
        pProps->nameAndAliasSettable = IMA_TRUE;
    }
    os_arena_clear(&arena);
    return status;
}

/* False: too long, or no text. */
static bool narrow(const IMA_WCHAR *text, size_t room, char *out, size_t out_room)
{
    long length = ima_to_utf8(text, room, out, out_room);
    return length >= 0 && (size_t)length < out_room;
}

IMA_STATUS builtin_SetNodeName(IMA_OID nodeOid, const IMA_NODE_NAME newName)
{
    char name[ISCSI_NAME_MAX + 1];
    const struct request_set_node_name request = {.name = name};
    if (!is_shared(nodeOid))
        return IMA_ERROR_OBJECT_NOT_FOUND;
    if (!narrow(newName, IMA_NODE_NAME_LEN, name, sizeof name))
        return IMA_ERROR_NAME_TOO_LONG;
    return builtin_ask(OPERATION_set_node_name, &request, NULL, NULL);
}

IMA_STATUS builtin_SetNodeAlias(IMA_OID nodeOid, const IMA_NODE_ALIAS newAlias)
{
    char alias[IMA_NODE_ALIAS_LEN];
    const struct request_set_node_alias request = {.alias = alias};
    if (!is_shared(nodeOid))
        return IMA_ERROR_OBJECT_NOT_FOUND;
    if (!narrow(newAlias, IMA_NODE_ALIAS_LEN, alias, sizeof alias))
        return IMA_ERROR_NAME_TOO_LONG;
    return builtin_ask(OPERATION_set_node_alias, &request, NULL, NULL);
}

IMA_STATUS builtin_GetNonSharedNodeOidList(IMA_OID_LIST **ppList)
{
    return builtin_list_return(IMA_STATUS_SUCCESS, builtin_list_new(0), ppList);
}

/* --- the LHBA --- */

IMA_STATUS builtin_GetLhbaOidList(IMA_OID_LIST **ppList)
{
    IMA_OID_LIST *list = builtin_list_new(1);
    if (list != NULL)
        list->oids[list->oidCount++] = builtin_lhba;
    return builtin_list_return(IMA_STATUS_SUCCESS, list, ppList);
}

IMA_STATUS builtin_GetLhbaProperties(IMA_OID lhbaOid, IMA_LHBA_PROPERTIES *pProps)
{
    struct reply_get_stale_data stale;
    const struct request_get_stale_data request = {0};
    IMA_STATUS status = builtin_check_lhba(lhbaOid);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_get_stale_data, &request, &stale, NULL);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    memset(pProps, 0, sizeof *pProps);
    pProps->luExposingSupported = IMA_TRUE;
    pProps->staleDataRemovable = IMA_TRUE;
    pProps->staleDataSize = stale.size;
    pProps->initiatorAuthMethodsSettable = IMA_TRUE;
    return status;
}

IMA_STATUS builtin_RemoveStaleData(IMA_OID lhbaOid)
{
    const struct request_remove_stale_data request = {0};
    IMA_STATUS status = builtin_check_lhba(lhbaOid);
    return status == IMA_STATUS_SUCCESS
               ? builtin_ask(OPERATION_remove_stale_data, &request, NULL, NULL)
               : status;
}
