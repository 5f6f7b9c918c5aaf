/* The plugin itself: its table, what it says of itself, and what it cannot do. */
#include "ima/builtin/builtin.h"

#include "ima/about.h"
#include "os/memory.h"

#include <string.h>

static IMA_STATUS initialize(IMA_UINT32 owner)
{
    builtin_set_owner(owner);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS builtin_FreeMemory(void *pMemory)
{
    os_free(pMemory);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS builtin_GetPluginProperties(IMA_OID pluginOid, IMA_PLUGIN_PROPERTIES *pProps)
{
    (void)pluginOid;
    memset(pProps, 0, sizeof *pProps);
    pProps->supportedImaVersion = IMA_VERSION;
    ima_about((os_function)builtin_GetPluginProperties, pProps->vendor,
              pProps->implementationVersion, pProps->fileName, &pProps->buildTime);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS builtin_PluginIOctl(IMA_OID pluginOid, IMA_UINT command, const void *pInputBuffer,
                               IMA_UINT inputBufferLength, void *pOutputBuffer,
                               IMA_UINT *pOutputBufferLength)
{
    (void)pluginOid, (void)command, (void)pInputBuffer, (void)inputBufferLength;
    (void)pOutputBuffer, (void)pOutputBufferLength;
    return IMA_ERROR_NOT_SUPPORTED;
}

#define ENTRY_LIBRARY(NAME)
#define ENTRY_SHARED(NAME) .NAME = builtin_##NAME,
#define ENTRY_MERGED       ENTRY_SHARED
#define ENTRY_OWNER        ENTRY_SHARED
#define ENTRY_LIST         ENTRY_SHARED
#define ENTRY_OBJECT       ENTRY_SHARED
#define ENTRY_KEYS         ENTRY_SHARED
#define ENTRY(NAME, DISPATCH, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)                    \
    ENTRY_##DISPATCH(NAME)

const struct ima_plugin_functions ima_builtin = {
    .Initialize = initialize, .Terminate = builtin_end_events, IMA_FUNCTIONS(ENTRY)};
