/* The parameters of iscsi.conf: what they have become, and why. */
#include <stdio.h>

#include "arguments.h"
#include "commands.h"

static void tell(const struct platform_parameter *parameter)
{
    printf("%s = %s ", parameter->name, parameter->value);
    if (parameter->source)
        printf("(%s)\n", parameter->source);
    else
        printf("(%s:%lu, %s)\n", parameter->file, (unsigned long)parameter->line, parameter->scope);
}

/* The two arguments that may be there. */
static ISDSC_STATUS address_at(int count, char **arguments, int at,
                               struct platform_address *address)
{
    *address = (struct platform_address){NULL, 0};
    if (count < at + 2 || argument_is_default(arguments[at]))
        return ERROR_SUCCESS;
    ULONG socket =
        argument_is_default(arguments[at + 1]) ? ISCSI_SOCKET : argument_number(arguments[at + 1]);
    if (socket == 0 || socket > 0xffff)
        return ERROR_INVALID_PARAMETER;
    *address = (struct platform_address){arguments[at], (USHORT)socket};
    return ERROR_SUCCESS;
}

ISDSC_STATUS run_effective_parameters(int count, char **arguments)
{
    struct platform_address portal, discovery = {NULL, 0};
    ISDSC_STATUS status = address_at(count, arguments, 1, &portal);

    if (status == ERROR_SUCCESS)
        status = address_at(count, arguments, 3, &discovery);
    if (status != ERROR_SUCCESS)
        return status;
    return platform_parameters(count > 0 ? argument_text(arguments[0]) : NULL, portal, discovery,
                               tell);
}
