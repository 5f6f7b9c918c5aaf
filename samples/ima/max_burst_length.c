/* max_burst_length [BYTES]: tells the MaxBurstLength that each LHBA proposes in logins, and sets
 * it. */
#include "sample.h"

#include <stdlib.h>

int main(int count, char **arguments)
{
    IMA_OID_LIST *lhbas;

    CHECK(IMA_GetLhbaOidList(&lhbas));
    for (IMA_UINT i = 0; i < lhbas->oidCount; i++) {
        IMA_MIN_MAX_VALUE value;
        CHECK(IMA_GetMaxBurstLengthProperties(lhbas->oids[i], &value));
        if (count > 1 && value.settable) {
            CHECK(IMA_SetMaxBurstLength(lhbas->oids[i], (IMA_UINT)strtoul(arguments[1], NULL, 10)));
            CHECK(IMA_GetMaxBurstLengthProperties(lhbas->oids[i], &value));
        }
        printf("LHBA %u: %u", (unsigned)i, (unsigned)value.currentValue);
        if (value.settable)
            printf(" (%u to %u)", (unsigned)value.minimumValue, (unsigned)value.maximumValue);
        putchar('\n');
    }
    CHECK(IMA_FreeMemory(lhbas));
    return 0;
}
