/* Where targets are looked for: portals that are asked with SendTargets, and iSNS servers. */
#include <stdio.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"
#include "report.h"

enum { INDENT = 4 };

ISDSC_STATUS run_add_portal(int count, char **arguments)
{
    ISCSI_TARGET_PORTALA portal;
    ISCSI_LOGIN_OPTIONS options;
    ISDSC_STATUS status = argument_portal(arguments[0], arguments[1], &portal);

    if (status != ERROR_SUCCESS)
        return status;
    if (count == 2)
        return AddIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, 0, &portal);
    status = argument_login_options(arguments + 5, &options);
    if (status != ERROR_SUCCESS)
        return status;
    return AddIScsiSendTargetPortalA(argument_text(arguments[2]), argument_port(arguments[3]),
                                     &options, argument_number(arguments[4]), &portal);
}

ISDSC_STATUS run_quick_add_portal(int count, char **arguments)
{
    ISCSI_TARGET_PORTALA portal;
    ISCSI_LOGIN_OPTIONS options;
    ISDSC_STATUS status = argument_quick_portal(arguments[0], &portal);

    if (status == ERROR_SUCCESS)
        status = argument_quick_options(count - 1, arguments + 1, &options);
    if (status != ERROR_SUCCESS)
        return status;
    return AddIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &options, 0, &portal);
}

typedef ISDSC_STATUS WINAPI portal_call(PSTR, ULONG, PISCSI_TARGET_PORTALA);

/* Address and socket, then perhaps the initiator, then perhaps its port. */
static ISDSC_STATUS call_on_portal(portal_call *call, int count, char **arguments)
{
    ISCSI_TARGET_PORTALA portal;
    ISDSC_STATUS status = argument_portal(arguments[0], arguments[1], &portal);

    if (status != ERROR_SUCCESS)
        return status;
    return call(count > 2 ? argument_text(arguments[2]) : NULL,
                count > 3 ? argument_port(arguments[3]) : ISCSI_ALL_INITIATOR_PORTS, &portal);
}

ISDSC_STATUS run_remove_portal(int count, char **arguments)
{
    return call_on_portal(RemoveIScsiSendTargetPortalA, count, arguments);
}

ISDSC_STATUS run_refresh_portal(int count, char **arguments)
{
    return call_on_portal(RefreshIScsiSendTargetPortalA, count, arguments);
}

static ISDSC_STATUS query_portals(struct report *report, void *context)
{
    (void)context;
    return ReportIScsiSendTargetPortalsExA(&report->count, &report->size, report->data);
}

static void print_portal(const ISCSI_TARGET_PORTAL_INFO_EXA *portal)
{
    printf("    Address and Socket   : %s %u\n", portal->Address, portal->Socket);
    printf("    Symbolic Name        : %s\n", portal->SymbolicName);
    printf("    Initiator Name       : %s\n", portal->InitiatorName);
    printf("    Port Number          : ");
    print_port_number(portal->InitiatorPortNumber);
    print_security_flags(INDENT, portal->SecurityFlags);
    print_login_options(INDENT, &portal->LoginOptions);
    putchar('\n');
}

ISDSC_STATUS run_list_portals(int count, char **arguments)
{
    struct report portals;
    ISDSC_STATUS status = report_fetch(&portals, query_portals, NULL, 1);
    const ISCSI_TARGET_PORTAL_INFO_EXA *portal = portals.data;

    (void)count;
    (void)arguments;
    if (!portal)
        return status;
    printf("Total of %lu portals are persisted:\n\n", (unsigned long)portals.count);
    for (ULONG i = 0; i < portals.count; i++)
        print_portal(&portal[i]);
    report_free(&portals);
    return status;
}

ISDSC_STATUS run_add_isns(int count, char **arguments)
{
    (void)count;
    return AddISNSServerA(arguments[0]);
}

ISDSC_STATUS run_remove_isns(int count, char **arguments)
{
    (void)count;
    return RemoveISNSServerA(arguments[0]);
}

ISDSC_STATUS run_refresh_isns(int count, char **arguments)
{
    (void)count;
    return RefreshISNSServerA(argument_text(arguments[0]));
}

static ISDSC_STATUS query_isns(struct report *report, void *context)
{
    (void)context;
    return ReportISNSServerListA(&report->size, report->data);
}

ISDSC_STATUS run_list_isns(int count, char **arguments)
{
    struct report servers;
    ISDSC_STATUS status = report_fetch(&servers, query_isns, NULL, sizeof(CHAR));

    (void)count;
    (void)arguments;
    if (status != ERROR_SUCCESS)
        return status;
    if (servers.data)
        print_list(servers.data, servers.size, "    ", "");
    else
        puts("No SNS Servers");
    report_free(&servers);
    return status;
}
