/* Which library this is. */
#include "sample.h"

int main(void)
{
    IMA_LIBRARY_PROPERTIES properties;

    setlocale(LC_ALL, "");
    CHECK(IMA_GetLibraryProperties(&properties));
    printf("%ls %ls\nIMA version %u\nfile %ls\nbuilt in %d\n", properties.vendor,
           properties.implementationVersion, (unsigned)properties.supportedImaVersion,
           properties.fileName, properties.buildTime.tm_year + 1900);
    return 0;
}
