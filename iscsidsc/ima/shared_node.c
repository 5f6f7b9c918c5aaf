/* Nodes. The shared one is the library's; the built-in plugin keeps its name and alias, and other
 * plugins are told of them. */
#include "ima/library.h"

#include "ima/text.h"
#include "os/memory.h"
#include "protocol/name.h"

#include <string.h>

enum { ALIAS_BYTES = 255 };

static const IMA_OID shared_node = {IMA_OBJECT_TYPE_NODE, IMA_LIBRARY_OWNER_ID, 0};

IMA_STATUS IMA_GetSharedNodeOid(IMA_OID *pSharedNodeOid)
{
    if (pSharedNodeOid == NULL)
        return IMA_ERROR_INVALID_PARAMETER;
    *pSharedNodeOid = shared_node;
    return IMA_STATUS_SUCCESS;
}

/* Who answers for a node, or what is wrong; begins a call. */
static IMA_STATUS begin(bool valid, IMA_OID node, const struct ima_plugin **plugin)
{
    IMA_OID answering = node;
    if (node.ownerId == IMA_LIBRARY_OWNER_ID && node.objectSequenceNumber == 0)
        answering.ownerId = IMA_OWNER_BUILTIN;
    return ima_begin(valid, answering, IMA_IS(NODE), plugin);
}

static bool is_shared(IMA_OID node)
{
    return node.ownerId == IMA_LIBRARY_OWNER_ID;
}

/* --- properties --- */

static bool same_text(IMA_BOOL a_valid, const IMA_WCHAR *a, IMA_BOOL b_valid, const IMA_WCHAR *b,
                      size_t room)
{
    size_t i = 0;
    if (!a_valid || !b_valid)
        return !a_valid == !b_valid;
    while (i + 1 < room && a[i] == b[i] && a[i] != 0)
        i++;
    return a[i] == b[i];
}

static bool agrees(const struct ima_plugin *plugin, const IMA_NODE_PROPERTIES *ours)
{
    if (plugin->functions.GetNodeProperties == NULL)
        return true;
    IMA_NODE_PROPERTIES *theirs = os_alloc(sizeof *theirs);
    if (theirs == NULL)
        return true;
    IMA_STATUS status = plugin->functions.GetNodeProperties(shared_node, theirs);
    bool same = IMA_ERROR(status) || (same_text(ours->nameValid, ours->name, theirs->nameValid,
                                                theirs->name, IMA_NODE_NAME_LEN) &&
                                      same_text(ours->aliasValid, ours->alias, theirs->aliasValid,
                                                theirs->alias, IMA_NODE_ALIAS_LEN));
    os_free(theirs);
    return same;
}

static IMA_STATUS compare_with_others(const IMA_NODE_PROPERTIES *ours)
{
    const struct ima_library *library = ima_library();
    for (size_t i = 1; i < library->plugin_count; i++) {
        if (!agrees(&library->plugins[i], ours))
            return IMA_STATUS_INCONSISTENT_NODE_PROPERTIES;
    }
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_GetNodeProperties(IMA_OID nodeOid, IMA_NODE_PROPERTIES *pProps)
{
    const struct ima_plugin *plugin;
    IMA_STATUS status = begin(pProps != NULL, nodeOid, &plugin);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    status = IMA_ERROR_NOT_SUPPORTED;
    if (plugin->functions.GetNodeProperties != NULL)
        status = plugin->functions.GetNodeProperties(nodeOid, pProps);
    if (status == IMA_STATUS_SUCCESS && is_shared(nodeOid))
        status = compare_with_others(pProps);
    ima_leave();
    return status;
}

/* --- name and alias --- */

typedef IMA_STATUS (*set_text)(IMA_OID node, const IMA_WCHAR *text);

static set_text setter(const struct ima_plugin *plugin, bool alias)
{
    return alias ? plugin->functions.SetNodeAlias : plugin->functions.SetNodeName;
}

/* A plugin that keeps no shared node says so; whatever else it says, it has the old text. */
static IMA_STATUS tell_others(bool alias, const IMA_WCHAR *text, IMA_STATUS status)
{
    const struct ima_library *library = ima_library();
    for (size_t i = 1; i < library->plugin_count; i++) {
        set_text set = setter(&library->plugins[i], alias);
        IMA_STATUS theirs = set != NULL ? set(shared_node, text) : IMA_ERROR_NOT_SUPPORTED;
        if (IMA_ERROR(theirs) && theirs != IMA_ERROR_NOT_SUPPORTED &&
            theirs != IMA_ERROR_OBJECT_NOT_FOUND)
            status = IMA_STATUS_INCONSISTENT_NODE_PROPERTIES;
    }
    return status;
}

static IMA_STATUS set(IMA_OID node, bool alias, const IMA_WCHAR *text)
{
    const struct ima_plugin *plugin;
    IMA_STATUS status = begin(true, node, &plugin);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    set_text function = setter(plugin, alias);
    status = function != NULL ? function(node, text) : IMA_ERROR_NOT_SUPPORTED;
    if (IMA_SUCCESS(status) && is_shared(node))
        status = tell_others(alias, text, status);
    ima_leave();
    return status;
}

/* room: of the array, with the nul; bytes: that it may have as UTF-8. */
static IMA_STATUS check_text(const IMA_WCHAR *text, size_t room, long bytes)
{
    long length = ima_to_utf8(text, room, NULL, 0);
    if (length == IMA_TEXT_INVALID)
        return IMA_ERROR_INVALID_PARAMETER;
    return length == IMA_TEXT_TOO_LONG || length > bytes ? IMA_ERROR_NAME_TOO_LONG
                                                         : IMA_STATUS_SUCCESS;
}

IMA_STATUS IMA_SetNodeName(IMA_OID nodeOid, const IMA_NODE_NAME newName)
{
    if (newName == NULL || newName[0] == 0)
        return IMA_ERROR_INVALID_PARAMETER;
    IMA_STATUS status = check_text(newName, IMA_NODE_NAME_LEN, ISCSI_NAME_MAX);
    return status == IMA_STATUS_SUCCESS ? set(nodeOid, false, newName) : status;
}

IMA_STATUS IMA_SetNodeAlias(IMA_OID nodeOid, const IMA_NODE_ALIAS newAlias)
{
    static const IMA_NODE_ALIAS none;
    const IMA_WCHAR *alias = newAlias != NULL ? newAlias : none;
    IMA_STATUS status = check_text(alias, IMA_NODE_ALIAS_LEN, ALIAS_BYTES);
    return status == IMA_STATUS_SUCCESS ? set(nodeOid, true, alias) : status;
}
