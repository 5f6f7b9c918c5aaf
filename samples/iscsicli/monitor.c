/* Telling what comes and goes. */
#include <stdio.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"

static void tell(const struct platform_event *event)
{
    printf("%s:", event->what);
    if (event->session.AdapterSpecific != 0)
        printf(" %" PRIx64 "-%" PRIx64, (uint64_t)event->session.AdapterUnique,
               (uint64_t)event->session.AdapterSpecific);
    if (event->target[0] != '\0')
        printf(" %s", event->target);
    if (event->portal[0] != '\0')
        printf(" %s %u", event->portal, event->socket);
    putchar('\n');
    fflush(stdout);
}

ISDSC_STATUS run_monitor(int count, char **arguments)
{
    unsigned long seconds = count > 0 ? (unsigned long)argument_number(arguments[0]) : 0;

    return platform_monitor(seconds, tell);
}
