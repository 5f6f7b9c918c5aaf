/* The node that all HBAs of this system share. */
#include "sample.h"

int main(void)
{
    IMA_OID node;
    IMA_NODE_PROPERTIES properties;

    setlocale(LC_ALL, "");
    CHECK(IMA_GetSharedNodeOid(&node));
    CHECK(IMA_GetNodeProperties(node, &properties));
    printf("name %ls\nalias %ls\n", properties.nameValid ? properties.name : L"(none)",
           properties.aliasValid ? properties.alias : L"(none)");
    printf("an initiator: %s\na target: %s\nname and alias can be set: %s\n",
           properties.runningInInitiatorMode ? "yes" : "no",
           properties.runningInTargetMode ? "yes" : "no",
           properties.nameAndAliasSettable ? "yes" : "no");
    return 0;
}
