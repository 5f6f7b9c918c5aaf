/* The exported functions that plugins answer, made from the table. */
#include "ima/checks.h"
#include "ima/library.h"

#include <stddef.h>

IMA_STATUS ima_check_type(IMA_OID oid, unsigned types)
{
    if (!ima_is_object_type(oid.objectType))
        return IMA_ERROR_INVALID_OBJECT_TYPE;
    return (types & (1u << oid.objectType)) != 0 ? IMA_STATUS_SUCCESS
                                                 : IMA_ERROR_INCORRECT_OBJECT_TYPE;
}

IMA_STATUS ima_begin(bool valid, IMA_OID oid, unsigned types, const struct ima_plugin **plugin)
{
    if (!valid)
        return IMA_ERROR_INVALID_PARAMETER;
    IMA_STATUS status = ima_check_type(oid, types);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    if (ima_library() == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    *plugin = ima_plugin_of(oid.ownerId);
    if (*plugin == NULL)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    if (oid.objectType == IMA_OBJECT_TYPE_PLUGIN && oid.objectSequenceNumber != 0)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    return ima_enter() ? IMA_STATUS_SUCCESS : IMA_ERROR_OBJECT_NOT_FOUND;
}

/* The library does these itself. */
#define STUB_LIBRARY(NAME, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)
#define STUB_SHARED(NAME, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)

/* SUCCESS: what is done with the plugin's status before the call into it ends. */
#define ASK(NAME, OID, TYPES, ARGUMENTS, VALID, AFTER)                                             \
    const struct ima_plugin *plugin;                                                               \
    IMA_STATUS status = ima_begin(VALID, OID, TYPES, &plugin);                                     \
    if (status != IMA_STATUS_SUCCESS)                                                              \
        return status;                                                                             \
    status = IMA_ERROR_NOT_SUPPORTED;                                                              \
    if (plugin->functions.NAME != NULL)                                                            \
        status = plugin->functions.NAME ARGUMENTS;                                                 \
    status = AFTER;                                                                                \
    ima_leave();                                                                                   \
    return status;

#define STUB_OWNER(NAME, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)                         \
    IMA_STATUS IMA_##NAME PARAMETERS                                                               \
    {                                                                                              \
        ASK(NAME, OID, TYPES, ARGUMENTS, VALID, status)                                            \
    }

#define STUB_LIST(NAME, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)                          \
    IMA_STATUS IMA_##NAME PARAMETERS                                                               \
    {                                                                                              \
        IMA_OID_LIST *theirs = NULL;                                                               \
        if (VALID)                                                                                 \
            *ppList = NULL;                                                                        \
        ASK(NAME, OID, TYPES, (OID, &theirs), VALID,                                               \
            ima_take_list(plugin, status, theirs, RESULT, ppList))                                 \
    }

#define STUB_KEYS(NAME, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)                          \
    IMA_STATUS IMA_##NAME PARAMETERS                                                               \
    {                                                                                              \
        IMA_ADDRESS_KEYS *theirs = NULL;                                                           \
        if (VALID)                                                                                 \
            *ppKeys = NULL;                                                                        \
        ASK(NAME, OID, TYPES, (OID, &theirs), VALID,                                               \
            ima_take_keys(plugin, status, theirs, ppKeys))                                         \
    }

#define STUB_OBJECT(NAME, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)                        \
    IMA_STATUS IMA_##NAME PARAMETERS                                                               \
    {                                                                                              \
        IMA_OID theirs = {IMA_OBJECT_TYPE_UNKNOWN, 0, 0};                                          \
        ASK(NAME, OID, TYPES, ARGUMENTS, VALID,                                                    \
            ima_take_object(plugin, status, &theirs, RESULT, pResult))                             \
    }

#define STUB_MERGED(NAME, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)                        \
    IMA_STATUS IMA_##NAME PARAMETERS                                                               \
    {                                                                                              \
        if (!(VALID))                                                                              \
            return IMA_ERROR_INVALID_PARAMETER;                                                    \
        return ima_merge_lists(offsetof(struct ima_plugin_functions, NAME), RESULT, ppList);       \
    }

#define STUB(NAME, DISPATCH, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)                     \
    STUB_##DISPATCH(NAME, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)
IMA_FUNCTIONS(STUB)

IMA_STATUS IMA_PluginIOCtl(IMA_OID pluginOid, IMA_UINT command, const void *pInputBuffer,
                           IMA_UINT inputBufferLength, void *pOutputBuffer,
                           IMA_UINT *pOutputBufferLength)
{
    return IMA_PluginIOctl(pluginOid, command, pInputBuffer, inputBufferLength, pOutputBuffer,
                           pOutputBufferLength);
}
