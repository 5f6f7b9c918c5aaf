/* The physical HBAs. */
#include "sample.h"

int main(void)
{
    IMA_OID_LIST *phbas;

    setlocale(LC_ALL, "");
    CHECK(IMA_GetPhbaOidList(&phbas));
    for (IMA_UINT i = 0; i < phbas->oidCount; i++) {
        IMA_PHBA_PROPERTIES properties;
        IMA_PHBA_STATUS status;
        CHECK(IMA_GetPhbaProperties(phbas->oids[i], &properties));
        CHECK(IMA_GetPhbaStatus(phbas->oids[i], &status));
        printf("PHBA %u: %ls %ls, %ls, driver %ls, %s\n", (unsigned)i, properties.vendor,
               properties.model, properties.description, properties.driverName,
               status == IMA_PHBA_STATUS_WORKING ? "working" : "failed");
    }
    CHECK(IMA_FreeMemory(phbas));
    return 0;
}
