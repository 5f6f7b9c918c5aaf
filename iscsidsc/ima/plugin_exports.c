/* What our engine exports as a loadable plugin: the built-in plugin's functions under their names.
 */
#include "ima/plugin.h"

IMA_STATUS Initialize(IMA_UINT32 ownerId)
{
    return ima_builtin.Initialize != NULL ? ima_builtin.Initialize(ownerId) : IMA_STATUS_SUCCESS;
}

void Terminate(void)
{
    if (ima_builtin.Terminate != NULL)
        ima_builtin.Terminate();
}

#define EXPORT_LIBRARY(NAME, PARAMETERS, ARGUMENTS)
#define EXPORT_SHARED(NAME, PARAMETERS, ARGUMENTS)                                                 \
    IMA_STATUS IMA_##NAME PARAMETERS                                                               \
    {                                                                                              \
        return ima_builtin.NAME != NULL ? ima_builtin.NAME ARGUMENTS : IMA_ERROR_NOT_SUPPORTED;    \
    }
#define EXPORT_MERGED EXPORT_SHARED
#define EXPORT_OWNER  EXPORT_SHARED
#define EXPORT_LIST   EXPORT_SHARED
#define EXPORT_KEYS   EXPORT_SHARED
/* The table has the library's own variable for the result. */
#define EXPORT_OBJECT(NAME, PARAMETERS, ARGUMENTS)                                                 \
    IMA_STATUS IMA_##NAME PARAMETERS                                                               \
    {                                                                                              \
        IMA_OID theirs = {IMA_OBJECT_TYPE_UNKNOWN, 0, 0};                                          \
        IMA_STATUS status =                                                                        \
            ima_builtin.NAME != NULL ? ima_builtin.NAME ARGUMENTS : IMA_ERROR_NOT_SUPPORTED;       \
        if (IMA_SUCCESS(status) && pResult != NULL)                                                \
            *pResult = theirs;                                                                     \
        return status;                                                                             \
    }
#define EXPORT(NAME, DISPATCH, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)                   \
    EXPORT_##DISPATCH(NAME, PARAMETERS, ARGUMENTS)
IMA_FUNCTIONS(EXPORT)

IMA_STATUS IMA_PluginIOCtl(IMA_OID pluginOid, IMA_UINT command, const void *pInputBuffer,
                           IMA_UINT inputBufferLength, void *pOutputBuffer,
                           IMA_UINT *pOutputBufferLength)
{
    return IMA_PluginIOctl(pluginOid, command, pInputBuffer, inputBufferLength, pOutputBuffer,
                           pOutputBufferLength);
}
