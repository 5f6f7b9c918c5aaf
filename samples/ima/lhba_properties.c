/* The logical HBAs. */
#include "sample.h"

int main(void)
{
    IMA_OID_LIST *lhbas;

    setlocale(LC_ALL, "");
    CHECK(IMA_GetLhbaOidList(&lhbas));
    for (IMA_UINT i = 0; i < lhbas->oidCount; i++) {
        IMA_LHBA_PROPERTIES properties;
        CHECK(IMA_GetLhbaProperties(lhbas->oids[i], &properties));
        printf(
            "LHBA %u: device %ls, logical units can be exposed: %s, about %u bytes of stale data\n",
            (unsigned)i, properties.osDeviceName[0] != 0 ? properties.osDeviceName : L"unknown",
            properties.luExposingSupported ? "yes" : "no", (unsigned)properties.staleDataSize);
    }
    CHECK(IMA_FreeMemory(lhbas));
    return 0;
}
