/* Which plugin each logical HBA and each node of its own belongs to. */
#include "sample.h"

static int print_plugins(const char *what, const IMA_OID_LIST *objects)
{
    for (IMA_UINT i = 0; i < objects->oidCount; i++) {
        IMA_OID plugin;
        IMA_PLUGIN_PROPERTIES properties;
        CHECK(IMA_GetAssociatedPluginOid(objects->oids[i], &plugin));
        if (IMA_SUCCESS(IMA_GetPluginProperties(plugin, &properties)))
            printf("%s %u: %ls\n", what, (unsigned)i, properties.vendor);
    }
    return 0;
}

int main(void)
{
    IMA_OID_LIST *objects;

    setlocale(LC_ALL, "");
    CHECK(IMA_GetNonSharedNodeOidList(&objects));
    if (print_plugins("node", objects) != 0)
        return 1;
    CHECK(IMA_FreeMemory(objects));
    CHECK(IMA_GetLhbaOidList(&objects));
    if (print_plugins("LHBA", objects) != 0)
        return 1;
    CHECK(IMA_FreeMemory(objects));
    return 0;
}
