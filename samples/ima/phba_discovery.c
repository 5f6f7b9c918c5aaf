/* How the physical HBAs find targets. */
#include "sample.h"

static const char *word(IMA_XBOOL value)
{
    return value == IMA_TRUE ? "on" : value == IMA_FALSE ? "off" : "unknown";
}

int main(void)
{
    IMA_OID_LIST *phbas;

    CHECK(IMA_GetPhbaOidList(&phbas));
    for (IMA_UINT i = 0; i < phbas->oidCount; i++) {
        IMA_DISCOVERY_PROPERTIES properties;
        CHECK(IMA_GetDiscoveryProperties(phbas->oids[i], &properties));
        printf("PHBA %u: iSNS %s, SLP %s, static %s, SendTargets %s\n", (unsigned)i,
               word(properties.iSnsDiscoveryEnabled), word(properties.slpDiscoveryEnabled),
               word(properties.staticDiscoveryEnabled),
               word(properties.sendTargetsDiscoveryEnabled));
    }
    CHECK(IMA_FreeMemory(phbas));
    return 0;
}
