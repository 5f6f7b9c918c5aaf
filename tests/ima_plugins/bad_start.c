/* A plugin that does something else than being initialized: BAD_START says what. */
#include "ima_plugin.h"

#include <stdlib.h>

enum { CRASHES, HANGS, EXITS, REFUSES };

static int *volatile nowhere;

IMA_STATUS Initialize(IMA_UINT32 ownerId)
{
    volatile IMA_UINT32 *never = &ownerId;
    if (BAD_START == CRASHES)
        *nowhere = 1;
    while (BAD_START == HANGS && *never != 0)
        ;
    if (BAD_START == EXITS)
        exit(0);
    return BAD_START == REFUSES ? IMA_ERROR_UNEXPECTED_OS_ERROR : IMA_STATUS_SUCCESS;
}

#if BAD_START != 4 /* LACKS_FREE */
IMA_STATUS IMA_FreeMemory(void *pMemory)
{
    free(pMemory);
    return IMA_STATUS_SUCCESS;
}
#endif

IMA_STATUS IMA_GetLhbaOidList(IMA_OID_LIST **ppList)
{
    *ppList = calloc(1, sizeof **ppList);
    return *ppList != NULL ? IMA_STATUS_SUCCESS : IMA_ERROR_INSUFFICIENT_MEMORY;
}
