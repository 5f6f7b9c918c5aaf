/* Gives the shared node the name that is made from the name of the computer. */
#include "sample.h"

int main(void)
{
    IMA_OID node;
    IMA_NODE_NAME name;

    setlocale(LC_ALL, "");
    CHECK(IMA_GetSharedNodeOid(&node));
    CHECK(IMA_GenerateNodeName(name));
    IMA_STATUS status = IMA_SetNodeName(node, name);
    CHECK(status);
    printf("%ls%s\n", name,
           status == IMA_STATUS_REBOOT_NECESSARY ? " (after the next restart)" : "");
    return 0;
}
