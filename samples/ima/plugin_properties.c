/* Which plugins are loaded. */
#include "sample.h"

int main(void)
{
    IMA_OID_LIST *plugins;

    setlocale(LC_ALL, "");
    CHECK(IMA_GetPluginOidList(&plugins));
    for (IMA_UINT i = 0; i < plugins->oidCount; i++) {
        IMA_PLUGIN_PROPERTIES properties;
        if (IMA_SUCCESS(IMA_GetPluginProperties(plugins->oids[i], &properties)))
            printf("%ls %ls, %ls\n", properties.vendor, properties.implementationVersion,
                   properties.fileName);
        else
            printf("a plugin that tells nothing of itself\n");
    }
    CHECK(IMA_FreeMemory(plugins));
    return 0;
}
